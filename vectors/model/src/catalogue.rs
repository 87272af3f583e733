//! The catalogue of recordings: facts about mails that real clients wrote.
//!
//! The bytes are other people's and are not here; [`crate::Recordings`] loads
//! them from a directory that the user names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_verdict::{Evidence, Expectation, Operation};

use crate::{Capture, Case, Disagreement, Flag, Input, Instant, Level, Needs, Role, SharedKey, Source, Witness};

/// One recording: `catalogue/CLIENT/NAME.toml`, case `recorded/CLIENT/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Stable id `recorded/CLIENT/NAME`.
    pub id: String,
    /// What it is, in one line.
    pub title: String,
    /// Why it is in the catalogue.
    pub why: String,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Where the file comes from.
    pub origin: Origin,
    /// Who wrote it.
    pub client: Client,
    /// How a person captured it, where nobody had published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
    /// Ids of the requirements it bears on, at least one.
    pub requirements: Vec<String>,
    /// Whom it examines.
    pub role: Role,
    /// The moment at which it is judged: its Date, or its signing time.
    pub clock: Instant,
    /// Where that moment is taken from.
    pub clock_from: String,
    /// Whether the answer changes with the clock.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed_clock: bool,
    /// Keys that open it, files of the user's directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyFile>,
    /// Certificates to trust, files of the user's directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anchors: Vec<PinnedFile>,
    /// Certificates given beside the message, files of the user's directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_certificates: Vec<PinnedFile>,
    /// Published passwords of password recipients (RFC 5652 section 6.2.4).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passwords: Vec<String>,
    /// Published keys that both sides have (RFC 5652 sections 6.2.3 and 8).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symmetric_keys: Vec<SharedKey>,
    /// Certificates that this project made for published keys that come without one: PEM, trusted by nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made_certificates: Vec<String>,
    /// Content that a bare detached signature signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detached_content: Option<String>,
    /// What must come out.
    pub expect: Expectation,
    /// Other answers that are right too, where its source leaves the answer open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<Expectation>,
    /// Who says that this must come out. Never the engine.
    pub source: Source,
    /// Where implementations differ, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Independent implementations that gave the expected answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<Witness>,
    /// Independent implementations that gave another answer, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disagreements: Vec<Disagreement>,
    /// What a SUT must know to be asked.
    pub needs: Needs,
    /// Other people's bytes: id and hash only in reports.
    pub private: bool,
}

/// Where a recording comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The repository that holds it.
    pub repository: String,
    /// Its path there.
    pub path: String,
    /// The commit, and the blob where many files share a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How it is had from there, where it is not the file as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extract: Option<String>,
    /// The licence its source states.
    pub licence: String,
}

/// The client that wrote a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its version, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How it is known.
    pub known_by: String,
}

/// A private key and its certificate, files of the user's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// The private key, PEM.
    pub key: PinnedFile,
    /// Its certificate, PEM.
    pub certificate: PinnedFile,
    /// The published password of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// A file of the user's directory, known by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PinnedFile {
    /// Path below the directory of recordings.
    pub file: String,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
}

impl Entry {
    /// The case that this recording is. Keys, anchors and extra certificates
    /// are files and stay with the entry.
    #[must_use]
    pub fn case(&self) -> Case {
        Case {
            id: self.id.clone(),
            title: self.title.clone(),
            why: self.why.clone(),
            requirements: self.requirements.clone(),
            level: if self.accept.is_empty() { Level::Must } else { Level::May },
            role: self.role,
            evidence: Evidence::Recorded,
            operation: Operation::Open,
            clock: self.clock,
            fixed_clock: self.fixed_clock,
            crls: Vec::new(),
            ocsp: Vec::new(),
            require_revocation: false,
            twin: None,
            difference: None,
            keys: Vec::new(),
            anchors: Vec::new(),
            extra_certificates: Vec::new(),
            passwords: self.passwords.clone(),
            symmetric_keys: self.symmetric_keys.clone(),
            earlier: Vec::new(),
            from: None,
            policy: None,
            input: Input::Recording { sha256: self.sha256.clone() },
            expect: self.expect.clone(),
            accept: self.accept.clone(),
            source: self.source.clone(),
            flags: self.flags.clone(),
            links: Vec::new(),
            witnesses: self.witnesses.clone(),
            disagreements: self.disagreements.clone(),
            needs: self.needs.clone(),
            private: self.private,
        }
    }
}
