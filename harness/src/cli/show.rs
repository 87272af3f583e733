//! `waxseal show`: one case, for a person.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use waxseal_model::{Case, Corpus, Input};
use waxseal_verdict::{Aspect, Expectation};

use super::{options, output};
use crate::exit::{Exit, Failed, help};

/// Show one case: what it asks, why, and what must come out
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal show signed/clear/rsa-sha256", "waxseal show recorded/outlook/outlook16-signed --json"))]
pub(super) struct Arguments {
    /// The id of the case; `waxseal list` prints all
    #[arg(value_name = "CASE")]
    id: String,
    /// Read the corpus from a directory instead of the one inside this program
    #[arg(long, value_name = "DIR")]
    vectors: Option<PathBuf>,
    /// Print the case as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let corpus = options::load_corpus(arguments.vectors.as_deref())?;
    let case = corpus.case(&arguments.id).ok_or_else(|| unknown(&corpus, &arguments.id))?;
    if arguments.json {
        output::print_json(case)?;
    } else {
        output::print(&text(&corpus, case))?;
    }
    Ok(Exit::Good)
}

fn unknown(corpus: &Corpus, id: &str) -> Failed {
    let name = id.rsplit('/').next().unwrap_or(id);
    let near: Vec<_> = corpus
        .cases()
        .iter()
        .filter(|case| !name.is_empty() && case.id.contains(name))
        .map(|case| &case.id)
        .take(5)
        .collect();
    let hint = if near.is_empty() {
        "`waxseal list` prints all".to_owned()
    } else {
        format!("did you mean {}?", near.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", "))
    };
    Failed::usage(format!("there is no case {id:?}; {hint}"))
}

fn text(corpus: &Corpus, case: &Case) -> String {
    let mut out = format!("{}\n  {}\n\n{}\n\n", case.id, case.title, case.why.trim());
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "{name:13}{value}");
        }
    };
    field("level", case.level.code());
    field("role", case.role.code());
    field("evidence", case.evidence.code());
    let fixed = if case.fixed_clock { " (the answer changes with the clock)" } else { "" };
    field("clock", &format!("{}{fixed}", case.clock));
    field("twin", case.twin.as_deref().unwrap_or_default());
    field("difference", case.difference.as_deref().unwrap_or_default());
    field("keys", &case.keys.join(", "));
    field("anchors", &case.anchors.join(", "));
    field("extra certs", &case.extra_certificates.join(", "));
    field("CRLs", &case.crls.join(", "));
    field("OCSP", &case.ocsp.join(", "));
    field("from", case.from.as_deref().unwrap_or_default());
    if let Input::Recording { sha256 } | Input::Recorded { sha256, .. } = &case.input {
        field("sha256", sha256);
    }
    let needs: Vec<_> = case.needs.algorithms.iter().map(String::as_str).collect();
    field("needs", &needs.join(", "));
    field("source", &source(case));
    for id in &case.requirements {
        if let Some(requirement) = corpus.requirement(id) {
            let _ = writeln!(out, "\n{id} ({})\n  {}", requirement.reference.join(", "), requirement.text.trim());
        }
    }
    out.push_str("\nexpected\n");
    expectation(&mut out, &case.expect);
    for accepted in &case.accept {
        out.push_str("right too\n");
        expectation(&mut out, accepted);
    }
    for flag in &case.flags {
        let _ = writeln!(out, "\nimplementations differ: {}\n  {}", flag.name, flag.why.trim());
    }
    for note in corpus.peers().notes(&case.id) {
        let word = if note.fails { "says otherwise" } else { "differs" };
        let _ = writeln!(out, "\n{} {} {word}: {}", note.sut, note.version, note.why.trim());
    }
    for disagreement in &case.disagreements {
        let _ = writeln!(
            out,
            "\n{} {} says otherwise: {}\n  {}",
            disagreement.implementation,
            disagreement.version,
            disagreement.says.trim(),
            disagreement.why.trim()
        );
    }
    for link in &case.links {
        let _ = writeln!(out, "\nsee {link}");
    }
    let _ = write!(out, "\nto look at it by hand\n  waxseal run --case '{}' --keep kept\n", case.id);
    out
}

/// Who says what must come out, in one line.
pub(super) fn source(case: &Case) -> String {
    let mut words = case.source.clauses.clone();
    words.extend(case.source.client.clone());
    words.extend(case.source.published.clone());
    words.join("; ")
}

fn expectation(out: &mut String, expectation: &Expectation) {
    if expectation.layers.is_empty() {
        out.push_str("  no layer\n");
    }
    for layer in &expectation.layers {
        let form = layer.form.map(|form| format!(", {form}")).unwrap_or_default();
        let aspects = layer.aspects.iter().chain(&layer.beside);
        let aspects: Vec<_> = aspects.map(|(name, aspect)| format!("{name} {}", word(aspect))).collect();
        let _ = writeln!(out, "  {}{form}: {}", layer.kind, aspects.join(", "));
        if !layer.deviations.is_empty() {
            let names: Vec<_> = layer.deviations.iter().map(|deviation| deviation.code()).collect();
            let _ = writeln!(out, "    reported as accepted: {}", names.join(", "));
        }
    }
    if let Some(hash) = &expectation.content_sha256 {
        let _ = writeln!(out, "  content sha256 {hash}");
    }
}

fn word(aspect: &Aspect) -> String {
    aspect.to_string()
}
