//! The structures of CMS and X.509 as data, so that a walk can name what it sees.

mod algorithms;
mod cms;
mod x509;

use super::value::universal;
use crate::ber::{Class, Tag};

pub(super) use cms::CONTENT_INFO;
pub(super) use x509::{CERTIFICATE, CRL};

/// What an element is made of.
#[derive(Debug)]
pub(super) enum Shape {
    /// Nothing is known; universal tags speak for themselves.
    Any,
    /// Any of what a bare object can be: told by its first element.
    Root,
    /// A context-specific tag that stands for this universal type.
    As(u32),
    /// A SEQUENCE: fields in this order, each of which may be absent.
    Sequence(&'static [Field]),
    /// A SEQUENCE OF, SET OF or explicit tag: each element is one of these.
    Of(&'static [Field]),
    /// The element itself is one of these.
    Choice(&'static [Field]),
    /// A distinguished name, whose text is its value.
    Name,
    /// An AlgorithmIdentifier: its identifier also decides what follows it.
    Algorithm(&'static [Field]),
    /// As the nearest object identifier before it says.
    ByOid(&'static [Row]),
    /// A string whose octets are the encoding of this.
    Inside(&'static Shape),
    /// A BIT STRING whose bits have these names.
    Bits(&'static [&'static str]),
    /// A string whose octets are a MIME entity.
    Mime,
    /// Octets that mean nothing without a key, or without undoing a compression.
    Opaque,
}

/// An element that can stand in another.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    tag: Match,
    pub(super) shape: &'static Shape,
}

/// Which tags a field can have.
#[derive(Debug, Clone, Copy)]
enum Match {
    Any,
    Universal(u32),
    Context(u32),
    /// UTCTime or GeneralizedTime.
    Time,
}

/// What an object identifier stands for.
#[derive(Debug)]
pub(super) struct Row {
    oid: &'static str,
    /// The name of the value; empty where the field's own name says enough.
    name: &'static str,
    shape: &'static Shape,
}

impl Shape {
    /// Follows choices and identifiers to the shape of the element with this
    /// tag, after this identifier. The name is that of the alternative, if any.
    pub(super) fn resolve(&'static self, tag: Tag, oid: Option<&str>) -> (Option<&'static str>, &'static Self) {
        match self {
            Self::Choice(fields) => {
                fields.iter().find(|field| field.accepts(tag)).map_or((None, &Self::Any), |field| {
                    let (name, shape) = field.shape.resolve(tag, oid);
                    (name.or(Some(field.name)), shape)
                })
            }
            Self::ByOid(rows) => rows.iter().find(|row| Some(row.oid) == oid).map_or((None, &Self::Any), |row| {
                let (name, shape) = row.shape.resolve(tag, oid);
                (name.or((!row.name.is_empty()).then_some(row.name)), shape)
            }),
            shape => (None, shape),
        }
    }

    /// The field that an element with this tag is, in an element of this shape.
    /// `next` is the first field of a SEQUENCE that can still come.
    pub(super) fn field(&self, tag: Tag, next: &mut usize) -> Option<&'static Field> {
        match self {
            Self::Sequence(fields) | Self::Algorithm(fields) => {
                let index = *next + fields.get(*next..)?.iter().position(|field| field.accepts(tag))?;
                *next = index + 1;
                fields.get(index)
            }
            Self::Of(fields) => fields.iter().find(|field| field.accepts(tag)),
            _ => None,
        }
    }

    /// What a bare object is, by the tag of its first element.
    pub(super) fn of_root(first: Tag) -> (Option<&'static str>, &'static Self) {
        match first {
            Tag::OBJECT_IDENTIFIER => (Some("contentInfo"), &CONTENT_INFO),
            Tag::SEQUENCE => (Some("certificate"), &CERTIFICATE),
            _ => (None, &Self::Any),
        }
    }
}

impl Field {
    fn accepts(&self, tag: Tag) -> bool {
        match self.tag {
            Match::Any => true,
            Match::Universal(number) => tag == Tag::universal(number),
            Match::Context(number) => tag == Tag::context(number),
            Match::Time => {
                tag.class == Class::Universal && matches!(tag.number, universal::UTC_TIME | universal::GENERALIZED_TIME)
            }
        }
    }
}

// --- how the tables are written

const fn any(name: &'static str, shape: &'static Shape) -> Field {
    Field { name, tag: Match::Any, shape }
}

const fn seq(name: &'static str, shape: &'static Shape) -> Field {
    Field { name, tag: Match::Universal(universal::SEQUENCE), shape }
}

const fn set(name: &'static str, shape: &'static Shape) -> Field {
    Field { name, tag: Match::Universal(universal::SET), shape }
}

const fn octets(name: &'static str, shape: &'static Shape) -> Field {
    Field { name, tag: Match::Universal(universal::OCTET_STRING), shape }
}

const fn bits(name: &'static str, shape: &'static Shape) -> Field {
    Field { name, tag: Match::Universal(universal::BIT_STRING), shape }
}

const fn int(name: &'static str) -> Field {
    Field { name, tag: Match::Universal(universal::INTEGER), shape: &Shape::Any }
}

const fn oid(name: &'static str) -> Field {
    Field { name, tag: Match::Universal(universal::OID), shape: &Shape::Any }
}

const fn boolean(name: &'static str) -> Field {
    Field { name, tag: Match::Universal(universal::BOOLEAN), shape: &Shape::Any }
}

const fn utf8(name: &'static str) -> Field {
    Field { name, tag: Match::Universal(universal::UTF8), shape: &Shape::Any }
}

const fn time(name: &'static str) -> Field {
    Field { name, tag: Match::Time, shape: &Shape::Any }
}

/// `[n]`, with what stands behind or in it.
const fn ctx(number: u32, name: &'static str, shape: &'static Shape) -> Field {
    Field { name, tag: Match::Context(number), shape }
}

const fn row(oid: &'static str, name: &'static str, shape: &'static Shape) -> Row {
    Row { oid, name, shape }
}

/// `[n] IMPLICIT` types.
static AS_INTEGER: Shape = Shape::As(universal::INTEGER);
static AS_BITS: Shape = Shape::As(universal::BIT_STRING);
static AS_OCTETS: Shape = Shape::As(universal::OCTET_STRING);
static AS_OID: Shape = Shape::As(universal::OID);
static AS_IA5: Shape = Shape::As(universal::IA5);
