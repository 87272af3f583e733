//! Every fault of a corpus is reported with file and field.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

use waxseal_model::Corpus;

/// The committed corpus in a directory of its own, with one text replaced in one file.
fn faults(file: &str, find: &str, put: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let corpus = Corpus::load(&source).unwrap();
    for (path, text) in corpus.files() {
        let target = dir.path().join(path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        let text = if path == file {
            assert!(text.contains(find), "{file} has no {find:?}");
            text.replacen(find, put, 1)
        } else {
            text.to_owned()
        };
        std::fs::write(target, text).unwrap();
    }
    let error = Corpus::load(dir.path()).unwrap_err();
    error.problems.iter().map(ToString::to_string).collect()
}

const PLAIN: &str = "cases/mime/plain/unprotected.toml";

#[test]
fn an_unknown_field_is_named_with_its_line() {
    let found = faults(PLAIN, "role = ", "surprise = 1\nrole = ");
    assert!(found[0].starts_with(PLAIN) && found[0].contains("surprise"), "{found:?}");
}

#[test]
fn an_id_that_is_not_its_path_is_refused() {
    let found = faults(PLAIN, "id = \"mime/plain/unprotected\"", "id = \"mime/plain/other\"");
    assert!(found[0].starts_with(&format!("{PLAIN}: id: ")), "{found:?}");
}

#[test]
fn an_unknown_requirement_is_refused() {
    let found = faults(PLAIN, "RCV-13", "RCV-99");
    assert_eq!(found, [format!("{PLAIN}: requirements: \"RCV-99\" is not in requirements.toml")]);
}

#[test]
fn a_reason_of_another_aspect_is_refused() {
    let file = "catalogue/gmail-hosted/2021-altered.toml";
    let found = faults(file, "digest-mismatch", "expired");
    let wanted = "expect.layers.1.aspects.integrity: expired is a reason of chain, not of integrity";
    assert_eq!(found, [format!("{file}: {wanted}")]);
}

#[test]
fn a_source_is_needed_and_is_never_the_engine() {
    let found = faults(PLAIN, "clauses = [\"RFC 8551 3.10\"]\npublished = ", "client = \"Waxseal 1\"\n# ");
    assert_eq!(found, [format!("{PLAIN}: source: the engine is never the source of an expectation")]);
}

#[test]
fn an_unknown_twin_is_refused() {
    let found = faults(PLAIN, "role = ", "twin = \"a/b/c\"\ndifference = \"none\"\nrole = ");
    assert_eq!(found, [format!("{PLAIN}: twin: \"a/b/c\" is no case")]);
}
