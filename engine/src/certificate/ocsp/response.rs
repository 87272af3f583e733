//! The answer (RFC 6960 section 4.2).

use std::ops::Range;
use std::sync::Arc;

use time::OffsetDateTime;
use waxseal_key::Arithmetic;

use super::identifier::{Asked, CertId};
use super::{BASIC, NONCE};
use crate::ber::{Cursor, identifier as tag};
use crate::certificate::field::{Fields as _, object_identifier};
use crate::certificate::file::pem_blocks;
use crate::certificate::issued::{Issued, IssuerSignature, Parts, slice};
use crate::certificate::parsed::read_time;
use crate::certificate::{Certificate, CertificateError, Extension, Name};

/// An OCSP response that was read, but for the single responses in it: these
/// are read when a certificate is looked for. Cloning it is cheap.
#[derive(Clone)]
pub struct OcspResponse {
    parsed: Arc<Parsed>,
    /// The nonce of the question.
    asked: Option<Arc<[u8]>>,
}

struct Parsed {
    der: Vec<u8>,
    status: OcspStatus,
    basic: Option<Basic>,
}

/// A BasicOCSPResponse; places are counted from its start.
struct Basic {
    /// Where it is in the response.
    place: Range<u64>,
    issued: Issued,
    responder: Responder,
    produced_at: OffsetDateTime,
    /// Content of responses.
    responses: Range<u64>,
    nonce: Option<Vec<u8>>,
    /// A critical extension that is not known.
    unknown: Option<String>,
    certificates: Vec<Certificate>,
}

/// responseStatus (RFC 6960 section 4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OcspStatus {
    /// There is an answer.
    Successful,
    /// malformedRequest.
    MalformedRequest,
    /// internalError.
    InternalError,
    /// tryLater.
    TryLater,
    /// sigRequired: the question has to be signed.
    SignatureRequired,
    /// unauthorized: whoever asks may not, or the responder does not know the issuer (RFC 5019 section 2.2.3).
    Unauthorized,
    /// Another number.
    Other(u8),
}

impl OcspStatus {
    const fn of(number: u8) -> Self {
        match number {
            0 => Self::Successful,
            1 => Self::MalformedRequest,
            2 => Self::InternalError,
            3 => Self::TryLater,
            5 => Self::SignatureRequired,
            6 => Self::Unauthorized,
            other => Self::Other(other),
        }
    }
}

/// As RFC 6960 calls it.
impl std::fmt::Display for OcspStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Successful => "successful",
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SignatureRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
            Self::Other(number) => return write!(f, "status {number}"),
        })
    }
}

/// responderID: who says to have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Responder {
    /// byName: the subject of its certificate.
    Name(Name),
    /// byKey: SHA-1 of its public key.
    Key(Vec<u8>),
}

/// For a person.
impl std::fmt::Display for Responder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Key(key) => write!(f, "the key {}", crate::hex::hex(key)),
        }
    }
}

/// What is said of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleResponse {
    /// Whether it was revoked.
    pub status: CertificateStatus,
    /// When this was known to be so.
    pub this_update: OffsetDateTime,
    /// By when there is newer information.
    pub next_update: Option<OffsetDateTime>,
    /// A critical extension that is not known.
    pub unknown: Option<String>,
}

/// certStatus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateStatus {
    /// It was not revoked, as far as the responder knows.
    Good,
    /// It was.
    Revoked {
        /// When.
        at: OffsetDateTime,
        /// Why: a number of RFC 5280 section 5.3.1.
        reason: Option<u8>,
    },
    /// The responder does not know it.
    Unknown,
}

