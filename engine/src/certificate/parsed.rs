//! The certificate itself (RFC 5280 section 4.1).

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use time::OffsetDateTime;
use waxseal_key::{DigestAlgorithm, KeyError, SignatureScheme};

use super::extensions::Extensions;
use super::field::Fields as _;
use super::issued::{Issued, IssuerSignature, Parts, slice};
use super::{
    AuthorityKeyIdentifier, BasicConstraints, CertificateError, DistributionPoint, EncodedName, Extension, GeneralName,
    KeyUsage, Name, NameConstraints, PolicyExtensions,
};
use crate::ber::{Cursor, Element, TimeValue, identifier as tag};
use crate::hex::hex;

/// A certificate that was read. Cloning it is cheap.
///
/// Two certificates are equal if their bytes are.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    issued: Issued,
    version: u32,
    serial: Range<u64>,
    issuer: (Name, Range<u64>),
    subject: (Name, Range<u64>),
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    spki: Range<u64>,
    extensions: Extensions,
}

impl Certificate {
    /// Reads one certificate: DER, or the BER that some issuers wrote. The
    /// bytes are kept as they are.
    ///
    /// # Errors
    /// The bytes are no certificate, or more than one; the error tells where.
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        let parts = Parts::read(der, "certificate", "tbsCertificate")?;
        let mut body = parts.tbs.inside();
        let version = match body.optional(tag::context(0), "version")? {
            Some(element) => version(&element.inside().field(tag::INTEGER, "version")?)?,
            None => 1,
        };
        let serial = body.field(tag::INTEGER, "serialNumber")?;
        let inner_algorithm = body.field(tag::SEQUENCE, "signature")?;
        let issuer = body.field(tag::SEQUENCE, "issuer")?;
        let mut validity = body.field(tag::SEQUENCE, "validity")?.inside();
        let not_before = read_time(&validity.any("notBefore")?, "notBefore")?;
        let not_after = read_time(&validity.any("notAfter")?, "notAfter")?;
        let subject = body.field(tag::SEQUENCE, "subject")?;
        let spki = body.field(tag::SEQUENCE, "subjectPublicKeyInfo")?;
        // issuerUniqueID and subjectUniqueID say nothing that anybody uses (RFC 5280 section 4.1.2.8).
        for number in [1, 2] {
            body.optional(tag::context_primitive(number), "unique identifier")?;
        }
        let extensions = match body.optional(tag::context(3), "extensions")? {
            Some(element) => Extensions::read(element.inside().field(tag::SEQUENCE, "extensions")?.inside())?,
            None => Extensions::default(),
        };
        Ok(Self(Arc::new(Parsed {
            issued: parts.places(&inner_algorithm)?,
            version,
            serial: serial.content_range(),
            issuer: (Name::read(&issuer)?, issuer.range()),
            subject: (Name::read(&subject)?, subject.range()),
            not_before,
            not_after,
            spki: spki.range(),
            extensions,
            der: der.to_vec(),
        })))
    }

    /// The bytes as received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The bytes that the issuer signed: tbsCertificate with its tag and length.
    #[must_use]
    pub fn tbs(&self) -> &[u8] {
        self.issuer_signature().tbs
    }

    /// 1, 2 or 3, as people count; larger numbers are kept.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// Content octets of the serial number, as received.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        self.slice(&self.0.serial)
    }

    /// The serial number in lower-case hexadecimal, whole octets, with `-` before
    /// a negative one (RFC 5280 forbids these; they exist).
    #[must_use]
    pub fn serial_hex(&self) -> String {
        hex_integer(self.serial())
    }

    /// The issuer's name.
    #[must_use]
    pub fn issuer_name(&self) -> &Name {
        &self.0.issuer.0
    }

    /// The issuer's name in RFC 4514 form.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.issuer_name().to_string()
    }

    /// The issuer's name as received.
    #[must_use]
    pub fn issuer_der(&self) -> &[u8] {
        self.slice(&self.0.issuer.1)
    }

    /// The subject's name.
    #[must_use]
    pub fn subject_name(&self) -> &Name {
        &self.0.subject.0
    }

    /// The subject's name in RFC 4514 form.
    #[must_use]
    pub fn subject(&self) -> String {
        self.subject_name().to_string()
    }

    /// The subject's name as received.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        self.slice(&self.0.subject.1)
    }

    /// DER of the SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        self.slice(&self.0.spki)
    }

    /// The octets of subjectPublicKey, of which key identifiers are made.
    #[must_use]
    pub fn key_bits(&self) -> Option<&[u8]> {
        let mut fields = Cursor::new(self.spki(), 0).take().ok()??.inside();
        fields.take().ok()?;
        fields.take().ok()?.filter(|bits| bits.identifier() == tag::BIT_STRING)?.bits()
    }

    /// The first second in which the certificate is valid.
    #[must_use]
    pub fn not_before(&self) -> OffsetDateTime {
        self.0.not_before
    }

    /// The last second in which the certificate is valid.
    #[must_use]
    pub fn not_after(&self) -> OffsetDateTime {
        self.0.not_after
    }

    /// Object identifier of the algorithm with which the issuer signed.
    #[must_use]
    pub fn signature_algorithm(&self) -> &str {
        self.issuer_signature().oid
    }

    /// DER of the AlgorithmIdentifier with which the issuer signed.
    #[must_use]
    pub fn signature_algorithm_der(&self) -> &[u8] {
        self.issuer_signature().algorithms[1]
    }

    /// What that algorithm means: the scheme, and the digest if it fixes one;
    /// `None` if it is not known.
    ///
    /// # Errors
    /// Its parameters are damaged (RFC 4055 section 3.1).
    pub fn signature_scheme(&self) -> Result<Option<(SignatureScheme, Option<DigestAlgorithm>)>, KeyError> {
        self.issuer_signature().scheme()
    }

    /// Whether the algorithm that was signed is the one that stands outside
    /// (RFC 5280 section 4.1.1.2: it must be).
    #[must_use]
    pub fn signature_algorithms_agree(&self) -> bool {
        self.issuer_signature().algorithms_agree()
    }

    /// The issuer's signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        self.issuer_signature().value
    }

    /// Every extension, in the order received.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.0.extensions.all
    }

    /// subjectKeyIdentifier.
    #[must_use]
    pub fn ski(&self) -> Option<&[u8]> {
        self.0.extensions.subject_key_identifier.as_deref()
    }

    /// keyIdentifier of authorityKeyIdentifier.
    #[must_use]
    pub fn aki(&self) -> Option<&[u8]> {
        self.authority_key_identifier()?.key_id.as_deref()
    }

    /// authorityKeyIdentifier.
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&AuthorityKeyIdentifier> {
        self.0.extensions.authority_key_identifier.as_ref()
    }

    /// keyUsage; an unreadable one has no bit set.
    #[must_use]
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.0.extensions.key_usage
    }

    /// extendedKeyUsage: object identifiers; an unreadable one is empty.
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<&[String]> {
        self.0.extensions.extended_key_usage.as_deref()
    }

    /// basicConstraints; an unreadable one is that of no authority.
    #[must_use]
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.0.extensions.basic_constraints
    }

    /// subjectAltName; an unreadable one is empty.
    #[must_use]
    pub fn subject_alt_name(&self) -> &[GeneralName] {
        &self.0.extensions.subject_alt_name
    }

    /// nameConstraints.
    #[must_use]
    pub fn name_constraints(&self) -> Option<&NameConstraints> {
        self.0.extensions.name_constraints.as_ref()
    }

    /// cRLDistributionPoints; a point that says nothing where the extension
    /// cannot be read.
    #[must_use]
    pub fn crl_distribution_points(&self) -> &[DistributionPoint] {
        &self.0.extensions.crl_distribution_points
    }

    /// freshestCRL: where delta CRLs are.
    #[must_use]
    pub fn freshest_crl(&self) -> &[DistributionPoint] {
        &self.0.extensions.freshest_crl
    }

    /// Where certificates of its issuer are: URIs of id-ad-caIssuers (RFC 5280
    /// section 4.2.2.1).
    #[must_use]
    pub fn issuer_uris(&self) -> Vec<&str> {
        self.places("1.3.6.1.5.5.7.48.2")
    }

    /// Who answers whether it was revoked: URIs of id-ad-ocsp (RFC 5280
    /// section 4.2.2.1).
    #[must_use]
    pub fn responder_uris(&self) -> Vec<&str> {
        self.places("1.3.6.1.5.5.7.48.1")
    }

    /// The URIs of an access method.
    fn places(&self, method: &str) -> Vec<&str> {
        let all = self.0.extensions.authority_information.iter();
        all.filter(|(found, _)| found == method).filter_map(|(_, place)| place.uri()).collect()
    }

    /// What it says of certificate policies.
    #[must_use]
    pub fn policy_extensions(&self) -> &PolicyExtensions {
        &self.0.extensions.policies
    }

    /// The mail addresses that the certificate names, each once: those of
    /// subjectAltName, then emailAddress of the subject (RFC 8550 section 3).
    #[must_use]
    pub fn emails(&self) -> Vec<String> {
        let alternative = self.subject_alt_name().iter().filter_map(GeneralName::mail_address);
        let mut seen = HashSet::new();
        alternative
            .chain(self.subject_name().emails().iter().map(String::as_str))
            .filter(|address| seen.insert(*address))
            .map(str::to_owned)
            .collect()
    }

    /// Whether subject and issuer have the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject_name() == self.issuer_name()
    }

    /// Whether this is the certificate with this issuer and serial number, as a
    /// CMS IssuerAndSerialNumber names it. The issuer compares as a name, not
    /// byte by byte, because senders re-encode it.
    #[must_use]
    pub fn is_named_by(&self, issuer_der: &[u8], serial: &[u8]) -> bool {
        self.has_serial(serial)
            && (self.issuer_der() == issuer_der
                || Name::parse(issuer_der).is_ok_and(|issuer| issuer == *self.issuer_name()))
    }

    /// As [`Certificate::is_named_by`], for many certificates: the issuer is
    /// parsed at most once, and only if a certificate has the serial number and
    /// another encoding of the issuer.
    #[must_use]
    pub fn is_named(&self, issuer: &EncodedName, serial: &[u8]) -> bool {
        self.has_serial(serial)
            && (self.issuer_der() == &**issuer || issuer.name().is_some_and(|name| name == self.issuer_name()))
    }

    fn has_serial(&self, serial: &[u8]) -> bool {
        trim_integer(self.serial()) == trim_integer(serial)
    }

    /// What the issuer signed, and how.
    pub(super) fn issuer_signature(&self) -> IssuerSignature<'_> {
        self.0.issued.of(self.der())
    }

    fn slice(&self, range: &Range<u64>) -> &[u8] {
        slice(self.der(), range)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl std::hash::Hash for Certificate {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.der().hash(state);
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({:?}, serial {})", self.subject(), self.serial_hex())
    }
}

