//! CompressedData (RFC 3274) as mail and bare.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Read as _;

use base64::Engine as _;
use flate2::Compression;
use flate2::read::ZlibEncoder;
use waxseal_engine::ber::writer as w;
use waxseal_verdict::{Aspect, Kind, Overall, Reason};

const ENTITY: &[u8] = b"Content-Type: text/plain\r\n\r\nsmaller, smaller, smaller\r\n";

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    ZlibEncoder::new(content, Compression::default()).read_to_end(&mut out).unwrap();
    out
}

/// CompressedData in a ContentInfo (RFC 3274 section 1.1), written out by hand.
fn compressed(algorithm: &str, octets: &[u8]) -> Vec<u8> {
    let encapsulated = w::sequence([w::oid("1.2.840.113549.1.7.1").unwrap(), w::context(0, &w::octet_string(octets))]);
    let data = w::sequence([w::integer(0), w::sequence([w::oid(algorithm).unwrap()]), encapsulated]);
    w::sequence([w::oid("1.2.840.113549.1.9.16.1.9").unwrap(), w::context(0, &data)])
}

const ZLIB: &str = "1.2.840.113549.1.9.16.3.8";

#[test]
fn a_compressed_mail_opens_and_protects_nothing() {
    let text = base64::engine::general_purpose::STANDARD.encode(compressed(ZLIB, &zlib(ENTITY)));
    let text = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\r\n");
    let mail = format!(
        "From: a@example.test\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; \
         smime-type=compressed-data; name=smime.p7z\r\nContent-Transfer-Encoding: base64\r\n\r\n{text}\r\n"
    );
    let opened = support::judge(mail.into_bytes(), &[], &[]).unwrap();
    assert_eq!(opened.verdict.overall, Overall::Unprotected);
    let [layer] = opened.verdict.layers.as_slice() else { panic!("{:?}", opened.verdict) };
    assert_eq!((layer.path.as_str(), layer.kind), ("1/compressed-data", Kind::Compressed));
    assert_eq!((&layer.structure, &layer.coverage), (&Aspect::Good, &Aspect::Absent));
    assert!(layer.deviations.is_empty() && layer.covered.is_empty(), "{layer:?}");
    let mut content = Vec::new();
    opened.content.unwrap().read_to_end(&mut content).unwrap();
    assert_eq!(content, ENTITY);
}

#[test]
fn damage_and_bombs_are_reasons() {
    let reason = |object: Vec<u8>| {
        let opened = support::judge(object, &[], &[]).unwrap();
        assert!(opened.content.is_none());
        opened.verdict.layers[0].structure.reason()
    };
    let whole = zlib(ENTITY);
    assert_eq!(reason(compressed(ZLIB, &whole[..whole.len() - 3])), Some(Reason::BadCompression));
    assert_eq!(reason(compressed(ZLIB, b"not zlib")), Some(Reason::BadCompression));
    assert_eq!(reason(compressed("1.2.3", &whole)), Some(Reason::UnsupportedAlgorithm));
    assert_eq!(reason(compressed(ZLIB, &zlib(&vec![0; 64 << 20]))), Some(Reason::LimitExceeded));
}
