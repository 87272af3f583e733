//! Legacy display elements: hidden fields repeated in the body, for readers that
//! do not know header protection (RFC 9788 section 5.2.2 and 5.2.3).

use std::io::{self, Read, Seek, SeekFrom};

use super::ComposeError;
use crate::io::Source;
use crate::message::headers::main_bodies;
use crate::mime::{Headers, Part, TransferEncoding};

/// How much of an HTML part is searched for the start of its body.
const SEARCHED: u64 = 256 << 10;

/// Octets that are inserted before the octet at an offset of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::message) struct Insertion {
    at: u64,
    octets: Vec<u8>,
}

/// The value of a field, as text on one line.
pub(super) fn text(field: &[u8]) -> String {
    let headers = Headers::parse(field, usize::MAX).unwrap_or_default();
    let decoded = headers.fields().next().map(|field| field.decoded()).unwrap_or_default();
    let visible: String = decoded.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What goes where so that every main body part begins with these lines, and
/// whether the root is such a part: its parameter stands in a header that is
/// written anew.
pub(super) fn insertions(
    source: &mut dyn Source,
    root: &Part,
    lines: &[String],
) -> Result<(Vec<Insertion>, bool), ComposeError> {
    let mut list = Vec::new();
    let mut own = false;
    if lines.is_empty() {
        return Ok((list, own));
    }
    for part in main_bodies(root) {
        let Some((at, octets)) = element(source, part, lines)? else { continue };
        if std::ptr::eq(part, root) {
            own = true;
        } else {
            list.push(parameter(part));
        }
        list.push(Insertion { at, octets });
    }
    Ok((list, own))
}

/// The element for one part and its place; `None` where the part cannot hold
/// it as it is.
fn element(source: &mut dyn Source, part: &Part, lines: &[String]) -> Result<Option<(u64, Vec<u8>)>, ComposeError> {
    let charset = part.content_type.get("charset").unwrap_or("us-ascii").to_ascii_lowercase();
    let known = ["us-ascii", "utf-8", "iso-8859-", "windows-125"];
    let eight_bit = !matches!(part.encoding, TransferEncoding::SevenBit);
    let encoded = matches!(part.encoding, TransferEncoding::Base64 | TransferEncoding::Unknown);
    let holds_ascii = known.iter().any(|known| charset.starts_with(known));
    if encoded || !holds_ascii {
        return Ok(None);
    }
    let (at, text) = if part.content_type.media_type == "text/html" {
        let Some(at) = start_of_html(source, part)? else { return Ok(None) };
        let lines: Vec<_> = lines.iter().map(|line| escaped(line)).collect();
        let pre = format!("<pre>{}</pre>", lines.join("\r\n"));
        (at, format!("<div class=\"header-protection-legacy-display\">\r\n{pre}</div>\r\n"))
    } else {
        let text = format!("{}\r\n\r\n", lines.join("\r\n"));
        let holds_all = charset == "utf-8" && eight_bit;
        if !holds_all && !text.is_ascii() {
            return Ok(None);
        }
        (part.body.start, text)
    };
    let quoted = part.encoding == TransferEncoding::QuotedPrintable;
    Ok(Some((at, if quoted { quoted_printable(&text) } else { text.into_bytes() })))
}

/// After the tag that starts the body; the start of a fragment that has none.
fn start_of_html(source: &mut dyn Source, part: &Part) -> Result<Option<u64>, ComposeError> {
    let length = (part.body.end - part.body.start).min(SEARCHED);
    source.seek(SeekFrom::Start(part.body.start)).map_err(ComposeError::Read)?;
    let mut text = Vec::new();
    source.take(length).read_to_end(&mut text).map_err(ComposeError::Read)?;
    let lower = text.to_ascii_lowercase();
    let place = match memchr::memmem::find(&lower, b"<body") {
        Some(tag) => memchr::memchr(b'>', &lower[tag..]).map(|end| tag + end + 1),
        None if memchr::memmem::find(&lower, b"<html").is_some() => None,
        None => Some(0),
    };
    Ok(place.map(|place| part.body.start + place as u64))
}

/// Text in HTML, in ASCII whatever the charset.
fn escaped(line: &str) -> String {
    let escape = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        c if c.is_ascii() => c.to_string(),
        c => format!("&#{};", u32::from(c)),
    };
    line.chars().map(escape).collect()
}

