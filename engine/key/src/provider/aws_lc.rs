//! The second provider: aws-lc. Faster, and it does less; what it does is
//! pinned by a test in `tests/providers.rs`.

mod agreement;
mod message;
mod ml_kem;
mod symmetric;

use std::sync::OnceLock;

use aws_lc_rs::{
    cipher::{
        AES_128, AES_192, AES_256, DecryptionContext, EncryptionContext, StreamingDecryptingKey,
        StreamingEncryptingKey, UnboundCipherKey,
    },
    digest::{self, Context, Digest},
    iv::FixedLength,
    rsa::{
        KeyPair as RsaKeyPair, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384,
        OAEP_SHA512_MGF1SHA512, OaepAlgorithm, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey,
        PrivateDecryptingKey,
    },
    signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, ParsedPublicKey, RsaEncoding, VerificationAlgorithm},
};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{
    Direction, Provider, lacks,
    rustcrypto::{Found, check_public_key, wrong_length},
};
use crate::{
    AeadSetup, BlockMode, ContentCipher, DigestAlgorithm, Hasher, KeyError, KeyWrap, OaepParameters,
    PublicKeyAlgorithm, Random, SignatureScheme, aead::AeadMode, message::Message, private_key::Secret,
    public_key::PublicKey,
};

pub(crate) struct AwsLc;

impl Provider for AwsLc {
    fn hasher(&self, digest: DigestAlgorithm) -> Result<Box<dyn Hasher>, KeyError> {
        Ok(Box::new(Running(Context::new(algorithm(digest)?))))
    }

    fn verify(
        &self,
        key: &PublicKey<'_>,
        scheme: SignatureScheme,
        digest: DigestAlgorithm,
        value: &[u8],
        signature: &[u8],
    ) -> Result<bool, KeyError> {
        let Some(verification) = verification(&key.algorithm, key.bits, scheme, digest) else {
            return lacks(format_args!("{scheme} with {digest} and a key {} of {} bits", key.algorithm, key.bits));
        };
        let Ok(parsed) = ParsedPublicKey::new(verification, key.octets) else {
            check_public_key(key)?;
            return lacks(format_args!("a public key {} of this form", key.algorithm));
        };
        Ok(parsed.verify_digest_sig(&import(digest, value)?, signature).is_ok())
    }

    fn wrap_rsa_pkcs1(&self, _: &PublicKey<'_>, _: &[u8], _: &mut dyn Random) -> Result<Vec<u8>, KeyError> {
        lacks("rsa-pkcs1-v1_5 key transport with random numbers of the caller")
    }

    fn wrap_rsa_oaep(
        &self,
        _: &PublicKey<'_>,
        _: &[u8],
        _: &OaepParameters,
        _: &mut dyn Random,
    ) -> Result<Vec<u8>, KeyError> {
        lacks("rsaes-oaep with random numbers of the caller")
    }

    fn wrap_key(&self, wrap: KeyWrap, kek: &[u8], key: &[u8], _: [u8; 8]) -> Result<Vec<u8>, KeyError> {
        symmetric::wrap(wrap, kek, key)
    }

    fn unwrap_key(&self, wrap: KeyWrap, kek: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        symmetric::unwrap(wrap, kek, wrapped)
    }

    fn mac(&self, digest: DigestAlgorithm, key: &[u8]) -> Result<Box<dyn Hasher>, KeyError> {
        symmetric::mac(digest, key)
    }

    fn hkdf(
        &self,
        digest: DigestAlgorithm,
        salt: &[u8],
        secret: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        symmetric::hkdf(digest, salt, secret, info, len)
    }

    fn pbkdf2(
        &self,
        prf: DigestAlgorithm,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        symmetric::pbkdf2(prf, password, salt, iterations, len)
    }

    fn agreement_public(&self, algorithm: &PublicKeyAlgorithm, private: &[u8]) -> Result<Vec<u8>, KeyError> {
        agreement::public(algorithm, private)
    }

    fn agree(
        &self,
        algorithm: &PublicKeyAlgorithm,
        private: &[u8],
        peer: &PublicKey<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        agreement::agree(algorithm, private, peer)
    }

