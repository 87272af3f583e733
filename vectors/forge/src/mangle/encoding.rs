//! Content transfer encodings, written (RFC 2045 section 6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waxseal_model::Encoding;

/// Characters of an encoded line at most (RFC 2045 sections 6.7 and 6.8).
const COLUMNS: usize = 76;

/// A text in an encoding; that of 7bit and 8bit is no other.
pub(super) fn encode(text: &[u8], encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::QuotedPrintable => quoted_printable(text),
        Encoding::Base64 => in_lines(STANDARD.encode(text).as_bytes(), COLUMNS),
        _ => text.to_vec(),
    }
}

/// Characters in lines of so many, with CRLF between them.
pub(super) fn in_lines(characters: &[u8], columns: usize) -> Vec<u8> {
    let lines: Vec<&[u8]> = characters.chunks(columns.max(1)).collect();
    lines.join(&b"\r\n"[..])
}

/// RFC 2045 section 6.7: line ends stay, blanks before them are encoded.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    let lines = text.split_inclusive(|octet| *octet == b'\n');
    for line in lines {
        let content = line.strip_suffix(b"\r\n").unwrap_or(line);
        let mut column = 0;
        for (index, octet) in content.iter().enumerate() {
            let last = index + 1 == content.len();
            let plain = matches!(octet, b'!'..=b'<' | b'>'..=b'~') || (!last && matches!(octet, b' ' | b'\t'));
            let width = if plain { 1 } else { 3 };
            // A soft line break needs a column of its own.
            if column + width + usize::from(!last) > COLUMNS {
                out.extend(b"=\r\n");
                column = 0;
            }
            if plain {
                out.push(*octet)
            } else {
                out.extend(format!("={octet:02X}").into_bytes())
            }
            column += width;
        }
        out.extend(&line[content.len()..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_printable_lines() {
        let text = "Gr\u{fc}n =\t\r\n\r\n.\r\nend".as_bytes();
        assert_eq!(quoted_printable(text), b"Gr=C3=BCn =3D=09\r\n\r\n.\r\nend");
        let long = [b'x'; 200];
        let encoded = quoted_printable(&long);
        let lines: Vec<&[u8]> = encoded.split(|octet| *octet == b'\n').collect();
        assert!(lines.iter().all(|line| line.trim_ascii_end().len() <= COLUMNS), "{encoded:?}");
        assert_eq!(encoded.iter().filter(|octet| **octet == b'x').count(), 200);
        // A line feed alone is content (section 6.7 rule 1), and no line end.
        assert_eq!(quoted_printable(b"a\nb\r\n"), b"a=0Ab\r\n");
    }
}
