//! From an answer to an outcome, as CONTRACT "Outcome of a case on a SUT" has it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use waxseal_verdict::{
    Aspect, Comparison, ContentMatch, Expectation, Hello, Knowledge, Layer, Mismatch, Observed, Outcome, OutcomeRecord,
    ReasonMatch, Verdict,
};

use crate::matrix::same;
use crate::shim::protocol::Answer;
use crate::sut::Sut;
use crate::sut::child::Failure;
use crate::sut::words::shorten;
use crate::task::Task;

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) outcome: Outcome,
    /// Whether the SUT was asked no more.
    not_asked: bool,
    pub(super) reason: Option<String>,
    /// Whether the reason is in the words of the shim.
    quotes: bool,
    reason_match: ReasonMatch,
    aspects: Vec<Observed>,
    mismatches: Vec<Mismatch>,
    native: Option<String>,
    content: Option<ContentMatch>,
}

/// What a shim wrote as the innermost entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing.
    None,
    /// Octets of this hash; and the octets themselves, where they are compared.
    Some { sha256: String, octets: Option<Vec<u8>> },
    /// Something that is not read, and why.
    Unusable(String),
}

impl Content {
    /// Compares with what was protected.
    fn compare(&self, before: &[u8]) -> ContentMatch {
        match self {
            Self::Some { octets: Some(after), .. } => same::compare(before, after),
            Self::Some { octets: None, .. } | Self::Unusable(_) => ContentMatch::Differs,
            Self::None => ContentMatch::Nothing,
        }
    }
}

impl Judged {
    /// An outcome that needed no request.
    pub(super) fn settled(outcome: Outcome, why: String) -> Self {
        Self {
            outcome,
            not_asked: false,
            reason: Some(why),
            quotes: false,
            reason_match: ReasonMatch::None,
            aspects: Vec::new(),
            mismatches: Vec::new(),
            native: None,
            content: None,
        }
    }

    /// A SUT that was asked no more.
    pub(super) fn not_asked(why: String) -> Self {
        Self { not_asked: true, ..Self::settled(Outcome::NotAvailable, why) }
    }

    /// The outcome of an answer, or of its absence.
    pub(super) fn new(
        task: &Task,
        hello: &Hello,
        answer: Result<&Answer, &Failure>,
        content: &Content,
        stderr: &str,
    ) -> Self {
        let stderr = || (!stderr.is_empty()).then(|| shorten(stderr));
        match answer {
            Ok(Answer::Verdict(verdict, native)) => Self {
                native: native.as_deref().map(shorten),
                aspects: verdict.layers.iter().map(|layer| observed(layer, hello)).collect(),
                ..Self::compared(task, hello, verdict, content)
            },
            Ok(Answer::Unsupported(why)) => Self { quotes: true, ..Self::settled(Outcome::Unsupported, shorten(why)) },
            Ok(Answer::Error(error, native)) => Self {
                quotes: true,
                native: native.as_deref().map(shorten).or_else(stderr),
                ..Self::settled(Outcome::ShimError, shorten(error))
            },
            Ok(Answer::Hello(_) | Answer::Wrote(_) | Answer::Refused(_) | Answer::Certificate(_)) => Self::settled(
                Outcome::ShimError,
                "open was answered with hello, wrote, refused or certificate".to_owned(),
            ),
            Err(failure) => Self {
                // What is wrong with a line may be said with a piece of it.
                quotes: matches!(failure, Failure::Garbage(_)),
                native: stderr(),
                ..Self::settled(outcome_of(failure), shorten(&failure.to_string()))
            },
        }
    }

