//! A mail in an object that is neither signed nor enveloped: compressed (RFC
//! 8551 section 3.6), digested, encrypted under a key that both sides have, or
//! authenticated.

use time::OffsetDateTime;
use waxseal_key::{Arithmetic, DigestAlgorithm, Random};

use super::compose::MimeShape;
use super::wrap::{Outline, WrapError, wrap};
use crate::Limits;
use crate::cms::oid;
use crate::cms::write::{
    AuthenticatedData, CompressedData, ContentEncryption, DigestedData, Encoding, EncryptedData, KeyManagement,
    Recipient, Shape, Tamper,
};
use crate::io::{Sink, Source};

/// What a mail is put into.
#[derive(Clone, Copy)]
pub enum Enclosure<'a> {
    /// CompressedData (RFC 3274) with zlib.
    Compressed {
        /// How hard to try, from 0 to 9.
        level: u32,
    },
    /// DigestedData (RFC 5652 section 7).
    Digested {
        /// The digest.
        digest: DigestAlgorithm,
    },
    /// EncryptedData (RFC 5652 section 8).
    Encrypted {
        /// The content key.
        key: &'a [u8],
        /// The cipher.
        cipher: ContentEncryption,
    },
    /// AuthenticatedData (RFC 5652 section 9).
    Authenticated {
        /// Who can check it.
        recipients: &'a [Recipient<'a>],
        /// How the key gets to them.
        key_management: &'a KeyManagement,
        /// The digest under HMAC.
        digest: DigestAlgorithm,
    },
}

/// How a mail is put into an object.
#[derive(Clone)]
pub struct EncloseRequest<'a> {
    /// The object.
    pub into: Enclosure<'a>,
    /// How the object is written.
    pub shape: Shape,
    /// How the mail around it is written.
    pub mime: MimeShape,
    /// The Date of a mail that has none.
    pub date: Option<OffsetDateTime>,
    /// Fields of the outer header, in the place of those of the same name.
    pub headers: Vec<(String, String)>,
    /// Who computes.
    pub arithmetic: &'a Arithmetic,
    /// How long a header may be.
    pub limits: Limits,
    /// What is wrong with it.
    pub tamper: Tamper,
}

impl<'a> EncloseRequest<'a> {
    /// In the default shapes.
    #[must_use]
    pub fn new(into: Enclosure<'a>, arithmetic: &'a Arithmetic) -> Self {
        Self {
            into,
            shape: Shape::default(),
            mime: MimeShape::default(),
            date: None,
            headers: Vec::new(),
            arithmetic,
            limits: Limits::default(),
            tamper: Tamper::default(),
        }
    }

    /// Whether [`enclose`] reads the input once and from front to back, once it
    /// has seen the header: in BER.
    #[must_use]
    pub fn reads_once(&self) -> bool {
        self.shape.encoding != Encoding::Der
    }
}

/// Puts a mail or a MIME entity into an object and writes a mail.
///
/// The `Content-…` fields of the input and its body go in, in canonical form
/// (RFC 8551 section 3.1.1); all other fields stay outside. The input is
/// read more than once unless [`EncloseRequest::reads_once`]. After an error, what the output got is no mail.
///
/// # Errors
/// The input is no mail, a certificate cannot be encrypted for, or a shape has
/// no encoding; see [`WrapError`].
pub fn enclose(
    input: &mut dyn Source,
    out: &mut dyn Sink,
    request: &EncloseRequest<'_>,
    random: &mut dyn Random,
) -> Result<(), WrapError> {
    let EncloseRequest { shape, tamper, arithmetic, mime, .. } = request;
    mime.check()?;
    let content_type = oid::DATA;
    let fields = match request.into {
        Enclosure::Compressed { .. } => &mime.compressed,
        _ => &mime.other,
    };
    let outline = Outline {
        fields,
        columns: mime.columns,
        headers: &request.headers,
        date: request.date,
        protect_headers: None,
        limits: &request.limits,
    };
    wrap(input, out, &outline, |out, content| match request.into {
        Enclosure::Compressed { level } => CompressedData { content_type, level, shape, tamper }.write(out, content),
        Enclosure::Digested { digest } => {
            DigestedData { digest, content_type, shape, tamper, arithmetic }.write(out, content)
        }
        Enclosure::Encrypted { key, cipher } => {
            EncryptedData { key, cipher, content_type, shape, tamper, arithmetic }.write(out, content, random)
        }
        Enclosure::Authenticated { recipients, key_management, digest } => {
            AuthenticatedData { recipients, key_management, digest, content_type, shape, tamper, arithmetic }
                .write(out, content, random)
        }
    })
}