    fn verify_message(
        &self,
        key: &PublicKey<'_>,
        message: &mut Message<'_>,
        signature: &[u8],
    ) -> Result<bool, KeyError> {
        message::verify(key, message, signature)
    }

    fn sign_message(&self, key: &Secret, message: &mut Message<'_>) -> Result<Vec<u8>, KeyError> {
        message::sign(key, message)
    }

    fn encapsulate(&self, key: &PublicKey<'_>, _: &mut dyn Random) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), KeyError> {
        lacks(format_args!("encapsulation to a key {} with random numbers of the caller", key.algorithm))
    }

    fn decapsulate(&self, key: &Secret, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        ml_kem::decapsulate(key, ciphertext)
    }

    fn aead(&self, _: Direction, setup: &AeadSetup<'_>) -> Result<Box<dyn AeadMode>, KeyError> {
        lacks(format_args!("{} in pieces", setup.cipher))
    }

    fn cbc(
        &self,
        direction: Direction,
        cipher: ContentCipher,
        key: &[u8],
        iv: &[u8],
    ) -> Result<Box<dyn BlockMode>, KeyError> {
        let algorithm = match cipher {
            ContentCipher::Aes128Cbc => &AES_128,
            ContentCipher::Aes192Cbc => &AES_192,
            ContentCipher::Aes256Cbc => &AES_256,
            _ => return lacks(cipher),
        };
        let failed =
            |_| KeyError::BadParameters { algorithm: cipher.name().to_owned(), why: "refused by aws-lc".to_owned() };
        let key = UnboundCipherKey::new(algorithm, key).map_err(failed)?;
        let iv = FixedLength::<16>::try_from(iv).map_err(failed)?;
        Ok(match direction {
            Direction::Encrypt => Box::new(Encrypting {
                key: StreamingEncryptingKey::less_safe_cbc_pkcs7(key, EncryptionContext::Iv128(iv)).map_err(failed)?,
                out: vec![0; CHUNK + BLOCK],
            }),
            Direction::Decrypt => Box::new(Decrypting {
                key: StreamingDecryptingKey::cbc_pkcs7(key, DecryptionContext::Iv128(iv)).map_err(failed)?,
                held_back: false,
                input: Vec::with_capacity(CHUNK + BLOCK),
                out: Zeroizing::new(vec![0; CHUNK + 3 * BLOCK]),
            }),
        })
    }

