//! Public keys, as a SubjectPublicKeyInfo holds them.

use std::fmt;

use der::{Decode, Encode, asn1::AnyRef};
use rsa::pkcs1::RsaPublicKeyRef;
use spki::SubjectPublicKeyInfoRef;

use crate::{DigestAlgorithm, KeyError, PssParameters, provider::rustcrypto::dsa};

/// What a public key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeyInfo {
    /// The algorithm, of elliptic curves with the curve.
    pub algorithm: PublicKeyAlgorithm,
    /// Bits of the RSA modulus or of the field of the curve; 0 where the size
    /// of such a key is not known.
    pub bits: u32,
}

/// The kind of a public key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublicKeyAlgorithm {
    /// RSA (RFC 3279 section 2.3.1).
    Rsa,
    /// RSA for RSASSA-PSS only (RFC 4055 section 1.2).
    RsaPss,
    /// RSA for RSAES-OAEP only (RFC 4055 section 1.2).
    RsaOaep,
    /// The curve P-256 (RFC 5480 section 2.1.1.1).
    P256,
    /// The curve P-384 (RFC 5480 section 2.1.1.1).
    P384,
    /// The curve P-521 (RFC 5480 section 2.1.1.1).
    P521,
    /// X25519 (RFC 8410).
    X25519,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Ed448 (RFC 8410).
    Ed448,
    /// DSA (RFC 3279 section 2.3.2).
    Dsa,
    /// ML-DSA-44 (RFC 9881).
    MlDsa44,
    /// ML-DSA-65 (RFC 9881).
    MlDsa65,
    /// ML-DSA-87 (RFC 9881).
    MlDsa87,
    /// ML-KEM-512 (RFC 9935).
    MlKem512,
    /// ML-KEM-768 (RFC 9935).
    MlKem768,
    /// ML-KEM-1024 (RFC 9935).
    MlKem1024,
    /// SM2 (GM/T 0009 section 6).
    Sm2,
    /// Any other: the object identifier of the algorithm, or of the named
    /// curve when the algorithm is `id-ecPublicKey`.
    Other(String),
}

impl PublicKeyAlgorithm {
    pub(crate) fn is_ml_kem(&self) -> bool {
        matches!(self, Self::MlKem512 | Self::MlKem768 | Self::MlKem1024)
    }

    /// The name in the algorithm table: `rsa`, `p-256`, …; of a kind that the
    /// table does not know the object identifier.
    pub fn name(&self) -> &str {
        match self {
            Self::Rsa => "rsa",
            Self::RsaPss => "rsassa-pss",
            Self::RsaOaep => "rsaes-oaep",
            Self::P256 => "p-256",
            Self::P384 => "p-384",
            Self::P521 => "p-521",
            Self::X25519 => "x25519",
            Self::Ed25519 => "ed25519",
            Self::Ed448 => "ed448",
            Self::Dsa => "dsa",
            Self::MlDsa44 => "ml-dsa-44",
            Self::MlDsa65 => "ml-dsa-65",
            Self::MlDsa87 => "ml-dsa-87",
            Self::MlKem512 => "ml-kem-512",
            Self::MlKem768 => "ml-kem-768",
            Self::MlKem1024 => "ml-kem-1024",
            Self::Sm2 => "sm2",
            Self::Other(oid) => crate::algorithm::by_oid(oid).map_or(oid, |row| row.name),
        }
    }
}

impl fmt::Display for PublicKeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Describes the public key in the DER of a SubjectPublicKeyInfo.
///
/// # Errors
/// The octets are no SubjectPublicKeyInfo, or hold a damaged key. A key of an
/// unknown algorithm is no error.
pub fn describe_public_key(spki_der: &[u8]) -> Result<PublicKeyInfo, KeyError> {
    let key = PublicKey::parse(spki_der)?;
    Ok(PublicKeyInfo { algorithm: key.algorithm, bits: key.bits })
}

/// Whether two SubjectPublicKeyInfos hold the same key, which SM2 writes under
/// two identifiers: under `id-ecPublicKey` with its curve, and under its own.
pub fn same_public_key(left: &[u8], right: &[u8]) -> bool {
    let point = |spki| match PublicKey::parse(spki) {
        Ok(PublicKey { algorithm: PublicKeyAlgorithm::Sm2, octets, .. }) => Some(octets),
        _ => None,
    };
    left == right || point(left).is_some_and(|octets| point(right) == Some(octets))
}

