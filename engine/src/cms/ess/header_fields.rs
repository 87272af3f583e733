//! Header fields among the signed attributes (RFC 7508).

use waxseal_verdict::{Reason, SecuredField};

use super::{number, text};
use crate::ber::{Form, Tag};
use crate::cms::attribute::Attributes;
use crate::cms::error::{CmsError, Within};
use crate::cms::oid;

/// The SecureHeaderFields attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecureHeaders {
    /// Whether values were written in the relaxed form of RFC 6376 section
    /// 3.4.2, with white space reduced; else they are as they stood.
    pub relaxed: bool,
    /// The fields.
    pub fields: Vec<SecuredField>,
}

impl Attributes {
    /// The SecureHeaderFields attribute (RFC 7508 section 4.5.1).
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn secure_headers(&self) -> Result<Option<SecureHeaders>, CmsError> {
        let expected = "SecureHeaderFields (SET)";
        self.value(oid::ATTRIBUTE_SECURE_HEADERS, Tag::SET, expected, |mut members, place| {
            let bad = |what: &str| CmsError::new(Reason::BadBer, place, what.to_owned());
            let (mut relaxed, mut fields) = (None, None);
            // A SET: DER puts the ENUMERATED first, BER may not.
            while let Some(member) = members.take().within(place)? {
                match member.tag {
                    Tag::ENUMERATED => {
                        relaxed = Some(match number(&member) {
                            Some(0) => false,
                            Some(1) => true,
                            _ => return Err(bad("a canonicalization algorithm that is not known")),
                        });
                    }
                    Tag::SEQUENCE => {
                        let mut list = Vec::new();
                        let mut inside = member.inside();
                        while !inside.is_empty() {
                            let field = inside.expect(Tag::SEQUENCE, "HeaderField (SEQUENCE)").within(place)?;
                            let mut parts = field.inside();
                            let name = parts.expect(Tag::VISIBLE_STRING, "field-Name").within(place)?;
                            let value = parts.expect(Tag::UTF8_STRING, "field-Value").within(place)?;
                            let status = parts.take_if(Tag::INTEGER, Form::Primitive).within(place)?;
                            parts.end().within(place)?;
                            let status = match status.map_or(Some(0), |status| number(&status)) {
                                Some(0) => "duplicated",
                                Some(1) => "deleted",
                                Some(2) => "modified",
                                _ => return Err(bad("a field-Status that is not known")),
                            };
                            let (name, value) = (text(&name), text(&value));
                            list.push(SecuredField { name, value, status: status.to_owned() });
                        }
                        fields = Some(list);
                    }
                    _ => return Err(bad("a member that is not known")),
                }
            }
            let relaxed = relaxed.ok_or_else(|| bad("no canonAlgorithm"))?;
            let fields = fields.ok_or_else(|| bad("no secHeaderFields"))?;
            Ok(SecureHeaders { relaxed, fields })
        })
    }
}
