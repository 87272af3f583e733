//! Header protection on reading: the mails of RFC 9788 appendix C, and mails
//! that OpenSSL signed and encrypted around payloads written here, altered in
//! one place each.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use proptest::prelude::*;
use support::{Bench, Person, RSA};
use time::OffsetDateTime;
use time::macros::datetime;
use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{Credential, OpenRequest, open};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, PrivateKey, ProviderChoice};
use waxseal_testing::shared;
use waxseal_verdict::HeaderState::{EncryptedOnly, SignedAndEncrypted, SignedOnly, Unprotected};
use waxseal_verdict::{Aspect, Deviation, HeaderScheme, HeaderState, Overall, Reason, Verdict};

fn judge(mail: &str, credentials: &[Credential<'_>], anchors: &[Certificate], at: OffsetDateTime) -> Verdict {
    let policy = Policy::named("default").unwrap();
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let limits = Limits::default();
    let request = OpenRequest { credentials, anchors, ..OpenRequest::new(at, &policy, &arithmetic, &limits) };
    open(&mut Cursor::new(mail.as_bytes()), None, &mut MemoryWorkspace, &request).unwrap().verdict
}

/// Name and state of every field.
fn states(verdict: &Verdict) -> Vec<(&str, HeaderState)> {
    verdict.headers.iter().map(|(name, field)| (name.as_str(), field.state)).collect()
}

fn state(verdict: &Verdict, name: &str) -> HeaderState {
    verdict.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", verdict.headers)).state
}

/// The detail of the bad coverage of the innermost layer.
fn contradicted(verdict: &Verdict) -> &str {
    match &verdict.layers.last().unwrap().coverage {
        Aspect::Bad(bad) => {
            assert_eq!(bad.reason, Reason::OuterHeaderDiffers, "{}", bad.detail);
            bad.detail.strip_prefix("the outer header contradicts the protected ").unwrap()
        }
        other => panic!("coverage is {other}"),
    }
}

fn is_clean(verdict: &Verdict) {
    for layer in &verdict.layers {
        assert!(layer.coverage.is_good(), "{:?}", layer.coverage);
        assert!(!layer.identity.is_bad(), "{:?}", layer.identity);
        assert!(!layer.deviations.contains(&Deviation::HpWrong), "{:?}", layer.deviations);
    }
}

/// The mails of RFC 9788, the recipient of RFC 9216, and its authority.
struct Published {
    mails: PathBuf,
    bob: PrivateKey,
    certificate: Certificate,
    authority: Certificate,
}

impl Published {
    fn new() -> Option<Self> {
        let mails = shared("oracles/rfc9788")?;
        let keys = shared("oracles/rfc9216")?;
        let certificate = |name: &str| Certificate::from_file(&fs::read(keys.join(name)).unwrap()).unwrap().remove(0);
        let pem = fs::read_to_string(keys.join("s5.4.private_key.pem")).unwrap();
        Some(Self {
            mails,
            bob: PrivateKey::from_pem(&pem, None).unwrap(),
            certificate: certificate("s5.3.certificate.pem"),
            authority: certificate("s3.1.certificate.pem"),
        })
    }

    fn mail(&self, section: &str) -> String {
        let files = fs::read_dir(&self.mails).unwrap().map(|entry| entry.unwrap().path());
        let named = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with(&format!("{section}-")) && name.ends_with(".eml")
        };
        fs::read_to_string(files.into_iter().find(named).unwrap()).unwrap().replace("\r\n", "\n")
    }

    fn judge(&self, mail: &str) -> Verdict {
        let credentials = [Credential { decryptor: &self.bob, certificate: Some(self.certificate.clone()) }];
        judge(mail, &credentials, std::slice::from_ref(&self.authority), datetime!(2021-02-21 0:00 UTC))
    }
}

