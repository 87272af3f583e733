//! `waxseal card`: virtual smart cards, and cards in readers.

mod explain;
mod list;
mod pin;
mod serve;
mod show;

use clap::Subcommand;

use crate::exit::{Exit, Failed};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    List(list::Arguments),
    Show(show::Arguments),
    Pin(pin::Arguments),
    Serve(serve::Arguments),
    Explain(explain::Arguments),
}

pub(super) fn run(command: &Command) -> Result<Exit, Failed> {
    match command {
        Command::List(arguments) => list::run(arguments),
        Command::Show(arguments) => show::run(arguments),
        Command::Pin(arguments) => pin::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
    }
}
