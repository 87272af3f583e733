//! The canonical form of an entity: what a signature is computed over.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::ops::Range;

use super::part::LineEnds;
use super::pending::Pending;
use crate::io::{Section, Source};

/// Octets read from the source at once.
const CHUNK: usize = 64 << 10;

/// Reads a range of the source in its canonical form (RFC 8551 section 3.1.1).
///
/// Stored with [`LineEnds::Crlf`] the octets are read as they are: a bare LF is
/// content, and was hashed as it is. Stored with [`LineEnds::Lf`] every bare LF
/// is read as CRLF, and a CRLF stays one.
pub fn canonical(source: &mut dyn Source, range: Range<u64>, line_ends: LineEnds) -> Canonical<'_> {
    Canonical {
        section: Section::new(source, range.start, range.end),
        line_ends,
        raw: Vec::new(),
        out: Pending::default(),
        after_carriage_return: false,
        position: 0,
    }
}

/// The canonical form of a range of a source; see [`canonical`].
#[derive(Debug)]
pub struct Canonical<'a> {
    section: Section<'a>,
    line_ends: LineEnds,
    raw: Vec<u8>,
    out: Pending,
    after_carriage_return: bool,
    /// Octets of the canonical form that were read.
    position: u64,
}

impl BufRead for Canonical<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.out.is_empty() {
            self.refill()?;
        }
        Ok(self.out.left())
    }

    fn consume(&mut self, octets: usize) {
        self.out.consume(octets);
        self.position += octets as u64;
    }
}

impl Read for Canonical<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.line_ends == LineEnds::Crlf && self.out.is_empty() {
            let read = self.section.read(buffer)?;
            self.position += read as u64;
            return Ok(read);
        }
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// Goes back to the start, and tells where it stands; nothing else, because
/// where an octet of the canonical form is stored only reading tells.
impl Seek for Canonical<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(0) => {
                self.section.seek(SeekFrom::Start(0))?;
                self.out = Pending::default();
                self.after_carriage_return = false;
                self.position = 0;
            }
            SeekFrom::Current(0) => {}
            _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "the canonical form is read from its start")),
        }
        Ok(self.position)
    }
}

impl Canonical<'_> {
    fn refill(&mut self) -> io::Result<()> {
        self.raw.resize(CHUNK, 0);
        let out = self.out.refill();
        let read = loop {
            match self.section.read(&mut self.raw) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        match self.line_ends {
            LineEnds::Crlf => out.extend_from_slice(&self.raw[..read]),
            LineEnds::Lf => convert(&self.raw[..read], out, &mut self.after_carriage_return),
        }
        Ok(())
    }
}

/// Puts a carriage return before each line feed that has none.
fn convert(raw: &[u8], out: &mut Vec<u8>, after_carriage_return: &mut bool) {
    let mut copied = 0;
    for newline in memchr::memchr_iter(b'\n', raw) {
        let before = newline.checked_sub(1).map(|before| raw[before]);
        if before.map_or(*after_carriage_return, |octet| octet == b'\r') {
            continue;
        }
        out.extend_from_slice(&raw[copied..newline]);
        out.push(b'\r');
        copied = newline;
    }
    out.extend_from_slice(&raw[copied..]);
    *after_carriage_return = raw.last().map_or(*after_carriage_return, |octet| *octet == b'\r');
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::mime::testing::Trickle;

    fn read(octets: &[u8], line_ends: LineEnds) -> Vec<u8> {
        let mut source = Cursor::new(octets);
        let mut out = Vec::new();
        canonical(&mut source, 0..octets.len() as u64, line_ends).read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn bare_line_feeds_become_crlf_only_where_lines_are_stored_so() {
        assert_eq!(read(b"a\nb\r\nc\rd\n\n", LineEnds::Lf), b"a\r\nb\r\nc\rd\r\n\r\n");
        assert_eq!(read(b"a\nb\r\nc\rd\n\n", LineEnds::Crlf), b"a\nb\r\nc\rd\n\n");
        assert_eq!(read(b"\n", LineEnds::Lf), b"\r\n");
        assert_eq!(read(b"", LineEnds::Lf), b"");
    }

    #[test]
    fn a_range_is_read_and_nothing_beside_it() {
        let mut source = Cursor::new(b"xx\na\nb\nyy\n");
        let mut out = String::new();
        canonical(&mut source, 3..6, LineEnds::Lf).read_to_string(&mut out).unwrap();
        assert_eq!(out, "a\r\nb");
    }

    proptest! {
        #[test]
        fn the_canonical_form_is_its_own_and_reads_in_any_pieces(
            octets in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..300),
            piece in 1_usize..9,
        ) {
            let once = read(&octets, LineEnds::Lf);
            prop_assert_eq!(&read(&once, LineEnds::Lf), &once);
            let mut trickle = Trickle::new(octets.clone(), piece);
            let mut pieces = Vec::new();
            canonical(&mut trickle, 0..octets.len() as u64, LineEnds::Lf).read_to_end(&mut pieces).unwrap();
            prop_assert_eq!(pieces, once);
        }
    }
}
