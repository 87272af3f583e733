//! A reader whose session is written down.

use std::path::{Path, PathBuf};

use waxseal_card::host::{Reader, ReaderError};
use waxseal_card::transcript::{RecordedReader, Tape};
use zeroize::Zeroizing;

/// A reader whose session stands in a file when it is dropped, without secrets.
pub struct Written {
    reader: RecordedReader<Box<dyn Reader>>,
    tape: Tape,
    file: PathBuf,
}

impl Written {
    /// Writes down what goes through a reader.
    #[must_use]
    pub fn new(reader: Box<dyn Reader>, file: &Path) -> Self {
        let tape = Tape::new();
        Self { reader: RecordedReader::new(reader, tape.clone()), tape, file: file.to_owned() }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if let Err(error) = std::fs::write(&self.file, self.tape.transcript().to_string()) {
            // What was done with the card was done, and has its own exit code.
            eprintln!("note: {}: the transcript is not written: {error}", self.file.display());
        }
    }
}

impl Reader for Written {
    fn name(&self) -> &str {
        self.reader.name()
    }

    fn atr(&self) -> Vec<u8> {
        self.reader.atr()
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, ReaderError> {
        self.reader.transmit(command)
    }

    fn begin(&mut self) -> Result<(), ReaderError> {
        self.reader.begin()
    }

    fn end(&mut self) -> Result<(), ReaderError> {
        self.reader.end()
    }

    fn reconnect(&mut self) -> Result<(), ReaderError> {
        self.reader.reconnect()
    }
}
