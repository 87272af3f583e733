use time::Duration;
use time::macros::datetime;
use waxseal_verdict::{Aspect, Reason};

use super::*;
use crate::certificate::Certificate;
use crate::cms::write::ContentEncryption;
use crate::policy::{Policy, Sm2Place, negotiate};

const MONDAY: OffsetDateTime = datetime!(2024-01-01 9:00 UTC);

/// A certificate for these addresses, valid for so many days from a day on.
fn certificate(serial: u64, addresses: &[&str], from: OffsetDateTime, days: i64) -> Certificate {
    certificate_with(serial, addresses, from, days, &[])
}

/// With one more extension.
fn certificate_with(serial: u64, addresses: &[&str], from: OffsetDateTime, days: i64, more: &[u8]) -> Certificate {
    use crate::ber::writer as w;
    let time = |at: OffsetDateTime| {
        let format = time::macros::format_description!("[year][month][day][hour][minute][second]Z");
        w::element(0x18, at.format(format).unwrap().as_bytes())
    };
    let names = addresses.iter().map(|address| w::element(0x81, address.as_bytes()));
    let alternative = w::sequence([w::oid("2.5.29.17").unwrap(), w::octet_string(&w::sequence(names))]);
    let rsa = w::sequence([w::oid("1.2.840.113549.1.1.1").unwrap(), w::null()]);
    let algorithm = w::sequence([w::oid("1.2.840.113549.1.1.11").unwrap(), w::null()]);
    let bits = w::element(3, &[0, 0]);
    let body = w::sequence([
        w::element(0xa0, &w::integer(2)),
        w::integer(serial),
        algorithm.clone(),
        w::element(0x30, &[]),
        w::sequence([time(from), time(from + Duration::days(days))]),
        w::element(0x30, &[]),
        w::sequence([rsa, bits.clone()]),
        w::element(0xa3, &w::sequence([alternative.as_slice(), more])),
    ]);
    Certificate::parse(&w::sequence([body, algorithm, bits])).unwrap()
}

fn list(names: &[&str]) -> Vec<Capability> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

/// What a mail of `certificate` says that names itself to encrypt for.
fn mail(certificate: &Certificate, signed_at: OffsetDateTime, announced: Option<&[&str]>) -> Introduction {
    Introduction {
        addresses: certificate.emails(),
        signer: certificate.clone(),
        encryption: Some((certificate.clone(), Named::AsSigner)),
        capabilities: announced.map(list),
        signed_at: Some(signed_at),
        downgrade: Aspect::Good,
    }
}

fn policy() -> Policy {
    Policy::named("default").unwrap()
}

fn learn(book: &mut AddressBook, introduction: &Introduction) -> Lesson {
    let mut lessons = book.learn(introduction, &policy(), false);
    assert_eq!(lessons.len(), 1);
    lessons.remove(0)
}

fn any(_: &Certificate) -> Aspect {
    Aspect::Good
}

#[test]
fn what_is_learned_is_found_under_every_spelling_of_the_address() {
    let mut book = AddressBook::default();
    let ann = certificate(1, &["Ann@B\u{fc}cher.test", "\"ann\"@second.test"], MONDAY, 365);
    let lessons = book.learn(&mail(&ann, MONDAY, Some(&["aes-128-cbc"])), &policy(), false);
    assert_eq!(
        lessons.iter().map(|lesson| lesson.address.as_str()).collect::<Vec<_>>(),
        ["ann@second.test", "ann@xn--bcher-kva.test"]
    );
    for address in ["ANN@xn--bcher-kva.TEST", "ann@b\u{fc}cher.test", "Ann@Second.test"] {
        assert_eq!(book.choose(address, MONDAY, &any).unwrap().certificate, ann, "{address}");
    }
    assert_eq!(book.choose("bob@second.test", MONDAY, &any).unwrap_err().code(), "not-known");
    assert!(book.forget("ANN@second.test") && !book.forget("ann@second.test") && !book.forget("ann"));
    assert_eq!(book.correspondents().count(), 1);
}

