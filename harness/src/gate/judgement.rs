//! What a gate says of a run.

use std::collections::{BTreeMap, BTreeSet};

use waxseal_verdict::{Outcome, OutcomeRecord};

use super::is_failure;
use super::list::{Gate, Known};
use crate::matrix;

/// What a gate says of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judgement {
    /// What does not match, in words; empty: the gate is passed.
    pub mismatches: Vec<String>,
    /// Listed cases that this run could not look at, and why.
    pub unseen: Vec<String>,
}

/// What of a run is for a gate.
pub struct View<'a> {
    /// Whether an outcome decides anything.
    pub decides: &'a dyn Fn(&OutcomeRecord) -> bool,
    /// Whether there is a case of this id at all, in this run or another one.
    pub exists: &'a dyn Fn(&str) -> bool,
    /// Whether this run looks at everything that there is of a SUT.
    pub is_whole: &'a dyn Fn(&str) -> bool,
}

/// Cases of SUTs of which the same is to be said, by SUT and words: how many, and the first.
#[derive(Default)]
pub(super) struct Many(BTreeMap<(String, String), (usize, String)>);

impl Many {
    pub(super) fn add(&mut self, case: &str, sut: &str, words: String) {
        let (count, first) = self.0.entry((sut.to_owned(), words)).or_insert((0, case.to_owned()));
        *count += 1;
        if case < first.as_str() {
            case.clone_into(first);
        }
    }

    /// Notes an outcome of a SUT that was asked no more, and says whether it is one.
    pub(super) fn add_not_asked(&mut self, record: &OutcomeRecord) -> bool {
        if record.not_asked {
            self.add(&record.case, &record.sut, record.reason.clone().unwrap_or_default());
        }
        record.not_asked
    }

    /// One line each: there may be a thousand cases.
    pub(super) fn words(self) -> impl Iterator<Item = String> {
        self.0.into_iter().map(|((sut, words), (count, first))| match count {
            1 => format!("{first} on {sut}: {words}"),
            _ => format!("{count} cases on {sut}, {first} and others: {words}"),
        })
    }
}

impl Gate {
    /// Compares a run with the list.
    #[must_use]
    pub fn judge<'a>(&self, records: impl IntoIterator<Item = &'a OutcomeRecord>, view: &View<'_>) -> Judgement {
        let mut judgement = Judgement::default();
        let (mut wrong, mut unseen) = (Many::default(), Many::default());
        let mut listed: BTreeMap<(&str, &str), &Known> =
            self.known.iter().map(|known| ((known.case.as_str(), known.sut.as_str()), known)).collect();
        let mut passing: BTreeSet<(&str, &str)> = self.passing().collect();
        for record in records {
            let place = (record.case.as_str(), record.sut.as_str());
            let (found, passed) = (listed.remove(&place), passing.remove(&place));
            if !(view.decides)(record) {
                if found.is_some() || passed {
                    unseen.add(place.0, place.1, "it decides nothing where peers take part".to_owned());
                }
            } else if !wrong.add_not_asked(record) {
                match found {
                    Some(known) => listed_failure(&mut judgement, known, record),
                    None => unlisted(&mut judgement, &mut wrong, record, passed),
                }
            }
        }
        for (case, sut) in listed.into_keys() {
            if (view.exists)(case) {
                judgement.unseen.push(format!("{case} on {sut}: not part of this run"));
            } else {
                judgement.mismatches.push(format!("{case} on {sut}: {}", no_such(case)));
            }
        }
        for (case, sut) in passing {
            match ((view.exists)(case), (view.is_whole)(sut)) {
                (false, _) => wrong.add(case, sut, no_such(case)),
                (true, true) => wrong.add(case, sut, ABSENT.to_owned()),
                (true, false) => unseen.add(case, sut, "not part of this run".to_owned()),
            }
        }
        judgement.mismatches.extend(wrong.words());
        judgement.unseen.extend(unseen.words());
        judgement
    }
}

/// What passed, and is not there in a run of everything: the SUT no longer says that it can, or somebody it met is gone.
const ABSENT: &str = "listed as passing, and not part of this run, which has everything that the SUT declares: it \
                      declares less, the run was started with less, or a program it met is not on this machine";

fn no_such(case: &str) -> String {
    let writers = matrix::writers_of(case).join(" and ");
    let or = if writers.is_empty() { writers } else { format!(", or name its writer ({writers}) with --sut") };
    format!("there is no such case; take it off the list{or}")
}

/// A case that is listed as a failure.
fn listed_failure(judgement: &mut Judgement, known: &Known, record: &OutcomeRecord) {
    let reason = record.reason.as_deref().unwrap_or_default();
    let what = match record.outcome {
        Outcome::Pass => format!("passes now; take it off the list ({})", known.outcome),
        Outcome::NotAvailable => {
            judgement.unseen.push(format!("{} on {}: not-available: {reason}", record.case, record.sut));
            return;
        }
        outcome if outcome != known.outcome => format!("{outcome} now, listed as {}: {reason}", known.outcome),
        _ if known.reason != reason => format!("the reason changed: {reason:?} now, listed as {:?}", known.reason),
        _ => return,
    };
    judgement.mismatches.push(format!("{} on {}: {what}", record.case, record.sut));
}

