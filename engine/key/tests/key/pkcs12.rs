//! PKCS#12 files of many writers.

use std::{path::Path, time::Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use waxseal_key::{KeyError, PublicKeyAlgorithm, pkcs12};
use waxseal_testing::shared;

use crate::{data, key};

#[test]
fn modern_and_old_files_of_openssl() {
    for (name, password, certificates) in [
        ("modern.p12", "secret", 2),
        ("legacy.p12", "secret", 2),
        ("empty-password.p12", "", 1),
        ("bare.p12", "", 1),
        ("unicode-modern.p12", "pässwörd😀", 1),
        ("unicode-legacy.p12", "pässwörd😀", 1),
    ] {
        let file = pkcs12::open(&data(name), password).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(file.keys.len(), 1, "{name}");
        assert_eq!(file.keys[0].public_key(), key("p256").public_key(), "{name}");
        assert_eq!(file.certificates.len(), certificates, "{name}");
        assert_eq!(file.certificates[0], data("alice.der"), "{name}");
        if certificates == 2 {
            assert_eq!(file.certificates[1], data("root.der"), "a certificate without a key comes out too");
        }
    }
}

#[test]
fn a_wrong_password_is_told_from_what_is_no_file() {
    for name in ["modern.p12", "legacy.p12", "unicode-legacy.p12"] {
        assert_eq!(pkcs12::open(&data(name), "wrong").unwrap_err(), KeyError::WrongPassword, "{name}");
        assert_eq!(pkcs12::open(&data(name), "").unwrap_err(), KeyError::WrongPassword, "{name}");
    }
    for octets in [&b""[..], b"hello", &data("alice.der"), &data("modern.p12")[..1000]] {
        assert!(matches!(pkcs12::open(octets, "secret"), Err(KeyError::NotAKey(_))));
    }
}

#[test]
fn damaged_files_are_refused_without_panic() {
    for name in ["legacy.p12", "bare.p12"] {
        let file = data(name);
        for at in 0..file.len() {
            // The count of rounds of the MAC stands at the end; every value of it is bounded work.
            let mut damaged = file.clone();
            damaged[at] ^= 0x81;
            let _ = pkcs12::open(&damaged, "secret");
            assert!(pkcs12::open(&file[..at], "secret").is_err(), "{name} cut to {at}");
        }
    }
}

#[test]
fn a_file_that_asks_for_too_many_rounds_is_refused_at_once() {
    // The salt and the count of the MAC stand at the end: two octets go from one to the other.
    let mut file = data("legacy.p12");
    let at = file.len() - 14;
    assert_eq!((file[at..at + 2].to_vec(), file[at + 10..].to_vec()), (vec![4, 8], vec![2, 2, 8, 0]));
    file[at + 1] = 6;
    file[at + 8..].copy_from_slice(&[2, 4, 0x7f, 0xff, 0xff, 0xff]);
    let start = Instant::now();
    let error = pkcs12::open(&file, "secret").unwrap_err().to_string();
    assert_eq!(
        error,
        "bad parameters of the MAC of a PKCS#12 file: an iteration count of 2147483647; 5000000 are left for this file"
    );
    assert!(start.elapsed().as_millis() < 100, "refused at once");
}

#[test]
fn files_of_real_users() {
    let Some(folder) = shared("recordings/keys") else { return };
    let cases = [
        ("hiraoka/smime-1-secret.pfx", "smime1", 2048, 2),
        ("hiraoka/smime-2-secret.pfx", "smime2", 2048, 2),
        ("simple-java-mail/smime_test_user.p12", "letmein", 4096, 1),
        ("simple-java-mail/smime_keystore.pkcs12", "letmein", 4096, 2),
        ("nextcloud/user@imap.localhost.p12", "smime", 4096, 1),
        ("nextcloud/user@imap.localhost.chain.p12", "smime", 4096, 2),
    ];
    for (name, password, bits, certificates) in cases {
        let octets = std::fs::read(folder.join(name)).unwrap();
        let file = pkcs12::open(&octets, password).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(file.keys.len(), 1, "{name}");
        assert_eq!((file.keys[0].algorithm(), file.keys[0].bits()), (&PublicKeyAlgorithm::Rsa, bits), "{name}");
        assert_eq!(file.certificates.len(), certificates, "{name}");
        // simple-java-mail's key store holds a DSA key beside the RSA one.
        assert_eq!(file.passed_over.len(), usize::from(name.contains("keystore")), "{name}: {:?}", file.passed_over);
        assert!(holds(&file.certificates[0], file.keys[0].public_key()), "{name}: the certificate is the key's");
        let wrong = pkcs12::open(&octets, "wrong").unwrap_err();
        assert_eq!(wrong, KeyError::WrongPassword, "{name}");
    }
}

#[test]
fn files_of_rfc_9216() {
    let Some(folder) = shared("oracles/rfc9216") else { return };
    for (name, password, bits) in [("s4.5", "alice", 2048), ("s5.5", "bob", 2048)] {
        let file = rfc9216(&folder, name, password).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((file.keys.len(), file.keys[0].bits()), (2, bits), "{name}: one to sign, one to encrypt");
        for key in &file.keys {
            assert!(file.certificates.iter().any(|certificate| holds(certificate, key.public_key())), "{name}");
        }
    }
    // Carlos and Dana have Ed25519 and X25519 keys.
    for (name, password) in [("s7.5", "carlos"), ("s8.5", "dana")] {
        let file = rfc9216(&folder, name, password).unwrap_or_else(|error| panic!("{name}: {error}"));
        for key in &file.keys {
            assert!(file.certificates.iter().any(|certificate| holds(certificate, key.public_key())), "{name}");
        }
        let kinds: Vec<&str> = file.keys.iter().map(|key| key.algorithm().name()).collect();
        assert!(kinds.contains(&"ed25519") && kinds.contains(&"x25519"), "{name}: {kinds:?}");
    }
}

fn rfc9216(folder: &Path, name: &str, password: &str) -> Result<pkcs12::Pkcs12, KeyError> {
    let text = std::fs::read_to_string(folder.join(format!("{name}.pkcs12.pem"))).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    pkcs12::open(&STANDARD.decode(body).unwrap(), password)
}

/// What OpenSSL's test suite expects of its files, password `1234`: `open`, or
/// why it is refused.
const OPENSSL: &[(&str, &str, Result<(), &str>)] = &[
    ("pbmac1_256_256.good", "1234", Ok(())),
    ("pbmac1_512_256.good", "1234", Ok(())),
    ("pbmac1_512_512.good", "1234", Ok(())),
    ("pbmac1_256_256.good-shorter-key-len", "1234", Ok(())),
    ("pbmac1_sha1_hmac_and_prf", "1234", Ok(())),
    ("nomac_parse", "testpassword", Ok(())),
    ("bad1", "1234", Err("not a private key: PKCS#12: content is missing")),
    ("bad2", "1234", Err("wrong password, or a damaged file")),
    ("bad3", "1234", Err("wrong password, or a damaged file")),
    ("pbmac1_256_256.bad-iter", "1234", Err("wrong password, or a damaged file")),
    (
        "pbmac1_256_256.bad-key-len",
        "1234",
        Err("not a private key: PKCS#12: keyLength 19 of PBMAC1, expected 20 to 64"),
    ),
    ("pbmac1_256_256.bad-len", "1234", Err("not a private key: PKCS#12: keyLength 256 of PBMAC1, expected 20 to 64")),
    ("pbmac1_256_256.bad-salt", "1234", Err("wrong password, or a damaged file")),
    (
        "pbmac1_256_256.bad-salt-type",
        "1234",
        Err("not a private key: PKCS#12: salt: found tag 02, expected an octet string"),
    ),
    (
        "pbmac1_256_256.negative-len",
        "1234",
        Err("not a private key: PKCS#12: keyLength 255 of PBMAC1, expected 20 to 64"),
    ),
    (
        "pbmac1_256_256.no-len",
        "1234",
        Err("not a private key: PKCS#12: keyLength of PBMAC1: found tag 30, expected 02"),
    ),
    ("pbmac1_256_256.no-salt", "1234", Err("not a private key: PKCS#12: salt: found tag 02, expected an octet string")),
    ("pbmac1_256_256.very-big-len", "1234", Err("not a private key: PKCS#12: keyLength of PBMAC1 is out of range")),
    ("pbmac1_256_256.zero-len", "1234", Err("not a private key: PKCS#12: keyLength 0 of PBMAC1, expected 20 to 64")),
];

#[test]
fn files_of_the_openssl_test_suite() {
    let Some(folder) = shared("oracles/openssl-cms/recipes/80-test_pkcs12_data") else { return };
    let start = Instant::now();
    for (name, password, wanted) in OPENSSL {
        let octets = std::fs::read(folder.join(format!("{name}.p12"))).unwrap();
        match (pkcs12::open(&octets, password), wanted) {
            (Ok(file), Ok(())) => {
                // The file of RFC 7292's privacy mode has nothing that a password opens.
                let parts = if *name == "nomac_parse" { 0 } else { 1 };
                assert_eq!((file.keys.len(), file.certificates.len()), (parts, parts), "{name}");
            }
            (Err(error), Err(why)) => assert_eq!(error.to_string(), *why, "{name}"),
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
    let all = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(all, OPENSSL.len(), "every file is expected to do something");
    assert!(start.elapsed().as_secs() < 5, "the counts of rounds and the lengths are bounded");
}

/// p12-keystore reads files by other code. It lacks PBMAC1 and the longer MACs,
/// and drops what belongs to no key.
#[test]
fn another_reader_finds_the_same_key() {
    for (name, password) in [("modern.p12", "secret"), ("legacy.p12", "secret")] {
        let found = pkcs12::open(&data(name), password).unwrap();
        let other = p12_keystore::KeyStore::from_pkcs12(&data(name), password).unwrap();
        let (_, chain) = other.private_key_chain().unwrap();
        let key = waxseal_key::PrivateKey::from_pkcs8_der(chain.key()).unwrap();
        assert_eq!(found.keys[0].public_key(), key.public_key(), "{name}");
        assert_eq!(found.certificates[0], chain.chain()[0].as_der(), "{name}");
    }
}

/// NSS and Windows write indefinite lengths and octet strings in segments. The
/// same file, so rewritten outside its MAC, opens alike.
#[test]
fn files_in_ber() {
    for name in ["modern.p12", "legacy.p12"] {
        let file = data(name);
        let ber = outer_in_ber(&file);
        assert_ne!(ber, file);
        let found = pkcs12::open(&ber, "secret").unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.keys[0].public_key(), key("p256").public_key());
        assert_eq!(found.certificates.len(), 2);
    }
}

/// PFX and its authSafe without lengths, the safe in segments of 100 octets.
fn outer_in_ber(der: &[u8]) -> Vec<u8> {
    let (pfx, _) = split(der);
    let (_, after_version) = (&pfx[..3], &pfx[3..]);
    let (auth_safe, mac_data) = split(after_version);
    let (explicit, _) = split(&auth_safe[11..]);
    let (safe, _) = split(explicit);
    let mut out = vec![0x30, 0x80, 2, 1, 3, 0x30, 0x80];
    out.extend(&auth_safe[..11]);
    out.extend([0xa0, 0x80, 0x24, 0x80]);
    for segment in safe.chunks(100) {
        out.extend([4, segment.len() as u8]);
        out.extend(segment);
    }
    out.extend([0; 6]);
    out.extend(mac_data);
    out.extend([0, 0]);
    out
}

/// The content of the first element, and what stands after it.
fn split(der: &[u8]) -> (&[u8], &[u8]) {
    let (header, len) = match der[1] {
        0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        0x81 => (3, usize::from(der[2])),
        len => (2, usize::from(len)),
    };
    (&der[header..header + len], &der[header + len..])
}

fn holds(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

/// What is handed over is what comes out again, and nothing of it with another password.
#[test]
fn a_file_that_is_handed_over() {
    let (key, certificate) = (key("p256"), data("alice.der"));
    let mut random = waxseal_key::SeededRandom::new("hand over");
    let file = pkcs12::hand_over(&key.to_pkcs8_der(), &certificate, "Älice", "word", &mut random).unwrap();
    let read = pkcs12::open(&file, "word").unwrap();
    assert_eq!(read.keys[0].public_key(), key.public_key());
    assert_eq!(read.certificates, [certificate]);
    assert_eq!(pkcs12::open(&file, "other").unwrap_err(), KeyError::WrongPassword);
}
