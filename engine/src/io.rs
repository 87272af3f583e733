//! What the engine reads from and writes to; all of it is given by the caller.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

/// An input that can be read more than once.
///
/// What cannot be one pass (a digest that is named after the content, lengths
/// that stand before it) is two passes over a source; memory stays bounded.
pub trait Source: Read + Seek {}

impl<T: Read + Seek + ?Sized> Source for T {}

/// A place where content waits until it may be released. It is filled by
/// another thread where there is much of it.
pub trait Spool: Read + Write + Seek + Send {}

impl<T: Read + Write + Seek + Send + ?Sized> Spool for T {}

/// An output, which another thread writes where there is much to write.
pub trait Sink: Write + Send {}

impl<T: Write + Send + ?Sized> Sink for T {}

/// Gives out empty spools: in memory for tests, temporary files in a program.
pub trait Workspace {
    /// A new, empty spool.
    ///
    /// # Errors
    /// What the place says, when it cannot be made.
    fn spool(&mut self) -> io::Result<Box<dyn Spool>>;
}

/// A workspace in memory, for tests and small messages.
#[derive(Debug, Default, Clone, Copy)]
pub struct MemoryWorkspace;

impl Workspace for MemoryWorkspace {
    fn spool(&mut self) -> io::Result<Box<dyn Spool>> {
        Ok(Box::new(Cursor::new(Vec::new())))
    }
}

/// A range of a source, itself a source whose position 0 is `start`.
pub struct Section<'a> {
    source: &'a mut dyn Source,
    start: u64,
    end: u64,
    position: u64,
}

impl std::fmt::Debug for Section<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Section({}..{} at {})", self.start, self.end, self.position)
    }
}

impl<'a> Section<'a> {
    /// The octets `start..end` of a source; an `end` before `start` is empty.
    pub fn new(source: &'a mut dyn Source, start: u64, end: u64) -> Self {
        Self { source, start, end: end.max(start), position: 0 }
    }

    /// Length in octets.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.end - self.start
    }

    /// Whether the section holds nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.len().saturating_sub(self.position);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        // The source is shared between sections, so its position is never trusted.
        self.source.seek(SeekFrom::Start(self.start + self.position))?;
        let read = self.source.read(&mut buffer[..wanted])?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Section<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position =
            position.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a seek before the start"))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_a_source_of_its_own() {
        let mut whole = Cursor::new(b"0123456789".to_vec());
        let mut section = Section::new(&mut whole, 2, 6);
        let mut text = String::new();
        section.read_to_string(&mut text).unwrap();
        assert_eq!(text, "2345");
        section.seek(SeekFrom::End(-1)).unwrap();
        text.clear();
        section.read_to_string(&mut text).unwrap();
        assert_eq!(text, "5");
        assert!(section.seek(SeekFrom::Current(-9)).is_err());
    }
}
