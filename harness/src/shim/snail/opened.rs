//! What `decrypt` left in a folder, and whether it decrypted anything.
//!
//! What s-nail cannot decrypt it copies. In front of what it decrypted it puts a
//! field with the time, one for each layer; such a field can also stand in the mail,
//! and within what was encrypted, because somebody wrote it there. So each mail is
//! decrypted twice, in two time zones: a field of s-nail's own is not the same twice,
//! and everything else has to be.

use super::super::mail;

/// The field that s-nail puts before what it decrypted.
const MARK: &[u8] = b"X-Decoding-Date:";

/// The zones of the two runs, as POSIX has them: UTC, and an hour east of it.
pub(super) const ZONES: [&str; 2] = ["UTC", "XXX-1"];

/// What two runs left, taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Left {
    /// The mail as it was.
    Copy,
    /// What was inside so many layers, at least one.
    Opened {
        /// With CRLF.
        content: Vec<u8>,
        /// Encryption inside encryption it peels by itself.
        layers: usize,
    },
    /// Something else each time: no key fits, and OpenSSL took random ones (RFC 3218 section 2.3.2), one in 256
    /// of which gives a right padding.
    Unsteady,
}

impl Left {
    /// What the two runs left, in the zones of [`ZONES`].
    pub(super) fn of(one: &[u8], other: &[u8]) -> Self {
        let (header, body) = split(one);
        let (twin_header, twin_body) = split(other);
        let mut twins = twin_header.split_inclusive(|octet| *octet == b'\n');
        let (mut layers, mut begin, mut end) = (0, 0, 0);
        for line in header.split_inclusive(|octet| *octet == b'\n') {
            let Some(twin) = twins.next() else { return Self::Unsteady };
            end += line.len();
            if line == twin {
                continue;
            }
            if !line.starts_with(MARK) || !twin.starts_with(MARK) {
                return Self::Unsteady;
            }
            (layers, begin) = (layers + 1, end);
        }
        if twins.next().is_some() || body != twin_body {
            return Self::Unsteady;
        }
        if layers == 0 {
            return Self::Copy;
        }
        let inner = one.get(begin..).unwrap_or_default();
        // It adds a line end to a mail that does not end in an empty line. That text ends in one by itself
        // cannot be told from it; that there is no text can.
        let has_text = body.len() > 1;
        let inner = inner.strip_suffix(b"\n").filter(|_| has_text).unwrap_or(inner);
        Self::Opened { content: mail::in_crlf(inner.to_vec()), layers }
    }
}

/// The lines of a header, and the empty line with all that follows.
fn split(mail: &[u8]) -> (&[u8], &[u8]) {
    let lines = mail.split_inclusive(|octet| *octet == b'\n').take_while(|line| *line != b"\n");
    mail.split_at(lines.map(<[u8]>::len).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTER: &str = "From: a@example.test\nX-Encoded-Content-Type: application/pkcs7-mime\n";
    const INNER: &str = "Content-Type: text/plain\n\nhello\n\n";

    /// What s-nail writes, with its marks in both zones.
    fn left(mail: &str) -> Left {
        let mark = |zone: &str| format!("X-Decoding-Date: Mon, 23 Nov 2026 12:42:27 {zone}\n");
        let run = |zone: &str| mail.replace("MARK\n", &mark(zone)).into_bytes();
        Left::of(&run("+0000"), &run("+0100"))
    }

    fn opened(layers: usize) -> Left {
        Left::Opened { content: b"Content-Type: text/plain\r\n\r\nhello\r\n".to_vec(), layers }
    }

    #[test]
    fn what_it_marked_is_told_from_what_was_there() {
        assert_eq!(left(&format!("{OUTER}MARK\n{INNER}")), opened(1));
        assert_eq!(left(&format!("{OUTER}MARK\nSubject: x\nMARK\n{INNER}")), opened(2));
        // A copy of a mail that has such a field.
        let theirs = "X-Decoding-Date: Mon, 23 Nov 2026 12:42:27 +0000\n";
        assert_eq!(left(&format!("{theirs}{OUTER}Status: O\n\nMIIB\n")), Left::Copy);
        assert_eq!(left(&format!("{theirs}{OUTER}MARK\n{INNER}")), opened(1));
        // One that stood within what was encrypted belongs to the content.
        let Left::Opened { content, layers } = left(&format!("{OUTER}MARK\n{theirs}{INNER}")) else { panic!("a copy") };
        assert!(layers == 1 && content.starts_with(b"X-Decoding-Date: Mon, 23 Nov 2026 12:42:27 +0000\r\n"));
    }

    #[test]
    fn what_is_another_thing_each_time_was_not_opened() {
        let good = format!("{OUTER}X-Decoding-Date: 1\nA: b\n\nx\n\n");
        for other in [
            format!("{OUTER}X-Decoding-Date: 2\nA: b\n\ny\n\n"),
            format!("{OUTER}X-Decoding-Date: 2\nA: c\n\nx\n\n"),
            format!("{OUTER}X-Decoding-Date: 2\n\nx\n\n"),
            format!("{OUTER}X-Decoding-Date: 2\nA: b\nB: c\n\nx\n\n"),
            // The second run copied it.
            "From: a@example.test\nContent-Type: application/pkcs7-mime\n\nMIIB\n".to_owned(),
        ] {
            assert_eq!(Left::of(good.as_bytes(), other.as_bytes()), Left::Unsteady, "{other}");
        }
    }

    #[test]
    fn a_mail_without_text_keeps_its_line_end() {
        let Left::Opened { content, .. } = left(&format!("{OUTER}MARK\nA: b\n\n")) else { panic!("a copy") };
        assert_eq!(content, b"A: b\r\n\r\n");
    }
}
