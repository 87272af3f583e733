//! Steps that the readers of SignedData and EnvelopedData share.

use std::io::Read;

use waxseal_verdict::Reason;

use crate::Limits;
use crate::ber::{BerError, BerErrorKind, Cursor, Element, Form, Header, Length, Reader, Tag, oid, to_definite};
use crate::cms::error::{CmsError, Within};

/// The next element, which `expected` names where it is missing.
pub(super) fn next<R: Read>(reader: &mut Reader<R>, expected: &'static str, context: &str) -> Result<Header, CmsError> {
    let missing = BerErrorKind::Unexpected { expected, found: None };
    match reader.next_element().within(context)? {
        Some(header) => Ok(header),
        None => Err(CmsError::ber(context, &reader.error(missing))),
    }
}

/// The element that was just begun must be the SET of this name.
pub(super) fn must_be_set<R: Read>(
    reader: &Reader<R>,
    header: &Header,
    expected: &'static str,
    context: &str,
) -> Result<(), CmsError> {
    if header.tag == Tag::SET {
        must_be_constructed(reader, header, context)
    } else {
        Err(unexpected(reader, header, expected, context))
    }
}

/// The element that was just begun must hold elements.
pub(super) fn must_be_constructed<R: Read>(reader: &Reader<R>, header: &Header, context: &str) -> Result<(), CmsError> {
    Form::Constructed.check(header.constructed).map_err(|kind| reader.error_at(kind, header.offset)).within(context)
}

/// The element that was taken must hold elements.
pub(super) fn must_hold_elements(element: &Element<'_>, context: &str) -> Result<(), CmsError> {
    let form = Form::Constructed.check(element.constructed);
    form.map_err(|kind| BerError { kind, offset: element.offset, path: String::new() }).within(context)
}

/// The element that is open must end here.
pub(super) fn must_end<R: Read>(reader: &mut Reader<R>, context: &str) -> Result<(), CmsError> {
    match reader.next_element().within(context)? {
        None => Ok(()),
        Some(header) => Err(surplus(reader, &header, context)),
    }
}

/// An element after the last one that the structure has.
pub(super) fn surplus<R: Read>(reader: &Reader<R>, header: &Header, context: &str) -> CmsError {
    unexpected(reader, header, "the end of the element", context)
}

/// An element where another one is due.
pub(super) fn unexpected<R: Read>(
    reader: &Reader<R>,
    header: &Header,
    expected: &'static str,
    context: &str,
) -> CmsError {
    let kind = BerErrorKind::Unexpected { expected, found: Some(header.tag) };
    CmsError::ber(context, &reader.error_at(kind, header.offset))
}

/// What may still be held in memory of one object: the limit is for all of its
/// elements together, since their number is the writer's choice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    octets: usize,
}

impl Room {
    /// The room of an object of which nothing is held yet.
    pub(super) const fn new(limits: &Limits) -> Self {
        Self { octets: limits.element_octets }
    }

    /// Whether there is room for the element that `header` began; of one that
    /// does not tell its length nobody knows.
    pub(super) fn fits(&self, header: &Header) -> bool {
        let len = match header.length {
            Length::Definite(len) => len.saturating_add(u64::from(header.header_len)),
            Length::Indefinite => return false,
        };
        len <= self.octets as u64
    }

    /// The element that `header` began, as it stands.
    pub(super) fn raw<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        header: &Header,
        context: &str,
    ) -> Result<Vec<u8>, CmsError> {
        let raw = reader.raw(header, self.octets).map_err(|mut error| {
            if error.kind == BerErrorKind::Limit("octets of one element") {
                error.kind = BerErrorKind::Limit("octets held of one object");
            }
            error
        });
        let raw = raw.within(context)?;
        self.octets = self.octets.saturating_sub(raw.len());
        Ok(raw)
    }
}

/// The element that `header` began, in definite lengths.
pub(super) fn definite<R: Read>(
    reader: &mut Reader<R>,
    header: &Header,
    limits: &Limits,
    room: &mut Room,
    context: &str,
) -> Result<Vec<u8>, CmsError> {
    let raw = room.raw(reader, header, context)?;
    to_definite(&raw, header.offset, limits).within(context)
}

/// The single element of `octets`.
pub(crate) fn one<'a>(octets: &'a [u8], offset: u64, context: &str) -> Result<Element<'a>, CmsError> {
    Cursor::new(octets, offset)
        .take()
        .within(context)?
        .ok_or_else(|| CmsError::new(Reason::BadBer, context, format!("nothing at offset {offset}")))
}

/// Reads an OBJECT IDENTIFIER, dotted.
pub(super) fn read_oid<R: Read>(
    reader: &mut Reader<R>,
    expected: &'static str,
    limits: &Limits,
    room: &mut Room,
    context: &str,
) -> Result<String, CmsError> {
    let header = reader.expect(Tag::OBJECT_IDENTIFIER, expected).within(context)?;
    let octets = definite(reader, &header, limits, room, context)?;
    object_identifier(&one(&octets, header.offset, context)?, context)
}

/// The dotted form of the OBJECT IDENTIFIER that an element holds.
pub(crate) fn object_identifier(element: &Element<'_>, context: &str) -> Result<String, CmsError> {
    oid::dotted(element.content).ok_or_else(|| {
        let detail = format!("a malformed object identifier at offset {}", element.offset);
        CmsError::new(Reason::BadBer, context, detail)
    })
}

/// Reads the small INTEGER that is a version.
pub(super) fn read_version<R: Read>(
    reader: &mut Reader<R>,
    limits: &Limits,
    room: &mut Room,
    context: &str,
) -> Result<u64, CmsError> {
    let header = reader.expect(Tag::INTEGER, "version (INTEGER)").within(context)?;
    let octets = definite(reader, &header, limits, room, context)?;
    version(&one(&octets, header.offset, context)?, context)
}

/// The version that an INTEGER holds.
pub(crate) fn version(element: &Element<'_>, context: &str) -> Result<u64, CmsError> {
    let value = match element.content {
        [] => None,
        [first, ..] if first & 0x80 != 0 => None,
        content => {
            content.iter().try_fold(0_u64, |value, octet| value.checked_mul(256)?.checked_add(u64::from(*octet)))
        }
    };
    value.ok_or_else(|| {
        let detail = format!("a version that is no small number at offset {}", element.offset);
        CmsError::new(Reason::BadBer, context, detail)
    })
}
