//! `waxseal list`: the cases of the corpus.

use clap::Args;
use serde::Serialize;
use waxseal_model::{Case, Selection};

use super::options::CorpusOptions;
use super::output;
use crate::exit::{Exit, Failed, help};

/// List the cases of the corpus
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal list", "waxseal list --case 'recorded/**'", "waxseal list --json"))]
pub(super) struct Arguments {
    #[command(flatten)]
    corpus: CorpusOptions,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// One case, as `--json` lists it.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    title: &'a str,
    level: waxseal_model::Level,
    role: waxseal_model::Role,
    evidence: waxseal_verdict::Evidence,
    negative: bool,
    requirements: &'a [String],
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let corpus = arguments.corpus.load()?;
    let cases = select(corpus.cases(), &arguments.corpus.case)?;
    if arguments.json {
        let rows: Vec<_> = cases.iter().map(|case| row(case)).collect();
        output::print_json(&rows)?;
        return Ok(Exit::Good);
    }
    let wide = cases.iter().map(|case| case.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for case in &cases {
        let sign = if case.is_negative() { '-' } else { '+' };
        text.push_str(&format!("{sign} {:wide$}  {}\n", case.id, case.title));
    }
    let negative = cases.iter().filter(|case| case.is_negative()).count();
    text.push_str(&format!("{} cases, {negative} of them negative (-)\n", cases.len()));
    output::print(&text)?;
    Ok(Exit::Good)
}

/// The cases that globs mean; a glob that means none is most likely a slip.
pub(super) fn select<'a, S: AsRef<str>>(cases: &'a [Case], globs: &[S]) -> Result<Vec<&'a Case>, Failed> {
    let selection = Selection::new(globs).map_err(|error| Failed::usage(format!("--case: {error}")))?;
    if let Some(glob) = selection.unmatched(cases).first() {
        return Err(Failed::usage(format!("--case {glob}: no case of this id; `waxseal list` prints all")));
    }
    Ok(cases.iter().filter(|case| selection.contains(case)).collect())
}

fn row(case: &Case) -> Row<'_> {
    Row {
        id: &case.id,
        title: &case.title,
        level: case.level,
        role: case.role,
        evidence: case.evidence,
        negative: case.is_negative(),
        requirements: &case.requirements,
    }
}
