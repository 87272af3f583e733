//! Messages that look protected and are not, and honest ones that an attacker
//! or a limit must not turn.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Cursor;

use support::{Bench, RSA};
use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::{AttributeKind, Recipient};
use waxseal_engine::io::{MemoryWorkspace, Source};
use waxseal_engine::message::{Boundary, Credential, EncryptRequest, OpenRequest, SignRequest, encrypt, open, sign};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, ProviderChoice, SeededRandom, Signer};
use waxseal_verdict::{Kind, Overall, Reason, Verdict};

fn judge(message: &[u8], content: Option<&[u8]>, credentials: &[Credential<'_>], anchors: &[Certificate]) -> Verdict {
    let policy = Policy::named("default").unwrap();
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let limits = Limits::default();
    let request = OpenRequest {
        credentials,
        anchors,
        from: Some("ann@example.test"),
        keep_content: true,
        ..OpenRequest::new(OffsetDateTime::now_utc(), &policy, &arithmetic, &limits)
    };
    let mut content = content.map(Cursor::new);
    let content = content.as_mut().map(|content| content as &mut dyn Source);
    open(&mut Cursor::new(message), content, &mut MemoryWorkspace, &request).unwrap().verdict
}

/// SignedData without content, certificates and signers.
const NOBODY: [u8; 37] = [
    0x30, 35, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 22, 0x30, 20, 2, 1, 1, 0x31, 0, 0x30, 11, 6, 9,
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1, 0x31, 0,
];

#[test]
fn a_signature_that_lost_its_signers_signs_nothing() {
    for content in [None, Some(b"pay mallory".as_slice())] {
        let verdict = judge(&NOBODY, content, &[], &[]);
        assert_eq!(verdict.overall, Overall::Invalid, "{verdict:?}");
        assert_eq!(verdict.layers[0].structure.reason(), Some(Reason::NoSigners), "{verdict:?}");
    }
}

#[test]
fn what_hides_behind_a_limit_is_not_passed_over() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "");
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let credentials = [Credential { decryptor: &ann.key, certificate: Some(ann.certificate.clone()) }];
    let many = "--x\r\n\r\n\r\n".repeat(2001);
    let mail = format!("Content-Type: multipart/mixed; boundary=x\r\n\r\n{many}--x--\r\n");
    let recipients = [Recipient::Certificate(&ann.certificate)];
    let mut encrypted = Vec::new();
    let request = EncryptRequest::new(&recipients, &arithmetic);
    encrypt(&mut Cursor::new(mail.as_bytes()), &mut encrypted, &request, &mut SeededRandom::new("many")).unwrap();
    for message in [encrypted.as_slice(), mail.as_bytes()] {
        let verdict = judge(message, None, &credentials, &[]);
        assert_eq!(verdict.overall, Overall::Invalid);
        let last = verdict.layers.last().unwrap();
        assert_eq!((last.kind, last.structure.reason()), (Kind::Unknown, Some(Reason::LimitExceeded)), "{last:?}");
    }
}

#[test]
fn a_message_inside_a_clear_signature_is_opened_too() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "");
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let recipients = [Recipient::Certificate(&ann.certificate)];
    let mut encrypted = Vec::new();
    let request = EncryptRequest::new(&recipients, &arithmetic);
    let letter = b"Content-Type: text/plain\r\n\r\nhello\r\n";
    encrypt(&mut Cursor::new(letter), &mut encrypted, &request, &mut SeededRandom::new("inside")).unwrap();
    let wrapped = [b"Content-Type: message/rfc822\r\n\r\n".as_slice(), &encrypted].concat();
    let signers: [(&dyn Signer, &Certificate); 1] = [(&ann.key, &ann.certificate)];
    let mut signed = Vec::new();
    let request = SignRequest::new(&signers, OffsetDateTime::now_utc(), Boundary::Random([7; 16]), &arithmetic);
    sign(&mut Cursor::new(wrapped), &mut signed, &request).unwrap();
    let verdict = judge(&signed, None, &[], std::slice::from_ref(&ann.certificate));
    assert_eq!(verdict.layers.len(), 2, "{verdict:?}");
    assert_eq!(verdict.layers[0].path, "1.2/signed-data");
    assert_eq!(verdict.layers[1].decryption.reason(), Some(Reason::NoKey), "{verdict:?}");
}

#[test]
fn a_certificate_that_somebody_added_does_not_spoil_the_chain() {
    let Some(bench) = Bench::new() else { return };
    let ann = bench.person("ann", RSA, "");
    // The same key and key identifier, certified by nobody who is trusted.
    bench.run(&["req", "-x509", "-key", "ann.key", "-subj", "/CN=mallory", "-days", "30", "-out", "added.crt"]);
    let added = Certificate::from_file(&std::fs::read(bench.path("added.crt")).unwrap()).unwrap().remove(0);
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let certificates = [ann.certificate.clone()];
    let letter = b"Content-Type: text/plain\r\n\r\nhello\r\n";
    // The added certificate comes first, as the signer's own.
    let signers: [(&dyn Signer, &Certificate); 1] = [(&ann.key, &added)];
    let mut request = SignRequest::new(&signers, OffsetDateTime::now_utc(), Boundary::Random([7; 16]), &arithmetic);
    request.certificates = &certificates;
    // Nothing that is signed says which of the two it was.
    request.shape.attributes.retain(|kind| *kind != AttributeKind::SigningCertificate);
    request.shape.signer_id = waxseal_engine::cms::write::IdentifierForm::SubjectKeyId;
    let mut signed = Vec::new();
    sign(&mut Cursor::new(letter), &mut signed, &request).unwrap();
    let verdict = judge(&signed, None, &[], &certificates);
    assert!(verdict.layers[0].chain.is_good() && verdict.layers[0].identity.is_good(), "{verdict:?}");
    assert!(verdict.layers[0].signers[0].subject.contains("ann"), "{verdict:?}");
}
