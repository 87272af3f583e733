//! `waxseal authenticate`: a mail in an AuthenticatedData.

use std::path::PathBuf;

use clap::Args;
use waxseal_engine::message::Enclosure;
use waxseal_key::DigestAlgorithm;

use super::options::{self, ProviderOption};
use super::recipients::RecipientOptions;
use super::writing::WritingOptions;
use crate::exit::{Exit, Failed, help};

/// Authenticate a mail to its recipients
///
/// FILE is a mail or a MIME entity; its Content-… fields and its body go into
/// an AuthenticatedData (RFC 5652 section 9), readable for all and with a
/// message authentication code that the recipients can check, and could have
/// made; its other fields stay outside. `-` is standard input.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal authenticate mail.eml --to alice.pem -o authenticated.eml",
    "waxseal authenticate mail.eml --kek 01:env:KEY --digest sha-512",
))]
pub(super) struct Arguments {
    /// The mail
    file: PathBuf,
    #[command(flatten)]
    recipients: RecipientOptions,
    /// The digest under HMAC
    #[arg(long, value_name = "NAME", default_value = "sha-256", value_parser = options::digest)]
    digest: DigestAlgorithm,
    /// Authenticate the content itself, without attributes
    #[arg(long)]
    no_attributes: bool,
    #[command(flatten)]
    provider: ProviderOption,
    #[command(flatten)]
    writing: WritingOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let Arguments { file, recipients, digest, no_attributes, provider, writing } = arguments;
    if recipients.is_empty() {
        return Err(Failed::usage("nobody can check it: give --to, --kek or --password"));
    }
    let loaded = recipients.load()?;
    let list = loaded.list();
    let key_management = recipients.key_management(&loaded)?;
    let arithmetic = provider.arithmetic();
    let into = Enclosure::Authenticated { recipients: &list, key_management: &key_management, digest: *digest };
    writing.enclose(file, into, &arithmetic, |shape| {
        if let Some(form) = recipients.identifier() {
            shape.recipient_id = form;
        }
        if *no_attributes {
            shape.attributes.clear();
        }
    })?;
    Ok(Exit::Good)
}
