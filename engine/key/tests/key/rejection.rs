//! RSA key transport: a refused padding must look like any other key.

use waxseal_key::{Arithmetic, Decryptor, KeyError, PrivateKey, ProviderChoice, Random, SeededRandom};

use crate::{key, rustcrypto};

const CONTENT_KEY: [u8; 16] = *b"0123456789abcdef";

#[test]
fn a_wrapped_key_comes_back() {
    for name in ["rsa512", "rsa1024", "rsa2048", "rsa3072"] {
        for key_len in [0_usize, 5, 8, 16, 24, 32] {
            let content_key: Vec<u8> = (0..key_len).map(|octet| octet as u8).collect();
            let key = key(name);
            let wrapped =
                rustcrypto().wrap_rsa_pkcs1(key.public_key(), &content_key, &mut SeededRandom::new("wrap")).unwrap();
            assert_eq!(wrapped.len(), key.bits() as usize / 8);
            assert_eq!(*key.unwrap_rsa_pkcs1(&wrapped, key_len).unwrap(), content_key, "{name} {key_len}");
        }
    }
}

#[test]
fn wrapping_follows_from_the_random_numbers() {
    let public_key = key("rsa2048").public_key().to_vec();
    let wrap = |label| rustcrypto().wrap_rsa_pkcs1(&public_key, &CONTENT_KEY, &mut SeededRandom::new(label)).unwrap();
    assert_eq!(wrap("a"), wrap("a"));
    assert_ne!(wrap("a"), wrap("b"));
}

/// Every way in which an encrypted key can be wrong, of the length of the modulus.
fn wrong_ones(key: &PrivateKey) -> Vec<(&'static str, Vec<u8>)> {
    let public_key = key.public_key();
    let wrap = |content_key: &[u8]| {
        rustcrypto().wrap_rsa_pkcs1(public_key, content_key, &mut SeededRandom::new("wrong")).unwrap()
    };
    let len = key.bits() as usize / 8;
    let mut changed = wrap(&CONTENT_KEY);
    changed[len / 2] ^= 1;
    vec![
        ("one bit changed", changed),
        ("a shorter content key", wrap(&CONTENT_KEY[..15])),
        ("a longer content key", wrap(&[1; 17])),
        ("an empty content key", wrap(&[])),
        ("zero", vec![0; len]),
        ("one", [vec![0; len - 1], vec![1]].concat()),
        ("above the modulus", vec![0xff; len]),
        ("of another key", {
            let other = self::key("rsa3072");
            let wrapped = rustcrypto().wrap_rsa_pkcs1(other.public_key(), &CONTENT_KEY, &mut SeededRandom::new("x"));
            [vec![0], wrapped.unwrap()[1..len].to_vec()].concat()
        }),
    ]
}

#[test]
fn what_is_wrong_gives_a_key_of_the_right_length_and_always_the_same() {
    for choice in ProviderChoice::ALL {
        let key = key("rsa2048").with_arithmetic(Arithmetic::new(choice));
        let mut seen = Vec::new();
        for (what, encrypted_key) in wrong_ones(&key) {
            let first = key.unwrap_rsa_pkcs1(&encrypted_key, 16).unwrap_or_else(|error| panic!("{what}: {error}"));
            let again = key.unwrap_rsa_pkcs1(&encrypted_key, 16).unwrap();
            assert_eq!((first.len(), &first), (16, &again), "{what} by {choice}");
            assert_ne!(first[..], CONTENT_KEY, "{what} by {choice}");
            assert!(!seen.contains(&first), "{what} by {choice}: every ciphertext gives another key");
            seen.push(first);
        }
    }
}

