//! Content on its way from one layer to the next.

use std::io::{self, Read, SeekFrom};

use waxseal_key::algorithm;
use waxseal_verdict::{Aspect, Deviation, Layer, Reason};
use zeroize::Zeroizing;

use crate::ber::Reader;
use crate::cms::{self, CmsError, oid};
use crate::io::Spool;
use crate::message::request::OpenError;

/// Octets that are read and worked on at once.
const BLOCK: usize = 64 << 10;

/// Reads content to its end, block by block, and hands each to `take`. An
/// error of the encoding, or content beyond the limit, ends it and is the
/// inner result.
pub(super) fn each_block(
    mut read: impl FnMut(&mut [u8]) -> Result<usize, CmsError>,
    limit: u64,
    place: &str,
    mut take: impl FnMut(&mut [u8]) -> io::Result<()>,
) -> Result<Result<(), CmsError>, OpenError> {
    let mut block = Zeroizing::new(vec![0; BLOCK]);
    let mut total: u64 = 0;
    loop {
        let read = match read(&mut block) {
            Ok(0) => return Ok(Ok(())),
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        };
        total += read as u64;
        if total > limit {
            let detail = format!("content over {limit} octets");
            return Ok(Err(CmsError::new(Reason::LimitExceeded, place, detail)));
        }
        take(&mut block[..read])?;
    }
}

/// Whether two contents are the same; both stand at their start afterwards.
pub(super) fn is_same(one: &mut dyn Spool, other: &mut dyn Spool) -> io::Result<bool> {
    let mut blocks = [Zeroizing::new(vec![0; BLOCK]), Zeroizing::new(vec![0; BLOCK])];
    one.seek(SeekFrom::Start(0))?;
    other.seek(SeekFrom::Start(0))?;
    let same = loop {
        let [left, right] = &mut blocks;
        let (read, as_many) = (fill(one, left)?, fill(other, right)?);
        if left[..read] != right[..as_many] {
            break false;
        }
        if read == 0 {
            break true;
        }
    };
    one.seek(SeekFrom::Start(0))?;
    other.seek(SeekFrom::Start(0))?;
    Ok(same)
}

/// Fills a block; less than all of it means the end.
fn fill(spool: &mut dyn Spool, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match spool.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads the ends of everything that is still open, and notes what follows the object.
pub(super) fn end<R: Read>(layer: &mut Layer, reader: &mut Reader<R>) -> Result<(), CmsError> {
    if cms::finish(reader, "ContentInfo")? {
        layer.deviate(Deviation::TrailingBytes);
    }
    Ok(())
}

/// Content types that a layer may hold; `place` names the field for the others.
pub(super) fn unsupported(place: &str, content_type: &str) -> Option<Aspect> {
    const KNOWN: &[&str] = &[
        oid::DATA,
        oid::SIGNED_DATA,
        oid::ENVELOPED_DATA,
        oid::AUTH_ENVELOPED_DATA,
        oid::COMPRESSED_DATA,
        oid::DIGESTED_DATA,
        oid::ENCRYPTED_DATA,
        oid::AUTHENTICATED_DATA,
    ];
    (!KNOWN.contains(&content_type)).then(|| {
        let name = algorithm::oid_name(content_type).unwrap_or(content_type);
        Aspect::bad(Reason::UnsupportedContentType, format!("{place}: {name} is not supported"))
    })
}
