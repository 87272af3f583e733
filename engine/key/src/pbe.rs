//! Encryption under a password: PBES2 (RFC 8018 section 6.2) and the schemes of
//! PKCS#12 (RFC 7292 appendix B and C).

mod own_pbes2;

use cipher::{Array, Block, BlockModeDecrypt, InnerIvInit, KeyIvInit};
use der::{Decode, asn1::OctetStringRef};
use digest::Digest;
use pkcs8::pkcs5::pbes2;
use spki::AlgorithmIdentifierRef;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{DigestAlgorithm, KeyError, PrivateKey, algorithm::describe, digest::with_digest, private_key::not};

/// Reads an EncryptedPrivateKeyInfo in DER (RFC 5208 section 6).
pub(crate) fn encrypted_private_key(
    der: &[u8],
    password: &str,
    limits: PasswordLimits,
) -> Result<PrivateKey, KeyError> {
    let (algorithm, data) = encrypted_parts(der)?;
    let info = decrypt(&algorithm, data, password, &mut Budget::new(limits))?;
    // A wrong password passes the check of the padding once in 256 times.
    PrivateKey::from_pkcs8_der(&info).map_err(|error| match error {
        KeyError::NotAKey(_) => KeyError::WrongPassword,
        other => other,
    })
}

/// The algorithm and the ciphertext of an EncryptedPrivateKeyInfo.
pub(crate) fn encrypted_parts(der: &[u8]) -> Result<(AlgorithmIdentifierRef<'_>, &[u8]), KeyError> {
    #[derive(der::Sequence)]
    struct EncryptedPrivateKeyInfo<'a> {
        algorithm: AlgorithmIdentifierRef<'a>,
        data: &'a OctetStringRef,
    }
    let info =
        EncryptedPrivateKeyInfo::from_der(der).map_err(|error| not("no PKCS#8 EncryptedPrivateKeyInfo", error))?;
    Ok((info.algorithm, info.data.as_bytes()))
}

/// How much work the password of one file of keys may cost. The counts stand in
/// the file, so without a bound it could keep a machine busy for years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordLimits {
    /// Rounds of key derivation, all uses of the password in the file together.
    pub iterations: u32,
    /// Octets of memory that one derivation with scrypt may take.
    pub memory: u64,
}

impl Default for PasswordLimits {
    /// Common writers use 2048 to 600 000 rounds for each of two to four
    /// uses of a password; 5 000 000 take a few seconds.
    fn default() -> Self {
        Self { iterations: 5_000_000, memory: 256 << 20 }
    }
}

/// What is left of the [`PasswordLimits`] of one file.
#[derive(Debug)]
pub(crate) struct Budget {
    iterations: u32,
    memory: u64,
}

impl Budget {
    pub(crate) const fn new(limits: PasswordLimits) -> Self {
        Self { iterations: limits.iterations, memory: limits.memory }
    }

    /// Takes rounds of a key derivation from what is left.
    pub(crate) fn spend(&mut self, algorithm: &str, iterations: u32) -> Result<(), KeyError> {
        let refused = |why: String| KeyError::BadParameters { algorithm: algorithm.to_owned(), why };
        if iterations == 0 {
            return Err(refused("an iteration count of zero".to_owned()));
        }
        let left = self.iterations.checked_sub(iterations).ok_or_else(|| {
            refused(format!("an iteration count of {iterations}; {} are left for this file", self.iterations))
        })?;
        self.iterations = left;
        Ok(())
    }
}

/// Decrypts what was encrypted under a password.
pub(crate) fn decrypt(
    algorithm: &AlgorithmIdentifierRef<'_>,
    data: &[u8],
    password: &str,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let oid = algorithm.oid.to_string();
    if oid == PBES2 {
        return decrypt_pbes2(algorithm, data, password, budget);
    }
    let scheme = SCHEMES
        .iter()
        .find(|scheme| scheme.oid == oid)
        .ok_or_else(|| KeyError::UnknownAlgorithm(format!("{} for a password", describe(&oid))))?;
    scheme.decrypt(algorithm, data, password, budget)
}

const PBES2: &str = "1.2.840.113549.1.5.13";

