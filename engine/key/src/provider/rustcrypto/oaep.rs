//! RSAES-OAEP (RFC 8017 section 7.1) over the bare exponentiation of the `rsa`
//! crate, with every digest, mask and label.

use ::rsa::{RsaPrivateKey, hazmat::rsa_encrypt};
use digest::Digest;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{
    mgf1,
    rsa::{below_modulus, octets_of, private_operation, public_key, to_octets, wrong_length},
};
use crate::{DigestAlgorithm, KeyError, OaepParameters, Random, digest::with_digest, public_key::bad};

const NAME: &str = "rsaes-oaep";

/// Encrypts a content-encryption key (RFC 8017 section 7.1.1).
pub(super) fn wrap(
    rsa_public_key: &[u8],
    content_key: &[u8],
    parameters: &OaepParameters,
    random: &mut dyn Random,
) -> Result<Vec<u8>, KeyError> {
    let key = public_key(rsa_public_key)?;
    let len = octets_of(&key);
    let refused = |why: &str| KeyError::BadParameters { algorithm: NAME.to_owned(), why: why.to_owned() };
    let hash_len = parameters.digest.output_len();
    let zeros = block_len(len, parameters)?
        .checked_sub(hash_len + 1 + content_key.len())
        .ok_or_else(|| refused("the content key is too long for this modulus"))?;
    // EM = 00 seed lHash 00… 01 M, the last four under two masks.
    let mut encoded = Zeroizing::new(Vec::with_capacity(len));
    encoded.resize(1 + hash_len, 0);
    random.fill(&mut encoded[1..]);
    encoded.extend(label_hash(parameters));
    encoded.resize(1 + 2 * hash_len + zeros, 0);
    encoded.push(1);
    encoded.extend_from_slice(content_key);
    let (seed, block) = encoded[1..].split_at_mut(hash_len);
    mgf1::mask(parameters.mgf, seed, block);
    mgf1::mask(parameters.mgf, block, seed);
    let number = below_modulus(&key, &encoded).ok_or_else(|| refused("the modulus is too small"))?;
    let wrapped = rsa_encrypt(&key, &Zeroizing::new(number)).map_err(|error| bad(error.to_string()))?;
    Ok(to_octets(&wrapped, len).to_vec())
}

/// Decrypts a content-encryption key (RFC 8017 section 7.1.2).
///
/// Whatever is wrong inside is found by looking at every octet once, without a
/// branch, and is one and the same error: who could tell a first octet that is
/// not zero from the rest could decrypt (Manger's attack, note of section
/// 7.1.2).
pub(super) fn unwrap(
    key: &RsaPrivateKey,
    encrypted_key: &[u8],
    parameters: &OaepParameters,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let len = octets_of(key);
    if encrypted_key.len() != len {
        return Err(wrong_length(NAME, encrypted_key.len(), len));
    }
    block_len(len, parameters)?;
    if below_modulus(key, encrypted_key).is_none() {
        // The ciphertext is public, and so is that it is out of range.
        return Err(KeyError::DecryptionFailed(NAME.to_owned()));
    }
    let message = Zeroizing::new(private_operation(key, encrypted_key)?);
    decode(to_octets(&message, len), parameters)
}

/// EME-OAEP decoding (RFC 8017 section 7.1.2 step 3).
pub(crate) fn decode(
    mut encoded: Zeroizing<Vec<u8>>,
    parameters: &OaepParameters,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let len = encoded.len();
    let block_len = block_len(len, parameters)?;
    let (seed, block) = encoded[1..].split_at_mut(len - 1 - block_len);
    mgf1::mask(parameters.mgf, block, seed);
    mgf1::mask(parameters.mgf, seed, block);
    let hash = label_hash(parameters);
    let mut good = block[..hash.len()].ct_eq(&hash);
    // The first octet after the zeros must be the separator.
    let (mut found, mut at) = (Choice::from(0), 0_u32);
    for (position, octet) in (0_u32..).zip(block.iter()).skip(hash.len()) {
        let (zero, one) = (octet.ct_eq(&0), octet.ct_eq(&1));
        good &= found | zero | one;
        at.conditional_assign(&position, !found & one);
        found |= one;
    }
    good &= found & encoded[0].ct_eq(&0);
    if !bool::from(good) {
        return Err(KeyError::DecryptionFailed(NAME.to_owned()));
    }
    let start = len - block_len + at as usize + 1;
    Ok(Zeroizing::new(encoded[start..].to_vec()))
}

/// Octets after the seed; an error where not even an empty key fits.
pub(crate) fn block_len(len: usize, parameters: &OaepParameters) -> Result<usize, KeyError> {
    let hash_len = parameters.digest.output_len();
    len.checked_sub(hash_len + 1).filter(|block_len| *block_len > hash_len).ok_or_else(|| KeyError::BadParameters {
        algorithm: format!("{NAME} with {}", parameters.digest),
        why: format!("a modulus of {} bits is too short for it", len * 8),
    })
}

fn label_hash(parameters: &OaepParameters) -> Vec<u8> {
    label_hash_of(parameters.digest, &parameters.label)
}

fn label_hash_of(digest: DigestAlgorithm, label: &[u8]) -> Vec<u8> {
    with_digest!(digest, D => D::digest(label).to_vec())
}
