//! What the engine encrypts, decrypted by OpenSSL.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Cursor;

use cms::content_info::ContentInfo;
use der::{Decode, Encode};
use support::{Bench, P256, Person, RSA, text};
use waxseal_engine::cms::oid;
use waxseal_engine::cms::write::{
    Encoding, EnvelopedData, IdentifierForm, KeyManagement, Order, Recipient, Shape, Tamper, WriteError,
};
use waxseal_engine::message::{EncryptRequest, encrypt};
use waxseal_key::{Arithmetic, ContentCipher, ProviderChoice, SeededRandom};

fn write(
    recipients: &[&Person],
    cipher: ContentCipher,
    shape: &Shape,
    tamper: &Tamper,
    content: &[u8],
) -> Result<Vec<u8>, WriteError> {
    let arithmetic = Arithmetic::new(ProviderChoice::Auto);
    let recipients: Vec<_> = recipients.iter().map(|person| Recipient::Certificate(&person.certificate)).collect();
    let recipe = EnvelopedData {
        recipients: &recipients,
        key_management: &KeyManagement::default(),
        cipher: cipher.into(),
        content_type: oid::DATA,
        shape,
        tamper,
        arithmetic: &arithmetic,
    };
    let mut out = Vec::new();
    recipe.write(&mut out, &mut Cursor::new(content), &mut SeededRandom::new("enveloped"))?;
    Ok(out)
}

fn decrypts(bench: &Bench, object: &[u8], person: &Person, content: &[u8], what: &str) {
    bench.write("object", object);
    // The ciphers of old mail.
    let legacy = ["-provider", "legacy", "-provider", "default"];
    let mut arguments = vec!["cms", "-decrypt", "-inform", "DER", "-in", "object", "-binary", "-out", "content"];
    arguments.extend(["-recip", text(&person.certificate_file), "-inkey", text(&person.key_file)]);
    arguments.extend(legacy);
    let output = bench.try_run(&arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}");
    assert_eq!(std::fs::read(bench.path("content")).unwrap(), content, "{what}");
}

#[test]
fn every_cipher_encoding_and_length_decrypts() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "keyEncipherment");
    // OpenSSL 3.0 cannot read the parameters that RFC 2984 section 3 gives CAST-128.
    let readable = |cipher: &ContentCipher| !matches!(cipher, ContentCipher::Cast5Cbc { .. });
    for cipher in ContentCipher::ALL.into_iter().filter(readable) {
        for length in [0, 1, 7, 8, 15, 16, 17, 1024, 8192, 65_520, 65_535, 65_536, 65_537, 131_072] {
            let content: Vec<u8> = (0..length).map(|n| n as u8).collect();
            for segment in [0, 1, 100, 1024, 8192] {
                // Octet by octet is slow in OpenSSL, and proves nothing more on the long ones.
                if segment == 1 && length > 1024 {
                    continue;
                }
                let encoding = if segment == 0 { Encoding::Der } else { Encoding::Ber { segment } };
                let what = format!("{} {length} {encoding:?}", cipher.name());
                let object = write(&[&ann], cipher, &Shape::encoded(encoding), &Tamper::default(), &content).unwrap();
                decrypts(&bench, &object, &ann, &content, &what);
            }
        }
    }
}

#[test]
fn every_recipient_decrypts() {
    let Some(bench) = Bench::new() else { return };
    let people = ["ann", "ben"].map(|name| bench.person(name, RSA, "keyEncipherment"));
    let both: Vec<&Person> = people.iter().collect();
    for recipient_id in [IdentifierForm::IssuerAndSerial, IdentifierForm::SubjectKeyId] {
        for set_order in [Order::AsGiven, Order::Der] {
            let shape = Shape { recipient_id, set_order, ..Shape::default() };
            let object = write(&both, ContentCipher::Aes128Cbc, &shape, &Tamper::default(), b"hello").unwrap();
            for person in &people {
                decrypts(&bench, &object, person, b"hello", &format!("{shape:?}"));
            }
            let dump = bench.run(&["cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "object"]);
            let dump = String::from_utf8_lossy(&dump);
            // RFC 5652 sections 6.1 and 6.2.1: 0 by issuer, 2 by key identifier, in both places.
            let version = if recipient_id == IdentifierForm::IssuerAndSerial { "version: 0" } else { "version: 2" };
            assert_eq!(dump.matches(version).count(), 3, "{dump}");
        }
    }
}

#[test]
fn a_strict_der_library_reads_the_same() {
    let Some(bench) = Bench::new() else { return };
    let people = ["ann", "ben"].map(|name| bench.person(name, RSA, "keyEncipherment"));
    let both: Vec<&Person> = people.iter().collect();
    let shape = Shape { set_order: Order::Der, ..Shape::default() };
    let object = write(&both, ContentCipher::Aes256Cbc, &shape, &Tamper::default(), &[7; 100]).unwrap();
    let info = ContentInfo::from_der(&object).unwrap();
    assert_eq!(info.to_der().unwrap(), object);
    let enveloped = info.content.decode_as::<cms::enveloped_data::EnvelopedData>().unwrap();
    assert_eq!(enveloped.recip_infos.0.len(), 2);
    let encrypted = enveloped.encrypted_content;
    assert_eq!(encrypted.content_enc_alg.oid.to_string(), ContentCipher::Aes256Cbc.oid());
    assert_eq!(encrypted.encrypted_content.unwrap().as_bytes().len(), 112);
}

#[test]
fn a_last_block_apart_decrypts() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "");
    let shape = Shape { last_block_apart: true, ..Shape::encoded(Encoding::Ber { segment: 8192 }) };
    let content = vec![b'x'; 30_810];
    let object = write(&[&ann], ContentCipher::Aes128Cbc, &shape, &Tamper::default(), &content).unwrap();
    decrypts(&bench, &object, &ann, &content, "last block apart");
    // The object ends with a segment of one block and five ends of contents.
    let tail = &object[object.len() - 10 - 18..];
    assert_eq!((&tail[..2], &tail[18..]), ([4u8, 16].as_slice(), [0u8; 10].as_slice()));
}

