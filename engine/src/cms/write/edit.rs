//! Changes of a SignedData that exists, of what no signature covers.

use waxseal_verdict::Reason;

use crate::ber::writer;
use crate::ber::{Cursor, Element, Tag};
use crate::cms::error::Within as _;
use crate::cms::read::one;
use crate::cms::{CmsError, oid};

/// The object with one more unsigned attribute on a signer, counted from 0.
///
/// Nothing else changes: every element keeps its octets and its form of length,
/// but for the lengths of those around the attribute. Where the attributes were
/// in DER order they still are.
///
/// # Errors
/// The object is no SignedData, or has no such signer.
pub fn with_unsigned_attribute(
    object: &[u8],
    signer: usize,
    attribute: &str,
    value: &[u8],
) -> Result<Vec<u8>, CmsError> {
    let attribute = attribute_of(attribute, value)?;
    change_data(object, |data| {
        let list = children(data, "SignedData")?;
        let place = list.len().saturating_sub(1);
        let (_, infos) = child(data, place, "SignedData.signerInfos")?;
        if infos.tag != Tag::SET {
            return Err(CmsError::new(Reason::BadBer, "SignedData.signerInfos", "expected signerInfos (SET)"));
        }
        let context = format!("SignedData.signerInfos[{signer}]");
        let (signers, found) = child(&infos, signer, &context)?;
        let new = with_attribute(&found, attribute, &context)?;
        Ok(with_child(data, &list, place, with_child(&infos, &signers, signer, new)))
    })
}

/// The object without its certificates, for a reader who has them already.
///
/// # Errors
/// The object is no SignedData.
pub fn without_certificates(object: &[u8]) -> Result<Vec<u8>, CmsError> {
    change_data(object, |data| {
        let list = children(data, "SignedData")?;
        let place = list.iter().position(|element| element.tag == Tag::context(0) && element.constructed);
        Ok(place.map_or_else(|| data.whole.to_vec(), |place| with_child(data, &list, place, Vec::new())))
    })
}

/// The object with another SignedData in it.
fn change_data(
    object: &[u8],
    change: impl FnOnce(&Element<'_>) -> Result<Vec<u8>, CmsError>,
) -> Result<Vec<u8>, CmsError> {
    let info = one(object, 0, "ContentInfo")?;
    let (info_list, content) = child(&info, 1, "ContentInfo.content")?;
    if !info_list.first().is_some_and(|found| writer::oid(oid::SIGNED_DATA).is_ok_and(|oid| found.whole == oid)) {
        return Err(CmsError::new(Reason::TypeMismatch, "ContentInfo", "this is no SignedData"));
    }
    let (content_list, data) = child(&content, 0, "SignedData")?;
    let content = with_child(&content, &content_list, 0, change(&data)?);
    let mut out = with_child(&info, &info_list, 1, content);
    // What follows an object is none of its business, and stays.
    out.extend_from_slice(object.get(info.whole.len()..).unwrap_or_default());
    Ok(out)
}

fn attribute_of(oid: &str, value: &[u8]) -> Result<Vec<u8>, CmsError> {
    super::attributes::attribute(oid, value)
        .map_err(|error| CmsError::new(Reason::BadParameters, "attribute", error.to_string()))
}

/// A SignerInfo with one more attribute in its last field.
fn with_attribute(signer: &Element<'_>, attribute: Vec<u8>, context: &str) -> Result<Vec<u8>, CmsError> {
    let fields = children(signer, context)?;
    let Some((set, before)) = fields.split_last().filter(|(last, _)| last.tag == Tag::context(1) && last.constructed)
    else {
        let content = [signer.content, &writer::context(1, &attribute)].concat();
        return Ok(rewritten(signer, &content));
    };
    let mut attributes: Vec<Vec<u8>> = children(set, context)?.iter().map(|found| found.whole.to_vec()).collect();
    let sorted = attributes.is_sorted();
    attributes.push(attribute);
    if sorted {
        writer::sort(&mut attributes);
    }
    Ok(with_child(signer, &fields, before.len(), rewritten(set, &attributes.concat())))
}

/// The elements inside of one, and one of them.
fn child<'a>(parent: &Element<'a>, index: usize, context: &str) -> Result<(Vec<Element<'a>>, Element<'a>), CmsError> {
    let list = children(parent, context)?;
    let missing = || CmsError::new(Reason::BadBer, context, format!("is not there; {} elements are", list.len()));
    let found = *list.get(index).ok_or_else(missing)?;
    Ok((list, found))
}

