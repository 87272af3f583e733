//! The gate: a file of known failures, each with its observed reason. It fails
//! when a failure is not listed, when a listed one passes, when its reason
//! changed, and when a listed case no longer exists.
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
use waxseal_verdict::{Outcome, OutcomeRecord};

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
    /// `exists`: whether there is a case of this id at all, in this run or another one.
    #[must_use]
    pub fn judge<'a>(
        &self,
        records: impl IntoIterator<Item = &'a OutcomeRecord>,
        exists: &dyn Fn(&str) -> bool,
    ) -> Judgement {
        let mut judgement = Judgement::default();
        let mut listed: BTreeMap<(&str, &str), &Known> =
            self.known.iter().map(|known| ((known.case.as_str(), known.sut.as_str()), known)).collect();
        for record in records {
            let found = listed.remove(&(record.case.as_str(), record.sut.as_str()));
            let place = format!("{} on {}", record.case, record.sut);
            let reason = record.reason.as_deref().unwrap_or_default();
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
                judgement.mismatches.push(format!("{case} on {sut}: there is no such case; take it off the list"));
            }
        }
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
        gate().judge(records, &|id| ["a", "b"].contains(&id))
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
        let gone = gate().judge(&[], &|_| false);
        assert!(gone.mismatches[0].contains("there is no such case"), "{gone:?}");
        let elsewhere = judge(&[]);
        assert!(elsewhere.mismatches.is_empty() && elsewhere.unseen.len() == 1, "{elsewhere:?}");
        let absent = judge(&[record("a", Outcome::NotAvailable, Some("no recordings"))]);
        assert!(absent.mismatches.is_empty() && absent.unseen.len() == 1, "{absent:?}");
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
