//! `waxseal guard`: this program as its own guard; it starts itself so.

use std::io;

use clap::Args;

use crate::exit::{Exit, Failed};
use crate::sut::{ending, guard};

/// Wait for the end of standard input, then end what another `waxseal` started
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct Arguments {
    /// How the marks of that process begin
    #[arg(value_name = "MARK")]
    mark: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    // The beginning of one would be that of others' marks, too.
    if !ending::is_of_one_process(&arguments.mark) {
        return Err(Failed::usage(format!("{:?} is no mark: a waxseal starts this for itself", arguments.mark)));
    }
    guard::stand(&arguments.mark, io::stdin().lock());
    Ok(Exit::Good)
}
