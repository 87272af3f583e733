//! Encrypting a mail (RFC 8551 section 3.3).

use time::OffsetDateTime;
use waxseal_key::{Arithmetic, ContentCipher, DigestAlgorithm, Random, Signer};

use super::compose::{HideHeaders, MimeShape};
use super::wrap::{Outline, WrapError, wrap};
use crate::Limits;
use crate::certificate::Certificate;
use crate::cms::oid;
use crate::cms::write::{
    ContentEncryption, ContentSigner, Encoding, EnvelopedData, KeyManagement, Recipient, Shape, SignedAndEnvelopedData,
    SignedData, Tamper,
};
use crate::io::{Sink, Source};

/// How a mail is encrypted.
#[derive(Clone)]
pub struct EncryptRequest<'a> {
    /// Who can read it, in this order; the sender too, where a copy is kept.
    pub recipients: &'a [Recipient<'a>],
    /// Who signs the content in the same object, with SM2 keys: makes a
    /// signedAndEnvelopedData, which GM/T 0010 alone has.
    pub signers: &'a [(&'a dyn Signer, &'a Certificate)],
    /// Certificates that are sent along, after those of the signers.
    pub certificates: &'a [Certificate],
    /// How the content key gets to them.
    pub key_management: KeyManagement,
    /// The content cipher; one that authenticates makes an AuthEnvelopedData.
    pub cipher: ContentEncryption,
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
    /// [`ProtectHeaders::Cipher`](super::ProtectHeaders::Cipher).
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
    pub fn new(recipients: &'a [Recipient<'a>], arithmetic: &'a Arithmetic) -> Self {
        Self {
            recipients,
            signers: &[],
            certificates: &[],
            key_management: KeyManagement::default(),
            cipher: ContentCipher::Aes256Cbc.into(),
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

    /// Whether [`encrypt`] reads the input once and from front to back, once it
    /// has seen the header: in BER, with a cipher that need not know the length
    /// before, and without header protection.
    #[must_use]
    pub fn reads_once(&self) -> bool {
        let needs_len = matches!(self.cipher, ContentEncryption::Aead { cipher, .. } if cipher.needs_content_len());
        let once = self.shape.encoding != Encoding::Der && self.signers.is_empty();
        once && self.protect_headers.is_none() && !needs_len
    }
}

/// Encrypts a mail or a MIME entity and writes a mail.
///
/// The `Content-…` fields of the input and its body are encrypted, in canonical
/// form (RFC 8551 section 3.1.1); all other fields stay outside and readable,
/// but for what [`EncryptRequest::protect_headers`] hides. The input is read more
/// than once unless [`EncryptRequest::reads_once`]. After an error, what the
/// output got is no mail.
///
/// # Errors
/// The input is no mail, a certificate cannot be encrypted for, or a shape has
/// no encoding; see [`WrapError`].
pub fn encrypt(
    input: &mut dyn Source,
    out: &mut dyn Sink,
    request: &EncryptRequest<'_>,
    random: &mut dyn Random,
) -> Result<(), WrapError> {
    request.mime.check()?;
    let recipe = EnvelopedData {
        recipients: request.recipients,
        key_management: &request.key_management,
        cipher: request.cipher,
        content_type: oid::DATA,
        shape: &request.shape,
        tamper: &request.tamper,
        arithmetic: request.arithmetic,
    };
    let authenticated = request.cipher.is_authenticated() && !request.tamper.authenticated_in_enveloped;
    let outline = Outline {
        fields: if authenticated { &request.mime.auth_enveloped } else { &request.mime.enveloped },
        columns: request.mime.columns,
        headers: &request.headers,
        date: request.date,
        protect_headers: request.protect_headers,
        limits: &request.limits,
    };
    if request.signers.is_empty() {
        return wrap(input, out, &outline, |out, content| recipe.write(out, content, random));
    }
    let signers = request.signers.iter();
    let signers = signers.map(|(key, certificate)| ContentSigner::new(*key, certificate, DigestAlgorithm::Sm3, None));
    let signers = signers.collect::<Result<Vec<_>, _>>()?;
    // In this structure signatures have no attributes.
    let shape = Shape { attributes: Vec::new(), ..request.shape.clone() };
    let signed = SignedData {
        signers: &signers,
        certificates: request.certificates,
        signing_time: None,
        crls: &[],
        ocsp_responses: &[],
        encryption_certificate: None,
        content_type: oid::DATA,
        shape: &shape,
        tamper: &request.tamper,
        arithmetic: request.arithmetic,
    };
    let recipe = SignedAndEnvelopedData { signed, enveloped: recipe };
    let outline = Outline { fields: &request.mime.other, ..outline };
    wrap(input, out, &outline, |out, content| recipe.write(out, content, random))
}