/// quoted-printable (RFC 2045 section 6.7) of text with CRLF.
fn quoted_printable(text: &str) -> Vec<u8> {
    let mut out = String::new();
    for line in text.split_inclusive("\r\n") {
        let mut column = 0;
        for octet in line.trim_end_matches("\r\n").bytes() {
            let plain = (octet.is_ascii_graphic() || octet == b' ') && octet != b'=';
            let piece = if plain { char::from(octet).to_string() } else { format!("={octet:02X}") };
            if column + piece.len() > 72 {
                out.push_str("=\r\n");
                column = 0;
            }
            column += piece.len();
            out.push_str(&piece);
        }
        out.push_str("\r\n");
    }
    out.into_bytes()
}

/// The parameter that marks a part, at the end of its Content-Type.
fn parameter(part: &Part) -> Insertion {
    let what = "hp-legacy-display=\"1\"";
    let Some(field) = part.headers.get("content-type") else {
        return Insertion {
            at: part.header.start,
            octets: format!("Content-Type: text/plain; {what}\r\n").into_bytes(),
        };
    };
    let start = if field.raw_value().trim_ascii_end().ends_with(b";") { "" } else { ";" };
    Insertion { at: field.end(), octets: format!("{start}\r\n {what}").into_bytes() }
}

/// Adds a parameter to a field that has no line end yet.
pub(super) fn add_parameter(field: &mut Vec<u8>, parameter: &str) {
    field.truncate(field.trim_ascii_end().len());
    if !field.ends_with(b";") {
        field.push(b';');
    }
    let line = field.len() - memchr::memrchr(b'\n', field).map_or(0, |at| at + 1);
    field.extend_from_slice(if line + 1 + parameter.len() > 76 { b"\r\n " } else { b" " });
    field.extend_from_slice(parameter.as_bytes());
}

/// A source with insertions. Positions are those of the source without them; a
/// seek to the place of an insertion goes before it.
pub(in crate::message) struct Inserted<'a> {
    source: &'a mut dyn Source,
    insertions: Vec<Insertion>,
    position: u64,
    /// The next insertion, and how much of it was read.
    next: usize,
    read: usize,
}

impl<'a> Inserted<'a> {
    pub(in crate::message) fn new(source: &'a mut dyn Source, mut insertions: Vec<Insertion>) -> Self {
        insertions.sort_by_key(|insertion| insertion.at);
        Self { source, insertions, position: 0, next: 0, read: 0 }
    }
}

impl Read for Inserted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut room = out.len() as u64;
        while let Some(insertion) = self.insertions.get(self.next) {
            if insertion.at > self.position {
                room = room.min(insertion.at - self.position);
                break;
            }
            let left = &insertion.octets[self.read..];
            if left.is_empty() {
                (self.next, self.read) = (self.next + 1, 0);
                continue;
            }
            let read = (&*left).read(out)?;
            self.read += read;
            return Ok(read);
        }
        let room = usize::try_from(room).unwrap_or(out.len());
        let read = self.source.read(&mut out[..room])?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Inserted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.source.seek(to)?;
        self.next = self.insertions.partition_point(|insertion| insertion.at < self.position);
        self.read = 0;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn insertions_are_read_in_pieces_of_any_size() {
        let insertion = |at, text: &str| Insertion { at, octets: text.as_bytes().to_vec() };
        for size in 1..9 {
            let mut source = Cursor::new(b"0123456789");
            let list = vec![insertion(5, "five"), insertion(0, "start"), insertion(10, "end"), insertion(5, "")];
            let mut inserted = Inserted::new(&mut source, list);
            for (from, expected) in
                [(0, "start01234five56789end"), (5, "five56789end"), (6, "6789end"), (0, "start01234")]
            {
                inserted.seek(SeekFrom::Start(from)).unwrap();
                let mut text = Vec::new();
                let mut piece = vec![0; size];
                while text.len() < expected.len() {
                    let read = inserted.read(&mut piece).unwrap();
                    assert_ne!(read, 0, "{size} {from}");
                    text.extend_from_slice(&piece[..read]);
                }
                assert!(text.starts_with(expected.as_bytes()), "{size} {from}: {}", String::from_utf8_lossy(&text));
            }
        }
    }

    #[test]
    fn quoted_printable_is_read_back() {
        let text = format!("Subject: a=b {} grüße\r\n\r\n", "x".repeat(100));
        let coded = String::from_utf8(quoted_printable(&text)).unwrap();
        assert!(coded.lines().all(|line| line.len() <= 76), "{coded}");
        let mail = format!("Content-Transfer-Encoding: quoted-printable\r\n\r\n{coded}");
        let mut source = Cursor::new(mail.as_bytes());
        let part = crate::mime::parse(&mut source, &crate::Limits::default()).unwrap();
        let mut out = String::new();
        crate::mime::decode_body(&mut source, &part).unwrap().read_to_string(&mut out).unwrap();
        assert_eq!(out, text);
    }
}
