//! Writer: DER of small structures in memory, and BER of any size onto a stream.
//!
//! The functions of this module each build one complete element. They are for
//! what fits into memory: attributes, identifiers, signer and recipient infos.
//! Content is written with [`Stream`], which knows definite lengths up to
//! `u64` and indefinite lengths with segments.

#[cfg(test)]
mod roundtrip;
mod stream;

pub use stream::{SegmentPlan, Segments, Stream, StreamError};

use time::{OffsetDateTime, UtcOffset};

pub use super::identifier as tag;

/// A value that has no encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Not a dotted object identifier.
    #[error("`{0}` is no object identifier: dotted decimal numbers are expected, as in 1.2.840.113549")]
    Oid(String),
    /// A year before 0 or after 9999.
    #[error("the year {0} cannot be written as an ASN.1 time")]
    Year(i32),
}

/// One element: identifier octet, length, contents.
#[must_use]
pub fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut out = header(tag, contents.len() as u64);
    out.extend_from_slice(contents);
    out
}

/// Identifier and length octets of an element with definite length, in the
/// shortest form (X.690 section 10.1).
#[must_use]
pub fn header(tag: u8, length: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(10);
    out.push(tag);
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let octets = length.to_be_bytes();
        let zeros = length.leading_zeros() as usize / 8;
        out.push(0x80 | (octets.len() - zeros) as u8);
        out.extend_from_slice(&octets[zeros..]);
    }
    out
}

/// How many octets an element with this much contents has in all.
#[must_use]
pub fn element_len(length: u64) -> u64 {
    header(0, length).len() as u64 + length
}

/// A constructed element of complete elements in the order given.
#[must_use]
pub fn constructed<I>(tag: u8, elements: I) -> Vec<u8>
where
    I: IntoIterator,
    I::Item: AsRef<[u8]>,
{
    let mut contents = Vec::new();
    for inner in elements {
        contents.extend_from_slice(inner.as_ref());
    }
    element(tag, &contents)
}

/// SEQUENCE or SEQUENCE OF.
#[must_use]
pub fn sequence<I>(elements: I) -> Vec<u8>
where
    I: IntoIterator,
    I::Item: AsRef<[u8]>,
{
    constructed(tag::SEQUENCE, elements)
}

/// SET OF with its elements in DER order (X.690 section 11.6).
#[must_use]
pub fn set_of(mut elements: Vec<Vec<u8>>) -> Vec<u8> {
    sort(&mut elements);
    constructed(tag::SET, elements)
}

/// SET OF with its elements in the order given, which need not be that of DER.
#[must_use]
pub fn set_as_given<I>(elements: I) -> Vec<u8>
where
    I: IntoIterator,
    I::Item: AsRef<[u8]>,
{
    constructed(tag::SET, elements)
}

/// Puts complete elements into the order that DER demands of a SET OF.
///
/// X.690 compares with the shorter one padded by zero octets. Two complete
/// elements of which one begins with the other are equal, so comparing the
/// slices gives the same order.
pub fn sort(elements: &mut [Vec<u8>]) {
    elements.sort();
}

/// `[number]` EXPLICIT around one complete element, or IMPLICIT constructed
/// around the contents of one.
#[must_use]
pub fn context(number: u8, contents: &[u8]) -> Vec<u8> {
    element(tag::context(number), contents)
}

/// OCTET STRING.
#[must_use]
pub fn octet_string(value: &[u8]) -> Vec<u8> {
    element(tag::OCTET_STRING, value)
}

/// BIT STRING of whole octets.
#[must_use]
pub fn bit_string(value: &[u8]) -> Vec<u8> {
    let mut out = header(tag::BIT_STRING, value.len() as u64 + 1);
    out.push(0);
    out.extend_from_slice(value);
    out
}

/// INTEGER that is not negative.
#[must_use]
pub fn integer(value: u64) -> Vec<u8> {
    unsigned(&value.to_be_bytes())
}

