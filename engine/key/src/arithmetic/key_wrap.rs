//! Keys under other keys, and under passwords.

use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use super::Arithmetic;
use crate::{ContentCipher, KeyError, KeyWrap, Random};

impl Arithmetic {
    /// Wraps a key. Only Triple DES takes a random number (RFC 3217 section
    /// 3.1), and the odd parity of a Triple DES key is its caller's.
    ///
    /// # Errors
    /// The key-encryption key has not the length of the algorithm, the key is
    /// no multiple of eight octets from 16 to 512, or the provider lacks the
    /// algorithm.
    pub fn wrap_key(
        &self,
        wrap: KeyWrap,
        key_encryption_key: &[u8],
        key: &[u8],
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, KeyError> {
        check(wrap, key_encryption_key, "key", key.len())?;
        let mut iv = [0; 8];
        if wrap == KeyWrap::TripleDes {
            random.fill(&mut iv);
        }
        self.fast(|provider| provider.wrap_key(wrap, key_encryption_key, key, iv))
    }

    /// Unwraps a key.
    ///
    /// # Errors
    /// [`KeyError::DecryptionFailed`]: the check value is not right. Or the
    /// key-encryption key has not the length of the algorithm, the wrapped key
    /// is not of a length that the algorithm gives, or the provider lacks it.
    pub fn unwrap_key(
        &self,
        wrap: KeyWrap,
        key_encryption_key: &[u8],
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        check(wrap, key_encryption_key, "wrapped key", wrapped.len().saturating_sub(wrap.overhead()))?;
        self.fast(|provider| provider.unwrap_key(wrap, key_encryption_key, wrapped))
    }

    /// Wraps a content key under a key that came from a password (RFC 3211
    /// section 2.3.1): its length, a check value, the key and random padding,
    /// encrypted twice.
    ///
    /// # Errors
    /// The lengths do not fit, or the provider lacks the cipher.
    pub fn password_wrap(
        &self,
        cipher: ContentCipher,
        key_encryption_key: &[u8],
        iv: &[u8],
        key: &[u8],
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, KeyError> {
        check_chain(cipher)?;
        let block = cipher.block_len();
        let len = u8::try_from(key.len()).ok().filter(|len| *len >= 3).ok_or_else(|| KeyError::BadParameters {
            algorithm: PASSWORD_WRAP.to_owned(),
            why: format!("a key of {} octets, 3 to 255 can be wrapped", key.len()),
        })?;
        let mut octets = Zeroizing::new(Vec::with_capacity((4 + key.len()).next_multiple_of(block).max(2 * block)));
        octets.extend([len, !key[0], !key[1], !key[2]]);
        octets.extend_from_slice(key);
        let padded = octets.len().next_multiple_of(block).max(2 * block);
        let padding = octets.len();
        octets.resize(padded, 0);
        random.fill(&mut octets[padding..]);
        // The chain goes on from the first pass into the second.
        let mut encryptor = self.cbc_encryptor(cipher, key_encryption_key, iv)?;
        encryptor.process(&mut octets);
        encryptor.process(&mut octets);
        Ok(octets.to_vec())
    }

    /// Unwraps a content key that was wrapped under a key from a password (RFC
    /// 3211 section 2.3.2).
    ///
    /// # Errors
    /// [`KeyError::DecryptionFailed`]: the check value or the length is not
    /// right, which is what a wrong password looks like. Or the lengths do not
    /// fit, or the provider lacks the cipher.
    pub fn password_unwrap(
        &self,
        cipher: ContentCipher,
        key_encryption_key: &[u8],
        iv: &[u8],
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        check_chain(cipher)?;
        let block = cipher.block_len();
        if wrapped.len() < 2 * block || !wrapped.len().is_multiple_of(block) || wrapped.len() > MAX_LEN {
            return Err(KeyError::BadParameters {
                algorithm: PASSWORD_WRAP.to_owned(),
                why: format!("{} octets, whole blocks of {block}, at least two, are wanted", wrapped.len()),
            });
        }
        let mut octets = Zeroizing::new(wrapped.to_vec());
        // The last block of the first pass is the vector of the second one: found by
        // decrypting the last block alone.
        let (before, last) = octets.split_at_mut(wrapped.len() - block);
        self.cbc_decryptor(cipher, key_encryption_key, &before[before.len() - block..])?.process(last);
        self.cbc_decryptor(cipher, key_encryption_key, last)?.process(before);
        self.cbc_decryptor(cipher, key_encryption_key, iv)?.process(&mut octets);
        let room = octets.len() - 4;
        let mut good = octets[1].ct_eq(&!octets[4]) & octets[2].ct_eq(&!octets[5]) & octets[3].ct_eq(&!octets[6]);
        // Of a key that is too short to check, or longer than what is there, nothing is told apart.
        let in_range = (3..=room).contains(&usize::from(octets[0]));
        good &= u8::conditional_select(&0, &1, u8::from(in_range).into()).ct_eq(&1);
        if !bool::from(good) {
            return Err(KeyError::DecryptionFailed(PASSWORD_WRAP.to_owned()));
        }
        let len = usize::from(octets[0]);
        Ok(Zeroizing::new(octets[4..4 + len].to_vec()))
    }
}

const PASSWORD_WRAP: &str = "password-wrap";

/// Two passes bind the octets to each other only if blocks depend on those
/// before them (RFC 3211 section 2.3).
fn check_chain(cipher: ContentCipher) -> Result<(), KeyError> {
    if cipher.is_padded() {
        return Ok(());
    }
    let why = format!("{cipher} has no chain of blocks");
    Err(KeyError::BadParameters { algorithm: PASSWORD_WRAP.to_owned(), why })
}

/// The longest key, with what is added to it, that is wrapped: no algorithm has
/// one of half of it, and the work grows with it.
const MAX_LEN: usize = 512;

fn check(wrap: KeyWrap, key_encryption_key: &[u8], what: &str, key_len: usize) -> Result<(), KeyError> {
    let refused = |why: String| Err(KeyError::BadParameters { algorithm: wrap.name().to_owned(), why });
    if key_encryption_key.len() != wrap.key_len() {
        let found = key_encryption_key.len();
        return refused(format!("the key-encryption key has {found} octets, it must have {}", wrap.key_len()));
    }
    if !key_len.is_multiple_of(8) || !(16..=MAX_LEN).contains(&key_len) {
        return refused(format!("the {what} has a length that the algorithm cannot give"));
    }
    Ok(())
}
