//! Changes of multiparts.

use waxseal_engine::mime::Part;

use super::edits::Edits;
use super::{Mail, header, place};

/// A text as a part of a multipart, without the line end of the next delimiter.
fn text_part(text: &str) -> String {
    format!("Content-Type: text/plain; charset=us-ascii\r\n\r\n{text}")
}

/// A text before the first part of the first multipart/mixed inside.
pub(super) fn insert_part(mail: &Mail<'_>, text: &str) -> Edits {
    let mut edits = Edits::default();
    let inside = mail.root.walk().skip(1).find(|part| part.content_type.media_type == "multipart/mixed");
    if let Some((boundary, first)) = inside.and_then(|part| Some((boundary_of(part)?, part.children.first()?))) {
        let start = place(&first.header).start;
        edits.put(start..start, format!("{}\r\n--{boundary}\r\n", text_part(text)));
    }
    edits
}

/// A text after the last part of the outermost multipart.
pub(super) fn append_part(mail: &Mail<'_>, text: &str) -> Edits {
    let mut edits = Edits::default();
    if let (Some(boundary), Some(last)) = (boundary_of(&mail.root), mail.root.children.last()) {
        let end = place(&last.entity()).end;
        edits.put(end..end, format!("\r\n--{boundary}\r\n{}", text_part(text)));
    }
    edits
}

fn boundary_of(part: &Part) -> Option<&str> {
    part.content_type.get("boundary").filter(|_| part.content_type.is_multipart())
}

/// Other boundaries: of the outermost multipart, or of all inside it.
pub(super) fn boundary(mail: &Mail<'_>, inner: bool) -> Edits {
    let mut edits = Edits::default();
    let root = |part: &Part| part.path == mail.root.path;
    for (number, part) in mail.root.walk().filter(|part| root(part) != inner).enumerate() {
        let Some(old) = boundary_of(part) else { continue };
        let new = format!("=_chosen_anew_{number}");
        header::set_boundary(&mut edits, mail, part, &new);
        // What stands between the parts, and after the last one, is delimiter lines.
        let starts = std::iter::once(place(&part.preamble).end)
            .chain(part.children.iter().map(|child| place(&child.entity()).end));
        let ends = part.children.iter().map(|child| place(&child.header).start);
        let ends = ends.chain([place(&part.epilogue).start]);
        for (start, end) in starts.zip(ends) {
            let between = mail.octets.get(start..end).unwrap_or_default();
            if let Some(at) = crate::mail::find(between, old.as_bytes()) {
                edits.put(start + at..start + at + old.len(), new.as_str());
            }
        }
    }
    edits
}
