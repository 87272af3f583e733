//! `waxseal addressbook`: what is known of correspondents, and the file that
//! holds it.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::certificate::path::{self, PathRequest, PolicyInputs, Purpose, RevocationInputs};
use waxseal_engine::message::Opened;
use waxseal_engine::policy::address_book::{Choice, Correspondent, KnownCertificate, Learned, Lesson};
use waxseal_engine::policy::{AddressBook, Agreement, Peer, Policy, negotiate};
use waxseal_key::{Arithmetic, ProviderChoice};
use waxseal_verdict::Aspect;

use super::options::{self, show_time};
use super::output::{self, harmless};
use crate::exit::{Exit, Failed, help};
use crate::keys::load_certificates;
use crate::workspace;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Show(ShowArguments),
    Choose(ChooseArguments),
    Forget(ForgetArguments),
}

/// Print what is known of correspondents: certificates, and what their mail
/// programs announced
///
/// An address book is filled by `waxseal open --address-book BOOK --learn`.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal open mail.eml --anchor ca.pem --address-book book.json --learn",
    "waxseal addressbook show book.json",
    "waxseal addressbook show book.json alice@example.test --json",
))]
pub(super) struct ShowArguments {
    /// The address book
    book: PathBuf,
    /// Only the holder of this address
    address: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Choose certificates and cipher for a mail to correspondents, and say why
///
/// Of the certificates of a correspondent that are valid the one is chosen that
/// their mail named last. The cipher is the one that all of them announced and
/// the policy sends.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal addressbook choose book.json alice@example.test bob@example.test",
    "waxseal addressbook choose book.json alice@example.test --policy strict --json",
))]
pub(super) struct ChooseArguments {
    /// The address book
    book: PathBuf,
    /// The recipients
    #[arg(required = true)]
    address: Vec<String>,
    #[command(flatten)]
    choosing: ChoosingOptions,
    /// The time at which certificates have to be valid [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = options::rfc3339)]
    at: Option<OffsetDateTime>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Forget the holder of an address
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal addressbook forget book.json alice@example.test"))]
pub(super) struct ForgetArguments {
    /// The address book
    book: PathBuf,
    /// The address
    address: String,
}

/// By what a certificate to encrypt for is chosen.
#[derive(Debug, Args)]
pub(super) struct ChoosingOptions {
    /// What mail is encrypted with: a built-in policy, or a TOML file; see `waxseal policy show`
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    policy: String,
    /// A certificate to trust: then only certificates are chosen from which a path leads to one
    #[arg(long, value_name = "FILE")]
    anchor: Vec<PathBuf>,
    /// A certificate that may stand on that path
    #[arg(long, value_name = "FILE")]
    extra_cert: Vec<PathBuf>,
}

pub(super) fn run(command: &Command) -> Result<Exit, Failed> {
    match command {
        Command::Show(arguments) => show(arguments),
        Command::Choose(arguments) => choose(arguments),
        Command::Forget(arguments) => forget(arguments),
    }
}

/// The address book in a file.
pub(super) fn load(file: &Path) -> Result<AddressBook, Failed> {
    parse(file, &workspace::read_small_text(file).map_err(Failed::at(file.display()))?)
}

/// Changes the address book in a file; one that is not there is empty. Nobody
/// else writes it meanwhile, and whoever reads it sees the old one or the new.
fn update<T>(file: &Path, change: impl FnOnce(&mut AddressBook) -> T) -> Result<T, Failed> {
    let lock = file.with_extension("lock");
    let locked = File::create(&lock).map_err(Failed::at(lock.display()))?;
    locked.lock().map_err(Failed::at(lock.display()))?;
    let mut book = match workspace::read_small_text(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => AddressBook::default(),
        text => parse(file, &text.map_err(Failed::at(file.display()))?)?,
    };
    let before = book.clone();
    let value = change(&mut book);
    if book != before {
        let text = serde_json::to_string_pretty(&book).map_err(Failed::fault)? + "\n";
        output::replace_file(file, |out| out.write_all(text.as_bytes()).map_err(Failed::at(file.display())))?;
    }
    Ok(value)
}

fn parse(file: &Path, text: &str) -> Result<AddressBook, Failed> {
    serde_json::from_str(text).map_err(Failed::at(file.display()))
}

/// The address book that a message is held against; one that is to learn may
/// not be there yet.
pub(super) fn load_for_reading(file: Option<&Path>, learn: bool) -> Result<Option<AddressBook>, Failed> {
    match file {
        Some(file) if learn && !file.exists() => Ok(Some(AddressBook::default())),
        file => file.map(load).transpose(),
    }
}

/// Learns what a message teaches, and says what that was.
pub(super) fn learn(file: &Path, opened: &Opened, policy: &Policy, accept_downgrade: bool) -> Result<(), Failed> {
    let lessons: Vec<Lesson> = update(file, |book| {
        let introductions = opened.introductions.iter();
        introductions.flat_map(|introduction| book.learn(introduction, policy, accept_downgrade)).collect()
    })?;
    if lessons.is_empty() {
        eprintln!("note: nothing was learned: no signature in it is without a fault");
    }
    for Lesson { address, signing, encryption, announcement } in lessons {
        let word = |learned: Option<Learned>| match learned {
            Some(Learned::Refused(reason)) => format!("refused ({reason}; --accept-downgrade takes it)"),
            learned => learned.map_or("none", Learned::name).to_owned(),
        };
        eprintln!(
            "note: learned of {}: certificate to sign {}, to encrypt {}, capabilities {}",
            harmless(&address),
            word(Some(signing)),
            word(encryption),
            word(announcement)
        );
    }
    Ok(())
}

/// Recipients out of an address book, and what all of them can read.
pub(super) struct Chosen {
    /// In the order of the addresses.
    pub(super) choices: Vec<Choice>,
    /// With the recipients that were given by certificate.
    pub(super) agreement: Agreement,
}

impl ChoosingOptions {
    /// Chooses for these addresses; `given` are recipients whose certificates
    /// are known from elsewhere.
    pub(super) fn choose(
        &self,
        book: &AddressBook,
        addresses: &[String],
        given: &[Certificate],
        at: OffsetDateTime,
    ) -> Result<Chosen, Failed> {
        let policy = options::policy(&self.policy)?;
        let (anchors, candidates) = (load_certificates(&self.anchor)?, load_certificates(&self.extra_cert)?);
        let judge = |certificate: &Certificate| match anchors.as_slice() {
            [] => Aspect::Good,
            anchors => path_to(certificate, anchors, &candidates, at),
        };
        let choices = addresses
            .iter()
            .map(|address| book.choose_among(address, at, policy.negotiation.sm2, &judge).map_err(Failed::bad));
        let choices: Vec<_> = choices.collect::<Result<_, _>>()?;
        let given: Vec<_> = given.iter().map(Choice::of_certificate).collect();
        let peers: Vec<Peer<'_>> = choices.iter().chain(&given).map(Choice::peer).collect();
        let agreement = negotiate(&policy, &peers).map_err(Failed::bad)?;
        drop(peers);
        Ok(Chosen { choices, agreement })
    }
}

fn path_to(leaf: &Certificate, anchors: &[Certificate], candidates: &[Certificate], at: OffsetDateTime) -> Aspect {
    let request = PathRequest {
        leaf,
        candidates,
        anchors,
        at,
        policies: PolicyInputs::default(),
        revocation: RevocationInputs::default(),
        purpose: Purpose::Encrypt,
        arithmetic: &Arithmetic::new(ProviderChoice::Auto),
        limits: &Limits::default(),
    };
    path::validate(&request).aspect
}

/// A correspondent, as `--json` shows them.
#[derive(Serialize)]
struct Shown<'a> {
    address: &'a str,
    signing: Vec<ShownCertificate>,
    encryption: Vec<ShownCertificate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<Vec<String>>,
    /// When they were signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    announced: Option<String>,
}

