//! What can go wrong between a program and its card.

use waxseal_key::KeyError;

use super::ReaderError;
use crate::StatusWord;

/// Why something was not done with a card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The reader has no answer.
    #[error(transparent)]
    Reader(#[from] ReaderError),
    /// The card has no PIV application.
    #[error("the card has no PIV application: SELECT was answered {0} ({meaning})", meaning = .0.meaning())]
    NotPiv(StatusWord),
    /// The card refused a command.
    #[error("{command}: the card answered {status} ({meaning})", meaning = .status.meaning())]
    Refused {
        /// The name of the command, and what it was for.
        command: String,
        /// What the card said.
        status: StatusWord,
    },
    /// An answer that the standard does not allow.
    #[error("{command}: the answer of the card is damaged: {why}")]
    BadAnswer {
        /// The name of the command, and what it was for.
        command: String,
        /// What is wrong.
        why: String,
    },
    /// Another PIN.
    #[error("wrong PIN, {}", left(*tries_left))]
    WrongPin {
        /// How many tries are left before the PIN is blocked.
        tries_left: u8,
    },
    /// Another PUK.
    #[error("wrong PUK, {}", left(*tries_left))]
    WrongPuk {
        /// How many tries are left before the PUK is blocked.
        tries_left: u8,
    },
    /// No tries are left for the PIN.
    #[error("the PIN is blocked; `waxseal card pin --unblock` sets a new one with the PUK")]
    PinBlocked,
    /// No tries are left for the PUK.
    #[error("the PUK is blocked; only the issuer of the card can help")]
    PukBlocked,
    /// Nobody entered a PIN.
    #[error("the card needs its PIN, and none was given")]
    NoPin,
    /// The PIN that was given is the one that the card has just refused: it is
    /// not sent again, because every try counts.
    #[error("the PIN that was given is the one that the card refused before; it was not tried again")]
    SamePin {
        /// How many tries are left before the PIN is blocked.
        tries_left: u8,
    },
    /// Another card than before is in the reader.
    #[error("another card is in the reader than before; nothing was sent to it")]
    OtherCard,
    /// Something that cannot be a PIN.
    #[error("a PIN has six to eight digits; what was given is none, and was not tried")]
    NotAPin,
    /// The keys and certificates of the card do not have what is needed.
    #[error("{0}")]
    NoKey(String),
}

/// How many tries are left, in words.
fn left(tries: u8) -> String {
    match tries {
        0 => "and it is blocked now".to_owned(),
        1 => "1 try left".to_owned(),
        tries => format!("{tries} tries left"),
    }
}

impl From<HostError> for KeyError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::WrongPin { tries_left } | HostError::SamePin { tries_left } => Self::WrongPin { tries_left },
            HostError::PinBlocked => Self::PinBlocked,
            HostError::OtherCard
            | HostError::Reader(ReaderError::NoReader(_) | ReaderError::NoCard | ReaderError::Removed) => {
                Self::CardRemoved
            }
            other => Self::Refused(other.to_string()),
        }
    }
}
