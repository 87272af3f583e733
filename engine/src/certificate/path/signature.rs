//! The signature of an issuer, and why it does not lead on.

use std::io::Cursor;

use waxseal_key::{Arithmetic, DigestAlgorithm, KeyError, SignatureScheme, algorithm};
use waxseal_verdict::Reason;

use crate::Check;
use crate::certificate::issued::IssuerSignature;
use crate::certificate::{Certificate, complete_key};

/// Why a certificate has no issuer, the more telling the greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Obstacle {
    NoIssuer,
    Circle,
    Unsupported(String),
    BadSignature(String),
}

impl Obstacle {
    pub(super) fn explain(self, tip: &Certificate) -> (Reason, String) {
        match self {
            Self::NoIssuer => (Reason::NoPath, format!("no certificate of its issuer {} was found", tip.issuer())),
            Self::Circle => (Reason::NoPath, "the certificates issue each other in a circle".to_owned()),
            Self::Unsupported(why) => (Reason::UnsupportedAlgorithm, why),
            Self::BadSignature(why) => (Reason::BadSignature, why),
        }
    }
}

/// What an issuer signed: computed once, compared with each possible issuer.
pub(super) enum Signed<'a> {
    Digest { signature: IssuerSignature<'a>, scheme: SignatureScheme, digest: DigestAlgorithm, value: Vec<u8> },
    Message { signature: IssuerSignature<'a>, scheme: SignatureScheme },
    Not(Obstacle),
}

impl<'a> Signed<'a> {
    pub(super) fn of(signature: IssuerSignature<'a>, arithmetic: &Arithmetic) -> Self {
        if !signature.algorithms_agree() {
            let what = "the signature algorithm differs inside and outside (RFC 5280 section 4.1.1.2)";
            return Self::Not(Obstacle::BadSignature(what.to_owned()));
        }
        let (scheme, digest) = match signature.scheme() {
            Ok(Some((scheme, _))) if scheme.signs_message() => return Self::Message { signature, scheme },
            Ok(Some((scheme, Some(digest)))) => (scheme, digest),
            Ok(_) => {
                let name = algorithm::oid_name(signature.oid).unwrap_or(signature.oid);
                return Self::Not(Obstacle::Unsupported(format!("signed with {name}, which is not supported")));
            }
            Err(error) => return Self::Not(Obstacle::BadSignature(error.to_string())),
        };
        match arithmetic.digest(digest, signature.tbs) {
            Ok(value) => Self::Digest { signature, scheme, digest, value },
            Err(error) => Self::Not(Obstacle::Unsupported(error.to_string())),
        }
    }

    /// Whether this issuer signed it; `known` are certificates from which a key may have to be completed.
    pub(super) fn verify(
        &self,
        issuer: &Certificate,
        known: &[&Certificate],
        arithmetic: &Arithmetic,
    ) -> Result<(), Obstacle> {
        if !Check::CertificateSignature.on() {
            return Ok(());
        }
        let key = complete_key(issuer, known.iter().copied());
        let verified = match self {
            Self::Digest { signature, scheme, digest, value } => {
                arithmetic.verify_digest(&key, *scheme, *digest, value, signature.value)
            }
            Self::Message { signature, scheme } => {
                arithmetic.verify_message(&key, *scheme, &mut Cursor::new(signature.tbs), signature.value)
            }
            Self::Not(obstacle) => return Err(obstacle.clone()),
        };
        match verified {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(Obstacle::BadSignature(format!("its signature does not fit the key of {}", issuer.subject())))
            }
            Err(error @ (KeyError::NotByThisProvider { .. } | KeyError::UnknownAlgorithm(_))) => {
                Err(Obstacle::Unsupported(error.to_string()))
            }
            Err(error) => {
                Err(Obstacle::BadSignature(format!("the key of {} cannot be used: {error}", issuer.subject())))
            }
        }
    }
}
