//! Opening the layers that protect nothing from anybody: bare data (RFC 5652
//! section 4), CompressedData (RFC 3274) and DigestedData (RFC 5652 section 7).

use std::io::{Read, SeekFrom};

use waxseal_key::algorithm;
use waxseal_verdict::{Aspect, Deviation, Layer, Reason};

use crate::ber::{OctetStream, Reader, Tag};
use crate::check::Check;
use crate::cms::{CmsError, CompressedDataHead, DigestedDataHead, oid};
use crate::hex::hex;
use crate::io::{Spool, Workspace};
use crate::message::content::{self, each_block};
use crate::message::context::Context;
use crate::message::inflate::Inflate;
use crate::message::request::OpenError;
use crate::message::signed::Hashing;

/// Content, and its type.
pub(super) type Content = (Box<dyn Spool>, String);

/// Reads the OCTET STRING of id-data (RFC 5652 section 4) to its end. The type
/// was read.
pub(super) fn data<R: Read>(
    layer: &mut Layer,
    reader: &mut Reader<R>,
    workspace: &mut dyn Workspace,
    context: &Context<'_>,
) -> Result<Option<Content>, OpenError> {
    layer.structure = Aspect::Good;
    let place = "Data";
    let mut stream = match reader.expect(Tag::OCTET_STRING, "Data (OCTET STRING)") {
        Ok(header) => OctetStream::new(header),
        Err(error) => return Ok(damaged(layer, &CmsError::ber(place, &error))),
    };
    let mut spool = workspace.spool()?;
    let read = each_block(
        |block| stream.read(reader, block).map_err(|error| CmsError::ber(place, &error)),
        context.request.limits.content_octets,
        place,
        |block| spool.write_all(block),
    )?;
    if let Err(error) = read.and_then(|()| content::end(layer, reader)) {
        return Ok(damaged(layer, &error));
    }
    released(layer, spool, oid::DATA.to_owned(), "Data")
}

/// Reads CompressedData to its end, and gives its content. The type was read.
pub(super) fn compressed<R: Read>(
    layer: &mut Layer,
    reader: &mut Reader<R>,
    workspace: &mut dyn Workspace,
    context: &Context<'_>,
) -> Result<Option<Content>, OpenError> {
    let limits = context.request.limits;
    layer.structure = Aspect::Good;
    let mut head = match CompressedDataHead::read(reader, limits) {
        Ok(head) => head,
        Err(error) => return Ok(damaged(layer, &error)),
    };
    if head.version != 0 {
        layer.deviate(Deviation::VersionOdd);
    }
    if head.algorithm.oid != oid::ZLIB {
        let name = head.algorithm.name();
        let detail = format!("CompressedData.compressionAlgorithm: {name} is not supported");
        layer.structure = Aspect::bad(Reason::UnsupportedAlgorithm, detail);
        return Ok(None);
    }
    if head.content.stream.is_none() {
        return Ok(missing(layer, "CompressedData"));
    }
    let mut spool = workspace.spool()?;
    let mut inflate = Inflate::new(limits, &context.budget);
    let mut stopped = None;
    let place = "CompressedData.encapContentInfo";
    let read = each_block(
        |block| head.content.read_content(reader, block),
        limits.content_octets,
        place,
        |block| {
            if stopped.is_none() {
                stopped = inflate.update(block, &mut spool)?.err();
            }
            Ok(())
        },
    )?;
    if let Err(error) = read.and_then(|()| head.finish(reader)).and_then(|()| content::end(layer, reader)) {
        return Ok(damaged(layer, &error));
    }
    if let Some(error) = stopped.or_else(|| inflate.finish().err()) {
        return Ok(damaged(layer, &error));
    }
    released(layer, spool, head.content.content_type, "CompressedData")
}

/// Reads DigestedData to its end, and gives its content. The type was read.
pub(super) fn digested<R: Read>(
    layer: &mut Layer,
    reader: &mut Reader<R>,
    workspace: &mut dyn Workspace,
    context: &Context<'_>,
) -> Result<Option<Content>, OpenError> {
    let limits = context.request.limits;
    layer.structure = Aspect::Good;
    layer.integrity = Aspect::Unchecked(None);
    let mut head = match DigestedDataHead::read(reader, limits) {
        Ok(head) => head,
        Err(error) => return Ok(damaged(layer, &error)),
    };
    if !head.version_fits() {
        layer.deviate(Deviation::VersionOdd);
    }
    let digest = head.algorithm.digest();
    let mut hashing = Hashing::new(digest.as_slice(), context);
    let look = |block: &[u8]| hashing.update(block);
    let (spool, read) = content::spooled(&mut head.content, reader, "DigestedData", workspace, context, look)?;
    let stated = match read.and_then(|()| head.finish(reader, limits)) {
        Ok(stated) => stated,
        Err(error) => return Ok(damaged(layer, &error)),
    };
    if let Err(error) = content::end(layer, reader) {
        return Ok(damaged(layer, &error));
    }
    if head.content.stream.is_none() {
        return Ok(missing(layer, "DigestedData"));
    }
    let Some(digest) = digest else {
        let name = algorithm::oid_name(&head.algorithm.oid).unwrap_or(&head.algorithm.oid);
        let detail = format!("DigestedData.digestAlgorithm: {name} is not supported");
        layer.structure = Aspect::bad(Reason::UnsupportedAlgorithm, detail);
        return Ok(None);
    };
    layer.integrity = match hashing.finish().remove(&digest) {
        None => Aspect::Unchecked(Some(Reason::UnsupportedAlgorithm)),
        Some(found) if found == stated || !Check::DigestedContent.on() => Aspect::Good,
        Some(found) => {
            let detail = format!("DigestedData.digest is {}, the content has {}", hex(&stated), hex(&found));
            Aspect::bad(Reason::DigestMismatch, detail)
        }
    };
    released(layer, spool, head.content.content_type, "DigestedData")
}

/// Content from its start, if its type is one that can be looked into.
fn released(
    layer: &mut Layer,
    mut spool: Box<dyn Spool>,
    content_type: String,
    owner: &str,
) -> Result<Option<Content>, OpenError> {
    if let Some(unsupported) = content::unsupported(&format!("{owner}.encapContentInfo.eContentType"), &content_type) {
        layer.structure = unsupported;
        return Ok(None);
    }
    spool.seek(SeekFrom::Start(0))?;
    Ok(Some((spool, content_type)))
}

fn damaged(layer: &mut Layer, error: &CmsError) -> Option<Content> {
    layer.structure = error.aspect();
    None
}

fn missing(layer: &mut Layer, owner: &str) -> Option<Content> {
    layer.structure = Aspect::bad(Reason::ContentMissing, format!("{owner} holds no eContent"));
    None
}
