//! Private keys in software.

mod card;
mod seeded;

use std::{borrow::Cow, fmt};

use ::rsa::{
    BoxedUint, RsaPrivateKey,
    pkcs1::{EncodeRsaPublicKey, RsaPrivateKeyRef},
    traits::{PrivateKeyParts, PublicKeyParts},
};
use der::{
    Decode, Encode, Sequence,
    asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef},
};
use hmac::{Hmac, KeyInit, Mac};
use pkcs8::{EncodePrivateKey, PrivateKeyInfoRef};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    Arithmetic, Content, Decryptor, DigestAlgorithm, KeyError, OaepParameters, PasswordLimits, ProviderChoice,
    PssParameters, PublicKeyAlgorithm, SM2_DEFAULT_ID, SignatureScheme, Signer, Sm2Form,
    algorithm::describe,
    arithmetic::{check_kind, check_restriction},
    pem,
    private_key::seeded::Seeded,
    provider::{
        aws_lc::Prepared,
        rustcrypto::{ed448::Ed448Key, ml_dsa::MlDsaKey, ml_kem::MlKemKey},
    },
    public_key::{
        EC_PUBLIC_KEY, ED448, ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87, ML_KEM_512, ML_KEM_768, ML_KEM_1024, RSA_BITS,
        RSA_ENCRYPTION, RSASSA_PSS, SM2, X25519, bare_spki, ec_spki, pss_restriction, pss_spki, rsa_spki,
    },
    sm2::check_id,
};

/// A private key in memory: RSA of 512 to 16384 bits, a key on P-256, P-384,
/// P-521 or the curve of SM2, or one of the other kinds that [`PublicKeyAlgorithm`]
/// names.
///
/// It works with RustCrypto, so that its signatures are the same on every
/// machine, unless [`with_arithmetic`](Self::with_arithmetic) says otherwise.
/// It is wiped when dropped, and `Debug` prints no secret.
pub struct PrivateKey {
    secret: Secret,
    public_key: Vec<u8>,
    /// What a key for RSASSA-PSS is bound to.
    restriction: Option<(DigestAlgorithm, PssParameters)>,
    /// The identifier of the holder, which SM2 signs with.
    sm2_id: Cow<'static, [u8]>,
    arithmetic: Arithmetic,
}

