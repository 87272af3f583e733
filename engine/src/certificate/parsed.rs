//! The certificate itself (RFC 5280 section 4.1).

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use super::cursor::{Cursor, Element, tag};
use super::extensions::Extensions;
use super::{
    AuthorityKeyIdentifier, BasicConstraints, CertificateError, Extension, GeneralName, KeyUsage, Name, NameConstraints,
};

/// A certificate that was read. Cloning it is cheap.
///
/// Two certificates are equal if their bytes are.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    tbs: Range<usize>,
    version: u32,
    serial: Range<usize>,
    issuer: (Name, Range<usize>),
    subject: (Name, Range<usize>),
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    spki: Range<usize>,
    /// AlgorithmIdentifier inside and outside of what is signed.
    algorithms: [Range<usize>; 2],
    signature_oid: String,
    signature: Range<usize>,
    extensions: Extensions,
}

impl Certificate {
    /// Reads one certificate: DER, or the BER that some issuers wrote. The
    /// bytes are kept as they are.
    ///
    /// # Errors
    /// The bytes are no certificate, or more than one; the error tells where.
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        let mut input = Cursor::new(der);
        let outer = input.expect(tag::SEQUENCE, "certificate")?;
        if !input.is_empty() {
            return Err(CertificateError::encoding(input.offset(), "certificate", "is followed by more octets"));
        }
        let mut fields = outer.children();
        let tbs = fields.expect(tag::SEQUENCE, "tbsCertificate")?;
        let outer_algorithm = fields.expect(tag::SEQUENCE, "signatureAlgorithm")?;
        let signature = fields.expect(tag::BIT_STRING, "signatureValue")?;

