//! AuthenticatedData (RFC 5652 section 9): content with a MAC under a key that
//! recipients get as in EnvelopedData.

use std::io::Read;

use crate::Limits;
use crate::ber::{Reader, Tag};
use crate::cms::algorithm::AlgorithmIdentifier;
use crate::cms::attribute::Attributes;
use crate::cms::carried::Carried;
use crate::cms::encapsulated::EncapsulatedContent;
use crate::cms::enveloped_data::read_recipients;
use crate::cms::error::{CmsError, Within};
use crate::cms::identifier::implicit_octets;
use crate::cms::read::{Room, definite, must_be_constructed, must_end, next, one, read_version, surplus};
use crate::cms::recipient::RecipientInfo;

const OWNER: &str = "AuthenticatedData";

/// What stands before the end of the content.
#[derive(Debug)]
pub struct AuthenticatedDataHead {
    /// CMSVersion.
    pub version: u64,
    /// What originatorInfo carries, if it is present.
    pub originator: Option<Carried>,
    /// The recipients, in the order received.
    pub recipients: Vec<RecipientInfo>,
    /// The MAC algorithm.
    pub mac_algorithm: AlgorithmIdentifier,
    /// The digest algorithm; present exactly if there are authAttrs.
    pub digest_algorithm: Option<AlgorithmIdentifier>,
    /// The content.
    pub content: EncapsulatedContent,
    room: Room,
}

/// What stands after the content.
#[derive(Debug)]
pub struct AuthenticatedDataTail {
    /// The attributes that the MAC is over.
    pub authenticated_attributes: Option<Attributes>,
    /// The MAC.
    pub mac: Vec<u8>,
    /// The attributes that nothing protects.
    pub unauthenticated_attributes: Option<Attributes>,
}

impl AuthenticatedDataHead {
    /// Reads up to the content. The [`crate::cms::ContentInfo`] was read.
    ///
    /// # Errors
    /// It is malformed.
    pub fn read<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<Self, CmsError> {
        reader.enter(Tag::SEQUENCE, "AuthenticatedData (SEQUENCE)").within(OWNER)?;
        let mut room = Room::new(limits);
        let version = read_version(reader, limits, &mut room, "AuthenticatedData.version")?;
        let (originator, recipients) = read_recipients(reader, limits, &mut room, OWNER)?;
        let place = "AuthenticatedData.macAlgorithm";
        let header = reader.expect(Tag::SEQUENCE, "macAlgorithm (SEQUENCE)").within(place)?;
        let octets = definite(reader, &header, limits, &mut room, place)?;
        let mac_algorithm = AlgorithmIdentifier::read(&one(&octets, header.offset, place)?, place)?;
        let mut header = next(reader, "encapContentInfo (SEQUENCE)", OWNER)?;
        let mut digest_algorithm = None;
        if header.tag == Tag::context(1) {
            let place = "AuthenticatedData.digestAlgorithm";
            must_be_constructed(reader, &header, place)?;
            let octets = definite(reader, &header, limits, &mut room, place)?;
            digest_algorithm = Some(AlgorithmIdentifier::read(&one(&octets, header.offset, place)?, place)?);
            header = next(reader, "encapContentInfo (SEQUENCE)", OWNER)?;
        }
        let content = EncapsulatedContent::read_begun(reader, &header, limits, &mut room, OWNER)?;
        Ok(Self { version, originator, recipients, mac_algorithm, digest_algorithm, content, room })
    }

    /// Reads what follows the content, up to the end of the structure.
    ///
    /// # Errors
    /// It is malformed.
    pub fn finish<R: Read>(&self, reader: &mut Reader<R>, limits: &Limits) -> Result<AuthenticatedDataTail, CmsError> {
        self.content.finish(reader)?;
        let mut room = self.room;
        let expected = "mac (OCTET STRING)";
        let mut header = next(reader, expected, OWNER)?;
        let mut authenticated_attributes = None;
        if header.tag == Tag::context(2) {
            let place = "AuthenticatedData.authAttrs";
            must_be_constructed(reader, &header, place)?;
            let octets = definite(reader, &header, limits, &mut room, place)?;
            authenticated_attributes = Some(Attributes::read(&one(&octets, header.offset, place)?, place)?);
            header = next(reader, expected, OWNER)?;
        }
        let place = "AuthenticatedData.mac";
        if header.tag != Tag::OCTET_STRING {
            return Err(surplus(reader, &header, place));
        }
        let octets = definite(reader, &header, limits, &mut room, place)?;
        let mac = implicit_octets(&one(&octets, header.offset, place)?, place)?;
        let mut unauthenticated_attributes = None;
        match reader.next_element().within(OWNER)? {
            None => {}
            Some(header) if header.tag == Tag::context(3) => {
                let place = "AuthenticatedData.unauthAttrs";
                must_be_constructed(reader, &header, place)?;
                let octets = definite(reader, &header, limits, &mut room, place)?;
                unauthenticated_attributes = Some(Attributes::read(&one(&octets, header.offset, place)?, place)?);
                must_end(reader, OWNER)?;
            }
            Some(header) => return Err(surplus(reader, &header, OWNER)),
        }
        Ok(AuthenticatedDataTail { authenticated_attributes, mac, unauthenticated_attributes })
    }

    /// Whether the version is one that RFC 5652 section 9.1 gives to what is
    /// inside. What certificates originatorInfo holds is not looked at.
    #[must_use]
    pub const fn version_fits(&self) -> bool {
        match self.version {
            0 => true,
            1 | 3 => self.originator.is_some(),
            _ => false,
        }
    }
}
