//! Elements of a small structure that is held in memory.

use std::ops::Range;

use crate::ber::tag::{Class, Form, Tag};
use crate::ber::{BerError, BerErrorKind};

/// Depth at which indefinite lengths inside each other are given up.
const INDEFINITE_DEPTH: usize = 32;

/// One element of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// The tag.
    pub tag: Tag,
    /// Whether the content is made of elements.
    pub constructed: bool,
    /// All octets: identifier, length, content, and the end-of-contents of an
    /// indefinite length.
    pub whole: &'a [u8],
    /// The content octets.
    pub content: &'a [u8],
    /// Offset of the identifier octet, counted as the cursor was told.
    pub offset: u64,
    /// Offset of the first content octet.
    pub content_offset: u64,
}

impl<'a> Element<'a> {
    /// A cursor over the elements inside.
    #[must_use]
    pub const fn inside(&self) -> Cursor<'a> {
        Cursor { input: self.content, offset: self.content_offset }
    }

    /// The first identifier octet; see [`crate::ber::identifier`].
    #[must_use]
    pub fn identifier(&self) -> u8 {
        self.whole.first().copied().unwrap_or_default()
    }

    /// The place of the whole element.
    #[must_use]
    pub const fn range(&self) -> Range<u64> {
        self.offset..self.offset + self.whole.len() as u64
    }

    /// The place of the content octets.
    #[must_use]
    pub const fn content_range(&self) -> Range<u64> {
        self.content_offset..self.content_offset + self.content.len() as u64
    }

    /// The octets of a BIT STRING, without the count of unused bits; `None` if
    /// that count is missing or over 7 (X.690 section 8.6.2), or if the string
    /// is in segments.
    #[must_use]
    pub fn bits(&self) -> Option<&'a [u8]> {
        match self.content.split_first() {
            Some((0..=7, bits)) if !self.constructed => Some(bits),
            _ => None,
        }
    }
}

/// Walks over elements, one after the other.
///
/// What is signed has to be cut out of its octets as they are, so elements are
/// given as they stand: lengths may be indefinite, or longer than they need be.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    input: &'a [u8],
    offset: u64,
}

impl<'a> Cursor<'a> {
    /// A cursor over `input`, which stands at `offset` of the whole.
    #[must_use]
    pub const fn new(input: &'a [u8], offset: u64) -> Self {
        Self { input, offset }
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    /// Offset of the next element.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The first identifier octet of the next element; see
    /// [`crate::ber::identifier`].
    #[must_use]
    pub const fn peek(&self) -> Option<u8> {
        self.input.first().copied()
    }

    /// What no element was taken from yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.input
    }

