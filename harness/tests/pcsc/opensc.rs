//! The programs of OpenSC: opensc-tool, pkcs15-tool, pkcs11-tool.

use waxseal_card::vpcd::{Slot, Way};
use waxseal_key::{PssParameters, SignatureScheme};

use crate::components::Component::{Confinement, OpenSc, Pcscd};
use crate::confined::Job;
use crate::desk::{Desk, PIN, Said, card, certificate};
use crate::keys::{AUTHENTICATION, KEY_MANAGEMENT, Key, SIGNATURE};

/// What every test of a model does.
type Test = fn(&'static str);

const TESTS: &[(&str, Test)] = &[
    ("opensc-tool", tool),
    ("pkcs15-tool -D", dump),
    ("pkcs11-tool signs", sign),
    ("pkcs11-tool decrypts or derives", decrypt),
    ("pkcs11-tool, a wrong and a blocked PIN", pins),
];

pub(crate) fn jobs(models: &[&'static str]) -> Vec<Job> {
    let mut jobs = Vec::new();
    for model in models.iter().copied() {
        for (name, test) in TESTS {
            let run = move || test(model);
            jobs.push(Job::new(format!("{model}: {name}"), &[Confinement, Pcscd, OpenSc], run));
        }
    }
    jobs.push(Job::new("two readers", &[Confinement, Pcscd, OpenSc], two_readers));
    jobs.push(Job::new("vpcd connects to the card", &[Confinement, Pcscd, OpenSc], listening));
    jobs
}

fn tool(model: &str) {
    let mut desk = Desk::with(model);
    assert_eq!(desk.run("opensc-tool", &["--name"]).good(), "Personal Identity Verification Card\n");
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
    for (place, name) in [(AUTHENTICATION, "PIV AUTH key"), (SIGNATURE, "SIGN key"), (KEY_MANAGEMENT, "KEY MAN key")] {
        let key = Key::of(model, place);
        let (kind, length) = if key.is_rsa() { ("RSA", "ModLength") } else { ("EC", "FieldLength") };
        let part = text.split("\n\n").find(|part| part.starts_with(&format!("Private {kind} Key [{name}]")));
        let part = part.unwrap_or_else(|| panic!("no private {kind} key {name:?} in {text}"));
        let field = |field: &str| {
            let line = part.lines().find(|line| line.trim_start().starts_with(field)).unwrap();
            line.split_once(": ").unwrap().1.to_owned()
        };
        assert_eq!(field(length), key.bits.to_string());
        let reference = u8::from_str_radix(key.slot, 16).unwrap();
        assert_eq!(field("Key ref"), format!("{reference} (0x{})", key.slot));
        let read = desk.run("pkcs15-tool", &["--read-certificate", key.id]).good();
        assert_eq!(words(&read), words(&std::fs::read_to_string(&key.certificate).unwrap()));
    }
    let keys = waxseal_card::models::Model::named(model).unwrap().keys;
    let count = |title: &str| text.lines().filter(|line| line.starts_with(title)).count();
    let private_keys = count("Private RSA Key") + count("Private EC Key");
    assert_eq!((private_keys, count("X.509 Certificate")), (keys.len(), keys.len()), "{text}");
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
    for place in [AUTHENTICATION, SIGNATURE] {
        let key = Key::of(model, place);
        let (digest, name) = key.digest();
        let schemes = if key.is_rsa() {
            vec![
                (format!("{name}-RSA-PKCS"), SignatureScheme::RsaPkcs1),
                (format!("{name}-RSA-PKCS-PSS"), SignatureScheme::RsaPss(PssParameters::usual(digest))),
            ]
        } else {
            vec![(format!("ECDSA-{name}"), SignatureScheme::Ecdsa)]
        };
        for (mechanism, scheme) in schemes {
            let login = ["--login", "--pin", PIN, "--sign", "--id", key.id, "--mechanism", &mechanism];
            let files = ["--signature-format", "openssl", "--input-file", "data", "--output-file", "signature"];
            pkcs11(&desk, &[&login[..], &files].concat()).good();
            key.verify(&desk, scheme, "signature");
            // The PIN for Digital Signature is asked for before every one (SP 800-73-4 part 1 section 3.2.3).
            let pins = if place == SIGNATURE { 2 } else { 1 };
            let mut expected = vec!["PIN ok".to_owned(); pins];
            expected.push(key.operation("challenge"));
            assert_eq!(desk.log.take(), expected, "{mechanism}");
        }
    }
}

fn decrypt(model: &str) {
    let desk = Desk::with(model);
    let key = Key::of(model, KEY_MANAGEMENT);
    if !key.is_rsa() {
        return derive(&desk, &key);
    }
    desk.write("data", b"a key of AES-128.");
    let public_key = desk.public_key(&key.owner);
    let oaep = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256"];
    let of_oaep = ["--hash-algorithm", "SHA256", "--mgf", "MGF1-SHA256"];
    for (mechanism, padding, options) in [("RSA-PKCS", &[][..], &[][..]), ("RSA-PKCS-OAEP", &oaep, &of_oaep)] {
        let to = ["pkeyutl", "-encrypt", "-pubin", "-inkey", &public_key, "-in", "data", "-out", "encrypted"];
        desk.run("openssl", &[&to[..], padding].concat()).good();
        let login = ["--login", "--pin", PIN, "--decrypt", "--id", key.id, "--mechanism", mechanism];
        let files = ["--input-file", "encrypted", "--output-file", "decrypted"];
        pkcs11(&desk, &[&login[..], options, &files].concat()).good();
        assert_eq!(desk.read("decrypted"), desk.read("data"));
        assert_eq!(desk.log.take(), ["PIN ok", &key.operation("challenge")], "{mechanism}");
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
    let login = ["--login", "--pin", PIN, "--derive", "--id", key.id, "--mechanism", "ECDH1-DERIVE"];
    let files = ["--input-file", "peer.der", "--output-file", "derived"];
    pkcs11(desk, &[&login[..], &files].concat()).good();
    assert_eq!(desk.read("derived"), desk.read("expected"));
    assert_eq!(desk.log.take(), ["PIN ok", &key.operation("exponentiation")]);
}

/// Three wrong ones block the card, and the right one does not help any more.
fn pins(model: &str) {
    let desk = Desk::with(model);
    desk.write("data", b"what is signed");
    let key = Key::of(model, AUTHENTICATION);
    let mechanism = if key.is_rsa() { "SHA256-RSA-PKCS" } else { "ECDSA-SHA256" };
    let attempt = |pin: &str| {
        let what = ["--login", "--pin", pin, "--sign", "--id", key.id, "--mechanism", mechanism];
        pkcs11(&desk, &[&what[..], &["--input-file", "data", "--output-file", "signature"]].concat())
    };
    for (pin, name, logged) in [
        ("654321", "CKR_PIN_INCORRECT", "PIN 63C2"),
        ("654321", "CKR_PIN_INCORRECT", "PIN 63C1"),
        ("654321", "CKR_PIN_INCORRECT", "PIN 63C0"),
    ] {
        let said = attempt(pin).bad();
        assert!(said.contains(name), "{said}");
        assert_eq!(desk.log.take(), [logged]);
    }
    let said = attempt(PIN).bad();
    assert!(said.contains("CKR_PIN_LOCKED"), "{said}");
    assert!(desk.log.take().iter().all(|line| line == "PIN 6983"));
    assert!(!desk.path("signature").exists());
}

fn two_readers() {
    let mut desk = Desk::with("piv-rsa2048");
    desk.insert_model("piv-p256");
    for (reader, model) in [("0", "piv-rsa2048"), ("1", "piv-p256")] {
        let read = ["--reader", reader, "--read-certificate", SIGNATURE.1];
        let read = desk.run("pkcs15-tool", &read).good();
        let key = Key::of(model, SIGNATURE);
        assert_eq!(words(&read), words(&std::fs::read_to_string(certificate(&key.owner)).unwrap()), "{reader}");
    }
    desk.remove();
    let first = desk.run("opensc-tool", &["--reader", "0", "--name"]).good();
    assert_eq!(first, "Personal Identity Verification Card\n");
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
        assert_eq!(said, "Personal Identity Verification Card\n");
    }
}
