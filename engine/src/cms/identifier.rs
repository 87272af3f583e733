//! SignerIdentifier and RecipientIdentifier (RFC 5652 sections 5.3 and 6.2.1).

use crate::ber::{Cursor, Element, Form, Tag};
use crate::certificate::EncodedName;
use crate::cms::error::{CmsError, Within};
use crate::hex::hex;

/// How a certificate is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerIdentifier {
    /// By issuer and serial number.
    IssuerAndSerial {
        /// The issuer's Name.
        issuer: EncodedName,
        /// Content octets of the serial number.
        serial: Vec<u8>,
    },
    /// By subject key identifier.
    SubjectKeyIdentifier(Vec<u8>),
}

impl SignerIdentifier {
    /// Reads the identifier that comes next.
    pub(super) fn read(fields: &mut Cursor<'_>, context: &str) -> Result<Self, CmsError> {
        if let Some(key_id) = fields.take_if(Tag::context(0), Form::Either).within(context)? {
            return Ok(Self::SubjectKeyIdentifier(implicit_octets(&key_id, context)?));
        }
        // IssuerAndSerialNumber (RFC 5652 section 10.2.4).
        let element = fields.expect(Tag::SEQUENCE, "issuerAndSerialNumber or [0]").within(context)?;
        let mut inside = element.inside();
        let issuer = inside.expect(Tag::SEQUENCE, "issuer (Name)").within(context)?.whole.to_vec().into();
        let serial = inside.expect(Tag::INTEGER, "serialNumber").within(context)?.content.to_vec();
        inside.end().within(context)?;
        Ok(Self::IssuerAndSerial { issuer, serial })
    }
}

/// For a person.
impl std::fmt::Display for SignerIdentifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::IssuerAndSerial { issuer, serial } => {
                let name = issuer.name().map_or_else(|| hex(issuer), ToString::to_string);
                write!(f, "issuer={name}, serial={}", hex(serial))
            }
            Self::SubjectKeyIdentifier(key_id) => write!(f, "ski={}", hex(key_id)),
        }
    }
}

/// The octets of an implicitly tagged OCTET STRING; its segments, if it came in segments.
pub(super) fn implicit_octets(element: &Element<'_>, context: &str) -> Result<Vec<u8>, CmsError> {
    if !element.constructed {
        return Ok(element.content.to_vec());
    }
    let mut octets = Vec::new();
    let mut inside = element.inside();
    while !inside.is_empty() {
        octets.extend_from_slice(inside.expect(Tag::OCTET_STRING, "a segment (OCTET STRING)").within(context)?.content);
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &[u8]) -> Result<SignerIdentifier, CmsError> {
        SignerIdentifier::read(&mut Cursor::new(octets, 0), "sid")
    }

    #[test]
    fn key_identifiers_whole_and_in_segments() {
        let expected = SignerIdentifier::SubjectKeyIdentifier(vec![1, 2, 3]);
        assert_eq!(read(&[0x80, 3, 1, 2, 3]).unwrap(), expected);
        assert_eq!(read(&[0xa0, 7, 4, 1, 1, 4, 2, 2, 3]).unwrap(), expected);
        let error = read(&[0xa0, 3, 2, 1, 1]).unwrap_err().to_string();
        assert_eq!(error, "sid: expected a segment (OCTET STRING), found INTEGER at offset 2");
    }

    #[test]
    fn shown_with_the_name_or_with_its_octets() {
        let named = SignerIdentifier::IssuerAndSerial { issuer: vec![0x30, 0].into(), serial: vec![0, 0xff] };
        assert_eq!(named.to_string(), "issuer=, serial=00ff");
        let damaged = SignerIdentifier::IssuerAndSerial { issuer: vec![0x30, 1].into(), serial: vec![1] };
        assert_eq!(damaged.to_string(), "issuer=3001, serial=01");
        assert_eq!(SignerIdentifier::SubjectKeyIdentifier(vec![0xab]).to_string(), "ski=ab");
    }
}