impl PrivateKey {
    /// Reads a PrivateKeyInfo in DER (PKCS#8, RFC 5208 and RFC 5958).
    ///
    /// # Errors
    /// The octets are no PrivateKeyInfo, the key is damaged, or of an unknown
    /// algorithm or size.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(|error| not("no PKCS#8 PrivateKeyInfo", error))?;
        match info.algorithm.oid.to_string().as_str() {
            RSA_ENCRYPTION => Self::from_pkcs1_der(info.private_key.as_bytes()),
            RSASSA_PSS => Self::from_pkcs1_der(info.private_key.as_bytes())?.for_pss(info.algorithm.parameters, der),
            X25519 => Self::x25519(&info),
            ED25519 => Self::ed25519(&info),
            ED448 => Self::ed448(&info),
            ML_DSA_44 => Self::ml_dsa(&info, PublicKeyAlgorithm::MlDsa44),
            ML_DSA_65 => Self::ml_dsa(&info, PublicKeyAlgorithm::MlDsa65),
            ML_DSA_87 => Self::ml_dsa(&info, PublicKeyAlgorithm::MlDsa87),
            ML_KEM_512 => Self::ml_kem(&info, PublicKeyAlgorithm::MlKem512),
            ML_KEM_768 => Self::ml_kem(&info, PublicKeyAlgorithm::MlKem768),
            ML_KEM_1024 => Self::ml_kem(&info, PublicKeyAlgorithm::MlKem1024),
            EC_PUBLIC_KEY => {
                let curve = info.algorithm.parameters.and_then(|parameters| parameters.decode_as().ok());
                Self::from_sec1_der(info.private_key.as_bytes(), curve)
            }
            // Some writers name the curve in the place of the algorithm.
            SM2 => Self::from_sec1_der(info.private_key.as_bytes(), Some(info.algorithm.oid)),
            oid => Err(KeyError::UnknownAlgorithm(format!("{} of a private key", describe(oid)))),
        }
    }

    /// Reads the first private key of a PEM text (RFC 7468): `PRIVATE KEY`,
    /// `ENCRYPTED PRIVATE KEY` (which needs the password), `RSA PRIVATE KEY` or
    /// `EC PRIVATE KEY`. What stands around it is passed over.
    ///
    /// # Errors
    /// There is no private key in the text, the key is damaged, the password is
    /// wrong or missing, or the key is of an unknown algorithm or size.
    pub fn from_pem(text: &str, password: Option<&str>) -> Result<Self, KeyError> {
        Self::from_pem_within(text, password, PasswordLimits::default())
    }

    /// The same within limits on what the password may cost.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem), or the key asks for more than that.
    pub fn from_pem_within(text: &str, password: Option<&str>, limits: PasswordLimits) -> Result<Self, KeyError> {
        pem::private_key(text, password, limits)
    }

    /// The same key, working with this arithmetic.
    #[must_use]
    pub fn with_arithmetic(mut self, arithmetic: Arithmetic) -> Self {
        self.arithmetic = arithmetic;
        self
    }

    /// The same key, signing under this identifier where it is one of SM2, in
    /// place of [`SM2_DEFAULT_ID`].
    ///
    /// # Errors
    /// The identifier is longer than [`SM2_MAX_ID_LEN`](crate::SM2_MAX_ID_LEN).
    pub fn with_sm2_id(mut self, id: &[u8]) -> Result<Self, KeyError> {
        check_id(id)?;
        self.sm2_id = Cow::Owned(id.to_vec());
        Ok(self)
    }

    /// DER of the SubjectPublicKeyInfo, as both traits give it.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// The key as PrivateKeyInfo in DER (PKCS#8), not encrypted.
    #[must_use]
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        self.secret.as_read.as_ref().unwrap_or(&self.secret.pkcs8).clone()
    }

    /// The scheme that this key signs with; where it can do several, the one
    /// that everybody reads. `None`: it does not sign.
    pub fn signature_scheme(&self) -> Option<SignatureScheme> {
        Some(match self.secret.kind {
            SecretKind::Rsa(_) if self.secret.algorithm == PublicKeyAlgorithm::RsaPss => {
                let usual = PssParameters::usual(DigestAlgorithm::Sha256);
                SignatureScheme::RsaPss(self.restriction.map_or(usual, |(_, parameters)| parameters))
            }
            SecretKind::Rsa(_) => SignatureScheme::RsaPkcs1,
            SecretKind::P256(_) | SecretKind::P384(_) | SecretKind::P521(_) => SignatureScheme::Ecdsa,
            SecretKind::Sm2(_) => SignatureScheme::Sm2,
            SecretKind::Ed25519(_) => SignatureScheme::Ed25519,
            SecretKind::Ed448(_) => SignatureScheme::Ed448,
            SecretKind::MlDsa(MlDsaKey::Of44(_)) => SignatureScheme::MlDsa44,
            SecretKind::MlDsa(MlDsaKey::Of65(_)) => SignatureScheme::MlDsa65,
            SecretKind::MlDsa(MlDsaKey::Of87(_)) => SignatureScheme::MlDsa87,
            SecretKind::X25519(_) | SecretKind::MlKem(_) => return None,
        })
    }

    /// The kind of the key.
    pub fn algorithm(&self) -> &PublicKeyAlgorithm {
        &self.secret.algorithm
    }

    /// Bits of the RSA modulus or of the field of the curve.
    pub fn bits(&self) -> u32 {
        self.secret.bits
    }

    /// The digest that this key is bound to, where it is bound to one: a key
    /// for RSASSA-PSS may be (RFC 4055 section 3.3).
    pub fn only_digest(&self) -> Option<DigestAlgorithm> {
        self.restriction.map(|(digest, _)| digest)
    }

    fn signs_by(&self, scheme: SignatureScheme) -> bool {
        match scheme {
            SignatureScheme::RsaPss(_) => matches!(self.secret.kind, SecretKind::Rsa(_)),
            _ => Some(scheme) == self.signature_scheme(),
        }
    }

    /// Makes an RSA key one for RSASSA-PSS only.
    fn for_pss(mut self, parameters: Option<AnyRef<'_>>, der: &[u8]) -> Result<Self, KeyError> {
        let SecretKind::Rsa(key) = &self.secret.kind else { return Ok(self) };
        let public = key.to_public_key().to_pkcs1_der().map_err(|error| not("a damaged RSA key", error))?;
        self.public_key = pss_spki(parameters, public.as_bytes()).map_err(|error| not("a damaged RSA key", error))?;
        self.restriction = parameters.map(pss_restriction).transpose()?;
        self.secret.algorithm = PublicKeyAlgorithm::RsaPss;
        self.secret.as_read = Some(Zeroizing::new(der.to_vec()));
        Ok(self)
    }

    /// Reads a key for X25519 (RFC 8410 section 7).
    fn x25519(info: &PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        let octets = curve_private_key(info)?;
        let key = x25519_dalek::StaticSecret::from(*octets);
        let public = x25519_dalek::PublicKey::from(&key);
        Self::bare(SecretKind::X25519(key), PublicKeyAlgorithm::X25519, info, public.as_bytes())
    }

    /// Reads a key for Ed25519 (RFC 8410 section 7).
    fn ed25519(info: &PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        let octets = curve_private_key(info)?;
        let key = ed25519_dalek::SigningKey::from_bytes(&octets);
        let public = key.verifying_key();
        Self::bare(SecretKind::Ed25519(key), PublicKeyAlgorithm::Ed25519, info, public.as_bytes())
    }

    /// Reads a key for Ed448 (RFC 8410 section 7).
    fn ed448(info: &PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        let key = Ed448Key::from_seed(&*curve_private_key(info)?);
        let public = *key.public();
        Self::bare(SecretKind::Ed448(Box::new(key)), PublicKeyAlgorithm::Ed448, info, &public)
    }

    /// Reads a key for ML-DSA (RFC 9881 section 6).
    fn ml_dsa(info: &PrivateKeyInfoRef<'_>, algorithm: PublicKeyAlgorithm) -> Result<Self, KeyError> {
        let parts = Seeded::read(info.private_key.as_bytes())?;
        let (key, public) = MlDsaKey::read(&algorithm, parts.seed, parts.expanded)?;
        Self::bare(SecretKind::MlDsa(key), algorithm, info, &public)
    }

    /// Reads a key for ML-KEM (RFC 9935 section 6).
    fn ml_kem(info: &PrivateKeyInfoRef<'_>, algorithm: PublicKeyAlgorithm) -> Result<Self, KeyError> {
        let parts = Seeded::read(info.private_key.as_bytes())?;
        let (key, public) = MlKemKey::read(&algorithm, parts.seed, parts.expanded)?;
        Self::bare(SecretKind::MlKem(key), algorithm, info, &public)
    }

    /// A key whose algorithm has no parameters. A public key that stands
    /// beside it (RFC 5958) must be its own.
    fn bare(
        kind: SecretKind,
        algorithm: PublicKeyAlgorithm,
        info: &PrivateKeyInfoRef<'_>,
        public: &[u8],
    ) -> Result<Self, KeyError> {
        let damaged = |error: &dyn fmt::Display| not("a damaged key", error);
        if info.public_key.is_some_and(|beside| beside.as_bytes() != Some(public)) {
            return Err(damaged(&"the public key beside it is another one"));
        }
        let public_key = bare_spki(&info.algorithm.oid.to_string(), public).map_err(|error| damaged(&error))?;
        let bits = crate::describe_public_key(&public_key)?.bits;
        let pkcs8 = Zeroizing::new(info.to_der().map_err(|error| damaged(&error))?);
        Ok(Self::new(kind, algorithm, bits, pkcs8, public_key))
    }

    /// Reads an RSAPrivateKey (RFC 8017 appendix A.1.2).
    pub(crate) fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        let damaged = |error: &dyn fmt::Display| not("a damaged RSA key", error);
        let parts = RsaPrivateKeyRef::from_der(der).map_err(|error| not("no RSAPrivateKey", error))?;
        let modulus = BoxedUint::from_be_slice_vartime(parts.modulus.as_bytes());
        let bits = modulus.bits_vartime();
        if !RSA_BITS.contains(&bits) {
            // Before the arithmetic that checks the key, which would take minutes.
            return Err(KeyError::UnknownAlgorithm(format!(
                "RSA with {bits} bits; {} to {} are known",
                RSA_BITS.start(),
                RSA_BITS.end()
            )));
        }
        let key = RsaPrivateKey::try_from(parts).map_err(|error| damaged(&error))?;
        let public = key.to_public_key().to_pkcs1_der().map_err(|error| damaged(&error))?;
        let public_key = rsa_spki(public.as_bytes()).map_err(|error| damaged(&error))?;
        let pkcs8 = key.to_pkcs8_der().map_err(|error| damaged(&error))?.to_bytes();
        Ok(Self::new(SecretKind::Rsa(Box::new(key)), PublicKeyAlgorithm::Rsa, bits, pkcs8, public_key))
    }

    /// Reads an ECPrivateKey (RFC 5915) on the curve that stands outside it, or
    /// else on the one that it names itself.
    pub(crate) fn from_sec1_der(der: &[u8], curve: Option<ObjectIdentifier>) -> Result<Self, KeyError> {
        let parts = EcPrivateKey::from_der(der).map_err(|error| not("no ECPrivateKey", error))?;
        let curve = curve
            .or(parts.parameters)
            .ok_or_else(|| KeyError::NotAKey("an elliptic curve key that names no curve".to_owned()))?
            .to_string();
        let damaged = |error: &dyn fmt::Display| not("a damaged elliptic curve key", error);
        macro_rules! read {
            ($name:ident, $kind:ident, $bits:literal) => {{
                let key = ::$name::SecretKey::from_sec1_der(der).map_err(|error| damaged(&error))?;
                let point = key.public_key().to_sec1_bytes();
                let public_key = ec_spki(&curve, &point).map_err(|error| damaged(&error))?;
                let pkcs8 = key.to_pkcs8_der().map_err(|error| damaged(&error))?.to_bytes();
                Ok(Self::new(SecretKind::$kind(key), PublicKeyAlgorithm::$kind, $bits, pkcs8, public_key))
            }};
        }
        match curve.as_str() {
            "1.2.840.10045.3.1.7" => read!(p256, P256, 256),
            "1.3.132.0.34" => read!(p384, P384, 384),
            "1.3.132.0.35" => read!(p521, P521, 521),
            SM2 => read!(sm2, Sm2, 256),
            other => Err(KeyError::UnknownAlgorithm(format!("curve {} of a private key", describe(other)))),
        }
    }

    fn new(
        kind: SecretKind,
        algorithm: PublicKeyAlgorithm,
        bits: u32,
        pkcs8: Zeroizing<Vec<u8>>,
        public_key: Vec<u8>,
    ) -> Self {
        let secret = Secret { kind, algorithm, bits, pkcs8, as_read: None, prepared: Prepared::default() };
        Self {
            secret,
            public_key,
            restriction: None,
            sm2_id: Cow::Borrowed(SM2_DEFAULT_ID),
            arithmetic: Arithmetic::new(ProviderChoice::RustCrypto),
        }
    }

    /// The key that stands in for a refused one: drawn from the private key and
    /// the ciphertext, so that the same input gives the same key each time, and
    /// nobody without the private key knows that it is not the sender's.
    fn rejected(
        &self,
        key: &RsaPrivateKey,
        encrypted_key: &[u8],
        key_len: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let exponent = Zeroizing::new(key.d().to_be_bytes());
        let derived: Zeroizing<[u8; 32]> = Zeroizing::new(
            Sha256::new_with_prefix(b"waxseal: key of the implicit rejection")
                .chain_update(&**exponent)
                .finalize()
                .into(),
        );
        rejection(&derived, encrypted_key, key_len)
    }

    fn does_not_fit(&self, operation: &str) -> KeyError {
        KeyError::BadParameters {
            algorithm: operation.to_owned(),
            why: format!("the private key is of the kind {}", self.secret.algorithm),
        }
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    fn sign_digest(&self, scheme: SignatureScheme, digest: DigestAlgorithm, value: &[u8]) -> Result<Vec<u8>, KeyError> {
        if !self.signs_by(scheme) {
            return Err(self.does_not_fit(scheme.name()));
        }
        check_restriction(self.restriction, scheme, digest)?;
        check_kind(scheme, false)?;
        self.arithmetic.sign(&self.secret, scheme, digest, value)
    }

    fn sign_message(&self, scheme: SignatureScheme, message: &mut dyn Content) -> Result<Vec<u8>, KeyError> {
        if !self.signs_by(scheme) {
            return Err(self.does_not_fit(scheme.name()));
        }
        check_kind(scheme, true)?;
        if scheme == SignatureScheme::Sm2 {
            return self.arithmetic.sign_sm2(&self.secret, &self.sm2_id, message);
        }
        self.arithmetic.sign_message(&self.secret, scheme, message)
    }

    fn sign_sm2_digest(&self, value: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.arithmetic.sign_sm2_digest(&self.secret, value)
    }
}

