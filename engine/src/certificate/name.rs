//! Distinguished names: shown as RFC 4514 writes them, compared as RFC 5280
//! section 7.1 says.

use std::fmt::Write as _;
use std::sync::OnceLock;

use super::CertificateError;
use super::field::{Fields as _, object_identifier};
use crate::ber::{Cursor, Element, identifier as tag};
use crate::hex::hex;

/// The attribute type emailAddress of PKCS#9.
const EMAIL_ADDRESS: &str = "1.2.840.113549.1.9.1";

/// Short names of attribute types: those of RFC 4514 section 3, then those that
/// the IANA registry of LDAP descriptors adds and certificates use.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    (EMAIL_ADDRESS, "emailAddress"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.20", "telephoneNumber"),
    ("2.5.4.41", "name"),
    ("2.5.4.42", "givenName"),
    ("2.5.4.43", "initials"),
    ("2.5.4.44", "generationQualifier"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.65", "pseudonym"),
    ("2.5.4.97", "organizationIdentifier"),
];

/// A distinguished name, read once: its text and the form in which it compares.
///
/// Two names are equal if their attributes are, whatever string type they were
/// written in, with case folded, white space at the ends dropped and inside
/// reduced to one space (RFC 5280 section 7.1). The compatibility
/// normalisation (NFKC) of RFC 4518 is not done: names that differ only by it
/// count as different.
#[derive(Debug, Clone)]
pub struct Name {
    text: String,
    comparable: Vec<String>,
    emails: Vec<String>,
}

impl Name {
    /// Reads the DER (or BER) of a Name.
    ///
    /// # Errors
    /// The bytes are no Name; the error tells where.
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        let mut cursor = Cursor::new(der, 0);
        let name = Self::read(&cursor.field(tag::SEQUENCE, "name")?)?;
        if cursor.is_empty() {
            Ok(name)
        } else {
            Err(CertificateError::encoding(cursor.offset(), "name", "is followed by more octets"))
        }
    }

    /// Reads the elements of an RDNSequence, whose own tag may be another.
    pub(super) fn read(sequence: &Element<'_>) -> Result<Self, CertificateError> {
        let mut texts = Vec::new();
        let mut comparable = Vec::new();
        let mut emails = Vec::new();
        let mut rdns = sequence.inside();
        while !rdns.is_empty() {
            let rdn = Self::of_rdn(&rdns.field(tag::SET, "relative distinguished name")?)?;
            texts.push(rdn.text);
            comparable.extend(rdn.comparable);
            emails.extend(rdn.emails);
        }
        texts.reverse();
        Ok(Self { text: texts.join(","), comparable, emails })
    }

    /// Reads one RelativeDistinguishedName, whose own tag may be another.
    pub(super) fn of_rdn(set: &Element<'_>) -> Result<Self, CertificateError> {
        let mut attributes = set.inside();
        let mut emails = Vec::new();
        let mut shown = Vec::new();
        let mut compared = Vec::new();
        while !attributes.is_empty() {
            let mut parts = attributes.field(tag::SEQUENCE, "name attribute")?.inside();
            let oid = object_identifier(&parts.field(tag::OID, "type of a name attribute")?)?;
            let value = parts.any("value of a name attribute")?;
            let text = string(&value);
            if oid == EMAIL_ADDRESS
                && let Some(address) = &text
            {
                emails.push(address.clone());
            }
            shown.push(show(&oid, text.as_deref(), value.whole));
            compared.push(comparable_attribute(&oid, text.as_deref(), value.whole));
        }
        compared.sort_unstable();
        Ok(Self { text: shown.join("+"), comparable: vec![compared.concat()], emails })
    }

    /// This name with another below it.
    pub(super) fn with(&self, below: &Self) -> Self {
        let texts = [below.text.as_str(), &self.text];
        Self {
            text: texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(","),
            comparable: [self.comparable.as_slice(), &below.comparable].concat(),
            emails: [self.emails.as_slice(), &below.emails].concat(),
        }
    }

    /// The values of emailAddress attributes, first to last.
    #[must_use]
    pub fn emails(&self) -> &[String] {
        &self.emails
    }

    /// Whether the name has no attribute at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.comparable.is_empty()
    }

    /// Whether `base` is this name or one above it in the directory
    /// (RFC 5280 section 7.1: the subtree test of name constraints).
    #[must_use]
    pub fn is_within(&self, base: &Self) -> bool {
        self.comparable.starts_with(&base.comparable)
    }
}

