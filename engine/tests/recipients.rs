//! Every kind of recipient, as OpenSSL writes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Read as _;

use support::{Bench, P256, P384, P521, Person, RSA, text};
use waxseal_engine::certificate::Certificate;
use waxseal_engine::message::{Credential, Opened, Secrets, SymmetricKey};
use waxseal_verdict::{Aspect, Deviation, Kind, Reason};

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nNobody else can read this.\r\n";
const KEK_ID: &str = "c0fee0";
const KEK: &str = "000102030405060708090a0b0c0d0e0f";

/// What `openssl cms -encrypt` makes of the content with these arguments.
fn encrypt(bench: &Bench, arguments: &[&str]) -> Vec<u8> {
    bench.write("content", CONTENT);
    let fixed = ["cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-out", "message"];
    bench.run(&[&fixed, arguments].concat());
    std::fs::read(bench.path("message")).unwrap()
}

fn check_opened(what: &str, opened: Opened) {
    let layer = &opened.verdict.layers[0];
    assert!(layer.structure.is_good() && layer.decryption.is_good(), "{what}: {layer:?}");
    assert!(layer.recipients.iter().any(|recipient| recipient.matched), "{what}: {layer:?}");
    let mut content = Vec::new();
    opened.content.unwrap().read_to_end(&mut content).unwrap();
    assert_eq!(content, CONTENT, "{what}");
}

fn credential(person: &Person) -> Credential<'_> {
    Credential { decryptor: &person.key, certificate: Some(person.certificate.clone()) }
}

