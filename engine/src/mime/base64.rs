//! base64 as mail carries it (RFC 2045 section 6.8): lines of any length, and
//! characters between them that do not belong.

use base64_simd::{AsOut as _, STANDARD_NO_PAD};
use waxseal_verdict::Deviation;

use super::body::Fault;

/// Longest line that RFC 2045 allows.
const LINE: usize = 76;
const EOL: &[u8; 2] = b"\r\n";

/// Decodes base64 piece by piece.
///
/// White space at line ends, other characters outside the alphabet and lines
/// over 76 characters are deviations. Padding that is missing, stands where
/// none is due, or is followed by more data is a fault: octets would be lost or
/// invented silently.
#[derive(Debug, Default)]
pub(super) struct Base64Decoder {
    /// The characters of a group that is not complete, as their six bits.
    group: u32,
    group_len: u8,
    /// Padding characters that are still due after the first one.
    padding_due: u8,
    padded: bool,
    line_len: usize,
    /// Octets of the last whole line, and of its line end.
    usual: (usize, usize),
    long_lines: bool,
    junk: bool,
    /// The characters of a piece without their line ends.
    stripped: Vec<u8>,
}

impl Base64Decoder {
    /// Decodes a piece that stands at `offset` and appends what it says.
    pub(super) fn decode(&mut self, piece: &[u8], offset: u64, out: &mut Vec<u8>) -> Option<Fault> {
        self.strip_line_ends(piece);
        if !self.padded && self.decode_stripped(out) {
            return None;
        }
        for (index, octet) in piece.iter().enumerate() {
            if let Err(why) = self.push(*octet, out) {
                return Some(Fault { offset: offset + index as u64, why });
            }
        }
        None
    }

    /// What is wrong at the end of the body, which is at `offset`.
    pub(super) fn finish(&mut self, offset: u64) -> Option<Fault> {
        let why = match (self.group_len, self.padding_due) {
            (0, 0) => return None,
            (1, _) => "one character is left over; the data is cut off",
            _ => "the padding is missing; the data is cut off",
        };
        Some(Fault { offset, why })
    }

    pub(super) fn deviations(&self) -> Vec<Deviation> {
        [(self.long_lines, Deviation::Base64LongLines), (self.junk, Deviation::Base64Junk)]
            .into_iter()
            .filter_map(|(seen, deviation)| seen.then_some(deviation))
            .collect()
    }

    /// Takes the line ends out of a piece and notes lines that are too long.
    fn strip_line_ends(&mut self, piece: &[u8]) {
        self.stripped.clear();
        let mut rest = piece;
        while !rest.is_empty() {
            // A line like the one before needs no search. A shorter one that hides in
            // it brings its line end along, which is then refused as a character.
            let (usual, eol) = self.usual;
            if self.line_len == 0 && eol > 0 && rest.get(usual..).is_some_and(|end| end.starts_with(&EOL[2 - eol..])) {
                self.stripped.extend_from_slice(&rest[..usual]);
                rest = &rest[usual + eol..];
                continue;
            }
            let newline = memchr::memchr(b'\n', rest);
            let whole = &rest[..newline.unwrap_or(rest.len())];
            let line = whole.strip_suffix(b"\r").unwrap_or(whole);
            self.stripped.extend_from_slice(line);
            self.line_len += line.len();
            self.long_lines |= self.line_len > LINE;
            let Some(newline) = newline else { break };
            self.usual = (self.line_len, 1 + whole.len() - line.len());
            self.line_len = 0;
            rest = &rest[newline + 1..];
        }
    }

    /// Decodes the stripped characters at once, when they are of the alphabet
    /// alone, perhaps with padding at their end; else nothing happens.
    fn decode_stripped(&mut self, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let before = (self.group, self.group_len, self.padding_due, self.padded, self.junk);
        let stripped = std::mem::take(&mut self.stripped);
        let padding = stripped.iter().rev().take_while(|octet| **octet == b'=').count();
        let (text, padding) = stripped.split_at(stripped.len() - padding);
        let decoded = self.decode_groups(text, out).is_some() && padding.iter().all(|pad| self.push(*pad, out).is_ok());
        self.stripped = stripped;
        if !decoded {
            out.truncate(start);
            (self.group, self.group_len, self.padding_due, self.padded, self.junk) = before;
        }
        decoded
    }

    /// Decodes characters of the alphabet; the last ones wait in the group.
    fn decode_groups(&mut self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let missing = (4 - usize::from(self.group_len)) % 4;
        let (head, rest) = text.split_at(missing.min(text.len()));
        (self.group, self.group_len) = extend_group((self.group, self.group_len), head)?;
        if self.group_len == 4 {
            out.extend_from_slice(&self.group.to_be_bytes()[1..]);
            (self.group, self.group_len) = (0, 0);
        }
        let (groups, tail) = rest.split_at(rest.len() & !3);
        let start = out.len();
        out.resize(start + groups.len() / 4 * 3, 0);
        STANDARD_NO_PAD.decode(groups, out[start..].as_out()).ok()?;
        (self.group, self.group_len) = extend_group((self.group, self.group_len), tail)?;
        Some(())
    }

