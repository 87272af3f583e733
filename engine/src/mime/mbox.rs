//! The mbox format (RFC 4155): messages one after the other, each after a
//! `From ` line.

use std::ops::Range;

use super::error::MimeError;
use super::scanner::Scanner;
use crate::io::Source;

/// The range of message number `index` (from 0) of an mbox, its `From ` line
/// not included; `None` when there are fewer.
///
/// Input that is no mbox is one message. A `From ` line begins a message at the
/// start of the file and after an empty line, when it carries a time of day;
/// that empty line belongs to neither message. `>From ` quoting stays as it is,
/// because undoing it would change what was signed.
///
/// # Errors
/// When the source cannot be read.
pub fn message(source: &mut dyn Source, index: usize) -> Result<Option<Range<u64>>, MimeError> {
    messages(source)?.nth(index).transpose()
}

/// The ranges of all messages of an mbox, one at a time.
///
/// # Errors
/// When the source cannot be read.
pub fn messages(
    source: &mut dyn Source,
) -> Result<impl Iterator<Item = Result<Range<u64>, MimeError>> + '_, MimeError> {
    let first = after_from_line(source)?;
    let is_mbox = first > 0;
    let mut scanner = Scanner::starting_at(source, first)?;
    let mut start = Some(first);
    Ok(std::iter::from_fn(move || {
        let begin = start.take()?;
        let found = if is_mbox { scanner.next_from_line() } else { Ok(None) };
        Some(found.and_then(|found| match found {
            Some((end, next)) => {
                start = Some(next);
                Ok(begin..end)
            }
            None => Ok(begin..scanner.finish()?),
        }))
    }))
}

/// Offset after the `From ` line at the start of the source; 0 when there is none.
pub(super) fn after_from_line(source: &mut dyn Source) -> Result<u64, MimeError> {
    let mut scanner = Scanner::starting_at(source, 0)?;
    match scanner.line(FROM_LINE, "octets in the first line") {
        Ok(Some((line, octets))) if is_from_line(octets) => Ok(line.end()),
        Ok(_) | Err(MimeError::LimitExceeded { .. }) => Ok(0),
        Err(error) => Err(error),
    }
}

/// Longest `From ` line.
pub(super) const FROM_LINE: usize = 1 << 10;

/// Whether a line separates messages: `From `, an address, and a date with a
/// time of day. Prose that begins with "From" carries no `10:42`.
pub(super) fn is_from_line(line: &[u8]) -> bool {
    line.starts_with(b"From ")
        && line.windows(5).any(|w| {
            w[0].is_ascii_digit()
                && w[1].is_ascii_digit()
                && w[2] == b':'
                && w[3].is_ascii_digit()
                && w[4].is_ascii_digit()
        })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn ranges(text: &str) -> Vec<&str> {
        let mut source = Cursor::new(text.as_bytes());
        let ranges: Vec<_> = messages(&mut source).unwrap().map(Result::unwrap).collect();
        ranges.into_iter().map(|range| &text[range.start as usize..range.end as usize]).collect()
    }

    #[test]
    fn an_mbox_is_cut_at_from_lines_after_empty_ones() {
        let first = "From a@b Mon Jan  1 10:00:00 2024\n";
        assert_eq!(ranges(&format!("{first}S: 1\n\none\n\n{first}S: 2\n\ntwo\n")), ["S: 1\n\none\n", "S: 2\n\ntwo\n"]);
        let crlf = first.replace('\n', "\r\n");
        assert_eq!(
            ranges(&format!("{crlf}S: 1\r\n\r\none\r\n\r\n{crlf}S: 2\r\n")),
            ["S: 1\r\n\r\none\r\n", "S: 2\r\n"]
        );
        assert_eq!(ranges(&format!("{first}{first}")), ["From a@b Mon Jan  1 10:00:00 2024\n"]);
    }

    #[test]
    fn prose_and_single_messages_are_left_alone() {
        let first = "From a@b Mon Jan  1 10:00:00 2024\n";
        let prose = "S: 1\n\nFrom here on\n\nFrom noon to night\ntext\nFrom a@b 10:00\n";
        assert_eq!(ranges(&format!("{first}{prose}")), [prose]);
        let no_mbox = format!("S: 1\n\n\n{first}");
        assert_eq!(ranges(&no_mbox), [no_mbox.as_str()]);
        assert_eq!(ranges(""), [""]);
    }

    #[test]
    fn a_message_is_found_by_its_index() {
        let text = "From a@b 10:00\nS: 1\n\nx\n\nFrom a@b 10:00\nS: 2\n\n";
        let mut source = Cursor::new(text);
        assert_eq!(message(&mut source, 1).unwrap(), Some(39..45));
        assert_eq!(message(&mut source, 2).unwrap(), None);
    }
}
