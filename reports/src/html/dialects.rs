//! Dialects of SM2 × SUTs: which ones a program writes, and which it reads.
//!
//! That it writes one is what its shim declares. That it reads one is counted:
//! the messages of the run that are in the dialect.

use maud::{Markup, html};
use waxseal_verdict::{Dialect, Outcome, SutRecord};

use super::marks::outcome_class;
use crate::grid::{Grid, Row};

/// Nothing if the run has no message with SM2.
pub(super) fn draw(grid: &Grid<'_>) -> Markup {
    let rows = |dialect: Dialect| -> Vec<&Row<'_>> {
        let of = |row: &&Row<'_>| row.text.and_then(|text| text.dialect) == Some(dialect);
        grid.rows.iter().filter(of).collect()
    };
    let dialects: Vec<_> = Dialect::ALL.iter().map(|dialect| (*dialect, rows(*dialect))).collect();
    if dialects.iter().all(|(_, rows)| rows.is_empty()) {
        return html! {};
    }
    html! {
        section id="dialects" {
            h2 { "Dialects of SM2 × SUTs" }
            div.scroll {
                table.dialects {
                    thead {
                        tr {
                            th scope="col" { "Dialect" }
                            @for sut in grid.suts { th scope="col" { (sut.name) } }
                        }
                    }
                    tbody {
                        @for (dialect, rows) in &dialects {
                            tr {
                                th scope="row" { (dialect) small { " " (meaning(*dialect)) } }
                                @for (column, sut) in grid.suts.iter().enumerate() {
                                    td { (cell(*dialect, rows, column, sut)) }
                                }
                            }
                        }
                    }
                }
            }
            p.hint {
                "Writes: its shim says so, and a test of Waxseal reads what it wrote. Reads: how many of the valid \
                 messages in the dialect it accepts. Refuses: how many of the others it calls bad for what is wrong \
                 with them. Messages that it was not asked to read, or said that it cannot, are not counted."
            }
        }
    }
}

fn cell(dialect: Dialect, rows: &[&Row<'_>], column: usize, sut: &SutRecord) -> Markup {
    let count = |negative: bool| Count::of(rows, column, negative);
    let (reads, refuses) = (count(false), count(true));
    html! {
        @if sut.writes.contains(&dialect) { div.p { "writes" } }
        (reads.draw("reads"))
        (refuses.draw("refuses"))
        @if sut.writes.contains(&dialect) || reads.asked + refuses.asked > 0 {} @else { span.u { "–" } }
    }
}

/// How many messages came out as expected, of those that were asked about.
struct Count {
    passed: usize,
    asked: usize,
}

impl Count {
    fn of(rows: &[&Row<'_>], column: usize, negative: bool) -> Self {
        let outcomes = rows
            .iter()
            .filter(|row| row.text.is_some_and(|text| text.expected.is_negative() == negative))
            .filter_map(|row| row.cells.get(column).copied().flatten())
            .map(|cell| cell.outcome)
            .filter(|outcome| !matches!(outcome, Outcome::Unsupported | Outcome::NotAvailable));
        outcomes.fold(Self { passed: 0, asked: 0 }, |count, outcome| Self {
            passed: count.passed + usize::from(outcome == Outcome::Pass),
            asked: count.asked + 1,
        })
    }

    fn draw(&self, verb: &str) -> Markup {
        let class = match self.passed {
            0 => outcome_class(Outcome::Fail),
            all if all == self.asked => outcome_class(Outcome::Pass),
            _ => outcome_class(Outcome::NotAvailable),
        };
        html! { @if self.asked > 0 { div.(class) { (verb) " " (self.passed) " of " (self.asked) } } }
    }
}

const fn meaning(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Cms => "the content types of CMS",
        Dialect::Gmt0010 => "the content types of GM/T 0010",
        Dialect::Cfca => "the habits of CFCA's kit",
        _ => "the digest of GmSSL 3, without Z",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::{line, outcome, record, small};
    use crate::{CaseText, read_run};
    use waxseal_verdict::{Evidence, Record};

    #[test]
    fn a_run_without_sm2_has_no_such_table() {
        let (run, cases) = small();
        assert_eq!(draw(&Grid::new(&run, &cases)).into_string(), "");
    }

    /// Read, refused and not asked about are three things; a negative that is refused is none that is read.
    #[test]
    fn each_program_is_counted_in_each_dialect() {
        let (_, mut cases) = small();
        for (text, dialect) in cases.iter_mut().zip([Dialect::Gmt0010, Dialect::Gmt0010, Dialect::Cms]) {
            text.dialect = Some(dialect);
        }
        let mut other = CaseText::new("signed/sm2/other", "Another", Evidence::Generated);
        other.dialect = Some(Dialect::Gmt0010);
        assert!(cases[1].expected.is_negative());
        cases.push(other);
        let Record::Run(mut head) = crate::testing::head() else { panic!("a head") };
        head.suts[0].writes = BTreeSet::from([Dialect::Cfca]);
        let rows = [
            (0, "engine", Outcome::Pass),
            (1, "engine", Outcome::Pass),
            (3, "engine", Outcome::Fail),
            (0, "openssl", Outcome::Unsupported),
            (1, "openssl", Outcome::Fail),
        ];
        let rows = rows.map(|(case, sut, kind): (usize, _, _)| outcome(&cases[case].id, sut, kind));
        let lines: Vec<_> = std::iter::once(Record::Run(head)).chain(rows).map(|row| line("1/1", row)).collect();
        let run = read_run(record(&lines).as_bytes()).unwrap();
        let page = draw(&Grid::new(&run, &cases)).into_string();
        let row = |dialect: Dialect| {
            let (_, rest) = page.split_once(&format!("<tr><th scope=\"row\">{dialect}<")).unwrap();
            rest.split_once("</tr>").unwrap().0
        };
        let cells: Vec<_> = row(Dialect::Gmt0010).split("<td>").skip(1).collect();
        assert!(cells[0].contains("reads 1 of 2") && cells[0].contains("refuses 1 of 1"), "{}", cells[0]);
        assert!(!cells[1].contains("reads") && cells[1].contains("refuses 0 of 1"), "{}", cells[1]);
        assert!(!cells[2].contains("of"), "{}", cells[2]);
        assert!(row(Dialect::Cfca).contains("writes") && !row(Dialect::Cms).contains("writes"));
    }
}
