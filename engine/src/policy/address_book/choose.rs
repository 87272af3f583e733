//! Which certificate of a correspondent a mail is encrypted for.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_key::algorithm::Era;
use waxseal_key::describe_public_key;
use waxseal_verdict::Aspect;

use super::{AddressBook, KnownCertificate};
use crate::ber::{Cursor, Tag};
use crate::certificate::Certificate;
use crate::cms::{AlgorithmIdentifier, Capability};
use crate::policy::{Peer, Sm2Place};

/// A certificate to encrypt for, and what its holder can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The address that was asked for.
    pub address: String,
    /// The certificate.
    pub certificate: Certificate,
    /// When it was last named.
    pub seen: Option<OffsetDateTime>,
    /// What was announced in signed mail; else what the certificate says
    /// (RFC 4262).
    pub capabilities: Option<Vec<Capability>>,
}

/// Why there is no certificate to encrypt for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoCertificate {
    /// Nobody is known under the address.
    #[error("nobody is known under {0}: wait for a signed mail from there, or give their certificate")]
    Unknown(String),
    /// Their signed mail named no certificate to encrypt for.
    #[error("{0} signed, but named no certificate to encrypt for")]
    SignsOnly(String),
    /// None of their certificates may be used.
    #[error("no certificate of {address} can be used: {why}")]
    Unusable {
        /// The address.
        address: String,
        /// What is wrong with the one that was named last.
        why: String,
    },
}

impl NoCertificate {
    /// A stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "not-known",
            Self::SignsOnly(_) => "signs-only",
            Self::Unusable { .. } => "certificate-unusable",
        }
    }
}

impl AddressBook {
    /// Chooses the certificate to encrypt for.
    ///
    /// Of the certificates that are valid at `at` and that `judge` finds not
    /// bad, the one that was named last; between equals the one that was issued
    /// last (a renewed certificate), then the one that is valid longest.
    ///
    /// # Errors
    /// There is none; see [`NoCertificate`].
    pub fn choose(
        &self,
        address: &str,
        at: OffsetDateTime,
        judge: &dyn Fn(&Certificate) -> Aspect,
    ) -> Result<Choice, NoCertificate> {
        self.choose_among(address, at, Sm2Place::AsAnnounced, judge)
    }

    /// The same of a correspondent who may have certificates with keys of SM2 and
    /// others: which of them come first.
    ///
    /// # Errors
    /// As [`choose`](Self::choose).
    pub fn choose_among(
        &self,
        address: &str,
        at: OffsetDateTime,
        sm2: Sm2Place,
        judge: &dyn Fn(&Certificate) -> Aspect,
    ) -> Result<Choice, NoCertificate> {
        let known = self.correspondent(address).ok_or_else(|| NoCertificate::Unknown(address.to_owned()))?;
        let mut list: Vec<&KnownCertificate> = known.encryption.iter().collect();
        let order =
            |known: &KnownCertificate| (known.seen, known.certificate.not_before(), known.certificate.not_after());
        list.sort_by_key(|known| {
            (sm2.rank(era_of(&known.certificate) == Some(Era::GmT)), std::cmp::Reverse(order(known)))
        });
        let mut first_fault = None;
        for one in list {
            let fault = match validity(&one.certificate, at) {
                Some(fault) => fault,
                None => match judge(&one.certificate) {
                    Aspect::Bad(bad) => bad.detail,
                    _ => {
                        let announced = known.announcement.as_ref().map(|known| known.capabilities.clone());
                        return Ok(Choice {
                            address: address.to_owned(),
                            capabilities: announced.or_else(|| certified_capabilities(&one.certificate)),
                            certificate: one.certificate.clone(),
                            seen: one.seen,
                        });
                    }
                },
            };
            first_fault.get_or_insert(fault);
        }
        let address = address.to_owned();
        Err(first_fault.map_or_else(
            || NoCertificate::SignsOnly(address.clone()),
            |why| NoCertificate::Unusable { address: address.clone(), why },
        ))
    }
}

impl Choice {
    /// A recipient of whom only the certificate is known.
    #[must_use]
    pub fn of_certificate(certificate: &Certificate) -> Self {
        let address = certificate.emails().into_iter().next().unwrap_or_else(|| certificate.subject());
        let capabilities = certified_capabilities(certificate);
        Self { address, certificate: certificate.clone(), seen: None, capabilities }
    }

    /// The recipient, as [`negotiate`](crate::policy::negotiate) asks for it.
    #[must_use]
    pub fn peer(&self) -> Peer<'_> {
        Peer { name: &self.address, announced: self.capabilities.as_deref(), era: era_of(&self.certificate) }
    }
}

/// The era that a certificate's key belongs to, if it belongs to one alone.
fn era_of(certificate: &Certificate) -> Option<Era> {
    let key = describe_public_key(certificate.spki()).ok()?;
    (key.algorithm.name() == "sm2").then_some(Era::GmT)
}

fn validity(certificate: &Certificate, at: OffsetDateTime) -> Option<String> {
    let show = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_else(|_| time.to_string());
    let serial = certificate.serial_hex();
    if at > certificate.not_after() {
        Some(format!("serial {serial} was valid until {}", show(certificate.not_after())))
    } else if at < certificate.not_before() {
        Some(format!("serial {serial} is valid from {}", show(certificate.not_before())))
    } else {
        None
    }
}

/// The capabilities that a certificate says its holder has (RFC 4262); `None`
/// if it says nothing, or nothing that can be read.
#[must_use]
pub fn certified_capabilities(certificate: &Certificate) -> Option<Vec<Capability>> {
    const SMIME_CAPABILITIES: &str = "1.2.840.113549.1.9.15";
    let extension = certificate.extensions().iter().find(|extension| extension.oid == SMIME_CAPABILITIES)?;
    let mut cursor = Cursor::new(&extension.value, 0);
    let mut list = cursor.expect(Tag::SEQUENCE, "SMIMECapabilities").ok()?.inside();
    let mut capabilities = Vec::new();
    while !list.is_empty() {
        let element = list.expect(Tag::SEQUENCE, "a capability").ok()?;
        capabilities.push(AlgorithmIdentifier::read(&element, "SMIMECapabilities").ok()?.into());
    }
    Some(capabilities)
}
