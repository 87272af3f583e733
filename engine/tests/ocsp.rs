//! OCSP with OpenSSL: it answers what we ask, and we judge its answers, beside a
//! mail and in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::authority::{ANOTHER, Authority, Known, REVOKED, VALID, issue};
use support::{Person, RSA};
use time::{Duration, OffsetDateTime};
use waxseal_engine::certificate::{Certificate, OcspRequest, OcspResponse, OcspStatus};
use waxseal_key::{Arithmetic, DigestAlgorithm, ProviderChoice};
use waxseal_verdict::{Aspect, Reason};

/// Extensions of a certificate for answering.
const RESPONDER: &str = "keyUsage=digitalSignature\nextendedKeyUsage=OCSPSigning\nnoCheck=ignored\n";
const NONCE: [u8; 32] = [7; 32];

/// What we ask about a certificate of the authority.
fn question(authority: &Authority, about: &[&Certificate], digest: DigestAlgorithm, nonce: Option<&[u8]>) -> Vec<u8> {
    let pairs: Vec<_> = about.iter().map(|certificate| (*certificate, &authority.certificate)).collect();
    let request = OcspRequest { certificates: &pairs, digest, nonce };
    request.to_der(&Arithmetic::new(ProviderChoice::RustCrypto)).unwrap()
}

/// What OpenSSL answers, with this database, signed by `signer`.
fn answer(authority: &Authority, question: &[u8], index: &str, signer: &str, more: &[&str]) -> OcspResponse {
    let bench = &authority.bench;
    bench.write("index.txt", index.as_bytes());
    bench.write("question", question);
    let (certificate, key) = (format!("{signer}.crt"), format!("{signer}.key"));
    let files = ["-index", "index.txt", "-CA", "ca.crt", "-rsigner", &certificate, "-rkey", &key];
    let ends = ["-reqin", "question", "-respout", "answer"];
    bench.run(&[&["ocsp"][..], &files, &ends, more].concat());
    OcspResponse::from_file(&std::fs::read(bench.path("answer")).unwrap()).unwrap()
}

/// What OpenSSL says of its own answer, as the client.
fn openssl_says(authority: &Authority, digest: DigestAlgorithm) -> (bool, String) {
    let digest = format!("-{}", digest.name().replace('-', ""));
    let arguments =
        ["ocsp", "-issuer", "ca.crt", &digest, "-cert", "ann.crt", "-respin", "answer", "-CAfile", "ca.crt"];
    let output = authority.bench.try_run(&[&arguments[..], &["-no_nonce"]].concat());
    let text = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned()).concat();
    (text.contains("Response verify OK"), text)
}

/// The chain aspect if a status is required, and if it is not.
fn chains(authority: &Authority, responses: &[OcspResponse], at: OffsetDateTime) -> [Option<Reason>; 2] {
    let none = Known::default();
    let given = [true, false].map(|required| authority.chain(none, Known::responses(responses), required, at).reason());
    let sent = [true, false].map(|required| authority.chain(Known::responses(responses), none, required, at).reason());
    assert_eq!(given, sent, "beside the mail, and in it");
    given
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// What we write is what OpenSSL writes, octet for octet.
#[test]
fn a_question_is_that_of_openssl() {
    let Some(authority) = Authority::new() else { return };
    let bob = authority.issue("bob", "0x00ff", "");
    for (digest, name) in [(DigestAlgorithm::Sha1, "-sha1"), (DigestAlgorithm::Sha256, "-sha256")] {
        let mut arguments = vec!["ocsp", "-issuer", "ca.crt", name, "-cert", "ann.crt", name, "-cert", "bob.crt"];
        arguments.extend(["-reqout", "theirs", "-no_nonce"]);
        authority.bench.run(&arguments);
        let theirs = std::fs::read(authority.bench.path("theirs")).unwrap();
        let ours = question(&authority, &[&authority.ann.certificate, &bob.certificate], digest, None);
        assert_eq!(ours, theirs, "{name}");
    }
    let about = [&authority.ann.certificate];
    let ours = question(&authority, &about, DigestAlgorithm::Sha1, Some(&NONCE));
    authority.bench.write("ours", &ours);
    let text = authority.bench.run(&["ocsp", "-reqin", "ours", "-req_text", "-noverify"]);
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("OCSP Nonce") && text.contains("0420070707"), "{text}");
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let pair = [(&authority.ann.certificate, &authority.certificate)];
    let digest = DigestAlgorithm::Sha1;
    for nonce in [&[][..], &[0; 129]] {
        let error = OcspRequest { certificates: &pair, digest, nonce: Some(nonce) }.to_der(&arithmetic).unwrap_err();
        assert!(error.to_string().contains("RFC 9654"), "{error}");
    }
    assert!(OcspRequest { certificates: &[], digest, nonce: None }.to_der(&arithmetic).is_err());
}

