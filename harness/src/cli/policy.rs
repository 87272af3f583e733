//! `waxseal policy`: what is good enough.

use clap::{Args, Subcommand};
use waxseal_engine::policy::Policy;

use super::{options, output};
use crate::exit::{Exit, Failed, help};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Show(ShowArguments),
}

/// Print a policy: the thresholds of algorithms, keys, encodings and clocks
///
/// What is printed is TOML, which `--policy` takes after it was changed.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal policy show",
    "waxseal policy show strict > mine.toml",
    "waxseal open mail.eml --policy mine.toml",
))]
pub(super) struct ShowArguments {
    /// the name of a built-in policy, or a TOML file; all built-in ones in a list, if nothing is said
    #[arg(value_name = "NAME|FILE")]
    policy: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Command) -> Result<Exit, Failed> {
    let Command::Show(ShowArguments { policy, json }) = command;
    match policy {
        None => {
            let all = Policy::names().into_iter().map(|name| Policy::named(name).map_err(Failed::fault));
            let all = all.collect::<Result<Vec<_>, _>>()?;
            if *json {
                output::print_json(&all)?;
            } else {
                output::print(&all.iter().map(|one| format!("{:8} {}\n", one.name, one.summary)).collect::<String>())?;
            }
        }
        Some(name) if *json => output::print_json(&options::policy(name)?)?,
        Some(name) => match Policy::text(name) {
            Ok(text) => output::print(text)?,
            // A file of the user's, as it is understood.
            Err(_) => output::print(&options::policy(name)?.to_toml())?,
        },
    }
    Ok(Exit::Good)
}
