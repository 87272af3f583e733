//! `waxseal record import`: mails of the corpus, taken apart as Outlook and
//! Exchange do, come out as they were; and files that are none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "support/outlook.rs"]
mod outlook;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outlook::{Message, Value, field, split, text};
use proptest::prelude::*;
use waxseal::capture::{CaptureError, Captured, read};
use waxseal_forge::Forge;
use waxseal_model::{CaptureForm, Corpus, Proposal};

/// The message of a case.
fn mail(id: &str) -> Vec<u8> {
    let corpus = Corpus::embedded().unwrap();
    let case = corpus.case(id).unwrap_or_else(|| panic!("{id} is no case"));
    Forge::new(&corpus).files(case).unwrap().message
}

/// The CMS object that the body of a mail is.
fn object(mail: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = split(mail).1.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    STANDARD.decode(text).unwrap()
}

const CLEAR: &str = "signed/clear/rsa-sha256";
const OPAQUE: &str = "signed/opaque/rsa";
const ENCRYPTED: &str = "encrypted/cipher/aes-256-cbc";

/// What was signed comes out as it was, from either container, and with it the header.
#[test]
fn a_clear_signed_mail_comes_out_octet_for_octet() {
    let mail = mail(CLEAR);
    let message = Message::clear(&mail);
    for (file, form) in [(message.msg(), CaptureForm::Msg), (message.tnef(), CaptureForm::Tnef)] {
        let captured = read(file).unwrap();
        assert_eq!(captured.form, form);
        assert!(captured.mail == mail, "{form}: {}", String::from_utf8_lossy(&captured.mail));
        assert!(!captured.remade.is_empty());
    }
}

#[test]
fn an_object_comes_out_octet_for_octet() {
    for id in [OPAQUE, ENCRYPTED] {
        let mail = mail(id);
        let object = object(&mail);
        let message = Message::opaque(&mail, &object);
        for file in [message.msg(), message.tnef()] {
            let captured = read(file).unwrap();
            assert!(self::object(&captured.mail) == object, "{id}");
            assert_eq!(split(&captured.mail).0, split(&mail).0, "{id}: its header");
            assert!(captured.mail.split(|octet| *octet == b'\n').all(|line| line.len() <= 77 || line.contains(&b':')));
        }
    }
}

/// A mail that was sent has no header that was received; what it was is in a named property.
#[test]
fn a_mail_without_a_header_gets_one_from_properties() {
    let mail = mail(ENCRYPTED);
    let object = object(&mail);
    let mut message = Message::opaque(&mail, &object).without(0x007D);
    message.set(0x0C1A, text("Älice"));
    message.set(0x5D01, Value::Octet(b"alice@example.test".to_vec()));
    message.set(0, Value::ContentType("application/x-pkcs7-mime;\r\n\tname=\"smime.p7m\"".to_owned()));
    let person = |name: &str, address: &str, kind| {
        vec![(0x3001, text(name)), (0x39FE, text(address)), (0x0C15, Value::Number(kind))]
    };
    message.recipients = vec![person("Bob", "bob@example.test", 1), person("Carl", "carl@example.test", 3)];
    for file in [message.msg(), message.tnef()] {
        let captured = read(file).unwrap();
        let (header, _) = split(&captured.mail);
        assert_eq!(
            String::from_utf8_lossy(header),
            "From: =?utf-8?B?w4RsaWNl?= <alice@example.test>\r\nTo: \"Bob\" <bob@example.test>\r\n\
             Subject: a subject\r\nDate: Mon, 30 Dec 2024 02:40:00 +0000\r\n\
             Content-Type: application/x-pkcs7-mime; name=\"smime.p7m\"\r\n\
             Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"smime.p7m\"\r\n\
             MIME-Version: 1.0\r\n"
        );
        assert!(self::object(&captured.mail) == object);
    }
}

