//! Every kind of recipient and of content that the engine writes, read by
//! OpenSSL as far as OpenSSL 3.0 knows it, and by the engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{Cursor, Read as _};

use support::{Bench, P256, P384, P521, Person, RSA, text};
use waxseal_engine::cms::oid;
use waxseal_engine::cms::write::{
    AuthenticatedData, CompressedData, ContentEncryption, DigestedData, Encoding, EncryptedData, EnvelopedData,
    IdentifierForm, KeyManagement, PasswordDerivation, Recipient, Shape, Tamper,
};
use waxseal_engine::message::{Credential, Opened, Secrets, SymmetricKey};
use waxseal_key::{
    AeadCipher, Arithmetic, ContentCipher, DigestAlgorithm, KeyWrap, OaepParameters, ProviderChoice, SeededRandom,
};
use waxseal_verdict::{Deviation, Kind};

const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nNobody else can read this.\r\n";
const KEK: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// What is written, and how.
struct Recipe<'a> {
    recipients: Vec<Recipient<'a>>,
    key_management: KeyManagement,
    cipher: ContentEncryption,
    content_type: &'a str,
    shape: Shape,
    tamper: Tamper,
}

impl<'a> Recipe<'a> {
    fn to(recipients: Vec<Recipient<'a>>) -> Self {
        Self {
            recipients,
            key_management: KeyManagement::default(),
            cipher: ContentCipher::Aes256Cbc.into(),
            content_type: oid::DATA,
            shape: Shape::default(),
            tamper: Tamper::default(),
        }
    }

    fn write(&self, content: &[u8]) -> Vec<u8> {
        let recipe = EnvelopedData {
            recipients: &self.recipients,
            key_management: &self.key_management,
            cipher: self.cipher,
            content_type: self.content_type,
            shape: &self.shape,
            tamper: &self.tamper,
            arithmetic: &Arithmetic::new(ProviderChoice::RustCrypto),
        };
        let mut out = Vec::new();
        recipe.write(&mut out, &mut Cursor::new(content), &mut SeededRandom::new("recipients")).unwrap();
        out
    }
}

/// OpenSSL opens the object with these arguments, and gives the content back.
fn openssl(bench: &Bench, object: &[u8], arguments: &[&str], content: &[u8], what: &str) {
    bench.write("object", object);
    let fixed = ["cms", "-inform", "DER", "-in", "object", "-binary", "-out", "content"];
    let legacy = ["-provider", "legacy", "-provider", "default"];
    let output = bench.try_run(&[&fixed, arguments, &legacy].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}");
    assert_eq!(std::fs::read(bench.path("content")).unwrap(), content, "{what}");
}

fn by_key<'a>(person: &'a Person, arguments: &mut Vec<&'a str>) {
    arguments.extend(["-decrypt", "-recip", text(&person.certificate_file), "-inkey", text(&person.key_file)]);
}

fn decrypts(bench: &Bench, object: &[u8], person: &Person, what: &str) {
    let mut arguments = Vec::new();
    by_key(person, &mut arguments);
    openssl(bench, object, &arguments, CONTENT, what);
}

fn content_of(opened: Opened, what: &str) -> Vec<u8> {
    let layer = opened.verdict.layers[0].clone();
    let mut content = Vec::new();
    opened.content.unwrap_or_else(|| panic!("{what}: {layer:?}")).read_to_end(&mut content).unwrap();
    content
}

fn opens(object: &[u8], person: &Person, what: &str) {
    let credential = Credential { decryptor: &person.key, certificate: Some(person.certificate.clone()) };
    let opened = support::judge(object.to_vec(), &[credential], &[]).unwrap();
    assert!(opened.verdict.layers[0].deviations.is_empty(), "{what}: {:?}", opened.verdict.layers[0]);
    assert_eq!(content_of(opened, what), CONTENT, "{what}");
}

