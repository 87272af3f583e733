//! What the engine signs and encrypts, it opens again: any content, any shape.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{Cursor, Read as _};

use proptest::prelude::*;
use support::{Bench, P256, P384, Person, RSA};
use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::{Encoding, Recipient};
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{
    Boundary, Credential, EncryptRequest, Form, OpenRequest, Opened, SignRequest, encrypt, open, sign,
};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, ContentCipher, DigestAlgorithm, ProviderChoice, SeededRandom, Signer};
use waxseal_verdict::Overall;

const DIGESTS: [DigestAlgorithm; 4] =
    [DigestAlgorithm::Sha224, DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512];
const CIPHERS: [ContentCipher; 3] = [ContentCipher::Aes128Cbc, ContentCipher::Aes192Cbc, ContentCipher::Aes256Cbc];

struct People {
    rsa: Person,
    p256: Person,
    p384: Person,
}

impl People {
    fn new() -> Option<Self> {
        let bench = Bench::new()?;
        let person = |name: &str, key| bench.person(name, key, "");
        Some(Self { rsa: person("rsa", RSA), p256: person("p256", P256), p384: person("p384", P384) })
    }

    fn open(&self, mail: &[u8], from: &str, arithmetic: &Arithmetic) -> Opened {
        let anchors = [&self.rsa, &self.p256, &self.p384].map(|person| person.certificate.clone());
        let credentials = [Credential { decryptor: &self.rsa.key, certificate: Some(self.rsa.certificate.clone()) }];
        let policy = Policy::named("default").unwrap();
        let limits = Limits::default();
        let request = OpenRequest {
            credentials: &credentials,
            anchors: &anchors,
            from: Some(from),
            keep_content: true,
            ..OpenRequest::new(OffsetDateTime::now_utc(), &policy, arithmetic, &limits)
        };
        open(&mut Cursor::new(mail), None, &mut MemoryWorkspace, &request).unwrap()
    }
}

/// The canonical form of the entity that is protected.
fn entity(body: &str) -> String {
    format!("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}")
}

fn body() -> impl Strategy<Value = String> {
    // Lines that look like delimiters, mbox lines and header fields; trailing
    // white space; text outside ASCII; nothing at all.
    prop::collection::vec("(--[a-z-]{0,12}|From [a-z]{0,4}|[a-z]{1,5}: x|[ \t]{0,3}|.{0,90})[ \t]{0,2}", 0..12)
        .prop_map(|lines| lines.concat().replace(['\r', '\n'], "") + "\r\n" + &lines.join("\r\n").replace('\u{b}', ""))
        .prop_map(|text| text.replace("\r\n", "\n").replace('\r', "").replace('\n', "\r\n"))
}

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![Just(Encoding::Der), (1_usize..5000).prop_map(|segment| Encoding::Ber { segment })]
}

#[test]
fn what_was_written_opens() {
    let Some(people) = People::new() else { return };
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let config = ProptestConfig { cases: 96, ..ProptestConfig::default() };
    let strategy =
        (body(), encoding(), encoding(), any::<[u8; 16]>(), 0..3_usize, 0..4_usize, 0..3_usize, any::<bool>());
    proptest!(config, |((body, signed_as, encrypted_as, random, who, digest, cipher, opaque) in strategy)| {
        let signer = [&people.rsa, &people.p256, &people.p384][who];
        let from = format!("{}@example.test", ["rsa", "p256", "p384"][who]);
        let mail = format!("From: {from}\r\nSubject: test\r\nMIME-Version: 1.0\r\n{}", entity(&body));
        let signers: [(&dyn Signer, &Certificate); 1] = [(&signer.key, &signer.certificate)];
        let at = OffsetDateTime::now_utc();
        let mut request = SignRequest::new(&signers, at, Boundary::Random(random), &arithmetic);
        request.digest = DIGESTS[digest];
        request.form = if opaque { Form::Opaque } else { Form::Clear };
        request.shape.encoding = signed_as;
        let mut signed = Vec::new();
        sign(&mut Cursor::new(mail.as_bytes()), &mut signed, &request).unwrap();
        let recipients = [Recipient::Certificate(&people.rsa.certificate)];
        let mut request = EncryptRequest::new(&recipients, &arithmetic);
        request.cipher = CIPHERS[cipher].into();
        request.shape.encoding = encrypted_as;
        let mut encrypted = Vec::new();
        encrypt(&mut Cursor::new(&signed), &mut encrypted, &request, &mut SeededRandom::new(&body)).unwrap();
        for (mail, layers) in [(&signed, 1), (&encrypted, 2)] {
            let opened = people.open(mail, &from, &arithmetic);
            prop_assert_eq!(opened.verdict.layers.len(), layers);
            prop_assert_eq!(opened.verdict.overall, Overall::Valid, "{:#?}", opened.verdict);
            let mut content = String::new();
            opened.content.unwrap().read_to_string(&mut content).unwrap();
            prop_assert_eq!(&content, &entity(&body));
        }
        // Another letter anywhere in the protected text is seen.
        if let Some(place) = body.find(|c: char| c.is_ascii_lowercase()) {
            let needle = &body[place..];
            if !opaque && let Some(at) = String::from_utf8_lossy(&signed).find(needle) {
                let mut altered = signed.clone();
                altered[at] ^= 1;
                prop_assert_eq!(people.open(&altered, &from, &arithmetic).verdict.overall, Overall::Invalid);
            }
        }
    });
}
