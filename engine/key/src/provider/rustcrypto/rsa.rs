//! RSA with the padding of PKCS#1 v1.5, over the bare exponentiation of the
//! `rsa` crate: the padding is written here, because a mail reader must accept
//! a second form of DigestInfo, and must not let a wrong padding be seen.

use ::rsa::{
    BoxedUint, RsaPrivateKey, RsaPublicKey,
    hazmat::{rsa_decrypt_and_check, rsa_encrypt},
    pkcs1::RsaPublicKeyRef,
    traits::PublicKeyParts,
};
use der::Decode;
use getrandom::SysRng;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::{
    DigestAlgorithm, KeyError, Random,
    public_key::{RSA_BITS, bad},
};

/// How the DigestInfo inside a signature writes the parameters of the digest
/// algorithm. RFC 8017 section 9.2 wants NULL; note 1 of it and appendix A.2.4
/// let a verifier accept absent ones, which old writers left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DigestInfoForm {
    Null,
    Absent,
}

/// Verifies a signature (RFC 8017 section 8.2.2) by comparing whole encoded
/// messages, so that nothing is parsed that a forger wrote. `None`: it does
/// not verify.
pub(crate) fn digest_info_form(
    rsa_public_key: &[u8],
    digest: DigestAlgorithm,
    value: &[u8],
    signature: &[u8],
) -> Result<Option<DigestInfoForm>, KeyError> {
    let key = public_key(rsa_public_key)?;
    let len = octets_of(&key);
    if signature.len() != len {
        return Ok(None);
    }
    let Some(number) = below_modulus(&key, signature) else { return Ok(None) };
    let found = rsa_encrypt(&key, &number).map_err(|error| bad(error.to_string()))?;
    let found = to_octets(&found, len);
    let form = [DigestInfoForm::Null, DigestInfoForm::Absent]
        .into_iter()
        .find(|form| encode(*form, digest, value, len).is_some_and(|wanted| wanted == *found));
    Ok(form)
}

/// Signs a digest value (RFC 8017 section 8.2.1).
pub(crate) fn sign(key: &RsaPrivateKey, digest: DigestAlgorithm, value: &[u8]) -> Result<Vec<u8>, KeyError> {
    let len = octets_of(key);
    let signature = private_operation(key, &padded(digest, value, len)?)?;
    Ok(to_octets(&signature, len).to_vec())
}

/// A digest value as it is signed under a modulus of so many octets (RFC 8017
/// section 9.2).
pub(crate) fn padded(digest: DigestAlgorithm, value: &[u8], len: usize) -> Result<Vec<u8>, KeyError> {
    encode(DigestInfoForm::Null, digest, value, len).ok_or_else(|| KeyError::BadParameters {
        algorithm: format!("rsa-pkcs1-v1_5 with {digest}"),
        why: format!("a modulus of {} bits is too short for it", len * 8),
    })
}

/// Encrypts a content-encryption key (RFC 8017 section 7.2.1).
pub(crate) fn wrap(rsa_public_key: &[u8], content_key: &[u8], random: &mut dyn Random) -> Result<Vec<u8>, KeyError> {
    let key = public_key(rsa_public_key)?;
    let len = octets_of(&key);
    let bad = |why: &str| KeyError::BadParameters { algorithm: "rsa-pkcs1-v1_5".to_owned(), why: why.to_owned() };
    let padding_len = len
        .checked_sub(content_key.len() + 3)
        .filter(|padding_len| *padding_len >= 8)
        .ok_or_else(|| bad("the content key is too long for this modulus"))?;
    // EM = 00 02 PS 00 M; drawn octet by octet so that vectors depend on nothing but this line.
    let mut encoded = Zeroizing::new(Vec::with_capacity(len));
    encoded.extend([0, 2]);
    for _ in 0..padding_len {
        encoded.push(nonzero(random).ok_or_else(|| bad("the random number generator gives only zeros"))?);
    }
    encoded.push(0);
    encoded.extend_from_slice(content_key);
    let number = below_modulus(&key, &encoded).ok_or_else(|| bad("the modulus is too small"))?;
    let wrapped = rsa_encrypt(&key, &Zeroizing::new(number)).map_err(|error| bad(&error.to_string()))?;
    Ok(to_octets(&wrapped, len).to_vec())
}