fn decrypt_pbes2(
    algorithm: &AlgorithmIdentifierRef<'_>,
    data: &[u8],
    password: &str,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let refused = |why: String| KeyError::BadParameters { algorithm: "pbes2".to_owned(), why };
    let parameters = algorithm.parameters.ok_or_else(|| refused("none".to_owned()))?;
    let Ok(parameters) = pbes2::Parameters::try_from(parameters) else {
        return own_pbes2::decrypt(parameters, data, password, budget);
    };
    match &parameters.kdf {
        pbes2::Kdf::Pbkdf2(kdf) => budget.spend("pbkdf2", kdf.iteration_count)?,
        pbes2::Kdf::Scrypt(kdf) => spend_scrypt(kdf, budget)?,
        _ => return Err(refused("an unknown key derivation".to_owned())),
    }
    parameters.decrypt(password, data).map(Zeroizing::new).map_err(|error| match error {
        pkcs8::pkcs5::Error::DecryptFailed => KeyError::WrongPassword,
        other => refused(other.to_string()),
    })
}

/// The memory of scrypt (RFC 7914 section 2) is bounded by itself. Its time
/// grows with N, r and p, and is taken from what the file may cost: four times
/// Salsa20/8 for each of N times r times p are about as long as one round of
/// PBKDF2.
fn spend_scrypt(kdf: &pbes2::ScryptParams, budget: &mut Budget) -> Result<(), KeyError> {
    let blocks = kdf.cost_parameter.saturating_mul(u64::from(kdf.block_size));
    if blocks.saturating_mul(128) > budget.memory {
        return Err(KeyError::BadParameters {
            algorithm: "scrypt".to_owned(),
            why: format!("N {} and r {} take too much memory", kdf.cost_parameter, kdf.block_size),
        });
    }
    let rounds = blocks.saturating_mul(u64::from(kdf.parallelization));
    budget.spend("scrypt", u32::try_from(rounds).unwrap_or(u32::MAX))
}

/// A scheme of RFC 7292 appendix C: SHA-1 and a cipher in CBC mode with blocks
/// of eight octets.
struct Scheme {
    oid: &'static str,
    key_len: usize,
    cipher: Cipher,
}

enum Cipher {
    TripleDes,
    TwoKeyTripleDes,
    Rc2,
}

const SCHEMES: &[Scheme] = &[
    Scheme { oid: "1.2.840.113549.1.12.1.3", key_len: 24, cipher: Cipher::TripleDes },
    Scheme { oid: "1.2.840.113549.1.12.1.4", key_len: 16, cipher: Cipher::TwoKeyTripleDes },
    Scheme { oid: "1.2.840.113549.1.12.1.5", key_len: 16, cipher: Cipher::Rc2 },
    Scheme { oid: "1.2.840.113549.1.12.1.6", key_len: 5, cipher: Cipher::Rc2 },
];

impl Scheme {
    fn decrypt(
        &self,
        algorithm: &AlgorithmIdentifierRef<'_>,
        data: &[u8],
        password: &str,
        budget: &mut Budget,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        #[derive(der::Sequence)]
        struct Parameters<'a> {
            salt: &'a OctetStringRef,
            iterations: u32,
        }
        let name = crate::algorithm::oid_name(self.oid).unwrap_or(self.oid);
        let refused = |why: String| KeyError::BadParameters { algorithm: name.to_owned(), why };
        let parameters: Parameters<'_> = algorithm
            .parameters
            .ok_or_else(|| refused("none".to_owned()))?
            .decode_as()
            .map_err(|error: der::Error| refused(error.to_string()))?;
        let mut decrypted = Err(KeyError::WrongPassword);
        for password in &spellings(password) {
            budget.spend(name, parameters.iterations.saturating_mul(2))?;
            let derive = |purpose, len| {
                derive(DigestAlgorithm::Sha1, purpose, password, parameters.salt.as_bytes(), parameters.iterations, len)
            };
            let key = derive(Purpose::Key, self.key_len);
            let iv = derive(Purpose::Iv, 8);
            decrypted = self.decrypt_cbc(&key, &iv, data);
            if decrypted.is_ok() {
                break;
            }
        }
        decrypted
    }

    fn decrypt_cbc(&self, key: &[u8], iv: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let wrong = |_| KeyError::WrongPassword;
        match self.cipher {
            Cipher::TripleDes => unpad(cbc::Decryptor::<des::TdesEde3>::new_from_slices(key, iv).map_err(wrong)?, data),
            Cipher::TwoKeyTripleDes => {
                unpad(cbc::Decryptor::<des::TdesEde2>::new_from_slices(key, iv).map_err(wrong)?, data)
            }
            Cipher::Rc2 => {
                let cipher = rc2::Rc2::new_with_eff_key_len(key, key.len() * 8);
                unpad(cbc::Decryptor::inner_iv_slice_init(cipher, iv).map_err(wrong)?, data)
            }
        }
    }
}

