//! The requirements that cases are about: `requirements.toml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::code::codes;

/// One rule of a standard, in our own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Stable id, such as `CMS-16`.
    pub id: String,
    /// How strongly the standard obliges.
    pub level: Obligation,
    /// Whom it obliges.
    pub role: Party,
    /// The rule, in our own words.
    pub text: String,
    /// Where it stands: `RFC 5652 5.6`; several where several say it.
    pub reference: Vec<String>,
    /// Known from a draft or from implementers, not yet from the RFC's text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secondary: bool,
}

codes! {
    /// How strongly a standard obliges (RFC 2119).
    Obligation {
        /// MUST.
        Must = "must",
        /// MUST NOT.
        MustNot = "must-not",
        /// SHOULD or SHOULD NOT.
        Should = "should",
        /// RECOMMENDED.
        Recommended = "recommended",
        /// MAY.
        May = "may",
        /// A rule without a keyword.
        Descriptive = "descriptive",
    }
}

codes! {
    /// Whom a requirement obliges.
    Party {
        /// The sending agent.
        Send = "send",
        /// The receiving agent.
        Receive = "recv",
        /// Both.
        Both = "both",
        /// A mail list agent.
        MailList = "mla",
        /// A time-stamping authority.
        TimeStamping = "tsa",
    }
}

/// The written form of `requirements.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequirementFile {
    pub(crate) requirement: Vec<Requirement>,
}
