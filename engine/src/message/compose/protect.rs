//! Header protection on writing (RFC 9788 section 5.2).

use super::confidentiality::{HeaderPolicy, Outside};
use super::legacy::{self, Insertion};
use super::{ComposeError, Head};
use crate::Limits;
use crate::io::Source;
use crate::mime::{Headers, Part, smime};

/// What becomes of the header fields of a mail that is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtectHeaders {
    /// `hp="clear"`: they are signed, and stand outside as they are. For mail
    /// that is sent without encryption.
    Clear,
    /// `hp="cipher"`: for mail that will be encrypted. The fields outside are
    /// already those that may be read by all, so that whoever encrypts has
    /// nothing left to do.
    Cipher(HideHeaders),
}

/// How header fields are hidden outside encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HideHeaders {
    /// Which fields.
    pub policy: HeaderPolicy,
    /// Whether hidden fields are repeated at the start of the main body parts,
    /// for readers that do not know header protection. Parts that would have to
    /// be encoded anew (base64, a charset that cannot hold it) get none.
    pub legacy_display: bool,
}

/// Fields that are not copied into the payload: Bcc (RFC 9788 section 11.4),
/// and what would be read as the sender's own statement.
const NEVER_INSIDE: &[&str] = &["bcc", "hp-outer"];

/// Fields that a legacy display element shows: those that a person sees.
const SHOWN: &[&str] =
    &["from", "sender", "reply-to", "followup-to", "to", "cc", "date", "subject", "comments", "keywords"];

impl Head {
    /// Copies the fields of the mail into the payload, says there what stands
    /// outside, and hides what is to be hidden. Returns what is to be inserted
    /// into the body.
    pub(in crate::message) fn protect(
        &mut self,
        source: &mut dyn Source,
        protection: ProtectHeaders,
        limits: &Limits,
    ) -> Result<Vec<Insertion>, ComposeError> {
        let part = crate::mime::parse(source, limits).map_err(ComposeError::Mime)?;
        check(&part)?;
        let hide = match protection {
            ProtectHeaders::Clear => None,
            ProtectHeaders::Cipher(hide) => Some(hide),
        };
        let mut copied = Vec::new();
        let mut said = Vec::new();
        let mut hidden = Vec::new();
        let mut outer = Vec::new();
        for (name, field) in std::mem::take(&mut self.outer) {
            if NEVER_INSIDE.iter().any(|never| name.eq_ignore_ascii_case(never)) {
                outer.push((name, field));
                continue;
            }
            copied.extend_from_slice(&field);
            let Some(hide) = hide else {
                outer.push((name, field));
                continue;
            };
            let outside = match hide.policy.apply(&name, &value(&field)) {
                Outside::Kept => Some(field.clone()),
                Outside::Replaced(value) => Some(format!("{name}: {value}\r\n").into_bytes()),
                Outside::Removed => None,
            };
            if outside.as_ref() != Some(&field) && SHOWN.iter().any(|shown| name.eq_ignore_ascii_case(shown)) {
                hidden.push(format!("{name}: {}", legacy::text(&field)));
            }
            if let Some(outside) = outside {
                said.extend(hp_outer(&outside));
                outer.push((name, outside));
            }
        }
        self.outer = outer;
        let hidden = if hide.is_some_and(|hide| hide.legacy_display) { hidden } else { Vec::new() };
        let (insertions, own) = legacy::insertions(source, &part, &hidden)?;
        let hp = if hide.is_some() { "hp=\"cipher\"" } else { "hp=\"clear\"" };
        let parameters = if own { vec!["hp-legacy-display=\"1\"", hp] } else { vec![hp] };
        self.inner = [b"MIME-Version: 1.0\r\n", self.inner_with(&copied, &said, &parameters).as_slice()].concat();
        Ok(insertions)
    }

    /// The payload's fields in the order of the samples of RFC 9788: those of
    /// MIME, the copies, HP-Outer, and last the Content-Type.
    fn inner_with(&self, copied: &[u8], said: &[u8], parameters: &[&str]) -> Vec<u8> {
        let headers = Headers::parse(&self.inner, usize::MAX).unwrap_or_default();
        let mut fields = Vec::new();
        let mut content_type = b"Content-Type: text/plain".to_vec();
        for field in headers.fields() {
            let octets = [field.name().as_bytes(), b":", field.raw_value()].concat();
            if field.is("content-type") {
                content_type = octets;
            } else {
                fields.extend_from_slice(&octets);
                fields.extend_from_slice(b"\r\n");
            }
        }
        for parameter in parameters {
            legacy::add_parameter(&mut content_type, parameter);
        }
        content_type.extend_from_slice(b"\r\n");
        [&fields, copied, said, &content_type].concat()
    }
}

/// Whether this entity can be a payload.
fn check(part: &Part) -> Result<(), ComposeError> {
    if smime::classify(part).is_some() {
        return Err(ComposeError::Protected(
            "it is signed or encrypted already: its header has to be protected by the first of these (RFC 9788 section 2)",
        ));
    }
    if part.headers.all("content-type").count() > 1 {
        return Err(ComposeError::Protected("it has several Content-Type fields"));
    }
    if part.content_type.params.iter().any(|(name, _)| name == "hp" || name == "hp-legacy-display") {
        return Err(ComposeError::Protected("its Content-Type has an hp parameter already"));
    }
    Ok(())
}

/// HP-Outer for a field as it stands outside; on a line of its own where it
/// would be long (RFC 5322 section 2.1.1).
fn hp_outer(field: &[u8]) -> Vec<u8> {
    let first = memchr::memchr(b'\r', field).unwrap_or(field.len());
    let start: &[u8] = if first + "HP-Outer: ".len() > 78 { b"HP-Outer:\r\n " } else { b"HP-Outer: " };
    [start, field].concat()
}

/// The value of a field with its name and line ends.
fn value(field: &[u8]) -> String {
    let headers = Headers::parse(field, usize::MAX).unwrap_or_default();
    headers.fields().next().map(|field| field.value().into_owned()).unwrap_or_default()
}
