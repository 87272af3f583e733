//! MessageImprint (RFC 3161 section 2.4.1): what is stamped, by its digest.

use waxseal_key::{Arithmetic, DigestAlgorithm, KeyError};
use waxseal_verdict::Reason;

use crate::ber::writer::{self, ValueError};
use crate::ber::{Cursor, Tag};
use crate::cms::error::Within as _;
use crate::cms::{AlgorithmIdentifier, CmsError};

/// A digest with its algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageImprint {
    /// The digest algorithm.
    pub algorithm: AlgorithmIdentifier,
    /// The digest.
    pub hash: Vec<u8>,
}

impl MessageImprint {
    /// The imprint of octets that are held in memory.
    ///
    /// # Errors
    /// The arithmetic does not provide the digest.
    pub fn of(octets: &[u8], digest: DigestAlgorithm, arithmetic: &Arithmetic) -> Result<Self, KeyError> {
        Ok(Self::new(digest, arithmetic.digest(digest, octets)?))
    }

    /// A digest that was computed elsewhere.
    #[must_use]
    pub fn new(digest: DigestAlgorithm, hash: Vec<u8>) -> Self {
        Self { algorithm: AlgorithmIdentifier { oid: digest.oid().to_owned(), parameters: None }, hash }
    }

    /// The digest algorithm, if it is a known one.
    #[must_use]
    pub fn digest(&self) -> Option<DigestAlgorithm> {
        self.algorithm.digest()
    }

    /// Whether both are the same digest by the same algorithm; absent
    /// parameters and NULL are the same.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        self.algorithm.oid == other.algorithm.oid && self.hash == other.hash
    }

    /// Whether the hash is as long as its algorithm makes it, which section
    /// 2.4.1 demands. Of an unknown algorithm nobody can say.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.digest().is_none_or(|digest| digest.output_len() == self.hash.len())
    }

    pub(super) fn read(fields: &mut Cursor<'_>, place: &str) -> Result<Self, CmsError> {
        let place = &format!("{place}.messageImprint");
        let mut inside = fields.expect(Tag::SEQUENCE, "messageImprint (SEQUENCE)").within(place)?.inside();
        let algorithm = inside.expect(Tag::SEQUENCE, "hashAlgorithm").within(place)?;
        let algorithm = AlgorithmIdentifier::read(&algorithm, place)?;
        let hash = inside.expect(Tag::OCTET_STRING, "hashedMessage (OCTET STRING)").within(place)?;
        inside.end().within(place)?;
        if hash.constructed {
            return Err(CmsError::new(Reason::BadDer, place.as_str(), "hashedMessage in segments is not DER"));
        }
        Ok(Self { algorithm, hash: hash.content.to_vec() })
    }

    pub(super) fn to_der(&self) -> Result<Vec<u8>, ValueError> {
        let parameters = self.algorithm.parameters.as_deref().unwrap_or_default();
        let algorithm = writer::sequence([writer::oid(&self.algorithm.oid)?.as_slice(), parameters]);
        Ok(writer::sequence([algorithm, writer::octet_string(&self.hash)]))
    }
}
