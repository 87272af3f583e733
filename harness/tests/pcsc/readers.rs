//! Our own reader side, through PC/SC.

use std::time::{Duration, Instant};

use waxseal_card::faults::{FaultyCard, Script};
use waxseal_card::host::pcsc::{Listed, PcscReader, list};
use waxseal_card::host::{HostError, NoPin, PivClient, Reader, ReaderError};
use waxseal_card::piv;
use waxseal_verdict::Verdict;

use crate::components::Component::{Confinement, OpenSc, Pcscd};
use crate::confined::Job;
use crate::desk::{Desk, PIN, card, certificate};
use crate::keys::Key;

type Test = fn();

const TESTS: &[(&str, Test)] = &[
    ("which readers there are", listed),
    ("a transaction keeps others out", transactions),
    ("another program resets the card", reset),
    ("a reader that showed no PIN leaves the card as it is", untouched),
    ("a PIN does not outlive who gave up", given_up),
    ("pcscd is started again", restarted),
    ("a card is pulled out between two commands", removed),
    ("a card is pulled out in the middle of a command", removed_meanwhile),
];

const FIRST: &str = "Virtual PCD 00 00";
const SECOND: &str = "Virtual PCD 00 01";

const MODEL: &str = "piv-rsa2048";

pub(crate) fn jobs(models: &[&'static str]) -> Vec<Job> {
    let needs = [Confinement, Pcscd, OpenSc];
    let mut jobs = vec![Job::new("PC/SC: no service", &[Confinement], no_service)];
    jobs.extend(TESTS.iter().map(|(name, test)| Job::new(format!("PC/SC: {name}"), &needs, test)));
    for model in models.iter().copied() {
        jobs.push(Job::new(format!("{model}: waxseal signs and opens"), &needs, move || commands(model)));
    }
    jobs
}

fn no_service() {
    let Err(ReaderError::Service(said)) = list() else { panic!("{:?}", list()) };
    assert!(said.contains("is pcscd running?"), "{said}");
}

fn listed() {
    let mut desk = Desk::with(MODEL);
    let atr = card(MODEL).atr();
    let first = Listed { name: FIRST.to_owned(), atr: Some(atr.clone()) };
    let second = Listed { name: SECOND.to_owned(), atr: None };
    assert_eq!(list(), Ok(vec![first, second]));
    let reader = PcscReader::connect(FIRST).unwrap();
    assert_eq!((reader.name(), reader.atr()), (FIRST, atr));
    assert_eq!(PcscReader::connect(SECOND).unwrap_err(), ReaderError::NoCard);
    assert_eq!(PcscReader::connect("none").unwrap_err(), ReaderError::NoReader("none".to_owned()));
    drop(reader);
    desk.remove();
    assert_eq!(list().unwrap()[0].atr, None);
}

/// SELECT of PIV.
fn select(reader: &mut PcscReader) -> Result<(), ReaderError> {
    let command = [&[0, 0xA4, 4, 0, 11], &piv::AID[..], &[0]].concat();
    let answer = reader.transmit(&command)?;
    assert!(answer.ends_with(&[0x90, 0]), "{answer:02X?}");
    Ok(())
}

fn transactions() {
    let _desk = Desk::with(MODEL);
    let connect = || PcscReader::connect(FIRST).unwrap();
    let (mut first, mut second) = (connect(), connect().with_turn(Duration::from_millis(500)));
    first.begin().unwrap();
    select(&mut first).unwrap();
    assert_eq!(second.begin(), Err(ReaderError::Busy));
    // Who gave up holds nothing.
    first.end().unwrap();
    let mut second = second.with_turn(Duration::from_secs(10));
    second.begin().unwrap();
    select(&mut second).unwrap();
    second.end().unwrap();
    first.begin().unwrap();
    first.begin().unwrap();
    first.end().unwrap();
    first.end().unwrap();
    second.begin().unwrap();
}

/// VERIFY without data: is the PIN verified?
const STATUS: [u8; 4] = [0, 0x20, 0, 0x80];

/// Verifies the PIN.
fn verify(reader: &mut PcscReader) {
    select(reader).unwrap();
    let verify = [&[0, 0x20, 0, 0x80, 8], PIN.as_bytes(), &[0xFF, 0xFF]].concat();
    assert_eq!(reader.transmit(&verify).unwrap().as_slice(), [0x90, 0]);
    assert_eq!(reader.transmit(&STATUS).unwrap().as_slice(), [0x90, 0]);
}

fn reset() {
    let desk = Desk::with(MODEL);
    let mut reader = PcscReader::connect(FIRST).unwrap();
    for is_in_transaction in [false, true] {
        // Our reader resets the card when it is dropped: a PIN does not outlive it.
        let mut other = PcscReader::connect(FIRST).unwrap();
        if is_in_transaction {
            other.begin().unwrap();
        }
        verify(&mut other);
        drop(other);
        assert_eq!(reader.transmit(&STATUS), Err(ReaderError::Reset));
        assert_eq!(reader.begin(), Err(ReaderError::Reset));
        reader.reconnect().unwrap();
        select(&mut reader).unwrap();
        assert_eq!(reader.transmit(&STATUS).unwrap().as_slice(), [0x63, 0xC3]);
    }
    assert_eq!(desk.log.take(), ["PIN 9000", "PIN 9000"]);
}

fn untouched() {
    let desk = Desk::with(MODEL);
    let mut reader = PcscReader::connect(FIRST).unwrap();
    verify(&mut reader);
    for is_in_transaction in [false, true] {
        let mut other = PcscReader::connect(FIRST).unwrap();
        if is_in_transaction {
            other.begin().unwrap();
        }
        select(&mut other).unwrap();
        assert_eq!(other.transmit(&STATUS).unwrap().as_slice(), [0x90, 0]);
        drop(other);
        assert_eq!(reader.transmit(&STATUS).unwrap().as_slice(), [0x90, 0]);
    }
    // A person looks at the card that another program has open.
    desk.waxseal(&["card", "list"]).good();
    desk.waxseal(&["card", "show"]).good();
    select(&mut reader).unwrap();
    assert_eq!(desk.log.take(), ["PIN 9000"]);
}

fn given_up() {
    let _desk = Desk::with(MODEL);
    let mut first = PcscReader::connect(FIRST).unwrap().with_turn(Duration::from_millis(500));
    let mut second = PcscReader::connect(FIRST).unwrap();
    verify(&mut first);
    second.begin().unwrap();
    assert_eq!(first.begin(), Err(ReaderError::Busy));
    assert_eq!(second.transmit(&STATUS).unwrap().as_slice(), [0x90, 0]);
    second.end().unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    while second.transmit(&STATUS) != Err(ReaderError::Reset) {
        assert!(Instant::now() < end, "the card is still open");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One process goes on with its card.
fn restarted() {
    let mut desk = Desk::with(MODEL);
    let client = PivClient::new(Box::new(PcscReader::connect(FIRST).unwrap()), Box::new(NoPin)).unwrap();
    let guid = client.guid().unwrap();
    for _ in 0..2 {
        desk.restart_pcscd();
        match client.guid() {
            // It is told that the connection was lost, once.
            Err(HostError::Reader(_)) => {}
            again => assert_eq!(again.unwrap(), guid),
        }
        assert_eq!(client.guid().unwrap(), guid);
    }
}

fn removed() {
    let mut desk = Desk::with(MODEL);
    let mut reader = PcscReader::connect(FIRST).unwrap();
    reader.begin().unwrap();
    select(&mut reader).unwrap();
    desk.remove();
    assert_eq!(select(&mut reader), Err(ReaderError::Removed));
    assert!(reader.end().is_err());
    assert!(matches!(reader.reconnect(), Err(ReaderError::NoCard | ReaderError::Removed)));
    desk.insert_model(MODEL);
    reader.reconnect().unwrap();
    reader.begin().unwrap();
    select(&mut reader).unwrap();
}

/// It is put in again by itself.
fn removed_meanwhile() {
    let mut desk = Desk::empty(&[]);
    let script = "title = 'x'\nwhy = 'x'\n[[faults]]\nat = { command = 'verify' }\ndo = { remove = { back = 1 } }";
    desk.insert(Box::new(FaultyCard::new(card(MODEL), Script::read(script).unwrap())));
    let mut reader = PcscReader::connect(FIRST).unwrap();
    select(&mut reader).unwrap();
    assert_eq!(reader.transmit(&[0, 0x20, 0, 0x80]), Err(ReaderError::Removed));
    desk.wait_for_cards(1);
    reader.reconnect().unwrap();
    select(&mut reader).unwrap();
}

/// The commands of a person: which cards there are, a mail that is signed, and
/// one that is opened.
fn commands(model: &str) {
    let desk = Desk::with(model);
    let listed = desk.waxseal(&["card", "list"]).good();
    assert!(listed.contains(FIRST), "{listed}");
    let shown = desk.waxseal(&["card", "show"]).good();
    assert!(shown.contains("9C"), "{shown}");
    assert_eq!(desk.log.take(), [""; 0]);

    desk.write("mail", "From: nina@example.test\r\nContent-Type: text/plain\r\n\r\nBy a card, for a card.\r\n");
    let pin = ["--card", "Virtual", "--pin", PIN];
    desk.waxseal(&[&["sign", "mail", "--out", "signed.eml"], &pin[..]].concat()).good();
    let signing = Key::of_the_person(model);
    assert_eq!(desk.log.take(), ["PIN 9000", &signing.operation("sign")]);
    let verify = ["cms", "-verify", "-in", "signed.eml", "-CAfile", &signing.certificate, "-partial_chain"];
    assert!(desk.run("openssl", &verify).good().contains("By a card, for a card."));

    let key = Key::decrypting(model);
    desk.waxseal(&["encrypt", "--to", &key.certificate, "--out", "encrypted.eml", "signed.eml"]).good();
    let mut open = vec!["open", "encrypted.eml", "--json", "--out", "opened"];
    let authorities = ["root", "root-ec", "intermediate", "intermediate-ec"].map(certificate);
    for (option, file) in ["--anchor", "--anchor", "--extra-cert", "--extra-cert"].into_iter().zip(&authorities) {
        open.extend([option, file]);
    }
    let told = desk.waxseal(&[&open[..], &pin].concat());
    let verdict: Verdict = serde_json::from_slice(&told.out).unwrap_or_else(|error| panic!("{error}: {}", told.err));
    assert!(!verdict.has_bad() && verdict.layers.len() == 2, "{verdict:?}");
    assert!(String::from_utf8(desk.read("opened")).unwrap().contains("By a card, for a card."));
    assert_eq!(desk.log.take(), ["PIN 9000", &key.opening()]);
}