/// INTEGER from the octets of a number that is not negative, most significant
/// first; leading zero octets are dropped, and one is put before a set high bit.
#[must_use]
pub fn unsigned(magnitude: &[u8]) -> Vec<u8> {
    let first = magnitude.iter().position(|octet| *octet != 0).unwrap_or(magnitude.len());
    let magnitude = &magnitude[first..];
    let mut contents = Vec::with_capacity(magnitude.len() + 1);
    if magnitude.first().is_none_or(|octet| octet & 0x80 != 0) {
        contents.push(0);
    }
    contents.extend_from_slice(magnitude);
    element(tag::INTEGER, &contents)
}

/// INTEGER from its contents octets, taken as they are: for a serial number,
/// which must be repeated exactly even where a CA encoded it wrongly.
#[must_use]
pub fn integer_octets(contents: &[u8]) -> Vec<u8> {
    element(tag::INTEGER, contents)
}

/// BOOLEAN.
#[must_use]
pub fn boolean(value: bool) -> Vec<u8> {
    element(tag::BOOLEAN, &[if value { 0xff } else { 0 }])
}

/// NULL.
#[must_use]
pub fn null() -> Vec<u8> {
    element(tag::NULL, &[])
}

/// UTF8String.
#[must_use]
pub fn utf8_string(value: &str) -> Vec<u8> {
    element(tag::UTF8_STRING, value.as_bytes())
}

/// OBJECT IDENTIFIER from its dotted form.
///
/// # Errors
/// The text has fewer than two arcs, an arc is no number of 128 bits at most,
/// or the first two arcs are out of range (X.690 section 8.19.4).
pub fn oid(dotted: &str) -> Result<Vec<u8>, ValueError> {
    let wrong = || ValueError::Oid(dotted.to_owned());
    let mut arcs = Vec::new();
    for part in dotted.split('.') {
        // `parse` would take a sign.
        if part.is_empty() || !part.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(wrong());
        }
        arcs.push(part.parse::<u128>().map_err(|_| wrong())?);
    }
    let [root, second, rest @ ..] = arcs.as_slice() else { return Err(wrong()) };
    if *root > 2 || (*root < 2 && *second > 39) {
        return Err(wrong());
    }
    let first = second.checked_add(root * 40).ok_or_else(wrong)?;
    let mut contents = Vec::with_capacity(dotted.len());
    for arc in std::iter::once(&first).chain(rest) {
        base128(&mut contents, *arc);
    }
    Ok(element(tag::OID, &contents))
}

fn base128(out: &mut Vec<u8>, arc: u128) {
    let groups = (u128::BITS - arc.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let more = if group == 0 { 0 } else { 0x80 };
        out.push(((arc >> (group * 7)) & 0x7f) as u8 | more);
    }
}

/// UTCTime through 2049 and from 1950, GeneralizedTime else: the Time of
/// RFC 5652 section 11.3, with seconds, without fractions, in UTC.
///
/// # Errors
/// A year that four digits cannot hold.
pub fn time(at: OffsetDateTime) -> Result<Vec<u8>, ValueError> {
    if (1950..=2049).contains(&at.to_offset(UtcOffset::UTC).year()) { utc_time(at) } else { generalized_time(at) }
}

/// UTCTime with the last two digits of the year, whatever the century.
///
/// # Errors
/// A year that four digits cannot hold.
pub fn utc_time(at: OffsetDateTime) -> Result<Vec<u8>, ValueError> {
    Ok(element(tag::UTC_TIME, &digits(at)?.as_bytes()[2..]))
}

/// GeneralizedTime, with seconds and without fractions.
///
/// # Errors
/// A year that four digits cannot hold.
pub fn generalized_time(at: OffsetDateTime) -> Result<Vec<u8>, ValueError> {
    Ok(element(tag::GENERALIZED_TIME, digits(at)?.as_bytes()))
}

fn digits(at: OffsetDateTime) -> Result<String, ValueError> {
    let at = at.to_offset(UtcOffset::UTC);
    if !(0..=9999).contains(&at.year()) {
        return Err(ValueError::Year(at.year()));
    }
    let (hour, minute, second) = at.to_hms();
    Ok(format!("{:04}{:02}{:02}{hour:02}{minute:02}{second:02}Z", at.year(), u8::from(at.month()), at.day()))
}

