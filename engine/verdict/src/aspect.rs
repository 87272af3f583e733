//! The eight things judged on a layer, and the value each can take.

use serde::{Deserialize, Serialize};

use crate::Reason;
use crate::code::codes;

codes! {
    /// One of the eight things judged on a layer.
    AspectName: "aspect" {
        /// Is it a well-formed message of its kind?
        Structure = "structure",
        /// Could it be decrypted?
        Decryption = "decryption",
        /// Is the content the one that was signed or authenticated?
        Integrity = "integrity",
        /// Which of the displayed bytes are protected?
        Coverage = "coverage",
        /// Does a path lead from the signer's certificate to an anchor?
        Chain = "chain",
        /// Is the sender the one the certificate names?
        Identity = "identity",
        /// Do algorithms and encodings satisfy the policy?
        Policy = "policy",
        /// Are signing time, Date and time-stamps consistent?
        Time = "time",
    }
}

/// The value of one aspect.
///
/// Written as `"good"`, `"absent"`, `"unchecked"`, `{"unchecked":"reason"}` or
/// `{"bad":"reason","detail":"…","also":["reason"]}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Aspect {
    /// Checked, nothing wrong.
    Good,
    /// Does not apply to this layer.
    #[default]
    Absent,
    /// Applies, but was not checked; why, where that is known.
    Unchecked(Option<Reason>),
    /// Checked and wrong.
    Bad(Bad),
}

/// What is wrong with an aspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// The first and deciding reason.
    pub reason: Reason,
    /// What and where, for a person: offset, header line, path in the structure.
    pub detail: String,
    /// Further reasons, in the order they were found.
    pub also: Vec<Reason>,
}

impl Aspect {
    /// A bad aspect with one reason and its detail.
    #[must_use]
    pub fn bad(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Bad(Bad { reason, detail: detail.into(), also: Vec::new() })
    }

    /// Not checked, for a reason.
    #[must_use]
    pub const fn unchecked(reason: Reason) -> Self {
        Self::Unchecked(Some(reason))
    }

    /// Whether this aspect is bad.
    #[must_use]
    pub const fn is_bad(&self) -> bool {
        matches!(self, Self::Bad(_))
    }

    /// Whether this aspect is good.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Good)
    }

    /// The deciding reason of a bad or unchecked aspect.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Bad(bad) => Some(bad.reason),
            Self::Unchecked(reason) => *reason,
            Self::Good | Self::Absent => None,
        }
    }

    /// The worse of two values: bad, then unchecked, then good, then absent.
    ///
    /// Two bad values keep the first reason and list the other's under `also`.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        match (self, other) {
            (Self::Bad(mut a), Self::Bad(b)) => {
                for reason in std::iter::once(b.reason).chain(b.also) {
                    if reason != a.reason && !a.also.contains(&reason) {
                        a.also.push(reason);
                    }
                }
                Self::Bad(a)
            }
            (bad @ Self::Bad(_), _) | (_, bad @ Self::Bad(_)) => bad,
            (Self::Unchecked(a), Self::Unchecked(b)) => Self::Unchecked(a.or(b)),
            (unchecked @ Self::Unchecked(_), _) | (_, unchecked @ Self::Unchecked(_)) => unchecked,
            (Self::Good, _) | (_, Self::Good) => Self::Good,
            (Self::Absent, Self::Absent) => Self::Absent,
        }
    }
}

impl std::fmt::Display for Aspect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Good => f.write_str("good"),
            Self::Absent => f.write_str("absent"),
            Self::Unchecked(None) => f.write_str("unchecked"),
            Self::Unchecked(Some(reason)) => write!(f, "unchecked: {reason}"),
            Self::Bad(bad) => write!(f, "bad: {}", bad.reason),
        }
    }
}

/// The written form of [`Aspect`].
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Aspect"))]
#[serde(
    untagged,
    expecting = "an aspect is good, absent, unchecked, {\"unchecked\":reason} or {\"bad\":reason}, with a reason that \
                 is listed in vectors/schema/verdict.json"
)]
enum Written {
    Word(Word),
    Unchecked(UncheckedWritten),
    Bad(BadWritten),
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum Word {
    Good,
    Absent,
    Unchecked,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct UncheckedWritten {
    unchecked: Reason,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct BadWritten {
    bad: Reason,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    also: Vec<Reason>,
}

impl Serialize for Aspect {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match self {
            Self::Good => Written::Word(Word::Good),
            Self::Absent => Written::Word(Word::Absent),
            Self::Unchecked(None) => Written::Word(Word::Unchecked),
            Self::Unchecked(Some(reason)) => Written::Unchecked(UncheckedWritten { unchecked: *reason }),
            Self::Bad(bad) => {
                Written::Bad(BadWritten { bad: bad.reason, detail: bad.detail.clone(), also: bad.also.clone() })
            }
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Aspect {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Word(Word::Good) => Self::Good,
            Written::Word(Word::Absent) => Self::Absent,
            Written::Word(Word::Unchecked) => Self::Unchecked(None),
            Written::Unchecked(written) => Self::Unchecked(Some(written.unchecked)),
            Written::Bad(written) => Self::Bad(Bad { reason: written.bad, detail: written.detail, also: written.also }),
        })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Aspect {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Aspect".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_forms_are_those_of_the_contract() {
        for (aspect, json) in [
            (Aspect::Good, r#""good""#),
            (Aspect::Absent, r#""absent""#),
            (Aspect::Unchecked(None), r#""unchecked""#),
            (Aspect::unchecked(Reason::NoAnchor), r#"{"unchecked":"no-anchor"}"#),
            (Aspect::bad(Reason::Expired, "at 3"), r#"{"bad":"expired","detail":"at 3"}"#),
        ] {
            assert_eq!(serde_json::to_string(&aspect).unwrap(), json);
            assert_eq!(serde_json::from_str::<Aspect>(json).unwrap(), aspect);
        }
    }

    #[test]
    fn worst_keeps_every_reason_once() {
        let both = Aspect::bad(Reason::Expired, "")
            .worst(Aspect::bad(Reason::KeyUsage, ""))
            .worst(Aspect::bad(Reason::Expired, ""))
            .worst(Aspect::Good);
        let Aspect::Bad(bad) = both else { panic!("two bad values must stay bad") };
        assert_eq!((bad.reason, bad.also), (Reason::Expired, vec![Reason::KeyUsage]));
    }

    #[test]
    fn every_reason_belongs_to_an_aspect() {
        assert!(Reason::ALL.iter().all(|reason| !reason.aspects().is_empty()));
    }
}
