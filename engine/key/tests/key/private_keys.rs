//! Private keys in their formats.

use base64::{Engine, engine::general_purpose::STANDARD};
use waxseal_key::{
    Decryptor, DigestAlgorithm, KeyError, PrivateKey, PublicKeyAlgorithm, SignatureScheme, Signer, describe_public_key,
};
use waxseal_testing::shared;

use crate::{key, known_answers, pem};

#[test]
fn every_format_gives_the_same_key() {
    let rsa = key("rsa2048");
    let p256 = key("p256");
    let cases = [
        ("rsa2048-traditional", None, &rsa),
        ("rsa2048-rfc1421", Some("secret"), &rsa),
        ("rsa2048-pbes2", Some("secret"), &rsa),
        ("p256-sec1", None, &p256),
        ("p256-scrypt", Some("secret"), &p256),
        ("p256-3des", Some("secret"), &p256),
        ("p256-rc2-40", Some("secret"), &p256),
    ];
    for (name, password, wanted) in cases {
        let found = PrivateKey::from_pem(&pem(name), password).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.public_key(), Signer::public_key(wanted), "{name}");
    }
}

#[test]
fn kinds_and_sizes() {
    use PublicKeyAlgorithm::{P256, P384, P521, Rsa};
    let cases = [
        ("rsa512", Rsa, 512, SignatureScheme::RsaPkcs1),
        ("rsa1024", Rsa, 1024, SignatureScheme::RsaPkcs1),
        ("rsa2048", Rsa, 2048, SignatureScheme::RsaPkcs1),
        ("rsa3072", Rsa, 3072, SignatureScheme::RsaPkcs1),
        ("p256", P256, 256, SignatureScheme::Ecdsa),
        ("p384", P384, 384, SignatureScheme::Ecdsa),
        ("p521", P521, 521, SignatureScheme::Ecdsa),
    ];
    for (name, algorithm, bits, scheme) in cases {
        let key = key(name);
        assert_eq!(
            (key.algorithm(), key.bits(), key.signature_scheme().unwrap()),
            (&algorithm, bits, scheme),
            "{name}"
        );
        let described = describe_public_key(key.public_key()).unwrap();
        assert_eq!((described.algorithm, described.bits), (algorithm, bits), "{name}");
        assert_eq!(key.public_key(), key.public_key());
    }
}

#[test]
fn keys_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<PrivateKey>();
    shared::<KeyError>();
}

#[test]
fn debug_shows_kind_and_bits_and_nothing_else() {
    assert_eq!(format!("{:?}", key("rsa2048")), "PrivateKey { algorithm: Rsa, bits: 2048, .. }");
    assert_eq!(format!("{:?}", key("p521")), "PrivateKey { algorithm: P521, bits: 521, .. }");
}

#[test]
fn a_wrong_password_is_told_from_what_is_no_key() {
    for name in ["rsa2048-rfc1421", "rsa2048-pbes2", "p256-scrypt", "p256-3des", "p256-rc2-40"] {
        let error = PrivateKey::from_pem(&pem(name), Some("wrong")).unwrap_err();
        assert_eq!(error, KeyError::WrongPassword, "{name}");
        let error = PrivateKey::from_pem(&pem(name), None).unwrap_err().to_string();
        assert_eq!(error, "not a private key: the key is encrypted, and no password was given", "{name}");
    }
    let refused = |text: &str| PrivateKey::from_pem(text, None).unwrap_err().to_string();
    assert_eq!(refused("hello"), "not a private key: the text holds no PEM block with a private key");
    assert_eq!(
        refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        "not a private key: the text holds no PEM block with a private key"
    );
    assert_eq!(
        refused("-----BEGIN PRIVATE KEY-----\nAAAA\n"),
        "not a private key: a PEM block without its end `-----END PRIVATE KEY-----`"
    );
    assert!(
        refused("-----BEGIN PRIVATE KEY-----\nA*AA\n-----END PRIVATE KEY-----\n")
            .starts_with("not a private key: bad base64 in the PEM block `PRIVATE KEY`")
    );
    assert!(
        refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
            .starts_with("not a private key: no PKCS#8 PrivateKeyInfo")
    );
}

#[test]
fn a_key_of_another_algorithm_is_named() {
    let x448 = known_answers::private_key_info("2b656f", &known_answers::tlv(0x04, &[7; 56]));
    let error = PrivateKey::from_pkcs8_der(&x448).unwrap_err();
    assert_eq!(error, KeyError::UnknownAlgorithm("x448 (1.3.101.111) of a private key".to_owned()));
    let error =
        PrivateKey::from_pem("-----BEGIN DSA PRIVATE KEY-----\n-----END DSA PRIVATE KEY-----", None).unwrap_err();
    assert_eq!(error, KeyError::UnknownAlgorithm("PEM label `DSA PRIVATE KEY`".to_owned()));
}

#[test]
fn pem_is_found_in_any_text() {
    let text = format!(
        "Bag Attributes\r\n    friendlyName: alice\r\n-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----\r\n{}",
        pem("p256").replace('\n', "\r\n")
    );
    let found = PrivateKey::from_pem(&text, None).unwrap();
    assert_eq!(found.public_key(), key("p256").public_key());
}

#[test]
fn too_many_rounds_are_refused_before_they_are_made() {
    let error = PrivateKey::from_pem(&pem("p256-5000001-rounds"), Some("secret")).unwrap_err().to_string();
    assert_eq!(error, "bad parameters of pbkdf2: an iteration count of 5000001; 5000000 are left for this file");
}

