//! Lines of a source of any size, through a buffer of fixed size.

use std::io::{ErrorKind, SeekFrom};

use memchr::memmem;

use super::error::MimeError;
use super::mbox;
use crate::io::Source;

/// Octets read from the source at once, and those that a small mail needs.
const BUFFER: usize = 128 << 10;
const FIRST: usize = 8 << 10;
/// Longest line that is looked at as a delimiter, its padding included. RFC
/// 2046 gives boundaries 70 characters, RFC 5322 lines 998.
pub(super) const DELIMITER_LINE: usize = 4 << 10;

/// Where one line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// Offset of its first octet.
    pub(super) start: u64,
    /// Octets before the line end.
    pub(super) content_len: usize,
    /// Octets of its line end: 2 for CRLF, 1 for LF, 0 at the end of the source.
    pub(super) eol_len: u8,
    /// Octets of the line end before it (0 at the start of the source).
    pub(super) previous_eol_len: u8,
    /// Its number, from 1.
    pub(super) number: u64,
}

impl Line {
    /// Offset of the octet after its line end.
    pub(super) const fn end(&self) -> u64 {
        self.start + self.content_len as u64 + self.eol_len as u64
    }

    /// Where the content before this line ends if this line is a delimiter:
    /// the line end before it belongs to the delimiter (RFC 2046 section 5.1.1).
    pub(super) const fn content_end(&self) -> u64 {
        self.start - self.previous_eol_len as u64
    }
}

