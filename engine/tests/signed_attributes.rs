//! Attributes that bind a signature to more than its content, as OpenSSL writes
//! them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::{Bench, RSA, judge, text};
use waxseal_engine::certificate::Certificate;
use waxseal_verdict::{Reason, Signer};

fn signer(message: &[u8], extra: &[Certificate]) -> Signer {
    let layer = judge(message.to_vec(), &[], extra).unwrap().verdict.layers.remove(0);
    assert!(layer.structure.is_good(), "{layer:?}");
    layer.signers.into_iter().next().unwrap()
}

/// `-cades` writes signingCertificate with SHA-1 and signingCertificateV2 with
/// any other digest.
#[test]
fn the_named_certificate_is_used_and_no_other() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "");
    // The same key and key identifier in another certificate.
    bench.run(&["req", "-x509", "-key", "ann.key", "-subj", "/CN=other", "-days", "30", "-out", "other.crt"]);
    let other = Certificate::from_file(&std::fs::read(bench.path("other.crt")).unwrap()).unwrap().remove(0);
    bench.write("letter", b"Content-Type: text/plain\r\n\r\nhello\r\n");
    for (digest, attribute) in [
        ("sha1", "1.2.840.113549.1.9.16.2.12"),
        ("sha256", "1.2.840.113549.1.9.16.2.47"),
        ("sha384", "1.2.840.113549.1.9.16.2.47"),
    ] {
        let message = bench.run(&[
            "cms",
            "-sign",
            "-binary",
            "-in",
            "letter",
            "-signer",
            text(&ann.certificate_file),
            "-inkey",
            text(&ann.key_file),
            "-md",
            digest,
            "-cades",
            "-keyid",
            "-nocerts",
            "-nodetach",
            "-outform",
            "DER",
        ]);
        let found = signer(&message, std::slice::from_ref(&ann.certificate));
        assert!(
            found.integrity.is_good() && found.attributes.iter().any(|oid| oid == attribute),
            "{digest}: {found:?}"
        );
        let found = signer(&message, std::slice::from_ref(&other));
        assert_eq!(found.integrity.reason(), Some(Reason::SigningCertificateMismatch), "{digest}: {found:?}");
        for extra in [[other.clone(), ann.certificate.clone()], [ann.certificate.clone(), other.clone()]] {
            let found = signer(&message, &extra);
            assert!(found.integrity.is_good() && found.subject.contains("ann"), "{digest}: {found:?}");
        }
    }
}

/// RFC 2634 section 2.7, as `-receipt_request_…` writes it.
#[test]
fn requests_for_receipts_are_shown() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "");
    bench.write("letter", b"Content-Type: text/plain\r\n\r\nhello\r\n");
    let said = |options: &[&str]| {
        let certificate = text(&ann.certificate_file);
        let mut arguments = vec!["cms", "-sign", "-binary", "-in", "letter", "-signer", certificate, "-inkey"];
        arguments.extend([
            text(&ann.key_file),
            "-nodetach",
            "-outform",
            "DER",
            "-receipt_request_to",
            "ann@example.test",
        ]);
        arguments.extend(options);
        signer(&bench.run(&arguments), &[]).statements.receipt_request.unwrap()
    };
    let request = said(&["-receipt_request_all"]);
    assert_eq!((request.from.as_str(), request.to), ("all", vec![vec!["ann@example.test".to_owned()]]));
    assert!(!request.identifier.is_empty());
    assert_eq!(said(&["-receipt_request_first"]).from, "first-tier");
    let request = said(&["-receipt_request_from", "bob@example.test", "-receipt_request_from", "eve@example.test"]);
    let names = [vec!["bob@example.test".to_owned()], vec!["eve@example.test".to_owned()]];
    assert_eq!((request.from.as_str(), request.from_list.as_slice()), ("list", names.as_slice()));
}