/// A DSA key may leave its parameters to the certificate of its issuer (RFC
/// 3279 section 2.3.2, RFC 5280 section 4.1.2.7): DER of the
/// SubjectPublicKeyInfo with the parameters that stand in the issuer's, which
/// must itself have them. Every other key is given back as it is.
///
/// # Errors
/// One of the two is damaged, or the key takes its parameters from an issuer
/// that has none.
pub fn with_inherited_parameters(spki_der: &[u8], issuer_spki_der: &[u8]) -> Result<Vec<u8>, KeyError> {
    let damaged = |error: der::Error| bad(format!("no SubjectPublicKeyInfo: {error}"));
    let key = SubjectPublicKeyInfoRef::from_der(spki_der).map_err(damaged)?;
    if key.algorithm.oid.to_string() != DSA || dsa_parameters(key.algorithm.parameters).is_some() {
        return Ok(spki_der.to_vec());
    }
    let issuer = SubjectPublicKeyInfoRef::from_der(issuer_spki_der).map_err(damaged)?;
    let parameters = dsa_parameters(issuer.algorithm.parameters)
        .filter(|_| issuer.algorithm.oid.to_string() == DSA)
        .ok_or_else(|| bad("a key dsa without parameters, of an issuer that has none".to_owned()))?;
    let algorithm = spki::AlgorithmIdentifierRef { oid: key.algorithm.oid, parameters: Some(parameters) };
    SubjectPublicKeyInfoRef { algorithm, subject_public_key: key.subject_public_key }.to_der().map_err(damaged)
}

/// The parameters of a DSA key, if it has its own. Some writers leave them out
/// by a NULL.
fn dsa_parameters(parameters: Option<AnyRef<'_>>) -> Option<AnyRef<'_>> {
    parameters.filter(|parameters| !parameters.is_null())
}

/// A SubjectPublicKeyInfo taken apart.
pub(crate) struct PublicKey<'a> {
    pub(crate) algorithm: PublicKeyAlgorithm,
    pub(crate) bits: u32,
    /// The octets of the key itself: an RSAPublicKey, or a point.
    pub(crate) octets: &'a [u8],
    /// The parameters of the algorithm.
    pub(crate) parameters: Option<AnyRef<'a>>,
    /// What a key for RSASSA-PSS is bound to.
    pub(crate) restriction: Option<(DigestAlgorithm, PssParameters)>,
}

pub(crate) const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";
pub(crate) const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
const RSAES_OAEP: &str = "1.2.840.113549.1.1.7";
pub(crate) const X25519: &str = "1.3.101.110";
pub(crate) const ED25519: &str = "1.3.101.112";
pub(crate) const ED448: &str = "1.3.101.113";
pub(crate) const ML_DSA_44: &str = "2.16.840.1.101.3.4.3.17";
pub(crate) const ML_DSA_65: &str = "2.16.840.1.101.3.4.3.18";
pub(crate) const ML_DSA_87: &str = "2.16.840.1.101.3.4.3.19";
pub(crate) const ML_KEM_512: &str = "2.16.840.1.101.3.4.4.1";
pub(crate) const ML_KEM_768: &str = "2.16.840.1.101.3.4.4.2";
pub(crate) const ML_KEM_1024: &str = "2.16.840.1.101.3.4.4.3";
/// The curve of SM2, which some certificates also name as the algorithm of the
/// key.
pub(crate) const SM2: &str = "1.2.156.10197.1.301";
const DSA: &str = "1.2.840.10040.4.1";
pub(crate) const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";

/// Sizes of RSA modulus that are worked with, in bits. Old mail has 512; above
/// 16384 one verification takes so long that it is an attack.
pub(crate) const RSA_BITS: std::ops::RangeInclusive<u32> = 512..=16384;

