//! The annotated trees of a message: its MIME entities, and the ASN.1 of every
//! CMS object in them, with offsets, encoding forms and names.
//!
//! A tree judges nothing and shows what is there: a damaged object as far as it
//! can be read, and then the error. Long values are cut to a preview, segments
//! of streamed strings are counted, and the number of elements shown is bounded.

mod input;
mod mail;
mod render;
mod schema;
mod value;
mod walk;

use serde::Serialize;
use waxseal_verdict::Deviation;

use crate::Limits;
use crate::ber::BerError;
use crate::io::Source;
use crate::mime::{Body, MimeError};
use schema::Shape;

/// What an input holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Tree {
    /// Version of this format.
    pub format: u32,
    /// What the input is.
    pub input: InputKind,
    /// The message, when the input is mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<Entity>,
    /// The objects of an input that is no mail: one, or one for each PEM block.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Object>,
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum InputKind {
    /// A message, or any MIME entity with a header.
    Mail,
    /// An object in BER or DER.
    Ber,
    /// Objects in PEM (RFC 7468).
    Pem,
}

/// A MIME entity. Offsets count from the start of the input, or of the content
/// that holds the entity.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Entity {
    /// Place in the MIME tree: `1`, `1.1`, `1.2`, …
    pub path: String,
    /// Number of its first line, from 1.
    pub line: u64,
    /// Offset of its first octet.
    pub offset: u64,
    /// Octets of its header section, with the empty line.
    pub header_octets: u64,
    /// Octets of its body.
    pub body_octets: u64,
    /// Media type, or the default of an entity that has none.
    pub media_type: String,
    /// Parameters of the media type, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// Whether the media type is the default, because none is declared.
    #[serde(skip_serializing_if = "is_false")]
    pub default_type: bool,
    /// Content-Transfer-Encoding.
    pub encoding: &'static str,
    /// File name, from either header field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// How its lines are stored: `CRLF` or `LF`.
    pub line_ends: &'static str,
    /// A multipart whose last delimiter is missing.
    #[serde(skip_serializing_if = "is_false")]
    pub unclosed: bool,
    /// What it announces, when it is S/MIME.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smime: Option<Announced>,
    /// The CMS object in its body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
    /// The entities inside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Entity>,
}

/// A parameter of a media type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name, in lower case.
    pub name: String,
    /// Its value, without quotes.
    pub value: String,
}

/// What media types and file names announce of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Announced {
    /// In words: `clear signed`, `enveloped-data`, …
    pub what: String,
    /// Paths of the parts it protects.
    pub covered: Vec<String>,
    /// Paths of the parts beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uncovered: Vec<String>,
    /// Spellings that no standard has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<Deviation>,
}

/// An ASN.1 object. Offsets count from its first octet, its transfer encoding undone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Object {
    /// Offset in the input of the octets that hold it.
    pub offset: u64,
    /// The label of a PEM block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Octets of the object; absent where it could not be read to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub octets: Option<u64>,
    /// `DER` where every length is definite and short and no string comes in
    /// segments (the order of sets is not looked at), else `BER`.
    pub encoding: &'static str,
    /// Its elements: one, and whatever stands after it.
    pub elements: Vec<Element>,
    /// Elements that are not shown, because there are too many.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted: u64,
    /// Why it could not be read further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What its transfer encoding did against RFC 2045.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<Deviation>,
}

/// An ASN.1 element.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Element {
    /// Offset of its first octet.
    pub offset: u64,
    /// Octets of identifier and length.
    pub header: u8,
    /// Octets of its content as its length says; absent when indefinite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// The name of the field, where the structure is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'static str>,
    /// Its type, or its tag and the type behind it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its value, or the beginning of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The name of the object identifier that is its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oid_name: Option<&'static str>,
    /// The lengths of the segments of a constructed string: `1024×12, 512`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments: Option<Segments>,
    /// What is unusual about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The elements inside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Element>,
    /// The MIME entity that is its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Box<Entity>>,
}

/// The lengths of the segments of a constructed string.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Segments {
    /// Octets of a segment, and how many of that length follow each other.
    pub runs: Vec<(u64, u64)>,
    /// Whether there are more.
    pub more: bool,
}

impl std::fmt::Display for Segments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.runs.is_empty() {
            return f.write_str("none");
        }
        for (index, (length, count)) in self.runs.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match count {
                1 => write!(f, "{comma}{length}")?,
                count => write!(f, "{comma}{length}×{count}")?,
            }
        }
        f.write_str(if self.more { ", …" } else { "" })
    }
}

impl Serialize for Segments {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why an input has no tree.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The input is neither mail nor ASN.1.
    #[error("the input is neither mail (it has no header field) nor an object in DER, BER or PEM")]
    NotMailNorAsn1,
    /// The message could not be cut.
    #[error(transparent)]
    Mime(#[from] MimeError),
}

/// Contents inside contents that are opened, whatever the limits say: what is
/// deeper tells nobody anything.
const LAYERS: usize = 8;

/// Reads an input and draws its trees.
///
/// # Errors
/// The input cannot be read, is neither mail nor ASN.1, or is mail beyond the
/// limits. A damaged object is no error: its tree ends where the damage is.
pub fn inspect(source: &mut dyn Source, limits: &Limits) -> Result<Tree, InspectError> {
    let empty = Tree { format: 1, input: InputKind::Ber, mail: None, objects: Vec::new() };
    let budget = &mut walk::Budget::new(limits.layers.min(LAYERS));
    Ok(match input::Input::of(source, limits)? {
        input::Input::Ber => Tree { objects: vec![mail::bare_object(source, limits, budget)?], ..empty },
        input::Input::Pem(blocks) => {
            let objects = blocks.iter().map(|block| mail::pem_object(source, block, limits, budget));
            Tree { input: InputKind::Pem, objects: objects.collect::<Result<_, _>>()?, ..empty }
        }
        input::Input::Mail => {
            Tree { input: InputKind::Mail, mail: Some(mail::message(source, limits, budget)?), ..empty }
        }
        input::Input::Neither => return Err(InspectError::NotMailNorAsn1),
    })
}

/// The tree of one object; the contents in it are not opened.
pub(crate) fn inspect_object(body: Body<'_>, limits: &Limits) -> Object {
    mail::object(body, 0, &Shape::Root, limits, &mut walk::Budget::new(0), Body::deviations)
}

impl Tree {
    /// The tree as text for a terminal.
    #[must_use]
    pub fn render(&self) -> String {
        render::tree(self)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// The text of an encoding error.
fn fault(error: &BerError) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests;
