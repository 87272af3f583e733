//! The catalogue against the recordings themselves, where they are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use waxseal_model::{Corpus, Recordings};

/// The directory of recordings; on the build machine it must be there.
fn directory() -> Option<PathBuf> {
    let named = std::env::var_os("WAXSEAL_RECORDINGS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/recordings");
    let found = named.or_else(|| beside.is_dir().then_some(beside));
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "../shared/recordings is missing");
    if found.is_none() {
        eprintln!("no recordings here: set WAXSEAL_RECORDINGS");
    }
    found
}

#[test]
fn every_entry_finds_its_files_and_every_file_has_its_entry() {
    let Some(directory) = directory() else { return };
    let corpus = Corpus::embedded().unwrap();
    let recordings = Recordings::open(&directory).unwrap();
    for entry in corpus.entries() {
        recordings.by_hash(&entry.sha256).unwrap_or_else(|error| panic!("{}: {error}", entry.id));
        let keys = entry.keys.iter().flat_map(|key| [&key.key, &key.certificate]);
        for file in keys.chain(&entry.anchors).chain(&entry.extra_certificates) {
            recordings.pinned(file).unwrap_or_else(|error| panic!("{}: {error}", entry.id));
        }
    }
    let manifest = std::fs::read_to_string(directory.join("manifest.tsv")).unwrap();
    let listed: Vec<_> = manifest.lines().skip(1).filter_map(|line| line.split('\t').nth(1)).collect();
    assert_eq!(listed.len(), corpus.entries().count());
    for hash in listed {
        assert!(corpus.entries().any(|entry| entry.sha256 == hash), "{hash} has no entry in the catalogue");
    }
}
