//! No input takes memory out of proportion to its size. Alone in its program,
//! because it measures the memory of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Cursor;

use support::large::peak;
use support::limited::{
    COMPRESSED, DATA, RSA, Reader, SIGNED, compressed, compressed_data, content_info, enveloped, oid, signed, signer,
};
use waxseal_engine::ber::writer as w;
use waxseal_engine::inspect::inspect;
use waxseal_verdict::Reason;

/// What all of these together may add to the peak of memory.
const MEMORY: u64 = 96 << 20;

#[test]
fn what_grows_is_refused_at_its_limit() {
    let Some(before) = peak() else {
        waxseal_testing::not_here("/proc/self/status is not there");
        return;
    };
    let reader = Reader::default();
    let smime = "Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nMAA=\n";
    let limited = |what: &str, octets: &[u8]| {
        let found = reader.reasons(octets);
        assert_eq!(found.last(), Some(&Some(Reason::LimitExceeded)), "{what}: {found:?}");
        let _ = inspect(&mut Cursor::new(octets), &reader.limits).map(|tree| tree.render());
    };

    let nested: String =
        (0..5_000).map(|depth| format!("Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n")).collect();
    limited("parts inside parts", (nested + smime).as_bytes());
    limited("messages inside messages", ("Content-Type: message/rfc822\n\n".repeat(5_000) + smime).as_bytes());
    let parts = "--b\n\nx\n".repeat(100_000);
    limited("parts", format!("Content-Type: multipart/mixed; boundary=b\n\n{parts}--b\n{smime}").as_bytes());
    limited("one header field", format!("X: {}\n{smime}", "y".repeat(2 << 20)).as_bytes());
    limited("many header fields", format!("{}{smime}", "X: y\n".repeat(400_000)).as_bytes());

    let mut deep = b"x".to_vec();
    for layer in 0..40 {
        deep = compressed_data(if layer == 0 { DATA } else { COMPRESSED }, &deep);
    }
    limited("layers inside layers", &content_info(COMPRESSED, &deep));
    limited("signers", &signed(&[], &signer(1).repeat(5_000)));
    limited("certificates", &signed(&w::element(0x30, &[]).repeat(5_000), &[]));
    limited("elements", &signed(&[], &signer(120_000)));
    limited("octets outside of content", &signed(&[], &w::octet_string(&vec![0; 8 << 20])));
    let recipient =
        w::sequence([w::integer(2), w::element(0x80, &[1; 20]), w::sequence([oid(RSA)]), w::octet_string(&[1])]);
    limited("recipients", &enveloped(&recipient.repeat(5_000)));
    limited("elements inside elements", &signed(&[], &[0x30, 0x80].repeat(100_000)));
    limited("a bomb", &compressed(DATA, &vec![0; 64 << 20]));

    // Under the limits, and still nothing to wait for: what is here is read, and refused for what it is.
    let many = signed(&[], &signer(20_000).repeat(1));
    let layers = reader.open(&many);
    assert!(!layers.is_empty() && layers.iter().all(|layer| !layer.integrity.is_good()), "{layers:?}");
    for huge in [1 << 20, 8 << 20] {
        for number in [w::element(6, &vec![0x81; huge]), w::element(2, &vec![0x41; huge])] {
            // It is no message, or one that is refused at a limit.
            let found = reader.reasons(&w::sequence([number.clone(), w::context(0, &[])]));
            assert!(matches!(found.as_slice(), [] | [Some(Reason::LimitExceeded)]), "{found:?}");
            let found = reader.reasons(&content_info(SIGNED, &w::sequence([number])));
            assert!(!found.is_empty() && found.iter().all(Option::is_some), "{found:?}");
        }
    }
    let grown = peak().unwrap() - before;
    assert!(grown < MEMORY, "memory grew by {} KiB", grown >> 10);
}
