//! `waxseal carry`: this program where the mail servers are; it starts itself so.

use std::path::PathBuf;

use clap::Args;

use crate::exit::{Exit, Failed};
use crate::transport::post;

/// Carry the mails of a directory, where there is no network but loopback
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct Arguments {
    /// The directory that `waxseal transport` made
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    post::serve(&arguments.dir).map_err(Failed::usage)?;
    Ok(Exit::Good)
}