impl OcspResponse {
    /// Reads an OCSPResponse in DER.
    ///
    /// # Errors
    /// The octets are none, or have an answer of another type than
    /// id-pkix-ocsp-basic; the error tells where.
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        let mut input = Cursor::new(der, 0);
        let mut fields = input.field(tag::SEQUENCE, "OCSPResponse")?.inside();
        if !input.is_empty() {
            return Err(CertificateError::encoding(input.offset(), "OCSPResponse", "is followed by more octets"));
        }
        let status = fields.field(tag::ENUMERATED, "responseStatus")?;
        let status = match status.content {
            [number] => OcspStatus::of(*number),
            _ => return Err(CertificateError::encoding(status.offset, "responseStatus", "is out of range")),
        };
        let basic = match fields.optional(tag::context(0), "responseBytes")? {
            Some(bytes) if status == OcspStatus::Successful => {
                let mut bytes = bytes.inside().field(tag::SEQUENCE, "responseBytes")?.inside();
                let kind = bytes.field(tag::OID, "responseType")?;
                if object_identifier(&kind)? != BASIC {
                    return Err(CertificateError::encoding(kind.offset, "responseType", "is not id-pkix-ocsp-basic"));
                }
                let octets = bytes.field(tag::OCTET_STRING, "response")?;
                Some(Basic::read(octets.content, octets.content_range())?)
            }
            _ => None,
        };
        if status == OcspStatus::Successful && basic.is_none() {
            return Err(CertificateError::encoding(0, "OCSPResponse", "is successful and has no responseBytes"));
        }
        Ok(Self { parsed: Arc::new(Parsed { der: der.to_vec(), status, basic }), asked: None })
    }

    /// Reads the response of a file: DER, or a PEM block "OCSP RESPONSE".
    ///
    /// # Errors
    /// There is none in it, or one that is damaged.
    pub fn from_file(bytes: &[u8]) -> Result<Self, CertificateError> {
        if bytes.first() == Some(&tag::SEQUENCE) {
            return Self::parse(bytes);
        }
        let [block] =
            pem_blocks(bytes, "OCSP RESPONSE")?.try_into().map_err(|_| CertificateError::NotAnOcspResponse)?;
        Self::parse(&block)
    }

    /// The same response as the answer to a question with this nonce: it then
    /// has to repeat it (RFC 6960 section 4.4.1).
    #[must_use]
    pub fn answering(self, nonce: &[u8]) -> Self {
        Self { asked: Some(nonce.into()), ..self }
    }

    /// The octets as received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.parsed.der
    }

    /// Whether there is an answer.
    #[must_use]
    pub fn status(&self) -> OcspStatus {
        self.parsed.status
    }

    /// Who says to have signed it.
    #[must_use]
    pub fn responder(&self) -> Option<&Responder> {
        self.basic().map(|basic| &basic.responder)
    }

    /// When it was signed.
    #[must_use]
    pub fn produced_at(&self) -> Option<OffsetDateTime> {
        self.basic().map(|basic| basic.produced_at)
    }

    /// By when there is newer information about everything in it; `None` if it
    /// does not say that of each, or cannot be read.
    #[must_use]
    pub fn next_update(&self) -> Option<OffsetDateTime> {
        let mut list = self.singles()?;
        let mut first: Option<OffsetDateTime> = None;
        while !list.is_empty() {
            let mut fields = list.field(tag::SEQUENCE, "SingleResponse").ok()?.inside();
            CertId::read(&mut fields).ok()?;
            let next = SingleResponse::read(fields).ok()?.next_update?;
            first = Some(first.map_or(next, |first| first.min(next)));
        }
        first
    }

    /// The nonce in it.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        self.basic()?.nonce.as_deref()
    }

    /// The nonce that it has to have, and has not.
    #[must_use]
    pub(in crate::certificate) fn lacks_nonce(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| self.nonce() != Some(asked))
    }

    /// Certificates that came with it: nothing in them is trusted.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        self.basic().map_or(&[], |basic| &basic.certificates)
    }

    /// A critical extension that is not known.
    #[must_use]
    pub fn unknown_critical_extension(&self) -> Option<&str> {
        self.basic()?.unknown.as_deref()
    }

    /// What it says of a certificate, the newest if it says several things;
    /// `None` if it is about others. All of it is read.
    ///
    /// # Errors
    /// It is damaged, at the place that the error tells.
    pub fn about(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        arithmetic: &Arithmetic,
    ) -> Result<Option<SingleResponse>, CertificateError> {
        let Some(mut list) = self.singles() else { return Ok(None) };
        let mut asked = Asked::new(certificate, issuer, arithmetic);
        let mut newest: Option<SingleResponse> = None;
        while !list.is_empty() {
            let mut fields = list.field(tag::SEQUENCE, "SingleResponse")?.inside();
            if !asked.is_meant(&CertId::read(&mut fields)?) {
                continue;
            }
            let found = SingleResponse::read(fields)?;
            if newest.as_ref().is_none_or(|newest| newest.this_update < found.this_update) {
                newest = Some(found);
            }
        }
        Ok(newest)
    }

    /// What the responder signed, and how.
    pub(in crate::certificate) fn signature(&self) -> Option<IssuerSignature<'_>> {
        let basic = self.basic()?;
        Some(basic.issued.of(slice(&self.parsed.der, &basic.place)))
    }

    /// A cursor over the single responses.
    fn singles(&self) -> Option<Cursor<'_>> {
        let basic = self.basic()?;
        let octets = slice(&self.parsed.der, &basic.place);
        Some(Cursor::new(slice(octets, &basic.responses), basic.responses.start))
    }

    fn basic(&self) -> Option<&Basic> {
        self.parsed.basic.as_ref()
    }
}

