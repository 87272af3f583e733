//! Where content waits until it may be released: in memory while it is small,
//! in an unnamed temporary file from then on.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use tempfile::SpooledTempFile;
use waxseal_engine::io::{Source, Spool, Workspace};

use crate::pipe::Pipe;

/// Octets that one spool keeps in memory.
const IN_MEMORY: usize = 1 << 20;

/// A workspace of temporary files that vanish with their spools.
#[derive(Debug, Default, Clone, Copy)]
pub struct TempWorkspace;

impl Workspace for TempWorkspace {
    fn spool(&mut self) -> io::Result<Box<dyn Spool>> {
        Ok(Box::new(SpooledTempFile::new(IN_MEMORY)))
    }
}

/// An input that can be read more than once: a file as it is, a pipe after it
/// was spooled. `-` is standard input.
///
/// # Errors
/// The file cannot be read, or is a directory.
pub fn source(path: &Path) -> io::Result<Box<dyn Source>> {
    match open(path)? {
        Input::File(file) => Ok(Box::new(file)),
        Input::Pipe(from) => spooled(from),
    }
}

/// An input that is read once, after its first `header` octets were looked at:
/// a pipe is not spooled.
///
/// # Errors
/// The file cannot be read, or is a directory.
pub fn source_read_once(path: &Path, header: usize) -> io::Result<Box<dyn Source>> {
    match open(path)? {
        Input::File(file) => Ok(Box::new(file)),
        // What looks at the header reads a buffer more than that.
        Input::Pipe(from) => Ok(Box::new(Pipe::new(from, header.saturating_add(1 << 16)))),
    }
}

/// Whether this is no regular file, so that it can be read once only.
#[must_use]
pub fn is_pipe(path: &Path) -> bool {
    path == Path::new("-") || std::fs::metadata(path).is_ok_and(|file| !file.is_file())
}

/// What stands behind a name.
enum Input {
    File(File),
    Pipe(Box<dyn Read>),
}

fn open(path: &Path) -> io::Result<Input> {
    if path == Path::new("-") {
        return Ok(Input::Pipe(Box::new(io::stdin().lock())));
    }
    let file = File::open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
    }
    Ok(if kind.is_file() { Input::File(file) } else { Input::Pipe(Box::new(file)) })
}

fn spooled(mut from: impl Read) -> io::Result<Box<dyn Source>> {
    let mut spool = SpooledTempFile::new(IN_MEMORY);
    io::copy(&mut from, &mut spool)?;
    spool.seek(SeekFrom::Start(0))?;
    Ok(Box::new(spool))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_spool_reads_back_what_was_written_however_large() {
        for octets in [10, IN_MEMORY + 10] {
            let mut spool = TempWorkspace.spool().unwrap();
            spool.write_all(&vec![7; octets]).unwrap();
            spool.seek(SeekFrom::Start(0)).unwrap();
            let mut back = Vec::new();
            spool.read_to_end(&mut back).unwrap();
            assert!(back == vec![7; octets]);
        }
    }

    #[test]
    fn a_directory_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(source(dir.path()).is_err());
        assert!(source(&dir.path().join("nothing")).is_err());
    }
}
