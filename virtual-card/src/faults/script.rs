//! Scripts of faults, as TOML.

use serde::Deserialize;

use crate::{Command, piv::instruction as ins};

/// What happens to a card, and when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// A title in a few words.
    pub title: String,
    /// Where this happens in practice, in a sentence.
    pub why: String,
    /// The faults; each is looked for by itself.
    pub faults: Vec<Fault>,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// At which commands.
    pub at: Trigger,
    /// At how manieth of them it happens first, counted from 1.
    #[serde(default = "one")]
    pub nth: u32,
    /// At how many of them in a row it happens.
    #[serde(default = "one")]
    pub times: u32,
    /// What happens.
    #[serde(rename = "do")]
    pub what: What,
}

const fn one() -> u32 {
    1
}

/// Which commands a fault is for: those that fit everything that is given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The name of the command, as SP 800-73-4 has it, in lower case with
    /// hyphens: `general-authenticate`; any, if absent.
    #[serde(default)]
    pub command: Option<String>,
    /// P2, such as the key reference of a slot.
    #[serde(default)]
    pub p2: Option<u8>,
    /// Whether it is one in a chain that goes on after it.
    #[serde(default)]
    pub chained: Option<bool>,
    /// Whether it has a data field: VERIFY without one asks for the counter.
    #[serde(default)]
    pub data: Option<bool>,
}

/// What happens to a card.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum What {
    /// It is taken out before it answers. It is put in again before the reader
    /// is asked for the so manieth time, counted from 1; never, if 0.
    Remove {
        /// When it is back.
        back: u32,
    },
    /// It is reset before it answers, and the reader notices.
    Reset,
    /// It loses its power before it reads the command, and nobody notices: it
    /// answers as a card does that was just put in.
    LosePower,
    /// It answers with this status word, and does nothing.
    Status(u16),
    /// It does what it is asked for, and answers after so many milliseconds.
    Late(u64),
    /// It does not answer at all.
    Mute,
    /// Of its answer only so many octets arrive.
    Truncate(usize),
    /// One bit of its answer is another one: the lowest of the last octet
    /// before the status word.
    FlipBit,
    /// Another program has tried wrong PINs until it was blocked.
    BlockPin,
    /// Another program has reset the card, and selected something else, since
    /// the last command.
    OtherProgram,
}

/// Why a script cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault script: {0}")]
pub struct ScriptError(String);

/// Names of commands, with their instruction codes.
const COMMANDS: &[(&str, u8)] = &[
    ("select", ins::SELECT),
    ("get-data", ins::GET_DATA),
    ("put-data", ins::PUT_DATA),
    ("verify", ins::VERIFY),
    ("change-reference-data", ins::CHANGE_REFERENCE_DATA),
    ("reset-retry-counter", ins::RESET_RETRY_COUNTER),
    ("general-authenticate", ins::GENERAL_AUTHENTICATE),
    ("generate-asymmetric-key-pair", ins::GENERATE_KEY_PAIR),
    ("get-response", ins::GET_RESPONSE),
];

/// The scripts that come with the program, by name.
const FILES: &[(&str, &str)] = &[
    ("bit-flipped", include_str!("../../faults/bit-flipped.toml")),
    ("card-full", include_str!("../../faults/card-full.toml")),
    ("card-removed", include_str!("../../faults/card-removed.toml")),
    ("card-removed-for-good", include_str!("../../faults/card-removed-for-good.toml")),
    ("card-reset", include_str!("../../faults/card-reset.toml")),
    ("late-answer", include_str!("../../faults/late-answer.toml")),
    ("mute", include_str!("../../faults/mute.toml")),
    ("other-program", include_str!("../../faults/other-program.toml")),
    ("pin-blocked-elsewhere", include_str!("../../faults/pin-blocked-elsewhere.toml")),
    ("power-lost-in-chain", include_str!("../../faults/power-lost-in-chain.toml")),
    ("truncated-answer", include_str!("../../faults/truncated-answer.toml")),
    ("wrong-status-word", include_str!("../../faults/wrong-status-word.toml")),
];

impl Script {
    /// The names of the scripts that come with the program, in alphabetical order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FILES.iter().map(|(name, _)| *name)
    }

    /// The script with this name.
    ///
    /// # Errors
    /// There is none; the error names those that there are.
    pub fn named(name: &str) -> Result<Self, ScriptError> {
        match FILES.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::read(text),
            None => {
                let known = Self::names().collect::<Vec<_>>().join(", ");
                Err(ScriptError(format!("there is no script {name:?}; there are {known}")))
            }
        }
    }

    /// Reads a script from TOML.
    ///
    /// # Errors
    /// It is no TOML, no script, or names a command that there is not.
    pub fn read(text: &str) -> Result<Self, ScriptError> {
        let script: Self = toml::from_str(text).map_err(|error| ScriptError(error.to_string()))?;
        for command in script.faults.iter().filter_map(|fault| fault.at.command.as_deref()) {
            if !COMMANDS.iter().any(|(name, _)| *name == command) {
                let known = COMMANDS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
                return Err(ScriptError(format!("there is no command {command:?}; there are {known}")));
            }
        }
        Ok(script)
    }
}

impl Trigger {
    /// Whether a command is one of those.
    #[must_use]
    pub fn fits(&self, command: &Command) -> bool {
        let named = |name: &String| COMMANDS.contains(&(name.as_str(), command.instruction));
        self.command.as_ref().is_none_or(named)
            && self.p2.is_none_or(|p2| p2 == command.p2)
            && self.chained.is_none_or(|chained| chained == command.is_chained())
            && self.data.is_none_or(|data| data != command.data.is_empty())
    }
}
