//! Authenticated ciphers.

use super::Arithmetic;
use crate::{AeadOpener, AeadSealer, AeadSetup, KeyError, aead::AeadMode, provider::Direction};

impl Arithmetic {
    /// Starts to encrypt and authenticate.
    ///
    /// # Errors
    /// The key, the nonce or the tag has a length that the cipher does not
    /// take, the length of the content is missing where it is needed or more
    /// than the nonce lets it be; or the provider lacks the cipher: aws-lc
    /// takes a content in one piece only.
    pub fn aead_sealer(&self, setup: &AeadSetup<'_>) -> Result<AeadSealer, KeyError> {
        Ok(AeadSealer { mode: self.aead(Direction::Encrypt, setup)? })
    }

    /// Starts to decrypt and authenticate.
    ///
    /// # Errors
    /// As [`aead_sealer`](Self::aead_sealer).
    pub fn aead_opener(&self, setup: &AeadSetup<'_>) -> Result<AeadOpener, KeyError> {
        let mode = self.aead(Direction::Decrypt, setup)?;
        Ok(AeadOpener { mode, cipher: setup.cipher, tag_len: setup.tag_len })
    }

    fn aead(&self, direction: Direction, setup: &AeadSetup<'_>) -> Result<Box<dyn AeadMode>, KeyError> {
        let cipher = setup.cipher;
        if setup.key.len() != cipher.key_len() {
            let (found, wanted) = (setup.key.len(), cipher.key_len());
            return Err(cipher.bad(format!("the key has {found} octets, it must have {wanted}")));
        }
        cipher.check_lengths(setup.nonce.len(), setup.tag_len)?;
        if cipher.needs_content_len() && setup.content_len.is_none() {
            return Err(cipher.bad("the length of the content must be known before".to_owned()));
        }
        self.fast(|provider| provider.aead(direction, setup))
    }
}
