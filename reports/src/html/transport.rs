//! Ways × letters: what becomes of mail between its writer and its reader.

use maud::{Markup, html};
use waxseal_model::Transport;

use crate::transport::{Became, Cell, Row, Ways};

/// Nothing if the run sent no mail.
pub(super) fn draw(ways: &Ways<'_>, table: Option<&Transport>) -> Markup {
    if ways.rows.is_empty() {
        return html! {};
    }
    let recorded = ways.rows.iter().any(|row| !row.recordings.is_empty());
    let whole = ways.cells().filter(|cell| matches!(cell.became(), Became::Identical | Became::Survived)).count();
    let (manglings, routes): (Vec<&Row<'_>>, Vec<_>) = ways.rows.iter().partition(|row| !is_route(row, table));
    html! {
        section id="transport" {
            h2 { "Ways × letters" }
            p { "What becomes of mail between its writer and its reader: " b { (whole) } " of "
                b { (ways.cells().count()) } " mails are judged as if nothing had happened to them." }
            (body("What software on the way does", &manglings, ways, table, false))
            (body("Through real servers", &routes, ways, table, recorded))
            ul.legend {
                li { span.p { "=" } " arrived octet for octet" }
                li { span.p { "✓" } " octets changed, every layer is judged as before" }
                li { span.f { "reason" } " the first thing that is bad now" }
                li { span.u { "–" } " not sent: the servers are not on this machine" }
                li { "Every cell is what the clauses of its row say, unless it is marked " b { "!" } "." }
            }
            (letters(table))
            (findings(ways))
        }
    }
}

/// Whether real servers are on this way: the table says so, or what was on it.
fn is_route(row: &Row<'_>, table: Option<&Transport>) -> bool {
    row.through.is_some() || table.is_some_and(|table| table.route.iter().any(|route| route.name == row.way))
}

fn body(title: &str, rows: &[&Row<'_>], ways: &Ways<'_>, table: Option<&Transport>, recorded: bool) -> Markup {
    html! {
        @if !rows.is_empty() {
            h3 { (title) }
            @if let Some(through) = rows.iter().find_map(|row| row.through) { p.hint { (through) } }
            div.scroll {
                table.trips.ways {
                    thead {
                        tr {
                            th scope="col" { "Way" }
                            @for letter in &ways.letters { th scope="col" { span { (letter) } } }
                            @if recorded { th scope="col" { span { i { "recorded mail" } } } }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" title=(meaning(row.way, table)) { (row.way) }
                                @for (cell, letter) in row.cells.iter().zip(&ways.letters) {
                                    @match cell {
                                        Some(cell) => td.(class(cell)) title=(tooltip(row.way, letter, cell)) { (word(cell)) },
                                        None => td {},
                                    }
                                }
                                @if recorded { (recordings(row)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn recordings(row: &Row<'_>) -> Markup {
    html! {
        @match row.recordings_whole() {
            (_, 0) => td {},
            (whole, all) => td.p[whole == all].f[whole < all] title="judged as before, of those that were sent" {
                (whole) "/" (all)
            },
        }
    }
}

fn class(cell: &Cell<'_>) -> &'static str {
    match cell.became() {
        _ if !cell.is_as_foreseen() => "x",
        Became::Identical | Became::Survived => "p",
        Became::NotAvailable | Became::NotRead => "u",
        _ => "f",
    }
}

fn word(cell: &Cell<'_>) -> String {
    let word = match cell.became() {
        Became::Identical => "=".to_owned(),
        Became::Survived => "✓".to_owned(),
        Became::NotAvailable | Became::NotRead => "–".to_owned(),
        other => other.to_string(),
    };
    if cell.is_as_foreseen() { word } else { format!("! {word}") }
}

fn tooltip(way: &str, letter: &str, cell: &Cell<'_>) -> String {
    let arrival = cell.arrival;
    let arrived: Vec<&str> = arrival.arrived.iter().map(|how| how.code()).collect();
    let what = [&arrival.finding, &arrival.refused, &arrival.not_available].into_iter().flatten().next().cloned();
    let what = what.unwrap_or_else(|| format!("{}; arrived: {}", cell.became(), arrived.join(", ")));
    format!("{letter}, {way}: {what}")
}

/// What a way is, who does that, and the clauses about it.
fn meaning(way: &str, table: Option<&Transport>) -> String {
    let Some(table) = table else { return String::new() };
    let mangling = table.mangling.iter().find(|one| one.name == way);
    let mangling = mangling.map(|one| format!("{}. Who: {}. {}", one.what, one.who, one.clauses.join(", ")));
    let route = || table.route.iter().find(|one| one.name == way);
    mangling.or_else(|| route().map(|one| format!("{}. {}", one.what, one.clauses.join(", ")))).unwrap_or_default()
}

/// What the letters and the ways are.
fn letters(table: Option<&Transport>) -> Markup {
    html! {
        @if let Some(table) = table {
            details {
                summary { "The letters" }
                ul { @for letter in &table.letter { li { b { (letter.name) } ": " (letter.what) " (" code { (letter.case) } ")" } } }
            }
            details {
                summary { "The ways, who does that, and what the clauses say" }
                ul {
                    @for one in &table.mangling {
                        li { b { (one.name) } ": " (one.what) ". Who: " (one.who) ". " (one.clauses.join(", ")) }
                    }
                    @for one in &table.route { li { b { (one.name) } ": " (one.what) ". " (one.clauses.join(", ")) } }
                }
            }
        }
    }
}

/// What is not as the clauses say.
fn findings(ways: &Ways<'_>) -> Markup {
    let found: Vec<&Cell<'_>> = ways.cells().filter(|cell| !cell.is_as_foreseen()).collect();
    html! {
        @if !found.is_empty() {
            details {
                summary { b { (found.len()) } " mails of which something else came" }
                ul {
                    @for cell in found {
                        li {
                            code { (cell.arrival.case) }
                            @if let Some(finding) = &cell.arrival.finding { ": " (finding) }
                            @for failed in &cell.failed {
                                "; " (failed.sut) " " (failed.outcome) " " (failed.reason.as_deref().unwrap_or_default())
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_run;
    use crate::testing::{arrival, head, line, outcome, record, sound};
    use maud::Render as _;
    use waxseal_model::Corpus;
    use waxseal_verdict::{Arrival, Outcome, Reason};

    fn page(records: impl IntoIterator<Item = waxseal_verdict::Record>, table: Option<&Transport>) -> String {
        let lines: Vec<String> = [head()].into_iter().chain(records).map(|record| line("1/1", record)).collect();
        let run = read_run(record(&lines).as_bytes()).unwrap();
        draw(&Ways::of(&run), table).render().into_string().replace("><", ">\n<")
    }

    #[test]
    fn a_table_of_ways_and_letters() {
        let through = |name: &str| Some(name.to_owned());
        insta::assert_snapshot!(page(
            [
                arrival("transport/footer/clear", &[Arrival::ContentChanged], |_| {}),
                sound("transport/footer/clear", "engine", Some(Reason::DigestMismatch)),
                arrival("transport/footer/opaque", &[Arrival::Identical], |_| {}),
                sound("transport/footer/opaque", "engine", None),
                arrival("transport/smtp/clear", &[Arrival::FieldsAdded], |one| one.through = through("postfix <3>")),
                sound("transport/smtp/clear", "engine", None),
                outcome("transport/smtp/clear", "openssl", Outcome::Fail),
                arrival("transport/smtp/opaque", &[], |one| one.refused = through("552 too big")),
                arrival("transport/smtp/recorded.outlook.one", &[], |one| one.finding = through("lost <b>")),
                arrival("transport/pop/clear", &[], |one| one.not_available = through("no dovecot")),
            ],
            None,
        ));
    }

    /// What a way and a letter are stands beside them where the table is known.
    #[test]
    fn a_way_has_its_meaning() {
        let corpus = Corpus::embedded().unwrap();
        let table = corpus.transport();
        let (way, letter) = (&table.mangling[0], &table.letter[0]);
        let case = Transport::id(&way.name, &letter.name);
        let page = page([arrival(&case, &[Arrival::Identical], |_| {}), sound(&case, "engine", None)], Some(table));
        let html = |text: &str| maud::html! { (text) }.into_string();
        for words in [&way.what, &way.who, &letter.what, &letter.case] {
            assert!(page.contains(&html(words)), "{words}");
        }
        assert_eq!(page.matches("<td ").count(), 1, "one way that was gone, by one letter: {page}");
    }

    #[test]
    fn nothing_is_drawn_where_nothing_was_sent() {
        assert_eq!(page([outcome("signed/clear/rsa", "engine", Outcome::Pass)], None), "");
    }
}
