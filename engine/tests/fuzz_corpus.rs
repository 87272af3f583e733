//! The committed corpus of the fuzz targets, on the compiler of the workspace.
//!
//! What each target asserts stands in `fuzz/src/targets.rs`. `fuzz/corpus` is
//! made anew by each run of the fuzzer; an input that once broke something stays
//! in `fuzz/mended`.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "tests fail by panicking")]

#[path = "../../fuzz/src/targets.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Octets of all corpora: what a clone should not have to carry.
const LARGEST: u64 = 2 << 20;

#[test]
fn every_input_of_the_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let mut octets = 0;
    let mut bad = Vec::new();
    for (name, target) in targets::TARGETS {
        let mut own = 0;
        let mended = fs::read_dir(fuzz.join("mended").join(name)).into_iter().flatten();
        for file in mended.chain(fs::read_dir(fuzz.join("corpus").join(name)).unwrap()) {
            let path = file.unwrap().path();
            let input = fs::read(&path).unwrap();
            octets += input.len() as u64;
            match std::panic::catch_unwind(|| target(&input)) {
                Ok(is_own) => own += usize::from(is_own),
                Err(_) => bad.push(path),
            }
        }
        assert!(own >= 5, "the corpus of {name} has only {own} inputs of its kind");
    }
    assert!(bad.is_empty(), "these break what their target asserts: {bad:#?}");
    assert!(octets <= LARGEST, "{octets} octets; `cargo xtask fuzz` keeps them under {LARGEST}");
}

#[test]
fn every_target_has_its_program_and_its_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    let own = targets::TARGETS.iter().map(|(name, _)| *name);
    let expected: BTreeSet<_> = own.chain(targets::OTHER_TARGETS.iter().copied()).map(str::to_owned).collect();
    assert_eq!(names("fuzz_targets"), expected);
    assert_eq!(names("corpus"), expected);
}