#[test]
fn the_synthetic_key_does_not_depend_on_the_provider_but_on_the_private_key() {
    let by = |choice| key("rsa2048").with_arithmetic(Arithmetic::new(choice));
    let (reference, witness) = (by(ProviderChoice::RustCrypto), by(ProviderChoice::AwsLc));
    for (what, encrypted_key) in wrong_ones(&reference) {
        assert_eq!(
            reference.unwrap_rsa_pkcs1(&encrypted_key, 16).unwrap(),
            witness.unwrap_rsa_pkcs1(&encrypted_key, 16).unwrap(),
            "{what}"
        );
    }
    let encrypted_key = vec![0; 128];
    let first = key("rsa1024").unwrap_rsa_pkcs1(&encrypted_key, 32).unwrap();
    let short = key("rsa1024").unwrap_rsa_pkcs1(&encrypted_key, 24).unwrap();
    assert_ne!(first[..24], short[..], "a key of another length is another key");
}

#[test]
fn only_public_facts_are_errors() {
    let key = key("rsa2048");
    for choice in ProviderChoice::ALL {
        let key = self::key("rsa2048").with_arithmetic(Arithmetic::new(choice));
        for len in [0, 255, 257] {
            let error = key.unwrap_rsa_pkcs1(&vec![1; len], 16).unwrap_err();
            assert!(matches!(error, KeyError::BadParameters { .. }), "{len} by {choice}: {error}");
        }
    }
    assert!(matches!(key.unwrap_rsa_pkcs1(&[1; 256], usize::MAX), Err(KeyError::BadParameters { .. })));
    // Longer than any padded message, but no longer than the modulus: nothing can be found, no error either.
    assert_eq!(key.unwrap_rsa_pkcs1(&[1; 256], 250).unwrap().len(), 250);
}

#[test]
fn what_cannot_be_wrapped_is_an_error() {
    struct Zeros;
    impl Random for Zeros {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(0);
        }
    }
    let rsa512 = key("rsa512");
    let wrap = |content_key: &[u8], random: &mut dyn Random| {
        rustcrypto().wrap_rsa_pkcs1(rsa512.public_key(), content_key, random).unwrap_err().to_string()
    };
    assert!(wrap(&[0; 54], &mut SeededRandom::new("x")).contains("too long"));
    assert!(wrap(&[0; 16], &mut Zeros).contains("only zeros"));
    let error =
        rustcrypto().wrap_rsa_pkcs1(key("p256").public_key(), &[0; 16], &mut SeededRandom::new("x")).unwrap_err();
    assert!(matches!(error, KeyError::BadPublicKey(_)), "{error}");
}

#[test]
fn a_key_of_one_of_several_lengths_has_its_own() {
    const LENGTHS: [usize; 4] = [5, 16, 8, 24];
    for choice in ProviderChoice::ALL {
        let key = key("rsa2048").with_arithmetic(Arithmetic::new(choice));
        for len in LENGTHS {
            let content_key: Vec<u8> = (1..=len).map(|octet| octet as u8).collect();
            let wrapped = rustcrypto().wrap_rsa_pkcs1(key.public_key(), &content_key, &mut SeededRandom::new("any"));
            let wrapped = wrapped.unwrap();
            assert_eq!(*key.unwrap_rsa_pkcs1_any(&wrapped, &LENGTHS).unwrap(), content_key, "{len} by {choice}");
            let others: Vec<_> = LENGTHS.into_iter().filter(|other| *other != len).collect();
            let refused = key.unwrap_rsa_pkcs1_any(&wrapped, &others).unwrap();
            assert_eq!(refused.len(), others[0], "{len} by {choice}");
            assert!(!content_key.starts_with(&refused), "{len} by {choice}");
        }
        for (what, encrypted_key) in wrong_ones(&key) {
            // Content keys of 15 and 17 octets and of none are among them.
            let first = key.unwrap_rsa_pkcs1_any(&encrypted_key, &[24, 5, 8]).unwrap();
            assert_eq!(first.len(), 24, "{what} by {choice}");
            assert_eq!(first, key.unwrap_rsa_pkcs1_any(&encrypted_key, &[24, 5, 8]).unwrap(), "{what} by {choice}");
            let reference = self::key("rsa2048").unwrap_rsa_pkcs1_any(&encrypted_key, &[24, 5, 8]).unwrap();
            assert_eq!(first, reference, "{what} by {choice}");
        }
        assert!(key.unwrap_rsa_pkcs1_any(&[1; 256], &[]).is_err());
    }
}