/// Version ::= INTEGER { v1(0), v2(1), v3(2) }
fn version(element: &Element<'_>) -> Result<u32, CertificateError> {
    match element.content {
        [number @ 0..=0x7f] => Ok(u32::from(*number) + 1),
        _ => Err(CertificateError::encoding(element.offset, "version", "is out of range")),
    }
}

/// An INTEGER without the octets that only repeat its sign.
pub(super) fn trim_integer(mut content: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = content
        && let [second, ..] = rest
        && ((*first == 0 && second & 0x80 == 0) || (*first == 0xff && second & 0x80 != 0))
    {
        content = rest;
    }
    content
}

/// An INTEGER as hexadecimal octets of its magnitude, `-` before a negative one.
pub(crate) fn hex_integer(content: &[u8]) -> String {
    let mut magnitude = trim_integer(content).to_vec();
    let negative = magnitude.first().is_some_and(|octet| octet & 0x80 != 0);
    if negative {
        let mut carry = true;
        for octet in magnitude.iter_mut().rev() {
            (*octet, carry) = (!*octet).overflowing_add(u8::from(carry));
        }
    }
    if magnitude.len() > 1 && magnitude.first() == Some(&0) {
        magnitude.remove(0);
    }
    if negative { format!("-{}", hex(&magnitude)) } else { hex(&magnitude) }
}

