//! What software on the way does to mail: octets in, octets out.
//!
//! A mangling is a set of edits of the octets that came, so that everything it
//! does not mean stays as it is.

mod body;
mod edits;
mod encoding;
mod header;
mod multipart;

use std::io::Cursor;
use std::ops::Range;

use waxseal_engine::Limits;
use waxseal_engine::mime::{self, Part};
use waxseal_model::Change;

use crate::mail;

/// Why a mail cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mail cannot be changed so: {0}")]
pub struct MangleError(String);

/// The mail after the change. A mail that has nothing to be changed stays as it is.
///
/// # Errors
/// It is no mail (no header), or a body of it cannot be decoded.
pub fn mangle(octets: &[u8], change: &Change) -> Result<Vec<u8>, MangleError> {
    let root = mime::parse(&mut Cursor::new(octets), &Limits::default());
    let root = root.map_err(|error| MangleError(error.to_string()))?;
    let mail = Mail { octets, root };
    let edits = match change {
        Change::LineFeeds {} => return Ok(mail::replace(octets, b"\r\n", b"\n")),
        Change::ListFooter {} => return mail::list_footer(octets).map_err(MangleError),
        Change::Append { text } => return Ok([octets, text.as_bytes()].concat()),
        Change::Cut { percent } => {
            let octets_left = octets.len() * usize::from(*percent).min(100) / 100;
            return Ok(octets[..octets_left].to_vec());
        }
        Change::Encode { from, to, only_eight_bit } => body::encode(&mail, from, *to, *only_eight_bit)?,
        Change::RewrapBase64 { columns } => body::rewrap_base64(&mail, *columns),
        Change::WrapText { columns } => body::wrap_text(&mail, *columns),
        Change::CutLines { octets } => body::cut_lines(&mail, *octets),
        Change::PrefixLines { beginning, prefix } => body::prefix_lines(&mail, beginning, prefix),
        Change::StripLineEnds {} => body::strip_line_ends(&mail),
        Change::AppendToText { text } => body::append_to_text(&mail, text)?,
        Change::InsertPart { text } => multipart::insert_part(&mail, text),
        Change::AppendPart { text } => multipart::append_part(&mail, text),
        Change::Boundary { inner } => multipart::boundary(&mail, *inner),
        Change::Fold { parts } => header::fold(&mail, *parts),
        Change::AddFields { fields } => header::add_fields(fields),
        Change::SetField { name, value } => header::set_field(&mail, name, value),
        Change::MediaType { from, to } => header::media_type(&mail, from, to),
        Change::DropParameters { names } => header::drop_parameters(&mail, names),
    };
    Ok(edits.apply(octets))
}

/// A mail and where its parts stand.
struct Mail<'a> {
    octets: &'a [u8],
    root: Part,
}

impl<'a> Mail<'a> {
    /// The octets of a range that the parser gave.
    fn slice(&self, range: &Range<u64>) -> &'a [u8] {
        self.octets.get(place(range)).unwrap_or_default()
    }

    /// Every text that is shown, in the order of the mail.
    fn texts(&self) -> impl Iterator<Item = &Part> {
        self.root.walk().filter(|part| {
            part.is_leaf() && part.content_type.media_type.starts_with("text/") && part.disposition.is_none()
        })
    }
}

/// A range of the parser as one of memory: what it read is in memory.
fn place(range: &Range<u64>) -> Range<usize> {
    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
    at(range.start)..at(range.end)
}

#[cfg(test)]
mod tests;
