//! Algorithms, arithmetic and private keys.
//!
//! *Invariant of this floor:* this crate knows algorithms and keys; it does not
//! know messages, MIME, certificate paths, files or clocks. No type of a
//! pre-release crate stands in a public signature.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

mod aead;
pub mod algorithm;
mod arithmetic;
mod ber;
mod cipher;
mod digest;
mod error;
mod held_rsa;
mod key_wrap;
mod message;
mod pbe;
mod pem;
pub mod pkcs12;
mod private_key;
mod provider;
mod public_key;
mod random;
pub mod rc2_version;
mod rsa_parameters;
mod scheme;
mod sm2;
mod sm2_enveloped;
mod traits;

pub use aead::{AeadCipher, AeadOpener, AeadSealer, AeadSetup};
pub use arithmetic::{Arithmetic, ProviderChoice, agreement_point};
pub use cipher::ContentCipher;
pub use digest::DigestAlgorithm;
pub use error::KeyError;
pub use held_rsa::HeldRsa;
pub use key_wrap::KeyWrap;
pub use message::Content;
pub use pbe::PasswordLimits;
pub use private_key::PrivateKey;
pub use public_key::{
    PublicKeyAlgorithm, PublicKeyInfo, describe_public_key, same_public_key, with_inherited_parameters,
};
pub use random::{SeededRandom, SystemRandom};
pub use rsa_parameters::{OaepParameters, PssParameters};
pub use scheme::SignatureScheme;
pub use sm2::{SM2_DEFAULT_ID, SM2_MAX_ID_LEN, Sm2Form};
pub use traits::{BlockMode, Decryptor, Hasher, Random, Signer};

/// Whether two values are the same, in a time that depends on their lengths
/// only: for message authentication codes and other secrets.
#[must_use]
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(left, right).into()
}