#[test]
fn damaged_keys_are_refused_without_panic() {
    for name in ["rsa512", "p256", "p384", "p521"] {
        let der = der(name);
        assert!(PrivateKey::from_pkcs8_der(&der).is_ok());
        for len in 0..der.len() {
            assert!(PrivateKey::from_pkcs8_der(&der[..len]).is_err(), "{name} cut to {len}");
        }
        for at in 0..der.len() {
            let mut damaged = der.clone();
            damaged[at] ^= 0x55;
            // Some octets are free (an attribute, a parameter); what matters is that none panics.
            let _ = PrivateKey::from_pkcs8_der(&damaged);
        }
    }
}

#[test]
fn an_rsa_key_of_an_unknown_size_is_refused_before_it_is_checked() {
    for (octets, bits) in [(2049_u16, 16392), (63, 504)] {
        let len = |len: u16| [0x82, (len >> 8) as u8, len as u8];
        let modulus = [&[2][..], &len(octets + 1), &[0], &vec![0xff; octets.into()]].concat();
        let body = [&[2, 1, 0][..], &modulus, &[2, 1, 3].repeat(7)].concat();
        let der = [&[0x30][..], &len(u16::try_from(body.len()).unwrap()), &body].concat();
        // The lengths of the small one in their shortest form.
        let der = if octets < 100 { [&[0x30, 90][..], &[2, 1, 0], &[2, 64], &der[11..]].concat() } else { der };
        let text = format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", STANDARD.encode(&der));
        let error = PrivateKey::from_pem(&text, None).unwrap_err().to_string();
        assert_eq!(error, format!("unknown algorithm RSA with {bits} bits; 512 to 16384 are known"));
    }
}

#[test]
fn an_operation_that_does_not_fit_the_key_is_refused() {
    let error =
        key("p256").sign_digest(SignatureScheme::RsaPkcs1, DigestAlgorithm::Sha256, &[0; 32]).unwrap_err().to_string();
    assert_eq!(error, "bad parameters of rsa-pkcs1-v1_5: the private key is of the kind p-256");
    let error =
        key("rsa2048").sign_digest(SignatureScheme::Ecdsa, DigestAlgorithm::Sha256, &[0; 32]).unwrap_err().to_string();
    assert_eq!(error, "bad parameters of ecdsa: the private key is of the kind rsa");
    assert!(key("p256").unwrap_rsa_pkcs1(&[0; 256], 16).is_err());
    let error = key("rsa512").sign_digest(SignatureScheme::RsaPkcs1, DigestAlgorithm::Sha512, &[0; 64]).unwrap_err();
    assert!(error.to_string().contains("too short"), "{error}");
    let error = key("p256").sign_digest(SignatureScheme::Ecdsa, DigestAlgorithm::Sha256, &[0; 20]).unwrap_err();
    assert!(error.to_string().contains("20 octets, it must have 32"), "{error}");
}

#[test]
fn keys_of_real_clients_load() {
    let Some(folder) = shared("recordings/keys") else { return };
    let mut loaded = 0;
    for path in files(&folder) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if text.contains("PRIVATE KEY-----") {
            let key = PrivateKey::from_pem(&text, text.contains("ENCRYPTED").then_some("letmein"));
            assert!(key.is_ok(), "{}: {:?}", path.display(), key.err());
            loaded += 1;
        }
    }
    assert_eq!(loaded, 12);
}

#[test]
fn keys_of_published_examples_load() {
    let Some(folder) = shared("oracles") else { return };
    let mut loaded = 0;
    for path in files(&folder.join("rfc4134")).into_iter().filter(|path| path.extension().is_some_and(|e| e == "pri")) {
        match PrivateKey::from_pkcs8_der(&std::fs::read(&path).unwrap()) {
            Ok(key) => {
                assert_eq!((key.algorithm(), key.bits()), (&PublicKeyAlgorithm::Rsa, 1024));
                loaded += 1;
            }
            Err(error) => assert!(matches!(&error, KeyError::UnknownAlgorithm(it) if it.starts_with("dsa")), "{error}"),
        }
    }
    assert_eq!(loaded, 4, "RFC 4134 has four RSA keys");
    let mut loaded = 0;
    for path in files(&folder.join("rfc9216")) {
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("PRIVATE KEY-----") {
            match PrivateKey::from_pem(&text, None) {
                Ok(_) => loaded += 1,
                Err(error) => {
                    assert!(matches!(&error, KeyError::UnknownAlgorithm(it) if it.contains("25519")), "{error}");
                }
            }
        }
    }
    assert_eq!(loaded, 10, "RFC 9216 has five RSA keys, three for Ed25519 and two for X25519");
}

fn der(name: &str) -> Vec<u8> {
    let body: String = pem(name).lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_damaged_public_key_is_an_error_and_an_unknown_one_is_not() {
    assert!(matches!(describe_public_key(b"no key"), Err(KeyError::BadPublicKey(_))));
    assert!(matches!(describe_public_key(&[]), Err(KeyError::BadPublicKey(_))));
    let described = describe_public_key(&known_answers::public_key_info("2b656f", &[7; 56])).unwrap();
    assert_eq!(described.algorithm, PublicKeyAlgorithm::Other("1.3.101.111".to_owned()));
    assert_eq!(described.algorithm.name(), "x448");
}
