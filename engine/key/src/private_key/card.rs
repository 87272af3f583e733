//! What a smart card does with a private key, and mail programs do not: the
//! bare operation under a padding that somebody else takes care of, and making
//! a key.

use ::rsa::RsaPrivateKey;
use pkcs8::EncodePrivateKey;
use zeroize::Zeroizing;

use super::{PrivateKey, SecretKind, not};
use crate::{KeyError, PublicKeyAlgorithm, Random, provider::rustcrypto, random::Drawing};

impl PrivateKey {
    /// RSADP and RSASP1 (RFC 8017 sections 5.1.2 and 5.2.1): octets as long as
    /// the modulus in, and as many out, with no padding added, looked at, or
    /// taken away. By RustCrypto: the other provider has no such operation.
    ///
    /// Who lets others choose the octets decrypts for them and signs for them:
    /// this is for the inside of a card, which asks for a PIN first.
    ///
    /// # Errors
    /// The key is none of RSA, or the octets are not as many as the modulus has,
    /// or a number above it.
    pub fn rsa_operation(&self, octets: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match &self.secret.kind {
            SecretKind::Rsa(key) => rustcrypto::rsa::bare_operation(key, octets),
            _ => Err(self.does_not_fit("the bare operation of rsa")),
        }
    }

    /// Makes a key: of RSA with this many bits (1024 to 4096; other kinds take
    /// no size), or on P-256, P-384 or the curve of SM2.
    ///
    /// # Errors
    /// Keys of this kind or size are not made here.
    pub fn generate(algorithm: &PublicKeyAlgorithm, bits: u32, random: &mut dyn Random) -> Result<Self, KeyError> {
        macro_rules! on_curve {
            ($curve:ident) => {{
                let scalar = rustcrypto::agreement::draw(algorithm, random)?;
                let key = ::$curve::SecretKey::from_slice(&scalar).map_err(|error| not("no key", error))?;
                key.to_pkcs8_der().map_err(|error| not("no key", error))?.to_bytes()
            }};
        }
        let pkcs8 = match algorithm {
            PublicKeyAlgorithm::Rsa if (1024..=4096).contains(&bits) && bits.is_multiple_of(64) => {
                let key = RsaPrivateKey::new(&mut Drawing(random), bits as usize);
                let key = key.map_err(|error| not("no RSA key", error))?;
                key.to_pkcs8_der().map_err(|error| not("no RSA key", error))?.to_bytes()
            }
            PublicKeyAlgorithm::P256 => on_curve!(p256),
            PublicKeyAlgorithm::P384 => on_curve!(p384),
            PublicKeyAlgorithm::Sm2 => on_curve!(sm2),
            other => return Err(KeyError::UnknownAlgorithm(format!("{other} with {bits} bits for a new key"))),
        };
        Self::from_pkcs8_der(&pkcs8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arithmetic, Decryptor, DigestAlgorithm, ProviderChoice, SeededRandom, SignatureScheme, Signer};

    #[test]
    fn keys_that_are_made_sign_and_are_what_was_asked_for() {
        let mut random = SeededRandom::new("keys that are made");
        for (algorithm, bits, scheme) in [
            (PublicKeyAlgorithm::Rsa, 1024, SignatureScheme::RsaPkcs1),
            (PublicKeyAlgorithm::P256, 0, SignatureScheme::Ecdsa),
            (PublicKeyAlgorithm::P384, 0, SignatureScheme::Ecdsa),
        ] {
            let key = PrivateKey::generate(&algorithm, bits, &mut random).unwrap();
            assert_eq!(key.algorithm(), &algorithm);
            let signature = key.sign_digest(scheme, DigestAlgorithm::Sha256, &[7; 32]).unwrap();
            // aws-lc refuses RSA below 2048 bits.
            let witness = if bits == 1024 { ProviderChoice::RustCrypto } else { ProviderChoice::AwsLc };
            let verified = Arithmetic::new(witness).verify_digest(
                Signer::public_key(&key),
                scheme,
                DigestAlgorithm::Sha256,
                &[7; 32],
                &signature,
            );
            assert_eq!(verified, Ok(true), "{algorithm}");
        }
        let key = PrivateKey::generate(&PublicKeyAlgorithm::Sm2, 0, &mut random).unwrap();
        assert_eq!(key.algorithm(), &PublicKeyAlgorithm::Sm2);
        assert!(PrivateKey::generate(&PublicKeyAlgorithm::Rsa, 512, &mut random).is_err());
        assert!(PrivateKey::generate(&PublicKeyAlgorithm::Ed25519, 0, &mut random).is_err());
    }

    #[test]
    fn the_bare_operation_undoes_a_padded_encryption() {
        let mut random = SeededRandom::new("the bare operation");
        let key = PrivateKey::generate(&PublicKeyAlgorithm::Rsa, 1024, &mut random).unwrap();
        let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
        let wrapped = arithmetic.wrap_rsa_pkcs1(Decryptor::public_key(&key), b"sixteen octets!!", &mut random).unwrap();
        let block = key.rsa_operation(&wrapped).unwrap();
        assert_eq!((block.len(), &block[..2]), (128, &[0, 2][..]));
        assert!(block.ends_with(b"\0sixteen octets!!"));
        assert!(key.rsa_operation(&wrapped[1..]).is_err());
        assert!(key.rsa_operation(&[0xff; 128]).is_err(), "above the modulus");
    }
}
