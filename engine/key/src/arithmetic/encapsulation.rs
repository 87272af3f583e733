//! Encapsulation of a key: ML-KEM.

use zeroize::Zeroizing;

use super::Arithmetic;
use crate::{KeyError, Random, private_key::Secret, public_key::PublicKey};

impl Arithmetic {
    /// Encapsulates a secret to the ML-KEM key in the DER of a
    /// SubjectPublicKeyInfo: the ciphertext, and the shared secret of 32 octets
    /// (FIPS 203 section 7.2, RFC 9936).
    ///
    /// # Errors
    /// The key is damaged or of another kind; or the provider lacks the
    /// operation: aws-lc takes no random numbers from its caller.
    pub fn encapsulate(
        &self,
        spki_der: &[u8],
        random: &mut dyn Random,
    ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), KeyError> {
        let key = PublicKey::parse(spki_der)?;
        if !key.algorithm.is_ml_kem() {
            return Err(KeyError::BadPublicKey(format!("ml-kem needs a key of its own kind, not {}", key.algorithm)));
        }
        self.careful(|provider| provider.encapsulate(&key, random))
    }

    pub(crate) fn decapsulate(&self, key: &Secret, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        if !key.algorithm.is_ml_kem() {
            return Err(KeyError::BadParameters {
                algorithm: "ml-kem".to_owned(),
                why: format!("the private key is of the kind {}", key.algorithm),
            });
        }
        self.careful(|provider| provider.decapsulate(key, ciphertext))
    }
}
