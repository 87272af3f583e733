//! `waxseal compress`: a mail in a CompressedData.

use std::path::PathBuf;

use clap::Args;
use waxseal_engine::message::Enclosure;
use waxseal_key::Arithmetic;

use super::writing::WritingOptions;
use crate::exit::{Exit, Failed, help};

/// Compress a mail
///
/// FILE is a mail or a MIME entity; its Content-… fields and its body go into a
/// CompressedData (RFC 3274), its other fields stay outside. `-` is standard
/// input. A mail is compressed before it is encrypted; before or after it is
/// signed (RFC 8551 section 3.7).
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal compress mail.eml -o compressed.eml",
    "waxseal sign mail.eml --key me.key --cert me.pem | waxseal compress - | waxseal encrypt - --to alice.pem",
))]
pub(super) struct Arguments {
    /// The mail
    file: PathBuf,
    /// How hard to try, from 0 (not at all) to 9
    #[arg(long, value_name = "LEVEL", default_value_t = 6, value_parser = clap::value_parser!(u32).range(0..=9))]
    level: u32,
    #[command(flatten)]
    writing: WritingOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let Arguments { file, level, writing } = arguments;
    let arithmetic = Arithmetic::default();
    writing.enclose(file, Enclosure::Compressed { level: *level }, &arithmetic, |_| {})?;
    Ok(Exit::Good)
}
