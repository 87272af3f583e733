//! The user's directories of recordings: bytes that the project never commits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::catalogue::PinnedFile;
use crate::files::sha256;

/// Directories of recordings, every file known by its hash.
///
/// Files may lie anywhere below them. If a directory holds a `manifest.tsv`
/// (columns `file` and `sha256` first), a listed file with other content is
/// refused instead of being merely absent.
#[derive(Debug, Clone, Default)]
pub struct Recordings {
    roots: Vec<PathBuf>,
    by_hash: BTreeMap<String, PathBuf>,
    /// Hash that a manifest states, and the file that should have it.
    stated: BTreeMap<String, PathBuf>,
}

/// Why a recording cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingsError {
    /// The directory cannot be read.
    #[error("{path}: cannot be read: {why}")]
    Unreadable {
        /// What was to be read.
        path: String,
        /// What the system said.
        why: String,
    },
    /// The file is not there: the case is not available.
    #[error("no file with sha256 {sha256} below {directory}")]
    Absent {
        /// The hash that was wanted.
        sha256: String,
        /// Where it was looked for.
        directory: String,
    },
    /// The file is there, and is another one.
    #[error("{file}: refused, its sha256 is {found} and not {wanted}: take it again from its source")]
    Differs {
        /// The file.
        file: String,
        /// The hash of the catalogue.
        wanted: String,
        /// The hash that the file has.
        found: String,
    },
}

impl RecordingsError {
    /// Whether the file is merely absent (outcome `not-available`), not wrong.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }
}

impl Recordings {
    /// Reads a directory and hashes every file below it.
    ///
    /// # Errors
    /// The directory, or a file in it, cannot be read.
    pub fn open(root: &Path) -> Result<Self, RecordingsError> {
        let mut recordings = Self::default();
        recordings.add(root)?;
        Ok(recordings)
    }

    /// The same of several directories; what a `PATH`-like variable lists.
    ///
    /// # Errors
    /// As [`Recordings::open`].
    pub fn open_all(roots: impl IntoIterator<Item = PathBuf>) -> Result<Self, RecordingsError> {
        let mut recordings = Self::default();
        for root in roots {
            recordings.add(&root)?;
        }
        Ok(recordings)
    }

    fn add(&mut self, root: &Path) -> Result<(), RecordingsError> {
        let unreadable =
            |path: &Path, why: String| RecordingsError::Unreadable { path: path.display().to_string(), why };
        for found in walkdir::WalkDir::new(root).sort_by_file_name() {
            // What walkdir says would name the place a second time.
            let why = |error: &walkdir::Error| error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
            let entry = found.map_err(|error| unreadable(error.path().unwrap_or(root), why(&error)))?;
            if entry.file_type().is_file() {
                let bytes = std::fs::read(entry.path()).map_err(|error| unreadable(entry.path(), error.to_string()))?;
                self.by_hash.insert(sha256(&bytes), entry.into_path());
            }
        }
        if let Ok(text) = std::fs::read_to_string(root.join("manifest.tsv")) {
            self.stated.extend(stated(root, &text));
        }
        self.roots.push(root.to_owned());
        Ok(())
    }

    /// The bytes of the file with this hash.
    ///
    /// # Errors
    /// [`RecordingsError::Absent`] if no file has it, [`RecordingsError::Differs`]
    /// if the manifest names a file for it that has another.
    pub fn by_hash(&self, wanted: &str) -> Result<Vec<u8>, RecordingsError> {
        if let Some(path) = self.by_hash.get(wanted) {
            return self.read(path, wanted);
        }
        match self.stated.get(wanted) {
            Some(path) if path.is_file() => self.read(path, wanted),
            _ => Err(self.absent(wanted)),
        }
    }

    /// The bytes of a file that is known by path and hash.
    ///
    /// # Errors
    /// As [`Recordings::by_hash`]; a file at the path with another hash is refused.
    pub fn pinned(&self, file: &PinnedFile) -> Result<Vec<u8>, RecordingsError> {
        let path = self.roots.iter().map(|root| root.join(&file.file)).find(|path| path.is_file());
        path.map_or_else(|| self.by_hash(&file.sha256), |path| self.read(&path, &file.sha256))
    }

