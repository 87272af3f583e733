//! A case: one question with one right answer.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_verdict::{Evidence, Expectation, Kind, Operation};

use crate::code::codes;
use crate::{Instant, Recipe};

/// One question with one right answer, as a file `cases/AREA/TOPIC/NAME.toml` holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Stable id `area/topic/name`; the path of the file below `cases/` without `.toml`.
    pub id: String,
    /// The question in one line.
    pub title: String,
    /// Why the answer matters, or what goes wrong in practice.
    pub why: String,
    /// Ids of the requirements that decide, at least one.
    pub requirements: Vec<String>,
    /// How strongly a reader is obliged to give this answer.
    #[serde(default)]
    pub level: Level,
    /// Whom the case examines.
    pub role: Role,
    /// Where the bytes come from.
    pub evidence: Evidence,
    /// What the SUT is asked to do.
    #[serde(default = "open", skip_serializing_if = "is_open")]
    pub operation: Operation,
    /// The moment at which the message is judged; generated mail is dated and signed then.
    pub clock: Instant,
    /// Whether the answer changes with the clock: a SUT that only knows "now" cannot be asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed_clock: bool,
    /// The positive sibling of a negative case: same keys, anchors and clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<String>,
    /// The one difference from the twin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// Entities whose private keys and certificates the reader gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Entities whose certificates the reader trusts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anchors: Vec<String>,
    /// Entities whose certificates the reader gets beside the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_certificates: Vec<String>,
    /// CRLs that the reader gets beside the message, by their names in `pki/revocation.toml`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crls: Vec<String>,
    /// OCSP responses that the reader gets beside the message, by their names in `pki/revocation.toml`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ocsp: Vec<String>,
    /// Whether the reader wants to know of every certificate that it was not revoked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_revocation: bool,
    /// Passwords that the reader gets (RFC 5652 section 6.2.4).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passwords: Vec<String>,
    /// Keys that the reader shares with the writer (RFC 5652 section 6.2.3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symmetric_keys: Vec<SharedKey>,
    /// Mails that the reader got before, oldest first, and learned from (RFC 8551 section 2.7.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
    /// The address to hold against the certificate, instead of the message's From.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Name of the built-in policy to judge by; `default` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The message.
    pub input: Input,
    /// What must come out.
    pub expect: Expectation,
    /// Other answers that are right too; only at level `may`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<Expectation>,
    /// Who says that this must come out. Never the engine.
    pub source: Source,
    /// Where implementations differ, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// Bug reports and discussions that this case stands for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Independent implementations that gave the expected answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<Witness>,
    /// Independent implementations that gave another answer, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disagreements: Vec<Disagreement>,
    /// What a SUT must know to be asked.
    pub needs: Needs,
    /// Whether bytes, addresses and content are other people's and stay out of reports.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
}

/// A key that both sides have; a test key, public and worthless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedKey {
    /// Identifier in KEKIdentifier, lower-case hexadecimal; empty for EncryptedData, which names no key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The key, lower-case hexadecimal.
    pub key: String,
}

/// A mail that a reader got before the one that is judged, with the same keys and anchors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    /// When it was read; it is dated and signed then, too.
    pub clock: Instant,
    /// How it is made.
    pub recipe: Recipe,
}

impl Case {
    /// Whether something must come out bad.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.expect.is_negative()
    }

    /// A generated positive that no independent implementation accepted and no
    /// published answer covers.
    #[must_use]
    pub fn is_unwitnessed(&self) -> bool {
        !self.is_negative()
            && self.witnesses.is_empty()
            && self.source.published.is_none()
            && matches!(self.evidence, Evidence::Generated | Evidence::Mutated | Evidence::Replica)
    }

    /// Area, topic and name of the id.
    #[must_use]
    pub fn parts(&self) -> (&str, &str, &str) {
        let mut parts = self.id.splitn(3, '/');
        let mut next = || parts.next().unwrap_or_default();
        (next(), next(), next())
    }

    /// The expectations that pass: the one of the case, then the accepted variants.
    pub fn right_answers(&self) -> impl Iterator<Item = &Expectation> {
        std::iter::once(&self.expect).chain(&self.accept)
    }
}

const fn open() -> Operation {
    Operation::Open
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_open(operation: &Operation) -> bool {
    *operation == Operation::Open
}

codes! {
    /// How strongly a reader is obliged to give the answer.
    #[derive(Default)]
    Level {
        /// Another answer is a fault.
        #[default]
        Must = "must",
        /// Another answer needs a reason.
        Should = "should",
        /// Several answers are right; the case lists them.
        May = "may",
    }
}

codes! {
    /// Whom a case examines.
    Role {
        /// Who writes messages.
        Producer = "producer",
        /// Who reads CMS objects.
        CmsReader = "cms-reader",
        /// Who cuts mail into parts.
        MimeReader = "mime-reader",
        /// Who builds and judges certificate paths.
        PathValidator = "path-validator",
        /// Who issues certificates.
        Issuer = "issuer",
        /// A smart card.
        Card = "card",
    }
}

/// The message of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Input {
    /// It is made by a recipe.
    Recipe(Recipe),
    /// It is a recording of the catalogue, loaded from the user's directory.
    Recording {
        /// SHA-256 of the file, lower-case hexadecimal.
        sha256: String,
    },
    /// A real program wrote it for this project (`vectors/recorded`).
    Recorded {
        /// Its path below that folder.
        file: String,
        /// SHA-256 of the file, lower-case hexadecimal.
        sha256: String,
    },
}

/// Who says what must come out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Clauses of standards, such as `RFC 5652 5.6`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clauses: Vec<String>,
    /// A real client, with version, that gave this answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// A published answer that came with the bytes, such as another project's test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
}

/// A point on which implementations differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// A short word for it, such as `attributes-not-der`.
    pub name: String,
    /// Why implementations differ here.
    pub why: String,
}

/// An independent implementation that gave the expected answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Its name, such as `openssl`.
    pub implementation: String,
    /// Its version, such as `3.0.19`.
    pub version: String,
    /// What it was given.
    #[serde(default)]
    pub given: Given,
}

codes! {
    /// What a witness was given.
    #[derive(Default)]
    Given {
        /// The whole message.
        #[default]
        Message = "message",
        /// The CMS object and the detached content, cut out by the test: the
        /// witness cannot read the message around them.
        Extracted = "extracted",
        /// The certificates alone: the witness judges paths, and no mail.
        Certificates = "certificates",
    }
}

/// An independent implementation that gave another answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disagreement {
    /// Its name, such as `openssl`.
    pub implementation: String,
    /// Its version, such as `3.0.19`.
    pub version: String,
    /// Other versions that were seen to give the same answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// What it says instead.
    pub says: String,
    /// Why it says so, and why that is not the expected answer.
    pub why: String,
}

impl Disagreement {
    /// Whether this version was seen to give this answer. Of any other nothing is
    /// known: what it says is a finding.
    #[must_use]
    pub fn is_of(&self, version: &str) -> bool {
        self.version == version || self.also.iter().any(|other| other == version)
    }
}

/// What a SUT must know to be asked; what it lacks makes the outcome `unsupported`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// Algorithms, by the names of the algorithm table.
    #[serde(default)]
    pub algorithms: BTreeSet<String>,
    /// Kinds of layers.
    #[serde(default)]
    pub kinds: BTreeSet<Kind>,
}
