//! Text in the character set that its label names (RFC 2046 section 4.1.2).

use encoding_rs::{Encoding, WINDOWS_1252};

/// The text of these octets; nothing if the label names no set that is known,
/// or the octets are no text in it. Without a label it is US-ASCII.
///
/// The labels and sets are those of the WHATWG Encoding Standard, as mail
/// programs have them: ISO 8859-1 is read as windows-1252. US-ASCII is what it
/// says: an octet above 127 is no text in it.
#[must_use]
pub(crate) fn decode(octets: &[u8], label: Option<&str>) -> Option<String> {
    let label = label.unwrap_or("us-ascii").trim();
    let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
    if encoding == WINDOWS_1252 && label.to_ascii_lowercase().ends_with("ascii") && !octets.is_ascii() {
        return None;
    }
    encoding.decode_without_bom_handling_and_without_replacement(octets).map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_its_label_makes_it() {
        for (label, octets) in [
            ("utf-8", b"\xc3\xa9".as_slice()),
            ("UTF-8", b"\xc3\xa9"),
            ("iso-8859-1", b"\xe9"),
            ("ISO-8859-15", b"\xe9"),
            ("windows-1252", b"\xe9"),
            ("macintosh", b"\x8e"),
        ] {
            assert_eq!(decode(octets, Some(label)).as_deref(), Some("\u{e9}"), "{label}");
        }
        assert_eq!(decode(b"\xb2\xe2", Some("gb2312")).as_deref(), Some("\u{6d4b}"));
        assert_eq!(decode(b"plain", None).as_deref(), Some("plain"));
    }

    #[test]
    fn what_is_no_text_in_its_set_is_none() {
        assert_eq!(decode(b"\xe9", None), None);
        assert_eq!(decode(b"\xe9", Some("us-ascii")), None);
        assert_eq!(decode(b"\xe9", Some("US-ASCII")), None);
        assert_eq!(decode(b"\xe9", Some("utf-8")), None);
        assert_eq!(decode(b"x", Some("of-nobody")), None);
    }
}