/// RFC 8551 section 2.7.1: only a list that was signed later replaces another.
#[test]
fn never_from_an_older_mail() {
    let mut book = AddressBook::default();
    let ann = certificate(1, &["ann@example.test"], MONDAY, 365);
    let announced = |book: &AddressBook| book.correspondent("ann@example.test").unwrap().announcement.clone().unwrap();
    assert_eq!(learn(&mut book, &mail(&ann, MONDAY, Some(&["aes-128-cbc"]))).announcement, Some(Learned::New));
    let earlier = mail(&ann, MONDAY - Duration::DAY, Some(&["aes-256-cbc"]));
    assert_eq!(learn(&mut book, &earlier).announcement, Some(Learned::Older));
    let timeless = Introduction { signed_at: None, ..earlier };
    assert_eq!(learn(&mut book, &timeless).announcement, Some(Learned::Older));
    assert_eq!(announced(&book).capabilities, list(&["aes-128-cbc"]));
    let same_second = mail(&ann, MONDAY, Some(&["aes-192-cbc"]));
    assert_eq!(learn(&mut book, &same_second).announcement, Some(Learned::Older));
    let later = mail(&ann, MONDAY + Duration::DAY, Some(&["aes-256-cbc"]));
    assert_eq!(learn(&mut book, &later).announcement, Some(Learned::Newer));
    assert_eq!(learn(&mut book, &later).announcement, Some(Learned::Known));
    assert_eq!(announced(&book).capabilities, list(&["aes-256-cbc"]));
    // A mail without a list takes nothing away.
    assert_eq!(learn(&mut book, &mail(&ann, MONDAY + Duration::WEEK, None)).announcement, None);
    assert_eq!(announced(&book).signed_at, Some(MONDAY + Duration::DAY));
    // Whoever never had a time is replaced by who has one.
    let mut book = AddressBook::default();
    learn(&mut book, &timeless);
    assert_eq!(learn(&mut book, &mail(&ann, MONDAY, Some(&["aes-128-cbc"]))).announcement, Some(Learned::Newer));
}

#[test]
fn a_renewed_certificate_takes_over_and_the_old_one_stays() {
    let mut book = AddressBook::default();
    let old = certificate(1, &["ann@example.test"], MONDAY, 30);
    let new = certificate(2, &["ann@example.test"], MONDAY + Duration::days(20), 30);
    let on = |day| MONDAY + Duration::days(day);
    let chosen = |book: &AddressBook, day| book.choose("ann@example.test", on(day), &any).map(|it| it.certificate);
    assert_eq!(learn(&mut book, &mail(&old, on(1), None)).encryption, Some(Learned::New));
    assert_eq!(learn(&mut book, &mail(&new, on(21), None)).encryption, Some(Learned::New));
    // An old mail that is read again does not bring the old one back.
    assert_eq!(learn(&mut book, &mail(&old, on(2), None)).encryption, Some(Learned::Newer));
    assert_eq!(chosen(&book, 25), Ok(new.clone()));
    assert_eq!(chosen(&book, 31), Ok(new.clone()));
    assert_eq!(chosen(&book, 19), Ok(old.clone()), "not valid yet");
    let expired = chosen(&book, 60).unwrap_err();
    assert_eq!(
        expired.to_string(),
        "no certificate of ann@example.test can be used: serial 02 was valid until 2024-02-20T09:00:00Z"
    );
    let known = book.correspondent("ann@example.test").unwrap();
    assert_eq!(known.encryption.iter().map(|known| &known.certificate).collect::<Vec<_>>(), [&new, &old]);
    // Who answers for the path may refuse one; the next is taken.
    let refuse = |certificate: &Certificate| match *certificate == new {
        true => Aspect::bad(Reason::Revoked, "serial 02 was revoked"),
        false => Aspect::Good,
    };
    assert_eq!(book.choose("ann@example.test", on(25), &refuse).unwrap().certificate, old);
    let error = book.choose("ann@example.test", on(40), &refuse).unwrap_err();
    assert_eq!(error.to_string(), "no certificate of ann@example.test can be used: serial 02 was revoked");
}

