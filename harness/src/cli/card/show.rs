//! `waxseal card show`: what is on a card.

use clap::Args;
use serde::Serialize;
use waxseal_card::host::{Identity, NoPin, PivClient};
use waxseal_card::piv::Slot;
use waxseal_engine::certificate::Certificate;

use crate::card::{self, open_reader};
use crate::cli::{options, output};
use crate::exit::{Exit, Failed, help};

/// Show a card: its keys, its certificates, and how many tries the PIN has left
///
/// No PIN is asked for.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal card show",
    "waxseal card show virtual:piv-full-history",
    "waxseal card show virtual:piv-rsa2048 --cert 9D > nina.pem   to encrypt mail for",
))]
pub(in crate::cli) struct Arguments {
    /// The reader, see `waxseal card list` [default: the only one of PC/SC with a card]
    #[arg(default_value = "", hide_default_value = true)]
    reader: String,
    /// Print the certificate of this key, in PEM, and nothing else
    #[arg(long, value_name = "SLOT", value_parser = options::slot, conflicts_with = "json")]
    cert: Option<Slot>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    reader: String,
    atr: String,
    guid: Option<String>,
    /// Null where the PIN is verified.
    pin_tries_left: Option<u8>,
    keys: Vec<Row>,
}

#[derive(Default, Serialize)]
struct Row {
    slot: String,
    what: &'static str,
    key: Option<String>,
    subject: String,
    serial: String,
    addresses: Vec<String>,
    not_before: String,
    not_after: String,
    /// Why the certificate cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let client = PivClient::new(open_reader(&arguments.reader)?, Box::new(NoPin)).map_err(card::failed)?;
    if let Some(slot) = arguments.cert {
        let (_, certificate) = card::key_in(&client, slot)?;
        output::print(&certificate.to_pem())?;
        return Ok(Exit::Good);
    }
    let hexadecimal = |octets: Vec<u8>| octets.iter().map(|octet| format!("{octet:02X}")).collect::<String>();
    let keys = client.identities().map_err(card::failed)?.iter().map(Row::of).collect::<Result<_, _>>()?;
    let shown = Shown {
        reader: client.reader(),
        atr: hexadecimal(client.atr()),
        guid: client.guid().map_err(card::failed)?.map(hexadecimal),
        pin_tries_left: client.tries_left().map_err(card::failed)?,
        keys,
    };
    if arguments.json {
        output::print_json(&shown)?;
    } else {
        output::print(&shown.text())?;
    }
    Ok(Exit::Good)
}

impl Row {
    fn of(identity: &Identity) -> Result<Self, Failed> {
        let slot = identity.slot.name();
        if let Some(problem) = &identity.problem {
            let what = identity.slot.title();
            return Ok(Self { slot, what, problem: Some(problem.clone()), ..Self::default() });
        }
        let certificate =
            Certificate::parse(&identity.certificate).map_err(Failed::at(format!("the certificate of slot {slot}")))?;
        Ok(Self {
            slot,
            what: identity.slot.title(),
            key: identity.kind.map(|kind| kind.to_string()),
            subject: certificate.subject(),
            serial: certificate.serial_hex(),
            addresses: certificate.emails(),
            not_before: options::show_time(certificate.not_before()),
            not_after: options::show_time(certificate.not_after()),
            problem: None,
        })
    }
}

impl Shown {
    fn text(&self) -> String {
        let pin = match self.pin_tries_left {
            None => "verified by a program; the card does not tell how many tries are left".to_owned(),
            Some(0) => "blocked; `waxseal card pin --unblock` sets a new one with the PUK".to_owned(),
            Some(1) => "1 try left".to_owned(),
            Some(tries) => format!("{tries} tries left"),
        };
        let guid = self.guid.as_deref().unwrap_or("none");
        let mut lines = vec![
            format!("reader  {}", self.reader),
            format!("ATR     {}", self.atr),
            format!("GUID    {guid}"),
            format!("PIN     {pin}"),
        ];
        for Row { slot, what, key, subject, serial, addresses, not_before, not_after, problem } in &self.keys {
            if let Some(problem) = problem {
                lines.push(format!("{slot}      {what}: {problem}"));
                continue;
            }
            let key = key.as_deref().unwrap_or("a key of a kind that is not used");
            lines.push(format!("{slot}      {what}, {key}"));
            lines.push(format!("        {subject}, serial {serial}, {not_before} to {not_after}"));
            lines.extend(addresses.first().map(|first| match addresses.len() {
                1 => format!("        {first}"),
                more => format!("        {first} and {} more addresses", more - 1),
            }));
        }
        lines.iter().map(|line| output::harmless(line) + "\n").collect()
    }
}
