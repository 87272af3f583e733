//! A reader without a reader: the card in the same process.

use zeroize::Zeroizing;

use super::{Reader, ReaderError};
use crate::{Card, Lost};

/// A card in software, as the client of a reader sees it. Nothing has to be
/// installed for it, and no other program can talk to the card.
#[derive(Debug)]
pub struct InProcess<C> {
    name: String,
    card: C,
}

impl<C: Card> InProcess<C> {
    /// Puts a card into a reader with this name.
    ///
    /// # Errors
    /// The card is not there.
    pub fn new(name: impl Into<String>, mut card: C) -> Result<Self, ReaderError> {
        card.reset()?;
        Ok(Self { name: name.into(), card })
    }

    /// The card.
    pub fn card_mut(&mut self) -> &mut C {
        &mut self.card
    }
}

impl From<Lost> for ReaderError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Removed => Self::Removed,
            Lost::Reset => Self::Reset,
            Lost::Mute => Self::Timeout,
        }
    }
}

impl<C: Card> Reader for InProcess<C> {
    fn name(&self) -> &str {
        &self.name
    }

    fn atr(&self) -> Vec<u8> {
        self.card.atr()
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, ReaderError> {
        Ok(self.card.transmit(command)?)
    }

    fn begin(&mut self) -> Result<(), ReaderError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), ReaderError> {
        Ok(())
    }

    fn reconnect(&mut self) -> Result<(), ReaderError> {
        self.card.reset().map_err(|lost| match lost {
            Lost::Removed => ReaderError::NoCard,
            lost => lost.into(),
        })
    }
}
