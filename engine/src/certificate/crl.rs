//! Certificate revocation lists (RFC 5280 section 5).

use std::ops::Range;
use std::sync::Arc;

use time::OffsetDateTime;

use super::distribution_point::{CrlScope, DistributionPoint, read_points};
use super::extensions::oid;
use super::field::Fields as _;
use super::general_name::{GeneralName, read_general_names};
use super::issued::{Issued, IssuerSignature, Parts, slice};
use super::parsed::{read_time, trim_integer};
use super::{AuthorityKeyIdentifier, CertificateError, Extension, Name};
use crate::ber::{Cursor, identifier as tag};

/// reasonCode of an entry that takes a certificate off the list again.
const REMOVE_FROM_CRL: u8 = 8;

/// A certificate revocation list that was read, but for its entries: these are
/// read when a certificate is looked for. Cloning it is cheap.
#[derive(Clone)]
pub struct Crl(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    issued: Issued,
    issuer: Name,
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    /// Content of revokedCertificates.
    revoked: Range<u64>,
    extensions: CrlExtensions,
}

#[derive(Default)]
struct CrlExtensions {
    authority_key_identifier: Option<AuthorityKeyIdentifier>,
    /// Content octets of cRLNumber.
    number: Option<Vec<u8>>,
    /// Content octets of BaseCRLNumber, in a delta CRL.
    base: Option<Vec<u8>>,
    scope: Option<CrlScope>,
    freshest: Vec<DistributionPoint>,
    /// A critical extension that is not known.
    unknown: Option<String>,
}

impl Crl {
    /// Reads one CRL in DER, or BER.
    ///
    /// # Errors
    /// The octets are no CRL, or more than one; the error tells where.
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        Self::read(der.to_vec())
    }

    /// The same with octets that need not be copied: a list can be large.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn read(der: Vec<u8>) -> Result<Self, CertificateError> {
        let parts = Parts::read(&der, "CRL", "tbsCertList")?;
        let mut body = parts.tbs.inside();
        body.optional(tag::INTEGER, "version")?;
        let algorithm = body.field(tag::SEQUENCE, "signature")?;
        let issuer = Name::read(&body.field(tag::SEQUENCE, "issuer")?)?;
        let this_update = read_time(&body.any("thisUpdate")?, "thisUpdate")?;
        let next_update = match body.peek() {
            Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => Some(read_time(&body.any("nextUpdate")?, "nextUpdate")?),
            _ => None,
        };
        let revoked = body.optional(tag::SEQUENCE, "revokedCertificates")?;
        let extensions = match body.optional(tag::context(0), "crlExtensions")? {
            Some(element) => CrlExtensions::read(element.inside().field(tag::SEQUENCE, "crlExtensions")?.inside())?,
            None => CrlExtensions::default(),
        };
        let issued = parts.places(&algorithm)?;
        let revoked = revoked.map_or(0..0, |list| list.content_range());
        Ok(Self(Arc::new(Parsed { issued, issuer, this_update, next_update, revoked, extensions, der })))
    }

    /// The octets as received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer_name(&self) -> &Name {
        &self.0.issuer
    }

    /// When it was issued.
    #[must_use]
    pub fn this_update(&self) -> OffsetDateTime {
        self.0.this_update
    }

    /// By when the next one is issued.
    #[must_use]
    pub fn next_update(&self) -> Option<OffsetDateTime> {
        self.0.next_update
    }

    /// cRLNumber: content octets of the INTEGER.
    #[must_use]
    pub fn number(&self) -> Option<&[u8]> {
        self.0.extensions.number.as_deref().map(trim_integer)
    }

    /// BaseCRLNumber of a delta CRL: the number of the complete one that it
    /// builds on, or of an older one than that.
    #[must_use]
    pub fn base_number(&self) -> Option<&[u8]> {
        self.0.extensions.base.as_deref().map(trim_integer)
    }

    /// issuingDistributionPoint.
    #[must_use]
    pub fn scope(&self) -> Option<&CrlScope> {
        self.0.extensions.scope.as_ref()
    }

    /// freshestCRL: where delta CRLs are.
    #[must_use]
    pub fn freshest_crl(&self) -> &[DistributionPoint] {
        &self.0.extensions.freshest
    }

    /// authorityKeyIdentifier.
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&AuthorityKeyIdentifier> {
        self.0.extensions.authority_key_identifier.as_ref()
    }

    /// A critical extension that is not known: then the list says nothing for
    /// sure (RFC 5280 section 5.2).
    #[must_use]
    pub fn unknown_critical_extension(&self) -> Option<&str> {
        self.0.extensions.unknown.as_deref()
    }

    /// What the issuer signed, and how.
    pub(super) fn issuer_signature(&self) -> IssuerSignature<'_> {
        self.0.issued.of(&self.0.der)
    }

    /// Looks for a certificate, by its issuer and the content octets of its
    /// serial number. All of the list is read.
    ///
    /// # Errors
    /// The list is damaged, at the place that the error tells.
    pub fn find(&self, issuer: &Name, serial: &[u8]) -> Result<CrlAnswer, CertificateError> {
        let revoked = &self.0.revoked;
        let mut list = Cursor::new(slice(&self.0.der, revoked), revoked.start);
        let indirect = self.scope().is_some_and(|scope| scope.indirect);
        let serial = trim_integer(serial);
        // An entry is about the issuer of the one before it, the first about that of the list (section 5.3.3).
        let mut about_issuer = self.issuer_name() == issuer;
        let mut answer = CrlAnswer::default();
        while !list.is_empty() {
            let mut fields = list.field(tag::SEQUENCE, "revoked certificate")?.inside();
            let same_serial = trim_integer(fields.field(tag::INTEGER, "userCertificate")?.content) == serial;
            let date = fields.any("revocationDate")?;
            let mut reason = None;
            if let Some(extensions) = fields.optional(tag::SEQUENCE, "crlEntryExtensions")? {
                let mut extensions = extensions.inside();
                while !extensions.is_empty() {
                    let extension = Extension::read(&mut extensions)?;
                    let mut value = Cursor::new(&extension.value, 0);
                    match extension.oid.as_str() {
                        oid::CRL_REASON => {
                            reason = value.field(tag::ENUMERATED, "reasonCode")?.content.last().copied();
                        }
                        oid::CERTIFICATE_ISSUER if indirect => {
                            let names = read_general_names(value.field(tag::SEQUENCE, "certificateIssuer")?.inside())?;
                            about_issuer = names.contains(&GeneralName::Directory(issuer.clone()));
                        }
                        _ if extension.critical => answer.unknown = Some(extension.oid),
                        _ => {}
                    }
                }
            }
            if same_serial && about_issuer {
                answer.entry = Some(CrlEntry { date: read_time(&date, "revocationDate")?, reason });
            }
        }
        Ok(answer)
    }
}

