//! The data files of the corpus, wherever they are.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use crate::Problem;

/// Every data file by its path below `vectors/`, with `/` on every machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files(pub(crate) BTreeMap<String, String>);

/// The folders of the corpus that hold data.
const FOLDERS: [&str; 5] = ["cases", "catalogue", "exchanges", "pki", "recorded"];
/// The files beside them, and what was compiled in.
const SINGLE: [(&str, &str); 5] = [
    ("matrix.toml", include_str!("../../matrix.toml")),
    ("peers.toml", include_str!("../../peers.toml")),
    ("recording-files.toml", include_str!("../../recording-files.toml")),
    ("requirements.toml", include_str!("../../requirements.toml")),
    ("transport.toml", include_str!("../../transport.toml")),
];

static CASES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../cases");
static CATALOGUE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../catalogue");
static EXCHANGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../exchanges");
static RECORDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../recorded");
static PKI: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../pki");

impl Files {
    /// The files that were compiled in.
    pub(crate) fn embedded() -> Result<Self, Vec<Problem>> {
        let mut files = BTreeMap::new();
        let mut problems = Vec::new();
        for (folder, dir) in FOLDERS.iter().zip([&CASES, &CATALOGUE, &EXCHANGES, &PKI, &RECORDED]) {
            embedded(folder, dir, &mut files, &mut problems);
        }
        files.extend(SINGLE.map(|(name, text)| (name.to_owned(), text.to_owned())));
        if problems.is_empty() { Ok(Self(files)) } else { Err(problems) }
    }

    /// The files of a folder that was compiled in.
    pub(crate) fn of_folder(name: &str, dir: &Dir<'_>) -> Result<Self, Vec<Problem>> {
        let (mut files, mut problems) = (BTreeMap::new(), Vec::new());
        embedded(name, dir, &mut files, &mut problems);
        if problems.is_empty() { Ok(Self(files)) } else { Err(problems) }
    }

    /// The files below a directory laid out as `vectors/`.
    pub(crate) fn read(dir: &Path) -> Result<Self, Vec<Problem>> {
        let mut files = Self::default();
        let mut problems = Vec::new();
        for name in FOLDERS.iter().copied().chain(SINGLE.map(|(name, _)| name)) {
            files.read_below(dir, name, &mut problems);
        }
        if problems.is_empty() { Ok(files) } else { Err(problems) }
    }

    /// The files of one folder of it.
    pub(crate) fn read_folder(dir: &Path, name: &str) -> Result<Self, Vec<Problem>> {
        let mut files = Self::default();
        let mut problems = Vec::new();
        files.read_below(dir, name, &mut problems);
        if problems.is_empty() { Ok(files) } else { Err(problems) }
    }

    fn read_below(&mut self, dir: &Path, name: &str, problems: &mut Vec<Problem>) {
        // Whoever has a corpus of their own need not know of peers.
        if name == crate::peers::FILE && !dir.join(name).exists() {
            return;
        }
        for found in walkdir::WalkDir::new(dir.join(name)).sort_by_file_name() {
            match found {
                Err(error) => problems.push(Problem::new(name, "", format!("cannot be read: {error}"))),
                Ok(entry) if entry.file_type().is_file() => {
                    let relative = entry.path().strip_prefix(dir).unwrap_or(entry.path());
                    let path: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
                    let path = path.join("/");
                    match std::fs::read_to_string(entry.path()) {
                        Ok(text) => drop(self.0.insert(path, text)),
                        Err(error) => problems.push(Problem::new(&path, "", format!("cannot be read: {error}"))),
                    }
                }
                Ok(_) => {}
            }
        }
    }

    /// The files of one folder with this ending, with their paths.
    pub(crate) fn below<'a>(
        &'a self,
        folder: &'a str,
        ending: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        self.0
            .iter()
            .filter(move |(path, _)| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
            .filter(move |(path, _)| path.ends_with(ending))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// SHA-256 over paths, lengths and contents, in the order of the paths.
    pub(crate) fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for (path, text) in &self.0 {
            // Lengths keep two different sets of files from running into the same bytes.
            hasher.update((path.len() as u64).to_be_bytes());
            hasher.update(path);
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        hex(&hasher.finalize())
    }
}

/// SHA-256 of some bytes, lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn embedded(folder: &str, dir: &Dir<'_>, files: &mut BTreeMap<String, String>, problems: &mut Vec<Problem>) {
    for file in dir.files() {
        let path: Vec<_> = file.path().components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let path = format!("{folder}/{}", path.join("/"));
        match file.contents_utf8() {
            Some(text) => drop(files.insert(path, text.to_owned())),
            None => problems.push(Problem::new(&path, "", "is not UTF-8 text")),
        }
    }
    for inner in dir.dirs() {
        embedded(folder, inner, files, problems);
    }
}
