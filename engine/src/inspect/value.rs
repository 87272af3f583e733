//! Values of primitive elements as text for a person, long ones cut.

use std::fmt::Write as _;

use crate::ber::{TimeType, TimeValue, oid};
use crate::hex::hex as digits;

/// Octets of a value that are kept for its preview.
pub(super) const KEPT: usize = 256;
/// Octets of a value that are shown in hexadecimal digits.
const SHOWN: usize = 32;

/// Numbers of the universal types that are looked at.
pub(super) mod universal {
    pub(in crate::inspect) const BOOLEAN: u32 = 1;
    pub(in crate::inspect) const INTEGER: u32 = 2;
    pub(in crate::inspect) const BIT_STRING: u32 = 3;
    pub(in crate::inspect) const OCTET_STRING: u32 = 4;
    pub(in crate::inspect) const NULL: u32 = 5;
    pub(in crate::inspect) const OID: u32 = 6;
    pub(in crate::inspect) const ENUMERATED: u32 = 10;
    pub(in crate::inspect) const UTF8: u32 = 12;
    pub(in crate::inspect) const SEQUENCE: u32 = 16;
    pub(in crate::inspect) const SET: u32 = 17;
    pub(in crate::inspect) const TELETEX: u32 = 20;
    pub(in crate::inspect) const IA5: u32 = 22;
    pub(in crate::inspect) const UTC_TIME: u32 = 23;
    pub(in crate::inspect) const GENERALIZED_TIME: u32 = 24;
    pub(in crate::inspect) const UNIVERSAL_STRING: u32 = 28;
    pub(in crate::inspect) const BMP: u32 = 30;
}

/// The value of a primitive element of a universal type: `octets` are the
/// first of `total`. `None` where there is nothing to say.
pub(super) fn preview(kind: Option<u32>, octets: &[u8], total: u64) -> Option<String> {
    Some(match kind {
        Some(universal::NULL) if total == 0 => return None,
        Some(universal::BOOLEAN) => match octets {
            [0] => "FALSE".to_owned(),
            [0xff] => "TRUE".to_owned(),
            [_] => format!("TRUE, written {}", hex(octets, total)),
            _ => hex(octets, total),
        },
        Some(universal::INTEGER | universal::ENUMERATED) => integer(octets, total),
        Some(universal::BIT_STRING) => bit_string(octets, total),
        Some(universal::OID) => oid::dotted(octets).unwrap_or_else(|| format!("no OID: {}", hex(octets, total))),
        Some(universal::UTC_TIME) => time(TimeType::Utc, octets, total),
        Some(universal::GENERALIZED_TIME) => time(TimeType::Generalized, octets, total),
        Some(universal::BMP) => quoted(&wide(octets, 2), octets, total),
        Some(universal::UNIVERSAL_STRING) => quoted(&wide(octets, 4), octets, total),
        Some(universal::TELETEX) => quoted(&octets.iter().map(|o| char::from(*o)).collect::<String>(), octets, total),
        Some(universal::UTF8 | 18..=27) => quoted(&String::from_utf8_lossy(octets), octets, total),
        _ => hex(octets, total),
    })
}

/// Hexadecimal digits of the first octets, and how many there are of more.
pub(super) fn hex(octets: &[u8], total: u64) -> String {
    let mut text = digits(&octets[..octets.len().min(SHOWN)]);
    if total > SHOWN as u64 {
        let _ = write!(text, "… ({total} octets)");
    }
    text
}

fn integer(octets: &[u8], total: u64) -> String {
    match (octets, total) {
        ([], _) => "no octets".to_owned(),
        ([first, ..], 1..=8) => {
            let sign = if first & 0x80 == 0 { 0 } else { -1 };
            octets.iter().fold(sign, |value: i64, octet| (value << 8) | i64::from(*octet)).to_string()
        }
        _ => format!("0x{}", hex(octets, total)),
    }
}

