//! The value of a string type that may come in segments.

use std::io::Read;

use crate::ber::tag::Tag;
use crate::ber::{BerError, BerErrorKind, Event, Header, Reader};

/// Streams the octets of an OCTET STRING (or of a context-specific tag that
/// stands for one), primitive or constructed, with segments in segments
/// (X.690 section 8.7).
#[derive(Debug)]
pub struct OctetStream {
    header: Header,
    /// Lengths of the segments, as runs of (length, count).
    runs: Vec<(u64, u64)>,
    /// Octets of the present segment.
    segment: u64,
    in_segment: bool,
    done: bool,
}

/// Runs of segment lengths that are kept; a writer's habit shows long before.
const RUNS_KEPT: usize = 64;

impl OctetStream {
    /// The stream of the element that `header` began; it must be the last
    /// header given out.
    #[must_use]
    pub const fn new(header: Header) -> Self {
        Self { header, runs: Vec::new(), segment: 0, in_segment: !header.constructed, done: false }
    }

    /// Reads the next octets; 0 at the end of the string.
    ///
    /// # Errors
    /// The encoding is malformed, or something else than segments is inside.
    pub fn read<R: Read>(&mut self, reader: &mut Reader<R>, out: &mut [u8]) -> Result<usize, BerError> {
        if out.is_empty() {
            return Ok(0);
        }
        while !self.done {
            if self.in_segment {
                let read = reader.read_content(out)?;
                if read > 0 {
                    self.segment += read as u64;
                    return Ok(read);
                }
                self.end_segment();
                if !self.header.constructed {
                    self.done = true;
                }
                continue;
            }
            match reader.next_event()? {
                Some(Event::Begin(inner)) if inner.tag == Tag::OCTET_STRING => self.in_segment = !inner.constructed,
                Some(Event::Begin(inner)) => {
                    let kind =
                        BerErrorKind::Unexpected { expected: "a segment (OCTET STRING)", found: Some(inner.tag) };
                    return Err(reader.error_at(kind, inner.offset));
                }
                Some(Event::End { .. }) => self.done = reader.depth() <= self.header.depth,
                None => return Err(reader.error(BerErrorKind::Truncated)),
            }
        }
        Ok(0)
    }

    /// The whole string, at most `limit` octets.
    ///
    /// # Errors
    /// As [`OctetStream::read`], or the string is longer.
    pub fn collect<R: Read>(mut self, reader: &mut Reader<R>, limit: usize) -> Result<Vec<u8>, BerError> {
        let mut octets = Vec::new();
        let mut block = [0; 4096];
        loop {
            let read = self.read(reader, &mut block)?;
            if read == 0 {
                return Ok(octets);
            }
            if octets.len() + read > limit {
                return Err(reader.error(BerErrorKind::Limit("octets of one element")));
            }
            octets.extend_from_slice(&block[..read]);
        }
    }

    /// The segments as runs of (length in octets, how many of them); one run of
    /// one segment for a primitive string. The first runs only.
    #[must_use]
    pub fn segments(&self) -> &[(u64, u64)] {
        &self.runs
    }

    fn end_segment(&mut self) {
        let kept = self.runs.len();
        match self.runs.last_mut() {
            Some((length, count)) if *length == self.segment => *count += 1,
            _ if kept < RUNS_KEPT => self.runs.push((self.segment, 1)),
            _ => {}
        }
        self.segment = 0;
        self.in_segment = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    type Runs = Vec<(u64, u64)>;

    fn read(input: &[u8]) -> Result<(Vec<u8>, Runs), BerError> {
        let mut reader = Reader::new(input, &Limits::default());
        let header = reader.next_element()?.unwrap();
        let mut stream = OctetStream::new(header);
        let mut octets = Vec::new();
        let mut block = [0; 2];
        loop {
            match stream.read(&mut reader, &mut block)? {
                0 => break,
                read => octets.extend_from_slice(&block[..read]),
            }
        }
        assert_eq!(reader.next_event()?, None);
        Ok((octets, stream.segments().to_vec()))
    }

    #[test]
    fn every_form_gives_the_same_octets() {
        assert_eq!(read(&[4, 3, 1, 2, 3]).unwrap(), (vec![1, 2, 3], vec![(3, 1)]));
        assert_eq!(read(&[0x24, 7, 4, 2, 1, 2, 4, 1, 3]).unwrap(), (vec![1, 2, 3], vec![(2, 1), (1, 1)]));
        let nested = [0xa0, 0x80, 0x24, 0x80, 4, 1, 1, 4, 1, 2, 0, 0, 4, 1, 3, 0, 0];
        assert_eq!(read(&nested).unwrap(), (vec![1, 2, 3], vec![(1, 3)]));
        assert_eq!(read(&[0x24, 0x80, 0, 0]).unwrap(), (vec![], vec![]));
    }

    #[test]
    fn only_segments_may_be_inside() {
        assert!(matches!(read(&[0x24, 3, 2, 1, 5]).unwrap_err().kind, BerErrorKind::Unexpected { .. }));
        assert_eq!(read(&[0x24, 0x80, 4, 1, 1]).unwrap_err().kind, BerErrorKind::Truncated);
    }
}
