//! EnvelopedData (RFC 5652 section 6), AuthEnvelopedData (RFC 5083 section 2.1)
//! and EncryptedData (RFC 5652 section 8), read in one pass: recipients and
//! cipher, the encrypted content as a stream, everything after it.

use std::io::Read;

use waxseal_verdict::Reason;

use crate::Limits;
use crate::ber::{Element, Reader, Tag};
use crate::cms::algorithm::AlgorithmIdentifier;
use crate::cms::attribute::Attributes;
use crate::cms::carried::Carried;
use crate::cms::encrypted_content::EncryptedContent;
use crate::cms::error::{CmsError, Within};
use crate::cms::identifier::{SignerIdentifier, implicit_octets};
use crate::cms::read::{Room, definite, must_be_constructed, must_be_set, must_end, next, one, read_version, surplus};
use crate::cms::recipient::RecipientInfo;
use crate::cms::signed_data::{SignedDataTail, read_digest_algorithms};

/// Which of the structures is read; they differ in what is around the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// EnvelopedData.
    Enveloped,
    /// AuthEnvelopedData.
    AuthEnveloped,
    /// EncryptedData: there are no recipients, both sides have the key.
    Encrypted,
    /// signedAndEnvelopedData of GM/T 0010.
    SignedAndEnveloped,
}

impl Envelope {
    /// The name of the structure in its RFC.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enveloped => "EnvelopedData",
            Self::AuthEnveloped => "AuthEnvelopedData",
            Self::Encrypted => "EncryptedData",
            Self::SignedAndEnveloped => "SignedAndEnvelopedData",
        }
    }
}

/// What stands before the end of the encrypted content.
#[derive(Debug)]
pub struct EnvelopedDataHead {
    /// Which structure this is.
    pub envelope: Envelope,
    /// CMSVersion.
    pub version: u64,
    /// What originatorInfo carries, if it is present.
    pub originator: Option<Carried>,
    /// The recipients, in the order received.
    pub recipients: Vec<RecipientInfo>,
    /// The digests that the signers used (SignedAndEnvelopedData only).
    pub digest_algorithms: Vec<AlgorithmIdentifier>,
    /// What is encrypted, and how.
    pub content: EncryptedContent,
    /// What may be held of that which follows the content.
    room: Room,
}

/// What stands after the encrypted content.
#[derive(Debug, Default)]
pub struct EnvelopedDataTail {
    /// The attributes that the tag protects, too (AuthEnvelopedData only).
    pub authenticated_attributes: Option<Attributes>,
    /// The authentication tag (AuthEnvelopedData only).
    pub mac: Vec<u8>,
    /// Whether there are attributes that nothing protects.
    pub has_unprotected_attributes: bool,
    /// Who signed the content (SignedAndEnvelopedData only).
    pub signed: SignedDataTail,
}

impl EnvelopedDataHead {
    /// Reads up to the encrypted content. The [`crate::cms::ContentInfo`] was read.
    ///
    /// # Errors
    /// It is malformed.
    pub fn read<R: Read>(reader: &mut Reader<R>, limits: &Limits, envelope: Envelope) -> Result<Self, CmsError> {
        let owner = envelope.name();
        reader.enter(Tag::SEQUENCE, "EnvelopedData, AuthEnvelopedData or EncryptedData (SEQUENCE)").within(owner)?;
        let mut room = Room::new(limits);
        let version = read_version(reader, limits, &mut room, &format!("{owner}.version"))?;
        let (originator, recipients) = match envelope {
            Envelope::Encrypted => (None, Vec::new()),
            _ => read_recipients(reader, limits, &mut room, owner)?,
        };
        let digest_algorithms = match envelope {
            Envelope::SignedAndEnveloped => {
                read_digest_algorithms(reader, limits, &mut room, &format!("{owner}.digestAlgorithms"))?
            }
            _ => Vec::new(),
        };
        let content = EncryptedContent::read(reader, limits, &mut room, owner)?;
        Ok(Self { envelope, version, originator, recipients, digest_algorithms, content, room })
    }

    /// Reads what follows the encrypted content, up to the end of the structure.
    ///
    /// # Errors
    /// It is malformed.
    pub fn finish<R: Read>(&self, reader: &mut Reader<R>, limits: &Limits) -> Result<EnvelopedDataTail, CmsError> {
        self.content.finish(reader)?;
        let owner = self.envelope.name();
        let mut tail = EnvelopedDataTail::default();
        if self.envelope == Envelope::SignedAndEnveloped {
            tail.signed.read_signers(reader, limits, self.room, owner)?;
            return Ok(tail);
        }
        let mut unprotected = ("unprotectedAttrs", 1);
        if self.envelope == Envelope::AuthEnveloped {
            let mut room = self.room;
            let expected = "mac (OCTET STRING)";
            let mut header = next(reader, expected, owner)?;
            if header.tag == Tag::context(1) {
                let place = format!("{owner}.authAttrs");
                must_be_constructed(reader, &header, &place)?;
                let octets = definite(reader, &header, limits, &mut room, &place)?;
                tail.authenticated_attributes = Some(Attributes::read(&one(&octets, header.offset, &place)?, &place)?);
                header = next(reader, expected, owner)?;
            }
            let place = format!("{owner}.mac");
            if header.tag != Tag::OCTET_STRING {
                return Err(surplus(reader, &header, &place));
            }
            let octets = definite(reader, &header, limits, &mut room, &place)?;
            tail.mac = implicit_octets(&one(&octets, header.offset, &place)?, &place)?;
            unprotected = ("unauthAttrs", 2);
        }
        match reader.next_element().within(owner)? {
            None => {}
            Some(header) if header.tag == Tag::context(unprotected.1) => {
                let place = format!("{owner}.{}", unprotected.0);
                must_be_constructed(reader, &header, &place)?;
                reader.skip(&header).within(&place)?;
                tail.has_unprotected_attributes = true;
                must_end(reader, owner)?;
            }
            Some(header) => return Err(surplus(reader, &header, owner)),
        }
        Ok(tail)
    }

