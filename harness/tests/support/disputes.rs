//! Readers that disagree on a mail that a real client wrote. One of them is
//! wrong, and the corpus has to say who, by which clause: in the entry of the
//! mail, or in `vectors/peers.toml` where one cause hits many.

use std::collections::{BTreeMap, BTreeSet};

use waxseal::shim::shipped::{ENGINE, Shipped};
use waxseal_model::Corpus;
use waxseal_verdict::{Aspect, Observed, Outcome, OutcomeRecord};

/// Every dispute on a recorded mail of which nothing is said, in words; of a
/// version that nobody looked at it is only printed.
pub(crate) fn unnoted(corpus: &Corpus, outcomes: &BTreeMap<(String, String), OutcomeRecord>) -> Vec<String> {
    let mut wrong = Vec::new();
    for ((case, sut), outcome) in outcomes.iter().filter(|((case, _), _)| case.starts_with("recorded/")) {
        let reference = outcomes.get(&(case.clone(), ENGINE.to_owned()));
        let Some(reference) = reference.filter(|_| !Shipped::is_reference(sut)) else { continue };
        let Some(dispute) = dispute(reference, outcome).filter(|_| !corpus.explains(outcome)) else { continue };
        let problem = format!("{case}: {sut} {} says {dispute}, and no note says who is right", outcome.sut_version);
        if versions(corpus, sut).contains(outcome.sut_version.as_str()) {
            wrong.push(problem);
        } else {
            println!("{problem} (of this version nothing was looked at)");
        }
    }
    wrong
}

/// What a reader says that the reference does not: a side is good where the other
/// is bad, on an aspect that both declare; or it sees other layers, or nothing.
/// That it cannot read something is no dispute.
pub(crate) fn dispute(reference: &OutcomeRecord, outcome: &OutcomeRecord) -> Option<String> {
    match outcome.outcome {
        Outcome::Unsupported | Outcome::NotAvailable => return None,
        Outcome::Crash | Outcome::ShimError => return Some(outcome.outcome.to_string()),
        // A busy machine keeps anybody waiting.
        Outcome::Hang => {
            println!("{} on {}: hang", outcome.case, outcome.sut);
            return None;
        }
        _ => {}
    }
    let kinds = |record: &OutcomeRecord| record.aspects.iter().map(|layer| layer.kind.code()).collect::<Vec<_>>();
    let (here, there) = (kinds(outcome), kinds(reference));
    if here != there {
        return Some(format!("[{}] for [{}]", here.join(", "), there.join(", ")));
    }
    let layers = reference.aspects.iter().zip(&outcome.aspects).enumerate();
    let said: Vec<String> =
        layers.flat_map(|(number, (reference, other))| opposite(number + 1, reference, other)).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

fn opposite(layer: usize, reference: &Observed, other: &Observed) -> Vec<String> {
    let against = |(name, value): (&waxseal_verdict::AspectName, &Aspect)| {
        let here = reference.aspects.get(name)?;
        let opposed = (here.is_bad() && *value == Aspect::Good) || (value.is_bad() && *here == Aspect::Good);
        opposed.then(|| format!("layer {layer} {name} {value} for {here}"))
    };
    other.aspects.iter().filter_map(against).collect()
}

/// The versions of a peer that somebody looked at.
fn versions<'a>(corpus: &'a Corpus, sut: &str) -> BTreeSet<&'a str> {
    let listed = corpus.peers().peer.iter().filter(|peer| peer.sut == sut).map(|peer| peer.version.as_str());
    let cases = corpus.cases().iter().flat_map(|case| &case.disagreements);
    listed.chain(cases.filter(|one| one.implementation == sut).map(|one| one.version.as_str())).collect()
}
