//! MIME entities as exact byte ranges.
//!
//! [`parse`] cuts a message of any size into a tree of [`Part`]s, each a range
//! of the source; nothing but header sections is kept in memory. What a
//! signature covers is such a range, read through [`canonical`]; what a part
//! carries is read through [`decode_body`].
//!
//! *Invariant:* this module knows media types and octets. It does not know what
//! a CMS object is; [`smime`] knows the media types that announce one.

mod address;
mod base64;
mod body;
mod canonical;
mod content_type;
mod date;
mod error;
mod header;
pub mod mbox;
mod parameter;
mod parse;
mod part;
mod pending;
mod quoted_printable;
mod scanner;
pub mod smime;

pub use address::Mailbox;
pub use body::{Body, decode_body};
pub use canonical::{Canonical, canonical};
pub use content_type::{ContentDisposition, ContentType};
pub use error::MimeError;
pub use header::{Field, Headers, has_header_field};
pub use parse::parse;
pub use part::{LineEnds, Part, TransferEncoding};

#[cfg(test)]
mod recordings_tests;
#[cfg(test)]
pub(crate) mod testing;
