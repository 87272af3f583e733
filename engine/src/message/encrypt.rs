//! Encrypting a mail (RFC 8551 section 3.3).

use std::io::Write;

use time::OffsetDateTime;
use waxseal_key::{Arithmetic, ContentCipher, Random};

use super::compose::{Armor, ComposeError, Entity, Head, HideHeaders, Inserted, MimeShape, ProtectHeaders, fields};
use crate::Limits;
use crate::certificate::Certificate;
use crate::cms::oid;
use crate::cms::write::{EnvelopedData, Shape, Tamper, WriteError};
use crate::io::Source;

/// How a mail is encrypted.
#[derive(Clone)]
pub struct EncryptRequest<'a> {
    /// Who can read it, in this order; the sender too, where a copy is kept.
    pub recipients: &'a [Certificate],
    /// The content cipher.
    pub cipher: ContentCipher,
    /// How the object is written.
    pub shape: Shape,
    /// How the mail around it is written.
    pub mime: MimeShape,
    /// The Date of a mail that has none.
    pub date: Option<OffsetDateTime>,
    /// Fields of the outer header, in the place of those of the same name.
    pub headers: Vec<(String, String)>,
    /// Whether the payload gets the header fields of the mail, and what stays
    /// outside of them. A mail that is signed already says that itself, see
    /// [`ProtectHeaders::Cipher`].
    pub protect_headers: Option<HideHeaders>,
    /// Who encrypts.
    pub arithmetic: &'a Arithmetic,
    /// How long a header may be.
    pub limits: Limits,
    /// What is wrong with it.
    pub tamper: Tamper,
}

impl<'a> EncryptRequest<'a> {
    /// AES-256-CBC in the default shapes.
    #[must_use]
    pub fn new(recipients: &'a [Certificate], arithmetic: &'a Arithmetic) -> Self {
        Self {
            recipients,
            cipher: ContentCipher::Aes256Cbc,
            shape: Shape::default(),
            mime: MimeShape::default(),
            date: None,
            headers: Vec::new(),
            protect_headers: None,
            arithmetic,
            limits: Limits::default(),
            tamper: Tamper::default(),
        }
    }
}

/// Why a mail could not be encrypted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptError {
    /// The mail.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The encryption.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Encrypts a mail or a MIME entity and writes a mail.
///
/// The `Content-…` fields of the input and its body are encrypted, in canonical
/// form (RFC 8551 section 3.1.1); all other fields stay outside and readable,
/// but for what [`EncryptRequest::protect_headers`] hides. The input is read from its start, twice in DER. After an error, what the
/// output got is no mail.
///
/// # Errors
/// The input is no mail, a certificate cannot be encrypted for, or a shape has
/// no encoding; see [`EncryptError`].
pub fn encrypt(
    input: &mut dyn Source,
    out: &mut dyn Write,
    request: &EncryptRequest<'_>,
    random: &mut dyn Random,
) -> Result<(), EncryptError> {
    let mut head = Head::prepare(input, request.limits.header_octets, &request.headers, request.date)?;
    request.mime.check()?;
    let insertions = match request.protect_headers {
        Some(hide) => head.protect(input, ProtectHeaders::Cipher(hide), &request.limits)?,
        None => Vec::new(),
    };
    let mut input = Inserted::new(input, insertions);
    let mut entity = Entity::new(&mut input, &head);
    let recipe = EnvelopedData {
        recipients: request.recipients,
        cipher: request.cipher,
        content_type: oid::DATA,
        shape: &request.shape,
        tamper: &request.tamper,
        arithmetic: request.arithmetic,
    };
    head.write_outer(out)?;
    out.write_all(&fields(&request.mime.enveloped, "", "")).map_err(ComposeError::Write)?;
    let mut armor = Armor::new(out, request.mime.columns);
    recipe.write(&mut armor, &mut entity, random)?;
    Ok(armor.finish().map_err(ComposeError::Write)?)
}