    /// Compares a verdict with the expectation, then with the other accepted ones.
    fn compared(task: &Task, hello: &Hello, verdict: &Verdict, content: &Content) -> Self {
        if let Content::Unusable(why) = content {
            return Self::settled(Outcome::ShimError, why.clone());
        }
        let protected = task.protects.as_ref().map(|before| content.compare(before));
        let first = compare(&task.expectation, hello, verdict, content);
        let first = with_protected(first, protected);
        let others = || task.accepted.iter().map(|accepted| compare(accepted, hello, verdict, content));
        let comparison = match first {
            Comparison::Fail(..) => others().find(|other| matches!(other, Comparison::Pass(_))).unwrap_or(first),
            _ => first,
        };
        match comparison {
            Comparison::Pass(reason_match) => {
                Self { reason: None, reason_match, content: protected, ..Self::settled(Outcome::Pass, String::new()) }
            }
            Comparison::Undeclared(name) => Self::settled(Outcome::Unsupported, format!("does not report {name}")),
            Comparison::Fail(mismatches, reason_match) => {
                let words: Vec<_> = mismatches
                    .iter()
                    .map(|mismatch| {
                        format!("{}: {}, expected {}", mismatch.place, mismatch.observed, mismatch.expected)
                    })
                    .collect();
                Self { mismatches, reason_match, content: protected, ..Self::settled(Outcome::Fail, words.join("; ")) }
            }
        }
    }

    /// Drops every word of the shim: it may hold addresses, names or text of somebody's mail.
    pub(super) fn without_private(mut self) -> Self {
        self.native = None;
        for aspect in self.aspects.iter_mut().flat_map(|observed| observed.aspects.values_mut()) {
            if let Aspect::Bad(bad) = aspect {
                bad.detail.clear();
            }
        }
        if self.quotes {
            self.reason = Some(LEFT_OUT.to_owned());
        }
        self
    }