    /// Whether the version is the one that RFC 5652 section 6.1, or RFC 5083
    /// section 2.1, gives to what is inside. What certificates originatorInfo
    /// holds is not looked at.
    #[must_use]
    pub fn version_fits(&self, tail: &EnvelopedDataTail) -> bool {
        match self.envelope {
            Envelope::Enveloped => {}
            Envelope::AuthEnveloped => return self.version == 0,
            // Section 8.
            Envelope::Encrypted => return self.version == if tail.has_unprotected_attributes { 2 } else { 0 },
            Envelope::SignedAndEnveloped => return self.gmt_version_fits(),
        }
        let unusual = |info: &RecipientInfo| matches!(info.kind(), "pwri" | "ori");
        // Key transport is of version 0 with issuerAndSerialNumber; the other kinds never are.
        let all_of_version_0 =
            self.recipients.iter().all(|info| matches!(info, RecipientInfo::KeyTransport { version: 0, .. }));
        match (self.originator.is_some(), self.recipients.iter().any(unusual)) {
            (true, true) => matches!(self.version, 3 | 4),
            (true, false) => matches!(self.version, 2..=4),
            (false, true) => self.version == 3,
            (false, false) => self.version == if all_of_version_0 && !tail.has_unprotected_attributes { 0 } else { 2 },
        }
    }

    /// Whether the versions are those of GM/T 0010: 1 throughout.
    #[must_use]
    pub fn gmt_version_fits(&self) -> bool {
        let of_version_1 = |info: &RecipientInfo| {
            matches!(info, RecipientInfo::KeyTransport { version: 1, id: SignerIdentifier::IssuerAndSerial { .. }, .. })
        };
        self.version == 1 && self.recipients.iter().all(of_version_1)
    }

    /// Whether the versions are those of CFCA's kit, which names recipients by
    /// key identifier.
    #[must_use]
    pub fn cfca_version_fits(&self) -> bool {
        let by_key_id = |info: &RecipientInfo| {
            matches!(
                info,
                RecipientInfo::KeyTransport { version: 2, id: SignerIdentifier::SubjectKeyIdentifier(_), .. }
            )
        };
        self.version == 2 && !self.recipients.is_empty() && self.recipients.iter().all(by_key_id)
    }
}

/// Reads originatorInfo and recipientInfos.
pub(super) fn read_recipients<R: Read>(
    reader: &mut Reader<R>,
    limits: &Limits,
    room: &mut Room,
    owner: &str,
) -> Result<(Option<Carried>, Vec<RecipientInfo>), CmsError> {
    let context = format!("{owner}.recipientInfos");
    let expected = "recipientInfos (SET)";
    let mut header = next(reader, expected, &context)?;
    let mut originator = None;
    if header.tag == Tag::context(0) {
        let place = format!("{owner}.originatorInfo");
        originator = Some(Carried::read_originator(reader, &header, limits, room, &place)?);
        header = next(reader, expected, &context)?;
    }
    must_be_set(reader, &header, expected, &context)?;
    let mut recipients = Vec::new();
    let mut count = 0;
    while let Some(header) = reader.next_element().within(&context)? {
        let place = format!("{context}[{}]", recipients.len());
        let too_many = || {
            let detail = format!("more than {} recipients at offset {}", limits.recipients, header.offset);
            CmsError::new(Reason::LimitExceeded, place.as_str(), detail)
        };
        if count >= limits.recipients {
            return Err(too_many());
        }
        let octets = definite(reader, &header, limits, room, &place)?;
        let element: Element<'_> = one(&octets, header.offset, &place)?;
        let info = RecipientInfo::read(&element, &place)?;
        count += match &info {
            RecipientInfo::KeyAgreement(info) => info.recipients.len().max(1),
            _ => 1,
        };
        if count > limits.recipients {
            return Err(too_many());
        }
        recipients.push(info);
    }
    Ok((originator, recipients))
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
        let mut head = EnvelopedDataHead::read(&mut reader, limits, Envelope::Enveloped)?;
        let (mut content, mut block) = (Vec::new(), [0; 7]);
        loop {
            match head.content.read_content(&mut reader, &mut block)? {
                0 => break,
                read => content.extend_from_slice(&block[..read]),
            }
        }
        head.finish(&mut reader, limits)?;
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
        assert_eq!((head.version, head.originator.is_some(), head.content.content_type.as_str()), (2, true, oid::DATA));
        assert_eq!((head.content.cipher.oid.as_str(), content.as_slice()), ("1.2.5", b"hello world".as_slice()));
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
        assert!(read(&full().without(&[3, 2]).der()).unwrap().0.content.stream.is_none());
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
        let recipient = w::context(4, &[w::oid("1.2.3").unwrap(), w::octet_string(&[0; 1000])].concat());
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
}
