//! The table of clients: how the mail of each is told from that of the others,
//! `clients/*.toml`, each line with its source.

mod guess;
mod pattern;

use std::path::Path;

use include_dir::{Dir, include_dir};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_verdict::{FactName, Form, Kind, LayerFingerprint};

pub use guess::{Candidate, Description, Guess, LayerGuess, Seen};
pub use pattern::Pattern;

use crate::code::codes;
use crate::files::Files;
use crate::{Corpus, CorpusError, Problem};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../clients");

/// Every client that is known, free of faults.
#[derive(Debug, Clone)]
pub struct Clients {
    list: Vec<ClientHabits>,
}

/// What marks the mail of one client: `clients/CLIENT.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientHabits {
    /// Version of this format: 1.
    pub format: u32,
    /// Its stable name, that of the file.
    pub client: String,
    /// Its name for people.
    pub title: String,
    /// What marks its mail, whatever its version.
    #[serde(rename = "trait")]
    pub traits: Vec<Trait>,
    /// What tells its versions apart.
    #[serde(default, rename = "version", skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<VersionHabits>,
}

/// What marks some versions of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionHabits {
    /// Which, in the client's own numbers: `24 to 115`.
    pub range: String,
    /// What marks them.
    #[serde(rename = "trait")]
    pub traits: Vec<Trait>,
}

/// One fact and what it is in a client's mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trait {
    /// The fact.
    pub fact: FactName,
    /// The layers it is asked of; of all if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerClass>,
    /// How much it tells: 1 many clients do it, 3 few, 5 this one alone.
    pub weight: u32,
    /// Whether a layer in which it is otherwise is not by this client.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Whether what carries mail changes it: then that it is otherwise says nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relays: bool,
    /// What it is: one of these.
    pub values: Vec<Value>,
}

/// One thing that a fact can be, and who says that it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The text of the fact, the elements of a list parted by spaces; `*` stands for anything, and
    /// `(absent)` for a fact that is not there.
    pub is: Pattern,
    /// Ids of recordings that show it, or the place that says it; `survey` is the survey of public mail
    /// that docs/fingerprint.md describes.
    pub source: Vec<String>,
}

codes! {
    /// The layers of which facts are asked.
    LayerClass {
        /// Signed, with the content beside.
        Clear = "clear",
        /// Signed, with the content inside.
        Opaque = "opaque",
        /// Encrypted.
        Encrypted = "encrypted",
    }
}

impl LayerClass {
    /// The class of a layer.
    #[must_use]
    pub const fn of(layer: &LayerFingerprint) -> Option<Self> {
        match (layer.kind, layer.form) {
            (Kind::Signed, Some(Form::Clear)) => Some(Self::Clear),
            (Kind::Signed, Some(Form::Opaque)) => Some(Self::Opaque),
            (Kind::Encrypted | Kind::AuthEnveloped, _) => Some(Self::Encrypted),
            _ => None,
        }
    }
}

/// What begins the id of a recording.
const RECORDED: &str = "recorded/";

impl Clients {
    /// The table that was compiled into this binary.
    ///
    /// # Errors
    /// It has faults; the tests of this crate make sure that a released one has none.
    pub fn embedded() -> Result<Self, CorpusError> {
        Self::from_files(Files::of_folder("clients", &EMBEDDED))
    }

    /// The table in the folder `clients` of a directory laid out as `vectors/`.
    ///
    /// # Errors
    /// A file cannot be read or has faults: every one, with file and field.
    pub fn load(dir: &Path) -> Result<Self, CorpusError> {
        Self::from_files(Files::read_folder(dir, "clients"))
    }

    /// Every client, in the order of names.
    #[must_use]
    pub fn list(&self) -> &[ClientHabits] {
        &self.list
    }

