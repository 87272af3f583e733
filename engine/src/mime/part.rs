//! One MIME entity: where it stands and what its header says.

use std::ops::Range;

use super::address::decode_words;
use super::content_type::{ContentDisposition, ContentType};
use super::header::Headers;

/// One entity of a message (RFC 2045 section 2.4). All ranges are offsets in
/// the source that was parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// Place in the tree: the root is `1`, its children `1.1`, `1.2`, …; the
    /// message inside a `message/rfc822` part is its child `.1`.
    pub path: String,
    /// The header section with the empty line that ends it.
    pub header: Range<u64>,
    /// What follows. The line end before a delimiter belongs to the delimiter
    /// (RFC 2046 section 5.1.1); an entity without a body can so lose the line
    /// end of its empty line, and is then signed without it.
    pub body: Range<u64>,
    /// Line of the first octet, from 1.
    pub line: u64,
    /// The header fields.
    pub headers: Headers,
    /// Content-Type or its default.
    pub content_type: ContentType,
    /// Content-Disposition, when there is one.
    pub disposition: Option<ContentDisposition>,
    /// Content-Transfer-Encoding or its default.
    pub encoding: TransferEncoding,
    /// How the lines of this entity are stored.
    pub line_ends: LineEnds,
    /// Parts of a multipart, or the one message of a `message/rfc822`.
    pub children: Vec<Part>,
    /// Before the first delimiter of a multipart, its line end not included.
    pub preamble: Range<u64>,
    /// After the last delimiter line of a multipart; empty when it is not closed.
    pub epilogue: Range<u64>,
    /// Whether a multipart ends with its own last delimiter. True for all else.
    pub closed: bool,
}

impl Part {
    /// The whole entity: what a signature over this part covers.
    #[must_use]
    pub const fn entity(&self) -> Range<u64> {
        self.header.start..self.body.end
    }

    /// The part at this path, in the subtree of this part.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Self> {
        self.walk().find(|part| part.path == path)
    }

    /// This part and all below it, in the order of the message.
    pub fn walk(&self) -> impl Iterator<Item = &Self> {
        let mut stack = vec![self];
        std::iter::from_fn(move || {
            let part = stack.pop()?;
            stack.extend(part.children.iter().rev());
            Some(part)
        })
    }

    /// Whether this part has no parts of its own.
    #[must_use]
    pub const fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }

    /// Whether something occurs twice that says where this part ends or how it
    /// is read: its Content-Type, its Content-Transfer-Encoding, or the boundary.
    #[must_use]
    pub fn repeats(&self) -> bool {
        let fields = |name| self.headers.all(name).count();
        let boundaries = self.content_type.params.iter().filter(|(name, _)| name == "boundary").count();
        boundaries > 1 || fields("content-type") > 1 || fields("content-transfer-encoding") > 1
    }

    /// The file name of Content-Disposition, or the name of Content-Type;
    /// encoded words decoded.
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        let disposition = self.disposition.as_ref().and_then(|disposition| disposition.get("filename"));
        disposition.or_else(|| self.content_type.get("name")).map(decode_words)
    }
}

/// How lines are stored.
///
/// An entity is stored with [`LineEnds::Lf`] if the line that opens it ends in
/// a bare LF: the delimiter line before it, or, for the message itself, the
/// first line of its header. That line is written by whoever stored the
/// message, never by the sender's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LineEnds {
    /// CRLF as on the wire: a bare LF is an octet of the content.
    #[default]
    Crlf,
    /// LF alone, as on Unix disks and in list archives: each stands for CRLF.
    Lf,
}

impl LineEnds {
    /// As the line end of this many octets says.
    pub(super) const fn of(eol_len: u8) -> Self {
        if eol_len == 1 { Self::Lf } else { Self::Crlf }
    }

    /// `CRLF` or `LF`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crlf => "CRLF",
            Self::Lf => "LF",
        }
    }
}

/// Content-Transfer-Encoding (RFC 2045 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum TransferEncoding {
    /// `7bit`, also where the field is absent.
    #[default]
    SevenBit,
    /// `8bit`.
    EightBit,
    /// `binary`.
    Binary,
    /// `quoted-printable`.
    QuotedPrintable,
    /// `base64`.
    Base64,
    /// Nothing that RFC 2045 knows.
    Unknown,
}

impl TransferEncoding {
    /// The encoding an entity declares.
    #[must_use]
    pub fn of(headers: &Headers) -> Self {
        let Some(field) = headers.get("content-transfer-encoding") else { return Self::SevenBit };
        let value = field.value().to_ascii_lowercase();
        let end = value.find(|c: char| c.is_ascii_whitespace() || matches!(c, ';' | '(')).unwrap_or(value.len());
        match value[..end].trim_matches('"') {
            "7bit" | "7-bit" | "" => Self::SevenBit,
            "8bit" | "8-bit" => Self::EightBit,
            "binary" => Self::Binary,
            "quoted-printable" => Self::QuotedPrintable,
            "base64" => Self::Base64,
            _ => Self::Unknown,
        }
    }

    /// The name of RFC 2045.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SevenBit => "7bit",
            Self::EightBit => "8bit",
            Self::Binary => "binary",
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the body is stored as it is.
    #[must_use]
    pub const fn is_identity(self) -> bool {
        matches!(self, Self::SevenBit | Self::EightBit | Self::Binary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_read_in_every_spelling() {
        for (section, expected) in [
            ("", TransferEncoding::SevenBit),
            ("Content-Transfer-Encoding: BASE64\n", TransferEncoding::Base64),
            ("Content-Transfer-Encoding: base64 (why)\n", TransferEncoding::Base64),
            ("Content-Transfer-Encoding: \"Quoted-Printable\";\n", TransferEncoding::QuotedPrintable),
            ("Content-Transfer-Encoding: 8bit\n", TransferEncoding::EightBit),
            ("Content-Transfer-Encoding: x-uuencode\n", TransferEncoding::Unknown),
        ] {
            let headers = Headers::parse(section.as_bytes(), 1 << 16).unwrap();
            assert_eq!(TransferEncoding::of(&headers), expected, "{section}");
        }
    }
}