pub(super) fn read_time(element: &Element<'_>, what: &'static str) -> Result<OffsetDateTime, CertificateError> {
    match (element.identifier(), TimeValue::of(element)) {
        (tag::UTC_TIME | tag::GENERALIZED_TIME, Some(time)) => Ok(time.at),
        (tag::UTC_TIME | tag::GENERALIZED_TIME, None) => {
            Err(CertificateError::encoding(element.offset, what, "is not a date and time of X.690"))
        }
        _ => Err(CertificateError::encoding(element.offset, what, "is no time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_of_any_sign_and_length() {
        for (content, hex) in [
            (&[0x00, 0x80][..], "80"),
            (&[0x01, 0x00], "0100"),
            (&[0x00], "00"),
            (&[0xff], "-01"),
            (&[0xff, 0x00], "-0100"),
            (&[0x80], "-80"),
            (&[0xff, 0xff, 0x80], "-80"),
            (&[], ""),
        ] {
            assert_eq!(hex_integer(content), hex, "{content:02x?}");
        }
        assert_eq!(trim_integer(&[0, 0, 0x80]), [0, 0x80]);
        assert_eq!(hex_integer(&[0x7f; 40]).len(), 80);
    }

    #[test]
    fn errors_name_field_and_place() {
        let error = |bytes: &[u8]| Certificate::parse(bytes).unwrap_err().to_string();
        assert_eq!(error(&[]), "certificate at offset 0 is missing");
        assert_eq!(error(&[0x30, 2, 0x30, 0]), "signatureAlgorithm at offset 4 is missing");
        assert_eq!(error(&[0x30, 2, 2, 0]), "tbsCertificate at offset 2 has tag 0x02 instead of 0x30");
        assert_eq!(error(&[0x30, 0, 5]), "certificate at offset 2 is followed by more octets");
    }
}
