//! Signing and encrypting hold a bounded amount of memory, whatever the size.
//!
//! Alone in its program, because it measures the program.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{self, Write};

use support::large::{Large, peak};
use support::{Bench, RSA};
use time::OffsetDateTime;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::{Encoding, Recipient};
use waxseal_engine::message::{Boundary, EncryptRequest, Form, SignRequest, encrypt, sign};
use waxseal_key::{Arithmetic, ProviderChoice, SeededRandom, Signer};

const SIZE: u64 = 64 << 20;
/// What may be added to the peak of memory by 64 MiB of mail.
const ALLOWED: u64 = 8 << 20;

#[derive(Default)]
struct Count(u64);

impl Write for Count {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0 += octets.len() as u64;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
    let at = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
    for encoding in [Encoding::Der, Encoding::Ber { segment: 4096 }] {
        for form in [Form::Clear, Form::Opaque] {
            let mut request = SignRequest::new(&signers, at, Boundary::Random([1; 16]), &arithmetic);
            request.form = form;
            request.shape.encoding = encoding;
            let mut out = Count::default();
            sign(&mut Large::new(SIZE), &mut out, &request).unwrap();
            assert!(out.0 > SIZE);
        }
        let mut request = EncryptRequest::new(&recipients, &arithmetic);
        request.shape.encoding = encoding;
        let mut out = Count::default();
        encrypt(&mut Large::new(SIZE), &mut out, &request, &mut SeededRandom::new("large")).unwrap();
        assert!(out.0 > SIZE / 3 * 4);
    }
    let grown = peak().unwrap() - before;
    assert!(grown < ALLOWED, "memory grew by {} KiB", grown >> 10);
}
