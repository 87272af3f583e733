//! Header sections: fields in their order, with their exact octets.

use std::borrow::Cow;
use std::io::{Read as _, SeekFrom};
use std::ops::Range;

use super::error::MimeError;
use super::scanner::{Line, Scanner};
use crate::Limits;
use crate::io::Source;

/// The fields of one header section (RFC 5322 section 2.2), in their order.
///
/// Octets outside ASCII are kept as they came. A line that is neither a field
/// nor the continuation of one (no colon, or a name with a space or an octet
/// outside printable ASCII) is passed over, and the section goes on after it:
/// archives put `>From ` lines there, and mail programs show such mail.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    raw: Vec<u8>,
    start: u64,
    fields: Vec<Span>,
}

/// One field: where its octets stand in `Headers::raw`.
#[derive(Clone, PartialEq, Eq)]
struct Span {
    start: u32,
    name_len: u32,
    value: Range<u32>,
    line: u64,
}

/// One header field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    headers: &'a Headers,
    span: &'a Span,
}

impl Headers {
    /// Every field, in the order of the message.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.fields.iter().map(|span| Field { headers: self, span })
    }

    /// The first field of this name, in any letter case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Field<'_>> {
        self.fields().find(|field| field.is(name))
    }

    /// Every field of this name, in any letter case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Field<'a>> {
        self.fields().filter(move |field| field.is(name))
    }

    /// Number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Reads a section that is in memory, for text that is no whole message.
    ///
    /// # Errors
    /// When the section is longer than `limit` octets.
    pub fn parse(section: &[u8], limit: usize) -> Result<Self, MimeError> {
        let mut cursor = std::io::Cursor::new(section);
        let mut scanner = Scanner::new(&mut cursor)?;
        Ok(read_section(&mut scanner, limit, |_| None::<()>)?.headers)
    }

    fn push_line(&mut self, line: &Line, octets: &[u8], last_is_field: &mut bool) {
        let at = index(self.raw.len());
        self.raw.extend_from_slice(octets);
        let end = index(self.raw.len());
        // Kept so that a field's raw value holds its folds exactly.
        self.raw.extend_from_slice(if line.eol_len == 2 { b"\r\n" } else { b"\n" });
        if matches!(octets.first(), Some(b' ' | b'\t')) {
            if *last_is_field && let Some(span) = self.fields.last_mut() {
                span.value.end = end;
            }
            return;
        }
        let name_len = field_name_len(octets);
        *last_is_field = name_len.is_some();
        if let Some((name_len, colon)) = name_len {
            let value = at + index(colon) + 1..end;
            self.fields.push(Span { start: at, name_len: index(name_len), value, line: line.number });
        }
    }
}

/// A section is limited to far less than 4 GiB.
fn index(octets: usize) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX)
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.fields()).finish()
    }
}

impl std::fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name(), self.value())
    }
}

impl<'a> Field<'a> {
    /// The name, in the letter case of the message.
    #[must_use]
    pub fn name(&self) -> &'a str {
        let start = self.span.start as usize;
        // A name is printable ASCII, see `field_name_len`.
        std::str::from_utf8(&self.headers.raw[start..start + self.span.name_len as usize]).unwrap_or_default()
    }

    /// Whether this is the name, in any letter case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    /// Everything after the colon, without the last line end: folds and white
    /// space as they came.
    #[must_use]
    pub fn raw_value(&self) -> &'a [u8] {
        &self.headers.raw[self.span.value.start as usize..self.span.value.end as usize]
    }

    /// The value unfolded (RFC 5322 section 2.2.3) and without white space
    /// around it. Octets that are no UTF-8 are read as ISO 8859-1.
    #[must_use]
    pub fn value(&self) -> Cow<'a, str> {
        let text = text(self.raw_value());
        if text.contains(['\r', '\n']) {
            let unfolded: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
            return Cow::Owned(unfolded.trim().to_owned());
        }
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        }
    }

    /// Offset of the name's first octet in the source.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.headers.start + self.span.start as u64
    }

    /// Offset after the value, before its last line end.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.headers.start + self.span.value.end as u64
    }

    /// Number of the line of the name, from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.span.line
    }
}