/// Several devices sign with certificates of their own, and all of them name
/// the one key to encrypt for.
#[test]
fn several_devices_beside_one_encryption_key() {
    let mut book = AddressBook::default();
    let device = [1, 2, 3].map(|serial| certificate(serial, &["ann@example.test"], MONDAY, 365));
    let key = certificate(9, &["ann@example.test"], MONDAY, 365);
    for (day, signer) in (1..).zip(&device) {
        let introduction = Introduction {
            encryption: Some((key.clone(), Named::ByPreference)),
            ..mail(signer, MONDAY + Duration::days(day), Some(&["aes-256-cbc"]))
        };
        learn(&mut book, &introduction);
    }
    let known = book.correspondent("ann@example.test").unwrap();
    assert_eq!((known.signing.len(), known.encryption.len()), (3, 1));
    assert_eq!(known.signing[0].certificate, device[2], "last used first");
    assert_eq!(book.choose("ann@example.test", MONDAY, &any).unwrap().certificate, key);
}

/// RFC 4262: what the certificate says counts until a mail says it.
#[test]
fn a_certificate_may_say_what_its_holder_reads() {
    use crate::ber::writer as w;
    let extension = |value: &[u8]| w::sequence([w::oid("1.2.840.113549.1.9.15").unwrap(), w::octet_string(value)]);
    let aes_128 = w::sequence([w::sequence([w::oid("2.16.840.1.101.3.4.1.2").unwrap()])]);
    let ann = certificate_with(1, &["ann@example.test"], MONDAY, 365, &extension(&aes_128));
    assert_eq!(certified_capabilities(&ann), Some(list(&["aes-128-cbc"])));
    let mut book = AddressBook::default();
    let capabilities = |book: &AddressBook| book.choose("ann@example.test", MONDAY, &any).unwrap().capabilities;
    learn(&mut book, &mail(&ann, MONDAY, None));
    assert_eq!(capabilities(&book), Some(list(&["aes-128-cbc"])));
    learn(&mut book, &mail(&ann, MONDAY, Some(&["aes-256-cbc"])));
    assert_eq!(capabilities(&book), Some(list(&["aes-256-cbc"])));
    let damaged = certificate_with(2, &["ann@example.test"], MONDAY, 365, &extension(&[0x30, 1]));
    assert_eq!(certified_capabilities(&damaged), None);
}

#[test]
fn who_only_signs_gets_nothing_encrypted() {
    let mut book = AddressBook::default();
    let ann = certificate(1, &["ann@example.test"], MONDAY, 365);
    let lesson = learn(&mut book, &Introduction { encryption: None, ..mail(&ann, MONDAY, Some(&["aes-256-cbc"])) });
    assert_eq!((lesson.signing, lesson.encryption), (Learned::New, None));
    assert_eq!(book.choose("ann@example.test", MONDAY, &any).unwrap_err().code(), "signs-only");
}

#[test]
fn of_very_many_certificates_those_seen_last_are_kept() {
    let mut book = AddressBook::default();
    for serial in 1..=100 {
        let ann = certificate(serial, &["ann@example.test"], MONDAY, 365);
        learn(&mut book, &mail(&ann, MONDAY + Duration::hours(serial.cast_signed()), None));
    }
    let known = book.correspondent("ann@example.test").unwrap();
    assert_eq!(known.signing.len(), AddressBook::MOST_CERTIFICATES);
    assert_eq!(known.signing[0].certificate.serial_hex(), "64");
}

