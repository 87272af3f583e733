//! `waxseal card serve`: put virtual cards into the readers of pcscd.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use waxseal_card::transcript::{RecordedCard, Tape};
use waxseal_card::vpcd::{self, Event, Loopback, Slot, Stop, Way};

use super::super::{options, output};
use crate::card::virtual_card;
use crate::exit::{Exit, Failed, help};

/// How often it is looked whether to stop.
const PERIOD: Duration = Duration::from_millis(100);

/// Put virtual smart cards into the readers of pcscd
///
/// pcscd has these readers with vsmartcard's driver vpcd (Debian:
/// vsmartcard-vpcd). A card is there as soon as vpcd has it, and is pulled out
/// when this ends; one line tells when all are there. vpcd listens on all
/// addresses of the machine, and whoever connects is a card to it: run pcscd
/// where nobody else reaches it, or let it connect to --listen.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal card serve --model piv-rsa2048               a card in the first reader of vpcd",
    "waxseal card serve --model piv-rsa2048 --model piv-p256",
    "waxseal card serve --model piv-p256 --vpcd 127.0.0.1:35964",
    "waxseal card serve --model piv-p256 --listen 127.0.0.1:35963",
    "waxseal card serve --model ecert-pkcs15 --transcript session.txt",
    "waxseal card serve --model piv-rsa2048+card-removed  what does a program do when it is pulled out?",
))]
pub(in crate::cli) struct Arguments {
    /// The model of a card, or MODEL+FAULT for one to which a script of faults happens; once for each reader
    #[arg(long = "model", value_name = "NAME", required = true)]
    models: Vec<String>,
    /// Where vpcd listens, once for each card [default: 127.0.0.1:35963 and the ports after it]
    #[arg(long, value_name = "ADDRESS:PORT")]
    vpcd: Vec<Loopback>,
    /// Where vpcd shall connect, once for each card: DEVICENAME 127.0.0.1:0x8C7B in its reader.conf
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "vpcd")]
    listen: Vec<Loopback>,
    /// Write what goes between the programs and the card to this file, without secrets, when this ends; with several cards, session.txt becomes session.1.txt, session.2.txt and so on, in the order of --model
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    /// End when standard input does
    #[arg(long)]
    until_stdin_closes: bool,
    /// Read the corpus, whose people have the cards, from a directory instead of the one inside this program
    #[arg(long, value_name = "DIR")]
    vectors: Option<PathBuf>,
}

impl Arguments {
    /// Each model, and the way to its reader.
    fn places(&self) -> Result<Vec<(&str, Way)>, Failed> {
        let mut ways: Vec<_> = self.vpcd.iter().map(|to| Way::Connect(*to)).collect();
        ways.extend(self.listen.iter().map(|at| Way::Listen(*at)));
        if ways.is_empty() {
            ways = usual(self.models.len())?;
        }
        if ways.len() != self.models.len() {
            let (models, ways) = (self.models.len(), ways.len());
            return Err(Failed::usage(format!("{models} cards and {ways} addresses: give one for each, or none")));
        }
        Ok(self.models.iter().map(String::as_str).zip(ways).collect())
    }
}

/// The ports that vpcd has without a configuration of its own.
fn usual(cards: usize) -> Result<Vec<Way>, Failed> {
    let port = |number: usize| u16::try_from(number).ok().and_then(|number| vpcd::PORT.checked_add(number));
    let way = |number| {
        let port = port(number).ok_or_else(|| Failed::usage("more cards than ports"))?;
        let address = Loopback::try_from(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).map_err(Failed::fault)?;
        Ok(Way::Connect(address))
    };
    (0..cards).map(way).collect()
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let corpus = options::load_corpus(arguments.vectors.as_deref())?;
    let stop = stop(arguments.until_stdin_closes)?;
    let (sender, events) = mpsc::channel();
    let mut seats: Vec<Seat> = Vec::new();
    let mut tapes: Vec<Tape> = Vec::new();
    for (number, (name, way)) in arguments.places()?.into_iter().enumerate() {
        let mut card = virtual_card(&corpus, name)?;
        // A tape grows as long as this runs.
        if arguments.transcript.is_some() {
            let tape = Tape::new();
            card = Box::new(RecordedCard::new(card, tape.clone()));
            tapes.push(tape);
        }
        let sender = sender.clone();
        // Nobody listens any more: this is ending.
        let tell = move |event| drop(sender.send((number, event)));
        let slot = Slot::insert(card, way, tell);
        let (Way::Connect(address) | Way::Listen(address)) = way;
        let slot = slot.map_err(Failed::at(address))?;
        let shown = format!("{name} at {}", slot.address().unwrap_or_else(|| address.address()));
        seats.push(Seat { _slot: slot, shown, is_ready: false });
    }

    let mut is_told = false;
    while !stop.is_set() {
        match events.recv_timeout(PERIOD) {
            Ok((number, event)) => seats[number].note(&event),
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if !is_told && seats.iter().all(|seat| seat.is_ready) {
            let shown: Vec<_> = seats.iter().map(|seat| seat.shown.as_str()).collect();
            output::print(&format!("ready: {}\n", shown.join(", ")))?;
            is_told = true;
        }
    }
    // The cards are pulled out: now all is written that there is.
    drop(seats);
    if let Some(path) = &arguments.transcript {
        for (number, tape) in (1..).zip(&tapes) {
            let path = if tapes.len() == 1 { path.clone() } else { numbered(path, number) };
            let text = tape.transcript().to_string();
            output::replace_file(&path, |file| file.write_all(text.as_bytes()).map_err(Failed::at(path.display())))?;
        }
    }
    Ok(Exit::Good)
}

/// The file of one of several cards: `session.2.txt` for `session.txt`.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// A slot with what is known of it.
struct Seat {
    /// The card is in it for as long as this is there.
    _slot: Slot,
    shown: String,
    is_ready: bool,
}

impl Seat {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Connected | Event::Listening => self.is_ready = true,
            Event::Waiting => eprintln!("note: {}: waiting for vpcd", self.shown),
            Event::Disconnected(gone) => eprintln!("note: {}: {gone}", self.shown),
        }
    }
}

/// Is set by the signals that end a program and, if that is wanted, by the end of
/// standard input.
fn stop(until_stdin_closes: bool) -> Result<Stop, Failed> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&flag)).map_err(Failed::fault)?;
    }
    let stop = Stop::from(flag);
    if until_stdin_closes {
        let stop = stop.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // What is typed does not matter.
            while std::io::stdin().read(&mut buffer).is_ok_and(|read| read > 0) {}
            stop.set();
        });
    }
    Ok(stop)
}
