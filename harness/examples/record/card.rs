//! A mail that Thunderbird signs with a key on a smart card: the virtual card
//! behind PC/SC, OpenSC's module, in a place without a network.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use waxseal::confine;
use waxseal::pcscd::Pcscd;
use waxseal::smtp_sink::SmtpSink;
use waxseal::thunderbird::clock::Clock;
use waxseal::thunderbird::process::{Account, Draft, Thunderbird, ThunderbirdError};
use waxseal::thunderbird::profile::Profile;
use waxseal_card::models;
use waxseal_card::vpcd::{self, Loopback, Slot, Way};
use waxseal_engine::mime;
use waxseal_model::Corpus;

use crate::Result;
use crate::order::Order;

/// The argument of the process that is in the place.
pub(crate) const CONFINED: &str = "confined";

/// How long a card may take to be seen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts this program again where nothing listens to the network, and lets it write there.
pub(crate) fn write(order: &Order<'_>, model: &str) -> Result<Vec<u8>> {
    let status = confine::command(&std::env::current_exe()?)
        .arg(CONFINED)
        .arg(model)
        .arg(order.path(""))
        .args([order.mail.from.as_str(), &order.address(&order.mail.from), &order.name(&order.mail.from)])
        .arg(order.at.unix_timestamp().to_string())
        .stdin(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("{}: no mail was signed by the card: {status}", order.mail.name).into());
    }
    Ok(std::fs::read(order.path("signed.eml"))?)
}

/// What runs in the place.
pub(crate) fn confined(arguments: &[String]) -> Result<()> {
    let [model, dir, entity, address, name, at] = arguments else { return Err("confined: arguments".into()) };
    let dir = PathBuf::from(dir);
    let _pcscd = Pcscd::start(&[], &dir.join("pcscd.log"))?;
    let corpus = Corpus::embedded()?;
    let loopback = Loopback::try_from(SocketAddr::from(([127, 0, 0, 1], vpcd::PORT)))?;
    let card = waxseal::card::virtual_card(&corpus, model).map_err(|failed| failed.message)?;
    let _slot = Slot::insert(card, Way::Connect(loopback), |_| {})?;

    let folder = dir.join("profile");
    std::fs::create_dir(&folder)?;
    let profile = Profile::create(&folder)?;
    for (number, certificate) in [("anchors.pem", true), ("issuers.pem", false)] {
        let path = dir.join(number);
        if certificate { profile.trust(number, &path)? } else { profile.add_certificate(number, &path)? }
    }
    profile.add_module("OpenSC", &module()?)?;
    let clock = Clock::new(&dir)?;
    clock.set(Some(OffsetDateTime::from_unix_timestamp(at.parse()?)?))?;
    let mut thunderbird = Thunderbird::start_beside(&profile, &dir.join("thunderbird.log"), Some(&clock))?;
    thunderbird.answer_prompts(models::PIN)?;

    let sink = SmtpSink::start()?;
    let certificate = der(&std::fs::read_to_string(dir.join(format!("{entity}.cert.pem")))?)?;
    let hash: [u8; 32] = Sha256::digest(&certificate).into();
    let account = Account {
        address: address.clone(),
        name: name.clone(),
        signing: hash,
        encryption: hash,
        server: sink.address(),
    };
    let end = Instant::now() + PATIENCE;
    loop {
        match thunderbird.set_account(&account) {
            Ok(()) => break,
            // It sees a card after a while.
            Err(ThunderbirdError::Script(_)) if Instant::now() < end => std::thread::sleep(Duration::from_millis(500)),
            Err(error) => return Err(error.into()),
        }
    }
    thunderbird.send(&draft(&dir.join("mail.eml"))?)?;
    let mail = sink.next(PATIENCE).ok_or("the mail did not arrive")?;
    std::fs::write(dir.join("signed.eml"), mail.octets)?;
    Ok(())
}

/// The letter as somebody types it: a text and no attachment.
fn draft(file: &Path) -> Result<Draft> {
    let octets = std::fs::read(file)?;
    let root = mime::parse(&mut std::io::Cursor::new(&octets), &waxseal_engine::Limits::default())?;
    let field = |name: &str| root.headers.get(name).map(|field| field.value().into_owned()).unwrap_or_default();
    let text = String::from_utf8(octets.clone())?;
    let (_, body) = text.split_once("\r\n\r\n").ok_or("a letter without a body")?;
    Ok(Draft {
        to: vec![field("To")],
        subject: field("Subject"),
        message_id: field("Message-ID"),
        body: body.to_owned(),
        sign: true,
        ..Draft::default()
    })
}

/// The PKCS #11 module of OpenSC.
fn module() -> Result<PathBuf> {
    let found = std::fs::read_dir("/usr/lib")?.flatten().map(|entry| entry.path().join("opensc-pkcs11.so"));
    found.into_iter().find(|path| path.is_file()).ok_or_else(|| "OpenSC's module is not here: opensc-pkcs11".into())
}

fn der(pem: &str) -> Result<Vec<u8>> {
    let certificates = waxseal_engine::certificate::Certificate::from_file(pem.as_bytes())?;
    Ok(certificates.first().ok_or("no certificate")?.der().to_vec())
}
