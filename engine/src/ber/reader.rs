//! An event reader for BER over any `Read`, in bounded memory.
//!
//! Real clients write indefinite lengths, strings in segments and segments in
//! segments. The reader gives one [`Event`] for each beginning and each end, lets
//! the caller stream or skip what is between, and says in every error at which
//! offset and under which elements it happened (X.690 section 8).

use std::io::{self, Read};

use crate::Limits;
use crate::ber::error::{BerError, BerErrorKind};
use crate::ber::event::{Event, Header, Length};
use crate::ber::tag::{Class, Form, Tag};

/// An element that is open: its end, and where we are in it.
#[derive(Debug, Clone, Copy)]
struct Frame {
    tag: Tag,
    /// Offset after the content; `None` for an indefinite length.
    end: Option<u64>,
    /// Children begun so far.
    children: usize,
}

/// Reads BER as events.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    buffer: Vec<u8>,
    /// The unread octets are `buffer[start..filled]`.
    start: usize,
    filled: usize,
    offset: u64,
    frames: Vec<Frame>,
    /// Content octets of the current primitive element that are not read yet.
    pending: u64,
    max_depth: usize,
    max_elements: usize,
    elements: usize,
    capture: Option<Vec<u8>>,
    top_children: usize,
}

/// Octets of the buffer, and of the one that a small object needs.
const BUFFER: usize = 64 << 10;
const FIRST: usize = 8 << 10;

impl<R: Read> Reader<R> {
    /// A reader at the beginning of an input.
    pub fn new(input: R, limits: &Limits) -> Self {
        Self::at_offset(input, limits, 0)
    }

