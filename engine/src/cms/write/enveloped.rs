//! EnvelopedData (RFC 5652 section 6), AuthEnvelopedData (RFC 5083) and
//! EncryptedData (RFC 5652 section 8).

use std::io::Write;

use waxseal_key::{Arithmetic, Random};

use super::attributes::content_type_attribute;
use super::cipher::{Encryption, Start};
use super::frame::{Frame, Holder, Lengths};
use super::identifier::algorithm_with;
use super::recipient::Wrapping;
use super::{Content, ContentEncryption, Family, KeyManagement, Recipient, Shape, Tamper, WriteError};
use crate::ber::writer::{self, SegmentPlan, element_len, tag};
use crate::cms::oid;

/// A recipe for an EnvelopedData, or for an AuthEnvelopedData where the cipher
/// authenticates.
#[derive(Clone, Copy)]
pub struct EnvelopedData<'a> {
    /// Who can decrypt, in this order; the originator too, where a copy is kept
    /// (RFC 8551 section 3.3).
    pub recipients: &'a [Recipient<'a>],
    /// How the content key gets to them.
    pub key_management: &'a KeyManagement,
    /// The content cipher.
    pub cipher: ContentEncryption,
    /// contentType of what is encrypted, dotted; [`oid::DATA`] in mail.
    pub content_type: &'a str,
    /// How it is written.
    pub shape: &'a Shape,
    /// What is wrong with it.
    pub tamper: &'a Tamper,
    /// Who encrypts.
    pub arithmetic: &'a Arithmetic,
}

impl EnvelopedData<'_> {
    /// Draws a content key and an initialization vector, and writes the object.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn write(
        &self,
        out: &mut dyn Write,
        content: &mut dyn Content,
        random: &mut dyn Random,
    ) -> Result<(), WriteError> {
        let Self { recipients, key_management, shape, tamper, arithmetic, .. } = *self;
        let wrapping = Wrapping::new(recipients, key_management, shape, tamper, arithmetic)?;
        let (cipher, content_type, object) = (self.cipher, self.content_type, self.object());
        let key = cipher.draw_key(random);
        let sealing = Sealing { object, cipher, content_type, shape, tamper, arithmetic };
        let started = sealing.start(&key, content, random)?;
        let infos = wrapping.infos(&key, random)?;
        // AuthEnvelopedData has one version (RFC 5083 section 2.1).
        let version = if object == oid::AUTH_ENVELOPED_DATA { 0 } else { infos.enveloped_version };
        if object == oid::AUTH_ENVELOPED_DATA && shape.family == Family::Gmt {
            return Err(WriteError::Recipe(
                "GM/T 0010 has no content type for a cipher that authenticates: take sm4-cbc",
            ));
        }
        let mut head = writer::integer(self.tamper.version.unwrap_or(version));
        head.extend(infos.der);
        sealing.write(out, content, head, started)
    }

    const fn object(&self) -> &'static str {
        if self.cipher.is_authenticated() && !self.tamper.authenticated_in_enveloped {
            oid::AUTH_ENVELOPED_DATA
        } else {
            oid::ENVELOPED_DATA
        }
    }
}

/// A recipe for an EncryptedData: both sides have the key, and nothing in the
/// object says which one.
#[derive(Clone, Copy)]
pub struct EncryptedData<'a> {
    /// The content key.
    pub key: &'a [u8],
    /// The content cipher.
    pub cipher: ContentEncryption,
    /// contentType of what is encrypted, dotted; [`oid::DATA`] in mail.
    pub content_type: &'a str,
    /// How it is written.
    pub shape: &'a Shape,
    /// What is wrong with it.
    pub tamper: &'a Tamper,
    /// Who encrypts.
    pub arithmetic: &'a Arithmetic,
}

impl EncryptedData<'_> {
    /// Draws an initialization vector, and writes the object.
    ///
    /// # Errors
    /// See [`WriteError`]; a cipher that authenticates has no place for its tag
    /// here.
    pub fn write(
        &self,
        out: &mut dyn Write,
        content: &mut dyn Content,
        random: &mut dyn Random,
    ) -> Result<(), WriteError> {
        if self.cipher.is_authenticated() && !self.tamper.authenticated_in_enveloped {
            return Err(WriteError::Recipe(
                "EncryptedData has no place for an authentication tag: take a cipher in CBC mode, or a recipient \
                 with a key-encryption key",
            ));
        }
        let Self { cipher, content_type, shape, tamper, arithmetic, .. } = *self;
        let sealing = Sealing { object: oid::ENCRYPTED_DATA, cipher, content_type, shape, tamper, arithmetic };
        let started = sealing.start(self.key, content, random)?;
        sealing.write(out, content, writer::integer(self.tamper.version.unwrap_or(shape.family.version(0))), started)
    }
}

