//! Whether what came out of a mail is what went in.
//!
//! A program that protects files gives back the same octets. A mail program
//! composes the mail anew: it may choose another transfer encoding, another
//! boundary, and end the text with another number of empty lines; what its
//! reader sees is the same.

use std::io::{Cursor, Read};

use waxseal_engine::Limits;
use waxseal_engine::mime::{self, Part};
use waxseal_verdict::ContentMatch;

use crate::charset;

/// Compares what came out with what went in, both MIME entities.
#[must_use]
pub fn compare(before: &[u8], after: &[u8]) -> ContentMatch {
    if before == after {
        return ContentMatch::Identical;
    }
    match (Shown::of(before), Shown::of(after)) {
        (Some(before), Some(after)) if before == after => ContentMatch::Equal,
        _ => ContentMatch::Differs,
    }
}

/// What a person sees of an entity: its parts that are no containers, in order.
#[derive(Debug, PartialEq, Eq)]
struct Shown(Vec<Leaf>);

#[derive(Debug, PartialEq, Eq)]
enum Leaf {
    /// The text, its lines without what stands invisibly at their ends.
    Text(Vec<String>),
    /// What its label makes no text: the label and the octets.
    Unreadable(String, Vec<u8>),
    /// A file: its name and its octets.
    File(Option<String>, Vec<u8>),
}

impl Shown {
    fn of(entity: &[u8]) -> Option<Self> {
        let root = mime::parse(&mut Cursor::new(entity), &Limits::default()).ok()?;
        root.walk().filter(|part| part.is_leaf()).map(|part| Leaf::of(entity, part)).collect::<Option<_>>().map(Self)
    }
}

impl Leaf {
    fn of(entity: &[u8], part: &Part) -> Option<Self> {
        let mut source = Cursor::new(entity);
        let mut octets = Vec::new();
        mime::decode_body(&mut source, part).ok()?.read_to_end(&mut octets).ok()?;
        let is_text = part.content_type.media_type == "text/plain" && part.disposition.is_none();
        if !is_text {
            return Some(Self::File(part.file_name().map(|name| name.to_string()), octets));
        }
        let label = part.content_type.get("charset");
        Some(match charset::decode(&octets, label) {
            Some(text) => Self::Text(lines(&text)),
            None => Self::Unreadable(label.unwrap_or("us-ascii").to_ascii_lowercase(), octets),
        })
    }
}

/// The lines of a text, without white space at their ends, and without empty
/// lines at the end.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                        Gr=C3=BC=C3=9Fe\r\n";

    #[test]
    fn another_encoding_is_the_same_text() {
        let base64 = "Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
                      R3LDvMOfZQ0KDQo=\r\n";
        assert_eq!(compare(TEXT.as_bytes(), TEXT.as_bytes()), ContentMatch::Identical);
        assert_eq!(compare(TEXT.as_bytes(), base64.as_bytes()), ContentMatch::Equal);
    }

    /// What a person sees decides, not how it is labelled; and a wrong label is seen.
    #[test]
    fn another_character_set_is_the_same_text_if_its_label_says_so() {
        let latin = |label: &str| {
            format!(
                "Content-Type: text/plain{label}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n"
            )
        };
        let compare = |after: &str| compare(TEXT.as_bytes(), after.as_bytes());
        assert_eq!(compare(&latin("; charset=iso-8859-1")), ContentMatch::Equal);
        assert_eq!(compare(&latin("; charset=\"Windows-1252\"")), ContentMatch::Equal);
        assert_eq!(compare(&latin("; charset=utf-8")), ContentMatch::Differs);
        assert_eq!(compare(&latin("")), ContentMatch::Differs);
        assert_eq!(compare(&latin("; charset=of-nobody")), ContentMatch::Differs);
        assert_eq!(compare(&TEXT.replace("; charset=utf-8", "")), ContentMatch::Differs);
        assert_eq!(compare(&TEXT.replace("; charset=utf-8", "; charset=iso-8859-1")), ContentMatch::Differs);
    }

    /// A text that nobody can read is the same if nothing of it changed but how it is carried.
    #[test]
    fn text_in_an_unknown_set_is_compared_by_its_octets() {
        let before = TEXT.replace("utf-8", "of-nobody");
        let base64 = "Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=OF-NOBODY\r\n\r\n\
                      R3LDvMOfZQ0K\r\n";
        assert_eq!(compare(before.as_bytes(), base64.as_bytes()), ContentMatch::Equal);
        assert_eq!(compare(before.as_bytes(), base64.replace("LD", "LE").as_bytes()), ContentMatch::Differs);
    }

    #[test]
    fn another_text_or_file_differs() {
        let file = |name: &str, text: &str| {
            format!("Content-Type: application/octet-stream; name={name}\r\n\r\n{text}").into_bytes()
        };
        assert_eq!(compare(TEXT.as_bytes(), TEXT.replace("=9F", "=A4").as_bytes()), ContentMatch::Differs);
        assert_eq!(compare(TEXT.as_bytes(), b""), ContentMatch::Differs);
        assert_eq!(compare(&file("a.bin", "x"), &file("a.bin", "x\r\n")), ContentMatch::Differs);
        assert_eq!(compare(&file("a.bin", "x"), &file("b.bin", "x")), ContentMatch::Differs);
    }
}
