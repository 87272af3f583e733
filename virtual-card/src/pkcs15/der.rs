//! The few kinds of DER that the files of ISO/IEC 7816-15 are made of.

use zeroize::Zeroizing;

use crate::tlv;

/// Octets of one DER element.
pub(super) type Der = Zeroizing<Vec<u8>>;

pub(super) fn sequence(parts: &[&[u8]]) -> Der {
    tlv::constructed(0x30, parts)
}

/// `[number]`, constructed: explicit around one element, implicit around those of a sequence.
pub(super) fn tagged(number: u8, parts: &[&[u8]]) -> Der {
    tlv::constructed(u32::from(0xA0 | number), parts)
}

pub(super) fn octet_string(octets: &[u8]) -> Der {
    tlv::write(0x04, octets)
}

pub(super) fn utf8(text: &str) -> Der {
    tlv::write(0x0C, text.as_bytes())
}

pub(super) fn truth() -> Der {
    tlv::write(0x01, &[0xFF])
}

pub(super) fn integer(number: u32) -> Der {
    tlv::write(0x02, &content(number))
}

/// The content of an INTEGER that is not negative: as few octets as keep the sign bit clear.
pub(super) fn content(number: u32) -> Vec<u8> {
    let octets: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
    match octets.first() {
        Some(0..=0x7F) => octets,
        _ => [&[0], octets.as_slice()].concat(),
    }
}

/// A BIT STRING of named bits: none after the last one that is set (X.690
/// section 11.2.2). Positions count from the left, below 16.
pub(super) fn named_bits(positions: &[u8]) -> Der {
    let Some(last) = positions.iter().max() else { return tlv::write(0x03, &[0]) };
    let bits = positions.iter().fold(0_u16, |bits, position| bits | 0x8000 >> position);
    let octets = usize::from(last / 8 + 1);
    tlv::write(0x03, &[&[7 - last % 8], &bits.to_be_bytes()[..octets]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bits_are_in_their_shortest_form() {
        for (number, der) in [(0, &[2, 1, 0][..]), (127, &[2, 1, 127]), (128, &[2, 2, 0, 128]), (2048, &[2, 2, 8, 0])] {
            assert_eq!(*integer(number), der);
        }
        assert_eq!(*named_bits(&[2]), [3, 2, 5, 0x20]);
        assert_eq!(*named_bits(&[2, 9]), [3, 3, 6, 0x20, 0x40]);
        assert_eq!(*named_bits(&[]), [3, 1, 0]);
    }
}
