//! RSASSA-PSS (RFC 8017 section 8.1) over the bare exponentiation of the `rsa`
//! crate, with every digest, mask and length of salt.

use ::rsa::{RsaPrivateKey, hazmat::rsa_encrypt, traits::PrivateKeyParts};
use digest::Digest;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    mgf1,
    rsa::{below_modulus, bits_of, octets_of, private_operation, public_key, to_octets},
};
use crate::{DigestAlgorithm, KeyError, PssParameters, digest::with_digest, public_key::bad};

const TRAILER: u8 = 0xbc;

/// Verifies a signature (RFC 8017 sections 8.1.2 and 9.1.2).
pub(super) fn verify(
    rsa_public_key: &[u8],
    parameters: PssParameters,
    digest: DigestAlgorithm,
    value: &[u8],
    signature: &[u8],
) -> Result<bool, KeyError> {
    let key = public_key(rsa_public_key)?;
    let len = octets_of(&key);
    if signature.len() != len {
        return Ok(false);
    }
    let Some(number) = below_modulus(&key, signature) else { return Ok(false) };
    let message = rsa_encrypt(&key, &number).map_err(|error| bad(error.to_string()))?;
    let message = to_octets(&message, len);
    let bits = bits_of(&key) - 1;
    // Where the bits of the message are a multiple of eight, it is one octet shorter than the modulus.
    let (above, encoded) = message.split_at(len - bits.div_ceil(8));
    Ok(above.iter().all(|octet| *octet == 0) && is_encoding(encoded, bits, parameters, digest, value))
}

/// EMSA-PSS-VERIFY (RFC 8017 section 9.1.2).
fn is_encoding(encoded: &[u8], bits: usize, parameters: PssParameters, digest: DigestAlgorithm, value: &[u8]) -> bool {
    let Ok(salt_len) = usize::try_from(parameters.salt_len) else { return false };
    let Some(zeros) = padding_len(encoded.len(), digest, salt_len) else { return false };
    let (masked, rest) = encoded.split_at(encoded.len() - digest.output_len() - 1);
    let (hash, trailer) = rest.split_at(digest.output_len());
    let unused = unused_bits(encoded.len(), bits);
    if trailer != [TRAILER] || masked[0] & !unused != 0 {
        return false;
    }
    let mut block = masked.to_vec();
    mgf1::mask(parameters.mgf, hash, &mut block);
    block[0] &= unused;
    let (padding, salt) = block.split_at(zeros + 1);
    let padded = padding[..zeros].iter().all(|octet| *octet == 0) && padding[zeros] == 1;
    padded && bool::from(hash_of(digest, value, salt).ct_eq(hash))
}

/// Signs a digest value (RFC 8017 sections 8.1.1 and 9.1.1).
///
/// The salt is drawn from the private key and the value, as RFC 6979 draws the
/// number of ECDSA: no two values get the same one, nobody without the key can
/// foresee it, and a signature is the same on every machine.
pub(super) fn sign(
    key: &RsaPrivateKey,
    parameters: PssParameters,
    digest: DigestAlgorithm,
    value: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let bits = bits_of(key);
    let salt = salt(key, parameters, digest, value, salt_len(parameters, digest, bits)?)?;
    let signature = private_operation(key, &encode(bits, parameters, digest, value, &salt)?)?;
    Ok(to_octets(&signature, octets_of(key)).to_vec())
}

/// Octets of salt, if they fit a modulus of so many bits.
pub(crate) fn salt_len(parameters: PssParameters, digest: DigestAlgorithm, bits: usize) -> Result<usize, KeyError> {
    let len = usize::try_from(parameters.salt_len).ok();
    let fits = |len: &usize| padding_len((bits - 1).div_ceil(8), digest, *len).is_some();
    len.filter(fits).ok_or_else(|| KeyError::BadParameters {
        algorithm: format!("rsassa-pss with {digest}"),
        why: format!("{} octets of salt do not fit a modulus of {bits} bits", parameters.salt_len),
    })
}

/// EMSA-PSS-ENCODE (RFC 8017 section 9.1.1) for a modulus of so many bits, with
/// zeros before it where it is shorter than the modulus.
pub(crate) fn encode(
    modulus_bits: usize,
    parameters: PssParameters,
    digest: DigestAlgorithm,
    value: &[u8],
    salt: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let bits = modulus_bits - 1;
    let len = bits.div_ceil(8);
    salt_len(parameters, digest, modulus_bits)?;
    let hash = hash_of(digest, value, salt);
    let mut block = vec![0; padding_len(len, digest, salt.len()).unwrap_or_default()];
    block.push(1);
    block.extend_from_slice(salt);
    mgf1::mask(parameters.mgf, &hash, &mut block);
    block[0] &= unused_bits(len, bits);
    let above = vec![0; modulus_bits.div_ceil(8) - len];
    Ok([above.as_slice(), &block, &hash, &[TRAILER]].concat())
}

/// How many zeros stand before the salt; `None` when all of it does not fit.
fn padding_len(encoded_len: usize, digest: DigestAlgorithm, salt_len: usize) -> Option<usize> {
    encoded_len.checked_sub(digest.output_len())?.checked_sub(salt_len)?.checked_sub(2)
}

/// The bits of the first octet that are used.
fn unused_bits(encoded_len: usize, bits: usize) -> u8 {
    0xff >> (8 * encoded_len - bits)
}

/// The hash over eight zeros, the digest value and the salt.
fn hash_of(digest: DigestAlgorithm, value: &[u8], salt: &[u8]) -> Vec<u8> {
    with_digest!(digest, D => {
        D::new().chain_update([0; 8]).chain_update(value).chain_update(salt).finalize().to_vec()
    })
}

fn salt(
    key: &RsaPrivateKey,
    parameters: PssParameters,
    digest: DigestAlgorithm,
    value: &[u8],
    len: usize,
) -> Result<Vec<u8>, KeyError> {
    let exponent = Zeroizing::new(key.d().to_be_bytes());
    let secret: Zeroizing<[u8; 32]> = Zeroizing::new(
        Sha256::new_with_prefix(b"waxseal: key of the salt of RSASSA-PSS").chain_update(&**exponent).finalize().into(),
    );
    let mut salt = vec![0; len];
    for (number, out) in (0_u32..).zip(salt.chunks_mut(32)) {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&*secret).map_err(|error| KeyError::Refused(format!("no HMAC: {error}")))?;
        mac.update(&number.to_be_bytes());
        mac.update(&parameters.salt_len.to_be_bytes());
        mac.update(parameters.mgf.name().as_bytes());
        mac.update(digest.name().as_bytes());
        mac.update(value);
        out.copy_from_slice(&mac.finalize().into_bytes()[..out.len()]);
    }
    Ok(salt)
}