#[test]
fn good_revoked_and_unknown() {
    let Some(authority) = Authority::new() else { return };
    authority.issue("responder", "100", RESPONDER);
    for digest in [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
        let question = question(&authority, &[&authority.ann.certificate], digest, None);
        for (signer, more) in
            [("ca", &[][..]), ("responder", &[]), ("responder", &["-resp_key_id"]), ("ca", &["-resp_no_certs"])]
        {
            let good = answer(&authority, &question, VALID, signer, more);
            assert_eq!(chains(&authority, std::slice::from_ref(&good), now()), [None, None], "{signer} {more:?}");
            assert!(openssl_says(&authority, digest).0);
            let revoked = answer(&authority, &question, REVOKED, signer, more);
            let reason = Some(Reason::Revoked);
            assert_eq!(chains(&authority, std::slice::from_ref(&revoked), now()), [reason, reason]);
            let (verified, text) = openssl_says(&authority, digest);
            assert!(verified && text.contains("revoked"), "{text}");
            let unknown = answer(&authority, &question, ANOTHER, signer, more);
            assert_eq!(chains(&authority, &[unknown], now()), [Some(Reason::RevocationUnknown), None]);
        }
    }
    let question = question(&authority, &[&authority.ann.certificate], DigestAlgorithm::Sha1, None);
    let revoked = [answer(&authority, &question, REVOKED, "ca", &[])];
    let chain = authority.chain(Known::default(), Known::responses(&revoked), false, now());
    let Aspect::Bad(bad) = chain else { panic!("not bad") };
    assert_eq!(bad.detail, "CN=ann: was revoked on 2024-01-01: keyCompromise, as an OCSP responder says");
}

/// A certificate that is revoked from a later time on is not revoked yet.
#[test]
fn revoked_later_is_not_revoked_yet() {
    let Some(authority) = Authority::new() else { return };
    let question = question(&authority, &[&authority.ann.certificate], DigestAlgorithm::Sha1, None);
    let later = REVOKED.replace("240101000000Z", "400101000000Z");
    let response = [answer(&authority, &question, &later, "ca", &["-ndays", "2"])];
    assert_eq!(chains(&authority, &response, now()), [None, None]);
}

/// Who may answer: RFC 6960 section 4.2.2.2.
#[test]
fn who_may_answer() {
    let Some(authority) = Authority::new() else { return };
    let bench = &authority.bench;
    authority.issue("plain", "101", "keyUsage=digitalSignature\n");
    authority.issue("mute", "102", "keyUsage=keyEncipherment\nextendedKeyUsage=OCSPSigning\n");
    bench.person("stranger", RSA, "");
    bench.person("otherca", RSA, "keyCertSign");
    issue(bench, "otherca", "foreign", "103", RESPONDER);
    // The name of the authority, and not its key.
    bench.run(
        &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "double.key", "-out", "double.crt"]
            .iter()
            .copied()
            .chain(["-days", "30", "-subj", "/CN=ca/O=Waxseal tests"])
            .collect::<Vec<_>>(),
    );
    issue(bench, "double", "deputy", "104", RESPONDER);
    let question = question(&authority, &[&authority.ann.certificate], DigestAlgorithm::Sha1, None);
    for (signer, why) in [
        ("plain", "is not for signing OCSP responses"),
        ("mute", "must not sign"),
        ("stranger", "was not issued by O=Waxseal tests,CN=ca"),
        ("foreign", "was not issued by O=Waxseal tests,CN=ca"),
        ("deputy", "was not signed by O=Waxseal tests,CN=ca"),
    ] {
        // Whatever they say.
        for index in [VALID, REVOKED] {
            let response = [answer(&authority, &question, index, signer, &[])];
            assert_eq!(chains(&authority, &response, now()), [Some(Reason::OcspProblem), None], "{signer}");
            let Aspect::Bad(bad) = authority.chain(Known::default(), Known::responses(&response), true, now()) else {
                panic!("not bad")
            };
            assert!(bad.detail.contains(why), "{signer}: {}", bad.detail);
        }
        // OpenSSL looks at the purpose, not at keyUsage.
        assert_eq!(openssl_says(&authority, DigestAlgorithm::Sha1).0, signer == "mute", "{signer}");
    }
    // A good answer of somebody else beside the bad ones is enough.
    let stranger = answer(&authority, &question, REVOKED, "stranger", &[]);
    let good = answer(&authority, &question, VALID, "ca", &[]);
    assert_eq!(chains(&authority, &[stranger, good], now()), [None, None]);
}