/// Decrypts a content-encryption key (RFC 8017 section 7.2.2).
///
/// The lengths that the key may have are known, so the places where the
/// separator may stand are known too: for each the padding is checked by looking
/// at every octet once, without a branch, and the choice between the key found
/// and the `rejected` one is made octet by octet.
pub(crate) fn unwrap(
    key: &RsaPrivateKey,
    encrypted_key: &[u8],
    key_lens: &[usize],
    rejected: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let len = octets_of(key);
    if encrypted_key.len() != len {
        return Err(wrong_length("rsa-pkcs1-v1_5", encrypted_key.len(), len));
    }
    if below_modulus(key, encrypted_key).is_none() {
        // The ciphertext is public, and so is that it is out of range.
        return Ok(Found::new(key_lens, rejected).into_key());
    }
    let message = Zeroizing::new(private_operation(key, encrypted_key)?);
    Ok(without_padding(&to_octets(&message, len), key_lens, rejected))
}

/// The key in an encoded message (RFC 8017 section 7.2.2 step 3), or the
/// rejected one, in a time that does not tell which.
pub(crate) fn without_padding(encoded: &[u8], key_lens: &[usize], rejected: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    let mut found = Found::new(key_lens, rejected);
    for key_len in key_lens {
        let Some(separator) = encoded.len().checked_sub(key_len + 1).filter(|separator| *separator >= 10) else {
            // No padding fits: nothing that this key could hold has that length.
            continue;
        };
        let mut good = encoded[0].ct_eq(&0) & encoded[1].ct_eq(&2) & encoded[separator].ct_eq(&0);
        for octet in &encoded[2..separator] {
            good &= !octet.ct_eq(&0);
        }
        found.take(&encoded[separator + 1..], good);
    }
    found.into_key()
}

/// The key that was found, or else the rejected one. Only its length tells
/// which, where several lengths are asked for.
pub(crate) struct Found {
    key: Zeroizing<Vec<u8>>,
    len: u64,
}

impl Found {
    /// The `rejected` key, which has the longest of these lengths.
    pub(crate) fn new(key_lens: &[usize], rejected: Zeroizing<Vec<u8>>) -> Self {
        Self { len: key_lens.first().map_or(0, |len| *len as u64), key: rejected }
    }

    /// Takes another key where `good`, without a branch.
    pub(crate) fn take(&mut self, octets: &[u8], good: Choice) {
        for (out, octet) in self.key.iter_mut().zip(octets) {
            out.conditional_assign(octet, good);
        }
        self.len.conditional_assign(&(octets.len() as u64), good);
    }

    pub(crate) fn into_key(mut self) -> Zeroizing<Vec<u8>> {
        self.key.truncate(usize::try_from(self.len).unwrap_or_default());
        self.key
    }
}

pub(crate) fn wrong_length(algorithm: &str, found: usize, wanted: usize) -> KeyError {
    KeyError::BadParameters {
        algorithm: algorithm.to_owned(),
        why: format!("the encrypted key has {found} octets, the modulus {wanted}"),
    }
}

/// Reads an RSAPublicKey of a size that is worked with.
pub(crate) fn public_key(rsa_public_key: &[u8]) -> Result<RsaPublicKey, KeyError> {
    let key = RsaPublicKeyRef::from_der(rsa_public_key).map_err(|error| bad(format!("no RSAPublicKey: {error}")))?;
    let number = |octets: &[u8]| BoxedUint::from_be_slice_vartime(octets);
    let sizes = *RSA_BITS.start() as usize..=*RSA_BITS.end() as usize;
    if key.modulus.as_bytes().len() > sizes.end() / 8 || key.public_exponent.as_bytes().len() > 8 {
        return Err(bad("an RSA modulus or exponent that is too large".to_owned()));
    }
    RsaPublicKey::new_with_size_limits(number(key.modulus.as_bytes()), number(key.public_exponent.as_bytes()), sizes)
        .map_err(|error| bad(error.to_string()))
}

