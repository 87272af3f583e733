//! rustls-webpki, with the purpose of mail and the signatures of the corpus.
//! It knows no certificate policies and no constraints on addresses.

use std::time::Duration;

use ::webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
    alg_id,
};

use crate::Opinion;
use crate::asked::Asked;

/// id-kp-emailProtection without tag and length.
const EMAIL_PROTECTION: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 4];

pub(crate) fn ask(asked: &Asked) -> Opinion {
    let leaf = der(&asked.leaf);
    let others: Vec<_> = asked.others.iter().map(|pem| der(pem)).collect();
    let anchors: Vec<_> = asked.anchors.iter().map(|pem| der(pem)).collect();
    let said = |error: ::webpki::Error| format!("{error:?}");
    let anchors: Vec<TrustAnchor<'_>> =
        anchors.iter().map(anchor_from_trusted_cert).collect::<Result<_, _>>().map_err(said)?;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(asked.at).unwrap()));
    let usage = KeyUsage::required_if_present(EMAIL_PROTECTION);
    let leaf = EndEntityCert::try_from(&leaf).map_err(said)?;
    let verified = leaf.verify_for_usage(SCHEMES, &anchors, &others, at, usage, None, None);
    verified.map(drop).map_err(said)
}

fn der(pem: &str) -> CertificateDer<'static> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap().into()
}

/// The signatures of the corpus' authorities.
const SCHEMES: &[&dyn SignatureVerificationAlgorithm] = &[
    &Scheme(&RSA_PKCS1_2048_8192_SHA256, alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA256),
    &Scheme(&ECDSA_P256_SHA256_ASN1, alg_id::ECDSA_P256, alg_id::ECDSA_SHA256),
    &Scheme(&ECDSA_P384_SHA384_ASN1, alg_id::ECDSA_P384, alg_id::ECDSA_SHA384),
];

/// An algorithm, the keys that it takes, and how signatures name it.
#[derive(Debug)]
struct Scheme(&'static dyn VerificationAlgorithm, AlgorithmIdentifier, AlgorithmIdentifier);

impl SignatureVerificationAlgorithm for Scheme {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(self.0, key).verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.1
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.2
    }
}
