//! Attributes of the Enhanced Security Services (RFC 2634), as the verdict
//! shows them. [`crate::cms::SigningCertificate`] stands apart, because it is
//! compared and not only shown.

mod header_fields;
mod label;
mod list;
mod receipt;
#[cfg(test)]
mod tests;

use waxseal_verdict::{ContentHints, ContentReference};

pub use self::header_fields::SecureHeaders;
pub use self::receipt::SignedReceipt;
use crate::ber::{Cursor, Element, Form, Tag};
use crate::certificate::{GeneralName, read_general_names};
use crate::cms::attribute::Attributes;
use crate::cms::error::{CmsError, Within};
use crate::cms::identifier::SignerIdentifier;
use crate::cms::oid;
use crate::cms::read::object_identifier;
use crate::hex::hex;

impl Attributes {
    /// The contentHints attribute (RFC 2634 section 2.9).
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn content_hints(&self) -> Result<Option<ContentHints>, CmsError> {
        self.value(oid::ATTRIBUTE_CONTENT_HINTS, Tag::SEQUENCE, "ContentHints (SEQUENCE)", |mut fields, place| {
            let description = fields.take_if(Tag::UTF8_STRING, Form::Primitive).within(place)?;
            let content_type = fields.expect(Tag::OBJECT_IDENTIFIER, "contentType").within(place)?;
            fields.end().within(place)?;
            Ok(ContentHints {
                description: description.map(|element| text(&element)),
                content_type: object_identifier(&content_type, place)?,
            })
        })
    }

    /// The contentIdentifier attribute (RFC 2634 section 2.7), in hexadecimal.
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn content_identifier(&self) -> Result<Option<String>, CmsError> {
        self.octets(oid::ATTRIBUTE_CONTENT_IDENTIFIER, "ContentIdentifier (OCTET STRING)")
    }

    /// The msgSigDigest attribute (RFC 2634 section 2.12), in hexadecimal.
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn receipt_digest(&self) -> Result<Option<String>, CmsError> {
        self.octets(oid::ATTRIBUTE_RECEIPT_DIGEST, "MsgSigDigest (OCTET STRING)")
    }

    /// The contentReference attribute (RFC 2634 section 2.11).
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn content_reference(&self) -> Result<Option<ContentReference>, CmsError> {
        let expected = "ContentReference (SEQUENCE)";
        self.value(oid::ATTRIBUTE_CONTENT_REFERENCE, Tag::SEQUENCE, expected, |mut fields, place| {
            let content_type = fields.expect(Tag::OBJECT_IDENTIFIER, "contentType").within(place)?;
            let identifier = fields.expect(Tag::OCTET_STRING, "signedContentIdentifier").within(place)?;
            let signature = fields.expect(Tag::OCTET_STRING, "originatorSignatureValue").within(place)?;
            fields.end().within(place)?;
            Ok(ContentReference {
                content_type: object_identifier(&content_type, place)?,
                identifier: hex(identifier.content),
                signature: hex(signature.content),
            })
        })
    }

    /// The certificate that SMIMEEncryptionKeyPreference names (RFC 8551 section
    /// 2.5.3), or the attribute of the same meaning that Microsoft wrote before.
    ///
    /// # Errors
    /// One of them is malformed, or not single.
    pub fn encryption_key(&self) -> Result<Option<SignerIdentifier>, CmsError> {
        let oid = oid::ATTRIBUTE_ENCRYPTION_KEY_PREFERENCE;
        if let Some(value) = self.single(oid)? {
            let place = &self.place(oid);
            return key_preference(&value, place).map(Some);
        }
        let oid = oid::ATTRIBUTE_MICROSOFT_KEY_PREFERENCE;
        let Some(value) = self.single(oid)? else { return Ok(None) };
        SignerIdentifier::read(&mut Cursor::new(value.whole, value.offset), &self.place(oid)).map(Some)
    }

    fn octets(&self, oid: &str, expected: &'static str) -> Result<Option<String>, CmsError> {
        let Some(value) = self.single(oid)? else { return Ok(None) };
        let mut cursor = Cursor::new(value.whole, value.offset);
        Ok(Some(hex(cursor.expect(Tag::OCTET_STRING, expected).within(&self.place(oid))?.content)))
    }

    /// The fields of the single value of an attribute.
    fn value<T>(
        &self,
        oid: &str,
        tag: Tag,
        expected: &'static str,
        read: impl FnOnce(Cursor<'_>, &str) -> Result<T, CmsError>,
    ) -> Result<Option<T>, CmsError> {
        let Some(value) = self.single(oid)? else { return Ok(None) };
        let place = &self.place(oid);
        let element = Cursor::new(value.whole, value.offset).expect(tag, expected).within(place)?;
        read(element.inside(), place).map(Some)
    }
}

/// SMIMEEncryptionKeyPreference, whose alternatives are tagged implicitly.
fn key_preference(value: &Element<'_>, place: &str) -> Result<SignerIdentifier, CmsError> {
    let mut fields = value.inside();
    Ok(match value.tag {
        tag if tag == Tag::context(0) && value.constructed => {
            let issuer = fields.expect(Tag::SEQUENCE, "issuer (Name)").within(place)?.whole.to_vec().into();
            let serial = fields.expect(Tag::INTEGER, "serialNumber").within(place)?.content.to_vec();
            SignerIdentifier::IssuerAndSerial { issuer, serial }
        }
        tag if tag == Tag::context(1) && value.constructed => {
            let key_id = fields.expect(Tag::OCTET_STRING, "subjectKeyIdentifier").within(place)?;
            SignerIdentifier::SubjectKeyIdentifier(key_id.content.to_vec())
        }
        tag if tag == Tag::context(2) && !value.constructed => {
            SignerIdentifier::SubjectKeyIdentifier(value.content.to_vec())
        }
        tag => {
            let detail = format!("expected [0], [1] or [2], found {tag} at offset {}", value.offset);
            return Err(CmsError::new(waxseal_verdict::Reason::BadBer, place, detail));
        }
    })
}

/// A SEQUENCE OF GeneralNames: the names of each.
fn names_of_each(element: &Element<'_>, place: &str) -> Result<Vec<Vec<String>>, CmsError> {
    let mut list = Vec::new();
    let mut inside = element.inside();
    while !inside.is_empty() {
        let names = inside.expect(Tag::SEQUENCE, "GeneralNames (SEQUENCE)").within(place)?;
        list.push(names_of(&names, place)?);
    }
    Ok(list)
}

/// GeneralNames for a person.
pub(super) fn names_of(names: &Element<'_>, place: &str) -> Result<Vec<String>, CmsError> {
    let list = read_general_names(names.inside()).map_err(|error| {
        let detail = format!("a malformed GeneralName at offset {}: {error}", names.offset);
        CmsError::new(waxseal_verdict::Reason::BadBer, place, detail)
    })?;
    Ok(list.iter().map(GeneralName::to_string).collect())
}

/// The text of a string; what is not UTF-8 is shown as such.
fn text(element: &Element<'_>) -> String {
    String::from_utf8_lossy(element.content).into_owned()
}

/// A small INTEGER that is not negative.
fn number(element: &Element<'_>) -> Option<u32> {
    match element.content {
        [] => None,
        [first, ..] if first & 0x80 != 0 => None,
        octets => octets.iter().try_fold(0_u32, |value, octet| value.checked_mul(256)?.checked_add((*octet).into())),
    }
}
