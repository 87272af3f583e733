//! Agreement on a secret with another key: ECDH and X25519.

use zeroize::Zeroizing;

use super::Arithmetic;
use crate::{
    KeyError, PublicKeyAlgorithm, Random,
    private_key::Secret,
    provider::rustcrypto::agreement,
    public_key::{PublicKey, agreement_spki},
};

impl Arithmetic {
    /// Makes a key for one message, of the kind of the other side's key: DER of
    /// its SubjectPublicKeyInfo, and the secret Z that both now share (RFC 5753
    /// section 3.1, RFC 8418 section 2).
    ///
    /// # Errors
    /// The other side's key is damaged, not on its curve, or of a kind that
    /// agrees on nothing; the random numbers are none; or the provider lacks it.
    pub fn agree_ephemeral(
        &self,
        peer_spki: &[u8],
        random: &mut dyn Random,
    ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), KeyError> {
        let peer = PublicKey::parse(peer_spki)?;
        let private = agreement::draw(&peer.algorithm, random)?;
        let public = self.fast(|provider| provider.agreement_public(&peer.algorithm, &private))?;
        let secret = self.fast(|provider| provider.agree(&peer.algorithm, &private, &peer))?;
        let spki = agreement_spki(&peer.algorithm, &public)
            .map_err(|error| KeyError::Refused(format!("no SubjectPublicKeyInfo: {error}")))?;
        Ok((spki, secret))
    }

    pub(crate) fn agree(&self, key: &Secret, peer_spki: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let private = agreement::private_octets(&key.kind).ok_or_else(|| KeyError::BadParameters {
            algorithm: "key agreement".to_owned(),
            why: format!("the private key is of the kind {}", key.algorithm),
        })?;
        let peer = peer_of(peer_spki, &key.algorithm)?;
        self.fast(|provider| provider.agree(&key.algorithm, &private, &peer))
    }
}

/// The point of the other side's key, for a key agreement that somebody else
/// does: the holder of the private key that belongs to `own_spki`. Both are DER
/// of a SubjectPublicKeyInfo; the point is in uncompressed form (SEC 1 section
/// 2.3.3), which smart cards ask for.
///
/// # Errors
/// The other side's key is damaged, not on the curve of ours, or of another
/// kind; or ours is on no curve.
pub fn agreement_point(own_spki: &[u8], peer_spki: &[u8]) -> Result<Vec<u8>, KeyError> {
    let own = PublicKey::parse(own_spki)?.algorithm;
    agreement::point(&own, &peer_of(peer_spki, &own)?)
}

/// The other side's key, which must be of the same kind as ours.
fn peer_of<'a>(peer_spki: &'a [u8], ours: &PublicKeyAlgorithm) -> Result<PublicKey<'a>, KeyError> {
    let peer = PublicKey::parse_peer(peer_spki, ours)?;
    if peer.algorithm == *ours {
        return Ok(peer);
    }
    Err(KeyError::BadPublicKey(format!("the other side's key is of the kind {}, this one {ours}", peer.algorithm)))
}

/// What is said of a secret that is all zeros (RFC 8418 section 2, RFC 7748
/// section 6.1): the other side's key was made so that everyone knows it.
pub(crate) fn no_secret(algorithm: &PublicKeyAlgorithm) -> KeyError {
    KeyError::BadPublicKey(format!("a key {algorithm} of small order: it agrees on a secret that everyone knows"))
}
