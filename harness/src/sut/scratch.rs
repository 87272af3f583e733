//! Directories that end with what they were made for, however that ends.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::guard::{self, Word};

/// How often it is tried to remove a directory: who was killed may still be writing there.
const TRIES: usize = 10;

/// A directory for this user alone. It is removed when this is dropped, and by
/// the [`guard`] if this process is killed before.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A directory among the temporary ones.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn new() -> io::Result<Self> {
        Self::within(&std::env::temp_dir(), "waxseal-")
    }

    /// A directory whose name begins so, in another one.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn within(base: &Path, begin: &str) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix(begin).tempdir_in(base)?;
        guard::tell(Word::Add, dir.path());
        Ok(Self(dir.keep()))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
        guard::tell(Word::Done, &self.0);
    }
}

/// Removes a directory with everything in it; what cannot be removed stays.
pub(super) fn remove(dir: &Path) {
    for _ in 0..TRIES {
        match std::fs::remove_dir_all(dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => std::thread::sleep(Duration::from_millis(5)),
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_with_all_that_is_in_it() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_owned();
        std::fs::create_dir_all(path.join("a/b")).unwrap();
        std::fs::write(path.join("a/b/key"), "secret").unwrap();
        drop(scratch);
        assert!(!path.exists());
        // Somebody else removed it.
        let scratch = Scratch::new().unwrap();
        std::fs::remove_dir(scratch.path()).unwrap();
        drop(scratch);
    }
}
