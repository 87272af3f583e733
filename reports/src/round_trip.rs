//! Writers × readers: what came of every mail that one program wrote and
//! another read.

use std::collections::{BTreeMap, BTreeSet};

use waxseal_verdict::{ContentMatch, Evidence, Outcome, OutcomeRecord};

use crate::grid::Grid;
use crate::{CaseText, Run};

/// The area of mails that were written for the run: `matrix/SCENARIO/WRITER`.
const MATRIX: &str = "matrix/";
/// The area of their having been written: `write/SCENARIO/WRITER`.
const WRITE: &str = "write/";
/// The area of mails that a second program opened and sent on: `sent-on/FIRST/SECOND`.
const SENT_ON: &str = "sent-on/";
/// The area of the catalogue: `recorded/CLIENT/NAME`.
const RECORDED: &str = "recorded/";
/// How the name of a writer begins that is the shape of a client: `matrix/SCENARIO/replica-NAME`.
const REPLICA: &str = "replica-";

/// Whether a case is a mail of the matrix, or its having been written.
pub(crate) fn is_round_trip(id: &str) -> bool {
    [MATRIX, WRITE, SENT_ON].iter().any(|area| id.starts_with(area))
}

/// The table.
pub(crate) struct RoundTrips<'a> {
    /// Readers that took part, in the order of the run.
    pub(crate) readers: Vec<&'a str>,
    /// Programs that wrote for the run, then shapes of clients, then clients of whom mail was recorded.
    pub(crate) rows: Vec<Row<'a>>,
}

/// How mails came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A program wrote them for the run.
    Written,
    /// They were written for it in the shape of a client.
    Replica,
    /// They were recorded before.
    Recorded,
    /// One program wrote them, and a second one opened them and sent on what came out.
    SentOn,
}

/// What one program or client wrote.
pub(crate) struct Row<'a> {
    /// The program or client; of a chain both programs.
    pub(crate) writer: String,
    pub(crate) source: Source,
    /// Mails that it wrote, by the ids of their cases, and those that it was asked for and did not write.
    pub(crate) mails: Vec<&'a str>,
    pub(crate) not_written: Vec<&'a OutcomeRecord>,
    /// One for each reader.
    pub(crate) cells: Vec<Cell<'a>>,
}

/// What one reader said of the mails of one writer.
#[derive(Default)]
pub(crate) struct Cell<'a> {
    /// Mails that came out right.
    pub(crate) right: usize,
    /// Of those, mails whose content came out in another encoding.
    pub(crate) equal: usize,
    /// Mails that it says it cannot read.
    pub(crate) unsupported: usize,
    /// Everything else.
    pub(crate) findings: Vec<&'a OutcomeRecord>,
}

impl<'a> RoundTrips<'a> {
    /// Reads them out of a run; nothing if it has no mail that somebody else wrote.
    pub(crate) fn of(run: &'a Run, cases: &'a [CaseText]) -> Self {
        let readers: Vec<&str> =
            run.suts().iter().filter(|sut| sut.not_available.is_none()).map(|sut| sut.name.as_str()).collect();
        let negative: BTreeSet<&str> =
            cases.iter().filter(|case| case.expected.is_negative()).map(|case| case.id.as_str()).collect();
        let mut rows: BTreeMap<(Source, String), Row<'a>> = BTreeMap::new();
        let mut mails: BTreeSet<&str> = BTreeSet::new();
        for outcome in run.outcomes() {
            let id = outcome.case.as_str();
            let recorded = id.starts_with(RECORDED) && outcome.evidence == Evidence::Recorded && !negative.contains(id);
            let last = || id.rsplit('/').next().unwrap_or_default().to_owned();
            // A chain that broke is `write/sent-on.FIRST.SECOND`.
            let parts: Vec<&str> = id.split(['/', '.']).filter(|part| *part != "write").collect();
            let (source, writer) = match parts.as_slice() {
                ["sent-on", first, second] => (Source::SentOn, format!("{first} → {second}")),
                _ if is_round_trip(id) => match (outcome.evidence, last()) {
                    (Evidence::Replica, name) => {
                        (Source::Replica, name.strip_prefix(REPLICA).map(str::to_owned).unwrap_or(name))
                    }
                    (_, name) => (Source::Written, name),
                },
                ["recorded", client, ..] if recorded => (Source::Recorded, (*client).to_owned()),
                _ => continue,
            };
            let row = rows.entry((source, writer.clone())).or_insert_with(|| Row {
                writer,
                source,
                mails: Vec::new(),
                not_written: Vec::new(),
                cells: readers.iter().map(|_| Cell::default()).collect(),
            });
            if id.starts_with(WRITE) {
                match outcome.outcome {
                    Outcome::Pass => {}
                    _ => row.not_written.push(outcome),
                }
                continue;
            }
            let Some(column) = readers.iter().position(|name| *name == outcome.sut) else { continue };
            // A mail that is not on this machine was read by nobody.
            if outcome.outcome == Outcome::NotAvailable {
                continue;
            }
            if mails.insert(id) {
                row.mails.push(id);
            }
            row.cells[column].add(outcome);
        }
        let mut rows: Vec<Row<'a>> =
            rows.into_values().filter(|row| row.mails.len() + row.not_written.len() > 0).collect();
        // The order of the run for those who took part in it.
        let place = |row: &Row<'_>| (row.source, readers.iter().position(|name| *name == row.writer));
        rows.sort_by_key(place);
        Self { readers, rows }
    }

