//! The right client on every recording, and none on what no client wrote.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::process::Command;

use waxseal_forge::{CaseFiles, Forge};
use waxseal_model::{Corpus, Entry, Guess, Recordings};
use waxseal_verdict::Evidence;

use super::*;

fn reading(files: &CaseFiles) -> Reading {
    let dir = tempfile::tempdir().unwrap();
    let (mut keys, mut certificates) = (Vec::new(), Vec::new());
    for (index, pair) in files.keys.iter().enumerate() {
        let at = |kind: &str| dir.path().join(format!("{index}.{kind}"));
        std::fs::write(at("key"), &pair.key).unwrap();
        keys.push(at("key"));
        if let Some(certificate) = &pair.certificate {
            std::fs::write(at("cert"), certificate).unwrap();
            certificates.push(at("cert"));
        }
    }
    let arithmetic = Arithmetic::default();
    let keys = KeyRing::load(&[], &keys, None, &certificates).unwrap().with_arithmetic(arithmetic);
    Reading { keys, secrets: Secrets::default(), arithmetic, limits: Limits::default() }
}

fn structure(files: &CaseFiles) -> Fingerprint {
    reading(files).fingerprint(&mut Cursor::new(&files.message)).unwrap().unwrap()
}

fn recordings() -> Option<Recordings> {
    Some(Recordings::open(&waxseal_testing::shared("recordings")?).unwrap())
}

/// The name in the table of a client of the catalogue, as its header or its
/// source tell it; `None` for what is not in the table.
fn expected(entry: &Entry) -> Option<&'static str> {
    Some(match entry.client.name.as_str() {
        "Outlook" | "Outlook through Exchange" => "outlook",
        "Outlook for Mac" => "outlook-mac",
        "Thunderbird" => "thunderbird",
        "Netscape Messenger" => "netscape",
        "Apple Mail" => "apple-mail",
        "iPad Mail" => "ios-mail",
        "Gmail with hosted S/MIME" => "gmail",
        "Zimbra" => "zimbra",
        "Evolution" => "evolution",
        "KMail" => "kmail",
        "Nextcloud Mail (Horde, OpenSSL)" => "horde",
        // Both let the openssl command write all of the mail.
        "a gateway built on OpenSSL" | "a signing gateway behind Exchange" => "openssl",
        _ => return None,
    })
}

/// What the catalogue knows of a version, and the range that it must be in.
const VERSIONS: &[(&str, &str)] = &[
    ("recorded/outlook/outlook16-signed", "2016 to 2024"),
    ("recorded/outlook/outlook16-encrypted", "2016 to 2024"),
    ("recorded/outlook/outlook2010-beta-key-id", "2010 beta"),
    ("recorded/outlook-mac/14-4-8", "14"),
    ("recorded/thunderbird/24", "24 to 115"),
    ("recorded/thunderbird/52-signed", "24 to 115"),
    ("recorded/thunderbird/102-altered-a", "24 to 115"),
    ("recorded/thunderbird/128-signed", "128 and later"),
    ("recorded/thunderbird/128-signed-encrypted", "128 and later"),
    ("recorded/thunderbird/52-signed-encrypted", "24 to 115"),
    ("recorded/thunderbird/netscape-4-77", "4.77"),
    ("recorded/apple-mail/2005", "2005 (Mac OS X 10.4)"),
    ("recorded/apple-mail/2017-altered", "2017 to 2020 (OS X 10.11 to macOS 10.15)"),
    ("recorded/apple-mail/2020", "2017 to 2020 (OS X 10.11 to macOS 10.15)"),
    ("recorded/apple-mail/2025-a", "2022 to 2025 (macOS 12 to 15)"),
    ("recorded/zimbra/10-1-8", "10"),
    ("recorded/evolution/3-36", "3"),
];

/// Recordings that alone show what their client does: without them in the
/// table nobody can know, and nobody must be named.
const ALONE: &[&str] = &[
    "recorded/kmail/octet-stream",
    "recorded/nextcloud-horde/signed",
    "recorded/nextcloud-horde/signed-encrypted",
    // A list of capabilities that no other Outlook has.
    "recorded/outlook/exchange-2024-a",
    "recorded/outlook/exchange-2024-b",
];

/// Every recording that is here and is mail of a client, with its structure.
fn every() -> Option<Vec<(Entry, Fingerprint)>> {
    let (recordings, corpus) = (recordings()?, Corpus::embedded().unwrap());
    let forge = Forge::new(&corpus).with_recordings(&recordings);
    let mut list = Vec::new();
    for entry in corpus.entries() {
        match forge.files(corpus.case(&entry.id).unwrap()) {
            Ok(files) => list.push((entry.clone(), structure(&files))),
            Err(error) => assert!(error.is_not_available(), "{}: {error}", entry.id),
        }
    }
    assert!(list.len() >= 57, "{} recordings", list.len());
    Some(list)
}

fn named(guess: &Guess) -> Option<&str> {
    guess.client.as_deref()
}

#[test]
fn the_right_client_on_every_recording() {
    let Some(every) = every() else { return };
    let clients = Clients::embedded().unwrap();
    let mut right = 0;
    for (entry, fingerprint) in &every {
        let guess = clients.guess(fingerprint);
        let due = expected(entry);
        if entry.client.name == "OpenSSL" || entry.client.name == "BoringSSL" {
            assert!(matches!(named(&guess), None | Some("openssl")), "{}: {guess:#?}", entry.id);
        } else if entry.id == "recorded/nextcloud-horde/signed-encrypted" {
            // What Thunderbird signed, Nextcloud's tests encrypted again.
            assert!(guess.client.is_none() || named(&guess) == due, "{}: {guess:#?}", entry.id);
            assert_eq!(guess.layers[0].client.as_deref(), due, "{}: {guess:#?}", entry.id);
        } else {
            assert_eq!(named(&guess), due, "{}: {guess:#?}", entry.id);
        }
        if let Some((_, version)) = VERSIONS.iter().find(|(id, _)| *id == entry.id) {
            assert_eq!(guess.versions, [*version], "{}: {guess:#?}", entry.id);
        }
        right += usize::from(due.is_some());
    }
    assert_eq!(right, 49);
}

