//! Signing and encrypting hold a bounded amount of memory, whatever the size.
//!
//! Alone in its program, because it measures the program.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{self, Read, Seek, SeekFrom, Write};

use support::{Bench, RSA};
use time::OffsetDateTime;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::Encoding;
use waxseal_engine::message::{Boundary, EncryptRequest, Form, SignRequest, encrypt, sign};
use waxseal_key::{Arithmetic, ProviderChoice, SeededRandom, Signer};

const HEADER: &[u8] = b"Subject: large\nContent-Type: text/plain\n\n";
const LINE: &[u8] = b"The quick brown fox jumps over the lazy dog, again and again.\n";
const SIZE: u64 = 64 << 20;
/// What may be added to the peak of memory by 64 MiB of mail.
const ALLOWED: u64 = 8 << 20;

/// A mail that is nowhere.
struct Large {
    position: u64,
}

impl Read for Large {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let whole = HEADER.len() as u64;
        let rest: &[u8] = if self.position < whole {
            &HEADER[self.position as usize..]
        } else if self.position < SIZE {
            &LINE[((self.position - whole) % LINE.len() as u64) as usize..]
        } else {
            &[]
        };
        let mut filled = 0;
        let mut part = rest;
        while !part.is_empty() && filled < out.len() {
            let now = part.len().min(out.len() - filled);
            out[filled..filled + now].copy_from_slice(&part[..now]);
            filled += now;
            self.position += now as u64;
            part = if self.position < SIZE && self.position >= whole { LINE } else { &[] };
        }
        Ok(filled)
    }
}

impl Seek for Large {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => SIZE.saturating_add_signed(by),
            SeekFrom::Current(by) => self.position.saturating_add_signed(by),
        };
        Ok(self.position)
    }
}

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

/// The most memory that this program had so far, in octets.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

#[test]
fn memory_does_not_grow_with_the_mail() {
    let Some(bench) = Bench::new() else { return };
    let Some(before) = peak() else {
        println!("not tested: no /proc/self/status on this machine");
        return;
    };
    let ann = bench.person("ann", RSA, "");
    let arithmetic = Arithmetic::new(ProviderChoice::Auto);
    let signers: [(&dyn Signer, &Certificate); 1] = [(&ann.key, &ann.certificate)];
    let recipients = [ann.certificate.clone()];
    let at = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
    for encoding in [Encoding::Der, Encoding::Ber { segment: 4096 }] {
        for form in [Form::Clear, Form::Opaque] {
            let mut request = SignRequest::new(&signers, at, Boundary::Random([1; 16]), &arithmetic);
            request.form = form;
            request.shape.encoding = encoding;
            let mut out = Count::default();
            sign(&mut Large { position: 0 }, &mut out, &request).unwrap();
            assert!(out.0 > SIZE);
        }
        let mut request = EncryptRequest::new(&recipients, &arithmetic);
        request.shape.encoding = encoding;
        let mut out = Count::default();
        encrypt(&mut Large { position: 0 }, &mut out, &request, &mut SeededRandom::new("large")).unwrap();
        assert!(out.0 > SIZE / 3 * 4);
    }
    let grown = peak().unwrap() - before;
    assert!(grown < ALLOWED, "memory grew by {} KiB", grown >> 10);
}
