//! A small reader of BER (X.690), for PKCS#12 files: Windows and NSS write
//! them with indefinite lengths and octet strings in segments.

use std::borrow::Cow;

use crate::KeyError;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const CONTEXT_0: u8 = 0xa0;

/// How deep elements without a length, and octet strings in segments, may nest.
const DEPTH: u32 = 16;

/// One element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// The element with its header, and with its end when it has no length.
    pub(crate) whole: &'a [u8],
}

/// The elements of some octets, one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Element<'a>>, KeyError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let element = read(self.0, DEPTH)?;
        self.0 = &self.0[element.whole.len()..];
        Ok(Some(element))
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8, what: &str) -> Result<Element<'a>, KeyError> {
        match self.next()? {
            Some(element) if element.tag == tag => Ok(element),
            Some(element) => Err(bad(format!("{what}: found tag {:02x}, expected {tag:02x}", element.tag))),
            None => Err(bad(format!("{what} is missing"))),
        }
    }

    /// The octets of the next element, which must be an octet string, under the
    /// universal tag or under the implicit tag `[number]`.
    pub(crate) fn octet_string(&mut self, number: Option<u8>, what: &str) -> Result<Cow<'a, [u8]>, KeyError> {
        let tag = number.map_or(OCTET_STRING, |number| 0x80 | number);
        let element = self.next()?.ok_or_else(|| bad(format!("{what} is missing")))?;
        join(element, tag, DEPTH)?
            .ok_or_else(|| bad(format!("{what}: found tag {:02x}, expected an octet string", element.tag)))
    }

    /// The next element, which must be an integer, not negative, of at most 32 bits.
    pub(crate) fn integer(&mut self, what: &str) -> Result<u32, KeyError> {
        let content = self.expect(INTEGER, what)?.content;
        let digits = content.strip_prefix(&[0]).unwrap_or(content);
        let negative = content.first().is_none_or(|first| first & 0x80 != 0);
        if negative || digits.len() > 4 {
            return Err(bad(format!("{what} is out of range")));
        }
        Ok(digits.iter().fold(0, |number, digit| number << 8 | u32::from(*digit)))
    }
}

impl<'a> Element<'a> {
    pub(crate) fn elements(&self) -> Elements<'a> {
        Elements(self.content)
    }
}

/// The octets of an octet string in one piece; `None` when it is none.
fn join<'a>(element: Element<'a>, tag: u8, depth: u32) -> Result<Option<Cow<'a, [u8]>>, KeyError> {
    if element.tag == tag {
        return Ok(Some(Cow::Borrowed(element.content)));
    }
    if element.tag != tag | 0x20 {
        return Ok(None);
    }
    let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
    let mut joined = Vec::new();
    let mut segments = element.elements();
    while let Some(segment) = segments.next()? {
        match join(segment, OCTET_STRING, depth)? {
            Some(octets) => joined.extend_from_slice(&octets),
            None => return Err(bad(format!("tag {:02x} inside an octet string", segment.tag))),
        }
    }
    Ok(Some(Cow::Owned(joined)))
}

fn read(octets: &[u8], depth: u32) -> Result<Element<'_>, KeyError> {
    let (tag, after_tag) = octets.split_first().ok_or_else(truncated)?;
    if tag & 0x1f == 0x1f {
        return Err(bad(format!("tag {tag:02x} of more than one octet")));
    }
    let (first, rest) = after_tag.split_first().ok_or_else(truncated)?;
    let (header, len) = match first {
        0x80 if tag & 0x20 != 0 => return read_indefinite(octets, *tag, depth),
        0x80 | 0xff => return Err(bad("a length that X.690 does not allow".to_owned())),
        short if short & 0x80 == 0 => (2, usize::from(*short)),
        long => {
            let digits = rest.get(..usize::from(long & 0x7f)).ok_or_else(truncated)?;
            let len = digits.iter().try_fold(0_usize, |len, digit| {
                len.checked_mul(256).and_then(|len| len.checked_add(usize::from(*digit)))
            });
            (2 + digits.len(), len.ok_or_else(truncated)?)
        }
    };
    let end = header.checked_add(len).ok_or_else(truncated)?;
    let whole = octets.get(..end).ok_or_else(truncated)?;
    Ok(Element { tag: *tag, content: &whole[header..], whole })
}

fn read_indefinite(octets: &[u8], tag: u8, depth: u32) -> Result<Element<'_>, KeyError> {
    let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
    let mut at = 2;
    loop {
        let element = read(&octets[at..], depth)?;
        if element.whole == [0, 0] {
            return Ok(Element { tag, content: &octets[2..at], whole: &octets[..at + 2] });
        }
        at += element.whole.len();
    }
}

pub(crate) fn bad(why: String) -> KeyError {
    KeyError::NotAKey(format!("PKCS#12: {why}"))
}

fn truncated() -> KeyError {
    bad("it ends inside an element".to_owned())
}

fn too_deep() -> KeyError {
    bad(format!("elements without a length nest more than {DEPTH} deep"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn octet_strings_in_segments_are_joined() {
        let cases: [&[u8]; 4] = [
            &[0x04, 3, 1, 2, 3],
            &[0x24, 8, 0x04, 1, 1, 0x04, 3, 2, 3, 4][..10],
            &[0x24, 0x80, 0x04, 2, 1, 2, 0x04, 1, 3, 0, 0],
            &[0x24, 0x80, 0x24, 0x80, 0x04, 2, 1, 2, 0, 0, 0x04, 0x81, 1, 3, 0, 0],
        ];
        let wanted: [&[u8]; 4] = [&[1, 2, 3], &[1, 2, 3, 4], &[1, 2, 3], &[1, 2, 3]];
        for (case, wanted) in cases.into_iter().zip(wanted) {
            let mut elements = Elements::new(case);
            assert_eq!(&*elements.octet_string(None, "it").unwrap(), wanted);
            assert!(elements.next().unwrap().is_none(), "all was read");
        }
    }

    #[test]
    fn damage_is_an_error() {
        let deep = [0x30, 0x80].repeat(1000);
        let cases: [&[u8]; 8] = [
            &[0x30],
            &[0x30, 5, 1],
            &[0x30, 0x80, 4],
            &[0x04, 0x80, 0, 0],
            &[0x30, 0xff],
            &[0x3f, 1, 1],
            &[0x30, 0x89, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            &deep,
        ];
        for case in cases {
            assert!(matches!(Elements::new(case).next(), Err(KeyError::NotAKey(_))), "{case:02x?}");
        }
    }

    #[test]
    fn integers_are_not_negative_and_small() {
        let integer = |octets: &[u8]| Elements::new(octets).integer("it");
        assert_eq!(integer(&[2, 1, 0]).unwrap(), 0);
        assert_eq!(integer(&[2, 2, 8, 0]).unwrap(), 2048);
        assert_eq!(integer(&[2, 5, 0, 255, 255, 255, 255]).unwrap(), u32::MAX);
        assert!(integer(&[2, 1, 0xff]).is_err());
        assert!(integer(&[2, 0]).is_err());
        assert!(integer(&[2, 5, 1, 0, 0, 0, 0]).is_err());
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut elements = Elements::new(&octets);
            while let Ok(Some(element)) = elements.next() {
                prop_assert!(element.whole.len() >= 2);
            }
        }
    }
}