/// What is done with the content, whoever has its key.
pub(super) struct Sealing<'a> {
    /// contentType of the object, as CMS has it.
    pub(super) object: &'static str,
    pub(super) cipher: ContentEncryption,
    pub(super) content_type: &'a str,
    pub(super) shape: &'a Shape,
    pub(super) tamper: &'a Tamper,
    pub(super) arithmetic: &'a Arithmetic,
}

/// A cipher that was started, and what goes into it beside the content.
pub(super) struct Started<'a> {
    encryption: Encryption<'a>,
    plan: Option<SegmentPlan>,
    content_len: Option<u64>,
    /// authAttrs as a SET OF; empty where there are none.
    attributes: Vec<u8>,
    /// Elements that follow the content (signedAndEnvelopedData).
    pub(super) after: Vec<u8>,
}

impl<'a> Sealing<'a> {
    pub(super) fn start(
        &self,
        key: &[u8],
        content: &mut dyn Content,
        random: &mut dyn Random,
    ) -> Result<Started<'a>, WriteError> {
        let plan = self.shape.segments(self.cipher.block_len())?;
        // Where a length stands before the content, or goes into the cipher, the content is read twice.
        let needs_len = matches!(self.cipher, ContentEncryption::Aead { cipher, .. } if cipher.needs_content_len());
        let content_len = match plan {
            Some(_) if !needs_len => None,
            _ => Some(content.measure().map_err(WriteError::Read)?),
        };
        let attributes = self.authenticated_attributes()?;
        let start = Start {
            cipher: self.cipher,
            key,
            additional: &attributes,
            content_len,
            padding: self.tamper.padding.as_deref(),
            glued: self.glued(),
        };
        let encryption = Encryption::start(&start, self.arithmetic, random)?;
        Ok(Started { encryption, plan, content_len, attributes, after: Vec::new() })
    }

    pub(super) fn write(
        &self,
        out: &mut dyn Write,
        content: &mut dyn Content,
        head: Vec<u8>,
        started: Started<'_>,
    ) -> Result<(), WriteError> {
        let Started { encryption, plan, content_len, attributes: mut tail, after } = started;
        let family = self.shape.family;
        let mut info = writer::oid(family.content_type(self.content_type))?;
        let cipher = match self.cipher.oid() {
            oid::SM4_CBC if self.shape.sm2.short_sm4 => oid::SM4,
            oid => oid,
        };
        info.extend(algorithm_with(cipher, &encryption.parameters)?);
        let frame = Frame { object: family.content_type(self.object), head, info, holder: Holder::EncryptedContent };
        // The attributes are authenticated as a SET OF, and stand in the object with an implicit [1] (RFC 5083
        // sections 2.1 and 2.2).
        if let Some(first) = tail.first_mut() {
            *first = tag::context(1);
        }
        tail.extend(after);
        let mac_len = match self.cipher {
            ContentEncryption::Aead { tag_len, .. } if !self.glued() => element_len(tag_len as u64),
            _ => 0,
        };
        let lengths = match (plan, content_len) {
            (None, Some(length)) => {
                Lengths::Definite { content: Some(encryption.cipher_len(length)), tail: tail.len() as u64 + mac_len }
            }
            (plan, _) => Lengths::Indefinite { content: plan },
        };
        frame.write(out, lengths, |put| {
            let mac = encryption.run(content, put)?;
            if !mac.is_empty() {
                tail.extend(writer::octet_string(&mac));
            }
            Ok(tail)
        })
    }

    /// Only AuthEnvelopedData has a place of its own for the tag.
    fn glued(&self) -> bool {
        self.object != oid::AUTH_ENVELOPED_DATA
    }

    /// authAttrs as a SET OF. There has to be the content type where it is not
    /// data (RFC 5083 section 2.1).
    fn authenticated_attributes(&self) -> Result<Vec<u8>, WriteError> {
        let wanted = self.shape.authenticated_content_type || self.content_type != oid::DATA;
        if self.object != oid::AUTH_ENVELOPED_DATA || !wanted {
            return Ok(Vec::new());
        }
        Ok(writer::set_of(vec![content_type_attribute(self.content_type)?]))
    }
}
