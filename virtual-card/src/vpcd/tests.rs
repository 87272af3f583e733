//! A slot, and a script in the place of vpcd.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{Event, Gone, Loopback, Slot, Way};
use crate::card::{Card, Lost};

const ATR: [u8; 5] = [0x3B, 0x80, 0x80, 0x01, 0x01];
const SUCCESS: [u8; 2] = [0x90, 0x00];

/// Answers as it was told to, and from then on with what it got.
#[derive(Default)]
struct Scripted {
    answers: VecDeque<Result<Vec<u8>, Lost>>,
    resets: u8,
    is_away: bool,
}

impl Scripted {
    fn answering(answers: impl IntoIterator<Item = Result<Vec<u8>, Lost>>) -> Self {
        Self { answers: answers.into_iter().collect(), ..Self::default() }
    }

    fn removed() -> Self {
        Self { is_away: true, ..Self::answering([Err(Lost::Removed)]) }
    }
}

impl Card for Scripted {
    fn atr(&self) -> Vec<u8> {
        ATR.to_vec()
    }

    fn reset(&mut self) -> Result<(), Lost> {
        self.resets += 1;
        // For two seconds and more it cannot be put in again.
        if (2..4).contains(&self.resets) && self.is_away { Err(Lost::Removed) } else { Ok(()) }
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Lost> {
        let echo = || Ok([command, &[self.resets], &SUCCESS].concat());
        self.answers.pop_front().unwrap_or_else(echo).map(Zeroizing::new)
    }
}

/// vpcd, as far as it matters here.
struct Vpcd {
    listener: TcpListener,
}

impl Vpcd {
    fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    fn way(&self) -> Way {
        Way::Connect(Loopback::try_from(self.listener.local_addr().unwrap()).unwrap())
    }

    fn reader(&self) -> Reader {
        Reader::new(self.listener.accept().unwrap().0)
    }

    /// Whether somebody connects within a while.
    fn is_visited(&self) -> bool {
        self.listener.set_nonblocking(true).unwrap();
        let end = Instant::now() + Duration::from_millis(600);
        let mut is_visited = false;
        while !is_visited && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
            is_visited = self.listener.accept().is_ok();
        }
        self.listener.set_nonblocking(false).unwrap();
        is_visited
    }
}

/// One connection of vpcd.
struct Reader(TcpStream);

impl Reader {
    fn new(stream: TcpStream) -> Self {
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(stream)
    }

    fn connect(to: SocketAddr) -> Self {
        Self::new(TcpStream::connect(to).unwrap())
    }

    /// In two pieces, and with Nagle's algorithm, as vpcd 3.3 does it.
    fn send(&mut self, message: &[u8]) {
        self.0.write_all(&u16::try_from(message.len()).unwrap().to_be_bytes()).unwrap();
        self.0.write_all(message).unwrap();
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut length = [0; 2];
        self.0.read_exact(&mut length).unwrap();
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        self.0.read_exact(&mut message).unwrap();
        message
    }

    fn ask(&mut self, message: &[u8]) -> Vec<u8> {
        self.send(message);
        self.receive()
    }

    /// Sends what ends the connection.
    fn is_closed_by(&mut self, message: &[u8]) -> bool {
        self.send(message);
        matches!(self.0.read(&mut [0; 8]), Ok(0))
    }
}

/// A card in a slot, and what is told of it.
fn insert(card: Scripted, way: Way) -> (Slot, Receiver<Event>) {
    let (sender, events) = mpsc::channel();
    let slot = Slot::insert(Box::new(card), way, move |event| drop(sender.send(event))).unwrap();
    (slot, events)
}

fn next(events: &Receiver<Event>) -> Event {
    events.recv_timeout(Duration::from_secs(10)).unwrap()
}

fn listening() -> Way {
    Way::Listen("127.0.0.1:0".parse().unwrap())
}

#[test]
fn orders_and_commands() {
    let vpcd = Vpcd::new();
    let (_slot, events) = insert(Scripted::default(), vpcd.way());
    let mut reader = vpcd.reader();
    assert_eq!(next(&events), Event::Connected);
    assert_eq!(reader.ask(&[4]), ATR);
    // The power came with the connection.
    assert_eq!(reader.ask(&[0, 0xA4]), [0, 0xA4, 1, 0x90, 0]);
    for order in [1, 2, 0] {
        reader.send(&[order]);
    }
    assert_eq!(reader.ask(&[0, 0xA4]), [0, 0xA4, 4, 0x90, 0]);
    // An APDU of extended length is no special case.
    let long = vec![0x5A; 65532];
    assert_eq!(reader.ask(&long).len(), 65535);
}

#[test]
fn a_message_in_single_octets() {
    let vpcd = Vpcd::new();
    let (_slot, _events) = insert(Scripted::default(), vpcd.way());
    let mut reader = vpcd.reader();
    for octet in [0, 4, 0, 0xA4, 4, 0] {
        reader.0.write_all(&[octet]).unwrap();
        std::thread::sleep(Duration::from_millis(60));
    }
    assert_eq!(reader.receive(), [0, 0xA4, 4, 0, 1, 0x90, 0]);
}