/// What wrote the mails of `vectors/recorded` is known beyond doubt.
#[test]
fn the_programs_that_were_recorded() {
    let (corpus, clients) = (Corpus::embedded().unwrap(), Clients::embedded().unwrap());
    let mut named_so = BTreeMap::new();
    for (folder, provenance) in corpus.recorded().provenances() {
        for mail in &provenance.mail {
            let octets = corpus.recorded_mail(&format!("{folder}/{}.eml", mail.name)).unwrap();
            let files = CaseFiles { message: octets.to_vec(), ..CaseFiles::default() };
            let guess = clients.guess(&structure(&files));
            let right: &[Option<&str>] = match provenance.program.as_str() {
                "thunderbird" => &[Some("thunderbird")],
                // Each has OpenSSL write the mail.
                "openssl" | "crypt-smime" | "php" | "ruby" | "m2crypto" => &[Some("openssl"), None],
                _ => &[None],
            };
            assert!(right.contains(&named(&guess)), "{folder}/{}: {guess:#?}", mail.name);
            *named_so.entry(guess.client).or_insert(0) += 1;
        }
    }
    assert_eq!(named_so[&Some("thunderbird".to_owned())], 20);
    assert!(named_so[&Some("openssl".to_owned())] > 40, "{named_so:?}");
}

#[test]
fn no_recording_is_named_only_because_it_stands_in_the_table() {
    let Some(every) = every() else { return };
    let clients = Clients::embedded().unwrap();
    for (entry, fingerprint) in &every {
        let guess = clients.without(&entry.id).guess(fingerprint);
        let Some(due) = expected(entry) else { continue };
        match named(&guess) {
            None => assert!(ALONE.contains(&entry.id.as_str()), "{}: {guess:#?}", entry.id),
            Some(client) => assert_eq!(client, due, "{}: {guess:#?}", entry.id),
        }
    }
}

#[test]
fn what_the_header_says_of_the_program_counts_nothing() {
    let Some(recordings) = recordings() else { return };
    let corpus = Corpus::embedded().unwrap();
    let forge = Forge::new(&corpus).with_recordings(&recordings);
    let mut files = forge.files(corpus.case("recorded/thunderbird/128-signed").unwrap()).unwrap();
    let honest = structure(&files);
    files.message = [b"X-Mailer: Microsoft Outlook 16.0\r\n", files.message.as_slice()].concat();
    let lying = structure(&files);
    assert_eq!(lying.claims[0].value, "Microsoft Outlook 16.0");
    assert_eq!(lying.layers, honest.layers);
    assert_eq!(named(&Clients::embedded().unwrap().guess(&lying)), Some("thunderbird"));
}

/// The corpus writes in a shape that is nobody's.
#[test]
fn no_client_wrote_what_the_corpus_makes() {
    let (corpus, clients) = (Corpus::embedded().unwrap(), Clients::embedded().unwrap());
    let forge = Forge::new(&corpus);
    let mut looked_at = 0;
    for case in corpus.cases().iter().filter(|case| case.evidence != Evidence::Recorded) {
        let files = forge.files(case).unwrap();
        let Ok(found) = reading(&files).fingerprint(&mut Cursor::new(&files.message)).unwrap() else { continue };
        let guess = clients.guess(&found);
        assert_eq!(guess.client, None, "{}: {guess:#?}", case.id);
        looked_at += 1;
    }
    assert!(looked_at > 500, "{looked_at}");
}

#[test]
fn openssl_is_openssl() {
    if !waxseal_testing::has_openssl() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let openssl = |line: &str| {
        let output = Command::new("openssl").args(line.split(' ')).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=Alice -days 30");
    std::fs::write(dir.path().join("mail"), "Content-Type: text/plain\n\nhello\n".repeat(99)).unwrap();
    let clients = Clients::embedded().unwrap();
    for line in [
        "cms -sign -in mail -out out -signer cert.pem -inkey key.pem",
        "cms -sign -nodetach -in mail -out out -signer cert.pem -inkey key.pem",
        "cms -sign -nodetach -stream -in mail -out out -signer cert.pem -inkey key.pem",
        "smime -sign -in mail -out out -signer cert.pem -inkey key.pem",
        "cms -encrypt -aes-256-cbc -in mail -out out cert.pem",
        "cms -encrypt -stream -aes-128-cbc -in mail -out out cert.pem",
        "smime -encrypt -aes-128-cbc -in mail -out out cert.pem",
    ] {
        openssl(line);
        let message = std::fs::read(dir.path().join("out")).unwrap();
        let guess = clients.guess(&structure(&CaseFiles { message, ..CaseFiles::default() }));
        assert_eq!(named(&guess), Some("openssl"), "{line}: {guess:#?}");
    }
}

#[test]
fn a_person_sees_who_and_why() {
    let Some(recordings) = recordings() else { return };
    let corpus = Corpus::embedded().unwrap();
    let forge = Forge::new(&corpus).with_recordings(&recordings);
    let files = forge.files(corpus.case("recorded/outlook/outlook16-signed").unwrap()).unwrap();
    let shown = text(&Clients::embedded().unwrap().describe(structure(&files)));
    for line in [
        "Outlook for Windows, 2016 to 2024\n",
        "(counts nothing)",
        "  5 for capabilities: aes-256-cbc",
        "  structure:\n",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
}
