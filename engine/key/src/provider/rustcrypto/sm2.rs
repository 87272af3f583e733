//! SM2: signatures (GM/T 0003.2) and encryption (GM/T 0003.4).

use ::sm2::{
    AffinePoint, ProjectivePoint, PublicKey as Point, SecretKey,
    dsa::{Signature, SigningKey, VerifyingKey},
    elliptic_curve::{
        Group,
        sec1::{Coordinates, ToSec1Point},
    },
    pke::{EncryptingKey, Mode},
};
use signature::hazmat::{PrehashSigner, PrehashVerifier};
use sm3::{Digest, Sm3};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::{
    KeyError, Random, Sm2Form,
    message::Message,
    public_key::bad,
    random::Drawing,
    sm2::{LEN, Sm2Cipher, check_id},
};

const ENCRYPTION: &str = "sm2-encryption";

/// a, b and the base point of the curve (GM/T 0003.5), as they are hashed.
const CURVE: [[u8; LEN]; 4] = [
    [
        0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc,
    ],
    [
        0x28, 0xe9, 0xfa, 0x9e, 0x9d, 0x9f, 0x5e, 0x34, 0x4d, 0x5a, 0x9e, 0x4b, 0xcf, 0x65, 0x09, 0xa7, 0xf3, 0x97,
        0x89, 0xf5, 0x15, 0xab, 0x8f, 0x92, 0xdd, 0xbc, 0xbd, 0x41, 0x4d, 0x94, 0x0e, 0x93,
    ],
    [
        0x32, 0xc4, 0xae, 0x2c, 0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04, 0x46, 0x6a, 0x39, 0xc9, 0x94, 0x8f, 0xe3,
        0x0b, 0xbf, 0xf2, 0x66, 0x0b, 0xe1, 0x71, 0x5a, 0x45, 0x89, 0x33, 0x4c, 0x74, 0xc7,
    ],
    [
        0xbc, 0x37, 0x36, 0xa2, 0xf4, 0xf6, 0x77, 0x9c, 0x59, 0xbd, 0xce, 0xe3, 0x6b, 0x69, 0x21, 0x53, 0xd0, 0xa9,
        0x87, 0x7c, 0xc6, 0x2a, 0x47, 0x40, 0x02, 0xdf, 0x32, 0xe5, 0x21, 0x39, 0xf0, 0xa0,
    ],
];

/// Refuses what is no point on the curve.
pub(super) fn check(octets: &[u8]) -> Result<Point, KeyError> {
    Point::from_sec1_bytes(octets).map_err(|_| bad("no point on the curve sm2".to_owned()))
}

/// Z of a key, given as a point (GM/T 0003.2 section 5.5).
pub(crate) fn z_of(octets: &[u8], id: &[u8]) -> Result<[u8; LEN], KeyError> {
    z(id, &check(octets)?)
}

/// SM3 that has begun with Z.
fn with_z(id: &[u8], key: &Point) -> Result<Sm3, KeyError> {
    Ok(Sm3::new_with_prefix(z(id, key)?))
}

/// What binds the identifier and the public key (GM/T 0003.2 section 5.5).
fn z(id: &[u8], key: &Point) -> Result<[u8; LEN], KeyError> {
    check_id(id)?;
    let bits = u16::try_from(id.len() * 8).map_err(|_| bad("an identifier that is too long".to_owned()))?;
    let mut z = Sm3::new_with_prefix(bits.to_be_bytes()).chain_update(id);
    for number in CURVE {
        z.update(number);
    }
    let (x, y) = coordinates(key.as_affine())?;
    Ok(z.chain_update(*x).chain_update(*y).finalize().into())
}

type Coordinate = Zeroizing<[u8; LEN]>;

fn coordinates(point: &AffinePoint) -> Result<(Coordinate, Coordinate), KeyError> {
    let encoded = Zeroizing::new(point.to_sec1_point(false));
    match encoded.coordinates() {
        Coordinates::Uncompressed { x, y } => Ok((Zeroizing::new((*x).into()), Zeroizing::new((*y).into()))),
        _ => Err(bad("the point at infinity of the curve sm2".to_owned())),
    }
}

/// Verifies a signature over a message, which Z stands before.
pub(crate) fn verify(octets: &[u8], id: &[u8], message: &mut Message<'_>, signature: &[u8]) -> Result<bool, KeyError> {
    let mut hasher = with_z(id, &check(octets)?)?;
    message.each(&mut |piece| hasher.update(piece))?;
    verify_digest(octets, &hasher.finalize(), signature)
}

