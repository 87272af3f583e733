//! OBJECT IDENTIFIER values (X.690 section 8.19) as text.

use std::fmt::Write as _;

/// The dotted form of the content octets of an OBJECT IDENTIFIER; `None` if
/// they are malformed, or hold an arc beyond 128 bits.
#[must_use]
pub fn dotted(content: &[u8]) -> Option<String> {
    if content.last().is_none_or(|octet| octet & 0x80 != 0) {
        return None;
    }
    let mut text = String::new();
    let mut arc: u128 = 0;
    let mut begins = true;
    for octet in content {
        // An arc that begins with zeros would be a second spelling (8.19.2).
        if begins && *octet == 0x80 {
            return None;
        }
        arc = arc.checked_mul(128)? | u128::from(octet & 0x7f);
        begins = octet & 0x80 == 0;
        if !begins {
            continue;
        }
        if text.is_empty() {
            let root = (arc / 40).min(2);
            let _ = write!(text, "{root}.{}", arc - root * 40);
        } else {
            let _ = write!(text, ".{arc}");
        }
        arc = 0;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_forms() {
        for (octets, expected) in [
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2][..], "1.2.840.113549.1.7.2"),
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "1.2.840.113549.1.9.1"),
            (&[0x55, 0x1d, 0x0e], "2.5.29.14"),
            (&[0x55, 4, 3], "2.5.4.3"),
            (&[0x88, 0x37], "2.999"),
            (&[0x88, 0x37, 3], "2.999.3"),
        ] {
            assert_eq!(dotted(octets).as_deref(), Some(expected));
        }
    }

    #[test]
    fn malformed_ones_have_no_dotted_form() {
        for malformed in [&[][..], &[0x86], &[0x2a, 0x86], &[0x2a, 0x80, 1], &[0xff; 40]] {
            assert_eq!(dotted(malformed), None, "{malformed:02x?}");
        }
    }
}
