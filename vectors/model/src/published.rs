//! Where the files of the catalogue are published, as far as a repository has
//! them as files of their own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalogue::{Origin, PinnedFile};
use crate::{Corpus, Entry, Problem};

/// The file of the table.
pub(crate) const FILE: &str = "recording-files.toml";
/// Endings that a file keeps where it is stored; what has none of them is a mail.
const ENDINGS: [&str; 12] = ["cms", "cer", "crt", "der", "eml", "key", "mbox", "p7c", "p7m", "p7s", "pem", "txt"];

/// `recording-files.toml`: keys and certificates of catalogue entries that
/// their sources publish as files of their own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordingFiles {
    /// One row a file.
    #[serde(default)]
    pub file: Vec<FileOrigin>,
}

/// Where a key or a certificate of a catalogue entry is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileOrigin {
    /// Path below the directory of recordings, as entries name it.
    pub file: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// A file of a public repository: what a commit has under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedFile<'a> {
    /// The repository, `owner/name`.
    pub repository: &'a str,
    /// The commit, 40 hexadecimal digits.
    pub commit: &'a str,
    /// The path there.
    pub path: &'a str,
}

/// Why no file of a public repository is what the catalogue has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotPublished<'a> {
    /// It was taken out of something larger, or written down by hand.
    Extract {
        /// Where it comes from.
        origin: &'a Origin,
        /// How it is had from there.
        how: &'a str,
    },
    /// The catalogue names no commit, so what the path means changes.
    NoCommit(&'a Origin),
    /// The catalogue names no source of this file.
    NoSource,
}

impl fmt::Display for NotPublished<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extract { origin, how } => write!(f, "{}, {}: {how}", origin.repository, origin.path),
            Self::NoCommit(origin) => {
                write!(f, "{}, {}: the catalogue names no commit", origin.repository, origin.path)
            }
            Self::NoSource => f.write_str("the catalogue names no public source of this file"),
        }
    }
}

/// A file that a directory of recordings should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedFile<'a> {
    /// Its path below the directory, where it is stored if it comes from its source.
    pub file: String,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: &'a str,
    /// Where it is published.
    pub source: Result<PublishedFile<'a>, NotPublished<'a>>,
    /// The entries that need it, in the order of ids.
    pub entries: Vec<&'a str>,
}

impl Origin {
    /// The file of a public repository that the recording is.
    ///
    /// # Errors
    /// There is none, and why.
    pub fn published(&self) -> Result<PublishedFile<'_>, NotPublished<'_>> {
        if let Some(how) = &self.extract {
            return Err(NotPublished::Extract { origin: self, how });
        }
        let commit = self.commit_only().ok_or(NotPublished::NoCommit(self))?;
        Ok(PublishedFile { repository: &self.repository, commit, path: &self.path })
    }

    /// The commit without the blob that may stand behind it.
    fn commit_only(&self) -> Option<&str> {
        self.commit.as_deref().and_then(|commit| commit.split(' ').next())
    }

    /// Reports what cannot be right in an origin from which files are fetched.
    pub(crate) fn check(&self, report: &mut dyn FnMut(&str, String)) {
        if self.extract.is_some() {
            return;
        }
        let is_name = |part: &str| {
            let fits = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
            !part.is_empty() && !part.starts_with('.') && part.bytes().all(fits)
        };
        if self.repository.split('/').count() != 2 || !self.repository.split('/').all(is_name) {
            let what = "is not owner/name: if no repository has it as a file, say under `extract` how it is had";
            report("origin.repository", format!("{:?} {what}", self.repository));
        }
        if !is_below(&self.path) || self.path.contains(['#', '\\']) {
            report("origin.path", format!("{:?} is no path inside a repository", self.path));
        }
        if let Some(commit) = &self.commit
            && !commit.split(" blob ").all(is_object_id)
        {
            report("origin.commit", format!("{commit:?} is not 40 hexadecimal digits, and `blob` with 40 more"));
        }
    }
}

impl Entry {
    /// Where a directory of recordings has this one, if it came from its source.
    #[must_use]
    pub fn stored_as(&self) -> String {
        let ending = Path::new(&self.origin.path).extension().and_then(|ending| ending.to_str());
        let ending = ending.filter(|ending| ENDINGS.contains(ending)).unwrap_or("eml");
        format!("{}.{ending}", self.id.trim_start_matches("recorded/"))
    }

    /// Keys, anchors and other certificates.
    pub fn pinned(&self) -> impl Iterator<Item = &PinnedFile> {
        let keys = self.keys.iter().flat_map(|key| [&key.key, &key.certificate]);
        keys.chain(&self.anchors).chain(&self.extra_certificates)
    }
}

