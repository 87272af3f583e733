//! `waxseal open`: what a mail program would say of a message.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::certificate::identity::comparable;
use waxseal_engine::io::{Section, Source};
use waxseal_engine::message::{OpenError, Opened};
use waxseal_engine::mime::{MimeError, mbox};

use super::address_book;
use super::options::{self, CardOptions, FetchOptions, KeyOptions, LimitOptions, ProviderOption, Sm2IdOption};
use super::output::{self, Paint};
use super::verdict_text;
use crate::card;
use crate::exit::{Exit, Failed, help};
use crate::keys::{KekOption, KeyRing, Secret, load_certificates, load_crls, load_ocsp_responses, load_secrets};
use crate::reader::Reader;
use crate::workspace;

/// Open a message: decrypt it, check its signatures, and judge every layer
///
/// FILE is a mail, an mbox (see --index), or bare CMS in DER, BER or PEM; `-`
/// is standard input.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal open mail.eml --anchor ca.pem",
    "waxseal open mail.eml --p12 me.p12:env:PASSWORD --anchor ca.pem --out inside.eml",
    "waxseal open mail.eml --card --anchor ca.pem               the keys of the smart card in the reader",
    "waxseal open archive.mbox --index 7 --at 2021-09-22T15:10:01Z --json",
    "waxseal open signature.p7s --content signed.bin --anchor ca.pem",
    "waxseal open mail.eml --anchor ca.pem --crl ca.crl --ocsp response.der",
    "waxseal open mail.eml --anchor ca.pem --address-book book.json --learn",
    "waxseal open mail.eml --anchor ca.pem --fetch --cache ~/.cache/waxseal",
    "waxseal open receipt.eml --sent mail.eml --anchor ca.pem",
    "waxseal open huge.eml --limit header-octets=4000000 --limit mime-parts=5000",
))]
pub(super) struct Arguments {
    /// The message
    file: PathBuf,
    /// What a bare detached signature is over; a mail has its content inside
    #[arg(long, value_name = "FILE")]
    content: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyOptions,
    #[command(flatten)]
    card: CardOptions,
    /// A password that may open the message; SECRET can be env:NAME or file:PATH
    #[arg(long, value_name = "SECRET")]
    password: Vec<Secret>,
    /// A key that both sides have, and its identifier, both in hexadecimal; ID
    /// is empty for EncryptedData, HEX can be env:NAME or file:PATH
    #[arg(long, value_name = "ID:HEX")]
    kek: Vec<KekOption>,
    /// A certificate to trust; any certificate can be an anchor
    #[arg(long, value_name = "FILE")]
    anchor: Vec<PathBuf>,
    /// A certificate that may be needed beside those in the message
    #[arg(long, value_name = "FILE")]
    extra_cert: Vec<PathBuf>,
    /// A CRL, beside those in the message
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// An OCSP response, beside those in the message
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,
    /// What is known of correspondents: a mail that announces or uses less than they announced before has a bad
    /// policy; see `waxseal addressbook`
    #[arg(long, value_name = "BOOK")]
    address_book: Option<PathBuf>,
    /// Learn from the message, if its signature has no fault; the address book is made if it is not there
    #[arg(long, requires = "address_book")]
    learn: bool,
    /// Learn a list of capabilities, too, that takes away what was announced before
    #[arg(long, requires = "learn")]
    accept_downgrade: bool,
    #[command(flatten)]
    sm2_id: Sm2IdOption,
    #[command(flatten)]
    fetch: FetchOptions,
    /// The time at which to judge [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = options::rfc3339)]
    at: Option<OffsetDateTime>,
    /// The sender's address, instead of the From of the message
    #[arg(long, value_name = "ADDR", value_parser = address)]
    from: Option<String>,
    /// What is good enough: the name of a built-in policy, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    policy: String,
    /// A certificate is bad of which nothing tells that it was not revoked
    #[arg(long)]
    require_revocation: bool,
    /// A mail that was sent and asked for a receipt, if the message is that receipt
    #[arg(long, value_name = "FILE", conflicts_with = "content")]
    sent: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    provider: ProviderOption,
    /// Which message of an mbox, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    index: Option<u32>,
    /// Print the verdict as JSON
    #[arg(long)]
    json: bool,
    /// Write the innermost entity to this file, if nothing is bad
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let reader = arguments.reader()?;
    let source = |path: &Path| source(path, &reader.limits);
    let mut input = source(&arguments.file)?;
    let mut content = arguments.content.as_deref().map(source).transpose()?;
    let content = content.as_mut().map(|content| content as &mut dyn Source);
    let mut sent = arguments.sent.as_deref().map(source).transpose()?;
    let open = |message: &mut dyn Source| match &mut sent {
        None => reader.open(message, content, arguments.out.is_some()),
        Some(sent) => reader.open_receipt(message, &mut **sent, arguments.out.is_some()),
    };
    let opened = match arguments.index {
        None => open(&mut input),
        Some(index) => open(&mut message_of_mbox(&mut *input, &arguments.file, index)?),
    };
    let opened = opened.map_err(|error| match error {
        OpenError::ContentBesideMail => Failed::usage(format!("--content: {}: {error}", arguments.file.display())),
        error => refused(&arguments.file, &error),
    })?;
    if arguments.json {
        output::print_json(&opened.verdict)?;
    } else {
        output::print(&verdict_text::write(&opened.verdict, Paint::stdout()))?;
    }
    if let Some(book) = arguments.address_book.as_deref().filter(|_| arguments.learn) {
        address_book::learn(book, &opened, &reader.policy, arguments.accept_downgrade)?;
    }
    let bad = opened.verdict.has_bad();
    if let Some(out) = &arguments.out {
        write_out(out, opened, bad)?;
    }
    Ok(if bad { Exit::Bad } else { Exit::Good })
}

