//! The catalogue against the recordings themselves, where they are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use waxseal_model::{Corpus, Recordings};

#[test]
fn every_entry_finds_its_files_and_every_file_has_its_entry() {
    let Some(directories) = waxseal_testing::recordings() else { return };
    let corpus = Corpus::embedded().unwrap();
    let recordings = Recordings::open_all(directories.clone()).unwrap();
    for entry in corpus.entries() {
        recordings.by_hash(&entry.sha256).unwrap_or_else(|error| panic!("{}: {error}", entry.id));
        let keys = entry.keys.iter().flat_map(|key| [&key.key, &key.certificate]);
        for file in keys.chain(&entry.anchors).chain(&entry.extra_certificates) {
            recordings.pinned(file).unwrap_or_else(|error| panic!("{}: {error}", entry.id));
        }
    }
    for manifest in directories.iter().filter_map(|one| std::fs::read_to_string(one.join("manifest.tsv")).ok()) {
        for hash in manifest.lines().skip(1).filter_map(|line| line.split('\t').nth(1)) {
            assert!(corpus.entries().any(|entry| entry.sha256 == hash), "{hash} has no entry in the catalogue");
        }
    }
}
