//! Small structures of CMS are turned to definite lengths once, and then read
//! with a cursor.

use crate::Limits;
use crate::ber::string::OctetStream;
use crate::ber::tag::Tag;
use crate::ber::{BerError, Event, Reader};

/// The same value with minimal definite lengths and with constructed universal
/// OCTET STRINGs joined.
///
/// The order of a SET OF is kept: what was signed "as received" must stay
/// visible. An implicitly tagged string in segments keeps its segments, since
/// only the type tells that it is a string.
///
/// # Errors
/// `input` is not exactly one well-formed element, or exceeds a limit. Offsets
/// count from `offset`, the place of `input` in the whole.
pub fn to_definite(input: &[u8], offset: u64, limits: &Limits) -> Result<Vec<u8>, BerError> {
    let mut reader = Reader::at_offset(input, limits, offset);
    // The contents of the elements that are open; the first is the result.
    let mut open: Vec<Vec<u8>> = vec![Vec::new()];
    let mut tags: Vec<Tag> = Vec::new();
    while let Some(event) = reader.next_event()? {
        match event {
            Event::Begin(header) if header.tag == Tag::OCTET_STRING || !header.constructed => {
                let content = if header.constructed {
                    OctetStream::new(header).collect(&mut reader, limits.element_octets)?
                } else {
                    reader.content(limits.element_octets)?
                };
                append(&mut open, header.tag, false, &content);
            }
            Event::Begin(header) => {
                tags.push(header.tag);
                open.push(Vec::new());
            }
            Event::End { .. } => {
                if let (Some(tag), Some(content)) = (tags.pop(), open.pop()) {
                    append(&mut open, tag, true, &content);
                }
            }
        }
    }
    Ok(open.into_iter().next().unwrap_or_default())
}

fn append(open: &mut [Vec<u8>], tag: Tag, constructed: bool, content: &[u8]) {
    if let Some(outer) = open.last_mut() {
        outer.extend(tag.identifier(constructed));
        push_length(outer, content.len());
        outer.extend_from_slice(content);
    }
}

pub(crate) fn push_length(out: &mut Vec<u8>, length: usize) {
    if length < 128 {
        out.push(length as u8);
    } else {
        let octets = length.to_be_bytes();
        let skip = octets.iter().take_while(|octet| **octet == 0).count();
        out.push(0x80 | (octets.len() - skip) as u8);
        out.extend_from_slice(&octets[skip..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_become_definite_and_strings_whole() {
        let ber = [0x30, 0x80, 0x24, 0x80, 4, 1, 1, 4, 1, 2, 0, 0, 0x31, 0x81, 3, 2, 1, 5, 0, 0];
        let der = [0x30, 9, 4, 2, 1, 2, 0x31, 3, 2, 1, 5];
        assert_eq!(to_definite(&ber, 0, &Limits::default()).unwrap(), der);
        assert_eq!(to_definite(&der, 0, &Limits::default()).unwrap(), der);
    }

    #[test]
    fn long_contents_get_long_lengths() {
        let content = vec![7; 70_000];
        let mut ber = vec![0x24, 0x80, 0x04, 0x83, 0x01, 0x11, 0x70];
        ber.extend(&content);
        ber.extend([0, 0]);
        let der = to_definite(&ber, 0, &Limits::default()).unwrap();
        assert_eq!(der[..5], [4, 0x83, 0x01, 0x11, 0x70]);
        assert_eq!(der[5..], content[..]);
    }
}