impl Decryptor for PrivateKey {
    fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    fn unwrap_rsa_pkcs1(&self, encrypted_key: &[u8], key_len: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.unwrap_rsa_pkcs1_any(encrypted_key, &[key_len])
    }

    fn takes_several_lengths(&self) -> bool {
        true
    }

    fn unwrap_rsa_pkcs1_any(&self, encrypted_key: &[u8], key_lens: &[usize]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let SecretKind::Rsa(key) = &self.secret.kind else {
            return Err(self.does_not_fit("rsa-pkcs1-v1_5"));
        };
        if self.secret.algorithm == PublicKeyAlgorithm::RsaPss {
            return Err(self.does_not_fit("rsa-pkcs1-v1_5"));
        }
        let longest = longest_key(key_lens, key.size())?;
        let rejected = self.rejected(key, encrypted_key, longest)?;
        self.arithmetic.unwrap_rsa_pkcs1(&self.secret, encrypted_key, key_lens, rejected)
    }

    fn unwrap_rsa_oaep(
        &self,
        encrypted_key: &[u8],
        parameters: &OaepParameters,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        if self.secret.algorithm != PublicKeyAlgorithm::Rsa {
            return Err(self.does_not_fit("rsaes-oaep"));
        }
        self.arithmetic.unwrap_rsa_oaep(&self.secret, encrypted_key, parameters)
    }