#[test]
fn key_agreement_on_every_curve_with_every_derivation_and_wrap() {
    let Some(bench) = Bench::new() else { return };
    let digests = {
        use DigestAlgorithm::{Sha1, Sha224, Sha256, Sha384, Sha512};
        [Sha1, Sha224, Sha256, Sha384, Sha512]
    };
    for (name, key) in [("p256", P256), ("p384", P384), ("p521", P521)] {
        let person = bench.person(name, key, "keyAgreement");
        for digest in digests {
            for wrap in [KeyWrap::Aes128, KeyWrap::Aes192, KeyWrap::Aes256, KeyWrap::TripleDes] {
                let mut recipe = Recipe::to(vec![Recipient::Certificate(&person.certificate)]);
                recipe.key_management.derivation = Some(digest);
                recipe.key_management.wrap = Some(wrap);
                if wrap == KeyWrap::TripleDes {
                    // RFC 3217 section 3 wraps keys of Triple DES only.
                    recipe.cipher = ContentCipher::TripleDesCbc.into();
                }
                let what = format!("{name} {digest} {wrap}");
                let object = recipe.write(CONTENT);
                opens(&object, &person, &what);
                decrypts(&bench, &object, &person, &what);
            }
        }
        let mut recipe = Recipe::to(vec![Recipient::Certificate(&person.certificate)]);
        recipe.key_management.cofactor = true;
        recipe.key_management.ukm_len = 32;
        recipe.shape.recipient_id = IdentifierForm::SubjectKeyId;
        let object = recipe.write(CONTENT);
        opens(&object, &person, "cofactor, ukm, key identifier");
        decrypts(&bench, &object, &person, "cofactor, ukm, key identifier");
    }
}

#[test]
fn oaep_with_every_digest_and_a_label() {
    let Some(bench) = Bench::new() else { return };
    let person = bench.person("rsa", RSA, "keyEncipherment");
    let mixed =
        OaepParameters { digest: DigestAlgorithm::Sha512, mgf: DigestAlgorithm::Sha1, label: b"a label".to_vec() };
    let usual = [DigestAlgorithm::Sha1, DigestAlgorithm::Sha224, DigestAlgorithm::Sha256, DigestAlgorithm::Sha384]
        .map(OaepParameters::usual);
    for parameters in usual.into_iter().chain([mixed]) {
        let mut recipe = Recipe::to(vec![Recipient::Certificate(&person.certificate)]);
        let what = format!("{parameters:?}");
        recipe.key_management.oaep = Some(parameters);
        let object = recipe.write(CONTENT);
        opens(&object, &person, &what);
        decrypts(&bench, &object, &person, &what);
    }
}

#[test]
fn keys_and_passwords_that_both_sides_have() {
    let Some(bench) = Bench::new() else { return };
    let key: Vec<u8> = (0..32).collect();
    for len in [16, 24, 32] {
        let recipe = Recipe::to(vec![Recipient::Key { id: b"\xc0\xfe", key: &key[..len] }]);
        let object = recipe.write(CONTENT);
        let secret = &KEK[..2 * len];
        openssl(&bench, &object, &["-decrypt", "-secretkey", secret, "-secretkeyid", "c0fe"], CONTENT, secret);
        let secrets = Secrets {
            keys: vec![SymmetricKey { id: b"\xc0\xfe".to_vec(), key: key[..len].to_vec().into() }],
            ..Secrets::default()
        };
        assert_eq!(content_of(support::judge_with(object, &secrets).unwrap(), secret), CONTENT);
    }
    let prfs = [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256, DigestAlgorithm::Sha512];
    for (prf, cipher) in prfs.into_iter().flat_map(|prf| {
        [ContentCipher::Aes128Cbc, ContentCipher::Aes256Cbc, ContentCipher::TripleDesCbc].map(|cipher| (prf, cipher))
    }) {
        let mut recipe = Recipe::to(vec![Recipient::Password(b"correct horse")]);
        recipe.key_management.password = PasswordDerivation { prf, iterations: 2000, salt_len: 8, cipher };
        let object = recipe.write(CONTENT);
        let what = format!("{prf} {cipher}");
        // OpenSSL 3.0 takes 3DES for it only from what it calls default; all three are.
        openssl(&bench, &object, &["-decrypt", "-pwri_password", "correct horse"], CONTENT, &what);
        let secrets = Secrets { passwords: vec![b"correct horse".to_vec().into()], ..Secrets::default() };
        assert_eq!(content_of(support::judge_with(object, &secrets).unwrap(), &what), CONTENT);
    }
}

