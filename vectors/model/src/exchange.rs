//! An exchange: a correspondence as a script, with what each side may send and
//! must say at every step.
//!
//! Cases ask about one message; an exchange asks whether several mail programs,
//! each with what it learned so far, come to encrypt for each other, and with
//! what.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_verdict::Expectation;

use crate::code::codes;
use crate::{Instant, Pki, Problem, Source};

/// A correspondence, as a file `exchanges/TOPIC/NAME.toml` holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Stable id `topic/name`; the path of the file below `exchanges/` without `.toml`.
    pub id: String,
    /// The question in one line.
    pub title: String,
    /// Why the answer matters, or what goes wrong in practice.
    pub why: String,
    /// Ids of the requirements that decide, at least one.
    pub requirements: Vec<String>,
    /// Who says that this must come out.
    pub source: Source,
    /// Who takes part.
    pub participants: Vec<Participant>,
    /// What happens, in order.
    pub steps: Vec<ExchangeStep>,
}

/// Somebody who writes and reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// Name in the steps.
    pub name: String,
    /// The entity whose key signs, and whose certificate names the address.
    pub signs_with: String,
    /// The entities whose keys read; mail names the first one's certificate to encrypt for.
    pub reads_with: Vec<String>,
    /// Entities whose certificates are trusted.
    pub anchors: Vec<String>,
    /// What its mail announces, most wanted first; without SMIMECapabilities if empty, what the engine reads if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announces: Option<Vec<String>>,
    /// The ciphers that its mail is encrypted with, best first, in the place of those of the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sends: Option<Vec<String>>,
    /// The policy it judges and sends by.
    #[serde(default = "default_policy")]
    pub policy: String,
    /// The PIN of the card that its keys to read with are on; they lie in files, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
}

fn default_policy() -> String {
    "default".to_owned()
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum ExchangeStep {
    /// Somebody writes a mail, if they can.
    Write(WriteStep),
    /// Somebody reads a mail, and learns from it.
    Read(ReadStep),
    /// Somebody without S/MIME looks at a mail.
    Look(LookStep),
}

/// Somebody writes a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteStep {
    /// Who.
    pub by: String,
    /// To whom.
    pub to: Vec<String>,
    /// The name of the mail in later steps.
    pub mail: String,
    /// When; it is dated and signed then.
    pub at: Instant,
    /// Whether it is signed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sign: bool,
    /// Whether it is encrypted, for the recipients and the writer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub encrypt: bool,
    /// The entity whose key signs this mail, in the place of the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signs_with: Option<String>,
    /// The entity whose certificate this mail names to encrypt for, in the place of the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<String>,
    /// What this mail announces, in the place of what the participant does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announces: Option<Vec<String>>,
    /// What must come of it.
    pub expect: Written,
}

/// What comes of writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Written {
    /// A mail that is not encrypted.
    Plain,
    /// An encrypted mail: the content cipher, and the entities whose certificates it is encrypted for, in any order.
    Encrypted {
        /// The content cipher; `rc2-cbc-40` for RC2 with so many effective bits.
        cipher: String,
        /// Whose certificates it is encrypted for.
        certificates: BTreeSet<String>,
    },
    /// Nothing: a word for why, such as `not-known` or `nothing-usable`.
    Refused(String),
}

codes! {
    /// What was done to a smart card before its PIN is entered.
    CardState {
        /// Its PIN was blocked by wrong entries.
        Blocked = "blocked",
        /// It was taken out of the reader.
        Absent = "absent",
    }
}

/// Somebody reads a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadStep {
    /// Who.
    pub by: String,
    /// Which mail.
    pub mail: String,
    /// When.
    pub at: Instant,
    /// The PIN that the holder of the keys enters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// What was done to the card with the keys before; nothing, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardState>,
    /// What the verdict must be.
    pub expect: Expectation,
}

/// Somebody without S/MIME looks at a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookStep {
    /// Which mail.
    pub mail: String,
    /// Whether the text can be read.
    pub readable: bool,
    /// The names of the attachments that are seen.
    pub attachments: Vec<String>,
}

impl Exchange {
    /// A participant by their name.
    #[must_use]
    pub fn participant(&self, name: &str) -> Option<&Participant> {
        self.participants.iter().find(|participant| participant.name == name)
    }

    /// Adds what is wrong with it to `problems`.
    pub(crate) fn check(&self, pki: &Pki, known: impl Fn(&str) -> bool, problems: &mut Vec<Problem>) {
        let file = format!("exchanges/{}.toml", self.id);
        let mut report = |field: &str, what: String| problems.push(Problem::new(&file, field, what));
        if self.requirements.is_empty() {
            report("requirements", "is empty: every exchange names at least one".to_owned());
        }
        for name in self.requirements.iter().filter(|name| !known(name)) {
            report("requirements", format!("{name:?} is not in requirements.toml"));
        }
        if self.source.clauses.is_empty() && self.source.client.is_none() && self.source.published.is_none() {
            report("source", "is empty: name a clause, a real client or a published answer".to_owned());
        }
        for participant in &self.participants {
            let entities =
                std::iter::once(&participant.signs_with).chain(&participant.reads_with).chain(&participant.anchors);
            for name in entities.filter(|name| pki.entity(name).is_none()) {
                report("participants", format!("{}: {name:?} is not in pki/pki.toml", participant.name));
            }
            if participant.reads_with.is_empty()
                || self.participants.iter().filter(|one| one.name == participant.name).count() > 1
            {
                report("participants", format!("{}: has no key to read with, or stands there twice", participant.name));
            }
        }
        let mut written = BTreeSet::new();
        for (index, step) in self.steps.iter().enumerate() {
            let field = format!("steps.{}", index + 1);
            let (people, mail): (Vec<&String>, Option<&String>) = match step {
                ExchangeStep::Write(step) => {
                    for name in step.signs_with.iter().chain(&step.names).filter(|name| pki.entity(name).is_none()) {
                        report(&field, format!("{name:?} is not in pki/pki.toml"));
                    }
                    if !matches!(step.expect, Written::Refused(_)) && !written.insert(step.mail.as_str()) {
                        report(&field, format!("mail {:?} was written before", step.mail));
                    }
                    if matches!(step.expect, Written::Plain) == step.encrypt || step.to.is_empty() {
                        report(&field, "has no recipient, or expects what it does not ask for".to_owned());
                    }
                    (std::iter::once(&step.by).chain(&step.to).collect(), None)
                }
                ExchangeStep::Read(step) => (vec![&step.by], Some(&step.mail)),
                ExchangeStep::Look(step) => (Vec::new(), Some(&step.mail)),
            };
            for name in people.into_iter().filter(|name| self.participant(name).is_none()) {
                report(&field, format!("{name:?} takes no part"));
            }
            if let Some(mail) = mail.filter(|mail| !written.contains(mail.as_str())) {
                report(&field, format!("mail {mail:?} was not written before"));
            }
        }
    }
}
