//! The numbers of a run, for a terminal and for another program.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use waxseal_verdict::{Evidence, Knowledge, Outcome};

use crate::grid::Grid;
use crate::privacy::Privacy;
use crate::round_trip::RoundTrips;
use crate::{CaseText, ClientSummary, Known, Run};

/// What a run comes to.
///
/// Written as JSON it is format 1; names are added, never renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The format of this object, 1.
    pub format: u32,
    /// The id of the run.
    pub run: String,
    /// When it started, RFC 3339.
    pub started: String,
    /// Wall-clock time, milliseconds; of the longest shard.
    pub ms: Option<u64>,
    /// The version of Waxseal that ran.
    pub waxseal: String,
    /// SHA-256 over the corpus, lower-case hexadecimal.
    pub corpus: String,
    /// What the record lacks; empty if it is whole.
    pub missing: Vec<String>,
    /// How many cases ran or were planned.
    pub cases: usize,
    /// One entry for each SUT.
    pub suts: Vec<SutSummary>,
    /// Cases by where their bytes come from.
    pub evidence: BTreeMap<Evidence, usize>,
    /// Outcomes by how they are known.
    pub knowledge: BTreeMap<Knowledge, usize>,
    /// Positives that no independent implementation accepted, by id.
    pub unwitnessed: Vec<String>,
    /// Everything that is neither a pass nor a known inability.
    pub findings: Vec<Finding>,
    /// What is known of clients that took no part. It is no outcome, and counts nowhere above.
    pub clients: Vec<ClientSummary>,
}

/// What one SUT comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SutSummary {
    /// Name of the SUT.
    pub name: String,
    /// Its version, if it was admitted.
    pub version: Option<String>,
    /// Why it takes no part, if it does not.
    pub not_available: Option<String>,
    /// Outcomes by kind; only those that occur.
    pub outcomes: BTreeMap<Outcome, usize>,
}

/// One outcome that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Id of the case.
    pub case: String,
    /// Name of the SUT.
    pub sut: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, in one line, without addresses of recorded mails.
    pub reason: Option<String>,
}

impl Summary {
    /// Counts a run.
    #[must_use]
    pub fn of(run: &Run, cases: &[CaseText], known: &Known) -> Self {
        let grid = Grid::new(run, cases);
        let mut suts: Vec<_> = grid
            .suts
            .iter()
            .map(|sut| SutSummary {
                name: sut.name.clone(),
                version: sut.version.clone(),
                not_available: sut.not_available.clone(),
                outcomes: BTreeMap::new(),
            })
            .collect();
        let mut evidence = BTreeMap::new();
        let mut knowledge = BTreeMap::new();
        let mut findings = Vec::new();
        for row in &grid.rows {
            if let Some(kind) = row.evidence() {
                *evidence.entry(kind).or_default() += 1;
            }
            for (sut, cell) in suts.iter_mut().zip(&row.cells) {
                let Some(cell) = cell else { continue };
                *sut.outcomes.entry(cell.outcome).or_default() += 1;
                // Of a message that was not here nobody knows anything.
                if cell.outcome != Outcome::NotAvailable {
                    *knowledge.entry(cell.knowledge).or_default() += 1;
                }
                if is_finding(cell.outcome) {
                    findings.push(Finding {
                        case: cell.case.clone(),
                        sut: cell.sut.clone(),
                        outcome: cell.outcome,
                        reason: Privacy { include: false }.reason(cell),
                    });
                }
            }
        }
        let unwitnessed = grid.rows.iter().filter(|row| row.is_unwitnessed()).map(|row| row.id.to_owned()).collect();
        let columns = known.columns(&RoundTrips::of(run, cases));
        let clients = columns.iter().map(ClientSummary::of).collect();
        let head = run.head();
        Self {
            format: 1,
            run: run.id().to_owned(),
            started: head.started.clone(),
            ms: run.ms(),
            waxseal: head.waxseal.clone(),
            corpus: head.corpus.clone(),
            missing: run.missing().to_vec(),
            cases: grid.rows.len(),
            suts,
            evidence,
            knowledge,
            unwitnessed,
            findings,
            clients,
        }
    }

