//! The run record: `run.jsonl`, one object a line, and what a shim declares.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::code::codes;
use crate::{ArrivalRecord, Aspect, AspectName, Dialect, Kind, Mismatch, ReasonMatch};

codes! {
    /// What came of one case on one SUT.
    Outcome: "outcome" {
        /// Everything that was compared came out as expected.
        Pass = "pass",
        /// Something else came out.
        Fail = "fail",
        /// The SUT declared that it cannot do this.
        Unsupported = "unsupported",
        /// The SUT ended without an answer.
        Crash = "crash",
        /// The SUT did not answer in time.
        Hang = "hang",
        /// The answer of the shim is no answer (garbage, too much output).
        ShimError = "shim-error",
        /// The bytes, or the program, are not on this machine.
        NotAvailable = "not-available",
    }
}

codes! {
    /// How something is known about a client.
    Knowledge: "knowledge" {
        /// It ran here, now.
        Measured = "measured",
        /// Its verdict or its bytes were taken from the real client, with version and date.
        Captured = "captured",
        /// A source says so.
        Documented = "documented",
    }
}

codes! {
    /// What came out of a mail, compared with what went in.
    ContentMatch: "content" {
        /// The same octets.
        Identical = "identical",
        /// The same text and files, in another encoding.
        Equal = "equal",
        /// Something else.
        Differs = "differs",
        /// Nothing came out.
        Nothing = "nothing",
    }
}

codes! {
    /// Where the bytes of a case come from.
    Evidence: "evidence" {
        /// A real client wrote them.
        Recorded = "recorded",
        /// The engine wrote them in a client's shape.
        Replica = "replica",
        /// The engine wrote them.
        Generated = "generated",
        /// Generated or recorded bytes with one named change.
        Mutated = "mutated",
    }
}

codes! {
    /// What a SUT can be asked to do.
    Operation: "operation" {
        /// Read a message and say what it is.
        Open = "open",
        /// Sign an entity.
        Sign = "sign",
        /// Encrypt an entity.
        Encrypt = "encrypt",
        /// Judge chain and identity of a certificate.
        CheckCertificate = "check-certificate",
    }
}

codes! {
    /// A form of mail that a SUT can be asked to write.
    WrittenForm: "written-form" {
        /// multipart/signed (RFC 8551 section 3.5.3).
        Clear = "clear",
        /// application/pkcs7-mime with signed-data (RFC 8551 section 3.5.2).
        Opaque = "opaque",
        /// application/pkcs7-mime with enveloped-data or authEnveloped-data.
        Encrypted = "encrypted",
        /// Signed, then encrypted, in one go: what a mail program does that
        /// encrypts no mail that somebody else signed.
        SignedEncrypted = "signed-encrypted",
    }
}

codes! {
    /// What a SUT can do about the time at which it judges.
    Clock: "clock" {
        /// The time is a parameter.
        Settable = "settable",
        /// The process can be started under another time.
        Faketime = "faketime",
        /// Only now.
        System = "system",
    }
}

/// What a shim says of itself before it is asked anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hello {
    /// Name of the SUT, such as `openssl`.
    pub name: String,
    /// Its version, as it states it.
    pub version: String,
    /// What it can be asked to do.
    pub operations: BTreeSet<Operation>,
    /// Algorithms it knows, by the names of the algorithm table.
    pub algorithms: BTreeSet<String>,
    /// Kinds of layers that it can read.
    pub forms: BTreeSet<Kind>,
    /// Families of messages that it reads; only CMS where it says nothing.
    #[serde(default = "only_cms")]
    pub dialects: BTreeSet<Dialect>,
    /// Aspects that it reports; only these are compared.
    pub aspects: BTreeSet<AspectName>,
    /// Whether it reports deviations.
    #[serde(default)]
    pub deviations: bool,
    /// Whether it reports the state of header fields.
    #[serde(default)]
    pub headers: bool,
    /// Whether it remembers what earlier mail of a correspondent announced.
    #[serde(default)]
    pub learns: bool,
    /// What it can do about the time.
    pub clock: Clock,
    /// The dialects of SM2 messages that it writes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub writes: BTreeSet<Dialect>,
    /// The forms of mail that it writes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub writes_forms: BTreeSet<WrittenForm>,
    /// Algorithms that it can be told to write with, by the names of the
    /// algorithm table; `rc2-cbc-40` for RC2 with so many effective bits.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub writes_algorithms: BTreeSet<String>,
    /// What it said that this version has no name for: the list, and the name. Found where an
    /// answer is read, and never written.
    #[serde(skip)]
    pub unknown: BTreeSet<(String, String)>,
}

fn only_cms() -> BTreeSet<Dialect> {
    BTreeSet::from([Dialect::Cms])
}

