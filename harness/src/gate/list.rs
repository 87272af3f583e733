//! The file of a gate: what is known to fail, and what passes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use waxseal_verdict::{Outcome, OutcomeRecord};

use super::is_failure;

/// The format that this version reads and writes.
const FORMAT: u32 = 1;

/// The file of known failures, and of what passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// The number of the format, 1; what has none has this one.
    #[serde(default = "format")]
    pub format: u32,
    /// The failures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Known>,
    /// What passes and has to go on passing. What is not listed may pass or not be answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<Passes>,
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

/// What passes on a SUT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passes {
    /// Name of the SUT.
    pub sut: String,
    /// Ids of the cases.
    pub cases: Vec<String>,
}

/// Why a file is no gate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// It is no TOML of this form.
    #[error("{0}")]
    Malformed(String),
    /// It is of another format.
    #[error("format {0}; this version reads 1")]
    Format(u32),
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

const fn format() -> u32 {
    FORMAT
}

impl Default for Gate {
    fn default() -> Self {
        Self { format: FORMAT, known: Vec::new(), passes: Vec::new() }
    }
}

impl Gate {
    /// Reads a gate file.
    ///
    /// # Errors
    /// It is malformed or of another format, lists something twice or lists what is no failure.
    pub fn parse(text: &str) -> Result<Self, GateError> {
        let gate: Self = toml::from_str(text).map_err(|error| GateError::Malformed(error.to_string()))?;
        if gate.format != FORMAT {
            return Err(GateError::Format(gate.format));
        }
        if let Some(known) = gate.known.iter().find(|known| !is_failure(known.outcome)) {
            let Known { case, sut, outcome, .. } = known.clone();
            return Err(GateError::NoFailure { case, sut, outcome });
        }
        let mut seen = BTreeSet::new();
        let failing = gate.known.iter().map(|known| (known.case.as_str(), known.sut.as_str()));
        if let Some((case, sut)) = failing.chain(gate.passing()).find(|place| !seen.insert(*place)) {
            return Err(GateError::Twice { case: case.to_owned(), sut: sut.to_owned() });
        }
        Ok(gate)
    }