#[test]
fn triple_des_keys_have_odd_parity() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "keyEncipherment");
    let object = write(&[&ann], ContentCipher::TripleDesCbc, &Shape::default(), &Tamper::default(), b"hello").unwrap();
    // The encrypted key is the only element of 256 octets.
    let at = object.windows(4).position(|window| window == [4, 0x82, 1, 0]).unwrap() + 4;
    bench.write("wrapped", &object[at..at + 256]);
    let arguments = ["pkeyutl", "-decrypt", "-inkey", text(&ann.key_file), "-in", "wrapped"];
    let key = bench.run(&arguments);
    assert_eq!(key.len(), 24);
    assert!(key.iter().all(|octet| octet.count_ones() % 2 == 1), "{key:02x?}");
}

#[test]
fn the_same_random_numbers_give_the_same_octets() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "keyEncipherment");
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let recipients = [Recipient::Certificate(&ann.certificate)];
    let request = EncryptRequest::new(&recipients, &arithmetic);
    let once = |label: &str| {
        let mut out = Vec::new();
        encrypt(&mut Cursor::new("\nHello\n"), &mut out, &request, &mut SeededRandom::new(label)).unwrap();
        out
    };
    assert_eq!(once("one"), once("one"));
    assert_ne!(once("one"), once("two"));
}

#[test]
fn recipients_have_to_fit() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "digitalSignature");
    let ben = bench.person("ben", P256, "digitalSignature");
    let eve = bench.person("eve", &["-algorithm", "ED25519"], "digitalSignature");
    let shape = Shape::default();
    let try_with = |people: &[&Person], tamper: &Tamper| write(people, ContentCipher::Aes128Cbc, &shape, tamper, b"x");
    assert!(matches!(try_with(&[], &Tamper::default()), Err(WriteError::NoRecipient)));
    assert!(matches!(try_with(&[&eve], &Tamper::default()), Err(WriteError::KeyKind { .. })));
    for (person, needed) in [(&ann, "keyEncipherment"), (&ben, "keyAgreement")] {
        let error = try_with(&[person], &Tamper::default()).unwrap_err().to_string();
        let expected = format!("may not be used for encryption: its keyUsage lacks {needed}");
        assert!(error.ends_with(&expected), "{error}");
    }
    let unfit = Tamper { unfit_certificates: true, ..Tamper::default() };
    decrypts(&bench, &try_with(&[&ann], &unfit).unwrap(), &ann, b"x", "unfit");
}

#[test]
fn a_tampered_padding_is_refused() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "keyEncipherment");
    let shape = Shape::default();
    let with = |padding: &[u8]| {
        let tamper = Tamper { padding: Some(padding.to_vec()), ..Tamper::default() };
        write(&[&ann], ContentCipher::Aes128Cbc, &shape, &tamper, b"0123456789ab")
    };
    decrypts(&bench, &with(&[4; 4]).unwrap(), &ann, b"0123456789ab", "the twin");
    assert!(matches!(with(&[4; 5]), Err(WriteError::Recipe(_))));
    let tamper = Tamper { padding: Some(vec![4; 4]), ..Tamper::default() };
    let of_none = write(&[&ann], ContentCipher::Sm4Ctr, &shape, &tamper, b"0123456789ab");
    assert!(matches!(of_none, Err(WriteError::Recipe("this cipher has no padding to tamper with"))));
    bench.write("object", &with(&[0, 0, 0, 0]).unwrap());
    let arguments = ["cms", "-decrypt", "-inform", "DER", "-in", "object", "-inkey", text(&ann.key_file)];
    assert!(!bench.try_run(&arguments).status.success());
}

#[test]
fn whole_mails_decrypt() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "keyEncipherment");
    let arithmetic = Arithmetic::new(ProviderChoice::Auto);
    let recipients = [Recipient::Certificate(&ann.certificate)];
    let mail = "From: ann@example.test\nSubject: hidden?\nContent-Type: text/plain\n\nHello\n";
    for encoding in [Encoding::Der, Encoding::Ber { segment: 1024 }] {
        let mut request = EncryptRequest::new(&recipients, &arithmetic);
        request.shape.encoding = encoding;
        request.headers = vec![("subject".to_owned(), "...".to_owned())];
        let mut out = Vec::new();
        encrypt(&mut Cursor::new(mail), &mut out, &request, &mut SeededRandom::new("mail")).unwrap();
        let sent = String::from_utf8(out).unwrap();
        let head = "From: ann@example.test\r\nsubject: ...\r\nMIME-Version: 1.0\r\n\
            Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name=\"smime.p7m\"\r\n\
            Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\nM";
        assert_eq!(&sent[..head.len()], head);
        bench.write("mail", sent.as_bytes());
        let content = bench.run(&["cms", "-decrypt", "-in", "mail", "-inkey", text(&ann.key_file)]);
        assert_eq!(String::from_utf8(content).unwrap(), "Content-Type: text/plain\r\n\r\nHello\r\n");
    }
}
