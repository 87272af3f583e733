//! The columns of clients that take no part: what is known of them, never an
//! outcome. A cell has words where a measured one has numbers, and its own
//! border and ground, so that nobody takes the one for the other.

use maud::{Markup, html};
use waxseal_model::{FeatureReading, Habit, KnownAnswer};

use crate::known::{Column, Group};
use crate::round_trip::Row;

pub(super) fn heads(columns: &[Column<'_>]) -> Markup {
    html! {
        @for column in columns {
            th.known scope="col" { span { (column.shape.title) small { "not run" } } }
        }
    }
}

pub(super) fn cells(columns: &[Column<'_>], row: &Row<'_>) -> Markup {
    html! {
        @for column in columns {
            @let groups = column.cell(row);
            td.known title=(tooltip(&row.writer, column, &groups)) {
                @for group in &groups { div { (group.mails.len()) " " (words(group)) } }
                @if groups.is_empty() { "no mail" }
            }
        }
    }
}

/// `no, documented`; what is unknown is known in no way.
fn words(group: &Group<'_, '_>) -> String {
    match group.known {
        Some(known) => format!("{}, {known}", group.answer),
        None => group.answer.to_string(),
    }
}

fn tooltip(writer: &str, column: &Column<'_>, groups: &[Group<'_, '_>]) -> String {
    let mut text = format!("{writer} → {}, which did not run", column.shape.title);
    for group in groups {
        text.push_str(&format!("\n{} {}: ", group.mails.len(), words(group)));
        let because: Vec<String> = group.because.iter().map(|feature| reason(feature)).collect();
        text.push_str(&because.join("; "));
    }
    text
}

/// One thing in a mail, with the versions and sources of what is known of it.
fn reason(feature: &FeatureReading<'_>) -> String {
    let line = |line: &&Habit| {
        let versions = if line.versions.is_empty() { String::new() } else { format!("{}, ", line.versions) };
        let answer = line.answer.filter(|_| feature.answer == KnownAnswer::Differs);
        let answer = answer.map(|answer| format!("{answer}: ")).unwrap_or_default();
        format!("{answer}{versions}{}", line.source.join(", "))
    };
    match feature.lines.iter().map(line).collect::<Vec<_>>() {
        lines if lines.is_empty() => feature.feature.to_owned(),
        lines => format!("{} ({})", feature.feature, lines.join("; ")),
    }
}

pub(super) fn legend(columns: &[Column<'_>]) -> Markup {
    html! {
        @if !columns.is_empty() {
            li { span.known { "3 yes, captured" } " the client did not run: what is known of how it reads three mails, and how. "
                "Captured: from its own bytes; documented: a source says so; unknown: nothing that was found says so." }
        }
    }
}

/// Below the table: what is known of each client, and by whom.
pub(super) fn details(columns: &[Column<'_>]) -> Markup {
    html! {
        @if !columns.is_empty() {
            h3 { "Clients that did not run" }
            p.hint { "What their shapes say of what these mails have. A mail is said to be read only where that is said \
                      of everything in it; one thing that is not read is enough that it is not. \
                      " i { "differs" } ": the sources say different things, of different versions." }
            @for column in columns { (client(column)) }
        }
    }
}

fn client(column: &Column<'_>) -> Markup {
    let groups = column.all();
    html! {
        details.client id={ "client-" (column.shape.client) } {
            summary {
                b { (column.shape.title) } ": "
                @for (number, group) in groups.iter().enumerate() {
                    @if number > 0 { "; " }
                    (group.mails.len()) " " (words(group))
                }
            }
            div.scroll {
                table {
                    thead { tr { th { "In the mail" } th { "Answer" } th { "Known" } th { "Versions" } th { "What" } th { "Source" } } }
                    tbody { @for feature in column.features() { (rows(feature)) } }
                }
            }
            @for group in &groups {
                p { b { (words(group)) } ": " @for (number, mail) in group.mails.iter().enumerate() { @if number > 0 { ", " } code { (mail) } } }
            }
        }
    }
}

fn rows(feature: &FeatureReading<'_>) -> Markup {
    html! {
        @if feature.lines.is_empty() {
            tr { th scope="row" { code { (feature.feature) } } td { "unknown" } td colspan="4" { "nothing that was found says so" } }
        }
        @for (number, line) in feature.lines.iter().enumerate() {
            tr {
                th scope="row" { @if number == 0 { code { (feature.feature) } } }
                td { @if let Some(answer) = line.answer { (answer) } }
                td { i { (line.kind) } }
                td { @if line.versions.is_empty() { "not said" } @else { (line.versions) } }
                td { (line.does) }
                td { (line.source.join("; ")) }
            }
        }
    }
}
