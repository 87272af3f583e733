//! Facts of MIME: how header fields are spelt and ordered.

use std::io::{Read, SeekFrom};

use waxseal_verdict::{FactName as F, LayerFingerprint};

use super::boundary;
use crate::io::Source;
use crate::mime::{Headers, MimeError, Part, TransferEncoding};

/// Octets of a preamble that are looked at; nobody writes a longer one.
const PREAMBLE: u64 = 1024;
/// Octets in which the first two lines of base64 stand.
const LINES: u64 = 2048;
/// Characters of a value that are kept.
const KEPT: usize = 300;

/// The part that is announced as S/MIME: a multipart/signed, or the one with the object.
pub(super) fn protected_part(
    layer: &mut LayerFingerprint,
    source: &mut dyn Source,
    part: &Part,
) -> Result<(), MimeError> {
    layer.word(F::MediaType, cut(&part.content_type.media_type));
    let parameters = parameters(&part.headers);
    layer.list(F::Parameters, parameters.iter().map(|parameter| cut(&parameter.name)).collect());
    layer.list(F::Quoted, parameters.iter().filter(|one| one.quoted).map(|one| cut(&one.name)).collect());
    layer.list(F::Folding, folding(&parameters));
    for (fact, name) in [(F::Protocol, "protocol"), (F::Micalg, "micalg"), (F::SmimeType, "smime-type")] {
        if let Some(value) = part.content_type.get(name) {
            layer.word(fact, cut(value));
        }
    }
    if let Some(value) = part.content_type.get("boundary") {
        layer.word(F::Boundary, boundary::pattern(&cut(value)));
    }
    layer.list(F::Fields, fields(&part.headers));
    value(layer, F::Disposition, &part.headers, "content-disposition");
    value(layer, F::Description, &part.headers, "content-description");
    if let Some(field) = part.headers.get("mime-version") {
        layer.word(F::MimeVersion, cut(&without_words(&field.value())));
    }
    if part.content_type.is_multipart() {
        layer.word(F::Preamble, preamble(source, part)?);
    }
    Ok(())
}

/// The signature's part, and the header of what is signed.
pub(super) fn signed_parts(layer: &mut LayerFingerprint, content: &Part, signature: &Part) {
    layer.list(F::ContentFields, content.headers.fields().map(|field| cut(field.name())).collect());
    let headers = &signature.headers;
    layer.list(F::SignatureFields, headers.fields().map(|field| cut(field.name())).collect());
    value(layer, F::SignatureType, headers, "content-type");
    layer.list(F::SignatureFolding, folding(&parameters(headers)));
    value(layer, F::SignatureDisposition, headers, "content-disposition");
    value(layer, F::SignatureDescription, headers, "content-description");
}

/// How the object is stored.
pub(super) fn object_part(layer: &mut LayerFingerprint, source: &mut dyn Source, part: &Part) -> Result<(), MimeError> {
    if part.encoding != TransferEncoding::Base64 {
        return Ok(());
    }
    let start = read(source, part.body.start, (part.body.end - part.body.start).min(LINES))?;
    let text = String::from_utf8_lossy(&start);
    let mut lines = text.lines().map(str::trim_end).skip_while(|line| line.is_empty());
    // Of a last line the length says nothing.
    if let (Some(first), Some(second)) = (lines.next(), lines.next())
        && !second.is_empty()
    {
        layer.word(F::Columns, first.len().to_string());
    }
    Ok(())
}

fn fields(headers: &Headers) -> Vec<String> {
    let is_mime = |name: &str| {
        let name = name.to_ascii_lowercase();
        name == "mime-version" || name.starts_with("content-")
    };
    headers.fields().map(|field| field.name()).filter(|name| is_mime(name)).map(cut).collect()
}

/// A field's value in one line, white space drawn together.
fn value(layer: &mut LayerFingerprint, fact: F, headers: &Headers, name: &str) {
    if let Some(field) = headers.get(name) {
        layer.word(fact, cut(&field.value().split_whitespace().collect::<Vec<_>>().join(" ")));
    }
}

