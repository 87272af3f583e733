//! Where content waits until it may be released: in memory while it is small,
//! in an unnamed temporary file from then on.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use tempfile::SpooledTempFile;
use waxseal_engine::io::{Source, Spool, Workspace};
use zeroize::Zeroizing;

use crate::pipe::Pipe;

/// Octets that one spool keeps in memory.
const IN_MEMORY: usize = 1 << 20;

/// Octets of a file that is held in memory: more than the largest CRLs have.
const SMALL: u64 = 256 << 20;

/// A workspace of temporary files that vanish with their spools.
#[derive(Debug, Default, Clone, Copy)]
pub struct TempWorkspace;

impl Workspace for TempWorkspace {
    fn spool(&mut self) -> io::Result<Box<dyn Spool>> {
        Ok(Box::new(SpooledTempFile::new(IN_MEMORY)))
    }
}

/// An input that can be read more than once: a file as it is, a pipe after it
/// was spooled, which may have no more than `most` octets. `-` is standard
/// input.
///
/// # Errors
/// The file cannot be read, or is a directory; the pipe has more than that.
pub fn source(path: &Path, most: u64) -> io::Result<Box<dyn Source>> {
    match open(path)? {
        Input::File(file) => Ok(Box::new(file)),
        Input::Pipe(from) => spooled(from, most),
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

/// All octets of an input that may have no more than `most`; nothing is
/// spooled, and of what is larger one octet more is read than that. `-` is
/// standard input.
///
/// # Errors
/// It is larger, cannot be read, or is a directory.
pub fn read_up_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut input = open(path)?;
    let (from, expected): (&mut dyn Read, u64) = match &mut input {
        Input::File(file) => {
            let size = file.metadata()?.len();
            (file, size.min(most))
        }
        Input::Pipe(from) => (from, 0),
    };
    // At once as large as it will be: a key that moves in memory leaves copies behind.
    let mut octets = Vec::with_capacity(usize::try_from(expected).unwrap_or(0).saturating_add(1));
    from.take(most.saturating_add(1)).read_to_end(&mut octets)?;
    if octets.len() as u64 > most {
        return Err(too_large(format!("has more than {}", size(most))));
    }
    Ok(octets)
}

/// A directory of this name, with those above it; it may be there.
///
/// # Errors
/// It cannot be made: the error says which file is in its place.
pub fn directory(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path).map_err(|error| {
        // Of a file in its place the system says that it exists, or is no directory, and not which.
        match path.ancestors().find(|above| above.exists() && !above.is_dir()) {
            Some(file) => {
                let what = format!("{} is a file, and not a directory: choose another name", file.display());
                io::Error::new(error.kind(), what)
            }
            None => error,
        }
    })
}

/// All octets of a file that is held in memory: a key, a certificate, a list,
/// a policy.
///
/// # Errors
/// It is larger than any such file is, cannot be read, or is a directory.
pub fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    read_up_to(path, SMALL)
}

/// The text of such a file.
///
/// # Errors
/// As [`read_small`], and if it is no text in UTF-8.
pub fn read_small_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_small(path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        // It may be somebody's secret that was named by mistake.
        drop(Zeroizing::new(error.into_bytes()));
        io::Error::new(io::ErrorKind::InvalidData, format!("is no text in UTF-8 (octet {at})"))
    })
}

fn too_large(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, what)
}

/// A number of octets, in MiB where it is that many.
fn size(octets: u64) -> String {
    const MIB: u64 = 1 << 20;
    if octets >= MIB && octets.is_multiple_of(MIB) {
        format!("{} MiB", octets / MIB)
    } else {
        format!("{octets} octets")
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

fn spooled(from: impl Read, most: u64) -> io::Result<Box<dyn Source>> {
    let mut spool = SpooledTempFile::new(IN_MEMORY);
    if io::copy(&mut from.take(most.saturating_add(1)), &mut spool)? > most {
        let size = size(most);
        return Err(too_large(format!("a pipe with more than {size}: give a file, or --limit piped-octets=N")));
    }
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

    /// Whoever writes into a FIFO without end is stopped, and is not stored first.
    #[test]
    fn a_pipe_without_end_is_read_up_to_the_limit() {
        const MOST: u64 = 100_000;
        /// What a pipe holds that nobody has read, and what is read at once.
        const UNREAD: usize = (2 << 20) + 4096;
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let write = |octets: usize| {
            let fifo = fifo.clone();
            std::thread::spawn(move || {
                let mut to = std::fs::OpenOptions::new().write(true).open(fifo).unwrap();
                let mut written = 0;
                while written < octets && to.write_all(&vec![7; 4096.min(octets - written)]).is_ok() {
                    written += 4096.min(octets - written);
                }
                written
            })
        };
        let writer = write(MOST as usize);
        assert!(read_up_to(&fifo, MOST).unwrap() == vec![7; MOST as usize]);
        assert_eq!(writer.join().unwrap(), MOST as usize);
        let writer = write(usize::MAX);
        let error = read_up_to(&fifo, MOST).unwrap_err();
        assert_eq!(error.to_string(), "has more than 100000 octets");
        let written = writer.join().unwrap();
        assert!(written <= MOST as usize + UNREAD, "{written}");
        // So is one that is stored to be read twice.
        let writer = write(MOST as usize);
        let mut stored = Vec::new();
        source(&fifo, MOST).unwrap().read_to_end(&mut stored).unwrap();
        assert!(stored == vec![7; MOST as usize]);
        assert_eq!(writer.join().unwrap(), MOST as usize);
        let writer = write(usize::MAX);
        let error = source(&fifo, MOST).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("100000 octets") && error.contains("--limit piped-octets="), "{error}");
        let written = writer.join().unwrap();
        assert!(written <= MOST as usize + UNREAD, "{written}");
        assert_eq!(size(64 << 20), "64 MiB");
    }

    #[test]
    fn a_file_is_read_up_to_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, [7; 11]).unwrap();
        assert_eq!(read_up_to(&file, 11).unwrap(), [7; 11]);
        assert_eq!(read_up_to(&file, 10).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(read_up_to(dir.path(), 10).is_err());
        assert_eq!(read_small(&file).unwrap(), [7; 11]);
        for name in [file.clone(), file.join("a/b")] {
            let error = directory(&name).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{} is a file", file.display())), "{error}");
        }
        directory(&dir.path().join("a/b")).unwrap();
        directory(&dir.path().join("a/b")).unwrap();
        std::fs::write(&file, b"ab\xff").unwrap();
        assert_eq!(read_small_text(&file).unwrap_err().to_string(), "is no text in UTF-8 (octet 2)");
        assert!(read_small(Path::new("/dev/zero")).unwrap_err().to_string().contains("256 MiB"));
    }

    #[test]
    fn a_directory_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(source(dir.path(), 1).is_err());
        assert!(source(&dir.path().join("nothing"), 1).is_err());
    }
}
