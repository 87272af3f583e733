//! A mail around an object: what encrypting, compressing and their like share.

use std::io::Write;

use time::OffsetDateTime;

use super::compose::{ComposeError, Entity, Head, HideHeaders, Inserted, ProtectHeaders, armored, fields};
use crate::Limits;
use crate::cms::write::{Content, WriteError};
use crate::io::{Sink, Source};

/// What stands around the object.
pub(super) struct Outline<'a> {
    /// The fields of the entity that holds the object.
    pub(super) fields: &'a [String],
    /// Characters of a line of base64.
    pub(super) columns: usize,
    /// Fields of the outer header.
    pub(super) headers: &'a [(String, String)],
    /// The Date of a mail that has none.
    pub(super) date: Option<OffsetDateTime>,
    /// What is hidden of the header, where it is copied inside.
    pub(super) protect_headers: Option<HideHeaders>,
    pub(super) limits: &'a Limits,
}

/// Why a mail could not be encrypted, compressed, or put into another object.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// The mail.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The object.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Takes the mail apart, and writes one in which an object made of its
/// protected entity stands in the place of that entity.
pub(super) fn wrap(
    input: &mut dyn Source,
    out: &mut dyn Sink,
    outline: &Outline<'_>,
    object: impl FnOnce(&mut dyn Write, &mut dyn Content) -> Result<(), WriteError>,
) -> Result<(), WrapError> {
    let mut head = Head::prepare(input, outline.limits.header_octets, outline.headers, outline.date)?;
    let insertions = match outline.protect_headers {
        Some(hide) => head.protect(input, ProtectHeaders::Cipher(hide), outline.limits)?,
        None => Vec::new(),
    };
    let mut input = Inserted::new(input, insertions);
    let mut entity = Entity::new(&mut input, &head);
    head.write_outer(out)?;
    out.write_all(&fields(outline.fields, "", "")).map_err(ComposeError::Write)?;
    Ok(armored(out, outline.columns, |out| object(out, &mut entity)).map_err(ComposeError::Write)??)
}
