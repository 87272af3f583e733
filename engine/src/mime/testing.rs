//! Inputs for tests: a source that gives few octets at a time, and one that is
//! larger than memory.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// Gives at most `piece` octets at a read.
#[derive(Debug)]
pub(crate) struct Trickle {
    inner: Cursor<Vec<u8>>,
    piece: usize,
}

impl Trickle {
    pub(crate) fn new(octets: Vec<u8>, piece: usize) -> Self {
        Self { inner: Cursor::new(octets), piece }
    }
}

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = self.piece.min(buffer.len());
        self.inner.read(&mut buffer[..piece])
    }
}

impl Seek for Trickle {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// A head, then one line repeated up to a length, then a tail; nothing of it
/// but the three is in memory.
#[derive(Debug)]
pub(crate) struct Huge {
    head: Vec<u8>,
    line: Vec<u8>,
    middle: u64,
    tail: Vec<u8>,
    position: u64,
    /// Largest buffer that a reader offered.
    pub(crate) largest_read: usize,
}

impl Huge {
    pub(crate) fn new(head: &str, line: &str, lines: u64, tail: &str) -> Self {
        Self::of_octets(head.as_bytes(), line.as_bytes(), lines, tail.as_bytes())
    }

    pub(crate) fn of_octets(head: &[u8], line: &[u8], lines: u64, tail: &[u8]) -> Self {
        let middle = line.len() as u64 * lines;
        Self { head: head.into(), line: line.into(), middle, tail: tail.into(), position: 0, largest_read: 0 }
    }

    pub(crate) fn len(&self) -> u64 {
        self.head.len() as u64 + self.middle + self.tail.len() as u64
    }
}

impl Read for Huge {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.largest_read = self.largest_read.max(buffer.len());
        let head = self.head.len() as u64;
        let piece: &[u8] = if self.position < head {
            &self.head[self.position as usize..]
        } else if self.position < head + self.middle {
            &self.line[((self.position - head) % self.line.len() as u64) as usize..]
        } else {
            let at = (self.position - head - self.middle).min(self.tail.len() as u64);
            &self.tail[at as usize..]
        };
        let mut read = piece.len().min(buffer.len());
        buffer[..read].copy_from_slice(&piece[..read]);
        // Whole lines at once, so that the test is not about this loop.
        while self.position >= head
            && self.position + ((read + self.line.len()) as u64) <= head + self.middle
            && read + self.line.len() <= buffer.len()
        {
            let (done, rest) = buffer.split_at_mut(read);
            let _ = done;
            rest[..self.line.len()].copy_from_slice(&self.line);
            read += self.line.len();
        }
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Huge {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "before the start"))?;
        Ok(self.position)
    }
}
