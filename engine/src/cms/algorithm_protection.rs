//! The CMSAlgorithmProtection attribute (RFC 6211 section 2).

use waxseal_verdict::Reason;

use crate::ber::{Cursor, Form, Tag};
use crate::cms::algorithm::AlgorithmIdentifier;
use crate::cms::attribute::Attributes;
use crate::cms::error::{CmsError, Within};
use crate::cms::oid;

/// The algorithms as the writer of a signature or MAC meant them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlgorithmProtection {
    /// The digest of the content.
    pub digest: AlgorithmIdentifier,
    /// The signature algorithm; in SignedData.
    pub signature: Option<AlgorithmIdentifier>,
    /// The MAC algorithm; in AuthenticatedData.
    pub mac: Option<AlgorithmIdentifier>,
}

impl Attributes {
    /// The CMSAlgorithmProtection attribute.
    ///
    /// # Errors
    /// It is malformed, not single, or names both kinds of algorithm.
    pub fn algorithm_protection(&self) -> Result<Option<AlgorithmProtection>, CmsError> {
        let Some(value) = self.single(oid::ATTRIBUTE_ALGORITHM_PROTECTION)? else { return Ok(None) };
        let place = &self.place(oid::ATTRIBUTE_ALGORITHM_PROTECTION);
        let mut outer = Cursor::new(value.whole, value.offset);
        let mut fields = outer.expect(Tag::SEQUENCE, "CMSAlgorithmProtection (SEQUENCE)").within(place)?.inside();
        let digest = fields.expect(Tag::SEQUENCE, "digestAlgorithm").within(place)?;
        let digest = AlgorithmIdentifier::read(&digest, place)?;
        let mut tagged = |number: u32| -> Result<Option<AlgorithmIdentifier>, CmsError> {
            let element = fields.take_if(Tag::context(number), Form::Constructed).within(place)?;
            element.map(|element| AlgorithmIdentifier::read(&element, place)).transpose()
        };
        let (signature, mac) = (tagged(1)?, tagged(2)?);
        fields.end().within(place)?;
        if signature.is_some() && mac.is_some() {
            let detail = format!("signatureAlgorithm and macAlgorithm at offset {}: one may be there", value.offset);
            return Err(CmsError::new(Reason::BadBer, place.as_str(), detail));
        }
        Ok(Some(AlgorithmProtection { digest, signature, mac }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::writer as w;

    fn read(fields: &[Vec<u8>]) -> Result<AlgorithmProtection, CmsError> {
        let value = w::sequence(fields);
        let oid = w::oid(oid::ATTRIBUTE_ALGORITHM_PROTECTION).unwrap();
        let set = w::context(0, &w::sequence([oid, w::set_as_given([value])]));
        let attributes = Attributes::read(&Cursor::new(&set, 0).take().unwrap().unwrap(), "signedAttrs").unwrap();
        attributes.algorithm_protection().map(Option::unwrap)
    }

    #[test]
    fn one_of_two_algorithms_stands_beside_the_digest() {
        let oid = |dotted: &str| w::oid(dotted).unwrap();
        let digest = w::sequence([oid("1.2.4")]);
        let (signature, mac) = (w::context(1, &oid("1.2.5")), w::context(2, &oid("1.2.6")));
        let found = read(&[digest.clone(), signature.clone()]).unwrap();
        assert_eq!((found.digest.oid.as_str(), found.signature.unwrap().oid.as_str()), ("1.2.4", "1.2.5"));
        let found = read(&[digest.clone(), mac.clone()]).unwrap();
        assert_eq!((found.signature, found.mac.unwrap().oid.as_str()), (None, "1.2.6"));
        assert!(read(std::slice::from_ref(&digest)).unwrap().signature.is_none());
        let both = read(&[digest.clone(), signature.clone(), mac.clone()]).unwrap_err();
        assert_eq!((both.reason, both.context.as_str()), (Reason::BadBer, "signedAttrs.cmsAlgorithmProtection"));
        assert!(read(&[signature]).is_err());
        assert!(read(&[digest.clone(), mac, digest]).is_err());
    }
}