/// Decrypts, and removes the padding of RFC 8018 section 6.1.1.
fn unpad<M: BlockModeDecrypt>(mut mode: M, data: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut plain = Zeroizing::new(data.to_vec());
    let (blocks, rest): (&mut [Block<M>], _) = Array::slice_as_chunks_mut(&mut plain);
    if !rest.is_empty() {
        return Err(KeyError::WrongPassword);
    }
    mode.decrypt_blocks(blocks);
    strip_padding(plain, M::block_size())
}

/// Removes the padding of RFC 8018 section 6.1.1.
fn strip_padding(mut plain: Zeroizing<Vec<u8>>, block_len: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let padding = usize::from(plain.last().copied().unwrap_or(0));
    let content = plain.len().checked_sub(padding).filter(|_| (1..=block_len).contains(&padding));
    let content = content.ok_or(KeyError::WrongPassword)?;
    if plain[content..].iter().any(|octet| usize::from(*octet) != padding) {
        return Err(KeyError::WrongPassword);
    }
    plain.truncate(content);
    Ok(plain)
}

/// Decrypts a PEM block with the header `DEK-Info` (RFC 1421 section 4.6.1.3),
/// as OpenSSL writes it: the key is one round of MD5 over the password and the
/// first eight octets of the initialization vector.
pub(crate) fn decrypt_rfc1421(info: &str, data: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bad = |why: &str| KeyError::BadParameters { algorithm: "DEK-Info".to_owned(), why: why.to_owned() };
    let (name, iv) = info.split_once(',').ok_or_else(|| bad("no initialization vector"))?;
    let iv: Vec<u8> = (0..iv.len() / 2)
        .map(|at| iv.get(at * 2..at * 2 + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()))
        .collect::<Option<_>>()
        .ok_or_else(|| bad("an initialization vector that is not hexadecimal"))?;
    let salt = iv.get(..8).ok_or_else(|| bad("an initialization vector that is too short"))?;
    let key = rfc1421_key(password, salt);
    let length = |_| bad("an initialization vector of the wrong length");
    match name {
        "AES-128-CBC" => unpad(cbc::Decryptor::<aes::Aes128>::new_from_slices(&key[..16], &iv).map_err(length)?, data),
        "AES-192-CBC" => unpad(cbc::Decryptor::<aes::Aes192>::new_from_slices(&key[..24], &iv).map_err(length)?, data),
        "AES-256-CBC" => unpad(cbc::Decryptor::<aes::Aes256>::new_from_slices(&key[..32], &iv).map_err(length)?, data),
        "DES-EDE3-CBC" => {
            unpad(cbc::Decryptor::<des::TdesEde3>::new_from_slices(&key[..24], &iv).map_err(length)?, data)
        }
        "DES-CBC" => unpad(cbc::Decryptor::<des::Des>::new_from_slices(&key[..8], &iv).map_err(length)?, data),
        other => Err(KeyError::UnknownAlgorithm(format!("DEK-Info cipher `{other}`"))),
    }
}

/// Two blocks of MD5, each over the one before it, the password and the salt.
fn rfc1421_key(password: &str, salt: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    for end in [16, 32] {
        let (before, rest) = key.split_at_mut(end - 16);
        let last = &before[before.len().saturating_sub(16)..];
        let mut block = md5::Md5::new().chain_update(last).chain_update(password).chain_update(salt).finalize();
        rest[..16].copy_from_slice(&block);
        block.as_mut_slice().zeroize();
    }
    key
}

/// What a key is derived for (RFC 7292 appendix B.3).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// The octets that may stand for a password: a BMPString with its terminator
/// (RFC 7292 appendix B.1). For an empty one some writers leave out the
/// terminator too.
pub(crate) fn spellings(password: &str) -> Vec<Zeroizing<Vec<u8>>> {
    // Never grown: no copy stays behind. UTF-16 has no more units than UTF-8 has octets.
    let mut octets = Zeroizing::new(Vec::with_capacity(2 * password.len() + 2));
    octets.extend(password.encode_utf16().flat_map(u16::to_be_bytes));
    octets.extend([0, 0]);
    let mut spellings = vec![octets];
    if password.is_empty() {
        spellings.push(Zeroizing::new(Vec::new()));
    }
    spellings
}

/// Derives a key (RFC 7292 appendix B.2).
pub(crate) fn derive(
    digest: DigestAlgorithm,
    purpose: Purpose,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    len: usize,
) -> Zeroizing<Vec<u8>> {
    with_digest!(digest, D => derive_with::<D>(purpose, password, salt, iterations, len, block_len(digest)))
}