/// Header text: UTF-8 (RFC 6532), else every octet as a character of ISO 8859-1.
fn text(octets: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(octets) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(octets.iter().map(|octet| char::from(*octet)).collect()),
    }
}

/// Length of the name and index of the colon, when a line is a field: printable
/// ASCII without colon (RFC 5322 section 3.6.8); white space before the colon
/// is the obsolete form of section 4.5.8.
fn field_name_len(line: &[u8]) -> Option<(usize, usize)> {
    let colon = memchr::memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some((name.len(), colon))
}

/// A header section as it was read.
pub(super) struct Section<T> {
    pub(super) headers: Headers,
    /// Offset after the empty line that ends it.
    pub(super) end: u64,
    /// Octets of the first line end, when there is one.
    pub(super) first_eol_len: Option<u8>,
    /// The line at which the section was cut off, and what `cut` said of it.
    pub(super) cut: Option<(Line, T)>,
}

/// Reads a header section up to its empty line, the end of the source, or a
/// line of which `cut` says that it cannot belong to it: a delimiter.
pub(super) fn read_section<T>(
    scanner: &mut Scanner<'_>,
    limit: usize,
    cut: impl Fn(&[u8]) -> Option<T>,
) -> Result<Section<T>, MimeError> {
    let mut headers = Headers::default();
    let mut section_start = None;
    let mut end = scanner.position();
    let mut first_eol_len = None;
    let mut last_is_field = false;
    let mut cut_at = None;
    let what = "octets in a header section";
    loop {
        let left = limit.saturating_sub(headers.raw.len());
        let Some((line, octets)) = scanner.line(left, what).map_err(|error| with_limit(error, limit))? else {
            break;
        };
        if octets.starts_with(b"--")
            && let Some(reason) = cut(octets)
        {
            cut_at = Some((line, reason));
            break;
        }
        let start = *section_start.get_or_insert(line.start);
        end = line.end();
        first_eol_len = first_eol_len.or((line.eol_len > 0).then_some(line.eol_len));
        if octets.is_empty() {
            break;
        }
        headers.start = start;
        headers.push_line(&line, octets, &mut last_is_field);
    }
    Ok(Section { headers, end, first_eol_len, cut: cut_at })
}

/// The whole limit in the error, not what was left of it.
fn with_limit(error: MimeError, limit: usize) -> MimeError {
    match error {
        MimeError::LimitExceeded { what, offset, .. } => MimeError::LimitExceeded { what, limit: limit as u64, offset },
        other => other,
    }
}

/// Octets of a line that is too long in which the name of a field is sought.
const LONGEST_NAME: u64 = 1 << 10;

