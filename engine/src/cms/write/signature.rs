//! The scheme and the digest of one signature.

use waxseal_key::algorithm::signature_oid;
use waxseal_key::{DigestAlgorithm, PssParameters, PublicKeyAlgorithm, SignatureScheme, Signer};

use super::identifier::{algorithm, algorithm_with};
use super::{RsaSignature, Shape, WriteError};
use crate::ber::writer;
use crate::certificate::Certificate;
use crate::cms::oid;

/// One signature to be made.
#[derive(Clone, Copy)]
pub struct ContentSigner<'a> {
    /// The key, in software or on a card.
    pub signer: &'a dyn Signer,
    /// The certificate of that key.
    pub certificate: &'a Certificate,
    /// The signature scheme.
    pub scheme: SignatureScheme,
    /// The digest, of the content and of the signed attributes alike (RFC 8933).
    pub digest: DigestAlgorithm,
}

impl<'a> ContentSigner<'a> {
    /// The scheme that goes with the kind of the key, and a digest that goes
    /// with the scheme: the one given, unless the scheme wants another.
    ///
    /// The key is that of the signer, not of the certificate, which a tampered
    /// recipe may have exchanged. `pss` makes RSA keys sign with RSASSA-PSS;
    /// keys that are for RSASSA-PSS only do so in any case.
    ///
    /// # Errors
    /// The key is of a kind that signs nothing.
    pub fn new(
        signer: &'a dyn Signer,
        certificate: &'a Certificate,
        digest: DigestAlgorithm,
        pss: Option<PssParameters>,
    ) -> Result<Self, WriteError> {
        use PublicKeyAlgorithm as P;
        let usual = PssParameters::usual(digest);
        let scheme = match waxseal_key::describe_public_key(signer.public_key())?.algorithm {
            P::Rsa => pss.map_or(SignatureScheme::RsaPkcs1, SignatureScheme::RsaPss),
            P::RsaPss => SignatureScheme::RsaPss(pss.unwrap_or(usual)),
            P::P256 | P::P384 | P::P521 => SignatureScheme::Ecdsa,
            P::Ed25519 => SignatureScheme::Ed25519,
            P::Ed448 => SignatureScheme::Ed448,
            P::MlDsa44 => SignatureScheme::MlDsa44,
            P::MlDsa65 => SignatureScheme::MlDsa65,
            P::MlDsa87 => SignatureScheme::MlDsa87,
            P::Sm2 => SignatureScheme::Sm2,
            other => {
                return Err(WriteError::KeyKind {
                    subject: certificate.subject(),
                    kind: other.to_string(),
                    purpose: "signing",
                    expected: "a key of RSA, P-256, P-384, P-521, Ed25519, Ed448, ML-DSA or SM2 would do",
                });
            }
        };
        Ok(Self { signer, certificate, scheme, digest: fitting_digest(scheme, digest) })
    }

    /// signatureAlgorithm: NULL with RSA PKCS #1 v1.5 (RFC 5754 section 3.2),
    /// the parameters of RSASSA-PSS (RFC 4056 section 3), nothing with all
    /// others (RFC 5754 section 3.3, RFC 8419 section 2.2, RFC 9882 section 3.3).
    pub(super) fn signature_algorithm(&self, shape: &Shape) -> Result<Vec<u8>, WriteError> {
        let own = signature_oid(self.scheme, self.digest);
        let (oid, parameters) = match self.scheme {
            SignatureScheme::RsaPkcs1 if shape.rsa_signature == RsaSignature::RsaEncryption => {
                (oid::RSA_ENCRYPTION, writer::null())
            }
            SignatureScheme::RsaPkcs1 => (own, writer::null()),
            SignatureScheme::RsaPss(parameters) => (own, parameters.to_der(self.digest)),
            SignatureScheme::Ecdsa if matches!(self.digest, DigestAlgorithm::Md5 | DigestAlgorithm::Sm3) => {
                return Err(WriteError::Recipe("ECDSA with MD5 or SM3 has no identifier: sign with SHA-256 or better"));
            }
            SignatureScheme::Sm2 => {
                let named = &shape.sm2;
                return Ok(algorithm(named.signature.oid(), named.signature_parameters)?);
            }
            _ => (own, Vec::new()),
        };
        Ok(algorithm_with(oid, &parameters)?)
    }
}

/// Ed25519 and Ed448 have one digest each (RFC 8419 section 3.1). ML-DSA wants
/// one whose collisions are as hard to find as its signatures to forge (RFC 9882
/// section 3.3); SHA-512 fits all three. SM2 has SM3 (GM/T 0006).
fn fitting_digest(scheme: SignatureScheme, digest: DigestAlgorithm) -> DigestAlgorithm {
    use DigestAlgorithm::{Sha512, Shake256, Sm3};
    let least = match scheme {
        SignatureScheme::Ed25519 => return Sha512,
        SignatureScheme::Ed448 => return Shake256,
        SignatureScheme::Sm2 => return Sm3,
        SignatureScheme::MlDsa44 => 32,
        SignatureScheme::MlDsa65 => 48,
        SignatureScheme::MlDsa87 => 64,
        _ => 0,
    };
    if digest.output_len() >= least { digest } else { Sha512 }
}
