//! `waxseal inspect`: what is in a message, judged by nobody.

use std::path::PathBuf;

use clap::Args;
use waxseal_engine::inspect::{InspectError, inspect};
use waxseal_engine::mime::MimeError;

use super::open::source;
use super::options::LimitOptions;
use super::output;
use crate::exit::{Exit, Failed, help};

/// Inspect a message: its MIME tree and the annotated ASN.1 tree of every object in it
///
/// FILE is a mail, or an object in DER, BER or PEM; `-` is standard input.
/// Nothing is decrypted and nothing is judged: a damaged object is shown as far
/// as it can be read.
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal inspect mail.eml", "waxseal inspect smime.p7m --json"))]
pub(super) struct Arguments {
    /// The message
    file: PathBuf,
    /// Print the trees as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let limits = arguments.limits.limits();
    let mut input = source(&arguments.file, &limits)?;
    let tree = inspect(&mut *input, &limits).map_err(|error| {
        let exit = match &error {
            InspectError::Mime(MimeError::Read { .. }) => Exit::Usage,
            // It is mail, and cannot be cut into parts.
            InspectError::Mime(_) => Exit::Bad,
            _ => Exit::NotAMessage,
        };
        Failed { exit, message: format!("{}: {error}", arguments.file.display()) }
    })?;
    if arguments.json {
        output::print_json(&tree)?;
    } else {
        let lines: Vec<_> = tree.render().lines().map(output::harmless).collect();
        output::print(&(lines.join("\n") + "\n"))?;
    }
    Ok(Exit::Good)
}
