//! ECDH and X25519.

use aws_lc_rs::agreement::{self, Algorithm, PrivateKey, UnparsedPublicKey};
use zeroize::Zeroizing;

use crate::{
    KeyError, PublicKeyAlgorithm,
    arithmetic::no_secret,
    provider::{lacks, rustcrypto::check_public_key},
    public_key::PublicKey,
};

pub(super) fn public(algorithm: &PublicKeyAlgorithm, private: &[u8]) -> Result<Vec<u8>, KeyError> {
    let private = private_key(algorithm, private)?;
    let public = private
        .compute_public_key()
        .map_err(|_| KeyError::Refused(format!("aws-lc gives no public key {algorithm}")))?;
    Ok(public.as_ref().to_vec())
}

pub(super) fn agree(
    algorithm: &PublicKeyAlgorithm,
    private: &[u8],
    peer: &PublicKey<'_>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let private = private_key(algorithm, private)?;
    let public = UnparsedPublicKey::new(private.algorithm(), peer.octets);
    let agreed = agreement::agree(&private, public, (), |secret| Ok(Zeroizing::new(secret.to_vec())));
    agreed.or_else(|()| {
        check_public_key(peer)?;
        if *algorithm == PublicKeyAlgorithm::X25519 {
            // The one thing that can be wrong with 32 octets.
            return Err(no_secret(algorithm));
        }
        lacks(format_args!("key agreement with a point {algorithm} of this form"))
    })
}

fn private_key(algorithm: &PublicKeyAlgorithm, private: &[u8]) -> Result<PrivateKey, KeyError> {
    let Some(known) = known(algorithm) else { return lacks(format_args!("key agreement with a key {algorithm}")) };
    PrivateKey::from_private_key(known, private)
        .map_err(|error| KeyError::Refused(format!("aws-lc does not take this key: {error}")))
}

fn known(algorithm: &PublicKeyAlgorithm) -> Option<&'static Algorithm> {
    Some(match algorithm {
        PublicKeyAlgorithm::P256 => &agreement::ECDH_P256,
        PublicKeyAlgorithm::P384 => &agreement::ECDH_P384,
        PublicKeyAlgorithm::P521 => &agreement::ECDH_P521,
        PublicKeyAlgorithm::X25519 => &agreement::X25519,
        _ => return None,
    })
}