    /// The next element, or `None` at the end.
    ///
    /// # Errors
    /// The encoding is malformed, cut off, or has too many indefinite lengths
    /// inside each other.
    pub fn take(&mut self) -> Result<Option<Element<'a>>, BerError> {
        if self.is_empty() { Ok(None) } else { self.measure(0).map(|element| Some(self.step_over(element))) }
    }

    fn step_over(&mut self, element: Element<'a>) -> Element<'a> {
        self.input = &self.input[element.whole.len()..];
        self.offset += element.whole.len() as u64;
        element
    }

    /// The element at the front; `depth` indefinite lengths are around it.
    fn measure(&self, depth: usize) -> Result<Element<'a>, BerError> {
        let (first, tag, rest) = self.read_tag()?;
        let (&length, rest) = rest.split_first().ok_or_else(|| self.error(BerErrorKind::Truncated))?;
        let constructed = first & 0x20 != 0;
        let header = |rest: &[u8]| self.input.len() - rest.len();
        let (header, content, end) = match length {
            0x80 if !constructed => {
                return Err(self.error(BerErrorKind::Malformed("a primitive element of indefinite length")));
            }
            0x80 if depth >= INDEFINITE_DEPTH => {
                return Err(self.error(BerErrorKind::Limit("depth of nested indefinite lengths")));
            }
            0x80 => {
                let header = header(rest);
                let mut inside = Cursor { input: rest, offset: self.offset + header as u64 };
                while !inside.input.starts_with(&[0, 0]) {
                    let element = inside.measure(depth + 1)?;
                    inside.step_over(element);
                }
                (header, rest.len() - inside.input.len(), 2)
            }
            _ => {
                let (length, rest) = self.read_length(length, rest)?;
                if length > rest.len() {
                    return Err(self.error(BerErrorKind::Truncated));
                }
                (header(rest), length, 0)
            }
        };
        Ok(Element {
            tag,
            constructed,
            whole: &self.input[..header + content + end],
            content: &self.input[header..header + content],
            offset: self.offset,
            content_offset: self.offset + header as u64,
        })
    }

    /// The first identifier octet, the tag, and what follows it.
    fn read_tag(&self) -> Result<(u8, Tag, &'a [u8]), BerError> {
        let truncated = || self.error(BerErrorKind::Truncated);
        let (&first, mut rest) = self.input.split_first().ok_or_else(truncated)?;
        let class = Class::from_identifier(first);
        if first & 0x1f != 0x1f {
            return Ok((first, Tag::new(class, u32::from(first & 0x1f)), rest));
        }
        let mut number: u32 = 0;
        loop {
            let (&octet, after) = rest.split_first().ok_or_else(truncated)?;
            rest = after;
            number = number
                .checked_mul(128)
                .and_then(|number| number.checked_add(u32::from(octet & 0x7f)))
                .ok_or_else(|| self.error(BerErrorKind::Malformed("a tag number over 32 bits")))?;
            if octet & 0x80 == 0 {
                return Ok((first, Tag::new(class, number), rest));
            }
        }
    }

    /// A definite length that begins with the octet `first`, and what follows it.
    fn read_length(&self, first: u8, rest: &'a [u8]) -> Result<(usize, &'a [u8]), BerError> {
        if first < 0x80 {
            return Ok((usize::from(first), rest));
        }
        if first == 0xff {
            return Err(self.error(BerErrorKind::Malformed("the reserved length octet FF")));
        }
        let (octets, rest) =
            rest.split_at_checked(usize::from(first & 0x7f)).ok_or_else(|| self.error(BerErrorKind::Truncated))?;
        let length = octets
            .iter()
            .try_fold(0_usize, |length, octet| length.checked_mul(256)?.checked_add(usize::from(*octet)))
            .ok_or_else(|| self.error(BerErrorKind::Malformed("a length beyond every input")))?;
        Ok((length, rest))
    }

    /// The next element, which must have this tag, and the form that
    /// [`Tag::form`] demands.
    ///
    /// # Errors
    /// Another element, or the end, comes next.
    pub fn expect(&mut self, tag: Tag, expected: &'static str) -> Result<Element<'a>, BerError> {
        let before = *self;
        match self.take()? {
            Some(element) if element.tag == tag => before.in_form(element, tag.form()),
            Some(element) => Err(before.error(BerErrorKind::Unexpected { expected, found: Some(element.tag) })),
            None => Err(before.error(BerErrorKind::Unexpected { expected, found: None })),
        }
    }

    /// The next element if it has this tag. It must have this form too: what a
    /// context-specific tag stands for, only the caller knows.
    ///
    /// # Errors
    /// The encoding is malformed, or the element with this tag has another form.
    pub fn take_if(&mut self, tag: Tag, form: Form) -> Result<Option<Element<'a>>, BerError> {
        let mut ahead = *self;
        match ahead.take()? {
            Some(element) if element.tag == tag => {
                let element = self.in_form(element, form)?;
                *self = ahead;
                Ok(Some(element))
            }
            _ => Ok(None),
        }
    }

    /// The element that stands here, if it has this form.
    fn in_form(&self, element: Element<'a>, form: Form) -> Result<Element<'a>, BerError> {
        form.check(element.constructed).map(|()| element).map_err(|kind| self.error(kind))
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// Something is.
    pub fn end(&self) -> Result<(), BerError> {
        if self.is_empty() { Ok(()) } else { Err(self.error(BerErrorKind::Malformed("octets after the last element"))) }
    }

    /// An error at the next element.
    #[must_use]
    pub fn error(&self, kind: BerErrorKind) -> BerError {
        BerError { kind, offset: self.offset, path: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_with_their_offsets() {
        let input = [0x30, 6, 2, 1, 5, 4, 1, 9];
        let mut cursor = Cursor::new(&input, 100);
        let outer = cursor.expect(Tag::SEQUENCE, "a sequence").unwrap();
        cursor.end().unwrap();
        let mut inside = outer.inside();
        assert_eq!(inside.take().unwrap().unwrap().content, [5]);
        assert!(inside.take_if(Tag::INTEGER, Form::Primitive).unwrap().is_none());
        assert!(inside.end().is_err());
        assert_eq!(inside.take().unwrap().unwrap().offset, 105);
        assert!(inside.take().unwrap().is_none());
    }

    #[test]
    fn errors_name_the_offset() {
        let mut cursor = Cursor::new(&[4, 5, 1], 7);
        let error = cursor.take().unwrap_err();
        assert_eq!((error.kind, error.offset), (BerErrorKind::Truncated, 7));
    }

    #[test]
    fn lengths_definite_long_and_indefinite() {
        let bytes = [0x30, 0x84, 0, 0, 0, 2, 5, 0, 0x30, 0x80, 0x30, 0x80, 0, 0, 5, 0, 0, 0, 2, 1, 7];
        let mut cursor = Cursor::new(&bytes, 0);
        assert_eq!(cursor.take().unwrap().unwrap().content, [5, 0]);
        let indefinite = cursor.take().unwrap().unwrap();
        assert_eq!((indefinite.content, indefinite.whole.len()), (&bytes[10..16], 10));
        assert_eq!((indefinite.range(), indefinite.content_range()), (8..18, 10..16));
        let mut inside = indefinite.inside();
        assert_eq!(inside.take().unwrap().unwrap().range(), 10..14);
        assert_eq!(inside.take().unwrap().unwrap().offset, 14);
        inside.end().unwrap();
        assert_eq!(cursor.expect(Tag::INTEGER, "c").unwrap().content_range(), 20..21);
        assert!(cursor.is_empty());
    }

    #[test]
    fn what_is_cut_off_or_without_bounds_is_named() {
        let kind = |input: &[u8]| Cursor::new(input, 0).take().unwrap_err().kind;
        for cut in [&[0x30][..], &[0x30, 0x82, 1], &[0x30, 3, 1], &[0x30, 0x80, 5, 0], &[0x30, 0x80, 0], &[0x1f, 0x81]]
        {
            assert_eq!(kind(cut), BerErrorKind::Truncated, "{cut:02x?}");
        }
        assert!(matches!(kind(&[0x30, 0xff]), BerErrorKind::Malformed(_)));
        assert!(matches!(kind(&[4, 0x80, 0, 0]), BerErrorKind::Malformed(_)));
        assert!(matches!(kind(&[4, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]), BerErrorKind::Malformed(_)));
        assert!(matches!(kind(&[0x30, 0x80].repeat(1000)), BerErrorKind::Limit(_)));
    }

    #[test]
    fn the_form_counts_as_much_as_the_tag() {
        let expect = |input: &'static [u8], tag| Cursor::new(input, 7).expect(tag, "x").map_err(|e| (e.kind, e.offset));
        let primitive = Err((BerErrorKind::Malformed("a primitive element where a constructed one is due"), 7));
        let constructed = Err((BerErrorKind::Malformed("a constructed element where a primitive one is due"), 7));
        assert_eq!(expect(&[0x10, 0], Tag::SEQUENCE), primitive);
        assert_eq!(expect(&[0x11, 0], Tag::SET), primitive);
        assert_eq!(expect(&[0x22, 3, 2, 1, 1], Tag::INTEGER), constructed);
        assert_eq!(expect(&[0x26, 3, 6, 1, 1], Tag::OBJECT_IDENTIFIER), constructed);
        assert_eq!(expect(&[0x25, 0], Tag::NULL), constructed);
        assert!(expect(&[0x24, 3, 4, 1, 1], Tag::OCTET_STRING).is_ok());
        let take = |input: &'static [u8], form| Cursor::new(input, 7).take_if(Tag::context(0), form).is_ok();
        for form in [Form::Primitive, Form::Constructed, Form::Either] {
            assert_eq!(take(&[0x80, 0], form), form != Form::Constructed);
            assert_eq!(take(&[0xa0, 0], form), form != Form::Primitive);
        }
        let bits = Cursor::new(&[0x23, 3, 3, 1, 0], 0).take().unwrap().unwrap().bits();
        assert_eq!(bits, None);
    }

    #[test]
    fn bit_strings_lose_their_count() {
        let bits = |input: &'static [u8]| Cursor::new(input, 0).take().unwrap().unwrap().bits();
        assert_eq!(bits(&[3, 2, 7, 0x80]), Some([0x80].as_slice()));
        assert_eq!(bits(&[3, 2, 8, 0x80]), None);
        assert_eq!(bits(&[3, 0]), None);
    }
}
