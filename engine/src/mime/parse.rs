//! Cuts a message into its entities in one pass, with bounded memory.

use super::content_type::{ContentDisposition, ContentType};
use super::error::MimeError;
use super::header::read_section;
use super::mbox;
use super::part::{LineEnds, Part, TransferEncoding};
use super::scanner::{DELIMITER_LINE, Line, Scanner};
use crate::Limits;
use crate::io::Source;

/// Header octets of a whole message, as a multiple of the limit on one section.
const ALL_HEADERS: usize = 4;

/// Cuts a message into its entities.
///
/// A line is a delimiter of a multipart if it is `--`, the boundary, perhaps
/// `--`, and then nothing but white space (RFC 2046 section 5.1.1): a boundary
/// that begins like another is never taken for it. Inner multiparts are asked
/// first; the delimiter of an outer one ends every inner one that is still open.
/// A `From ` line before the first field is passed over; in an mbox of several
/// messages give the range of one ([`mbox::message`]).
///
/// # Errors
/// When the source cannot be read, or a limit is reached. A message that is
/// malformed in any other way is cut as far as it can be.
pub fn parse(source: &mut dyn Source, limits: &Limits) -> Result<Part, MimeError> {
    let start = mbox::after_from_line(source)?;
    let mut scanner = Scanner::starting_at(source, start)?;
    let mut tree = Tree { limits, open: Vec::new(), parts: 0, header_octets: 0, root: None };
    let mut next = tree.entity(&mut scanner, "1".to_owned(), None)?;
    while let Some(found) = match next.take() {
        Some(cut) => Some(cut),
        None => tree.next_delimiter(&mut scanner)?,
    } {
        next = tree.delimiter(&mut scanner, &found)?;
    }
    let end = scanner.finish()?;
    tree.close_down_to(0, end);
    // The first call of `entity` opened the root, and the last line closed it.
    tree.root.ok_or(MimeError::LimitExceeded { what: "nested entities", limit: 0, offset: start })
}

/// A delimiter line and the open multipart it belongs to.
#[derive(Debug, Clone, Copy)]
struct Found {
    line: Line,
    matched: Match,
}

/// What a line means to the open multiparts.
#[derive(Debug, Clone, Copy)]
struct Match {
    /// Index in `Tree::open`.
    depth: usize,
    /// Whether it is the last delimiter.
    last: bool,
}

/// An entity whose end was not seen yet.
struct Open {
    part: Part,
    /// `--` and the boundary, while delimiters are expected.
    delimiter: Option<Vec<u8>>,
    /// Whether a delimiter was seen.
    started: bool,
}

struct Tree<'l> {
    limits: &'l Limits,
    open: Vec<Open>,
    parts: usize,
    header_octets: usize,
    root: Option<Part>,
}

