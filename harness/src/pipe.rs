//! A pipe as an input that is read once, but for its start.

use std::io::{self, Read, Seek, SeekFrom};

/// What comes from a pipe, and goes forward only; its first octets are kept,
/// so that a header can be looked at before it is read.
#[derive(Debug)]
pub struct Pipe<R> {
    from: R,
    /// How many octets are kept at most.
    keep: usize,
    /// The start of what came.
    kept: Vec<u8>,
    /// Octets that came.
    came: u64,
    /// What is read next.
    position: u64,
}

impl<R: Read> Pipe<R> {
    /// `keep` is how many octets can be read again.
    pub const fn new(from: R, keep: usize) -> Self {
        Self { from, keep, kept: Vec::new(), came: 0, position: 0 }
    }
}

impl<R: Read> Read for Pipe<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.position).ok().and_then(|at| self.kept.get(at..)).unwrap_or_default();
        let read = if left.is_empty() {
            let read = self.from.read(buffer)?;
            let room = self.keep - self.kept.len();
            self.kept.extend_from_slice(&buffer[..read.min(room)]);
            self.came += read as u64;
            read
        } else {
            (&*left).read(buffer)?
        };
        self.position += read as u64;
        Ok(read)
    }
}

impl<R: Read> Seek for Pipe<R> {
    /// Goes back within what was kept, as long as no more than that came.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(_) => None,
        };
        let here = |position: &u64| *position == self.position;
        let again = |position: &u64| self.came == self.kept.len() as u64 && *position <= self.came;
        self.position = position
            .filter(|position| here(position) || again(position))
            .ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, "a pipe is read once: give a file"))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(pipe: &mut impl Read) -> Vec<u8> {
        let mut rest = Vec::new();
        pipe.read_to_end(&mut rest).unwrap();
        rest
    }

    #[test]
    fn the_start_can_be_read_again() {
        let mut pipe = Pipe::new(b"0123456789".as_slice(), 6);
        let mut start = [0; 5];
        pipe.read_exact(&mut start).unwrap();
        assert_eq!(pipe.seek(SeekFrom::Start(2)).unwrap(), 2);
        assert_eq!(rest(&mut pipe), b"23456789");
        // More than the start is gone now.
        assert!(pipe.seek(SeekFrom::Start(0)).is_err());
        assert_eq!(pipe.stream_position().unwrap(), 10);
    }

    #[test]
    fn nothing_is_known_of_the_end() {
        let mut pipe = Pipe::new(b"0123456789".as_slice(), 6);
        assert!(pipe.seek(SeekFrom::End(0)).is_err());
        assert!(pipe.seek(SeekFrom::Start(1)).is_err());
        assert_eq!(rest(&mut pipe), b"0123456789");
    }
}
