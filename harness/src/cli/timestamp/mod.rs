//! `waxseal timestamp`: requests, tokens, and what they are worth.

mod attach;
mod compact;
mod query;
mod reply;
mod show;
mod verify;

use std::path::Path;

use clap::Subcommand;
use waxseal_engine::Limits;
use waxseal_engine::message::signature_values;
use waxseal_engine::timestamp::Token;

use super::open::source;
use super::output;
use crate::exit::{Exit, Failed};
use crate::workspace;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Query(query::Arguments),
    Reply(reply::Arguments),
    Verify(verify::Arguments),
    Attach(attach::Arguments),
    Show(show::Arguments),
    Compact(compact::Arguments),
}

pub(super) fn run(command: &Command) -> Result<Exit, Failed> {
    match command {
        Command::Query(arguments) => query::run(arguments),
        Command::Reply(arguments) => reply::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Attach(arguments) => attach::run(arguments),
        Command::Show(arguments) => show::run(arguments),
        Command::Compact(arguments) => compact::run(arguments),
    }
}

/// A file that is small enough to be held.
fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    workspace::read_small(path).map_err(Failed::at(path.display()))
}

/// The token of a file: by itself, or in a response.
fn read_token(path: &Path) -> Result<Vec<u8>, Failed> {
    Token::in_file(&read(path)?)
        .map_err(|error| Failed { exit: Exit::Bad, message: format!("{}: {error}", path.display()) })
}

/// The signature value of a mail's signer, counted from 1.
fn signature(mail: &Path, signer: u32, limits: &Limits) -> Result<Vec<u8>, Failed> {
    let values = signature_values(&mut source(mail, limits)?, limits).map_err(Failed::at(mail.display()))?;
    let missing =
        || Failed::usage(format!("{}: has {} signers, none is number {signer}", mail.display(), values.len()));
    usize::try_from(signer - 1).ok().and_then(|index| values.get(index)).cloned().ok_or_else(missing)
}

/// Writes octets to a file, or to standard output.
fn write(out: Option<&Path>, octets: &[u8]) -> Result<(), Failed> {
    output::to_file_or_stdout(out, |sink| sink.write_all(octets).map_err(Failed::usage))
}
