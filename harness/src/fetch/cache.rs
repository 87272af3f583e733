//! What was fetched, kept in a folder: one file for each request, which is used
//! as long as what is in it says that it holds.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};
use waxseal_engine::certificate::{Crl, OcspResponse, Wanted};

use crate::exit::Failed;

/// Octets that the folder may hold; the oldest files go first.
const MOST_OCTETS: u64 = 512 << 20;
/// How long certificates are kept, which do not say when there are others.
const CERTIFICATES: Duration = Duration::days(1);
/// The first line of a file: its format, and until when it is used, in seconds
/// since 1970.
const FORMAT: &str = "waxseal-fetched 1 ";
/// What the names of its files end with; others are left alone.
const ENDING: &str = ".fetched";

/// A folder of what was fetched.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens the folder, or makes it.
    pub(super) fn open(folder: &Path) -> Result<Self, Failed> {
        fs::create_dir_all(folder).map_err(Failed::at(folder.display()))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// What is kept of a request, while it holds.
    pub(super) fn get(&self, uri: &str, wanted: Wanted<'_>, most: u64) -> Option<Vec<u8>> {
        let path = self.path(uri, wanted);
        if fs::metadata(&path).ok()?.len() > most {
            return None;
        }
        let file = fs::read(path).ok()?;
        let line = file.iter().take(64).position(|octet| *octet == b'\n')?;
        let (head, rest) = file.split_at(line + 1);
        let until = std::str::from_utf8(head).ok()?.trim_end().strip_prefix(FORMAT)?.parse::<i64>().ok()?;
        (OffsetDateTime::now_utc().unix_timestamp() < until).then(|| rest.to_vec())
    }

    /// Keeps what was fetched, if it says how long it holds.
    pub(super) fn put(&self, uri: &str, wanted: Wanted<'_>, octets: &[u8]) -> std::io::Result<()> {
        use std::io::Write as _;
        let Some(until) = holds_until(wanted, octets) else { return Ok(()) };
        // A reader sees all of a file, or the one before it.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        writeln!(file, "{FORMAT}{}", until.unix_timestamp())?;
        file.write_all(octets)?;
        file.persist(self.path(uri, wanted)).map_err(|error| error.error)?;
        self.tidy()
    }

    /// Removes the oldest files until the rest is small enough.
    fn tidy(&self) -> std::io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let data = entry.metadata()?;
            if data.is_file() && entry.file_name().to_string_lossy().ends_with(ENDING) {
                files.push((data.modified()?, data.len(), entry.path()));
            }
        }
        files.sort();
        let mut octets: u64 = files.iter().map(|(_, len, _)| len).sum();
        for (_, len, path) in files {
            if octets <= MOST_OCTETS {
                break;
            }
            fs::remove_file(path)?;
            octets -= len;
        }
        Ok(())
    }

    /// The file of a request: SHA-256 of what was asked for, where, and how.
    fn path(&self, uri: &str, wanted: Wanted<'_>) -> PathBuf {
        let mut hash = Sha256::new();
        hash.update(format!("{wanted}\n{uri}\n"));
        if let Wanted::Ocsp(question) = wanted {
            hash.update(question);
        }
        let name: String = hash.finalize().iter().map(|octet| format!("{octet:02x}")).collect();
        self.folder.join(name + ENDING)
    }
}

/// Until when something that was fetched is used; `None` if it does not say.
fn holds_until(wanted: Wanted<'_>, octets: &[u8]) -> Option<OffsetDateTime> {
    match wanted {
        Wanted::Crl => {
            let crls = Crl::from_file(octets).ok()?;
            crls.iter().map(Crl::next_update).collect::<Option<Vec<_>>>()?.into_iter().min()
        }
        Wanted::Ocsp(_) => OcspResponse::parse(octets).ok()?.next_update(),
        Wanted::Certificates => OffsetDateTime::now_utc().checked_add(CERTIFICATES),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_fetched_is_kept_for_its_own_request_only() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(&dir.path().join("new")).unwrap();
        cache.put("http://a.test/1", Wanted::Certificates, b"octets\n").unwrap();
        let get = |uri, wanted| cache.get(uri, wanted, 1000);
        assert_eq!(get("http://a.test/1", Wanted::Certificates), Some(b"octets\n".to_vec()));
        assert_eq!(get("http://a.test/1", Wanted::Crl), None);
        assert_eq!(get("http://a.test/2", Wanted::Certificates), None);
        assert_eq!(cache.get("http://a.test/1", Wanted::Certificates, 10), None, "larger than what is left");
        // A list that cannot be read says nothing of how long it holds.
        cache.put("http://a.test/3", Wanted::Crl, b"octets").unwrap();
        assert_eq!(get("http://a.test/3", Wanted::Crl), None);
        // What should have been replaced is not used, nor what another version wrote.
        let path = cache.path("http://a.test/1", Wanted::Certificates);
        for head in ["waxseal-fetched 1 1000\n", "waxseal-fetched 2 99999999999\n", "", "waxseal-fetched 1 x\n"] {
            fs::write(&path, [head.as_bytes(), b"octets"].concat()).unwrap();
            assert_eq!(get("http://a.test/1", Wanted::Certificates), None, "{head:?}");
        }
    }
}
