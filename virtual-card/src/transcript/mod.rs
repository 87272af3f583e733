//! Transcripts: what went between a host and a card, as text that a person can
//! read, without the secrets.
//!
//! A transcript is written by a [`RecordedCard`] or a [`RecordedReader`]; it can be
//! [replayed](ReplayedCard), [compared](Transcript::departure_from) and
//! [explained](explain::explain), and it tells which
//! [private keys were used](Transcript::key_operations).
//!
//! ```text
//! waxseal card transcript 1
//! atr 3B80800101
//! reset
//! # a comment
//! > 00A40400 09 A00000030800001000 00
//! < 6111 9000
//! > 00200080 08 ****************
//! < 9000
//! lost removed
//! ```
//!
//! An octet that is a secret, or part of one, is written `**`: every PIN and PUK
//! in a command, keys that are put on a card, and whatever a card decrypted or
//! agreed on.

mod blank;
mod compare;
pub mod explain;
mod follow;
mod names;
mod octets;
mod operations;
mod record;
mod replay;
#[cfg(test)]
mod tests;
mod text;

pub use self::{
    compare::Departure,
    follow::{Exchange, Outcome},
    octets::Octets,
    operations::{KeyOperation, KeyReference, Operation},
    record::{RecordedCard, RecordedReader, Tape},
    replay::{Replay, ReplayedCard},
    text::NotATranscript,
};
use crate::Lost;

/// What happened at a card, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The lines.
    pub lines: Vec<Line>,
}

/// One line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The card was asked for its answer to reset.
    Atr(Vec<u8>),
    /// The card was reset, or got its power.
    Reset,
    /// A command APDU.
    Command(Octets),
    /// The response APDU to the command before.
    Response(Octets),
    /// No answer came.
    Failed(Failure),
    /// A transaction began.
    Begin,
    /// A transaction ended.
    End,
    /// A new connection to the card was made.
    Reconnect,
    /// What somebody noted.
    Note(String),
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The card was taken out.
    Removed,
    /// The card was reset.
    Reset,
    /// The card says nothing.
    Mute,
    /// There is no card.
    NoCard,
    /// There is no such reader.
    NoReader,
    /// Another program holds the card.
    Busy,
    /// The service that knows the readers failed.
    Service,
}

impl Failure {
    /// Every failure with the word for it.
    const WORDS: &[(Self, &str)] = &[
        (Self::Removed, "removed"),
        (Self::Reset, "reset"),
        (Self::Mute, "mute"),
        (Self::NoCard, "no-card"),
        (Self::NoReader, "no-reader"),
        (Self::Busy, "busy"),
        (Self::Service, "service"),
    ];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(failure, _)| *failure == self).map_or("", |(_, word)| word)
    }

    fn by_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(failure, _)| *failure)
    }

    /// As a card that fails so shows it.
    fn lost(self) -> Lost {
        match self {
            Self::Removed | Self::NoCard | Self::NoReader => Lost::Removed,
            Self::Reset => Lost::Reset,
            Self::Mute | Self::Busy | Self::Service => Lost::Mute,
        }
    }
}

impl From<Lost> for Failure {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Removed => Self::Removed,
            Lost::Reset => Self::Reset,
            Lost::Mute => Self::Mute,
        }
    }
}