/// What Nagle's algorithm there and a delayed acknowledgement here make of small
/// messages is 40 ms for each.
#[test]
fn no_message_waits_for_an_acknowledgement() {
    let vpcd = Vpcd::new();
    let (_slot, _events) = insert(Scripted::default(), vpcd.way());
    let mut reader = vpcd.reader();
    let start = Instant::now();
    for _ in 0..100 {
        reader.ask(&[0, 0xA4]);
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn vpcd_comes_later_goes_and_comes_back() {
    let vpcd = Vpcd::new();
    let (way, address) = (vpcd.way(), vpcd.listener.local_addr().unwrap());
    drop(vpcd);
    let (_slot, events) = insert(Scripted::default(), way);
    assert_eq!(next(&events), Event::Waiting);
    let vpcd = Vpcd { listener: TcpListener::bind(address).unwrap() };
    for _ in 0..2 {
        drop(vpcd.reader());
        assert_eq!(next(&events), Event::Connected);
        assert_eq!(next(&events), Event::Disconnected(Gone::Closed));
    }
    // Volatile memory is empty at every connection.
    assert_eq!(vpcd.reader().ask(&[0, 0xA4]), [0, 0xA4, 3, 0x90, 0]);
}

#[test]
fn the_card_listens() {
    let (slot, events) = insert(Scripted::default(), listening());
    assert_eq!(next(&events), Event::Listening);
    let address = slot.address().unwrap();
    for resets in 1..3 {
        let mut reader = Reader::connect(address);
        assert_eq!(reader.ask(&[0, 0xA4]), [0, 0xA4, resets, 0x90, 0]);
        drop(reader);
        assert_eq!(next(&events), Event::Connected);
        assert_eq!(next(&events), Event::Disconnected(Gone::Closed));
    }
}

#[test]
fn a_removed_card_leaves_an_empty_slot_until_it_is_back() {
    let vpcd = Vpcd::new();
    let (_slot, events) = insert(Scripted::removed(), vpcd.way());
    assert!(vpcd.reader().is_closed_by(&[0, 0xA4]));
    assert_eq!((next(&events), next(&events)), (Event::Connected, Event::Disconnected(Gone::Removed)));
    assert!(!vpcd.is_visited());
    assert_eq!(vpcd.reader().ask(&[4]), ATR);

    let (slot, _events) = insert(Scripted::removed(), listening());
    let address = slot.address().unwrap();
    assert!(Reader::connect(address).is_closed_by(&[0, 0xA4]));
    // Not refused: an empty slot is a connection that ends.
    for _ in 0..2 {
        let mut reader = Reader::connect(address);
        assert!(matches!(reader.0.read(&mut [0; 8]), Ok(0)));
    }
    let start = Instant::now();
    loop {
        let mut reader = Reader::connect(address);
        // While the slot is empty, the connection may end before anything is sent.
        let is_sent = reader.0.write_all(&[0, 1, 4]).is_ok();
        if is_sent && reader.0.read(&mut [0; 8]).is_ok_and(|read| read > 0) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn after_a_reset_or_silence_the_card_comes_back() {
    for (lost, gone) in [(Lost::Reset, Gone::Reset), (Lost::Mute, Gone::Mute)] {
        let vpcd = Vpcd::new();
        let (_slot, events) = insert(Scripted::answering([Err(lost)]), vpcd.way());
        assert!(vpcd.reader().is_closed_by(&[0, 0xA4]));
        assert_eq!((next(&events), next(&events)), (Event::Connected, Event::Disconnected(gone)));
        assert_eq!(vpcd.reader().ask(&[4]), ATR);
    }
}

#[test]
fn what_is_no_message_ends_the_connection() {
    let vpcd = Vpcd::new();
    let (_slot, events) = insert(Scripted::answering([Ok(vec![0; 65536])]), vpcd.way());
    for (message, why) in [
        (&[][..], "a message without an octet"),
        (&[3], "an unknown order: 3"),
        (&[0, 0xA4], "an answer of 65536 octets: vpcd takes 65535"),
    ] {
        assert!(vpcd.reader().is_closed_by(message), "{why}");
        assert_eq!(next(&events), Event::Connected);
        assert_eq!(next(&events), Event::Disconnected(Gone::Protocol(why.to_owned())));
    }
    // Cut off in the middle.
    let mut reader = vpcd.reader();
    reader.0.write_all(&[0, 9, 0, 0xA4]).unwrap();
    drop(reader);
    assert_eq!((next(&events), next(&events)), (Event::Connected, Event::Disconnected(Gone::Closed)));
    assert_eq!(vpcd.reader().ask(&[4]), ATR);
}

#[test]
fn several_slots_and_their_ends() {
    let vpcds = [Vpcd::new(), Vpcd::new()];
    let slots = vpcds.each_ref().map(|vpcd| insert(Scripted::default(), vpcd.way()).0);
    let mut readers = vpcds.each_ref().map(Vpcd::reader);
    readers[0].send(&[2]);
    assert_eq!(readers[0].ask(&[0, 0xA4]), [0, 0xA4, 2, 0x90, 0]);
    assert_eq!(readers[1].ask(&[0, 0xA4]), [0, 0xA4, 1, 0x90, 0]);
    let start = Instant::now();
    for slot in slots {
        let card = slot.remove().unwrap();
        assert_eq!(card.atr(), ATR);
    }
    for mut reader in readers {
        assert!(matches!(reader.0.read(&mut [0; 8]), Ok(0)));
    }
    assert!(start.elapsed() < Duration::from_secs(2));
}