    fn unwrap_sm2(&self, encrypted_key: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Sm2Form), KeyError> {
        self.arithmetic.unwrap_sm2(&self.secret, encrypted_key)
    }

    fn agree(&self, peer_spki: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.arithmetic.agree(&self.secret, peer_spki)
    }

    fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.arithmetic.decapsulate(&self.secret, ciphertext)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("algorithm", &self.secret.algorithm)
            .field("bits", &self.secret.bits)
            .finish_non_exhaustive()
    }
}

/// The secret part, as the providers take it.
pub(crate) struct Secret {
    pub(crate) kind: SecretKind,
    pub(crate) algorithm: PublicKeyAlgorithm,
    pub(crate) bits: u32,
    /// PrivateKeyInfo in DER, written anew.
    pub(crate) pkcs8: Zeroizing<Vec<u8>>,
    /// The same as it was read, where that says more.
    pub(crate) as_read: Option<Zeroizing<Vec<u8>>>,
    pub(crate) prepared: Prepared,
}

/// Each wipes itself when dropped.
pub(crate) enum SecretKind {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    Sm2(sm2::SecretKey),
    X25519(x25519_dalek::StaticSecret),
    Ed25519(ed25519_dalek::SigningKey),
    Ed448(Box<Ed448Key>),
    MlDsa(MlDsaKey),
    MlKem(MlKemKey),
}

