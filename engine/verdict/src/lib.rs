//! The words of Waxseal, as types: what a reader says of a message, what was
//! expected, and what a run records; and how a command is written down that
//! repeats it.
//!
//! Programs depend on these names: names are added, never renamed or reused.
//!
//! *Invariant of this floor:* this crate knows no cryptography, no file, no
//! clock and no other crate of the house; only `serde`.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

mod arrival;
mod aspect;
mod code;
mod deviation;
mod expect;
mod fingerprint;
mod header;
mod reason;
mod receipt;
mod run;
mod shell;
mod statement;
mod verdict;

pub use arrival::{Arrival, ArrivalRecord};
pub use aspect::{Aspect, AspectName, Bad};
pub use deviation::Deviation;
pub use expect::{Comparison, Expectation, LayerExpectation, Mismatch, ReasonMatch, Reports};
pub use fingerprint::{Claim, Fact, FactName, Fingerprint, LayerFingerprint};
pub use header::{HeaderField, HeaderProtection, HeaderScheme, HeaderState};
pub use reason::Reason;
pub use receipt::{AttributeCertificate, Notification, Receipt};
pub use run::{
    Clock, ContentMatch, Evidence, Hello, Knowledge, Line, Machine, Observed, Operation, Outcome, OutcomeRecord,
    PlanRecord, Planned, Record, RunRecord, SutRecord, WrittenForm, is_reference,
};
pub use shell::shell_word;
pub use statement::{
    ContentHints, ContentReference, Expansion, NamedCertificate, ReceiptRequest, SecuredField, SecurityCategory,
    SecurityLabel, Statements,
};
pub use verdict::{Dialect, FORMAT, Form, Kind, Layer, Overall, Recipient, Signer, Timestamp, Verdict};
