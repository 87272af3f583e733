//! BER-TLV data objects, with tags of up to three octets and definite lengths
//! (ISO/IEC 7816-4 section 6.3).

use zeroize::Zeroizing;

/// A data object: its tag as the number that its octets make, and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object<'a> {
    /// The octets of the tag as one number: `0x7F49`, `0x5FC102`.
    pub tag: u32,
    /// The value.
    pub value: &'a [u8],
}

/// Reads the first data object: it, and what follows it. `None` where the
/// octets are none, or end before it does.
#[must_use]
pub fn read(octets: &[u8]) -> Option<(Object<'_>, &[u8])> {
    let (first, mut rest) = octets.split_first()?;
    let mut tag = u32::from(*first);
    if first & 0x1f == 0x1f {
        loop {
            let (octet, after) = rest.split_first()?;
            rest = after;
            tag = tag.checked_mul(0x100).filter(|tag| *tag <= 0xff_ff00)? | u32::from(*octet);
            if octet & 0x80 == 0 {
                break;
            }
        }
    }
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        len @ 0..=0x7f => (usize::from(*len), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(len)?;
    Some((Object { tag, value }, rest))
}

/// Reads octets that are data objects one after the other; `None` where they
/// are not.
#[must_use]
pub fn read_all(mut octets: &[u8]) -> Option<Vec<Object<'_>>> {
    let mut objects = Vec::new();
    while !octets.is_empty() {
        let (object, rest) = read(octets)?;
        objects.push(object);
        octets = rest;
    }
    Some(objects)
}

/// The value of the only data object in the octets, which must have this tag.
#[must_use]
pub fn only(octets: &[u8], tag: u32) -> Option<&[u8]> {
    read(octets).filter(|(object, rest)| object.tag == tag && rest.is_empty()).map(|(object, _)| object.value)
}

/// The value of the first data object with this tag among those that stand one
/// after the other.
#[must_use]
pub fn find(octets: &[u8], tag: u32) -> Option<&[u8]> {
    let mut rest = octets;
    while let Some((object, after)) = read(rest) {
        if object.tag == tag {
            return Some(object.value);
        }
        rest = after;
    }
    None
}

/// The DER of the SubjectPublicKeyInfo in the DER of a certificate (RFC 5280
/// section 4.1): all that a card or its host must know of one.
#[must_use]
pub fn spki_of_certificate(certificate: &[u8]) -> Option<&[u8]> {
    let (tbs, _) = read(only(certificate, 0x30)?)?;
    let mut rest = tbs.value;
    // Version, serial number, signature, issuer, validity, subject: the first may be absent.
    let fields = if read(rest)?.0.tag == 0xA0 { 6 } else { 5 };
    for _ in 0..fields {
        (_, rest) = read(rest)?;
    }
    let (_, after) = read(rest)?;
    rest.get(..rest.len() - after.len())
}

/// A data object in the shortest form.
#[must_use]
pub fn write(tag: u32, value: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(value.len() + 8));
    let octets = tag.to_be_bytes();
    out.extend(octets.iter().skip_while(|octet| **octet == 0));
    let len = value.len().to_be_bytes();
    let digits: Vec<u8> = len.iter().copied().skip_while(|octet| *octet == 0).collect();
    match digits.as_slice() {
        [] => out.push(0),
        [len @ 0..=0x7f] => out.push(*len),
        digits => {
            out.push(0x80 | digits.len() as u8);
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(value);
    out
}

/// A constructed data object: its parts one after the other.
#[must_use]
pub fn constructed(tag: u32, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    write(tag, &Zeroizing::new(parts.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_lengths_of_every_size_are_read_as_written() {
        for tag in [0x53, 0x7F49, 0x5FC102] {
            for len in [0, 127, 128, 255, 256, 65535, 65536] {
                let written = write(tag, &vec![7; len]);
                let (object, rest) = read(&written).unwrap();
                assert_eq!((object.tag, object.value.len(), rest.len()), (tag, len, 0));
            }
        }
        assert_eq!(write(0x53, &[1; 200])[..3], [0x53, 0x81, 200]);
        assert_eq!(write(0x5FC102, &[1; 300])[..6], [0x5F, 0xC1, 0x02, 0x82, 1, 44]);
    }

    #[test]
    fn what_ends_early_or_has_no_length_is_no_object() {
        for octets in [&[][..], &[0x53], &[0x53, 2, 1], &[0x53, 0x80, 0, 0], &[0x5F], &[0x5F, 0xC1], &[0x53, 0x82, 1]] {
            assert_eq!(read(octets), None, "{octets:02x?}");
        }
        assert_eq!(read(&[0x5F, 0xFF, 0xFF, 0xFF, 0x01, 0]), None, "a tag of more than three octets");
    }

    #[test]
    fn objects_are_found_by_their_tag() {
        let octets = [write(0x82, &[]).as_slice(), write(0x81, &[1, 2]).as_slice()].concat();
        assert_eq!(find(&octets, 0x81), Some(&[1, 2][..]));
        assert_eq!(find(&octets, 0x85), None);
        assert_eq!(only(&octets, 0x82), None, "it is not alone");
        assert_eq!(read_all(&octets).unwrap().len(), 2);
    }
}
