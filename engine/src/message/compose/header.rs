//! The header of the mail that comes in, and that of the mail that goes out.

use std::io::{BufRead, BufReader, Read, SeekFrom, Write};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::ComposeError;
use crate::io::Source;

/// A header, split into the fields of the mail and those of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::message) struct Head {
    /// Fields that stay outside: name, and the field with its line ends, CRLF.
    pub(super) outer: Vec<(String, Vec<u8>)>,
    /// `Content-…` fields, which belong to the protected entity.
    pub(super) inner: Vec<u8>,
    /// Whether the content says that it is binary (RFC 2045 section 6.2).
    pub(super) binary: bool,
    /// Where the body starts.
    pub(super) body: u64,
}

impl Head {
    /// Reads the header of what comes in, and puts the fields and the Date of
    /// what goes out into it.
    pub(in crate::message) fn prepare(
        source: &mut dyn Source,
        limit: usize,
        fields: &[(String, String)],
        date: Option<OffsetDateTime>,
    ) -> Result<Self, ComposeError> {
        let mut head = Self::read(source, limit)?;
        for (name, value) in fields {
            head.set(name, value)?;
        }
        if let Some(at) = date {
            head.date(at)?;
        }
        Ok(head)
    }

    /// Reads a header. The body may be missing, and so may the header, if the
    /// first line is empty.
    pub(in crate::message) fn read(source: &mut dyn Source, limit: usize) -> Result<Self, ComposeError> {
        source.seek(SeekFrom::Start(0)).map_err(ComposeError::Read)?;
        let mut input = BufReader::new(source).take(limit as u64 + 1);
        let mut head = Self { outer: Vec::new(), inner: Vec::new(), binary: false, body: 0 };
        let mut field = Vec::new();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = input.read_until(b'\n', &mut line).map_err(ComposeError::Read)?;
            head.body += read as u64;
            if head.body == 0 {
                return Err(ComposeError::Empty);
            }
            if head.body > limit as u64 {
                return Err(ComposeError::HeaderTooLong { limit });
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            let folded = matches!(text.first(), Some(b' ' | b'\t'));
            if folded && field.is_empty() {
                return Err(ComposeError::Header { line: number, why: "the first line starts with white space" });
            }
            if !folded {
                head.take(std::mem::take(&mut field));
                if text.is_empty() {
                    break;
                }
                check_name(text).map_err(|why| ComposeError::Header { line: number, why })?;
            }
            field.extend_from_slice(text);
            field.extend_from_slice(b"\r\n");
        }
        Ok(head)
    }

    /// Sorts one complete field to where it belongs. MIME-Version goes: the
    /// outer header gets its own.
    fn take(&mut self, field: Vec<u8>) {
        let Some(colon) = memchr::memchr(b':', &field) else { return };
        let name = String::from_utf8_lossy(&field[..colon]).trim_end().to_owned();
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("content-") {
            if lower == "content-transfer-encoding" {
                self.binary = field[colon + 1..].trim_ascii().eq_ignore_ascii_case(b"binary");
            }
            self.inner.extend(field);
        } else if lower != "mime-version" {
            self.outer.push((name, field));
        }
    }

    /// Sets a field of the outer header: in the place of the first of that
    /// name, else after all others.
    pub(in crate::message) fn set(&mut self, name: &str, value: &str) -> Result<(), ComposeError> {
        let wrong = |why| ComposeError::Field { name: name.to_owned(), why };
        let field = format!("{name}: {value}\r\n");
        check_name(field.as_bytes()).map_err(wrong)?;
        // A line break that is no folding would start a field or a body of the value's own.
        let mut rest = value;
        while let Some(at) = rest.find(['\r', '\n']) {
            let folding = rest[at..].strip_prefix("\r\n").filter(|after| after.starts_with([' ', '\t']));
            rest = folding.ok_or_else(|| wrong("its value has a line break"))?;
        }
        let is_it = |(there, _): &(String, Vec<u8>)| there.eq_ignore_ascii_case(name);
        let place = self.outer.iter().position(is_it).unwrap_or(self.outer.len());
        self.outer.retain(|field| !is_it(field));
        self.outer.insert(place, (name.to_owned(), field.into_bytes()));
        Ok(())
    }

