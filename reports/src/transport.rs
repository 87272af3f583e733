//! Ways × letters: what became of every mail that went through something.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;
use waxseal_verdict::{Arrival, ArrivalRecord, Aspect, AspectName, Outcome, OutcomeRecord, SutRecord};

use crate::Run;

/// The area of mails that went a way: `transport/WAY/LETTER`.
const TRANSPORT: &str = "transport/";
/// How the names of letters begin that somebody else wrote.
const RECORDED: &str = "recorded.";

/// Whether a case is a mail that went a way.
pub(crate) fn is_transport(id: &str) -> bool {
    id.starts_with(TRANSPORT)
}

/// The table.
#[derive(Debug, Serialize)]
pub struct Ways<'a> {
    /// The letters, in the order of the run.
    pub letters: Vec<&'a str>,
    /// One row for each mangling and route.
    pub rows: Vec<Row<'a>>,
}

/// What one way did.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    /// Name of the mangling or route.
    pub way: &'a str,
    /// The programs on the way, with their versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<&'a str>,
    /// One for each letter; none if it did not go this way.
    pub cells: Vec<Option<Cell<'a>>>,
    /// Mails of the catalogue that went this way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<Cell<'a>>,
}

/// One mail on one way.
#[derive(Debug, Serialize)]
pub struct Cell<'a> {
    /// How it arrived.
    pub arrival: &'a ArrivalRecord,
    /// What the reference engine, or the first reader, said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<&'a OutcomeRecord>,
    /// Readers that said something else than was expected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<&'a OutcomeRecord>,
}

/// What became of a mail, in a word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Became {
    /// It arrived octet for octet.
    Identical,
    /// Its octets changed, and no layer is judged worse for it.
    Survived,
    /// The first bad aspect has this reason.
    Damaged(String),
    /// It has no layer any more.
    Unprotected,
    /// A server did not take it.
    Refused,
    /// Something came of it that nothing foresaw.
    Finding,
    /// Nobody read it.
    NotRead,
    /// The servers are not on this machine.
    NotAvailable,
}

impl std::fmt::Display for Became {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Identical => "identical",
            Self::Survived => "survives",
            Self::Damaged(reason) => reason,
            Self::Unprotected => "unprotected",
            Self::Refused => "refused",
            Self::Finding => "finding",
            Self::NotRead => "not read",
            Self::NotAvailable => "not available",
        })
    }
}

impl<'a> Ways<'a> {
    /// Reads it out of a run; without rows if nothing was sent in it.
    #[must_use]
    pub fn of(run: &'a Run) -> Self {
        let mut outcomes: BTreeMap<&str, Vec<&OutcomeRecord>> = BTreeMap::new();
        for outcome in run.outcomes().iter().filter(|outcome| is_transport(&outcome.case)) {
            outcomes.entry(&outcome.case).or_default().push(outcome);
        }
        let reference = run.suts().iter().filter(|sut| SutRecord::is_reference(sut));
        let reference: BTreeSet<&str> = reference.map(|sut| sut.name.as_str()).collect();
        let mut ways = Self { letters: Vec::new(), rows: Vec::new() };
        for arrival in run.arrivals() {
            let rest = arrival.case.strip_prefix(TRANSPORT).unwrap_or(&arrival.case);
            let (way, letter) = rest.split_once('/').unwrap_or((rest, ""));
            let read = outcomes.get(arrival.case.as_str()).map_or(&[][..], Vec::as_slice);
            let cell = Cell::of(arrival, read, &reference);
            let through = arrival.through.as_deref();
            let row = match ways.rows.iter().position(|row| row.way == way) {
                Some(row) => row,
                None => {
                    ways.rows.push(Row { way, through, cells: Vec::new(), recordings: Vec::new() });
                    ways.rows.len() - 1
                }
            };
            let row = &mut ways.rows[row];
            row.through = row.through.or(through);
            if letter.starts_with(RECORDED) {
                row.recordings.push(cell);
                continue;
            }
            let column = match ways.letters.iter().position(|known| *known == letter) {
                Some(column) => column,
                None => {
                    ways.letters.push(letter);
                    ways.letters.len() - 1
                }
            };
            row.cells.resize_with(row.cells.len().max(column + 1), || None);
            row.cells[column] = Some(cell);
        }
        let columns = ways.letters.len();
        ways.rows.iter_mut().for_each(|row| row.cells.resize_with(columns, || None));
        ways
    }

