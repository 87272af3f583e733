//! The two providers side by side.

use std::io::Cursor;

use proptest::prelude::*;
use waxseal_key::{
    AeadCipher, AeadSetup, Arithmetic, ContentCipher, Decryptor, DigestAlgorithm, KeyError, KeyWrap, OaepParameters,
    PrivateKey, ProviderChoice, PssParameters, SeededRandom, SignatureScheme, Signer,
};

use crate::{aws_lc, key, known_answers, rustcrypto};

const KEYS: [&str; 7] = ["rsa512", "rsa1024", "rsa2048", "rsa3072", "p256", "p384", "p521"];

fn by_aws_lc(name: &str) -> PrivateKey {
    key(name).with_arithmetic(aws_lc())
}

/// Whether the provider did it; any other error than that it lacks it fails.
fn did<T>(answer: Result<T, KeyError>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(KeyError::NotByThisProvider { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// What aws-lc does of everything there is. When this changes, so does what the
/// second witness has seen.
#[test]
fn what_aws_lc_does() {
    let mut done = Vec::new();
    for digest in DigestAlgorithm::ALL {
        if did(aws_lc().digest(digest, b"")).is_some() {
            done.push(digest.to_string());
        }
    }
    for cipher in ContentCipher::ALL {
        let (key, iv) = (vec![0; cipher.key_len()], vec![0; cipher.iv_len()]);
        if did(aws_lc().cbc_encryptor(cipher, &key, &iv)).is_some()
            && did(aws_lc().cbc_decryptor(cipher, &key, &iv)).is_some()
        {
            done.push(cipher.to_string());
        }
    }
    done.extend(symmetric());
    for name in ["p256", "p384", "p521", "x25519"] {
        let of = |name| if name == "x25519" { crate::agreement::x25519_key(&[7; 32]) } else { key(name) };
        let peer = of(name).public_key().to_vec();
        if did(aws_lc().agree_ephemeral(&peer, &mut SeededRandom::new("x"))).is_some()
            && did(of(name).with_arithmetic(aws_lc()).agree(&peer)).is_some()
        {
            done.push(format!("{name}: agree"));
        }
    }
    done.extend(over_messages());
    done.extend(encapsulation());
    for name in KEYS {
        let reference = key(name);
        let scheme = reference.signature_scheme().unwrap();
        let (mut verified, mut signed) = (Vec::new(), Vec::new());
        for digest in DigestAlgorithm::ALL {
            let value = rustcrypto().digest(digest, b"x").unwrap();
            let Ok(signature) = reference.sign_digest(scheme, digest, &value) else { continue };
            if did(aws_lc().verify_digest(reference.public_key(), scheme, digest, &value, &signature)).is_some() {
                verified.push(digest.name());
            }
            if did(by_aws_lc(name).sign_digest(scheme, digest, &value)).is_some() {
                signed.push(digest.name());
            }
        }
        let unwraps = match scheme {
            SignatureScheme::RsaPkcs1 => {
                let encrypted = vec![0; reference.bits() as usize / 8];
                did(by_aws_lc(name).unwrap_rsa_pkcs1(&encrypted, 16)).is_some()
            }
            _ => false,
        };
        done.push(format!("{name}: verify {}; sign {}; unwrap {unwraps}", verified.join(" "), signed.join(" ")));
        if scheme == SignatureScheme::RsaPkcs1 {
            done.push(format!("{name}: {}", pss_and_oaep(name)));
        }
        if scheme == SignatureScheme::RsaPkcs1 {
            let wrapped = aws_lc().wrap_rsa_pkcs1(reference.public_key(), &[0; 16], &mut SeededRandom::new("x"));
            assert!(did(wrapped).is_none(), "aws-lc takes no random numbers from its caller");
        }
    }
    assert_eq!(
        done,
        [
            "sha-1",
            "sha-224",
            "sha-256",
            "sha-384",
            "sha-512",
            "sha3-256",
            "sha3-384",
            "sha3-512",
            "aes-128-cbc",
            "aes-192-cbc",
            "aes-256-cbc",
            "aes-128-wrap",
            "aes-256-wrap",
            "hmac-sha-1",
            "hkdf-sha-1",
            "pbkdf2-sha-1",
            "hmac-sha-224",
            "hmac-sha-256",
            "hkdf-sha-256",
            "pbkdf2-sha-256",
            "hmac-sha-384",
            "hkdf-sha-384",
            "pbkdf2-sha-384",
            "hmac-sha-512",
            "hkdf-sha-512",
            "pbkdf2-sha-512",
            "p256: agree",
            "p384: agree",
            "p521: agree",
            "x25519: agree",
            "ed25519: verify true; sign true",
            "ed448: verify false; sign false",
            "ml-dsa-44: verify true; sign false",
            "ml-dsa-65: verify true; sign false",
            "ml-dsa-87: verify true; sign false",
            "ml-kem-512: encapsulate false; decapsulate true",
            "ml-kem-768: encapsulate false; decapsulate true",
            "ml-kem-1024: encapsulate false; decapsulate true",
            "rsa512: verify ; sign ; unwrap false",
            "rsa512: verify PSS ; unwrap OAEP ",
            "rsa1024: verify sha-1 sha-256 sha-512; sign ; unwrap false",
            "rsa1024: verify PSS ; unwrap OAEP ",
            "rsa2048: verify sha-1 sha-256 sha-384 sha-512; sign sha-256 sha-384 sha-512; unwrap true",
            "rsa2048: verify PSS sha-256 sha-384 sha-512; unwrap OAEP sha-1 sha-256 sha-384 sha-512",
            "rsa3072: verify sha-1 sha-256 sha-384 sha-512; sign sha-256 sha-384 sha-512; unwrap true",
            "rsa3072: verify PSS sha-256 sha-384 sha-512; unwrap OAEP sha-1 sha-256 sha-384 sha-512",
            "p256: verify sha-1 sha-256 sha-384 sha-512; sign sha-256; unwrap false",
            "p384: verify sha-256 sha-384 sha-512; sign sha-384; unwrap false",
            "p521: verify sha-1 sha-224 sha-256 sha-384 sha-512; sign sha-224 sha-256 sha-384 sha-512; unwrap false",
        ]
    );
}

/// What aws-lc does with messages themselves: short ones.
fn over_messages() -> Vec<String> {
    let mut done = Vec::new();
    let seeded = |oid| known_answers::private_key_info(oid, &known_answers::tlv(0x80, &[5; 32]));
    for key in [
        key("ed25519"),
        PrivateKey::from_pkcs8_der(&known_answers::private_key_info("2b6571", &known_answers::tlv(0x04, &[7; 57])))
            .unwrap(),
        PrivateKey::from_pkcs8_der(&seeded("608648016503040311")).unwrap(),
        PrivateKey::from_pkcs8_der(&seeded("608648016503040312")).unwrap(),
        PrivateKey::from_pkcs8_der(&seeded("608648016503040313")).unwrap(),
    ] {
        let scheme = key.signature_scheme().unwrap();
        let signature = key.sign_message(scheme, &mut Cursor::new(b"x")).unwrap();
        let mut short = Cursor::new(b"x");
        let verifies = did(aws_lc().verify_message(key.public_key(), scheme, &mut short, &signature)).is_some();
        let signs = did(key.with_arithmetic(aws_lc()).sign_message(scheme, &mut Cursor::new(b"x"))).is_some();
        done.push(format!("{scheme}: verify {verifies}; sign {signs}"));
    }
    done
}

/// What aws-lc does with ML-KEM.
fn encapsulation() -> Vec<String> {
    let mut done = Vec::new();
    for oid in ["608648016503040401", "608648016503040402", "608648016503040403"] {
        let info = known_answers::private_key_info(oid, &known_answers::tlv(0x80, &[5; 64]));
        let key = PrivateKey::from_pkcs8_der(&info).unwrap();
        let random = &mut SeededRandom::new("x");
        let (ciphertext, _) = rustcrypto().encapsulate(key.public_key(), random).unwrap();
        let encapsulates = did(aws_lc().encapsulate(key.public_key(), random)).is_some();
        let name = key.algorithm().to_string();
        let decapsulates = did(key.with_arithmetic(aws_lc()).decapsulate(&ciphertext)).is_some();
        done.push(format!("{name}: encapsulate {encapsulates}; decapsulate {decapsulates}"));
    }
    done
}

/// What aws-lc does with symmetric keys beside CBC.
fn symmetric() -> Vec<String> {
    let mut done = Vec::new();
    for cipher in AeadCipher::ALL {
        let key = vec![0; cipher.key_len()];
        let setup =
            AeadSetup { cipher, key: &key, nonce: &[0; 12], additional: &[], tag_len: 16, content_len: Some(0) };
        if did(aws_lc().aead_sealer(&setup)).is_some() || did(aws_lc().aead_opener(&setup)).is_some() {
            done.push(cipher.to_string());
        }
    }
    for wrap in KeyWrap::ALL {
        let kek = vec![0; wrap.key_len()];
        if did(aws_lc().wrap_key(wrap, &kek, &[0; 16], &mut SeededRandom::new("x"))).is_some() {
            done.push(wrap.to_string());
        }
    }
    for digest in DigestAlgorithm::ALL {
        if did(aws_lc().mac(digest, b"key")).is_some() {
            done.push(format!("hmac-{digest}"));
        }
        if did(aws_lc().hkdf(digest, None, b"key", b"", 16)).is_some() {
            done.push(format!("hkdf-{digest}"));
        }
        if did(aws_lc().pbkdf2(digest, b"password", b"salt", 1, 16)).is_some() {
            done.push(format!("pbkdf2-{digest}"));
        }
    }
    done
}

/// What aws-lc does with the usual parameters of each digest.
fn pss_and_oaep(name: &str) -> String {
    let reference = key(name);
    let (mut verified, mut unwrapped) = (Vec::new(), Vec::new());
    for digest in DigestAlgorithm::ALL {
        let scheme = SignatureScheme::RsaPss(PssParameters::usual(digest));
        let value = rustcrypto().digest(digest, b"x").unwrap();
        if let Ok(signature) = reference.sign_digest(scheme, digest, &value) {
            if did(aws_lc().verify_digest(reference.public_key(), scheme, digest, &value, &signature)).is_some() {
                verified.push(digest.name());
            }
            assert!(did(by_aws_lc(name).sign_digest(scheme, digest, &value)).is_none(), "its salt is random");
        }
        let parameters = OaepParameters::usual(digest);
        let random = &mut SeededRandom::new("x");
        if let Ok(encrypted) = rustcrypto().wrap_rsa_oaep(reference.public_key(), &[1; 8], &parameters, random) {
            if did(by_aws_lc(name).unwrap_rsa_oaep(&encrypted, &parameters)).is_some() {
                unwrapped.push(digest.name());
            }
            let wrapped = aws_lc().wrap_rsa_oaep(reference.public_key(), &[1; 8], &parameters, random);
            assert!(did(wrapped).is_none(), "aws-lc takes no random numbers from its caller");
        }
    }
    format!("verify PSS {}; unwrap OAEP {}", verified.join(" "), unwrapped.join(" "))
}

#[test]
fn auto_does_everything() {
    let auto = Arithmetic::default();
    assert_eq!(auto.choice(), ProviderChoice::Auto);
    for digest in DigestAlgorithm::ALL {
        assert_eq!(auto.digest(digest, b"x").unwrap(), rustcrypto().digest(digest, b"x").unwrap());
    }
    for name in KEYS {
        let key = key(name).with_arithmetic(auto);
        for digest in DigestAlgorithm::ALL {
            let value = auto.digest(digest, name.as_bytes()).unwrap();
            let Ok(signature) = key.sign_digest(key.signature_scheme().unwrap(), digest, &value) else {
                let due = name == "rsa512" || digest == DigestAlgorithm::Shake256;
                assert!(due, "{name} {digest}: only what is too long for a modulus or defined with no scheme");
                continue;
            };
            let scheme = key.signature_scheme().unwrap();
            assert!(
                auto.verify_digest(key.public_key(), scheme, digest, &value, &signature).unwrap(),
                "{name} {digest}"
            );
            let reference = self::key(name).sign_digest(scheme, digest, &value).unwrap();
            assert_eq!(signature, reference, "{name} {digest}: deterministic under auto too");
        }
    }
}

#[test]
fn a_provider_is_chosen_by_name() {
    for choice in ProviderChoice::ALL {
        assert_eq!(choice.to_string().parse::<ProviderChoice>().unwrap(), choice);
    }
    let error = "ring".parse::<ProviderChoice>().unwrap_err().to_string();
    assert!(error.contains("auto, rustcrypto, aws-lc"), "{error}");
}

#[test]
fn absent_digest_parameters_are_accepted_and_no_other_form() {
    // RFC 8017 section 9.2: 00 01 ff… 00 DigestInfo, signed by raw RSA in four forms.
    let rsa = key("rsa2048");
    let value = rustcrypto().digest(DigestAlgorithm::Sha256, b"x").unwrap();
    let oid = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    let forms: [(&str, Vec<u8>, bool); 4] = [
        ("null", [&[0x30, 0x31, 0x30, 0x0d][..], &oid, &[5, 0, 4, 32], &value].concat(), true),
        ("absent", [&[0x30, 0x2f, 0x30, 0x0b][..], &oid, &[4, 32], &value].concat(), true),
        ("empty sequence", [&[0x30, 0x31, 0x30, 0x0d][..], &oid, &[0x30, 0, 4, 32], &value].concat(), false),
        ("the bare value", value.clone(), false),
    ];
    for (form, info, good) in forms {
        let signature = raw_sign(&[&[0, 1][..], &vec![0xff; 256 - 3 - info.len()], &[0], &info].concat());
        for (choice, wanted) in [
            (ProviderChoice::RustCrypto, Ok(good)),
            (ProviderChoice::Auto, Ok(good)),
            (ProviderChoice::AwsLc, if form == "absent" { Err(()) } else { Ok(good) }),
        ] {
            let found = Arithmetic::new(choice)
                .verify_digest(rsa.public_key(), SignatureScheme::RsaPkcs1, DigestAlgorithm::Sha256, &value, &signature)
                .map_err(|error| assert!(matches!(error, KeyError::NotByThisProvider { .. }), "{error}"));
            assert_eq!(found, wanted, "{form} by {choice}");
        }
    }
    // The classic forgeries: shorter padding with garbage after the value, and padding of another octet.
    let info = [&[0x30, 0x31, 0x30, 0x0d][..], &oid, &[5, 0, 4, 32], &value].concat();
    for encoded in [
        [&[0, 1][..], &[0xff; 8], &[0], &info, &vec![0; 256 - 11 - info.len()]].concat(),
        [&[0, 1][..], &vec![0xfe; 256 - 3 - info.len()], &[0], &info].concat(),
        [&[0, 2][..], &vec![0xff; 256 - 3 - info.len()], &[0], &info].concat(),
    ] {
        for choice in ProviderChoice::ALL {
            let good = Arithmetic::new(choice).verify_digest(
                rsa.public_key(),
                SignatureScheme::RsaPkcs1,
                DigestAlgorithm::Sha256,
                &value,
                &raw_sign(&encoded),
            );
            assert_eq!(good, Ok(false), "{choice}");
        }
    }
}

/// RSASP1 without padding, with the key `rsa2048`.
fn raw_sign(encoded: &[u8]) -> Vec<u8> {
    use rsa::{BoxedUint, RsaPrivateKey, hazmat::rsa_decrypt, pkcs8::DecodePrivateKey, rand_core::UnwrapErr};
    let key = RsaPrivateKey::from_pkcs8_pem(&crate::pem("rsa2048")).unwrap();
    let number = BoxedUint::from_be_slice(encoded, 2048).unwrap();
    rsa_decrypt(None::<&mut UnwrapErr<getrandom::SysRng>>, &key, &number).unwrap().to_be_bytes().into_vec()
}

#[test]
fn keys_and_values_that_do_not_fit_are_errors_not_verdicts() {
    for choice in ProviderChoice::ALL {
        let arithmetic = Arithmetic::new(choice);
        let verify = |spki: &[u8], scheme, value: &[u8]| {
            arithmetic.verify_digest(spki, scheme, DigestAlgorithm::Sha256, value, &[0; 256])
        };
        let (rsa, p256) = (key("rsa2048"), key("p256"));
        assert!(matches!(verify(b"x", SignatureScheme::RsaPkcs1, &[0; 32]), Err(KeyError::BadPublicKey(_))));
        assert!(matches!(
            verify(p256.public_key(), SignatureScheme::RsaPkcs1, &[0; 32]),
            Err(KeyError::BadPublicKey(_))
        ));
        assert!(matches!(verify(rsa.public_key(), SignatureScheme::Ecdsa, &[0; 32]), Err(KeyError::BadPublicKey(_))));
        assert!(matches!(
            verify(rsa.public_key(), SignatureScheme::RsaPkcs1, &[0; 31]),
            Err(KeyError::BadParameters { .. })
        ));
        // A point that is not on the curve.
        let mut off_curve = p256.public_key().to_vec();
        let last = off_curve.len() - 1;
        off_curve[last] ^= 1;
        let error = verify(&off_curve, SignatureScheme::Ecdsa, &[0; 32]).unwrap_err();
        assert!(matches!(error, KeyError::BadPublicKey(_)), "{choice}: {error}");
        // An even modulus.
        let mut even = rsa.public_key().to_vec();
        let last = even.len() - 6;
        even[last] &= 0xfe;
        let error = verify(&even, SignatureScheme::RsaPkcs1, &[0; 32]);
        assert!(error.is_err() || error == Ok(false), "{choice}: {error:?}");
    }
}

#[test]
fn wrong_lengths_of_keys_and_vectors_are_errors() {
    for choice in ProviderChoice::ALL {
        for cipher in [ContentCipher::Aes128Cbc, ContentCipher::Aes192Cbc, ContentCipher::Aes256Cbc] {
            let arithmetic = Arithmetic::new(choice);
            for (key_len, iv_len) in [(cipher.key_len() + 1, 16), (cipher.key_len(), 15), (0, 0)] {
                let error = arithmetic.cbc_decryptor(cipher, &vec![0; key_len], &vec![0; iv_len]).err().unwrap();
                assert!(matches!(error, KeyError::BadParameters { .. }), "{error}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn digests_agree(octets in proptest::collection::vec(any::<u8>(), 0..5000)) {
        for digest in DigestAlgorithm::ALL {
            if let Some(value) = did(aws_lc().digest(digest, &octets)) {
                prop_assert_eq!(value, rustcrypto().digest(digest, &octets).unwrap());
            }
        }
    }

    #[test]
    fn ciphers_agree_however_the_stream_is_cut(
        blocks in 1_usize..3000,
        cut in 1_usize..3000,
        secret in any::<[u8; 32]>(),
        iv in any::<[u8; 16]>(),
    ) {
        let plain: Vec<u8> = (0..blocks * 16).map(|at| (at * 7 + at / 256) as u8).collect();
        for cipher in ContentCipher::ALL {
            let (key, iv) = (secret.repeat(2)[..cipher.key_len()].to_vec(), &iv[..cipher.iv_len()]);
            let mut reference = plain.clone();
            rustcrypto().cbc_encryptor(cipher, &key, iv).unwrap().process(&mut reference);
            let Some(mut encryptor) = did(aws_lc().cbc_encryptor(cipher, &key, iv)) else { continue };
            let mut octets = plain.clone();
            octets.chunks_mut(cut * 16).for_each(|piece| encryptor.process(piece));
            prop_assert!(octets == reference, "{} encrypts alike", cipher);
            let mut decryptor = aws_lc().cbc_decryptor(cipher, &key, iv).unwrap();
            octets.chunks_mut(cut * 16).for_each(|piece| decryptor.process(piece));
            prop_assert!(octets == plain, "{} decrypts alike", cipher);
            rustcrypto().cbc_decryptor(cipher, &key, iv).unwrap().process(&mut reference);
            prop_assert!(reference == plain);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn signatures_agree(message in any::<[u8; 8]>(), at in any::<usize>()) {
        for name in KEYS {
            let reference = key(name);
            let scheme = reference.signature_scheme().unwrap();
            for digest in DigestAlgorithm::ALL {
                let value = rustcrypto().digest(digest, &message).unwrap();
                let mut signatures: Vec<Vec<u8>> = reference.sign_digest(scheme, digest, &value).into_iter().collect();
                let first = signatures.first().cloned();
                if let Some(signature) = did_or_too_short(by_aws_lc(name).sign_digest(scheme, digest, &value)) {
                    if scheme == SignatureScheme::RsaPkcs1 {
                        prop_assert_eq!(Some(&signature), first.as_ref(), "RSA signs alike");
                    }
                    signatures.push(signature);
                }
                for signature in signatures {
                    let verify = |arithmetic: Arithmetic, value: &[u8], signature: &[u8]| {
                        did(arithmetic.verify_digest(reference.public_key(), scheme, digest, value, signature))
                    };
                    prop_assert_eq!(verify(rustcrypto(), &value, &signature), Some(true), "{} {}", name, digest);
                    prop_assert_ne!(verify(aws_lc(), &value, &signature), Some(false), "{} {}", name, digest);
                    let mut changed = signature.clone();
                    let at = at % changed.len();
                    changed[at] ^= 1;
                    prop_assert_eq!(verify(rustcrypto(), &value, &changed), Some(false));
                    prop_assert_ne!(verify(aws_lc(), &value, &changed), Some(true));
                    let other = vec![7; value.len()];
                    prop_assert_eq!(verify(rustcrypto(), &other, &signature), Some(false));
                    prop_assert_ne!(verify(aws_lc(), &other, &signature), Some(true));
                }
            }
        }
    }

    #[test]
    fn key_transport_agrees(content_key in proptest::collection::vec(any::<u8>(), 1..40), label in "[a-z]{4}") {
        for name in ["rsa2048", "rsa3072"] {
            let key = key(name);
            let wrapped = rustcrypto()
                .wrap_rsa_pkcs1(key.public_key(), &content_key, &mut SeededRandom::new(&label))
                .unwrap();
            prop_assert_eq!(&*by_aws_lc(name).unwrap_rsa_pkcs1(&wrapped, content_key.len()).unwrap(), &content_key);
            prop_assert_eq!(&*key.unwrap_rsa_pkcs1(&wrapped, content_key.len()).unwrap(), &content_key);
        }
    }
}

/// A digest value that is too long for the modulus cannot be signed by anyone.
fn did_or_too_short(answer: Result<Vec<u8>, KeyError>) -> Option<Vec<u8>> {
    match answer {
        Err(KeyError::BadParameters { .. }) => None,
        // SHAKE256 goes with no scheme that signs digests.
        Err(KeyError::UnknownAlgorithm(_)) => None,
        answer => did(answer),
    }
}
