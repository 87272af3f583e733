//! What the fuzz target of the smart card does with an input.
//!
//! An input is a session: a length, that many octets of a command APDU, and so
//! on; a length of zero draws the reset line. Each session is held with a card of
//! either kind. Whatever was sent, the card answers every command with a status
//! word, and afterwards SELECT with `9000`.

use std::sync::LazyLock;

use waxseal_card::key::CardKey;
use waxseal_card::piv::{ManagementKey, Piv, Slot};
use waxseal_card::pkcs15::{DataEntry, KeyEntry, Pkcs15, Purpose, Setup};
use waxseal_card::transcript::{RecordedCard, Tape, explain};
use waxseal_card::{Application, Card, VirtualCard};
use waxseal_key::{PrivateKey, SeededRandom};
use zeroize::Zeroizing;

/// The target: its name, and what it does.
pub const TARGET: (&str, fn(&[u8]) -> bool) = ("card", card);

/// Commands of one session: more only repeat what was there.
const COMMANDS: usize = 64;

/// A session with a card of either kind; whether a command was done.
pub fn card(input: &[u8]) -> bool {
    let piv = session(input, piv(), &[0, 0xA4, 4, 0, 9, 0xA0, 0, 0, 3, 8, 0, 0, 0x10, 0, 0]);
    let aid = waxseal_card::pkcs15::AID;
    let select = [&[0, 0xA4, 4, 0, 12][..], &aid, &[0]].concat();
    session(input, Box::new(pkcs15()), &select) || piv
}

fn session(mut input: &[u8], application: Box<dyn Application>, select: &[u8]) -> bool {
    let tape = Tape::new();
    let mut card = RecordedCard::new(VirtualCard::new(vec![application]), tape.clone());
    let mut done = 0;
    for _ in 0..COMMANDS {
        let Some((len, rest)) = input.split_first() else { break };
        if *len == 0 {
            assert_eq!(card.reset(), Ok(()));
            input = rest;
            continue;
        }
        let (command, rest) = rest.split_at(rest.len().min(usize::from(*len)));
        input = rest;
        let answer = card.transmit(command);
        let Ok([data @ .., first, second]) = answer.as_ref().map(|answer| answer.as_slice()) else {
            panic!("no answer to {command:02X?}")
        };
        assert!((0x61..=0x6F).contains(first) || (*first, *second) == (0x90, 0), "{first:02X}{second:02X}");
        assert!(data.is_empty() || matches!(first, 0x61 | 0x62 | 0x90), "data beside {first:02X}{second:02X}");
        done += usize::from((*first, *second) == (0x90, 0));
    }
    // The first ends a chain that is open, and may be the last part of one.
    let _ = card.transmit(select);
    let answer = card.transmit(select).unwrap_or_default();
    assert!(answer.ends_with(&[0x90, 0]), "SELECT afterwards is answered {answer:02X?}");
    // What was written down is read again, and can be explained.
    let transcript = tape.transcript();
    let read = transcript.to_string().parse();
    assert_eq!(read.as_ref(), Ok(&transcript));
    let _ = explain::text(&explain::explain(&transcript));
    let _ = transcript.key_operations();
    done > 0
}

/// DER of the keys: P-256, and RSA 1024, which is fast.
static KEYS: LazyLock<[Zeroizing<Vec<u8>>; 2]> = LazyLock::new(|| {
    [include_str!("../../vectors/pki/alice-ec.key.pem"), include_str!("../../vectors/pki/alice-1024.key.pem")]
        .map(|pem| PrivateKey::from_pem(pem, None).map(|key| key.to_pkcs8_der()).unwrap_or_default())
});

fn key(index: usize) -> CardKey {
    let key = PrivateKey::from_pkcs8_der(&KEYS[index]).and_then(CardKey::new);
    key.unwrap_or_else(|error| panic!("a test key: {error}"))
}

fn piv() -> Box<dyn Application> {
    let management_key = [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    let management_key = ManagementKey::new(&management_key).unwrap_or_else(|| panic!("24 octets are a key"));
    let random = Box::new(SeededRandom::new("fuzz"));
    let mut piv = Piv::new(*b"123456\xFF\xFF", *b"12345678", management_key, random);
    for (slot, index) in [(0x9A, 0), (0x9C, 1), (0x9D, 0), (0x9E, 0), (0x82, 1)] {
        if let Some(slot) = Slot::by_reference(slot) {
            piv.put_key(slot, key(index));
        }
    }
    assert_eq!(piv.put_object(0x5FC109, &[0x4E; 300]), Ok(()));
    Box::new(piv)
}

fn pkcs15() -> Pkcs15 {
    let entry =
        |index, purpose| KeyEntry { label: "key".to_owned(), key: key(index), purpose, certificate: vec![0x30; 300] };
    let setup = Setup {
        label: "fuzz".to_owned(),
        manufacturer: "Waxseal".to_owned(),
        serial: vec![1],
        pin: Zeroizing::new(b"123456".to_vec()),
        puk: Zeroizing::new(b"12345678".to_vec()),
        keys: vec![entry(1, Purpose::Sign), entry(1, Purpose::Decipher), entry(0, Purpose::Sign)],
        authorities: Vec::new(),
        data: vec![DataEntry {
            label: "private".to_owned(),
            application: "Waxseal".to_owned(),
            private: true,
            value: Zeroizing::new(vec![0x4E; 20]),
        }],
        random: Box::new(SeededRandom::new("fuzz")),
    };
    Pkcs15::new(setup).unwrap_or_else(|error| panic!("a card: {error}"))
}
