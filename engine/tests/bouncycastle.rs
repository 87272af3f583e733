//! Messages that Bouncy Castle wrote; `bouncycastle/README.md` says how.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::path::Path;

use support::judge;
use waxseal_engine::ber::{Cursor, Tag, writer as w};
use waxseal_engine::certificate::Certificate;
use waxseal_engine::message::{Credential, Secrets, SymmetricKey};
use waxseal_key::PrivateKey;
use waxseal_verdict::{Aspect, Deviation, Kind, Layer, Reason};

fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bouncycastle").join(name)).unwrap()
}

fn opened(octets: &[u8]) -> Layer {
    judge(octets.to_vec(), &[], &[]).unwrap().verdict.layers.remove(0)
}

/// The same octets with another letter in the content.
fn altered(octets: &[u8]) -> Vec<u8> {
    let place = octets.windows(5).position(|window| window == b"hello").unwrap();
    let mut octets = octets.to_vec();
    octets[place] = b'j';
    octets
}

/// RFC 8419 section 3: without attributes EdDSA signs the content itself.
#[test]
fn eddsa_over_the_content_itself() {
    for name in ["ed25519-direct.p7m", "ed448-direct.p7m", "ed25519-attributes.p7m", "ed448-attributes.p7m"] {
        let layer = opened(&file(name));
        assert!(layer.structure.is_good() && layer.integrity.is_good(), "{name}: {layer:?}");
        assert!(!layer.deviations.contains(&Deviation::DigestUnsuited), "{name}: {layer:?}");
        let layer = opened(&altered(&file(name)));
        let due = if name.contains("direct") { Reason::SignatureMismatch } else { Reason::DigestMismatch };
        assert_eq!(layer.integrity.reason(), Some(due), "{name}: {layer:?}");
    }
    // With attributes Ed448 goes with SHAKE256 (RFC 8419 section 3.1).
    assert_eq!(opened(&file("ed448-attributes.p7m")).signers.remove(0).digest, "shake256");
}

/// The signature stands after the content, which is read a second time in its
/// canonical form.
#[test]
fn eddsa_over_the_parts_of_a_mail() {
    let signature = data_encoding(&file("ed25519-direct-detached.p7s"));
    let mail = |text: &str| {
        format!(
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-512; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{signature}\r\n--b--\r\n"
        )
    };
    for (mail, due) in [
        (mail("hello"), None),
        (mail("hello").replace("\r\n", "\n"), None),
        (mail("jello"), Some(Reason::SignatureMismatch)),
        (mail("jello").replace("\r\n", "\n"), Some(Reason::SignatureMismatch)),
    ] {
        let layer = opened(mail.as_bytes());
        assert!(layer.structure.is_good(), "{layer:?}");
        assert_eq!(layer.integrity.reason(), due, "{layer:?}");
    }
}

/// base64 in lines.
fn data_encoding(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (index, group) in octets.chunks(3).enumerate() {
        if index > 0 && index % 19 == 0 {
            text.push_str("\r\n");
        }
        let bits = group.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let sextet = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap();
            text.push(if place > group.len() { '=' } else { char::from(ALPHABET[sextet]) });
        }
    }
    text
}

/// Signed attributes as content, and their signature without attributes: what
/// is signed is the same (RFC 5652 section 5.4), and nobody ever signed it.
#[test]
fn attributes_that_became_content_are_named() {
    let honest = file("ess-attributes.p7m");
    let outer = Cursor::new(&honest, 0).take().unwrap().unwrap();
    let mut info = outer.inside();
    let content_type = info.take().unwrap().unwrap();
    let signed_data = info.take().unwrap().unwrap().inside().take().unwrap().unwrap();
    let fields: Vec<_> = elements(signed_data.inside());
    let signer = Cursor::new(fields[4].content, 0).take().unwrap().unwrap();
    let parts = elements(signer.inside());
    assert_eq!(parts[3].tag, Tag::context(0));
    let attributes = w::set_as_given([parts[3].content]);
    let bare = w::sequence([0, 1, 2, 4, 5].map(|index: usize| parts[index].whole));
    let forged = |content: &[u8]| {
        let encapsulated =
            w::sequence([w::oid("1.2.840.113549.1.7.1").unwrap(), w::context(0, &w::octet_string(content))]);
        let signed_data =
            w::sequence([fields[0].whole, fields[1].whole, &encapsulated, fields[3].whole, &w::set_as_given([&bare])]);
        w::sequence([content_type.whole, &w::context(0, &signed_data)])
    };
    let layer = opened(&forged(&attributes));
    assert!(layer.integrity.is_good(), "the attack works: {layer:?}");
    assert!(layer.deviations.contains(&Deviation::ContentLikeAttributes), "{layer:?}");
    let layer = opened(&forged(b"hello"));
    assert!(layer.integrity.is_bad() && !layer.deviations.contains(&Deviation::ContentLikeAttributes), "{layer:?}");
    let layer = opened(&honest);
    assert!(layer.integrity.is_good() && !layer.deviations.contains(&Deviation::ContentLikeAttributes), "{layer:?}");
}

