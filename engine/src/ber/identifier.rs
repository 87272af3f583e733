//! Identifier octets (X.690 section 8.1.2) of low tag numbers: class, number
//! and form in one octet, in the form that DER demands.

/// BOOLEAN
pub const BOOLEAN: u8 = 0x01;
/// INTEGER
pub const INTEGER: u8 = 0x02;
/// BIT STRING, primitive
pub const BIT_STRING: u8 = 0x03;
/// OCTET STRING, primitive
pub const OCTET_STRING: u8 = 0x04;
/// OCTET STRING, constructed of segments
pub const OCTET_STRING_CONSTRUCTED: u8 = 0x24;
/// NULL
pub const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER
pub const OID: u8 = 0x06;
/// ENUMERATED
pub const ENUMERATED: u8 = 0x0a;
/// UTF8String
pub const UTF8_STRING: u8 = 0x0c;
/// NumericString
pub const NUMERIC_STRING: u8 = 0x12;
/// PrintableString
pub const PRINTABLE_STRING: u8 = 0x13;
/// TeletexString
pub const TELETEX_STRING: u8 = 0x14;
/// IA5String
pub const IA5_STRING: u8 = 0x16;
/// UTCTime
pub const UTC_TIME: u8 = 0x17;
/// GeneralizedTime
pub const GENERALIZED_TIME: u8 = 0x18;
/// VisibleString
pub const VISIBLE_STRING: u8 = 0x1a;
/// GeneralString
pub const GENERAL_STRING: u8 = 0x1b;
/// UniversalString
pub const UNIVERSAL_STRING: u8 = 0x1c;
/// BMPString
pub const BMP_STRING: u8 = 0x1e;
/// SEQUENCE and SEQUENCE OF
pub const SEQUENCE: u8 = 0x30;
/// SET and SET OF
pub const SET: u8 = 0x31;

/// `[number]`, constructed: EXPLICIT, or IMPLICIT of a constructed type.
///
/// Numbers above 30 need a longer form that nothing in CMS uses; they are
/// cut to their low five bits.
#[must_use]
pub const fn context(number: u8) -> u8 {
    0xa0 | (number & 0x1f)
}

/// `[number]`, primitive: IMPLICIT of a primitive type.
#[must_use]
pub const fn context_primitive(number: u8) -> u8 {
    0x80 | (number & 0x1f)
}
