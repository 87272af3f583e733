//! Attribute certificates of both versions (RFC 5652 section 12.2, RFC 5755
//! section 4.1), as far as they are shown.

use waxseal_verdict::AttributeCertificate;

use super::ess::names_of;
use crate::ber::{Cursor, Element, Form, Tag};
use crate::certificate::serial_text;

const PLACE: &str = "attribute certificate";

/// Who has it, who issued it. What cannot be read stays empty: nothing is
/// judged by it.
pub(super) fn describe(element: &Element<'_>) -> AttributeCertificate {
    let version = if element.tag == Tag::context(1) { 1 } else { 2 };
    let mut found = AttributeCertificate { version, ..AttributeCertificate::default() };
    let _ = read(element, &mut found);
    found
}

fn read(element: &Element<'_>, found: &mut AttributeCertificate) -> Option<()> {
    let mut info = element.inside().expect(Tag::SEQUENCE, "acinfo").ok()?.inside();
    info.take_if(Tag::INTEGER, Form::Primitive).ok()?;
    let holder = info.take().ok()??;
    found.holder = if found.version == 1 { name_of_holder(&holder)? } else { holder_text(holder.inside())? };
    let issuer = info.take().ok()??;
    found.issuer = match issuer.tag {
        Tag::SEQUENCE => joined(&issuer)?,
        // V2Form: the name may be absent.
        _ => issuer.inside().expect(Tag::SEQUENCE, "issuerName").ok().as_ref().and_then(joined)?,
    };
    info.expect(Tag::SEQUENCE, "signature").ok()?;
    found.serial = serial_text(info.expect(Tag::INTEGER, "serialNumber").ok()?.content);
    Some(())
}

/// Holder: the first name that it has.
fn holder_text(mut fields: Cursor<'_>) -> Option<String> {
    name_of_holder(&fields.take().ok()??)
}

/// A certificate, the names of somebody, or the digest of something.
fn name_of_holder(field: &Element<'_>) -> Option<String> {
    let mut inside = field.inside();
    match field.tag {
        tag if tag == Tag::context(0) => {
            let issuer = joined(&inside.expect(Tag::SEQUENCE, "issuer").ok()?)?;
            let serial = serial_text(inside.expect(Tag::INTEGER, "serial").ok()?.content);
            Some(format!("issuer={issuer}, serial={serial}"))
        }
        tag if tag == Tag::context(1) => joined(field),
        _ => Some("an object by its digest".to_owned()),
    }
}

fn joined(names: &Element<'_>) -> Option<String> {
    names_of(names, PLACE).ok().map(|names| names.join(" or "))
}
