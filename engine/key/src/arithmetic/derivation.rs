//! Keys derived from secrets and passwords, and message authentication codes.

use zeroize::Zeroizing;

use super::Arithmetic;
use crate::{DigestAlgorithm, Hasher, KeyError};

impl Arithmetic {
    /// Starts an HMAC (RFC 2104) with a key of any length. Compare what it
    /// gives by [`constant_time_eq`](crate::constant_time_eq).
    ///
    /// # Errors
    /// The provider lacks the algorithm.
    pub fn mac(&self, digest: DigestAlgorithm, key: &[u8]) -> Result<Box<dyn Hasher>, KeyError> {
        self.fast(|provider| provider.mac(digest, key))
    }

    /// The key derivation of ANSI X9.63 (SEC 1 section 3.6.1), as key agreement
    /// on elliptic curves uses it (RFC 5753 section 7.2).
    ///
    /// # Errors
    /// More is asked than it can give, or the provider lacks the digest.
    pub fn x963_kdf(
        &self,
        digest: DigestAlgorithm,
        secret: &[u8],
        shared_info: &[u8],
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        check_len("x9.63-kdf", len)?;
        let mut key = Zeroizing::new(Vec::with_capacity(len.next_multiple_of(digest.output_len())));
        for counter in 1_u32.. {
            if key.len() >= len {
                break;
            }
            let mut hasher = self.hasher(digest)?;
            hasher.update(secret);
            hasher.update(&counter.to_be_bytes());
            hasher.update(shared_info);
            key.extend_from_slice(&Zeroizing::new(hasher.finish()));
        }
        key.truncate(len);
        Ok(key)
    }

    /// HKDF (RFC 5869); an absent salt is one of zeros.
    ///
    /// # Errors
    /// More than 255 digest values are asked, or the provider lacks the digest.
    pub fn hkdf(
        &self,
        digest: DigestAlgorithm,
        salt: Option<&[u8]>,
        secret: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        check_len("hkdf", len)?;
        if len > 255 * digest.output_len() {
            return Err(KeyError::BadParameters {
                algorithm: format!("hkdf-{digest}"),
                why: format!("{len} octets, it gives {} at most", 255 * digest.output_len()),
            });
        }
        self.fast(|provider| provider.hkdf(digest, salt.unwrap_or_default(), secret, info, len))
    }

    /// PBKDF2 (RFC 8018 section 5.2) with HMAC. How many rounds a message may
    /// ask for is its reader's to decide.
    ///
    /// # Errors
    /// No rounds at all, or the provider lacks the digest.
    pub fn pbkdf2(
        &self,
        prf: DigestAlgorithm,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        check_len("pbkdf2", len)?;
        if iterations == 0 {
            return Err(KeyError::BadParameters {
                algorithm: "pbkdf2".to_owned(),
                why: "an iteration count of zero".to_owned(),
            });
        }
        self.fast(|provider| provider.pbkdf2(prf, password, salt, iterations, len))
    }
}

/// The longest key that is derived: a length may stand in a message, and the
/// work grows with it.
const MAX_LEN: usize = 64 * 1024;

fn check_len(algorithm: &str, len: usize) -> Result<(), KeyError> {
    if len <= MAX_LEN {
        return Ok(());
    }
    Err(KeyError::BadParameters {
        algorithm: algorithm.to_owned(),
        why: format!("a key of {len} octets is asked, {MAX_LEN} at most"),
    })
}
