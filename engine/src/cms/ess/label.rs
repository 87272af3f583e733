//! Security labels (RFC 2634 section 3).

use waxseal_verdict::{Reason, SecurityCategory, SecurityLabel};

use super::{number, text};
use crate::ber::{Cursor, Element, Form, Tag};
use crate::cms::attribute::Attributes;
use crate::cms::error::{CmsError, Within};
use crate::cms::oid;
use crate::cms::read::object_identifier;
use crate::hex::hex;

impl Attributes {
    /// The eSSSecurityLabel attribute (RFC 2634 section 3.2).
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn security_label(&self) -> Result<Option<SecurityLabel>, CmsError> {
        let expected = "ESSSecurityLabel (SET)";
        self.value(oid::ATTRIBUTE_SECURITY_LABEL, Tag::SET, expected, read_label)
    }

    /// The equivalentLabels attribute (RFC 2634 section 3.4).
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn equivalent_labels(&self) -> Result<Vec<SecurityLabel>, CmsError> {
        let expected = "EquivalentLabels (SEQUENCE)";
        let labels = self.value(oid::ATTRIBUTE_EQUIVALENT_LABELS, Tag::SEQUENCE, expected, |mut fields, place| {
            let mut labels = Vec::new();
            while !fields.is_empty() {
                let label = fields.expect(Tag::SET, "ESSSecurityLabel (SET)").within(place)?;
                labels.push(read_label(label.inside(), place)?);
            }
            Ok(labels)
        })?;
        Ok(labels.unwrap_or_default())
    }
}

/// The members of the SET, in any order; each may occur once.
fn read_label(mut fields: Cursor<'_>, place: &str) -> Result<SecurityLabel, CmsError> {
    let bad = |what: &str, offset: u64| CmsError::new(Reason::BadBer, place, format!("{what} at offset {offset}"));
    let start = fields.offset();
    let (mut policy, mut classification, mut privacy_mark, mut categories) = (None, None, None, None);
    while let Some(element) = fields.take().within(place)? {
        let again = match element.tag {
            Tag::OBJECT_IDENTIFIER => policy.replace(object_identifier(&element, place)?).is_some(),
            Tag::INTEGER => {
                let value = number(&element)
                    .ok_or_else(|| bad("a securityClassification that is no small number", element.offset))?;
                classification.replace(value).is_some()
            }
            Tag::PRINTABLE_STRING | Tag::UTF8_STRING if !element.constructed => {
                privacy_mark.replace(text(&element)).is_some()
            }
            Tag::SET => categories.replace(read_categories(&element, place)?).is_some(),
            _ => return Err(bad("a member of a security label that is not known", element.offset)),
        };
        if again {
            return Err(bad("a member of a security label a second time", element.offset));
        }
    }
    let policy = policy.ok_or_else(|| bad("a security label without a policy", start))?;
    Ok(SecurityLabel { policy, classification, privacy_mark, categories: categories.unwrap_or_default() })
}

fn read_categories(set: &Element<'_>, place: &str) -> Result<Vec<SecurityCategory>, CmsError> {
    let mut list = Vec::new();
    let mut inside = set.inside();
    while !inside.is_empty() {
        let mut fields = inside.expect(Tag::SEQUENCE, "SecurityCategory (SEQUENCE)").within(place)?.inside();
        let missing = |what: &str| CmsError::new(Reason::BadBer, place, format!("a security category without {what}"));
        let kind = fields.take_if(Tag::context(0), Form::Primitive).within(place)?.ok_or_else(|| missing("type"))?;
        let value = fields.take_if(Tag::context(1), Form::Either).within(place)?.ok_or_else(|| missing("value"))?;
        fields.end().within(place)?;
        // The tag is explicit, but written implicitly by some.
        let inner = value.constructed.then(|| value.inside().take().ok().flatten()).flatten();
        let value = match inner {
            Some(inner) if is_text(&inner) => text(&inner),
            Some(inner) => hex(inner.whole),
            None => hex(value.content),
        };
        list.push(SecurityCategory { kind: object_identifier(&kind, place)?, value });
    }
    Ok(list)
}

fn is_text(element: &Element<'_>) -> bool {
    !element.constructed && [Tag::UTF8_STRING, Tag::PRINTABLE_STRING, Tag::IA5_STRING].contains(&element.tag)
}
