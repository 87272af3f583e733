//! Makes the corpus: certificates from their description, messages from
//! recipes, damage from tampering. The same bytes come out on every machine.
//!
//! [`build`] makes the files of one case; [`Forge`] keeps what many cases
//! share. Certificates and the lock file are made anew by [`update`] and
//! proven equal by this crate's tests.
//!
//! *Invariant of this floor:* messages are written by the engine and changed
//! here; nothing here judges a message, and no expectation comes from here but
//! the hash of the content that went in.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

mod base;
mod card;
mod credentials;
mod error;
mod files;
mod follow;
mod hex;
mod lock;
mod mail;
mod mangle;
mod pki;
mod recorded;
mod renew;
mod replica;
mod revocation;
mod spelling;
mod tamper;
mod tree;
mod update;

pub use card::card;
pub use error::{CaseError, ForgeError};
pub use files::{CaseFiles, Forge, Holder, KeyPem, build};
pub use lock::{Lock, LockedCase};
pub use mangle::{MangleError, mangle};
pub use pki::{PkiError, certificates};
pub use renew::{another_certificate, renew};
pub use replica::{Encrypting, ReplicaError, Signing};
pub use update::{UpdateError, update};