    fn sign(
        &self,
        key: &Secret,
        scheme: SignatureScheme,
        digest: DigestAlgorithm,
        value: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let operation = format!("signing by {scheme} with {digest} and a key {} of {} bits", key.algorithm, key.bits);
        let refused = |_| KeyError::Refused(format!("{operation} failed in aws-lc"));
        match scheme {
            SignatureScheme::RsaPkcs1 => {
                let (Some(encoding), Some(pair)) = (rsa_signing(digest), key.prepared.rsa_signing(&key.pkcs8)) else {
                    return lacks(&operation);
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(encoding, &import(digest, value)?, &mut signature).map_err(refused)?;
                Ok(signature)
            }
            SignatureScheme::Dsa
            | SignatureScheme::Ed25519
            | SignatureScheme::Ed448
            | SignatureScheme::MlDsa44
            | SignatureScheme::MlDsa65
            | SignatureScheme::MlDsa87
            | SignatureScheme::Sm2 => lacks(&operation),
            SignatureScheme::RsaPss(_) => lacks(format_args!("{operation}, with a salt that follows from the value")),
            SignatureScheme::Ecdsa => {
                let Some(algorithm) = ecdsa_signing(&key.algorithm, digest) else { return lacks(&operation) };
                let pair = EcdsaKeyPair::from_pkcs8(algorithm, &key.pkcs8)
                    .map_err(|error| KeyError::Refused(format!("aws-lc does not take this key: {error}")))?;
                Ok(pair.sign_digest(&import(digest, value)?).map_err(refused)?.as_ref().to_vec())
            }
        }
    }

    fn unwrap_rsa_pkcs1(
        &self,
        key: &Secret,
        encrypted_key: &[u8],
        key_lens: &[usize],
        rejected: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let Some(decrypting) = key.prepared.rsa_decrypting(&key.pkcs8) else {
            return lacks(format_args!("rsa-pkcs1-v1_5 key transport with a key of {} bits", key.bits));
        };
        if encrypted_key.len() != decrypting.key_size_bytes() {
            return Err(wrong_length("rsa-pkcs1-v1_5", encrypted_key.len(), decrypting.key_size_bytes()));
        }
        let mut buffer = Zeroizing::new(vec![0; decrypting.min_output_size()]);
        // aws-lc says only whether the padding was right: this branch is its own.
        let mut found = Found::new(key_lens, rejected);
        let decrypted = decrypting.decrypt(encrypted_key, &mut buffer);
        let (octets, good) = decrypted.map_or((&[][..], Choice::from(0)), |octets| (&*octets, Choice::from(1)));
        for len in key_lens {
            found.take(octets, good & octets.len().ct_eq(len));
        }
        Ok(found.into_key())
    }

    fn unwrap_rsa_oaep(
        &self,
        key: &Secret,
        encrypted_key: &[u8],
        parameters: &OaepParameters,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let operation = format_args!("rsaes-oaep with {} and MGF1 with {}", parameters.digest, parameters.mgf);
        let Some(algorithm) = oaep_algorithm(parameters) else { return lacks(operation) };
        let Some(decrypting) = key.prepared.rsa_oaep(&key.pkcs8) else {
            return lacks(format_args!("{operation} with a key of {} bits", key.bits));
        };
        if encrypted_key.len() != decrypting.key_size_bytes() {
            return Err(wrong_length("rsaes-oaep", encrypted_key.len(), decrypting.key_size_bytes()));
        }
        let mut buffer = Zeroizing::new(vec![0; decrypting.min_output_size()]);
        match decrypting.decrypt(algorithm, encrypted_key, &mut buffer, Some(&parameters.label)) {
            Ok(found) => Ok(Zeroizing::new(found.to_vec())),
            Err(_) => Err(KeyError::DecryptionFailed("rsaes-oaep".to_owned())),
        }
    }
}

/// Keys as aws-lc wants them, made when first used: it checks them each time
/// it reads them. Keys that it does not take are `None`.
#[derive(Default)]
pub(crate) struct Prepared {
    signing: OnceLock<Option<RsaKeyPair>>,
    decrypting: OnceLock<Option<Pkcs1PrivateDecryptingKey>>,
    oaep: OnceLock<Option<OaepPrivateDecryptingKey>>,
}

impl Prepared {
    fn rsa_signing(&self, pkcs8: &[u8]) -> Option<&RsaKeyPair> {
        self.signing.get_or_init(|| RsaKeyPair::from_pkcs8(pkcs8).ok()).as_ref()
    }

    fn rsa_oaep(&self, pkcs8: &[u8]) -> Option<&OaepPrivateDecryptingKey> {
        self.oaep
            .get_or_init(|| OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?).ok())
            .as_ref()
    }

    fn rsa_decrypting(&self, pkcs8: &[u8]) -> Option<&Pkcs1PrivateDecryptingKey> {
        self.decrypting
            .get_or_init(|| {
                let key = PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?;
                Pkcs1PrivateDecryptingKey::new(key).ok()
            })
            .as_ref()
    }
}

fn oaep_algorithm(parameters: &OaepParameters) -> Option<&'static OaepAlgorithm> {
    Some(match (parameters.digest, parameters.mgf) {
        (DigestAlgorithm::Sha1, DigestAlgorithm::Sha1) => &OAEP_SHA1_MGF1SHA1,
        (DigestAlgorithm::Sha256, DigestAlgorithm::Sha256) => &OAEP_SHA256_MGF1SHA256,
        (DigestAlgorithm::Sha384, DigestAlgorithm::Sha384) => &OAEP_SHA384_MGF1SHA384,
        (DigestAlgorithm::Sha512, DigestAlgorithm::Sha512) => &OAEP_SHA512_MGF1SHA512,
        _ => return None,
    })
}

