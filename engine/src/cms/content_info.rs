//! ContentInfo (RFC 5652 section 3).

use std::io::Read;

use waxseal_verdict::Reason;

use crate::ber::{BerErrorKind, Event, Reader, Tag, oid};
use crate::cms::error::{CmsError, Within};
use crate::cms::read::surplus;

/// The outside of a CMS object, read up to its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentInfo {
    /// The content type, dotted.
    pub content_type: String,
    /// Offset of the object.
    pub offset: u64,
    /// Whether the outermost length is indefinite: the writer streams.
    pub indefinite: bool,
}

impl ContentInfo {
    /// Reads the outside of a CMS object; the content comes next.
    ///
    /// # Errors
    /// It is no ContentInfo. The reason is `not-cms` as long as no content
    /// type was read.
    pub fn begin<R: Read>(reader: &mut Reader<R>) -> Result<Self, CmsError> {
        let not_cms = |error: &crate::ber::BerError| {
            let mut error = CmsError::ber("ContentInfo", error);
            if error.reason == Reason::BadBer {
                error.reason = Reason::NotCms;
            }
            error
        };
        let outer = reader.enter(Tag::SEQUENCE, "ContentInfo (SEQUENCE)").map_err(|error| not_cms(&error))?;
        let header = reader
            .expect(Tag::OBJECT_IDENTIFIER, "contentType (OBJECT IDENTIFIER)")
            .map_err(|error| not_cms(&error))?;
        let content = reader.content(64).map_err(|error| not_cms(&error))?;
        let content_type = oid::dotted(&content).ok_or_else(|| {
            let detail = format!("a malformed object identifier at offset {}", header.offset);
            CmsError::new(Reason::NotCms, "ContentInfo.contentType", detail)
        })?;
        reader.enter(Tag::context(0), "content ([0])").within("ContentInfo.content")?;
        Ok(Self { content_type, offset: outer.offset, indefinite: outer.length == crate::ber::Length::Indefinite })
    }
}

/// Reads the ends of everything that is still open, and says whether octets
/// follow the object.
///
/// # Errors
/// Elements follow inside, or an end is missing.
pub fn finish<R: Read>(reader: &mut Reader<R>, context: &str) -> Result<bool, CmsError> {
    while reader.depth() > 0 {
        match reader.next_event().within(context)? {
            Some(Event::End { .. }) => {}
            Some(Event::Begin(header)) => return Err(surplus(reader, &header, context)),
            None => return Err(CmsError::ber(context, &reader.error(BerErrorKind::Truncated))),
        }
    }
    // What follows is not read further than to see that it is there.
    Ok(!matches!(reader.at_end(), Ok(true)))
}