    /// The line of the run record.
    pub(super) fn record(self, task: &Task, sut: &Sut, elapsed: Duration) -> OutcomeRecord {
        OutcomeRecord {
            case: task.id.clone(),
            sut: sut.name.clone(),
            sut_version: sut.admission.as_ref().map(|hello| hello.version.clone()).unwrap_or_default(),
            outcome: self.outcome,
            not_asked: self.not_asked,
            reason: self.reason,
            reason_match: self.reason_match,
            aspects: self.aspects,
            mismatches: self.mismatches,
            native: self.native,
            content: self.content,
            evidence: task.evidence,
            knowledge: Knowledge::Measured,
            ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// In the place of the words of a shim about a mail of somebody.
const LEFT_OUT: &str = "its words are left out: the mail is somebody's (--include-private has them)";

/// The comparison of the verdict, and of the content where a hash is expected.
fn compare(expectation: &Expectation, hello: &Hello, verdict: &Verdict, content: &Content) -> Comparison {
    let comparison = expectation.compare(verdict, &hello.aspects, hello.into());
    let Some(wanted) = &expectation.content_sha256 else { return comparison };
    let observed = match content {
        Content::Some { sha256, .. } if sha256 == wanted => return comparison,
        Content::Some { sha256, .. } => format!("sha256 {sha256}"),
        // A reader may keep back what it calls bad.
        _ if expectation.is_negative() => return comparison,
        _ => "none".to_owned(),
    };
    let mismatch = Mismatch { place: "content".to_owned(), expected: format!("sha256 {wanted}"), observed };
    also(comparison, mismatch)
}

/// The same, where the entity is known that was protected: a good verdict on a
/// mail has to come with its content.
fn with_protected(comparison: Comparison, protected: Option<ContentMatch>) -> Comparison {
    match protected {
        None | Some(ContentMatch::Identical | ContentMatch::Equal) => comparison,
        Some(other) => {
            let expected = "what was protected".to_owned();
            also(comparison, Mismatch { place: "content".to_owned(), expected, observed: other.to_string() })
        }
    }
}

fn also(comparison: Comparison, mismatch: Mismatch) -> Comparison {
    match comparison {
        Comparison::Pass(reasons) => Comparison::Fail(vec![mismatch], reasons),
        Comparison::Fail(mut mismatches, reasons) => {
            mismatches.push(mismatch);
            Comparison::Fail(mismatches, reasons)
        }
        undeclared @ Comparison::Undeclared(_) => undeclared,
    }
}

/// What the SUT said of a layer, as far as it declared that it says it.
fn observed(layer: &Layer, hello: &Hello) -> Observed {
    let declared = hello.aspects.iter().map(|name| (*name, layer.aspect(*name).clone()));
    let aspects: BTreeMap<_, _> = declared.collect();
    let deviations: BTreeSet<_> = layer
        .deviations
        .iter()
        .chain(layer.signers.iter().flat_map(|signer| &signer.deviations))
        .filter(|_| hello.deviations)
        .copied()
        .collect();
    Observed { kind: layer.kind, aspects, deviations: deviations.into_iter().collect() }
}

/// The outcome of a request that got no answer.
pub(crate) const fn outcome_of(failure: &Failure) -> Outcome {
    match failure {
        Failure::Start(_) | Failure::Crash(_) => Outcome::Crash,
        Failure::Hang(_) => Outcome::Hang,
        Failure::Garbage(_) | Failure::TooMuch(_) => Outcome::ShimError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use waxseal_verdict::{
        AspectName, Clock, Dialect, Evidence, HeaderField, HeaderState, Kind, LayerExpectation, Operation, Reason,
    };

    fn hello() -> Hello {
        Hello {
            name: "s".to_owned(),
            version: "1".to_owned(),
            operations: BTreeSet::from([Operation::Open]),
            algorithms: BTreeSet::new(),
            forms: BTreeSet::from([Kind::Signed]),
            dialects: BTreeSet::from([Dialect::Cms]),
            aspects: BTreeSet::from([AspectName::Integrity, AspectName::Identity]),
            deviations: false,
            headers: false,
            learns: false,
            clock: Clock::Settable,
            writes: BTreeSet::new(),
            writes_forms: BTreeSet::new(),
            writes_algorithms: BTreeSet::new(),
            unknown: BTreeSet::new(),
        }
    }

    fn task(expected: Aspect, hash: Option<&str>) -> Task {
        let layer = LayerExpectation {
            kind: Kind::Signed,
            form: None,
            dialect: None,
            aspects: BTreeMap::from([(AspectName::Integrity, expected)]),
            beside: BTreeMap::new(),
            deviations: Vec::new(),
        };
        Task {
            id: "t".to_owned(),
            twin: None,
            evidence: Evidence::Recorded,
            from: None,
            policy: None,
            algorithms: BTreeSet::new(),
            kinds: BTreeSet::from([Kind::Signed]),
            clock: time::OffsetDateTime::UNIX_EPOCH,
            fixed_clock: false,
            learns: false,
            require_revocation: false,
            private: true,
            expectation: Expectation {
                layers: vec![layer],
                content_sha256: hash.map(str::to_owned),
                ..Expectation::default()
            },
            accepted: Vec::new(),
            protects: None,
            readers: None,
            files: Ok(Arc::default()),
        }
    }

    fn answer(set: impl FnOnce(&mut Layer)) -> Answer {
        let mut layer = Layer::new("1/signed-data", Kind::Signed);
        set(&mut layer);
        Answer::Verdict(Verdict::new("x", vec![layer]), Some("said\nso".to_owned()))
    }

    #[test]
    fn the_content_decides_too() {
        let good = answer(|layer| layer.integrity = Aspect::Good);
        let task = task(Aspect::Good, Some("aa"));
        let some = |hash: &str| Content::Some { sha256: hash.to_owned(), octets: None };
        for (content, outcome) in [
            (some("aa"), Outcome::Pass),
            (some("bb"), Outcome::Fail),
            (Content::None, Outcome::Fail),
            (Content::Unusable("content: a pipe and not a file".to_owned()), Outcome::ShimError),
        ] {
            let judged = Judged::new(&task, &hello(), Ok(&good), &content, "");
            assert_eq!(judged.outcome, outcome, "{content:?}");
        }
    }

    #[test]
    fn a_reader_may_keep_back_what_it_calls_bad() {
        let bad = answer(|layer| layer.integrity = Aspect::bad(Reason::DigestMismatch, ""));
        let task = task(Aspect::bad(Reason::DigestMismatch, ""), Some("aa"));
        let judged = Judged::new(&task, &hello(), Ok(&bad), &Content::None, "");
        assert_eq!((judged.outcome, judged.reason_match), (Outcome::Pass, ReasonMatch::Exact));
    }

    #[test]
    fn one_of_several_accepted_outcomes_is_enough() {
        let mut several = task(Aspect::Good, None);
        several.accepted = vec![task(Aspect::bad(Reason::DigestMismatch, ""), None).expectation];
        let bad = answer(|layer| layer.integrity = Aspect::bad(Reason::DigestMismatch, ""));
        let judged = Judged::new(&several, &hello(), Ok(&bad), &Content::None, "");
        assert_eq!(judged.outcome, Outcome::Pass);
        let unchecked = answer(|layer| layer.integrity = Aspect::Unchecked(None));
        let judged = Judged::new(&several, &hello(), Ok(&unchecked), &Content::None, "");
        assert_eq!(judged.reason.as_deref(), Some("layer 1 integrity: unchecked, expected good"));
    }

    #[test]
    fn what_could_name_somebody_is_dropped() {
        let all: BTreeSet<_> = AspectName::ALL.iter().copied().collect();
        let hello = Hello { aspects: all.clone(), ..hello() };
        let task = task(Aspect::Good, None);
        let judge = |answer: Result<&Answer, &Failure>| {
            let judged = Judged::new(&task, &hello, answer, &Content::None, "alice wrote this");
            assert!(format!("{judged:?}").contains("alice"), "{judged:?}");
            let judged = judged.without_private();
            assert!(!format!("{judged:?}").contains("alice"), "{judged:?}");
            judged
        };
        for name in all {
            let answer = answer(|layer| {
                layer.integrity = Aspect::Good;
                *layer.aspect_mut(name) = Aspect::bad(Reason::AddressMismatch, "alice@example.test");
            });
            let judged = judge(Ok(&answer));
            assert!(judged.aspects[0].aspects[&name].is_bad(), "{name}: the rest of what is said stays");
        }
        let words = || "alice@example.test cannot be read".to_owned();
        assert_eq!(judge(Ok(&Answer::Unsupported(words()))).reason.as_deref(), Some(LEFT_OUT));
        assert_eq!(judge(Ok(&Answer::Error(words(), Some(words())))).reason.as_deref(), Some(LEFT_OUT));
        assert_eq!(judge(Err(&Failure::Garbage(words()))).reason.as_deref(), Some(LEFT_OUT));
        let hang = judge(Err(&Failure::Hang(Duration::from_secs(1))));
        assert_eq!(hang.reason.as_deref(), Some("no answer within 1 s"), "ours stays");
    }

    #[test]
    fn what_a_header_says_stays_in_the_verdict() {
        let mut answer = answer(|layer| layer.integrity = Aspect::Good);
        let Answer::Verdict(verdict, _) = &mut answer else { panic!("no verdict") };
        let field = HeaderField {
            state: HeaderState::SignedOnly,
            protected: vec!["secret".to_owned()],
            outer: Some(vec!["secret".to_owned()]),
            hp_outer: vec!["secret".to_owned()],
        };
        verdict.headers.insert("subject".to_owned(), field);
        let mut task = task(Aspect::Good, None);
        task.expectation.headers.insert("subject".to_owned(), HeaderState::SignedAndEncrypted);
        let reports = Hello { headers: true, ..hello() };
        let judged = Judged::new(&task, &reports, Ok(&answer), &Content::None, "");
        let why = "header subject: signed-only, expected signed-and-encrypted";
        assert_eq!((judged.outcome, judged.reason.as_deref()), (Outcome::Fail, Some(why)));
        assert!(!format!("{judged:?}").contains("secret"));
        assert_eq!(Judged::new(&task, &hello(), Ok(&answer), &Content::None, "").outcome, Outcome::Pass);
    }

    #[test]
    fn every_failure_has_its_outcome() {
        for (failure, outcome) in [
            (Failure::Start("x".to_owned()), Outcome::Crash),
            (Failure::Crash("x".to_owned()), Outcome::Crash),
            (Failure::Hang(Duration::from_secs(1)), Outcome::Hang),
            (Failure::Garbage("x".to_owned()), Outcome::ShimError),
            (Failure::TooMuch(9), Outcome::ShimError),
        ] {
            let judged = Judged::new(&task(Aspect::Good, None), &hello(), Err(&failure), &Content::None, "last words");
            assert_eq!((judged.outcome, judged.native.as_deref()), (outcome, Some("last words")));
        }
    }
}
