//! Key agreement, and OpenSSL on the other side.

use waxseal_key::{
    Arithmetic, Decryptor, DigestAlgorithm, KeyError, PrivateKey, ProviderChoice, PublicKeyAlgorithm, Random,
    SeededRandom, Signer,
};

use crate::{
    hex, key,
    known_answers::{tlv, unhex},
    openssl::{Folder, openssl},
    rustcrypto,
};

/// A PrivateKeyInfo of RFC 8410 around the octets.
pub(crate) fn x25519_key(octets: &[u8]) -> PrivateKey {
    let algorithm = tlv(0x30, &tlv(0x06, &unhex("2b656e")));
    let info = [tlv(0x02, &[0]), algorithm, tlv(0x04, &tlv(0x04, octets))].concat();
    PrivateKey::from_pkcs8_der(&tlv(0x30, &info)).unwrap()
}

#[test]
fn secrets_agree_with_openssl() {
    let Some(folder) = Folder::with_openssl("secrets_agree") else { return };
    for (algorithm, options) in [
        ("EC", &["-pkeyopt", "ec_paramgen_curve:P-256"][..]),
        ("EC", &["-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("EC", &["-pkeyopt", "ec_paramgen_curve:P-521"]),
        ("X25519", &[]),
    ] {
        let pem = folder.path("private.pem");
        openssl(&[&["genpkey", "-algorithm", algorithm, "-out", &pem][..], options].concat());
        let read = || PrivateKey::from_pem(&std::fs::read_to_string(&pem).unwrap(), None).unwrap();
        let ours = read();
        let public_file = folder.path("public.der");
        openssl(&["pkey", "-in", &pem, "-pubout", "-outform", "DER", "-out", &public_file]);
        assert_eq!(hex(ours.public_key()), hex(&std::fs::read(&public_file).unwrap()), "{algorithm}");
        for choice in ProviderChoice::ALL {
            let arithmetic = Arithmetic::new(choice);
            let (spki, secret) =
                arithmetic.agree_ephemeral(ours.public_key(), &mut SeededRandom::new("ephemeral")).unwrap();
            let peer = folder.file("peer.der", &spki);
            let out = folder.path("secret");
            openssl(&["pkeyutl", "-derive", "-inkey", &pem, "-peerkey", &peer, "-peerform", "DER", "-out", &out]);
            assert_eq!(hex(&secret), hex(&std::fs::read(out).unwrap()), "{options:?} by {choice}");
            assert_eq!(read().with_arithmetic(arithmetic).agree(&spki).unwrap(), secret, "{options:?} by {choice}");
            let (again, _) =
                rustcrypto().agree_ephemeral(ours.public_key(), &mut SeededRandom::new("ephemeral")).unwrap();
            assert_eq!(again, spki, "the key follows from the random numbers");
        }
    }
}

#[test]
fn a_key_without_its_curve_is_on_ours() {
    let p256 = key("p256");
    let (spki, secret) = rustcrypto().agree_ephemeral(p256.public_key(), &mut SeededRandom::new("x")).unwrap();
    let point = &spki[spki.len() - 65..];
    for parameters in [&[][..], &[5, 0]] {
        let algorithm = tlv(0x30, &[&tlv(0x06, &unhex("2a8648ce3d0201"))[..], parameters].concat());
        let bare = tlv(0x30, &[algorithm, tlv(0x03, &[&[0], point].concat())].concat());
        assert_eq!(p256.agree(&bare).unwrap(), secret);
        assert!(matches!(key("p384").agree(&bare), Err(KeyError::BadPublicKey(_))), "not on that curve");
    }
}

#[test]
fn keys_of_the_wrong_kind_are_refused() {
    let (p256, x25519) = (key("p256"), x25519_key(&[7; 32]));
    assert!(matches!(p256.agree(key("p384").public_key()), Err(KeyError::BadPublicKey(_))));
    assert!(matches!(p256.agree(x25519.public_key()), Err(KeyError::BadPublicKey(_))));
    assert!(matches!(x25519.agree(p256.public_key()), Err(KeyError::BadPublicKey(_))));
    assert!(matches!(key("rsa1024").agree(p256.public_key()), Err(KeyError::BadParameters { .. })));
    assert!(rustcrypto().agree_ephemeral(key("rsa1024").public_key(), &mut SeededRandom::new("x")).is_err());
    struct Zeros;
    impl Random for Zeros {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(0);
        }
    }
    assert!(matches!(rustcrypto().agree_ephemeral(p256.public_key(), &mut Zeros), Err(KeyError::Refused(_))));
    assert!(x25519.sign_digest(waxseal_key::SignatureScheme::Ecdsa, DigestAlgorithm::Sha256, &[0; 32]).is_err());
    assert_eq!((x25519.signature_scheme(), x25519.bits()), (None, 255));
    assert_eq!(*x25519.algorithm(), PublicKeyAlgorithm::X25519);
}

#[test]
fn a_public_key_beside_the_private_one_must_be_its_own() {
    let good = x25519_key(&[7; 32]);
    let public = &good.public_key()[12..];
    let algorithm = tlv(0x30, &tlv(0x06, &unhex("2b656e")));
    let info = |public: &[u8]| {
        let parts = [tlv(0x02, &[1]), algorithm.clone(), tlv(0x04, &tlv(0x04, &[7; 32])), tlv(0x81, public)];
        PrivateKey::from_pkcs8_der(&tlv(0x30, &parts.concat()))
    };
    assert_eq!(info(&[&[0], public].concat()).unwrap().public_key(), good.public_key());
    assert!(matches!(info(&[0; 33]), Err(KeyError::NotAKey(_))));
}

#[test]
fn derivations_agree_with_openssl() {
    let Some(_folder) = Folder::with_openssl("derivations") else { return };
    let kdf = |name: &str, options: &[&str], len: usize| {
        let len = len.to_string();
        let mut arguments = vec!["kdf", "-keylen", &len];
        options.iter().for_each(|option| arguments.extend(["-kdfopt", option]));
        arguments.push(name);
        openssl(&arguments).trim().replace(':', "").to_lowercase()
    };
    for digest in [
        DigestAlgorithm::Sha1,
        DigestAlgorithm::Sha224,
        DigestAlgorithm::Sha256,
        DigestAlgorithm::Sha384,
        DigestAlgorithm::Sha512,
    ] {
        let name = format!("digest:{}", digest.name().replace('-', ""));
        for choice in ProviderChoice::ALL {
            let arithmetic = Arithmetic::new(choice);
            for len in [1, 16, 24, 32, 100] {
                let theirs = kdf("X963KDF", &[&name, "hexkey:00112233", "hexinfo:3011aabbcc"], len);
                let ours = arithmetic.x963_kdf(digest, &unhex("00112233"), &unhex("3011aabbcc"), len).unwrap();
                assert_eq!(hex(&ours), theirs, "{digest} {len} by {choice}");
            }
            let theirs = kdf("PBKDF2", &[&name, "pass:secret", "hexsalt:0102030405060708", "iter:1000"], 40);
            match arithmetic.pbkdf2(digest, b"secret", &[1, 2, 3, 4, 5, 6, 7, 8], 1000, 40) {
                Err(KeyError::NotByThisProvider { .. }) => assert_eq!(choice, ProviderChoice::AwsLc),
                ours => assert_eq!(hex(&ours.unwrap()), theirs, "{digest} by {choice}"),
            }
        }
    }
    assert!(rustcrypto().pbkdf2(DigestAlgorithm::Sha1, b"x", b"x", 0, 1).is_err());
    assert!(rustcrypto().pbkdf2(DigestAlgorithm::Sha1, b"x", b"x", 1, usize::MAX).is_err());
    assert!(rustcrypto().x963_kdf(DigestAlgorithm::Sha1, b"x", b"x", usize::MAX).is_err());
}
