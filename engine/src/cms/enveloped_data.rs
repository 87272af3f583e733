//! EnvelopedData (RFC 5652 section 6), read in one pass: recipients and cipher,
//! the encrypted content as a stream, everything after it.

use std::io::Read;

use cms::enveloped_data as types;
use der::{Decode as _, Encode as _};
use waxseal_verdict::Reason;

use crate::Limits;
use crate::ber::{BerErrorKind, Element, Event, OctetStream, Reader, Tag};
use crate::cms::algorithm::{AlgorithmIdentifier, read_oid};
use crate::cms::content_info::surplus;
use crate::cms::error::{CmsError, Within};
use crate::cms::signed_data::{SignerIdentifier, definite, implicit_octets, one, read_version};
use crate::hex::hex;

/// What stands before the encrypted content.
#[derive(Debug)]
pub struct EnvelopedDataHead {
    /// CMSVersion.
    pub version: u64,
    /// Whether originatorInfo is present.
    pub has_originator: bool,
    /// The recipients, in the order received.
    pub recipients: Vec<RecipientInfo>,
    /// The type of what is encrypted, dotted.
    pub content_type: String,
    /// The content cipher.
    pub cipher: AlgorithmIdentifier,
    /// The encrypted content's stream, if it is inside.
    pub content: Option<OctetStream>,
}

/// One recipient (RFC 5652 section 6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecipientInfo {
    /// The content key is encrypted with the recipient's public key.
    KeyTransport {
        /// CMSVersion.
        version: u64,
        /// Which certificate.
        id: SignerIdentifier,
        /// How the key is encrypted.
        algorithm: AlgorithmIdentifier,
        /// The encrypted key.
        encrypted_key: Vec<u8>,
    },
    /// A kind that is recognised but not opened.
    Other {
        /// `kari`, `kekri`, `pwri` or `ori`.
        kind: &'static str,
        /// Who can open it, for a person; empty where the kind names nobody.
        names: Vec<String>,
        /// The key management algorithm, where it could be read.
        algorithm: Option<AlgorithmIdentifier>,
    },
}

impl EnvelopedDataHead {
    /// Reads EnvelopedData up to the encrypted content. The
    /// [`crate::cms::ContentInfo`] was read.
    ///
    /// # Errors
    /// It is malformed.
    pub fn read<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<Self, CmsError> {
        reader.enter(Tag::SEQUENCE, "EnvelopedData (SEQUENCE)").within("EnvelopedData")?;
        let version = read_version(reader, "EnvelopedData.version")?;
        let context = "EnvelopedData.recipientInfos";
        let missing = BerErrorKind::Unexpected { expected: "recipientInfos (SET)", found: None };
        let mut has_originator = false;
        let set = loop {
            match reader.next_element().within(context)? {
                Some(header) if header.tag == Tag::context(0) && !has_originator => {
                    has_originator = true;
                    reader.skip(&header).within("EnvelopedData.originatorInfo")?;
                }
                Some(header) if header.tag == Tag::SET && header.constructed => break header,
                Some(header) => return Err(surplus(reader, &header, context)),
                None => return Err(CmsError::ber(context, &reader.error(missing))),
            }
        };
        debug_assert_eq!(set.tag, Tag::SET, "only a SET ends the loop");
        let mut recipients = Vec::new();
        while let Some(header) = reader.next_element().within(context)? {
            let context = format!("{context}[{}]", recipients.len());
            if recipients.len() >= limits.recipients {
                let detail = format!("more than {} recipients at offset {}", limits.recipients, header.offset);
                return Err(CmsError::new(Reason::LimitExceeded, context, detail));
            }
            let octets = definite(reader, &header, limits, &context)?;
            recipients.push(RecipientInfo::read(&one(&octets, header.offset, &context)?, &context)?);
        }
        let context = "EnvelopedData.encryptedContentInfo";
        reader.enter(Tag::SEQUENCE, "encryptedContentInfo (SEQUENCE)").within(context)?;
        let header = reader.expect(Tag::OBJECT_IDENTIFIER, "contentType").within(context)?;
        let octets = definite(reader, &header, limits, context)?;
        let content_type = read_oid(&one(&octets, header.offset, context)?, context)?;
        let header = reader.expect(Tag::SEQUENCE, "contentEncryptionAlgorithm").within(context)?;
        let octets = definite(reader, &header, limits, context)?;
        let cipher = AlgorithmIdentifier::read(&one(&octets, header.offset, context)?, context)?;
        let content = match reader.next_event().within(context)? {
            Some(Event::Begin(header)) if header.tag == Tag::context(0) => Some(OctetStream::new(header)),
            Some(Event::Begin(header)) => return Err(surplus(reader, &header, context)),
            Some(Event::End { .. }) | None => None,
        };
        Ok(Self { version, has_originator, recipients, content_type, cipher, content })
    }

    /// Reads the next octets of the encrypted content; 0 at its end.
    ///
    /// # Errors
    /// The encoding is malformed.
    pub fn read_content<R: Read>(&mut self, reader: &mut Reader<R>, out: &mut [u8]) -> Result<usize, CmsError> {
        match &mut self.content {
            Some(stream) => stream.read(reader, out).within("EnvelopedData.encryptedContentInfo.encryptedContent"),
            None => Ok(0),
        }
    }