/// Walks a source line by line; jumps from one line that begins with `--` to
/// the next at the speed of a substring search.
pub(super) struct Scanner<'a> {
    source: &'a mut dyn Source,
    buffer: Vec<u8>,
    /// Unread octets are `buffer[at..filled]`.
    at: usize,
    filled: usize,
    /// Offset of `buffer[at]` in the source.
    position: u64,
    ended: bool,
    /// Line ends seen before `position`.
    lines: u64,
    /// Octets of the line end right before `position`; `position` is always the start of a line.
    eol_len: u8,
    dashes: memmem::Finder<'static>,
    from: memmem::Finder<'static>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(source: &'a mut dyn Source) -> Result<Self, MimeError> {
        Self::starting_at(source, 0)
    }

    /// A scanner whose first line starts at `offset`.
    pub(super) fn starting_at(source: &'a mut dyn Source, offset: u64) -> Result<Self, MimeError> {
        source.seek(SeekFrom::Start(offset)).map_err(|source| MimeError::Read { offset, source })?;
        Ok(Self {
            source,
            buffer: vec![0; FIRST],
            at: 0,
            filled: 0,
            position: offset,
            ended: false,
            lines: 0,
            eol_len: 0,
            dashes: memmem::Finder::new(b"\n--"),
            from: memmem::Finder::new(b"\nFrom "),
        })
    }

    /// The next line, its octets without the line end; `None` at the end of the source.
    ///
    /// A line of more than `limit` octets is an error that names `what`.
    pub(super) fn line(&mut self, limit: usize, what: &'static str) -> Result<Option<(Line, &[u8])>, MimeError> {
        let Some(newline) = self.find_newline(limit)? else {
            if self.filled == self.at {
                return Ok(None);
            }
            let over = !self.ended || self.filled - self.at > limit;
            if over {
                return Err(MimeError::LimitExceeded { what, limit: limit as u64, offset: self.position });
            }
            let (line, range) = self.take(self.filled - self.at, 0);
            return Ok(Some((line, &self.buffer[range])));
        };
        let carriage_return = newline > 0 && self.buffer[self.at + newline - 1] == b'\r';
        let (content, eol) = if carriage_return { (newline - 1, 2) } else { (newline, 1) };
        if content > limit {
            return Err(MimeError::LimitExceeded { what, limit: limit as u64, offset: self.position });
        }
        let (line, range) = self.take(content, eol);
        Ok(Some((line, &self.buffer[range])))
    }

    /// The next line that begins with `--` and is short enough to be a
    /// delimiter, at or after the current position.
    pub(super) fn dash_line(&mut self) -> Result<Option<(Line, &[u8])>, MimeError> {
        loop {
            self.want(2)?;
            if self.buffer[self.at..self.filled].starts_with(b"--") {
                if self.find_newline(DELIMITER_LINE)?.is_some() || (self.ended && self.unread() <= DELIMITER_LINE) {
                    return self.line(DELIMITER_LINE, "octets in a delimiter line");
                }
                self.skip(2);
            }
            match self.find_needle(|scanner| &scanner.dashes)? {
                Some(found) => self.skip(found + 1),
                None => return Ok(None),
            }
        }
    }

    /// The next `From ` line of an mbox: offset of the empty line before it and
    /// offset after it.
    pub(super) fn next_from_line(&mut self) -> Result<Option<(u64, u64)>, MimeError> {
        while let Some(found) = self.find_needle(|scanner| &scanner.from)? {
            let before = &self.buffer[self.at..self.at + found];
            let before = before.strip_suffix(b"\r").unwrap_or(before);
            // Nothing before it: the current position, which is the start of a line.
            let after_empty_line = before.last().is_none_or(|octet| *octet == b'\n');
            let empty_line = self.position + before.len() as u64;
            self.skip(found + 1);
            let line_len = self.find_newline(mbox::FROM_LINE)?.unwrap_or_else(|| self.unread().min(mbox::FROM_LINE));
            let is_from_line = mbox::is_from_line(&self.buffer[self.at..self.at + line_len]);
            if after_empty_line
                && is_from_line
                && let Some((line, _)) = self.line(mbox::FROM_LINE, "octets in a From line")?
            {
                return Ok(Some((empty_line, line.end())));
            }
        }
        Ok(None)
    }

    /// Offset of the next unread octet.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// Number of the line that starts at the current position, from 1.
    pub(super) const fn line_number(&self) -> u64 {
        self.lines + 1
    }

    /// Offset of the end of the source; the scanner is at its end afterwards.
    pub(super) fn finish(&mut self) -> Result<u64, MimeError> {
        self.source.seek(SeekFrom::End(0)).map_err(|source| MimeError::Read { offset: self.position, source })
    }

    /// Index after `at` of the next line feed, when it is within `limit` + 2 octets.
    fn find_newline(&mut self, limit: usize) -> Result<Option<usize>, MimeError> {
        let mut searched = 0;
        loop {
            let unread = &self.buffer[self.at..self.filled];
            if let Some(found) = memchr::memchr(b'\n', &unread[searched..]) {
                return Ok((searched + found <= limit.saturating_add(1)).then_some(searched + found));
            }
            searched = unread.len();
            if self.ended || searched > limit.saturating_add(1) {
                return Ok(None);
            }
            self.want(searched + 1)?;
        }
    }

    /// Index after `at` of the next needle, reading on as far as it takes;
    /// `None` at the end of the source. What stands before it can be passed.
    fn find_needle(&mut self, needle: fn(&Self) -> &memmem::Finder<'static>) -> Result<Option<usize>, MimeError> {
        // The start of a needle that the next octets complete, and the line
        // end before it.
        let keep = needle(self).needle().len() + 2;
        loop {
            let unread = &self.buffer[self.at..self.filled];
            if let Some(found) = needle(self).find(unread) {
                return Ok(Some(found));
            }
            if let Some(passed) = unread.len().checked_sub(keep) {
                self.skip(passed);
            }
            if self.ended {
                self.skip(self.unread());
                return Ok(None);
            }
            self.want(self.unread() + 1)?;
        }
    }

    const fn unread(&self) -> usize {
        self.filled - self.at
    }

    /// Consumes a line at the current position.
    fn take(&mut self, content_len: usize, eol_len: u8) -> (Line, std::ops::Range<usize>) {
        let line =
            Line { start: self.position, content_len, eol_len, previous_eol_len: self.eol_len, number: self.lines + 1 };
        let range = self.at..self.at + content_len;
        let whole = content_len + usize::from(eol_len);
        self.at += whole;
        self.position += whole as u64;
        self.lines += u64::from(eol_len > 0);
        self.eol_len = eol_len;
        (line, range)
    }

    /// Passes octets, counting their lines.
    fn skip(&mut self, octets: usize) {
        let passed = &self.buffer[self.at..self.at + octets];
        self.lines += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.eol_len = match passed {
            [.., b'\r', b'\n'] => 2,
            [.., b'\n'] => 1,
            _ => 0,
        };
        self.at += octets;
        self.position += octets as u64;
    }

    /// Reads until `octets` are unread or the source ends.
    fn want(&mut self, octets: usize) -> Result<(), MimeError> {
        if self.unread() >= octets || self.ended {
            return Ok(());
        }
        // Most mail is small: the buffer is large only after one was full.
        if self.filled == self.buffer.len() && self.buffer.len() < BUFFER {
            self.buffer.resize(BUFFER, 0);
        }
        self.buffer.copy_within(self.at..self.filled, 0);
        self.filled -= self.at;
        self.at = 0;
        if self.buffer.len() < octets {
            // A header line longer than the buffer, within the caller's limit.
            self.buffer.resize(octets.next_power_of_two(), 0);
        }
        while self.filled < octets && !self.ended {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(MimeError::Read { offset: self.position + self.filled as u64, source });
                }
            }
        }
        Ok(())
    }
}
