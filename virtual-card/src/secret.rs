//! Reference data: a PIN or PUK with its retry counter (ISO/IEC 7816-4 section
//! 11.5.6, SP 800-73-4 part 2 section 3.2).

use std::fmt;

use zeroize::Zeroizing;

use crate::StatusWord;

/// A secret that is compared, and how often it may still be wrong.
pub struct Secret {
    value: Zeroizing<Vec<u8>>,
    tries: u8,
    tries_left: u8,
}

impl Secret {
    /// A secret that is blocked after so many wrong tries in a row, 1 to 15.
    #[must_use]
    pub fn new(value: impl Into<Vec<u8>>, tries: u8) -> Self {
        let tries = tries.clamp(1, 15);
        Self { value: Zeroizing::new(value.into()), tries, tries_left: tries }
    }

    /// Compares. A right value gives all tries back, a wrong one takes one.
    ///
    /// # Errors
    /// [`StatusWord::AUTHENTICATION_METHOD_BLOCKED`] where no try was left: the
    /// value is then not looked at. Else `63Cx` with the tries that are left.
    pub fn compare(&mut self, given: &[u8]) -> Result<(), StatusWord> {
        // The try is taken first, so that a card that loses its power in the comparison does not give it back.
        self.tries_left = self.tries_left.checked_sub(1).ok_or(StatusWord::AUTHENTICATION_METHOD_BLOCKED)?;
        if !waxseal_key::constant_time_eq(&self.value, given) {
            return Err(StatusWord::tries_left(self.tries_left));
        }
        self.tries_left = self.tries;
        Ok(())
    }

    /// Another value, with all of its tries.
    pub fn set(&mut self, value: &[u8]) {
        self.value = Zeroizing::new(value.to_vec());
        self.tries_left = self.tries;
    }

    /// How many tries are left.
    #[must_use]
    pub fn tries_left(&self) -> u8 {
        self.tries_left
    }

    /// What a question for the counter is answered with: `63Cx`, or that it is blocked.
    #[must_use]
    pub fn state(&self) -> StatusWord {
        match self.tries_left {
            0 => StatusWord::AUTHENTICATION_METHOD_BLOCKED,
            tries => StatusWord::tries_left(tries),
        }
    }

    /// Takes every try away, as another program's wrong entries would.
    pub fn block(&mut self) {
        self.tries_left = 0;
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("tries_left", &self.tries_left).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_tries_block_and_a_right_one_gives_them_back() {
        let mut secret = Secret::new("123456", 3);
        assert_eq!(secret.compare(b"000000"), Err(StatusWord(0x63C2)));
        assert_eq!(secret.compare(b"123456"), Ok(()));
        assert_eq!(secret.state(), StatusWord(0x63C3));
        for left in [0x63C2, 0x63C1, 0x63C0] {
            assert_eq!(secret.compare(b"12345"), Err(StatusWord(left)));
        }
        assert_eq!(secret.compare(b"123456"), Err(StatusWord::AUTHENTICATION_METHOD_BLOCKED));
        assert_eq!(secret.state(), StatusWord::AUTHENTICATION_METHOD_BLOCKED);
        secret.set(b"654321");
        assert_eq!(secret.compare(b"654321"), Ok(()));
    }

    #[test]
    fn no_secret_is_printed() {
        assert_eq!(format!("{:?}", Secret::new("123456", 3)), "Secret { tries_left: 3, .. }");
    }
}
