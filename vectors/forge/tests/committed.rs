//! What the forge makes is what the repository holds.
//!
//! `WAXSEAL_UPDATE=1 cargo test --release -p waxseal-forge` writes it anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use waxseal_forge::{Forge, Lock, update};
use waxseal_key::PrivateKey;
use waxseal_model::{Case, Corpus, Recordings};
use waxseal_verdict::Dialect;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_message_has_the_locked_bytes() {
    if std::env::var_os("WAXSEAL_UPDATE").is_some() {
        let changed = update(&vectors()).unwrap_or_else(|error| panic!("{error}"));
        eprintln!("written: {changed:?}");
    }
    let corpus = Corpus::load(&vectors()).unwrap_or_else(|error| panic!("{error}"));
    let made = Lock::of(&corpus).unwrap_or_else(|error| panic!("{error}")).write();
    let locked = std::fs::read_to_string(vectors().join("vectors.lock")).unwrap_or_default();
    let differing: Vec<_> = made.lines().filter(|line| !locked.lines().any(|old| old == *line)).collect();
    assert!(made == locked, "vectors.lock is out of date (WAXSEAL_UPDATE=1 makes it anew): {differing:#?}");
}

/// Algorithms that no implementation on the machines of the tests has in CMS:
/// OpenSSL 3.0 and Bouncy Castle 1.72 know neither these recipients nor these
/// signatures, nor this wrap inside of a message.
const NO_WITNESS: &[&str] =
    &["sm4-wrap", "x25519", "ml-kem-512", "ml-kem-768", "ml-kem-1024", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"];

/// Dialects that no implementation there reads, or none by a command.
const NO_WITNESS_OF: &[Dialect] = &[Dialect::Cfca, Dialect::Gmssl3Digest];

/// Whether nobody could be a witness: nobody knows an algorithm or a dialect, or
/// whoever knows them says why not this form.
fn is_excused(case: &Case) -> bool {
    let algorithm = case.needs.algorithms.iter().any(|name| NO_WITNESS.contains(&name.as_str()));
    let mut dialects = case.expect.layers.iter().filter_map(|layer| layer.dialect);
    algorithm || dialects.any(|dialect| NO_WITNESS_OF.contains(&dialect)) || !case.disagreements.is_empty()
}

#[test]
fn a_positive_is_unwitnessed_only_where_nobody_could_be_one() {
    let corpus = Corpus::load(&vectors()).unwrap();
    let unwitnessed: Vec<_> = corpus.unwitnessed().filter(|case| !is_excused(case)).map(|case| &case.id).collect();
    assert!(unwitnessed.is_empty(), "{unwitnessed:#?}");
    let idle = |name: &&&str| !corpus.unwitnessed().any(|case| case.needs.algorithms.contains(**name));
    let idle: Vec<_> = NO_WITNESS.iter().filter(idle).collect();
    assert!(idle.is_empty(), "no unwitnessed case needs {idle:?} any more");
}

#[test]
fn a_recording_is_not_available_without_its_directory() {
    let corpus = Corpus::load(&vectors()).unwrap();
    let recorded = corpus.case("recorded/thunderbird/52-encrypted").unwrap();
    let error = Forge::new(&corpus).files(recorded).unwrap_err();
    assert!(error.is_not_available() && error.to_string().contains("WAXSEAL_RECORDINGS"), "{error}");
    let empty = tempfile::tempdir().unwrap();
    let recordings = Recordings::open(empty.path()).unwrap();
    let error = Forge::new(&corpus).with_recordings(&recordings).files(recorded).unwrap_err();
    assert!(error.is_not_available(), "{error}");
}

#[test]
fn files_of_recordings_are_in_the_forms_that_suts_read() {
    let Some(directories) = waxseal_testing::recordings() else { return };
    let corpus = Corpus::load(&vectors()).unwrap();
    let recordings = Recordings::open_all(directories).unwrap();
    let forge = Forge::new(&corpus).with_recordings(&recordings);
    for entry in corpus.entries() {
        let files =
            forge.files(corpus.case(&entry.id).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", entry.id));
        assert_eq!(files.keys.len(), entry.keys.len(), "{}", entry.id);
        for key in &files.keys {
            assert!(key.key.starts_with("-----BEGIN PRIVATE KEY-----"), "{}", entry.id);
            PrivateKey::from_pem(&key.key, None).unwrap_or_else(|error| panic!("{}: {error}", entry.id));
            assert!(key.certificate.as_deref().is_some_and(|pem| pem.starts_with("-----BEGIN CERTIFICATE-----")));
        }
    }
}

/// OpenSSL verifies each certificate that a key of SM2 signed against its issuer,
/// and refuses those that are wrong. It has the identifier of one certificate
/// only, so every step of a path is one call.
#[test]
fn openssl_verifies_the_certificates_of_sm2() {
    let corpus = Corpus::load(&vectors()).unwrap();
    let folder = vectors().join("pki");
    if !waxseal_testing::has_openssl() {
        return;
    }
    let mut seen = 0;
    for entity in corpus.pki().entities() {
        let Some(issuer) = entity.issuer.as_deref() else { continue };
        if corpus.pki().entity(issuer).is_none_or(|issuer| issuer.key != waxseal_model::KeyType::Sm2) {
            continue;
        }
        let mut command = Command::new("openssl");
        command.args(["verify", "-partial_chain", "-vfyopt", "distid:1234567812345678", "-trusted"]);
        command.arg(folder.join(format!("{issuer}.cert.pem"))).arg(folder.join(format!("{}.cert.pem", entity.name)));
        let output = command.output().unwrap();
        let is_wrong = entity.signed_by.is_some() || entity.signature_id.is_some();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), !is_wrong, "{}: {said}", entity.name);
        seen += 1;
    }
    assert!(seen >= 12, "only {seen} were verified");
}
