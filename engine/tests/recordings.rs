//! Every mail that a real client wrote, against what its catalogue says of the
//! signature: `sig-ok` holds, `sig-fail` was altered on its way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fs;
use std::io::Read as _;
use std::path::Path;

use waxseal_engine::certificate::Certificate;
use waxseal_engine::message::{Credential, Opened, Secrets};
use waxseal_key::PrivateKey;
use waxseal_testing::shared;
use waxseal_verdict::{Aspect, Deviation, Kind, Reason};

fn judge(path: &Path, credentials: &[Credential<'_>], extra: &[Certificate]) -> Opened {
    support::judge(fs::read(path).unwrap(), credentials, extra).unwrap()
}

/// A signature that stands alone; the source has its content in its test.
const SM2_DETACHED: &str = "sm2/cfca-sadk-sm2-signed-detached.p7s";

#[test]
fn signatures_hold_as_the_catalogue_says() {
    let Some(folder) = shared("recordings") else { return };
    let manifest = fs::read_to_string(folder.join("manifest.tsv")).unwrap();
    let kde = Certificate::from_file(&fs::read(folder.join("keys/kde/cert.pem")).unwrap()).unwrap();
    let (mut good, mut altered) = (0, 0);
    for line in manifest.lines().skip(1) {
        let fields: Vec<_> = line.split('\t').collect();
        let (file, kind, remarks) = (fields[0], fields[3], fields[10]);
        if !kind.starts_with("signed-") {
            continue;
        }
        let verdict = if file == SM2_DETACHED {
            let octets = fs::read(folder.join(file)).unwrap();
            support::judge_detached(octets, b"Hello Secret World!").unwrap().verdict
        } else {
            judge(&folder.join(file), &[], &kde).verdict
        };
        let layer = verdict.layers.first().unwrap_or_else(|| panic!("{file}: no layer"));
        assert_eq!(layer.kind, Kind::Signed, "{file}");
        assert!(layer.structure.is_good(), "{file}: {layer:?}");
        if remarks.starts_with("sig-fail") {
            assert_eq!(layer.integrity.reason(), Some(Reason::DigestMismatch), "{file}: {:?}", layer.integrity);
            assert!(
                matches!(&layer.integrity, Aspect::Bad(bad) if bad.also.is_empty()),
                "{file}: {:?}",
                layer.integrity
            );
            altered += 1;
        } else {
            assert!(remarks.starts_with("sig-ok") || remarks.starts_with("DER; verifies"), "{file}: {remarks}");
            assert!(layer.integrity.is_good(), "{file}: {:?}", layer.integrity);
            good += 1;
        }
        let unsorted = file.starts_with("gmail-hosted/") || file.starts_with("outlook-mac/");
        assert_eq!(layer.deviations.contains(&Deviation::AttributesNotDer), unsorted, "{file}: {:?}", layer.deviations);
    }
    assert_eq!((good, altered), (40, 4));
}

/// File, key, certificate, number of layers, content cipher.
const ENCRYPTED: &[(&str, &str, &str, usize, &str)] = &[
    ("outlook/outlook16-rx-encrypted.eml", "hiraoka/smime-1.key", "hiraoka/smime-1.crt", 1, "aes-256-cbc"),
    ("outlook/outlook16-rx-encrypted.eml", "hiraoka/smime-2.key", "hiraoka/smime-2.crt", 1, "aes-256-cbc"),
    ("outlook/outlook16-rx-signed-and-encrypted.eml", "hiraoka/smime-2.key", "hiraoka/smime-2.crt", 2, "aes-256-cbc"),
    ("thunderbird/tb128-rx-encrypted.eml", "hiraoka/smime-2.key", "hiraoka/smime-2.crt", 1, "aes-128-cbc"),
    ("thunderbird/tb128-rx-signed-and-encrypted.eml", "hiraoka/smime-1.key", "hiraoka/smime-1.crt", 2, "aes-128-cbc"),
    (
        "thunderbird/tb52-encrypted.eml",
        "simple-java-mail/smime_test_user.key",
        "simple-java-mail/smime_test_user.pem.standard.crt",
        1,
        "3des-cbc",
    ),
    (
        "thunderbird/tb52-signed-and-encrypted.eml",
        "simple-java-mail/smime_test_user.key",
        "simple-java-mail/smime_test_user.pem.standard.crt",
        2,
        "3des-cbc",
    ),
    ("kmail/smime-encrypted-octet-stream.mbox", "kde/key.pem", "kde/cert.pem", 1, "3des-cbc"),
    (
        "nextcloud-horde/encrypted-message.txt",
        "nextcloud/tests-user@imap.localhost.key",
        "nextcloud/tests-user@imap.localhost.crt",
        2,
        "aes-128-cbc",
    ),
];

#[test]
fn encrypted_mails_open_and_their_inner_signatures_hold() {
    let Some(folder) = shared("recordings") else { return };
    for (file, key, certificate, layers, cipher) in ENCRYPTED {
        let key = fs::read_to_string(folder.join("keys").join(key)).unwrap();
        let key = PrivateKey::from_pem(&key, Some("letmein")).unwrap();
        let certificate = fs::read(folder.join("keys").join(certificate)).unwrap();
        let certificate = Certificate::from_file(&certificate).unwrap().into_iter().next();
        let credential = Credential { decryptor: &key, certificate };
        let opened = judge(&folder.join(file), &[credential], &[]);
        let found = &opened.verdict.layers;
        assert_eq!(found.len(), *layers, "{file}: {found:?}");
        assert_eq!(found[0].kind, Kind::Encrypted, "{file}");
        assert!(found[0].structure.is_good() && found[0].decryption.is_good(), "{file}: {:?}", found[0]);
        assert_eq!(found[0].content_cipher.as_deref(), Some(*cipher), "{file}");
        for inner in &found[1..] {
            assert!(inner.integrity.is_good(), "{file}: {inner:?}");
        }
        let mut content = String::new();
        opened.content.unwrap().read_to_string(&mut content).unwrap();
        assert!(content.to_ascii_lowercase().contains("content-type:"), "{file}: {content}");

        let without = judge(&folder.join(file), &[], &[]);
        assert_eq!(without.verdict.layers.len(), 1, "{file}");
        assert_eq!(without.verdict.layers[0].decryption.reason(), Some(Reason::NoKey), "{file}");
        assert!(without.content.is_none(), "{file}");
    }
}

#[test]
fn password_recipients_open_with_the_published_password() {
    let Some(folder) = shared("recordings") else { return };
    let secrets = Secrets { passwords: vec![b"abc".to_vec().into()], ..Secrets::default() };
    for file in ["gpgsm/pwri-sample.cbc.p7m", "gpgsm/pwri-sample.cbc-2.p7m"] {
        let octets = fs::read(folder.join(file)).unwrap();
        let opened = support::judge_with(octets.clone(), &secrets).unwrap();
        let layer = &opened.verdict.layers[0];
        assert!(layer.decryption.is_good() && opened.content.is_some(), "{file}: {layer:?}");
        assert_eq!((layer.recipients[0].kind.as_str(), layer.recipients[0].matched), ("pwri", true), "{file}");
        let layer = support::judge_with(octets, &Secrets::default()).unwrap().verdict.layers.remove(0);
        assert_eq!(layer.decryption.reason(), Some(Reason::NoKey), "{file}: {layer:?}");
    }
}