    /// The summary as JSON, one object, indented.
    #[must_use]
    pub fn json(&self) -> String {
        // A struct of strings, numbers and maps with string keys always has a written form.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The outcomes as a plain table, one line for each SUT.
    #[must_use]
    pub fn text(&self) -> String {
        let kinds: Vec<_> = Outcome::ALL
            .iter()
            .copied()
            .filter(|kind| self.suts.iter().any(|sut| sut.outcomes.contains_key(kind)))
            .collect();
        let label = |sut: &SutSummary| match &sut.version {
            Some(version) => format!("{} {version}", sut.name),
            None => sut.name.clone(),
        };
        let wide = self.suts.iter().map(|sut| label(sut).chars().count()).max().unwrap_or(0).max("SUT".len());
        let mut out = format!("{:wide$}", "SUT");
        for kind in &kinds {
            let _ = write!(out, "  {kind}");
        }
        out.push('\n');
        for sut in &self.suts {
            let _ = write!(out, "{:wide$}", label(sut));
            for kind in &kinds {
                let count = sut.outcomes.get(kind).copied().unwrap_or(0);
                let _ = write!(out, "  {count:>width$}", width = kind.code().len());
            }
            out.push('\n');
        }
        for missing in &self.missing {
            let _ = writeln!(out, "incomplete: {missing}");
        }
        out
    }
}

/// The outcomes of a run as a plain table for a terminal.
#[must_use]
pub fn text(run: &Run) -> String {
    Summary::of(run, &[], &Known::default()).text()
}

/// The numbers of a run as JSON, see [`Summary`].
#[must_use]
pub fn json(run: &Run, cases: &[CaseText], known: &Known) -> String {
    Summary::of(run, cases, known).json()
}

/// Whether an outcome says something about the SUT that is worth a look.
pub(crate) const fn is_finding(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Pass | Outcome::Unsupported | Outcome::NotAvailable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::small;

    #[test]
    fn table_for_a_terminal() {
        let (run, _) = small();
        insta::assert_snapshot!(text(&run), @r"
        SUT             pass  fail  not-available
        engine 0.1.0       3     0              0
        openssl 3.0.17     2     1              0
        gpgsm              0     0              3
        ");
    }

    #[test]
    fn numbers_for_a_program() {
        let (run, cases) = small();
        insta::assert_snapshot!(json(&run, &cases, &Known::default()));
    }

    #[test]
    fn what_is_known_of_clients_stands_beside_the_outcomes() {
        let run = crate::testing::written(&[("engine", "encrypted.rsa.aes-256-gcm.small")]);
        let corpus = waxseal_model::Corpus::embedded().unwrap();
        let known = Known::of(&corpus, &waxseal_model::Shapes::embedded().unwrap());
        let summary: serde_json::Value = serde_json::from_str(&json(&run, &[], &known)).unwrap();
        let clients = summary["clients"].as_array().unwrap();
        let outlook = clients.iter().find(|client| client["client"] == "outlook").unwrap();
        let mail = serde_json::json!({ "answer": "no", "knowledge": "documented" });
        assert_eq!(outlook["mails"]["encrypted.rsa.aes-256-gcm.small"], mail);
        let cipher =
            outlook["features"].as_array().unwrap().iter().find(|one| one["feature"] == "aes-256-gcm").unwrap();
        assert_eq!(cipher["lines"][0]["versions"], "2025");
        assert_eq!(summary["knowledge"], serde_json::json!({ "measured": 1 }));
    }

    #[test]
    fn first_comes_the_client_of_which_most_is_known() {
        let written = ["encrypted.rsa.aes-256-gcm.small", "clear.rsa.small"].map(|scenario| ("engine", scenario));
        let run = crate::testing::written(&written);
        let corpus = waxseal_model::Corpus::embedded().unwrap();
        let known = Known::of(&corpus, &waxseal_model::Shapes::embedded().unwrap());
        let summary: serde_json::Value = serde_json::from_str(&json(&run, &[], &known)).unwrap();
        let is_known = |mail: &&serde_json::Value| mail["answer"] != "unknown";
        let counts = summary["clients"].as_array().unwrap().iter();
        let counts: Vec<usize> =
            counts.map(|client| client["mails"].as_object().unwrap().values().filter(is_known).count()).collect();
        assert!(counts.is_sorted_by(|a, b| a >= b) && counts.first() > counts.last(), "{counts:?}");
    }

    #[test]
    fn a_positive_that_only_the_engine_accepts_is_unwitnessed() {
        let (_, mut cases) = small();
        let (run, _) = small();
        assert_eq!(Summary::of(&run, &cases, &Known::default()).unwitnessed, Vec::<String>::new());
        // The recorded mail fails on openssl: had Waxseal made it, it would lack a witness.
        cases[2].evidence = Evidence::Generated;
        assert_eq!(Summary::of(&run, &cases, &Known::default()).unwitnessed, ["recorded/outlook/one"]);
        cases[2].witnessed = true;
        assert_eq!(Summary::of(&run, &cases, &Known::default()).unwitnessed, Vec::<String>::new());
    }
}
