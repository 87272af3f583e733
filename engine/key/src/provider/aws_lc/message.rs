//! Signatures over messages themselves: short ones, as aws-lc takes them in
//! one piece.

use aws_lc_rs::signature::{self, Ed25519KeyPair, UnparsedPublicKey, VerificationAlgorithm};

use crate::{
    KeyError, PublicKeyAlgorithm,
    message::Message,
    private_key::{Secret, SecretKind},
    provider::lacks,
    public_key::PublicKey,
};

pub(super) fn verify(key: &PublicKey<'_>, message: &mut Message<'_>, octets: &[u8]) -> Result<bool, KeyError> {
    let algorithm: &dyn VerificationAlgorithm = match key.algorithm {
        PublicKeyAlgorithm::Ed25519 => &signature::ED25519,
        PublicKeyAlgorithm::MlDsa44 => &signature::ML_DSA_44,
        PublicKeyAlgorithm::MlDsa65 => &signature::ML_DSA_65,
        PublicKeyAlgorithm::MlDsa87 => &signature::ML_DSA_87,
        _ => return lacks(format_args!("signatures over messages with a key {}", key.algorithm)),
    };
    let Some(message) = message.short()? else { return lacks(format_args!("{} over a long message", key.algorithm)) };
    Ok(UnparsedPublicKey::new(algorithm, key.octets).verify(&message, octets).is_ok())
}

pub(super) fn sign(key: &Secret, message: &mut Message<'_>) -> Result<Vec<u8>, KeyError> {
    let SecretKind::Ed25519(secret) = &key.kind else {
        return lacks(format_args!("signing by {} without random numbers", key.algorithm));
    };
    let Some(message) = message.short()? else { return lacks(format_args!("{} over a long message", key.algorithm)) };
    let pair = Ed25519KeyPair::from_seed_unchecked(secret.as_bytes())
        .map_err(|error| KeyError::Refused(format!("aws-lc does not take this key: {error}")))?;
    Ok(pair.sign(&message).as_ref().to_vec())
}
