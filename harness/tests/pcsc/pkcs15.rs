//! What the PKCS #15 card has and PIV has not, in the programs of OpenSC.

use waxseal_card::models::{Model, PUK};
use waxseal_card::transcript::{RecordedCard, Tape};

use crate::components::Component::{Confinement, OpenSc, Pcscd};
use crate::confined::Job;
use crate::desk::{Desk, PIN, Said, card, certificate};

const MODEL: &str = "ecert-pkcs15";

/// Numbers of the keys for PKCS #11.
const SIGNING: &str = "01";
const ENCRYPTION: &str = "02";

const TESTS: &[(&str, fn())] = &[
    ("pkcs15-tool -D, every object", dump),
    ("pkcs11-tool uses no key for what it is not there for", purposes),
    ("pkcs15-tool reads what is private", private),
    ("pkcs15-tool, PIN and PUK", pins),
    ("pkcs11-tool draws random numbers", random),
];

pub(crate) fn jobs() -> Vec<Job> {
    let job = |(name, test): &(&str, fn())| Job::new(format!("{MODEL}: {name}"), &[Confinement, Pcscd, OpenSc], *test);
    TESTS.iter().map(job).collect()
}

/// A desk with the card, and what its sessions are written on.
fn desk() -> (Desk, Tape) {
    let (mut desk, tape) = (Desk::empty(&[]), Tape::new());
    desk.insert(Box::new(RecordedCard::new(card(MODEL), tape.clone())));
    desk.write("data", b"what is signed");
    (desk, tape)
}

/// Which private keys the card used.
fn used(tape: &Tape) -> Vec<String> {
    let operations = tape.transcript().key_operations();
    operations.iter().map(|each| format!("{} {} {}", each.key, each.operation.name(), each.algorithm)).collect()
}

fn login(desk: &Desk, arguments: &[&str]) -> Said {
    desk.run("pkcs11-tool", &[&["--login", "--pin", PIN], arguments].concat())
}

/// PEM, however its lines end.
fn words(pem: &str) -> String {
    pem.split_whitespace().collect()
}

fn dump() {
    let (desk, tape) = desk();
    assert_eq!(desk.run("opensc-tool", &["--name"]).good(), "Javacard with IsoApplet\n");
    let text = desk.run("pkcs15-tool", &["--dump"]).good();
    let part = |title: &str| text.split("\n\n").find(|part| part.trim_start().starts_with(title)).unwrap_or_default();
    for (title, lines) in [
        ("PKCS#15 Card", &["Flags          : Read-only, Login required, PRN generation"][..]),
        ("PIN [PIN]", &["Auth ID        : 02", "Reference      : 1 (0x01)", "Pad char       : 0x00"]),
        ("PIN [PUK]", &["unblockingPin", "Reference      : 2 (0x02)"]),
        ("Private RSA Key [Signing]", &["sign, nonRepudiation", "ModLength      : 2048", "Key ref        : 0 (0x00)"]),
        ("Private RSA Key [Encryption]", &["decrypt, unwrap", "Key ref        : 1 (0x01)", "neverExtract"]),
        (
            "Private EC Key [Signing with P-256]",
            &["FieldLength    : 256", "Auth ID        : 01", "ID             : 03"],
        ),
        ("Public EC Key [Signing with P-256]", &["FieldLength    : 256"]),
        ("Data object 'Emergency contact'", &["Auth ID:         01"]),
    ] {
        let part = part(title);
        let missing: Vec<_> = lines.iter().filter(|line| !part.contains(*line)).collect();
        assert!(missing.is_empty(), "{title}: no {missing:?} in {text}");
    }
    let model = Model::named(MODEL).unwrap();
    let owners = model.keys.iter().map(|place| &place.of);
    for (number, name) in (1..).zip(owners.clone().chain(&model.authorities)) {
        let read = desk.run("pkcs15-tool", &["--read-certificate", &format!("{number:02}")]).good();
        assert_eq!(words(&read), words(&std::fs::read_to_string(certificate(name)).unwrap()), "{name}");
    }
    for (number, name) in (1..).zip(owners) {
        let public = desk.run("pkcs15-tool", &["--read-public-key", &format!("{number:02}")]).good();
        let expected = String::from_utf8(desk.read(&desk.public_key(name))).unwrap();
        assert_eq!(words(&public), words(&expected), "{name}");
    }
    assert_eq!(used(&tape), [""; 0]);
}

/// The certificates are split for a reason, and OpenSC reads from the card which
/// key is for what.
fn purposes() {
    let (desk, tape) = desk();
    let files = ["--input-file", "data", "--output-file", "out"];
    for (what, id, mechanism) in [("--sign", ENCRYPTION, "SHA256-RSA-PKCS"), ("--decrypt", SIGNING, "RSA-PKCS")] {
        let said = login(&desk, &[&[what, "--id", id, "--mechanism", mechanism], &files[..]].concat()).bad();
        assert!(said.contains("CKR_KEY_TYPE_INCONSISTENT"), "{said}");
    }
    assert_eq!(used(&tape), [""; 0]);
}

fn private() {
    let (desk, _) = desk();
    let read = ["--read-data-object", "Emergency contact"];
    let without = desk.run("pkcs15-tool", &read);
    let secret = &Model::named(MODEL).unwrap().data[0].text;
    let digits: String = secret.bytes().map(|octet| format!("{octet:02X} ")).collect();
    assert!(!without.text().contains(&digits), "{without:?}");
    let with = desk.run("pkcs15-tool", &[&["--verify-pin", "--pin", PIN], &read[..]].concat()).good();
    assert!(with.contains(&digits), "{with}");
}

/// Three wrong entries block the PIN, and the PUK unblocks it.
fn pins() {
    let (desk, tape) = desk();
    let verify = |pin: &str| desk.run("pkcs15-tool", &["--verify-pin", "--pin", pin]);
    for left in ["63C2", "63C1", "63C0"] {
        verify("999999").bad();
        assert!(tape.transcript().to_string().contains(&format!("< {left}\n")), "{left}");
    }
    let said = login(&desk, &["--list-objects"]).bad();
    assert!(said.contains("CKR_PIN_LOCKED"), "{said}");
    desk.run("pkcs15-tool", &["--unblock-pin", "--puk", PUK, "--new-pin", "654321"]).good();
    verify("654321").good();
    desk.run("pkcs15-tool", &["--change-pin", "--pin", "654321", "--new-pin", PIN]).good();
    verify(PIN).good();
    let text = tape.transcript().to_string();
    assert!(!["393939393939", "363534333231", "3132333435363738"].iter().any(|secret| text.contains(secret)));
}

fn random() {
    let (desk, tape) = desk();
    let drawn = ["first", "second"].map(|name| {
        desk.run("pkcs11-tool", &["--generate-random", "16", "--output-file", name]).good();
        desk.read(name)
    });
    assert_eq!(drawn.each_ref().map(Vec::len), [16, 16]);
    assert_ne!(drawn[0], drawn[1]);
    assert_eq!(tape.transcript().to_string().matches("> 00840000").count(), 2);
}
