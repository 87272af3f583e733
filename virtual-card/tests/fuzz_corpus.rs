//! The committed corpus of the fuzz target of the card, on the compiler of the
//! workspace; see `fuzz/src/card.rs`.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "tests fail by panicking")]

#[path = "../../fuzz/src/card.rs"]
mod card;

use std::fs;
use std::path::Path;

#[test]
fn every_input_of_the_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let (name, target) = card::TARGET;
    let (mut own, mut bad) = (0, Vec::new());
    let mended = fs::read_dir(fuzz.join("mended").join(name)).into_iter().flatten();
    for file in mended.chain(fs::read_dir(fuzz.join("corpus").join(name)).unwrap()) {
        let path = file.unwrap().path();
        let input = fs::read(&path).unwrap();
        match std::panic::catch_unwind(|| target(&input)) {
            Ok(is_own) => own += usize::from(is_own),
            Err(_) => bad.push(path),
        }
    }
    assert!(own >= 5, "the corpus of {name} has only {own} inputs of its kind");
    assert!(bad.is_empty(), "these break what the target asserts: {bad:#?}");
}
