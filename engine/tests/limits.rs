//! No input takes memory or work out of proportion to its size: each is refused
//! with a reason, at a limit that the caller can set.
//!
//! Work is counted, not timed: octets that are read of the input, and operations
//! with private keys. Alone in its program, because it measures the memory of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::cell::Cell;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write as _};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use support::large::peak;
use time::macros::datetime;
use waxseal_engine::Limits;
use waxseal_engine::ber::writer as w;
use waxseal_engine::inspect::inspect;
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{Credential, OpenRequest, Secrets, open};
use waxseal_engine::policy::Policy;
use waxseal_key::{
    Arithmetic, Decryptor, DigestAlgorithm, KeyError, PrivateKey, ProviderChoice, SignatureScheme, describe_public_key,
};
use waxseal_verdict::{Layer, Reason};
use zeroize::Zeroizing;

/// What all of these together may add to the peak of memory.
const MEMORY: u64 = 96 << 20;

/// A source that counts what is read of it.
struct Counting<'a> {
    source: Cursor<&'a [u8]>,
    octets: u64,
}

impl Read for Counting<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(out)?;
        self.octets += read as u64;
        Ok(read)
    }
}

impl Seek for Counting<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to)
    }
}

#[derive(Default)]
struct Reader<'a> {
    limits: Limits,
    credentials: Vec<Credential<'a>>,
    secrets: Secrets,
}

impl Reader<'_> {
    /// The layers of a message; it is read a bounded number of times.
    fn open(&self, octets: &[u8]) -> Vec<Layer> {
        let policy = Policy::named("default").unwrap();
        let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
        let request = OpenRequest {
            credentials: &self.credentials,
            secrets: &self.secrets,
            keep_content: true,
            ..OpenRequest::new(datetime!(2024-06-01 0:00 UTC), &policy, &arithmetic, &self.limits)
        };
        let mut source = Counting { source: Cursor::new(octets), octets: 0 };
        let opened = open(&mut source, None, &mut MemoryWorkspace, &request);
        let allowed = 8 * octets.len() as u64 + (1 << 20);
        assert!(source.octets <= allowed, "{} octets were read of {}", source.octets, octets.len());
        opened.map(|opened| opened.verdict.layers).unwrap_or_default()
    }

    fn reasons(&self, octets: &[u8]) -> Vec<Option<Reason>> {
        self.open(octets).iter().map(|layer| layer.structure.reason()).collect()
    }
}

fn oid(dotted: &str) -> Vec<u8> {
    w::oid(dotted).unwrap()
}

fn content_info(content_type: &str, content: &[u8]) -> Vec<u8> {
    w::sequence([oid(content_type), w::context(0, content)])
}

const DATA: &str = "1.2.840.113549.1.7.1";
const SIGNED: &str = "1.2.840.113549.1.7.2";
const ENVELOPED: &str = "1.2.840.113549.1.7.3";
const COMPRESSED: &str = "1.2.840.113549.1.9.16.1.9";
const RSA: &str = "1.2.840.113549.1.1.1";

fn signed(certificates: &[u8], signers: &[u8]) -> Vec<u8> {
    let parts = [
        w::integer(1),
        w::element(0x31, &[]),
        w::sequence([oid(DATA), w::context(0, &w::octet_string(b"content"))]),
        if certificates.is_empty() { Vec::new() } else { w::context(0, certificates) },
        w::element(0x31, signers),
    ];
    content_info(SIGNED, &w::sequence(parts))
}

fn enveloped(recipients: &[u8]) -> Vec<u8> {
    let cipher = w::sequence([oid("2.16.840.1.101.3.4.1.2"), w::octet_string(&[0; 16])]);
    let content = w::sequence([oid(DATA), cipher, w::element(0x80, &[7; 32])]);
    content_info(ENVELOPED, &w::sequence([w::integer(2), w::element(0x31, recipients), content]))
}

fn zlib(octets: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn compressed(content_type: &str, octets: &[u8]) -> Vec<u8> {
    content_info(COMPRESSED, &compressed_data(content_type, octets))
}

/// CompressedData; as the content of another layer it stands without ContentInfo.
fn compressed_data(content_type: &str, octets: &[u8]) -> Vec<u8> {
    let content = w::sequence([oid(content_type), w::context(0, &w::octet_string(&zlib(octets)))]);
    let algorithm = w::sequence([oid("1.2.840.113549.1.9.16.3.8")]);
    w::sequence([w::integer(0), algorithm, content])
}

fn signer(attributes: usize) -> Vec<u8> {
    let attribute =
        |number: usize| w::sequence([oid(&format!("1.2.3.{number}")), w::set_as_given([w::integer(number as u64)])]);
    let digest = w::sequence([oid("2.16.840.1.101.3.4.2.1")]);
    w::sequence([
        w::integer(1),
        w::sequence([w::element(0x30, &[]), w::integer(1)]),
        digest,
        w::element(0xa0, &(0..attributes).flat_map(attribute).collect::<Vec<_>>()),
        w::sequence([oid(RSA), w::null()]),
        w::octet_string(&[1; 256]),
    ])
}

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
    assert!(reader.open(&many).iter().all(|layer| !layer.integrity.is_good()));
    for huge in [1 << 20, 8 << 20] {
        for number in [w::element(6, &vec![0x81; huge]), w::element(2, &vec![0x41; huge])] {
            let found = reader.reasons(&w::sequence([number.clone(), w::context(0, &[])]));
            assert!(found.iter().all(Option::is_some), "{found:?}");
            let found = reader.reasons(&content_info(SIGNED, &w::sequence([number])));
            assert!(found.iter().all(Option::is_some), "{found:?}");
        }
    }
    let grown = peak().unwrap() - before;
    assert!(grown < MEMORY, "memory grew by {} KiB", grown >> 10);
}

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