/// Verifies a signature over a digest of 32 octets as it stands.
pub(crate) fn verify_digest(octets: &[u8], value: &[u8], signature: &[u8]) -> Result<bool, KeyError> {
    let Ok(signature) = Signature::from_der(signature) else { return Ok(false) };
    // The identifier has no part in this.
    let key = VerifyingKey::new("", check(octets)?).map_err(|_| bad("no key of sm2".to_owned()))?;
    Ok(key.verify_prehash(value, &signature).is_ok())
}

/// Signs a message with Z before it, deterministically: the number for one
/// signature is drawn as RFC 6979 does it, with HMAC-SM3.
pub(crate) fn sign(key: &SecretKey, id: &[u8], message: &mut Message<'_>) -> Result<Vec<u8>, KeyError> {
    let mut hasher = with_z(id, &key.public_key())?;
    message.each(&mut |piece| hasher.update(piece))?;
    sign_digest(key, &hasher.finalize())
}

/// Signs a digest of 32 octets as it stands.
pub(crate) fn sign_digest(key: &SecretKey, value: &[u8]) -> Result<Vec<u8>, KeyError> {
    let refused = |_| KeyError::Refused("this key of sm2 signs nothing".to_owned());
    let signature = SigningKey::new("", key).and_then(|key| key.sign_prehash(value)).map_err(refused)?;
    Ok(signature.to_der().as_ref().to_vec())
}

/// Encrypts a content-encryption key.
pub(crate) fn encrypt(
    octets: &[u8],
    content_key: &[u8],
    form: Sm2Form,
    random: &mut dyn Random,
) -> Result<Vec<u8>, KeyError> {
    let refused = || KeyError::BadParameters {
        algorithm: ENCRYPTION.to_owned(),
        why: format!("a content key of {} octets does not encrypt", content_key.len()),
    };
    let cipher = EncryptingKey::new_with_mode(check(octets)?, Mode::C1C3C2)
        .encrypt(&mut Drawing(random), content_key)
        .map_err(|_| refused())?;
    Ok(Sm2Cipher::read(&cipher, Sm2Form::C1C3C2).ok_or_else(refused)?.write(form))
}

/// Decrypts a content-encryption key, in whichever form it is written: the
/// hash inside says which one it is.
///
/// The crate's own decryption compares this hash in a time that depends on
/// it; with that one could be found octet by octet for a changed C2.
pub(crate) fn decrypt(key: &SecretKey, encrypted_key: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Sm2Form), KeyError> {
    for form in Sm2Form::ALL {
        let Some(cipher) = Sm2Cipher::read(encrypted_key, form) else { continue };
        let Ok(point) = Point::from_sec1_bytes(&cipher.point) else { continue };
        if let Some(plain) = open(key, &point, &cipher)? {
            return Ok((plain, form));
        }
    }
    Err(KeyError::DecryptionFailed(ENCRYPTION.to_owned()))
}

/// Steps B3 to B7 of GM/T 0003.4 section 7.1; `None` where they end in an error.
fn open(key: &SecretKey, point: &Point, cipher: &Sm2Cipher) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    let shared: ProjectivePoint = point.to_projective() * *key.to_nonzero_scalar();
    if shared.is_identity().into() {
        return Ok(None);
    }
    let (x, y) = coordinates(&shared.to_affine())?;
    let mut plain = Zeroizing::new(cipher.encrypted.clone());
    let mut used = 0;
    for (number, piece) in (1_u32..).zip(plain.chunks_mut(LEN)) {
        let hasher = Sm3::new().chain_update(*x).chain_update(*y).chain_update(number.to_be_bytes());
        let mask: Zeroizing<[u8; LEN]> = Zeroizing::new(hasher.finalize().into());
        for (octet, mask) in piece.iter_mut().zip(mask.iter()) {
            *octet ^= mask;
            used |= mask;
        }
    }
    let hash: [u8; LEN] = Sm3::new().chain_update(*x).chain_update(&**plain).chain_update(*y).finalize().into();
    // A mask of zeros would leave the key in the clear.
    let good = hash.ct_eq(&cipher.hash) & !used.ct_eq(&0);
    let good = u8::conditional_select(&0, &1, good) == 1;
    Ok(good.then_some(plain))
}