impl Arguments {
    fn key_ring(&self) -> Result<KeyRing, Failed> {
        let ring = self.keys.load(self.provider.arithmetic())?;
        Ok(match self.card.client()? {
            Some(client) => ring.with_held(card::reading_keys(&client)?),
            None => ring,
        })
    }

    fn reader(&self) -> Result<Reader, Failed> {
        let mut policy = options::policy(&self.policy)?;
        policy.require_revocation |= self.require_revocation;
        Ok(Reader {
            keys: self.key_ring()?,
            secrets: load_secrets(&self.password, &self.kek)?,
            anchors: load_certificates(&self.anchor)?,
            extra_certificates: load_certificates(&self.extra_cert)?,
            address_book: address_book::load_for_reading(self.address_book.as_deref(), self.learn)?,
            crls: load_crls(&self.crl)?,
            ocsp_responses: load_ocsp_responses(&self.ocsp)?,
            network: self.fetch.network()?,
            at: self.at.unwrap_or_else(OffsetDateTime::now_utc),
            from: self.from.clone(),
            sm2_id: self.sm2_id.octets().map(<[u8]>::to_vec),
            policy,
            arithmetic: self.provider.arithmetic(),
            limits: self.limits.limits(),
        })
    }
}

/// An address that can be compared with those of a certificate.
fn address(text: &str) -> Result<String, String> {
    match comparable(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("not an address, such as alice@example.test".to_owned()),
    }
}

/// An input file, named in the error.
pub(super) fn source(path: &Path, limits: &Limits) -> Result<Box<dyn Source>, Failed> {
    workspace::source(path, limits.piped_octets).map_err(Failed::at(path.display()))
}

/// One message of an mbox.
pub(super) fn message_of_mbox<'a>(input: &'a mut dyn Source, file: &Path, index: u32) -> Result<Section<'a>, Failed> {
    let number = usize::try_from(index - 1).map_err(Failed::usage)?;
    let range = mbox::message(input, number).map_err(Failed::at(file.display()))?;
    let range = range.ok_or_else(|| Failed::usage(format!("{}: has no message number {index}", file.display())))?;
    Ok(Section::new(input, range.start, range.end))
}

/// Why there is no verdict, and the exit code for it.
pub(super) fn refused(file: &Path, error: &OpenError) -> Failed {
    let exit = match error {
        OpenError::Io(_) | OpenError::Mime(MimeError::Read { .. }) => Exit::Usage,
        // It is mail, and cannot be cut into parts.
        OpenError::Mime(_) => Exit::Bad,
        _ => Exit::NotAMessage,
    };
    Failed { exit, message: format!("{}: {error}", file.display()) }
}

fn write_out(out: &Path, opened: Opened, bad: bool) -> Result<(), Failed> {
    let Some(mut content) = opened.content.filter(|_| !bad) else {
        let why = if bad { "something is bad" } else { "there is no layer, so there is nothing inside" };
        eprintln!("note: {} is not written: {why}", out.display());
        return Ok(());
    };
    output::replace_file(out, |file| {
        io::copy(&mut content, file).and_then(|_| file.flush()).map_err(Failed::at(out.display()))
    })
}
