//! base64 as a transfer encoding.

use std::io::{self, Write};

use base64_simd::STANDARD;

use crate::io::Sink;
use crate::overlap::{BLOCK, Block, Hand, overlapped};

/// Writes what `write` gives as base64 in lines of `columns` characters, a
/// multiple of 4, each ended by CRLF (RFC 2045 section 6.8).
///
/// # Errors
/// The output refuses. What `write` says is the inner error.
pub(in crate::message) fn armored<E>(
    out: &mut dyn Sink,
    columns: usize,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> io::Result<Result<(), E>> {
    let groups = (columns / 4).max(1);
    let mut lines = Lines { out, columns: groups * 4, characters: Vec::new(), text: Vec::new() };
    let line = groups * 3;
    overlapped(
        |octets| lines.write(octets),
        |hands| {
            let mut armor = Armor { hands, full: (BLOCK / line).max(1) * line, held: Block::default() };
            match write(&mut armor) {
                Ok(()) => armor.finish().map(Ok),
                Err(error) => Ok(Err(error)),
            }
        },
    )?
}

/// Collects octets until they fill many lines. What an object is made of is not
/// wiped where it is copied: it is ciphertext, or everybody may read it.
struct Armor<'a> {
    hands: &'a mut dyn Hand,
    /// Octets of these lines.
    full: usize,
    held: Block,
}

impl Armor<'_> {
    fn finish(mut self) -> io::Result<()> {
        if self.held.is_empty() { Ok(()) } else { self.hands.hand(&mut self.held) }
    }
}

impl Write for Armor<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let taken = octets.len().min(self.full - self.held.len());
        self.held.extend_from_slice(&octets[..taken]);
        if self.held.len() == self.full {
            self.hands.hand(&mut self.held)?;
            self.held.clear();
        }
        Ok(taken)
    }

    /// Only whole lines can be written before the end, so nothing is.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Encodes whole lines; only the last octets may be less than one.
struct Lines<'a> {
    out: &'a mut dyn Sink,
    columns: usize,
    characters: Vec<u8>,
    text: Vec<u8>,
}

impl Lines<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        const EOL: &[u8] = b"\r\n";
        self.characters.clear();
        STANDARD.encode_append(octets, &mut self.characters);
        let lines = self.characters.len().div_ceil(self.columns);
        self.text.resize(self.characters.len() + lines * EOL.len(), 0);
        let places = self.text.chunks_mut(self.columns + EOL.len());
        for (line, place) in self.characters.chunks(self.columns).zip(places) {
            let (characters, eol) = place.split_at_mut(line.len());
            characters.copy_from_slice(line);
            eol.copy_from_slice(EOL);
        }
        self.out.write_all(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (octets, columns) in
            [(0_usize, 76), (1, 76), (56, 76), (57, 76), (58, 76), (100_000, 76), (1000, 64), (48, 64), (6 << 20, 72)]
        {
            let input: Vec<u8> = (0..octets).map(|n| n as u8).collect();
            let mut out = Vec::new();
            let write = |armor: &mut dyn Write| input.chunks(1000).try_for_each(|piece| armor.write_all(piece));
            armored(&mut out, columns, write).unwrap().unwrap();
            let text = String::from_utf8(out).unwrap();
            let lines: Vec<&str> = text.split_terminator("\r\n").collect();
            assert_eq!(lines.len(), octets.div_ceil(columns / 4 * 3));
            let (last, full) = lines.split_last().unwrap_or((&"", &[]));
            assert!(full.iter().all(|line| line.len() == columns) && last.len() <= columns);
            assert_eq!(STANDARD.decode_to_vec(lines.concat()).unwrap(), input);
        }
    }

    #[test]
    fn what_the_output_says_comes_back() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(octets.len()).ok_or_else(|| io::Error::other("full"))?;
                Ok(octets.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for room in [0, 100_000, 4 << 20, 7 << 20] {
            let mut out = Full(room);
            let write = |armor: &mut dyn Write| armor.write_all(&vec![7; 6 << 20]);
            let error = armored(&mut out, 76, write).and_then(|inner| inner).unwrap_err();
            assert_eq!(error.to_string(), "full", "{room}");
        }
    }
}
