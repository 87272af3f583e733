//! RSA under its paddings, with a key that somebody else holds.

use std::fmt;

use rsa::RsaPublicKey;
use zeroize::Zeroizing;

use crate::{
    Arithmetic, DigestAlgorithm, KeyError, OaepParameters, ProviderChoice, Random, SignatureScheme,
    private_key::{longest_key, rejection},
    provider::rustcrypto::{oaep, pss, rsa as pkcs1},
    public_key::PublicKey,
};

/// An RSA key whose holder does the bare operation (RFC 8017 sections 5.1.2 and
/// 5.2.1) and leaves the padding to others, as smart cards do.
///
/// The operation gets octets as long as the modulus, and gives as many.
pub struct HeldRsa<'a> {
    spki: &'a [u8],
    key: RsaPublicKey,
    operation: &'a mut Operation<'a>,
}

/// The bare operation of the holder.
type Operation<'a> = dyn FnMut(&[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> + 'a;

impl<'a> HeldRsa<'a> {
    /// A key with this SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    /// The public key is damaged, or none of RSA.
    pub fn new(spki: &'a [u8], operation: &'a mut Operation<'a>) -> Result<Self, KeyError> {
        let key = pkcs1::public_key(PublicKey::parse(spki)?.octets)?;
        Ok(Self { spki, key, operation })
    }

    /// Signs a digest value by RSASSA-PKCS1-v1_5 or RSASSA-PSS, whose salt is
    /// drawn from `random`. What the holder gives is verified: a signature that
    /// is none leaks the key of a faulty device, and spoils a mail.
    ///
    /// # Errors
    /// The scheme is none of RSA, does not fit the modulus, the holder refused,
    /// or gave something else than a signature.
    pub fn sign(
        &mut self,
        scheme: SignatureScheme,
        digest: DigestAlgorithm,
        value: &[u8],
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, KeyError> {
        let block = match scheme {
            SignatureScheme::RsaPkcs1 => pkcs1::padded(digest, value, self.octets())?,
            SignatureScheme::RsaPss(parameters) => {
                let bits = pkcs1::bits_of(&self.key);
                let mut salt = vec![0; pss::salt_len(parameters, digest, bits)?];
                random.fill(&mut salt);
                pss::encode(bits, parameters, digest, value, &salt)?
            }
            other => {
                return Err(KeyError::BadParameters {
                    algorithm: other.name().to_owned(),
                    why: "an RSA key".to_owned(),
                });
            }
        };
        let signature = self.operate(&block)?.to_vec();
        let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
        if !arithmetic.verify_digest(self.spki, scheme, digest, value, &signature)? {
            return Err(KeyError::Refused("its holder gave a signature that does not verify".to_owned()));
        }
        Ok(signature)
    }

    /// As [`Decryptor::unwrap_rsa_pkcs1_any`](crate::Decryptor::unwrap_rsa_pkcs1_any).
    /// The key that stands in for a refused one follows from `secret`, which
    /// nobody else may know, and which must be the same whenever the same
    /// ciphertext comes again.
    ///
    /// # Errors
    /// No length is given or none fits the modulus, the ciphertext has not the
    /// length of the modulus, or the holder refused.
    pub fn unwrap_pkcs1(
        &mut self,
        encrypted_key: &[u8],
        key_lens: &[usize],
        secret: &[u8; 32],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let rejected = rejection(secret, encrypted_key, longest_key(key_lens, self.octets())?)?;
        self.check_length("rsa-pkcs1-v1_5", encrypted_key)?;
        if pkcs1::below_modulus(&self.key, encrypted_key).is_none() {
            // No holder would take it. It is public that it is out of range.
            return Ok(pkcs1::Found::new(key_lens, rejected).into_key());
        }
        let encoded = self.operate(encrypted_key)?;
        Ok(pkcs1::without_padding(&encoded, key_lens, rejected))
    }

    /// As [`Decryptor::unwrap_rsa_oaep`](crate::Decryptor::unwrap_rsa_oaep).
    ///
    /// # Errors
    /// [`KeyError::DecryptionFailed`] whatever is wrong inside; the ciphertext
    /// has not the length of the modulus, or the holder refused.
    pub fn unwrap_oaep(
        &mut self,
        encrypted_key: &[u8],
        parameters: &OaepParameters,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.check_length("rsaes-oaep", encrypted_key)?;
        oaep::block_len(self.octets(), parameters)?;
        if pkcs1::below_modulus(&self.key, encrypted_key).is_none() {
            return Err(KeyError::DecryptionFailed("rsaes-oaep".to_owned()));
        }
        oaep::decode(self.operate(encrypted_key)?, parameters)
    }

    fn octets(&self) -> usize {
        pkcs1::octets_of(&self.key)
    }

    fn check_length(&self, algorithm: &str, encrypted_key: &[u8]) -> Result<(), KeyError> {
        if encrypted_key.len() == self.octets() {
            return Ok(());
        }
        Err(pkcs1::wrong_length(algorithm, encrypted_key.len(), self.octets()))
    }

    fn operate(&mut self, block: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let result = (self.operation)(block)?;
        if result.len() != self.octets() {
            return Err(KeyError::Refused(format!(
                "its holder gave {} octets, and not the {} of the modulus",
                result.len(),
                self.octets()
            )));
        }
        Ok(result)
    }
}

impl fmt::Debug for HeldRsa<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldRsa").field("bits", &pkcs1::bits_of(&self.key)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decryptor, PrivateKey, PssParameters, PublicKeyAlgorithm, SeededRandom, Signer};

