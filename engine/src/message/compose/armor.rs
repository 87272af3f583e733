//! base64 as a transfer encoding.

use std::io::{self, Write};

use base64_simd::STANDARD;

/// Lines that are encoded at once.
const LINES: usize = 512;

/// Writes octets as base64 in lines of one length, each ended by CRLF (RFC
/// 2045 section 6.8).
pub(in crate::message) struct Armor<'a> {
    out: &'a mut dyn Write,
    /// Octets of one line before encoding.
    line: usize,
    held: Vec<u8>,
    /// What is held, encoded, and then in lines.
    characters: Vec<u8>,
    text: Vec<u8>,
}

impl<'a> Armor<'a> {
    /// Lines of `columns` characters, a multiple of 4.
    pub(in crate::message) fn new(out: &'a mut dyn Write, columns: usize) -> Self {
        let line = (columns / 4).max(1) * 3;
        Self { out, line, held: Vec::with_capacity(line * LINES), characters: Vec::new(), text: Vec::new() }
    }

    /// Writes the last line.
    pub(in crate::message) fn finish(mut self) -> io::Result<()> {
        self.put()
    }

    fn put(&mut self) -> io::Result<()> {
        self.characters.clear();
        STANDARD.encode_append(&self.held, &mut self.characters);
        self.held.clear();
        self.text.clear();
        for line in self.characters.chunks(self.line / 3 * 4) {
            self.text.extend_from_slice(line);
            self.text.extend_from_slice(b"\r\n");
        }
        self.out.write_all(&self.text)
    }
}

impl Write for Armor<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let full = self.line * LINES;
        let taken = octets.len().min(full - self.held.len());
        self.held.extend_from_slice(&octets[..taken]);
        if self.held.len() == full {
            self.put()?;
        }
        Ok(taken)
    }

    /// Only whole lines can be written before the end, so nothing is.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (octets, columns) in
            [(0_usize, 76), (1, 76), (56, 76), (57, 76), (58, 76), (100_000, 76), (1000, 64), (48, 64)]
        {
            let input: Vec<u8> = (0..octets).map(|n| n as u8).collect();
            let mut out = Vec::new();
            let mut armor = Armor::new(&mut out, columns);
            for piece in input.chunks(1000) {
                armor.write_all(piece).unwrap();
            }
            armor.finish().unwrap();
            let text = String::from_utf8(out).unwrap();
            let lines: Vec<&str> = text.split_terminator("\r\n").collect();
            assert_eq!(lines.len(), octets.div_ceil(columns / 4 * 3));
            let (last, full) = lines.split_last().unwrap_or((&"", &[]));
            assert!(full.iter().all(|line| line.len() == columns) && last.len() <= columns);
            assert_eq!(STANDARD.decode_to_vec(lines.concat()).unwrap(), input);
        }
    }
}