    /// The faults that only show beside the corpus: a recording that is named
    /// as a source and is not in the catalogue.
    #[must_use]
    pub fn check_sources(&self, corpus: &Corpus) -> Vec<Problem> {
        let mut problems = Vec::new();
        for habits in &self.list {
            for (field, value) in habits.values() {
                let unknown = value.source.iter().filter(|id| id.starts_with(RECORDED) && corpus.case(id).is_none());
                problems.extend(
                    unknown.map(|id| {
                        Problem::new(&habits.file(), field.clone(), format!("{id:?} is not in the catalogue"))
                    }),
                );
            }
        }
        problems
    }

    /// The table without what only this recording shows: to see that a mail is
    /// not named because it stands in the table itself.
    #[must_use]
    pub fn without(&self, recording: &str) -> Self {
        let keep = |traits: &mut Vec<Trait>| {
            for one in traits.iter_mut() {
                one.values.retain(|value| value.source.iter().any(|source| source != recording));
            }
            traits.retain(|one| !one.values.is_empty());
        };
        let mut list = self.list.clone();
        for habits in &mut list {
            keep(&mut habits.traits);
            for version in &mut habits.versions {
                keep(&mut version.traits);
            }
            habits.versions.retain(|version| !version.traits.is_empty());
        }
        list.retain(|habits| !habits.traits.is_empty());
        Self { list }
    }

    fn from_files(files: Result<Files, Vec<Problem>>) -> Result<Self, CorpusError> {
        let mut problems = Vec::new();
        let mut list = Vec::new();
        match files {
            Err(found) => problems = found,
            Ok(files) => {
                for (path, text) in files.below("clients", ".toml") {
                    match toml::from_str::<ClientHabits>(text) {
                        Err(error) => problems.push(Problem::new(path, "", error.to_string().trim_end())),
                        Ok(habits) => {
                            habits.check(path, &mut problems);
                            list.push(habits);
                        }
                    }
                }
            }
        }
        if problems.is_empty() { Ok(Self { list }) } else { Err(CorpusError { problems }) }
    }
}

impl ClientHabits {
    fn file(&self) -> String {
        format!("clients/{}.toml", self.client)
    }

    /// Every trait with the field where it stands.
    fn traits(&self) -> impl Iterator<Item = (String, &Trait)> {
        let own = self.traits.iter().enumerate().map(|(index, one)| (format!("trait.{}", index + 1), one));
        let versions = self.versions.iter().flat_map(|version| {
            let traits = version.traits.iter().enumerate();
            traits.map(|(index, one)| (format!("version {:?}.trait.{}", version.range, index + 1), one))
        });
        own.chain(versions)
    }

    fn values(&self) -> impl Iterator<Item = (String, &Value)> {
        self.traits().flat_map(|(field, one)| {
            let values = one.values.iter().enumerate();
            values.map(move |(index, value)| (format!("{field}.values.{}", index + 1), value)).collect::<Vec<_>>()
        })
    }

    fn check(&self, path: &str, problems: &mut Vec<Problem>) {
        let mut report = |field: &str, what: String| problems.push(Problem::new(path, field, what));
        if self.format != 1 {
            report("format", format!("is {}, and 1 is the only one there is", self.format));
        }
        if self.file() != path {
            report("client", format!("is {:?}, the path says otherwise", self.client));
        }
        if self.title.trim().is_empty() {
            report("title", "is empty".to_owned());
        }
        for (field, one) in self.traits() {
            if !(1..=5).contains(&one.weight) {
                report(&format!("{field}.weight"), format!("is {}, and goes from 1 to 5", one.weight));
            }
            if one.required && one.relays {
                report(&format!("{field}.required"), "a relay may change it: it cannot rule anybody out".to_owned());
            }
            if one.values.is_empty() {
                report(&format!("{field}.values"), "is empty".to_owned());
            }
        }
        for (field, value) in self.values() {
            if value.source.is_empty() || value.source.iter().any(|source| source.trim().is_empty()) {
                report(&format!("{field}.source"), "is empty: who says so?".to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests;
