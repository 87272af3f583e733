//! Attributes (RFC 5652 sections 5.3 and 11).

use time::OffsetDateTime;
use waxseal_verdict::{Deviation, Reason};

use crate::ber::{Cursor, Element, Tag, TimeValue};
use crate::cms::error::{CmsError, Within};
use crate::cms::oid;
use crate::cms::read::object_identifier;

/// An attribute and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its type, dotted.
    pub oid: String,
    /// The encodings of its values, in the order received.
    pub values: Vec<Vec<u8>>,
    /// The whole attribute in definite lengths.
    pub encoding: Vec<u8>,
    /// Offset in the structure it was read from.
    pub offset: u64,
}

/// A SET OF Attribute, in both forms over which a signature may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// The attributes in the order received.
    pub list: Vec<Attribute>,
    /// The field's path, for errors.
    context: String,
}

impl Attributes {
    /// Reads the content of a SET OF Attribute (or of the implicit tag that
    /// stands for it).
    ///
    /// # Errors
    /// It is malformed.
    pub fn read(set: &Element<'_>, context: &str) -> Result<Self, CmsError> {
        let mut list = Vec::new();
        let mut inside = set.inside();
        while !inside.is_empty() {
            let element = inside.expect(Tag::SEQUENCE, "an attribute").within(context)?;
            let mut fields = element.inside();
            let oid = object_identifier(
                &fields.expect(Tag::OBJECT_IDENTIFIER, "an attribute type").within(context)?,
                context,
            )?;
            let values = fields.expect(Tag::SET, "attribute values").within(context)?;
            fields.end().within(context)?;
            list.push(Attribute {
                oid,
                values: split(values.inside()).within(context)?,
                encoding: element.whole.to_vec(),
                offset: element.offset,
            });
        }
        Ok(Self { list, context: context.to_owned() })
    }

    /// The DER encoding of the SET OF (RFC 5652 section 5.4): attributes and
    /// values sorted, explicit tag.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        let mut encodings: Vec<_> = self.list.iter().map(Attribute::der).collect();
        encodings.sort();
        set_of(&encodings)
    }

    /// The SET OF as it was received, only with the explicit tag. This is what
    /// some clients sign although the order is not that of DER.
    #[must_use]
    pub fn as_received(&self) -> Vec<u8> {
        set_of(&self.list.iter().map(|attribute| attribute.encoding.clone()).collect::<Vec<_>>())
    }

    /// The one value of an attribute; `None` if the attribute is absent.
    ///
    /// # Errors
    /// It occurs twice, or has not exactly one value (RFC 5652 section 11).
    pub fn single(&self, oid: &str) -> Result<Option<Element<'_>>, CmsError> {
        let mut found = self.list.iter().filter(|attribute| attribute.oid == oid);
        let Some(attribute) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(self.error(Reason::DuplicateAttribute, oid, "occurs more than once"));
        }
        match attribute.values.as_slice() {
            [value] => Cursor::new(value, attribute.offset).take().within(&self.context),
            [] => Err(self.error(Reason::MissingAttribute, oid, "has no value")),
            _ => Err(self.error(Reason::DuplicateAttribute, oid, "has more than one value")),
        }
    }

    /// The contentType attribute (RFC 5652 section 11.1).
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn content_type(&self) -> Result<Option<String>, CmsError> {
        let Some(value) = self.single(oid::ATTRIBUTE_CONTENT_TYPE)? else { return Ok(None) };
        if value.tag != Tag::OBJECT_IDENTIFIER || value.constructed {
            return Err(self.error(Reason::BadBer, oid::ATTRIBUTE_CONTENT_TYPE, "is no OBJECT IDENTIFIER"));
        }
        object_identifier(&value, &self.context).map(Some)
    }

    /// The messageDigest attribute (RFC 5652 section 11.2).
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn message_digest(&self) -> Result<Option<Vec<u8>>, CmsError> {
        let Some(value) = self.single(oid::ATTRIBUTE_MESSAGE_DIGEST)? else { return Ok(None) };
        if value.tag != Tag::OCTET_STRING || value.constructed {
            return Err(self.error(Reason::BadBer, oid::ATTRIBUTE_MESSAGE_DIGEST, "is no OCTET STRING"));
        }
        Ok(Some(value.content.to_vec()))
    }

    /// The signingTime attribute (RFC 5652 section 11.3), and whether its form
    /// is not the one that section asks for.
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn signing_time(&self) -> Result<Option<(OffsetDateTime, Option<Deviation>)>, CmsError> {
        let Some(value) = self.single(oid::ATTRIBUTE_SIGNING_TIME)? else { return Ok(None) };
        let time = TimeValue::of(&value)
            .ok_or_else(|| self.error(Reason::BadBer, oid::ATTRIBUTE_SIGNING_TIME, "is no time of RFC 5652 11.3"))?;
        Ok(Some((time.at, (!time.is_as_profiled()).then_some(Deviation::SigningTimeForm))))
    }

    /// The SMIMECapabilities attribute (RFC 8551 section 2.5.2): identifiers
    /// and parameters in order of preference.
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn capabilities(&self) -> Result<Option<Vec<crate::cms::AlgorithmIdentifier>>, CmsError> {
        let Some(value) = self.single(oid::ATTRIBUTE_SMIME_CAPABILITIES)? else { return Ok(None) };
        if value.tag != Tag::SEQUENCE || !value.constructed {
            return Err(self.error(Reason::BadBer, oid::ATTRIBUTE_SMIME_CAPABILITIES, "is no SEQUENCE"));
        }
        let mut list = Vec::new();
        let mut inside = value.inside();
        while !inside.is_empty() {
            let element = inside.expect(Tag::SEQUENCE, "a capability").within(&self.context)?;
            list.push(crate::cms::AlgorithmIdentifier::read(&element, &self.context)?);
        }
        Ok(Some(list))
    }

    /// The place of an attribute, for errors inside its value.
    pub(super) fn place(&self, oid: &str) -> String {
        format!("{}.{}", self.context, waxseal_key::algorithm::oid_name(oid).unwrap_or(oid))
    }

    fn error(&self, reason: Reason, oid: &str, what: &str) -> CmsError {
        let name = waxseal_key::algorithm::oid_name(oid).unwrap_or(oid);
        CmsError::new(reason, self.context.as_str(), format!("attribute {name} {what}"))
    }
}

