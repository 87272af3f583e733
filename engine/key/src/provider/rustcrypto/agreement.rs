//! ECDH over the curves of NIST (SEC 1 section 3.3.1), and X25519 (RFC 7748).

use subtle::ConstantTimeEq;
use x25519_dalek::{StaticSecret, x25519};
use zeroize::Zeroizing;

use crate::{
    KeyError, PublicKeyAlgorithm, Random,
    arithmetic::no_secret,
    private_key::SecretKind,
    provider::lacks,
    public_key::{PublicKey, bad},
};

/// The private number as both providers take it: big-endian of the length of
/// the field, or the octets of X25519. `None` for keys that agree on nothing.
pub(crate) fn private_octets(kind: &SecretKind) -> Option<Zeroizing<Vec<u8>>> {
    Some(Zeroizing::new(match kind {
        SecretKind::P256(key) => Zeroizing::new(key.to_bytes()).to_vec(),
        SecretKind::P384(key) => Zeroizing::new(key.to_bytes()).to_vec(),
        SecretKind::P521(key) => Zeroizing::new(key.to_bytes()).to_vec(),
        SecretKind::Sm2(key) => Zeroizing::new(key.to_bytes()).to_vec(),
        SecretKind::X25519(key) => key.as_bytes().to_vec(),
        SecretKind::Rsa(_)
        | SecretKind::Ed25519(_)
        | SecretKind::Ed448(_)
        | SecretKind::MlDsa(_)
        | SecretKind::MlKem(_) => return None,
    }))
}

/// Draws a private number.
pub(crate) fn draw(algorithm: &PublicKeyAlgorithm, random: &mut dyn Random) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (len, first_mask) = match algorithm {
        PublicKeyAlgorithm::P256 | PublicKeyAlgorithm::Sm2 | PublicKeyAlgorithm::X25519 => (32, 0xff),
        PublicKeyAlgorithm::P384 => (48, 0xff),
        PublicKeyAlgorithm::P521 => (66, 0x01),
        other => return Err(bad(format!("a key {other} agrees on nothing"))),
    };
    // The order of each curve is close below a power of two, or more than half of it: a
    // number out of range is drawn again, and 128 times in a row only by a broken generator.
    for _ in 0..128 {
        let mut private = Zeroizing::new(vec![0; len]);
        random.fill(&mut private);
        private[0] &= first_mask;
        let good = match algorithm {
            PublicKeyAlgorithm::P256 => p256::SecretKey::from_slice(&private).is_ok(),
            PublicKeyAlgorithm::P384 => p384::SecretKey::from_slice(&private).is_ok(),
            PublicKeyAlgorithm::P521 => p521::SecretKey::from_slice(&private).is_ok(),
            PublicKeyAlgorithm::Sm2 => sm2::SecretKey::from_slice(&private).is_ok(),
            _ => private.iter().any(|octet| *octet != 0),
        };
        if good {
            return Ok(private);
        }
    }
    Err(KeyError::Refused("the random number generator gives no number in the range of the curve".to_owned()))
}

/// The public octets of a private number.
pub(super) fn public(algorithm: &PublicKeyAlgorithm, private: &[u8]) -> Result<Vec<u8>, KeyError> {
    macro_rules! point {
        ($name:ident) => {
            ::$name::SecretKey::from_slice(private).map_err(|_| unfit())?.public_key().to_sec1_bytes().to_vec()
        };
    }
    Ok(match algorithm {
        PublicKeyAlgorithm::P256 => point!(p256),
        PublicKeyAlgorithm::P384 => point!(p384),
        PublicKeyAlgorithm::P521 => point!(p521),
        PublicKeyAlgorithm::Sm2 => point!(sm2),
        PublicKeyAlgorithm::X25519 => {
            x25519_dalek::PublicKey::from(&StaticSecret::from(x25519_octets(private)?)).as_bytes().to_vec()
        }
        other => return lacks(format_args!("key agreement with a key {other}")),
    })
}

/// The point of a key in uncompressed form, which is checked to be on its curve.
pub(crate) fn point(algorithm: &PublicKeyAlgorithm, key: &PublicKey<'_>) -> Result<Vec<u8>, KeyError> {
    macro_rules! uncompressed {
        ($name:ident) => {
            ::$name::PublicKey::from_sec1_bytes(key.octets)
                .map_err(|_| bad(format!("no point on the curve {algorithm}")))?
                .to_sec1_bytes()
                .to_vec()
        };
    }
    Ok(match algorithm {
        PublicKeyAlgorithm::P256 => uncompressed!(p256),
        PublicKeyAlgorithm::P384 => uncompressed!(p384),
        PublicKeyAlgorithm::P521 => uncompressed!(p521),
        PublicKeyAlgorithm::Sm2 => super::sm2::check(key.octets)?.to_sec1_bytes().to_vec(),
        other => return lacks(format_args!("a point of a key {other}")),
    })
}

/// The shared secret. Every point is checked to be on its curve, which is all
/// there is to check: the cofactor of these curves is one.
pub(super) fn agree(
    algorithm: &PublicKeyAlgorithm,
    private: &[u8],
    peer: &PublicKey<'_>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    macro_rules! ecdh {
        ($name:ident) => {{
            let private = ::$name::SecretKey::from_slice(private).map_err(|_| unfit())?;
            let peer = ::$name::PublicKey::from_sec1_bytes(peer.octets)
                .map_err(|_| bad(format!("no point on the curve {algorithm}")))?;
            let shared = ::$name::ecdh::diffie_hellman(private.to_nonzero_scalar(), peer.as_affine());
            Zeroizing::new(shared.raw_secret_bytes().to_vec())
        }};
    }
    Ok(match algorithm {
        PublicKeyAlgorithm::P256 => ecdh!(p256),
        PublicKeyAlgorithm::P384 => ecdh!(p384),
        PublicKeyAlgorithm::P521 => ecdh!(p521),
        PublicKeyAlgorithm::Sm2 => {
            let private = sm2::SecretKey::from_slice(private).map_err(|_| unfit())?;
            let peer = super::sm2::check(peer.octets)?;
            let shared = sm2::elliptic_curve::ecdh::diffie_hellman(private.to_nonzero_scalar(), peer.as_affine());
            Zeroizing::new(shared.raw_secret_bytes().to_vec())
        }
        PublicKeyAlgorithm::X25519 => {
            let shared = Zeroizing::new(x25519(x25519_octets(private)?, x25519_octets(peer.octets)?));
            if bool::from(shared.ct_eq(&[0; 32])) {
                return Err(no_secret(algorithm));
            }
            Zeroizing::new(shared.to_vec())
        }
        other => return lacks(format_args!("key agreement with a key {other}")),
    })
}

/// The octets of a key on Curve25519, of which there are 32 (RFC 7748 section 5).
pub(super) fn x25519_octets(octets: &[u8]) -> Result<[u8; 32], KeyError> {
    octets.try_into().map_err(|_| bad(format!("a key x25519 of {} octets, it must have 32", octets.len())))
}

fn unfit() -> KeyError {
    KeyError::Refused("a private number out of the range of its curve".to_owned())
}
