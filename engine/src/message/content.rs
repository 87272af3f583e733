//! Content on its way from one layer to the next.

use std::io::{self, Read, SeekFrom};

use waxseal_key::algorithm;
use waxseal_verdict::{Aspect, Deviation, Layer, Reason};

use crate::ber::Reader;
use crate::cms::{self, CmsError, EncapsulatedContent, oid};
use crate::io::{Spool, Workspace};
use crate::message::context::Context;
use crate::message::request::OpenError;
use crate::overlap::{self, BLOCK, Block};

/// Reads content to its end, block by block, and hands each to `take`, which
/// may work in another thread. An error of the encoding, or content beyond the
/// limit, ends it and is the inner result.
pub(super) fn each_block(
    mut read: impl FnMut(&mut [u8]) -> Result<usize, CmsError>,
    limit: u64,
    place: &str,
    take: impl FnMut(&mut [u8]) -> io::Result<()> + Send,
) -> Result<Result<(), CmsError>, OpenError> {
    let mut total: u64 = 0;
    let mut stopped = None;
    let read = |block: &mut [u8]| {
        let read = match stopped.take() {
            Some(error) => return Err(error),
            None => fill(&mut read, block, &mut stopped),
        };
        total += read as u64;
        if total > limit {
            let detail = format!("content over {limit} octets");
            return Err(CmsError::new(Reason::LimitExceeded, place, detail));
        }
        match stopped.take() {
            Some(error) if read == 0 => Err(error),
            // What stands before the damage goes first.
            error => {
                stopped = error;
                Ok(read)
            }
        }
    };
    Ok(overlap::each_block(read, take)?)
}

/// Content that waits in a spool, and how the reading of it ended.
pub(super) type Spooled = (Box<dyn Spool>, Result<(), CmsError>);

/// Reads encapsulated content into a spool, and shows it to `look` on the way.
/// What stands before damage is in the spool, too.
pub(super) fn spooled<R: Read>(
    content: &mut EncapsulatedContent,
    reader: &mut Reader<R>,
    owner: &str,
    workspace: &mut dyn Workspace,
    context: &Context<'_>,
    mut look: impl FnMut(&[u8]) + Send,
) -> Result<Spooled, OpenError> {
    let mut spool = workspace.spool()?;
    let place = format!("{owner}.encapContentInfo");
    let read = |block: &mut [u8]| content.read_content(reader, block);
    let ended = each_block(read, context.request.limits.content_octets, &place, |block| {
        look(block);
        spool.write_all(block)
    })?;
    spool.seek(SeekFrom::Start(0))?;
    Ok((spool, ended))
}

/// Whether two contents are the same; both stand at their start afterwards.
pub(super) fn is_same(one: &mut dyn Spool, other: &mut dyn Spool) -> io::Result<bool> {
    let mut blocks = [Block::new(vec![0; BLOCK]), Block::new(vec![0; BLOCK])];
    one.seek(SeekFrom::Start(0))?;
    other.seek(SeekFrom::Start(0))?;
    let same = loop {
        let [left, right] = &mut blocks;
        let mut stopped = None;
        let count = fill(&mut |block| read(one, block), left, &mut stopped);
        let as_many = fill(&mut |block| read(other, block), right, &mut stopped);
        if let Some(error) = stopped {
            return Err(error);
        }
        if left[..count] != right[..as_many] {
            break false;
        }
        if count == 0 {
            break true;
        }
    };
    one.seek(SeekFrom::Start(0))?;
    other.seek(SeekFrom::Start(0))?;
    Ok(same)
}

/// Fills a block; less than all of it means the end, or an error, which is put
/// into `stopped`.
fn fill<E>(read: &mut impl FnMut(&mut [u8]) -> Result<usize, E>, block: &mut [u8], stopped: &mut Option<E>) -> usize {
    let mut filled = 0;
    while filled < block.len() {
        match read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) => {
                *stopped = Some(error);
                break;
            }
        }
    }
    filled
}

/// Reads, however often it is interrupted.
pub(super) fn read<R: Read + ?Sized>(from: &mut R, block: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
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
        oid::GMT_SIGNED_AND_ENVELOPED_DATA,
        oid::AUTH_ENVELOPED_DATA,
        oid::COMPRESSED_DATA,
        oid::DIGESTED_DATA,
        oid::ENCRYPTED_DATA,
        oid::AUTHENTICATED_DATA,
    ];
    (!KNOWN.contains(&oid::standard(content_type))).then(|| {
        let name = algorithm::oid_name(content_type).unwrap_or(content_type);
        Aspect::bad(Reason::UnsupportedContentType, format!("{place}: {name} is not supported"))
    })
}
