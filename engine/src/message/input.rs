//! What kind of input this is: mail, or bare CMS in DER, BER or PEM.

use std::io::{self, Read, SeekFrom};
use std::ops::Range;

use crate::Limits;
use crate::io::Source;
use crate::message::request::OpenError;
use crate::mime::{self, MimeError};
use crate::timestamp::TimeStampResp;

/// What an input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputKind {
    /// A mail, or a MIME entity: it begins with a header field.
    Mail,
    /// A bare CMS object in DER or BER.
    Cms,
    /// A bare CMS object in PEM (RFC 7468); the range of its base64 text.
    Pem(Range<u64>),
    /// The answer of a time-stamping authority in DER (RFC 3161), of 64 KiB at most.
    TimeStampResponse(TimeStampResp),
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
    pub fn of(source: &mut dyn Source, limits: &Limits) -> Result<Self, OpenError> {
        source.seek(SeekFrom::Start(0))?;
        let mut start = Vec::new();
        source.take(LOOKED_AT).read_to_end(&mut start)?;
        if is_content_info(&start) {
            return Ok(Self::Cms);
        }
        if let Ok(response) = TimeStampResp::parse(&start) {
            return Ok(Self::TimeStampResponse(response));
        }
        if let Some(begin) = pem_text(&start, limits)? {
            let end = pem_end(source, begin)?;
            return Ok(Self::Pem(begin..end));
        }
        Ok(if mime::has_header_field(source, limits)? { Self::Mail } else { Self::Neither })
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

/// Offset after the BEGIN line of a CMS or PKCS#7 object. Text may stand before
/// it, as openssl prints it, but no header field: then it is text in a mail.
fn pem_text(start: &[u8], limits: &Limits) -> Result<Option<u64>, MimeError> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const LABELS: [&[u8]; 3] = [b"CMS", b"PKCS7", b"PKCS #7"];
    let Some(at) = memchr::memmem::find(start, BEGIN) else { return Ok(None) };
    let (before, label) = (&start[..at], &start[at + BEGIN.len()..]);
    let begins_a_line = before.last().is_none_or(|octet| *octet == b'\n');
    if !begins_a_line || !LABELS.iter().any(|known| label.starts_with(known)) {
        return Ok(None);
    }
    if mime::has_header_field(&mut io::Cursor::new(before), limits)? {
        return Ok(None);
    }
    let line = memchr::memchr(b'\n', label);
    Ok(line.map(|line| (at + BEGIN.len() + line + 1) as u64))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn kind(input: &[u8]) -> InputKind {
        InputKind::of(&mut Cursor::new(input.to_vec()), &Limits::default()).unwrap()
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

    #[test]
    fn every_length_of_a_content_info() {
        for length in [&[0x0b][..], &[0x81, 200], &[0x84, 0, 0, 1, 0], &[0x88, 0, 0, 0, 0, 0, 0, 1, 0], &[0x80]] {
            assert_eq!(kind(&[&[0x30], length, &[6, 9, 0x2a]].concat()), InputKind::Cms, "{length:02x?}");
        }
        let nine = [&[0x30, 0x89][..], &[0; 9], &[6, 9]].concat();
        for neither in [&[0x30][..], &[0x30, 0x80], &[0x30, 0x82, 1], &[0x30, 3, 2, 1, 1], &[0x31, 2, 6, 0], &nine] {
            assert_eq!(kind(neither), InputKind::Neither, "{neither:02x?}");
        }
    }

    #[test]
    fn pem_labels_and_line_ends() {
        assert_eq!(kind(b"-----BEGIN CMS-----\r\nAAAA\r\n-----END CMS-----\r\n"), InputKind::Pem(21..27));
        assert_eq!(kind(b"-----BEGIN PKCS #7 SIGNED DATA-----\nAAAA"), InputKind::Pem(36..40));
        assert_eq!(kind(b"as printed by a tool\n-----BEGIN CMS-----\nAA"), InputKind::Pem(41..43));
        assert_eq!(kind(b"-----BEGIN CMS-----\n"), InputKind::Pem(20..20));
        for neither in [
            // No line end after the label: nothing can follow it.
            b"-----BEGIN CMS-----".as_slice(),
            b"in a line -----BEGIN CMS-----\nAAAA\n",
            b"-----BEGIN PKCS12-----\nAAAA\n",
            b"----BEGIN CMS-----\nAAAA\n",
        ] {
            assert_eq!(kind(neither), InputKind::Neither, "{}", String::from_utf8_lossy(neither));
        }
    }

    #[test]
    fn a_mail_that_quotes_pem_is_a_mail() {
        assert_eq!(kind(b"Subject: x\n\n-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n"), InputKind::Mail);
        // An empty line ends the header, and this header has no field (RFC 5322 section 2.1).
        assert_eq!(kind(b"\r\n\r\nFrom: a@example.test\r\n\r\nhello"), InputKind::Neither);
        assert_eq!(kind(b">From x\nFrom y\nX-Y : z\n"), InputKind::Mail);
        for neither in [b": no name\n".as_slice(), b" Folded: first\n", b"\xfcber: x\n", b"\n\n\n", b"From x\n"] {
            assert_eq!(kind(neither), InputKind::Neither, "{}", String::from_utf8_lossy(neither));
        }
    }

    #[test]
    fn the_end_is_found_across_reads_and_beyond_what_is_looked_at() {
        let begin = b"-----BEGIN CMS-----\n";
        for text in [(64 << 10) - 25, (64 << 10) - 5, 64 << 10, (128 << 10) - 1, 200_000] {
            let text = vec![b'A'; text];
            let pem = [begin, text.as_slice(), b"\n-----END CMS-----\n"].concat();
            let end = (begin.len() + text.len() + 1) as u64;
            assert_eq!(kind(&pem), InputKind::Pem(begin.len() as u64..end));
            assert_eq!(kind(&pem[..pem.len() - 18]), InputKind::Pem(begin.len() as u64..end), "no END line");
        }
        // Where a label has to be is bounded.
        let late = [vec![b'x'; 64 << 10].as_slice(), b"\n", begin, b"AAAA\n"].concat();
        assert_eq!(kind(&late), InputKind::Neither);
    }

    #[test]
    fn an_input_is_looked_at_from_its_start() {
        let mut source = Cursor::new(b"Subject: x\n\nhello".to_vec());
        source.set_position(12);
        assert_eq!(InputKind::of(&mut source, &Limits::default()).unwrap(), InputKind::Mail);
    }
}