    /// Takes one character.
    fn push(&mut self, octet: u8, out: &mut Vec<u8>) -> Result<(), &'static str> {
        if let Some(six) = six_bits(octet) {
            if self.padded {
                return Err("data goes on after the padding");
            }
            self.group = self.group << 6 | u32::from(six);
            self.group_len += 1;
            if self.group_len == 4 {
                out.extend_from_slice(&self.group.to_be_bytes()[1..]);
                (self.group, self.group_len) = (0, 0);
            }
            return Ok(());
        }
        match octet {
            b'\r' | b'\n' => {}
            b'=' if self.padding_due > 0 => self.padding_due -= 1,
            b'=' if self.padded => self.junk = true,
            b'=' => {
                match self.group_len {
                    2 => out.push((self.group >> 4) as u8),
                    3 => out.extend_from_slice(&[(self.group >> 10) as u8, (self.group >> 2) as u8]),
                    _ => return Err("padding where none is due"),
                }
                self.padding_due = 3 - self.group_len;
                self.padded = true;
                (self.group, self.group_len) = (0, 0);
            }
            _ => self.junk = true,
        }
        Ok(())
    }
}

/// A group with more characters; `None` when one is not of the alphabet.
fn extend_group(group: (u32, u8), characters: &[u8]) -> Option<(u32, u8)> {
    characters.iter().try_fold(group, |(bits, len), octet| Some((bits << 6 | u32::from(six_bits(*octet)?), len + 1)))
}

/// The six bits of a character of the alphabet.
const fn six_bits(octet: u8) -> Option<u8> {
    Some(match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use base64::Engine as _;
    use proptest::prelude::*;

    use super::*;
    use crate::mime::testing::Trickle;
    use crate::mime::{Body, MimeError, TransferEncoding};

    fn read(text: &[u8], piece: usize) -> (Vec<u8>, Vec<Deviation>, Option<(u64, String)>) {
        let mut source = Trickle::new(text.to_vec(), piece);
        let mut body = Body::new(&mut source, 0..text.len() as u64, TransferEncoding::Base64).unwrap();
        let mut out = Vec::new();
        let fault = body.read_to_end(&mut out).err().map(|error| {
            let inner = MimeError::within(&error).unwrap();
            (inner.offset(), inner.to_string())
        });
        (out, body.deviations(), fault)
    }

    #[test]
    fn good_base64_has_no_deviation() {
        for text in ["QUJD\r\nREVG\r\n", "QUJDREVG", "", "\n\n", "QUJ\nDREVG\n"] {
            let (out, deviations, fault) = read(text.as_bytes(), 1 << 16);
            assert_eq!((deviations, fault), (vec![], None), "{text}");
            assert!(out.is_empty() || out == b"ABCDEF");
        }
        assert_eq!(read(b"QQ==\n", 1).0, b"A");
        assert_eq!(read(b"QUI=\n", 1).0, b"AB");
        assert_eq!(read(b"QUI\n=\n", 64).0, b"AB");
        assert_eq!(read(b"QR==\n", 64), (b"A".to_vec(), vec![], None), "unused bits do not matter");
    }

    #[test]
    fn junk_and_long_lines_are_deviations() {
        assert_eq!(read(b"QU JD\n-REVG\n", 64), (b"ABCDEF".to_vec(), vec![Deviation::Base64Junk], None));
        assert_eq!(read(b"QUI==\n==\n!\n", 64), (b"AB".to_vec(), vec![Deviation::Base64Junk], None));
        let line = "QUJD".repeat(19);
        assert_eq!(read(line.as_bytes(), 64).1, []);
        assert_eq!(read(format!("{line}Q\nUJD\n").as_bytes(), 7).1, [Deviation::Base64LongLines]);
        // Two short lines where one of the usual length would end; and white space in a line.
        let regular = b"QUJDREVG\r\nQUJDREVG\r\n";
        for (last, deviations) in
            [("QUJD\r\nREVG\r\n", vec![]), ("QU\nJDREV\r\nG", vec![]), ("QUJD REVG\r\n", vec![Deviation::Base64Junk])]
        {
            let text = [regular, last.as_bytes()].concat();
            assert_eq!(read(&text, 1 << 16), (b"ABCDEF".repeat(3), deviations, None), "{last:?}");
        }
    }

    #[test]
    fn bad_padding_is_a_fault_with_its_place() {
        for (text, offset, why) in [
            ("QUJD\nQ", 6, "left over"),
            ("QUJDQU", 6, "missing"),
            ("QQ=\n", 4, "missing"),
            ("QUJD=", 4, "none is due"),
            ("Q===", 1, "none is due"),
            ("QQ==\nQUJD", 5, "after the padding"),
            ("QQ=Q", 3, "after the padding"),
        ] {
            let (_, _, fault) = read(text.as_bytes(), 64);
            let (at, message) = fault.unwrap_or_else(|| panic!("{text:?} is no fault"));
            assert!(at == offset && message.contains(why), "{text:?}: {at} {message}");
        }
    }

    #[test]
    fn what_stands_before_a_fault_is_read() {
        let (out, _, fault) = read(b"QUJDREVG\nQ", 64);
        assert_eq!(out, b"ABCDEF");
        assert!(fault.is_some());
    }

    proptest! {
        #[test]
        fn any_line_length_decodes_to_what_was_encoded(
            octets in proptest::collection::vec(any::<u8>(), 0..600),
            line in 1_usize..200,
            crlf in any::<bool>(),
            piece in 1_usize..300,
        ) {
            let encoded = base64::engine::general_purpose::STANDARD.encode(&octets);
            let eol = if crlf { "\r\n" } else { "\n" };
            let lines: Vec<&str> = encoded.as_bytes().chunks(line).map(|l| std::str::from_utf8(l).unwrap()).collect();
            let (out, deviations, fault) = read(lines.join(eol).as_bytes(), piece);
            prop_assert_eq!(out, octets);
            prop_assert_eq!(fault, None);
            let long = lines.iter().any(|line| line.len() > 76);
            prop_assert_eq!(deviations, if long { vec![Deviation::Base64LongLines] } else { vec![] });
        }
    }
}
