//! Octets as text.

/// Octets of a hexadecimal text; `None` if it is none.
pub(crate) fn octets(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    let octets = pairs.map(|pair| match pair {
        [high, low] => Some((digit(*high)? * 16 + digit(*low)?) as u8),
        _ => None,
    });
    octets.collect()
}
