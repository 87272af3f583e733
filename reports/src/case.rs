//! What a report says of a case beside its outcomes.

use waxseal_verdict::{Evidence, Expectation};

/// The text of one case, as a report prints it.
///
/// The run record names a case by id alone; the caller hands over what is to be
/// printed of it. A case of the run without a text is reported by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseText {
    /// The stable id, `area/topic/name`.
    pub id: String,
    /// One line.
    pub title: String,
    /// Why the case exists: the bug, the attack, the habit it stands for.
    pub why: String,
    /// The requirements it tests.
    pub requirements: Vec<RequirementText>,
    /// `must`, `should` or `may`.
    pub level: String,
    /// Who is tested: producer, CMS reader, MIME reader, path validator, …
    pub role: String,
    /// Where the bytes come from.
    pub evidence: Evidence,
    /// Who says what must come out: a clause, or a real client; never the engine.
    pub source: String,
    /// The time at which the case is judged, RFC 3339.
    pub clock: Option<String>,
    /// The valid sibling of a negative case.
    pub twin: Option<String>,
    /// What must come out.
    pub expected: Expectation,
    /// Whether a published answer covers the case, so that it needs no witness.
    pub published_answer: bool,
    /// SHA-256 of the message, lower-case hexadecimal.
    pub sha256: Option<String>,
    /// What a recorded mail says of people; printed only on request.
    pub private: Option<PrivateText>,
}

/// A requirement in Waxseal's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementText {
    /// Its id in the catalogue, such as `RCV-07`.
    pub id: String,
    /// The requirement in own words.
    pub words: String,
    /// Document and section, such as `RFC 8551 section 2.5`.
    pub section: String,
}

/// Header fields of a recorded mail. They belong to somebody: a report holds
/// them only where the user asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrivateText {
    /// The From field.
    pub from: String,
    /// The To field.
    pub to: String,
    /// The Subject field.
    pub subject: String,
}

impl CaseText {
    /// A text that only has an id and a title; the rest is to be filled in.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>, evidence: Evidence) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            why: String::new(),
            requirements: Vec::new(),
            level: String::new(),
            role: String::new(),
            evidence,
            source: String::new(),
            clock: None,
            twin: None,
            expected: Expectation::default(),
            published_answer: false,
            sha256: None,
            private: None,
        }
    }

    /// Whether this case needs an independent implementation that accepts it:
    /// Waxseal made a positive, and nobody published the answer.
    #[must_use]
    pub fn needs_witness(&self) -> bool {
        matches!(self.evidence, Evidence::Generated | Evidence::Replica)
            && !self.expected.is_negative()
            && !self.published_answer
    }
}
