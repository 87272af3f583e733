//! The body of a part with its transfer encoding undone, as a stream.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use waxseal_verdict::Deviation;

use super::base64::Base64Decoder;
use super::error::MimeError;
use super::part::{Part, TransferEncoding};
use super::pending::Pending;
use super::quoted_printable::QuotedPrintableDecoder;
use crate::io::{Section, Source};

/// Octets read from the source at once, and those that a small body needs.
const CHUNK: usize = 64 << 10;
const FIRST: usize = 8 << 10;

/// Reads the body of a part with its transfer encoding undone (RFC 2045 section 6).
///
/// A body that cannot be decoded is an [`io::Error`] around a [`MimeError`]
/// (see [`MimeError::within`]), after everything before the fault was read.
///
/// # Errors
/// When the encoding is none that RFC 2045 knows.
pub fn decode_body<'a>(source: &'a mut dyn Source, part: &Part) -> Result<Body<'a>, MimeError> {
    Body::new(source, part.body.clone(), part.encoding)
}

/// The decoded octets of a body; see [`decode_body`].
#[derive(Debug)]
pub struct Body<'a> {
    section: Section<'a>,
    /// Offset in the source of the octets read next.
    position: u64,
    decoder: Decoder,
    raw: Vec<u8>,
    /// Whether the buffer was too small for what was read last.
    full: bool,
    out: Pending,
    ended: bool,
    fault: Option<Fault>,
}

/// Where and why decoding stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) offset: u64,
    pub(super) why: &'static str,
}

#[derive(Debug)]
enum Decoder {
    Identity,
    Base64(Box<Base64Decoder>),
    QuotedPrintable(QuotedPrintableDecoder),
}

impl<'a> Body<'a> {
    /// Decodes any range of a source.
    ///
    /// # Errors
    /// When the encoding is [`TransferEncoding::Unknown`].
    pub fn new(source: &'a mut dyn Source, range: Range<u64>, encoding: TransferEncoding) -> Result<Self, MimeError> {
        let decoder = match encoding {
            TransferEncoding::Unknown => return Err(MimeError::UnknownEncoding { offset: range.start }),
            TransferEncoding::Base64 => Decoder::Base64(Box::default()),
            TransferEncoding::QuotedPrintable => Decoder::QuotedPrintable(QuotedPrintableDecoder::default()),
            _ => Decoder::Identity,
        };
        Ok(Self {
            position: range.start,
            section: Section::new(source, range.start, range.end),
            decoder,
            raw: Vec::new(),
            full: false,
            out: Pending::default(),
            ended: false,
            fault: None,
        })
    }

    /// What the encoding did that RFC 2045 forbids, in what was read so far.
    #[must_use]
    pub fn deviations(&self) -> Vec<Deviation> {
        match &self.decoder {
            Decoder::Base64(decoder) => decoder.deviations(),
            _ => Vec::new(),
        }
    }

    /// Decodes more until there is something to give out, or the end.
    fn refill(&mut self) -> io::Result<()> {
        while self.out.is_empty() {
            if let Some(Fault { offset, why }) = self.fault {
                return Err(MimeError::BadBase64 { offset, why }.into());
            }
            if self.ended {
                return Ok(());
            }
            // Most bodies are small: the buffer is large only after one was full.
            if self.raw.is_empty() {
                self.raw.resize(FIRST, 0);
            } else if self.full {
                self.raw.resize(CHUNK, 0);
            }
            let out = self.out.refill();
            let read = match self.section.read(&mut self.raw) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            self.full = read == self.raw.len();
            let raw = &self.raw[..read];
            self.ended = read == 0;
            self.fault = match &mut self.decoder {
                Decoder::Identity => {
                    out.extend_from_slice(raw);
                    None
                }
                Decoder::Base64(decoder) if self.ended => decoder.finish(self.position),
                Decoder::Base64(decoder) => decoder.decode(raw, self.position, out),
                Decoder::QuotedPrintable(decoder) => {
                    decoder.decode(raw, self.ended, out);
                    None
                }
            };
            self.position += read as u64;
        }
        Ok(())
    }
}

impl BufRead for Body<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.out.is_empty() {
            self.refill()?;
        }
        Ok(self.out.left())
    }

    fn consume(&mut self, octets: usize) {
        self.out.consume(octets);
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if matches!(self.decoder, Decoder::Identity) && self.out.is_empty() {
            return self.section.read(buffer);
        }
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn identity_and_ranges() {
        let mut source = Cursor::new(b"0123456789");
        let mut text = String::new();
        Body::new(&mut source, 2..5, TransferEncoding::EightBit).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "234");
        let mut body = Body::new(&mut source, 7..10, TransferEncoding::Binary).unwrap();
        assert_eq!(body.fill_buf().unwrap(), b"789");
    }

    #[test]
    fn an_unknown_encoding_is_refused_with_its_place() {
        let mut source = Cursor::new(b"x");
        let error = Body::new(&mut source, 5..9, TransferEncoding::Unknown).unwrap_err();
        assert_eq!((error.offset(), error.reason()), (5, Some(waxseal_verdict::Reason::MimeMalformed)));
    }
}