#[test]
fn one_message_for_all_kinds_of_recipients() {
    let Some(bench) = Bench::new() else { return };
    let rsa = bench.person("rsa", RSA, "keyEncipherment");
    let ec = bench.person("ec", P256, "keyAgreement");
    let key: Vec<u8> = (0..32).collect();
    let mut recipe = Recipe::to(vec![
        Recipient::Certificate(&rsa.certificate),
        Recipient::Certificate(&ec.certificate),
        Recipient::Key { id: b"\x01", key: &key },
        Recipient::Password(b"word"),
    ]);
    recipe.key_management.password.iterations = 1000;
    for cipher in [ContentCipher::Aes128Cbc.into(), ContentEncryption::from(AeadCipher::Aes256Gcm)] {
        for encoding in [Encoding::Der, Encoding::Ber { segment: 16 }] {
            recipe.cipher = cipher;
            recipe.shape.encoding = encoding;
            let object = recipe.write(CONTENT);
            let what = format!("{cipher} {encoding:?}");
            for person in [&rsa, &ec] {
                decrypts(&bench, &object, person, &what);
                opens(&object, person, &what);
            }
            openssl(&bench, &object, &["-decrypt", "-secretkey", KEK, "-secretkeyid", "01"], CONTENT, &what);
            openssl(&bench, &object, &["-decrypt", "-pwri_password", "word"], CONTENT, &what);
        }
    }
}

#[test]
fn ciphers_that_authenticate() {
    let Some(bench) = Bench::new() else { return };
    let person = bench.person("rsa", RSA, "keyEncipherment");
    for cipher in AeadCipher::ALL {
        let known = ["aes-128-gcm", "aes-192-gcm", "aes-256-gcm"].contains(&cipher.name());
        for (tag_len, typed) in [(16, false), (14, false), (12, false), (16, true)] {
            if !cipher.takes_tag_len(tag_len) {
                continue;
            }
            for encoding in [Encoding::Der, Encoding::Ber { segment: 7 }] {
                let mut recipe = Recipe::to(vec![Recipient::Certificate(&person.certificate)]);
                recipe.cipher = ContentEncryption::Aead { cipher, tag_len };
                recipe.shape.encoding = encoding;
                recipe.shape.authenticated_content_type = typed;
                let what = format!("{cipher} {tag_len} {typed} {encoding:?}");
                let object = recipe.write(CONTENT);
                opens(&object, &person, &what);
                // OpenSSL 3.0 wants the length of the tag written out where RFC 5084 section 3.2 has a default, and
                // looks for authAttrs under [2] where RFC 5083 section 2.1 has [1].
                if known && tag_len != 12 && !typed {
                    decrypts(&bench, &object, &person, &what);
                }
            }
        }
    }
}

#[test]
fn a_tag_after_the_content_of_enveloped_data_is_named() {
    let Some(bench) = Bench::new() else { return };
    let person = bench.person("rsa", RSA, "keyEncipherment");
    let mut recipe = Recipe::to(vec![Recipient::Certificate(&person.certificate)]);
    recipe.cipher = AeadCipher::Aes128Gcm.into();
    recipe.tamper.authenticated_in_enveloped = true;
    let credential = Credential { decryptor: &person.key, certificate: Some(person.certificate.clone()) };
    let opened = support::judge(recipe.write(CONTENT), &[credential], &[]).unwrap();
    let layer = &opened.verdict.layers[0];
    assert_eq!((&layer.kind, layer.deviations.as_slice()), (&Kind::Encrypted, &[Deviation::GcmInEnveloped][..]));
    assert_eq!(content_of(opened, "glued"), CONTENT);
}

