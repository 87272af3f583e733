//! `waxseal timestamp`, from the request to the mail, and with OpenSSL at the
//! other end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn pki(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/pki").join(name);
    path.to_str().unwrap().to_owned()
}

/// A directory with a signed mail of 2025.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("data", b"what is stamped\n");
        place.write("mail", b"From: alice@example.test\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\nhello\r\n");
        let (key, certificate, issuer) = (pki("alice.key.pem"), pki("alice.cert.pem"), pki("intermediate.cert.pem"));
        place.run(
            0,
            &format!(
                "sign mail --key {key} --cert {certificate} --extra-cert {issuer} --at 2025-06-01T12:00:00Z -o signed"
            ),
        );
        place
    }

    fn write(&self, name: &str, octets: &[u8]) {
        std::fs::write(self.0.path().join(name), octets).unwrap();
    }

    fn len(&self, name: &str) -> u64 {
        std::fs::metadata(self.0.path().join(name)).unwrap().len()
    }

    /// Runs a command line and checks its exit code; what it said.
    fn run(&self, code: i32, line: &str) -> String {
        let arguments = line.split_whitespace();
        let output = Command::new(env!("CARGO_BIN_EXE_waxseal")).args(arguments).current_dir(self.0.path()).output();
        let output = output.unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(output.status.code(), Some(code), "waxseal {line}\n{text}");
        text
    }

    fn json(&self, code: i32, line: &str) -> serde_json::Value {
        serde_json::from_str(&self.run(code, line)).unwrap()
    }

    /// An authority of the corpus answers.
    fn reply(&self, code: i32, query: &str, more: &str) -> String {
        let (key, certificate) = (pki("tsa.key.pem"), pki("tsa.cert.pem"));
        self.run(code, &format!(
            "timestamp reply {query} --key {key} --cert {certificate} --policy-oid 1.2.3 --at 2025-06-01T12:00:20Z {more}"
        ))
    }

    /// What OpenSSL says, if it is here.
    fn openssl(&self, line: &str) -> Option<bool> {
        let ask = || Command::new("openssl").args(line.split_whitespace()).current_dir(self.0.path()).output().unwrap();
        waxseal_testing::has_openssl().then(|| ask().status.success())
    }
}

const AT: &str = "--at 2025-06-15T12:00:00Z";

#[test]
fn a_signature_gets_its_time_stamp() {
    let place = Place::new();
    let (anchor, root) = (pki("root-ec.cert.pem"), pki("root.cert.pem"));
    place.run(0, "timestamp query signed --mail -o q.tsq");
    place.reply(0, "q.tsq", "--accuracy 1500 --ordering -o r.tsr");
    let verify = format!("timestamp verify r.tsr --query q.tsq --mail signed --anchor {anchor} {AT}");
    let said = place.run(0, &verify);
    assert!(said.starts_with("time-stamp good\n  2025-06-01T12:00:20Z, within 1500 ms by "), "{said}");
    let shown = place.json(0, "timestamp show r.tsr --json");
    assert_eq!((&shown["kind"], &shown["status"]), (&"response".into(), &"granted".into()));
    assert_eq!(place.json(0, "timestamp show q.tsq --json")["nonce"], shown["nonce"]);
    place.run(0, "timestamp attach signed r.tsr -o stamped");
    let open =
        |mail: &str, policy: &str| format!("open {mail} --anchor {anchor} --anchor {root} --policy {policy} {AT}");
    let verdict = place.json(0, &(open("stamped", "stamped") + " --json"));
    assert_eq!((&verdict["overall"], &verdict["timestamps"][0]["counts"]), (&"valid".into(), &true.into()));
    let text = place.run(0, &open("stamped", "default"));
    assert!(text.contains("time-stamp on signer 1 of 1.2/signed-data, counts"), "{text}");
    let missing = place.run(1, &open("signed", "stamped"));
    assert!(missing.contains("timestamp-missing"), "{missing}");
    // The token is for nothing else.
    let other = place.run(1, &format!("timestamp verify r.tsr --data data --anchor {anchor} {AT}"));
    assert!(other.contains("timestamp-mismatch"), "{other}");
    place.run(0, "timestamp query data -o other.tsq");
    let other = place.run(1, &format!("timestamp verify r.tsr --query other.tsq --anchor {anchor} {AT}"));
    assert!(other.contains("has not the nonce of the request"), "{other}");
    place.reply(0, "other.tsq", "-o other.tsr");
    assert!(place.run(2, "timestamp attach signed other.tsr").contains("not for this signature"));
    assert!(place.run(2, "timestamp attach mail r.tsr").contains("no signature"));
    assert!(place.run(2, "timestamp query signed --mail --signer 2").contains("has 1 signers"));
    if let Some(good) = place.openssl(&format!("cms -verify -in stamped -CAfile {root} -attime 1750000000 -out out")) {
        assert!(good, "openssl cms refuses the stamped mail");
    }
}

#[test]
fn a_compact_token_needs_its_archive() {
    let place = Place::new();
    let anchor = pki("root-ec.cert.pem");
    place.run(0, "timestamp query data -o q.tsq");
    place.reply(0, "q.tsq", &format!("--chain {anchor} -o r.tsr"));
    let said = place.run(0, "timestamp compact r.tsr --archive chains.pem -o compact.tst");
    assert!(said.contains("2 certificates in chains.pem"), "{said}");
    assert!(place.len("compact.tst") * 2 < place.len("r.tsr"));
    let verify = format!("timestamp verify compact.tst --data data --anchor {anchor} {AT}");
    assert!(place.run(1, &verify).contains("timestamp-untrusted"));
    let json = place.json(0, &format!("{verify} --extra-cert chains.pem --json"));
    assert_eq!((&json["time"], &json["stamp"]["chain"]), (&"good".into(), &"good".into()));
    // A second token of the same authority adds nothing to the archive.
    place.reply(0, "q.tsq", "--serial 99 -o second.tsr");
    let before = place.len("chains.pem");
    place.run(0, "timestamp compact second.tsr --archive chains.pem -o second.tst");
    assert_eq!(place.len("chains.pem"), before);
    let ts = format!(
        "ts -verify -data data -in compact.tst -token_in -CAfile {anchor} -untrusted chains.pem -attime 1750000000"
    );
    if let Some(good) = place.openssl(&ts) {
        assert!(good, "openssl ts refuses the compact token");
    }
}

#[test]
fn what_is_not_stamped_says_why() {
    let place = Place::new();
    for (query, words) in [
        ("data --policy-oid 1.2.4", "unacceptedPolicy"),
        ("data --digest sha-1", "badAlg"),
        ("data --digest md5 --no-nonce", "badAlg"),
    ] {
        place.run(0, &format!("timestamp query {query} -o q.tsq"));
        let said = place.reply(1, "q.tsq", "-o r.tsr");
        assert!(said.contains(words), "{query}: {said}");
        assert!(place.run(1, "timestamp verify r.tsr --query q.tsq").contains(words));
        let status = place.json(0, "timestamp show r.tsr --json")["status"].to_string();
        assert!(status.contains("rejection") && status.contains(words), "{status}");
        assert!(place.run(1, "open r.tsr").contains("content-missing"));
    }
    let said = place.reply(1, "data", "-o r.tsr");
    assert!(said.contains("badDataFormat"), "{said}");
    place.run(3, "timestamp show data");
    place.run(2, "timestamp show nothing");
    place.run(2, "timestamp query data --nonce xyz");
}
