//! Content-Type and Content-Disposition: a value and its parameters.

use super::header::{Field, Headers};
use super::parameter;

/// A Content-Type (RFC 2045 section 5), or the default where none stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentType {
    /// `type/subtype` in lower case. What is no media type at all counts as
    /// the default, as RFC 2045 section 5.2 suggests.
    pub media_type: String,
    /// Parameters in their order: name in lower case, value as it came, without
    /// quotes and comments; continuations and charsets of RFC 2231 resolved.
    pub params: Vec<(String, String)>,
    /// Whether the entity has a Content-Type field.
    pub present: bool,
}

impl ContentType {
    /// The Content-Type of an entity; the default is `text/plain` (RFC 2045
    /// section 5.2) and `message/rfc822` inside a digest (RFC 2046 section 5.1.5).
    #[must_use]
    pub fn of(headers: &Headers, in_digest: bool) -> Self {
        let default = if in_digest { "message/rfc822" } else { "text/plain" };
        headers.get("content-type").map_or_else(
            || Self { media_type: default.to_owned(), params: Vec::new(), present: false },
            |field| Self { present: true, ..Self::parse(&field.value(), default) },
        )
    }

    /// Reads the value of a field; `default` where it names no media type.
    fn parse(value: &str, default: &str) -> Self {
        let (first, params) = parameter::parse(value);
        let media_type = first.to_ascii_lowercase().replace([' ', '\t'], "");
        let valid = media_type.split_once('/').is_some_and(|(kind, sub)| !kind.is_empty() && !sub.is_empty());
        let media_type = if valid { media_type } else { default.to_owned() };
        Self { media_type, params, present: true }
    }

    /// The first parameter of this (lower case) name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        find(&self.params, name)
    }

    /// Whether this is a multipart.
    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.media_type.starts_with("multipart/")
    }

    /// Whether this is a message whose header and body follow as they are.
    #[must_use]
    pub fn is_message(&self) -> bool {
        matches!(self.media_type.as_str(), "message/rfc822" | "message/global")
    }
}

/// A Content-Disposition (RFC 2183).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentDisposition {
    /// `inline`, `attachment` or another, in lower case.
    pub kind: String,
    /// Parameters, as in [`ContentType::params`].
    pub params: Vec<(String, String)>,
}

impl ContentDisposition {
    /// The Content-Disposition of an entity, when it has one.
    #[must_use]
    pub fn of(headers: &Headers) -> Option<Self> {
        let field: Field<'_> = headers.get("content-disposition")?;
        let (kind, params) = parameter::parse(&field.value());
        Some(Self { kind: kind.to_ascii_lowercase(), params })
    }

    /// The first parameter of this (lower case) name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        find(&self.params, name)
    }
}

fn find<'a>(params: &'a [(String, String)], name: &str) -> Option<&'a str> {
    params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content_type(section: &str) -> ContentType {
        ContentType::of(&Headers::parse(section.as_bytes(), 1 << 16).unwrap(), false)
    }

    #[test]
    fn a_missing_or_unreadable_type_is_text_plain() {
        let none = content_type("To: x\n");
        assert_eq!((none.media_type.as_str(), none.present), ("text/plain", false));
        let bad = content_type("Content-Type: text\n");
        assert_eq!((bad.media_type.as_str(), bad.present), ("text/plain", true));
        let empty = Headers::default();
        assert_eq!(ContentType::of(&empty, true).media_type, "message/rfc822");
    }

    #[test]
    fn real_values_are_read() {
        let outlook = content_type(
            "Content-Type: multipart/signed; protocol=\"application/x-pkcs7-signature\";\n\tmicalg=SHA1; \
             boundary=\"----=_NextPart_000_002F_01DB522D.F1F65420\"\n",
        );
        assert_eq!(outlook.media_type, "multipart/signed");
        assert_eq!(outlook.get("boundary"), Some("----=_NextPart_000_002F_01DB522D.F1F65420"));
        assert_eq!(outlook.get("micalg"), Some("SHA1"));
        let spaced = content_type("CONTENT-TYPE: Application / (why) X-PKCS7-MIME ; Name = smime.p7m\n");
        assert_eq!(spaced.media_type, "application/x-pkcs7-mime");
        assert_eq!(spaced.get("name"), Some("smime.p7m"));
    }

    #[test]
    fn a_disposition_is_read() {
        let headers = Headers::parse(b"Content-Disposition: Attachment; filename=smime.p7s\n", 1 << 16).unwrap();
        let disposition = ContentDisposition::of(&headers).unwrap();
        assert_eq!((disposition.kind.as_str(), disposition.get("filename")), ("attachment", Some("smime.p7s")));
        assert_eq!(ContentDisposition::of(&Headers::default()), None);
    }
}
