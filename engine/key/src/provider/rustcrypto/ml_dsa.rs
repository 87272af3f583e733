//! ML-DSA (FIPS 204), pure and with an empty context (RFC 9882 section 3), over
//! messages of any length.

use ::ml_dsa::{
    EncodedVerifyingKey, ExpandedSigningKey, ExpandedSigningKeyBytes, MlDsa44, MlDsa65, MlDsa87, MlDsaParams, Seed,
    Signature, VerifyingKey,
};
use digest::{ExtendableOutput, Update, XofReader};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    KeyError, PublicKeyAlgorithm,
    message::Message,
    provider::lacks,
    public_key::{PublicKey, bad},
};

/// What is signed: 64 octets.
type Mu = cipher::Array<u8, cipher::consts::U64>;

/// A private key. Each wipes itself when dropped.
pub(crate) enum MlDsaKey {
    Of44(Box<ExpandedSigningKey<MlDsa44>>),
    Of65(Box<ExpandedSigningKey<MlDsa65>>),
    Of87(Box<ExpandedSigningKey<MlDsa87>>),
}

impl MlDsaKey {
    /// Reads a key from its seed, or else from its expanded form; the key and
    /// the octets of the public one. Where both are there, they must agree (RFC
    /// 9881 section 6).
    pub(crate) fn read(
        algorithm: &PublicKeyAlgorithm,
        seed: Option<&[u8]>,
        expanded: Option<&[u8]>,
    ) -> Result<(Self, Vec<u8>), KeyError> {
        match algorithm {
            PublicKeyAlgorithm::MlDsa44 => {
                read::<MlDsa44>(algorithm, seed, expanded, 8, 2).map(|(key, public)| (Self::Of44(key), public))
            }
            PublicKeyAlgorithm::MlDsa65 => {
                read::<MlDsa65>(algorithm, seed, expanded, 11, 4).map(|(key, public)| (Self::Of65(key), public))
            }
            PublicKeyAlgorithm::MlDsa87 => {
                read::<MlDsa87>(algorithm, seed, expanded, 15, 2).map(|(key, public)| (Self::Of87(key), public))
            }
            other => lacks(format_args!("ml-dsa with a key {other}")),
        }
    }

    /// Signs deterministically (FIPS 204 section 3.4).
    pub(super) fn sign(&self, message: &mut Message<'_>) -> Result<Vec<u8>, KeyError> {
        match self {
            Self::Of44(key) => sign(key, message),
            Self::Of65(key) => sign(key, message),
            Self::Of87(key) => sign(key, message),
        }
    }
}

/// Refuses a key of the wrong length; any other is one.
pub(super) fn check(key: &PublicKey<'_>) -> Result<(), KeyError> {
    match key.algorithm {
        PublicKeyAlgorithm::MlDsa44 => public::<MlDsa44>(key).map(drop),
        PublicKeyAlgorithm::MlDsa65 => public::<MlDsa65>(key).map(drop),
        _ => public::<MlDsa87>(key).map(drop),
    }
}

/// Verifies a signature.
pub(super) fn verify(key: &PublicKey<'_>, message: &mut Message<'_>, signature: &[u8]) -> Result<bool, KeyError> {
    match key.algorithm {
        PublicKeyAlgorithm::MlDsa44 => verify_with::<MlDsa44>(key, message, signature),
        PublicKeyAlgorithm::MlDsa65 => verify_with::<MlDsa65>(key, message, signature),
        _ => verify_with::<MlDsa87>(key, message, signature),
    }
}

fn verify_with<P: MlDsaParams>(
    key: &PublicKey<'_>,
    message: &mut Message<'_>,
    signature: &[u8],
) -> Result<bool, KeyError> {
    let encoded = public::<P>(key)?;
    let Ok(signature) = Signature::<P>::try_from(signature) else { return Ok(false) };
    let key = VerifyingKey::<P>::decode(&encoded);
    let (mu, read) = mu(&key, message);
    read?;
    Ok(mu.is_some_and(|mu| key.verify_mu(&mu, &signature)))
}

