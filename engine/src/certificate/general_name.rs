//! GeneralName (RFC 5280 section 4.2.1.6): what a certificate calls its subject
//! beside the distinguished name.

use super::CertificateError;
use super::field::{Fields as _, object_identifier};
use super::name::{Name, ascii_or_latin1};
use crate::ber::{Cursor, Element, identifier as tag};

/// The otherName type SmtpUTF8Mailbox (RFC 9598 section 3).
const SMTP_UTF8_MAILBOX: &str = "1.3.6.1.5.5.7.8.9";

/// One name of a subjectAltName.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeneralName {
    /// rfc822Name: a mail address in ASCII.
    Rfc822(String),
    /// SmtpUTF8Mailbox: a mail address whose local part is not ASCII (RFC 9598).
    SmtpUtf8Mailbox(String),
    /// dNSName.
    Dns(String),
    /// uniformResourceIdentifier.
    Uri(String),
    /// iPAddress: 4 or 16 octets; in a name constraint followed by as many of the mask.
    Ip(Vec<u8>),
    /// directoryName.
    Directory(Name),
    /// registeredID, in dotted form.
    RegisteredId(String),
    /// An otherName of another type: its object identifier in dotted form.
    Other(String),
    /// x400Address or ediPartyName, by tag number.
    Unread(u8),
}

impl GeneralName {
    /// Reads one GeneralName.
    pub(super) fn read(element: &Element<'_>) -> Result<Self, CertificateError> {
        let text = || ascii_or_latin1(element.content);
        Ok(match element.identifier() {
            0xa0 => other_name(element.inside())?,
            0x81 => Self::Rfc822(text()),
            0x82 => Self::Dns(text()),
            // directoryName is explicitly tagged, because Name is a CHOICE.
            0xa4 => Self::Directory(Name::read(&element.inside().field(tag::SEQUENCE, "directoryName")?)?),
            0x86 => Self::Uri(text()),
            0x87 => Self::Ip(element.content.to_vec()),
            0x88 => Self::RegisteredId(object_identifier(element)?),
            0xa3 | 0xa5 => Self::Unread(element.identifier() & 0x1f),
            _ => return Err(CertificateError::encoding(element.offset, "general name", "has an unknown tag")),
        })
    }

    /// The mail address, if this name is one.
    #[must_use]
    pub fn mail_address(&self) -> Option<&str> {
        match self {
            Self::Rfc822(address) | Self::SmtpUtf8Mailbox(address) => Some(address),
            _ => None,
        }
    }

    /// The URI, if this name is one.
    #[must_use]
    pub fn uri(&self) -> Option<&str> {
        match self {
            Self::Uri(uri) => Some(uri),
            _ => None,
        }
    }
}

/// For a person: the name itself, with its kind where it would not tell it.
impl std::fmt::Display for GeneralName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rfc822(text) | Self::SmtpUtf8Mailbox(text) | Self::Dns(text) | Self::Uri(text) => f.write_str(text),
            Self::Ip(octets) => write!(f, "ip={}", crate::hex::hex(octets)),
            Self::Directory(name) => name.fmt(f),
            Self::RegisteredId(oid) => write!(f, "oid={oid}"),
            Self::Other(kind) => write!(f, "otherName of type {kind}"),
            Self::Unread(tag) => write!(f, "[{tag}]"),
        }
    }
}

/// All names of a GeneralNames SEQUENCE.
pub(crate) fn read_general_names(mut list: Cursor<'_>) -> Result<Vec<GeneralName>, CertificateError> {
    let mut names = Vec::new();
    while !list.is_empty() {
        names.push(GeneralName::read(&list.any("general name")?)?);
    }
    Ok(names)
}

/// OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY }
fn other_name(mut fields: Cursor<'_>) -> Result<GeneralName, CertificateError> {
    let kind = object_identifier(&fields.field(tag::OID, "type of an otherName")?)?;
    let value = fields.field(tag::context(0), "value of an otherName")?;
    if kind != SMTP_UTF8_MAILBOX {
        return Ok(GeneralName::Other(kind));
    }
    let mailbox = value.inside().field(tag::UTF8_STRING, "SmtpUTF8Mailbox")?;
    std::str::from_utf8(mailbox.content)
        .map(|address| GeneralName::SmtpUtf8Mailbox(address.to_owned()))
        .map_err(|_| CertificateError::encoding(mailbox.offset, "SmtpUTF8Mailbox", "is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_both_forms() {
        let mailbox = "ü@example.test".as_bytes();
        let oid = [6, 8, 0x2b, 6, 1, 5, 5, 7, 8, 9];
        let text = [&[0x0c, u8::try_from(mailbox.len()).unwrap()], mailbox].concat();
        let value = [&[0xa0, u8::try_from(text.len()).unwrap()], text.as_slice()].concat();
        let other = [&[0xa0, u8::try_from(oid.len() + value.len()).unwrap()], &oid[..], &value].concat();
        let names = [other.as_slice(), &[0x81, 3], b"a@b", &[0x82, 1], b"b"].concat();
        let names = read_general_names(Cursor::new(&names, 0)).unwrap();
        let addresses: Vec<_> = names.iter().filter_map(GeneralName::mail_address).collect();
        assert_eq!(addresses, ["ü@example.test", "a@b"]);
        assert_eq!(names[2], GeneralName::Dns("b".into()));
    }

    #[test]
    fn unknown_tags_are_refused() {
        assert!(read_general_names(Cursor::new(&[0x89, 0], 0)).is_err());
        assert!(read_general_names(Cursor::new(&[0xa0, 0], 0)).is_err());
    }
}
