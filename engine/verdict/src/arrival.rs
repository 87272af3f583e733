//! How a mail arrived that was sent through something.

use serde::{Deserialize, Serialize};

use crate::code::codes;

codes! {
    /// How the octets of a mail that arrived compare with those that were sent.
    Arrival: "arrival" {
        /// The same octets, and nothing else.
        Identical = "identical",
        /// Lines end otherwise: LF for CRLF, or CRLF for LF.
        LineEnds = "line-ends",
        /// Header fields stand above the mail that were not there.
        FieldsAdded = "fields-added",
        /// Header fields above the mail are not there any more.
        FieldsRemoved = "fields-removed",
        /// Header fields above the mail are folded otherwise.
        FieldsFolded = "fields-folded",
        /// Header fields above the mail have another value.
        FieldsChanged = "fields-changed",
        /// The body has other octets, and the same texts and files in it.
        BodyRewritten = "body-rewritten",
        /// Texts or files are other ones, or are not there.
        ContentChanged = "content-changed",
    }
}

/// One mail on one way, whoever reads it then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArrivalRecord {
    /// The id under which readers get it: `transport/WAY/LETTER`.
    pub case: String,
    /// The programs on the way, with their versions; nothing where it was changed and not carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// How it arrived; empty if it did not.
    pub arrived: Vec<Arrival>,
    /// Why a server did not take it, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Why it was not sent: what is not on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_available: Option<String>,
    /// What is not as it was expected, and so is a finding about what is on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Time on the way, milliseconds.
    pub ms: u64,
}
