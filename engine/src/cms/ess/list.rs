//! The way of a message through mailing lists (RFC 2634 section 4).

use time::format_description::well_known::Rfc3339;
use waxseal_verdict::{Expansion, Reason};

use super::names_of_each;
use crate::ber::{Cursor, Tag, TimeValue};
use crate::cms::attribute::Attributes;
use crate::cms::error::{CmsError, Within};
use crate::cms::identifier::SignerIdentifier;
use crate::cms::oid;

impl Attributes {
    /// The mlExpansionHistory attribute (RFC 2634 section 4.2): the lists that
    /// the message went through, first one first.
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn expansion_history(&self) -> Result<Vec<Expansion>, CmsError> {
        let expected = "MLExpansionHistory (SEQUENCE)";
        let list = self.value(oid::ATTRIBUTE_EXPANSION_HISTORY, Tag::SEQUENCE, expected, |mut fields, place| {
            let mut list = Vec::new();
            while !fields.is_empty() {
                let data = fields.expect(Tag::SEQUENCE, "MLData (SEQUENCE)").within(place)?;
                list.push(read_expansion(data.inside(), place)?);
            }
            Ok(list)
        })?;
        Ok(list.unwrap_or_default())
    }
}

fn read_expansion(mut fields: Cursor<'_>, place: &str) -> Result<Expansion, CmsError> {
    let bad = |what: &str, offset: u64| CmsError::new(Reason::BadBer, place, format!("{what} at offset {offset}"));
    // EntityIdentifier: as a signer, but the key identifier has its own tag.
    let list = if fields.peek() == Some(crate::ber::identifier::OCTET_STRING) {
        let key_id = fields.expect(Tag::OCTET_STRING, "subjectKeyIdentifier").within(place)?;
        SignerIdentifier::SubjectKeyIdentifier(key_id.content.to_vec())
    } else {
        SignerIdentifier::read(&mut fields, place)?
    };
    let time = fields.expect(Tag::GENERALIZED_TIME, "expansionTime").within(place)?;
    let time = TimeValue::of(&time)
        .and_then(|value| value.at.format(&Rfc3339).ok())
        .ok_or_else(|| bad("an expansionTime that is no time", time.offset))?;
    let (mut receipts, mut receipts_to) = (None, Vec::new());
    if let Some(policy) = fields.take().within(place)? {
        let word = match policy.tag {
            tag if tag == Tag::context(0) => "none",
            tag if tag == Tag::context(1) => "instead-of",
            tag if tag == Tag::context(2) => "in-addition-to",
            _ => return Err(bad("an mlReceiptPolicy that is not known", policy.offset)),
        };
        receipts = Some(word.to_owned());
        if policy.constructed && word != "none" {
            receipts_to = names_of_each(&policy, place)?;
        }
    }
    fields.end().within(place)?;
    Ok(Expansion { list: list.to_string(), time, receipts, receipts_to })
}
