//! EncryptedContentInfo (RFC 5652 section 6.1), which three content types share.

use std::io::Read;

use crate::Limits;
use crate::ber::{Event, OctetStream, Reader, Tag};
use crate::cms::algorithm::AlgorithmIdentifier;
use crate::cms::error::{CmsError, Within};
use crate::cms::oid;
use crate::cms::read::{Room, definite, must_end, one, read_oid, surplus};

/// What stands before the encrypted content, and its stream.
#[derive(Debug)]
pub struct EncryptedContent {
    /// The type of what is encrypted, dotted.
    pub content_type: String,
    /// The content cipher.
    pub cipher: AlgorithmIdentifier,
    /// The encrypted content's stream, if it is inside.
    pub stream: Option<OctetStream>,
    /// The field's path, for errors.
    context: String,
}

impl EncryptedContent {
    /// Reads up to the encrypted content; `owner` is the structure that holds it.
    pub(super) fn read<R: Read>(
        reader: &mut Reader<R>,
        limits: &Limits,
        room: &mut Room,
        owner: &str,
    ) -> Result<Self, CmsError> {
        let context = format!("{owner}.encryptedContentInfo");
        reader.enter(Tag::SEQUENCE, "encryptedContentInfo (SEQUENCE)").within(&context)?;
        let content_type = read_oid(reader, "contentType", limits, room, &context)?;
        let header = reader.expect(Tag::SEQUENCE, "contentEncryptionAlgorithm").within(&context)?;
        let place = format!("{context}.contentEncryptionAlgorithm");
        let octets = definite(reader, &header, limits, room, &place)?;
        let cipher = AlgorithmIdentifier::read(&one(&octets, header.offset, &place)?, &place)?;
        let stream = match reader.next_event().within(&context)? {
            Some(Event::Begin(header)) if header.tag == Tag::context(0) => Some(OctetStream::new(header)),
            Some(Event::Begin(header)) => return Err(surplus(reader, &header, &context)),
            Some(Event::End { .. }) | None => None,
        };
        Ok(Self { content_type, cipher, stream, context })
    }

    /// Reads the next octets of the encrypted content; 0 at its end.
    ///
    /// # Errors
    /// The encoding is malformed.
    pub fn read_content<R: Read>(&mut self, reader: &mut Reader<R>, out: &mut [u8]) -> Result<usize, CmsError> {
        match &mut self.stream {
            Some(stream) => stream
                .read(reader, out)
                .map_err(|error| CmsError::ber(format!("{}.encryptedContent", self.context), &error)),
            None => Ok(0),
        }
    }

    /// Reads the end of EncryptedContentInfo. In one of GM/T 0010 two octet
    /// strings may stand before it, sharedInfo `[1]` and `[2]`, that both sides
    /// know the meaning of; they are passed over.
    pub(super) fn finish<R: Read>(&self, reader: &mut Reader<R>) -> Result<(), CmsError> {
        if self.stream.is_none() {
            return Ok(());
        }
        if !oid::is_gmt(&self.content_type) {
            return must_end(reader, &self.context);
        }
        for number in [1, 2] {
            match reader.next_event().within(&self.context)? {
                Some(Event::Begin(header)) if header.tag == Tag::context(number) => {
                    reader.skip(&header).within(&self.context)?;
                }
                Some(Event::Begin(header)) if number == 1 && header.tag == Tag::context(2) => {
                    reader.skip(&header).within(&self.context)?;
                    break;
                }
                Some(Event::Begin(header)) => return Err(surplus(reader, &header, &self.context)),
                Some(Event::End { .. }) | None => return Ok(()),
            }
        }
        must_end(reader, &self.context)
    }
}
