//! `waxseal timestamp compact`: keep the chain of many tokens once.

use std::io::ErrorKind;
use std::path::PathBuf;

use clap::Args;
use waxseal_engine::Limits;
use waxseal_engine::timestamp::ChainArchive;
use waxseal_key::Arithmetic;

use super::super::output;
use crate::exit::{Exit, Failed, help};
use crate::workspace;

/// Take the certificates out of a token and keep them in an archive
///
/// A token names the certificate of its authority by digest, so that it can be
/// verified with the archive: `waxseal timestamp verify --extra-cert ARCHIVE`,
/// or `openssl ts -verify -untrusted ARCHIVE`. The archive is PEM; it is made
/// if it is not there, and holds every certificate once.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal timestamp compact contract.tsr --archive chains.pem -o contract.tst",
))]
pub(in crate::cli) struct Arguments {
    /// The token, or the response with it
    token: PathBuf,
    /// The archive
    #[arg(long, value_name = "FILE")]
    archive: PathBuf,
    /// Write to this file [default: standard output]
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let token = super::read_token(&arguments.token)?;
    let at = || arguments.archive.display();
    let kept = match workspace::read_small(&arguments.archive) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        read => read.map_err(Failed::at(at()))?,
    };
    let mut archive = ChainArchive::parse(&kept).map_err(Failed::at(at()))?;
    let compact = archive.compact(&token, &Limits::default());
    let compact = compact.map_err(Failed::at(arguments.token.display()))?;
    let text = archive.to_pem(&Arithmetic::default()).map_err(Failed::fault)?;
    // First the certificates: a token without them must not be all that is left.
    output::replace_file(&arguments.archive, |file| file.write_all(text.as_bytes()).map_err(Failed::at(at())))?;
    super::write(arguments.out.as_deref(), &compact)?;
    eprintln!(
        "note: {} of {} octets; {} certificates in {}",
        compact.len(),
        token.len(),
        archive.certificates().len(),
        at()
    );
    Ok(Exit::Good)
}