impl std::fmt::Debug for OcspResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OcspResponse({}, {:?})", self.status(), self.responder().map(ToString::to_string))
    }
}

impl Basic {
    fn read(octets: &[u8], place: Range<u64>) -> Result<Self, CertificateError> {
        let mut parts = Parts::read(octets, "BasicOCSPResponse", "tbsResponseData")?;
        let mut body = parts.tbs.inside();
        body.optional(tag::context(0), "version")?;
        let responder = body.any("responderID")?;
        let responder = match responder.identifier() {
            0xa1 => Responder::Name(Name::read(&responder.inside().field(tag::SEQUENCE, "responderID")?)?),
            0xa2 => Responder::Key(responder.inside().field(tag::OCTET_STRING, "responderID")?.content.to_vec()),
            _ => return Err(CertificateError::encoding(responder.offset, "responderID", "has an unknown tag")),
        };
        let produced_at = read_time(&body.field(tag::GENERALIZED_TIME, "producedAt")?, "producedAt")?;
        let responses = body.field(tag::SEQUENCE, "responses")?.content_range();
        let (mut nonce, mut unknown) = (None, None);
        if let Some(extensions) = body.optional(tag::context(1), "responseExtensions")? {
            each_extension(extensions.inside(), "responseExtensions", |extension| {
                if extension.oid == NONCE {
                    nonce = Some(nonce_value(&extension.value));
                } else if extension.critical {
                    unknown = Some(extension.oid);
                }
            })?;
        }
        let mut certificates = Vec::new();
        if let Some(list) = parts.after.optional(tag::context(0), "certs")? {
            let mut list = list.inside().field(tag::SEQUENCE, "certs")?.inside();
            while !list.is_empty() {
                certificates.push(Certificate::parse(list.field(tag::SEQUENCE, "certificate")?.whole)?);
            }
        }
        // Only certificates and CRLs repeat the algorithm inside of what is signed.
        let issued = parts.places(&parts.algorithm)?;
        Ok(Self { place, issued, responder, produced_at, responses, nonce, unknown, certificates })
    }
}

impl SingleResponse {
    /// Reads what follows the CertID.
    fn read(mut fields: Cursor<'_>) -> Result<Self, CertificateError> {
        let status = fields.any("certStatus")?;
        let status = match status.identifier() {
            0x80 => CertificateStatus::Good,
            0xa1 => {
                let mut revoked = status.inside();
                let at = read_time(&revoked.field(tag::GENERALIZED_TIME, "revocationTime")?, "revocationTime")?;
                let reason = match revoked.optional(tag::context(0), "revocationReason")? {
                    Some(reason) => reason.inside().field(tag::ENUMERATED, "revocationReason")?.content.last().copied(),
                    None => None,
                };
                CertificateStatus::Revoked { at, reason }
            }
            0x82 => CertificateStatus::Unknown,
            _ => return Err(CertificateError::encoding(status.offset, "certStatus", "has an unknown tag")),
        };
        let this_update = read_time(&fields.field(tag::GENERALIZED_TIME, "thisUpdate")?, "thisUpdate")?;
        let next_update = match fields.optional(tag::context(0), "nextUpdate")? {
            Some(next) => Some(read_time(&next.inside().field(tag::GENERALIZED_TIME, "nextUpdate")?, "nextUpdate")?),
            None => None,
        };
        let mut unknown = None;
        if let Some(extensions) = fields.optional(tag::context(1), "singleExtensions")? {
            each_extension(extensions.inside(), "singleExtensions", |extension| {
                if extension.critical {
                    unknown = Some(extension.oid);
                }
            })?;
        }
        Ok(Self { status, this_update, next_update, unknown })
    }
}

fn each_extension(
    mut outer: Cursor<'_>,
    what: &'static str,
    mut take: impl FnMut(Extension),
) -> Result<(), CertificateError> {
    let mut list = outer.field(tag::SEQUENCE, what)?.inside();
    while !list.is_empty() {
        take(Extension::read(&mut list)?);
    }
    Ok(())
}

/// Nonce ::= OCTET STRING (RFC 9654 section 2.1); before RFC 6960 nobody said
/// so, and some put the bare octets there (RFC 2560 section 4.4.1).
fn nonce_value(value: &[u8]) -> Vec<u8> {
    let mut fields = Cursor::new(value, 0);
    match fields.field(tag::OCTET_STRING, "nonce") {
        Ok(nonce) if fields.is_empty() => nonce.content.to_vec(),
        _ => value.to_vec(),
    }
}
