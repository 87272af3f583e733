//! `waxseal encrypt`: an encrypted mail, as a mail program would send it.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use time::OffsetDateTime;
use waxseal_engine::cms::write::{ContentEncryption, Encoding, Recipient, Shape};
use waxseal_engine::message::{self, EncryptRequest};
use waxseal_key::SystemRandom;

use super::open::source;
use super::options::{HideOptions, ProviderOption};
use super::output;
use crate::exit::{Exit, Failed, help};
use crate::keys::load_certificates;

/// Encrypt a mail
///
/// FILE is a mail or a MIME entity; its Content-… fields and its body are
/// encrypted, its other fields stay outside; see --protect-headers. `-` is
/// standard input.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal encrypt mail.eml --to alice.pem --to me.pem -o encrypted.eml",
    "waxseal sign mail.eml --key me.key --cert me.pem | waxseal encrypt - --to alice.pem",
    "waxseal encrypt mail.eml --to alice.pem --protect-headers --header-policy shy",
))]
pub(super) struct Arguments {
    /// The mail
    file: PathBuf,
    /// The certificate of somebody who can read it; all of a file that holds several
    #[arg(long, value_name = "CERT", required = true)]
    to: Vec<PathBuf>,
    /// The content cipher
    #[arg(long, value_name = "NAME", default_value = "aes-256-cbc")]
    cipher: ContentEncryption,
    /// Write indefinite lengths and cut the content into segments of so many octets
    #[arg(long, value_name = "SEGMENT", value_parser = segment)]
    ber: Option<usize>,
    /// Copy the header into what is encrypted, and hide some of it outside (RFC 9788); a signed mail has this from
    /// `sign --protect-headers cipher` already
    #[arg(long)]
    protect_headers: bool,
    #[command(flatten)]
    hide: HideOptions,
    #[command(flatten)]
    provider: ProviderOption,
    /// Write to this file [default: standard output]
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A segment length of the command line.
pub(super) fn segment(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(segment @ 1..) => Ok(segment),
        _ => Err("a number of octets, 1 or more".to_owned()),
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let certificates = load_certificates(&arguments.to)?;
    let recipients = Recipient::certificates(&certificates);
    let arithmetic = arguments.provider.arithmetic();
    let mut request = EncryptRequest::new(&recipients, &arithmetic);
    request.cipher = arguments.cipher;
    request.date = Some(OffsetDateTime::now_utc());
    request.protect_headers = arguments.protect_headers.then(|| arguments.hide.hide());
    if let Some(segment) = arguments.ber {
        request.shape = Shape::encoded(Encoding::Ber { segment });
    }
    let mut input = source(&arguments.file)?;
    let write = |out: &mut dyn Write| {
        message::encrypt(&mut input, out, &request, &mut SystemRandom).map_err(Failed::at(arguments.file.display()))
    };
    output::to_file_or_stdout(arguments.out.as_deref(), write)?;
    Ok(Exit::Good)
}
