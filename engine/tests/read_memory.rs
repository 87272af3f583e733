//! Opening holds a bounded amount of memory, whatever the size.
//!
//! Alone in its program, because it measures the program.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fs::File;
use std::io::{self, BufWriter, Seek as _};

use support::large::{Large, peak};
use support::{Bench, RSA};
use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::{Encoding, Recipient};
use waxseal_engine::io::{Spool, Workspace};
use waxseal_engine::message::{
    Boundary, Credential, EncryptRequest, Form, OpenRequest, SignRequest, encrypt, open, sign,
};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, ProviderChoice, SeededRandom, Signer};
use waxseal_verdict::Kind;

const SIZE: u64 = 64 << 20;
/// What may be added to the peak of memory by 64 MiB of mail.
const ALLOWED: u64 = 16 << 20;

/// Content waits in files that have no name.
struct Files;

impl Workspace for Files {
    fn spool(&mut self) -> io::Result<Box<dyn Spool>> {
        Ok(Box::new(tempfile::tempfile()?))
    }
}

#[test]
fn memory_does_not_grow_with_the_mail() {
    let Some(bench) = Bench::new() else { return };
    let Some(before) = peak() else {
        waxseal_testing::not_here("/proc/self/status is not there");
        return;
    };
    let ann = bench.person("ann", RSA, "");
    let arithmetic = Arithmetic::new(ProviderChoice::Auto);
    let signers: [(&dyn Signer, &Certificate); 1] = [(&ann.key, &ann.certificate)];
    let recipients = [Recipient::Certificate(&ann.certificate)];
    let credentials = [Credential { decryptor: &ann.key, certificate: Some(ann.certificate.clone()) }];
    let policy = Policy::named("default").unwrap();
    let limits = Limits::default();
    let request = OpenRequest {
        credentials: &credentials,
        anchors: std::slice::from_ref(&ann.certificate),
        from: Some("ann@example.test"),
        keep_content: true,
        ..OpenRequest::new(OffsetDateTime::now_utc(), &policy, &arithmetic, &limits)
    };
    let at = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
    for encoding in [Encoding::Der, Encoding::Ber { segment: 4096 }] {
        for form in [Some(Form::Clear), Some(Form::Opaque), None] {
            let mut mail: File = tempfile::tempfile().unwrap();
            let mut out = BufWriter::new(&mut mail);
            if let Some(form) = form {
                let mut request = SignRequest::new(&signers, at, Boundary::Random([1; 16]), &arithmetic);
                request.form = form;
                request.shape.encoding = encoding;
                sign(&mut Large::new(SIZE), &mut out, &request).unwrap();
            } else {
                let mut request = EncryptRequest::new(&recipients, &arithmetic);
                request.shape.encoding = encoding;
                encrypt(&mut Large::new(SIZE), &mut out, &request, &mut SeededRandom::new("large")).unwrap();
            }
            drop(out);
            mail.rewind().unwrap();
            let opened = open(&mut mail, None, &mut Files, &request).unwrap();
            let [layer] = opened.verdict.layers.as_slice() else { panic!("{:?}", opened.verdict) };
            assert!(layer.structure.is_good(), "{layer:?}");
            if layer.kind == Kind::Encrypted {
                assert!(layer.decryption.is_good(), "{layer:?}");
            } else {
                assert!(layer.integrity.is_good() && layer.chain.is_good(), "{layer:?}");
            }
            assert!(opened.content.unwrap().seek(io::SeekFrom::End(0)).unwrap() >= SIZE);
        }
    }
    let grown = peak().unwrap() - before;
    assert!(grown < ALLOWED, "memory grew by {} KiB", grown >> 10);
}
