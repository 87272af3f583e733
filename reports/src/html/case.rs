//! One part a case: what it asks, what must come out, what each SUT said, and
//! how to see it again.

use std::collections::BTreeSet;

use maud::{Markup, html};
use waxseal_verdict::{
    Aspect, AspectName, Evidence, LayerExpectation, Observed, Outcome, OutcomeRecord, ReasonMatch, shell_word,
};

use super::marks::{aspect_class, outcome_class};
use crate::CaseText;
use crate::grid::{Grid, Row};
use crate::privacy::Privacy;
use crate::summary::is_finding;

pub(super) fn draw(grid: &Grid<'_>, privacy: Privacy) -> Markup {
    html! {
        section id="cases" {
            h2 { "Case by case" }
            @for row in &grid.rows { (part(row, privacy)) }
        }
    }
}

fn part(row: &Row<'_>, privacy: Privacy) -> Markup {
    let answers = Answer::group(row);
    html! {
        details.case {
            summary {
                code { (row.id) }
                span.title { (row.text.map_or("", |text| &text.title)) }
                span.marks { @for answer in &answers { span.(outcome_class(answer.record.outcome)) { (answer.names()) } } }
            }
            // A link to an element inside opens the part, also without the script.
            div id=(row.id) {
                @if let Some(text) = row.text { (about(text, privacy)) }
                (comparison(row.text, &answers, privacy))
                @for answer in &answers { (notes(answer, privacy)) }
                (repeat(row))
            }
        }
    }
}

fn about(text: &CaseText, privacy: Privacy) -> Markup {
    let rows = [("Why", &text.why), ("Level", &text.level), ("Role", &text.role), ("Expectation from", &text.source)];
    html! {
        dl.about {
            @for (name, value) in rows { @if !value.is_empty() { dt { (name) } dd { (value) } } }
            @if !text.requirements.is_empty() {
                dt { "Requirements" }
                dd {
                    @for requirement in &text.requirements {
                        div { b { (requirement.id) } " " (requirement.words) " " span.section { (requirement.section) } }
                    }
                }
            }
            dt { "Evidence" } dd { (text.evidence) }
            @if let Some(twin) = &text.twin { dt { "Valid twin" } dd { a href={ "#" (twin) } { (twin) } } }
            @for (label, note) in &text.notes { dt { (label) } dd { (note) } }
            @if let Some(clock) = &text.clock { dt { "Judged at" } dd { (clock) } }
            @if let Some(sha256) = &text.sha256 { dt { "SHA-256" } dd { code.hash { (sha256) } } }
            @if let Some(private) = text.private.as_ref().filter(|_| privacy.include) {
                dt { "From" } dd { (private.from) }
                dt { "To" } dd { (private.to) }
                dt { "Subject" } dd { (private.subject) }
            }
        }
    }
}

/// SUTs that said the same, as one column: most cases need only one or two.
struct Answer<'a> {
    suts: Vec<&'a str>,
    record: &'a OutcomeRecord,
}

impl<'a> Answer<'a> {
    fn group(row: &Row<'a>) -> Vec<Self> {
        let mut answers: Vec<Self> = Vec::new();
        for record in row.cells.iter().copied().flatten() {
            match answers.iter_mut().find(|answer| says_the_same(answer.record, record)) {
                Some(answer) => answer.suts.push(&record.sut),
                None => answers.push(Self { suts: vec![&record.sut], record }),
            }
        }
        answers
    }

    fn names(&self) -> String {
        self.suts.join(", ")
    }

    fn observed(&self, layer: usize) -> Option<&Observed> {
        self.record.aspects.get(layer)
    }

    /// Whether the comparison found this place wrong.
    fn differs(&self, layer: usize, what: &str) -> bool {
        let place = format!("layer {} {what}", layer + 1);
        self.record.mismatches.iter().any(|mismatch| mismatch.place == place)
    }
}

fn says_the_same(a: &OutcomeRecord, b: &OutcomeRecord) -> bool {
    a.outcome == b.outcome
        && a.reason == b.reason
        && a.reason_match == b.reason_match
        && a.knowledge == b.knowledge
        && a.aspects == b.aspects
        && a.mismatches == b.mismatches
        && a.native == b.native
}

