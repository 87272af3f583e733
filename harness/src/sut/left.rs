//! What a shim leaves in a directory: a file, where it should be, and otherwise
//! anything. A pipe that nobody writes to would be read for ever, a link to a
//! device without an end, and what an earlier run left would count as written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Take, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Why a file that a shim left is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unread {
    /// There is nothing of this name.
    #[error("no file")]
    Missing,
    /// There is something else.
    #[error("a {0} and not a file")]
    NoFile(&'static str),
    /// It is larger than allowed.
    #[error("more than {0} octets")]
    TooLarge(u64),
    /// The system says why.
    #[error("a file that cannot be read: {0}")]
    Failed(String),
}

/// Opens a file to read no more than so many octets, and one to tell that there are more.
///
/// # Errors
/// It is no file, it is too large, or it cannot be opened.
pub(crate) fn open(path: &Path, most: u64) -> Result<Take<File>, Unread> {
    // Asked before it is opened: to open a device may do something.
    is_file(&fs::symlink_metadata(path).map_err(failed)?)?;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
    // And after that: another one may have taken its name between.
    let data = file.metadata().map_err(failed)?;
    is_file(&data)?;
    if data.len() > most {
        return Err(Unread::TooLarge(most));
    }
    Ok(file.take(most.saturating_add(1)))
}

/// The octets of a file.
///
/// # Errors
/// As [`open`]; or it grew too large while it was read.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
    let mut octets = Vec::new();
    let read = open(path, most)?.read_to_end(&mut octets).map_err(failed)?;
    if read as u64 > most { Err(Unread::TooLarge(most)) } else { Ok(octets) }
}

/// Removes whatever has this name, so that what is there later was written later.
///
/// # Errors
/// It cannot be removed.
pub(crate) fn clear(path: &Path) -> io::Result<()> {
    let removed = fs::symlink_metadata(path).and_then(|data| match data.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    });
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a file where a shim may have left anything: neither through a link, nor into a pipe.
///
/// # Errors
/// What is there cannot be removed, or the file cannot be written.
pub(crate) fn replace(path: &Path, octets: &[u8]) -> io::Result<()> {
    clear(path)?;
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(octets)
}

fn is_file(data: &fs::Metadata) -> Result<(), Unread> {
    let kind = data.file_type();
    let other = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_symlink() => "link",
        () if kind.is_dir() => "directory",
        () if kind.is_fifo() => "pipe",
        () if kind.is_socket() => "socket",
        () => "device",
    };
    Err(Unread::NoFile(other))
}

fn failed(error: io::Error) -> Unread {
    match error.kind() {
        io::ErrorKind::NotFound => Unread::Missing,
        _ => Unread::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_a_file_is_read_and_only_so_much_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), "12345").unwrap();
        fs::create_dir(at("directory")).unwrap();
        symlink("/dev/zero", at("endless")).unwrap();
        symlink(at("file"), at("link")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let _listener = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        assert_eq!(read(&at("file"), 5).as_deref(), Ok(b"12345".as_slice()));
        assert_eq!(read(&at("file"), 4), Err(Unread::TooLarge(4)));
        assert_eq!(read(&at("nothing"), 4), Err(Unread::Missing));
        for (name, kind) in
            [("directory", "directory"), ("endless", "link"), ("link", "link"), ("pipe", "pipe"), ("socket", "socket")]
        {
            assert_eq!(read(&at(name), 5), Err(Unread::NoFile(kind)), "{name}");
        }
        assert_eq!(read(Path::new("/dev/zero"), 5), Err(Unread::NoFile("device")));
        // What the kernel makes while it is read has no size before.
        assert_eq!(read(Path::new("/proc/self/environ"), 1), Err(Unread::TooLarge(1)));
    }

    #[test]
    fn what_is_written_goes_to_no_other_place() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("other"), "other").unwrap();
        symlink(at("other"), at("link")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        fs::create_dir_all(at("directory/inside")).unwrap();
        for name in ["link", "pipe", "directory", "new"] {
            replace(&at(name), b"own").unwrap();
            assert_eq!(read(&at(name), 3).as_deref(), Ok(b"own".as_slice()), "{name}");
            clear(&at(name)).unwrap();
            clear(&at(name)).unwrap();
            assert_eq!(read(&at(name), 3), Err(Unread::Missing), "{name}");
        }
        assert_eq!(fs::read(at("other")).unwrap(), b"other");
    }
}
