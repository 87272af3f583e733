//! Elements of any size, written as they come.

use std::io::{self, Write};

use super::{header, tag};

/// Why a stream of elements could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The output refused.
    #[error("the output cannot be written: {0}")]
    Io(#[from] io::Error),
    /// Contents that are shorter or longer than the length that stands before them.
    #[error("an element was announced with {announced} octets of contents and got {written}")]
    Length {
        /// The length that was written.
        announced: u64,
        /// What came; where it was too much, the octets up to the refused ones.
        written: u64,
    },
    /// An `end` without a `start`, or an element left open.
    #[error("{0} elements were left open")]
    Open(usize),
}

/// Writes nested elements, definite or indefinite, onto an output.
///
/// Announced lengths are checked against what is written: a source that
/// changed between two passes gives an error, never a broken object.
#[derive(Debug)]
pub struct Stream<W> {
    out: W,
    written: u64,
    open: Vec<Frame>,
}

#[derive(Debug, Clone, Copy)]
enum Frame {
    /// Length, and the position at which the contents start.
    Definite(u64, u64),
    Indefinite,
}

impl<W: Write> Stream<W> {
    /// A stream with no element open.
    pub const fn new(out: W) -> Self {
        Self { out, written: 0, open: Vec::new() }
    }

    /// Octets written so far.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Starts an element whose contents will have exactly `length` octets.
    ///
    /// # Errors
    /// The output refuses, or an element around this one has no room for it.
    pub fn start(&mut self, tag: u8, length: u64) -> Result<(), StreamError> {
        self.octets(&header(tag, length))?;
        self.open.push(Frame::Definite(length, self.written));
        Ok(())
    }

    /// Starts a constructed element of indefinite length (X.690 section 8.1.3.6).
    ///
    /// # Errors
    /// The output refuses, or an element around this one has no room for it.
    pub fn start_indefinite(&mut self, tag: u8) -> Result<(), StreamError> {
        self.octets(&[tag | 0x20, 0x80])?;
        self.open.push(Frame::Indefinite);
        Ok(())
    }

    /// Ends the innermost open element.
    ///
    /// # Errors
    /// The contents have not the announced length, or nothing is open.
    pub fn end(&mut self) -> Result<(), StreamError> {
        match self.open.pop() {
            None => Err(StreamError::Open(0)),
            Some(Frame::Indefinite) => self.octets(&[0, 0]),
            Some(Frame::Definite(announced, start)) => {
                let written = self.written - start;
                if written == announced { Ok(()) } else { Err(StreamError::Length { announced, written }) }
            }
        }
    }

    /// Writes complete elements, or contents octets of a primitive one.
    ///
    /// # Errors
    /// The output refuses, or an element around them has no room for them.
    pub fn octets(&mut self, octets: &[u8]) -> Result<(), StreamError> {
        let after = self.written + octets.len() as u64;
        for frame in &self.open {
            if let Frame::Definite(announced, start) = *frame
                && after - start > announced
            {
                return Err(StreamError::Length { announced, written: self.written - start });
            }
        }
        self.out.write_all(octets)?;
        self.written = after;
        Ok(())
    }

    /// Gives the output back.
    ///
    /// # Errors
    /// An element is still open.
    pub fn finish(self) -> Result<W, StreamError> {
        if self.open.is_empty() { Ok(self.out) } else { Err(StreamError::Open(self.open.len())) }
    }
}

/// How the octets of a string are cut into segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentPlan {
    /// Sizes of the first segments, each used once.
    pub first: Vec<usize>,
    /// Size of all that follow; the last one is shorter.
    pub size: usize,
    /// How many octets at the end stand in a segment of their own: the last
    /// cipher block, with some writers; 0 for none.
    pub apart: usize,
}

impl SegmentPlan {
    /// Segments of one size.
    #[must_use]
    pub const fn even(size: usize) -> Self {
        Self { first: Vec::new(), size, apart: 0 }
    }
}

/// Cuts octets into primitive OCTET STRINGs, the segments of a constructed one
/// (X.690 section 8.7.3). Holds one segment in memory.
///
/// A segment size of 0 counts as 1: an empty segment would never end.
#[derive(Debug)]
pub struct Segments<'a, W> {
    stream: &'a mut Stream<W>,
    first: std::collections::VecDeque<usize>,
    size: usize,
    apart: usize,
    held: Vec<u8>,
}

impl<'a, W: Write> Segments<'a, W> {
    /// Segments as planned, written into the element that is open.
    pub fn new(stream: &'a mut Stream<W>, plan: &SegmentPlan) -> Self {
        Self {
            stream,
            first: plan.first.iter().copied().filter(|size| *size > 0).collect(),
            size: plan.size.max(1),
            apart: plan.apart,
            held: Vec::new(),
        }
    }

    /// Takes the next octets.
    ///
    /// # Errors
    /// The output refuses.
    pub fn octets(&mut self, mut octets: &[u8]) -> Result<(), StreamError> {
        loop {
            let full = self.next_size();
            if self.held.is_empty() && octets.len() > full + self.apart {
                // A whole segment, and surely not the last one, needs not be held.
                let (now, later) = octets.split_at(full);
                self.stream.octets(&header(tag::OCTET_STRING, full as u64))?;
                self.stream.octets(now)?;
                self.first.pop_front();
                octets = later;
                continue;
            }
            let room = (full + self.apart).saturating_sub(self.held.len());
            if octets.len() < room || (octets.len() == room && self.apart > 0) {
                self.held.extend_from_slice(octets);
                return Ok(());
            }
            let (now, later) = octets.split_at(room);
            self.held.extend_from_slice(now);
            self.segment(full)?;
            octets = later;
            if octets.is_empty() {
                return Ok(());
            }
        }
    }

