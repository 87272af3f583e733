//! The question (RFC 6960 section 4.1), unsigned.

use waxseal_key::{Arithmetic, DigestAlgorithm, KeyError};

use super::{NONCE, identifier};
use crate::ber::writer::{self, ValueError};
use crate::certificate::Certificate;

/// Octets of the longest nonce (RFC 9654 section 2.1).
pub const MOST_NONCE: usize = 128;

/// Whether certificates were revoked.
#[derive(Debug, Clone, Copy)]
pub struct OcspRequest<'a> {
    /// Each certificate with the one of its issuer.
    pub certificates: &'a [(&'a Certificate, &'a Certificate)],
    /// With what issuers are hashed. SHA-1 is what every responder knows (RFC
    /// 5019 section 2.1.1); nothing depends on its strength.
    pub digest: DigestAlgorithm,
    /// Random octets that the answer has to repeat: 32 of them, if any (RFC
    /// 9654 section 2.1).
    pub nonce: Option<&'a [u8]>,
}

/// Why a question cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OcspRequestError {
    /// An empty nonce, or one that is too long.
    #[error("a nonce of {0} octets; RFC 9654 allows 1 to {MOST_NONCE}, and wants 32")]
    Nonce(usize),
    /// No certificate to ask about.
    #[error("the question is about no certificate")]
    Empty,
    /// The digest is not provided.
    #[error(transparent)]
    Digest(#[from] KeyError),
    /// Something has no encoding.
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl OcspRequest<'_> {
    /// OCSPRequest in DER.
    ///
    /// # Errors
    /// Nothing is asked, the digest is not provided, or the nonce has a length
    /// that RFC 9654 forbids.
    pub fn to_der(&self, arithmetic: &Arithmetic) -> Result<Vec<u8>, OcspRequestError> {
        if self.certificates.is_empty() {
            return Err(OcspRequestError::Empty);
        }
        let mut list = Vec::new();
        for (certificate, issuer) in self.certificates {
            list.push(writer::sequence([identifier::write(certificate, issuer, self.digest, arithmetic)?]));
        }
        let mut fields = vec![writer::sequence(list)];
        if let Some(nonce) = self.nonce {
            if nonce.is_empty() || nonce.len() > MOST_NONCE {
                return Err(OcspRequestError::Nonce(nonce.len()));
            }
            let value = writer::octet_string(&writer::octet_string(nonce));
            let extension = writer::sequence([writer::oid(NONCE)?, value]);
            fields.push(writer::context(2, &writer::sequence([extension])));
        }
        Ok(writer::sequence([writer::sequence(fields)]))
    }
}