fn algorithm(digest: DigestAlgorithm) -> Result<&'static digest::Algorithm, KeyError> {
    Ok(match digest {
        DigestAlgorithm::Md5 | DigestAlgorithm::Sha3_224 | DigestAlgorithm::Shake256 | DigestAlgorithm::Sm3 => {
            return lacks(digest);
        }
        DigestAlgorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        DigestAlgorithm::Sha224 => &digest::SHA224,
        DigestAlgorithm::Sha256 => &digest::SHA256,
        DigestAlgorithm::Sha384 => &digest::SHA384,
        DigestAlgorithm::Sha512 => &digest::SHA512,
        DigestAlgorithm::Sha3_256 => &digest::SHA3_256,
        DigestAlgorithm::Sha3_384 => &digest::SHA3_384,
        DigestAlgorithm::Sha3_512 => &digest::SHA3_512,
    })
}

fn import(digest: DigestAlgorithm, value: &[u8]) -> Result<Digest, KeyError> {
    Digest::import_less_safe(value, algorithm(digest)?).map_err(|_| KeyError::BadParameters {
        algorithm: digest.name().to_owned(),
        why: "a digest value of the wrong length".to_owned(),
    })
}

/// What aws-lc can verify. RSA below 2048 bits only under its legacy names.
fn verification(
    key: &PublicKeyAlgorithm,
    bits: u32,
    scheme: SignatureScheme,
    digest: DigestAlgorithm,
) -> Option<&'static dyn VerificationAlgorithm> {
    use DigestAlgorithm::{Sha1, Sha224, Sha256, Sha384, Sha512};
    use PublicKeyAlgorithm::{P256, P384, P521, Rsa, RsaPss};
    use signature as s;
    Some(match (scheme, key, digest) {
        (SignatureScheme::RsaPkcs1, Rsa, digest) => match (digest, bits) {
            (Sha1, 1024..=8192) => &s::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            (Sha256, 1024..=8192) => &s::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            (Sha384, 2048..=8192) => &s::RSA_PKCS1_2048_8192_SHA384,
            (Sha512, 1024..=8192) => &s::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
            _ => return None,
        },
        (SignatureScheme::RsaPss(parameters), Rsa | RsaPss, digest)
            if parameters.mgf == digest && (2048..=8192).contains(&bits) =>
        {
            return pss_verification(digest, parameters.salt_len);
        }
        (SignatureScheme::Ecdsa, P256, Sha1) => &s::ECDSA_P256_SHA1_ASN1,
        (SignatureScheme::Ecdsa, P256, Sha256) => &s::ECDSA_P256_SHA256_ASN1,
        (SignatureScheme::Ecdsa, P256, Sha384) => &s::ECDSA_P256_SHA384_ASN1,
        (SignatureScheme::Ecdsa, P256, Sha512) => &s::ECDSA_P256_SHA512_ASN1,
        (SignatureScheme::Ecdsa, P384, Sha256) => &s::ECDSA_P384_SHA256_ASN1,
        (SignatureScheme::Ecdsa, P384, Sha384) => &s::ECDSA_P384_SHA384_ASN1,
        (SignatureScheme::Ecdsa, P384, Sha512) => &s::ECDSA_P384_SHA512_ASN1,
        (SignatureScheme::Ecdsa, P521, Sha1) => &s::ECDSA_P521_SHA1_ASN1,
        (SignatureScheme::Ecdsa, P521, Sha224) => &s::ECDSA_P521_SHA224_ASN1,
        (SignatureScheme::Ecdsa, P521, Sha256) => &s::ECDSA_P521_SHA256_ASN1,
        (SignatureScheme::Ecdsa, P521, Sha384) => &s::ECDSA_P521_SHA384_ASN1,
        (SignatureScheme::Ecdsa, P521, Sha512) => &s::ECDSA_P521_SHA512_ASN1,
        _ => return None,
    })
}