/// The reasons of a list that takes away what was announced.
#[test]
fn a_downgrade_has_its_reason_and_is_not_learned() {
    let mut book = AddressBook::default();
    let ann = certificate(1, &["ann@example.test"], MONDAY, 365);
    learn(&mut book, &mail(&ann, MONDAY, Some(&["aes-256-cbc", "3des-cbc", "rc2-cbc:40"])));
    let judge = |announced: Option<&[&str]>, hours| {
        let list = announced.map(list);
        let at = MONDAY + Duration::hours(hours);
        book.judge_announcement(&policy(), "Ann@example.test", list.as_deref(), Some(at)).reason()
    };
    for (announced, hours, expected) in [
        (Some(["rc2-cbc:40"].as_slice()), 1, Some(Reason::Downgrade)),
        (Some(&["3des-cbc", "rc2-cbc:128"]), 1, Some(Reason::Downgrade)),
        (Some(&["sha-256"]), 1, Some(Reason::Downgrade)),
        (Some(&["aes-128-cbc"]), 1, None),
        (Some(&["rc2-cbc:40", "aes-128-gcm"]), 1, None),
        (None, 1, Some(Reason::CapabilityStripped)),
        (Some(&["rc2-cbc:40"]), -1, Some(Reason::CapabilityReplayed)),
        (Some(&["rc2-cbc:40"]), 0, Some(Reason::CapabilityReplayed)),
        (Some(&["aes-128-cbc"]), -1, None),
        (None, -1, None),
    ] {
        assert_eq!(judge(announced, hours), expected, "{announced:?} {hours}");
    }
    let timeless = book.judge_announcement(&policy(), "ann@example.test", Some(&list(&["rc2-cbc:40"])), None);
    assert_eq!(timeless.reason(), Some(Reason::CapabilityReplayed));
    assert_eq!(book.judge_announcement(&policy(), "bob@example.test", None, Some(MONDAY)), Aspect::Good);

    let weak = mail(&ann, MONDAY + Duration::DAY, Some(&["rc2-cbc:40"]));
    assert_eq!(learn(&mut book, &weak).announcement, Some(Learned::Refused(Reason::Downgrade)));
    let cipher = |book: &AddressBook, policy: &Policy| {
        let choice = book.choose("ann@example.test", MONDAY, &any).unwrap();
        negotiate(policy, &[choice.peer()]).map(|agreement| agreement.cipher.spelling()).map_err(|error| error.code())
    };
    assert_eq!(cipher(&book, &policy()), Ok("aes-256-cbc".to_owned()));
    // A person may decide otherwise; then the policy decides what is sent.
    book.learn(&weak, &policy(), true);
    assert_eq!(cipher(&book, &policy()), Err("nothing-usable"));
    let mut explicit = policy();
    explicit.negotiation.ciphers.push("rc2-cbc-40".to_owned());
    assert_eq!(cipher(&book, &explicit), Ok("rc2-cbc-40".to_owned()));
}

#[test]
fn a_cipher_is_held_against_what_both_sides_announced() {
    let mut book = AddressBook::default();
    let [ann, bob, old] = [(1, "ann@example.test"), (2, "bob@example.test"), (3, "old@example.test")]
        .map(|(serial, address)| certificate(serial, &[address], MONDAY, 365));
    learn(&mut book, &mail(&ann, MONDAY, Some(&["aes-256-cbc", "aes-128-cbc", "3des-cbc", "rc2-cbc:40"])));
    learn(&mut book, &mail(&bob, MONDAY, Some(&["aes-128-cbc", "3des-cbc"])));
    learn(&mut book, &mail(&old, MONDAY, Some(&["rc2-cbc:40"])));
    let judge = |name: &str, sender: &str, reader: &str, cipher: &str| {
        let strength = cipher.parse::<ContentEncryption>().unwrap().strength_bits();
        let policy = Policy::named(name).unwrap();
        book.judge_cipher(&policy, &[sender], &["elsewhere@example.test", reader], (cipher, strength)).reason()
    };
    let downgrade = Some(Reason::Downgrade);
    for (sender, reader, cipher, default, strict) in [
        ("ann@example.test", "bob@example.test", "3des-cbc", downgrade, downgrade),
        ("ann@example.test", "bob@example.test", "rc2-cbc-40", downgrade, downgrade),
        ("ann@example.test", "bob@example.test", "aes-128-cbc", None, None),
        ("ann@example.test", "ann@example.test", "aes-128-cbc", None, downgrade),
        ("ann@example.test", "ann@example.test", "aes-256-cbc", None, None),
        // Nothing better was announced by both, or one of them is not known.
        ("ann@example.test", "old@example.test", "rc2-cbc-40", None, None),
        ("eve@example.test", "bob@example.test", "rc2-cbc-40", None, None),
        ("ann@example.test", "eve@example.test", "rc2-cbc-40", None, None),
    ] {
        assert_eq!(judge("default", sender, reader, cipher), default, "{sender} {reader} {cipher}");
        assert_eq!(judge("strict", sender, reader, cipher), strict, "{sender} {reader} {cipher}");
    }
}