    fn read(&self, path: &Path, wanted: &str) -> Result<Vec<u8>, RecordingsError> {
        let bytes = std::fs::read(path).map_err(|error| RecordingsError::Unreadable {
            path: path.display().to_string(),
            why: error.to_string(),
        })?;
        // Hashed again: the file may have changed since the directory was opened.
        let found = sha256(&bytes);
        if found == wanted {
            Ok(bytes)
        } else {
            let below = self.roots.iter().find_map(|root| path.strip_prefix(root).ok());
            let file = below.unwrap_or(path).display().to_string();
            Err(RecordingsError::Differs { file, wanted: wanted.to_owned(), found })
        }
    }

    fn absent(&self, wanted: &str) -> RecordingsError {
        let directories: Vec<_> = self.roots.iter().map(|root| root.display().to_string()).collect();
        RecordingsError::Absent { sha256: wanted.to_owned(), directory: directories.join(", ") }
    }
}

/// What a manifest states: hash and file of every line.
fn stated(root: &Path, manifest: &str) -> Vec<(String, PathBuf)> {
    let lines = manifest.lines().skip(1).filter_map(|line| {
        let mut columns = line.split('\t');
        let (file, hash) = (columns.next()?, columns.next()?);
        Some((hash.to_owned(), root.join(file)))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_by_hash_wherever_it_lies() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("deep")).unwrap();
        std::fs::write(dir.path().join("deep/mail.eml"), "x").unwrap();
        let recordings = Recordings::open(dir.path()).unwrap();
        assert_eq!(recordings.by_hash(&sha256(b"x")).unwrap(), b"x");
        let error = recordings.by_hash(&sha256(b"y")).unwrap_err();
        assert!(error.is_absent(), "{error}");
    }

    #[test]
    fn one_of_several_directories_is_enough() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(one.path().join("mail.eml"), "x").unwrap();
        std::fs::create_dir(other.path().join("keys")).unwrap();
        std::fs::write(other.path().join("keys/key.pem"), "y").unwrap();
        let recordings = Recordings::open_all([one.path().to_owned(), other.path().to_owned()]).unwrap();
        assert_eq!(recordings.by_hash(&sha256(b"x")).unwrap(), b"x");
        let pinned = |hash| PinnedFile { file: "keys/key.pem".to_owned(), sha256: hash };
        assert_eq!(recordings.pinned(&pinned(sha256(b"y"))).unwrap(), b"y");
        // The file at the path decides, whatever else lies there.
        assert!(matches!(recordings.pinned(&pinned(sha256(b"x"))), Err(RecordingsError::Differs { .. })));
        let error = recordings.by_hash(&sha256(b"z")).unwrap_err().to_string();
        assert!(error.contains(&*other.path().to_string_lossy()), "{error}");
    }

    #[test]
    fn another_content_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mail.eml"), "changed").unwrap();
        let wanted = sha256(b"original");
        std::fs::write(dir.path().join("manifest.tsv"), format!("file\tsha256\nmail.eml\t{wanted}\n")).unwrap();
        let recordings = Recordings::open(dir.path()).unwrap();
        let error = recordings.by_hash(&wanted).unwrap_err();
        assert!(matches!(&error, RecordingsError::Differs { file, .. } if file == "mail.eml"), "{error}");
        let pinned = PinnedFile { file: "mail.eml".to_owned(), sha256: wanted };
        assert!(matches!(recordings.pinned(&pinned), Err(RecordingsError::Differs { .. })));
    }

    #[test]
    fn a_missing_directory_is_named_once() {
        let error = Recordings::open(Path::new("no/such/place")).unwrap_err().to_string();
        assert_eq!(error, "no/such/place: cannot be read: No such file or directory (os error 2)");
    }
}
