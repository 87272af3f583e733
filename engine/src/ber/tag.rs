//! Tags (X.690 section 8.1.2).

use crate::ber::BerErrorKind;

/// The class of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Defined by X.680.
    Universal,
    /// Defined by an application.
    Application,
    /// Defined by the surrounding type: `[n]`.
    Context,
    /// Defined by a private agreement.
    Private,
}

impl Class {
    pub(crate) const fn from_identifier(octet: u8) -> Self {
        match octet >> 6 {
            0 => Self::Universal,
            1 => Self::Application,
            2 => Self::Context,
            _ => Self::Private,
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Universal => 0,
            Self::Application => 0x40,
            Self::Context => 0x80,
            Self::Private => 0xc0,
        }
    }
}

/// What the content of an element is made of (X.690 section 8.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Octets of a value.
    Primitive,
    /// Elements.
    Constructed,
    /// The writer's choice: a string, whole or in segments.
    Either,
}

impl Form {
    /// Whether an element may have this form.
    pub(crate) const fn check(self, constructed: bool) -> Result<(), BerErrorKind> {
        match (self, constructed) {
            (Self::Constructed, false) => {
                Err(BerErrorKind::Malformed("a primitive element where a constructed one is due"))
            }
            (Self::Primitive, true) => {
                Err(BerErrorKind::Malformed("a constructed element where a primitive one is due"))
            }
            _ => Ok(()),
        }
    }
}

/// A tag: class and number, without the constructed bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// The class.
    pub class: Class,
    /// The number.
    pub number: u32,
}

impl Tag {
    /// End-of-contents octets.
    pub const END_OF_CONTENTS: Self = Self::universal(0);
    /// BOOLEAN.
    pub const BOOLEAN: Self = Self::universal(1);
    /// INTEGER.
    pub const INTEGER: Self = Self::universal(2);
    /// BIT STRING.
    pub const BIT_STRING: Self = Self::universal(3);
    /// OCTET STRING.
    pub const OCTET_STRING: Self = Self::universal(4);
    /// NULL.
    pub const NULL: Self = Self::universal(5);
    /// OBJECT IDENTIFIER.
    pub const OBJECT_IDENTIFIER: Self = Self::universal(6);
    /// ENUMERATED.
    pub const ENUMERATED: Self = Self::universal(10);
    /// UTF8String.
    pub const UTF8_STRING: Self = Self::universal(12);
    /// PrintableString.
    pub const PRINTABLE_STRING: Self = Self::universal(19);
    /// IA5String.
    pub const IA5_STRING: Self = Self::universal(22);
    /// VisibleString.
    pub const VISIBLE_STRING: Self = Self::universal(26);
    /// SEQUENCE and SEQUENCE OF.
    pub const SEQUENCE: Self = Self::universal(16);
    /// SET and SET OF.
    pub const SET: Self = Self::universal(17);
    /// UTCTime.
    pub const UTC_TIME: Self = Self::universal(23);
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: Self = Self::universal(24);

    /// A tag of a class and number.
    #[must_use]
    pub const fn new(class: Class, number: u32) -> Self {
        Self { class, number }
    }

    /// A universal tag.
    #[must_use]
    pub const fn universal(number: u32) -> Self {
        Self::new(Class::Universal, number)
    }

    /// A context-specific tag, `[number]`.
    #[must_use]
    pub const fn context(number: u32) -> Self {
        Self::new(Class::Context, number)
    }

    /// The identifier octets.
    #[must_use]
    pub fn identifier(self, constructed: bool) -> Vec<u8> {
        let lead = self.class.bits() | if constructed { 0x20 } else { 0 };
        if self.number < 31 {
            return vec![lead | self.number as u8];
        }
        let mut out = vec![lead | 0x1f];
        let groups = (32 - self.number.leading_zeros()).div_ceil(7);
        for group in (0..groups).rev() {
            let more = if group > 0 { 0x80 } else { 0 };
            out.push(more | ((self.number >> (7 * group)) & 0x7f) as u8);
        }
        out
    }

    /// The form that the type demands; either one for strings and for every
    /// tag that is not universal.
    #[must_use]
    pub const fn form(self) -> Form {
        match (self.class, self.number) {
            // SEQUENCE, SET, EXTERNAL, EMBEDDED PDV and CHARACTER STRING.
            (Class::Universal, 8 | 11 | 16 | 17 | 29) => Form::Constructed,
            (Class::Universal, _) if !self.is_string() => Form::Primitive,
            _ => Form::Either,
        }
    }

    /// Whether this is a universal string type, whose constructed form is the
    /// concatenation of its segments (X.690 sections 8.6, 8.7, 8.23).
    #[must_use]
    pub const fn is_string(self) -> bool {
        matches!(self.class, Class::Universal) && matches!(self.number, 3 | 4 | 12 | 18..=22 | 25..=30)
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match (self.class, self.number) {
            (Class::Universal, 0) => "end-of-contents",
            (Class::Universal, 1) => "BOOLEAN",
            (Class::Universal, 2) => "INTEGER",
            (Class::Universal, 3) => "BIT STRING",
            (Class::Universal, 4) => "OCTET STRING",
            (Class::Universal, 5) => "NULL",
            (Class::Universal, 6) => "OBJECT IDENTIFIER",
            (Class::Universal, 10) => "ENUMERATED",
            (Class::Universal, 12) => "UTF8String",
            (Class::Universal, 16) => "SEQUENCE",
            (Class::Universal, 17) => "SET",
            (Class::Universal, 18) => "NumericString",
            (Class::Universal, 19) => "PrintableString",
            (Class::Universal, 20) => "TeletexString",
            (Class::Universal, 22) => "IA5String",
            (Class::Universal, 23) => "UTCTime",
            (Class::Universal, 24) => "GeneralizedTime",
            (Class::Universal, 26) => "VisibleString",
            (Class::Universal, 28) => "UniversalString",
            (Class::Universal, 30) => "BMPString",
            (Class::Universal, number) => return write!(f, "UNIVERSAL {number}"),
            (Class::Application, number) => return write!(f, "[APPLICATION {number}]"),
            (Class::Context, number) => return write!(f, "[{number}]"),
            (Class::Private, number) => return write!(f, "[PRIVATE {number}]"),
        };
        f.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_those_of_x690() {
        assert_eq!(Tag::SEQUENCE.identifier(true), [0x30]);
        assert_eq!(Tag::context(0).identifier(true), [0xa0]);
        assert_eq!(Tag::context(31).identifier(false), [0x9f, 0x1f]);
        assert_eq!(Tag::context(201).identifier(false), [0x9f, 0x81, 0x49]);
    }

    #[test]
    fn types_have_their_form() {
        for tag in [Tag::SEQUENCE, Tag::SET] {
            assert_eq!(tag.form(), Form::Constructed);
        }
        for tag in [Tag::BOOLEAN, Tag::INTEGER, Tag::NULL, Tag::OBJECT_IDENTIFIER, Tag::UTC_TIME, Tag::GENERALIZED_TIME]
        {
            assert_eq!(tag.form(), Form::Primitive, "{tag}");
        }
        for tag in [Tag::BIT_STRING, Tag::OCTET_STRING, Tag::universal(12), Tag::context(0)] {
            assert_eq!(tag.form(), Form::Either, "{tag}");
        }
    }
}
