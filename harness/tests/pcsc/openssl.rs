//! `openssl cms` with keys on the card, through the engine pkcs11 and OpenSC.

use waxseal_verdict::Verdict;

use crate::components::Component::{Confinement, OpenSc, OpenScModule, OpenSslEngine, Pcscd};
use crate::confined::Job;
use crate::desk::{Desk, PIN};
use crate::keys::Key;

const NEEDS: [crate::components::Component; 5] = [Confinement, Pcscd, OpenSc, OpenScModule, OpenSslEngine];

pub(crate) fn jobs(models: &[&'static str]) -> Vec<Job> {
    let sign = |model: &&'static str| {
        let model = *model;
        Job::new(format!("{model}: openssl cms -sign"), &NEEDS, move || sign(model))
    };
    let decrypt = |model: &&'static str| {
        let model = *model;
        Job::new(format!("{model}: openssl cms -decrypt"), &NEEDS, move || decrypt(model))
    };
    let always = Job::new("openssl cms -sign with a key that wants the PIN every time", &NEEDS, pin_always);
    models.iter().map(sign).chain(models.iter().map(decrypt)).chain([always]).collect()
}

/// The key as the engine finds it; the PIN is given once.
fn key_uri(key: &Key) -> String {
    format!("pkcs11:id=%{};type=private?pin-value={PIN}", key.id)
}

const THROUGH_ENGINE: [&str; 4] = ["-engine", "pkcs11", "-keyform", "engine"];

fn sign(model: &str) {
    let desk = Desk::with(model);
    let key = Key::signing(model).remove(0);
    desk.write("body", "Content-Type: text/plain\r\n\r\nsigned by a card\r\n");
    let mail = ["cms", "-sign", "-in", "body", "-out", "signed.eml", "-signer", &key.certificate, "-inkey"];
    desk.run("openssl", &[&mail[..], &[&key_uri(&key)], &THROUGH_ENGINE].concat()).good();
    assert_eq!(desk.log.take(), ["PIN 9000", &key.operation("sign")]);

    let verify =
        ["cms", "-verify", "-in", "signed.eml", "-CAfile", &key.certificate, "-partial_chain", "-purpose", "any"];
    assert!(desk.run("openssl", &verify).good().contains("signed by a card"));
    let told = desk.waxseal(&["open", "--json", "--anchor", &key.certificate, "signed.eml"]);
    let verdict: Verdict = serde_json::from_slice(&told.out).unwrap_or_else(|error| panic!("{error}: {}", told.err));
    let [layer] = verdict.layers.as_slice() else { panic!("{verdict:?}") };
    assert!(layer.integrity.is_good(), "{layer:?}");
}

/// It asks on the terminal, and there is none.
fn pin_always() {
    let model = "piv-rsa2048";
    let desk = Desk::with(model);
    let key = Key::of_the_person(model);
    desk.write("body", "Content-Type: text/plain\r\n\r\nsigned by a card\r\n");
    let mail = ["cms", "-sign", "-in", "body", "-out", "signed.eml", "-signer", &key.certificate, "-inkey"];
    let said = desk.run("openssl", &[&mail[..], &[&key_uri(&key)], &THROUGH_ENGINE].concat()).bad();
    assert!(said.contains("Enter PKCS#11 key PIN for SIGN key:"), "{said}");
    assert_eq!(desk.log.take(), ["PIN 9000"]);
}

fn decrypt(model: &str) {
    let desk = Desk::with(model);
    let key = Key::decrypting(model);
    let body = "Content-Type: text/plain\r\n\r\nfor a card\r\n";
    desk.write("body", body);
    // Both write to the card: the engine, and openssl itself.
    desk.waxseal(&["encrypt", "--to", &key.certificate, "--out", "engine.eml", "body"]).good();
    let encrypt = ["cms", "-encrypt", "-aes128", "-binary", "-in", "body", "-out", "openssl.eml", &key.certificate];
    desk.run("openssl", &encrypt).good();
    for mail in ["engine.eml", "openssl.eml"] {
        let decrypt = ["cms", "-decrypt", "-in", mail, "-recip", &key.certificate, "-inkey"];
        let said = desk.run("openssl", &[&decrypt[..], &[&key_uri(&key)], &THROUGH_ENGINE].concat()).good();
        assert_eq!(said, body, "{mail}");
        assert_eq!(desk.log.take(), ["PIN 9000", &key.opening()], "{mail}");
    }
}
