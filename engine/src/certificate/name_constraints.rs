//! nameConstraints (RFC 5280 section 4.2.1.10) as read from a certificate.

use super::CertificateError;
use super::field::Fields as _;
use super::general_name::GeneralName;
use crate::ber::{Cursor, identifier as tag};

/// The subtrees that names of later certificates have to be in, and out of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameConstraints {
    /// For each name form that occurs here, a name has to be in one of its subtrees.
    pub permitted: Vec<GeneralName>,
    /// No name may be in one of these.
    pub excluded: Vec<GeneralName>,
    /// Set where the extension could not be read: then no name is permitted.
    pub(super) unreadable: bool,
}

impl NameConstraints {
    /// Constraints that no name satisfies.
    pub(super) fn permit_nothing() -> Self {
        Self { unreadable: true, ..Self::default() }
    }

    pub(super) fn read(value: &[u8]) -> Result<Self, CertificateError> {
        let mut fields = Cursor::new(value, 0).field(tag::SEQUENCE, "nameConstraints")?.inside();
        let mut constraints = Self::default();
        if let Some(list) = fields.optional(tag::context(0), "permittedSubtrees")? {
            constraints.permitted = subtrees(list.inside())?;
        }
        if let Some(list) = fields.optional(tag::context(1), "excludedSubtrees")? {
            constraints.excluded = subtrees(list.inside())?;
        }
        Ok(constraints)
    }
}

/// GeneralSubtrees. `minimum` is 0 and `maximum` absent in every profile of
/// RFC 5280; a subtree with other values cannot be judged and is refused.
fn subtrees(mut list: Cursor<'_>) -> Result<Vec<GeneralName>, CertificateError> {
    let mut bases = Vec::new();
    while !list.is_empty() {
        let mut fields = list.field(tag::SEQUENCE, "general subtree")?.inside();
        bases.push(GeneralName::read(&fields.any("base of a general subtree")?)?);
        let minimum = fields.optional(tag::context_primitive(0), "minimum")?;
        if minimum.is_some_and(|element| element.content != [0]) || !fields.is_empty() {
            return Err(CertificateError::encoding(fields.offset(), "general subtree", "has a minimum or a maximum"));
        }
    }
    Ok(bases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permitted_and_excluded() {
        let value = [0x30, 14, 0xa0, 5, 0x30, 3, 0x81, 1, b'a', 0xa1, 5, 0x30, 3, 0x82, 1, b'b'];
        let constraints = NameConstraints::read(&value).unwrap();
        assert_eq!(constraints.permitted, [GeneralName::Rfc822("a".into())]);
        assert_eq!(constraints.excluded, [GeneralName::Dns("b".into())]);
        let with_maximum = [0x30, 10, 0xa0, 8, 0x30, 6, 0x81, 1, b'a', 0x81, 1, 5];
        assert!(NameConstraints::read(&with_maximum).is_err());
    }
}