/// A case that is listed as passing (`passed`), or not at all.
fn unlisted(judgement: &mut Judgement, wrong: &mut Many, record: &OutcomeRecord, passed: bool) {
    let reason = record.reason.as_deref().unwrap_or_default();
    let place = format!("{} on {}", record.case, record.sut);
    match (is_failure(record.outcome), passed) {
        (true, true) => {
            judgement.mismatches.push(format!("{place}: {} now, listed as passing: {reason}", record.outcome))
        }
        (true, false) => judgement.mismatches.push(format!("{place}: {} is not listed: {reason}", record.outcome)),
        (false, true) if record.outcome != Outcome::Pass => {
            let words = format!("{} now, listed as passing: {reason}", record.outcome);
            wrong.add(&record.case, &record.sut, words);
        }
        (false, _) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gate, not_asked, record};
    use super::*;

    fn judge(records: &[OutcomeRecord]) -> Judgement {
        judge_with(&gate(), records, false)
    }

    fn judge_with(gate: &Gate, records: &[OutcomeRecord], whole: bool) -> Judgement {
        let exists = |id: &str| ["a", "b", "c"].contains(&id);
        gate.judge(records, &View { decides: &|_| true, exists: &exists, is_whole: &|sut| whole && sut == "s" })
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
        let nothing = |_: &str| false;
        let gone = gate().judge(&[], &View { decides: &|_| true, exists: &nothing, is_whole: &nothing });
        assert!(gone.mismatches[0].contains("there is no such case"), "{gone:?}");
        assert!(gone.mismatches[0].ends_with("take it off the list"), "{gone:?}");
        let elsewhere = judge(&[]);
        assert!(elsewhere.mismatches.is_empty() && elsewhere.unseen.len() == 1, "{elsewhere:?}");
        let absent = judge(&[record("a", Outcome::NotAvailable, Some("no recordings"))]);
        assert!(absent.mismatches.is_empty() && absent.unseen.len() == 1, "{absent:?}");
        let text = "[[known]]\ncase = 'sent-on/opnssl/engine'\nsut = 's'\noutcome = 'fail'\nreason = 'x'\n";
        let gone = judge_with(&Gate::parse(text).unwrap(), &[], false);
        assert!(gone.mismatches[0].contains("name its writer (opnssl and engine) with --sut"), "{gone:?}");
    }

    /// Whatever the list says: of a case that was not asked nobody knows whether it is as before.
    #[test]
    fn what_was_not_asked_any_more_fails() {
        let gone = judge(&[not_asked("b"), not_asked("c"), not_asked("a")]);
        assert_eq!(gone.mismatches, ["3 cases on s, a and others: not asked any more"]);
        assert!(gone.unseen.is_empty(), "{gone:?}");
        let gone = judge(&[record("a", Outcome::Fail, Some("x")), not_asked("b")]);
        assert_eq!(gone.mismatches, ["b on s: not asked any more"]);
    }

    /// A SUT that declares less than yesterday fails nothing any more, and must not pass by that.
    #[test]
    fn what_passed_and_is_not_answered_any_more_fails() {
        let passes = Gate::parse("[[passes]]\nsut = 's'\ncases = ['a', 'b', 'c']\n").unwrap();
        let pass = |case: &str| record(case, Outcome::Pass, None);
        let still = [pass("a"), pass("b"), pass("c"), record("d", Outcome::Unsupported, Some("no"))];
        assert_eq!(judge_with(&passes, &still, true), Judgement::default());
        for (outcome, reason) in [(Outcome::Unsupported, "does not know sm2"), (Outcome::NotAvailable, "no recordings")]
        {
            let lost = judge_with(
                &passes,
                &[record("b", outcome, Some(reason)), pass("a"), record("c", outcome, Some(reason))],
                true,
            );
            let words = format!("2 cases on s, b and others: {outcome} now, listed as passing: {reason}");
            assert_eq!(lost.mismatches, [words]);
        }
        let lost = judge_with(&passes, &[pass("a"), pass("b"), record("c", Outcome::Fail, Some("x"))], true);
        assert_eq!(lost.mismatches, ["c on s: fail now, listed as passing: x"]);
        // Of a whole run nothing may be missing; of a part of one it is told.
        let part = [pass("a")];
        let lost = judge_with(&passes, &part, true);
        assert_eq!(lost.mismatches, [format!("2 cases on s, b and others: {ABSENT}")]);
        let told = judge_with(&passes, &part, false);
        assert!(told.mismatches.is_empty(), "{told:?}");
        assert_eq!(told.unseen, ["2 cases on s, b and others: not part of this run"]);
        let gone = Gate::parse("[[passes]]\nsut = 's'\ncases = ['no/such']\n").unwrap();
        assert_eq!(
            judge_with(&gone, &[], false).mismatches,
            ["no/such on s: there is no such case; take it off the list"]
        );
    }
}
