//! How a run ends: whose outcomes decide, and what they are held against.
//!
//! Without a gate every failure that decides fails the run. The gate is a file of
//! known failures, each with its observed reason. It fails when a failure is not
//! listed, when a listed one passes, when its reason changed, and when a listed
//! case no longer exists. Either fails, too, when a SUT that decides was not
//! asked to the end: of what nobody asked nobody knows whether it is as before.
//!
//! ```toml
//! [[known]]
//! case = "signed/clear/lf-line-ends"
//! sut = "openssl"
//! outcome = "fail"
//! reason = "layer 1 integrity: bad: digest-mismatch, expected good"
//! link = "https://example.test/bug/1"   # optional
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use waxseal_model::{Corpus, Matrix, Shapes};
use waxseal_verdict::{Outcome, OutcomeRecord};

use crate::matrix::{self, Writers};
use crate::shim::shipped::Shipped;
use crate::sut::Sut;
use crate::transport;

/// The file of known failures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// The failures.
    #[serde(default)]
    pub known: Vec<Known>,
}

/// One known failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Id of the case.
    pub case: String,
    /// Name of the SUT.
    pub sut: String,
    /// What comes of it.
    pub outcome: Outcome,
    /// The reason, as the run records it.
    pub reason: String,
    /// The bug it is known as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Why a file is no gate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// It is no TOML of this form.
    #[error("{0}")]
    Malformed(String),
    /// It lists a case on a SUT twice.
    #[error("{case} on {sut} is listed twice")]
    Twice {
        /// The case.
        case: String,
        /// The SUT.
        sut: String,
    },
    /// It lists an outcome that is no failure.
    #[error("{case} on {sut}: {outcome} is no failure; list fail, crash, hang or shim-error")]
    NoFailure {
        /// The case.
        case: String,
        /// The SUT.
        sut: String,
        /// The outcome.
        outcome: Outcome,
    },
}

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
        let (mut failures, mut not_asked) = (Vec::new(), NotAsked::default());
        for record in records.into_iter().filter(|record| self.holds(record)) {
            not_asked.add(record);
            if is_failure(record.outcome) {
                failures.push(format!("{} on {}: {}", record.case, record.sut, record.outcome));
            }
        }
        failures.extend(not_asked.words());
        failures
    }
}

/// Cases that SUTs were not asked any more, by SUT and reason: how many, and the first.
#[derive(Default)]
struct NotAsked<'r>(BTreeMap<(&'r str, &'r str), (usize, &'r str)>);

impl<'r> NotAsked<'r> {
    /// Notes an outcome, if it is none.
    fn add(&mut self, record: &'r OutcomeRecord) {
        if record.not_asked {
            let why = record.reason.as_deref().unwrap_or_default();
            let (count, first) = self.0.entry((&record.sut, why)).or_insert((0, &record.case));
            *count += 1;
            *first = (*first).min(&record.case);
        }
    }

    /// One line for each SUT: there may be a thousand cases.
    fn words(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().map(|((sut, why), (count, first))| match count {
            1 => format!("{first} on {sut}: {why}"),
            _ => format!("{count} cases on {sut}, {first} and others: {why}"),
        })
    }
}

/// Whether there is a case of this id at all, in this run or another one of it with other options: of the corpus,
/// a mail of the matrix of writers that anybody knows (`suts`, and whom the gate names), or a mail that is sent.
#[must_use]
pub fn is_id(corpus: &Corpus, shapes: &Shapes, suts: &[Sut], gate: &Gate, id: &str) -> bool {
    let shipped = Shipped::names().into_iter();
    let here = suts.iter().map(|sut| sut.name.as_str());
    let listed = gate.known.iter().map(|known| known.sut.as_str());
    let writers = Writers { suts: shipped.chain(here).chain(listed).collect(), shapes };
    corpus.case(id).is_some()
        || matrix::is_id(corpus.matrix(), &writers, id)
        || transport::ids(corpus).iter().any(|(one, _)| one == id)
}

/// What a gate says of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// What does not match, in words; empty: the gate is passed.
    pub mismatches: Vec<String>,
    /// Listed cases that this run could not look at, and why.
    pub unseen: Vec<String>,
}

