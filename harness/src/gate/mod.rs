//! How a run ends: whose outcomes decide, and what they are held against.
//!
//! Without a gate every failure that decides fails the run. The gate is a file of
//! known failures, each with its observed reason, and of what passes. It fails
//! when a failure is not listed, when a listed one passes, when its reason
//! changed, when what passed does so no more, for whatever reason, and when a
//! listed case no longer exists. Either fails, too, when a SUT that decides was not
//! asked to the end: of what nobody asked nobody knows whether it is as before.
//!
//! ```toml
//! format = 1
//!
//! [[known]]
//! case = "signed/clear/lf-line-ends"
//! sut = "openssl"
//! outcome = "fail"
//! reason = "layer 1 integrity: bad: digest-mismatch, expected good"
//! link = "https://example.test/bug/1"   # optional
//!
//! [[passes]]
//! sut = "openssl"
//! cases = ["signed/clear/rsa-sha256"]
//! ```

mod judgement;
mod list;

use waxseal_model::{Corpus, Matrix, Shapes};
use waxseal_verdict::{Outcome, OutcomeRecord};

pub use judgement::{Judgement, View};
pub use list::{Gate, GateError, Known, Passes};

use crate::matrix::{self, Writers};
use crate::shim::shipped::Shipped;
use crate::sut::Sut;
use crate::transport;
use judgement::Many;

/// Whose outcomes decide how a run ends.
#[derive(Debug, Clone, Copy)]
pub struct Deciding<'a> {
    matrix: &'a Matrix,
    suts: &'a [Sut],
    everybody: bool,
}

impl<'a> Deciding<'a> {
    /// What was named decides, and the reference.
    #[must_use]
    pub const fn named(matrix: &'a Matrix, suts: &'a [Sut]) -> Self {
        Self { matrix, suts, everybody: false }
    }

    /// Everybody decides who takes part.
    #[must_use]
    pub const fn everybody(matrix: &'a Matrix, suts: &'a [Sut]) -> Self {
        Self { matrix, suts, everybody: true }
    }

    /// Whether this outcome decides.
    #[must_use]
    pub fn holds(&self, outcome: &OutcomeRecord) -> bool {
        let named = |name: &str| self.suts.iter().any(|sut| sut.named && sut.name == name);
        let decides = || named(&outcome.sut) || Shipped::is_reference(&outcome.sut);
        // What somebody else wrote may be wrong; what was named answers for what it wrote, too.
        let theirs = || {
            let writers = matrix::writers_of(&outcome.case);
            !writers.is_empty() && writers.into_iter().all(named)
        };
        self.everybody || decides() && (theirs() || matrix::is_fault_of_reader(self.matrix, self.suts, &outcome.case))
    }

    /// The SUTs that decide and take no part, and why.
    pub fn absent(&self) -> impl Iterator<Item = String> + '_ {
        let deciding = self.suts.iter().filter(|sut| sut.named || Shipped::is_reference(&sut.name));
        deciding.filter_map(|sut| Some(format!("{} takes no part: {}", sut.name, sut.admission.as_ref().err()?)))
    }

    /// Every failure that decides, in words, where there is no list of known ones.
    #[must_use]
    pub fn failures<'r>(&self, records: impl IntoIterator<Item = &'r OutcomeRecord>) -> Vec<String> {
        let (mut failures, mut not_asked) = (Vec::new(), Many::default());
        for record in records.into_iter().filter(|record| self.holds(record)) {
            not_asked.add_not_asked(record);
            if is_failure(record.outcome) {
                failures.push(format!("{} on {}: {}", record.case, record.sut, record.outcome));
            }
        }
        failures.extend(not_asked.words());
        failures
    }
}

/// Whether there is a case of this id at all, in this run or another one of it with other options: of the corpus,
/// a mail of the matrix of writers that anybody knows (`suts`, and whom the gate names), or a mail that is sent.
#[must_use]
pub fn is_id(corpus: &Corpus, shapes: &Shapes, suts: &[Sut], gate: &Gate, id: &str) -> bool {
    let shipped = Shipped::names().into_iter();
    let here = suts.iter().map(|sut| sut.name.as_str());
    let listed = gate.known.iter().map(|known| known.sut.as_str());
    let passing = gate.passes.iter().map(|passes| passes.sut.as_str());
    let writers = Writers { suts: shipped.chain(here).chain(listed).chain(passing).collect(), shapes };
    corpus.case(id).is_some()
        || matrix::is_id(corpus.matrix(), &writers, id)
        || transport::ids(corpus).iter().any(|(one, _)| one == id)
}

/// Whether an outcome is a failure of the SUT.
#[must_use]
pub const fn is_failure(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Fail | Outcome::Crash | Outcome::Hang | Outcome::ShimError)
}

/// What the tests of this module share.
#[cfg(test)]
mod testing {
    use super::*;
    use waxseal_verdict::{Evidence, Knowledge, ReasonMatch};

    pub(super) fn record(case: &str, outcome: Outcome, reason: Option<&str>) -> OutcomeRecord {
        OutcomeRecord {
            case: case.to_owned(),
            sut: "s".to_owned(),
            sut_version: "1".to_owned(),
            outcome,
            not_asked: false,
            reason: reason.map(str::to_owned),
            reason_match: ReasonMatch::None,
            aspects: Vec::new(),
            mismatches: Vec::new(),
            native: None,
            content: None,
            evidence: Evidence::Generated,
            knowledge: Knowledge::Measured,
            ms: 0,
        }
    }