/// `1.0 (1.0)` stays, the words of `1.0 (Program 3.2)` go: a program that names
/// itself is no structure.
fn without_words(version: &str) -> String {
    match version.split_once('(') {
        Some((before, comment)) if comment.contains(|c: char| c.is_ascii_alphabetic()) => format!("{before}(…)"),
        _ => version.to_owned(),
    }
}

fn preamble(source: &mut dyn Source, part: &Part) -> Result<String, MimeError> {
    // The line end before the first delimiter belongs to the delimiter: with
    // nothing else before it there is an empty line, without it nothing.
    if read(source, part.body.start, 2)? == b"--" {
        return Ok("none".to_owned());
    }
    let length = part.preamble.end.saturating_sub(part.preamble.start);
    let octets = read(source, part.preamble.start, length.min(PREAMBLE))?;
    let text = String::from_utf8_lossy(&octets).replace("\r\n", "\n");
    Ok(if text.is_empty() { "empty line".to_owned() } else { cut(&text) })
}

fn read(source: &mut dyn Source, offset: u64, octets: u64) -> Result<Vec<u8>, MimeError> {
    let failed = |source| MimeError::Read { offset, source };
    source.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut read = Vec::new();
    source.take(octets).read_to_end(&mut read).map_err(failed)?;
    Ok(read)
}

/// A parameter as it is written.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    name: String,
    quoted: bool,
    /// What stands before it where it begins a line.
    fold: Option<&'static str>,
}

/// The parameters of Content-Type as they are written.
fn parameters(headers: &Headers) -> Vec<Written> {
    let Some(field) = headers.get("content-type") else { return Vec::new() };
    let text = String::from_utf8_lossy(field.raw_value()).into_owned();
    split(&text).into_iter().skip(1).filter_map(Written::of).collect()
}

/// Splits at semicolons outside quotes.
fn split(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, octet) in text.bytes().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                pieces.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces
}

impl Written {
    fn of(piece: &str) -> Option<Self> {
        let (before, value) = piece.split_once('=')?;
        let name = before.trim();
        let fold = before[..before.len() - before.trim_start().len()].rsplit_once('\n').map(|(_, space)| space);
        Some(Self {
            name: name.to_owned(),
            quoted: value.trim_start().starts_with('"'),
            fold: fold.map(|space| if space.starts_with('\t') { "tab" } else { "space" }),
        })
    }
}

fn folding(parameters: &[Written]) -> Vec<String> {
    parameters.iter().filter_map(|one| Some(format!("{}:{}", one.fold?, cut(&one.name)))).collect()
}

/// A value that is not longer than any that tells something.
fn cut(text: &str) -> String {
    text.chars().take(KEPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_they_are_written() {
        let section =
            "Content-Type: multipart/signed; Protocol=\"a;b=\\\"c\"; micalg=SHA1; \r\n\tboundary=x;\r\n  y=\"\"\r\n";
        let headers = Headers::parse(section.as_bytes(), 1000).unwrap();
        let written = |name: &str, quoted, fold| Written { name: name.to_owned(), quoted, fold };
        assert_eq!(
            parameters(&headers),
            [
                written("Protocol", true, None),
                written("micalg", false, None),
                written("boundary", false, Some("tab")),
                written("y", true, Some("space")),
            ]
        );
        assert_eq!(folding(&parameters(&headers)), ["tab:boundary", "space:y"]);
        assert!(parameters(&Headers::default()).is_empty());
    }

    #[test]
    fn a_program_that_names_itself_is_no_structure() {
        assert_eq!(without_words("1.0 (Program 2.1 \\(3124\\))"), "1.0 (…)");
        assert_eq!(without_words("1.0 (1.0)"), "1.0 (1.0)");
        assert_eq!(without_words("1.0"), "1.0");
    }
}
