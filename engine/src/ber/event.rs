//! What the reader says of an input: where elements begin and end.

use crate::ber::tag::Tag;

/// How the length of an element is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// So many content octets.
    Definite(u64),
    /// Until the end-of-contents octets.
    Indefinite,
}

/// The identifier and length octets of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The tag.
    pub tag: Tag,
    /// Whether the content is made of elements.
    pub constructed: bool,
    /// The length as written.
    pub length: Length,
    /// Whether identifier and length are as short as DER wants them.
    pub minimal: bool,
    /// Offset of the identifier octet in the input.
    pub offset: u64,
    /// Number of identifier and length octets.
    pub header_len: u8,
    /// Number of elements around this one.
    pub depth: usize,
}

impl Header {
    /// Offset of the first content octet.
    #[must_use]
    pub const fn content_offset(&self) -> u64 {
        self.offset + self.header_len as u64
    }

    /// The header octets again: minimal ones are encoded, others are rebuilt
    /// with as many length octets as were read, so that a captured element is
    /// the element of the input, octet for octet.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = self.tag.identifier(self.constructed);
        match self.length {
            Length::Indefinite => out.push(0x80),
            Length::Definite(length) => {
                let count = usize::from(self.header_len).saturating_sub(out.len() + 1);
                if count == 0 {
                    out.push(length as u8);
                } else {
                    out.push(0x80 | count as u8);
                    let octets = length.to_be_bytes();
                    out.extend(std::iter::repeat_n(0, count.saturating_sub(octets.len())));
                    out.extend_from_slice(&octets[octets.len().saturating_sub(count)..]);
                }
            }
        }
        out
    }
}

/// What comes next in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An element begins. The content of a primitive one waits for
    /// [`crate::ber::Reader::read_content`]; what is not read is skipped.
    Begin(Header),
    /// The constructed element that began last, and has not ended, ends.
    End {
        /// Offset after its last octet.
        offset: u64,
    },
}
