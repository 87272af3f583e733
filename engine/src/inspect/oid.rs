//! Object identifiers as text.

use std::fmt::Write as _;

/// The dotted form of the content octets of an OBJECT IDENTIFIER (X.690
/// section 8.19); `None` where they are none.
pub(super) fn dotted(octets: &[u8]) -> Option<String> {
    if octets.is_empty() || octets.last()? & 0x80 != 0 {
        return None;
    }
    let mut text = String::new();
    let mut arc: u128 = 0;
    let mut first = true;
    for octet in octets {
        arc = arc.checked_mul(128)?.checked_add(u128::from(octet & 0x7f))?;
        if octet & 0x80 != 0 {
            continue;
        }
        if first {
            let root = (arc / 40).min(2);
            let _ = write!(text, "{root}.{}", arc - root * 40);
            first = false;
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
    fn identifiers_are_written_with_dots() {
        let oid = |octets: &[u8]| dotted(octets);
        assert_eq!(oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]).as_deref(), Some("1.2.840.113549.1.7.2"));
        assert_eq!(oid(&[0x55, 4, 3]).as_deref(), Some("2.5.4.3"));
        assert_eq!(oid(&[0x88, 0x37, 3]).as_deref(), Some("2.999.3"));
        assert_eq!(oid(&[]), None);
        assert_eq!(oid(&[0x2a, 0x86]), None);
        assert_eq!(oid(&[0xff; 40]), None);
    }
}
