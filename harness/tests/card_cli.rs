//! Smart cards on the command line: which there are, what is on them, signing
//! and opening, and how a wrong PIN ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use waxseal_card::models::Model;

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let mail = "From: Nina <nina@example.test>\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\nhello\r\n";
        std::fs::write(desk.0.path().join("mail"), mail).unwrap();
        for name in ["root", "intermediate", "root-ec", "intermediate-ec", "nina-2013"] {
            let file = format!("{name}.cert.pem");
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/pki").join(&file);
            std::fs::copy(from, desk.0.path().join(file)).unwrap();
        }
        desk
    }

    fn has(&self, name: &str) -> bool {
        self.0.path().join(name).exists()
    }

    /// Runs a command line and checks its exit code: what it printed, and what
    /// it complained of.
    fn run(&self, code: i32, line: &str) -> (String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_waxseal"))
            .args(line.split_whitespace())
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .env("PIN", "123456")
            .output()
            .unwrap();
        let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(code), "{line}: {out}{err}");
        assert!(!(out.clone() + &err).contains("123456"), "{line}: a secret is printed: {out}{err}");
        (out, err)
    }
}

#[test]
fn every_model_is_listed_and_those_with_piv_are_shown() {
    let desk = Desk::new();
    let listed: Vec<Value> = serde_json::from_str(&desk.run(0, "card list --json").0).unwrap();
    for name in Model::names() {
        let reader = format!("virtual:{name}");
        assert!(listed.iter().any(|row| row["reader"] == reader.as_str()), "{reader}");
        if !name.starts_with("piv-") {
            let (_, complaint) = desk.run(2, &format!("card show {reader}"));
            assert!(complaint.contains("no PIV application"), "{complaint}");
            continue;
        }
        let shown: Value = serde_json::from_str(&desk.run(0, &format!("card show {reader} --json")).0).unwrap();
        let model = Model::named(name).unwrap();
        assert_eq!(shown["pin_tries_left"], 3);
        assert_eq!(shown["keys"].as_array().unwrap().len(), model.keys.len());
        let text = desk.run(0, &format!("card show {reader}")).0;
        assert!(text.contains("3 tries left") && text.contains("Digital Signature key"), "{text}");
    }
    let (_, complaint) = desk.run(2, "card show virtual:no-such");
    assert!(complaint.contains("piv-full-history"), "{complaint}");
}

#[test]
fn a_card_signs_and_another_opens_old_mail_with_a_retired_key() {
    let desk = Desk::new();
    desk.run(0, "sign mail --card virtual:piv-rsa2048 --pin env:PIN --extra-cert intermediate.cert.pem -o signed");
    assert!(desk.run(0, "open signed --anchor root.cert.pem").0.starts_with("valid\n"));
    desk.run(0, "sign mail --card virtual:piv-p256 --pin env:PIN --extra-cert intermediate-ec.cert.pem -o signed-ec");
    assert!(desk.run(0, "open signed-ec --anchor root-ec.cert.pem").0.starts_with("valid\n"));
    desk.run(0, "sign mail --card virtual:piv-rsa2048 --slot 9A --pin env:PIN -o signed-9a --card-transcript session");
    let (explained, _) = desk.run(0, "card explain session");
    assert!(explained.contains("slot 9A") && explained.contains("RSA 2048"), "{explained}");

    let shown = desk.run(0, "card show virtual:piv-full-history --cert 8A").0;
    let committed = std::fs::read_to_string(desk.0.path().join("nina-2013.cert.pem")).unwrap();
    assert!(committed.ends_with(&shown), "{shown}");
    desk.run(0, "encrypt signed --to nina-2013.cert.pem -o old");
    let (text, _) =
        desk.run(0, "open old --card virtual:piv-full-history --pin env:PIN --out inside --anchor root.cert.pem");
    assert!(text.contains("decryption good") && desk.has("inside"), "{text}");
}

#[test]
fn what_goes_wrong_says_what_to_do() {
    let desk = Desk::new();
    let (_, complaint) = desk.run(2, "sign mail --card virtual:piv-rsa2048 --pin 000000 -o signed");
    assert!(complaint.contains("wrong PIN, 2 tries left") && !desk.has("signed"), "{complaint}");
    let (_, complaint) = desk.run(2, "sign mail --card virtual:piv-rsa2048 -o signed");
    assert!(complaint.contains("needs its PIN"), "{complaint}");
    let (_, complaint) = desk.run(2, "sign mail --card virtual:piv-rsa2048 --pin 12 -o signed");
    assert!(complaint.contains("six to eight digits"), "{complaint}");
    let (_, complaint) = desk.run(2, "sign mail --card virtual:piv-sm2 --slot 9E --pin env:PIN -o signed");
    assert!(complaint.contains("no certificate for slot 9E") && complaint.contains("9A, 9C, 9D"), "{complaint}");
    let (_, complaint) = desk.run(2, "sign mail --card virtual:piv-p256+card-removed --pin env:PIN -o signed");
    assert!(complaint.contains("the card was removed") && !desk.has("signed"), "{complaint}");
    let (_, complaint) = desk.run(2, "sign mail --card virtual:piv-p256+no-such --pin env:PIN -o signed");
    assert!(complaint.contains("card-removed"), "{complaint}");
    desk.run(2, "sign mail --pin env:PIN -o signed");
    desk.run(2, "sign mail --card virtual:piv-p256 --slot 9B --pin env:PIN -o signed");

    desk.run(0, "encrypt mail --to nina-2013.cert.pem -o old");
    let (text, _) = desk.run(1, "open old --card virtual:piv-full-history --pin 000000 --out inside");
    assert!(text.contains("decryption bad: wrong-pin") && !desk.has("inside"), "{text}");
    let blocked = "open old --card virtual:piv-full-history+pin-blocked-elsewhere --pin env:PIN";
    assert!(desk.run(1, blocked).0.contains("decryption bad: pin-blocked"));
}

#[test]
fn a_pin_is_changed_or_set_with_the_puk() {
    let desk = Desk::new();
    desk.run(0, "card pin virtual:piv-p256 --change --old env:PIN --new 654321");
    desk.run(0, "card pin virtual:piv-p256 --unblock --puk 12345678 --new 654321");
    let (_, complaint) = desk.run(2, "card pin virtual:piv-p256 --change --old 000000 --new 654321");
    assert!(complaint.contains("wrong PIN, 2 tries left"), "{complaint}");
    let (_, complaint) = desk.run(2, "card pin virtual:piv-p256 --unblock --puk 00000000 --new 654321");
    assert!(complaint.contains("wrong PUK, 2 tries left"), "{complaint}");
    let (_, complaint) = desk.run(2, "card pin virtual:piv-p256 --change --old env:PIN --new 65432x");
    assert!(complaint.contains("six to eight digits"), "{complaint}");
    desk.run(2, "card pin virtual:piv-p256 --change --old env:PIN");
    desk.run(2, "card pin virtual:piv-p256");
}
