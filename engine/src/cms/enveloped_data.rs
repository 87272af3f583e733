//! EnvelopedData (RFC 5652 section 6), read in one pass: recipients and cipher,
//! the encrypted content as a stream, everything after it.

use std::io::Read;

use cms::enveloped_data as types;
use der::{Decode as _, Encode as _};
use waxseal_verdict::Reason;

use crate::Limits;
use crate::ber::{Class, Element, Event, OctetStream, Reader, Tag};
use crate::cms::algorithm::AlgorithmIdentifier;
use crate::cms::error::{CmsError, Within};
use crate::cms::identifier::SignerIdentifier;
use crate::cms::read::{
    Room, definite, must_be_constructed, must_be_set, must_end, must_hold_elements, next, one, read_oid, read_version,
    surplus, version,
};
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
        let mut room = Room::new(limits);
        let version = read_version(reader, limits, &mut room, "EnvelopedData.version")?;
        let context = "EnvelopedData.recipientInfos";
        let expected = "recipientInfos (SET)";
        let mut header = next(reader, expected, context)?;
        let has_originator = header.tag == Tag::context(0);
        if has_originator {
            must_be_constructed(reader, &header, "EnvelopedData.originatorInfo")?;
            reader.skip(&header).within("EnvelopedData.originatorInfo")?;
            header = next(reader, expected, context)?;
        }
        must_be_set(reader, &header, expected, context)?;
        let mut recipients = Vec::new();
        while let Some(header) = reader.next_element().within(context)? {
            let context = format!("{context}[{}]", recipients.len());
            if recipients.len() >= limits.recipients {
                let detail = format!("more than {} recipients at offset {}", limits.recipients, header.offset);
                return Err(CmsError::new(Reason::LimitExceeded, context, detail));
            }
            let octets = definite(reader, &header, limits, &mut room, &context)?;
            recipients.push(RecipientInfo::read(&one(&octets, header.offset, &context)?, &context)?);
        }
        let context = "EnvelopedData.encryptedContentInfo";
        reader.enter(Tag::SEQUENCE, "encryptedContentInfo (SEQUENCE)").within(context)?;
        let content_type = read_oid(reader, "contentType", limits, &mut room, context)?;
        let header = reader.expect(Tag::SEQUENCE, "contentEncryptionAlgorithm").within(context)?;
        let place = format!("{context}.contentEncryptionAlgorithm");
        let octets = definite(reader, &header, limits, &mut room, &place)?;
        let cipher = AlgorithmIdentifier::read(&one(&octets, header.offset, &place)?, &place)?;
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
        if self.content.is_some() {
            must_end(reader, "EnvelopedData.encryptedContentInfo")?;
        }
        let context = "EnvelopedData";
        match reader.next_element().within(context)? {
            None => Ok(false),
            Some(header) if header.tag == Tag::context(1) => {
                must_be_constructed(reader, &header, "EnvelopedData.unprotectedAttrs")?;
                reader.skip(&header).within("EnvelopedData.unprotectedAttrs")?;
                must_end(reader, context).map(|()| true)
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
        if element.tag == Tag::SEQUENCE || matches!(element.tag, Tag { class: Class::Context, number: 1..=4 }) {
            must_hold_elements(element, context)?;
        }
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
        let version = version(&fields.expect(Tag::INTEGER, "version").within(context)?, context)?;
        let id = SignerIdentifier::read(&mut fields, context)?;
        let algorithm = fields.expect(Tag::SEQUENCE, "keyEncryptionAlgorithm").within(context)?;
        let algorithm = AlgorithmIdentifier::read(&algorithm, &format!("{context}.keyEncryptionAlgorithm"))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::writer as w;
    use crate::cms::oid;
    use crate::cms::testing::{Tree, check_fields};

    fn read(octets: &[u8]) -> Result<(EnvelopedDataHead, Vec<u8>), CmsError> {
        read_within(octets, &Limits::default())
    }

    fn read_within(octets: &[u8], limits: &Limits) -> Result<(EnvelopedDataHead, Vec<u8>), CmsError> {
        let mut reader = Reader::new(octets, limits);
        let mut head = EnvelopedDataHead::read(&mut reader, limits)?;
        let (mut content, mut block) = (Vec::new(), [0; 7]);
        loop {
            match head.read_content(&mut reader, &mut block)? {
                0 => break,
                read => content.extend_from_slice(&block[..read]),
            }
        }
        head.finish(&mut reader)?;
        Ok((head, content))
    }

    /// EnvelopedData with every optional field.
    fn full() -> Tree {
        let algorithm = |dotted: &str| w::sequence([w::oid(dotted).unwrap()]);
        let recipient = w::sequence([
            w::integer(0),
            w::sequence([w::sequence([b""]), w::integer(9)]),
            algorithm("1.2.4"),
            w::octet_string(&[1, 2, 3]),
        ]);
        Tree::parse(&w::sequence([
            w::integer(2),
            w::context(0, &[]),
            w::set_as_given([recipient]),
            w::sequence([
                w::oid(oid::DATA).unwrap(),
                algorithm("1.2.5"),
                w::element(w::tag::context_primitive(0), b"hello world"),
            ]),
            w::context(1, &w::sequence([w::oid("1.2.3").unwrap(), w::set_as_given([w::integer(7)])])),
        ]))
    }

    #[test]
    fn every_field_is_read() {
        let (head, content) = read(&full().der()).unwrap();
        assert_eq!((head.version, head.has_originator, head.content_type.as_str()), (2, true, oid::DATA));
        assert_eq!((head.cipher.oid.as_str(), content.as_slice()), ("1.2.5", b"hello world".as_slice()));
        let [RecipientInfo::KeyTransport { version, id, algorithm, encrypted_key }] = head.recipients.as_slice() else {
            panic!("{head:?}")
        };
        assert_eq!(*id, SignerIdentifier::IssuerAndSerial { issuer: vec![0x30, 0].into(), serial: vec![9] });
        assert_eq!((*version, algorithm.oid.as_str(), encrypted_key.as_slice()), (0, "1.2.4", [1, 2, 3].as_slice()));
    }

    #[test]
    fn what_is_optional_may_be_missing() {
        for path in [[1].as_slice(), &[2, 0], &[3, 2], &[4]] {
            read(&full().without(path).der()).unwrap();
        }
        assert!(read(&full().without(&[3, 2]).der()).unwrap().0.content.is_none());
    }

    #[test]
    fn damage_names_field_and_offset() {
        let recipient = "EnvelopedData.recipientInfos[0]";
        let info = "EnvelopedData.encryptedContentInfo";
        check_fields(
            &full(),
            read,
            &[
                (&[0], "EnvelopedData.version", "expected version (INTEGER)"),
                (&[2], "EnvelopedData.recipientInfos", "expected recipientInfos (SET)"),
                (&[2, 0, 0], recipient, "expected version"),
                (&[2, 0, 1, 0], recipient, "expected issuer (Name)"),
                (&[2, 0, 1, 1], recipient, "expected serialNumber"),
                (&[2, 0, 2], recipient, "expected keyEncryptionAlgorithm"),
                (&[2, 0, 2, 0], "EnvelopedData.recipientInfos[0].keyEncryptionAlgorithm", "expected algorithm"),
                (&[2, 0, 3], recipient, "expected encryptedKey"),
                (&[3], info, "expected encryptedContentInfo (SEQUENCE)"),
                (&[3, 0], info, "expected contentType"),
                (&[3, 1], info, "expected contentEncryptionAlgorithm"),
                (
                    &[3, 1, 0],
                    "EnvelopedData.encryptedContentInfo.contentEncryptionAlgorithm",
                    "expected algorithm (OBJECT IDENTIFIER)",
                ),
            ],
            &[
                (&[1], "EnvelopedData.recipientInfos", "expected recipientInfos (SET)"),
                (&[2, 0], recipient, "no kind of recipient has the tag ENUMERATED"),
                (&[2, 0, 1], recipient, "expected issuerAndSerialNumber or [0]"),
                (&[3, 2], info, "expected the end of the element"),
                (&[4], "EnvelopedData", "expected the end of the element"),
            ],
            &[(&[], "EnvelopedData"), (&[2, 0], recipient), (&[2, 0, 1], recipient), (&[3], info)],
        );
    }

    #[test]
    fn odd_values_are_refused() {
        let detail = |octets: &[u8]| read(octets).unwrap_err().to_string();
        let version = detail(&[0x30, 2, 2, 0]);
        assert_eq!(version, "EnvelopedData.version: a version that is no small number at offset 2");
        let mut octets = full().der();
        octets[full().offset(&[2])] &= !0x20;
        let primitive = detail(&octets);
        assert!(primitive.starts_with("EnvelopedData.recipientInfos: a primitive element where"), "{primitive}");
        for (path, field) in [
            (&[1][..], "EnvelopedData.originatorInfo"),
            (&[2, 0], "EnvelopedData.recipientInfos[0]"),
            (&[4], "EnvelopedData.unprotectedAttrs"),
        ] {
            let mut octets = full().der();
            octets[full().offset(path)] &= !0x20;
            let text = detail(&octets);
            assert!(text.starts_with(&format!("{field}: a primitive element where")), "{text}");
        }
        let limits = Limits { recipients: 0, ..Limits::default() };
        let error = read_within(&full().der(), &limits).unwrap_err();
        assert_eq!((error.reason, error.context.as_str()), (Reason::LimitExceeded, "EnvelopedData.recipientInfos[0]"));
    }

    #[test]
    fn the_octets_held_of_one_object_are_bounded() {
        let recipient = w::context(4, &w::octet_string(&[0; 1000]));
        let read = |recipients: usize| {
            let set = w::element(w::tag::SET, &recipient.repeat(recipients));
            let limits = Limits { element_octets: 5000, ..Limits::default() };
            let info = w::sequence([w::oid(oid::DATA).unwrap(), w::sequence([w::oid("1.2.5").unwrap()])]);
            read_within(&w::sequence([w::integer(2), set, info]), &limits)
        };
        assert_eq!(read(4).unwrap().0.recipients.len(), 4);
        let error = read(5).unwrap_err();
        assert_eq!((error.reason, error.context.as_str()), (Reason::LimitExceeded, "EnvelopedData.recipientInfos[4]"));
    }

    #[test]
    fn every_cut_is_a_truncation() {
        let octets = full().der();
        for cut in 1..octets.len() {
            let error = read(&octets[..cut]).unwrap_err();
            assert_eq!(error.reason, Reason::Truncated, "cut at {cut}: {error}");
        }
    }

    #[test]
    fn kinds_that_are_only_shown_keep_their_names() {
        for (number, kind) in [(1, "kari"), (2, "kekri"), (3, "pwri"), (4, "ori")] {
            // What the strict types refuse has no name, and is no damage.
            let octets = w::context(number, &[]);
            let info = RecipientInfo::read(&one(&octets, 0, "r").unwrap(), "r").unwrap();
            assert_eq!(info, RecipientInfo::Other { kind, names: Vec::new(), algorithm: None });
        }
    }
}
