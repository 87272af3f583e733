//! Programs whose source is part of this one: put into the user's cache directory
//! when they are first used, under a name that changes with what is in them.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Files of a program: paths below its directory, and texts.
pub(crate) type Sources = [(&'static str, &'static str)];

/// A program that is kept.
pub(crate) struct Kept<'a> {
    /// What its directory is called, before a number.
    pub(crate) name: &'a str,
    /// Its files.
    pub(crate) sources: &'a Sources,
    /// What else it depends on: with it the directory changes, too.
    pub(crate) beside: &'a [Vec<u8>],
}

impl Kept<'_> {
    /// The directory of the program. If it is not there, the files are written,
    /// and `finish` does the rest, before the directory gets its name: whoever
    /// finds it finds it whole.
    ///
    /// # Errors
    /// There is no place for it, it cannot be written, or `finish` failed.
    pub(crate) fn directory(&self, finish: impl FnOnce(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
        let cache = cache()?;
        let directory = cache.join(format!("{}-{}", self.name, self.number()));
        if !directory.is_dir() {
            self.put(&cache, &directory, finish)?;
        }
        Ok(directory)
    }

    fn number(&self) -> String {
        let mut hash = Sha256::new();
        for (name, text) in self.sources {
            hash.update(name);
            hash.update(text);
        }
        for octets in self.beside {
            hash.update(octets);
        }
        hash.finalize().iter().take(8).map(|octet| format!("{octet:02x}")).collect()
    }

    fn put(
        &self,
        cache: &Path,
        directory: &Path,
        finish: impl FnOnce(&Path) -> Result<(), String>,
    ) -> Result<(), String> {
        let at = |path: &Path| {
            let path = path.display().to_string();
            move |error: io::Error| format!("{path}: {error}")
        };
        std::fs::create_dir_all(cache).map_err(at(cache))?;
        let work = tempfile::tempdir_in(cache).map_err(at(cache))?;
        for (name, text) in self.sources {
            let file = work.path().join(name);
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent).map_err(at(parent))?;
            }
            std::fs::write(&file, text).map_err(at(&file))?;
        }
        finish(work.path())?;
        match std::fs::rename(work.path(), directory) {
            // Another process was faster; its result is the same.
            Err(_) if directory.is_dir() => Ok(()),
            result => result.map_err(at(directory)),
        }
    }
}

/// The user's cache directory, as the XDG Base Directory Specification has it.
fn cache() -> Result<PathBuf, String> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
    base.map(|base| base.join("waxseal"))
        .ok_or_else(|| "no place for the source of this shim: neither XDG_CACHE_HOME nor HOME is set".to_owned())
}