/// Without id-pkix-ocsp-nocheck the responder itself may have been revoked.
#[test]
fn a_responder_may_be_revoked_itself() {
    let Some(authority) = Authority::new() else { return };
    let unchecked = "keyUsage=digitalSignature\nextendedKeyUsage=OCSPSigning\n";
    authority.issue("responder", "0x4e", unchecked);
    authority.issue("spared", "0x4f", RESPONDER);
    let question = question(&authority, &[&authority.ann.certificate], DigestAlgorithm::Sha1, None);
    let revoked = [authority.crl(ANOTHER, "01")];
    let both = [authority.crl(&ANOTHER.replace("4E", "4F"), "02")];
    let chain = |signer: &str, crls| {
        let responses = [answer(&authority, &question, VALID, signer, &[])];
        let bad = authority.chain(Known::default(), Known { crls, responses: &responses }, true, now());
        (bad.reason(), bad)
    };
    assert_eq!(chain("responder", &[]).0, None, "nothing tells: it may answer");
    // The CRL says of ann that she was not revoked; only the answer is refused.
    assert_eq!(chain("responder", &revoked).0, None);
    assert_eq!(chain("spared", &both).0, None);
    let about_responder = self::question(&authority, &[&load(&authority, "responder")], DigestAlgorithm::Sha1, None);
    let told = answer(&authority, &about_responder, ANOTHER, "ca", &[]);
    let answered = answer(&authority, &question, VALID, "responder", &[]);
    let chain = authority.chain(Known::default(), Known::responses(&[told, answered]), true, now());
    assert_eq!(chain.reason(), Some(Reason::OcspProblem));
    let Aspect::Bad(bad) = chain else { panic!("not bad") };
    assert!(bad.detail.contains("CN=responder answers, whose certificate was revoked on 2024-01-01"), "{}", bad.detail);
}

fn load(authority: &Authority, name: &str) -> Certificate {
    let file = std::fs::read(authority.bench.path(&format!("{name}.crt"))).unwrap();
    Certificate::from_file(&file).unwrap().remove(0)
}

/// An answer about others says nothing, and that is told.
#[test]
fn an_answer_about_others() {
    let Some(authority) = Authority::new() else { return };
    let bob = authority.issue("bob", "78", "");
    let others =
        answer(&authority, &question(&authority, &[&bob.certificate], DigestAlgorithm::Sha1, None), ANOTHER, "ca", &[]);
    // The same serial number of another authority: its name, or its key.
    authority.bench.person("otherca", RSA, "");
    let ann: &Person = &authority.ann;
    let other_issuer = load(&authority, "otherca");
    let pairs = [(&ann.certificate, &other_issuer)];
    let request = OcspRequest { certificates: &pairs, digest: DigestAlgorithm::Sha1, nonce: None };
    let request = request.to_der(&Arithmetic::new(ProviderChoice::RustCrypto)).unwrap();
    let key = answer(&authority, &request, REVOKED, "ca", &[]);
    for response in [others, key] {
        let given = std::slice::from_ref(&response);
        assert_eq!(chains(&authority, given, now()), [Some(Reason::RevocationUnknown), None]);
        let Aspect::Bad(bad) = authority.chain(Known::default(), Known::responses(given), true, now()) else {
            panic!("not bad")
        };
        assert!(bad.detail.ends_with("is about other certificates"), "{}", bad.detail);
    }
    // One of several.
    let about = [&bob.certificate, &ann.certificate];
    let both = question(&authority, &about, DigestAlgorithm::Sha1, None);
    let both = answer(&authority, &both, &[ANOTHER, VALID].concat(), "ca", &[]);
    assert_eq!(chains(&authority, &[both], now()), [None, None]);
}

