//! Writers × readers, measured and otherwise known, and below it what did not come out right.

use maud::{Markup, html};
use waxseal_model::Selection;
use waxseal_verdict::{OutcomeRecord, shell_word};

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
        Source::Written if writer != reader => format!("--sut {} ", shell_word(writer)),
        Source::Written | Source::Replica => String::new(),
        Source::Recorded | Source::SentOn => return None,
    };
    let glob = shell_word(&format!("matrix/*/{}", Selection::literal(writer)));
    Some(format!("waxseal run --case {glob} {writes}--sut {} --keep kept", shell_word(reader)))
}

fn finding(outcome: &OutcomeRecord, privacy: Privacy) -> Markup {
    html! {
        code { (mail_of(&outcome.case)) } " " span.(outcome_class(outcome.outcome)) { (outcome.outcome) }
        @if let Some(reason) = privacy.reason(outcome) { " " (reason) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_run;
    use crate::testing::{head, line, outcome, record};
    use maud::Render as _;
    use waxseal_verdict::{Evidence, Outcome, Record};

    /// Mails of these writers, each with what a reader said of it, and how their bytes came to be.
    fn run(rows: &[(&str, &str, Outcome, Evidence)], suts: &[&str]) -> crate::Run {
        let Record::Run(mut head) = head() else { panic!("a head") };
        for (sut, name) in head.suts.iter_mut().zip(suts) {
            (sut.name, sut.not_available) = ((*name).to_owned(), None);
        }
        head.suts.truncate(suts.len());
        let mut lines = vec![line("1/1", Record::Run(head))];
        lines.extend(rows.iter().map(|(case, sut, what, evidence)| {
            let Record::Outcome(mut row) = outcome(case, sut, *what) else { panic!("an outcome") };
            row.evidence = *evidence;
            row.reason = (*what != Outcome::Pass).then(|| "content: other octets <b>".to_owned());
            line("1/1", Record::Outcome(row))
        }));
        read_run(record(&lines).as_bytes()).unwrap()
    }

    fn page(run: &crate::Run) -> String {
        let trips = RoundTrips::of(run, &[]);
        let page = draw(&trips, &[], &Known::default(), Privacy { include: false });
        page.render().into_string().replace("><", ">\n<")
    }

    #[test]
    fn a_table_of_writers_and_readers() {
        use Evidence::{Recorded, Replica};
        use Outcome::{Crash, Fail, Pass, Unsupported};
        let run = run(
            &[
                ("write/clear.rsa.small/openssl", "openssl", Pass, Recorded),
                ("write/opaque.rsa.small/openssl", "openssl", Crash, Recorded),
                ("matrix/clear.rsa.small/openssl", "engine", Pass, Recorded),
                ("matrix/clear.rsa.small/openssl", "openssl", Fail, Recorded),
                ("matrix/clear.rsa.small/replica-quill", "engine", Fail, Replica),
                ("matrix/clear.rsa.small/replica-quill", "openssl", Unsupported, Replica),
                ("sent-on/engine/openssl", "engine", Pass, Recorded),
            ],
            &["engine", "openssl"],
        );
        insta::assert_snapshot!(page(&run));
    }

    /// Whatever a shim is called, what is copied into a shell does what the report says and nothing else.
    #[test]
    fn the_command_to_copy_is_words_of_a_shell() {
        let name = "it's; rm [x] $HOME";
        let case = format!("matrix/clear.rsa.small/{name}");
        let evidence = Evidence::Recorded;
        let command = |reader: &str| {
            let run = run(&[(case.as_str(), reader, Outcome::Fail, evidence)], &["engine", name]);
            let trips = RoundTrips::of(&run, &[]);
            let column = trips.readers.iter().position(|one| *one == reader).unwrap();
            again(trips.rows[0].source, &trips.rows[0].cells[column], reader).unwrap()
        };
        let glob = r"'matrix/*/it'\''s; rm [[]x[]] $HOME'";
        let word = r"'it'\''s; rm [x] $HOME'";
        let start = format!("waxseal run --case {glob}");
        assert_eq!(command("engine"), format!("{start} --sut {word} --sut engine --keep kept"));
        assert_eq!(command(name), format!("{start} --sut {word} --keep kept"));
    }

    #[test]
    fn nothing_is_drawn_where_nothing_was_written() {
        let run = run(&[("signed/clear/rsa", "engine", Outcome::Pass, Evidence::Generated)], &["engine"]);
        assert_eq!(page(&run), "");
    }
}
