//! Changes of header sections.

use std::ops::Range;

use waxseal_engine::mime::Part;
use waxseal_model::Encoding;

use super::edits::Edits;
use super::{Mail, place};

/// Before a parameter that is folded: as sendmail folds.
const FOLD: &str = "\r\n        ";

/// Where the fields of a part stand, each with its folds and its line end.
fn fields(mail: &Mail<'_>, part: &Part) -> Vec<Range<usize>> {
    let header = place(&part.header);
    let mut fields: Vec<Range<usize>> = Vec::new();
    let mut at = header.start;
    for line in mail.slice(&part.header).split_inclusive(|octet| *octet == b'\n') {
        let here = at..at + line.len();
        at = here.end;
        match (line.first(), fields.last_mut()) {
            (Some(b' ' | b'\t'), Some(field)) => field.end = here.end,
            _ if line.contains(&b':') => fields.push(here),
            _ => {}
        }
    }
    fields
}

/// Where the field of a name stands.
fn field(mail: &Mail<'_>, part: &Part, name: &str) -> Option<Range<usize>> {
    fields(mail, part).into_iter().find(|field| is(&mail.octets[field.clone()], name))
}

fn is(field: &[u8], name: &str) -> bool {
    let end = field.iter().position(|octet| *octet == b':').unwrap_or_default();
    field[..end].trim_ascii().eq_ignore_ascii_case(name.as_bytes())
}

/// The value of a field in one line, without its line end.
fn value(field: &[u8]) -> String {
    let colon = field.iter().position(|octet| *octet == b':').map_or(0, |at| at + 1);
    let text = String::from_utf8_lossy(&field[colon..]).into_owned();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ").trim().to_owned()
}

/// The value before the first parameter, then the parameters, as they are spelt.
fn parameters(value: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut quoted = false;
    for character in value.chars() {
        quoted ^= character == '"';
        match pieces.last_mut() {
            Some(piece) if character != ';' || quoted => piece.push(character),
            _ => pieces.push(String::new()),
        }
    }
    pieces.iter().map(|piece| piece.trim().to_owned()).filter(|piece| !piece.is_empty()).collect()
}

/// Content-Transfer-Encoding says this.
pub(super) fn set_encoding(edits: &mut Edits, mail: &Mail<'_>, part: &Part, encoding: Encoding) {
    let line = format!("Content-Transfer-Encoding: {encoding}\r\n");
    let start = place(&part.header).start;
    edits.put(field(mail, part, "content-transfer-encoding").unwrap_or(start..start), line);
}

/// Structured fields folded at every parameter.
pub(super) fn fold(mail: &Mail<'_>, parts: bool) -> Edits {
    let mut edits = Edits::default();
    for part in mail.root.walk().take(if parts { usize::MAX } else { 1 }) {
        for name in ["content-type", "content-disposition"] {
            let Some(place) = field(mail, part, name) else { continue };
            let octets = &mail.octets[place.clone()];
            let name = octets.split(|octet| *octet == b':').next().unwrap_or_default();
            let folded = parameters(&value(octets)).join(&format!(";{FOLD}"));
            edits.put(place, [name, b": ", folded.as_bytes(), b"\r\n"].concat());
        }
    }
    edits
}

/// Fields above everything.
pub(super) fn add_fields(fields: &[String]) -> Edits {
    let mut edits = Edits::default();
    edits.put(0..0, fields.iter().flat_map(|field| [field.as_str(), "\r\n"]).collect::<String>());
    edits
}

/// A field above the mail says something else.
pub(super) fn set_field(mail: &Mail<'_>, name: &str, value: &str) -> Edits {
    let mut edits = Edits::default();
    edits.put(field(mail, &mail.root, name).unwrap_or(0..0), format!("{name}: {value}\r\n"));
    edits
}

/// Media types named otherwise, their parameters as they stand.
pub(super) fn media_type(mail: &Mail<'_>, from: &[String], to: &str) -> Edits {
    let mut edits = Edits::default();
    for part in mail.root.walk().filter(|part| from.contains(&part.content_type.media_type)) {
        let Some(place) = field(mail, part, "content-type") else { continue };
        let octets = &mail.octets[place.clone()];
        let start = octets.iter().position(|octet| *octet == b':').map_or(0, |at| at + 1);
        let length = octets[start..].iter().position(|octet| *octet == b';').unwrap_or(octets.len() - start);
        let old = octets[start..start + length].trim_ascii_end().len();
        edits.put(place.start + start..place.start + start + old, format!(" {to}"));
    }
    edits
}

/// The outermost Content-Type without some parameters.
pub(super) fn drop_parameters(mail: &Mail<'_>, names: &[String]) -> Edits {
    let mut edits = Edits::default();
    if let Some(place) = field(mail, &mail.root, "content-type") {
        let all = parameters(&value(&mail.octets[place.clone()]));
        let named = |piece: &String| {
            let name = piece.split('=').next().unwrap_or_default().trim();
            names.iter().any(|dropped| dropped.eq_ignore_ascii_case(name))
        };
        if all.iter().any(named) {
            let kept: Vec<&str> = all.iter().filter(|piece| !named(piece)).map(String::as_str).collect();
            edits.put(place, format!("Content-Type: {}\r\n", kept.join("; ")));
        }
    }
    edits
}

/// The boundary parameter of a part, said anew.
pub(super) fn set_boundary(edits: &mut Edits, mail: &Mail<'_>, part: &Part, boundary: &str) {
    let Some(place) = field(mail, part, "content-type") else { return };
    let mut all = parameters(&value(&mail.octets[place.clone()]));
    for piece in all.iter_mut().skip(1).filter(|piece| piece.to_ascii_lowercase().starts_with("boundary")) {
        *piece = format!("boundary=\"{boundary}\"");
    }
    edits.put(place, format!("Content-Type: {}\r\n", all.join("; ")));
}
