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
    suts: &'a [SutRecord],
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
            .map(|id| Row { id, text: texts.get(id).copied(), suts: run.suts(), cells: vec![None; columns.len()] })
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
            && !self
                .cells
                .iter()
                .zip(self.suts)
                .any(|(cell, sut)| cell.is_some_and(|outcome| outcome.outcome == Outcome::Pass) && !sut.is_reference())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_run;
    use crate::testing::{head, line, outcome, record};
    use waxseal_verdict::Record;

    /// A shim that a user calls `engine` becomes `engine-2`: it is another program, and its word counts.
    #[test]
    fn only_the_reference_is_no_witness() {
        let case = CaseText::new("signed/clear/rsa", "A clear-signed mail", Evidence::Generated);
        assert!(case.needs_witness());
        for (name, reference, unwitnessed) in [
            ("engine", None, true),
            ("engine-rustcrypto", None, true),
            ("engine-2", None, false),
            ("engine-2", Some(false), false),
            ("another", Some(true), true),
        ] {
            let Record::Run(mut run) = head() else { panic!("a head") };
            (run.suts[0].name, run.suts[0].reference) = (name.to_owned(), reference);
            let lines = [line("1/1", Record::Run(run)), line("1/1", outcome(&case.id, name, Outcome::Pass))];
            let run = read_run(record(&lines).as_bytes()).unwrap();
            let cases = [case.clone()];
            let grid = Grid::new(&run, &cases);
            assert_eq!(grid.rows[0].is_unwitnessed(), unwitnessed, "{name} {reference:?}");
        }
    }
}
