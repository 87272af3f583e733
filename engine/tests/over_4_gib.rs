//! Lengths over 2^32: they are written in five octets and read again, by a
//! source and a spool that hold runs of zeros without storing them.
//!
//! Hashing takes seconds for each gigabyte, so that the whole size is taken only
//! where `WAXSEAL_DEEP` is set, as `cargo xtask deep` does; the lengths alone are
//! always looked at.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{self, Read, Seek, SeekFrom, Write};

use support::{Bench, RSA};
use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::ber::{self, Event, Length, writer};
use waxseal_engine::cms::oid;
use waxseal_engine::cms::write::{ContentSigner, Shape, SignedData, Tamper};
use waxseal_engine::io::{Spool, Workspace};
use waxseal_engine::message::{OpenRequest, open};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, DigestAlgorithm, ProviderChoice};

/// Octets in which runs of zeros take no room. Written at its end only.
#[derive(Default)]
struct Sparse {
    /// Where each part begins, and its octets; `None` for a run of zeros.
    parts: Vec<(u64, Option<Vec<u8>>)>,
    len: u64,
    position: u64,
}

impl Sparse {
    /// An entity of about `len` octets: a header, and a body of zeros.
    fn entity(len: u64) -> Self {
        let header = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n";
        let mut sparse = Self::default();
        sparse.write_all(header).unwrap();
        sparse.parts.push((sparse.len, None));
        sparse.len += len;
        sparse
    }
}

impl Write for Sparse {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let zeros = octets.len() >= 4096 && octets.iter().all(|octet| *octet == 0);
        match self.parts.last_mut() {
            Some((_, None)) if zeros => {}
            Some((_, Some(stored))) if !zeros => stored.extend_from_slice(octets),
            _ => self.parts.push((self.len, (!zeros).then(|| octets.to_vec()))),
        }
        self.len += octets.len() as u64;
        self.position = self.len;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Sparse {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let next = self.parts.partition_point(|(start, _)| *start <= self.position);
        let end = self.parts.get(next).map_or(self.len, |(start, _)| *start);
        let Some((start, part)) = next.checked_sub(1).map(|index| &self.parts[index]) else { return Ok(0) };
        let read = usize::try_from(end - self.position).unwrap_or(usize::MAX).min(out.len());
        match part {
            Some(stored) => {
                let at = (self.position - start) as usize;
                out[..read].copy_from_slice(&stored[at..at + read]);
            }
            None => out[..read].fill(0),
        }
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.len.saturating_add_signed(by),
            SeekFrom::Current(by) => self.position.saturating_add_signed(by),
        }
        .min(self.len);
        Ok(self.position)
    }
}

struct SparseSpools;

impl Workspace for SparseSpools {
    fn spool(&mut self) -> io::Result<Box<dyn Spool>> {
        Ok(Box::new(Sparse::default()))
    }
}

/// Lengths around those at which one more octet is needed.
const LENGTHS: &[(u64, &[u8])] = &[
    (0xffff_ffff, &[0x84, 0xff, 0xff, 0xff, 0xff]),
    (0x1_0000_0000, &[0x85, 1, 0, 0, 0, 0]),
    (0x1_2345_6789, &[0x85, 1, 0x23, 0x45, 0x67, 0x89]),
    (0xff_ffff_ffff, &[0x85, 0xff, 0xff, 0xff, 0xff, 0xff]),
    (0x100_0000_0000, &[0x86, 1, 0, 0, 0, 0, 0]),
];

#[test]
fn lengths_are_written_and_read_in_as_many_octets_as_they_need() {
    for (length, octets) in LENGTHS {
        let header = writer::header(4, *length);
        assert_eq!(header[1..], **octets, "{length}");
        assert_eq!(writer::element_len(*length), length + header.len() as u64);
        let mut reader = ber::Reader::new(header.as_slice(), &Limits::default());
        let Some(Event::Begin(read)) = reader.next_event().unwrap() else { panic!("{length}") };
        assert_eq!((read.length, u64::from(read.header_len)), (Length::Definite(*length), header.len() as u64));
    }
}

#[test]
fn an_object_over_4_gib_is_written_in_der_and_verifies() {
    let Some(bench) = Bench::new() else { return };
    let size = if std::env::var_os("WAXSEAL_DEEP").is_some() { (4 << 30) + 5 } else { 64 << 20 };
    let ann = bench.person("ann", RSA, "");
    let arithmetic = Arithmetic::new(ProviderChoice::Auto);
    let signer = ContentSigner::new(&ann.key, &ann.certificate, DigestAlgorithm::Sha256, None).unwrap();
    let recipe = SignedData {
        signers: &[signer],
        certificates: &[],
        signing_time: None,
        crls: &[],
        ocsp_responses: &[],
        encryption_certificate: None,
        content_type: oid::DATA,
        shape: &Shape::default(),
        tamper: &Tamper::default(),
        arithmetic: &arithmetic,
    };
    let mut object = Sparse::default();
    recipe.write(&mut object, &mut Sparse::entity(size)).unwrap();
    assert!(object.len > size);
    let stored: usize = object.parts.iter().filter_map(|(_, part)| part.as_ref()).map(Vec::len).sum();
    assert!(stored < 1 << 20, "{stored} octets are stored");
    let policy = Policy::named("default").unwrap();
    let limits = Limits::default();
    let request = OpenRequest {
        anchors: std::slice::from_ref(&ann.certificate),
        from: Some("ann@example.test"),
        keep_content: true,
        ..OpenRequest::new(OffsetDateTime::now_utc(), &policy, &arithmetic, &limits)
    };
    object.rewind().unwrap();
    let opened = open(&mut object, None, &mut SparseSpools, &request).unwrap();
    let [layer] = opened.verdict.layers.as_slice() else { panic!("{:?}", opened.verdict) };
    assert!(layer.structure.is_good() && layer.integrity.is_good() && layer.deviations.is_empty(), "{layer:?}");
    assert!(opened.content.unwrap().seek(SeekFrom::End(0)).unwrap() > size);
}