#[test]
fn what_is_stored_comes_back() {
    let mut book = AddressBook::default();
    let both = certificate(1, &["ann@example.test", "ann@second.test"], MONDAY, 365);
    let renewed = certificate(2, &["ann@example.test"], MONDAY, 400);
    book.learn(&mail(&both, MONDAY, Some(&["aes-256-cbc", "rc2-cbc:40", "2.999.1:x0c00"])), &policy(), false);
    book.learn(&Introduction { signed_at: None, ..mail(&renewed, MONDAY, None) }, &policy(), false);
    let text = serde_json::to_string(&book).unwrap();
    assert_eq!(serde_json::from_str::<AddressBook>(&text).unwrap(), book);
    assert_eq!(text.matches("\"MII").count() + text.matches("\"MIG").count(), 2, "each certificate once: {text}");

    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let fault = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value = value.clone();
        change(&mut value);
        serde_json::from_value::<AddressBook>(value).unwrap_err().to_string()
    };
    assert_eq!(fault(&|value| value["format"] = 2.into()), "address book format 2; this version reads 1");
    assert!(fault(&|value| value["certificates"][1] = "MIIB".into()).starts_with("certificates[1]: "));
    assert!(fault(&|value| value["certificates"][0] = "?".into()).starts_with("certificates[0]: "));
    let place = "there is no certificates[7]";
    assert_eq!(fault(&|value| value["correspondents"][0]["signing"][0]["certificate"] = 7.into()), place);
    assert_eq!(fault(&|value| value["correspondents"][0]["address"] = "ann".into()), "\"ann\" is no address");
    let twice = fault(&|value| value["correspondents"][1]["address"] = "ANN@example.test".into());
    assert_eq!(twice, "ann@example.test stands in it twice");
    assert!(fault(&|value| value["more"] = 1.into()).contains("unknown field"));
}

/// A correspondent with a certificate of each world: the policy says which is first.
#[test]
fn keys_of_sm2_stand_where_the_policy_puts_them() {
    let read = |name: &str| {
        let path = format!("{}/../vectors/pki/{name}.cert.pem", env!("CARGO_MANIFEST_DIR"));
        Certificate::from_file(&std::fs::read(path).unwrap()).unwrap().remove(0)
    };
    let (rsa, sm2) = (read("alice"), read("alice-sm2-encrypt"));
    let with = |newer: &Certificate, older: &Certificate| {
        let mut book = AddressBook::default();
        for (certificate, at) in [(older, MONDAY), (newer, MONDAY + Duration::DAY)] {
            let known = book.correspondents.entry("alice@example.test".to_owned()).or_default();
            known.encryption.insert(0, KnownCertificate { certificate: certificate.clone(), seen: Some(at) });
        }
        book
    };
    let good = |_: &Certificate| Aspect::Good;
    for (newer, older) in [(&rsa, &sm2), (&sm2, &rsa)] {
        let book = with(newer, older);
        let chosen = |place| book.choose_among("alice@example.test", MONDAY, place, &good).unwrap().certificate;
        assert_eq!([chosen(Sm2Place::First), chosen(Sm2Place::Last)], [sm2.clone(), rsa.clone()]);
        assert_eq!(chosen(Sm2Place::AsAnnounced), *newer);
    }
    // One that cannot be used is passed over, whichever world comes first.
    let judge = |one: &Certificate| match *one == sm2 {
        true => Aspect::bad(Reason::KeyUsage, "no"),
        false => Aspect::Good,
    };
    let found = with(&sm2, &rsa).choose_among("alice@example.test", MONDAY, Sm2Place::First, &judge).unwrap();
    assert_eq!(found.certificate, rsa);
}