    fn key() -> PrivateKey {
        let mut random = SeededRandom::new("held by somebody else");
        PrivateKey::generate(&PublicKeyAlgorithm::Rsa, 1024, &mut random).unwrap()
    }

    #[test]
    fn what_is_signed_and_opened_is_what_the_key_itself_would() {
        let key = key();
        let mut random = SeededRandom::new("paddings");
        let mut operation = |octets: &[u8]| key.rsa_operation(octets);
        let spki = Signer::public_key(&key);
        let mut held = HeldRsa::new(spki, &mut operation).unwrap();
        let value = [7; 32];
        let found = held.sign(SignatureScheme::RsaPkcs1, DigestAlgorithm::Sha256, &value, &mut random).unwrap();
        assert_eq!(found, key.sign_digest(SignatureScheme::RsaPkcs1, DigestAlgorithm::Sha256, &value).unwrap());
        let pss = SignatureScheme::RsaPss(PssParameters::usual(DigestAlgorithm::Sha256));
        let first = held.sign(pss, DigestAlgorithm::Sha256, &value, &mut random).unwrap();
        let second = held.sign(pss, DigestAlgorithm::Sha256, &value, &mut random).unwrap();
        assert_ne!(first, second, "each has its own salt");
        assert!(held.sign(SignatureScheme::Ecdsa, DigestAlgorithm::Sha256, &value, &mut random).is_err());

        let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
        let wrapped = arithmetic.wrap_rsa_pkcs1(spki, b"sixteen octets!!", &mut random).unwrap();
        assert_eq!(*held.unwrap_pkcs1(&wrapped, &[24, 16], &[1; 32]).unwrap(), b"sixteen octets!!");
        let parameters = OaepParameters::usual(DigestAlgorithm::Sha256);
        let wrapped = arithmetic.wrap_rsa_oaep(spki, b"sixteen octets!!", &parameters, &mut random).unwrap();
        assert_eq!(*held.unwrap_oaep(&wrapped, &parameters).unwrap(), b"sixteen octets!!");
        assert_eq!(
            held.unwrap_oaep(&wrapped[1..], &parameters),
            Decryptor::unwrap_rsa_oaep(&key, &wrapped[1..], &parameters)
        );
    }

    #[test]
    fn a_refused_padding_gives_a_key_that_follows_from_the_secret() {
        let key = key();
        let mut operation = |octets: &[u8]| key.rsa_operation(octets);
        let mut held = HeldRsa::new(Signer::public_key(&key), &mut operation).unwrap();
        let rejected = held.unwrap_pkcs1(&[1; 128], &[24, 16], &[1; 32]).unwrap();
        assert_eq!(rejected.len(), 24);
        assert_eq!(rejected, held.unwrap_pkcs1(&[1; 128], &[24, 16], &[1; 32]).unwrap());
        assert_ne!(rejected, held.unwrap_pkcs1(&[1; 128], &[24, 16], &[2; 32]).unwrap());
        assert_eq!(held.unwrap_pkcs1(&[0xff; 128], &[16], &[1; 32]).unwrap().len(), 16, "above the modulus");
        assert!(held.unwrap_pkcs1(&[1; 127], &[16], &[1; 32]).is_err());
        assert!(held.unwrap_pkcs1(&[1; 128], &[129], &[1; 32]).is_err());
        assert!(held.unwrap_pkcs1(&[1; 128], &[], &[1; 32]).is_err());
    }

    #[test]
    fn a_holder_that_computes_wrong_is_found_out() {
        let key = key();
        let mut random = SeededRandom::new("a fault");
        let mut operation = |octets: &[u8]| {
            let mut result = key.rsa_operation(octets)?;
            result[100] ^= 1;
            Ok(result)
        };
        let mut held = HeldRsa::new(Signer::public_key(&key), &mut operation).unwrap();
        let error = held.sign(SignatureScheme::RsaPkcs1, DigestAlgorithm::Sha256, &[7; 32], &mut random).unwrap_err();
        assert!(error.to_string().contains("does not verify"), "{error}");
        let mut short = |_: &[u8]| Ok(Zeroizing::new(vec![1; 127]));
        let mut held = HeldRsa::new(Signer::public_key(&key), &mut short).unwrap();
        assert!(held.unwrap_pkcs1(&[1; 128], &[16], &[1; 32]).unwrap_err().to_string().contains("127 octets"));
    }
}