    pub(super) fn gate() -> Gate {
        Gate::parse("[[known]]\ncase = 'a'\nsut = 's'\noutcome = 'fail'\nreason = 'x'\n").unwrap()
    }

    pub(super) fn not_asked(case: &str) -> OutcomeRecord {
        OutcomeRecord { not_asked: true, ..record(case, Outcome::NotAvailable, Some("not asked any more")) }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{gate, not_asked, record};
    use super::*;

    #[test]
    fn without_a_list_what_was_not_asked_any_more_fails() {
        let corpus = Corpus::embedded().unwrap();
        let suts = [sut("s", true)];
        let failures = |deciding: Deciding<'_>| deciding.failures(&[record("a", Outcome::Pass, None), not_asked("b")]);
        assert_eq!(failures(Deciding::named(corpus.matrix(), &suts)), ["b on s: not asked any more"]);
        let peers = [sut("s", false)];
        assert!(failures(Deciding::named(corpus.matrix(), &peers)).is_empty());
    }

    fn sut(name: &str, named: bool) -> Sut {
        let command = crate::sut::child::ShimCommand { program: "/nowhere".into(), arguments: Vec::new() };
        Sut::new(name.to_owned(), command, named)
    }

    #[test]
    fn only_what_is_named_decides_and_the_reference() {
        let corpus = Corpus::embedded().unwrap();
        let suts = [sut("mine", true), sut("engine", false), sut("openssl", false)];
        let scenario = corpus.matrix().scenarios()[0].name();
        let outcome = |case: &str, sut: &str| {
            let case = case.replace("SCENARIO", &scenario);
            OutcomeRecord { sut: sut.to_owned(), ..record(&case, Outcome::Fail, Some("x")) }
        };
        let rows = [
            ("signed/clear/rsa", "mine", true),
            ("signed/clear/rsa", "engine", true),
            ("signed/clear/rsa", "openssl", false),
            // Mail of its own, whoever of those that decide reads it.
            ("matrix/SCENARIO/mine", "mine", true),
            ("matrix/SCENARIO/mine", "engine", true),
            ("matrix/SCENARIO/mine", "openssl", false),
            // The reference writes well; a peer that nobody looked at may not.
            ("matrix/SCENARIO/engine", "mine", true),
            ("matrix/SCENARIO/openssl", "mine", false),
            ("matrix/SCENARIO/openssl", "engine", false),
            ("sent-on/mine/openssl", "mine", false),
            ("write/SCENARIO/mine", "mine", true),
            ("write/SCENARIO/openssl", "openssl", false),
        ];
        let named = Deciding::named(corpus.matrix(), &suts);
        let everybody = Deciding::everybody(corpus.matrix(), &suts);
        for (case, sut, decides) in rows {
            assert_eq!(named.holds(&outcome(case, sut)), decides, "{case} on {sut}");
            assert!(everybody.holds(&outcome(case, sut)));
        }
        // What does not decide is no mismatch; if it is listed, that is told.
        let peer = outcome("a", "openssl");
        let decides = |record: &OutcomeRecord| named.holds(record);
        let view = View { decides: &decides, exists: &|_| true, is_whole: &|_| true };
        assert_eq!(Gate::default().judge([&peer], &view), Judgement::default());
        let text = "[[known]]\ncase = 'a'\nsut = 'openssl'\noutcome = 'fail'\nreason = 'y'\n";
        let told = Gate::parse(text).unwrap().judge([&peer], &view);
        assert!(told.mismatches.is_empty() && told.unseen.len() == 1, "{told:?}");
    }

    #[test]
    fn an_id_is_there_in_a_run_with_other_options_or_nowhere() {
        let (corpus, shapes) = (Corpus::embedded().unwrap(), Shapes::embedded().unwrap());
        let (suts, gate) = ([sut("mine.x", true)], gate());
        let is = |id: &str| is_id(&corpus, &shapes, &suts, &gate, id);
        let scenario = corpus.matrix().scenarios()[0].name();
        let (way, route) = (&corpus.transport().mangling[0].name, &corpus.transport().route);
        let route = &route.iter().find(|route| route.recordings).unwrap().name;
        let letter = &corpus.transport().letter[0].name;
        for id in [
            "signed/clear/rsa-sha256".to_owned(),
            format!("matrix/{scenario}/mine.x"),
            // Of another job, whose failures stand in the list, too.
            format!("matrix/{scenario}/s"),
            format!("write/{scenario}/openssl"),
            "sent-on/mine.x/engine".to_owned(),
            "write/sent-on.mine.x.engine".to_owned(),
            format!("transport/{way}/{letter}"),
            format!("transport/{route}/{letter}"),
            format!("transport/{route}/recorded.outlook.exchange-2022"),
        ] {
            assert!(is(&id), "{id}");
        }
        for id in [
            "signed/clear/rsa-sha".to_owned(),
            format!("matrix/{scenario}/opnssl"),
            format!("matrix/{scenario}/replica-nobody"),
            format!("write/{scenario}/opnssl"),
            "sent-on/opnssl/engine".to_owned(),
            "sent-on/engine/opnssl".to_owned(),
            "write/sent-on.engine.opnssl".to_owned(),
            "write/sent-on.engine".to_owned(),
            format!("transport/{way}/no-letter"),
            format!("transport/no-way/{letter}"),
            format!("transport/{way}/recorded.outlook.exchange-2022"),
            format!("transport/{route}/recorded.outlook.no-such"),
        ] {
            assert!(!is(&id), "{id}");
        }
        let (replica, ..) = shapes.replicas().next().unwrap();
        assert!(is(&format!("matrix/{scenario}/replica-{replica}")));
    }
}