/// Whether the input has a header field at all, so that it is mail.
///
/// Looks at the lines before the first empty one, after the `From ` line of an
/// mbox. A control character before the first field says that the input is
/// binary (a DER object can hold the octets of a field by chance). Where the
/// section, or one line of it, is longer than the limit, a field that begins
/// within it still makes it mail.
///
/// # Errors
/// When the source cannot be read.
pub fn has_header_field(source: &mut dyn Source, limits: &Limits) -> Result<bool, MimeError> {
    let limit = limits.header_octets;
    let mut scanner = Scanner::new(source)?;
    let mut read = 0;
    let mut too_long = None;
    while read < limit {
        match scanner.line(limit - read, "octets in a header section") {
            Ok(Some((_, octets))) if !octets.is_empty() => {
                read += octets.len() + 1;
                if field_name_len(octets).is_some() {
                    return Ok(true);
                }
                if octets.iter().any(|octet| octet.is_ascii_control() && !matches!(octet, b'\t' | b'\r')) {
                    return Ok(false);
                }
            }
            Ok(_) => return Ok(false),
            Err(MimeError::LimitExceeded { offset, .. }) => {
                too_long = Some(offset);
                break;
            }
            Err(error) => return Err(error),
        }
    }
    let Some(offset) = too_long else { return Ok(false) };
    let failed = |source| MimeError::Read { offset, source };
    let mut start = Vec::new();
    source.seek(SeekFrom::Start(offset)).map_err(failed)?;
    source.take(LONGEST_NAME).read_to_end(&mut start).map_err(failed)?;
    Ok(field_name_len(&start).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(section: &[u8]) -> Headers {
        Headers::parse(section, 1 << 20).unwrap()
    }

    #[test]
    fn fields_keep_order_offset_line_and_octets() {
        let read = headers(b"A: one\r\nb:two\r\n\tthree \r\nC : \r\n\r\nD: body\r\n");
        let all: Vec<_> = read.fields().map(|f| (f.name(), f.value().into_owned(), f.offset(), f.line())).collect();
        assert_eq!(
            all,
            [("A", "one".to_owned(), 0, 1), ("b", "two\tthree".to_owned(), 8, 2), ("C", String::new(), 24, 4)]
        );
        assert_eq!(read.get("B").unwrap().raw_value(), b"two\r\n\tthree ");
    }

    #[test]
    fn several_fields_of_one_name_are_all_found() {
        let read = headers(b"From: a@b\nTo: x\nFROM: c@d\n");
        let all: Vec<_> = read.all("from").map(|f| f.value().into_owned()).collect();
        assert_eq!(all, ["a@b", "c@d"]);
    }

    #[test]
    fn lines_that_are_no_fields_are_passed_over() {
        let read =
            headers(b">From someone today 10:00\n continued: yes\nFrom: a@b\nno colon here\n\tnor: here\nTo: c\n\n");
        let names: Vec<_> = read.fields().map(|f| f.name()).collect();
        assert_eq!(names, ["From", "To"]);
        assert_eq!(read.get("from").unwrap().value(), "a@b");
    }

    #[test]
    fn octets_outside_ascii_are_read_as_utf8_or_latin1() {
        let read = headers(b"A: Gr\xc3\xbc\xc3\x9fe\nB: Gr\xfc\xdfe\n");
        assert_eq!(read.get("a").unwrap().value(), "Grüße");
        assert_eq!(read.get("b").unwrap().value(), "Grüße");
    }

    #[test]
    fn a_section_over_the_limit_says_so() {
        let long = format!("A: {}\n\n", "x".repeat(5000));
        let error = Headers::parse(long.as_bytes(), 4096).unwrap_err();
        assert!(error.to_string().contains("more than 4096 octets in a header section at offset 0"), "{error}");
        for line in ["A: xxxxxxxxxx\n", "=\n", " \n", "=\r\n"] {
            let error = Headers::parse(line.repeat(4000).as_bytes(), 4096).unwrap_err();
            assert!(matches!(error, MimeError::LimitExceeded { limit: 4096, offset: 4080..=4100, .. }), "{error}");
        }
    }

    #[test]
    fn a_folded_line_of_white_space_does_not_end_the_section() {
        let read = headers(b"A: one\n \nB: two\n\n");
        assert_eq!(read.get("b").unwrap().value(), "two");
    }

    #[test]
    fn mail_is_told_from_other_input() {
        let mail = |octets: &[u8]| has_header_field(&mut std::io::Cursor::new(octets), &Limits::default()).unwrap();
        assert!(mail(b"From a@b Mon Jan  1 10:00:00 2024\nSubject: x\n\n"));
        assert!(mail(b"Subject: x"));
        assert!(!mail(b""));
        assert!(!mail(b"just text\n\nSubject: x\n"));
        assert!(!mail(b"\nSubject: x\n"));
        assert!(!mail(b"\x30\x12\x02\x01\x01\x16\nhttp://a.b"));
    }
}