/// A name as somebody encoded it who refers to a certificate. It is parsed when
/// that is first asked for, and only once.
#[derive(Debug, Clone)]
pub struct EncodedName {
    der: Vec<u8>,
    name: OnceLock<Option<Name>>,
}

impl EncodedName {
    /// The name; `None` if the octets are none.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.name.get_or_init(|| Name::parse(&self.der).ok()).as_ref()
    }
}

impl From<Vec<u8>> for EncodedName {
    fn from(der: Vec<u8>) -> Self {
        Self { der, name: OnceLock::new() }
    }
}

/// The octets as received.
impl std::ops::Deref for EncodedName {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.der
    }
}

/// Equal are the octets.
impl PartialEq for EncodedName {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for EncodedName {}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.comparable == other.comparable
    }
}

impl Eq for Name {}

impl std::hash::Hash for Name {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.comparable.hash(state);
    }
}

/// The RFC 4514 form: last relative distinguished name first.
impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text of any ASN.1 string type, or `None` for another type or broken text.
///
/// TeletexString is read as Latin-1: that is what issuers wrote into it.
pub(super) fn string(value: &Element<'_>) -> Option<String> {
    let octets = value.content;
    match value.identifier() {
        tag::UTF8_STRING => std::str::from_utf8(octets).ok().map(str::to_owned),
        tag::NUMERIC_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING | tag::VISIBLE_STRING => {
            Some(ascii_or_latin1(octets))
        }
        tag::TELETEX_STRING | tag::GENERAL_STRING => Some(ascii_or_latin1(octets)),
        tag::BMP_STRING => {
            let (units, []) = octets.as_chunks::<2>() else { return None };
            char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit))).collect::<Result<_, _>>().ok()
        }
        tag::UNIVERSAL_STRING => {
            let (units, []) = octets.as_chunks::<4>() else { return None };
            units.iter().map(|unit| char::from_u32(u32::from_be_bytes(*unit))).collect()
        }
        _ => None,
    }
}

/// Text of a one-octet string type. Issuers put UTF-8 and Latin-1 into types
/// that allow only ASCII; what is not UTF-8 is Latin-1.
pub(super) fn ascii_or_latin1(octets: &[u8]) -> String {
    std::str::from_utf8(octets).map_or_else(|_| octets.iter().copied().map(char::from).collect(), str::to_owned)
}

/// One attribute as RFC 4514 section 2 writes it.
fn show(oid: &str, text: Option<&str>, der: &[u8]) -> String {
    let short = SHORT_NAMES.iter().find(|(known, _)| *known == oid).map(|(_, name)| *name);
    match (short, text) {
        (Some(name), Some(text)) => format!("{name}={}", escape(text)),
        (name, _) => {
            format!("{}=#{}", name.unwrap_or(oid), hex(der))
        }
    }
}

/// RFC 4514 section 2.4; control characters too, so that a name cannot drive a
/// terminal.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (index, c) in text.chars().enumerate() {
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', c]),
            '#' if index == 0 => escaped.push_str("\\#"),
            ' ' if index == 0 || index == last => escaped.push_str("\\ "),
            c if c.is_control() => {
                for octet in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(escaped, "\\{octet:02x}");
                }
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// One attribute in the form in which attributes compare. Lengths stand before
/// values, so that no value can imitate another attribute.
fn comparable_attribute(oid: &str, text: Option<&str>, der: &[u8]) -> String {
    match text {
        Some(text) => {
            let folded = fold(text);
            format!("{oid}={}:{folded};", folded.len())
        }
        None => format!("{oid}#{}:{}", der.len(), hex(der)),
    }
}

