//! The entity that is protected, in canonical form.

use std::io::{self, Read, SeekFrom};

use memchr::memchr_iter;

use super::Head;
use crate::cms::write::Content;
use crate::io::Source;
use crate::overlap::{BLOCK, FIRST};

/// The header of an entity and its body, every line end as CRLF (RFC 8551
/// section 3.1.1), except where the entity says that it is binary.
///
/// A multipart of which a part is binary has to say so itself (RFC 2045
/// section 6.4), so the entity's own header decides for all of it.
pub(in crate::message) struct Entity<'a> {
    source: &'a mut dyn Source,
    header: Vec<u8>,
    body: u64,
    binary: bool,
    /// How much of the header was read.
    header_read: usize,
    raw: Box<[u8]>,
    /// What of `raw` is not yet read.
    start: usize,
    end: usize,
    /// Whether the octet before `start` was a CR.
    after_cr: bool,
    /// Whether a CR was put out for the LF at `start`.
    cr_given: bool,
}

impl<'a> Entity<'a> {
    pub(in crate::message) fn new(source: &'a mut dyn Source, head: &Head) -> Self {
        Self {
            source,
            header: head.inner(),
            body: head.body,
            binary: head.binary,
            header_read: 0,
            raw: vec![0; FIRST].into_boxed_slice(),
            start: 0,
            end: 0,
            after_cr: false,
            cr_given: false,
        }
    }

    /// Whether it is passed on octet by octet.
    pub(in crate::message) const fn is_binary(&self) -> bool {
        self.binary
    }

    /// The first LF of the next octets that lacks its CR.
    fn bare_line_feed(&self, octets: &[u8]) -> Option<usize> {
        memchr_iter(b'\n', octets).find(|lf| match lf.checked_sub(1) {
            Some(before) => octets[before] != b'\r',
            None => !self.after_cr && !self.cr_given,
        })
    }

    /// Copies from `raw` until one side is empty; returns how much was put out.
    fn canonical(&mut self, out: &mut [u8]) -> usize {
        let mut put = 0;
        while put < out.len() && self.start < self.end {
            let room = out.len() - put;
            let left = &self.raw[self.start..self.end];
            let left = &left[..left.len().min(room)];
            let plain = match self.bare_line_feed(left) {
                Some(0) => {
                    out[put] = b'\r';
                    put += 1;
                    self.cr_given = true;
                    continue;
                }
                Some(lf) => lf,
                None => left.len(),
            };
            self.cr_given = false;
            out[put..put + plain].copy_from_slice(&left[..plain]);
            self.after_cr = left[plain - 1] == b'\r';
            self.start += plain;
            put += plain;
        }
        put
    }
}

impl Read for Entity<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.header_read < self.header.len() {
            let read = (&self.header[self.header_read..]).read(out)?;
            self.header_read += read;
            return Ok(read);
        }
        if self.binary {
            return self.source.read(out);
        }
        loop {
            if out.is_empty() {
                return Ok(0);
            }
            if self.start == self.end {
                // Most mail is small: the buffer is large only after one was full.
                if self.end == FIRST && self.raw.len() == FIRST {
                    self.raw = vec![0; BLOCK].into_boxed_slice();
                }
                self.start = 0;
                self.end = self.source.read(&mut self.raw)?;
                if self.end == 0 {
                    return Ok(0);
                }
            }
            let put = self.canonical(out);
            if put > 0 {
                return Ok(put);
            }
        }
    }
}

impl Content for Entity<'_> {
    fn rewind(&mut self) -> io::Result<()> {
        self.source.seek(SeekFrom::Start(self.body))?;
        (self.header_read, self.start, self.end) = (0, 0, 0);
        (self.after_cr, self.cr_given) = (false, false);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// Reads in pieces of `size`, from a source that gives pieces of `size`.
    fn canonical(mail: &[u8], size: usize) -> Vec<u8> {
        let mut source = Cursor::new(mail);
        let head = Head::read(&mut source, 1000).unwrap();
        let mut entity = Entity::new(&mut source, &head);
        entity.raw = vec![0; size].into_boxed_slice();
        entity.rewind().unwrap();
        let mut out = Vec::new();
        let mut buffer = vec![0; size];
        loop {
            match entity.read(&mut buffer).unwrap() {
                0 => break,
                read => out.extend_from_slice(&buffer[..read]),
            }
        }
        assert_eq!(entity.measure().unwrap(), out.len() as u64);
        out
    }

    #[test]
    fn line_ends() {
        for size in 1..9 {
            let check = |body: &[u8], expected: &[u8]| {
                let mail = [b"Content-Type: text/plain\n\n", body].concat();
                let expected = [b"Content-Type: text/plain\r\n\r\n", expected].concat();
                assert_eq!(canonical(&mail, size), expected, "{body:?} by {size}");
            };
            check(b"", b"");
            check(b"\n\n", b"\r\n\r\n");
            check(b"a\r\nb\nc", b"a\r\nb\r\nc");
            check(b"\r\r\n\r", b"\r\r\n\r");
            assert_eq!(
                canonical(b"Content-Transfer-Encoding: binary\n\na\nb\r\n", size),
                b"Content-Transfer-Encoding: binary\r\n\r\na\nb\r\n"
            );
        }
    }

    proptest! {
        #[test]
        fn canonical_form_is_stable(body in "[a\r\n]{0,40}", size in 1usize..20) {
            let once = canonical(format!("\n{body}").as_bytes(), size);
            let expected = body.replace("\r\n", "\n").replace('\n', "\r\n");
            prop_assert_eq!(&once[2..], expected.as_bytes());
            prop_assert_eq!(canonical(&once, size), once);
        }
    }
}
