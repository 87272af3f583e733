//! The head of the page: what ran, where, and what it comes to.

use maud::{Markup, html};
use waxseal_verdict::{Evidence, Knowledge, Outcome};

use super::Options;
use super::marks::{duration, evidence_meaning, knowledge_meaning, outcome_class, outcome_meaning};
use crate::summary::{SutSummary, is_finding};
use crate::{Run, Summary};

pub(super) fn draw(run: &Run, summary: &Summary, options: &Options) -> Markup {
    let took_part = summary.suts.iter().filter(|sut| sut.not_available.is_none()).count();
    html! {
        header {
            h1 { "Waxseal" span { "interoperability report" } }
            p { "Started " time { (summary.started) } @if let Some(ms) = summary.ms { ", took " (duration(ms)) } }
        }
        @if !summary.missing.is_empty() {
            div.banner role="alert" {
                strong { "This run is incomplete." } " What is not here says nothing about any SUT."
                ul { @for missing in &summary.missing { li { (missing) } } }
            }
        }
        @if options.include_private {
            div.banner {
                strong { "This page holds private text" } " of recorded mails (--include-private). Do not publish it."
            }
        }
        div.tiles {
            (tile(summary.cases, "cases"))
            (tile(took_part, if took_part == 1 { "SUT took part" } else { "SUTs took part" }))
            (tile(summary.findings.len(), "findings"))
            (tile(summary.unwitnessed.len(), "unwitnessed"))
        }
        section id="summary" {
            h2 { "Summary" }
            (suts(summary))
            div.two {
                (facts(run, summary))
                (provenance(summary))
            }
            p.hint {
                "SUT: a program under test. Findings: outcomes that are "
                (Outcome::ALL.iter().filter(|kind| is_finding(**kind)).map(|kind| kind.code()).collect::<Vec<_>>().join(", "))
                ". Unwitnessed: mail that Waxseal made, that must be accepted, and that only Waxseal accepted."
            }
        }
    }
}

fn tile(number: usize, what: &str) -> Markup {
    html! { div { b { (number) } span { (what) } } }
}

/// Counts for each SUT and outcome, with a bar.
fn suts(summary: &Summary) -> Markup {
    let kinds: Vec<_> = Outcome::ALL
        .iter()
        .copied()
        .filter(|kind| {
            matches!(kind, Outcome::Pass | Outcome::Fail)
                || summary.suts.iter().any(|sut| sut.outcomes.contains_key(kind))
        })
        .collect();
    html! {
        div.scroll {
            table.suts {
                thead {
                    tr {
                        th { "SUT" }
                        th { "Version" }
                        th.share { "Share" }
                        @for kind in &kinds { th.number title=(outcome_meaning(*kind)) { (kind) } }
                    }
                }
                tbody {
                    @for sut in &summary.suts {
                        tr {
                            th scope="row" { (sut.name) }
                            td { (sut.version.as_deref().unwrap_or("not admitted")) }
                            td.share { (bar(sut)) }
                            @for kind in &kinds {
                                @let count = sut.outcomes.get(kind).copied().unwrap_or(0);
                                td.number.(outcome_class(*kind))[count > 0].none[count == 0] { (count) }
                            }
                        }
                        @if let Some(why) = &sut.not_available {
                            tr.why { td {} td colspan=(kinds.len() + 2) { "takes no part: " (why) } }
                        }
                    }
                }
            }
        }
    }
}

fn bar(sut: &SutSummary) -> Markup {
    html! {
        div.bar aria-hidden="true" {
            @for (kind, count) in &sut.outcomes {
                i.(outcome_class(*kind)) style={ "flex:" (count) } title={ (count) " " (kind) } {}
            }
        }
    }
}

fn facts(run: &Run, summary: &Summary) -> Markup {
    html! {
        dl.facts {
            dt { "Run" } dd { code { (summary.run) } }
            dt { "Waxseal" } dd { (summary.waxseal) }
            dt { "Corpus" } dd { code.hash { (summary.corpus) } }
            @for shard in run.shards() {
                dt { @if run.shards().len() == 1 { "Machine" } @else { "Shard " (shard.name) } }
                dd { (shard.platform) ", " (shard.workers) @if shard.workers == 1 { " worker" } @else { " workers" } }
            }
        }
    }
}

/// Where bytes and outcomes come from: no kind is passed off as a better one.
fn provenance(summary: &Summary) -> Markup {
    html! {
        dl.facts {
            dt { "Evidence" }
            dd {
                @for kind in Evidence::ALL {
                    @if let Some(count) = summary.evidence.get(kind) {
                        div title=(evidence_meaning(*kind)) { b { (count) } " " (kind) ": " (evidence_meaning(*kind)) }
                    }
                }
            }
            dt { "Knowledge" }
            dd {
                @for kind in Knowledge::ALL {
                    @if let Some(count) = summary.knowledge.get(kind) {
                        div { b { (count) } " " (kind) ": " (knowledge_meaning(*kind)) }
                    }
                }
            }
            dt { "Unwitnessed" }
            dd {
                @match summary.unwitnessed.as_slice() {
                    [] => b { "0" },
                    // A line or two; more are a list that is asked for.
                    few @ ([_] | [_, _] | [_, _, _]) => { b { (few.len()) } ": " (links(few)) }
                    many => details { summary { b { (many.len()) } " cases" } (links(many)) },
                }
            }
        }
    }
}

/// Links to cases, in a line.
fn links(cases: &[String]) -> Markup {
    html! {
        @for (number, id) in cases.iter().enumerate() {
            @if number > 0 { ", " }
            a href={ "#" (id) } { (id) }
        }
    }
}
