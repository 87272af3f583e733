//! PBES2 (RFC 8018 section 6.2) with ciphers and functions that the crate
//! `pkcs5` lacks: SM4 above all, and HMAC with SM3 or SHA-3 inside PBKDF2.

use der::{
    Encode, Sequence,
    asn1::{AnyRef, OctetStringRef},
};
use pkcs8::pkcs5::{pbes2, scrypt};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::{Budget, spend_scrypt, strip_padding};
use crate::{Arithmetic, ContentCipher, DigestAlgorithm, KeyError, ProviderChoice, algorithm::describe};

const PBKDF2: &str = "1.2.840.113549.1.5.12";

/// PBES2-params (RFC 8018 appendix A.4).
#[derive(Sequence)]
struct Parameters<'a> {
    derivation: AlgorithmIdentifierRef<'a>,
    encryption: AlgorithmIdentifierRef<'a>,
}

/// PBKDF2-params (RFC 8018 appendix A.2), with the salt given.
#[derive(Sequence)]
struct Pbkdf2<'a> {
    salt: &'a OctetStringRef,
    iterations: u32,
    #[asn1(optional = "true")]
    key_len: Option<u32>,
    #[asn1(optional = "true")]
    prf: Option<AlgorithmIdentifierRef<'a>>,
}

/// Decrypts what stands under these parameters of PBES2.
pub(super) fn decrypt(
    parameters: AnyRef<'_>,
    data: &[u8],
    password: &str,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let parameters: Parameters<'_> = parameters.decode_as().map_err(|error: der::Error| refused(error.to_string()))?;
    let (cipher, iv) = cipher(&parameters.encryption)?;
    let key = derive(&parameters.derivation, password, cipher.key_len(), budget)?;
    let mut plain = Zeroizing::new(data.to_vec());
    if !plain.len().is_multiple_of(cipher.block_len()) {
        return Err(KeyError::WrongPassword);
    }
    arithmetic().cbc_decryptor(cipher, &key, &iv)?.process(&mut plain);
    strip_padding(plain, cipher.block_len())
}

fn cipher(identifier: &AlgorithmIdentifierRef<'_>) -> Result<(ContentCipher, Vec<u8>), KeyError> {
    let oid = identifier.oid.to_string();
    let iv = identifier.parameters.map(|iv| iv.to_der()).transpose().map_err(|error| refused(error.to_string()))?;
    match ContentCipher::from_oid(&oid).filter(|cipher| cipher.is_padded()) {
        Some(_) => ContentCipher::from_identifier(&oid, iv.as_deref()),
        None => Err(KeyError::UnknownAlgorithm(format!("{} in PBES2", describe(&oid)))),
    }
}

fn derive(
    identifier: &AlgorithmIdentifierRef<'_>,
    password: &str,
    len: usize,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if identifier.oid.to_string() != PBKDF2 {
        return derive_by_scrypt(*identifier, password, len, budget);
    }
    let parameters = identifier.parameters.ok_or_else(|| refused("pbkdf2 without parameters".to_owned()))?;
    let pbkdf2: Pbkdf2<'_> = parameters.decode_as().map_err(|error: der::Error| refused(error.to_string()))?;
    if pbkdf2.key_len.is_some_and(|said| usize::try_from(said) != Ok(len)) {
        return Err(refused(format!("a key of {:?} octets, the cipher has one of {len}", pbkdf2.key_len)));
    }
    let prf = match pbkdf2.prf {
        None => DigestAlgorithm::Sha1,
        Some(prf) => {
            let oid = prf.oid.to_string();
            DigestAlgorithm::from_hmac_oid(&oid)
                .ok_or_else(|| KeyError::UnknownAlgorithm(format!("{} in pbkdf2", describe(&oid))))?
        }
    };
    let blocks = u32::try_from(len.div_ceil(prf.output_len())).unwrap_or(u32::MAX);
    budget.spend("pbkdf2", pbkdf2.iterations.saturating_mul(blocks))?;
    arithmetic().pbkdf2(prf, password.as_bytes(), pbkdf2.salt.as_bytes(), pbkdf2.iterations, len)
}

fn derive_by_scrypt(
    identifier: AlgorithmIdentifierRef<'_>,
    password: &str,
    len: usize,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = |error: &dyn std::fmt::Display| refused(error.to_string());
    let pbes2::Kdf::Scrypt(kdf) = pbes2::Kdf::try_from(identifier).map_err(|error| failed(&error))? else {
        return Err(refused("an unknown key derivation".to_owned()));
    };
    spend_scrypt(&kdf, budget)?;
    let parameters = scrypt::Params::try_from(&kdf).map_err(|error| failed(&error))?;
    let mut key = Zeroizing::new(vec![0; len]);
    scrypt::scrypt(password.as_bytes(), kdf.salt.as_ref(), &parameters, &mut key).map_err(|error| failed(&error))?;
    Ok(key)
}

fn refused(why: String) -> KeyError {
    KeyError::BadParameters { algorithm: "pbes2".to_owned(), why }
}

fn arithmetic() -> Arithmetic {
    Arithmetic::new(ProviderChoice::RustCrypto)
}