fn octets(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn key_agreement_on_every_curve_with_every_derivation_and_wrap() {
    let Some(bench) = Bench::new() else { return };
    for (name, key) in [("p256", P256), ("p384", P384), ("p521", P521)] {
        let person = bench.person(name, key, "keyAgreement");
        let other = bench.person(&format!("{name}-other"), key, "keyAgreement");
        let certificate = text(&person.certificate_file);
        for digest in ["sha1", "sha224", "sha256", "sha384", "sha512"] {
            let md = format!("ecdh_kdf_md:{digest}");
            // OpenSSL takes the wrap that fits the content cipher.
            for cipher in ["-aes-128-cbc", "-aes-192-cbc", "-aes-256-cbc", "-des3"] {
                let what = format!("{name} {digest} {cipher}");
                let message = encrypt(&bench, &[cipher, "-recip", certificate, "-keyopt", &md]);
                check_opened(&what, support::judge(message, &[credential(&person)], &[]).unwrap());
            }
        }
        let mode = "ecdh_cofactor_mode:1";
        let message = encrypt(&bench, &["-aes-256-cbc", "-recip", certificate, "-keyopt", mode, "-keyid"]);
        check_opened(mode, support::judge(message.clone(), &[credential(&person)], &[]).unwrap());
        let refused = support::judge(message, &[credential(&other)], &[]).unwrap();
        assert_eq!(refused.verdict.layers[0].decryption.reason(), Some(Reason::NoKey));
        assert!(refused.content.is_none());
    }
}

#[test]
fn oaep_with_every_digest_and_a_label() {
    let Some(bench) = Bench::new() else { return };
    let person = bench.person("rsa", RSA, "keyEncipherment");
    for options in [
        &["rsa_padding_mode:oaep"][..],
        &["rsa_padding_mode:oaep", "rsa_oaep_md:sha256"],
        &["rsa_padding_mode:oaep", "rsa_oaep_md:sha512", "rsa_mgf1_md:sha1"],
        &["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_oaep_label:0102ff"],
    ] {
        let mut arguments = vec!["-aes-256-cbc", "-recip", text(&person.certificate_file)];
        arguments.extend(options.iter().flat_map(|option| ["-keyopt", option]));
        let message = encrypt(&bench, &arguments);
        check_opened(&options.join(" "), support::judge(message, &[credential(&person)], &[]).unwrap());
    }
}

#[test]
fn keys_and_passwords_that_both_sides_have() {
    let Some(bench) = Bench::new() else { return };
    let key = |id: &str, key: &str| SymmetricKey { id: octets(id), key: octets(key).into() };
    let password = |word: &str| Secrets { passwords: vec![word.as_bytes().to_vec().into()], ..Secrets::default() };
    let keys = |id: &str, octets: &str| Secrets { keys: vec![key(id, octets)], ..Secrets::default() };
    let reason = |message: &[u8], secrets: &Secrets| {
        let opened = support::judge_with(message.to_vec(), secrets).unwrap();
        assert!(opened.content.is_none());
        opened.verdict.layers[0].decryption.reason()
    };

    let message = encrypt(&bench, &["-aes-256-cbc", "-secretkey", KEK, "-secretkeyid", KEK_ID]);
    check_opened("kekri", support::judge_with(message.clone(), &keys(KEK_ID, KEK)).unwrap());
    assert_eq!(reason(&message, &Secrets::default()), Some(Reason::NoKey));
    assert_eq!(reason(&message, &keys("01", KEK)), Some(Reason::NoKey));
    assert_eq!(reason(&message, &keys(KEK_ID, &"11".repeat(16))), Some(Reason::WrongKey));
    assert_eq!(reason(&message, &keys(KEK_ID, "1122")), Some(Reason::WrongKey));

    for cipher in ["-aes-128-cbc", "-aes-256-cbc", "-des3"] {
        let message = encrypt(&bench, &[cipher, "-pwri_password", "correct horse"]);
        check_opened(cipher, support::judge_with(message.clone(), &password("correct horse")).unwrap());
        assert_eq!(reason(&message, &password("correct hors")), Some(Reason::WrongPassword));
        assert_eq!(reason(&message, &Secrets::default()), Some(Reason::NoKey));
    }

    bench.write("content", CONTENT);
    let fixed = ["cms", "-EncryptedData_encrypt", "-binary", "-in", "content", "-outform", "DER", "-out", "message"];
    bench.run(&[&fixed[..], &["-aes-128-cbc", "-secretkey", KEK]].concat());
    let message = std::fs::read(bench.path("message")).unwrap();
    let opened = support::judge_with(message.clone(), &keys("", KEK)).unwrap();
    assert!(opened.verdict.layers[0].decryption.is_good(), "{:?}", opened.verdict.layers);
    assert_eq!(reason(&message, &Secrets::default()), Some(Reason::NoKey));
    // Nothing vouches for CBC: one padding in 256 fits by chance, and what comes out is garbage.
    let wrong = support::judge_with(message, &keys("", &"11".repeat(16))).unwrap();
    let mut content = Vec::new();
    wrong.content.map(|mut inside| inside.read_to_end(&mut content).unwrap());
    assert!(matches!(wrong.verdict.layers[0].decryption, Aspect::Bad(_)) || !content.is_empty());
    assert_ne!(content, CONTENT);
}

#[test]
fn compressed_and_digested_content_of_openssl() {
    let Some(bench) = Bench::new() else { return };
    bench.write("content", CONTENT);
    for (operation, word) in [("-digest_create", "digested-data"), ("-data_create", "data")] {
        bench.run(&[
            "cms",
            operation,
            "-binary",
            "-nosmimecap",
            "-in",
            "content",
            "-outform",
            "DER",
            "-out",
            "message",
        ]);
        let message = std::fs::read(bench.path("message")).unwrap();
        let opened = support::judge(message.clone(), &[], &[]).unwrap();
        let layer = &opened.verdict.layers[0];
        assert!(layer.structure.is_good() && !layer.integrity.is_bad(), "{word}: {layer:?}");
        assert_eq!(layer.path, word);
        let mut content = Vec::new();
        opened.content.unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(content, CONTENT, "{word}");
    }
}

#[test]
fn content_ciphers_of_every_age() {
    let Some(bench) = Bench::new() else { return };
    let person = bench.person("rsa", RSA, "keyEncipherment");
    let legacy = ["-provider", "legacy", "-provider", "default"];
    for (cipher, name) in [
        ("-aes-128-gcm", "aes-128-gcm"),
        ("-aes-192-gcm", "aes-192-gcm"),
        ("-aes-256-gcm", "aes-256-gcm"),
        ("-des3", "3des-cbc"),
        ("-camellia128", "camellia-128-cbc"),
        ("-camellia256", "camellia-256-cbc"),
        ("-des", "des-cbc"),
        ("-rc2-40-cbc", "rc2-cbc"),
        ("-rc2-64-cbc", "rc2-cbc"),
        ("-rc2-128", "rc2-cbc"),
        ("-cast5-cbc", "cast5-cbc"),
        ("-sm4-cbc", "sm4-cbc"),
        ("-sm4-ctr", "sm4-ctr"),
    ] {
        let mut arguments = legacy.to_vec();
        arguments.extend([cipher, "-recip", text(&person.certificate_file)]);
        let message = encrypt(&bench, &arguments);
        let opened = support::judge(message, &[credential(&person)], &[]).unwrap();
        let layer = &opened.verdict.layers[0];
        assert_eq!(layer.content_cipher.as_deref(), Some(name), "{cipher}");
        let authenticated = name.ends_with("gcm");
        assert_eq!(layer.kind == Kind::AuthEnveloped, authenticated, "{cipher}");
        assert_eq!(layer.integrity.is_good(), authenticated, "{cipher}: {layer:?}");
        let strong = ["aes", "camellia", "cast5", "sm4"].iter().any(|family| name.starts_with(family));
        assert_eq!(layer.policy.is_good(), strong, "{cipher}: {:?}", layer.policy);
        // OpenSSL 3.0 writes the vector alone, where RFC 2984 section 3 has a SEQUENCE.
        let odd = layer.deviations.contains(&Deviation::CipherParametersOdd);
        assert_eq!(odd, name == "cast5-cbc", "{cipher}: {:?}", layer.deviations);
        check_opened(cipher, opened);
    }
}

#[test]
fn nothing_comes_out_before_the_tag_was_right() {
    let Some(bench) = Bench::new() else { return };
    let person = bench.person("rsa", RSA, "keyEncipherment");
    let message = encrypt(&bench, &["-aes-256-gcm", "-recip", text(&person.certificate_file)]);
    // The tag is the last element; the content stands before it.
    for from_the_end in [1, 16 + 2 + 5] {
        let mut altered = message.clone();
        let place = altered.len() - from_the_end;
        altered[place] ^= 1;
        let opened = support::judge(altered, &[credential(&person)], &[]).unwrap();
        let layer = &opened.verdict.layers[0];
        assert_eq!(layer.decryption.reason(), Some(Reason::TagMismatch), "{layer:?}");
        assert_eq!(layer.integrity.reason(), Some(Reason::TagMismatch), "{layer:?}");
        assert!(opened.content.is_none());
    }
}

/// Two keys, two certificates, one key identifier: the right key is the one
/// whose padding and tag hold (RFC 5652 section 6.2.1 only says that the
/// identifier is that of the certificate).
#[test]
fn keys_with_the_same_identifier_are_tried() {
    let Some(bench) = Bench::new() else { return };
    let person = |name: &str| {
        let mut person = bench.person(name, RSA, "");
        let (key, file) = (format!("{name}.key"), format!("{name}-same.crt"));
        let subject = format!("/CN={name}");
        bench.run(&[
            "req",
            "-x509",
            "-key",
            &key,
            "-subj",
            &subject,
            "-days",
            "30",
            "-out",
            &file,
            "-addext",
            "subjectKeyIdentifier=0102030405060708",
        ]);
        let pem = std::fs::read(bench.path(&file)).unwrap();
        person.certificate = Certificate::from_file(&pem).unwrap().remove(0);
        person.certificate_file = bench.path(&file);
        person
    };
    let people = [person("ann"), person("bob")];
    bench.write("letter", b"Content-Type: text/plain\r\n\r\nhello\r\n");
    for recipient in &people {
        let certificate = text(&recipient.certificate_file);
        let message = bench.run(&[
            "cms",
            "-encrypt",
            "-binary",
            "-in",
            "letter",
            "-aes-128-gcm",
            "-keyid",
            "-outform",
            "DER",
            certificate,
        ]);
        let credentials = people
            .each_ref()
            .map(|person| Credential { decryptor: &person.key, certificate: Some(person.certificate.clone()) });
        let layer = support::judge(message, &credentials, &[]).unwrap().verdict.layers.remove(0);
        assert_eq!(layer.recipients[0].id, "ski=0102030405060708");
        assert!(layer.decryption.is_good() && layer.integrity.is_good(), "{layer:?}");
    }
}
