//! The one interface to the providers of arithmetic.

mod aead;
mod agreement;
mod derivation;
mod encapsulation;
mod key_wrap;
mod message;
mod sm2;

pub use self::agreement::agreement_point;
use std::{fmt, str::FromStr};

use zeroize::Zeroizing;

use crate::{
    BlockMode, ContentCipher, DigestAlgorithm, Hasher, KeyError, OaepParameters, PssParameters, PublicKeyAlgorithm,
    Random, SignatureScheme,
    private_key::Secret,
    provider::{
        Direction, Provider,
        aws_lc::AwsLc,
        rustcrypto::{DigestInfoForm, RustCrypto, digest_info_form},
    },
    public_key::PublicKey,
};

pub(crate) use self::{agreement::no_secret, message::check_kind};

/// Which provider does the arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ProviderChoice {
    /// aws-lc where it can do the operation as it is wanted, RustCrypto for the
    /// rest.
    #[default]
    Auto,
    /// RustCrypto only: the reference.
    RustCrypto,
    /// aws-lc only: the second witness.
    AwsLc,
}

impl ProviderChoice {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Auto, Self::RustCrypto, Self::AwsLc];

    /// The name on the command line and in verdicts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::RustCrypto => "rustcrypto",
            Self::AwsLc => "aws-lc",
        }
    }
}

impl fmt::Display for ProviderChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ProviderChoice {
    type Err = KeyError;

    fn from_str(name: &str) -> Result<Self, KeyError> {
        Self::ALL.into_iter().find(|choice| choice.name() == name).ok_or_else(|| {
            KeyError::UnknownAlgorithm(format!("provider `{name}`: one of auto, rustcrypto, aws-lc is known"))
        })
    }
}

/// Digests, signatures, key transport and ciphers, by the provider chosen.
///
/// An operation that a named provider lacks is
/// [`KeyError::NotByThisProvider`]; [`ProviderChoice::Auto`] takes the other
/// one then. Under `Auto` RustCrypto also does what it does better: ECDSA
/// signatures (aws-lc cannot make them deterministic), the decryption of content
/// keys (aws-lc branches on a wrong padding), and decryption in CBC mode (aws-lc
/// cannot work in place, and is the slower one for it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arithmetic {
    choice: ProviderChoice,
}

impl Arithmetic {
    /// The arithmetic of this provider.
    pub fn new(choice: ProviderChoice) -> Self {
        Self { choice }
    }

    /// The provider that was chosen.
    pub fn choice(&self) -> ProviderChoice {
        self.choice
    }

    /// Starts a digest.
    ///
    /// # Errors
    /// The provider lacks the algorithm.
    pub fn hasher(&self, digest: DigestAlgorithm) -> Result<Box<dyn Hasher>, KeyError> {
        self.fast(|provider| provider.hasher(digest))
    }

    /// The digest of some octets.
    ///
    /// # Errors
    /// The provider lacks the algorithm.
    pub fn digest(&self, digest: DigestAlgorithm, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut hasher = self.hasher(digest)?;
        hasher.update(octets);
        Ok(hasher.finish())
    }

    /// Verifies a signature over a digest value, with the key in the DER of a
    /// SubjectPublicKeyInfo.
    ///
    /// `Ok(false)`: it does not verify; that holds for a signature that is no
    /// signature at all, too. RSA PKCS#1 v1.5 is accepted with NULL and with
    /// absent digest parameters (RFC 8017 appendix A.2.4), and in no other form.
    ///
    /// # Errors
    /// The key is damaged, does not fit the scheme, or the digest value has not
    /// the length of its algorithm; or the provider lacks the operation.
    pub fn verify_digest(
        &self,
        spki_der: &[u8],
        scheme: SignatureScheme,
        digest: DigestAlgorithm,
        value: &[u8],
        signature: &[u8],
    ) -> Result<bool, KeyError> {
        let key = PublicKey::parse(spki_der)?;
        check_kind(scheme, false)?;
        check_digest(scheme, digest, value)?;
        check_fits(&key.algorithm, scheme)?;
        check_restriction(key.restriction, scheme, digest)?;
        match self.fast(|provider| provider.verify(&key, scheme, digest, value, signature))? {
            // aws-lc knows DigestInfo with NULL parameters only. That is something it lacks,
            // not its word on the signature.
            false if self.choice != ProviderChoice::RustCrypto && scheme == SignatureScheme::RsaPkcs1 => {
                let form = digest_info_form(key.octets, digest, value, signature)?;
                match (form, self.choice) {
                    (Some(DigestInfoForm::Absent), ProviderChoice::Auto) => Ok(true),
                    (Some(DigestInfoForm::Absent), _) => Err(KeyError::NotByThisProvider {
                        operation: format!("{scheme} with absent parameters of {digest}"),
                    }),
                    _ => Ok(false),
                }
            }
            verdict => Ok(verdict),
        }
    }