#[test]
fn the_mails_of_rfc_9788_have_the_states_that_it_gives() {
    let Some(published) = Published::new() else { return };
    let text = fs::read_to_string(published.mails.join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = expected.as_array().unwrap();
    assert_eq!(expected.len(), 8);
    for mail in expected {
        let field = |name: &str| mail[name].as_str().unwrap_or_default();
        let section = field("section");
        let verdict = published.judge(&published.mail(section));
        is_clean(&verdict);
        assert!(verdict.layers.last().unwrap().integrity.is_good(), "{section}: {:?}", verdict.layers);
        let scheme = verdict.header_protection.as_ref().map_or("none", |protection| protection.scheme.code());
        assert_eq!(scheme, field("hp"), "{section}");
        if field("hp") == "none" {
            assert!(verdict.headers.is_empty(), "{section}: {:?}", verdict.headers);
            continue;
        }
        let subject = &verdict.headers["subject"];
        assert_eq!(subject.protected, [field("protected_subject")], "{section}");
        let outer = subject.outer.as_ref().unwrap_or(&subject.protected);
        assert_eq!(outer, &[field("outer_subject")], "{section}");
        assert!(verdict.headers["from"].protected[0].contains(field("from_")), "{section}");
        // hcp_baseline hides the Subject, hcp_shy zone and display names too
        // (RFC 9788 sections 3.2.1 and 3.2.2); what is not hidden is signed.
        let hidden: &[&str] = match section {
            "C.3.1" | "C.3.2" => &["subject"],
            "C.3.3" => &["date", "from", "subject", "to"],
            _ => &[],
        };
        let names = ["date", "from", "message-id", "subject", "to", "user-agent"];
        let state = |name: &str| if hidden.contains(&name) { SignedAndEncrypted } else { SignedOnly };
        assert_eq!(states(&verdict), names.map(|name| (name, state(name))), "{section}");
        let differs = verdict.headers.iter().filter(|(_, field)| field.outer.is_some()).map(|(name, _)| name.as_str());
        assert_eq!(differs.collect::<Vec<_>>(), hidden, "{section}");
        let legacy = verdict.header_protection.unwrap().legacy_display;
        assert_eq!(legacy.len(), usize::from(section == "C.3.2"), "{section}: {legacy:?}");
    }
}

#[test]
fn what_is_changed_outside_the_mails_of_rfc_9788_is_named() {
    let Some(published) = Published::new() else { return };
    let alter = |section: &str, from: &str, to: &str| {
        let mail = published.mail(section);
        let (header, body) = mail.split_once("\n\n").unwrap();
        assert!(header.contains(from), "{section}: {from}");
        published.judge(&format!("{}\n\n{body}", header.replacen(from, to, 1)))
    };
    for section in ["C.2.1", "C.2.2", "C.2.4", "C.2.5", "C.3.1", "C.3.2", "C.3.3"] {
        let subject = alter(section, "\nSubject: ", "\nSubject: Re: ");
        assert_eq!(contradicted(&subject), "Subject", "{section}");
        assert_eq!(subject.overall, Overall::Warning, "{section}");
        let from = alter(section, "alice@smime.example", "mallory@smime.example");
        assert_eq!(contradicted(&from), "From", "{section}");
        let layer = from.layers.last().unwrap();
        assert!(layer.identity.is_good(), "{section}: the protected From is the signer's: {:?}", layer.identity);
        let to = alter(section, "bob@smime.example", "bob@smime.example, carol@smime.example");
        assert_eq!(contradicted(&to), "To", "{section}");
        let date = alter(section, "2021", "2022");
        assert_eq!(contradicted(&date), "Date", "{section}");
        assert!(date.layers.last().unwrap().time.is_good(), "{section}: the protected Date counts");
        let both = alter(section, "\nMessage-ID: <", "\nMessage-ID: <x");
        assert_eq!(contradicted(&both), "Message-ID", "{section}");
        // A reader ignores what stands outside only (RFC 9788 section 4.4.4).
        let added = alter(section, "\nFrom: ", "\nReceived: by mx\nReply-To: mallory@smime.example\nFrom: ");
        is_clean(&added);
        assert_eq!(state(&added, "reply-to"), Unprotected, "{section}");
        assert!(added.headers["reply-to"].protected.is_empty() && !added.headers.contains_key("received"));
    }
    // Without protection nobody can tell, but for who signed.
    let bare = alter("C.1.8", "\nSubject: ", "\nSubject: Re: ");
    is_clean(&bare);
    let bare = alter("C.1.8", "alice@smime.example", "mallory@smime.example");
    assert_eq!(bare.layers[1].identity.reason(), Some(Reason::AddressMismatch));
}

#[test]
fn a_list_that_wraps_the_mail_takes_the_protection_of_its_header() {
    let Some(published) = Published::new() else { return };
    let mail = published.mail("C.2.1");
    let split = mail.find("Subject:").unwrap();
    let (fields, body) = mail[split..].split_once("\n\n").unwrap();
    let verdict = published.judge(&format!(
        "{fields}\nContent-Type: multipart/mixed; boundary=list\n\n--list\n{}\n{body}\n--list\n\nfooter\n--list--\n",
        &mail[..split]
    ));
    assert!(verdict.headers.is_empty(), "{:?}", verdict.headers);
    assert_eq!(verdict.layers[0].coverage.reason(), Some(Reason::UnsignedContentShown));
}

/// Ann writes to Ben; OpenSSL signs and encrypts.
struct Made {
    bench: Bench,
    ann: Person,
    ben: Person,
}

const FIELDS: &str =
    "Subject: real\r\nFrom: Ann <ann@example.test>\r\nTo: ben@example.test\r\nMessage-ID: <1@example.test>\r\n";
const OUTER: &str =
    "Subject: [...]\r\nFrom: Ann <ann@example.test>\r\nTo: ben@example.test\r\nMessage-ID: <1@example.test>\r\n";

impl Made {
    fn new() -> Option<Self> {
        let bench = Bench::new()?;
        let (ann, ben) = (bench.person("ann", RSA, ""), bench.person("ben", RSA, ""));
        Some(Self { bench, ann, ben })
    }

    fn signed(&self, payload: &str) -> String {
        let file = self.bench.write("payload", payload.as_bytes());
        let arguments = ["cms", "-sign", "-binary", "-nodetach", "-outform", "PEM", "-in", support::text(&file)];
        let who = ["-signer", support::text(&self.ann.certificate_file), "-inkey", support::text(&self.ann.key_file)];
        entity("signed-data", &self.bench.run(&[&arguments[..], &who].concat()))
    }

    fn encrypted(&self, payload: &str) -> String {
        let file = self.bench.write("payload", payload.as_bytes());
        let arguments = ["cms", "-encrypt", "-binary", "-aes-256-cbc", "-outform", "PEM", "-in", support::text(&file)];
        let who = [support::text(&self.ben.certificate_file)];
        entity("enveloped-data", &self.bench.run(&[&arguments[..], &who].concat()))
    }

    fn judge(&self, mail: &str) -> Verdict {
        let credentials = [Credential { decryptor: &self.ben.key, certificate: Some(self.ben.certificate.clone()) }];
        judge(mail, &credentials, std::slice::from_ref(&self.ann.certificate), OffsetDateTime::now_utc())
    }
}

fn entity(smime_type: &str, pem: &[u8]) -> String {
    let text = std::str::from_utf8(pem).unwrap().lines().filter(|line| !line.starts_with("-----"));
    let kind = format!("application/pkcs7-mime; smime-type={smime_type}; name=smime.p7m");
    let text = text.collect::<Vec<_>>().join("\r\n");
    format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n{text}\r\n")
}

fn payload(fields: &str, hp: &str) -> String {
    format!("{fields}Content-Type: text/plain{hp}\r\n\r\nhello\r\n")
}

/// HP-Outer for every field of a header section.
fn hp_outer(fields: &str) -> String {
    fields.lines().map(|line| format!("HP-Outer: {line}\r\n")).collect()
}

#[test]
fn the_state_follows_layers_and_hp_outer() {
    let Some(made) = Made::new() else { return };
    let cipher = payload(&format!("{FIELDS}{}", hp_outer(OUTER)), "; hp=\"cipher\"");
    let clear = payload(FIELDS, "; hp=clear");
    let hidden = |state| [("from", SignedOnly), ("message-id", SignedOnly), ("subject", state), ("to", SignedOnly)];
    let sign = |entity: &str| made.signed(entity);
    let encrypt = |entity: &str| made.encrypted(entity);

    let both = made.judge(&format!("{OUTER}{}", encrypt(&sign(&cipher))));
    assert_eq!(states(&both), hidden(SignedAndEncrypted));
    assert_eq!(both.headers["subject"].hp_outer, ["[...]"]);
    assert_eq!(both.layers.len(), 2);
    is_clean(&both);
    // Signed outside, encrypted inside: the payload is the same.
    let turned = made.judge(&format!("{OUTER}{}", sign(&encrypt(&cipher))));
    assert_eq!(states(&turned), hidden(SignedAndEncrypted));
    is_clean(&turned);
    let triple = made.judge(&format!("{OUTER}{}", sign(&encrypt(&sign(&cipher)))));
    assert_eq!((states(&triple), triple.layers.len()), (hidden(SignedAndEncrypted).to_vec(), 3));

    let unsigned = made.judge(&format!("{OUTER}{}", encrypt(&cipher)));
    let only = [("from", Unprotected), ("message-id", Unprotected), ("subject", EncryptedOnly), ("to", Unprotected)];
    assert_eq!(states(&unsigned), only);
    is_clean(&unsigned);
    // A signature that does not hold signs nothing.
    let mut broken = sign(&clear);
    let at = broken.len() - 40;
    broken.replace_range(at..=at, if broken[at..].starts_with('A') { "B" } else { "A" });
    let broken = made.judge(&format!("{FIELDS}{broken}"));
    assert_eq!(broken.layers[0].integrity.reason(), Some(Reason::SignatureMismatch));
    let found = states(&broken);
    assert!(!found.is_empty() && found.iter().all(|(_, state)| *state == Unprotected), "{:?}", broken.headers);

    // Nothing is hidden in what is not encrypted, or says hp=clear.
    for (mail, deviates) in [
        (format!("{FIELDS}{}", sign(&clear)), false),
        (format!("{OUTER}{}", sign(&cipher)), true),
        (format!("{FIELDS}{}", encrypt(&sign(&clear))), true),
    ] {
        let verdict = made.judge(&mail);
        assert_eq!(states(&verdict), hidden(SignedOnly));
        let found = verdict.layers.last().unwrap().deviations.contains(&Deviation::HpWrong);
        assert_eq!(found, deviates, "{mail}");
        assert!(verdict.layers.last().unwrap().coverage.is_good(), "{mail}");
    }
    // HP-Outer means nothing with hp=clear (RFC 9788 section 2.2).
    let ignored = payload(&format!("{FIELDS}{}", hp_outer(OUTER)), "; hp=clear");
    let ignored = made.judge(&format!("{OUTER}{}", encrypt(&sign(&ignored))));
    assert_eq!((state(&ignored, "subject"), contradicted(&ignored)), (SignedOnly, "Subject"));
    assert!(ignored.headers["subject"].hp_outer.is_empty());
    // A field that was taken away outside has no HP-Outer (RFC 9788 section 2.2).
    let removed = payload(&format!("Keywords: secret\r\n{FIELDS}{}", hp_outer(OUTER)), "; hp=cipher");
    let removed = made.judge(&format!("{OUTER}{}", encrypt(&sign(&removed))));
    assert_eq!(state(&removed, "keywords"), SignedAndEncrypted);
    assert_eq!(removed.headers["keywords"].outer.as_deref(), Some([].as_slice()));
    is_clean(&removed);
}

#[test]
fn what_contradicts_hp_outer_is_named() {
    let Some(made) = Made::new() else { return };
    let cipher = payload(&format!("{FIELDS}{}", hp_outer(OUTER)), "; hp=cipher");
    let inside = made.encrypted(&made.signed(&cipher));
    for (outer, what) in [
        (OUTER.replace("[...]", "Invoice"), "Subject"),
        // Whoever wrote that outside could read what is inside.
        (OUTER.replace("[...]", "real"), "Subject"),
        (OUTER.replace("To: ", "To: eve@example.test, "), "To"),
        (OUTER.replace("ann@example.test>", "eve@example.test>").replace("[...]", "x"), "From, Subject"),
        (OUTER.replace("From: Ann", "From: eve@example.test\r\nFrom: Ann"), "From"),
    ] {
        let verdict = made.judge(&format!("{outer}{inside}"));
        assert_eq!(contradicted(&verdict), what, "{outer}");
        assert_eq!(verdict.overall, Overall::Warning, "{outer}");
    }
    for outer in [
        OUTER.replace("To: ben@example.test\r\n", ""),
        OUTER.replace("From: Ann", "From: \"Ann\""),
        OUTER.replace("To: ben", "To:\r\n  ben"),
        format!("Received: by mx\r\n{OUTER}X-Spam: no\r\nCc: eve@example.test\r\n"),
    ] {
        is_clean(&made.judge(&format!("{outer}{inside}")));
    }
}

#[test]
fn a_from_that_the_sender_changed_needs_a_signature_bound_to_the_other() {
    let Some(made) = Made::new() else { return };
    let outer = OUTER.replace("Ann <ann@example.test>", "list@example.test");
    let inside = payload(&format!("{FIELDS}{}", hp_outer(&outer)), "; hp=cipher");
    let bound = made.judge(&format!("{outer}{}", made.encrypted(&made.signed(&inside))));
    is_clean(&bound);
    assert!(bound.layers[1].identity.is_good());
    assert_eq!(state(&bound, "from"), SignedAndEncrypted);
    let unsigned = made.judge(&format!("{outer}{}", made.encrypted(&inside)));
    assert_eq!(contradicted(&unsigned), "From");
    // Ann's signature under a payload that says it is from Eve.
    let eve = inside.replacen("From: Ann <ann@example.test>", "From: eve@example.test", 1);
    let eve = made.judge(&format!("{OUTER}{}", made.encrypted(&made.signed(&eve))));
    assert!(contradicted(&eve).starts_with("From"));
    let Aspect::Bad(bad) = &eve.layers[1].identity else { panic!("{:?}", eve.layers[1].identity) };
    assert_eq!(bad.reason, Reason::AddressMismatch);
    assert!(bad.detail.starts_with("eve@example.test ") && bad.detail.ends_with("has another address"), "{bad:?}");
}

#[test]
fn hp_counts_only_on_the_payload_of_unbroken_layers() {
    let Some(made) = Made::new() else { return };
    let clear = payload(FIELDS, "; hp=clear");
    let forwarded = format!("Content-Type: message/rfc822\r\n\r\n{clear}");
    let beside = |part: &str| {
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee below\r\n--b\r\n{part}\r\n--b--\r\n")
    };
    let other = "From: eve@example.test\r\nTo: ben@example.test\r\nSubject: other\r\nMessage-ID: <2@example.test>\r\n";
    for mail in [
        // Unsigned: a parameter like any other.
        clear.clone(),
        format!("{FIELDS}{}", beside(&clear)),
        // Not the payload, but a part of it, or a message in it.
        format!("{other}{}", made.signed(&beside(&forwarded))),
        format!("{other}{}", made.signed(&beside(&clear))),
        format!("{other}{}", made.signed(&forwarded)),
        // Another message's layers.
        format!(
            "{other}{}",
            made.signed(&format!("Content-Type: message/rfc822\r\n\r\n{FIELDS}{}", made.signed(&clear)))
        ),
        format!("{other}{}", beside(&made.signed(&clear))),
        // A value that nobody knows; the parameter on a layer, on HP-Outer's side only.
        format!("{FIELDS}{}", made.signed(&payload(FIELDS, "; hp=v1"))),
        format!("{FIELDS}{}", made.signed(&payload("", "")).replacen("; name", "; hp=clear; name", 1)),
        format!("{FIELDS}HP-Outer: Subject: real\r\n{}", made.signed(&payload("", ""))),
    ] {
        let verdict = made.judge(&mail);
        assert!(verdict.headers.is_empty() && verdict.header_protection.is_none(), "{mail}\n{:?}", verdict.headers);
    }
    // On a layer inside a layer, with nothing readable in it.
    let inner = made.encrypted(&payload("", "")).replacen("; name", "; hp=cipher; name", 1);
    let mail = format!("{OUTER}{}", made.signed(&format!("Subject: eve\r\n{inner}")));
    assert!(judge(&mail, &[], &[], OffsetDateTime::now_utc()).headers.is_empty());
}

#[test]
fn of_two_hp_parameters_the_one_that_promises_less_counts() {
    let Some(made) = Made::new() else { return };
    for (hp, scheme, subject) in [
        ("; hp=cipher; hp=clear", HeaderScheme::Clear, SignedOnly),
        ("; hp=clear; hp=cipher", HeaderScheme::Clear, SignedOnly),
        ("; hp=cipher; hp=cipher", HeaderScheme::Cipher, SignedAndEncrypted),
        ("; hp=x; hp=cipher", HeaderScheme::Cipher, SignedAndEncrypted),
    ] {
        let inside = payload(&format!("{FIELDS}{}", hp_outer(OUTER)), hp);
        let verdict = made.judge(&format!("{OUTER}{}", made.encrypted(&made.signed(&inside))));
        assert_eq!(verdict.header_protection.as_ref().unwrap().scheme, scheme, "{hp}");
        assert_eq!(state(&verdict, "subject"), subject, "{hp}");
        assert!(verdict.layers[1].deviations.contains(&Deviation::RepeatedHeader), "{hp}");
    }
}

#[test]
fn a_wrapping_of_rfc_8551_is_told_from_a_forwarded_mail() {
    let Some(made) = Made::new() else { return };
    let message = payload(FIELDS, "");
    let wrapped = |parameters: &str| format!("Content-Type: message/rfc822{parameters}\r\n\r\n{message}");
    let scheme = |mail: &str| made.judge(mail).header_protection.map(|protection| protection.scheme);
    let other = "From: eve@example.test\r\nSubject: Fwd: real\r\nMessage-ID: <2@example.test>\r\n";
    let own = Some(HeaderScheme::Rfc8551);
    for (outer, parameters, expected) in [
        (FIELDS, "", own),
        (FIELDS, "; forwarded=no", own),
        (FIELDS, "; forwarded=yes", None),
        (other, "", None),
        (other, "; forwarded=no", own),
        (&other.replace("<2@", "<1@"), "", own),
    ] {
        let mail = format!("{outer}{}", made.signed(&wrapped(parameters)));
        assert_eq!(scheme(&mail), expected, "{outer}{parameters}");
    }
    // Whoever hides the wrapping so is the author of the mail, and did not sign it.
    let hidden = made.judge(&format!("{other}{}", made.signed(&wrapped(""))));
    assert_eq!(hidden.layers[0].identity.reason(), Some(Reason::AddressMismatch));

    // Encrypted, the outside says what was hidden (RFC 9788 section 4.10.2).
    let inside = made.encrypted(&made.signed(&wrapped("")));
    let verdict = made.judge(&format!("{OUTER}{inside}"));
    assert_eq!((state(&verdict, "subject"), state(&verdict, "to")), (SignedAndEncrypted, SignedOnly));
    is_clean(&verdict);
    assert_eq!(contradicted(&made.judge(&format!("{}{inside}", OUTER.replace("[...]", "eve")))), "Subject");
    // Signed only, a hidden Subject hides nothing.
    let verdict = made.judge(&format!("{OUTER}{}", made.signed(&wrapped(""))));
    assert_eq!((contradicted(&verdict), state(&verdict, "subject")), ("Subject", SignedOnly));
}

#[test]
fn a_legacy_display_element_is_known_where_it_may_stand() {
    let Some(made) = Made::new() else { return };
    let text =
        |kind: &str| format!("Content-Type: text/{kind}; hp-legacy-display=1\r\n\r\nSubject: real\r\n\r\nhello\r\n");
    let (plain, html) = (text("plain"), text("html"));
    let alternative =
        format!("Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n{plain}\r\n--a\r\n{html}\r\n--a--\r\n");
    let mixed = format!(
        "{FIELDS}{}Content-Type: multipart/mixed; boundary=m; hp=cipher\r\n\r\n--m\r\n{alternative}\r\n--m\r\n{plain}\r\n--m--\r\n",
        hp_outer(OUTER)
    );
    let verdict = made.judge(&format!("{OUTER}{}", made.encrypted(&made.signed(&mixed))));
    is_clean(&verdict);
    let base = "1/enveloped-data/1/signed-data/1";
    let protection = verdict.header_protection.unwrap();
    assert_eq!(protection.payload, base);
    assert_eq!(protection.legacy_display, [format!("{base}.1.1"), format!("{base}.1.2")]);
}

#[test]
fn headers_as_long_as_the_limit_cost_little() {
    let Some(made) = Made::new() else { return };
    let many = |name: &str| (0..30_000).map(|number| format!("{name}: {number}\r\n")).collect::<String>();
    let (fields, inside) = (many("x"), format!("{FIELDS}{}{}", many("x"), many("HP-Outer: x").replace(": 1", ": 2")));
    assert!(inside.len() > 850_000);
    let mail = format!("{FIELDS}{fields}{}", made.encrypted(&payload(&inside, "; hp=cipher")));
    let start = std::time::Instant::now();
    let verdict = made.judge(&mail);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    assert_eq!((contradicted(&verdict), verdict.headers["x"].protected.len()), ("x", 30_000));
    assert_eq!(state(&verdict, "x"), Unprotected);
}

proptest! {
    #[test]
    fn an_unprotected_mail_has_no_protected_headers(
        fields in prop::collection::vec("(Subject|From|HP-Outer|hp-outer|Content-Type|X): [ -~]{0,40}", 0..8),
        hp in "(; ?hp=(clear|\"cipher\"|[a-z]{0,3})){0,2}",
        body in "([ -~]{0,30}\r\n){0,5}",
    ) {
        let mail = format!("Subject: x\r\n{}\r\nContent-Type: text/plain{hp}\r\n\r\n{body}", fields.join("\r\n"));
        let verdict = judge(&mail, &[], &[], datetime!(2024-06-01 0:00 UTC));
        if verdict.layers.is_empty() {
            prop_assert!(verdict.headers.is_empty() && verdict.header_protection.is_none());
        }
    }
}