        let mut body = tbs.children();
        let version = match body.optional(tag::context_constructed(0), "version")? {
            Some(element) => version(&element.children().expect(tag::INTEGER, "version")?)?,
            None => 1,
        };
        let serial = body.expect(tag::INTEGER, "serialNumber")?;
        let inner_algorithm = body.expect(tag::SEQUENCE, "signature")?;
        let issuer = body.expect(tag::SEQUENCE, "issuer")?;
        let mut validity = body.expect(tag::SEQUENCE, "validity")?.children();
        let not_before = read_time(&validity.next("notBefore")?, "notBefore")?;
        let not_after = read_time(&validity.next("notAfter")?, "notAfter")?;
        let subject = body.expect(tag::SEQUENCE, "subject")?;
        let spki = body.expect(tag::SEQUENCE, "subjectPublicKeyInfo")?;
        // issuerUniqueID and subjectUniqueID say nothing that anybody uses (RFC 5280 section 4.1.2.8).
        for number in [1, 2] {
            body.optional(tag::context(number), "unique identifier")?;
        }
        let extensions = match body.optional(tag::context_constructed(3), "extensions")? {
            Some(element) => Extensions::read(element.children().expect(tag::SEQUENCE, "extensions")?.children())?,
            None => Extensions::default(),
        };
        let bits = signature.bits()?.len();
        let signature = signature.content_range();
        Ok(Self(Arc::new(Parsed {
            tbs: tbs.range(),
            version,
            serial: serial.content_range(),
            issuer: (Name::read(&issuer)?, issuer.range()),
            subject: (Name::read(&subject)?, subject.range()),
            not_before,
            not_after,
            spki: spki.range(),
            algorithms: [inner_algorithm.range(), outer_algorithm.range()],
            signature_oid: outer_algorithm.children().expect(tag::OID, "signatureAlgorithm")?.oid()?,
            signature: signature.end - bits..signature.end,
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
        self.slice(&self.0.tbs)
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
        &self.0.signature_oid
    }

    /// DER of the AlgorithmIdentifier with which the issuer signed.
    #[must_use]
    pub fn signature_algorithm_der(&self) -> &[u8] {
        self.slice(&self.0.algorithms[1])
    }

    /// Whether the algorithm that was signed is the one that stands outside
    /// (RFC 5280 section 4.1.1.2: it must be).
    #[must_use]
    pub fn signature_algorithms_agree(&self) -> bool {
        self.slice(&self.0.algorithms[0]) == self.slice(&self.0.algorithms[1])
    }

    /// The issuer's signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        self.slice(&self.0.signature)
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
        trim_integer(self.serial()) == trim_integer(serial)
            && (self.issuer_der() == issuer_der
                || Name::parse(issuer_der).is_ok_and(|issuer| issuer == *self.issuer_name()))
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.0.der.get(range.clone()).unwrap_or_default()
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
fn trim_integer(mut content: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = content
        && let [second, ..] = rest
        && ((*first == 0 && second & 0x80 == 0) || (*first == 0xff && second & 0x80 != 0))
    {
        content = rest;
    }
    content
}

/// An INTEGER as hexadecimal octets of its magnitude, `-` before a negative one.
fn hex_integer(content: &[u8]) -> String {
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
    let hex: String = magnitude.iter().map(|octet| format!("{octet:02x}")).collect();
    if negative { format!("-{hex}") } else { hex }
}

/// UTCTime or GeneralizedTime; seconds and an offset from UTC may stand as in
/// BER, fractions of a second are dropped.
fn read_time(element: &Element<'_>, what: &'static str) -> Result<OffsetDateTime, CertificateError> {
    let year_digits = match element.tag {
        tag::UTC_TIME => 2,
        tag::GENERALIZED_TIME => 4,
        _ => return Err(CertificateError::encoding(element.offset, what, "is no time")),
    };
    time_of(element.content, year_digits)
        .ok_or_else(|| CertificateError::encoding(element.offset, what, "is not a date and time of X.690"))
}

fn time_of(text: &[u8], year_digits: usize) -> Option<OffsetDateTime> {
    let mut rest = text;
    let mut number = |digits: usize| {
        let (head, tail) = rest.split_at_checked(digits)?;
        rest = tail;
        head.iter().try_fold(0_u16, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u16::from(digit - b'0')))
    };
    let year = match number(year_digits)? {
        // RFC 5280 section 4.1.2.5.1: 50 to 99 are of the twentieth century.
        year @ 50..=99 if year_digits == 2 => year + 1900,
        year if year_digits == 2 => year + 2000,
        year => year,
    };
    let [month, day, hour, minute] =
        [number(2)?, number(2)?, number(2)?, number(2)?].map(|part| u8::try_from(part).ok());
    let mut second = 0;
    if rest.first().is_some_and(u8::is_ascii_digit) {
        (second, rest) = (two_digits(rest)?, rest.get(2..)?);
    }
    if let [b'.' | b',', fraction @ ..] = rest {
        let digits = fraction.iter().take_while(|octet| octet.is_ascii_digit()).count();
        rest = fraction.get(digits..)?;
    }
    let offset = match rest {
        [b'Z'] => UtcOffset::UTC,
        [sign @ (b'+' | b'-'), digits @ ..] if digits.len() == 4 => {
            let sign = if *sign == b'-' { -1 } else { 1 };
            let part = |at: usize| Some(sign * i8::try_from(two_digits(digits.get(at..)?)?).ok()?);
            UtcOffset::from_hms(part(0)?, part(2)?, 0).ok()?
        }
        _ => return None,
    };
    let date = Date::from_calendar_date(i32::from(year), Month::try_from(month?).ok()?, day?).ok()?;
    let time = Time::from_hms(hour?, minute?, second.min(59)).ok()?;
    OffsetDateTime::new_in_offset(date, time, offset).checked_to_offset(UtcOffset::UTC)
}

/// The number that the first two octets write.
fn two_digits(text: &[u8]) -> Option<u8> {
    match text {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', ..] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_of_both_types() {
        for (text, digits, expected) in [
            ("491231235959Z", 2, Some(datetime!(2049-12-31 23:59:59 UTC))),
            ("500101000000Z", 2, Some(datetime!(1950-01-01 00:00:00 UTC))),
            ("9912312359Z", 2, Some(datetime!(1999-12-31 23:59:00 UTC))),
            ("990101010000+0200", 2, Some(datetime!(1998-12-31 23:00:00 UTC))),
            ("99991231235959Z", 4, Some(datetime!(9999-12-31 23:59:59 UTC))),
            ("20300101000000.5Z", 4, Some(datetime!(2030-01-01 00:00:00 UTC))),
            ("99991231235959-0100", 4, None),
            ("20300230000000Z", 4, None),
            ("300101000000", 2, None),
            ("30010100000", 2, None),
            ("", 2, None),
        ] {
            assert_eq!(time_of(text.as_bytes(), digits), expected, "{text}");
        }
    }

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