    /// The table for a terminal: on each way, what became of which letters.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let wide = self.rows.iter().map(|row| row.way.len()).max().unwrap_or(0);
        for row in &self.rows {
            let mut groups: BTreeMap<Became, Vec<&str>> = BTreeMap::new();
            for (letter, cell) in self.letters.iter().zip(&row.cells) {
                if let Some(cell) = cell {
                    groups.entry(cell.became()).or_default().push(letter);
                }
            }
            let groups = groups.iter().map(|(became, letters)| match letters.len() == self.letters.len() {
                true => format!("{became}: all"),
                false => format!("{became}: {}", letters.join(" ")),
            });
            let mut groups: Vec<String> = groups.collect();
            if !row.recordings.is_empty() {
                let (whole, all) = row.recordings_whole();
                groups.push(format!("recordings: {whole} of {all} as before"));
            }
            for (number, group) in groups.iter().enumerate() {
                // Writing to a String does not fail.
                let _ = writeln!(text, "{:wide$}  {group}", if number == 0 { row.way } else { "" });
            }
        }
        let absent = self.cells().find_map(|cell| cell.arrival.not_available.as_deref());
        if let Some(why) = absent {
            let _ = writeln!(text, "not available: {why}");
        }
        for cell in self.cells() {
            if let Some(finding) = &cell.arrival.finding {
                let _ = writeln!(text, "finding: {}: {finding}", cell.arrival.case);
            }
            for failed in &cell.failed {
                let reason = failed.reason.as_deref().unwrap_or("no reason given");
                let _ = writeln!(text, "{} {} on {}: {reason}", failed.outcome, failed.case, failed.sut);
            }
        }
        text
    }

    /// Every cell, those of recordings too.
    pub fn cells(&self) -> impl Iterator<Item = &Cell<'a>> {
        self.rows.iter().flat_map(|row| row.cells.iter().flatten().chain(&row.recordings))
    }
}

impl Row<'_> {
    /// How many recordings are judged as before, and how many went this way.
    #[must_use]
    pub fn recordings_whole(&self) -> (usize, usize) {
        let went = || self.recordings.iter().filter(|cell| cell.became() != Became::NotAvailable);
        (went().filter(|cell| cell.is_as_foreseen()).count(), went().count())
    }
}

