//! What a provider of arithmetic does. An operation that it lacks is
//! [`KeyError::NotByThisProvider`]; everything else is its answer.

pub(crate) mod aws_lc;
pub(crate) mod rustcrypto;

use zeroize::Zeroizing;

use crate::{
    AeadSetup, BlockMode, ContentCipher, DigestAlgorithm, Hasher, KeyError, KeyWrap, OaepParameters,
    PublicKeyAlgorithm, Random, SignatureScheme, aead::AeadMode, message::Message, private_key::Secret,
    public_key::PublicKey,
};

/// The operations. Lengths of keys, vectors and digest values were checked
/// before, and the key is one that fits the scheme.
pub(crate) trait Provider {
    fn hasher(&self, digest: DigestAlgorithm) -> Result<Box<dyn Hasher>, KeyError>;

    fn verify(
        &self,
        key: &PublicKey<'_>,
        scheme: SignatureScheme,
        digest: DigestAlgorithm,
        value: &[u8],
        signature: &[u8],
    ) -> Result<bool, KeyError>;

    fn wrap_rsa_pkcs1(
        &self,
        key: &PublicKey<'_>,
        content_key: &[u8],
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, KeyError>;

    fn wrap_rsa_oaep(
        &self,
        key: &PublicKey<'_>,
        content_key: &[u8],
        parameters: &OaepParameters,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, KeyError>;

    fn wrap_key(&self, wrap: KeyWrap, kek: &[u8], key: &[u8], iv: [u8; 8]) -> Result<Vec<u8>, KeyError>;

    fn unwrap_key(&self, wrap: KeyWrap, kek: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError>;

    fn mac(&self, digest: DigestAlgorithm, key: &[u8]) -> Result<Box<dyn Hasher>, KeyError>;

    fn hkdf(
        &self,
        digest: DigestAlgorithm,
        salt: &[u8],
        secret: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError>;

    fn pbkdf2(
        &self,
        prf: DigestAlgorithm,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError>;

    /// The public octets of a private number for key agreement.
    fn agreement_public(&self, algorithm: &PublicKeyAlgorithm, private: &[u8]) -> Result<Vec<u8>, KeyError>;

    fn agree(
        &self,
        algorithm: &PublicKeyAlgorithm,
        private: &[u8],
        peer: &PublicKey<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError>;

    fn verify_message(
        &self,
        key: &PublicKey<'_>,
        message: &mut Message<'_>,
        signature: &[u8],
    ) -> Result<bool, KeyError>;

    fn sign_message(&self, key: &Secret, message: &mut Message<'_>) -> Result<Vec<u8>, KeyError>;

    /// The ciphertext and the shared secret.
    fn encapsulate(
        &self,
        key: &PublicKey<'_>,
        random: &mut dyn Random,
    ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), KeyError>;

    fn decapsulate(&self, key: &Secret, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError>;

    fn aead(&self, direction: Direction, setup: &AeadSetup<'_>) -> Result<Box<dyn AeadMode>, KeyError>;

    fn cbc(
        &self,
        direction: Direction,
        cipher: ContentCipher,
        key: &[u8],
        iv: &[u8],
    ) -> Result<Box<dyn BlockMode>, KeyError>;

    fn sign(
        &self,
        key: &Secret,
        scheme: SignatureScheme,
        digest: DigestAlgorithm,
        value: &[u8],
    ) -> Result<Vec<u8>, KeyError>;

    /// RSA key transport. The content key, if it has one of the lengths (there
    /// is one at least), or the `rejected` one cut to the first of them where
    /// padding or length is not right. That one is as long as the longest.
    fn unwrap_rsa_pkcs1(
        &self,
        key: &Secret,
        encrypted_key: &[u8],
        key_lens: &[usize],
        rejected: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError>;

    fn unwrap_rsa_oaep(
        &self,
        key: &Secret,
        encrypted_key: &[u8],
        parameters: &OaepParameters,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError>;
}

/// Which way a cipher runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Encrypt,
    Decrypt,
}

pub(crate) fn lacks<T>(operation: impl std::fmt::Display) -> Result<T, KeyError> {
    Err(KeyError::NotByThisProvider { operation: operation.to_string() })
}
