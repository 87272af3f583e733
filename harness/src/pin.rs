//! Keys whose holder entered a wrong PIN: a software stand-in for a card that
//! was not opened.

use waxseal_key::{Decryptor, KeyError};
use zeroize::Zeroizing;

/// A key that asks for its PIN again, whatever it is asked to do.
#[derive(Clone, Copy)]
pub struct Locked<'a>(pub &'a dyn Decryptor);

/// How many tries a card leaves after the first wrong one of three.
const TRIES_LEFT: u8 = 2;

impl std::fmt::Debug for Locked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Locked")
    }
}

impl Decryptor for Locked<'_> {
    fn public_key(&self) -> &[u8] {
        self.0.public_key()
    }

    fn unwrap_rsa_pkcs1(&self, _: &[u8], _: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        Err(KeyError::WrongPin { tries_left: TRIES_LEFT })
    }

    fn agree(&self, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        Err(KeyError::WrongPin { tries_left: TRIES_LEFT })
    }
}
