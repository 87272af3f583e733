//! A private key on a card.

use std::fmt;

use waxseal_key::{
    Decryptor, DigestAlgorithm, KeyError, PrivateKey, PublicKeyAlgorithm, Random, SignatureScheme, Signer, Sm2Form,
};
use zeroize::Zeroizing;

use crate::tlv;

/// What kind of key a card holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA with a modulus of so many bits.
    Rsa(u32),
    /// The curve P-256.
    P256,
    /// The curve P-384.
    P384,
    /// The curve of SM2.
    Sm2,
}

impl KeyKind {
    /// Octets of the modulus, or of a number on the curve.
    #[must_use]
    pub fn octets(self) -> usize {
        match self {
            Self::Rsa(bits) => bits.div_ceil(8) as usize,
            Self::P256 | Self::Sm2 => 32,
            Self::P384 => 48,
        }
    }

    fn algorithm(self) -> PublicKeyAlgorithm {
        match self {
            Self::Rsa(_) => PublicKeyAlgorithm::Rsa,
            Self::P256 => PublicKeyAlgorithm::P256,
            Self::P384 => PublicKeyAlgorithm::P384,
            Self::Sm2 => PublicKeyAlgorithm::Sm2,
        }
    }

    /// The kind of the public key in the DER of a SubjectPublicKeyInfo; `None`
    /// where no card holds such keys.
    #[must_use]
    pub fn of(spki: &[u8]) -> Option<Self> {
        let info = waxseal_key::describe_public_key(spki).ok()?;
        Some(match info.algorithm {
            PublicKeyAlgorithm::Rsa => Self::Rsa(info.bits),
            PublicKeyAlgorithm::P256 => Self::P256,
            PublicKeyAlgorithm::P384 => Self::P384,
            PublicKeyAlgorithm::Sm2 => Self::Sm2,
            _ => return None,
        })
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::Sm2 => f.write_str("SM2"),
        }
    }
}

/// A private key, and the operations that a card does with it.
#[derive(Debug)]
pub struct CardKey {
    key: PrivateKey,
    kind: KeyKind,
}

impl CardKey {
    /// Puts a key on a card.
    ///
    /// # Errors
    /// Keys of this kind are on no card: RSA, P-256, P-384 and SM2 are.
    pub fn new(key: PrivateKey) -> Result<Self, KeyError> {
        let kind = KeyKind::of(key.public_key())
            .ok_or_else(|| KeyError::UnknownAlgorithm(format!("{} for a key on a card", key.algorithm())))?;
        Ok(Self { key, kind })
    }

    /// Makes a key on the card.
    ///
    /// # Errors
    /// Keys of this size are not made.
    pub fn generate(kind: KeyKind, random: &mut dyn Random) -> Result<Self, KeyError> {
        let bits = if let KeyKind::Rsa(bits) = kind { bits } else { 0 };
        Ok(Self { key: PrivateKey::generate(&kind.algorithm(), bits, random)?, kind })
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// DER of the SubjectPublicKeyInfo.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.key.public_key()
    }

    /// The bare operation of RSA (RFC 8017 sections 5.1.2 and 5.2.1).
    ///
    /// # Errors
    /// The key is none of RSA, or the octets do not fit the modulus.
    pub fn rsa(&self, octets: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.key.rsa_operation(octets)
    }

    /// Signs a hash value on its curve: DER of ECDSA-Sig-Value, or the two
    /// numbers of SM2 in the same form. Of a hash that is longer than the order
    /// the leftmost bits count (FIPS 186-5 section 6.4.1); SM2 takes 32 octets.
    ///
    /// # Errors
    /// The key is on no curve, or there is no hash of that length.
    pub fn sign_hash(&self, hash: &[u8]) -> Result<Vec<u8>, KeyError> {
        if self.kind == KeyKind::Sm2 {
            return self.key.sign_sm2_digest(hash);
        }
        // A hash without a digest of its length is a number with zeros before it.
        let mut padded = Zeroizing::new(vec![0; 32_usize.saturating_sub(hash.len())]);
        let digest = match hash.len() {
            20 => DigestAlgorithm::Sha1,
            28 => DigestAlgorithm::Sha224,
            48 => DigestAlgorithm::Sha384,
            64 => DigestAlgorithm::Sha512,
            1..=32 => {
                padded.extend_from_slice(hash);
                return self.key.sign_digest(SignatureScheme::Ecdsa, DigestAlgorithm::Sha256, &padded);
            }
            len => {
                return Err(KeyError::BadParameters {
                    algorithm: "ecdsa".to_owned(),
                    why: format!("a hash of {len} octets"),
                });
            }
        };
        self.key.sign_digest(SignatureScheme::Ecdsa, digest, hash)
    }