impl<'a> PublicKey<'a> {
    pub(crate) fn parse(spki_der: &'a [u8]) -> Result<Self, KeyError> {
        let spki = SubjectPublicKeyInfoRef::from_der(spki_der)
            .map_err(|error| bad(format!("no SubjectPublicKeyInfo: {error}")))?;
        let octets = spki
            .subject_public_key
            .as_bytes()
            .ok_or_else(|| bad("its bit string is no whole number of octets".to_owned()))?;
        let oid = spki.algorithm.oid.to_string();
        let (algorithm, bits) = match oid.as_str() {
            RSA_ENCRYPTION => (PublicKeyAlgorithm::Rsa, rsa_bits(octets)?),
            RSASSA_PSS => (PublicKeyAlgorithm::RsaPss, rsa_bits(octets)?),
            RSAES_OAEP => (PublicKeyAlgorithm::RsaOaep, rsa_bits(octets)?),
            X25519 => (PublicKeyAlgorithm::X25519, 255),
            ED25519 => (PublicKeyAlgorithm::Ed25519, 255),
            ED448 => (PublicKeyAlgorithm::Ed448, 448),
            DSA => (PublicKeyAlgorithm::Dsa, dsa_parameters(spki.algorithm.parameters).map_or(Ok(0), dsa::bits)?),
            ML_DSA_44 => (PublicKeyAlgorithm::MlDsa44, 0),
            ML_DSA_65 => (PublicKeyAlgorithm::MlDsa65, 0),
            ML_DSA_87 => (PublicKeyAlgorithm::MlDsa87, 0),
            ML_KEM_512 => (PublicKeyAlgorithm::MlKem512, 0),
            ML_KEM_768 => (PublicKeyAlgorithm::MlKem768, 0),
            ML_KEM_1024 => (PublicKeyAlgorithm::MlKem1024, 0),
            EC_PUBLIC_KEY => curve(spki.algorithm.parameters)?,
            SM2 => (PublicKeyAlgorithm::Sm2, 256),
            _ => (PublicKeyAlgorithm::Other(oid), 0),
        };
        let restriction = match (&algorithm, spki.algorithm.parameters) {
            (PublicKeyAlgorithm::RsaPss, Some(parameters)) => Some(pss_restriction(parameters)?),
            _ => None,
        };
        Ok(Self { algorithm, bits, octets, parameters: spki.algorithm.parameters, restriction })
    }
}

impl<'a> PublicKey<'a> {
    /// The key of the other side of a key agreement. Where it is on an elliptic
    /// curve, the curve may be left out or NULL (RFC 5753 section 7.1): it is
    /// the one of our key.
    pub(crate) fn parse_peer(spki_der: &'a [u8], ours: &PublicKeyAlgorithm) -> Result<Self, KeyError> {
        let named = SubjectPublicKeyInfoRef::from_der(spki_der)
            .map_err(|error| bad(format!("no SubjectPublicKeyInfo: {error}")))?;
        let parameters = named.algorithm.parameters.filter(|parameters| !parameters.is_null());
        let on_a_curve = matches!(
            ours,
            PublicKeyAlgorithm::P256 | PublicKeyAlgorithm::P384 | PublicKeyAlgorithm::P521 | PublicKeyAlgorithm::Sm2
        );
        if named.algorithm.oid.to_string() != EC_PUBLIC_KEY || parameters.is_some() || !on_a_curve {
            return Self::parse(spki_der);
        }
        let octets = named.subject_public_key.as_bytes().ok_or_else(|| bad("no whole number of octets".to_owned()))?;
        Ok(Self { algorithm: ours.clone(), bits: 0, octets, parameters: None, restriction: None })
    }
}

/// The parameters of a key for RSASSA-PSS (RFC 4055 section 3.3).
pub(crate) fn pss_restriction(parameters: AnyRef<'_>) -> Result<(DigestAlgorithm, PssParameters), KeyError> {
    let der = parameters.to_der().map_err(|error| bad(format!("parameters of rsassa-pss: {error}")))?;
    PssParameters::from_der(Some(&der))
}

/// Bits of the modulus of an RSAPublicKey (RFC 8017 appendix A.1.1).
fn rsa_bits(octets: &[u8]) -> Result<u32, KeyError> {
    let key = RsaPublicKeyRef::from_der(octets).map_err(|error| bad(format!("no RSAPublicKey: {error}")))?;
    let modulus = key.modulus.as_bytes();
    let first = modulus.first().copied().unwrap_or(0);
    let octets = u32::try_from(modulus.len()).map_err(|_| bad("an RSA modulus of that length".to_owned()))?;
    Ok((octets * 8).saturating_sub(first.leading_zeros()))
}

