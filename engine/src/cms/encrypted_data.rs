//! EncryptedData (RFC 5652 section 8): content under a key that both sides have.

use std::io::Read;

use crate::Limits;
use crate::ber::{Reader, Tag};
use crate::cms::encrypted_content::EncryptedContent;
use crate::cms::error::{CmsError, Within};
use crate::cms::read::{Room, must_be_constructed, must_end, read_version, surplus};

/// What stands before the end of the encrypted content.
#[derive(Debug)]
pub struct EncryptedDataHead {
    /// CMSVersion.
    pub version: u64,
    /// What is encrypted, and how.
    pub content: EncryptedContent,
}

impl EncryptedDataHead {
    /// Reads up to the encrypted content. The [`crate::cms::ContentInfo`] was read.
    ///
    /// # Errors
    /// It is malformed.
    pub fn read<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<Self, CmsError> {
        const OWNER: &str = "EncryptedData";
        reader.enter(Tag::SEQUENCE, "EncryptedData (SEQUENCE)").within(OWNER)?;
        let mut room = Room::new(limits);
        let version = read_version(reader, limits, &mut room, "EncryptedData.version")?;
        let content = EncryptedContent::read(reader, limits, &mut room, OWNER)?;
        Ok(Self { version, content })
    }

    /// Reads what follows the encrypted content, up to the end of the
    /// structure, and says whether the version fits (0, or 2 with
    /// unprotectedAttrs).
    ///
    /// # Errors
    /// It is malformed.
    pub fn finish<R: Read>(&self, reader: &mut Reader<R>) -> Result<bool, CmsError> {
        self.content.finish(reader)?;
        match reader.next_element().within("EncryptedData")? {
            None => Ok(self.version == 0),
            Some(header) if header.tag == Tag::context(1) => {
                let place = "EncryptedData.unprotectedAttrs";
                must_be_constructed(reader, &header, place)?;
                reader.skip(&header).within(place)?;
                must_end(reader, "EncryptedData")?;
                Ok(self.version == 2)
            }
            Some(header) => Err(surplus(reader, &header, "EncryptedData")),
        }
    }
}