impl<'a> Cell<'a> {
    fn of(arrival: &'a ArrivalRecord, outcomes: &[&'a OutcomeRecord], reference: &BTreeSet<&str>) -> Self {
        let read = || outcomes.iter().copied().filter(|outcome| outcome.outcome != Outcome::NotAvailable);
        let verdict = read().find(|outcome| reference.contains(outcome.sut.as_str())).or_else(|| read().next());
        let fine = |outcome: Outcome| matches!(outcome, Outcome::Pass | Outcome::Unsupported);
        let failed = read().filter(|outcome| !fine(outcome.outcome)).collect();
        Self { arrival, verdict, failed }
    }

    /// Whether it came to what the clauses say.
    #[must_use]
    pub fn is_as_foreseen(&self) -> bool {
        self.arrival.finding.is_none() && self.failed.is_empty()
    }

    /// What became of it.
    #[must_use]
    pub fn became(&self) -> Became {
        if self.arrival.not_available.is_some() {
            return Became::NotAvailable;
        }
        if self.arrival.finding.is_some() {
            return Became::Finding;
        }
        if self.arrival.refused.is_some() {
            return Became::Refused;
        }
        let Some(verdict) = self.verdict else { return Became::NotRead };
        let bad = verdict.aspects.iter().find_map(|layer| {
            AspectName::ALL.iter().find_map(|name| match layer.aspects.get(name) {
                Some(Aspect::Bad(bad)) => Some(bad.reason.code().to_owned()),
                _ => None,
            })
        });
        match bad {
            Some(reason) => Became::Damaged(reason),
            None if verdict.aspects.is_empty() => Became::Unprotected,
            None if self.arrival.arrived == [Arrival::Identical] => Became::Identical,
            None => Became::Survived,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_run;
    use crate::testing::{arrival, head, line, outcome, record, sound};

    fn run() -> Run {
        use Outcome::{Fail, Pass};
        let mut lines = vec![line("1/1", head())];
        let mut add = |record| lines.push(line("1/1", record));
        add(arrival("transport/footer/clear", &[Arrival::ContentChanged], |_| {}));
        add(sound("transport/footer/clear", "engine", Some(waxseal_verdict::Reason::DigestMismatch)));
        add(arrival("transport/footer/opaque", &[Arrival::Identical], |_| {}));
        add(sound("transport/footer/opaque", "engine", None));
        add(arrival("transport/smtp/clear", &[Arrival::FieldsAdded], |one| one.through = Some("postfix 3".to_owned())));
        add(sound("transport/smtp/clear", "engine", None));
        add(outcome("transport/smtp/clear", "openssl", Fail));
        add(arrival("transport/smtp/opaque", &[], |one| one.refused = Some("552 too big".to_owned())));
        add(arrival("transport/smtp/recorded.outlook.one", &[], |one| one.finding = Some("lost".to_owned())));
        add(arrival("transport/pop/clear", &[], |one| one.not_available = Some("no dovecot".to_owned())));
        add(outcome("signed/clear/rsa", "engine", Pass));
        read_run(record(&lines).as_bytes()).unwrap()
    }

    #[test]
    fn every_cell_has_its_word() {
        let run = run();
        let ways = Ways::of(&run);
        assert_eq!(ways.letters, ["clear", "opaque"]);
        let words = |row: &Row<'_>| {
            let cells = row.cells.iter().map(|cell| cell.as_ref().map(|cell| cell.became().to_string()));
            cells.map(Option::unwrap_or_default).collect::<Vec<_>>().join(", ")
        };
        let rows: Vec<_> = ways.rows.iter().map(|row| (row.way, words(row))).collect();
        assert_eq!(
            rows,
            [
                ("footer", "digest-mismatch, identical".to_owned()),
                ("smtp", "survives, refused".to_owned()),
                ("pop", "not available, ".to_owned()),
            ]
        );
        assert_eq!((ways.rows[1].through, ways.rows[1].recordings_whole()), (Some("postfix 3"), (0, 1)));
        assert_eq!(crate::grid::Grid::of_cases(&run, &[]).rows.len(), 1);
    }

    /// A shim that a user calls `engine` is `engine-2`, and does not speak for the reference.
    #[test]
    fn the_verdict_is_that_of_the_reference() {
        let waxseal_verdict::Record::Run(mut head) = head() else { panic!("a head") };
        (head.suts[0].name, head.suts[1].name) = ("engine-2".to_owned(), "engine".to_owned());
        let case = "transport/footer/clear";
        let lines = [
            line("1/1", waxseal_verdict::Record::Run(head)),
            line("1/1", arrival(case, &[Arrival::ContentChanged], |_| {})),
            line("1/1", sound(case, "engine-2", None)),
            line("1/1", sound(case, "engine", Some(waxseal_verdict::Reason::DigestMismatch))),
        ];
        let run = read_run(record(&lines).as_bytes()).unwrap();
        assert_eq!(Ways::of(&run).text(), "footer  digest-mismatch: all\n");
    }

    #[test]
    fn the_table_for_a_terminal() {
        insta::assert_snapshot!(Ways::of(&run()).text(), @r"
        footer  identical: opaque
                digest-mismatch: clear
        smtp    survives: clear
                refused: opaque
                recordings: 0 of 1 as before
        pop     not available: clear
        not available: no dovecot
        fail transport/smtp/clear on openssl: no reason given
        finding: transport/smtp/recorded.outlook.one: lost
        ");
    }

    #[test]
    fn an_arrival_is_recorded_once() {
        let twice = || line("1/1", arrival("transport/a/b", &[Arrival::Identical], |_| {}));
        let error = read_run(record(&[line("1/1", head()), twice(), twice()]).as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "line 3: a second arrival of transport/a/b");
    }
}