#[test]
fn other_objects() {
    let Some(bench) = Bench::new() else { return };
    let person = bench.person("rsa", RSA, "keyEncipherment");
    let arithmetic = &Arithmetic::new(ProviderChoice::RustCrypto);
    let tamper = &Tamper::default();
    let content_type = oid::DATA;
    let long: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    for encoding in [Encoding::Der, Encoding::Ber { segment: 1000 }] {
        let shape = &Shape::encoded(encoding);
        for content in [CONTENT, long.as_slice(), b""] {
            let what = format!("{encoding:?} {}", content.len());
            for digest in [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
                let mut out = Vec::new();
                let recipe = DigestedData { digest, content_type, shape, tamper, arithmetic };
                recipe.write(&mut out, &mut Cursor::new(content)).unwrap();
                openssl(&bench, &out, &["-digest_verify"], content, &what);
                assert_eq!(content_of(support::judge(out, &[], &[]).unwrap(), &what), content);
            }

            let mut out = Vec::new();
            let key: Vec<u8> = (0..32).collect();
            let cipher = ContentCipher::Aes256Cbc.into();
            let recipe = EncryptedData { key: &key, cipher, content_type, shape, tamper, arithmetic };
            recipe.write(&mut out, &mut Cursor::new(content), &mut SeededRandom::new("encrypted")).unwrap();
            openssl(&bench, &out, &["-EncryptedData_decrypt", "-secretkey", KEK], content, &what);

            for level in [0, 6, 9] {
                let mut out = Vec::new();
                let recipe = CompressedData { content_type, level, shape, tamper };
                recipe.write(&mut out, &mut Cursor::new(content)).unwrap();
                if level > 0 && content.len() > 1000 {
                    assert!(out.len() < content.len() / 10, "{}", out.len());
                }
                assert_eq!(content_of(support::judge(out, &[], &[]).unwrap(), &what), content);
            }

            for attributes in [true, false] {
                let mut shape = shape.clone();
                if !attributes {
                    shape.attributes.clear();
                }
                let mut out = Vec::new();
                let recipients = [Recipient::Certificate(&person.certificate)];
                let recipe = AuthenticatedData {
                    recipients: &recipients,
                    key_management: &KeyManagement::default(),
                    digest: DigestAlgorithm::Sha256,
                    content_type,
                    shape: &shape,
                    tamper,
                    arithmetic,
                };
                recipe.write(&mut out, &mut Cursor::new(content), &mut SeededRandom::new("mac")).unwrap();
                // OpenSSL 3.0 reads the structure, and cannot check it.
                bench.write("object", &out);
                bench.run(&["asn1parse", "-inform", "DER", "-in", "object", "-noout"]);
            }
        }
    }
}

#[test]
fn what_has_no_encoding_is_refused() {
    let Some(bench) = Bench::new() else { return };
    let person = bench.person("ec", P256, "keyAgreement");
    let recipients = vec![Recipient::Certificate(&person.certificate)];
    let refused = |change: &dyn Fn(&mut Recipe<'_>)| {
        let mut recipe = Recipe::to(recipients.clone());
        change(&mut recipe);
        let object = EnvelopedData {
            recipients: &recipe.recipients,
            key_management: &recipe.key_management,
            cipher: recipe.cipher,
            content_type: recipe.content_type,
            shape: &recipe.shape,
            tamper: &recipe.tamper,
            arithmetic: &Arithmetic::new(ProviderChoice::RustCrypto),
        };
        let mut out = Vec::new();
        let error = object.write(&mut out, &mut Cursor::new(CONTENT), &mut SeededRandom::new("refused")).unwrap_err();
        assert!(out.is_empty(), "{error}");
        error.to_string()
    };
    let no_scheme = refused(&|recipe| recipe.key_management.derivation = Some(DigestAlgorithm::Sha3_256));
    assert!(no_scheme.starts_with("no agreement scheme"), "{no_scheme}");
    let short = refused(&|recipe| recipe.recipients = vec![Recipient::Key { id: b"1", key: b"short" }]);
    assert!(short.contains("16, 24 or 32 octets"), "{short}");
    let segment = refused(&|recipe| recipe.shape.encoding = Encoding::Ber { segment: 0 });
    assert!(segment.contains("segments of 0 octets"), "{segment}");
    let none = refused(&|recipe| recipe.recipients.clear());
    assert!(none.contains("no recipient"), "{none}");
}
