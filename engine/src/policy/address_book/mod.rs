//! What is known of correspondents: their certificates and what their mail
//! programs can read, learned from the mail that they signed (RFC 8551 sections
//! 2.5.3 and 2.7.1).
//!
//! The address book is a value: it reads no file and no clock. What it may learn
//! from is an [`Introduction`], which only a signature without a fault makes.

mod choose;
mod downgrade;
mod learn;
mod stored;

use std::collections::BTreeMap;

use time::OffsetDateTime;

pub use self::choose::{Choice, NoCertificate, certified_capabilities};
pub use self::learn::{Introduction, Learned, Lesson, Named};
use crate::certificate::{Certificate, identity};
use crate::cms::Capability;

/// Correspondents by their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressBook {
    correspondents: BTreeMap<String, Correspondent>,
}

/// What is known of the holder of one address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Correspondent {
    /// Certificates that signed, last used first. Somebody with several devices
    /// has several.
    pub signing: Vec<KnownCertificate>,
    /// Certificates to encrypt for, last named first. The old ones stay: they
    /// tell whose old mail is.
    pub encryption: Vec<KnownCertificate>,
    /// What their mail program can read.
    pub announcement: Option<Announcement>,
}

/// A certificate, and when it was last seen in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// The latest signing time of a mail that it signed, or that named it;
    /// `None` if none of them had one.
    pub seen: Option<OffsetDateTime>,
}

/// A list of capabilities, and when it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The capabilities, most wanted first.
    pub capabilities: Vec<Capability>,
    /// The signing time; without one the list never replaces another.
    pub signed_at: Option<OffsetDateTime>,
}

impl AddressBook {
    /// The most certificates of one kind that are kept of one correspondent; of
    /// more the one is dropped that was seen longest ago.
    pub const MOST_CERTIFICATES: usize = 64;

    /// What is known of the holder of an address, whatever its letter case and
    /// the form of its domain (RFC 8550 section 3).
    #[must_use]
    pub fn correspondent(&self, address: &str) -> Option<&Correspondent> {
        self.correspondents.get(&identity::comparable(address)?)
    }

    /// Every address, with what is known of its holder, in the order of the
    /// addresses.
    pub fn correspondents(&self) -> impl Iterator<Item = (&str, &Correspondent)> {
        self.correspondents.iter().map(|(address, known)| (address.as_str(), known))
    }

    /// Forgets the holder of an address; whether there was one.
    pub fn forget(&mut self, address: &str) -> bool {
        identity::comparable(address).is_some_and(|address| self.correspondents.remove(&address).is_some())
    }

    /// Whether nobody is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.correspondents.is_empty()
    }
}

#[cfg(test)]
mod tests;
