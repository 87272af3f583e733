//! Algorithms, arithmetic and private keys.
//!
//! *Invariant of this floor:* this crate knows algorithms and keys; it does not
//! know messages, MIME, certificate paths, files or clocks. No type of a
//! pre-release crate stands in a public signature.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

mod error;

pub use error::KeyError;