    /// The shared secret Z of ECDH with a point of the other side, in SEC 1 form
    /// (SP 800-56A section 5.7.1.2).
    ///
    /// # Errors
    /// The key is on no curve, or the point is not on it.
    pub fn agree(&self, point: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let refused = |why: &str| KeyError::BadPublicKey(why.to_owned());
        let (algorithm, _) = spki_parts(self.public_key()).ok_or_else(|| refused("the key of the card is damaged"))?;
        let bits = tlv::write(0x03, &[&[0], point].concat());
        let spki = tlv::constructed(0x30, &[&tlv::write(0x30, algorithm), &bits]);
        self.key.agree(&spki)
    }

    /// Undoes SM2 encryption (GM/T 0003.4 section 7): the plaintext, and the
    /// form of the ciphertext.
    ///
    /// # Errors
    /// The key is none of SM2, or the ciphertext is not for it.
    pub fn sm2_decrypt(&self, ciphertext: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Sm2Form), KeyError> {
        self.key.unwrap_sm2(ciphertext)
    }

    /// The numbers of the public key.
    ///
    /// # Errors
    /// The key is damaged.
    pub fn public_numbers(&self) -> Result<PublicNumbers, KeyError> {
        PublicNumbers::of(self.public_key(), self.kind)
            .ok_or_else(|| KeyError::BadPublicKey("the key of the card is damaged".to_owned()))
    }
}

/// The numbers of a public key, as a card gives them away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicNumbers {
    /// Modulus and public exponent, big-endian without leading zeros.
    Rsa {
        /// n.
        modulus: Vec<u8>,
        /// e.
        exponent: Vec<u8>,
    },
    /// A point in SEC 1 form.
    Point(Vec<u8>),
}

impl PublicNumbers {
    /// Those in the DER of a SubjectPublicKeyInfo.
    #[must_use]
    pub fn of(spki: &[u8], kind: KeyKind) -> Option<Self> {
        let (_, key) = spki_parts(spki)?;
        if !matches!(kind, KeyKind::Rsa(_)) {
            return Some(Self::Point(key.to_vec()));
        }
        let numbers = tlv::read_all(tlv::only(key, 0x30)?)?;
        let [modulus, exponent] = numbers.as_slice() else { return None };
        let unsigned = |value: &[u8]| value.iter().copied().skip_while(|octet| *octet == 0).collect::<Vec<u8>>();
        Some(Self::Rsa { modulus: unsigned(modulus.value), exponent: unsigned(exponent.value) })
    }
}

/// Of a SubjectPublicKeyInfo the content of the AlgorithmIdentifier, and the
/// octets of the key.
fn spki_parts(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let parts = tlv::read_all(tlv::only(spki, 0x30)?)?;
    let [algorithm, key] = parts.as_slice() else { return None };
    Some((algorithm.value, key.value.strip_prefix(&[0])?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_key::SeededRandom;

    #[test]
    fn two_cards_agree_and_a_point_off_the_curve_is_refused() {
        let mut random = SeededRandom::new("two cards");
        for kind in [KeyKind::P256, KeyKind::P384] {
            let keys = [(); 2].map(|()| CardKey::generate(kind, &mut random).unwrap());
            let points = [0, 1].map(|index| match keys[index].public_numbers().unwrap() {
                PublicNumbers::Point(point) => point,
                PublicNumbers::Rsa { .. } => panic!("a point"),
            });
            assert_eq!(points[0].len(), 1 + 2 * kind.octets());
            let secret = keys[0].agree(&points[1]).unwrap();
            assert_eq!(
                (secret.len(), secret.as_slice()),
                (kind.octets(), keys[1].agree(&points[0]).unwrap().as_slice())
            );
            let mut off = points[0].clone();
            *off.last_mut().unwrap() ^= 1;
            assert!(keys[1].agree(&off).is_err());
        }
    }

    #[test]
    fn kinds_that_no_card_holds_are_refused() {
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        assert!(CardKey::new(PrivateKey::from_pem(pem, None).unwrap()).is_err());
    }
}