/// A mail around winmail.dat, as Exchange sends it.
fn around(attachment: &[u8]) -> Vec<u8> {
    let lines: Vec<_> = attachment.chunks(57).map(|line| STANDARD.encode(line) + "\r\n").collect();
    format!(
        "From: <alice@example.test>\r\nX-Mailer: Microsoft Outlook 16.0\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee attachment\r\n\
         --b\r\nContent-Type: application/ms-tnef; name=\"winmail.dat\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         {}\r\n--b--\r\n",
        lines.concat()
    )
    .into_bytes()
}

#[test]
fn winmail_dat_is_found_in_a_mail() {
    let mail = mail(CLEAR);
    let captured = read(around(&Message::clear(&mail).tnef())).unwrap();
    assert_eq!(captured.form, CaptureForm::TnefInMail);
    let (header, body) = split(&captured.mail);
    let header = String::from_utf8_lossy(header);
    assert!(body == split(&mail).1, "{header}");
    assert!(header.contains("X-Mailer: Microsoft Outlook 16.0\r\n") && header.contains("multipart/signed"), "{header}");
    assert!(!header.contains("multipart/mixed"), "{header}");
    // A mail without one is what it is.
    let captured = read(mail.clone()).unwrap();
    assert_eq!(captured, Captured { mail, form: CaptureForm::Mail, remade: Vec::new() });
}