/// Case folded, white space at the ends dropped, inside reduced to one space.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase));
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    /// A name of one-attribute RDNs: last octet of 2.5.4.x, string tag, value.
    fn name(attributes: &[(u8, u8, &[u8])]) -> Name {
        let rdns: Vec<u8> = attributes
            .iter()
            .flat_map(|(kind, tag, value)| {
                let pair = [element(tag::OID, &[0x55, 4, *kind]), element(*tag, value)].concat();
                element(tag::SET, &element(tag::SEQUENCE, &pair))
            })
            .collect();
        Name::parse(&element(tag::SEQUENCE, &rdns)).unwrap()
    }

    #[test]
    fn shown_last_first_and_escaped() {
        let shown = name(&[
            (6, tag::PRINTABLE_STRING, b"DE"),
            (10, tag::UTF8_STRING, b" a,b\n"),
            (3, tag::UTF8_STRING, b"#x+"),
        ]);
        assert_eq!(shown.to_string(), r"CN=\#x\+,O=\ a\,b\0a,C=DE");
        assert_eq!(name(&[(99, tag::IA5_STRING, b"x")]).to_string(), "2.5.4.99=#160178");
        assert_eq!(name(&[(3, tag::UTF8_STRING, b"\xff")]).to_string(), "CN=#0c01ff");
        assert_eq!(name(&[]).to_string(), "");
        assert!(name(&[]).is_empty());
    }

    #[test]
    fn string_types_case_and_white_space_do_not_matter() {
        let printable = name(&[(3, tag::PRINTABLE_STRING, b"Alice  Lovelace ")]);
        assert_eq!(printable, name(&[(3, tag::UTF8_STRING, b"alice lovelace")]));
        assert_eq!(
            printable,
            name(&[(
                3,
                tag::BMP_STRING,
                &"ALICE Lovelace".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()
            )])
        );
        assert_eq!(
            name(&[(3, tag::TELETEX_STRING, b"M\xfcller")]),
            name(&[(3, tag::UTF8_STRING, "MÜLLER".as_bytes())])
        );
        assert_ne!(printable, name(&[(3, tag::UTF8_STRING, b"alicelovelace")]));
        assert_ne!(printable, name(&[(10, tag::UTF8_STRING, b"alice lovelace")]));
    }

    #[test]
    fn order_of_relative_names_matters_and_subtrees_are_prefixes() {
        let c = (6, tag::PRINTABLE_STRING, b"DE".as_slice());
        let o = (10, tag::UTF8_STRING, b"Org".as_slice());
        assert_ne!(name(&[c, o]), name(&[o, c]));
        assert!(name(&[c, o]).is_within(&name(&[c])));
        assert!(name(&[c, o]).is_within(&name(&[])));
        assert!(!name(&[c]).is_within(&name(&[c, o])));
        assert!(!name(&[c, o]).is_within(&name(&[o])));
    }

    #[test]
    fn an_encoded_name_is_parsed_when_asked_for_and_once() {
        let encoded = EncodedName::from(vec![0x30, 0]);
        assert!(encoded.name.get().is_none());
        assert!(std::ptr::eq(encoded.name().unwrap(), encoded.name().unwrap()));
        assert_eq!((&*encoded, encoded.name().unwrap()), ([0x30, 0].as_slice(), &name(&[])));
        assert!(EncodedName::from(vec![0x30, 1]).name().is_none());
        // In the shape of a certificate's name, but with another string type.
        let [utf8, printable] = [tag::UTF8_STRING, tag::PRINTABLE_STRING].map(|kind| {
            let pair = [element(tag::OID, &[0x55, 4, 3]), element(kind, b"CA")].concat();
            element(tag::SEQUENCE, &element(tag::SET, &element(tag::SEQUENCE, &pair)))
        });
        let time = || element(tag::UTC_TIME, b"200101000000Z");
        let algorithm = || element(tag::SEQUENCE, &element(tag::OID, &[0x2a, 3]));
        let tbs = [
            element(tag::INTEGER, &[7]),
            algorithm(),
            utf8.clone(),
            element(tag::SEQUENCE, &[time(), time()].concat()),
            utf8.clone(),
            element(tag::SEQUENCE, &[]),
        ];
        let body = [element(tag::SEQUENCE, &tbs.concat()), algorithm(), element(tag::BIT_STRING, &[0])].concat();
        let certificate = super::super::Certificate::parse(&element(tag::SEQUENCE, &body)).unwrap();
        let parsed_for = |der: &[u8], serial: &[u8]| {
            let wanted = EncodedName::from(der.to_vec());
            let named = certificate.is_named(&wanted, serial);
            assert_eq!(named, certificate.is_named_by(der, serial));
            (named, wanted.name.get().is_some())
        };
        assert_eq!(parsed_for(&utf8, &[0, 7]), (true, false));
        assert_eq!(parsed_for(&printable, &[8]), (false, false));
        assert_eq!(parsed_for(&printable, &[7]), (true, true));
        assert_eq!(parsed_for(&[0x30, 0], &[7]), (false, true));
    }

    #[test]
    fn a_value_cannot_imitate_another_attribute() {
        let one = name(&[(3, tag::UTF8_STRING, b"a;2.5.4.10=1:b;")]);
        assert_ne!(one, name(&[(3, tag::UTF8_STRING, b"a"), (10, tag::UTF8_STRING, b"b")]));
    }
}
