//! Cards that fail, by a script: what happens at which command.
//!
//! A card is pulled out in the middle of a signature, loses its power between
//! two commands of a chain, is blocked by another program, or answers nonsense.
//! A [`FaultyCard`] does all that to any other card, in process and behind
//! vpcd.

mod card;
mod script;

pub use card::FaultyCard;
pub use script::{Fault, Script, ScriptError, Trigger, What};
