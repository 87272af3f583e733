//! Mails that are too large to hold, and how much was held.

use std::io::{self, Read, Seek, SeekFrom};

const HEADER: &[u8] = b"Subject: large\nContent-Type: text/plain\n\n";
const LINE: &[u8] = b"The quick brown fox jumps over the lazy dog, again and again.\n";

/// A mail that is nowhere.
pub struct Large {
    position: u64,
    size: u64,
}

impl Large {
    /// A mail of about `size` octets.
    pub fn new(size: u64) -> Self {
        Self { position: 0, size }
    }
}

impl Read for Large {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let whole = HEADER.len() as u64;
        let rest: &[u8] = if self.position < whole {
            &HEADER[self.position as usize..]
        } else if self.position < self.size {
            &LINE[((self.position - whole) % LINE.len() as u64) as usize..]
        } else {
            &[]
        };
        let mut filled = 0;
        let mut part = rest;
        while !part.is_empty() && filled < out.len() {
            let now = part.len().min(out.len() - filled);
            out[filled..filled + now].copy_from_slice(&part[..now]);
            filled += now;
            self.position += now as u64;
            part = if self.position < self.size && self.position >= whole { LINE } else { &[] };
        }
        Ok(filled)
    }
}

impl Seek for Large {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.size.saturating_add_signed(by),
            SeekFrom::Current(by) => self.position.saturating_add_signed(by),
        };
        Ok(self.position)
    }
}

/// The most memory that this program had so far, in octets.
pub fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}