fn bit_string(octets: &[u8], total: u64) -> String {
    match octets {
        [] => "no octets".to_owned(),
        [0, bits @ ..] => hex(bits, total.saturating_sub(1)),
        [unused, bits @ ..] => format!("{}, {unused} bits unused", hex(bits, total.saturating_sub(1))),
    }
}

/// The names of the bits that are set; bit 0 is the first.
pub(super) fn named_bits(octets: &[u8], names: &[&str]) -> String {
    let bits = octets.get(1..).unwrap_or_default();
    let set: Vec<String> = (0..bits.len() * 8)
        .filter(|bit| bits[bit / 8] & (0x80 >> (bit % 8)) != 0)
        .map(|bit| names.get(bit).map_or_else(|| format!("bit {bit}"), |name| (*name).to_owned()))
        .collect();
    if set.is_empty() { "none".to_owned() } else { set.join(", ") }
}

/// A time as it is written, and readable where it is one with seconds and `Z`
/// (RFC 5280 section 4.1.2.5).
fn time(kind: TimeType, octets: &[u8], total: u64) -> String {
    match TimeValue::parse(kind, octets).filter(|time| time.plain) {
        Some(TimeValue { at, .. }) => {
            let (hour, minute, second) = at.to_hms();
            format!("{} {hour:02}:{minute:02}:{second:02} UTC", at.date())
        }
        None => quoted(&String::from_utf8_lossy(octets), octets, total),
    }
}

fn wide(octets: &[u8], width: usize) -> String {
    let units = octets.chunks_exact(width);
    if width == 2 {
        let units = units.map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
        return char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    }
    units
        .map(|unit| u32::from_be_bytes([unit[0], unit[1], unit[2], unit[3]]))
        .map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// A text in quotes, control characters escaped.
fn quoted(text: &str, octets: &[u8], total: u64) -> String {
    let mut shown = format!("{text:?}");
    if total > octets.len() as u64 {
        let _ = write!(shown, "… ({total} octets)");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: u32, octets: &[u8], expected: &str) {
        assert_eq!(preview(Some(kind), octets, octets.len() as u64).unwrap(), expected);
    }

    #[test]
    fn every_type_is_readable() {
        check(universal::BOOLEAN, &[0xff], "TRUE");
        check(universal::BOOLEAN, &[1], "TRUE, written 01");
        check(universal::INTEGER, &[1, 0, 1], "65537");
        check(universal::INTEGER, &[0xff], "-1");
        check(universal::INTEGER, &[0x80, 0, 0, 0, 0, 0, 0, 0], "-9223372036854775808");
        check(universal::INTEGER, &[1, 2, 3, 4, 5, 6, 7, 8, 9], "0x010203040506070809");
        check(universal::INTEGER, &[], "no octets");
        check(universal::BIT_STRING, &[3, 0xa0], "a0, 3 bits unused");
        check(universal::OID, &[0x80], "no OID: 80");
        check(universal::UTF8, "Grüße\n".as_bytes(), "\"Grüße\\n\"");
        check(universal::BMP, &[0, 0x41, 0x20, 0xac], "\"A€\"");
        check(universal::UTC_TIME, b"490922151001Z", "2049-09-22 15:10:01 UTC");
        check(universal::UTC_TIME, b"500922151001Z", "1950-09-22 15:10:01 UTC");
        check(universal::GENERALIZED_TIME, b"20500922151001Z", "2050-09-22 15:10:01 UTC");
        check(universal::UTC_TIME, b"5009221510Z", "\"5009221510Z\"");
        assert_eq!(preview(Some(universal::NULL), &[], 0), None);
        assert_eq!(preview(None, &[0; 40], 400).unwrap(), format!("{}… (400 octets)", "00".repeat(32)));
        assert_eq!(named_bits(&[5, 0xa0], &["a", "b", "c"]), "a, c");
        assert_eq!(named_bits(&[0, 0], &[]), "none");
    }
}
