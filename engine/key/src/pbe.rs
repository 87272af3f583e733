//! Encryption under a password: PBES2 (RFC 8018) and the schemes of PKCS#12
//! (RFC 7292 appendix B and C).

use crate::{KeyError, PrivateKey};

pub(crate) fn encrypted_private_key(_der: &[u8], _password: &str) -> Result<PrivateKey, KeyError> {
    Err(KeyError::UnknownAlgorithm("encrypted private key".to_owned()))
}