impl Tree<'_> {
    /// Reads the header of the entity that starts here, and of the message
    /// inside it. Returns the delimiter that cut a header short, if one did.
    fn entity(
        &mut self,
        scanner: &mut Scanner<'_>,
        path: String,
        opened_by: Option<&Line>,
    ) -> Result<Option<Found>, MimeError> {
        let mut path = path;
        let mut line_ends = opened_by.map(|line| LineEnds::of(line.eol_len));
        loop {
            let start = scanner.position();
            let line = scanner.line_number();
            self.count(start)?;
            let section = {
                let open = &self.open;
                read_section(scanner, self.limits.header_octets, |octets| match_delimiter(open, octets))?
            };
            self.header_octets += usize::try_from(section.end - start).unwrap_or(usize::MAX);
            let all = self.limits.header_octets.saturating_mul(ALL_HEADERS);
            if self.header_octets > all {
                let what = "octets in all header sections";
                return Err(MimeError::LimitExceeded { what, limit: all as u64, offset: start });
            }
            let in_digest =
                self.open.last().is_some_and(|parent| parent.part.content_type.media_type == "multipart/digest");
            let content_type = ContentType::of(&section.headers, in_digest);
            let encoding = TransferEncoding::of(&section.headers);
            let ends = line_ends.unwrap_or_else(|| section.first_eol_len.map_or(LineEnds::Crlf, LineEnds::of));
            let delimiter = delimiter_of(&content_type);
            let holds_message = content_type.is_message() && encoding.is_identity();
            let part = Part {
                path: path.clone(),
                header: start..section.end,
                body: section.end..section.end,
                line,
                disposition: ContentDisposition::of(&section.headers),
                headers: section.headers,
                closed: !content_type.is_multipart(),
                content_type,
                encoding,
                line_ends: ends,
                children: Vec::new(),
                preamble: section.end..section.end,
                epilogue: section.end..section.end,
            };
            self.open.push(Open { part, delimiter, started: false });
            if let Some((line, matched)) = section.cut {
                return Ok(Some(Found { line, matched }));
            }
            if !holds_message {
                return Ok(None);
            }
            path.push_str(".1");
            line_ends = Some(ends);
        }
    }

    /// Counts one more part, and refuses one too many or too deep.
    fn count(&mut self, offset: u64) -> Result<(), MimeError> {
        self.parts += 1;
        for (what, value, limit) in [
            ("MIME parts", self.parts, self.limits.mime_parts),
            ("nested MIME entities", self.open.len(), self.limits.mime_depth),
        ] {
            if value > limit {
                return Err(MimeError::LimitExceeded { what, limit: limit as u64, offset });
            }
        }
        Ok(())
    }

    /// The next delimiter line of any open multipart.
    fn next_delimiter(&self, scanner: &mut Scanner<'_>) -> Result<Option<Found>, MimeError> {
        // Where no multipart is open, the rest need not be read at all.
        let expected = self.open.iter().any(|open| open.delimiter.is_some());
        while expected && let Some((line, octets)) = scanner.dash_line()? {
            if let Some(matched) = match_delimiter(&self.open, octets) {
                return Ok(Some(Found { line, matched }));
            }
        }
        Ok(None)
    }

    /// Acts on a delimiter line: ends what stood before it and begins what
    /// follows. Returns the delimiter that cut the next header short, if any.
    fn delimiter(&mut self, scanner: &mut Scanner<'_>, found: &Found) -> Result<Option<Found>, MimeError> {
        self.close_down_to(found.matched.depth + 1, found.line.content_end());
        let Some(multipart) = self.open.last_mut() else { return Ok(None) };
        let part = &mut multipart.part;
        if !multipart.started {
            multipart.started = true;
            part.preamble.end = found.line.content_end().max(part.preamble.start);
        }
        if found.matched.last {
            // What follows is the epilogue; the same line again means nothing.
            multipart.delimiter = None;
            part.closed = true;
            part.epilogue = found.line.end()..found.line.end();
            return Ok(None);
        }
        let path = format!("{}.{}", part.path, part.children.len() + 1);
        self.entity(scanner, path, Some(&found.line))
    }

    /// Ends every open entity from this depth on at this offset.
    fn close_down_to(&mut self, depth: usize, end: u64) {
        while self.open.len() > depth {
            let Some(Open { mut part, started, .. }) = self.open.pop() else { return };
            // A message inside a part that has no body begins where that part ends,
            // and the line end before a delimiter belongs to neither.
            let holder = self.open.last().filter(|holder| !holder.part.content_type.is_multipart());
            let end = end.max(holder.map_or(part.header.start, |holder| holder.part.header.start));
            part.header.start = part.header.start.min(end);
            part.header.end = part.header.end.min(end);
            part.body = part.header.end..end;
            part.preamble.start = part.preamble.start.min(end);
            part.preamble.end = if started { part.preamble.end.min(end) } else { end };
            let closed_multipart = part.closed && part.content_type.is_multipart();
            part.epilogue = if closed_multipart { part.epilogue.start.min(end)..end } else { end..end };
            if !part.content_type.is_multipart() {
                part.preamble = end..end;
            }
            match self.open.last_mut() {
                Some(parent) => parent.part.children.push(part),
                None => self.root = Some(part),
            }
        }
    }
}

/// `--` and the boundary of a multipart; `None` where it has none that can be
/// found (none, an empty one, or one longer than any line that is looked at).
fn delimiter_of(content_type: &ContentType) -> Option<Vec<u8>> {
    if !content_type.is_multipart() {
        return None;
    }
    // A boundary never ends in white space (RFC 2046 section 5.1.1).
    let boundary = content_type.get("boundary")?.trim_end();
    let usable = !boundary.is_empty() && boundary.len() < DELIMITER_LINE;
    usable.then(|| [b"--", boundary.as_bytes()].concat())
}

/// The innermost open multipart to which a line is a delimiter.
fn match_delimiter(open: &[Open], line: &[u8]) -> Option<Match> {
    // Transport padding, RFC 2046 section 5.1.1.
    let line = line.trim_ascii_end();
    let (depth, rest) = open.iter().enumerate().rev().find_map(|(depth, open)| {
        let rest = line.strip_prefix(open.delimiter.as_deref()?)?;
        matches!(rest, b"" | b"--").then_some((depth, rest))
    })?;
    Some(Match { depth, last: !rest.is_empty() })
}

#[cfg(test)]
mod tests;
