//! SM2, which RustCrypto alone does.

use zeroize::Zeroizing;

use super::Arithmetic;
use crate::{
    Content, KeyError, ProviderChoice, PublicKeyAlgorithm, Random, Sm2Form,
    message::Message,
    private_key::{Secret, SecretKind},
    provider::{lacks, rustcrypto::sm2},
    public_key::{PublicKey, bad},
};

impl Arithmetic {
    /// Verifies an SM2 signature over a message, from where the message stands
    /// to its end, under an identifier of the signer (GM/T 0003.2 section 7):
    /// [`verify_message`](Self::verify_message) is the same with
    /// [`SM2_DEFAULT_ID`](crate::SM2_DEFAULT_ID).
    ///
    /// `Ok(false)`: it does not verify; that holds for a signature that is no
    /// signature at all, too.
    ///
    /// # Errors
    /// The key is damaged or no key of SM2, the identifier is too long, the
    /// message cannot be read; or the provider lacks SM2.
    pub fn verify_sm2(
        &self,
        spki_der: &[u8],
        id: &[u8],
        message: &mut dyn Content,
        signature: &[u8],
    ) -> Result<bool, KeyError> {
        let key = self.sm2_key(spki_der)?;
        sm2::verify(key.octets, id, &mut Message::new(message)?, signature)
    }

    /// Verifies an SM2 signature over a digest of 32 octets as it stands, with
    /// no Z in it. No standard signs so; GmSSL 3 does.
    ///
    /// # Errors
    /// The key is damaged or no key of SM2; or the provider lacks SM2.
    pub fn verify_sm2_digest(&self, spki_der: &[u8], value: &[u8], signature: &[u8]) -> Result<bool, KeyError> {
        let key = self.sm2_key(spki_der)?;
        sm2::verify_digest(key.octets, value, signature)
    }

    /// Z, what stands before the message under an SM2 signature (GM/T 0003.2
    /// section 5.5): 32 octets.
    ///
    /// # Errors
    /// The key is damaged or no key of SM2, the identifier is too long; or the
    /// provider lacks SM2.
    pub fn sm2_z(&self, spki_der: &[u8], id: &[u8]) -> Result<[u8; 32], KeyError> {
        let key = self.sm2_key(spki_der)?;
        sm2::z_of(key.octets, id)
    }

    /// Encrypts a content-encryption key of up to 4096 octets to the SM2 key in
    /// the DER of a SubjectPublicKeyInfo (GM/T 0003.4 section 6).
    ///
    /// # Errors
    /// The key is damaged or no key of SM2; there is nothing, or too much, to
    /// encrypt; or the provider lacks SM2.
    pub fn wrap_sm2(
        &self,
        spki_der: &[u8],
        content_key: &[u8],
        form: Sm2Form,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, KeyError> {
        let key = self.sm2_key(spki_der)?;
        sm2::encrypt(key.octets, content_key, form, random)
    }

    pub(crate) fn unwrap_sm2(
        &self,
        key: &Secret,
        encrypted_key: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, Sm2Form), KeyError> {
        let SecretKind::Sm2(key) = &key.kind else {
            return Err(KeyError::Refused("this key does no sm2-encryption".to_owned()));
        };
        self.has_sm2()?;
        sm2::decrypt(key, encrypted_key)
    }

    pub(crate) fn sign_sm2(&self, key: &Secret, id: &[u8], message: &mut dyn Content) -> Result<Vec<u8>, KeyError> {
        let SecretKind::Sm2(key) = &key.kind else {
            return lacks(format_args!("sm2 with a key {}", key.algorithm));
        };
        self.has_sm2()?;
        sm2::sign(key, id, &mut Message::new(message)?)
    }

    pub(crate) fn sign_sm2_digest(&self, key: &Secret, value: &[u8]) -> Result<Vec<u8>, KeyError> {
        let SecretKind::Sm2(key) = &key.kind else {
            return Err(KeyError::Refused("this key does no sm2".to_owned()));
        };
        self.has_sm2()?;
        sm2::sign_digest(key, value)
    }

    fn sm2_key<'a>(&self, spki_der: &'a [u8]) -> Result<PublicKey<'a>, KeyError> {
        let key = PublicKey::parse(spki_der)?;
        if key.algorithm != PublicKeyAlgorithm::Sm2 {
            return Err(bad(format!("sm2 needs a key of its own kind, not {}", key.algorithm)));
        }
        self.has_sm2()?;
        Ok(key)
    }

    fn has_sm2(&self) -> Result<(), KeyError> {
        match self.choice {
            ProviderChoice::AwsLc => lacks("sm2"),
            ProviderChoice::Auto | ProviderChoice::RustCrypto => Ok(()),
        }
    }
}