impl Corpus {
    /// What a directory of recordings should have for these entries, each file once.
    pub fn wanted_files<'a>(&'a self, entries: impl IntoIterator<Item = &'a Entry>) -> Vec<WantedFile<'a>> {
        let origins: BTreeMap<&str, &Origin> =
            self.recording_files.file.iter().map(|row| (row.file.as_str(), &row.origin)).collect();
        let mut files: BTreeMap<(String, &str), WantedFile<'a>> = BTreeMap::new();
        for entry in entries {
            let mail = (entry.stored_as(), entry.sha256.as_str(), entry.origin.published());
            let pinned = entry.pinned().map(|pin| {
                let origin = origins.get(pin.file.as_str()).copied();
                let source = origin.map_or(Err(NotPublished::NoSource), Origin::published);
                (pin.file.clone(), pin.sha256.as_str(), source)
            });
            for (file, sha256, source) in std::iter::once(mail).chain(pinned) {
                let wanted = files.entry((file.clone(), sha256)).or_insert_with(|| WantedFile {
                    file,
                    sha256,
                    source,
                    entries: Vec::new(),
                });
                if wanted.entries.last() != Some(&entry.id.as_str()) {
                    wanted.entries.push(&entry.id);
                }
            }
        }
        files.into_values().collect()
    }
}

/// The faults of the table, and of what entries call their files.
pub(crate) fn check(corpus: &Corpus, problems: &mut Vec<Problem>) {
    let mut stored = BTreeMap::new();
    for entry in corpus.entries() {
        let path = format!("catalogue/{}.toml", entry.id.trim_start_matches("recorded/"));
        let mut report = |field: &str, what: String| problems.push(Problem::new(&path, field, what));
        entry.origin.check(&mut report);
        for pin in entry.pinned() {
            if !is_below(&pin.file) {
                report(&pin.file, "is no path below a directory".to_owned());
            }
            match stored.insert(&pin.file, &pin.sha256) {
                Some(other) if *other != pin.sha256 => {
                    report(&pin.file, "has another sha256 in another entry".to_owned());
                }
                _ => {}
            }
        }
    }
    for (index, row) in corpus.recording_files.file.iter().enumerate() {
        let mut report = |field: &str, what: String| problems.push(Problem::new(FILE, field, what));
        if !stored.contains_key(&row.file) {
            report(&row.file, "no entry of the catalogue has this file".to_owned());
        }
        if corpus.recording_files.file[..index].iter().any(|other| other.file == row.file) {
            report(&row.file, "stands there twice".to_owned());
        }
        row.origin.check(&mut |field, what| report(&format!("{}.{field}", row.file), what));
    }
}

/// Whether a path stays below where it starts.
fn is_below(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn is_object_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|octet| octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(repository: &str, path: &str, commit: Option<&str>) -> Origin {
        Origin {
            repository: repository.to_owned(),
            path: path.to_owned(),
            commit: commit.map(str::to_owned),
            extract: None,
            licence: "MIT".to_owned(),
        }
    }

    fn faults(origin: &Origin) -> Vec<String> {
        let mut found = Vec::new();
        origin.check(&mut |field, _| found.push(field.to_owned()));
        found
    }

    #[test]
    fn a_commit_may_have_a_blob_behind_it() {
        let (commit, blob) = ("0123456789abcdef0123456789abcdef01234567", "f".repeat(40));
        let long = format!("{commit} blob {blob}");
        let origin = origin("owner/name.x", "m", Some(&long));
        assert_eq!(faults(&origin), [""; 0]);
        assert_eq!(origin.published().unwrap(), PublishedFile { repository: "owner/name.x", commit, path: "m" });
    }

    #[test]
    fn what_cannot_be_a_file_of_a_repository_is_refused() {
        assert_eq!(faults(&origin("rfc-editor.org", "x", None)), ["origin.repository"]);
        assert_eq!(faults(&origin("a/..", "x", None)), ["origin.repository"]);
        for path in ["/x", "../x", "a/../x", "", "x#y", "."] {
            assert_eq!(faults(&origin("a/b", path, None)), ["origin.path"], "{path:?}");
        }
        for commit in ["main", "", "0123456789abcdef0123456789abcdef01234567 blob x"] {
            assert_eq!(faults(&origin("a/b", "x", Some(commit))), ["origin.commit"], "{commit:?}");
        }
    }

    /// Most of the catalogue can be had in one command, real Outlook and iPhone mail with their keys among it.
    #[test]
    fn what_the_catalogue_can_fetch() {
        let corpus = Corpus::embedded().unwrap();
        let of = |prefix: &str| {
            let entries = corpus.entries().filter(|entry| entry.id.starts_with(prefix));
            corpus.wanted_files(entries)
        };
        for prefix in ["recorded/outlook/", "recorded/ios-mail/", "recorded/gmail-hosted/"] {
            assert!(!of(prefix).is_empty());
            assert!(of(prefix).iter().all(|file| file.source.is_ok()), "{prefix}");
        }
        let all = of("");
        assert!(all.iter().filter(|file| file.source.is_ok()).count() >= 75);
        let key = all.iter().find(|file| file.file == "keys/hiraoka/smime-1.key").unwrap();
        assert!(key.entries.len() == 4 && key.source.unwrap().path == "certs/smime-1.key", "{key:?}");
        let of_rfc = of("recorded/rfc4134/");
        assert!(!of_rfc.is_empty() && of_rfc.iter().all(|file| file.source.is_err()), "{of_rfc:?}");
        let mut paths: Vec<_> = all.iter().map(|file| &file.file).collect();
        paths.dedup();
        assert_eq!(paths.len(), all.len(), "two files have one name");
    }
}
