//! Ed448 (RFC 8032 section 5.2) over messages of any length, from the curve of
//! the crate `ed448-goldilocks`: its own signatures want the whole message.

use ed448_goldilocks::{CompressedEdwardsY, EdwardsPoint, EdwardsScalar, EdwardsScalarBytes, WideEdwardsScalarBytes};
use shake::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};
use zeroize::{Zeroize, Zeroizing};

use crate::{KeyError, message::Message, public_key::bad};

/// Octets of a key, and of each half of a signature.
const LEN: usize = 57;

/// dom4(0, "") (RFC 8032 section 2): no digest, no context (RFC 8419 section 2).
const DOMAIN: &[u8] = b"SigEd448\0\0";

/// A private key; it wipes itself when dropped.
pub(crate) struct Ed448Key {
    scalar: EdwardsScalar,
    prefix: Zeroizing<[u8; LEN]>,
    public: [u8; LEN],
}

impl Drop for Ed448Key {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}

impl Ed448Key {
    /// Grows a key from its seed (RFC 8032 section 5.2.5).
    pub(crate) fn from_seed(seed: &[u8; LEN]) -> Self {
        let mut bytes = Zeroizing::new([0; 2 * LEN]);
        hash(&[seed]).finalize_xof().read(&mut *bytes);
        let mut octets = EdwardsScalarBytes::default();
        octets.copy_from_slice(&bytes[..LEN]);
        octets[0] &= 0xfc;
        octets[55] |= 0x80;
        octets[56] = 0;
        let scalar = EdwardsScalar::from_bytes_mod_order(&octets);
        octets.zeroize();
        let mut prefix = Zeroizing::new([0; LEN]);
        prefix.copy_from_slice(&bytes[LEN..]);
        let public = encode(&(EdwardsPoint::GENERATOR * scalar));
        Self { scalar, prefix, public }
    }

    pub(crate) fn public(&self) -> &[u8; LEN] {
        &self.public
    }

    /// Signs (RFC 8032 section 5.2.6), reading the message twice.
    pub(super) fn sign(&self, message: &mut Message<'_>) -> Result<Vec<u8>, KeyError> {
        let (first, reading) = absorb(hash(&[DOMAIN, &*self.prefix]), message)?;
        let mut r = reduce(first);
        let point = encode(&(EdwardsPoint::GENERATOR * r));
        let (second, again) = absorb(hash(&[DOMAIN, &point, &self.public]), message)?;
        if reading != again {
            // One number for two messages would give the private key away.
            return Err(KeyError::Unreadable("it changed while it was signed".to_owned()));
        }
        let s = r + reduce(second) * self.scalar;
        r.zeroize();
        Ok([&point[..], &s.to_bytes_rfc_8032()].concat())
    }
}

/// Refuses what is no point in the one encoding that RFC 8032 section 5.2.3
/// lets it have, and points of small order, under which anything verifies.
pub(super) fn check(octets: &[u8]) -> Result<EdwardsPoint, KeyError> {
    let octets: &[u8; LEN] =
        octets.try_into().map_err(|_| bad(format!("a key ed448 of {} octets, it must have {LEN}", octets.len())))?;
    let point = CompressedEdwardsY(*octets)
        .decompress()
        .into_option()
        .map(|point| point.to_edwards())
        .filter(|point| *point != EdwardsPoint::IDENTITY)
        .ok_or_else(|| bad("no point of ed448 of the right order".to_owned()))?;
    if encode(&point) != *octets {
        return Err(bad("a point of ed448 in an encoding that is not its own".to_owned()));
    }
    Ok(point)
}

/// Verifies (RFC 8032 section 5.2.7), without the cofactor.
pub(super) fn verify(octets: &[u8], message: &mut Message<'_>, signature: &[u8]) -> Result<bool, KeyError> {
    let key = check(octets)?;
    let Some((point, number)) = signature.split_first_chunk::<LEN>() else { return Ok(false) };
    let Ok(number) = EdwardsScalarBytes::try_from(number) else { return Ok(false) };
    // Only a number below the order, whose last octet is zero, is its own encoding.
    let Some(s) = EdwardsScalar::from_canonical_bytes(&number).into_option().filter(|_| number[56] == 0) else {
        return Ok(false);
    };
    let (hasher, _) = absorb(hash(&[DOMAIN, point, octets]), message)?;
    let found = EdwardsPoint::GENERATOR * s - key * reduce(hasher);
    Ok(encode(&found) == *point)
}

fn encode(point: &EdwardsPoint) -> [u8; LEN] {
    point.to_affine().compress().to_bytes()
}

fn hash(parts: &[&[u8]]) -> Shake256 {
    let mut hasher = Shake256::default();
    parts.iter().for_each(|part| hasher.update(part));
    hasher
}

/// The hash with the message, and a digest of what was read of it.
fn absorb(mut hasher: Shake256, message: &mut Message<'_>) -> Result<(Shake256, [u8; 32]), KeyError> {
    let mut reading = Shake256::default();
    message.each(&mut |piece| {
        hasher.update(piece);
        reading.update(piece);
    })?;
    let mut digest = [0; 32];
    reading.finalize_xof().read(&mut digest);
    Ok((hasher, digest))
}

fn reduce(hasher: Shake256) -> EdwardsScalar {
    let mut bytes = WideEdwardsScalarBytes::default();
    hasher.finalize_xof().read(&mut bytes);
    let scalar = EdwardsScalar::from_bytes_mod_order_wide(&bytes);
    bytes.zeroize();
    scalar
}
