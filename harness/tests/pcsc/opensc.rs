//! The programs of OpenSC: opensc-tool, pkcs15-tool, pkcs11-tool.

use waxseal_card::models::{Kind, Model};
use waxseal_card::vpcd::{Slot, Way};

use crate::components::Component::{Confinement, OpenSc, Pcscd};
use crate::confined::Job;
use crate::desk::{Desk, PIN, Said, card};
use crate::keys::Key;

/// What every test of a model does.
type Test = fn(&'static str);

const TESTS: &[(&str, Test)] = &[
    ("opensc-tool", tool),
    ("pkcs15-tool -D", dump),
    ("pkcs11-tool signs", sign),
    ("pkcs11-tool decrypts or derives", decrypt),
    ("pkcs11-tool, a wrong and a blocked PIN", pins),
];

/// What happens to a card once, in the middle of a signature, and whether OpenSC
/// gets over it: as long as the card is there it tries again, up to two times.
const FAULTS: &[(&str, bool)] = &[
    ("card-removed", false),
    ("card-reset", false),
    ("mute", false),
    ("power-lost-in-chain", false),
    ("truncated-answer", true),
    ("wrong-status-word", true),
];

pub(crate) fn jobs(models: &[&'static str]) -> Vec<Job> {
    let mut jobs = Vec::new();
    for model in models.iter().copied() {
        for (name, test) in TESTS {
            let run = move || test(model);
            jobs.push(Job::new(format!("{model}: {name}"), &[Confinement, Pcscd, OpenSc], run));
        }
    }
    for (fault, is_mended) in FAULTS {
        let name = format!("{fault} while pkcs11-tool signs");
        jobs.push(Job::new(name, &[Confinement, Pcscd, OpenSc], move || faulty(fault, *is_mended)));
    }
    jobs.push(Job::new("two readers", &[Confinement, Pcscd, OpenSc], two_readers));
    jobs.push(Job::new("vpcd connects to the card", &[Confinement, Pcscd, OpenSc], listening));
    jobs
}

/// What OpenSC calls a card.
fn name(model: &str) -> &'static str {
    match Model::named(model).unwrap().application {
        Kind::Piv => "Personal Identity Verification Card\n",
        Kind::Pkcs15 => "Javacard with IsoApplet\n",
    }
}

fn tool(model: &str) {
    let mut desk = Desk::with(model);
    assert_eq!(desk.run("opensc-tool", &["--name"]).good(), name(model));
    assert_eq!(desk.run("opensc-tool", &["--atr"]).good(), "3b:85:80:01:80:73:c0:01:c0:f6\n");
    desk.remove();
    assert!(!desk.run("opensc-tool", &["--name"]).is_good);
    assert_eq!(desk.log.take(), [""; 0]);
}

/// Everything that is on the card is listed, and the certificates come out as
/// they went in.
fn dump(model: &str) {
    let desk = Desk::with(model);
    let text = desk.run("pkcs15-tool", &["--dump"]).good();
    for key in Key::all(model) {
        let (kind, length) = if key.is_rsa() { ("RSA", "ModLength") } else { ("EC", "FieldLength") };
        let title = format!("Private {kind} Key [{}]", key.label);
        let part = text.split("\n\n").find(|part| part.starts_with(&title));
        let part = part.unwrap_or_else(|| panic!("no {title:?} in {text}"));
        let field = |field: &str| {
            let line = part.lines().find(|line| line.trim_start().starts_with(field)).unwrap();
            line.split_once(": ").unwrap().1.to_owned()
        };
        assert_eq!(field(length), key.bits.to_string());
        let reference = u8::from_str_radix(&key.slot, 16).unwrap();
        assert_eq!(field("Key ref"), format!("{reference} (0x{})", key.slot));
        let read = desk.run("pkcs15-tool", &["--read-certificate", &key.id]).good();
        assert_eq!(words(&read), words(&std::fs::read_to_string(&key.certificate).unwrap()));
    }
    let described = Model::named(model).unwrap();
    let (keys, certificates) = (described.keys.len(), described.keys.len() + described.authorities.len());
    let count = |title: &str| text.lines().filter(|line| line.starts_with(title)).count();
    let private_keys = count("Private RSA Key") + count("Private EC Key");
    assert_eq!((private_keys, count("X.509 Certificate")), (keys, certificates), "{text}");
    assert_eq!(desk.log.take(), [""; 0]);
}

/// PEM, however its lines end.
fn words(pem: &str) -> String {
    pem.split_whitespace().collect()
}

fn pkcs11(desk: &Desk, arguments: &[&str]) -> Said {
    desk.run("pkcs11-tool", arguments)
}

/// A login, then the key.
fn sign(model: &str) {
    let desk = Desk::with(model);
    desk.write("data", b"what is signed");
    for key in Key::signing(model) {
        for (mechanism, scheme, digest) in key.mechanisms() {
            let login = ["--login", "--pin", PIN, "--sign", "--id", &key.id, "--mechanism", mechanism];
            let files = ["--signature-format", "openssl", "--input-file", "data", "--output-file", "signature"];
            pkcs11(&desk, &[&login[..], &files].concat()).good();
            key.verify(&desk, scheme, digest, "signature");
            let mut expected = vec!["PIN 9000".to_owned(); if key.needs_pin_always() { 2 } else { 1 }];
            expected.push(key.operation("sign"));
            assert_eq!(desk.log.take(), expected, "{mechanism}");
        }
    }
}

fn decrypt(model: &str) {
    let desk = Desk::with(model);
    let key = Key::decrypting(model);
    if !key.is_rsa() {
        return derive(&desk, &key);
    }
    desk.write("data", b"a key of AES-128.");
    let public_key = desk.public_key(&key.owner);
    let oaep = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256"];
    let of_oaep = ["--hash-algorithm", "SHA256", "--mgf", "MGF1-SHA256"];
    let ways = [("RSA-PKCS", &[][..], &[][..]), ("RSA-PKCS-OAEP", &oaep, &of_oaep)];
    // isoApplet has the one padding.
    let count = if Model::named(model).unwrap().application == Kind::Piv { 2 } else { 1 };
    for (mechanism, padding, options) in ways.into_iter().take(count) {
        let to = ["pkeyutl", "-encrypt", "-pubin", "-inkey", &public_key, "-in", "data", "-out", "encrypted"];
        desk.run("openssl", &[&to[..], padding].concat()).good();
        let login = ["--login", "--pin", PIN, "--decrypt", "--id", &key.id, "--mechanism", mechanism];
        let files = ["--input-file", "encrypted", "--output-file", "decrypted"];
        pkcs11(&desk, &[&login[..], options, &files].concat()).good();
        assert_eq!(desk.read("decrypted"), desk.read("data"));
        assert_eq!(desk.log.take(), ["PIN 9000", &key.opening()], "{mechanism}");
    }
}

/// What both sides agree on, by the card and by openssl with the other key.
fn derive(desk: &Desk, key: &Key) {
    let curve = format!("group:P-{}", key.bits);
    let peer = ["genpkey", "-algorithm", "EC", "-pkeyopt", &curve, "-out", "peer.key"];
    desk.run("openssl", &peer).good();
    desk.run("openssl", &["pkey", "-in", "peer.key", "-pubout", "-outform", "DER", "-out", "peer.der"]).good();
    let public_key = desk.public_key(&key.owner);
    let by_peer = ["pkeyutl", "-derive", "-inkey", "peer.key", "-peerkey", &public_key, "-out", "expected"];
    desk.run("openssl", &by_peer).good();
    let login = ["--login", "--pin", PIN, "--derive", "--id", &key.id, "--mechanism", "ECDH1-DERIVE"];
    let files = ["--input-file", "peer.der", "--output-file", "derived"];
    pkcs11(desk, &[&login[..], &files].concat()).good();
    assert_eq!(desk.read("derived"), desk.read("expected"));
    assert_eq!(desk.log.take(), ["PIN 9000", &key.opening()]);
}

/// Three wrong ones block the card, and the right one does not help any more.
fn pins(model: &str) {
    let desk = Desk::with(model);
    desk.write("data", b"what is signed");
    let key = Key::signing(model).remove(0);
    let (mechanism, ..) = key.mechanisms().remove(0);
    let attempt = |pin: &str| {
        let what = ["--login", "--pin", pin, "--sign", "--id", &key.id, "--mechanism", mechanism];
        pkcs11(&desk, &[&what[..], &["--input-file", "data", "--output-file", "signature"]].concat())
    };
    for logged in ["PIN 63C2", "PIN 63C1", "PIN 63C0"] {
        let said = attempt("654321").bad();
        assert!(said.contains("CKR_PIN_INCORRECT"), "{said}");
        assert_eq!(desk.log.take(), [logged]);
    }
    let said = attempt(PIN).bad();
    assert!(said.contains("CKR_PIN_LOCKED"), "{said}");
    assert!(desk.log.take().iter().all(|line| line == "PIN 6983"));
    assert!(!desk.path("signature").exists());
}

/// There is no signature, or a good one; and the next time, once the card is
/// back, there is one.
fn faulty(fault: &str, is_mended: bool) {
    let model = "piv-rsa2048";
    let key = Key::signing(model).remove(0);
    let desk = Desk::with_fault(model, fault, &key);
    desk.write("data", b"what is signed");
    let (mechanism, scheme, digest) = key.mechanisms().remove(0);
    let attempt = || {
        let what = ["--login", "--pin", PIN, "--sign", "--id", &key.id, "--mechanism", mechanism];
        pkcs11(&desk, &[&what[..], &["--input-file", "data", "--output-file", "signature"]].concat())
    };
    let said = attempt();
    assert_eq!(said.is_good, is_mended, "{}", said.err);
    let mut expected = vec!["PIN 9000".to_owned()];
    if is_mended {
        key.verify(&desk, scheme, digest, "signature");
        expected.push(key.operation("sign"));
    }
    assert_eq!(desk.log.take(), expected);
    // vpcd has lost the card for a moment, and pcscd may not have seen that yet.
    std::thread::sleep(std::time::Duration::from_millis(500));
    desk.wait_for_cards(1);
    attempt().good();
    key.verify(&desk, scheme, digest, "signature");
    assert_eq!(desk.log.take(), ["PIN 9000", &key.operation("sign")]);
}

fn two_readers() {
    let mut desk = Desk::with("piv-rsa2048");
    desk.insert_model("piv-p256");
    for (reader, model) in [("0", "piv-rsa2048"), ("1", "piv-p256")] {
        let key = Key::of_the_person(model);
        let read = desk.run("pkcs15-tool", &["--reader", reader, "--read-certificate", &key.id]).good();
        assert_eq!(words(&read), words(&std::fs::read_to_string(&key.certificate).unwrap()), "{reader}");
    }
    desk.remove();
    let first = desk.run("opensc-tool", &["--reader", "0", "--name"]).good();
    assert_eq!(first, name("piv-rsa2048"));
}

/// vpcd connects where its configuration names a host.
fn listening() {
    let folder = tempfile::tempdir().unwrap();
    let slots = ["127.0.0.1:35963", "127.0.0.1:35964"].map(|address| {
        let way = Way::Listen(address.parse().unwrap());
        Slot::insert(card("piv-p256"), way, |_| {}).unwrap()
    });
    let configuration = "FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME 127.0.0.1:0x8C7B\n\
         LIBPATH /usr/lib/pcsc/drivers/serial/libifdvpcd.so\nCHANNELID 0x8C7B\n";
    std::fs::write(folder.path().join("vpcd"), configuration).unwrap();
    let desk = Desk::empty(&["--config", folder.path().to_str().unwrap()]);
    desk.wait_for_cards(slots.len());
    for reader in ["0", "1"] {
        let said = desk.run("opensc-tool", &["--reader", reader, "--name"]).good();
        assert_eq!(said, name("piv-p256"));
    }
}
