//! MANAGE SECURITY ENVIRONMENT (ISO/IEC 7816-4 section 11.5.11): which key is
//! to do what, and how.

use super::setup::{KeyEntry, Purpose};
use crate::{Command, StatusWord, key::KeyKind, tlv};

/// What the next PERFORM SECURITY OPERATION does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Environment {
    pub(super) purpose: Purpose,
    pub(super) algorithm: Algorithm,
    /// Index of the key.
    pub(super) key: usize,
}

/// How a key is used. The references are those of IsoApplet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with the padding of PKCS #1 v1.5, which the card puts on and takes
    /// off; the host gives the DigestInfo.
    RsaPkcs1,
    /// ECDSA over the SHA-1 of what the host gives.
    EcdsaSha1,
    /// ECDSA over a hash that the host gives.
    EcdsaHash,
}

/// Every algorithm with its reference and its name.
pub const ALGORITHMS: &[(u8, Algorithm, &str)] = &[
    (0x11, Algorithm::RsaPkcs1, "RSA with PKCS #1 v1.5 padding by the card"),
    (0x21, Algorithm::EcdsaSha1, "ECDSA with SHA-1 by the card"),
    (0x22, Algorithm::EcdsaHash, "ECDSA over a hash"),
];

impl Algorithm {
    /// The algorithm with this reference.
    #[must_use]
    pub fn by_reference(reference: u8) -> Option<Self> {
        ALGORITHMS.iter().find(|(row, ..)| *row == reference).map(|(_, algorithm, _)| *algorithm)
    }

    /// Whether it is one of RSA.
    fn is_rsa(self) -> bool {
        self == Self::RsaPkcs1
    }
}

/// SET for computation, decipherment and key agreement.
pub(super) const SET: u8 = 0x41;
/// RESTORE: what was set is forgotten.
pub(super) const RESTORE: u8 = 0xF3;

/// Control reference template for digital signature.
pub const SIGNATURE_TEMPLATE: u8 = 0xB6;
/// Control reference template for confidentiality.
pub const CONFIDENTIALITY_TEMPLATE: u8 = 0xB8;

impl Environment {
    /// What SET asks for: algorithm `80` and private key `84`.
    pub(super) fn set(command: &Command, keys: &[KeyEntry]) -> Result<Self, StatusWord> {
        let purpose = match command.p2 {
            SIGNATURE_TEMPLATE => Purpose::Sign,
            CONFIDENTIALITY_TEMPLATE => Purpose::Decipher,
            _ => return Err(StatusWord::FUNCTION_NOT_SUPPORTED),
        };
        tlv::read_all(&command.data).ok_or(StatusWord::WRONG_DATA)?;
        let octet = |tag| match tlv::find(&command.data, tag) {
            Some([octet]) => Ok(*octet),
            _ => Err(StatusWord::WRONG_DATA),
        };
        let algorithm = Algorithm::by_reference(octet(0x80)?).ok_or(StatusWord::FUNCTION_NOT_SUPPORTED)?;
        let key = usize::from(octet(0x84)?);
        let entry = keys.get(key).ok_or(StatusWord::REFERENCE_NOT_FOUND)?;
        if matches!(entry.key.kind(), KeyKind::Rsa(_)) != algorithm.is_rsa() {
            return Err(StatusWord::WRONG_DATA);
        }
        // A key does what it is there for: the certificates are split for a reason.
        if entry.purpose != purpose {
            return Err(StatusWord::CONDITIONS_NOT_SATISFIED);
        }
        Ok(Self { purpose, algorithm, key })
    }
}
