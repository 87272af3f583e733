//! ML-KEM (FIPS 203), as RFC 9936 uses it.

use ::ml_kem::{
    DecapsulationKey, EncapsulationKey, MlKem512, MlKem768, MlKem1024,
    kem::{Ciphertext, Decapsulate, Kem, Key, KeyExport, KeySizeUser},
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    KeyError, PublicKeyAlgorithm, Random,
    provider::lacks,
    public_key::{PublicKey, bad},
};

/// A private key. Each wipes itself when dropped.
pub(crate) enum MlKemKey {
    Of512(Box<DecapsulationKey<MlKem512>>),
    Of768(Box<DecapsulationKey<MlKem768>>),
    Of1024(Box<DecapsulationKey<MlKem1024>>),
}

/// Runs an expression with the type of a parameter set.
macro_rules! with_set {
    ($algorithm:expr, $set:ident => $run:expr) => {
        match $algorithm {
            PublicKeyAlgorithm::MlKem512 => {
                type $set = MlKem512;
                $run
            }
            PublicKeyAlgorithm::MlKem768 => {
                type $set = MlKem768;
                $run
            }
            PublicKeyAlgorithm::MlKem1024 => {
                type $set = MlKem1024;
                $run
            }
            other => lacks(format_args!("encapsulation with a key {other}")),
        }
    };
}

macro_rules! read {
    ($kind:ident, $set:ty, $algorithm:expr, $seed:expr, $expanded:expr) => {{
        let damaged = |what: &str| KeyError::NotAKey(format!("a damaged key {}: {what}", $algorithm));
        let of_seed = $seed
            .map(|seed: &[u8]| {
                let seed = ::ml_kem::Seed::try_from(seed).map_err(|_| damaged("a seed has 64 octets"))?;
                Ok(Box::new(DecapsulationKey::<$set>::from_seed(seed)))
            })
            .transpose()?;
        let key = match (of_seed, $expanded) {
            (Some(key), None) => key,
            (Some(key), Some(expanded)) => {
                let same = Zeroizing::new(key.to_expanded_bytes()).as_slice().ct_eq(expanded);
                if !bool::from(same) {
                    return Err(damaged("its seed and its expanded form differ"));
                }
                key
            }
            (None, Some(expanded)) => {
                let octets = Zeroizing::new(expanded.try_into().map_err(|_| damaged("its length"))?);
                // The hash of the public key is checked (FIPS 203 section 7.3).
                Box::new(
                    DecapsulationKey::<$set>::from_expanded_bytes(&octets)
                        .map_err(|_| damaged("the public key in it, or its hash"))?,
                )
            }
            (None, None) => return Err(damaged("neither seed nor expanded form")),
        };
        let public = key.encapsulation_key().to_bytes().to_vec();
        Ok((Self::$kind(key), public))
    }};
}

#[expect(deprecated, reason = "RFC 9935 section 6 has expanded keys, and so has aws-lc")]
mod expanded {
    pub(super) use ::ml_kem::ExpandedKeyEncoding;
}

#[expect(deprecated, reason = "RFC 9935 section 6 has expanded keys, and so has aws-lc")]
impl MlKemKey {
    /// Reads a key from its seed, or else from its expanded form; the key and
    /// the octets of the public one. Where both are there, they must agree (RFC
    /// 9935 section 6).
    pub(crate) fn read(
        algorithm: &PublicKeyAlgorithm,
        seed: Option<&[u8]>,
        expanded: Option<&[u8]>,
    ) -> Result<(Self, Vec<u8>), KeyError> {
        use self::expanded::ExpandedKeyEncoding;
        match algorithm {
            PublicKeyAlgorithm::MlKem512 => read!(Of512, MlKem512, algorithm, seed, expanded),
            PublicKeyAlgorithm::MlKem768 => read!(Of768, MlKem768, algorithm, seed, expanded),
            PublicKeyAlgorithm::MlKem1024 => read!(Of1024, MlKem1024, algorithm, seed, expanded),
            other => lacks(format_args!("ml-kem with a key {other}")),
        }
    }

    /// The expanded form, as aws-lc takes it.
    pub(crate) fn expanded(&self) -> Zeroizing<Vec<u8>> {
        use self::expanded::ExpandedKeyEncoding;
        Zeroizing::new(match self {
            Self::Of512(key) => Zeroizing::new(key.to_expanded_bytes()).to_vec(),
            Self::Of768(key) => Zeroizing::new(key.to_expanded_bytes()).to_vec(),
            Self::Of1024(key) => Zeroizing::new(key.to_expanded_bytes()).to_vec(),
        })
    }

    /// Decapsulates (FIPS 203 section 7.3). A changed ciphertext gives another
    /// secret and no error: implicit rejection is part of the algorithm.
    pub(super) fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self {
            Self::Of512(key) => decapsulate::<MlKem512>(&**key, ciphertext),
            Self::Of768(key) => decapsulate::<MlKem768>(&**key, ciphertext),
            Self::Of1024(key) => decapsulate::<MlKem1024>(&**key, ciphertext),
        }
    }
}

fn decapsulate<S: Kem>(key: &impl Decapsulate<Kem = S>, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let ciphertext = Ciphertext::<S>::try_from(ciphertext).map_err(|_| wrong_length(ciphertext.len()))?;
    Ok(Zeroizing::new(key.decapsulate(&ciphertext).to_vec()))
}

/// Refuses a key of the wrong length, or with a number that is not below the
/// modulus (FIPS 203 section 7.2).
pub(super) fn check(key: &PublicKey<'_>) -> Result<(), KeyError> {
    with_set!(&key.algorithm, S => public::<EncapsulationKey<S>>(key, |octets| EncapsulationKey::<S>::new(octets).ok()).map(drop))
}

/// Encapsulates (FIPS 203 section 7.2): the ciphertext and the shared secret.
pub(super) fn encapsulate(
    key: &PublicKey<'_>,
    random: &mut dyn Random,
) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), KeyError> {
    with_set!(&key.algorithm, S => {
        let public = public::<EncapsulationKey<S>>(key, |octets| EncapsulationKey::<S>::new(octets).ok())?;
        let mut message = Zeroizing::new(::ml_kem::B32::default());
        random.fill(&mut message);
        let (ciphertext, secret) = public.encapsulate_deterministic(&message);
        Ok((ciphertext.to_vec(), Zeroizing::new(secret.to_vec())))
    })
}

fn public<K: KeySizeUser>(key: &PublicKey<'_>, read: impl FnOnce(&Key<K>) -> Option<K>) -> Result<K, KeyError> {
    let octets = Key::<K>::try_from(key.octets)
        .map_err(|_| bad(format!("a key {} of {} octets", key.algorithm, key.octets.len())))?;
    read(&octets).ok_or_else(|| bad(format!("a key {} with a number above the modulus", key.algorithm)))
}

pub(crate) fn wrong_length(len: usize) -> KeyError {
    KeyError::BadParameters {
        algorithm: "ml-kem".to_owned(),
        why: format!("a ciphertext of {len} octets is none of this key"),
    }
}
