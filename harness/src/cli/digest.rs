//! `waxseal digest`: a mail in a DigestedData.

use std::path::PathBuf;

use clap::Args;
use waxseal_engine::message::Enclosure;
use waxseal_key::DigestAlgorithm;

use super::options::{self, ProviderOption};
use super::writing::WritingOptions;
use crate::exit::{Exit, Failed, help};

/// Put a mail beside its digest
///
/// FILE is a mail or a MIME entity; its Content-… fields and its body go into a
/// DigestedData (RFC 5652 section 7), which protects from accidents and from
/// nobody; its other fields stay outside. `-` is standard input.
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal digest mail.eml --digest sha-512 -o digested.eml"))]
pub(super) struct Arguments {
    /// The mail
    file: PathBuf,
    /// The digest
    #[arg(long, value_name = "NAME", default_value = "sha-256", value_parser = options::digest)]
    digest: DigestAlgorithm,
    #[command(flatten)]
    provider: ProviderOption,
    #[command(flatten)]
    writing: WritingOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let Arguments { file, digest, provider, writing } = arguments;
    let arithmetic = provider.arithmetic();
    writing.enclose(file, Enclosure::Digested { digest: *digest }, &arithmetic, |_| {})?;
    Ok(Exit::Good)
}
