//! What the peers are known to get wrong, by the version that did: what the
//! corpus says of it, in its cases and in `vectors/peers.toml`.

use std::collections::BTreeMap;

use waxseal_model::{Corpus, Peer};
use waxseal_verdict::{Outcome, OutcomeRecord};

/// What is wrong with the outcomes of the peers of the table: a failure that is not
/// explained, or a case that is listed and passes. Of another version than the one
/// that was looked at nothing is held against the table: its other answer is a
/// finding, and printed. A hang is in the list of [`hangs`].
pub(crate) fn unexplained(corpus: &Corpus, outcomes: &BTreeMap<(String, String), OutcomeRecord>) -> Vec<String> {
    let mut wrong = Vec::new();
    for peer in &corpus.peers().peer {
        for ((case, _), outcome) in outcomes.iter().filter(|((_, sut), _)| *sut == peer.sut) {
            let Some(problem) = problem(peer, corpus, case, outcome) else { continue };
            if outcome.sut_version == peer.version {
                wrong.push(problem);
            } else {
                println!("{} and not {}: {problem}", outcome.sut_version, peer.version);
            }
        }
    }
    wrong
}

/// Cases and SUTs that had no answer in time, without a word in the corpus. A machine
/// that is busy keeps a program waiting, too: it has to be asked again.
pub(crate) fn hangs(corpus: &Corpus, outcomes: &BTreeMap<(String, String), OutcomeRecord>) -> Vec<(String, String)> {
    let hangs = outcomes.iter().filter(|(_, outcome)| outcome.outcome == Outcome::Hang && !corpus.explains(outcome));
    hangs.map(|(of, _)| of.clone()).collect()
}

/// Whether the table speaks of a peer.
pub(crate) fn speaks_of(corpus: &Corpus, sut: &str) -> bool {
    corpus.peers().peer(sut).is_some()
}

/// Whether a case says that an implementation says otherwise.
pub(crate) fn is_said(corpus: &Corpus, case: &str, implementation: &str) -> bool {
    let disagrees =
        |case: &waxseal_model::Case| case.disagreements.iter().any(|one| one.implementation == implementation);
    corpus.case(case).is_some_and(disagrees)
}

fn problem(peer: &Peer, corpus: &Corpus, case: &str, outcome: &OutcomeRecord) -> Option<String> {
    let listed = peer.notes(case).any(|note| note.fails);
    // That a mail of the matrix comes out right does not contradict a cause that others show.
    let has_to_fail = listed && corpus.case(case).is_some();
    let of_the_other = peer.like.as_ref().is_some_and(|like| is_said(corpus, case, like));
    let reason = outcome.reason.as_deref().unwrap_or_default();
    match outcome.outcome {
        Outcome::Pass if has_to_fail => Some(format!("{case} on {}: passes, and is listed in peers.toml", peer.sut)),
        Outcome::Pass | Outcome::Unsupported | Outcome::NotAvailable => None,
        _ if of_the_other || corpus.explains(outcome) => None,
        Outcome::Hang => None,
        other => Some(format!("{case} on {}: {other}: {reason}: peers.toml does not say why", peer.sut)),
    }
}
