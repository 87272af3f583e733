//! The address book as it is stored: one document with a version. Every
//! certificate stands in it once.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{AddressBook, Announcement, Correspondent, KnownCertificate};
use crate::certificate::{Certificate, identity};
use crate::cms::Capability;

/// The number of the format that this version reads and writes.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    /// DER in base64.
    certificates: Vec<String>,
    correspondents: Vec<StoredCorrespondent>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCorrespondent {
    address: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signing: Vec<StoredCertificate>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    encryption: Vec<StoredCertificate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    announcement: Option<StoredAnnouncement>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCertificate {
    /// Its place in the list.
    certificate: usize,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    seen: Option<OffsetDateTime>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAnnouncement {
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    signed_at: Option<OffsetDateTime>,
    capabilities: Vec<Capability>,
}

/// Every certificate that is named, once, in the order in which they come.
#[derive(Default)]
struct Certificates<'a> {
    places: BTreeMap<&'a [u8], usize>,
    list: Vec<String>,
}

impl<'a> Certificates<'a> {
    fn store(&mut self, known: &'a [KnownCertificate]) -> Vec<StoredCertificate> {
        let place = |known: &'a KnownCertificate| {
            let der = known.certificate.der();
            let certificate = *self.places.entry(der).or_insert_with(|| {
                self.list.push(BASE64_STANDARD.encode(der));
                self.list.len() - 1
            });
            StoredCertificate { certificate, seen: known.seen }
        };
        known.iter().map(place).collect()
    }
}

impl Serialize for AddressBook {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut certificates = Certificates::default();
        let mut correspondents = Vec::new();
        for (address, known) in &self.correspondents {
            let announcement = known.announcement.as_ref().map(|known| StoredAnnouncement {
                signed_at: known.signed_at,
                capabilities: known.capabilities.clone(),
            });
            correspondents.push(StoredCorrespondent {
                address: address.clone(),
                signing: certificates.store(&known.signing),
                encryption: certificates.store(&known.encryption),
                announcement,
            });
        }
        Stored { format: FORMAT, certificates: certificates.list, correspondents }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AddressBook {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Stored::deserialize(deserializer)?.read().map_err(serde::de::Error::custom)
    }
}

impl Stored {
    fn read(self) -> Result<AddressBook, String> {
        if self.format != FORMAT {
            return Err(format!("address book format {}; this version reads {FORMAT}", self.format));
        }
        let mut certificates = Vec::new();
        for (place, text) in self.certificates.iter().enumerate() {
            let der = BASE64_STANDARD.decode(text).map_err(|error| format!("certificates[{place}]: {error}"))?;
            certificates.push(Certificate::parse(&der).map_err(|error| format!("certificates[{place}]: {error}"))?);
        }
        let read = |list: Vec<StoredCertificate>| -> Result<Vec<KnownCertificate>, String> {
            let known = list.into_iter().map(|stored| {
                let certificate = certificates.get(stored.certificate).cloned();
                let certificate =
                    certificate.ok_or_else(|| format!("there is no certificates[{}]", stored.certificate))?;
                Ok(KnownCertificate { certificate, seen: stored.seen })
            });
            let mut known: Vec<_> = known.collect::<Result<_, String>>()?;
            known.sort_by_key(|known| std::cmp::Reverse(known.seen));
            Ok(known)
        };
        let mut book = AddressBook::default();
        for stored in self.correspondents {
            let address =
                identity::comparable(&stored.address).ok_or_else(|| format!("{:?} is no address", stored.address))?;
            let announcement = stored
                .announcement
                .map(|stored| Announcement { capabilities: stored.capabilities, signed_at: stored.signed_at });
            let known =
                Correspondent { signing: read(stored.signing)?, encryption: read(stored.encryption)?, announcement };
            if book.correspondents.insert(address.clone(), known).is_some() {
                return Err(format!("{address} stands in it twice"));
            }
        }
        Ok(book)
    }
}
