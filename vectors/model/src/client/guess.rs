//! Whose mail it is, as far as its structure tells.
//!
//! Every layer is asked by itself: the layers of one mail can be by different
//! programs. A client gets the weight of every trait that a layer has, and
//! loses that of every trait that it should have and has not, unless relays
//! change that. It is named if it has [`ENOUGH`] points, two thirds of what it
//! could have, and [`LEAD`] more than anybody else; otherwise nobody is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_verdict::{FactName, Fingerprint, LayerFingerprint};

use super::{ClientHabits, Clients, LayerClass, Trait};

/// Points without which nobody is named: two things that few clients do, and
/// something that many do.
const ENOUGH: u32 = 8;
/// Points by which the first must lead the second.
const LEAD: u32 = 4;
/// Candidates that are shown.
const SHOWN: usize = 3;

/// What `waxseal fingerprint --json` prints: the structure of a message, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Fingerprint")]
#[non_exhaustive]
pub struct Description {
    /// The structure.
    #[serde(flatten)]
    pub fingerprint: Fingerprint,
    /// Who wrote it.
    pub guess: Guess,
}

/// Who wrote a message, or that nobody can say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Guess {
    /// The client's stable name; absent where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The versions that write like this, as far as they are told apart; empty where nothing tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// Why it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// What each layer says.
    pub layers: Vec<LayerGuess>,
}

/// Who wrote a layer, or that nobody can say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LayerGuess {
    /// Which layer.
    pub path: String,
    /// The client; absent where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Why it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// Who comes into question, best first; three at most.
    pub candidates: Vec<Candidate>,
}

/// A client held against a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Candidate {
    /// Its stable name.
    pub client: String,
    /// Its name for people.
    pub title: String,
    /// The points it has.
    pub points: u32,
    /// The points it could have.
    pub of: u32,
    /// The versions that the layer does not contradict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// The traits that the layer has.
    pub met: Vec<Seen>,
    /// Those that it should have and has not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<Seen>,
}

/// A trait as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Seen {
    /// The fact.
    pub fact: FactName,
    /// What it is in the layer; absent where it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What it tells.
    pub weight: u32,
}

impl Clients {
    /// The structure of a message and who wrote it.
    #[must_use]
    pub fn describe(&self, fingerprint: Fingerprint) -> Description {
        let guess = self.guess(&fingerprint);
        Description { fingerprint, guess }
    }

    /// Who wrote a message. What its header says of the program counts nothing.
    #[must_use]
    pub fn guess(&self, fingerprint: &Fingerprint) -> Guess {
        let layers: Vec<_> = fingerprint.layers.iter().map(|layer| self.guess_layer(layer)).collect();
        let mut named: Vec<&Candidate> = Vec::new();
        for layer in layers.iter().filter(|layer| layer.client.is_some()) {
            named.extend(layer.candidates.first());
        }
        let mut guess = Guess { client: None, title: None, versions: Vec::new(), unknown: None, layers: Vec::new() };
        match named.split_first() {
            None if layers.is_empty() => guess.unknown = Some("the message has no layer of S/MIME".to_owned()),
            None => guess.unknown = layers.iter().find_map(|layer| layer.unknown.clone()),
            Some((first, others)) if others.iter().all(|other| other.client == first.client) => {
                guess.client = Some(first.client.clone());
                guess.title = Some(first.title.clone());
                // A version must fit all layers.
                let fits = |version: &&String| others.iter().all(|other| other.allows(version));
                guess.versions = first.versions.iter().filter(fits).cloned().collect();
                for other in others.iter().filter(|_| first.versions.is_empty()) {
                    guess.versions.clone_from(&other.versions);
                }
            }
            Some((first, others)) => {
                let other = others.iter().find(|other| other.client != first.client).map_or("", |other| &other.title);
                guess.unknown = Some(format!("its layers are by different programs: {} and {other}", first.title));
            }
        }
        guess.layers = layers;
        guess
    }

    fn guess_layer(&self, layer: &LayerFingerprint) -> LayerGuess {
        let mut candidates: Vec<_> =
            self.list.iter().filter_map(|habits| habits.held_against(layer)).filter(|one| one.points > 0).collect();
        candidates.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.client.cmp(&b.client)));
        let mut guess = LayerGuess { path: layer.path.clone(), client: None, unknown: None, candidates: Vec::new() };
        match candidates.as_slice() {
            [] => guess.unknown = Some("it has no trait of a known client".to_owned()),
            [first, ..] if first.points < ENOUGH || first.points * 3 < first.of * 2 => {
                guess.unknown = Some(format!(
                    "too little tells: {} has {} of {} points, and {ENOUGH} and two thirds are needed",
                    first.title, first.points, first.of
                ));
            }
            [first, second, ..] if first.points < second.points + LEAD => {
                guess.unknown = Some(format!(
                    "{} has {} points and {} {}, and a lead of {LEAD} is needed",
                    first.title, first.points, second.title, second.points
                ));
            }
            [first, ..] => guess.client = Some(first.client.clone()),
        }
        candidates.truncate(SHOWN);
        guess.candidates = candidates;
        guess
    }
}

impl Candidate {
    /// Whether nothing in its layer speaks against a version.
    fn allows(&self, version: &String) -> bool {
        self.versions.is_empty() || self.versions.contains(version)
    }
}

impl ClientHabits {
    /// The points of this client; `None` if the layer is not by it.
    fn held_against(&self, layer: &LayerFingerprint) -> Option<Candidate> {
        let mut candidate = Candidate {
            client: self.client.clone(),
            title: self.title.clone(),
            points: 0,
            of: 0,
            versions: Vec::new(),
            met: Vec::new(),
            missed: Vec::new(),
        };
        let mut lost = 0;
        for one in &self.traits {
            let Some(met) = one.asked(layer) else { continue };
            let seen = Seen { fact: one.fact, found: layer.text(one.fact), weight: one.weight };
            if met {
                candidate.points += one.weight;
                candidate.of += one.weight;
                candidate.met.push(seen);
            } else if one.required {
                return None;
            } else if !one.relays {
                lost += one.weight;
                candidate.of += one.weight;
                candidate.missed.push(seen);
            }
        }
        candidate.points = candidate.points.saturating_sub(lost);
        // A version is told by what it alone does: it stays if it does nothing
        // otherwise, and if something of it is seen.
        for version in &self.versions {
            let asked: Vec<_> = version.traits.iter().filter_map(|one| Some((one, one.asked(layer)?))).collect();
            if !asked.is_empty() && asked.iter().all(|(_, met)| *met) {
                candidate.versions.push(version.range.clone());
            }
        }
        candidate.met.sort_by_key(|seen| std::cmp::Reverse(seen.weight));
        Some(candidate)
    }
}

impl Trait {
    /// Whether a layer has this trait; `None` if the layer cannot tell.
    fn asked(&self, layer: &LayerFingerprint) -> Option<bool> {
        let class = LayerClass::of(layer)?;
        if !self.layers.is_empty() && !self.layers.contains(&class) {
            return None;
        }
        let found = layer.text(self.fact);
        // That something is absent tells only where it could be.
        let could_be =
            layer.facts.contains_key(if self.fact.is_mime() { &FactName::MediaType } else { &FactName::Version });
        let may_be_absent = self.values.iter().any(|value| value.is.is_absent());
        if found.is_none() && !(may_be_absent && could_be) {
            return None;
        }
        Some(self.values.iter().any(|value| value.is.fits(found.as_deref())))
    }
}
