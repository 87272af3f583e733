//! `waxseal encrypt`: an encrypted mail, as a mail program would send it.

use std::path::PathBuf;

use clap::Args;
use time::OffsetDateTime;
use waxseal_engine::cms::write::ContentEncryption;
use waxseal_engine::message::{self, Enclosure, EncryptRequest};
use waxseal_key::SystemRandom;

use super::options::{HideOptions, ProviderOption};
use super::recipients::RecipientOptions;
use super::writing::WritingOptions;
use crate::exit::{Exit, Failed, help};
use crate::keys::{Secret, hexadecimal};

/// Encrypt a mail
///
/// FILE is a mail or a MIME entity; its Content-… fields and its body are
/// encrypted, its other fields stay outside; see --protect-headers. `-` is
/// standard input. A cipher that authenticates (aes-256-gcm) makes an
/// AuthEnvelopedData, any other an EnvelopedData.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal encrypt mail.eml --to alice.pem --to me.pem -o encrypted.eml",
    "waxseal sign mail.eml --key me.key --cert me.pem | waxseal encrypt - --to alice.pem",
    "waxseal encrypt mail.eml --to alice.pem --cipher aes-256-gcm --oaep sha-256",
    "waxseal encrypt mail.eml --password env:PASSWORD --prf sha-512 --iterations 210000",
    "waxseal encrypt mail.eml --to alice.pem --protect-headers --header-policy shy",
))]
pub(super) struct Arguments {
    /// The mail
    file: PathBuf,
    #[command(flatten)]
    recipients: RecipientOptions,
    /// The content key itself, in hexadecimal, which the readers have: an EncryptedData, which names no recipient;
    /// HEX can be env:NAME or file:PATH
    #[arg(long, value_name = "HEX", conflicts_with_all = ["to", "kek", "password", "protect_headers"])]
    content_key: Option<Secret>,
    /// The content cipher, by its name in `waxseal algorithms`
    #[arg(long, value_name = "NAME", default_value = "aes-256-cbc")]
    cipher: ContentEncryption,
    /// Octets of the tag of a cipher that authenticates [default: 16]
    #[arg(long, value_name = "OCTETS")]
    tag: Option<usize>,
    /// Copy the header into what is encrypted, and hide some of it outside (RFC 9788); a signed mail has this from
    /// `sign --protect-headers cipher` already
    #[arg(long)]
    protect_headers: bool,
    #[command(flatten)]
    hide: HideOptions,
    #[command(flatten)]
    provider: ProviderOption,
    #[command(flatten)]
    writing: WritingOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    match &arguments.content_key {
        Some(key) => encrypt_with(key, arguments)?,
        None => encrypt_for_recipients(arguments)?,
    }
    Ok(Exit::Good)
}

fn encrypt_for_recipients(arguments: &Arguments) -> Result<(), Failed> {
    let Arguments { file, recipients, writing, .. } = arguments;
    if recipients.is_empty() {
        return Err(Failed::usage("nobody can read it: give --to, --kek, --password or --content-key"));
    }
    let loaded = recipients.load()?;
    let list = loaded.list();
    let arithmetic = arguments.provider.arithmetic();
    let mut request = EncryptRequest::new(&list, &arithmetic);
    request.key_management = recipients.key_management()?;
    request.cipher = arguments.cipher()?;
    request.shape.recipient_id = recipients.identifier();
    request.shape.encoding = writing.encoding(file);
    request.date = Some(OffsetDateTime::now_utc());
    request.protect_headers = arguments.protect_headers.then(|| arguments.hide.hide());
    request.limits = writing.limits.limits();
    let reads_once = request.reads_once();
    writing.write(file, reads_once, |input, out| message::encrypt(input, out, &request, &mut SystemRandom))
}

fn encrypt_with(key: &Secret, arguments: &Arguments) -> Result<(), Failed> {
    let Arguments { file, writing, .. } = arguments;
    let key = hexadecimal(&key.reveal()?)?;
    let arithmetic = arguments.provider.arithmetic();
    let into = Enclosure::Encrypted { key: &key, cipher: arguments.cipher()? };
    writing.enclose(file, into, &arithmetic, |_| {})
}

impl Arguments {
    fn cipher(&self) -> Result<ContentEncryption, Failed> {
        match (self.cipher, self.tag) {
            (ContentEncryption::Aead { cipher, .. }, Some(tag_len)) => Ok(ContentEncryption::Aead { cipher, tag_len }),
            (cipher, Some(_)) => Err(Failed::usage(format!(
                "--tag: {cipher} has no tag; take one that authenticates, such as aes-256-gcm"
            ))),
            (cipher, None) => Ok(cipher),
        }
    }
}
