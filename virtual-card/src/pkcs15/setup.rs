//! What an issuer puts on a card with the files of ISO/IEC 7816-15.

use std::fmt;

use serde::Deserialize;
use waxseal_key::Random;
use zeroize::Zeroizing;

use crate::key::{CardKey, KeyKind};

/// Everything on a card.
pub struct Setup {
    /// Its name.
    pub label: String,
    /// Who made it.
    pub manufacturer: String,
    /// Its serial number, up to 16 octets.
    pub serial: Vec<u8>,
    /// The PIN of its holder: 4 to 16 digits.
    pub pin: Zeroizing<Vec<u8>>,
    /// What unblocks the PIN: 4 to 16 digits.
    pub puk: Zeroizing<Vec<u8>>,
    /// Its keys. The first has key reference 0 and identifier 1, and so on.
    pub keys: Vec<KeyEntry>,
    /// Certificates of authorities.
    pub authorities: Vec<AuthorityEntry>,
    /// Data of applications.
    pub data: Vec<DataEntry>,
    /// Where its random numbers come from.
    pub random: Box<dyn Random + Send>,
}

/// A private key with its certificate.
#[derive(Debug)]
pub struct KeyEntry {
    /// Its name.
    pub label: String,
    /// The key.
    pub key: CardKey,
    /// What it is for.
    pub purpose: Purpose,
    /// DER of its certificate.
    pub certificate: Vec<u8>,
}

/// What a key is for: e-Cert cards have one for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Signatures that bind the holder.
    Sign,
    /// Decryption of content-encryption keys.
    Decipher,
}

/// The certificate of an authority.
#[derive(Debug)]
pub struct AuthorityEntry {
    /// Its name.
    pub label: String,
    /// DER of the certificate.
    pub certificate: Vec<u8>,
}

/// Data of an application.
pub struct DataEntry {
    /// Its name.
    pub label: String,
    /// The application.
    pub application: String,
    /// Whether it is read after the PIN only.
    pub private: bool,
    /// The data.
    pub value: Zeroizing<Vec<u8>>,
}

/// Why a card cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// PIN or PUK is too short or too long.
    #[error("the {what} has {octets} octets, and 4 to 16 are allowed")]
    ReferenceData {
        /// PIN or PUK.
        what: &'static str,
        /// Its length.
        octets: usize,
    },
    /// The application has operations for RSA, P-256 and P-384 only.
    #[error("key `{label}`: a {kind} key cannot {purpose} here; RSA keys can sign and decipher, P-256 and P-384 sign")]
    Key {
        /// Which key.
        label: String,
        /// Its kind.
        kind: KeyKind,
        /// What it was to do.
        purpose: &'static str,
    },
    /// There are too many keys, certificates or data objects, or one is too large.
    #[error("{what}: {count} are too many, at most {limit} are allowed")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many may be there.
        limit: usize,
    },
}

/// Octets of PIN and PUK, padded with zeros (OpenSC's profile `isoApplet`).
pub const REFERENCE_DATA_LEN: usize = 16;

const SHORTEST_REFERENCE_DATA: usize = 4;
/// Key references are those of IsoApplet: 0 to 15.
const KEYS: usize = 16;
/// Files of one kind: their identifiers share the first octet.
const FILES: usize = 256;
/// A file is read with offsets of 15 bits.
const FILE_LEN: usize = 0x7FFF;

impl Setup {
    /// Whether a card can be made of it.
    pub(super) fn check(&self) -> Result<(), SetupError> {
        for (what, value) in [("PIN", &self.pin), ("PUK", &self.puk)] {
            if !(SHORTEST_REFERENCE_DATA..=REFERENCE_DATA_LEN).contains(&value.len()) {
                return Err(SetupError::ReferenceData { what, octets: value.len() });
            }
        }
        let certificates = self.keys.len() + self.authorities.len();
        let longest = (self.keys.iter().map(|key| &key.certificate))
            .chain(self.authorities.iter().map(|authority| &authority.certificate))
            .chain(self.data.iter().map(|data| &*data.value))
            .map(Vec::len);
        for (what, count, limit) in [
            ("keys", self.keys.len(), KEYS),
            ("certificates", certificates, FILES),
            ("data objects", self.data.len(), FILES),
            ("octets of the serial number", self.serial.len(), 16),
            ("octets of a file", longest.max().unwrap_or(0), FILE_LEN),
        ] {
            if count > limit {
                return Err(SetupError::TooMany { what, count, limit });
            }
        }
        let fits = |entry: &&KeyEntry| match entry.key.kind() {
            KeyKind::Rsa(_) => true,
            KeyKind::P256 | KeyKind::P384 => entry.purpose == Purpose::Sign,
            KeyKind::Sm2 => false,
        };
        match self.keys.iter().find(|entry| !fits(entry)) {
            None => Ok(()),
            Some(KeyEntry { label, key, purpose, .. }) => {
                Err(SetupError::Key { label: label.clone(), kind: key.kind(), purpose: purpose.name() })
            }
        }
    }
}

impl Purpose {
    /// A word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Decipher => "decipher",
        }
    }
}

/// PIN or PUK as it is stored and compared.
pub(super) fn padded(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(vec![0; REFERENCE_DATA_LEN.max(value.len())]);
    out[..value.len()].copy_from_slice(value);
    out
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("label", &self.label).field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl fmt::Debug for DataEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataEntry").field("label", &self.label).field("private", &self.private).finish_non_exhaustive()
    }
}