    /// A reader whose input begins at `offset` of something larger; offsets in
    /// events and errors count from there.
    pub fn at_offset(input: R, limits: &Limits, offset: u64) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            start: 0,
            filled: 0,
            offset,
            frames: Vec::new(),
            pending: 0,
            max_depth: limits.ber_depth,
            max_elements: limits.elements,
            elements: 0,
            capture: None,
            top_children: 0,
        }
    }

    /// Offset of the next octet.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The number of elements that are open.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.frames.len()
    }

    /// Gives the input back, where its reader wants to be asked something.
    pub const fn input(&self) -> &R {
        &self.input
    }

    /// Whether the input holds nothing more.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn at_end(&mut self) -> Result<bool, BerError> {
        Ok(self.pending == 0 && self.peek(1)?.is_none())
    }

    /// The next event; `None` at the end of the input, outside every element.
    ///
    /// # Errors
    /// The encoding is malformed, ends too early, or exceeds a limit.
    pub fn next_event(&mut self) -> Result<Option<Event>, BerError> {
        self.skip_pending()?;
        if let Some(frame) = self.frames.last().copied() {
            match frame.end {
                Some(end) if self.offset == end => {
                    self.frames.pop();
                    return Ok(Some(Event::End { offset: self.offset }));
                }
                None if self.peek(2)? == Some([0, 0].as_slice()) => {
                    self.consume(2);
                    self.frames.pop();
                    return Ok(Some(Event::End { offset: self.offset }));
                }
                _ => {}
            }
        } else if self.peek(1)?.is_none() {
            return Ok(None);
        }
        self.begin().map(|header| Some(Event::Begin(header)))
    }

    /// The next element of the one that is open, or `None` where it ends.
    ///
    /// # Errors
    /// As [`Reader::next_event`].
    pub fn next_element(&mut self) -> Result<Option<Header>, BerError> {
        Ok(match self.next_event()? {
            Some(Event::Begin(header)) => Some(header),
            Some(Event::End { .. }) | None => None,
        })
    }

    /// The next element, which must have this tag and be constructed; opens it.
    ///
    /// # Errors
    /// Another element, or the end, comes next.
    pub fn enter(&mut self, tag: Tag, expected: &'static str) -> Result<Header, BerError> {
        self.next_of(tag, Form::Constructed, expected)
    }

    /// The next element, which must have this tag, and the form that
    /// [`Tag::form`] demands.
    ///
    /// # Errors
    /// Another element, or the end, comes next.
    pub fn expect(&mut self, tag: Tag, expected: &'static str) -> Result<Header, BerError> {
        self.next_of(tag, tag.form(), expected)
    }

    fn next_of(&mut self, tag: Tag, form: Form, expected: &'static str) -> Result<Header, BerError> {
        let Some(header) = self.next_element()? else {
            return Err(self.error(BerErrorKind::Unexpected { expected, found: None }));
        };
        let found = if header.tag == tag {
            form.check(header.constructed)
        } else {
            Err(BerErrorKind::Unexpected { expected, found: Some(header.tag) })
        };
        found.map(|()| header).map_err(|kind| self.error_at(kind, header.offset))
    }

    /// Reads content of the current primitive element; 0 at its end.
    ///
    /// # Errors
    /// The input ends too early or cannot be read.
    pub fn read_content(&mut self, out: &mut [u8]) -> Result<usize, BerError> {
        let wanted = usize::try_from(self.pending).unwrap_or(usize::MAX).min(out.len());
        if wanted == 0 {
            return Ok(0);
        }
        if self.start == self.filled {
            // Large content goes past the buffer: one copy less.
            if wanted >= BUFFER && self.capture.is_none() {
                let read = self.read_input(|input, _| input.read(&mut out[..wanted]))?;
                if read == 0 {
                    return Err(self.error(BerErrorKind::Truncated));
                }
                self.offset += read as u64;
                self.pending -= read as u64;
                return Ok(read);
            }
            self.fill(1)?;
        }
        let read = wanted.min(self.filled - self.start);
        if read == 0 {
            return Err(self.error(BerErrorKind::Truncated));
        }
        out[..read].copy_from_slice(&self.buffer[self.start..self.start + read]);
        self.consume(read);
        self.pending -= read as u64;
        Ok(read)
    }

    /// Reads the whole content of the current primitive element.
    ///
    /// # Errors
    /// The content is longer than `limit`, or ends too early.
    pub fn content(&mut self, limit: usize) -> Result<Vec<u8>, BerError> {
        if self.pending > limit as u64 {
            return Err(self.error(BerErrorKind::Limit("octets of one element")));
        }
        // Grown as it is read: a length that lies costs nothing.
        let mut content = Vec::new();
        let mut block = [0; 4096];
        loop {
            match self.read_content(&mut block)? {
                0 => return Ok(content),
                read => content.extend_from_slice(&block[..read]),
            }
        }
    }

    /// Skips what is left of the element that `header` began.
    ///
    /// # Errors
    /// As [`Reader::next_event`].
    pub fn skip(&mut self, header: &Header) -> Result<(), BerError> {
        while self.frames.len() > header.depth {
            self.next_event()?;
        }
        self.skip_pending()
    }

    /// The whole element that `header` began, as it stands in the input, at
    /// most `limit` octets. The header must be the last one given out.
    ///
    /// # Errors
    /// The element is longer than `limit`, or malformed.
    pub fn raw(&mut self, header: &Header, limit: usize) -> Result<Vec<u8>, BerError> {
        if let Length::Definite(length) = header.length
            && length > limit as u64
        {
            return Err(self.error_at(BerErrorKind::Limit("octets of one element"), header.offset));
        }
        self.capture = Some(header.encode());
        self.elements = 0;
        let result = self.capture_rest(header, limit);
        let captured = self.capture.take().unwrap_or_default();
        result.map(|()| captured)
    }

    fn capture_rest(&mut self, header: &Header, limit: usize) -> Result<(), BerError> {
        self.skip_pending_within(limit)?;
        while self.frames.len() > header.depth {
            self.next_event()?;
            self.skip_pending_within(limit)?;
        }
        Ok(())
    }

    /// An error at the present offset.
    #[must_use]
    pub fn error(&self, kind: BerErrorKind) -> BerError {
        self.error_at(kind, self.offset)
    }

    /// An error at another offset of the same element.
    #[must_use]
    pub fn error_at(&self, kind: BerErrorKind, offset: u64) -> BerError {
        let mut path = String::new();
        let mut index = self.top_children.saturating_sub(1);
        for frame in &self.frames {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(&format!("{}[{index}]", frame.tag));
            index = frame.children.saturating_sub(1);
        }
        BerError { kind, offset, path }
    }

    fn begin(&mut self) -> Result<Header, BerError> {
        let depth = self.frames.len();
        if depth >= self.max_depth {
            return Err(self.error(BerErrorKind::Limit("depth of nested elements")));
        }
        // Segments of streamed content are many and cost nothing; only what is
        // held in memory is counted against the limit.
        if self.capture.is_some() {
            self.elements += 1;
            if self.elements > self.max_elements {
                return Err(self.error(BerErrorKind::Limit("number of elements")));
            }
        }
        let offset = self.offset;
        let (identifier, tag_minimal) = self.identifier()?;
        let (constructed, tag) = identifier;
        let (length, length_minimal) = self.length()?;
        let header_len = u8::try_from(self.offset - offset)
            .map_err(|_| self.error_at(BerErrorKind::Malformed("identifier and length octets without end"), offset))?;
        if tag == Tag::END_OF_CONTENTS {
            return Err(self.error_at(BerErrorKind::Malformed("end-of-contents where none is due"), offset));
        }
        let end = match length {
            Length::Definite(length) => Some(
                self.offset
                    .checked_add(length)
                    .ok_or_else(|| self.error_at(BerErrorKind::Malformed("a length beyond every input"), offset))?,
            ),
            Length::Indefinite if constructed => None,
            Length::Indefinite => {
                return Err(self.error_at(BerErrorKind::Malformed("a primitive element of indefinite length"), offset));
            }
        };
        if let (Some(end), Some(outer)) = (end, self.enclosing_end())
            && end > outer
        {
            return Err(self.error_at(BerErrorKind::Malformed("an element longer than the one around it"), offset));
        }
        match self.frames.last_mut() {
            Some(frame) => frame.children += 1,
            None => self.top_children += 1,
        }
        if constructed {
            self.frames.push(Frame { tag, end, children: 0 });
            self.pending = 0;
        } else {
            self.pending = end.map_or(0, |end| end - self.offset);
        }
        Ok(Header { tag, constructed, length, minimal: tag_minimal && length_minimal, offset, header_len, depth })
    }

    /// The nearest end that is known: an indefinite element inside a definite
    /// one still ends within it.
    fn enclosing_end(&self) -> Option<u64> {
        self.frames.iter().rev().find_map(|frame| frame.end)
    }

    fn identifier(&mut self) -> Result<((bool, Tag), bool), BerError> {
        let first = self.byte()?;
        let class = Class::from_identifier(first);
        let constructed = first & 0x20 != 0;
        let low = first & 0x1f;
        if low != 0x1f {
            return Ok(((constructed, Tag::new(class, u32::from(low))), true));
        }
        let mut number: u32 = 0;
        let mut minimal = true;
        for position in 0.. {
            let octet = self.byte()?;
            if position == 0 && octet == 0x80 {
                minimal = false;
            }
            number = number
                .checked_mul(128)
                .and_then(|number| number.checked_add(u32::from(octet & 0x7f)))
                .ok_or_else(|| self.error(BerErrorKind::Malformed("a tag number over 32 bits")))?;
            if octet & 0x80 == 0 {
                break;
            }
        }
        Ok(((constructed, Tag::new(class, number)), minimal && number >= 31))
    }

    fn length(&mut self) -> Result<(Length, bool), BerError> {
        let first = self.byte()?;
        match first {
            0..=0x7f => Ok((Length::Definite(u64::from(first)), true)),
            0x80 => Ok((Length::Indefinite, false)),
            0xff => Err(self.error(BerErrorKind::Malformed("the reserved length octet FF"))),
            _ => {
                let mut length: u64 = 0;
                let count = first & 0x7f;
                for _ in 0..count {
                    let octet = self.byte()?;
                    length = length
                        .checked_mul(256)
                        .and_then(|length| length.checked_add(u64::from(octet)))
                        .ok_or_else(|| self.error(BerErrorKind::Malformed("a length over 64 bits")))?;
                }
                let shortest = if length < 128 { 0 } else { (64 - length.leading_zeros()).div_ceil(8) };
                Ok((Length::Definite(length), u32::from(count) == shortest))
            }
        }
    }

    fn byte(&mut self) -> Result<u8, BerError> {
        if let Some(end) = self.enclosing_end()
            && self.offset >= end
        {
            return Err(self.error(BerErrorKind::Malformed("a header longer than the element around it")));
        }
        match self.peek(1)? {
            Some([octet]) => {
                let octet = *octet;
                self.consume(1);
                Ok(octet)
            }
            _ => Err(self.error(BerErrorKind::Truncated)),
        }
    }

    fn skip_pending(&mut self) -> Result<(), BerError> {
        self.skip_pending_within(usize::MAX)
    }

    fn skip_pending_within(&mut self, limit: usize) -> Result<(), BerError> {
        if self.capture.as_ref().is_some_and(|held| held.len() as u64 + self.pending > limit as u64) {
            return Err(self.error(BerErrorKind::Limit("octets of one element")));
        }
        while self.pending > 0 {
            if self.start == self.filled {
                self.fill(1)?;
            }
            let step = usize::try_from(self.pending).unwrap_or(usize::MAX).min(self.filled - self.start);
            if step == 0 {
                return Err(self.error(BerErrorKind::Truncated));
            }
            self.consume(step);
            self.pending -= step as u64;
        }
        Ok(())
    }

    /// The next `count` octets without reading past them; `None` where the input ends first.
    fn peek(&mut self, count: usize) -> Result<Option<&[u8]>, BerError> {
        if self.filled - self.start < count {
            self.fill(count)?;
        }
        Ok(self.buffer.get(self.start..self.start + count).filter(|_| self.filled - self.start >= count))
    }

    fn fill(&mut self, count: usize) -> Result<(), BerError> {
        // Most objects are small: the buffer is large only after one was full.
        if self.buffer.is_empty() {
            self.buffer.resize(FIRST, 0);
        } else if self.filled == self.buffer.len() {
            self.buffer.resize(BUFFER, 0);
        }
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        while self.filled < count {
            let filled = self.filled;
            let read = self.read_input(|input, buffer| input.read(&mut buffer[filled..]))?;
            if read == 0 {
                break;
            }
            self.filled += read;
        }
        Ok(())
    }

    fn read_input(&mut self, mut read: impl FnMut(&mut R, &mut [u8]) -> io::Result<usize>) -> Result<usize, BerError> {
        loop {
            match read(&mut self.input, &mut self.buffer) {
                Ok(read) => return Ok(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let kind = BerErrorKind::Input { kind: error.kind(), message: error.to_string() };
                    return Err(self.error(kind));
                }
            }
        }
    }

    fn consume(&mut self, count: usize) {
        if let Some(capture) = &mut self.capture {
            capture.extend_from_slice(&self.buffer[self.start..self.start + count]);
        }
        self.start += count;
        self.offset += count as u64;
    }
}

#[cfg(test)]
mod tests;
