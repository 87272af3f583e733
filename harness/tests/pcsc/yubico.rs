//! yubico-piv-tool: a program that knows PIV and not OpenSC.

use crate::components::Component::{Confinement, OpenSc, Pcscd, YubicoPivTool};
use crate::confined::Job;
use crate::desk::{Desk, PIN, Said};
use crate::keys::Key;

type Test = fn(&'static str);

const TESTS: &[(&str, Test)] =
    &[("status", status), ("certificates, signatures, decryption", keys), ("PIN and PUK", pins)];

pub(crate) fn jobs(models: &[&'static str]) -> Vec<Job> {
    let mut jobs = Vec::new();
    for model in models.iter().copied() {
        for (name, test) in TESTS {
            let run = move || test(model);
            let needs = [Confinement, Pcscd, OpenSc, YubicoPivTool];
            jobs.push(Job::new(format!("{model}: yubico-piv-tool, {name}"), &needs, run));
        }
    }
    jobs
}

/// It looks for a reader of its maker's unless it is told another name.
fn tool(desk: &Desk, arguments: &[&str], input: &[u8]) -> Said {
    desk.run_with("yubico-piv-tool", &[&["--reader", "Virtual PCD"], arguments].concat(), input)
}

fn algorithm(key: &Key) -> String {
    if key.is_rsa() { format!("RSA{}", key.bits) } else { format!("ECCP{}", key.bits) }
}

fn status(model: &str) {
    let desk = Desk::with(model);
    let text = tool(&desk, &["--action", "status"], b"").good();
    assert!(text.contains("PIN tries left:\t3\n"), "{text}");
    for key in Key::all(model) {
        let part = text.split("Slot ").find(|part| part.starts_with(&key.slot.to_lowercase())).unwrap();
        // RSA 3072 is younger than version 2.2 of the tool.
        let named = if key.is_rsa() && key.bits == 3072 { "Unknown".to_owned() } else { algorithm(&key) };
        assert!(part.contains(&format!("Algorithm:\t{named}\n")), "{part}");
    }
}

fn keys(model: &str) {
    let desk = Desk::with(model);
    for key in Key::all(model) {
        let slot = key.slot.to_lowercase();
        let read = tool(&desk, &["--action", "read-certificate", "--slot", &slot], b"").good();
        let words = |pem: &str| pem.split_whitespace().collect::<String>();
        assert_eq!(words(&read), words(&std::fs::read_to_string(&key.certificate).unwrap()));
        if key.is_rsa() && key.bits == 3072 {
            continue;
        }
        let (action, done) =
            if key.slot == "9D" { ("test-decipher", key.opening()) } else { ("test-signature", key.operation("sign")) };
        let test = ["--action", "verify-pin", "--pin", PIN, "--action", action, "--slot", &slot];
        let said = tool(&desk, &test, read.as_bytes());
        // It compares with what the certificate says, and tells so.
        assert!(said.is_good && said.err.contains("Success"), "{} {}", said.text(), said.err);
        assert_eq!(desk.log.take(), ["PIN 9000", &done]);
    }
}

/// A PIN is changed, forgotten, and made anew with the PUK.
fn pins(model: &str) {
    let desk = Desk::with(model);
    let verify = |pin: &str| tool(&desk, &["--action", "verify-pin", "--pin", pin], b"");
    tool(&desk, &["--action", "change-pin", "--pin", PIN, "--new-pin", "246810"], b"").good();
    for tries in ["2 tries left", "1 tries left", "blocked"] {
        let said = verify(PIN).bad();
        assert!(said.contains(tries), "{said}");
    }
    assert!(!verify("246810").is_good);
    let puk = waxseal_card::models::PUK;
    tool(&desk, &["--action", "unblock-pin", "--pin", puk, "--new-pin", "135791"], b"").good();
    verify("135791").good();
    assert_eq!(
        desk.log.take(),
        ["change 9000", "PIN 63C2", "PIN 63C1", "PIN 63C0", "PIN 6983", "unblock 9000", "PIN 9000"]
    );
}
