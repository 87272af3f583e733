//! Clients that take no part in a run: what their shapes say of the mails that
//! others wrote for it.
//!
//! This is knowledge and no outcome, so it stands in no line of a run record:
//! it comes from the corpus, like the text of a case. Where a client of this
//! name did take part, what it said counts, and it has no column here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use waxseal_model::{
    ClientShape, Corpus, FeatureReading, Habit, KnownAnswer, KnownBy, MailFeatures, Matrix, Peers, Reading, Shapes,
};
use waxseal_verdict::OutcomeRecord;

use crate::round_trip::{RoundTrips, Row, Source, mail_of};

/// The shapes of clients, and what is in the mails that a run can have.
#[derive(Debug, Clone, Default)]
pub struct Known {
    clients: Vec<ClientShape>,
    /// By scenario, or by the id of a recorded mail.
    mails: BTreeMap<String, MailFeatures>,
    peers: Peers,
    matrix: Option<Matrix>,
}

impl Known {
    /// What the corpus and the shapes know.
    #[must_use]
    pub fn of(corpus: &Corpus, shapes: &Shapes) -> Self {
        let scenarios = corpus.matrix().scenarios();
        let written = scenarios.iter().map(|scenario| (scenario.name(), MailFeatures::of_scenario(scenario)));
        let recorded = corpus.entries().filter_map(|entry| corpus.case(&entry.id));
        let recorded = recorded.filter_map(|case| Some((case.id.clone(), MailFeatures::of_case(case)?)));
        Self {
            clients: shapes.list().to_vec(),
            mails: written.chain(recorded).collect(),
            peers: corpus.peers().clone(),
            matrix: Some(corpus.matrix().clone()),
        }
    }

    /// Why a reader may fail a mail of the matrix: what is known of it, and of the writer.
    pub(crate) fn reasons<'a>(&'a self, outcome: &'a OutcomeRecord) -> impl Iterator<Item = &'a str> {
        self.matrix.iter().flat_map(|matrix| self.peers.reasons(matrix, outcome))
    }

    /// One column for each client that the shapes know something about in these
    /// mails; first the one of which most is known.
    pub(crate) fn columns<'a>(&'a self, trips: &RoundTrips<'_>) -> Vec<Column<'a>> {
        let rows = trips.rows.iter().filter(|row| row.source != Source::SentOn);
        let mails: BTreeSet<&str> = rows.flat_map(|row| &row.mails).map(|id| mail_of(id)).collect();
        let took_part = |client: &&ClientShape| trips.readers.contains(&client.client.as_str());
        let column = |shape: &'a ClientShape| {
            let known = self.mails.iter().filter(|(name, _)| mails.contains(name.as_str()));
            Column { shape, mails: known.map(|(name, mail)| (name.as_str(), shape.reading(mail))).collect() }
        };
        let columns = self.clients.iter().filter(|client| !took_part(client)).map(column);
        let mut columns: Vec<_> = columns.filter(Column::says_something).collect();
        columns.sort_by_key(|column| std::cmp::Reverse(column.known()));
        columns
    }
}

/// What is known of one client.
pub(crate) struct Column<'a> {
    pub(crate) shape: &'a ClientShape,
    /// By scenario, or by the id of a recorded mail.
    pub(crate) mails: BTreeMap<&'a str, Reading<'a>>,
}

/// Mails of which the same is known in the same way.
pub(crate) struct Group<'c, 'a> {
    pub(crate) answer: KnownAnswer,
    /// Nothing where the answer is unknown.
    pub(crate) known: Option<KnownBy>,
    /// Mails, by scenario or id.
    pub(crate) mails: Vec<&'c str>,
    /// What decides, once each.
    pub(crate) because: Vec<&'c FeatureReading<'a>>,
}

impl<'a> Column<'a> {
    fn says_something(&self) -> bool {
        self.mails.values().flat_map(|reading| &reading.features).any(|feature| !feature.lines.is_empty())
    }

    /// Of how many mails something is known.
    fn known(&self) -> usize {
        self.mails.values().filter(|reading| reading.answer != KnownAnswer::Unknown).count()
    }

    /// What is known of the mails of one writer.
    pub(crate) fn cell(&self, row: &Row<'_>) -> Vec<Group<'_, 'a>> {
        self.groups(row.mails.iter().map(|id| mail_of(id)))
    }

    /// What is known of every mail of the run.
    pub(crate) fn all(&self) -> Vec<Group<'_, 'a>> {
        self.groups(self.mails.keys().copied())
    }

    fn groups<'i>(&self, mails: impl Iterator<Item = &'i str>) -> Vec<Group<'_, 'a>> {
        let mut groups: BTreeMap<(KnownAnswer, Option<KnownBy>), Group<'_, 'a>> = BTreeMap::new();
        for mail in mails {
            // A mail whose inside nobody has described is one of which nothing is known.
            let found = self.mails.get_key_value(mail);
            let (answer, known) = found.map_or((KnownAnswer::Unknown, None), |(_, found)| (found.answer, found.known));
            let empty = || Group { answer, known, mails: Vec::new(), because: Vec::new() };
            let group = groups.entry((answer, known)).or_insert_with(empty);
            let Some((name, reading)) = found else { continue };
            group.mails.push(name);
            for feature in reading.features.iter().filter(|feature| feature.answer == answer) {
                if !group.because.iter().any(|known| known.feature == feature.feature) {
                    group.because.push(feature);
                }
            }
        }
        groups.into_values().collect()
    }

    /// Everything that the mails of the run have, once each, with what is known of it; layers first.
    pub(crate) fn features(&self) -> Vec<&FeatureReading<'a>> {
        let mut seen = BTreeSet::new();
        let layers = |reading: &'_ Reading<'a>| reading.features.first().map(|first| first.feature);
        let first: BTreeSet<&str> = self.mails.values().filter_map(layers).collect();
        let all = self.mails.values().flat_map(|reading| &reading.features);
        let mut features: Vec<_> = all.filter(|feature| seen.insert(feature.feature)).collect();
        features.sort_by_key(|feature| (!first.contains(feature.feature), feature.feature));
        features
    }
}

/// A client that took no part, for another program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientSummary {
    /// Its stable name.
    pub client: String,
    /// Its name for people.
    pub title: String,
    /// What the mails of the run have, and what is known of each.
    pub features: Vec<FeatureSummary>,
    /// What follows for each mail, by scenario or by the id of a recording.
    pub mails: BTreeMap<String, MailSummary>,
}

/// One thing in mails, and what is known of how a client reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeatureSummary {
    /// Layers from outside in, or the name of an algorithm.
    pub feature: String,
    /// What the lines come to.
    pub answer: KnownAnswer,
    /// What is known, each with versions and sources.
    pub lines: Vec<Habit>,
}

/// What is known of how a client reads a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailSummary {
    /// What is known.
    pub answer: KnownAnswer,
    /// How; nothing where it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge: Option<KnownBy>,
}

impl ClientSummary {
    pub(crate) fn of(column: &Column<'_>) -> Self {
        let feature = |known: &FeatureReading<'_>| FeatureSummary {
            feature: known.feature.to_owned(),
            answer: known.answer,
            lines: known.lines.iter().copied().cloned().collect(),
        };
        let mail = |(name, reading): (&&str, &Reading<'_>)| {
            ((*name).to_owned(), MailSummary { answer: reading.answer, knowledge: reading.known })
        };
        Self {
            client: column.shape.client.clone(),
            title: column.shape.title.clone(),
            features: column.features().into_iter().map(feature).collect(),
            mails: column.mails.iter().map(mail).collect(),
        }
    }
}
