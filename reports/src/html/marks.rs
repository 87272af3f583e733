//! How each word of a run looks: a class for the colour, a symbol and the word
//! itself, so that nothing is told by colour alone.

use waxseal_verdict::{Aspect, Evidence, Knowledge, Outcome};

/// The class of an outcome; the style sheet adds colour and symbol.
pub(super) const fn outcome_class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "p",
        Outcome::Fail => "f",
        Outcome::Unsupported => "u",
        Outcome::Crash => "x",
        Outcome::Hang => "h",
        Outcome::ShimError => "s",
        _ => "n",
    }
}

/// What an outcome means, for the legend.
pub(super) const fn outcome_meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "everything that was compared came out as expected",
        Outcome::Fail => "something else came out",
        Outcome::Unsupported => "the SUT declared that it cannot do this",
        Outcome::Crash => "the SUT ended without an answer",
        Outcome::Hang => "no answer within the time limit",
        Outcome::ShimError => "the answer was no answer",
        _ => "the bytes, or the program, are not on this machine",
    }
}

/// What a kind of knowledge means, for the legend.
pub(super) const fn knowledge_meaning(knowledge: Knowledge) -> &'static str {
    match knowledge {
        Knowledge::Measured => "it ran here, in this run",
        Knowledge::Captured => "taken from the real client, with version and date",
        _ => "a source says so",
    }
}

/// The class of a knowledge in a cell.
pub(super) const fn knowledge_class(knowledge: Knowledge) -> &'static str {
    match knowledge {
        Knowledge::Measured => "km",
        Knowledge::Captured => "kc",
        _ => "kd",
    }
}

/// What an evidence means, for the legend.
pub(super) const fn evidence_meaning(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Recorded => "a real client wrote the bytes",
        Evidence::Replica => "the engine wrote them in a client's shape",
        Evidence::Generated => "the engine wrote them",
        _ => "one named change to generated or recorded bytes",
    }
}

/// The class of an aspect.
pub(super) const fn aspect_class(aspect: &Aspect) -> &'static str {
    match aspect {
        Aspect::Good => "good",
        Aspect::Absent => "absent",
        Aspect::Unchecked(_) => "unchecked",
        Aspect::Bad(_) => "bad",
    }
}

/// Milliseconds for a person.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}
