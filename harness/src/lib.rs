//! The `waxseal` command: it plans which case goes to which implementation,
//! drives the implementations through shims, compares their answers with what
//! the cases expect, keeps the run record and judges it against a gate.
//!
//! *Invariants of this floor:* the runner formats nothing for people (that is
//! [`cli`] and the crate `waxseal-reports`) and knows no implementation by name;
//! an implementation is only ever reached through the shim protocol
//! ([`shim::protocol`]), the engine too. What a SUT does wrong is an outcome,
//! never an error of the run.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

pub mod admission;
pub mod capture;
pub mod card;
pub mod cases;
mod charset;
pub mod cli;
pub mod confine;
pub mod exchange;
pub mod exit;
pub mod fetch;
pub mod gate;
pub mod keys;
pub mod matrix;
pub mod pcscd;
pub mod pipe;
pub mod plan;
pub mod reader;
pub mod recordings;
pub mod runner;
pub mod shim;
pub mod smtp_sink;
pub mod sut;
pub mod task;
pub mod thunderbird;
pub mod transport;
pub mod workspace;
