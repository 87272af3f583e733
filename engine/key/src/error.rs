//! What can go wrong with a key or an operation on it.

/// Why a key could not be loaded or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No provider that may be used can do this.
    #[error("{operation} is not done by this provider")]
    NotByThisProvider {
        /// What was asked, in the names of the algorithm table.
        operation: String,
    },
    /// An algorithm that the table does not know, or not for this use.
    #[error("unknown algorithm {0}")]
    UnknownAlgorithm(String),
    /// Parameters that do not fit the algorithm.
    #[error("bad parameters of {algorithm}: {why}")]
    BadParameters {
        /// The algorithm.
        algorithm: String,
        /// What is wrong with them.
        why: String,
    },
    /// Something encrypted that does not decrypt: a wrong key, or a changed
    /// ciphertext. Which of the two, and where, nobody may learn.
    #[error("{0} does not decrypt: a wrong key, or changed octets")]
    DecryptionFailed(String),
    /// A public key that cannot be used.
    #[error("bad public key: {0}")]
    BadPublicKey(String),
    /// The input is no key in a known format.
    #[error("not a private key: {0}")]
    NotAKey(String),
    /// A wrong password, or damaged encrypted data.
    #[error("wrong password, or a damaged file")]
    WrongPassword,
    /// The message that is to be signed or verified cannot be read.
    #[error("the message cannot be read: {0}")]
    Unreadable(String),
    /// The holder of the key refused.
    #[error("the key was refused: {0}")]
    Refused(String),
    /// A wrong PIN.
    #[error("wrong PIN, {}", match tries_left {
        0 => "and it is blocked now".to_owned(),
        1 => "1 try left".to_owned(),
        tries => format!("{tries} tries left"),
    })]
    WrongPin {
        /// How many tries are left before the PIN is blocked.
        tries_left: u8,
    },
    /// The PIN is blocked.
    #[error("the PIN is blocked")]
    PinBlocked,
    /// The card was removed.
    #[error("the card was removed")]
    CardRemoved,
}
