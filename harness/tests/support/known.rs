//! What the peers that the corpus does not name are known to get wrong, by the
//! version that did: `tests/peers.toml`. The text there says why, for a person.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use waxseal_model::Corpus;
use waxseal_verdict::{Outcome, OutcomeRecord};

const TABLE: &str = include_str!("../peers.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    peer: Vec<Peer>,
}

/// One peer, in the version that was looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Peer {
    sut: String,
    version: String,
    /// Another implementation that this one is built on: what the corpus says of
    /// that one's disagreements may be true of it, too.
    like: Option<String>,
    #[serde(default)]
    fails: Vec<Group>,
}

/// Cases that it gets wrong for one reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    why: String,
    cases: BTreeSet<String>,
}

/// What is wrong with the outcomes of the peers of the table: a failure that is not
/// explained, or a case that is listed and passes. Of another version than the one
/// that was looked at nothing is held against the table: its other answer is a
/// finding, and printed.
pub(crate) fn unexplained(corpus: &Corpus, outcomes: &BTreeMap<(String, String), OutcomeRecord>) -> Vec<String> {
    let table: Table = toml::from_str(TABLE).unwrap();
    let mut wrong = Vec::new();
    for peer in &table.peer {
        for ((case, _), outcome) in outcomes.iter().filter(|((_, sut), _)| *sut == peer.sut) {
            let Some(problem) = peer.problem(corpus, case, outcome) else { continue };
            if outcome.sut_version == peer.version {
                wrong.push(problem);
            } else {
                println!("{} and not {}: {problem}", outcome.sut_version, peer.version);
            }
        }
        for group in &peer.fails {
            assert!(!group.why.is_empty(), "{}: a group without a reason", peer.sut);
            let gone: Vec<_> = group.cases.iter().filter(|case| corpus.case(case).is_none()).collect();
            wrong.extend(gone.into_iter().map(|case| format!("{case} on {}: there is no such case", peer.sut)));
        }
    }
    wrong
}

/// Whether the table speaks of a peer.
pub(crate) fn speaks_of(sut: &str) -> bool {
    let table: Table = toml::from_str(TABLE).unwrap();
    table.peer.iter().any(|peer| peer.sut == sut)
}

impl Peer {
    fn problem(&self, corpus: &Corpus, case: &str, outcome: &OutcomeRecord) -> Option<String> {
        let listed = self.fails.iter().any(|group| group.cases.contains(case));
        let of_the_other = corpus
            .case(case)
            .is_some_and(|case| case.disagreements.iter().any(|one| Some(&one.implementation) == self.like.as_ref()));
        let reason = outcome.reason.as_deref().unwrap_or_default();
        match outcome.outcome {
            Outcome::Pass if listed => Some(format!("{case} on {}: passes, and is listed in peers.toml", self.sut)),
            Outcome::Pass | Outcome::Unsupported | Outcome::NotAvailable => None,
            _ if listed || of_the_other => None,
            other => Some(format!("{case} on {}: {other}: {reason}: peers.toml does not say why", self.sut)),
        }
    }
}