/// Expected against observed, an aspect a line.
fn comparison(text: Option<&CaseText>, answers: &[Answer<'_>], privacy: Privacy) -> Markup {
    let expected: &[LayerExpectation] = text.map_or(&[], |text| &text.expected.layers);
    let columns: Vec<_> = answers.iter().filter(|answer| !answer.record.aspects.is_empty()).collect();
    let layers = columns.iter().map(|answer| answer.record.aspects.len()).chain([expected.len()]).max().unwrap_or(0);
    if layers == 0 {
        return html! {};
    }
    html! {
        div.scroll {
            table.comparison {
                thead {
                    tr {
                        th { "Aspect" }
                        th { "Expected" }
                        @for answer in &columns {
                            th { (answer.names()) " " span.(outcome_class(answer.record.outcome)) { (answer.record.outcome) } }
                        }
                    }
                }
                @for layer in 0..layers { (layer_rows(layer, expected.get(layer), &columns, privacy)) }
            }
        }
    }
}

fn layer_rows(layer: usize, expected: Option<&LayerExpectation>, columns: &[&Answer<'_>], privacy: Privacy) -> Markup {
    let named: BTreeSet<AspectName> = expected
        .into_iter()
        .flat_map(|expected| expected.aspects.keys().chain(expected.beside.keys()))
        .chain(columns.iter().filter_map(|answer| answer.observed(layer)).flat_map(|observed| observed.aspects.keys()))
        .copied()
        .collect();
    let deviations = expected.is_some_and(|expected| !expected.deviations.is_empty())
        || columns.iter().filter_map(|answer| answer.observed(layer)).any(|observed| !observed.deviations.is_empty());
    html! {
        tbody {
            tr.layer {
                th scope="row" { "Layer " (layer + 1) }
                td { @match expected { Some(expected) => (expected.kind), None => "no layer" } }
                @for answer in columns {
                    td class=[mark(answer.differs(layer, "kind"))] {
                        @match answer.observed(layer) { Some(observed) => (observed.kind), None => "no layer" }
                    }
                }
            }
            @for name in named {
                @let expected = expected.and_then(|expected| expected.aspect(name));
                tr {
                    th scope="row" { (name) }
                    (wanted(expected))
                    @for answer in columns {
                        (observed(
                            answer.observed(layer).and_then(|observed| observed.aspects.get(&name)),
                            expected.is_some(),
                            answer.differs(layer, name.code()),
                            privacy.shows(answer.record),
                        ))
                    }
                }
            }
            @if deviations {
                tr {
                    th scope="row" { "deviations" }
                    td { (list(expected.map_or(&[], |expected| &expected.deviations))) }
                    @for answer in columns {
                        td class=[mark(answer.differs(layer, "deviations"))] {
                            (list(answer.observed(layer).map_or(&[], |observed| &observed.deviations)))
                        }
                    }
                }
            }
        }
    }
}

/// One value as it was expected.
fn wanted(value: Option<&Aspect>) -> Markup {
    html! {
        @match value {
            None => td.silent { "not compared" },
            Some(value) => td.(aspect_class(value)) { (value) (reasons(value, true)) },
        }
    }
}

/// One value as it was observed; a value that nobody asked for stands back.
fn observed(value: Option<&Aspect>, asked: bool, differs: bool, details: bool) -> Markup {
    html! {
        @match value {
            None => td.silent { "not reported" },
            Some(value) => td.(aspect_class(value)).silent[!asked].differs[differs] { (value) (reasons(value, details)) },
        }
    }
}

/// The further reasons of a bad aspect, and its detail.
fn reasons(value: &Aspect, details: bool) -> Markup {
    html! {
        @if let Aspect::Bad(bad) = value {
            @if !bad.also.is_empty() { ", " (list(&bad.also)) }
            @if details && !bad.detail.is_empty() { small { (bad.detail) } }
        }
    }
}

/// The class of a cell that did not come out as expected.
fn mark(differs: bool) -> Option<&'static str> {
    differs.then_some("differs")
}

fn list<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What the table cannot hold: why, the mismatches, the SUT's own words.
fn notes(answer: &Answer<'_>, privacy: Privacy) -> Markup {
    let record = answer.record;
    let other_reason = record.outcome == Outcome::Pass && record.reason_match == ReasonMatch::Other;
    let mismatches = record.outcome != Outcome::Pass && !record.mismatches.is_empty();
    // The reason of a comparison is its mismatches in one line.
    let reason = if record.outcome == Outcome::Pass || mismatches { None } else { privacy.reason(record) };
    if reason.is_none() && !mismatches && record.native.is_none() && !other_reason {
        return html! {};
    }
    html! {
        div.note {
            p { b { (answer.names()) } " " span.(outcome_class(record.outcome)) { (record.outcome) }
                @if let Some(reason) = reason { " " (reason) }
                @if other_reason { " with another reason than expected" }
            }
            @if mismatches {
                ul { @for mismatch in &record.mismatches {
                    li { (mismatch.place) ": expected " b { (mismatch.expected) } ", observed " b { (mismatch.observed) } }
                } }
            }
            @if let Some(native) = privacy.native(record) { pre.native { (native) } }
        }
    }
}

/// The commands that show it again: for every finding, or else for the first SUT.
fn repeat(row: &Row<'_>) -> Markup {
    let mut suts: Vec<_> = row.outcomes().filter(|outcome| is_finding(outcome.outcome)).collect();
    if suts.is_empty() {
        suts.extend(row.outcomes().find(|outcome| outcome.outcome == Outcome::Pass));
    }
    let recordings = if row.evidence() == Some(Evidence::Recorded) { " --recordings DIR" } else { "" };
    html! {
        @if !suts.is_empty() {
            pre.repeat { @for outcome in suts {
                "waxseal run --case " (shell_word(row.id)) " --sut " (shell_word(&outcome.sut)) (recordings) " --keep KEEP\n"
            } }
        }
    }
}
