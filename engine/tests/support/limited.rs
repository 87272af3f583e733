//! A reader whose work is counted, and objects of which something is too many.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write as _};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use time::macros::datetime;
use waxseal_engine::Limits;
use waxseal_engine::ber::writer as w;
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{Credential, OpenRequest, Secrets, open};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, ProviderChoice};
use waxseal_verdict::{Layer, Reason};

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
pub struct Reader<'a> {
    pub limits: Limits,
    pub credentials: Vec<Credential<'a>>,
    pub secrets: Secrets,
}

impl Reader<'_> {
    /// The layers of a message; it is read a bounded number of times.
    pub fn open(&self, octets: &[u8]) -> Vec<Layer> {
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

    pub fn reasons(&self, octets: &[u8]) -> Vec<Option<Reason>> {
        self.open(octets).iter().map(|layer| layer.structure.reason()).collect()
    }
}

pub fn oid(dotted: &str) -> Vec<u8> {
    w::oid(dotted).unwrap()
}

pub fn content_info(content_type: &str, content: &[u8]) -> Vec<u8> {
    w::sequence([oid(content_type), w::context(0, content)])
}

pub const DATA: &str = "1.2.840.113549.1.7.1";
pub const SIGNED: &str = "1.2.840.113549.1.7.2";
pub const ENVELOPED: &str = "1.2.840.113549.1.7.3";
pub const COMPRESSED: &str = "1.2.840.113549.1.9.16.1.9";
pub const RSA: &str = "1.2.840.113549.1.1.1";

pub fn signed(certificates: &[u8], signers: &[u8]) -> Vec<u8> {
    let parts = [
        w::integer(1),
        w::element(0x31, &[]),
        w::sequence([oid(DATA), w::context(0, &w::octet_string(b"content"))]),
        if certificates.is_empty() { Vec::new() } else { w::context(0, certificates) },
        w::element(0x31, signers),
    ];
    content_info(SIGNED, &w::sequence(parts))
}

pub fn enveloped(recipients: &[u8]) -> Vec<u8> {
    let cipher = w::sequence([oid("2.16.840.1.101.3.4.1.2"), w::octet_string(&[0; 16])]);
    let content = w::sequence([oid(DATA), cipher, w::element(0x80, &[7; 32])]);
    content_info(ENVELOPED, &w::sequence([w::integer(2), w::element(0x31, recipients), content]))
}

pub fn zlib(octets: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

pub fn compressed(content_type: &str, octets: &[u8]) -> Vec<u8> {
    content_info(COMPRESSED, &compressed_data(content_type, octets))
}

/// CompressedData; as the content of another layer it stands without ContentInfo.
pub fn compressed_data(content_type: &str, octets: &[u8]) -> Vec<u8> {
    let content = w::sequence([oid(content_type), w::context(0, &w::octet_string(&zlib(octets)))]);
    let algorithm = w::sequence([oid("1.2.840.113549.1.9.16.3.8")]);
    w::sequence([w::integer(0), algorithm, content])
}

pub fn signer(attributes: usize) -> Vec<u8> {
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
