//! Cases × SUTs, each cell found once.

use std::collections::HashMap;

use waxseal_verdict::{Evidence, Outcome, OutcomeRecord, SutRecord};

use crate::{CaseText, Run};

/// The outcomes of a run as a table.
pub(crate) struct Grid<'a> {
    pub(crate) suts: &'a [SutRecord],
    /// Sorted by id.
    pub(crate) rows: Vec<Row<'a>>,
}

/// One case.
pub(crate) struct Row<'a> {
    pub(crate) id: &'a str,
    pub(crate) text: Option<&'a CaseText>,
    /// One cell for each SUT; none if the run ended before it.
    pub(crate) cells: Vec<Option<&'a OutcomeRecord>>,
}

impl<'a> Grid<'a> {
    pub(crate) fn new(run: &'a Run, cases: &'a [CaseText]) -> Self {
        let texts: HashMap<&str, &CaseText> = cases.iter().map(|text| (text.id.as_str(), text)).collect();
        let columns: HashMap<&str, usize> =
            run.suts().iter().enumerate().map(|(column, sut)| (sut.name.as_str(), column)).collect();
        let mut rows: Vec<Row<'a>> = run
            .cases()
            .into_iter()
            .map(|id| Row { id, text: texts.get(id).copied(), cells: vec![None; columns.len()] })
            .collect();
        for outcome in run.outcomes() {
            let row = rows.binary_search_by_key(&outcome.case.as_str(), |row| row.id);
            if let (Ok(row), Some(column)) = (row, columns.get(outcome.sut.as_str())) {
                rows[row].cells[*column] = Some(outcome);
            }
        }
        Self { suts: run.suts(), rows }
    }
}

impl Row<'_> {
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = &OutcomeRecord> {
        self.cells.iter().copied().flatten()
    }

    /// Where the bytes come from, if anything in the run says so.
    pub(crate) fn evidence(&self) -> Option<Evidence> {
        self.text.map(|text| text.evidence).or_else(|| self.outcomes().next().map(|outcome| outcome.evidence))
    }

    /// A positive that Waxseal made and that no implementation but Waxseal
    /// itself accepted; only its own word says that it is right.
    pub(crate) fn is_unwitnessed(&self) -> bool {
        self.text.is_some_and(CaseText::needs_witness)
            && !self.outcomes().any(|outcome| outcome.outcome == Outcome::Pass && !is_reference(&outcome.sut))
    }
}

/// Whether a SUT is the engine itself, on whichever arithmetic provider.
pub(crate) fn is_reference(sut: &str) -> bool {
    sut == "engine" || sut.starts_with("engine-")
}
