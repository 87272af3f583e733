//! HMAC, HKDF, PBKDF2 and key wrap.

use std::num::NonZeroU32;

use aws_lc_rs::{
    hkdf, hmac,
    key_wrap::{self, AesKek, KeyWrap as _},
    pbkdf2,
};
use zeroize::Zeroizing;

use crate::{DigestAlgorithm, Hasher, KeyError, KeyWrap, provider::lacks};

pub(super) fn mac(digest: DigestAlgorithm, key: &[u8]) -> Result<Box<dyn Hasher>, KeyError> {
    let algorithm = match digest {
        DigestAlgorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        DigestAlgorithm::Sha224 => hmac::HMAC_SHA224,
        DigestAlgorithm::Sha256 => hmac::HMAC_SHA256,
        DigestAlgorithm::Sha384 => hmac::HMAC_SHA384,
        DigestAlgorithm::Sha512 => hmac::HMAC_SHA512,
        _ => return lacks(format_args!("hmac-{digest}")),
    };
    Ok(Box::new(Running(hmac::Context::with_key(&hmac::Key::new(algorithm, key)))))
}

pub(super) fn hkdf(
    digest: DigestAlgorithm,
    salt: &[u8],
    secret: &[u8],
    info: &[u8],
    len: usize,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let algorithm = match digest {
        DigestAlgorithm::Sha1 => hkdf::HKDF_SHA1_FOR_LEGACY_USE_ONLY,
        DigestAlgorithm::Sha256 => hkdf::HKDF_SHA256,
        DigestAlgorithm::Sha384 => hkdf::HKDF_SHA384,
        DigestAlgorithm::Sha512 => hkdf::HKDF_SHA512,
        _ => return lacks(format_args!("hkdf-{digest}")),
    };
    let failed = |_| KeyError::BadParameters { algorithm: "hkdf".to_owned(), why: "refused by aws-lc".to_owned() };
    let mut out = Zeroizing::new(vec![0; len]);
    let prk = hkdf::Salt::new(algorithm, salt).extract(secret);
    prk.expand(&[info], Len(len)).and_then(|key| key.fill(&mut out)).map_err(failed)?;
    Ok(out)
}

struct Len(usize);

impl hkdf::KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

pub(super) fn pbkdf2(
    prf: DigestAlgorithm,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    len: usize,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (algorithm, iterations) = match (prf, NonZeroU32::new(iterations)) {
        (DigestAlgorithm::Sha1, Some(iterations)) => (pbkdf2::PBKDF2_HMAC_SHA1, iterations),
        (DigestAlgorithm::Sha256, Some(iterations)) => (pbkdf2::PBKDF2_HMAC_SHA256, iterations),
        (DigestAlgorithm::Sha384, Some(iterations)) => (pbkdf2::PBKDF2_HMAC_SHA384, iterations),
        (DigestAlgorithm::Sha512, Some(iterations)) => (pbkdf2::PBKDF2_HMAC_SHA512, iterations),
        _ => return lacks(format_args!("pbkdf2 with hmac-{prf}")),
    };
    let mut out = Zeroizing::new(vec![0; len]);
    if len > 0 {
        // aws-lc panics where nothing is asked.
        pbkdf2::derive(algorithm, iterations, salt, password, &mut out);
    }
    Ok(out)
}

fn kek(wrap: KeyWrap, kek: &[u8]) -> Result<AesKek, KeyError> {
    let cipher = match wrap {
        KeyWrap::Aes128 => &key_wrap::AES_128,
        KeyWrap::Aes256 => &key_wrap::AES_256,
        _ => return lacks(wrap),
    };
    AesKek::new(cipher, kek)
        .map_err(|_| KeyError::BadParameters { algorithm: wrap.name().to_owned(), why: "refused by aws-lc".to_owned() })
}

pub(super) fn wrap(wrap: KeyWrap, key_encryption_key: &[u8], key: &[u8]) -> Result<Vec<u8>, KeyError> {
    let kek = kek(wrap, key_encryption_key)?;
    let mut out = vec![0; key.len() + wrap.overhead()];
    let written = kek.wrap(key, &mut out).map_err(|_| KeyError::BadParameters {
        algorithm: wrap.name().to_owned(),
        why: "refused by aws-lc".to_owned(),
    })?;
    Ok(written.to_vec())
}

pub(super) fn unwrap(wrap: KeyWrap, key_encryption_key: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let kek = kek(wrap, key_encryption_key)?;
    let mut out = Zeroizing::new(vec![0; wrapped.len()]);
    let len = match kek.unwrap(wrapped, &mut out) {
        Ok(key) => key.len(),
        Err(_) => return Err(KeyError::DecryptionFailed(wrap.name().to_owned())),
    };
    out.truncate(len);
    Ok(out)
}

struct Running(hmac::Context);

impl Hasher for Running {
    fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.sign().as_ref().to_vec()
    }
}
