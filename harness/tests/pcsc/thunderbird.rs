//! Thunderbird with OpenSC's module: it signs with Digital Signature and
//! decrypts with Key Management.

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use waxseal::smtp_sink::SmtpSink;
use waxseal::thunderbird::process::{Account, Draft, Thunderbird};
use waxseal::thunderbird::profile::Profile;
use waxseal_verdict::Verdict;

use crate::components::Component::{Confinement, NssTools, OpenSc, OpenScModule, Pcscd, Thunderbird as Program};
use crate::components::module;
use crate::confined::Job;
use crate::desk::{Desk, PIN, certificate, pki};
use crate::keys::Key;

const MODELS: &[&str] = &["piv-rsa2048", "ecert-pkcs15"];

pub(crate) fn jobs() -> Vec<Job> {
    let needs = [Confinement, Pcscd, OpenSc, OpenScModule, NssTools, Program];
    let mut jobs = Vec::new();
    for model in MODELS.iter().copied() {
        jobs.push(Job::new(format!("{model}: Thunderbird signs"), &needs, move || sign(model)));
        jobs.push(Job::new(format!("{model}: Thunderbird decrypts"), &needs, move || decrypt(model)));
    }
    jobs.push(Job::new("card-removed-for-good while Thunderbird signs", &needs, removed));
    jobs
}

fn start(desk: &Desk) -> Thunderbird {
    let folder = desk.path("profile");
    std::fs::create_dir(&folder).unwrap();
    let profile = Profile::create(&folder).unwrap();
    profile.trust("root", certificate("root").as_ref()).unwrap();
    profile.add_certificate("authority", certificate("intermediate").as_ref()).unwrap();
    profile.add_certificate("bob", certificate("bob").as_ref()).unwrap();
    profile.add_module("OpenSC", &module().unwrap()).unwrap();
    let mut thunderbird = Thunderbird::start(&profile, &desk.path("thunderbird.log")).unwrap();
    thunderbird.answer_prompts(PIN).unwrap();
    thunderbird
}

fn fingerprint(key: &Key) -> [u8; 32] {
    Sha256::digest(&key.der).into()
}

fn account(model: &str, sink: &SmtpSink) -> Account {
    Account {
        address: "nina@example.test".to_owned(),
        name: "Nina".to_owned(),
        signing: fingerprint(&Key::of_the_person(model)),
        encryption: fingerprint(&Key::decrypting(model)),
        server: sink.address(),
    }
}

fn draft() -> Draft {
    Draft {
        to: vec!["bob@example.test".to_owned()],
        subject: "signed by a card".to_owned(),
        body: "This was signed by a card.\r\n".to_owned(),
        sign: true,
        ..Draft::default()
    }
}

/// Nothing is sent, and with a new card it works.
fn removed() {
    let model = "piv-rsa2048";
    let mut desk = Desk::with_fault(model, "card-removed-for-good", &Key::of_the_person(model));
    let sink = SmtpSink::start().unwrap();
    let mut thunderbird = start(&desk);
    thunderbird.set_account(&account(model, &sink)).unwrap();
    desk.log.take();
    let said = thunderbird.send(&draft()).unwrap_err().to_string();
    assert!(said.contains("did not send"), "{said}");
    assert_eq!(sink.next(Duration::from_millis(500)), None);
    assert!(desk.log.take().iter().all(|line| line == "PIN 9000"));
    desk.remove();
    desk.insert_model(model);
    // It notices the new card after a while, and after another while it can use it.
    let end = Instant::now() + Duration::from_secs(30);
    let mut send = || thunderbird.set_account(&account(model, &sink)).and_then(|()| thunderbird.send(&draft()));
    while let Err(error) = send() {
        assert!(Instant::now() < end, "{error}");
        std::thread::sleep(Duration::from_millis(500));
    }
    let mail = sink.next(Duration::from_secs(10)).unwrap();
    desk.write("signed.eml", &mail.octets);
    let verify = ["cms", "-verify", "-in", "signed.eml", "-CAfile", &certificate("root")];
    assert!(desk.run("openssl", &verify).good().contains("This was signed by a card."));
}

fn sign(model: &str) {
    let desk = Desk::with(model);
    let signing = Key::of_the_person(model);
    let sink = SmtpSink::start().unwrap();
    let mut thunderbird = start(&desk);
    let account = account(model, &sink);
    thunderbird.set_account(&account).unwrap();
    desk.log.take();
    thunderbird.send(&draft()).unwrap();
    let mail = sink.next(Duration::from_secs(10)).unwrap();
    assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("nina@example.test", &["bob@example.test".to_owned()][..]));
    // It has logged in when it looked at the account; a signature of PIV needs the PIN again.
    let mut expected = vec!["PIN 9000".to_owned(); usize::from(signing.needs_pin_always())];
    expected.push(signing.operation("sign"));
    assert_eq!(desk.log.take(), expected);
    let asked = thunderbird.prompts().unwrap();
    assert!(asked.len() == expected.len() && asked.iter().all(|text| text.starts_with("password: ")), "{asked:?}");

    desk.write("signed.eml", &mail.octets);
    let verify = ["cms", "-verify", "-in", "signed.eml", "-CAfile", &certificate("root")];
    assert!(desk.run("openssl", &verify).good().contains("This was signed by a card."));
    let told = desk.waxseal(&["open", "--json", "--anchor", &certificate("root"), "signed.eml"]);
    let verdict: Verdict = serde_json::from_slice(&told.out).unwrap_or_else(|error| panic!("{error}: {}", told.err));
    let [layer] = verdict.layers.as_slice() else { panic!("{verdict:?}") };
    assert!(!verdict.has_bad() && layer.integrity.is_good() && layer.chain.is_good(), "{layer:?}");

    let shown = thunderbird.open(&desk.path("signed.eml")).unwrap();
    assert_eq!((shown.signature.as_deref(), shown.encryption), (Some("SUCCESS"), None));
    assert_eq!(desk.log.take(), [""; 0]);
}

/// What the engine wrote to the card's certificate.
fn decrypt(model: &str) {
    let desk = Desk::with(model);
    let key = Key::decrypting(model);
    // It wants a Date that is about the time of the signature.
    let date = OffsetDateTime::now_utc().format(&Rfc2822).unwrap();
    let mail = format!(
        "From: Bob <bob@example.test>\r\nTo: nina@example.test\r\nSubject: for a card\r\nDate: {date}\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nOnly a card can read this.\r\n"
    );
    desk.write("mail", mail);
    let (bob, bob_key, authority) = (certificate("bob"), pki("bob.key.pem"), certificate("intermediate"));
    let files = ["--extra-cert", &authority, "--out", "signed.eml", "mail"];
    desk.waxseal(&[&["sign", "--key", &bob_key, "--cert", &bob][..], &files].concat()).good();
    let mut thunderbird = start(&desk);
    for (from, out, signature) in [("mail", "encrypted.eml", None), ("signed.eml", "both.eml", Some("SUCCESS"))] {
        desk.log.take();
        desk.waxseal(&["encrypt", "--to", &key.certificate, "--out", out, from]).good();
        let shown = thunderbird.open(&desk.path(out)).unwrap();
        assert_eq!((shown.signature.as_deref(), shown.encryption.as_deref()), (signature, Some("SUCCESS")), "{out}");
        assert_eq!(shown.body.as_deref().map(str::trim), Some("Only a card can read this."), "{out}");
        // A mail with a mail inside it is read twice.
        let mut log = desk.log.take();
        log.retain(|line| !line.starts_with("PIN "));
        log.dedup();
        assert_eq!(log, [key.opening()], "{out}");
    }
}
