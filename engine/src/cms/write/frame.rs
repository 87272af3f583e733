//! What stands around a content: the same in every content type.

use std::io::Write;

use super::WriteError;
use crate::ber::writer::{self, SegmentPlan, Segments, Stream, StreamError, element_len, tag};

/// A ContentInfo with one content deep inside, and what stands before it.
pub(super) struct Frame<'a> {
    /// contentType of the ContentInfo.
    pub(super) object: &'a str,
    /// The elements before the one that holds the content.
    pub(super) head: Vec<u8>,
    /// The elements of that one, before the content.
    pub(super) info: Vec<u8>,
    /// How the content is tagged.
    pub(super) holder: Holder,
}

/// The tags around the octets of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// eContent, an explicit `[0]` around an OCTET STRING (RFC 5652 section 5.2).
    EContent,
    /// encryptedContent, an implicit `[0]` (RFC 5652 section 6.1).
    EncryptedContent,
}

/// The form of the lengths.
pub(super) enum Lengths {
    /// All that must be known before: octets of the content, if there is one,
    /// and of what follows it.
    Definite { content: Option<u64>, tail: u64 },
    /// How the content, if there is one, is cut.
    Indefinite { content: Option<SegmentPlan> },
}

/// Takes octets of the content.
pub(super) type Put<'a> = dyn FnMut(&[u8]) -> Result<(), StreamError> + 'a;

impl Frame<'_> {
    /// Writes all of it. `body` puts the content, and gives back the elements
    /// that follow it.
    pub(super) fn write(
        &self,
        out: &mut dyn Write,
        lengths: Lengths,
        body: impl FnOnce(&mut Put<'_>) -> Result<Vec<u8>, WriteError>,
    ) -> Result<(), WriteError> {
        let mut stream = Stream::new(out);
        match lengths {
            Lengths::Definite { content, tail } => self.definite(&mut stream, content, tail, body)?,
            Lengths::Indefinite { content } => self.indefinite(&mut stream, content, body)?,
        }
        stream.finish()?;
        Ok(())
    }

    fn definite(
        &self,
        stream: &mut Stream<&mut dyn Write>,
        content: Option<u64>,
        tail: u64,
        body: impl FnOnce(&mut Put<'_>) -> Result<Vec<u8>, WriteError>,
    ) -> Result<(), WriteError> {
        // Lengths from the inside out; every `…_len` is that of the contents of an element.
        let held = |length| match self.holder {
            Holder::EContent => element_len(element_len(length)),
            Holder::EncryptedContent => element_len(length),
        };
        let info_len = self.info.len() as u64 + content.map_or(0, held);
        let data_len = self.head.len() as u64 + element_len(info_len) + tail;
        let object = writer::oid(self.object)?;
        stream.start(tag::SEQUENCE, object.len() as u64 + element_len(element_len(data_len)))?;
        stream.octets(&object)?;
        stream.start(tag::context(0), element_len(data_len))?;
        stream.start(tag::SEQUENCE, data_len)?;
        stream.octets(&self.head)?;
        stream.start(tag::SEQUENCE, info_len)?;
        stream.octets(&self.info)?;
        let rest = match (content, self.holder) {
            (None, _) => body(&mut |_| Ok(()))?,
            (Some(length), Holder::EContent) => {
                stream.start(tag::context(0), element_len(length))?;
                stream.start(tag::OCTET_STRING, length)?;
                let rest = body(&mut |octets| stream.octets(octets))?;
                stream.end()?;
                stream.end()?;
                rest
            }
            (Some(length), Holder::EncryptedContent) => {
                stream.start(tag::context_primitive(0), length)?;
                let rest = body(&mut |octets| stream.octets(octets))?;
                stream.end()?;
                rest
            }
        };
        self.end(stream, &rest)
    }

    fn indefinite(
        &self,
        stream: &mut Stream<&mut dyn Write>,
        content: Option<SegmentPlan>,
        body: impl FnOnce(&mut Put<'_>) -> Result<Vec<u8>, WriteError>,
    ) -> Result<(), WriteError> {
        stream.start_indefinite(tag::SEQUENCE)?;
        stream.octets(&writer::oid(self.object)?)?;
        stream.start_indefinite(tag::context(0))?;
        stream.start_indefinite(tag::SEQUENCE)?;
        stream.octets(&self.head)?;
        stream.start_indefinite(tag::SEQUENCE)?;
        stream.octets(&self.info)?;
        let rest = match content {
            None => body(&mut |_| Ok(()))?,
            Some(plan) => {
                stream.start_indefinite(tag::context(0))?;
                if self.holder == Holder::EContent {
                    stream.start_indefinite(tag::OCTET_STRING)?;
                }
                let mut segments = Segments::new(stream, &plan);
                let rest = body(&mut |octets| segments.octets(octets))?;
                segments.finish()?;
                if self.holder == Holder::EContent {
                    stream.end()?;
                }
                stream.end()?;
                rest
            }
        };
        self.end(stream, &rest)
    }

    /// Closes the element that held the content, writes what follows it, and
    /// closes the rest.
    fn end(&self, stream: &mut Stream<&mut dyn Write>, rest: &[u8]) -> Result<(), WriteError> {
        stream.end()?;
        stream.octets(rest)?;
        for _ in 0..3 {
            stream.end()?;
        }
        Ok(())
    }
}
