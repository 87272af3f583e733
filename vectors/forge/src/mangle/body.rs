//! Changes of bodies.

use std::io::{Cursor, Read as _};

use waxseal_engine::mime::{self, Part, TransferEncoding};
use waxseal_model::Encoding;

use super::edits::Edits;
use super::{Mail, MangleError, encoding, header, place};

/// Texts in some encodings get another one, in body and header.
pub(super) fn encode(
    mail: &Mail<'_>,
    from: &[Encoding],
    to: Encoding,
    only_eight_bit: bool,
) -> Result<Edits, MangleError> {
    let mut edits = Edits::default();
    for part in mail.texts().filter(|part| from.iter().any(|encoding| is(part, *encoding))) {
        let text = decoded(mail, part)?;
        if only_eight_bit && text.is_ascii() {
            continue;
        }
        header::set_encoding(&mut edits, mail, part, to);
        edits.put(place(&part.body), encoding::encode(&text, to));
    }
    Ok(edits)
}

fn is(part: &Part, encoding: Encoding) -> bool {
    let named = match part.encoding {
        TransferEncoding::SevenBit => Encoding::SevenBit,
        TransferEncoding::EightBit => Encoding::EightBit,
        TransferEncoding::QuotedPrintable => Encoding::QuotedPrintable,
        TransferEncoding::Base64 => Encoding::Base64,
        _ => return false,
    };
    named == encoding
}

fn decoded(mail: &Mail<'_>, part: &Part) -> Result<Vec<u8>, MangleError> {
    let mut source = Cursor::new(mail.octets);
    let mut text = Vec::new();
    let mut body = mime::decode_body(&mut source, part).map_err(|error| MangleError(error.to_string()))?;
    body.read_to_end(&mut text).map_err(|error| MangleError(error.to_string()))?;
    Ok(text)
}

/// Every base64 body in lines of another length.
pub(super) fn rewrap_base64(mail: &Mail<'_>, columns: usize) -> Edits {
    let mut edits = Edits::default();
    for part in mail.root.walk().filter(|part| part.is_leaf() && part.encoding == TransferEncoding::Base64) {
        let body = mail.slice(&part.body);
        let end = &body[body.trim_ascii_end().len()..];
        let characters: Vec<u8> = body.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
        edits.put(place(&part.body), [encoding::in_lines(&characters, columns).as_slice(), end].concat());
    }
    edits
}

/// Long lines of texts that are not encoded, broken at spaces.
pub(super) fn wrap_text(mail: &Mail<'_>, columns: usize) -> Edits {
    let mut edits = Edits::default();
    for part in mail.texts().filter(|part| part.encoding.is_identity()) {
        let mut at = place(&part.body).start;
        for line in mail.slice(&part.body).split_inclusive(|octet| *octet == b'\n') {
            let mut rest = line;
            let mut start = at;
            while rest.trim_ascii_end().len() > columns {
                let Some(space) = rest[..=columns].iter().rposition(|octet| *octet == b' ') else { break };
                edits.put(start + space..start + space + 1, *b"\r\n");
                (rest, start) = (&rest[space + 1..], start + space + 1);
            }
            at += line.len();
        }
    }
    edits
}

/// The lines below the header of the mail, each with the place where it begins.
fn lines<'a>(mail: &'a Mail<'_>) -> impl Iterator<Item = (usize, &'a [u8])> {
    let start = place(&mail.root.header).end;
    let body = mail.octets.get(start..).unwrap_or_default();
    body.split_inclusive(|octet| *octet == b'\n').scan(start, |at, line| {
        let here = *at;
        *at += line.len();
        Some((here, line))
    })
}

/// Long lines cut, each piece but the first after a space.
pub(super) fn cut_lines(mail: &Mail<'_>, most: usize) -> Edits {
    let mut edits = Edits::default();
    let most = most.max(2);
    for (at, line) in lines(mail) {
        let content = line.trim_ascii_end().len().max(line.strip_suffix(b"\r\n").unwrap_or(line).len());
        let mut cut = most;
        while cut < content {
            edits.put(at + cut..at + cut, *b"\r\n ");
            cut += most - 1;
        }
    }
    edits
}

/// Something before the lines that begin so.
pub(super) fn prefix_lines(mail: &Mail<'_>, beginning: &str, prefix: &str) -> Edits {
    let mut edits = Edits::default();
    for (at, _) in lines(mail).filter(|(_, line)| line.starts_with(beginning.as_bytes())) {
        edits.put(at..at, prefix);
    }
    edits
}

/// Lines without the blanks at their ends.
pub(super) fn strip_line_ends(mail: &Mail<'_>) -> Edits {
    let mut edits = Edits::default();
    for (at, line) in lines(mail) {
        let content = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n")).unwrap_or(line);
        let kept = content.iter().rposition(|octet| !matches!(octet, b' ' | b'\t')).map_or(0, |last| last + 1);
        if kept < content.len() {
            edits.put(at + kept..at + content.len(), *b"");
        }
    }
    edits
}

/// Text at the end of the first text, in the encoding of that.
pub(super) fn append_to_text(mail: &Mail<'_>, text: &str) -> Result<Edits, MangleError> {
    let mut edits = Edits::default();
    if let Some(part) = mail.texts().next() {
        let line = format!("\r\n-- \r\n{text}\r\n");
        match part.encoding {
            TransferEncoding::Base64 => {
                let longer = [decoded(mail, part)?, line.into_bytes()].concat();
                edits.put(place(&part.body), encoding::encode(&longer, Encoding::Base64));
            }
            TransferEncoding::QuotedPrintable => {
                let end = place(&part.body).end;
                edits.put(end..end, encoding::encode(line.as_bytes(), Encoding::QuotedPrintable));
            }
            _ => {
                let end = place(&part.body).end;
                edits.put(end..end, line);
            }
        }
    }
    Ok(edits)
}