/// aws-lc takes the length of the salt as a constant of the algorithm: the
/// usual ones are made here.
fn pss_verification(digest: DigestAlgorithm, salt_len: u32) -> Option<&'static dyn VerificationAlgorithm> {
    use signature::{
        RSA_PSS_2048_8192_SHA256 as SHA256, RSA_PSS_2048_8192_SHA384 as SHA384, RSA_PSS_2048_8192_SHA512 as SHA512,
        RsaPssSaltLength::Custom,
    };
    macro_rules! of_length {
        ($($len:literal)*) => {
            match (digest, salt_len) {
                $(
                    (DigestAlgorithm::Sha256, $len) => Some(const { &SHA256.with_pss_salt_length(Custom($len)) }),
                    (DigestAlgorithm::Sha384, $len) => Some(const { &SHA384.with_pss_salt_length(Custom($len)) }),
                    (DigestAlgorithm::Sha512, $len) => Some(const { &SHA512.with_pss_salt_length(Custom($len)) }),
                )*
                _ => None,
            }
        };
    }
    // Those of the digests, none, and the longest for moduli of 2048, 3072 and 4096 bits.
    of_length!(0 20 28 32 48 64 190 206 222 318 334 350 446 462 478)
}

fn rsa_signing(digest: DigestAlgorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match digest {
        DigestAlgorithm::Sha256 => &signature::RSA_PKCS1_SHA256,
        DigestAlgorithm::Sha384 => &signature::RSA_PKCS1_SHA384,
        DigestAlgorithm::Sha512 => &signature::RSA_PKCS1_SHA512,
        _ => return None,
    })
}

fn ecdsa_signing(key: &PublicKeyAlgorithm, digest: DigestAlgorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    use DigestAlgorithm::{Sha224, Sha256, Sha384, Sha512};
    use PublicKeyAlgorithm::{P256, P384, P521};
    Some(match (key, digest) {
        (P256, Sha256) => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        (P384, Sha384) => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
        (P521, Sha224) => &signature::ECDSA_P521_SHA224_ASN1_SIGNING,
        (P521, Sha256) => &signature::ECDSA_P521_SHA256_ASN1_SIGNING,
        (P521, Sha384) => &signature::ECDSA_P521_SHA384_ASN1_SIGNING,
        (P521, Sha512) => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
        _ => return None,
    })
}

struct Running(Context);

impl Hasher for Running {
    fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }
}

/// Octets that go through aws-lc at once. It does not work in place.
const CHUNK: usize = 16 * 1024;
const BLOCK: usize = 16;

struct Encrypting {
    key: StreamingEncryptingKey,
    out: Vec<u8>,
}

impl BlockMode for Encrypting {
    fn process(&mut self, blocks: &mut [u8]) {
        for chunk in whole_blocks(blocks).chunks_mut(CHUNK) {
            // Whole blocks of less than 2 GiB into a buffer that is large enough cannot fail; should
            // they, zeros must come out and not the plaintext.
            match self.key.update(chunk, &mut self.out) {
                Ok(update) if update.written().len() == chunk.len() => chunk.copy_from_slice(update.written()),
                _ => chunk.fill(0),
            }
        }
    }
}

/// aws-lc wants to remove the padding itself, so it holds the last block back
/// until it sees more. It is made to give it out by a repetition of that same
/// block, which leaves the chaining as it was; what comes out of the repetition
/// is dropped at the beginning of the next call.
struct Decrypting {
    key: StreamingDecryptingKey,
    held_back: bool,
    input: Vec<u8>,
    out: Zeroizing<Vec<u8>>,
}

impl BlockMode for Decrypting {
    fn process(&mut self, blocks: &mut [u8]) {
        for chunk in whole_blocks(blocks).chunks_mut(CHUNK) {
            self.input.clear();
            self.input.extend_from_slice(chunk);
            self.input.extend_from_slice(&chunk[chunk.len() - BLOCK..]);
            let dropped = if self.held_back { BLOCK } else { 0 };
            self.held_back = true;
            match self.key.update(&self.input, &mut self.out) {
                Ok(update) if update.written().len() == dropped + chunk.len() => {
                    chunk.copy_from_slice(&update.written()[dropped..]);
                }
                _ => chunk.fill(0),
            }
        }
    }
}

fn whole_blocks(octets: &mut [u8]) -> &mut [u8] {
    let len = octets.len() / BLOCK * BLOCK;
    &mut octets[..len]
}
