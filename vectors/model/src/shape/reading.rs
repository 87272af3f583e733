//! What is known of how a client reads a mail: the lines of `reads` that are
//! about something the mail has.
//!
//! Nothing here is a verdict. A client that was not run is only spoken of by
//! its sources, and where one thing in a mail has no source, nobody knows.

use std::collections::BTreeSet;

use serde::Serialize;
use waxseal_verdict::{Form, Kind};

use super::{Answer, ClientShape, Habit, KnownBy};
use crate::code::codes;
use crate::{Case, Scenario};

/// What a reader must know to read a mail: its layers from outside in, as one
/// word (`clear`, `encrypted/opaque`), and its algorithms by the names of the
/// algorithm table, `rc2-cbc-40` for RC2 with so many bits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MailFeatures(Vec<String>);

codes! {
    /// What is known of a mail, or of one thing in it.
    KnownAnswer {
        /// It is read.
        Yes = "yes",
        /// It is read, but not always or not rightly.
        Partly = "partly",
        /// It is not read, or refused.
        No = "no",
        /// The sources say different things, of different versions.
        Differs = "differs",
        /// Nothing that was found says so.
        Unknown = "unknown",
    }
}

/// What is known of how a client reads a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<'a> {
    /// What follows for the whole mail.
    pub answer: KnownAnswer,
    /// How that is known, by the weakest of the lines that it follows from; nothing where it is unknown.
    pub known: Option<KnownBy>,
    /// The same for everything in the mail, the layers first.
    pub features: Vec<FeatureReading<'a>>,
}

/// What is known of how a client reads one thing in a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeatureReading<'a> {
    /// The thing.
    pub feature: &'a str,
    /// What the lines come to.
    pub answer: KnownAnswer,
    /// The lines that are about it, those that say that something is unknown left out.
    pub lines: Vec<&'a Habit>,
}

impl MailFeatures {
    /// Of what a scenario makes.
    #[must_use]
    pub fn of_scenario(scenario: &Scenario<'_>) -> Self {
        let signature = scenario.signature.into_iter().flat_map(|value| [value.digest.clone(), value.scheme.clone()]);
        let recipient = scenario.recipient.into_iter().flat_map(|value| value.needs.iter().cloned());
        let cipher = scenario.cipher.map(|cipher| cipher.name.clone());
        Self::new(&scenario.layers(), signature.chain(recipient).chain(cipher))
    }

    /// Of the mail of a case; nothing where it has no layer.
    #[must_use]
    pub fn of_case(case: &Case) -> Option<Self> {
        let layers: Vec<_> = case.expect.layers.iter().map(|layer| (layer.kind, layer.form)).collect();
        (!layers.is_empty()).then(|| Self::new(&layers, case.needs.algorithms.iter().cloned()))
    }

    fn new(layers: &[(Kind, Option<Form>)], algorithms: impl Iterator<Item = String>) -> Self {
        let word = |(kind, form): &(Kind, Option<Form>)| form.map_or(kind.code(), Form::code);
        let layers = layers.iter().map(word).collect::<Vec<_>>().join("/");
        let algorithms: BTreeSet<String> = algorithms.collect();
        Self(std::iter::once(layers).chain(algorithms).collect())
    }

    /// The words, the layers first.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl ClientShape {
    /// What is known of how it reads a mail.
    #[must_use]
    pub fn reading<'a>(&'a self, mail: &'a MailFeatures) -> Reading<'a> {
        let features: Vec<_> = mail.words().map(|word| self.reading_of(word)).collect();
        let answer = whole(features.iter().map(|feature| feature.answer));
        // What decides is what has the answer of the whole; of a yes that is everything.
        let decides = features.iter().filter(|feature| feature.answer == answer);
        let known = decides.flat_map(|feature| &feature.lines).map(|line| line.kind).max();
        Reading { answer, known: known.filter(|_| answer != KnownAnswer::Unknown), features }
    }

    /// What is known of how it reads one thing.
    #[must_use]
    pub fn reading_of<'a>(&'a self, feature: &'a str) -> FeatureReading<'a> {
        let about = |line: &&Habit| line.kind != KnownBy::Unknown && line.of.iter().any(|word| word == feature);
        let lines: Vec<&Habit> = self.reads.iter().filter(about).collect();
        let answers: BTreeSet<Answer> = lines.iter().filter_map(|line| line.answer).collect();
        let answer = match answers.into_iter().collect::<Vec<_>>().as_slice() {
            [] => KnownAnswer::Unknown,
            [Answer::Yes] => KnownAnswer::Yes,
            [Answer::Partly] => KnownAnswer::Partly,
            [Answer::No] => KnownAnswer::No,
            _ => KnownAnswer::Differs,
        };
        FeatureReading { feature, answer, lines }
    }
}

/// One thing that is not read is enough that a mail is not, and one of which
/// nothing is known that nothing is known of it.
fn whole(answers: impl Iterator<Item = KnownAnswer>) -> KnownAnswer {
    const WORST_FIRST: [KnownAnswer; 4] =
        [KnownAnswer::No, KnownAnswer::Differs, KnownAnswer::Unknown, KnownAnswer::Partly];
    let answers: BTreeSet<KnownAnswer> = answers.collect();
    WORST_FIRST.into_iter().find(|answer| answers.contains(answer)).unwrap_or(KnownAnswer::Yes)
}
