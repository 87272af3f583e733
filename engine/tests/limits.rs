//! No input takes work out of proportion to its size: each is refused with a
//! reason, at a limit that the caller can set. Memory is measured in
//! `limits_memory.rs`.
//!
//! Work is counted, not timed: octets that are read of the input, and operations
//! with private keys.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::cell::Cell;
use std::io::Cursor;

use support::limited::{COMPRESSED, DATA, RSA, Reader, compressed, compressed_data, enveloped, oid, signed, signer};
use time::macros::datetime;
use waxseal_engine::ber::writer as w;
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{Credential, OpenRequest, Secrets, open};
use waxseal_engine::policy::Policy;
use waxseal_key::{
    Arithmetic, Decryptor, DigestAlgorithm, KeyError, PrivateKey, ProviderChoice, SignatureScheme, describe_public_key,
};
use waxseal_verdict::Reason;
use zeroize::Zeroizing;

#[test]
fn limits_are_the_callers() {
    let mut reader = Reader::default();
    let two = signed(&[], &signer(1).repeat(2));
    assert_ne!(reader.reasons(&two), [Some(Reason::LimitExceeded)]);
    reader.limits.signers = 1;
    assert_eq!(reader.reasons(&two), [Some(Reason::LimitExceeded)]);
}

/// A key that counts how often it is used, and never fits.
struct CountingKey {
    public_key: Vec<u8>,
    used: Cell<usize>,
}

impl Decryptor for CountingKey {
    fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    fn unwrap_rsa_pkcs1(&self, _: &[u8], key_len: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.used.set(self.used.get() + 1);
        Ok(vec![self.used.get() as u8; key_len].into())
    }
}

#[test]
fn a_private_key_works_a_bounded_number_of_times() {
    let pem = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/pki/alice.key.pem")).unwrap();
    let public_key = PrivateKey::from_pem(&pem, None).unwrap().public_key().to_vec();
    let bits = &public_key[public_key.len() - 270..];
    let key_id = Arithmetic::default().digest(DigestAlgorithm::Sha1, bits).unwrap();
    let rsa = w::sequence([oid(RSA), w::null()]);
    let recipient = w::sequence([w::integer(2), w::element(0x80, &key_id), rsa, w::octet_string(&[1; 256])]);
    let message = enveloped(&recipient.repeat(1_000));
    // In one object, and spread over the parts of a mail.
    let part = |octets: &[u8]| {
        let head = b"--b\nContent-Type: application/pkcs7-mime\nContent-Transfer-Encoding: binary\n\n";
        [head, octets, b"\n"].concat()
    };
    let head = b"Content-Type: multipart/mixed; boundary=b\n\n";
    let mail = [&head[..], &part(&enveloped(&recipient.repeat(4))).repeat(200)].concat();
    for (what, octets) in [("one object", &message), ("many parts", &mail)] {
        for most in [5, 32] {
            let key = CountingKey { public_key: public_key.clone(), used: Cell::new(0) };
            let credentials = vec![Credential { decryptor: &key, certificate: None }];
            let mut reader = Reader { credentials, ..Reader::default() };
            reader.limits.key_attempts = most;
            // Every attempt is a reading of the content, and there are few.
            let found = if what == "one object" { Vec::new() } else { reader.reasons(octets) };
            let found = if found.is_empty() { reasons_uncounted(&reader, octets) } else { found };
            assert!(found.contains(&Some(Reason::LimitExceeded)), "{what}: {found:?}");
            assert!((most..=2 * most).contains(&key.used.get()), "{what}: {} uses, at most {most}", key.used.get());
        }
    }
}

/// Without a bound on the octets that are read: the attempts are the bound.
fn reasons_uncounted(reader: &Reader<'_>, octets: &[u8]) -> Vec<Option<Reason>> {
    let policy = Policy::named("default").unwrap();
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let request = OpenRequest {
        credentials: &reader.credentials,
        secrets: &reader.secrets,
        keep_content: true,
        ..OpenRequest::new(datetime!(2024-06-01 0:00 UTC), &policy, &arithmetic, &reader.limits)
    };
    let opened = open(&mut Cursor::new(octets), None, &mut MemoryWorkspace, &request).unwrap();
    opened.verdict.layers.iter().map(|layer| layer.structure.reason()).collect()
}

