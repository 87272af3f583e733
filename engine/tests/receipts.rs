//! Receipts: the signed ones of RFC 2634 as OpenSSL makes them, and the
//! notifications of RFC 8098 inside signed and encrypted mail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Cursor;

use support::{Bench, Person, RSA, judge, text};
use time::macros::datetime;
use waxseal_engine::Limits;
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{Credential, OpenRequest, Sent, open_receipt};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, ProviderChoice};
use waxseal_verdict::{Aspect, Kind, Layer, Reason};

fn with_request<T>(run: impl FnOnce(&OpenRequest<'_>) -> T) -> T {
    run(&OpenRequest::new(
        datetime!(2024-06-01 0:00 UTC),
        &Policy::named("default").unwrap(),
        &Arithmetic::new(ProviderChoice::RustCrypto),
        &Limits::default(),
    ))
}

/// A message of ann that asks everybody for a receipt.
fn asking(bench: &Bench, ann: &Person, file: &str) -> Vec<u8> {
    let (certificate, key) = (text(&ann.certificate_file), text(&ann.key_file));
    bench.run(&[
        "cms",
        "-sign",
        "-in",
        "letter",
        "-signer",
        certificate,
        "-inkey",
        key,
        "-nodetach",
        "-receipt_request_to",
        "ann@example.test",
        "-receipt_request_all",
        "-out",
        file,
    ]);
    std::fs::read(bench.path(file)).unwrap()
}

fn judged(receipt: &[u8], sent: &Sent) -> Layer {
    let opened =
        with_request(|request| open_receipt(&mut Cursor::new(receipt), sent, &mut MemoryWorkspace, request).unwrap());
    opened.verdict.layers.into_iter().next().unwrap()
}

#[test]
fn a_signed_receipt_is_compared_with_what_was_sent() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "");
    let bob = bench.person("bob", RSA, "");
    bench.write("letter", b"Content-Type: text/plain\r\n\r\nhello\r\n");
    let read = |octets: &[u8]| {
        with_request(|request| Sent::read(&mut Cursor::new(octets), None, &mut MemoryWorkspace, request).unwrap())
    };
    let sent = read(&asking(&bench, &ann, "asking"));
    let other = read(&asking(&bench, &ann, "other"));
    assert!(!sent.is_empty() && sent != other);
    let (certificate, key) = (text(&bob.certificate_file), text(&bob.key_file));
    bench.run(&["cms", "-sign_receipt", "-in", "asking", "-signer", certificate, "-inkey", key, "-out", "receipt"]);
    let receipt = std::fs::read(bench.path("receipt")).unwrap();
    let layer = judge(receipt.clone(), &[], &[]).unwrap().verdict.layers.remove(0);
    assert_eq!(layer.kind, Kind::Receipt, "{layer:?}");
    assert!(layer.structure.is_good() && layer.integrity.is_good(), "{layer:?}");
    assert!(layer.deviations.is_empty(), "{:?}", layer.deviations);
    let said = layer.receipt.unwrap();
    assert_eq!((said.content_type.as_str(), &said.original), ("1.2.840.113549.1.7.1", &Aspect::Absent));
    let layer = judged(&receipt, &sent);
    assert!(layer.integrity.is_good() && layer.receipt.unwrap().original.is_good());
    for wrong in [&other, &Sent::default()] {
        let layer = judged(&receipt, wrong);
        assert_eq!(layer.integrity.reason(), Some(Reason::ReceiptMismatch), "{layer:?}");
    }
    // A message that asks for nothing, and one whose signature is broken.
    let silent = bench.run(&[
        "cms",
        "-sign",
        "-in",
        "letter",
        "-signer",
        text(&ann.certificate_file),
        "-inkey",
        text(&ann.key_file),
        "-nodetach",
        "-outform",
        "DER",
    ]);
    assert!(read(&silent).is_empty());
    bench.run(&["cms", "-cmsout", "-in", "asking", "-outform", "DER", "-out", "asking.der"]);
    let mut broken = std::fs::read(bench.path("asking.der")).unwrap();
    let place = broken.windows(5).position(|window| window == b"hello").unwrap();
    broken[place] = b'j';
    assert!(read(&broken).is_empty());
}

const REPORT: &[u8] = b"Content-Type: multipart/report; report-type=disposition-notification; boundary=r\r\n\r\n\
    --r\r\nContent-Type: text/plain\r\n\r\nIt was displayed.\r\n\
    --r\r\nContent-Type: message/disposition-notification\r\n\r\n\
    Reporting-UA: joes-pc.example.test; Foomail 97.1\r\n\
    Original-Recipient: rfc822;joe@example.test\r\n\
    Final-Recipient: rfc822;joe@example.test\r\n\
    Original-Message-ID: <199509192301.23456@example.test>\r\n\
    Disposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--r--\r\n";

#[test]
fn a_notification_is_shown_with_what_protects_it() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "");
    bench.write("report", REPORT);
    let (certificate, key) = (text(&ann.certificate_file), text(&ann.key_file));
    bench.run(&["cms", "-sign", "-binary", "-in", "report", "-signer", certificate, "-inkey", key, "-out", "clear"]);
    let sign = ["cms", "-sign", "-binary", "-in", "report", "-signer", certificate, "-inkey", key, "-nodetach"];
    bench.run(&[&sign[..], &["-out", "opaque"]].concat());
    bench.run(&["cms", "-encrypt", "-binary", "-in", "clear", "-out", "both", "-aes128", certificate]);
    let credentials = [Credential { decryptor: &ann.key, certificate: Some(ann.certificate.clone()) }];
    for (name, path, layer) in [
        ("report", "1.2", None),
        ("clear", "1.1.2", Some("1.2/signed-data")),
        ("opaque", "1/signed-data/1.2", Some("1/signed-data")),
        ("both", "1/enveloped-data/1.1.2", Some("1/enveloped-data/1.2/signed-data")),
    ] {
        let verdict = judge(std::fs::read(bench.path(name)).unwrap(), &credentials, &[]).unwrap().verdict;
        let [found] = verdict.notifications.as_slice() else { panic!("{name}: {verdict:?}") };
        assert_eq!((found.path.as_str(), found.layer.as_deref()), (path, layer), "{name}");
        assert_eq!((found.disposition.as_str(), found.sending.as_str()), ("displayed", "MDN-sent-manually"), "{name}");
        assert_eq!(found.final_recipient, "joe@example.test", "{name}");
        assert_eq!(found.original_message_id.as_deref(), Some("<199509192301.23456@example.test>"), "{name}");
    }
}