/// Outlook's own format, signed clear: winmail.dat lies inside what was signed,
/// and there is no other way to have the mail than as it is.
#[test]
fn winmail_dat_below_a_signature_stays_where_it_is() {
    let clear = mail(CLEAR);
    // One of an ordinary mail in that format, one of a signed mail, one damaged.
    let mut plain = Message::clear(&clear);
    plain.set(0x001A, text("IPM.Note"));
    plain.attachments.clear();
    for tnef in [plain.tnef(), Message::clear(&clear).tnef(), b"no TNEF".to_vec()] {
        let content = around(&tnef);
        let (header, body) = split(&content);
        let content_type = [field(header, "content-type"), b"\r\n".to_vec(), body.to_vec()].concat();
        let signed = String::from_utf8(content_type).unwrap();
        let mail = format!(
            "From: <alice@example.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; micalg=sha-256;\r\n\
             \tprotocol=\"application/pkcs7-signature\"; boundary=s\r\n\r\n--s\r\n{signed}\r\n\
             --s\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--s--\r\n",
            signature(&clear)
        )
        .into_bytes();
        let captured = read(mail.clone()).unwrap();
        assert_eq!(captured, Captured { mail: mail.clone(), form: CaptureForm::Mail, remade: Vec::new() });
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mail.eml"), mail).unwrap();
        let options = ["mail.eml", "--client", "x", "--version", "unknown", "--publish", "no"];
        let output = import(dir.path(), &options);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
}

/// The base64 of the signature of a clear-signed mail.
fn signature(mail: &[u8]) -> String {
    let mail = String::from_utf8_lossy(mail);
    let part = mail.rsplit("pkcs7-signature").next().unwrap();
    part.split("\r\n\r\n").nth(1).unwrap().split("\r\n--").next().unwrap().to_owned()
}

#[test]
fn damage_is_told_with_its_place() {
    let message = Message::clear(&mail(CLEAR));
    let tnef = message.tnef();
    let fault = |file: &[u8]| read(file.to_vec()).unwrap_err().to_string();
    let mut changed = tnef.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let error = fault(&changed);
    assert!(error.contains("winmail.dat/attAttachment 0x00069005, offset ") && error.contains("checksum"), "{error}");
    let error = fault(&tnef[..tnef.len() - 60]);
    assert!(error.contains("fewer are left"), "{error}");
    // A list that says it has more properties than there are.
    let at = tnef.windows(4).position(|window| window == 0x0006_9003_u32.to_le_bytes()).unwrap();
    let length = u32::from_le_bytes(tnef[at + 4..at + 8].try_into().unwrap()) as usize;
    let mut changed = tnef.clone();
    changed[at + 8] += 1;
    let sum = u16::from_le_bytes(changed[at + 8 + length..at + 10 + length].try_into().unwrap()) + 1;
    changed[at + 8 + length..at + 10 + length].copy_from_slice(&sum.to_le_bytes());
    let error = fault(&changed);
    assert!(error.contains("attMsgProps 0x00069003") && error.contains("it ends within"), "{error}");
    let msg = message.msg();
    assert!(fault(&msg[..600]).starts_with("compound file: "), "{}", fault(&msg[..600]));
    let mut two = message.clone();
    two.attachments.push(two.attachments[0].clone());
    assert!(fault(&two.msg()).contains("exactly one, and this has 2"), "{}", fault(&two.msg()));
    let mut plain = message.clone();
    plain.set(0x001A, text("IPM.Note"));
    plain.attachments[0] = vec![(0x3701, Value::Binary(b"x".to_vec())), (0x3707, text("a.pdf"))];
    for file in [plain.msg(), plain.tnef()] {
        let error = read(file).unwrap_err();
        assert!(matches!(&error, CaptureError::Unsuitable(why) if why.contains("IPM.Note:")), "{error}");
    }
    assert_eq!(read(b"what is this?\n".to_vec()).unwrap_err(), CaptureError::NotAMessage);
    assert!(fault(b"From a@b Mon Nov 23 00:00:00 2026\n").contains("an mbox"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Whatever the octets are, there is an answer, and what comes out is bounded by what went in.
    #[test]
    fn random_octets_never_panic(kind in 0..4_usize, octets in prop::collection::vec(any::<u8>(), 0..3000)) {
        let start: &[u8] = match kind {
            0 => &[0x78, 0x9F, 0x3E, 0x22, 1, 0],
            1 => &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1],
            2 => b"Content-Type: application/ms-tnef\r\n\r\n",
            _ => &[],
        };
        let file = [start, &octets].concat();
        let length = file.len();
        if let Ok(captured) = read(file) {
            prop_assert!(captured.mail.len() <= 2 * length + 10_000);
        }
    }

    /// Nor what nearly is one of the containers.
    #[test]
    fn changed_containers_never_panic(
        tnef in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        end in any::<prop::sample::Index>(),
        cut in prop::bool::weighted(0.2),
    ) {
        let containers = containers();
        let mut file = if tnef { containers.0.clone() } else { containers.1.clone() };
        for (index, octet) in changes {
            // The structure stands at the start; the rest is content.
            let size = file.len();
            file[index.index(size.min(6000))] = octet;
        }
        if cut {
            let size = file.len();
            file.truncate(end.index(size));
        }
        let length = file.len();
        if let Ok(captured) = read(file) {
            prop_assert!(captured.mail.len() <= 2 * length + 10_000);
        }
    }
}

fn containers() -> &'static (Vec<u8>, Vec<u8>) {
    static CONTAINERS: std::sync::OnceLock<(Vec<u8>, Vec<u8>)> = std::sync::OnceLock::new();
    CONTAINERS.get_or_init(|| {
        let message = Message::clear(&mail(CLEAR));
        (message.tnef(), message.msg())
    })
}

fn import(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_waxseal"))
        .args(["record", "import"])
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(dir).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn what_nobody_can_be_asked_is_asked_of_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mail.msg"), Message::clear(&mail(CLEAR)).msg()).unwrap();
    let output = import(dir.path(), &["mail.msg"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    for line in
        ["--client NAME", "--version V, or --version unknown", "--publish yes, or --publish no", "content in part 1.1"]
    {
        assert!(said(&output).contains(line), "{line}: {}", said(&output));
    }
    assert_eq!(files(dir.path()), ["mail.msg"]);
}

#[test]
fn without_permission_only_facts_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let mail = mail(CLEAR);
    std::fs::write(dir.path().join("mail.msg"), Message::clear(&mail).msg()).unwrap();
    let client = ["--client", "Outlook", "--version", "16.0.18025", "--captured", "2026-11-22"];
    let private = [&["mail.msg", "--publish", "no", "-o", "out", "--id", "recorded/outlook/new"], &client[..]].concat();
    let output = import(dir.path(), &private);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("--keep FILE does it"), "{}", said(&output));
    assert_eq!(files(dir.path()), ["mail.msg", "out/outlook/new.toml"]);
    let written = std::fs::read_to_string(dir.path().join("out/outlook/new.toml")).unwrap();
    assert!(!written.contains('@') && !written.contains("a subject"), "{written}");
    let proposal: Proposal = toml::from_str(&written).unwrap();
    assert!(proposal.private && proposal.client.version.as_deref() == Some("16.0.18025"), "{written}");
    assert_eq!(proposal.capture.form, CaptureForm::Msg);
    assert_eq!(proposal.observed.layers.len(), 1);
    // Nothing that is there is replaced.
    let again = import(dir.path(), &private);
    assert_eq!(again.status.code(), Some(2));
    assert!(
        said(&again).contains("out/outlook/new.toml: is there already; give another --id or -o"),
        "{}",
        said(&again)
    );

    // The mail for oneself, and with permission for everybody.
    let kept = [&["mail.msg", "--publish", "no", "-o", "two", "--keep", "own/mail.eml"], &client[..]].concat();
    assert_eq!(import(dir.path(), &kept).status.code(), Some(0));
    assert!(std::fs::read(dir.path().join("own/mail.eml")).unwrap() == mail);
    let elsewhere = [&["mail.msg", "--publish", "no", "-o", "four", "--keep", "own/mail.eml"], &client[..]].concat();
    let again = import(dir.path(), &elsewhere);
    assert_eq!(again.status.code(), Some(2));
    assert!(said(&again).contains("own/mail.eml: is there already; give another --keep"), "{}", said(&again));
    let public = [&["mail.msg", "--publish", "yes", "-o", "three", "--json"], &client[..]].concat();
    let output = import(dir.path(), &public);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = report["id"].as_str().unwrap();
    assert!(id.starts_with("recorded/outlook/16-0-18025-"), "{report}");
    assert_eq!((report["published"].as_bool(), report["files"].as_array().unwrap().len()), (Some(true), 2));
    let stored = dir.path().join("three").join(format!("{}.eml", id.trim_start_matches("recorded/")));
    assert!(std::fs::read(stored).unwrap() == mail);
}

#[test]
fn a_client_that_names_itself_is_believed_and_said_how() {
    let dir = tempfile::tempdir().unwrap();
    let mail = [b"X-Mailer: iPhone Mail (22F76)\r\n".to_vec(), mail(OPAQUE)].concat();
    std::fs::write(dir.path().join("mail.eml"), mail).unwrap();
    let output = import(dir.path(), &["mail.eml", "--publish", "no", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let client = &report["client"];
    assert_eq!(
        [&client["name"], &client["version"], &client["known_by"]].map(|one| one.as_str().unwrap()),
        ["iPhone Mail", "22F76", "X-Mailer"]
    );
    assert_eq!(report["capture"]["form"], "mail");
    // What stands in the object is listed, not only the object.
    assert_private(&report, "content", "part 1/signed-data/1", "text/plain, ");
    assert_private(&report, "certificate", "certificate of 1/signed-data", "Alice");
}

/// That a report lists something of a kind at a place.
fn assert_private(report: &serde_json::Value, kind: &str, place: &str, value: &str) {
    let is_it = |one: &serde_json::Value| {
        one["kind"] == kind && one["place"] == place && one["value"].as_str().unwrap().contains(value)
    };
    assert!(report["private"].as_array().unwrap().iter().any(is_it), "{kind} {value} in {place}: {report:#}");
}

/// Whatever a layer hides from who has no S/MIME, it hides nothing from who has no key.
#[test]
fn what_can_be_opened_without_a_key_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/pki");
    let pem = |name: &str| pki.join(name).display().to_string();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waxseal"));
        let output = command.args(arguments).current_dir(dir.path()).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    };
    let mut tnef = Message::clear(&mail(CLEAR));
    tnef.set(0x001A, text("IPM.Note"));
    tnef.set(0x1000, text("as eve@firm.de wrote"));
    tnef.recipients = vec![vec![(0x3001, text("Dora Miller")), (0x39FE, text("dora@firm.de"))]];
    tnef.attachments[0] =
        vec![(0x3701, Value::Binary(b"for fay@firm.de".to_vec())), (0x3707, text("Report-Miller.txt"))];
    let mail = format!(
        "From: <alice@example.test>\r\nSubject: outside\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
         Please tell carl@firm.de, IBAN DE02 1203 0000 0000 2020 51\r\n\
         --b\r\nContent-Type: application/octet-stream; name=\"Diagnosis-Miller.pdf\"\r\n\r\nfor bea@firm.de\r\n\
         --b\r\nContent-Type: application/ms-tnef; name=\"winmail.dat\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         {}\r\n--b--\r\n",
        STANDARD.encode(tnef.tnef())
    );
    std::fs::write(dir.path().join("mail.eml"), mail).unwrap();
    let (key, certificate, ca, other) =
        (pem("alice.key.pem"), pem("alice.cert.pem"), pem("intermediate.cert.pem"), pem("bob.cert.pem"));
    let sign = ["sign", "mail.eml", "--form", "opaque", "--key", &key, "--cert", &certificate];
    run(&[&sign[..], &["--extra-cert", &ca, "--extra-cert", &other, "-o", "signed.eml"]].concat());
    run(&["compress", "mail.eml", "-o", "compressed.eml"]);
    run(&["digest", "mail.eml", "-o", "digested.eml"]);
    run(&["compress", "signed.eml", "-o", "both.eml"]);
    for (file, layer) in [
        ("signed.eml", "1/signed-data"),
        ("compressed.eml", "1/compressed-data"),
        ("digested.eml", "1/digested-data"),
        ("both.eml", "1/compressed-data/1/signed-data"),
    ] {
        let output = import(
            dir.path(),
            &[
                file,
                "--client",
                "x",
                "--version",
                "1",
                "--publish",
                "no",
                "--json",
                "-o",
                file.trim_end_matches(".eml"),
            ],
        );
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let part = |number: u32| format!("part {layer}/1.{number}");
        assert_private(&report, "address", &part(1), "carl@firm.de");
        assert_private(&report, "content", &part(1), "text/plain, 58 octets");
        assert_private(&report, "file-name", &part(2), "Diagnosis-Miller.pdf");
        assert_private(&report, "content", &part(2), "application/octet-stream, 15 octets");
        assert_private(&report, "address", &part(2), "bea@firm.de");
        let tnef = |path: &str| format!("{}: winmail.dat/{path}", part(3));
        let message = tnef("attMsgProps 0x00069003/property ");
        assert_private(&report, "subject", &format!("{message}0x0037001F PidTagSubject"), "a subject");
        assert_private(&report, "address", &format!("{message}0x1000001F"), "eve@firm.de");
        let recipient = tnef("attRecipTable 0x00069004/property ");
        assert_private(&report, "name", &format!("{recipient}0x3001001F PidTagDisplayName"), "Dora Miller");
        assert_private(&report, "address", &format!("{recipient}0x39FE001F PidTagSmtpAddress"), "dora@firm.de");
        assert_private(&report, "address", &tnef("attAttachData 0x0006800F"), "fay@firm.de");
        let name = tnef("attAttachment 0x00069005/property 0x3707001F PidTagAttachLongFilename");
        assert_private(&report, "file-name", &name, "Report-Miller.txt");
        // Every certificate, not only that of who signed.
        if layer.ends_with("signed-data") {
            for of in ["Alice", "Bob", "Example Mail CA"] {
                assert_private(&report, "certificate", &format!("certificate of {layer}"), of);
            }
        }
    }
    // Of what nobody can open without a key, that is said.
    std::fs::write(dir.path().join("encrypted.eml"), self::mail(ENCRYPTED)).unwrap();
    let output = import(dir.path(), &["encrypted.eml", "--client", "x", "--version", "1", "--publish", "no", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_private(&report, "content", "1/enveloped-data", "encrypted, which was not opened");
}

#[test]
fn exit_codes_are_those_of_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let exit = |name: &str, octets: &[u8]| {
        std::fs::write(dir.path().join(name), octets).unwrap();
        let output = import(dir.path(), &[name, "--client", "x", "--version", "unknown", "--publish", "no"]);
        (output.status.code().unwrap(), said(&output))
    };
    let message = Message::clear(&mail(CLEAR));
    let mut damaged = message.tnef();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert_eq!(exit("damaged.dat", &damaged).0, 1);
    let plain = exit("plain.eml", b"From: <a@example.test>\r\n\r\nhello\r\n");
    assert!(plain.0 == 2 && plain.1.contains("nothing to record"), "{plain:?}");
    assert_eq!(exit("photo.jpg", &[0xFF, 0xD8, 0xFF, 0xE0]).0, 3);
    assert_eq!(exit("box", b"From a@b Mon Nov 23 00:00:00 2026\n").0, 2);
    let output = import(dir.path(), &["nowhere.msg"]);
    assert_eq!(output.status.code(), Some(2));
    // What the catalogue has is named, where the recordings are here.
    if let Some(known) = waxseal_testing::shared("recordings/outlook/outlook16-rx-signed.eml") {
        let octets = std::fs::read(known).unwrap();
        let (code, text) = exit("known.eml", &octets);
        assert!(code == 2 && text.contains("the catalogue has it, as recorded/outlook/outlook16-signed"), "{text}");
        // With one more field it is another mail, and its structure is still that of Outlook: a guess, no fact.
        let mail = [b"X-Kept: by hand\r\n".to_vec(), octets].concat();
        std::fs::write(dir.path().join("outlook.msg"), Message::clear(&mail).msg()).unwrap();
        let output = import(dir.path(), &["outlook.msg", "--publish", "no", "--json"]);
        let text = said(&output);
        assert!(output.status.code() == Some(0) || text.contains("its structure is that of"), "{text}");
        assert!(text.contains("Outlook"), "{text}");
    }
}

/// Other programs read what the writers of this test write, so these are no files that only we understand.
#[test]
fn other_programs_know_the_containers() {
    let dir = tempfile::tempdir().unwrap();
    let mail = mail(CLEAR);
    let message = Message::clear(&mail);
    std::fs::write(dir.path().join("mail.msg"), message.msg()).unwrap();
    std::fs::write(dir.path().join("winmail.dat"), message.tnef()).unwrap();
    let run = |program: &str, arguments: &[&str]| match Command::new(program)
        .args(arguments)
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .output()
    {
        Ok(output) => Some(output),
        Err(error) => {
            waxseal_testing::not_installed(format_args!("{program}: {error}"));
            None
        }
    };
    let body = String::from_utf8_lossy(split(&mail).1).into_owned();
    let line = body.lines().find(|line| line.len() > 20).unwrap();
    if let Some(output) = run("tnef", &["--overwrite", "winmail.dat"]) {
        assert!(output.status.success(), "{}", said(&output));
        let found = files(dir.path()).into_iter().filter(|name| !["mail.msg", "winmail.dat"].contains(&name.as_str()));
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(std::fs::read_to_string(dir.path().join(&found[0])).unwrap().contains(line));
    }
    if let Some(output) = run("ytnef", &["-v", "winmail.dat"]) {
        assert!(output.status.success() && !said(&output).to_lowercase().contains("checksum"), "{}", said(&output));
    }
    if let Some(output) = run("msgconvert", &["--outfile", "converted.eml", "mail.msg"]) {
        assert!(output.status.success(), "{}", said(&output));
        let converted = std::fs::read_to_string(dir.path().join("converted.eml")).unwrap();
        assert!(converted.contains("SMIME.txt"), "{converted}");
    }
}
