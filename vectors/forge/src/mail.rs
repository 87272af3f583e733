//! A mail as text: taken apart at its header, its object found, put together again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The header fields (folded lines kept, each with its CRLF) and the body.
pub(crate) struct Mail<'a> {
    pub(crate) fields: Vec<&'a [u8]>,
    pub(crate) body: &'a [u8],
}

impl<'a> Mail<'a> {
    /// Takes apart what the forge itself wrote: CRLF, and an empty line after the header.
    pub(crate) fn read(mail: &'a [u8]) -> Result<Self, String> {
        let end = find(mail, b"\r\n\r\n").ok_or("the message has no empty line after its header")?;
        let (header, body) = (&mail[..end + 2], &mail[end + 4..]);
        let mut fields = Vec::new();
        let mut start = 0;
        for (index, window) in header.windows(3).enumerate() {
            if window.starts_with(b"\r\n") && !matches!(window[2], b' ' | b'\t') {
                fields.push(&header[start..index + 2]);
                start = index + 2;
            }
        }
        fields.push(&header[start..]);
        Ok(Self { fields, body })
    }

    /// The fields of the entity (`Content-…`), and those of the mail around it.
    pub(crate) fn split_fields(&self) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
        self.fields
            .iter()
            .partition(|field| field.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"content-")))
    }
}

/// The entity of a mail: its `Content-…` fields and its body.
pub(crate) fn entity(mail: &[u8]) -> Result<Vec<u8>, String> {
    let mail = Mail::read(mail)?;
    let (fields, _) = mail.split_fields();
    Ok([fields.concat().as_slice(), b"\r\n", mail.body].concat())
}

/// The multipart/mixed of a mailing list: the entity, and a footer beside it.
pub(crate) fn list_footer(mail: &[u8]) -> Result<Vec<u8>, String> {
    const BOUNDARY: &str = "===============1234567890==";
    let mail = Mail::read(mail)?;
    let (entity, outer) = mail.split_fields();
    let mut out = outer.concat();
    out.extend(format!("Content-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\r\n\r\n").as_bytes());
    out.extend(format!("--{BOUNDARY}\r\n").as_bytes());
    out.extend(entity.concat());
    out.extend(b"\r\n");
    out.extend(mail.body);
    out.extend(
        format!(
            "\r\n--{BOUNDARY}\r\nContent-Type: text/plain; charset=us-ascii\r\n\
             Content-Transfer-Encoding: 7bit\r\nContent-Disposition: inline\r\n\r\n\
             _______________\r\nTo leave this list, write to leave@lists.example.test\r\n--{BOUNDARY}--\r\n"
        )
        .as_bytes(),
    );
    Ok(out)
}

/// The last block of base64 in a message: the CMS object of its outermost layer.
pub(crate) struct Armored<'a> {
    before: &'a [u8],
    after: &'a [u8],
    columns: usize,
    /// The object.
    pub(crate) object: Vec<u8>,
}

impl<'a> Armored<'a> {
    /// Finds and decodes it.
    pub(crate) fn find(mail: &'a [u8]) -> Result<Self, String> {
        let mut lines = Vec::new();
        let mut start = 0;
        while start < mail.len() {
            let end = find(&mail[start..], b"\r\n").map_or(mail.len(), |at| start + at + 2);
            lines.push((start, end));
            start = end;
        }
        let encoded = |&(start, end): &(usize, usize)| is_base64(mail[start..end].trim_ascii_end());
        let last = lines.iter().rposition(encoded).ok_or("the message holds no base64")?;
        let first = lines[..last].iter().rposition(|line| !encoded(line)).map_or(0, |before| before + 1);
        let (start, end) = (lines[first].0, lines[last].1);
        let text: Vec<u8> = mail[start..end].iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
        let object = STANDARD.decode(&text).map_err(|error| format!("the object is no base64: {error}"))?;
        let columns = mail[lines[first].0..lines[first].1].trim_ascii_end().len();
        Ok(Self { before: &mail[..start], after: &mail[end..], columns, object })
    }

    /// The message with this object in the place of the old one.
    pub(crate) fn put(&self, object: &[u8]) -> Vec<u8> {
        self.put_in_lines(object, self.columns)
    }

    /// The same with lines of this many characters; 0 for a single line.
    pub(crate) fn put_in_lines(&self, object: &[u8], columns: usize) -> Vec<u8> {
        let text = STANDARD.encode(object);
        let mut out = self.before.to_vec();
        for line in text.as_bytes().chunks(if columns == 0 { text.len().max(1) } else { columns }) {
            out.extend(line);
            out.extend(b"\r\n");
        }
        out.extend(self.after);
        out
    }
}

/// The first place of a text in some bytes.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// How often a text occurs.
pub(crate) fn count(haystack: &[u8], needle: &[u8]) -> usize {
    haystack.windows(needle.len()).filter(|window| *window == needle).count()
}

/// Every occurrence of a text, replaced.
pub(crate) fn replace(haystack: &[u8], needle: &[u8], put: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(haystack.len());
    let mut rest = haystack;
    while let Some(at) = find(rest, needle) {
        out.extend(&rest[..at]);
        out.extend(put);
        rest = &rest[at + needle.len()..];
    }
    out.extend(rest);
    out
}

fn is_base64(line: &[u8]) -> bool {
    !line.is_empty() && line.iter().all(|octet| octet.is_ascii_alphanumeric() || b"+/=".contains(octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_is_found_and_put_back() {
        let mail = b"A: b\r\n\r\n--x\r\n\r\nAQID\r\nBA==\r\n\r\n--x--\r\n";
        let armored = Armored::find(mail).unwrap();
        assert_eq!(armored.object, [1, 2, 3, 4]);
        assert_eq!(armored.put(&armored.object), mail);
        assert!(find(&armored.put_in_lines(&armored.object, 0), b"AQIDBA==").is_some());
    }

    #[test]
    fn fields_keep_their_folds() {
        let mail = Mail::read(b"A: b\r\n c\r\nContent-Type: d\r\n\r\nbody").unwrap();
        assert_eq!(mail.fields, [&b"A: b\r\n c\r\n"[..], b"Content-Type: d\r\n"]);
        let (content, other) = mail.split_fields();
        assert_eq!((content.len(), other.len()), (1, 1));
        assert_eq!(mail.body, b"body");
    }
}
