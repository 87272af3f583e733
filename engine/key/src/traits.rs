//! The two traits through which private keys are reached, and the one through
//! which random numbers come in.

use zeroize::Zeroizing;

use crate::{Content, DigestAlgorithm, KeyError, OaepParameters, SignatureScheme, Sm2Form};

/// A cryptographically secure random number generator, given by the caller.
pub trait Random {
    /// Fills `out` with random octets.
    fn fill(&mut self, out: &mut [u8]);
}

/// A running digest, in any thread.
pub trait Hasher: Send {
    /// Adds octets.
    fn update(&mut self, octets: &[u8]);

    /// The digest value of everything that was added.
    fn finish(self: Box<Self>) -> Vec<u8>;
}

/// A cipher mode that is running over a stream of whole blocks, in any thread.
pub trait BlockMode: Send {
    /// Encrypts or decrypts in place.
    ///
    /// The length must be a multiple of the block length; what stands after
    /// the last whole block is left as it is. In CTR mode any length is good.
    fn process(&mut self, blocks: &mut [u8]);
}

/// A private key that can sign: in software, or on a card.
pub trait Signer {
    /// DER of the SubjectPublicKeyInfo of this key.
    fn public_key(&self) -> &[u8];

    /// Signs a digest that was made with `digest`.
    ///
    /// The result is the signature value as CMS carries it: PKCS#1 octets, or
    /// the DER of ECDSA-Sig-Value (RFC 5753 section 7.2).
    ///
    /// # Errors
    /// The scheme does not fit the key, or the holder of the key refused.
    fn sign_digest(&self, scheme: SignatureScheme, digest: DigestAlgorithm, value: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Signs a message itself, from where it stands to its end, by a scheme
    /// that [does so](SignatureScheme::signs_message). EdDSA reads it twice.
    ///
    /// # Errors
    /// The scheme does not fit the key, the message cannot be read, or the
    /// holder of the key refused or cannot do this.
    fn sign_message(&self, scheme: SignatureScheme, message: &mut dyn Content) -> Result<Vec<u8>, KeyError> {
        let _ = message;
        not_by_this_key(scheme.name())
    }

    /// Signs a digest of 32 octets as it stands by SM2, with no Z in it, as
    /// no standard does but GmSSL 3.
    ///
    /// # Errors
    /// The key is none of SM2, or its holder refused or cannot do this.
    fn sign_sm2_digest(&self, value: &[u8]) -> Result<Vec<u8>, KeyError> {
        let _ = value;
        not_by_this_key("sm2 over a digest")
    }
}

/// A private key that can decrypt: in software, or on a card.
pub trait Decryptor {
    /// DER of the SubjectPublicKeyInfo of this key.
    fn public_key(&self) -> &[u8];

    /// Undoes RSA PKCS#1 v1.5 key transport (RFC 8017 section 7.2.2) for a
    /// content-encryption key of `key_len` octets.
    ///
    /// A refused padding, or a key of another length, is no error: the result
    /// is then a key derived by HMAC from the private key and the ciphertext,
    /// so that nobody can tell the two apart (RFC 3218).
    ///
    /// # Errors
    /// The key is no RSA key, the ciphertext has not the length of the
    /// modulus, or the holder of the key refused.
    fn unwrap_rsa_pkcs1(&self, encrypted_key: &[u8], key_len: usize) -> Result<Zeroizing<Vec<u8>>, KeyError>;

    /// Whether [`unwrap_rsa_pkcs1_any`](Self::unwrap_rsa_pkcs1_any) looks for all
    /// lengths; else one after the other has to be asked for.
    fn takes_several_lengths(&self) -> bool {
        false
    }

    /// As [`unwrap_rsa_pkcs1`](Self::unwrap_rsa_pkcs1), for a content-encryption
    /// key of any of these lengths, as ciphers with keys of several lengths
    /// need it. What is refused gives a derived key of the first length.
    ///
    /// Asked for one after the other, every length that is not the right one
    /// would give a derived key, and one of 256 of these opens the content to
    /// something whose padding fits.
    ///
    /// # Errors
    /// As [`unwrap_rsa_pkcs1`](Self::unwrap_rsa_pkcs1), or no length is given.
    fn unwrap_rsa_pkcs1_any(&self, encrypted_key: &[u8], key_lens: &[usize]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match key_lens.first() {
            Some(key_len) => self.unwrap_rsa_pkcs1(encrypted_key, *key_len),
            None => not_by_this_key("key transport without a length"),
        }
    }

    /// Undoes RSAES-OAEP (RFC 8017 section 7.1.2).
    ///
    /// # Errors
    /// [`KeyError::DecryptionFailed`] whatever is wrong inside; the key is no
    /// RSA key, the ciphertext has not the length of the modulus, or the holder
    /// of the key refused or cannot do this.
    fn unwrap_rsa_oaep(
        &self,
        encrypted_key: &[u8],
        parameters: &OaepParameters,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let _ = (encrypted_key, parameters);
        not_by_this_key("rsaes-oaep")
    }

    /// Undoes SM2 encryption (GM/T 0003.4 section 7), in whichever form the
    /// ciphertext is written: the plaintext, and the form.
    ///
    /// # Errors
    /// [`KeyError::DecryptionFailed`] whatever is wrong inside; the key is none
    /// of SM2, or its holder refused or cannot do this.
    fn unwrap_sm2(&self, encrypted_key: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Sm2Form), KeyError> {
        let _ = encrypted_key;
        not_by_this_key("sm2-encryption")
    }

    /// Agrees on a secret with the key of the other side, given as DER of a
    /// SubjectPublicKeyInfo: Z of ECDH (RFC 5753 section 3.1), or of X25519 (RFC
    /// 8418 section 2). A key on an elliptic curve that names no curve, as RFC
    /// 5753 section 7.1 lets it, is on that of this key.
    ///
    /// # Errors
    /// The other side's key is damaged, not on its curve, of another kind, or
    /// leads to a secret of zeros; or the holder of the key refused or cannot
    /// do this.
    fn agree(&self, peer_spki: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let _ = peer_spki;
        not_by_this_key("key agreement")
    }

    /// Decapsulates a secret of 32 octets (ML-KEM, FIPS 203 section 7.3). A
    /// changed ciphertext gives another secret, and no error.
    ///
    /// # Errors
    /// The ciphertext has not the length that the key asks for, the key is of
    /// another kind, or the holder of the key refused or cannot do this.
    fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let _ = ciphertext;
        not_by_this_key("decapsulation")
    }
}

fn not_by_this_key<T>(operation: &str) -> Result<T, KeyError> {
    Err(KeyError::Refused(format!("this key does no {operation}")))
}