    /// Mails and readings that came out right, and all that were tried.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let cells = || self.rows.iter().flat_map(|row| &row.cells);
        let right: usize = cells().map(|cell| cell.right).sum();
        (right, right + cells().map(|cell| cell.findings.len()).sum::<usize>())
    }
}

impl<'a> Cell<'a> {
    fn add(&mut self, outcome: &'a OutcomeRecord) {
        match outcome.outcome {
            Outcome::Pass => {
                self.right += 1;
                self.equal += usize::from(outcome.content == Some(ContentMatch::Equal));
            }
            Outcome::Unsupported => self.unsupported += 1,
            _ => self.findings.push(outcome),
        }
    }

    /// How many mails it was really asked about.
    pub(crate) fn asked(&self) -> usize {
        self.right + self.findings.len()
    }
}

impl<'a> Grid<'a> {
    /// Without the mails of the matrix and of transport, which have tables of their own.
    pub(crate) fn of_cases(run: &'a Run, cases: &'a [CaseText]) -> Self {
        let mut grid = Self::new(run, cases);
        grid.rows.retain(|row| !is_round_trip(row.id) && !crate::transport::is_transport(row.id));
        grid
    }
}

/// The scenario of a mail of the matrix, or the whole id of a recorded one.
pub(crate) fn mail_of(id: &str) -> &str {
    match id.strip_prefix(MATRIX).or_else(|| id.strip_prefix(WRITE)) {
        Some(rest) => rest.split('/').next().unwrap_or(rest),
        None => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_run;
    use crate::testing::{head, line, outcome, record};

    #[test]
    fn cells_count_what_each_reader_said() {
        let rows = [
            ("write/clear.rsa.small/openssl", "openssl", Outcome::Pass),
            ("write/opaque.rsa.small/openssl", "openssl", Outcome::Crash),
            ("matrix/clear.rsa.small/openssl", "engine", Outcome::Pass),
            ("matrix/clear.rsa.small/openssl", "openssl", Outcome::Fail),
            ("recorded/outlook/one", "engine", Outcome::Pass),
            ("recorded/outlook/one", "openssl", Outcome::Unsupported),
            ("sent-on/engine/openssl", "engine", Outcome::Pass),
            ("write/sent-on.openssl.engine", "engine", Outcome::Fail),
            ("signed/clear/rsa", "engine", Outcome::Pass),
            ("matrix/clear.rsa.small/replica-quill-1", "openssl", Outcome::Pass),
        ];
        let mut lines = vec![line("1/1", head())];
        lines.extend(rows.map(|(case, sut, what)| {
            let mut one = outcome(case, sut, what);
            if let waxseal_verdict::Record::Outcome(row) = &mut one {
                let replica = case.contains("/replica-");
                row.evidence = if replica { Evidence::Replica } else { Evidence::Recorded };
            }
            line("1/1", one)
        }));
        let run = read_run(record(&lines).as_bytes()).unwrap();
        let trips = RoundTrips::of(&run, &[]);
        assert_eq!(trips.readers, ["engine", "openssl"]);
        let shown: Vec<_> = trips
            .rows
            .iter()
            .map(|row| {
                let cells = row.cells.iter().map(|cell| (cell.right, cell.unsupported, cell.findings.len()));
                (row.writer.as_str(), row.mails.len(), row.not_written.len(), cells.collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("openssl", 1, 1, vec![(1, 0, 0), (0, 0, 1)]),
                ("quill-1", 1, 0, vec![(0, 0, 0), (1, 0, 0)]),
                ("outlook", 1, 0, vec![(1, 0, 0), (0, 1, 0)]),
                ("engine → openssl", 1, 0, vec![(1, 0, 0), (0, 0, 0)]),
                ("openssl → engine", 0, 1, vec![(0, 0, 0), (0, 0, 0)]),
            ]
        );
        assert_eq!(trips.counts(), (4, 5));
        assert_eq!(Grid::of_cases(&run, &[]).rows.len(), 2);
    }
}
