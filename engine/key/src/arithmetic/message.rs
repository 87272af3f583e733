//! Signatures over messages themselves.

use super::{Arithmetic, check_fits};
use crate::{
    Content, KeyError, SignatureScheme, message::Message, private_key::Secret, provider::rustcrypto::check_public_key,
    public_key::PublicKey,
};

impl Arithmetic {
    /// Verifies a signature over a message itself, from where the message
    /// stands to its end, with the key in the DER of a SubjectPublicKeyInfo:
    /// Ed25519 and Ed448 (RFC 8419), ML-DSA with an empty context (RFC 9882).
    ///
    /// `Ok(false)`: it does not verify; that holds for a signature that is no
    /// signature at all, too. EdDSA is strict (RFC 8032 sections 5.1.7 and 5.2.7): every
    /// encoding is the only one of its number.
    ///
    /// # Errors
    /// The key is damaged, does not fit the scheme, the scheme signs digests,
    /// the message cannot be read; or the provider lacks the operation: aws-lc
    /// takes messages of up to 64 KiB.
    pub fn verify_message(
        &self,
        spki_der: &[u8],
        scheme: SignatureScheme,
        message: &mut dyn Content,
        signature: &[u8],
    ) -> Result<bool, KeyError> {
        let key = PublicKey::parse(spki_der)?;
        check_kind(scheme, true)?;
        check_fits(&key.algorithm, scheme)?;
        check_public_key(&key)?;
        let message = &mut Message::new(message)?;
        self.fast(|provider| provider.verify_message(&key, message, signature))
    }

    pub(crate) fn sign_message(
        &self,
        key: &Secret,
        scheme: SignatureScheme,
        message: &mut dyn Content,
    ) -> Result<Vec<u8>, KeyError> {
        let message = &mut Message::new(message)?;
        match scheme {
            SignatureScheme::Ed25519 => self.fast(|provider| provider.sign_message(key, message)),
            // aws-lc draws random numbers for it.
            _ => self.careful(|provider| provider.sign_message(key, message)),
        }
    }
}

/// Refuses a scheme that signs digests where a message is given, and the other
/// way round.
pub(crate) fn check_kind(scheme: SignatureScheme, message: bool) -> Result<(), KeyError> {
    if scheme.signs_message() == message {
        return Ok(());
    }
    let what = if message { "a digest, not the message itself" } else { "the message itself, not its digest" };
    Err(KeyError::UnknownAlgorithm(format!("{scheme} here: it signs {what}")))
}