#[derive(Serialize)]
struct ShownCertificate {
    subject: String,
    issuer: String,
    serial: String,
    not_before: String,
    not_after: String,
    /// When it was last used or named.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
}

impl ShownCertificate {
    fn of(known: &KnownCertificate) -> Self {
        Self::new(&known.certificate, known.seen)
    }

    fn new(certificate: &Certificate, seen: Option<OffsetDateTime>) -> Self {
        Self {
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            serial: certificate.serial_hex(),
            not_before: show_time(certificate.not_before()),
            not_after: show_time(certificate.not_after()),
            seen: seen.map(show_time),
        }
    }

    fn text(&self) -> String {
        let Self { subject, serial, not_before, not_after, seen, .. } = self;
        let seen = seen.as_deref().map(|seen| format!(", last seen {seen}")).unwrap_or_default();
        harmless(&format!("{subject}, serial {serial}, {not_before} to {not_after}{seen}"))
    }
}

impl<'a> Shown<'a> {
    fn of((address, known): (&'a str, &Correspondent)) -> Self {
        let announcement = known.announcement.as_ref();
        Self {
            address,
            signing: known.signing.iter().map(ShownCertificate::of).collect(),
            encryption: known.encryption.iter().map(ShownCertificate::of).collect(),
            capabilities: announcement.map(|known| known.capabilities.iter().map(ToString::to_string).collect()),
            announced: announcement.and_then(|known| known.signed_at).map(show_time),
        }
    }

    fn text(&self) -> String {
        let mut lines = vec![harmless(self.address)];
        for (what, list) in [("signs with", &self.signing), ("encrypt for", &self.encryption)] {
            lines.extend(list.iter().map(|certificate| format!("  {what:11}  {}", certificate.text())));
        }
        if let Some(capabilities) = &self.capabilities {
            let when = self.announced.as_deref().map(|when| format!(" ({when})")).unwrap_or_default();
            lines.push(harmless(&format!("  {:11}  {}{when}", "announced", capabilities.join(", "))));
        }
        lines.join("\n") + "\n"
    }
}

fn show(arguments: &ShowArguments) -> Result<Exit, Failed> {
    let book = load(&arguments.book)?;
    let wanted = |address: &str| match &arguments.address {
        Some(wanted) => book.correspondent(wanted).is_some_and(|known| book.correspondent(address) == Some(known)),
        None => true,
    };
    let shown: Vec<_> = book.correspondents().filter(|(address, _)| wanted(address)).map(Shown::of).collect();
    if let (Some(address), []) = (&arguments.address, shown.as_slice()) {
        return Err(Failed::usage(format!("{}: nobody is known under {address}", arguments.book.display())));
    }
    if arguments.json {
        output::print_json(&shown)?;
    } else {
        output::print(&shown.iter().map(Shown::text).collect::<String>())?;
    }
    Ok(Exit::Good)
}

/// What `choose --json` prints.
#[derive(Serialize)]
struct Chose {
    cipher: String,
    recipients: Vec<Recipient>,
}

#[derive(Serialize)]
struct Recipient {
    address: String,
    certificate: ShownCertificate,
    /// What they can read, and how that is known.
    why: String,
}

fn choose(arguments: &ChooseArguments) -> Result<Exit, Failed> {
    let ChooseArguments { book, address, choosing, .. } = arguments;
    let at = arguments.at.unwrap_or_else(OffsetDateTime::now_utc);
    let Chosen { choices, agreement } = choosing.choose(&load(book)?, address, &[], at)?;
    let recipient = |(choice, ballot): (Choice, &waxseal_engine::policy::Ballot)| Recipient {
        certificate: ShownCertificate::new(&choice.certificate, choice.seen),
        address: choice.address,
        why: ballot.to_string(),
    };
    let recipients = choices.into_iter().zip(&agreement.ballots).map(recipient).collect();
    let chose = Chose { cipher: agreement.cipher.spelling(), recipients };
    if arguments.json {
        output::print_json(&chose)?;
        return Ok(Exit::Good);
    }
    let mut text = format!("cipher  {}\n", chose.cipher);
    for Recipient { address, certificate, why } in &chose.recipients {
        text += &format!("{}\n  {}\n  {}\n", harmless(address), certificate.text(), harmless(why));
    }
    output::print(&text)?;
    Ok(Exit::Good)
}

fn forget(arguments: &ForgetArguments) -> Result<Exit, Failed> {
    let ForgetArguments { book, address } = arguments;
    load(book)?;
    match update(book, |known| known.forget(address))? {
        true => Ok(Exit::Good),
        false => Err(Failed::usage(format!("{}: nobody is known under {address}", book.display()))),
    }
}