impl Attribute {
    /// The attribute with its values in DER order.
    fn der(&self) -> Vec<u8> {
        if self.values.is_sorted() {
            return self.encoding.clone();
        }
        let mut values = self.values.clone();
        values.sort();
        let mut cursor = Cursor::new(&self.encoding, 0);
        let type_encoding = cursor
            .take()
            .ok()
            .flatten()
            .and_then(|attribute| attribute.inside().take().ok().flatten())
            .map(|oid| oid.whole.to_vec())
            .unwrap_or_default();
        encode(Tag::SEQUENCE, &[type_encoding, set_of(&values)].concat())
    }
}

fn split(mut cursor: Cursor<'_>) -> Result<Vec<Vec<u8>>, crate::ber::BerError> {
    let mut list = Vec::new();
    while let Some(element) = cursor.take()? {
        list.push(element.whole.to_vec());
    }
    Ok(list)
}

fn set_of(encodings: &[Vec<u8>]) -> Vec<u8> {
    encode(Tag::SET, &encodings.concat())
}

fn encode(tag: Tag, content: &[u8]) -> Vec<u8> {
    let mut out = tag.identifier(true);
    crate::ber::definite::push_length(&mut out, content.len());
    out.extend_from_slice(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(content: &[u8]) -> Attributes {
        let encoding = encode(Tag::context(0), content);
        let mut cursor = Cursor::new(&encoding, 0);
        Attributes::read(&cursor.take().unwrap().unwrap(), "signedAttrs").unwrap()
    }

    /// Two attributes 1.2.3 and 1.2.2, not in DER order; the first has two
    /// values, not in DER order.
    const UNSORTED: [u8; 25] =
        [0x30, 12, 6, 2, 0x2a, 3, 0x31, 6, 2, 1, 9, 2, 1, 5, 0x30, 9, 6, 2, 0x2a, 2, 0x31, 3, 2, 1, 4];

    #[test]
    fn der_is_sorted_and_as_received_is_not() {
        let attributes = attributes(&UNSORTED);
        assert_eq!(attributes.as_received()[2..], UNSORTED);
        let der = attributes.der();
        assert_eq!(der[2..13], [0x30, 9, 6, 2, 0x2a, 2, 0x31, 3, 2, 1, 4]);
        assert_eq!(der[13..], [0x30, 12, 6, 2, 0x2a, 3, 0x31, 6, 2, 1, 5, 2, 1, 9]);
    }

    #[test]
    fn a_second_value_or_a_second_attribute_is_an_error() {
        let attributes = attributes(&UNSORTED);
        assert_eq!(attributes.single("1.2.3").unwrap_err().reason, Reason::DuplicateAttribute);
        assert_eq!(attributes.single("1.2.2").unwrap().unwrap().content, [4]);
        assert!(attributes.single("1.2.4").unwrap().is_none());
    }
}