    /// Writes what is held.
    ///
    /// # Errors
    /// The output refuses.
    pub fn finish(mut self) -> Result<(), StreamError> {
        let regular = self.held.len().saturating_sub(self.apart);
        let mut left = regular;
        while left > 0 {
            let now = left.min(self.next_size());
            self.segment(now)?;
            left -= now;
        }
        let rest = self.held.len();
        if rest > 0 { self.segment(rest) } else { Ok(()) }
    }

    fn next_size(&self) -> usize {
        self.first.front().copied().unwrap_or(self.size)
    }

    fn segment(&mut self, length: usize) -> Result<(), StreamError> {
        self.stream.octets(&header(tag::OCTET_STRING, length as u64))?;
        self.stream.octets(&self.held[..length])?;
        self.held.drain(..length);
        self.first.pop_front();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(plan: &SegmentPlan, chunks: &[usize]) -> Vec<usize> {
        let mut stream = Stream::new(Vec::new());
        let mut segments = Segments::new(&mut stream, plan);
        let mut next = 0u8;
        for chunk in chunks {
            let octets: Vec<u8> = (0..*chunk)
                .map(|_| {
                    next = next.wrapping_add(1);
                    next
                })
                .collect();
            segments.octets(&octets).unwrap();
        }
        segments.finish().unwrap();
        let out = stream.finish().unwrap();
        let (mut sizes, mut at, mut expected) = (Vec::new(), 0, 0u8);
        while at < out.len() {
            assert_eq!(out[at], tag::OCTET_STRING);
            let (length, head) = match out[at + 1] {
                short if short < 0x80 => (usize::from(short), 2),
                0x81 => (usize::from(out[at + 2]), 3),
                _ => (usize::from(out[at + 2]) << 8 | usize::from(out[at + 3]), 4),
            };
            for octet in &out[at + head..at + head + length] {
                expected = expected.wrapping_add(1);
                assert_eq!(*octet, expected);
            }
            sizes.push(length);
            at += head + length;
        }
        assert_eq!(sizes.iter().sum::<usize>(), chunks.iter().sum::<usize>());
        sizes
    }

    #[test]
    fn segments_do_not_depend_on_how_the_octets_come() {
        for chunks in [vec![2500], vec![1; 2500], vec![1024, 1024, 452], vec![0, 999, 1500, 1, 0]] {
            assert_eq!(cut(&SegmentPlan::even(1024), &chunks), [1024, 1024, 452]);
        }
        assert_eq!(cut(&SegmentPlan::even(1024), &[2048]), [1024, 1024]);
        assert_eq!(cut(&SegmentPlan::even(1024), &[]), [0usize; 0]);
        assert_eq!(cut(&SegmentPlan::even(0), &[3]), [1, 1, 1]);
    }

    #[test]
    fn first_segments_and_a_last_block_apart() {
        let uneven = SegmentPlan { first: vec![3005, 199], size: 4096, apart: 0 };
        assert_eq!(cut(&uneven, &[10_000]), [3005, 199, 4096, 2700]);
        // As NSS writes: full segments, the remainder, one cipher block.
        let nss = SegmentPlan { first: vec![], size: 8192, apart: 16 };
        for chunks in [vec![30_816], vec![16; 1926], vec![8192, 8192, 8192, 6224, 16]] {
            assert_eq!(cut(&nss, &chunks), [8192, 8192, 8192, 6224, 16]);
        }
        assert_eq!(cut(&nss, &[16]), [16]);
        assert_eq!(cut(&nss, &[8192]), [8176, 16]);
        assert_eq!(cut(&nss, &[8208]), [8192, 16]);
        assert_eq!(cut(&nss, &[8224]), [8192, 16, 16]);
    }

    #[test]
    fn a_wrong_announcement_is_an_error() {
        let mut stream = Stream::new(Vec::new());
        stream.start(tag::SEQUENCE, 3).unwrap();
        assert!(matches!(stream.octets(b"1234"), Err(StreamError::Length { announced: 3, written: 0 })));
        stream.octets(b"12").unwrap();
        assert!(matches!(stream.end(), Err(StreamError::Length { announced: 3, written: 2 })));
        assert!(matches!(stream.end(), Err(StreamError::Open(0))));

        let mut stream = Stream::new(Vec::new());
        stream.start_indefinite(tag::SEQUENCE).unwrap();
        assert!(matches!(stream.finish(), Err(StreamError::Open(1))));
    }

    #[test]
    fn nested_forms() {
        let mut stream = Stream::new(Vec::new());
        stream.start_indefinite(tag::SEQUENCE).unwrap();
        stream.start(tag::OCTET_STRING, 2).unwrap();
        stream.octets(b"hi").unwrap();
        stream.end().unwrap();
        stream.end().unwrap();
        assert_eq!(stream.finish().unwrap(), b"\x30\x80\x04\x02hi\x00\x00");
    }
}
