//! Status words: the last two octets of every response (ISO/IEC 7816-4
//! section 5.6, NIST SP 800-73-4 part 2 table 6).

use std::fmt;

/// SW1 and SW2 of a response.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusWord(pub u16);

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        impl StatusWord {
            $($(#[$doc])* pub const $name: Self = Self($value);)*
        }

        /// Every status word with a fixed value, and what it says.
        const TEXTS: &[(StatusWord, &str)] = &[$((StatusWord::$name, $text)),*];
    };
}

words! {
    /// Done.
    SUCCESS = 0x9000, "successful execution";
    /// The last data element may be damaged, or the file ended early.
    END_OF_FILE = 0x6282, "end of file reached before the expected octets were read";
    /// The memory of the card failed.
    MEMORY_FAILURE = 0x6581, "memory failure";
    /// Lc or Le do not fit the command.
    WRONG_LENGTH = 0x6700, "wrong length";
    /// The class names a logical channel that is not there.
    NO_LOGICAL_CHANNEL = 0x6881, "logical channel not supported";
    /// The class asks for secure messaging.
    NO_SECURE_MESSAGING = 0x6882, "secure messaging not supported";
    /// Another command came in the middle of a chain.
    LAST_OF_CHAIN_EXPECTED = 0x6883, "last command of the chain expected";
    /// The PIN was not verified, or the host not authenticated.
    SECURITY_STATUS_NOT_SATISFIED = 0x6982, "security status not satisfied";
    /// No tries are left.
    AUTHENTICATION_METHOD_BLOCKED = 0x6983, "authentication method blocked";
    /// The command does not fit what was done before.
    CONDITIONS_NOT_SATISFIED = 0x6985, "conditions of use not satisfied";
    /// Nothing is selected that the command could work on.
    COMMAND_NOT_ALLOWED = 0x6986, "command not allowed, no current file";
    /// The data field is wrong.
    WRONG_DATA = 0x6A80, "incorrect parameter in the data field";
    /// The card does not do this.
    FUNCTION_NOT_SUPPORTED = 0x6A81, "function not supported";
    /// There is no such file, data object or application.
    NOT_FOUND = 0x6A82, "data object, file or application not found";
    /// The card is full.
    NOT_ENOUGH_MEMORY = 0x6A84, "not enough memory";
    /// P1 or P2 are wrong.
    INCORRECT_P1_P2 = 0x6A86, "incorrect parameter in P1 or P2";
    /// There is no such key or reference data.
    REFERENCE_NOT_FOUND = 0x6A88, "key reference not found";
    /// P1 and P2 are beyond the file.
    WRONG_OFFSET = 0x6B00, "wrong parameters: offset outside the file";
    /// The card does not know the instruction.
    INSTRUCTION_NOT_SUPPORTED = 0x6D00, "instruction code not supported";
    /// The card does not know the class.
    CLASS_NOT_SUPPORTED = 0x6E00, "class not supported";
    /// Something failed that has no word of its own.
    NO_DIAGNOSIS = 0x6F00, "no precise diagnosis";
}

impl StatusWord {
    /// `61xx`: so many octets are still there; 0 for 256 or more.
    #[must_use]
    pub fn more(octets: usize) -> Self {
        Self(0x6100 | u16::from(u8::try_from(octets).unwrap_or(0)))
    }

    /// `63Cx`: a wrong PIN, and how many tries are left.
    #[must_use]
    pub fn tries_left(tries: u8) -> Self {
        Self(0x63C0 | u16::from(tries & 0x0f))
    }

    /// Whether the command was done, all of its answer here or not.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::SUCCESS || self.0 >> 8 == 0x61
    }

    /// How many tries `63Cx` says are left.
    #[must_use]
    pub fn tries(self) -> Option<u8> {
        (self.0 & 0xfff0 == 0x63C0).then_some((self.0 & 0x0f) as u8)
    }

    /// How many octets `61xx` says are still there: 256 for `6100`.
    #[must_use]
    pub fn octets_left(self) -> Option<usize> {
        (self.0 >> 8 == 0x61).then_some(match self.0 & 0xff {
            0 => 256,
            octets => usize::from(octets),
        })
    }

    /// What it says, in the words of the standards.
    #[must_use]
    pub fn meaning(self) -> String {
        if let Some((_, text)) = TEXTS.iter().find(|(word, _)| *word == self) {
            return (*text).to_owned();
        }
        match (self.0 >> 8, self.0 & 0xff, self.tries()) {
            (_, _, Some(1)) => "verification failed, 1 try left".to_owned(),
            (_, _, Some(tries)) => format!("verification failed, {tries} tries left"),
            (0x61, 0, _) => "successful execution, 256 octets or more are still there".to_owned(),
            (0x61, octets, _) => format!("successful execution, {octets} octets are still there"),
            (0x6C, octets, _) => format!("wrong Le, {octets} octets are there"),
            _ => "a status word that no standard names here".to_owned(),
        }
    }

    /// SW1 and SW2.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusWord({:04X})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_lengths_are_read_as_they_are_written() {
        assert_eq!(StatusWord::tries_left(3), StatusWord(0x63C3));
        assert_eq!(StatusWord(0x63C0).tries(), Some(0));
        assert_eq!(StatusWord::SUCCESS.tries(), None);
        assert_eq!(StatusWord::more(300), StatusWord(0x6100));
        assert_eq!(StatusWord::more(17).octets_left(), Some(17));
        assert_eq!(StatusWord(0x6100).octets_left(), Some(256));
        assert!(StatusWord(0x6105).is_success());
        assert!(!StatusWord(0x63C1).is_success());
    }
}