    /// Sets the Date field (RFC 5322 section 3.6.1) if there is none.
    pub(in crate::message) fn date(&mut self, at: OffsetDateTime) -> Result<(), ComposeError> {
        if self.outer.iter().any(|(name, _)| name.eq_ignore_ascii_case("date")) {
            return Ok(());
        }
        let text = at.format(&Rfc2822).map_err(|_| ComposeError::Date(at.to_string()))?;
        self.set("Date", &text)
    }

    /// Writes the outer fields, without those of MIME.
    pub(in crate::message) fn write_outer(&self, out: &mut dyn Write) -> Result<(), ComposeError> {
        self.outer.iter().try_for_each(|(_, field)| out.write_all(field)).map_err(ComposeError::Write)
    }

    /// The header of the protected entity, with the empty line after it.
    pub(super) fn inner(&self) -> Vec<u8> {
        let mut inner = self.inner.clone();
        inner.extend_from_slice(b"\r\n");
        inner
    }
}

/// Whether a line starts a field: printable ASCII without colon, then a colon
/// (RFC 5322 section 3.6.8; old mail has white space between them).
fn check_name(line: &[u8]) -> Result<(), &'static str> {
    let colon = memchr::memchr(b':', line).ok_or("it has no colon; a mail starts with its header")?;
    let name = line[..colon].trim_ascii_end();
    if name.is_empty() {
        return Err("it has no name before the colon");
    }
    if !name.iter().all(|octet| octet.is_ascii_graphic()) {
        return Err("its name has a character that no name may have");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(mail: &str) -> Result<Head, ComposeError> {
        Head::read(&mut Cursor::new(mail.as_bytes()), 1000)
    }

    fn outer(head: &Head) -> String {
        let mut out = Vec::new();
        head.write_outer(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_go_where_they_belong() {
        let mail = "From: a@example.test\nSubject: one\n two\nmime-version: 1.0\nContent-Type: text/plain;\n\tcharset=utf-8\n\
             CONTENT-Language: en\r\n\r\nbody\n";
        let head = read(mail).unwrap();
        assert_eq!(outer(&head), "From: a@example.test\r\nSubject: one\r\n two\r\n");
        assert_eq!(
            head.inner(),
            b"Content-Type: text/plain;\r\n\tcharset=utf-8\r\nCONTENT-Language: en\r\n\r\n".as_slice()
        );
        assert_eq!((head.body as usize, head.binary), (mail.find("body").unwrap(), false));
        assert!(read("Content-Transfer-Encoding:  BINARY \r\n\r\n").unwrap().binary);
        assert_eq!(read("\n").unwrap().inner(), b"\r\n");
        assert!(matches!(read(""), Err(ComposeError::Empty)));
        assert_eq!(read("\nbody").unwrap().body, 1);
        assert_eq!(outer(&read("To: b@example.test").unwrap()), "To: b@example.test\r\n");
    }

    #[test]
    fn what_is_no_header_names_its_line() {
        for (mail, line) in [("hello\n", 1), ("To: b\nhello\n", 2), (" x: y\n", 1), (":x\n", 1), ("a\u{e9}: b\n", 1)] {
            let error = read(mail).unwrap_err();
            assert!(matches!(error, ComposeError::Header { line: found, .. } if found == line), "{mail:?}: {error}");
        }
        let long = format!("X: {}\n\n", "y".repeat(1000));
        assert!(matches!(read(&long), Err(ComposeError::HeaderTooLong { limit: 1000 })));
    }

    #[test]
    fn given_fields_replace_and_cannot_smuggle() {
        let mut head = read("From: a\nTo: b\nfrom: c\n\n").unwrap();
        head.set("From", "d").unwrap();
        head.set("Subject", "folded\r\n text").unwrap();
        head.date(time::macros::datetime!(2024-02-29 12:00:00 UTC)).unwrap();
        head.date(time::macros::datetime!(2025-01-01 12:00:00 UTC)).unwrap();
        let expected = "From: d\r\nTo: b\r\nSubject: folded\r\n text\r\nDate: Thu, 29 Feb 2024 12:00:00 +0000\r\n";
        assert_eq!(outer(&head), expected);
        for (name, value) in
            [("X", "a\r\nBcc: z"), ("X", "a\n b"), ("X", "a\r\n"), ("", "a"), ("X Y", "a"), ("X\r\nY", "")]
        {
            assert!(matches!(head.set(name, value), Err(ComposeError::Field { .. })), "{name:?} {value:?}");
        }
    }
}
