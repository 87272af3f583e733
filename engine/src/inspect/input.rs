//! What kind of input this is.

use std::io::{Read, SeekFrom};
use std::ops::Range;

use crate::Limits;
use crate::io::Source;
use crate::mime::{MimeError, has_header_field};

/// Octets in which a PEM block begins, and which are looked at for its end at once.
const LOOKED_AT: usize = 64 << 10;
/// PEM blocks of one input.
const BLOCKS: usize = 100;

/// What kind of input this is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    Mail,
    Ber,
    Pem(Vec<Block>),
    Neither,
}

/// A PEM block (RFC 7468).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) label: String,
    /// Its base64 text.
    pub(super) text: Range<u64>,
}

impl Input {
    pub(super) fn of(source: &mut dyn Source, limits: &Limits) -> Result<Self, MimeError> {
        let start = read_at(source, 0, LOOKED_AT)?;
        // A SEQUENCE; no header field begins with the digit 0 and a control
        // character or an octet outside ASCII.
        if matches!(start.as_slice(), [0x30, length, ..] if !length.is_ascii_graphic() && *length != b' ') {
            return Ok(Self::Ber);
        }
        // A SEQUENCE of 33 to 126 octets can begin with "0" and any character.
        if let [0x30, length, rest @ ..] = start.as_slice()
            && rest.len() == usize::from(*length)
        {
            return Ok(Self::Ber);
        }
        if start.trim_ascii_start().starts_with(BEGIN) {
            return Ok(Self::Pem(blocks(source)?));
        }
        if has_header_field(source, limits)? {
            return Ok(Self::Mail);
        }
        let blocks = blocks(source)?;
        Ok(if blocks.is_empty() { Self::Neither } else { Self::Pem(blocks) })
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";

/// Every block, wherever it stands; the last may lack its end.
fn blocks(source: &mut dyn Source) -> Result<Vec<Block>, MimeError> {
    let mut found = Vec::new();
    let mut at = 0;
    while found.len() < BLOCKS
        && let Some(begin) = find(source, at, BEGIN)?
    {
        let head = read_at(source, begin, 256)?;
        let line = memchr::memchr(b'\n', &head).unwrap_or(head.len());
        let label = String::from_utf8_lossy(&head[BEGIN.len().min(line)..line]);
        let label = label.trim_end().trim_end_matches('-').to_owned();
        let start = begin + line as u64 + 1;
        let end = find(source, start, END)?;
        at = end.unwrap_or(u64::MAX);
        let text = start..end.unwrap_or(size(source)?).max(start);
        found.push(Block { label, text });
    }
    Ok(found)
}

/// Offset of the first needle at the start of a line, from `from` on.
fn find(source: &mut dyn Source, from: u64, needle: &[u8]) -> Result<Option<u64>, MimeError> {
    if from == u64::MAX {
        return Ok(None);
    }
    let mut at = from;
    loop {
        let window = read_at(source, at, LOOKED_AT)?;
        for index in memchr::memmem::find_iter(&window, needle) {
            let line_start = match index.checked_sub(1) {
                Some(before) => window[before] == b'\n',
                None => at == 0 || at == from,
            };
            if line_start {
                return Ok(Some(at + index as u64));
            }
        }
        if window.len() < LOOKED_AT {
            return Ok(None);
        }
        // The start of a needle at the end of the window, and the octet before it.
        at += (window.len() - needle.len() - 1) as u64;
    }
}

fn read_at(source: &mut dyn Source, offset: u64, octets: usize) -> Result<Vec<u8>, MimeError> {
    let failed = |source| MimeError::Read { offset, source };
    source.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut window = Vec::new();
    source.take(octets as u64).read_to_end(&mut window).map_err(failed)?;
    Ok(window)
}

fn size(source: &mut dyn Source) -> Result<u64, MimeError> {
    source.seek(SeekFrom::End(0)).map_err(|source| MimeError::Read { offset: 0, source })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn kind(octets: &[u8]) -> Input {
        Input::of(&mut Cursor::new(octets), &Limits::default()).unwrap()
    }

    #[test]
    fn inputs_are_told_apart() {
        assert_eq!(kind(b"Subject: x\n\n"), Input::Mail);
        assert_eq!(kind(b"\x30\x80\x06\x00"), Input::Ber);
        assert_eq!(kind(b"\x30\x82\x00\x01x"), Input::Ber);
        assert_eq!(kind(&[[0x30, 40].as_slice(), &[0; 40]].concat()), Input::Ber);
        assert_eq!(kind(b"0: is a field\n\n"), Input::Mail);
        assert_eq!(kind(b"text\n"), Input::Neither);
        assert_eq!(kind(b""), Input::Neither);
    }

    #[test]
    fn every_pem_block_is_found() {
        let text = b"text before\n-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n-----BEGIN PKCS7-----\r\nQQ==\n";
        let Input::Pem(blocks) = kind(text) else { panic!() };
        let found: Vec<_> = blocks
            .iter()
            .map(|block| (block.label.as_str(), &text[block.text.start as usize..block.text.end as usize]))
            .collect();
        assert_eq!(found, [("CMS", b"AAAA\n".as_slice()), ("PKCS7", b"QQ==\n")]);
    }
}
