//! Every exchange of the corpus on the reference engine, and what of it another
//! program can see.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::{Command, Output};

use libtest_mimic::{Arguments, Trial};
use serde_json::Value;
use waxseal_model::{Corpus, Exchange, ExchangeStep, Written};

fn waxseal(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_waxseal")).args(arguments).current_dir(dir).output().unwrap()
}

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = vec![Trial::test("a wrong expectation is told", || {
        a_wrong_expectation_is_told();
        Ok(())
    })];
    for exchange in Corpus::embedded().unwrap().exchanges() {
        let exchange = exchange.clone();
        trials.push(Trial::test(exchange.id.clone(), move || {
            as_expected(&exchange);
            Ok(())
        }));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn as_expected(exchange: &Exchange) {
    let dir = tempfile::tempdir().unwrap();
    let output = waxseal(dir.path(), &["exchange", &exchange.id, "--keep", "kept", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let played: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(played[0]["steps"].as_array().unwrap().len(), exchange.steps.len());
    openssl_sees_the_same(exchange, &dir.path().join("kept").join(&exchange.id));
}

/// What was sent, by another program: whose certificates and which cipher an
/// encrypted mail has, and that its content is the signed mail. OpenSSL decrypts
/// nothing by SM2, and verifies its signatures in messages under an empty
/// identifier: there it is asked only what it can tell.
fn openssl_sees_the_same(exchange: &Exchange, dir: &Path) {
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(dir).output();
        output.unwrap_or_else(|error| panic!("openssl belongs to the machine of the tests: {error}"))
    };
    for step in &exchange.steps {
        let ExchangeStep::Write(step) = step else { continue };
        let Written::Encrypted { cipher, certificates } = &step.expect else { continue };
        let printed = openssl(&["cms", "-cmsout", "-print", "-in", &step.mail]);
        let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
        assert_eq!(printed.matches("d.ktri:").count(), certificates.len(), "{}: {printed}", step.mail);
        let name = cipher.strip_suffix("-40").unwrap_or(cipher);
        let oid = waxseal_key::algorithm::by_name(name).unwrap().oid;
        assert!(printed.contains(&format!(" ({oid})")), "{}: {printed}", step.mail);
        let signer = step.signs_with.as_ref().or(exchange.participant(&step.by).map(|writer| &writer.signs_with));
        let signed_by_sm2 = signer.is_some_and(|signer| has_sm2(signer));
        for entity in certificates.iter().filter(|entity| !has_sm2(entity)) {
            let [key, certificate] = ["key", "cert"].map(|kind| format!("{entity}.{kind}.pem"));
            let legacy = ["-provider", "legacy", "-provider", "default"];
            let decrypt =
                ["cms", "-decrypt", "-in", &step.mail, "-inkey", &key, "-recip", &certificate, "-out", "inside"];
            let decrypted = openssl(&[&decrypt[..], &legacy].concat());
            assert!(decrypted.status.success(), "{}: {}", step.mail, String::from_utf8_lossy(&decrypted.stderr));
            if signed_by_sm2 {
                let inside = std::fs::read_to_string(dir.join("inside")).unwrap();
                assert!(inside.contains(&format!("This is the letter {}.", step.mail)), "{inside}");
                continue;
            }
            let verified = openssl(&["cms", "-verify", "-in", "inside", "-noverify"]);
            let text = String::from_utf8_lossy(&verified.stdout).into_owned();
            assert!(
                verified.status.success() && text.contains(&format!("This is the letter {}.", step.mail)),
                "{text}"
            );
        }
    }
}

/// Whether the key of an entity is one of SM2.
fn has_sm2(entity: &str) -> bool {
    let corpus = Corpus::embedded().unwrap();
    corpus.pki().entity(entity).unwrap().key == waxseal_model::KeyType::Sm2
}

fn a_wrong_expectation_is_told() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let dir = tempfile::tempdir().unwrap();
    copy(&vectors, dir.path());
    let file = dir.path().join("exchanges/tunnel/rc2-peer.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replace("refused = \"nothing-usable\"", "refused = \"not-known\"");
    std::fs::write(&file, changed.replace("integrity = \"good\"", "integrity = { bad = \"digest-mismatch\" }"))
        .unwrap();
    let output = waxseal(dir.path(), &["exchange", "tunnel/rc2-peer", "--vectors", "."]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.matches("WRONG: ").count(), 3, "{text}");
    let unknown = waxseal(dir.path(), &["exchange", "tunnel/nothing"]);
    assert_eq!(unknown.status.code(), Some(2));
    let other = waxseal(dir.path(), &["exchange", "tunnel/rc2-peer", "--sut", "openssl"]);
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(other.status.code() == Some(1) && said.contains("on openssl: sign: not offered"), "{said}");
}

/// The data of the corpus, without the crates beside it.
fn copy(from: &Path, to: &Path) {
    for name in [
        "cases",
        "catalogue",
        "exchanges",
        "matrix.toml",
        "peers.toml",
        "pki",
        "recorded",
        "recording-files.toml",
        "requirements.toml",
        "transport.toml",
    ] {
        let status = Command::new("cp").arg("-R").arg(from.join(name)).arg(to).status().unwrap();
        assert!(status.success());
    }
}