#[cfg(test)]
mod tests {
    use der::asn1::{OctetString, SetOfVec, Uint};
    use der::oid::ObjectIdentifier;
    use der::{Decode, Encode};
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn object_identifiers() {
        assert_eq!(oid("1.2.840.113549.1.7.2").unwrap(), b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02");
        assert_eq!(oid("2.999").unwrap(), b"\x06\x02\x88\x37");
        assert_eq!(oid("0.0").unwrap(), b"\x06\x01\x00");
        // The UUID arc of X.667 needs all 128 bits.
        assert_eq!(oid("2.25.340282366920938463463374607431768211455").unwrap().len(), 2 + 1 + 19);
        for wrong in [
            "",
            "1",
            "1.",
            ".1",
            "1..2",
            "3.1",
            "1.40",
            "1.-2",
            "1.+2",
            "a.b",
            "1.2.340282366920938463463374607431768211456",
        ] {
            assert_eq!(oid(wrong), Err(ValueError::Oid(wrong.to_owned())), "{wrong}");
        }
    }

    #[test]
    fn times_turn_to_generalized_in_2050() {
        assert_eq!(time(datetime!(2049-12-31 23:59:59 UTC)).unwrap(), b"\x17\x0d491231235959Z");
        assert_eq!(time(datetime!(2050-01-01 00:00:00 UTC)).unwrap(), b"\x18\x0f20500101000000Z");
        assert_eq!(time(datetime!(1950-01-01 00:00:00 UTC)).unwrap(), b"\x17\x0d500101000000Z");
        assert_eq!(time(datetime!(1949-12-31 23:59:59 UTC)).unwrap(), b"\x18\x0f19491231235959Z");
        // The year that counts is that of UTC, and fractions are dropped.
        assert_eq!(time(datetime!(2050-01-01 00:30:00.9 +01:00)).unwrap(), b"\x17\x0d491231233000Z");
        assert_eq!(time(datetime!(-0001-01-01 00:00:00 UTC)), Err(ValueError::Year(-1)));
    }

    #[test]
    fn integers_are_minimal_and_not_negative() {
        assert_eq!(integer(0), b"\x02\x01\x00");
        assert_eq!(integer(127), b"\x02\x01\x7f");
        assert_eq!(integer(128), b"\x02\x02\x00\x80");
        assert_eq!(unsigned(&[0, 0, 1, 0]), b"\x02\x02\x01\x00");
        assert_eq!(integer_octets(&[0, 1]), b"\x02\x02\x00\x01");
    }

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(header(0x30, 0x7f), [0x30, 0x7f]);
        assert_eq!(header(0x30, 0x80), [0x30, 0x81, 0x80]);
        assert_eq!(header(0x30, 0x1_0000), [0x30, 0x83, 1, 0, 0]);
        assert_eq!(header(0x30, u64::MAX).len(), 10);
        assert_eq!(element_len(0x80), 0x83);
    }

    proptest! {
        #[test]
        fn octet_strings_read_back(value in prop::collection::vec(any::<u8>(), 0..70_000)) {
            prop_assert_eq!(OctetString::from_der(&octet_string(&value)).unwrap().into_bytes().into_vec(), value);
        }

        #[test]
        fn numbers_read_back(value in prop::collection::vec(any::<u8>(), 1..40)) {
            let expected = Uint::new(&value).unwrap().to_der().unwrap();
            prop_assert_eq!(unsigned(&value), expected);
        }

        #[test]
        fn object_identifiers_read_back(root in 0u32..=2, second in 0u32..40, rest in prop::collection::vec(any::<u32>(), 1..6)) {
            let mut text = format!("{root}.{second}");
            for arc in &rest { text.push_str(&format!(".{arc}")); }
            let ours = oid(&text).unwrap();
            prop_assert_eq!(<ObjectIdentifier as Decode>::from_der(&ours).unwrap().to_string(), text);
        }

        #[test]
        fn sets_are_sorted_as_the_der_crate_sorts(values in prop::collection::btree_set(prop::collection::vec(any::<u8>(), 0..9), 0..9)) {
            let theirs = SetOfVec::from_iter(values.iter().map(|v| OctetString::new(v.clone()).unwrap())).unwrap().to_der().unwrap();
            prop_assert_eq!(set_of(values.iter().rev().map(|v| octet_string(v)).collect()), theirs);
        }
    }
}
