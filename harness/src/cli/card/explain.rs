//! `waxseal card explain`: a session in words.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use waxseal_card::transcript::explain::{self, Explained};
use waxseal_card::transcript::{KeyOperation, Transcript};

use super::super::output;
use crate::exit::{Exit, Failed, help};
use crate::workspace;

/// Explain a transcript of what went between a program and a card
///
/// Every command is named, with the object, key or file that it is about, and
/// what the status word says; chained commands, and answers that came in parts,
/// are joined. The numbers are lines of the transcript. At the end it lists
/// which private keys were used.
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal card explain transcript.txt", "waxseal card explain transcript.txt --json"))]
pub(in crate::cli) struct Arguments {
    /// The transcript
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    format: u32,
    steps: Vec<Explained>,
    private_keys: Vec<KeyOperation>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let text = workspace::read_small_text(&arguments.file).map_err(Failed::at(arguments.file.display()))?;
    let transcript: Transcript = text.parse().map_err(Failed::at(arguments.file.display()))?;
    let shown = Shown { format: 1, steps: explain::explain(&transcript), private_keys: transcript.key_operations() };
    if arguments.json {
        output::print_json(&shown)?;
    } else {
        let used = shown.private_keys.iter().map(used_in_words).collect::<String>();
        output::print(&(output::harmless_lines(&explain::text(&shown.steps)) + &used))?;
    }
    Ok(Exit::Good)
}

fn used_in_words(used: &KeyOperation) -> String {
    let KeyOperation { key, operation, algorithm, line } = used;
    format!("private key used at line {line}: {key}, {}, {algorithm}\n", operation.name())
}