fn children<'a>(parent: &Element<'a>, context: &str) -> Result<Vec<Element<'a>>, CmsError> {
    let mut inside: Cursor<'a> = parent.inside();
    let mut list = Vec::new();
    while parent.constructed && !inside.is_empty() {
        list.extend(inside.take().within(context)?);
    }
    Ok(list)
}

/// An element with one of the elements inside exchanged.
fn with_child(parent: &Element<'_>, list: &[Element<'_>], index: usize, new: Vec<u8>) -> Vec<u8> {
    let parts = list.iter().enumerate().map(|(at, element)| if at == index { new.as_slice() } else { element.whole });
    rewritten(parent, &parts.collect::<Vec<_>>().concat())
}

/// An element with other content; an indefinite length stays one.
fn rewritten(element: &Element<'_>, content: &[u8]) -> Vec<u8> {
    let tag = element.identifier();
    if element.whole.get(1) == Some(&0x80) {
        return [&[tag, 0x80], content, &[0, 0]].concat();
    }
    writer::element(tag, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SignedData with one signer, and indefinite lengths where asked for.
    fn object(indefinite: bool, unsigned: &[u8]) -> Vec<u8> {
        let form = |tag: u8, content: &[u8]| match indefinite {
            true => [&[tag, 0x80], content, &[0, 0]].concat(),
            false => writer::element(tag, content),
        };
        let signer = writer::sequence([&writer::integer(1)[..], &writer::octet_string(&[7; 130]), unsigned]);
        let data = form(0x30, &[writer::integer(1), form(0x31, &signer)].concat());
        form(0x30, &[writer::oid(oid::SIGNED_DATA).unwrap(), form(0xa0, &data)].concat())
    }

    #[test]
    fn only_lengths_change_around_the_attribute() {
        let value = writer::integer(5);
        let attribute = attribute_of("1.2.3", &value).unwrap();
        for indefinite in [false, true] {
            let plain = object(indefinite, &[]);
            let made = with_unsigned_attribute(&plain, 0, "1.2.3", &value).unwrap();
            assert_eq!(made, object(indefinite, &writer::context(1, &attribute)));
            // A second one: in the order of DER, if the first was.
            let again = with_unsigned_attribute(&made, 0, "1.2.2", &value).unwrap();
            let second = attribute_of("1.2.2", &value).unwrap();
            assert_eq!(again, object(indefinite, &writer::context(1, &[second, attribute.clone()].concat())));
        }
        let trailing = [object(false, &[]), vec![9]].concat();
        assert_eq!(with_unsigned_attribute(&trailing, 0, "1.2.3", &value).unwrap().last(), Some(&9));
    }

    #[test]
    fn certificates_are_taken_out_and_nothing_else() {
        let plain = object(false, &[]);
        assert_eq!(without_certificates(&plain).unwrap(), plain);
        let data = one(&plain, 0, "x").unwrap();
        let (_, data) = child(&child(&data, 1, "x").unwrap().1, 0, "x").unwrap();
        let list = children(&data, "x").unwrap();
        let with = [list[0].whole, &writer::context(0, &[5, 0]), list[1].whole].concat();
        let carrying = change_data(&plain, |_| Ok(writer::sequence([with.as_slice()]))).unwrap();
        assert_ne!(carrying, plain);
        assert_eq!(without_certificates(&carrying).unwrap(), plain);
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let attach = |object: &[u8], signer| with_unsigned_attribute(object, signer, "1.2.3", &[5, 0]);
        assert!(attach(&object(false, &[]), 1).unwrap_err().to_string().contains("signerInfos[1]"));
        let other = writer::sequence([writer::oid("1.2.3").unwrap(), writer::context(0, &[])]);
        assert_eq!(attach(&other, 0).unwrap_err().reason, Reason::TypeMismatch);
        for cut in 0..60 {
            assert!(attach(&object(false, &[])[..cut], 0).is_err());
        }
    }
}
