//! A case as the runner needs it: what goes into the case directory, and what
//! must come out.

use std::collections::BTreeSet;
use std::sync::Arc;

use time::OffsetDateTime;
pub use waxseal_forge::{CaseFiles, KeyPem};
use waxseal_verdict::{Evidence, Expectation, Kind};

/// A case, ready to be planned.
#[derive(Debug, Clone)]
pub struct Task {
    /// The stable id of the case.
    pub id: String,
    /// The valid sibling of a negative case.
    pub twin: Option<String>,
    /// Where its bytes come from.
    pub evidence: Evidence,
    /// The sender's address, where it is not the From of the message.
    pub from: Option<String>,
    /// Name of the policy to judge by, where it is not the default.
    pub policy: Option<String>,
    /// Algorithms that a reader must know, by the names of the algorithm table.
    pub algorithms: BTreeSet<String>,
    /// Kinds of layers that it must be able to read.
    pub kinds: BTreeSet<Kind>,
    /// Whether the reader wants to know of every certificate that it was not
    /// revoked.
    pub require_revocation: bool,
    /// The time at which it is judged.
    pub clock: OffsetDateTime,
    /// Whether the answer changes with the clock: a SUT that only knows "now"
    /// cannot be asked.
    pub fixed_clock: bool,
    /// Whether the answer depends on mail that came before.
    pub learns: bool,
    /// Whether the bytes are other people's, so that nothing of them may stand
    /// in the record.
    pub private: bool,
    /// What must come out.
    pub expectation: Expectation,
    /// Other outcomes that are right too (a case of level *may*).
    pub accepted: Vec<Expectation>,
    /// The MIME entity that was protected, where it is not in the corpus.
    pub protects: Option<Arc<Vec<u8>>>,
    /// The SUTs that it is for; all if none are named.
    pub readers: Option<Arc<BTreeSet<String>>>,
    /// The files, or why they are not on this machine.
    pub files: Result<Arc<CaseFiles>, String>,
}
