//! Elements of a small structure that is held in memory in definite lengths.

use crate::ber::reader::{BerError, BerErrorKind};
use crate::ber::tag::{Class, Tag};

/// One element of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// The tag.
    pub tag: Tag,
    /// Whether the content is made of elements.
    pub constructed: bool,
    /// Identifier, length and content octets.
    pub whole: &'a [u8],
    /// The content octets.
    pub content: &'a [u8],
    /// Offset of the identifier octet, counted as the cursor was told.
    pub offset: u64,
}

impl<'a> Element<'a> {
    /// A cursor over the elements inside.
    #[must_use]
    pub const fn inside(&self) -> Cursor<'a> {
        Cursor { input: self.content, offset: self.offset + (self.whole.len() - self.content.len()) as u64 }
    }
}

/// Walks over elements of definite length, one after the other.
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

    /// The next element, or `None` at the end.
    ///
    /// # Errors
    /// The encoding is malformed, or of indefinite length.
    pub fn take(&mut self) -> Result<Option<Element<'a>>, BerError> {
        let Some((&first, mut rest)) = self.input.split_first() else { return Ok(None) };
        let number = match first & 0x1f {
            0x1f => {
                let mut number: u32 = 0;
                loop {
                    let (&octet, after) = rest.split_first().ok_or_else(|| self.error(BerErrorKind::Truncated))?;
                    rest = after;
                    number = number
                        .checked_mul(128)
                        .and_then(|number| number.checked_add(u32::from(octet & 0x7f)))
                        .ok_or_else(|| self.error(BerErrorKind::Malformed("a tag number over 32 bits")))?;
                    if octet & 0x80 == 0 {
                        break number;
                    }
                }
            }
            low => u32::from(low),
        };
        let (&length, mut rest) = rest.split_first().ok_or_else(|| self.error(BerErrorKind::Truncated))?;
        let length = match length {
            0..=0x7f => usize::from(length),
            0x80 => return Err(self.error(BerErrorKind::Malformed("an indefinite length where DER is due"))),
            0xff => return Err(self.error(BerErrorKind::Malformed("the reserved length octet FF"))),
            _ => {
                let count = usize::from(length & 0x7f);
                let octets = rest.get(..count).ok_or_else(|| self.error(BerErrorKind::Truncated))?;
                rest = &rest[count..];
                octets
                    .iter()
                    .try_fold(0_usize, |length, octet| length.checked_mul(256)?.checked_add(usize::from(*octet)))
                    .ok_or_else(|| self.error(BerErrorKind::Malformed("a length beyond every input")))?
            }
        };
        let content = rest.get(..length).ok_or_else(|| self.error(BerErrorKind::Truncated))?;
        let whole = &self.input[..self.input.len() - rest.len() + length];
        let element = Element {
            tag: Tag::new(Class::from_identifier(first), number),
            constructed: first & 0x20 != 0,
            whole,
            content,
            offset: self.offset,
        };
        self.input = &self.input[whole.len()..];
        self.offset += whole.len() as u64;
        Ok(Some(element))
    }

    /// The next element, which must have this tag.
    ///
    /// # Errors
    /// Another element, or the end, comes next.
    pub fn expect(&mut self, tag: Tag, expected: &'static str) -> Result<Element<'a>, BerError> {
        let before = *self;
        match self.take()? {
            Some(element) if element.tag == tag => Ok(element),
            Some(element) => Err(before.error(BerErrorKind::Unexpected { expected, found: Some(element.tag) })),
            None => Err(before.error(BerErrorKind::Unexpected { expected, found: None })),
        }
    }

    /// The next element if it has this tag.
    ///
    /// # Errors
    /// The encoding is malformed.
    pub fn take_if(&mut self, tag: Tag) -> Result<Option<Element<'a>>, BerError> {
        let mut ahead = *self;
        match ahead.take()? {
            Some(element) if element.tag == tag => {
                *self = ahead;
                Ok(Some(element))
            }
            _ => Ok(None),
        }
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
        assert!(inside.take_if(Tag::INTEGER).unwrap().is_none());
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
}
