//! A private key as gpg-agent keeps it: an S-expression in a file named after
//! the keygrip.
//!
//! `gpgsm --import` would take it from PKCS#12, but crashes on one with an
//! elliptic curve (2.2.40), and takes four times as long.

use waxseal_engine::ber::{Cursor, Element, Tag, oid};
use waxseal_engine::certificate::Certificate;

/// Curves by object identifier, and as libgcrypt calls them.
const CURVES: &[(&str, &str)] = &[
    ("1.2.840.10045.3.1.7", "NIST P-256"),
    ("1.3.132.0.34", "NIST P-384"),
    ("1.3.132.0.35", "NIST P-521"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
];

/// The file of a key in PKCS#8; `None` if it is of a kind that gpgsm does not know.
pub(super) fn agent_file(pkcs8: &[u8], certificate: &Certificate) -> Option<Vec<u8>> {
    // PrivateKeyInfo ::= SEQUENCE { version, privateKeyAlgorithm, privateKey OCTET STRING, … }
    let mut info = inside(&mut Cursor::new(pkcs8, 0))?;
    info.take().ok()??;
    let mut algorithm = inside(&mut info)?;
    let name = object_identifier(&algorithm.take().ok()??)?;
    let key = info.take().ok()??;
    let mut key = inside(&mut Cursor::new(key.content, 0))?;
    match name.as_str() {
        // RSAPrivateKey ::= SEQUENCE { version, n, e, d, … }. It does without the rest.
        "1.2.840.113549.1.1.1" => {
            key.take().ok()??;
            let mut numbers = Vec::new();
            for name in ["n", "e", "d"] {
                numbers.push(value(name, key.take().ok()??.content));
            }
            Some(list("private-key", &[list("rsa", &numbers)]))
        }
        // ECPrivateKey ::= SEQUENCE { version, privateKey OCTET STRING, … }
        "1.2.840.10045.2.1" => {
            let curve = object_identifier(&algorithm.take().ok()??)?;
            let (_, curve) = CURVES.iter().find(|(oid, _)| *oid == curve)?;
            key.take().ok()??;
            // The secret is a number: its first bit must not look like a sign.
            let secret = [&[0], key.take().ok()??.content].concat();
            let parts = [value("curve", curve.as_bytes()), value("q", certificate.key_bits()?), value("d", &secret)];
            Some(list("private-key", &[list("ecc", &parts)]))
        }
        _ => None,
    }
}

fn inside<'a>(cursor: &mut Cursor<'a>) -> Option<Cursor<'a>> {
    cursor.take().ok()?.filter(|element| element.tag == Tag::SEQUENCE).map(|element| element.inside())
}

fn object_identifier(element: &Element<'_>) -> Option<String> {
    (element.tag == Tag::OBJECT_IDENTIFIER).then(|| oid::dotted(element.content)).flatten()
}

/// `(name value)` in canonical form: each atom after its length.
fn value(name: &str, octets: &[u8]) -> Vec<u8> {
    [b"(", atom(name.as_bytes()).as_slice(), atom(octets).as_slice(), b")"].concat()
}

/// `(name list …)` in canonical form.
fn list(name: &str, lists: &[Vec<u8>]) -> Vec<u8> {
    [b"(", atom(name.as_bytes()).as_slice(), lists.concat().as_slice(), b")"].concat()
}

fn atom(octets: &[u8]) -> Vec<u8> {
    [format!("{}:", octets.len()).as_bytes(), octets].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The canonical form of RFC 9804 section 4.2.
    #[test]
    fn expressions_are_canonical() {
        let key = list("private-key", &[list("rsa", &[value("n", b"\0\x80"), value("e", b"\x01\0\x01")])]);
        assert_eq!(key, b"(11:private-key(3:rsa(1:n2:\0\x80)(1:e3:\x01\0\x01)))");
    }
}
