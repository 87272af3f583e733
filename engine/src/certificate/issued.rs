//! What certificates, CRLs and OCSP responses have in common: somebody issued
//! them, with a signature.

use std::ops::Range;

use waxseal_key::{DigestAlgorithm, KeyError, SignatureScheme, algorithm};

use super::CertificateError;
use super::field::{Fields as _, bits, object_identifier};
use crate::ber::{Cursor, Element, identifier as tag};

/// The three parts of a signed object of RFC 5280 or RFC 6960.
pub(super) struct Parts<'a> {
    /// What is signed.
    pub(super) tbs: Element<'a>,
    /// signatureAlgorithm, outside of what is signed.
    pub(super) algorithm: Element<'a>,
    /// signatureValue.
    pub(super) signature: Element<'a>,
    /// What stands after it.
    pub(super) after: Cursor<'a>,
}

impl<'a> Parts<'a> {
    /// Takes it apart; `what` names the whole in errors, and `signed` what is
    /// signed of it.
    pub(super) fn read(der: &'a [u8], what: &'static str, signed: &'static str) -> Result<Self, CertificateError> {
        let mut input = Cursor::new(der, 0);
        let outer = input.field(tag::SEQUENCE, what)?;
        if !input.is_empty() {
            return Err(CertificateError::encoding(input.offset(), what, "is followed by more octets"));
        }
        let mut fields = outer.inside();
        Ok(Self {
            tbs: fields.field(tag::SEQUENCE, signed)?,
            algorithm: fields.field(tag::SEQUENCE, "signatureAlgorithm")?,
            signature: fields.field(tag::BIT_STRING, "signatureValue")?,
            after: fields,
        })
    }

    /// Where they are; `inner` is the algorithm inside of what is signed.
    pub(super) fn places(&self, inner: &Element<'_>) -> Result<Issued, CertificateError> {
        let bits = bits(&self.signature)?.len() as u64;
        let signature = self.signature.content_range();
        Ok(Issued {
            tbs: self.tbs.range(),
            algorithms: [inner.range(), self.algorithm.range()],
            oid: object_identifier(&self.algorithm.inside().field(tag::OID, "signatureAlgorithm")?)?,
            signature: signature.end - bits..signature.end,
        })
    }
}

/// Where the parts of a signed object are.
pub(super) struct Issued {
    tbs: Range<u64>,
    /// AlgorithmIdentifier inside and outside of what is signed.
    algorithms: [Range<u64>; 2],
    oid: String,
    signature: Range<u64>,
}

impl Issued {
    /// What is signed, and how, in these octets of the whole.
    pub(super) fn of<'a>(&'a self, der: &'a [u8]) -> IssuerSignature<'a> {
        let [inner, outer] = &self.algorithms;
        IssuerSignature {
            tbs: slice(der, &self.tbs),
            algorithms: [slice(der, inner), slice(der, outer)],
            oid: &self.oid,
            value: slice(der, &self.signature),
        }
    }
}

pub(super) fn slice<'a>(der: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
    der.get(place(range.start)..place(range.end)).unwrap_or_default()
}

/// The signature of whoever issued a certificate, CRL or OCSP response.
#[derive(Clone, Copy)]
pub(super) struct IssuerSignature<'a> {
    /// What is signed, with its tag and length.
    pub(super) tbs: &'a [u8],
    /// AlgorithmIdentifier inside and outside of what is signed.
    pub(super) algorithms: [&'a [u8]; 2],
    /// Object identifier of the algorithm.
    pub(super) oid: &'a str,
    /// The signature value.
    pub(super) value: &'a [u8],
}

impl IssuerSignature<'_> {
    /// Whether the algorithm that was signed is the one that stands outside
    /// (RFC 5280 section 4.1.1.2: it must be).
    pub(super) fn algorithms_agree(&self) -> bool {
        self.algorithms[0] == self.algorithms[1]
    }

    /// What the algorithm means: the scheme, and the digest if it fixes one;
    /// `None` if it is not known.
    pub(super) fn scheme(&self) -> Result<Option<(SignatureScheme, Option<DigestAlgorithm>)>, KeyError> {
        let mut fields = Cursor::new(self.algorithms[1], 0).take().ok().flatten().map(|outer| outer.inside());
        let parameters = fields.as_mut().and_then(|fields| {
            fields.take().ok()?;
            fields.take().ok()?.map(|parameters| parameters.whole)
        });
        algorithm::signature_from_identifier(self.oid, parameters)
    }
}