/// One line of `run.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Line {
    /// The id of the run; the same on every line of it.
    pub run: String,
    /// Which shard wrote the line, `1/1` if the run is not divided.
    pub shard: String,
    /// What the line records.
    #[serde(flatten)]
    pub record: Record,
}

/// What a line records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Record {
    /// The first line: what ran, where.
    Run(RunRecord),
    /// What will be tried.
    Plan(PlanRecord),
    /// What came of one case on one SUT.
    Outcome(OutcomeRecord),
    /// How one mail arrived that was sent through something.
    Arrival(ArrivalRecord),
    /// The last line; a record without it is incomplete.
    End {
        /// How many outcomes were written.
        outcomes: u64,
        /// Wall-clock time of the run, milliseconds.
        ms: u64,
    },
}

/// The head of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunRecord {
    /// The format of the record, 1.
    pub format: u32,
    /// Version of the `waxseal` that ran.
    pub waxseal: String,
    /// SHA-256 over the whole corpus, lower-case hexadecimal.
    pub corpus: String,
    /// When the run started, RFC 3339.
    pub started: String,
    /// The SUTs, with their versions.
    pub suts: Vec<SutRecord>,
    /// The machine.
    pub machine: Machine,
}

/// A SUT of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SutRecord {
    /// Name of the SUT.
    pub name: String,
    /// Its version, if it was admitted.
    pub version: Option<String>,
    /// Whether the user named it (its failures decide the exit code).
    pub named: bool,
    /// Whether it is the reference engine, whatever does its arithmetic. Where
    /// this is absent, the names `engine` and `engine-rustcrypto` are it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<bool>,
    /// Why it takes no part, if it does not.
    pub not_available: Option<String>,
    /// The dialects of SM2 messages that it writes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub writes: BTreeSet<Dialect>,
}

impl SutRecord {
    /// Whether it is the reference engine: its own word is no witness.
    #[must_use]
    pub fn is_reference(&self) -> bool {
        self.reference.unwrap_or_else(|| is_reference(&self.name))
    }
}

/// Whether this is a name of the reference engine, whatever does its
/// arithmetic; no other SUT gets one of these.
#[must_use]
pub fn is_reference(name: &str) -> bool {
    matches!(name, "engine" | "engine-rustcrypto")
}

/// The machine that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Machine {
    /// Operating system and architecture, such as `linux-x86_64`.
    pub platform: String,
    /// Workers that ran at once.
    pub workers: u32,
}

/// What will be tried, and what will not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlanRecord {
    /// One entry for each case and SUT.
    pub entries: Vec<Planned>,
}

/// One case on one SUT, as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Planned {
    /// Id of the case.
    pub case: String,
    /// Name of the SUT.
    pub sut: String,
    /// The outcome that is already certain, if the case will not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_running: Option<Outcome>,
    /// Why it will not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What came of one case on one SUT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutcomeRecord {
    /// Id of the case.
    pub case: String,
    /// Name of the SUT.
    pub sut: String,
    /// Version of the SUT.
    pub sut_version: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether the SUT was not asked, although it could have been, because too
    /// many requests before this one had no answer. The outcome is then
    /// `not-available`, and says nothing of the case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_asked: bool,
    /// One line that says why, for everything but a pass; the gate compares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How the reason of a bad aspect compares with the expected one.
    pub reason_match: ReasonMatch,
    /// What was observed on each layer, declared aspects only.
    #[serde(default)]
    pub aspects: Vec<Observed>,
    /// What did not come out as expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mismatches: Vec<Mismatch>,
    /// The SUT's own error text, shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<String>,
    /// What came out, where it is known what went in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentMatch>,
    /// Where the bytes come from.
    pub evidence: Evidence,
    /// How the outcome is known.
    pub knowledge: Knowledge,
    /// Time of the request, milliseconds.
    pub ms: u64,
}

/// What a SUT said of one layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Observed {
    /// The kind of wrapping.
    pub kind: Kind,
    /// The aspects it reports.
    pub aspects: BTreeMap<AspectName, Aspect>,
    /// The deviations it reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<crate::Deviation>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_the_reference_is_stands_in_the_record_or_follows_from_the_name() {
        let read = |text: &str| serde_json::from_str::<SutRecord>(text).unwrap().is_reference();
        let with = |name: &str, field: &str| {
            read(&format!(r#"{{"name":"{name}","version":null,"named":false,"not_available":null{field}}}"#))
        };
        for (name, is) in [("engine", true), ("engine-rustcrypto", true), ("engine-2", false), ("engine-x", false)] {
            assert_eq!(with(name, ""), is, "{name}");
        }
        assert!(with("waxseal-next", r#","reference":true"#) && !with("engine", r#","reference":false"#));
    }
}