#[test]
fn a_password_is_worth_a_bounded_number_of_rounds() {
    let pbkdf2 = |rounds: u64| {
        let parameters = w::sequence([w::octet_string(b"saltsalt"), w::integer(rounds)]);
        w::element(0xa0, &[oid("1.2.840.113549.1.5.12"), parameters].concat())
    };
    let wrap = w::sequence([
        oid("1.2.840.113549.1.9.16.3.9"),
        w::sequence([oid("2.16.840.1.101.3.4.1.2"), w::octet_string(&[0; 16])]),
    ]);
    let recipient =
        |rounds| w::element(0xa3, &[w::integer(0), pbkdf2(rounds), wrap.clone(), w::octet_string(&[1; 32])].concat());
    let secrets = Secrets { passwords: vec![b"password".to_vec().into()], ..Secrets::default() };
    let mut reader = Reader { secrets, ..Reader::default() };
    for rounds in [2_000_001, 1 << 31, u64::MAX >> 1] {
        assert_eq!(reader.reasons(&enveloped(&recipient(rounds))), [Some(Reason::LimitExceeded)], "{rounds}");
    }
    // Each of them within the limit, and too many of them: 20 recipients of 1000 rounds, where 5000 are allowed.
    reader.limits.password_work = 5_000;
    let detail = |octets: &[u8]| format!("{:?}", reader.open(octets)[0].structure);
    assert!(!detail(&enveloped(&recipient(1_000).repeat(4))).contains("iterations"));
    let refused = detail(&enveloped(&recipient(6_000)));
    assert!(refused.contains("over 5000 iterations"), "{refused}");
}

#[test]
fn bombs_in_many_parts_and_inside_each_other_are_one_bomb() {
    let mut reader = Reader::default();
    reader.limits.expansion_free = 1 << 20;
    let zeros = vec![0; 900 << 10];
    let bomb = compressed(DATA, &zeros);
    assert_eq!(reader.reasons(&bomb), [None], "alone it is within what is free");
    let head = b"--b\nContent-Type: application/pkcs7-mime; smime-type=compressed-data\n\
                 Content-Transfer-Encoding: binary\n\n";
    let part = [&head[..], &bomb, b"\n"].concat();
    let mail = [b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec(), part.repeat(40)].concat();
    let found = reader.reasons(&mail);
    assert_eq!(found.first(), Some(&None));
    assert!(found.contains(&Some(Reason::LimitExceeded)), "{found:?}");
    // A bomb that becomes a bomb: small, larger, out of proportion.
    reader.limits.expansion_free = 64 << 10;
    let twice = compressed(COMPRESSED, &compressed_data(DATA, &vec![0; 64 << 20]));
    assert!(reader.reasons(&twice).contains(&Some(Reason::LimitExceeded)));
}

#[test]
fn keys_that_only_keep_busy_are_refused() {
    let rsa = |bits: usize, exponent: &[u8]| {
        let mut modulus = vec![0xff; bits / 8];
        modulus.insert(0, 0);
        let key = w::sequence([w::element(2, &modulus), w::element(2, exponent)]);
        w::sequence([w::sequence([oid(RSA), w::null()]), w::bit_string(&key)])
    };
    let verify = |choice: ProviderChoice, spki: &[u8], len: usize| {
        let arithmetic = Arithmetic::new(choice);
        let digest = DigestAlgorithm::Sha256;
        arithmetic.verify_digest(spki, SignatureScheme::RsaPkcs1, digest, &[1; 32], &vec![1; len])
    };
    for choice in [ProviderChoice::RustCrypto, ProviderChoice::Auto] {
        let usual = &[1, 0, 1][..];
        assert!(verify(choice, &rsa(16_384, usual), 2_048).is_ok_and(|good| !good), "{choice}");
        for (bits, exponent) in [(16_392, usual), (1 << 20, usual), (8 << 20, usual), (2_048, &[0x7f; 256][..])] {
            let answer = verify(choice, &rsa(bits, exponent), bits / 8);
            assert!(answer.is_err(), "{choice}: {bits} bits, exponent of {} octets: {answer:?}", exponent.len());
        }
    }
    let _ = describe_public_key(&rsa(8 << 20, &[1, 0, 1]));
}