/// Whether an outcome is a failure of the SUT.
#[must_use]
pub const fn is_failure(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Fail | Outcome::Crash | Outcome::Hang | Outcome::ShimError)
}

impl Gate {
    /// Reads a gate file.
    ///
    /// # Errors
    /// It is malformed, lists something twice or lists what is no failure.
    pub fn parse(text: &str) -> Result<Self, GateError> {
        let gate: Self = toml::from_str(text).map_err(|error| GateError::Malformed(error.to_string()))?;
        let mut seen = BTreeSet::new();
        for known in &gate.known {
            let (case, sut) = (known.case.clone(), known.sut.clone());
            if !is_failure(known.outcome) {
                return Err(GateError::NoFailure { case, sut, outcome: known.outcome });
            }
            if !seen.insert((&known.case, &known.sut)) {
                return Err(GateError::Twice { case, sut });
            }
        }
        Ok(gate)
    }

    /// Whether a failure is listed with this outcome and reason.
    #[must_use]
    pub fn lists(&self, record: &OutcomeRecord) -> bool {
        self.known.iter().any(|known| {
            known.case == record.case
                && known.sut == record.sut
                && known.outcome == record.outcome
                && known.reason == record.reason.as_deref().unwrap_or_default()
        })
    }

    /// Compares a run with the list.
    ///
    /// `decides`: whether an outcome is for this gate at all; `exists`: whether there is a case of this id at all, in
    /// this run or another one.
    #[must_use]
    pub fn judge<'a>(
        &self,
        records: impl IntoIterator<Item = &'a OutcomeRecord>,
        decides: &dyn Fn(&OutcomeRecord) -> bool,
        exists: &dyn Fn(&str) -> bool,
    ) -> Judgement {
        let (mut judgement, mut not_asked) = (Judgement::default(), NotAsked::default());
        let mut listed: BTreeMap<(&str, &str), &Known> =
            self.known.iter().map(|known| ((known.case.as_str(), known.sut.as_str()), known)).collect();
        for record in records {
            let found = listed.remove(&(record.case.as_str(), record.sut.as_str()));
            let place = format!("{} on {}", record.case, record.sut);
            let reason = record.reason.as_deref().unwrap_or_default();
            if !decides(record) {
                judgement.unseen.extend(found.map(|_| format!("{place}: it decides nothing where peers take part")));
                continue;
            }
            if record.not_asked {
                not_asked.add(record);
                continue;
            }
            match found {
                None if is_failure(record.outcome) => {
                    judgement.mismatches.push(format!("{place}: {} is not listed: {reason}", record.outcome));
                }
                None => {}
                Some(known) if record.outcome == Outcome::Pass => {
                    judgement.mismatches.push(format!("{place}: passes now; take it off the list ({})", known.outcome))
                }
                Some(_) if record.outcome == Outcome::NotAvailable => {
                    judgement.unseen.push(format!("{place}: not-available: {reason}"));
                }
                Some(known) if known.outcome != record.outcome => judgement
                    .mismatches
                    .push(format!("{place}: {} now, listed as {}: {reason}", record.outcome, known.outcome)),
                Some(known) if known.reason != reason => judgement
                    .mismatches
                    .push(format!("{place}: the reason changed: {reason:?} now, listed as {:?}", known.reason)),
                Some(_) => {}
            }
        }
        for ((case, sut), _) in listed {
            if exists(case) {
                judgement.unseen.push(format!("{case} on {sut}: not part of this run"));
            } else {
                let writers = matrix::writers_of(case).join(" and ");
                let or =
                    if writers.is_empty() { writers } else { format!(", or name its writer ({writers}) with --sut") };
                judgement.mismatches.push(format!("{case} on {sut}: there is no such case; take it off the list{or}"));
            }
        }
        judgement.mismatches.extend(not_asked.words());
        judgement
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_verdict::{Evidence, Knowledge, ReasonMatch};

    fn record(case: &str, outcome: Outcome, reason: Option<&str>) -> OutcomeRecord {
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

    fn gate() -> Gate {
        Gate::parse("[[known]]\ncase = 'a'\nsut = 's'\noutcome = 'fail'\nreason = 'x'\n").unwrap()
    }

    fn judge(records: &[OutcomeRecord]) -> Judgement {
        gate().judge(records, &|_| true, &|id| ["a", "b"].contains(&id))
    }

    #[test]
    fn what_is_listed_passes() {
        let records = [record("a", Outcome::Fail, Some("x")), record("b", Outcome::Pass, None)];
        assert_eq!(judge(&records), Judgement::default());
        assert!(gate().lists(&records[0]) && !gate().lists(&records[1]));
    }

    #[test]
    fn each_difference_fails_with_its_own_words() {
        for (records, words) in [
            (vec![record("a", Outcome::Pass, None)], "passes now"),
            (vec![record("a", Outcome::Fail, Some("y"))], "the reason changed: \"y\" now, listed as \"x\""),
            (vec![record("a", Outcome::Hang, Some("x"))], "hang now, listed as fail"),
            (vec![record("a", Outcome::Unsupported, Some("x"))], "unsupported now, listed as fail"),
            (vec![record("a", Outcome::Fail, Some("x")), record("b", Outcome::Crash, Some("z"))], "is not listed: z"),
        ] {
            let judgement = judge(&records);
            assert_eq!(judgement.mismatches.len(), 1, "{judgement:?}");
            assert!(judgement.mismatches[0].contains(words), "{judgement:?}");
        }
    }

    #[test]
    fn a_listed_case_that_is_gone_fails_and_one_that_did_not_run_is_told() {
        let gone = gate().judge(&[], &|_| true, &|_| false);
        assert!(gone.mismatches[0].contains("there is no such case"), "{gone:?}");
        let elsewhere = judge(&[]);
        assert!(elsewhere.mismatches.is_empty() && elsewhere.unseen.len() == 1, "{elsewhere:?}");
        let absent = judge(&[record("a", Outcome::NotAvailable, Some("no recordings"))]);
        assert!(absent.mismatches.is_empty() && absent.unseen.len() == 1, "{absent:?}");
    }

    fn not_asked(case: &str) -> OutcomeRecord {
        OutcomeRecord { not_asked: true, ..record(case, Outcome::NotAvailable, Some("not asked any more")) }
    }

    /// Whatever the list says: of a case that was not asked nobody knows whether it is as before.
    #[test]
    fn what_was_not_asked_any_more_fails() {
        let gone = judge(&[not_asked("b"), not_asked("c"), not_asked("a")]);
        assert_eq!(gone.mismatches, ["3 cases on s, a and others: not asked any more"]);
        assert!(gone.unseen.is_empty(), "{gone:?}");
        let gone = judge(&[record("a", Outcome::Fail, Some("x")), not_asked("b")]);
        assert_eq!(gone.mismatches, ["b on s: not asked any more"]);
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
        assert_eq!(Gate::default().judge([&peer], &decides, &|_| true), Judgement::default());
        let text = "[[known]]\ncase = 'a'\nsut = 'openssl'\noutcome = 'fail'\nreason = 'y'\n";
        let told = Gate::parse(text).unwrap().judge([&peer], &decides, &|_| true);
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
        let gone = gate.judge(&[], &|_| true, &|_| false);
        assert!(gone.mismatches[0].ends_with("take it off the list"), "{gone:?}");
        let text = "[[known]]\ncase = 'sent-on/opnssl/engine'\nsut = 's'\noutcome = 'fail'\nreason = 'x'\n";
        let gone = Gate::parse(text).unwrap().judge(&[], &|_| true, &|id| is(id));
        assert!(gone.mismatches[0].contains("name its writer (opnssl and engine) with --sut"), "{gone:?}");
    }

    #[test]
    fn a_malformed_gate_says_what_is_wrong() {
        let one = "[[known]]\ncase = 'a'\nsut = 's'\noutcome = 'fail'\nreason = 'x'\n";
        for (text, words) in [
            ("[[known]]\ncase = 'a'\n", "missing field"),
            ("[[unknown]]\n", "unknown field"),
            (&one.replace("'fail'", "'pass'"), "no failure"),
            (&one.repeat(2), "twice"),
        ] {
            let error = Gate::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
