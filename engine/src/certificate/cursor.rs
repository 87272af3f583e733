//! A cursor over DER that also walks what old issuers wrote.
//!
//! Certificates are read with this rather than with a strict DER library,
//! because the bytes that were signed have to be cut out of the input as they
//! are, and because strict libraries refuse certificates that mail still
//! carries: long or negative serial numbers, TeletexString names, lengths that
//! are not minimal.

use super::CertificateError;

/// Universal and context tags that occur in certificates.
pub(super) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const NUMERIC_STRING: u8 = 0x12;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const TELETEX_STRING: u8 = 0x14;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const VISIBLE_STRING: u8 = 0x1a;
    pub(crate) const GENERAL_STRING: u8 = 0x1b;
    pub(crate) const UNIVERSAL_STRING: u8 = 0x1c;
    pub(crate) const BMP_STRING: u8 = 0x1e;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    /// `[n]` of a primitive, implicitly tagged type.
    pub(crate) const fn context(number: u8) -> u8 {
        0x80 | number
    }
    /// `[n]` of a constructed or explicitly tagged type.
    pub(crate) const fn context_constructed(number: u8) -> u8 {
        0xa0 | number
    }
}

/// Depth at which nested indefinite lengths are given up.
const MAX_INDEFINITE_DEPTH: usize = 32;

/// One tag, length and value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    /// First identifier octet.
    pub(super) tag: u8,
    /// Where the element starts in the whole input.
    pub(super) offset: usize,
    /// Where the content starts in the whole input.
    pub(super) content_offset: usize,
    /// Content octets; without the end-of-contents of an indefinite length.
    pub(super) content: &'a [u8],
    /// The whole element.
    pub(super) full: &'a [u8],
}

impl<'a> Element<'a> {
    /// A cursor over the elements inside.
    pub(super) const fn children(&self) -> Cursor<'a> {
        Cursor { bytes: self.content, at: 0, base: self.content_offset }
    }

    /// The place of the whole element in the whole input.
    pub(super) const fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.full.len()
    }

    /// The place of the content in the whole input.
    pub(super) const fn content_range(&self) -> std::ops::Range<usize> {
        self.content_offset..self.content_offset + self.content.len()
    }

    /// The content as an object identifier in dotted form.
    pub(super) fn oid(&self) -> Result<String, CertificateError> {
        dotted(self.content).ok_or_else(|| CertificateError::encoding(self.offset, "object identifier", "is malformed"))
    }

    /// The octets of a BIT STRING, without the count of unused bits.
    pub(super) fn bits(&self) -> Result<&'a [u8], CertificateError> {
        match self.content.split_first() {
            Some((0..=7, rest)) => Ok(rest),
            _ => Err(CertificateError::encoding(self.offset, "bit string", "has a bad count of unused bits")),
        }
    }
}

/// Walks the elements of a byte range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor over a whole input.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, base: 0 }
    }

    /// Whether nothing is left.
    pub(super) const fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The place of the next element in the whole input.
    pub(super) const fn offset(&self) -> usize {
        self.base + self.at
    }

    /// The first identifier octet of the next element.
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The next element, whatever it is; `what` names it in errors.
    pub(super) fn next(&mut self, what: &'static str) -> Result<Element<'a>, CertificateError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let measured = measure(rest, 0).map_err(|why| CertificateError::encoding(self.offset(), what, why))?;
        let full = rest.get(..measured.total).unwrap_or_default();
        let content = full.get(measured.header..measured.header + measured.content).unwrap_or_default();
        let element = Element {
            tag: full.first().copied().unwrap_or_default(),
            offset: self.offset(),
            content_offset: self.offset() + measured.header,
            content,
            full,
        };
        self.at += measured.total;
        Ok(element)
    }

    /// The next element, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8, what: &'static str) -> Result<Element<'a>, CertificateError> {
        match self.peek() {
            Some(found) if found == tag => self.next(what),
            Some(found) => Err(CertificateError::Encoding {
                offset: self.offset(),
                what,
                why: format!("has tag {found:#04x} instead of {tag:#04x}"),
            }),
            None => Err(CertificateError::encoding(self.offset(), what, "is missing")),
        }
    }

    /// The next element if it has this tag.
    pub(super) fn optional(&mut self, tag: u8, what: &'static str) -> Result<Option<Element<'a>>, CertificateError> {
        if self.peek() == Some(tag) { self.next(what).map(Some) } else { Ok(None) }
    }
}