/// RSADP and RSASP1, blinded, and checked against faults by the inverse.
pub(super) fn private_operation(key: &RsaPrivateKey, octets: &[u8]) -> Result<BoxedUint, KeyError> {
    let refused = |why: String| KeyError::Refused(format!("the RSA operation failed: {why}"));
    let number =
        Zeroizing::new(below_modulus(key, octets).ok_or_else(|| refused("a number above the modulus".to_owned()))?);
    rsa_decrypt_and_check(key, Some(&mut SysRng), &number).map_err(|error| refused(error.to_string()))
}

/// The private operation on octets as they stand, which are as many as the
/// modulus has.
pub(crate) fn bare_operation(key: &RsaPrivateKey, octets: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let len = octets_of(key);
    if octets.len() != len {
        return Err(wrong_length("rsa", octets.len(), len));
    }
    let number = Zeroizing::new(private_operation(key, octets)?);
    Ok(to_octets(&number, len))
}

/// EMSA-PKCS1-v1_5 (RFC 8017 section 9.2); `None` when the modulus is too short.
fn encode(form: DigestInfoForm, digest: DigestAlgorithm, value: &[u8], len: usize) -> Option<Vec<u8>> {
    let oid = const_oid::ObjectIdentifier::new(digest.oid()).ok()?;
    let mut algorithm = tlv(0x06, oid.as_bytes());
    if form == DigestInfoForm::Null {
        algorithm.extend([0x05, 0x00]);
    }
    let mut info = tlv(0x30, &algorithm);
    info.extend(tlv(0x04, value));
    let info = tlv(0x30, &info);
    let padding_len = len.checked_sub(info.len() + 3).filter(|padding_len| *padding_len >= 8)?;
    let mut encoded = vec![0, 1];
    encoded.resize(2 + padding_len, 0xff);
    encoded.push(0);
    encoded.extend(info);
    Some(encoded)
}

/// A DER element of less than 128 octets, as all of a DigestInfo are.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag, u8::try_from(content.len()).unwrap_or(0x7f)];
    out.extend_from_slice(content);
    out
}

fn nonzero(random: &mut dyn Random) -> Option<u8> {
    // 128 zeros in a row come from a broken generator, not from chance.
    (0..128).find_map(|_| {
        let mut octet = [0];
        random.fill(&mut octet);
        (octet[0] != 0).then_some(octet[0])
    })
}

/// Octets of the modulus: k in RFC 8017.
pub(crate) fn octets_of(key: &impl PublicKeyParts) -> usize {
    key.n().bits_vartime().div_ceil(8) as usize
}

/// Bits of the modulus.
pub(crate) fn bits_of(key: &impl PublicKeyParts) -> usize {
    key.n().bits_vartime() as usize
}

/// The number that big-endian octets mean, if it is below the modulus.
pub(crate) fn below_modulus(key: &impl PublicKeyParts, octets: &[u8]) -> Option<BoxedUint> {
    let number = BoxedUint::from_be_slice(octets, key.n().bits_precision()).ok()?;
    (number < *key.n().as_ref()).then_some(number)
}

/// I2OSP (RFC 8017 section 4.1) of a number that is below the modulus.
pub(super) fn to_octets(number: &BoxedUint, len: usize) -> Zeroizing<Vec<u8>> {
    let all = Zeroizing::new(number.to_be_bytes().into_vec());
    Zeroizing::new(all[all.len().saturating_sub(len)..].to_vec())
}
