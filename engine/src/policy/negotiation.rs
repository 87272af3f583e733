//! The part of a policy that is about mail to be encrypted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use waxseal_key::algorithm::Era;

use crate::cms::write::ContentEncryption;

/// What mail is encrypted with; see [`negotiate`](super::negotiate) for the rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Negotiation {
    /// The content ciphers that are used, best first, by the names of the
    /// algorithm table; `rc2-cbc-40` names RC2 with its effective bits.
    pub ciphers: Vec<String>,
    /// Where SM4 and keys of SM2 stand among the others.
    #[serde(default)]
    pub sm2: Sm2Place,
    /// What somebody can read who never announced anything.
    pub assume: Assume,
    /// Whether a cipher that authenticates is used for them.
    pub authenticated_unannounced: bool,
    /// Strength in bits from which on a cipher is never too weak, whatever
    /// sender and recipient announced.
    pub downgrade_below_bits: u32,
}

impl Negotiation {
    /// The ciphers that are used, best first.
    pub fn sent(&self) -> impl Iterator<Item = ContentEncryption> + '_ {
        self.ciphers.iter().filter_map(|name| name.parse().ok())
    }

    /// Whether a cipher is used.
    #[must_use]
    pub fn sends(&self, cipher: ContentEncryption) -> bool {
        self.sent().any(|sent| sent == cipher)
    }

    /// A cipher that nobody here can write.
    pub(super) fn unknown_cipher(&self) -> Option<&String> {
        self.ciphers.iter().find(|name| name.parse::<ContentEncryption>().is_err())
    }
}

/// Where SM4, and certificates with keys of SM2, stand where there are others that
/// would do: correspondents of two worlds have both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sm2Place {
    /// Before the others, whatever order was announced.
    First,
    /// Where those who announced them put them.
    #[default]
    AsAnnounced,
    /// After the others: for who can read nothing else.
    Last,
}

impl Sm2Place {
    /// What sorts one of that world, or of the other one, into its place.
    pub(super) fn rank(self, of_sm: bool) -> bool {
        match self {
            Self::First => !of_sm,
            Self::AsAnnounced => false,
            Self::Last => of_sm,
        }
    }
}

/// What is assumed of somebody who never announced anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Assume {
    /// That their mail program is of this era.
    Era(Era),
    /// Nothing: they get no encrypted mail.
    Nothing,
}

impl FromStr for Assume {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "nothing" {
            return Ok(Self::Nothing);
        }
        Era::from_name(text).map(Self::Era).ok_or_else(|| {
            let known = Era::ALL.map(Era::name).join(", ");
            format!("`{text}` is nothing that can be assumed: one of {known} or nothing is expected")
        })
    }
}

impl fmt::Display for Assume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Era(era) => era.name(),
            Self::Nothing => "nothing",
        })
    }
}

impl TryFrom<String> for Assume {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Assume> for String {
    fn from(assume: Assume) -> Self {
        assume.to_string()
    }
}
