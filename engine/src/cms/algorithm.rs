//! AlgorithmIdentifier (RFC 5280 section 4.1.1.2).

use waxseal_key::DigestAlgorithm;

use crate::ber::{Element, Tag};
use crate::cms::error::{CmsError, Within};
use crate::cms::oid;
use crate::cms::read::object_identifier;

/// An algorithm and its parameters, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlgorithmIdentifier {
    /// The object identifier, dotted.
    pub oid: String,
    /// The parameters' encoding in definite lengths; `None` if absent.
    pub parameters: Option<Vec<u8>>,
}

impl AlgorithmIdentifier {
    /// Reads the SEQUENCE `element`.
    ///
    /// # Errors
    /// It is no AlgorithmIdentifier.
    pub fn read(element: &Element<'_>, context: &str) -> Result<Self, CmsError> {
        let mut inside = element.inside();
        let oid = inside.expect(Tag::OBJECT_IDENTIFIER, "algorithm (OBJECT IDENTIFIER)").within(context)?;
        let oid = object_identifier(&oid, context)?;
        let parameters = inside.take().within(context)?.map(|parameters| parameters.whole.to_vec());
        inside.end().within(context)?;
        Ok(Self { oid, parameters })
    }

    /// The algorithm's name in the algorithm table, or its object identifier.
    #[must_use]
    pub fn name(&self) -> String {
        waxseal_key::algorithm::by_oid(&self.oid).map_or_else(|| self.oid.clone(), |row| row.name.to_owned())
    }

    /// The digest algorithm of a signer: SM3 is also meant by SM2 with SM3,
    /// which software writes there.
    #[must_use]
    pub fn signers_digest(&self) -> Option<DigestAlgorithm> {
        if self.oid == oid::SM2_WITH_SM3 { Some(DigestAlgorithm::Sm3) } else { self.digest() }
    }

    /// The digest algorithm that is meant, if it is one that is known.
    #[must_use]
    pub fn digest(&self) -> Option<DigestAlgorithm> {
        DigestAlgorithm::from_identifier(&self.oid, self.parameters.as_deref())
    }

    /// Whether the parameters are NULL.
    #[must_use]
    pub fn has_null(&self) -> bool {
        self.parameters.as_deref() == Some(&[5, 0])
    }
}
