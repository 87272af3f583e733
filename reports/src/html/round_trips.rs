//! Writers × readers, measured and otherwise known, and below it what did not come out right.

use maud::{Markup, html};
use waxseal_verdict::OutcomeRecord;

use super::clients;
use super::marks::outcome_class;
use crate::known::{Column, Known};
use crate::privacy::Privacy;
use crate::round_trip::{Cell, RoundTrips, Row, Source, mail_of};

/// Nothing if the run has no mail of the matrix.
pub(super) fn draw(trips: &RoundTrips<'_>, clients: &[Column<'_>], known: &Known, privacy: Privacy) -> Markup {
    if !trips.rows.iter().any(|row| matches!(row.source, Source::Written | Source::Replica)) {
        return html! {};
    }
    let (right, all) = trips.counts();
    html! {
        section id="round-trips" {
            h2 { "Writers × readers" }
            p { b { (right) } " of " b { (all) } " readings came out right: the verdict is good where the reader \
                 reports one, and the content is what went in." }
            (table(trips, clients, &[Source::Written, Source::Replica, Source::Recorded], "Written by"))
            ul.legend {
                li { span.p { "9" } " all nine came out right" }
                li { span.f { "7/9" } " two of nine did not" }
                li { span.u { "–" } " none that the reader says it can read" }
                (clients::legend(clients))
                li { "The mails of a program were written for this run; those of a client in italics were recorded. \
                     A replica is the shape of a client, in which the engine wrote." }
            }
            @if trips.rows.iter().any(|row| row.source == Source::SentOn) {
                h3 { "Chains of three" }
                p.hint { "The first program encrypted a mail; the second opened it and sent on, signed, what came out; \
                          the third read that." }
                (table(trips, &[], &[Source::SentOn], "First and second"))
            }
            (clients::details(clients))
            (findings(trips, known, privacy))
        }
    }
}

fn table(trips: &RoundTrips<'_>, clients: &[Column<'_>], sources: &[Source], first: &str) -> Markup {
    let rows: Vec<&Row<'_>> = trips.rows.iter().filter(|row| sources.contains(&row.source)).collect();
    // A reader that nobody asked has no column.
    let asked = |column: &usize| {
        let cells = || rows.iter().filter_map(|row| row.cells.get(*column));
        cells().any(|cell| cell.asked() + cell.unsupported > 0)
    };
    let columns: Vec<usize> = (0..trips.readers.len()).filter(asked).collect();
    html! {
        div.scroll {
            table.trips {
                thead {
                    tr {
                        th scope="col" { (first) }
                        th.number scope="col" { "Mails" }
                        @for column in &columns { th scope="col" { span { (trips.readers[*column]) } } }
                        (clients::heads(clients))
                    }
                }
                tbody {
                    @for row in rows { (line(row, &trips.readers, &columns, clients)) }
                }
            }
        }
    }
}

fn line(row: &Row<'_>, readers: &[&str], columns: &[usize], clients: &[Column<'_>]) -> Markup {
    html! {
        tr {
            th scope="row" {
                @match row.source {
                    Source::Recorded => i { (row.writer) },
                    Source::Replica => { (row.writer) small { " replica" } }
                    _ => (row.writer),
                }
            }
            td.number {
                (row.mails.len())
                @if !row.not_written.is_empty() {
                    small title="asked for, and not written" { " −" (row.not_written.len()) }
                }
            }
            @for (cell, reader) in columns.iter().filter_map(|one| Some((row.cells.get(*one)?, readers.get(*one)?))) {
                td.(class(cell)) title=(tooltip(&row.writer, reader, cell)) { (text(cell)) }
            }
            (clients::cells(clients, row))
        }
    }
}

fn class(cell: &Cell<'_>) -> &'static str {
    match (cell.asked(), cell.findings.first()) {
        (0, _) => "u",
        (_, None) => "p",
        (_, Some(finding)) => outcome_class(finding.outcome),
    }
}

fn text(cell: &Cell<'_>) -> String {
    match cell.asked() {
        0 => "–".to_owned(),
        asked if asked == cell.right => asked.to_string(),
        asked => format!("{}/{asked}", cell.right),
    }
}

fn tooltip(writer: &str, reader: &str, cell: &Cell<'_>) -> String {
    let mut text = format!("{writer} → {reader}: {} right", cell.right);
    if cell.equal > 0 {
        text.push_str(&format!(" ({} in another encoding)", cell.equal));
    }
    text.push_str(&format!(", {} not, {} unsupported", cell.findings.len(), cell.unsupported));
    text
}

/// What is not right, by writer and reader.
fn findings(trips: &RoundTrips<'_>, known: &Known, privacy: Privacy) -> Markup {
    let not_written: Vec<&OutcomeRecord> = trips.rows.iter().flat_map(|row| row.not_written.iter().copied()).collect();
    html! {
        @if !not_written.is_empty() {
            details {
                summary { b { (not_written.len()) } " mails that were asked for and not written" }
                ul { @for one in not_written { li { (one.sut) ": " (finding(one, privacy)) } } }
            }
        }
        @for row in &trips.rows {
            @for (cell, reader) in row.cells.iter().zip(&trips.readers).filter(|(cell, _)| !cell.findings.is_empty()) {
                details {
                    summary { (row.writer) " → " (reader) ": " b { (cell.findings.len()) } }
                    @if let Some(command) = again(row.source, cell, reader) { p.hint { code { (command) } } }
                    ul {
                        @for one in &cell.findings {
                            li {
                                (finding(one, privacy))
                                @for why in known.reasons(one) { br; small { "known: " (why) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The command that shows what a reader says of the mails of a writer again.
fn again(source: Source, cell: &Cell<'_>, reader: &str) -> Option<String> {
    let writer = cell.findings.first()?.case.rsplit('/').next()?;
    let writes = match source {
        Source::Written if writer != reader => format!("--sut {writer} "),
        Source::Written | Source::Replica => String::new(),
        Source::Recorded | Source::SentOn => return None,
    };
    Some(format!("waxseal run --case 'matrix/*/{writer}' {writes}--sut {reader} --keep kept"))
}

fn finding(outcome: &OutcomeRecord, privacy: Privacy) -> Markup {
    html! {
        code { (mail_of(&outcome.case)) } " " span.(outcome_class(outcome.outcome)) { (outcome.outcome) }
        @if let Some(reason) = privacy.reason(outcome) { " " (reason) }
    }
}
