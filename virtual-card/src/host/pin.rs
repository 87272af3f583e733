//! Where a PIN comes from.

use std::fmt;

use zeroize::Zeroizing;

use crate::piv::Slot;

/// What a PIN is wanted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRequest<'a> {
    /// The name of the reader.
    pub reader: &'a str,
    /// What is to be done.
    pub purpose: PinPurpose,
    /// How many tries are left, where the card tells: it does not while the
    /// PIN counts as verified.
    pub tries_left: Option<u8>,
}

/// What is done with the card once the PIN is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinPurpose {
    /// A private key is used.
    Key(Slot),
    /// Something is read that others may not read.
    Read,
}

impl fmt::Display for PinPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(slot) => write!(f, "the {} ({})", slot.title(), slot.name()),
            Self::Read => f.write_str("reading the card"),
        }
    }
}

/// A PIN as it was entered, wiped when dropped.
pub type Pin = Zeroizing<String>;

/// Somebody who knows the PIN of a card: a person at a dialog, or a test.
pub trait PinSource {
    /// Asks for the PIN; `None` where there is none to be had. It is asked once
    /// for each use of a key that needs it, and never twice for the same use: a
    /// wrong PIN ends the use.
    fn pin(&mut self, request: &PinRequest<'_>) -> Option<Pin>;
}

impl<F: FnMut(&PinRequest<'_>) -> Option<Pin>> PinSource for F {
    fn pin(&mut self, request: &PinRequest<'_>) -> Option<Pin> {
        self(request)
    }
}

/// Nobody: for what needs no PIN.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPin;

impl PinSource for NoPin {
    fn pin(&mut self, _: &PinRequest<'_>) -> Option<Pin> {
        None
    }
}
