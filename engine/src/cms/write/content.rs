//! Content that is read as often as the form of the object needs.

use std::io::{self, Read, Seek, SeekFrom};

use zeroize::Zeroizing;

use super::{CHUNK, WriteError};
use crate::overlap::FIRST;

/// What is signed or encrypted: octets that can be read again from their start.
pub trait Content: Read {
    /// Goes back to the start.
    ///
    /// # Errors
    /// The source cannot.
    fn rewind(&mut self) -> io::Result<()>;

    /// How many octets there are. Where only reading tells, they are read.
    ///
    /// # Errors
    /// The source cannot be read.
    fn measure(&mut self) -> io::Result<u64> {
        self.rewind()?;
        let mut buffer = vec![0; CHUNK];
        let mut total = 0;
        loop {
            match self.read(&mut buffer) {
                Ok(0) => return Ok(total),
                Ok(read) => total += read as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<T: Read + Seek + ?Sized> Content for T {
    fn rewind(&mut self) -> io::Result<()> {
        self.seek(SeekFrom::Start(0)).map(drop)
    }

    fn measure(&mut self) -> io::Result<u64> {
        self.seek(SeekFrom::End(0))
    }
}

/// A content as the message that a signature is over: it can go back to its
/// start, and nowhere else.
pub(super) struct Message<'a> {
    content: &'a mut dyn Content,
    position: u64,
}

impl<'a> Message<'a> {
    /// The content from its start.
    pub(super) fn new(content: &'a mut dyn Content) -> io::Result<Self> {
        content.rewind()?;
        Ok(Self { content, position: 0 })
    }
}

impl Read for Message<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Message<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(0) => {
                self.content.rewind()?;
                self.position = 0;
            }
            SeekFrom::Current(0) => {}
            _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "a content goes back to its start only")),
        }
        Ok(self.position)
    }
}

/// Reads all content from its start, a chunk at a time.
pub(super) fn each_chunk(
    content: &mut dyn Content,
    mut take: impl FnMut(&mut Vec<u8>, bool) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    content.rewind().map_err(WriteError::Read)?;
    // Most mail is small, and wiping takes its time.
    let mut size = FIRST;
    let mut buffer = Zeroizing::new(Vec::new());
    loop {
        if buffer.capacity() < size {
            // Grown, it would leave a copy behind. A cipher adds a block at most.
            buffer = Zeroizing::new(Vec::with_capacity(size + 64));
        }
        buffer.resize(size, 0);
        let read = fill(content, &mut buffer).map_err(WriteError::Read)?;
        buffer.truncate(read);
        let last = read < size;
        take(&mut buffer, last)?;
        if last {
            return Ok(());
        }
        size = CHUNK;
    }
}

/// Fills the buffer; less than all of it means the end.
fn fill(content: &mut dyn Content, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match content.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