/// Octets of the block that a digest algorithm works on: v in RFC 7292.
fn block_len(digest: DigestAlgorithm) -> usize {
    match digest {
        DigestAlgorithm::Md5
        | DigestAlgorithm::Sha1
        | DigestAlgorithm::Sha224
        | DigestAlgorithm::Sha256
        | DigestAlgorithm::Sm3 => 64,
        DigestAlgorithm::Sha384 | DigestAlgorithm::Sha512 => 128,
        DigestAlgorithm::Sha3_224 => 144,
        DigestAlgorithm::Sha3_256 | DigestAlgorithm::Shake256 => 136,
        DigestAlgorithm::Sha3_384 => 104,
        DigestAlgorithm::Sha3_512 => 72,
    }
}

fn derive_with<D: Digest>(
    purpose: Purpose,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    len: usize,
    block: usize,
) -> Zeroizing<Vec<u8>> {
    // Steps 1 to 4: D, and S and P filled up to whole blocks by repetition.
    let diversifier = vec![purpose as u8; block];
    let filled = |octets: &[u8]| octets.len().div_ceil(block) * block;
    let mut input = Zeroizing::new(Vec::with_capacity(filled(salt) + filled(password)));
    for octets in [salt, password] {
        input.extend(octets.iter().copied().cycle().take(filled(octets)));
    }
    let mut addend = Zeroizing::new(vec![0; block]);
    let mut out = Zeroizing::new(Vec::with_capacity(len + block));
    while out.len() < len {
        // Step 6: A.
        let mut hash = D::new().chain_update(&diversifier).chain_update(&*input).finalize();
        for _ in 1..iterations {
            hash = D::digest(&hash);
        }
        out.extend_from_slice(&hash);
        // B + 1, added to each block of I.
        for (octet, hashed) in addend.iter_mut().zip(hash.iter().cycle()) {
            *octet = *hashed;
        }
        hash.as_mut_slice().zeroize();
        for block in input.chunks_mut(block) {
            let mut carry = 1;
            for (octet, addend) in block.iter_mut().zip(addend.iter()).rev() {
                let sum = u16::from(*octet) + u16::from(*addend) + carry;
                *octet = (sum & 0xff) as u8;
                carry = sum >> 8;
            }
        }
    }
    out.truncate(len);
    out
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    #[test]
    fn scrypt_is_paid_for_with_the_other_rounds() {
        let kdf = |n: u64, r, p| {
            let log_n = u8::try_from(n.ilog2()).unwrap();
            let params = pkcs8::pkcs5::scrypt::Params::new(log_n, r, p).unwrap();
            pbes2::ScryptParams::from_params_and_salt(params, b"saltsalt").unwrap()
        };
        let budget = &mut Budget::new(PasswordLimits::default());
        spend_scrypt(&kdf(1 << 14, 8, 1), budget).unwrap();
        assert_eq!(budget.iterations, 5_000_000 - (1 << 17));
        // Within the memory, and each use within the bound: only the sum is too much.
        let uses = (0..100).take_while(|_| spend_scrypt(&kdf(1 << 17, 8, 1), budget).is_ok()).count();
        assert_eq!(uses, 4);
        budget.spend("pbkdf2", 1_000_000).unwrap_err();
        let refused =
            spend_scrypt(&kdf(1 << 20, 8, 1), &mut Budget::new(PasswordLimits::default())).unwrap_err().to_string();
        assert!(refused.contains("too much memory"), "{refused}");
        spend_scrypt(&kdf(1 << 14, 8, 1 << 10), &mut Budget::new(PasswordLimits::default())).unwrap_err();
    }

    #[test]
    fn secrets_are_never_moved_by_growth() {
        for password in ["", "secret", "\u{e4}\u{1f512}", &"a long pass phrase ".repeat(20)] {
            let spelling = &spellings(password)[0];
            assert_eq!(spelling.capacity(), 2 * password.len() + 2, "{password}");
            assert!(spelling.ends_with(&[0, 0]));
        }
    }

    #[test]
    fn ciphers_wipe_their_keys() {
        fn wiped<T: ZeroizeOnDrop>() {}
        wiped::<aes::Aes128>();
        wiped::<aes::Aes256>();
        wiped::<des::Des>();
        wiped::<des::TdesEde3>();
        wiped::<rc2::Rc2>();
        wiped::<cbc::Encryptor<aes::Aes256>>();
        wiped::<cbc::Decryptor<des::TdesEde3>>();
    }
}
