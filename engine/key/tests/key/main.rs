//! What the crate does with real keys and files, with both providers, and with
//! OpenSSL on the other side.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod aead;
mod agreement;
mod key_wrap;
mod known_answers;
mod messages;
mod ml_kem;
mod openssl;
mod pkcs12;
mod private_keys;
mod providers;
mod rejection;
mod robust;
mod rsa_parameters;
mod sm2;
mod sm2_key_files;
mod sm3_sm4;
mod wycheproof_vectors;

use std::path::PathBuf;

use waxseal_key::{Arithmetic, PrivateKey, ProviderChoice};

/// A test key beside this file. They are for tests only and protect nothing.
fn key(name: &str) -> PrivateKey {
    PrivateKey::from_pem(&pem(name), None).unwrap()
}

fn pem(name: &str) -> String {
    String::from_utf8(data(&format!("{name}.pem"))).unwrap()
}

fn data(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/key/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rustcrypto() -> Arithmetic {
    Arithmetic::new(ProviderChoice::RustCrypto)
}

fn aws_lc() -> Arithmetic {
    Arithmetic::new(ProviderChoice::AwsLc)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
