//! What a card adds to a signature, in this process and, with the feature
//! `pcsc`, through pcscd: `cargo xtask bench card` runs it.
//!
//! `card_speed ROUNDS` prints a line for each measurement, name and microseconds
//! with a tab between them, medians of all rounds. It starts itself again where
//! there is no network but loopback, because vpcd listens on all addresses.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people who work on this")]

use std::time::{Duration, Instant};

use waxseal::card::Entered;
use waxseal_card::VirtualCard;
use waxseal_card::host::{InProcess, PivClient, PivKey, Reader};
use waxseal_card::models::{Model, PIN};
use waxseal_card::piv::{self, Slot};
use waxseal_card::transcript::{RecordedReader, Tape};
use waxseal_key::{DigestAlgorithm, PrivateKey, SignatureScheme, Signer};
use waxseal_model::Corpus;
use zeroize::Zeroizing;

const MODEL: &str = "piv-rsa2048";

/// The key that is measured.
const SLOT: Slot = Slot::Signature;

/// How many APDUs without an operation are sent for one signature.
const MANY: u32 = 20;

fn main() {
    let rounds = std::env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(100);
    #[cfg(feature = "pcsc")]
    if !waxseal::confine::is_confined().unwrap() {
        let program = std::env::current_exe().unwrap();
        let status = waxseal::confine::command(&program).arg(rounds.to_string()).status().unwrap();
        std::process::exit(status.code().unwrap_or(1));
    }
    let (software, owner) = (software(), card());
    let tape = Tape::new();
    let recorded = key(Box::new(RecordedReader::new(InProcess::new("recorded", owner).unwrap(), tape.clone())));
    let before = commands(&tape);
    sign(&recorded);
    println!("commands of a signature\t{}", commands(&tape) - before);

    let mut measured = vec![
        Measured::of("signature in software", move || sign(&software)),
        Measured::of("signature in process", signing(in_process())),
        Measured::of("APDU in process", no_operation(in_process())),
    ];
    #[cfg(feature = "pcsc")]
    let _desk = pcscd::Desk::new();
    #[cfg(feature = "pcsc")]
    {
        measured.push(Measured::of("signature through pcscd", signing(pcscd::reader())));
        measured.push(Measured::of("APDU through pcscd", no_operation(pcscd::reader())));
        measured.push(Measured::of("transaction through pcscd", transaction(pcscd::reader())));
    }
    for _ in 0..rounds {
        measured.iter_mut().for_each(Measured::round);
    }
    for one in &mut measured {
        let median = one.median();
        println!("{}\t{median:.3}", one.name);
    }
}

/// The same work, again and again.
struct Measured {
    name: &'static str,
    work: Box<dyn FnMut()>,
    times: Vec<Duration>,
}

impl Measured {
    fn of(name: &'static str, work: impl FnMut() + 'static) -> Self {
        Self { name, work: Box::new(work), times: Vec::new() }
    }

    fn round(&mut self) {
        let count = if self.name.starts_with("signature") { 1 } else { MANY };
        let start = Instant::now();
        (0..count).for_each(|_| (self.work)());
        self.times.push(start.elapsed() / count);
    }

    /// In microseconds.
    fn median(&mut self) -> f64 {
        self.times.sort_unstable();
        self.times[self.times.len() / 2].as_secs_f64() * 1e6
    }
}

/// The key of the card, without the card.
fn software() -> PrivateKey {
    let model = Model::named(MODEL).unwrap();
    let owner = &model.keys.iter().find(|place| Slot::by_name(&place.slot) == Some(SLOT)).unwrap().of;
    let corpus = Corpus::embedded().unwrap();
    PrivateKey::from_pem(corpus.pki().key_pem(owner).unwrap(), None).unwrap()
}

fn card() -> VirtualCard {
    let corpus = Corpus::embedded().unwrap();
    waxseal_forge::card(corpus.pki(), &Model::named(MODEL).unwrap()).unwrap()
}

fn in_process() -> Box<dyn Reader> {
    Box::new(InProcess::new("in process", card()).unwrap())
}

/// The key of the card in a reader; its PIN is sent for every signature.
fn key(reader: Box<dyn Reader>) -> PivKey {
    let client = PivClient::new(reader, Box::new(Entered(Zeroizing::new(PIN.to_owned())))).unwrap();
    waxseal::card::key_in(&client, SLOT).unwrap().0
}

fn sign(key: &dyn Signer) {
    let signed = key.sign_digest(SignatureScheme::RsaPkcs1, DigestAlgorithm::Sha256, &[7; 32]);
    assert_eq!(signed.unwrap().len(), 256);
}

fn signing(reader: Box<dyn Reader>) -> impl FnMut() {
    let key = key(reader);
    move || sign(&key)
}

/// How many commands there are on a tape.
fn commands(tape: &Tape) -> usize {
    tape.transcript().to_string().lines().filter(|line| line.starts_with("> ")).count()
}

/// VERIFY without data: how many tries are left.
fn no_operation(mut reader: Box<dyn Reader>) -> impl FnMut() {
    let select = [&[0, 0xA4, 4, 0, 11], &piv::AID[..], &[0]].concat();
    reader.transmit(&select).unwrap();
    move || assert_eq!(reader.transmit(&[0, 0x20, 0, 0x80]).unwrap().len(), 2)
}

#[cfg(feature = "pcsc")]
fn transaction(mut reader: Box<dyn Reader>) -> impl FnMut() {
    move || {
        reader.begin().unwrap();
        reader.end().unwrap();
    }
}

#[cfg(feature = "pcsc")]
mod pcscd {
    use std::time::{Duration, Instant};

    use waxseal::pcscd::Pcscd;
    use waxseal_card::host::Reader;
    use waxseal_card::host::pcsc::{PcscReader, list};
    use waxseal_card::vpcd::{Slot, Way};

    /// A card in the first reader of pcscd.
    pub(super) struct Desk {
        _slot: Slot,
        _pcscd: Pcscd,
        _folder: tempfile::TempDir,
    }

    impl Desk {
        pub(super) fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let pcscd = Pcscd::start(&[], &folder.path().join("pcscd.log")).unwrap();
            let way = Way::Connect("127.0.0.1:35963".parse().unwrap());
            let slot = Slot::insert(Box::new(super::card()), way, |_| {}).unwrap();
            let end = Instant::now() + Duration::from_secs(10);
            while !list().unwrap().iter().any(|listed| listed.atr.is_some()) {
                assert!(Instant::now() < end, "pcscd does not see the card");
                std::thread::sleep(Duration::from_millis(20));
            }
            Self { _slot: slot, _pcscd: pcscd, _folder: folder }
        }
    }

    pub(super) fn reader() -> Box<dyn Reader> {
        Box::new(PcscReader::connect("Virtual PCD 00 00").unwrap())
    }
}