#[test]
fn a_nonce_is_repeated_where_one_was_sent() {
    let Some(authority) = Authority::new() else { return };
    let about = [&authority.ann.certificate];
    let with = question(&authority, &about, DigestAlgorithm::Sha1, Some(&NONCE));
    let without = question(&authority, &about, DigestAlgorithm::Sha1, None);
    let repeated = answer(&authority, &with, VALID, "ca", &[]);
    let plain = answer(&authority, &without, VALID, "ca", &[]);
    assert_eq!((repeated.nonce(), plain.nonce()), (Some(&NONCE[..]), None));
    let reason = |response: &OcspResponse| {
        let responses = std::slice::from_ref(response);
        authority.chain(Known::default(), Known::responses(responses), true, now()).reason()
    };
    // Nobody asked for one.
    assert_eq!([reason(&repeated), reason(&plain)], [None, None]);
    assert_eq!(reason(&repeated.clone().answering(&NONCE)), None);
    assert_eq!(reason(&repeated.answering(&[8; 32])), Some(Reason::OcspProblem));
    assert_eq!(reason(&plain.answering(&NONCE)), Some(Reason::OcspProblem));
}

#[test]
fn an_answer_is_of_its_time() {
    let Some(authority) = Authority::new() else { return };
    let question = question(&authority, &[&authority.ann.certificate], DigestAlgorithm::Sha1, None);
    let two_days = [answer(&authority, &question, VALID, "ca", &["-ndays", "2"])];
    let without = [answer(&authority, &question, VALID, "ca", &[])];
    let reason = |responses: &[OcspResponse], at| chains(&authority, responses, at);
    let problem = [Some(Reason::OcspProblem), None];
    for (days, of_two, of_none) in [(0, [None, None], [None, None]), (3, problem, [None, None]), (5, problem, problem)]
    {
        let at = now() + Duration::days(days);
        assert_eq!((reason(&two_days, at), reason(&without, at)), (of_two, of_none), "{days} days");
    }
    // The certificates of this test are no older than its answers: of the future is tried with the corpus.
}

/// An answer that was altered, and none at all.
#[test]
fn no_answer_and_a_damaged_one() {
    let Some(authority) = Authority::new() else { return };
    let question = question(&authority, &[&authority.ann.certificate], DigestAlgorithm::Sha1, None);
    let good = answer(&authority, &question, VALID, "ca", &["-resp_no_certs"]);
    let mut altered = good.der().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    let altered = [OcspResponse::parse(&altered).unwrap()];
    assert_eq!(chains(&authority, &altered, now()), [Some(Reason::OcspProblem), None]);
    for (number, name) in [(1, "malformedRequest"), (2, "internalError"), (3, "tryLater"), (6, "unauthorized")] {
        let response = [OcspResponse::parse(&[0x30, 3, 0x0a, 1, number]).unwrap()];
        assert_eq!(response[0].status().to_string(), name);
        assert_eq!(chains(&authority, &response, now()), [Some(Reason::RevocationUnknown), None]);
    }
    assert_eq!(OcspResponse::parse(&[0x30, 3, 0x0a, 1, 3]).unwrap().status(), OcspStatus::TryLater);
    for cut in 0..good.der().len() {
        assert!(OcspResponse::parse(&good.der()[..cut]).is_err(), "cut at {cut}");
    }
    assert!(OcspResponse::from_file(b"text").unwrap_err().to_string().contains("OCSP RESPONSE"));
}

/// CRLs and OCSP responses about the same certificate: "revoked" of either
/// holds, "good" of either is enough.
#[test]
fn beside_a_crl() {
    let Some(authority) = Authority::new() else { return };
    let question = question(&authority, &[&authority.ann.certificate], DigestAlgorithm::Sha1, None);
    let of = |index: &str| [answer(&authority, &question, index, "ca", &[])];
    let (good, revoked, unknown) = (of(VALID), of(REVOKED), of(ANOTHER));
    let listed = [authority.crl(REVOKED, "01")];
    let not_listed = [authority.crl("", "02")];
    for (crls, responses, due) in [
        (&listed, &good, Some(Reason::Revoked)),
        (&not_listed, &revoked, Some(Reason::Revoked)),
        (&not_listed, &unknown, None),
        (&not_listed, &good, None),
        (&listed, &unknown, Some(Reason::Revoked)),
    ] {
        let chain = authority.chain(Known::default(), Known { crls, responses }, true, now());
        assert_eq!(chain.reason(), due);
    }
}

/// Of several answers the newest that can be used counts.
#[test]
fn the_newest_answer_counts() {
    let Some(authority) = Authority::new() else { return };
    let question = question(&authority, &[&authority.ann.certificate], DigestAlgorithm::Sha1, None);
    let hold = answer(&authority, &question, REVOKED, "ca", &[]);
    // OpenSSL dates an answer by the second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let good = answer(&authority, &question, VALID, "ca", &[]);
    for given in [[hold.clone(), good.clone()], [good, hold]] {
        assert_eq!(chains(&authority, &given, now()), [None, None]);
    }
}