    /// Reads what follows the encrypted content, up to the end of EnvelopedData;
    /// the result is whether unprotectedAttrs are among it.
    ///
    /// # Errors
    /// It is malformed.
    pub fn finish<R: Read>(&self, reader: &mut Reader<R>) -> Result<bool, CmsError> {
        let context = "EnvelopedData";
        if self.content.is_some()
            && let Some(header) = reader.next_element().within(context)?
        {
            return Err(surplus(reader, &header, context));
        }
        match reader.next_element().within(context)? {
            None => Ok(false),
            Some(header) if header.tag == Tag::context(1) => {
                reader.skip(&header).within("EnvelopedData.unprotectedAttrs")?;
                match reader.next_element().within(context)? {
                    None => Ok(true),
                    Some(header) => Err(surplus(reader, &header, context)),
                }
            }
            Some(header) => Err(surplus(reader, &header, context)),
        }
    }

    /// Whether the version is one that RFC 5652 section 6.1 gives to what is
    /// inside. What certificates originatorInfo holds is not looked at.
    #[must_use]
    pub fn version_fits(&self, unprotected_attributes: bool) -> bool {
        let of_kind = |wanted: &[&str]| {
            self.recipients
                .iter()
                .any(|info| matches!(info, RecipientInfo::Other { kind, .. } if wanted.contains(kind)))
        };
        // Key transport is of version 0 with issuerAndSerialNumber; the other kinds never are.
        let all_of_version_0 =
            self.recipients.iter().all(|info| matches!(info, RecipientInfo::KeyTransport { version: 0, .. }));
        match (self.has_originator, of_kind(&["pwri", "ori"])) {
            (true, true) => matches!(self.version, 3 | 4),
            (true, false) => matches!(self.version, 2..=4),
            (false, true) => self.version == 3,
            (false, false) => self.version == if all_of_version_0 && !unprotected_attributes { 0 } else { 2 },
        }
    }
}

impl RecipientInfo {
    fn read(element: &Element<'_>, context: &str) -> Result<Self, CmsError> {
        let kind = match element.tag {
            Tag::SEQUENCE => return Self::key_transport(element, context),
            tag if tag == Tag::context(1) => "kari",
            tag if tag == Tag::context(2) => "kekri",
            tag if tag == Tag::context(3) => "pwri",
            tag if tag == Tag::context(4) => "ori",
            tag => {
                let detail = format!("no kind of recipient has the tag {tag} at offset {}", element.offset);
                return Err(CmsError::new(Reason::BadBer, context, detail));
            }
        };
        // A kind that is only shown: the strict types do, and where they refuse
        // it there is no name for it.
        let info = types::RecipientInfo::from_der(element.whole).ok();
        let named = |algorithm: &spki::AlgorithmIdentifierOwned| AlgorithmIdentifier {
            oid: algorithm.oid.to_string(),
            parameters: algorithm.parameters.as_ref().and_then(|parameters| parameters.to_der().ok()),
        };
        let algorithm = info.as_ref().and_then(|info| match info {
            types::RecipientInfo::Kari(info) => Some(named(&info.key_enc_alg)),
            types::RecipientInfo::Kekri(info) => Some(named(&info.key_enc_alg)),
            types::RecipientInfo::Pwri(info) => Some(named(&info.key_enc_alg)),
            types::RecipientInfo::Ori(info) => {
                Some(AlgorithmIdentifier { oid: info.ori_type.to_string(), parameters: None })
            }
            types::RecipientInfo::Ktri(_) => None,
        });
        Ok(Self::Other { kind, names: info.as_ref().map(names).unwrap_or_default(), algorithm })
    }

    fn key_transport(element: &Element<'_>, context: &str) -> Result<Self, CmsError> {
        let mut fields = element.inside();
        let version = fields.expect(Tag::INTEGER, "version").within(context)?;
        let version = match version.content {
            [value] if *value < 0x80 => u64::from(*value),
            _ => {
                let detail = format!("a version that is no small number at offset {}", version.offset);
                return Err(CmsError::new(Reason::BadBer, context, detail));
            }
        };
        let id = match fields.take_if(Tag::context(0)).within(context)? {
            Some(key_id) => SignerIdentifier::SubjectKeyIdentifier(implicit_octets(&key_id, context)?),
            None => {
                let id = fields.expect(Tag::SEQUENCE, "issuerAndSerialNumber or [0]").within(context)?;
                SignerIdentifier::issuer_and_serial(&id, context)?
            }
        };
        let algorithm = fields.expect(Tag::SEQUENCE, "keyEncryptionAlgorithm").within(context)?;
        let algorithm = AlgorithmIdentifier::read(&algorithm, context)?;
        let encrypted_key = fields.expect(Tag::OCTET_STRING, "encryptedKey").within(context)?.content.to_vec();
        fields.end().within(context)?;
        Ok(Self::KeyTransport { version, id, algorithm, encrypted_key })
    }
}

/// The recipients that a key agreement or a key-encryption key names.
fn names(info: &types::RecipientInfo) -> Vec<String> {
    match info {
        types::RecipientInfo::Kari(info) => info
            .recipient_enc_keys
            .iter()
            .map(|key| match &key.rid {
                types::KeyAgreeRecipientIdentifier::IssuerAndSerialNumber(id) => {
                    format!("issuer={}, serial={}", id.issuer, hex(id.serial_number.as_bytes()))
                }
                types::KeyAgreeRecipientIdentifier::RKeyId(id) => {
                    format!("ski={}", hex(id.subject_key_identifier.0.as_bytes()))
                }
            })
            .collect(),
        types::RecipientInfo::Kekri(info) => vec![format!("kek={}", hex(info.kek_id.kek_identifier.as_bytes()))],
        _ => Vec::new(),
    }
}
