//! Messages that are signed themselves, and not a digest of them.

use std::io::{Read, Seek, SeekFrom};

use zeroize::Zeroize;

use crate::KeyError;

/// A message that can be read again from where it stands: a file, a spool, a
/// cursor. Some schemes read it twice.
pub trait Content: Read + Seek {}

impl<T: Read + Seek + ?Sized> Content for T {}

/// A message, from where it stood to its end.
pub(crate) struct Message<'a> {
    content: &'a mut dyn Content,
    start: u64,
}

/// Octets that are held of a message at once.
const PIECE: usize = 64 * 1024;

impl<'a> Message<'a> {
    pub(crate) fn new(content: &'a mut dyn Content) -> Result<Self, KeyError> {
        let start = content.stream_position().map_err(unreadable)?;
        Ok(Self { content, start })
    }

    /// Reads all of it, in pieces.
    pub(crate) fn each(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<(), KeyError> {
        self.content.seek(SeekFrom::Start(self.start)).map_err(unreadable)?;
        let mut piece = vec![0; PIECE];
        loop {
            match self.content.read(&mut piece) {
                Ok(0) => break,
                Ok(len) => take(&piece[..len]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
        piece.zeroize();
        Ok(())
    }

    /// All of it, where it is short.
    pub(crate) fn short(&mut self) -> Result<Option<Vec<u8>>, KeyError> {
        self.content.seek(SeekFrom::Start(self.start)).map_err(unreadable)?;
        let mut whole = Vec::new();
        (&mut *self.content).take(PIECE as u64 + 1).read_to_end(&mut whole).map_err(unreadable)?;
        Ok(Some(whole).filter(|whole| whole.len() <= PIECE))
    }
}

fn unreadable(error: std::io::Error) -> KeyError {
    KeyError::Unreadable(error.to_string())
}
