//! A reader with a card in it.

use zeroize::Zeroizing;

/// A reader with a card in it, as PC/SC gives it to a program (PC/SC part 5).
pub trait Reader {
    /// The name of the reader.
    fn name(&self) -> &str;

    /// The answer to reset of the card.
    fn atr(&self) -> Vec<u8>;

    /// One command APDU to the card, one response APDU from it.
    ///
    /// # Errors
    /// No answer came.
    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, ReaderError>;

    /// Begins a transaction: nobody else talks to the card until
    /// [`end`](Self::end).
    ///
    /// # Errors
    /// The card is not there, was reset, or somebody else does not let go of it.
    fn begin(&mut self) -> Result<(), ReaderError>;

    /// Ends the transaction.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    fn end(&mut self) -> Result<(), ReaderError>;

    /// A new connection to the card in the reader, after a reset or after the
    /// card was put in again.
    ///
    /// # Errors
    /// There is no card in the reader, or no reader.
    fn reconnect(&mut self) -> Result<(), ReaderError>;
}

/// Why a reader has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReaderError {
    /// There is no reader with this name.
    #[error("there is no reader {0:?}")]
    NoReader(String),
    /// There is no card in it.
    #[error("there is no card in the reader")]
    NoCard,
    /// The card was taken out.
    #[error("the card was removed")]
    Removed,
    /// The card was reset, by another program or by a fault: PIN and selection
    /// are gone.
    #[error("the card was reset")]
    Reset,
    /// Another program holds the card.
    #[error("another program holds the card")]
    Busy,
    /// The card does not answer in time.
    #[error("the card does not answer")]
    Timeout,
    /// The service that knows the readers failed.
    #[error("the PC/SC service: {0}")]
    Service(String),
}

impl<R: Reader + ?Sized> Reader for Box<R> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn atr(&self) -> Vec<u8> {
        (**self).atr()
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, ReaderError> {
        (**self).transmit(command)
    }

    fn begin(&mut self) -> Result<(), ReaderError> {
        (**self).begin()
    }

    fn end(&mut self) -> Result<(), ReaderError> {
        (**self).end()
    }

    fn reconnect(&mut self) -> Result<(), ReaderError> {
        (**self).reconnect()
    }
}
