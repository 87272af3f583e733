//! Entities and the objects in them.

use std::io::Read;

use waxseal_verdict::Deviation;

use super::input::Block;
use super::schema::{CERTIFICATE, CRL, Shape};
use super::walk::{Budget, Walk};
use super::{Announced, Entity, Object, Parameter, fault};
use crate::Limits;
use crate::ber::{BerError, Reader};
use crate::io::{Section, Source};
use crate::mime::smime::{self, Protected, Role};
use crate::mime::{Body, MimeError, Part, TransferEncoding, has_header_field, parse};

/// The entities of a message.
pub(super) fn message(source: &mut dyn Source, limits: &Limits, budget: &mut Budget) -> Result<Entity, MimeError> {
    let root = parse(source, limits)?;
    let protected = smime::find(&root);
    Ok(entity(source, &root, &protected, limits, budget))
}

/// The entity that is a content; `None` where the content is none.
pub(super) fn content(source: &mut dyn Source, limits: &Limits, budget: &mut Budget) -> Option<Entity> {
    has_header_field(source, limits).ok().filter(|mail| *mail)?;
    message(source, limits, budget).ok()
}

/// The object that is the whole input.
pub(super) fn bare_object(source: &mut dyn Source, limits: &Limits, budget: &mut Budget) -> Result<Object, MimeError> {
    let size = source.seek(std::io::SeekFrom::End(0)).map_err(|source| MimeError::Read { offset: 0, source })?;
    let section = Section::new(source, 0, size);
    Ok(object(section, 0, &Shape::Root, limits, budget, |_| Vec::new()))
}

/// The object in a PEM block.
pub(super) fn pem_object(
    source: &mut dyn Source,
    block: &Block,
    limits: &Limits,
    budget: &mut Budget,
) -> Result<Object, MimeError> {
    let body = Body::new(source, block.text.clone(), TransferEncoding::Base64)?;
    let shape = match block.label.as_str() {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => &CERTIFICATE,
        "X509 CRL" | "CRL" => &CRL,
        _ => &Shape::Root,
    };
    let object = object(body, block.text.start, shape, limits, budget, Body::deviations);
    Ok(Object { label: Some(block.label.clone()), ..object })
}

/// Reads an object; `deviations` asks its input what it saw.
pub(super) fn object<R: Read>(
    input: R,
    offset: u64,
    shape: &'static Shape,
    limits: &Limits,
    budget: &mut Budget,
    deviations: impl FnOnce(&R) -> Vec<Deviation>,
) -> Object {
    let mut walk = Walk::new(Reader::new(input, limits), budget, limits);
    let (elements, error) = walk.all(shape);
    let octets = error.is_none().then(|| walk.reader.offset());
    let deviations = deviations(walk.reader.input());
    let error = error
        .as_ref()
        .map(|error: &BerError| fault(error))
        .or_else(|| elements.is_empty().then(|| "the input ends before the object begins at offset 0".to_owned()));
    Object {
        offset,
        label: None,
        octets,
        encoding: if walk.ber { "BER" } else { "DER" },
        elements,
        omitted: walk.omitted,
        error,
        deviations,
    }
}

fn entity(
    source: &mut dyn Source,
    part: &Part,
    found: &[Protected<'_>],
    limits: &Limits,
    budget: &mut Budget,
) -> Entity {
    let is = |other: Option<&Part>| other.is_some_and(|other| std::ptr::eq(other, part));
    budget.show();
    // The signature of a multipart/signed is announced by the multipart.
    let announced_above = found.iter().any(|protected| is(protected.smime.object()) && !is(Some(protected.smime.part)));
    let covering = found.iter().find(|protected| is(Some(protected.smime.part)));
    let smime = smime::classify(part);
    let holds_object = announced_above || smime.as_ref().is_some_and(|smime| is(smime.object()));
    let announced = smime.filter(|_| !announced_above).map(|smime| Announced {
        what: what(&smime.role),
        covered: covering.map(|protected| protected.covered.clone()).unwrap_or_default(),
        uncovered: covering.map(|protected| protected.uncovered.clone()).unwrap_or_default(),
        deviations: smime.deviations,
    });
    Entity {
        path: part.path.clone(),
        line: part.line,
        offset: part.header.start,
        header_octets: part.header.end - part.header.start,
        body_octets: part.body.end - part.body.start,
        media_type: part.content_type.media_type.clone(),
        parameters: part
            .content_type
            .params
            .iter()
            .map(|(name, value)| Parameter { name: name.clone(), value: value.clone() })
            .collect(),
        default_type: !part.content_type.present,
        encoding: part.encoding.name(),
        file_name: part.file_name(),
        line_ends: part.line_ends.name(),
        unclosed: !part.closed,
        smime: announced,
        object: holds_object.then(|| decoded_object(source, part, limits, budget)),
        children: part.children.iter().map(|child| entity(source, child, found, limits, budget)).collect(),
    }
}

fn decoded_object(source: &mut dyn Source, part: &Part, limits: &Limits, budget: &mut Budget) -> Object {
    match crate::mime::decode_body(source, part) {
        Ok(body) => object(body, part.body.start, &Shape::Root, limits, budget, Body::deviations),
        Err(error) => Object {
            offset: part.body.start,
            label: None,
            octets: None,
            encoding: "BER",
            elements: Vec::new(),
            omitted: 0,
            error: Some(error.to_string()),
            deviations: Vec::new(),
        },
    }
}

/// What a media type announces, in words.
fn what(role: &Role<'_>) -> String {
    match role {
        Role::Signed { micalg, extra, .. } => {
            let declared: Vec<&str> = micalg.iter().map(|micalg| micalg.written.as_str()).collect();
            let declared = if declared.is_empty() { "none".to_owned() } else { declared.join(", ") };
            let extra = if extra.is_empty() { "" } else { ", with parts after the signature" };
            format!("clear signed, micalg {declared}{extra}")
        }
        Role::Broken { why } => format!("broken: {why}"),
        Role::Pkcs7Mime { smime_type: Some(smime_type) } => smime_type.name().to_owned(),
        Role::Pkcs7Mime { smime_type: None } => "a CMS object of a kind that is not named".to_owned(),
        Role::DetachedSignature => "a detached signature".to_owned(),
        Role::CertsOnly => "certs-only".to_owned(),
    }
}
