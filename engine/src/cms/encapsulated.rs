//! EncapsulatedContentInfo (RFC 5652 section 5.2), which four content types share.

use std::io::Read;

use crate::Limits;
use crate::ber::{Event, Header, OctetStream, Reader, Tag};
use crate::cms::error::{CmsError, Within};
use crate::cms::read::{Room, must_be_constructed, must_end, next, read_oid, surplus, unexpected};

const EXPECTED: &str = "encapContentInfo (SEQUENCE)";

/// What stands before the content, and its stream.
#[derive(Debug)]
pub struct EncapsulatedContent {
    /// eContentType, dotted.
    pub content_type: String,
    /// The content's stream, if the content is inside.
    pub stream: Option<OctetStream>,
    /// The field's path, for errors.
    context: String,
}

impl EncapsulatedContent {
    /// Content of this type that stands elsewhere.
    pub(super) const fn outside(content_type: String) -> Self {
        Self { content_type, stream: None, context: String::new() }
    }

    /// Reads up to the content; `owner` is the structure that holds it.
    pub(super) fn read<R: Read>(
        reader: &mut Reader<R>,
        limits: &Limits,
        room: &mut Room,
        owner: &str,
    ) -> Result<Self, CmsError> {
        let context = format!("{owner}.encapContentInfo");
        let header = next(reader, EXPECTED, &context)?;
        Self::read_begun(reader, &header, limits, room, owner)
    }

    /// The same where the element was begun, because it might have been another.
    pub(super) fn read_begun<R: Read>(
        reader: &mut Reader<R>,
        header: &Header,
        limits: &Limits,
        room: &mut Room,
        owner: &str,
    ) -> Result<Self, CmsError> {
        let context = format!("{owner}.encapContentInfo");
        if header.tag != Tag::SEQUENCE {
            return Err(unexpected(reader, header, EXPECTED, &context));
        }
        must_be_constructed(reader, header, &context)?;
        let content_type = read_oid(reader, "eContentType", limits, room, &context)?;
        let stream = match reader.next_event().within(&context)? {
            Some(Event::Begin(header)) if header.tag == Tag::context(0) && header.constructed => {
                // PKCS#7 content of any type (RFC 5652 section 5.2.1) is not an
                // OCTET STRING; no mail client writes it.
                let string = reader.expect(Tag::OCTET_STRING, "eContent (OCTET STRING)").within(&context)?;
                Some(OctetStream::new(string))
            }
            Some(Event::Begin(header)) => return Err(surplus(reader, &header, &context)),
            Some(Event::End { .. }) | None => None,
        };
        Ok(Self { content_type, stream, context })
    }

    /// Reads the next octets of the content; 0 at its end.
    ///
    /// # Errors
    /// The encoding is malformed.
    pub fn read_content<R: Read>(&mut self, reader: &mut Reader<R>, out: &mut [u8]) -> Result<usize, CmsError> {
        match &mut self.stream {
            Some(stream) => {
                stream.read(reader, out).map_err(|error| CmsError::ber(format!("{}.eContent", self.context), &error))
            }
            None => Ok(0),
        }
    }

    /// Reads the ends of `[0]` and of EncapsulatedContentInfo.
    pub(super) fn finish<R: Read>(&self, reader: &mut Reader<R>) -> Result<(), CmsError> {
        if self.stream.is_some() {
            must_end(reader, &self.context)?;
            must_end(reader, &self.context)?;
        }
        Ok(())
    }
}
