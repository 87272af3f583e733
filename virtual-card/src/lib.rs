//! The virtual smart card and the reader side of it.
//!
//! A mail program that signs with a card sees four things: a reader, a card in
//! it, files on the card, and keys that only the card can use. This crate holds
//! all four, so that a case can put a card in, block its PIN or pull it out in
//! the middle of a signature, on a machine without a reader.
//!
//! - [`apdu`], [`status`], [`tlv`]: what goes over the wire (ISO/IEC 7816-4);
//! - [`card`]: a card, octets in and octets out, with the [`application`]s on it;
//! - [`piv`]: the PIV application (NIST SP 800-73-4);
//! - [`host`]: readers, and the client that signs and decrypts with a card;
//! - [`faults`]: cards that fail, by a script;
//! - [`models`]: which cards there are, as data;
//! - [`pkcs15`]: the application of ISO/IEC 7816-15 (PKCS #15);
//! - [`transcript`]: sessions written down, replayed, compared and explained;
//! - [`vpcd`]: the way out to pcscd.
//!
//! *Invariants of this floor:* the card knows APDUs (ISO/IEC 7816-4) and keys;
//! it does not know S/MIME, mail or certificates' meaning (a certificate is a
//! file to it). It uses [`waxseal_key`] for arithmetic and nothing else of the
//! house; to the engine a key on a card is one more signer or decryptor of
//! that crate. A wrong PIN, a blocked PIN and a removed card are answers, not
//! failures.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

pub mod apdu;
pub mod application;
pub mod card;
pub mod faults;
pub mod host;
pub mod key;
pub mod models;
pub mod piv;
pub mod pkcs15;
pub mod secret;
pub mod status;
pub mod tlv;
pub mod transcript;
pub mod vpcd;

pub use apdu::{Command, Response};
pub use application::Application;
pub use card::{Card, Lost, VirtualCard};
pub use status::StatusWord;
