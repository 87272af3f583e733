//! The side of the mail program: readers, and a client of the card in them.

mod channel;
mod error;
mod in_process;
mod key;
#[cfg(feature = "pcsc")]
pub mod pcsc;
mod pin;
mod piv;
mod reader;
mod tried;

pub use error::HostError;
pub use in_process::InProcess;
pub use key::PivKey;
pub use pin::{NoPin, Pin, PinPurpose, PinRequest, PinSource};
pub use piv::{Identity, PivClient};
pub use reader::{Reader, ReaderError};