/// The longest of the lengths that a content key may have. No content key is
/// longer than the modulus: a length from a message must not claim memory.
pub(crate) fn longest_key(key_lens: &[usize], modulus_len: usize) -> Result<usize, KeyError> {
    let bad = |why| KeyError::BadParameters { algorithm: "rsa-pkcs1-v1_5".to_owned(), why };
    let longest = key_lens.iter().copied().max();
    let longest = longest.ok_or_else(|| bad("no length of a content key is given".to_owned()))?;
    if longest > modulus_len {
        return Err(bad(format!("no content key of {longest} octets fits a modulus of {modulus_len}")));
    }
    Ok(longest)
}

/// A key that follows from a secret and a ciphertext.
pub(crate) fn rejection(
    secret: &[u8; 32],
    encrypted_key: &[u8],
    key_len: usize,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut rejected = Zeroizing::new(vec![0; key_len]);
    for (number, out) in (0_u32..).zip(rejected.chunks_mut(32)) {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret).map_err(|error| KeyError::Refused(format!("no HMAC: {error}")))?;
        mac.update(&number.to_be_bytes());
        mac.update(&(key_len as u64).to_be_bytes());
        mac.update(encrypted_key);
        let block: Zeroizing<[u8; 32]> = Zeroizing::new(mac.finalize().into_bytes().into());
        out.copy_from_slice(&block[..out.len()]);
    }
    Ok(rejected)
}

/// CurvePrivateKey (RFC 8410 section 7): an octet string in the octet string.
fn curve_private_key<const LEN: usize>(info: &PrivateKeyInfoRef<'_>) -> Result<Zeroizing<[u8; LEN]>, KeyError> {
    let inner =
        <&OctetStringRef>::from_der(info.private_key.as_bytes()).map_err(|error| not("no CurvePrivateKey", error))?;
    let octets = inner.as_bytes().try_into().map_err(|_| {
        KeyError::NotAKey(format!("a private key of {} octets, it must have {LEN}", inner.as_bytes().len()))
    })?;
    Ok(Zeroizing::new(octets))
}

/// ECPrivateKey (RFC 5915 section 3), to see its curve.
#[derive(Sequence)]
struct EcPrivateKey<'a> {
    version: u8,
    private_key: &'a OctetStringRef,
    #[asn1(context_specific = "0", optional = "true")]
    parameters: Option<ObjectIdentifier>,
    #[asn1(context_specific = "1", optional = "true")]
    public_key: Option<BitStringRef<'a>>,
}

pub(crate) fn not(what: &str, error: impl fmt::Display) -> KeyError {
    KeyError::NotAKey(format!("{what}: {error}"))
}
