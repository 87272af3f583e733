//! `waxseal timestamp attach`: put a token on the signature of a mail.

use std::path::PathBuf;

use clap::Args;
use waxseal_engine::message::attach_token;

use super::super::open::source;
use super::super::options::{LimitOptions, ProviderOption};
use super::super::output;
use crate::exit::{Exit, Failed, help};

/// Put a time-stamp on the signature of a mail
///
/// The token becomes an unsigned attribute (RFC 3161 appendix A): what is
/// signed keeps every octet, and so does the mail around the signature. A token
/// for anything else than this signature is refused; whether its authority is
/// to be trusted is not asked.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal timestamp attach signed.eml signed.tsr -o stamped.eml",
    "waxseal timestamp attach signed.eml signed.tsr --signer 2 -o stamped.eml",
))]
pub(in crate::cli) struct Arguments {
    /// The signed mail
    mail: PathBuf,
    /// The token, or the response with it
    token: PathBuf,
    /// Which signer of the mail, counted from 1
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    signer: u32,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    provider: ProviderOption,
    /// Write to this file [default: standard output]
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let token = super::read_token(&arguments.token)?;
    let signer = usize::try_from(arguments.signer - 1).map_err(Failed::usage)?;
    let (arithmetic, limits) = (arguments.provider.arithmetic(), arguments.limits.limits());
    let mut mail = source(&arguments.mail, &limits)?;
    output::to_file_or_stdout(arguments.out.as_deref(), |out| {
        let attached = attach_token(&mut mail, out, signer, &token, &arithmetic, &limits);
        attached.map_err(Failed::at(arguments.mail.display()))
    })?;
    Ok(Exit::Good)
}