/// Lengths of the parts of one element.
struct Measured {
    header: usize,
    content: usize,
    total: usize,
}

/// Measures the element at the start of `bytes`.
fn measure(bytes: &[u8], depth: usize) -> Result<Measured, &'static str> {
    const CUT: &str = "is cut off";
    let first = *bytes.first().ok_or("is missing")?;
    let mut header = 1;
    if first & 0x1f == 0x1f {
        // Tag numbers of 31 and more: never in a certificate, but skipped where an extension holds them.
        while *bytes.get(header).ok_or(CUT)? & 0x80 != 0 {
            header += 1;
        }
        header += 1;
    }
    let length = *bytes.get(header).ok_or(CUT)?;
    header += 1;
    if length == 0x80 {
        if first & 0x20 == 0 {
            return Err("is primitive with an indefinite length");
        }
        if depth >= MAX_INDEFINITE_DEPTH {
            return Err("is nested too deep");
        }
        let mut end = header;
        while bytes.get(end..end + 2).ok_or(CUT)? != [0, 0] {
            end += measure(&bytes[end..], depth + 1)?.total;
        }
        return Ok(Measured { header, content: end - header, total: end + 2 });
    }
    let content = if length < 0x80 {
        usize::from(length)
    } else {
        let octets = bytes.get(header..header + usize::from(length & 0x7f)).ok_or(CUT)?;
        header += octets.len();
        octets
            .iter()
            .try_fold(0_usize, |value, octet| value.checked_mul(256)?.checked_add(usize::from(*octet)))
            .ok_or("has a length beyond all bounds")?
    };
    let total = header.checked_add(content).filter(|total| *total <= bytes.len()).ok_or(CUT)?;
    Ok(Measured { header, content, total })
}

/// An object identifier's content octets in dotted form.
pub(super) fn dotted(content: &[u8]) -> Option<String> {
    use std::fmt::Write as _;

    if content.last().is_none_or(|octet| octet & 0x80 != 0) {
        return None;
    }
    let mut text = String::new();
    let mut arc: u128 = 0;
    for octet in content {
        arc = arc.checked_mul(128)? | u128::from(octet & 0x7f);
        if octet & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            let root = (arc / 40).min(2);
            let _ = write!(text, "{root}.{}", arc - root * 40);
        } else {
            let _ = write!(text, ".{arc}");
        }
        arc = 0;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_identifiers() {
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01]).unwrap(), "1.2.840.113549.1.9.1");
        assert_eq!(dotted(&[0x88, 0x37]).unwrap(), "2.999");
        assert_eq!(dotted(&[]), None);
        assert_eq!(dotted(&[0x2a, 0x86]), None);
        assert_eq!(dotted(&[0xff; 40]), None);
    }

    #[test]
    fn lengths_definite_long_and_indefinite() {
        let bytes = [0x30, 0x84, 0, 0, 0, 2, 5, 0, 0x30, 0x80, 0x30, 0x80, 0, 0, 5, 0, 0, 0, 2, 1, 7];
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(cursor.next("a").unwrap().content, [5, 0]);
        let indefinite = cursor.next("b").unwrap();
        assert_eq!((indefinite.content, indefinite.full.len()), (&bytes[10..16], 10));
        assert_eq!(cursor.expect(tag::INTEGER, "c").unwrap().content_range(), 20..21);
        assert!(cursor.is_empty());
    }

    #[test]
    fn cut_elements_name_their_place() {
        for cut in [&[0x30][..], &[0x30, 0x82, 1], &[0x30, 3, 1], &[0x30, 0x80, 5, 0], &[0x1f, 0x81], &[0x30, 0xff]] {
            let error = Cursor::new(cut).next("thing").unwrap_err().to_string();
            assert!(error.contains("thing at offset 0 is cut off"), "{error}");
        }
        let deep = [0x30, 0x80].repeat(1000);
        assert!(Cursor::new(&deep).next("thing").is_err());
    }
}
