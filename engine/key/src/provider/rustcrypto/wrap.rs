//! Key wrap: AES, Camellia and SM4 as RFC 3394 says, Triple DES as RFC 3217 does.

use aes_kw::AesKw;
use cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit, consts::U16,
};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{KeyError, KeyWrap};

/// Wraps a key; of Triple DES with this vector.
pub(super) fn wrap(wrap: KeyWrap, kek: &[u8], key: &[u8], iv: [u8; 8]) -> Result<Vec<u8>, KeyError> {
    match wrap {
        KeyWrap::Aes128 => rfc3394::<aes::Aes128>(wrap, kek, key),
        KeyWrap::Aes192 => rfc3394::<aes::Aes192>(wrap, kek, key),
        KeyWrap::Aes256 => rfc3394::<aes::Aes256>(wrap, kek, key),
        KeyWrap::Camellia128 => rfc3394::<camellia::Camellia128>(wrap, kek, key),
        KeyWrap::Camellia192 => rfc3394::<camellia::Camellia192>(wrap, kek, key),
        KeyWrap::Camellia256 => rfc3394::<camellia::Camellia256>(wrap, kek, key),
        KeyWrap::Sm4 => rfc3394::<sm4::Sm4>(wrap, kek, key),
        KeyWrap::TripleDes => triple_des(kek, key, iv),
    }
}

/// Unwraps a key.
pub(super) fn unwrap(wrap: KeyWrap, kek: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    match wrap {
        KeyWrap::Aes128 => undo_rfc3394::<aes::Aes128>(wrap, kek, wrapped),
        KeyWrap::Aes192 => undo_rfc3394::<aes::Aes192>(wrap, kek, wrapped),
        KeyWrap::Aes256 => undo_rfc3394::<aes::Aes256>(wrap, kek, wrapped),
        KeyWrap::Camellia128 => undo_rfc3394::<camellia::Camellia128>(wrap, kek, wrapped),
        KeyWrap::Camellia192 => undo_rfc3394::<camellia::Camellia192>(wrap, kek, wrapped),
        KeyWrap::Camellia256 => undo_rfc3394::<camellia::Camellia256>(wrap, kek, wrapped),
        KeyWrap::Sm4 => undo_rfc3394::<sm4::Sm4>(wrap, kek, wrapped),
        KeyWrap::TripleDes => undo_triple_des(kek, wrapped),
    }
}

fn rfc3394<C>(wrap: KeyWrap, kek: &[u8], key: &[u8]) -> Result<Vec<u8>, KeyError>
where
    C: BlockCipherEncrypt<BlockSize = U16> + KeyInit,
{
    let mut out = vec![0; key.len() + wrap.overhead()];
    let cipher = AesKw::<C>::new_from_slice(kek).map_err(|error| unfit(wrap, &error))?;
    cipher.wrap_key(key, &mut out).map_err(|error| unfit(wrap, &error))?;
    Ok(out)
}

fn undo_rfc3394<C>(wrap: KeyWrap, kek: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError>
where
    C: BlockCipherDecrypt<BlockSize = U16> + KeyInit,
{
    let mut out = Zeroizing::new(vec![0; wrapped.len() - wrap.overhead()]);
    let cipher = AesKw::<C>::new_from_slice(kek).map_err(|error| unfit(wrap, &error))?;
    cipher.unwrap_key(wrapped, &mut out).map_err(|_| KeyError::DecryptionFailed(wrap.name().to_owned()))?;
    Ok(out)
}

/// The vector of the second pass (RFC 3217 section 3.1).
const SECOND_IV: [u8; 8] = [0x4a, 0xdd, 0xa2, 0x2c, 0x79, 0xe8, 0x21, 0x05];

/// RFC 3217 section 3.1. It is for Triple DES keys there; OpenSSL takes keys of
/// other ciphers too, and so do we.
fn triple_des(kek: &[u8], key: &[u8], iv: [u8; 8]) -> Result<Vec<u8>, KeyError> {
    let mut octets = Zeroizing::new(Vec::with_capacity(key.len() + 16));
    octets.extend(iv);
    octets.extend_from_slice(key);
    octets.extend(&Sha1::digest(key)[..8]);
    encrypt(kek, iv, &mut octets[8..])?;
    octets.reverse();
    encrypt(kek, SECOND_IV, &mut octets)?;
    Ok(octets.to_vec())
}

/// RFC 3217 section 3.2. Its last step, the parity of the key, is left out: the
/// cipher does not look at it, and some writers do not set it.
fn undo_triple_des(kek: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut octets = Zeroizing::new(wrapped.to_vec());
    decrypt(kek, SECOND_IV, &mut octets)?;
    octets.reverse();
    let (iv, rest) = octets.split_at_mut(8);
    let mut vector = [0; 8];
    vector.copy_from_slice(iv);
    decrypt(kek, vector, rest)?;
    let (key, check) = rest.split_at(rest.len() - 8);
    if !bool::from(Sha1::digest(key)[..8].ct_eq(check)) {
        return Err(KeyError::DecryptionFailed(KeyWrap::TripleDes.name().to_owned()));
    }
    Ok(Zeroizing::new(key.to_vec()))
}

fn encrypt(kek: &[u8], iv: [u8; 8], octets: &mut [u8]) -> Result<(), KeyError> {
    let mut mode = cbc::Encryptor::<des::TdesEde3>::new_from_slices(kek, &iv)
        .map_err(|error| unfit(KeyWrap::TripleDes, &error))?;
    mode.encrypt_blocks(cipher::Array::slice_as_chunks_mut(octets).0);
    Ok(())
}

fn decrypt(kek: &[u8], iv: [u8; 8], octets: &mut [u8]) -> Result<(), KeyError> {
    let mut mode = cbc::Decryptor::<des::TdesEde3>::new_from_slices(kek, &iv)
        .map_err(|error| unfit(KeyWrap::TripleDes, &error))?;
    mode.decrypt_blocks(cipher::Array::slice_as_chunks_mut(octets).0);
    Ok(())
}

fn unfit(wrap: KeyWrap, error: &dyn std::fmt::Display) -> KeyError {
    KeyError::BadParameters { algorithm: wrap.name().to_owned(), why: error.to_string() }
}