fn elements(mut cursor: Cursor<'_>) -> Vec<waxseal_engine::ber::Element<'_>> {
    std::iter::from_fn(|| cursor.take().unwrap()).collect()
}

/// The keys that open what is for somebody.
fn with_keys(octets: Vec<u8>) -> Layer {
    let key = |name: &str| PrivateKey::from_pkcs8_der(&file(name)).unwrap();
    let own = |name: &str| Certificate::from_file(&file(name)).unwrap().remove(0);
    let keys = [(key("rsa.key.der"), own("rsa.crt")), (key("ec.key.der"), own("ec.crt"))];
    let credentials = keys.each_ref().map(|(key, own)| Credential { decryptor: key, certificate: Some(own.clone()) });
    let secrets = Secrets {
        passwords: vec![b"secret".to_vec().into()],
        keys: vec![SymmetricKey { id: b"kek".to_vec(), key: b"0123456789abcdef".to_vec().into() }],
    };
    let opened = support::judge_by(octets, &credentials, &[], &secrets).unwrap();
    opened.verdict.layers.into_iter().next().unwrap()
}

/// RFC 5652 section 9: with and without attributes, by every kind of recipient.
#[test]
fn authenticated_data() {
    for (name, mac) in [
        ("authenticated-rsa-hmac-sha1.p7m", "hmac-sha-1"),
        ("authenticated-rsa-hmac-sha1-other.p7m", "hmac-sha-1"),
        ("authenticated-rsa-hmac-sha1-attributes.p7m", "hmac-sha-1"),
        ("authenticated-rsa-hmac-sha256.p7m", "hmac-sha-256"),
        ("authenticated-rsa-hmac-sha256-attributes.p7m", "hmac-sha-256"),
        ("authenticated-rsa-hmac-sha512-attributes.p7m", "hmac-sha-512"),
        ("authenticated-kek.p7m", "hmac-sha-256"),
        ("authenticated-password.p7m", "hmac-sha-256"),
        ("authenticated-ecdh.p7m", "hmac-sha-256"),
    ] {
        let layer = with_keys(file(name));
        assert_eq!((layer.kind, layer.mac.as_deref()), (Kind::Authenticated, Some(mac)), "{name}");
        let good = [&layer.structure, &layer.decryption, &layer.integrity, &layer.policy];
        assert!(good.iter().all(|aspect| aspect.is_good()), "{name}: {layer:?}");
        let layer = with_keys(altered(&file(name)));
        let attributes = !["sha1.p7m", "other.p7m", "sha256.p7m"].iter().any(|end| name.ends_with(end));
        let due = if attributes { Reason::DigestMismatch } else { Reason::TagMismatch };
        assert_eq!(layer.integrity.reason(), Some(due), "{name}: {layer:?}");
        // The MAC is the last that stands there, before the ends of what is open.
        let mut changed = file(name);
        let last = changed.iter().rposition(|octet| *octet != 0).unwrap();
        changed[last] ^= 2;
        let layer = with_keys(changed);
        assert_eq!(layer.integrity.reason(), Some(Reason::TagMismatch), "{name}: {layer:?}");
        let layer = opened(&file(name));
        assert_eq!(layer.decryption.reason(), Some(Reason::NoKey), "{name}: {layer:?}");
        assert_eq!(layer.integrity, Aspect::Unchecked(None), "{name}: {layer:?}");
    }
}

/// RFC 5652 section 11.4: two on the signer, and one on one of these. The other
/// is over the signature value itself, without attributes; DER puts it first.
#[test]
fn countersignatures() {
    let whole = file("countersigned.p7m");
    let layer = opened(&whole);
    let [signer] = layer.signers.as_slice() else { panic!("{layer:?}") };
    assert!(layer.structure.is_good() && signer.integrity.is_good(), "{layer:?}");
    let [second, first] = signer.countersignatures.as_slice() else { panic!("{signer:?}") };
    let [nested] = first.countersignatures.as_slice() else { panic!("{first:?}") };
    assert!(second.countersignatures.is_empty() && nested.countersignatures.is_empty());
    for (counter, subject) in [(first, "CN=ec"), (second, "CN=ec"), (nested, "CN=rsa")] {
        assert!(counter.integrity.is_good() && counter.subject.contains(subject), "{counter:?}");
        assert_eq!(counter.identity, Aspect::Absent);
        assert!(counter.deviations.is_empty(), "{:?}", counter.deviations);
    }
    // A countersignature that is altered is bad, and what it stands on is not.
    let digest = octets_of(first.content_digest.as_deref().unwrap());
    let place = whole.windows(digest.len()).position(|window| window == digest).unwrap();
    let mut changed = whole.clone();
    changed[place] ^= 1;
    let layer = opened(&changed);
    let signer = &layer.signers[0];
    assert!(layer.structure.is_good() && layer.integrity.is_good() && signer.integrity.is_good(), "{layer:?}");
    assert_eq!(signer.countersignatures[1].integrity.reason(), Some(Reason::DigestMismatch), "{signer:?}");
    assert!(signer.countersignatures[0].integrity.is_good(), "{signer:?}");
}

fn octets_of(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn attribute_certificates_and_revocation_information() {
    let layer = opened(&file("attribute-certificate.p7m"));
    assert!(layer.structure.is_good() && layer.integrity.is_good(), "{layer:?}");
    let [found] = layer.attribute_certificates.as_slice() else { panic!("{layer:?}") };
    assert_eq!((found.version, found.issuer.as_str(), found.serial.as_str()), (2, "CN=attribute authority", "1267"));
    assert!(found.holder.starts_with("issuer=CN=rsa,O=Waxseal tests, serial="), "{}", found.holder);
    assert_eq!((layer.crls, layer.revocation), (1, vec!["1.3.6.1.5.5.7.16.2".to_owned()]));
    let layer = with_keys(file("originator.p7m"));
    assert!(layer.structure.is_good() && layer.decryption.is_good(), "{layer:?}");
    assert!(layer.attribute_certificates.is_empty() && layer.crls == 0);
}
