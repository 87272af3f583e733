//! `waxseal card list`: the readers.

use clap::Args;
use serde::Serialize;

use crate::card::readers;
use crate::cli::output;
use crate::exit::{Exit, Failed, help};

/// List the readers: those of PC/SC, and the cards in this process
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal card list", "waxseal card list --json"))]
pub(in crate::cli) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    reader: String,
    card: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let rows: Vec<_> = readers().into_iter().map(|state| Row { reader: state.name, card: state.card }).collect();
    if arguments.json {
        output::print_json(&rows)?;
        return Ok(Exit::Good);
    }
    let width = rows.iter().map(|row| row.reader.chars().count()).max().unwrap_or_default();
    let line = |row: &Row| {
        let card = row.card.as_deref().unwrap_or("no card");
        output::harmless(&format!("{:width$}  {card}", row.reader)) + "\n"
    };
    output::print(&rows.iter().map(line).collect::<String>())?;
    Ok(Exit::Good)
}
