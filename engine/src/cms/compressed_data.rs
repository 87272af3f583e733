//! CompressedData (RFC 3274 section 1.1).

use std::io::Read;

use crate::Limits;
use crate::ber::{Reader, Tag};
use crate::cms::algorithm::AlgorithmIdentifier;
use crate::cms::encapsulated::EncapsulatedContent;
use crate::cms::error::{CmsError, Within};
use crate::cms::read::{Room, definite, must_end, one, read_version};

/// What stands before the end of the compressed content.
#[derive(Debug)]
pub struct CompressedDataHead {
    /// CMSVersion, always 0.
    pub version: u64,
    /// The compression algorithm.
    pub algorithm: AlgorithmIdentifier,
    /// The compressed content.
    pub content: EncapsulatedContent,
}

impl CompressedDataHead {
    /// Reads up to the compressed content. The [`crate::cms::ContentInfo`] was read.
    ///
    /// # Errors
    /// It is malformed.
    pub fn read<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<Self, CmsError> {
        const OWNER: &str = "CompressedData";
        reader.enter(Tag::SEQUENCE, "CompressedData (SEQUENCE)").within(OWNER)?;
        let mut room = Room::new(limits);
        let version = read_version(reader, limits, &mut room, "CompressedData.version")?;
        let place = "CompressedData.compressionAlgorithm";
        let header = reader.expect(Tag::SEQUENCE, "compressionAlgorithm (SEQUENCE)").within(place)?;
        let octets = definite(reader, &header, limits, &mut room, place)?;
        let algorithm = AlgorithmIdentifier::read(&one(&octets, header.offset, place)?, place)?;
        let content = EncapsulatedContent::read(reader, limits, &mut room, OWNER)?;
        Ok(Self { version, algorithm, content })
    }

    /// Reads the end of the structure.
    ///
    /// # Errors
    /// Something else follows.
    pub fn finish<R: Read>(&self, reader: &mut Reader<R>) -> Result<(), CmsError> {
        self.content.finish(reader)?;
        must_end(reader, "CompressedData")
    }
}
