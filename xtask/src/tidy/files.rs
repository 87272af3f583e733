//! Every tracked file: nothing of this machine, nothing large, nothing of others.

use std::collections::BTreeSet;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::State;
use crate::run::{recordings, root};

/// Over this a file needs a reason to be in a repository at all.
const LARGE: u64 = 2 << 20;

/// No file is large.
pub(super) fn large(state: &State) -> Result<Vec<String>, String> {
    let size = |path: &PathBuf| std::fs::metadata(root().join(path)).map_or(0, |metadata| metadata.len());
    Ok(state
        .tracked
        .iter()
        .filter(|path| size(path) > LARGE)
        .map(|path| format!("{}: {} bytes", path.display(), size(path)))
        .collect())
}

/// No text names a place of the machine it was written on, or a host from which
/// that machine installs packages.
pub(super) fn machine(state: &State) -> Result<Vec<String>, String> {
    let mut words: BTreeSet<String> = hosts();
    let home = std::env::home_dir();
    for folder in [root().parent(), home.as_deref()].into_iter().flatten() {
        // A root folder is on every machine and tells nothing.
        if folder.components().count() > 1 {
            words.insert(format!("{}/", folder.display()));
        }
    }
    let mut problems = Vec::new();
    for (path, text) in state.texts() {
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = words.iter().find(|word| line.contains(word.as_str())) {
                problems.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    Ok(problems)
}

/// The hosts that the package managers of this machine are set up with.
fn hosts() -> BTreeSet<String> {
    let home = std::env::home_dir().unwrap_or_default();
    let cargo = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let files = [
        cargo.join("config.toml"),
        cargo.join("config"),
        home.join(".npmrc"),
        home.join(".config/pip/pip.conf"),
        home.join(".pip/pip.conf"),
        PathBuf::from("/etc/pip.conf"),
        PathBuf::from("/etc/apt/sources.list"),
    ];
    let lists = std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path());
    let texts = files.into_iter().chain(lists).filter_map(|path| std::fs::read_to_string(path).ok());
    // The public index of crates stands in every Cargo.lock.
    texts.flat_map(|text| hosts_of(&text)).filter(|host| host != "github.com").collect()
}

/// The host of every URL in a text.
fn hosts_of(text: &str) -> Vec<String> {
    let end = |c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-');
    text.split("://")
        .skip(1)
        .map(|rest| {
            rest.rsplit_once('@').filter(|(user, _)| !user.contains(['/', '\n'])).map_or(rest, |(_, host)| host)
        })
        .filter_map(|rest| rest.split(end).next())
        .filter(|host| host.contains('.'))
        .map(str::to_owned)
        .collect()
}

/// The hashes of recordings: by the manifest beside the
/// repository, and by the catalogue in it.
fn hashes_of_others(state: &State) -> Result<BTreeSet<String>, String> {
    let mut hashes = BTreeSet::new();
    if let Some(folder) = recordings() {
        let manifest = folder.join("manifest.tsv");
        let text = std::fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
        hashes.extend(text.lines().skip(1).filter_map(|line| line.split('\t').nth(1)).map(str::to_owned));
    }
    for (path, text) in state.texts().filter(|(path, _)| path.starts_with("vectors/catalogue")) {
        let entry: toml::Table = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        hashes.extend(entry.get("sha256").and_then(|hash| hash.as_str()).map(str::to_owned));
    }
    Ok(hashes)
}

/// No tracked file is a recording of somebody else.
pub(super) fn recordings_of_others(state: &State) -> Result<Vec<String>, String> {
    let hashes = hashes_of_others(state)?;
    let mut problems = Vec::new();
    for path in &state.tracked {
        let bytes = std::fs::read(root().join(path)).map_err(|error| format!("{}: {error}", path.display()))?;
        let hash: String = Sha256::digest(&bytes).iter().map(|octet| format!("{octet:02x}")).collect();
        if hashes.contains(&hash) {
            problems.push(format!(
                "{}: a recording of somebody else; only its catalogue entry belongs here",
                path.display()
            ));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_cut_out_of_settings() {
        let text = "registry = \"sparse+https://crates.example.test/index/\"\nindex-url = http://user:pw@py.example.test:8080/simple\ndeb http://localhost/ x";
        assert_eq!(hosts_of(text), ["crates.example.test", "py.example.test"]);
    }
}
