//! DigestedData (RFC 5652 section 7): content with its digest.

use std::io::Read;

use crate::Limits;
use crate::ber::{Reader, Tag};
use crate::cms::algorithm::AlgorithmIdentifier;
use crate::cms::encapsulated::EncapsulatedContent;
use crate::cms::error::{CmsError, Within};
use crate::cms::oid;
use crate::cms::read::{Room, definite, must_end, one, read_version};

/// What stands before the end of the content.
#[derive(Debug)]
pub struct DigestedDataHead {
    /// CMSVersion.
    pub version: u64,
    /// The digest algorithm.
    pub algorithm: AlgorithmIdentifier,
    /// The content.
    pub content: EncapsulatedContent,
    room: Room,
}

impl DigestedDataHead {
    /// Reads up to the content. The [`crate::cms::ContentInfo`] was read.
    ///
    /// # Errors
    /// It is malformed.
    pub fn read<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<Self, CmsError> {
        const OWNER: &str = "DigestedData";
        reader.enter(Tag::SEQUENCE, "DigestedData (SEQUENCE)").within(OWNER)?;
        let mut room = Room::new(limits);
        let version = read_version(reader, limits, &mut room, "DigestedData.version")?;
        let place = "DigestedData.digestAlgorithm";
        let header = reader.expect(Tag::SEQUENCE, "digestAlgorithm (SEQUENCE)").within(place)?;
        let octets = definite(reader, &header, limits, &mut room, place)?;
        let algorithm = AlgorithmIdentifier::read(&one(&octets, header.offset, place)?, place)?;
        let content = EncapsulatedContent::read(reader, limits, &mut room, OWNER)?;
        Ok(Self { version, algorithm, content, room })
    }

    /// Reads the digest and the end of the structure.
    ///
    /// # Errors
    /// It is malformed.
    pub fn finish<R: Read>(&self, reader: &mut Reader<R>, limits: &Limits) -> Result<Vec<u8>, CmsError> {
        self.content.finish(reader)?;
        let place = "DigestedData.digest";
        let header = reader.expect(Tag::OCTET_STRING, "digest (OCTET STRING)").within(place)?;
        let octets = definite(reader, &header, limits, &mut self.room.clone(), place)?;
        let digest = one(&octets, header.offset, place)?.content.to_vec();
        must_end(reader, "DigestedData")?;
        Ok(digest)
    }

    /// Whether the version is the one of section 7: 0 for id-data, else 2.
    #[must_use]
    pub fn version_fits(&self) -> bool {
        self.version == if self.content.content_type == oid::DATA { 0 } else { 2 }
    }
}