fn sign<P: MlDsaParams>(key: &ExpandedSigningKey<P>, message: &mut Message<'_>) -> Result<Vec<u8>, KeyError> {
    let refused = || KeyError::Refused("ml-dsa failed: a damaged private key".to_owned());
    let public = key.verifying_key();
    let (mu, read) = mu(&public, message);
    read?;
    let mu = mu.ok_or_else(refused)?;
    let signature = key.sign_mu_randomized(&mu, &mut Zeros).map_err(|_| refused())?;
    // An expanded key may be damaged where nothing else shows it.
    if !public.verify_mu(&mu, &signature) {
        return Err(refused());
    }
    Ok(signature.encode().to_vec())
}

/// The digest of the message that is signed (FIPS 204 algorithm 2), and how its
/// reading went.
fn mu<P: MlDsaParams>(key: &VerifyingKey<P>, message: &mut Message<'_>) -> (Option<Mu>, Result<(), KeyError>) {
    let mut read = Ok(());
    let mu = key.compute_mu(
        |hasher| {
            read = message.each(&mut |piece| hasher.update(piece));
            Ok(())
        },
        &[],
    );
    (mu.ok(), read)
}

fn public<P: MlDsaParams>(key: &PublicKey<'_>) -> Result<EncodedVerifyingKey<P>, KeyError> {
    EncodedVerifyingKey::<P>::try_from(key.octets)
        .map_err(|_| bad(format!("a key {} of {} octets", key.algorithm, key.octets.len())))
}

#[expect(deprecated, reason = "RFC 9881 section 6 has expanded keys, and mail has them too; they are checked here")]
fn read<P: MlDsaParams>(
    algorithm: &PublicKeyAlgorithm,
    seed: Option<&[u8]>,
    expanded: Option<&[u8]>,
    vectors: usize,
    eta: u8,
) -> Result<(Box<ExpandedSigningKey<P>>, Vec<u8>), KeyError> {
    let damaged = |what: &str| KeyError::NotAKey(format!("a damaged key {algorithm}: {what}"));
    let of_seed = seed
        .map(|seed| {
            let seed = Zeroizing::new(Seed::try_from(seed).map_err(|_| damaged("a seed has 32 octets"))?);
            Ok(Box::new(ExpandedSigningKey::<P>::from_seed(&seed)))
        })
        .transpose()?;
    let key = match (of_seed, expanded) {
        (Some(key), None) => key,
        (Some(key), Some(expanded)) => {
            let same = Zeroizing::new(key.to_expanded()).as_slice().ct_eq(expanded);
            if !bool::from(same) {
                return Err(damaged("its seed and its expanded form differ"));
            }
            key
        }
        (None, Some(expanded)) => {
            let octets =
                Zeroizing::new(ExpandedSigningKeyBytes::<P>::try_from(expanded).map_err(|_| damaged("its length"))?);
            if !in_range(&octets, vectors, eta) {
                return Err(damaged("a number out of range"));
            }
            let key = Box::new(ExpandedSigningKey::<P>::from_expanded(&octets));
            let mut hash = [0; 64];
            let mut hasher = shake::Shake256::default();
            hasher.update(&key.verifying_key().encode());
            hasher.finalize_xof().read(&mut hash);
            if octets[64..128] != hash {
                return Err(damaged("the hash of its public key is another one"));
            }
            key
        }
        (None, None) => return Err(damaged("neither seed nor expanded form")),
    };
    let public = key.verifying_key().encode().to_vec();
    Ok((key, public))
}

/// Whether the short vectors of an expanded key have numbers from 0 to twice
/// eta only (FIPS 204 algorithm 25 demands it of its input).
fn in_range(expanded: &[u8], vectors: usize, eta: u8) -> bool {
    let bits = if eta == 2 { 3 } else { 4 };
    let octets = &expanded[128..128 + vectors * 32 * bits];
    octets.chunks(bits).all(|group| {
        let word = group.iter().rev().fold(0_u32, |word, octet| word << 8 | u32::from(*octet));
        (0..8).all(|at| (word >> (at * bits)) & ((1 << bits) - 1) <= 2 * u32::from(eta))
    })
}

/// The random numbers of the deterministic form: none.
struct Zeros;

impl rand_core::TryRng for Zeros {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        out.fill(0);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Zeros {}
