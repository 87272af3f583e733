//! The virtual card in the programs that people use, through pcscd and
//! vsmartcard's vpcd. What is not on this machine is said in a line each, and
//! not tested.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[cfg(feature = "pcsc")]
mod cases;
mod components;
mod confined;
mod desk;
mod keys;
mod opensc;
mod openssl;
mod pkcs15;
#[cfg(feature = "pcsc")]
mod readers;
mod recorder;
mod serve;
#[cfg(feature = "pcsc")]
#[path = "../support/mod.rs"]
mod support;
mod thunderbird;
mod yubico;

use std::process::ExitCode;

/// The models with PIV that the programs can use: they know neither SM2 nor RSA
/// 4096 on a card, and refuse RSA 1024.
const PIV: &[&str] = &["piv-rsa2048", "piv-p256", "piv-full-history"];

/// Those and the one with PKCS #15, which OpenSC alone knows.
const ALL: &[&str] = &["piv-rsa2048", "piv-p256", "piv-full-history", "ecert-pkcs15"];

fn main() -> ExitCode {
    let jobs = [
        opensc::jobs(ALL),
        yubico::jobs(PIV),
        openssl::jobs(ALL),
        pkcs15::jobs(),
        thunderbird::jobs(),
        serve::jobs(),
        #[cfg(feature = "pcsc")]
        readers::jobs(PIV),
        #[cfg(feature = "pcsc")]
        cases::jobs(),
    ];
    confined::main(jobs.into_iter().flatten().collect())
}
