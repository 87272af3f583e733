//! PKCS#12 files (RFC 7292).

use crate::{KeyError, PrivateKey};

/// What a PKCS#12 file holds.
#[derive(Debug)]
pub struct Pkcs12 {
    /// The private keys, in the order of the file.
    pub keys: Vec<PrivateKey>,
    /// The certificates in DER, in the order of the file.
    pub certificates: Vec<Vec<u8>>,
}

/// Opens a PKCS#12 file with its password.
///
/// # Errors
/// The octets are no PKCS#12 file, the password is wrong, the file is damaged,
/// or uses an algorithm that is not known.
pub fn open(_der: &[u8], _password: &str) -> Result<Pkcs12, KeyError> {
    Err(KeyError::UnknownAlgorithm("PKCS#12".to_owned()))
}
