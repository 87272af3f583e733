//! Everything drawn from a run record.
//!
//! [`read_run`] turns `run.jsonl` into a [`Run`] that cannot be wrong;
//! [`html::render`] draws the report page from it, [`Summary`] the
//! numbers for a terminal or another program.
//!
//! *Invariant of this floor:* a report is a pure function of the run and of what
//! the corpus says: the texts of its cases, and what is known of clients that
//! took no part. Nothing here runs a program, opens a file or reads a
//! clock; the same run gives the same bytes on every machine.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

mod case;
mod grid;
pub mod html;
mod known;
mod privacy;
mod round_trip;
mod run;
pub mod summary;
#[cfg(test)]
mod testing;
pub mod transport;

pub use case::{CaseText, PrivateText, RequirementText};
pub use known::{ClientSummary, FeatureSummary, Known, MailSummary};
pub use run::{Run, RunError, Shard, read_run};
pub use summary::Summary;
