//! HMAC, HKDF and PBKDF2.

use hmac::{KeyInit, Mac};
use zeroize::Zeroizing;

use crate::{DigestAlgorithm, Hasher, KeyError, digest::with_hmac};

pub(super) fn mac(digest: DigestAlgorithm, key: &[u8]) -> Result<Box<dyn Hasher>, KeyError> {
    with_hmac!(digest, M => {
        Ok(Box::new(Running(M::new_from_slice(key).map_err(|error| unfit("hmac", &error))?)))
    })
}

pub(super) fn hkdf(
    digest: DigestAlgorithm,
    salt: &[u8],
    secret: &[u8],
    info: &[u8],
    len: usize,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut out = Zeroizing::new(vec![0; len]);
    with_hmac!(digest, M => {
        hkdf::GenericHkdf::<M>::new(Some(salt), secret)
            .expand(info, &mut out)
            .map_err(|error| unfit("hkdf", &error))?;
    });
    Ok(out)
}

pub(super) fn pbkdf2(
    prf: DigestAlgorithm,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    len: usize,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut out = Zeroizing::new(vec![0; len]);
    with_hmac!(prf, M => {
        ::pbkdf2::pbkdf2::<M>(password, salt, iterations, &mut out).map_err(|error| unfit("pbkdf2", &error))?;
    });
    Ok(out)
}

struct Running<M>(M);

impl<M: Mac + Send> Hasher for Running<M> {
    fn update(&mut self, octets: &[u8]) {
        Mac::update(&mut self.0, octets);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().into_bytes().to_vec()
    }
}

fn unfit(algorithm: &str, error: &dyn std::fmt::Display) -> KeyError {
    KeyError::BadParameters { algorithm: algorithm.to_owned(), why: error.to_string() }
}
