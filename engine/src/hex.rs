//! Octets as hexadecimal digits.

use std::fmt::Write as _;

/// Lower-case digits, two for an octet, nothing between them.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut digits, octet| {
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}