impl std::fmt::Debug for Crl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crl({:?}, {})", self.issuer_name().to_string(), self.this_update())
    }
}

impl CrlExtensions {
    fn read(mut list: Cursor<'_>) -> Result<Self, CertificateError> {
        let mut extensions = Self::default();
        while !list.is_empty() {
            let extension = Extension::read(&mut list)?;
            let value = extension.value.as_slice();
            let integer = |what| Ok::<_, CertificateError>(Cursor::new(value, 0).field(tag::INTEGER, what)?.content);
            match extension.oid.as_str() {
                oid::AUTHORITY_KEY_IDENTIFIER => {
                    extensions.authority_key_identifier = Some(AuthorityKeyIdentifier::read(value)?);
                }
                oid::CRL_NUMBER => extensions.number = Some(integer("cRLNumber")?.to_vec()),
                oid::DELTA_CRL_INDICATOR => extensions.base = Some(integer("BaseCRLNumber")?.to_vec()),
                oid::FRESHEST_CRL => extensions.freshest = read_points(value)?,
                oid::ISSUING_DISTRIBUTION_POINT => extensions.scope = Some(CrlScope::read(value)?),
                _ if extension.critical => extensions.unknown = Some(extension.oid),
                _ => {}
            }
        }
        Ok(extensions)
    }
}

/// What came of looking for a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CrlAnswer {
    /// The last entry about it, if it is on the list.
    pub entry: Option<CrlEntry>,
    /// A critical extension of any entry that is not known: then the list
    /// cannot tell of a certificate that it is not revoked (section 5.3).
    pub unknown: Option<String>,
}

/// What a CRL says of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlEntry {
    /// When it was revoked.
    pub date: OffsetDateTime,
    /// reasonCode (RFC 5280 section 5.3.1).
    pub reason: Option<u8>,
}

impl CrlEntry {
    /// Whether a delta CRL takes the certificate off the list again.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        self.reason == Some(REMOVE_FROM_CRL)
    }

    /// The name of the reason.
    #[must_use]
    pub fn reason_name(&self) -> &'static str {
        reason_name(self.reason)
    }
}

/// The name of a reasonCode.
pub(super) fn reason_name(reason: Option<u8>) -> &'static str {
    const NAMES: [&str; 11] = [
        "unspecified",
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "unknown",
        "removeFromCRL",
        "privilegeWithdrawn",
        "aACompromise",
    ];
    reason.and_then(|reason| NAMES.get(usize::from(reason))).copied().unwrap_or("unspecified")
}
