//! The signature schemes.

use std::fmt;

use crate::{DigestAlgorithm, PssParameters};

/// A signature scheme, apart from the digest algorithm that it is used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignatureScheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2).
    RsaPkcs1,
    /// RSASSA-PSS (RFC 8017 section 8.1, RFC 4056), with its parameters.
    RsaPss(PssParameters),
    /// ECDSA (RFC 5753 section 2.1), over the curve of the key.
    Ecdsa,
    /// DSA (RFC 3370 section 3.1): only for reading old mail.
    Dsa,
    /// Ed25519 (RFC 8032, RFC 8419), over the message itself.
    Ed25519,
    /// Ed448 (RFC 8032, RFC 8419), over the message itself.
    Ed448,
    /// ML-DSA-44 (FIPS 204, RFC 9882), over the message itself.
    MlDsa44,
    /// ML-DSA-65 (FIPS 204, RFC 9882), over the message itself.
    MlDsa65,
    /// ML-DSA-87 (FIPS 204, RFC 9882), over the message itself.
    MlDsa87,
    /// SM2 (GM/T 0003.2), over the message itself: a value that the signer's
    /// key and identifier give stands before it.
    Sm2,
}

impl SignatureScheme {
    /// Every signature scheme; of those with parameters the one with those
    /// that go with SHA-256.
    pub const ALL: [Self; 10] = [
        Self::RsaPkcs1,
        Self::RsaPss(PssParameters::usual(DigestAlgorithm::Sha256)),
        Self::Ecdsa,
        Self::Dsa,
        Self::Ed25519,
        Self::Ed448,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
        Self::Sm2,
    ];

    /// Whether the scheme signs the message itself, and not a digest of it that
    /// someone else made.
    pub fn signs_message(self) -> bool {
        matches!(self, Self::Ed25519 | Self::Ed448 | Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 | Self::Sm2)
    }

    /// The name in verdicts and cases, for example `rsa-pkcs1-v1_5`; without
    /// the parameters.
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaPkcs1 => "rsa-pkcs1-v1_5",
            Self::RsaPss(_) => "rsassa-pss",
            Self::Ecdsa => "ecdsa",
            Self::Dsa => "dsa",
            Self::Ed25519 => "ed25519",
            Self::Ed448 => "ed448",
            Self::MlDsa44 => "ml-dsa-44",
            Self::MlDsa65 => "ml-dsa-65",
            Self::MlDsa87 => "ml-dsa-87",
            Self::Sm2 => "sm2",
        }
    }

    /// The scheme with this name, exactly as [`name`](Self::name) spells it,
    /// with the parameters of [`ALL`](Self::ALL).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }
}

impl fmt::Display for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
