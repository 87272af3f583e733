//! How many small messages are signed and opened in a second, in one process:
//! `cargo xtask bench` runs it in turn with `openssl speed`.
//!
//! `small_messages KEY CERTIFICATE SECONDS` prints a line for each operation and
//! provider: operation, provider, messages a second of processor time, with
//! tabs between them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a program for people who work on this")]

mod measure;

use std::io::Cursor;
use std::time::Duration;

use measure::per_second;
use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::Recipient;
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{Boundary, Credential, EncryptRequest, OpenRequest, SignRequest, encrypt, open, sign};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, ContentCipher, PrivateKey, ProviderChoice, Signer, SystemRandom};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, certificate, seconds] = arguments.as_slice() else {
        panic!("usage: small_messages KEY CERTIFICATE SECONDS")
    };
    let pem = std::fs::read_to_string(key).unwrap();
    let certificate = Certificate::from_file(&std::fs::read(certificate).unwrap()).unwrap().remove(0);
    let time = Duration::from_secs_f64(seconds.parse().unwrap());
    let policy = Policy::named("default").unwrap();
    for provider in ProviderChoice::ALL {
        let own = Arithmetic::new(provider);
        let key = PrivateKey::from_pem(&pem, None).unwrap().with_arithmetic(own);
        println!("sign\t{provider}\t{:.1}", per_second(time, || signed(&key, &certificate, &own)));
        // What is written is the same for all of them.
        let mail = encrypted(&certificate);
        let limits = Limits::default();
        let request = OpenRequest {
            credentials: &[Credential { decryptor: &key, certificate: Some(certificate.clone()) }],
            keep_content: true,
            ..OpenRequest::new(OffsetDateTime::UNIX_EPOCH, &policy, &own, &limits)
        };
        println!("decrypt\t{provider}\t{:.1}", per_second(time, || opened(&mail, &request)));
    }
}

/// A kibibyte of text.
fn mail() -> Vec<u8> {
    let header = "From: alice@example.test\r\nTo: bob@example.test\r\nSubject: small\r\n\
                  Content-Type: text/plain; charset=us-ascii\r\n\r\n";
    format!("{header}{}", "A line of sixty-two characters, so that sixteen fill the mail.\r\n".repeat(16)).into_bytes()
}

fn signed(key: &PrivateKey, certificate: &Certificate, arithmetic: &Arithmetic) {
    let signers = [(key as &dyn Signer, certificate)];
    let at = OffsetDateTime::UNIX_EPOCH;
    let request = SignRequest::new(&signers, at, Boundary::Random([1; 16]), arithmetic);
    let mut out = Vec::new();
    sign(&mut Cursor::new(mail()), &mut out, &request).unwrap();
    assert!(out.len() > 1024);
}

fn encrypted(certificate: &Certificate) -> Vec<u8> {
    let (recipients, arithmetic) = ([Recipient::Certificate(certificate)], Arithmetic::default());
    let mut request = EncryptRequest::new(&recipients, &arithmetic);
    request.cipher = ContentCipher::Aes128Cbc.into();
    let mut out = Vec::new();
    encrypt(&mut Cursor::new(mail()), &mut out, &request, &mut SystemRandom).unwrap();
    out
}

fn opened(mail: &[u8], request: &OpenRequest<'_>) {
    let opened = open(&mut Cursor::new(mail), None, &mut MemoryWorkspace, request).unwrap();
    let layer = &opened.verdict.layers[0];
    assert!(layer.decryption.is_good(), "{layer:?}");
}
