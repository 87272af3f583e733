//! Mail through what happens to it on its way, and through real servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use waxseal::confine;
use waxseal::transport::post::{Fate, Job, programs};
use waxseal_model::{Corpus, Security, SubmitBy};

fn waxseal(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waxseal"));
    command.args(arguments).current_dir(dir).env_remove("WAXSEAL_RECORDINGS");
    command
}

/// The exit code, and the table.
fn table(output: &Output) -> (Option<i32>, Value) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}{errors}"));
    (output.status.code(), value)
}

/// The cells of a way, with the names of the letters.
fn cells<'a>(table: &'a Value, way: &str) -> Vec<(&'a str, &'a Value)> {
    let letters = table["letters"].as_array().unwrap().iter().map(|letter| letter.as_str().unwrap());
    let row = table["rows"].as_array().unwrap().iter().find(|row| row["way"] == way).unwrap();
    letters.zip(row["cells"].as_array().unwrap()).collect()
}

/// Whether servers can run here; on a machine of the tests they can.
fn servers_are_here() -> bool {
    let absent = confine::probe().map_err(|error| error.to_string()).and_then(|()| programs(SubmitBy::Smtp));
    if let Err(why) = &absent {
        waxseal_testing::not_installed(why);
    }
    absent.is_ok()
}

#[test]
fn every_mangling_does_what_the_clauses_say() {
    let dir = tempfile::tempdir().unwrap();
    let output = waxseal(dir.path(), &["transport", "--manglings", "--json", "-o", "out"]).output().unwrap();
    let (code, table) = table(&output);
    assert_eq!(code, Some(0), "{table:#}{}", String::from_utf8_lossy(&output.stderr));
    let transport = Corpus::embedded().unwrap().transport().clone();
    assert_eq!(table["rows"].as_array().unwrap().len(), transport.mangling.len());
    for mangling in &transport.mangling {
        for (letter, cell) in cells(&table, &mangling.name) {
            assert_eq!(cell["verdict"]["outcome"], "pass", "{letter} through {}: {cell:#}", mangling.name);
            let arrived: Vec<&str> =
                cell["arrival"]["arrived"].as_array().unwrap().iter().map(|how| how.as_str().unwrap()).collect();
            let changed = arrived.contains(&"content-changed");
            assert!(!(mangling.neutral && changed), "{letter} through {}: {arrived:?}", mangling.name);
        }
    }
    let page = std::fs::read_to_string(dir.path().join("out/report/index.html")).unwrap();
    assert!(page.contains("Ways × letters") && page.contains("from-munged"));
}

/// Without one of the programs the routes are not gone, and that is said; the manglings are as ever.
#[test]
fn a_program_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let output = waxseal(dir.path(), &["transport", "--json", "-o", "out"]).env("PATH", dir.path()).output().unwrap();
    let (code, table) = table(&output);
    assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for (letter, cell) in cells(&table, "smtp-imap") {
        let why = cell["arrival"]["not_available"].as_str().unwrap();
        assert!(why.starts_with("curl is not here (Debian: "), "{letter}: {why}");
        assert_eq!(cell["verdict"], Value::Null);
    }
    assert_eq!(cells(&table, "line-feeds")[0].1["verdict"]["outcome"], "pass");
}

#[test]
fn servers_start_nowhere_else() {
    if confine::is_confined().unwrap() {
        return waxseal_testing::not_here("a network is not there to be refused");
    }
    let dir = tempfile::tempdir().unwrap();
    let output = waxseal(dir.path(), &["carry", "."]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("only where there is no network but loopback"), "{errors}");
}

/// One after the other, so that in the end nobody's servers run.
#[test]
fn real_servers() {
    if !servers_are_here() {
        return;
    }
    every_route();
    who_is_not_trusted_gets_nothing();
    let left: Vec<String> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path().join("cmdline")).ok())
        .filter(|command| command.contains("/run/waxseal"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

fn every_route() {
    let dir = tempfile::tempdir().unwrap();
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/recordings");
    let mut arguments = vec!["transport", "--json", "-o", "out"];
    if shared.is_dir() {
        arguments.extend(["--recordings", shared.to_str().unwrap()]);
    }
    let output = waxseal(dir.path(), &arguments).output().unwrap();
    let (code, table) = table(&output);
    assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for route in &Corpus::embedded().unwrap().transport().route {
        for (letter, cell) in cells(&table, &route.name) {
            let arrival = &cell["arrival"];
            // Of the versions of Debian 12; what another one does is a finding of the table.
            let through = arrival["through"].as_str().unwrap_or_default();
            if through.contains("postfix 3.7.") && through.contains("dovecot 2.3.") {
                assert_eq!(arrival["finding"], Value::Null, "{letter} on {}: {arrival:#}", route.name);
            }
            assert_eq!(arrival["not_available"], Value::Null, "{letter} on {}: {arrival:#}", route.name);
            match arrival["refused"].as_str() {
                Some(why) => assert_eq!((letter, &why[..3]), ("clear-large", "552"), "{why}"),
                None => assert_eq!(cell["verdict"]["outcome"], "pass", "{letter} on {}: {cell:#}", route.name),
            }
        }
        let row = table["rows"].as_array().unwrap().iter().find(|row| row["way"] == route.name.as_str()).unwrap();
        let recordings = row["recordings"].as_array().cloned().unwrap_or_default();
        assert_eq!(!recordings.is_empty(), route.recordings && shared.is_dir(), "{}", route.name);
        for cell in recordings {
            assert_eq!(cell["arrival"]["finding"], Value::Null, "{cell:#}");
            let fine = cell["verdict"]["outcome"] == "pass" || cell["arrival"]["refused"].is_string();
            assert!(fine, "{cell:#}");
        }
    }
}

/// A certificate of an authority that the client does not trust: nothing is sent, and it is said why.
fn who_is_not_trusted_gets_nothing() {
    let corpus = Corpus::embedded().unwrap();
    let secured = corpus.transport().route.iter().filter(|route| route.submit.security != Security::None);
    let mut job = Job::new(corpus.pki(), 1 << 16, secured.cloned().collect()).unwrap();
    let other = corpus.pki().certificate_pem("other-root").unwrap();
    job.trusted = other[other.find("-----BEGIN").unwrap()..].to_owned();
    let routes: Vec<usize> = (0..job.routes.len()).collect();
    assert!(routes.len() > 3);
    let mail = b"From: alice@example.test\r\nSubject: x\r\n\r\nx\r\n";
    let program = Path::new(env!("CARGO_BIN_EXE_waxseal"));
    let deliveries = job.run(program, &[(mail, routes.clone())]).unwrap();
    assert_eq!(deliveries.len(), routes.len());
    for (delivery, octets) in deliveries {
        let Fate::Lost(why) = delivery.fate else { panic!("{delivery:?}") };
        assert!(why.contains("SSL certificate problem"), "{why}");
        assert!(octets.is_none());
    }
}
