//! Which algorithms take a content key to its recipients.

use waxseal_key::{ContentCipher, DigestAlgorithm, KeyWrap, OaepParameters};

use crate::cms::derivation::DiffieHellman;

/// What the key of a recipient leaves open. The default is what RFC 8551
/// section 2.3 asks for, and what goes with the strength of the key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyManagement {
    /// RSAES-OAEP with these parameters (RFC 3560) in place of RSA PKCS #1
    /// v1.5. A key that is for RSAES-OAEP only gets it in any case, with
    /// SHA-256.
    pub oaep: Option<OaepParameters>,
    /// The digest of the key derivation of agreement and encapsulation. If
    /// none is said: SHA-384 on P-384, SHA-512 on P-521, SHA-256 for all
    /// others.
    pub derivation: Option<DigestAlgorithm>,
    /// Whether agreement on a curve is called the one with the cofactor (RFC
    /// 5753 section 7.1.4).
    pub cofactor: bool,
    /// The key wrap; AES with a key not shorter than the content key if none is
    /// said.
    pub wrap: Option<KeyWrap>,
    /// SM2 keys agree on a key (RFC 5753), in place of SM2 encryption.
    pub sm2_agreement: bool,
    /// Octets of user keying material; 0 for none.
    pub ukm_len: usize,
    /// How a password becomes a key.
    pub password: PasswordDerivation,
}

impl KeyManagement {
    pub(super) const fn form(&self) -> DiffieHellman {
        if self.cofactor { DiffieHellman::Cofactor } else { DiffieHellman::Standard }
    }
}

/// PBKDF2 (RFC 8018 section 5.2), and the cipher of the key that it gives (RFC
/// 3211).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordDerivation {
    /// The digest under HMAC.
    pub prf: DigestAlgorithm,
    /// How often it is done.
    pub iterations: u32,
    /// Octets of salt.
    pub salt_len: usize,
    /// The cipher that wraps the content key.
    pub cipher: ContentCipher,
}

/// What NIST SP 800-132 and OWASP's advice of 2023 for HMAC-SHA-256 ask for.
impl Default for PasswordDerivation {
    fn default() -> Self {
        Self { prf: DigestAlgorithm::Sha256, iterations: 600_000, salt_len: 16, cipher: ContentCipher::Aes256Cbc }
    }
}