/// The curve that the parameters of `id-ecPublicKey` name (RFC 5480 section 2.1.1).
fn curve(parameters: Option<AnyRef<'_>>) -> Result<(PublicKeyAlgorithm, u32), KeyError> {
    let parameters = parameters.ok_or_else(|| bad("an elliptic curve key without its curve".to_owned()))?;
    let Ok(oid) = parameters.decode_as::<der::asn1::ObjectIdentifier>() else {
        // Explicit parameters: RFC 5480 forbids them, some national smart cards write them.
        return Ok((PublicKeyAlgorithm::Other(EC_PUBLIC_KEY.to_owned()), 0));
    };
    let oid = oid.to_string();
    Ok(match CURVES.iter().find(|row| row.oid == oid) {
        Some(Curve { algorithm: Some(algorithm), bits, .. }) => (algorithm.clone(), *bits),
        Some(Curve { bits, .. }) => (PublicKeyAlgorithm::Other(oid), *bits),
        None => (PublicKeyAlgorithm::Other(oid), 0),
    })
}

struct Curve {
    oid: &'static str,
    bits: u32,
    algorithm: Option<PublicKeyAlgorithm>,
}

/// Named curves with the bits of their field.
const CURVES: &[Curve] = &[
    Curve { oid: "1.2.840.10045.3.1.7", bits: 256, algorithm: Some(PublicKeyAlgorithm::P256) },
    Curve { oid: "1.3.132.0.34", bits: 384, algorithm: Some(PublicKeyAlgorithm::P384) },
    Curve { oid: "1.3.132.0.35", bits: 521, algorithm: Some(PublicKeyAlgorithm::P521) },
    Curve { oid: "1.2.840.10045.3.1.1", bits: 192, algorithm: None },
    Curve { oid: "1.3.132.0.33", bits: 224, algorithm: None },
    Curve { oid: "1.3.132.0.10", bits: 256, algorithm: None },
    Curve { oid: SM2, bits: 256, algorithm: Some(PublicKeyAlgorithm::Sm2) },
    Curve { oid: "1.3.36.3.3.2.8.1.1.7", bits: 256, algorithm: None },
    Curve { oid: "1.3.36.3.3.2.8.1.1.9", bits: 320, algorithm: None },
    Curve { oid: "1.3.36.3.3.2.8.1.1.11", bits: 384, algorithm: None },
    Curve { oid: "1.3.36.3.3.2.8.1.1.13", bits: 512, algorithm: None },
];

pub(crate) fn bad(why: String) -> KeyError {
    KeyError::BadPublicKey(why)
}

/// DER of the SubjectPublicKeyInfo of an RSAPublicKey, with the NULL
/// parameters that RFC 3279 section 2.3.1 demands.
pub(crate) fn rsa_spki(rsa_public_key: &[u8]) -> der::Result<Vec<u8>> {
    spki(RSA_ENCRYPTION, Some(AnyRef::NULL), rsa_public_key)
}

/// The same of a key for RSASSA-PSS, with the parameters that bind it.
pub(crate) fn pss_spki(parameters: Option<AnyRef<'_>>, rsa_public_key: &[u8]) -> der::Result<Vec<u8>> {
    spki(RSASSA_PSS, parameters, rsa_public_key)
}

/// DER of the SubjectPublicKeyInfo of a point on a named curve.
pub(crate) fn ec_spki(curve: &str, point: &[u8]) -> der::Result<Vec<u8>> {
    let curve = der::asn1::ObjectIdentifier::new(curve)?;
    spki(EC_PUBLIC_KEY, Some(AnyRef::from(&curve)), point)
}

/// DER of the SubjectPublicKeyInfo of a key for key agreement.
pub(crate) fn agreement_spki(algorithm: &PublicKeyAlgorithm, octets: &[u8]) -> der::Result<Vec<u8>> {
    match CURVES.iter().find(|row| row.algorithm.as_ref() == Some(algorithm)) {
        Some(curve) => ec_spki(curve.oid, octets),
        None => bare_spki(X25519, octets),
    }
}

/// DER of the SubjectPublicKeyInfo of a key whose algorithm has no parameters
/// (RFC 8410 section 3, RFC 9881, RFC 9935).
pub(crate) fn bare_spki(algorithm: &str, octets: &[u8]) -> der::Result<Vec<u8>> {
    spki(algorithm, None, octets)
}

fn spki(algorithm: &str, parameters: Option<AnyRef<'_>>, key: &[u8]) -> der::Result<Vec<u8>> {
    SubjectPublicKeyInfoRef {
        algorithm: spki::AlgorithmIdentifierRef { oid: der::asn1::ObjectIdentifier::new(algorithm)?, parameters },
        subject_public_key: der::asn1::BitStringRef::from_bytes(key)?,
    }
    .to_der()
}
