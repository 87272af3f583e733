//! Cases × SUTs. A cell is one short element: a run may have 20 000 of them.

use maud::{Markup, html};
use waxseal_verdict::{Knowledge, Outcome, OutcomeRecord, ReasonMatch};

use super::marks::{knowledge_class, knowledge_meaning, outcome_class, outcome_meaning};
use crate::grid::{Grid, Row};
use crate::privacy::Privacy;

/// With more SUTs than this the cells hold the symbol alone.
const WIDE: usize = 6;

pub(super) fn draw(grid: &Grid<'_>, privacy: Privacy) -> Markup {
    html! {
        section id="matrix" {
            h2 { "Cases × SUTs" }
            (toolbar(grid))
            div.scroll.tall {
                table.matrix.dense[grid.suts.len() > WIDE] {
                    thead {
                        tr {
                            th scope="col" { "Case" }
                            th scope="col" { "Evidence" }
                            @for sut in grid.suts {
                                th scope="col" { span { (sut.name) small { (sut.version.as_deref().unwrap_or("")) } } }
                            }
                        }
                    }
                    @for rows in grid.rows.chunk_by(|a, b| area(a.id) == area(b.id)) {
                        tbody {
                            tr.area { th colspan=(grid.suts.len() + 2) scope="rowgroup" { (area(rows[0].id)) } }
                            @for row in rows { (line(row, privacy)) }
                        }
                    }
                }
            }
            (legend(grid))
        }
    }
}

/// Hidden until the script shows it: without the script it could do nothing.
fn toolbar(grid: &Grid<'_>) -> Markup {
    html! {
        form.toolbar id="filter" hidden {
            input type="search" id="q" placeholder="Filter by id, title or evidence" aria-label="Filter by text";
            select id="on" aria-label="Outcomes of" {
                option value="" { "on any SUT" }
                @for (column, sut) in grid.suts.iter().enumerate() { option value=(column) { "on " (sut.name) } }
            }
            span.chips role="group" aria-label="Outcomes" {
                @for (kind, count) in counts(grid) {
                    button type="button" data-class=(outcome_class(kind)) aria-pressed="false" {
                        span.(outcome_class(kind)) { (kind) } " " (count)
                    }
                }
            }
            label { input type="checkbox" id="differ"; " SUTs differ" }
            output id="shown" {}
        }
    }
}

fn line(row: &Row<'_>, privacy: Privacy) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href={ "#" (row.id) } { (row.id) }
                @if let Some(text) = row.text { small { (text.title) } }
            }
            td.e { @if let Some(evidence) = row.evidence() { (evidence) } @if row.is_unwitnessed() { " (unwitnessed)" } }
            @for cell in &row.cells {
                @match cell {
                    Some(outcome) => td.(class(outcome)) title=[tooltip(outcome, privacy)] { (outcome.outcome) },
                    None => td.o title="the run ended before this case" { "none" },
                }
            }
        }
    }
}

/// Outcome, how it is known, and whether a pass gave another reason.
fn class(outcome: &OutcomeRecord) -> String {
    let mut class = outcome_class(outcome.outcome).to_owned();
    // Measured is what a run does; the other kinds are told in every cell.
    if outcome.knowledge != Knowledge::Measured {
        class.push(' ');
        class.push_str(knowledge_class(outcome.knowledge));
    }
    if outcome.outcome == Outcome::Pass && outcome.reason_match == ReasonMatch::Other {
        class.push_str(" r");
    }
    class
}

fn tooltip(outcome: &OutcomeRecord, privacy: Privacy) -> Option<String> {
    match outcome.outcome {
        Outcome::Pass => None,
        _ => privacy.reason(outcome),
    }
}

fn counts(grid: &Grid<'_>) -> Vec<(Outcome, usize)> {
    let count = |kind| grid.rows.iter().flat_map(Row::outcomes).filter(|outcome| outcome.outcome == kind).count();
    Outcome::ALL.iter().map(|kind| (*kind, count(*kind))).filter(|(_, count)| *count > 0).collect()
}

fn legend(grid: &Grid<'_>) -> Markup {
    let knowledge = |kind| grid.rows.iter().flat_map(Row::outcomes).any(|outcome| outcome.knowledge == kind);
    html! {
        ul.legend.letters[grid.suts.len() > WIDE] {
            @for (kind, _) in counts(grid) { li { span.(outcome_class(kind)) { (kind) } " " (outcome_meaning(kind)) } }
            @for kind in Knowledge::ALL {
                @if knowledge(*kind) {
                    li { span.(knowledge_class(*kind)) { (kind) } " " (knowledge_meaning(*kind))
                        @if *kind == Knowledge::Measured { " (a cell without a mark)" }
                    }
                }
            }
            @if grid.rows.iter().flat_map(Row::outcomes).any(|outcome| class(outcome).ends_with(" r")) {
                li { span.p.r { "pass" } " rejected as it must be, with another reason than expected" }
            }
        }
    }
}

fn area(id: &str) -> &str {
    id.split('/').next().unwrap_or(id)
}
