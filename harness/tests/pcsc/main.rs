//! The virtual card in the programs that people use, through pcscd and
//! vsmartcard's vpcd. What is not on this machine is said in a line each, and
//! not tested.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod components;
mod confined;
mod desk;
mod keys;
mod opensc;
mod openssl;
mod recorder;
mod thunderbird;
mod yubico;

use std::process::ExitCode;

/// The models that the programs can use: they know neither SM2 nor RSA 4096 on a
/// card, and refuse RSA 1024.
const MODELS: &[&str] = &["piv-rsa2048", "piv-p256", "piv-full-history"];

fn main() -> ExitCode {
    let jobs = [opensc::jobs(MODELS), yubico::jobs(MODELS), openssl::jobs(MODELS), thunderbird::jobs()];
    confined::main(jobs.into_iter().flatten().collect())
}
