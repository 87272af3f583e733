//! Every signature that OpenSSL makes, as the engine reads it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Read as _;

use support::{Bench, P256, P384, P521, Person, RSA, text};
use waxseal_verdict::{Layer, Reason};

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nI said this.\r\n";
const SHA: &[&str] = &["sha1", "sha224", "sha256", "sha384", "sha512"];
/// OpenSSL 3.0 signs these with RSA PKCS #1 v1.5 only.
const SHA_3: &[&str] = &["sha3-224", "sha3-256", "sha3-384", "sha3-512"];

/// What `openssl cms -sign` makes of the content, opaque, with these arguments.
fn sign(bench: &Bench, person: &Person, arguments: &[&str]) -> Vec<u8> {
    bench.write("content", CONTENT);
    let fixed = ["cms", "-sign", "-binary", "-nodetach", "-in", "content", "-outform", "DER", "-out", "message"];
    let who = ["-signer", text(&person.certificate_file), "-inkey", text(&person.key_file)];
    bench.run(&[&fixed[..], &who, arguments].concat());
    std::fs::read(bench.path("message")).unwrap()
}

fn layer(message: Vec<u8>) -> (Layer, Option<Vec<u8>>) {
    let mut opened = support::judge(message, &[], &[]).unwrap();
    let mut content = Vec::new();
    let kept = opened.content.map(|mut kept| {
        kept.read_to_end(&mut content).unwrap();
        content
    });
    (opened.verdict.layers.remove(0), kept)
}

/// The engine verifies it, and does not verify it with another content.
fn verifies(message: Vec<u8>, scheme: &str, without_attributes: bool, what: &str) {
    let place =
        message.windows(CONTENT.len()).position(|window| window == CONTENT).expect("the content is in one piece");
    let mut altered = message.clone();
    altered[place + CONTENT.len() - 4] ^= 1;
    let (good, content) = layer(message);
    assert!(good.structure.is_good() && good.integrity.is_good(), "{what}: {good:?}");
    assert_eq!(good.signers[0].signature, scheme, "{what}");
    assert_eq!(content.as_deref(), Some(CONTENT), "{what}");
    let due = if without_attributes { Reason::SignatureMismatch } else { Reason::DigestMismatch };
    assert_eq!(layer(altered).0.integrity.reason(), Some(due), "{what}");
}

#[test]
fn every_key_with_every_digest() {
    let Some(bench) = Bench::new() else { return };
    for (name, key, scheme) in
        [("rsa", RSA, "rsa-pkcs1-v1_5"), ("p256", P256, "ecdsa"), ("p384", P384, "ecdsa"), ("p521", P521, "ecdsa")]
    {
        let person = bench.person(name, key, "digitalSignature");
        let more = if name == "rsa" { SHA_3 } else { &[] };
        for digest in SHA.iter().chain(more) {
            for (form, bare) in [(&[][..], false), (&["-noattr"], true), (&["-keyid", "-stream"], false)] {
                let what = format!("{name} {digest} {form:?}");
                verifies(sign(&bench, &person, &[&["-md", digest], form].concat()), scheme, bare, &what);
            }
        }
    }
}

#[test]
fn rsassa_pss_with_every_digest_and_salt() {
    let Some(bench) = Bench::new() else { return };
    let rsa = bench.person("rsa", RSA, "digitalSignature");
    let bound = ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"];
    let bound = bench.person("bound", &bound, "digitalSignature");
    for digest in SHA {
        for (person, options) in [
            (&rsa, &["rsa_padding_mode:pss", "rsa_pss_saltlen:0"][..]),
            (&rsa, &["rsa_padding_mode:pss", "rsa_pss_saltlen:20", "rsa_mgf1_md:sha1"]),
            (&rsa, &["rsa_padding_mode:pss", "rsa_pss_saltlen:max"]),
            (&bound, &["rsa_pss_saltlen:digest"]),
        ] {
            let mut arguments = vec!["-md", digest];
            arguments.extend(options.iter().flat_map(|option| ["-keyopt", option]));
            verifies(sign(&bench, person, &arguments), "rsassa-pss", false, &format!("{digest} {options:?}"));
        }
    }
}