    /// Encrypts a content-encryption key to the RSA key in the DER of a
    /// SubjectPublicKeyInfo (RFC 8017 section 7.2.1, RFC 3370 section 4.2.1).
    ///
    /// # Errors
    /// The key is damaged, no RSA key, or too short; or the provider lacks the
    /// operation: aws-lc takes no random numbers from its caller.
    pub fn wrap_rsa_pkcs1(&self, spki_der: &[u8], key: &[u8], random: &mut dyn Random) -> Result<Vec<u8>, KeyError> {
        let public = PublicKey::parse(spki_der)?;
        check_fits(&public.algorithm, SignatureScheme::RsaPkcs1)?;
        match self.choice {
            ProviderChoice::AwsLc => AwsLc.wrap_rsa_pkcs1(&public, key, random),
            ProviderChoice::Auto | ProviderChoice::RustCrypto => RustCrypto.wrap_rsa_pkcs1(&public, key, random),
        }
    }

    /// Encrypts a content-encryption key to the RSA key in the DER of a
    /// SubjectPublicKeyInfo by RSAES-OAEP (RFC 8017 section 7.1.1, RFC 3560).
    ///
    /// # Errors
    /// The key is damaged, no RSA key, or too short; or the provider lacks the
    /// operation: aws-lc takes no random numbers from its caller.
    pub fn wrap_rsa_oaep(
        &self,
        spki_der: &[u8],
        key: &[u8],
        parameters: &OaepParameters,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, KeyError> {
        let public = PublicKey::parse(spki_der)?;
        if !matches!(public.algorithm, PublicKeyAlgorithm::Rsa | PublicKeyAlgorithm::RsaOaep) {
            return Err(KeyError::BadPublicKey("rsaes-oaep needs an RSA key".to_owned()));
        }
        check_fixed("rsaes-oaep", [parameters.digest, parameters.mgf])?;
        self.careful(|provider| provider.wrap_rsa_oaep(&public, key, parameters, random))
    }

    /// Starts to encrypt in CBC mode, or in CTR mode. Padding is the caller's.
    ///
    /// # Errors
    /// The key or the initialization vector has not the length of the cipher,
    /// or the provider lacks the cipher.
    pub fn cbc_encryptor(&self, cipher: ContentCipher, key: &[u8], iv: &[u8]) -> Result<Box<dyn BlockMode>, KeyError> {
        self.cbc(Direction::Encrypt, cipher, key, iv)
    }

    /// Starts to decrypt in CBC mode, or in CTR mode. Padding is the caller's.
    ///
    /// # Errors
    /// The key or the initialization vector has not the length of the cipher,
    /// or the provider lacks the cipher.
    pub fn cbc_decryptor(&self, cipher: ContentCipher, key: &[u8], iv: &[u8]) -> Result<Box<dyn BlockMode>, KeyError> {
        self.cbc(Direction::Decrypt, cipher, key, iv)
    }

    fn cbc(
        &self,
        direction: Direction,
        cipher: ContentCipher,
        key: &[u8],
        iv: &[u8],
    ) -> Result<Box<dyn BlockMode>, KeyError> {
        for (what, found, wanted, good) in [
            ("key", key.len(), cipher.key_len(), cipher.takes_key_len(key.len())),
            ("initialization vector", iv.len(), cipher.iv_len(), iv.len() == cipher.iv_len()),
        ] {
            if !good {
                return Err(KeyError::BadParameters {
                    algorithm: cipher.name().to_owned(),
                    why: format!("the {what} has {found} octets, it must have {wanted}"),
                });
            }
        }
        match direction {
            Direction::Encrypt => self.fast(|provider| provider.cbc(direction, cipher, key, iv)),
            Direction::Decrypt => self.careful(|provider| provider.cbc(direction, cipher, key, iv)),
        }
    }

    pub(crate) fn sign(
        &self,
        key: &Secret,
        scheme: SignatureScheme,
        digest: DigestAlgorithm,
        value: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        check_digest(scheme, digest, value)?;
        match scheme {
            SignatureScheme::RsaPkcs1 => self.fast(|provider| provider.sign(key, scheme, digest, value)),
            _ => self.careful(|provider| provider.sign(key, scheme, digest, value)),
        }
    }

    pub(crate) fn unwrap_rsa_pkcs1(
        &self,
        key: &Secret,
        encrypted_key: &[u8],
        key_lens: &[usize],
        rejected: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.careful(|provider| provider.unwrap_rsa_pkcs1(key, encrypted_key, key_lens, rejected.clone()))
    }

    pub(crate) fn unwrap_rsa_oaep(
        &self,
        key: &Secret,
        encrypted_key: &[u8],
        parameters: &OaepParameters,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        check_fixed("rsaes-oaep", [parameters.digest, parameters.mgf])?;
        self.careful(|provider| provider.unwrap_rsa_oaep(key, encrypted_key, parameters))
    }

    /// An operation that either provider does alike: aws-lc first.
    fn fast<T>(&self, mut run: impl FnMut(&dyn Provider) -> Result<T, KeyError>) -> Result<T, KeyError> {
        match self.choice {
            ProviderChoice::RustCrypto => run(&RustCrypto),
            ProviderChoice::AwsLc => run(&AwsLc),
            ProviderChoice::Auto => match run(&AwsLc) {
                Err(KeyError::NotByThisProvider { .. }) => run(&RustCrypto),
                answer => answer,
            },
        }
    }

    /// An operation that RustCrypto does better.
    fn careful<T>(&self, run: impl FnOnce(&dyn Provider) -> Result<T, KeyError>) -> Result<T, KeyError> {
        match self.choice {
            ProviderChoice::AwsLc => run(&AwsLc),
            ProviderChoice::Auto | ProviderChoice::RustCrypto => run(&RustCrypto),
        }
    }
}

/// Refuses a digest that the scheme is not defined with, and a value that is
/// none of that digest.
fn check_digest(scheme: SignatureScheme, digest: DigestAlgorithm, value: &[u8]) -> Result<(), KeyError> {
    let mgf = match scheme {
        SignatureScheme::RsaPss(parameters) => parameters.mgf,
        _ => digest,
    };
    check_fixed(scheme.name(), [digest, mgf])?;
    if value.len() == digest.output_len() {
        return Ok(());
    }
    Err(KeyError::BadParameters {
        algorithm: digest.name().to_owned(),
        why: format!("the digest value has {} octets, it must have {}", value.len(), digest.output_len()),
    })
}

/// Refuses digests of extendable output, of which nothing is built but schemes
/// of their own (RFC 8702).
fn check_fixed(algorithm: &str, digests: [DigestAlgorithm; 2]) -> Result<(), KeyError> {
    match digests.into_iter().find(|digest| digest.is_extendable()) {
        Some(digest) => Err(KeyError::UnknownAlgorithm(format!("{algorithm} with {digest}"))),
        None => Ok(()),
    }
}

/// A key of the kind id-RSASSA-PSS may be bound to a digest, a mask and a
/// shortest salt (RFC 4055 section 3.3).
pub(crate) fn check_restriction(
    restriction: Option<(DigestAlgorithm, PssParameters)>,
    scheme: SignatureScheme,
    digest: DigestAlgorithm,
) -> Result<(), KeyError> {
    let (Some((only, least)), SignatureScheme::RsaPss(parameters)) = (restriction, scheme) else { return Ok(()) };
    if digest == only && parameters.mgf == least.mgf && parameters.salt_len >= least.salt_len {
        return Ok(());
    }
    Err(KeyError::BadParameters {
        algorithm: scheme.name().to_owned(),
        why: format!(
            "{digest}, MGF1 with {}, {} octets of salt; the key is bound to {only}, {}, at least {}",
            parameters.mgf, parameters.salt_len, least.mgf, least.salt_len
        ),
    })
}

fn check_fits(key: &PublicKeyAlgorithm, scheme: SignatureScheme) -> Result<(), KeyError> {
    use PublicKeyAlgorithm::{
        Dsa, Ed448, Ed25519, MlDsa44, MlDsa65, MlDsa87, Other, P256, P384, P521, Rsa, RsaPss, Sm2,
    };
    match (scheme, key) {
        (_, Other(oid)) => Err(KeyError::UnknownAlgorithm(crate::algorithm::describe(oid))),
        (SignatureScheme::RsaPkcs1, Rsa)
        | (SignatureScheme::RsaPss(_), Rsa | RsaPss)
        | (SignatureScheme::Ecdsa, P256 | P384 | P521)
        | (SignatureScheme::Dsa, Dsa)
        | (SignatureScheme::Ed25519, Ed25519)
        | (SignatureScheme::Ed448, Ed448)
        | (SignatureScheme::MlDsa44, MlDsa44)
        | (SignatureScheme::MlDsa65, MlDsa65)
        | (SignatureScheme::MlDsa87, MlDsa87)
        | (SignatureScheme::Sm2, Sm2) => Ok(()),
        (SignatureScheme::RsaPkcs1 | SignatureScheme::RsaPss(_), _) => {
            Err(KeyError::BadPublicKey(format!("{scheme} needs an RSA key, not one of the kind {key}")))
        }
        (SignatureScheme::Ecdsa, _) => {
            Err(KeyError::BadPublicKey(format!("{scheme} needs a key on an elliptic curve")))
        }
        (scheme, key) => Err(KeyError::BadPublicKey(format!("{scheme} needs a key of its own kind, not {key}"))),
    }
}
