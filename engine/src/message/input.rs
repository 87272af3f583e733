//! What kind of input this is: mail, or bare CMS in DER, BER or PEM.

use std::io::{self, Read, SeekFrom};
use std::ops::Range;

use crate::io::Source;

/// What an input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputKind {
    /// A mail, or a MIME entity: it begins with a header field.
    Mail,
    /// A bare CMS object in DER or BER.
    Cms,
    /// A bare CMS object in PEM (RFC 7468); the range of its base64 text.
    Pem(Range<u64>),
    /// Neither.
    Neither,
}

/// Octets looked at: a PEM label or a first header line stands within them.
const LOOKED_AT: u64 = 64 << 10;

impl InputKind {
    /// Looks at the beginning of an input. A PEM object's end is sought
    /// through the whole input.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn of(source: &mut dyn Source) -> io::Result<Self> {
        source.seek(SeekFrom::Start(0))?;
        let mut start = Vec::new();
        source.take(LOOKED_AT).read_to_end(&mut start)?;
        if is_content_info(&start) {
            return Ok(Self::Cms);
        }
        if let Some(begin) = pem_text(&start) {
            let end = pem_end(source, begin)?;
            return Ok(Self::Pem(begin..end));
        }
        Ok(if has_header_field(&start) { Self::Mail } else { Self::Neither })
    }
}

/// A SEQUENCE whose first element is an OBJECT IDENTIFIER.
fn is_content_info(start: &[u8]) -> bool {
    let [0x30, length, rest @ ..] = start else { return false };
    let skip = match length {
        0..=0x80 => 0,
        _ => usize::from(length & 0x7f),
    };
    skip <= 8 && rest.get(skip) == Some(&6)
}

/// Offset after the BEGIN line of a CMS or PKCS#7 object.
fn pem_text(start: &[u8]) -> Option<u64> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let at = start.windows(BEGIN.len()).position(|window| window == BEGIN)?;
    if at > 0 && start[at - 1] != b'\n' {
        return None;
    }
    // Text before the object, as openssl prints it, has no header field.
    if at > 0 && has_header_field(start) {
        return None;
    }
    let label = &start[at + BEGIN.len()..];
    if !label.starts_with(b"CMS") && !label.starts_with(b"PKCS7") && !label.starts_with(b"PKCS #7") {
        return None;
    }
    let line = label.iter().position(|octet| *octet == b'\n')?;
    Some((at + BEGIN.len() + line + 1) as u64)
}

/// Offset of the END line, or of the end of the input.
fn pem_end(source: &mut dyn Source, begin: u64) -> io::Result<u64> {
    const END: &[u8] = b"-----END ";
    source.seek(SeekFrom::Start(begin))?;
    let mut offset = begin;
    let mut held: Vec<u8> = Vec::new();
    let mut block = vec![0; 64 << 10];
    loop {
        let read = source.read(&mut block)?;
        if read == 0 {
            return Ok(offset + held.len() as u64);
        }
        held.extend_from_slice(&block[..read]);
        if let Some(at) = memchr::memmem::find(&held, END) {
            return Ok(offset + at as u64);
        }
        let done = held.len().saturating_sub(END.len());
        held.drain(..done);
        offset += done as u64;
    }
}

/// Whether the input begins with a header field, after an mbox line and empty
/// lines (RFC 5322 section 2.2).
fn has_header_field(start: &[u8]) -> bool {
    start
        .split(|octet| *octet == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .skip_while(|line| line.is_empty() || line.starts_with(b"From ") || line.starts_with(b">From "))
        .take(1)
        .any(|line| {
            let name = line.iter().position(|octet| *octet == b':').map(|colon| &line[..colon]);
            name.is_some_and(|name| {
                let name = name.trim_ascii_end();
                !name.is_empty() && name.iter().all(|octet| (33..=126).contains(octet))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn kind(input: &[u8]) -> InputKind {
        InputKind::of(&mut Cursor::new(input.to_vec())).unwrap()
    }

    #[test]
    fn inputs_are_told_apart() {
        assert_eq!(kind(b"From: a@example.test\r\n\r\nhello"), InputKind::Mail);
        assert_eq!(kind(b"From x Mon Jan  1\nSubject: x\n\n"), InputKind::Mail);
        assert_eq!(kind(&[0x30, 0x80, 6, 9, 0x2a]), InputKind::Cms);
        assert_eq!(kind(&[0x30, 0x82, 1, 0, 6, 9]), InputKind::Cms);
        assert_eq!(kind(b"-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n"), InputKind::Pem(20..25));
        assert_eq!(kind(b"-----BEGIN PKCS7-----\nAAAA"), InputKind::Pem(22..26));
        for neither in
            [b"".as_slice(), b"hello world", b"\x00\x01\x02", b"-----BEGIN CERTIFICATE-----\nAAAA\n", b"0 no: header"]
        {
            assert_eq!(kind(neither), InputKind::Neither, "{neither:?}");
        }
    }
}
