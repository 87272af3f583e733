//! quoted-printable (RFC 2045 section 6.7).

/// White space that is held back because a line end may follow, and the
/// longest run of it after a `=` that still makes a soft line break.
const HELD: usize = 64 << 10;

/// Decodes quoted-printable piece by piece.
///
/// White space at a line end goes, a `=` there joins the lines, line ends stay
/// as they are stored. A `=` that begins no escape stays as it is: that is what
/// mail programs show.
#[derive(Debug, Default)]
pub(super) struct QuotedPrintableDecoder {
    /// What was read and not decoded: a `=` whose meaning is open, or white
    /// space (and a carriage return) before what may be a line end.
    held: Vec<u8>,
}

impl QuotedPrintableDecoder {
    /// Decodes a piece; `last` says that nothing follows.
    pub(super) fn decode(&mut self, piece: &[u8], last: bool, out: &mut Vec<u8>) {
        let mut raw = std::mem::take(&mut self.held);
        raw.extend_from_slice(piece);
        let mut rest = raw.as_slice();
        while !rest.is_empty() {
            let stop = memchr::memchr2(b'=', b'\n', rest).unwrap_or(rest.len());
            let (run, after) = rest.split_at(stop);
            match after {
                [] => {
                    let kept = run.len() - trailing_space(run);
                    let held = run.len() - kept;
                    if last {
                        out.extend_from_slice(&run[..kept]);
                    } else if held > HELD {
                        out.extend_from_slice(run);
                    } else {
                        out.extend_from_slice(&run[..kept]);
                        self.held.extend_from_slice(&run[kept..]);
                    }
                    return;
                }
                [b'\n', next @ ..] => {
                    let (line, eol): (&[u8], &[u8]) = match run {
                        [line @ .., b'\r'] => (line, b"\r\n"),
                        line => (line, b"\n"),
                    };
                    out.extend_from_slice(&line[..line.len() - trailing_space(line)]);
                    out.extend_from_slice(eol);
                    rest = next;
                }
                escape => {
                    out.extend_from_slice(run);
                    match Escape::read(escape, last) {
                        Escape::Octet(octet) => {
                            out.push(octet);
                            rest = &escape[3..];
                        }
                        Escape::SoftBreak(len) => rest = &escape[len..],
                        Escape::Literal => {
                            out.push(b'=');
                            rest = &escape[1..];
                        }
                        Escape::Open => {
                            self.held.extend_from_slice(escape);
                            return;
                        }
                    }
                }
            }
        }
    }
}

/// Length of the spaces, tabs and carriage returns at the end.
fn trailing_space(run: &[u8]) -> usize {
    run.iter().rev().take_while(|octet| matches!(octet, b' ' | b'\t' | b'\r')).count()
}

/// What a `=` begins.
enum Escape {
    /// `=3D`.
    Octet(u8),
    /// A line that goes on; the length with white space and line end.
    SoftBreak(usize),
    /// Nothing.
    Literal,
    /// More octets must be seen.
    Open,
}

impl Escape {
    fn read(text: &[u8], last: bool) -> Self {
        let hex = |octet: &u8| char::from(*octet).to_digit(16);
        if let [_, high, low, ..] = text
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            return Self::Octet((high << 4 | low) as u8);
        }
        let space = text[1..].iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        match &text[1 + space..] {
            [b'\n', ..] => Self::SoftBreak(space + 2),
            [b'\r', b'\n', ..] => Self::SoftBreak(space + 3),
            [] | [b'\r'] if last => Self::SoftBreak(text.len()),
            [] | [b'\r'] if space < HELD => Self::Open,
            [digit] if space == 0 && !last && hex(digit).is_some() => Self::Open,
            _ => Self::Literal,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::prelude::*;

    use crate::mime::testing::Trickle;
    use crate::mime::{Body, TransferEncoding};

    fn read(text: &[u8], piece: usize) -> Vec<u8> {
        let mut source = Trickle::new(text.to_vec(), piece);
        let mut out = Vec::new();
        Body::new(&mut source, 0..text.len() as u64, TransferEncoding::QuotedPrintable)
            .unwrap()
            .read_to_end(&mut out)
            .unwrap();
        out
    }

    #[test]
    fn escapes_breaks_and_white_space() {
        for (text, decoded) in [
            ("a=3Db=c3=A9", "a=bé"),
            ("soft=\r\nbreak=  \nhere", "softbreakhere"),
            ("line  \r\nnext\t\n", "line\r\nnext\n"),
            ("kept=20\r\n", "kept \r\n"),
            ("a = b =zz =3", "a = b =zz =3"),
            ("inner  space", "inner  space"),
            ("end=", "end"),
            ("", ""),
        ] {
            for piece in [1, 2, 3, 100] {
                assert_eq!(String::from_utf8(read(text.as_bytes(), piece)).unwrap(), decoded, "{text:?} by {piece}");
            }
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            text in proptest::collection::vec(
                prop_oneof![Just(b'='), Just(b'\n'), Just(b'\r'), Just(b' '), Just(b'A'), any::<u8>()], 0..200),
            piece in 1_usize..10,
        ) {
            prop_assert_eq!(read(&text, piece), read(&text, 1 << 16));
        }
    }
}
