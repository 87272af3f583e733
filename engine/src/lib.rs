//! The reference S/MIME engine.
//!
//! *Invariants of this floor:* the engine does no input or output but on the
//! readers, writers and fetchers it is given, reads no clock but the time it is
//! given, prints nothing, and knows no case and no client by name. No type of a
//! pre-release crate stands in a public signature.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

pub mod ber;
pub mod certificate;
pub mod check;
pub mod cms;
pub mod fingerprint;
mod hex;
pub mod inspect;
pub mod io;
pub mod limits;
pub mod message;
pub mod mime;
mod overlap;
pub mod policy;
pub mod timestamp;

pub use check::Check;
pub use limits::Limits;