    /// The gate that a run passes: its failures are known ones, and what passes has to go on doing so.
    ///
    /// What `before` lists stays where the run did not look at it, and so do the links of failures that are still
    /// there. `decides` and `exists` are those of [`Gate::judge`].
    #[must_use]
    pub fn of<'a>(
        records: impl IntoIterator<Item = &'a OutcomeRecord>,
        before: &Self,
        decides: &dyn Fn(&OutcomeRecord) -> bool,
        exists: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut known: BTreeMap<(String, String), Known> =
            before.known.iter().map(|known| ((known.sut.clone(), known.case.clone()), known.clone())).collect();
        let mut passes: BTreeSet<(String, String)> =
            before.passing().map(|(case, sut)| (sut.to_owned(), case.to_owned())).collect();
        known.retain(|(_, case), _| exists(case));
        passes.retain(|(_, case)| exists(case));
        for record in records {
            // Of what was not asked, or could not be, nobody knows anything new.
            if !decides(record) || record.outcome == Outcome::NotAvailable {
                continue;
            }
            let place = (record.sut.clone(), record.case.clone());
            let link = known.remove(&place).and_then(|known| known.link);
            passes.remove(&place);
            if is_failure(record.outcome) {
                let (sut, case) = place.clone();
                let reason = record.reason.clone().unwrap_or_default();
                known.insert(place, Known { case, sut, outcome: record.outcome, reason, link });
            } else if record.outcome == Outcome::Pass {
                passes.insert(place);
            }
        }
        let mut of_sut: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (sut, case) in passes {
            of_sut.entry(sut).or_default().push(case);
        }
        let passes = of_sut.into_iter().map(|(sut, cases)| Passes { sut, cases }).collect();
        Self { format: FORMAT, known: known.into_values().collect(), passes }
    }

    /// The file.
    ///
    /// # Errors
    /// It cannot be written as TOML: a fault of this program.
    pub fn text(&self) -> Result<String, toml::ser::Error> {
        let list = toml::to_string_pretty(self)?;
        Ok(format!(
            "# Made by `waxseal run --write-known`, for `waxseal run --known`; links may be added by hand.\n{list}"
        ))
    }

    /// What passes, as case and SUT.
    pub fn passing(&self) -> impl Iterator<Item = (&str, &str)> {
        self.passes.iter().flat_map(|of| of.cases.iter().map(|case| (case.as_str(), of.sut.as_str())))
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
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gate, not_asked, record};
    use super::*;

    #[test]
    fn a_malformed_gate_says_what_is_wrong() {
        let one = "[[known]]\ncase = 'a'\nsut = 's'\noutcome = 'fail'\nreason = 'x'\n";
        let passes = "[[passes]]\nsut = 's'\ncases = ['b', 'c']\n";
        Gate::parse(&format!("{one}{passes}")).unwrap();
        for (text, words) in [
            ("[[known]]\ncase = 'a'\n", "missing field"),
            ("[[unknown]]\n", "unknown field"),
            ("format = 2\n", "format 2; this version reads 1"),
            (&one.replace("'fail'", "'pass'"), "no failure"),
            (&one.repeat(2), "a on s is listed twice"),
            (&passes.repeat(2), "b on s is listed twice"),
            (&format!("{one}{}", passes.replace("'c'", "'a'")), "a on s is listed twice"),
        ] {
            let error = Gate::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    /// A vendor who begins has a list of what is wrong today, and every difference from it is seen.
    #[test]
    fn what_is_written_is_what_the_run_passes() {
        let reason = "layer 1: \"bad\"\nsays 'it' \u{1b}[0m";
        let records = [
            record("b", Outcome::Pass, None),
            record("a", Outcome::Fail, Some(reason)),
            record("c", Outcome::Unsupported, Some("does not know sm2")),
            record("d", Outcome::NotAvailable, Some("no recordings")),
            record("e", Outcome::Crash, None),
        ];
        let written = Gate::of(&records, &Gate::default(), &|_| true, &|_| true);
        let read = Gate::parse(&written.text().unwrap()).unwrap();
        assert_eq!(read, written);
        assert_eq!(read.passing().collect::<Vec<_>>(), [("b", "s")]);
        assert_eq!(read.known.iter().map(|known| known.case.as_str()).collect::<Vec<_>>(), ["a", "e"]);
        assert!(read.lists(&records[1]) && read.lists(&records[4]));
    }

    #[test]
    fn what_the_run_did_not_look_at_stays_and_links_stay() {
        let before = "[[known]]\ncase = 'a'\nsut = 's'\noutcome = 'fail'\nreason = 'x'\nlink = 'bug'\n\
                      [[known]]\ncase = 'b'\nsut = 's'\noutcome = 'fail'\nreason = 'x'\n\
                      [[known]]\ncase = 'gone'\nsut = 's'\noutcome = 'fail'\nreason = 'x'\n\
                      [[passes]]\nsut = 's'\ncases = ['c', 'd', 'e', 'gone-2']\n\
                      [[passes]]\nsut = 'peer'\ncases = ['f']\n";
        let records = [
            record("a", Outcome::Hang, Some("y")),
            record("b", Outcome::Pass, None),
            not_asked("c"),
            record("d", Outcome::Unsupported, Some("no")),
            OutcomeRecord { sut: "peer".to_owned(), ..record("f", Outcome::Fail, Some("z")) },
        ];
        let exists = |case: &str| !case.starts_with("gone");
        let after = Gate::of(&records, &Gate::parse(before).unwrap(), &|record| record.sut == "s", &exists);
        let known: Vec<_> =
            after.known.iter().map(|one| (one.case.as_str(), one.outcome, one.link.as_deref())).collect();
        assert_eq!(known, [("a", Outcome::Hang, Some("bug"))]);
        let passes: Vec<_> = after.passing().collect();
        assert_eq!(passes, [("f", "peer"), ("b", "s"), ("c", "s"), ("e", "s")]);
        assert_eq!(gate().format, 1);
    }
}
