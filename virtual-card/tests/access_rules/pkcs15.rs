//! The access rules of a card with the files of ISO/IEC 7816-15: what EF.AOD,
//! EF.PrKD and the control parameters of its files say.

use std::sync::LazyLock;

use waxseal_card::{Application, key::CardKey, pkcs15 as card};
use waxseal_key::SeededRandom;
use zeroize::Zeroizing;

use crate::{
    session::{Answer, Counted, Reached, Rules, Whole, short},
    support::key,
};

const AID: [u8; 12] = [0xF2, 0x76, 0xA2, 0x88, 0xBC, 0xFB, 0xA6, 0x9D, 0x34, 0xF3, 0x10, 0x01];
const PINS: [&[u8; 16]; 2] = [b"123456\0\0\0\0\0\0\0\0\0\0", b"654321\0\0\0\0\0\0\0\0\0\0"];
const PUK: &[u8; 16] = b"12345678\0\0\0\0\0\0\0\0";
const WRONG: &[u8; 16] = b"9999\0\0\0\0\0\0\0\0\0\0\0\0";
const PRIVATE: &[u8] = b"only for the holder of the card";

/// What is known of the card from what went over the wire.
pub(crate) struct Model {
    selected: bool,
    pin_given: bool,
    /// Nothing has happened since that could make the card forget it.
    pin_holds: bool,
    /// Operation and key of the last SET that was done.
    environment: Option<(u8, u8)>,
    pin: Counted,
    puk: Counted,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            selected: false,
            pin_given: false,
            pin_holds: false,
            environment: None,
            pin: Counted::new(PINS[0], 3),
            puk: Counted::new(PUK, 5),
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Select,
    SelectOther,
    Verify,
    VerifyWrong,
    VerifyMisshapen,
    Ask,
    Logout,
    /// Sign with this key.
    ToSign(u8),
    ToDecipher(u8),
    Sign,
    Decipher,
    ChangePin,
    ChangePinWrong,
    Unblock,
    UnblockWrong,
    SelectPrivate,
    SelectPublic,
    Read,
    Random,
}

use Kind::*;

const COMMANDS: &[Kind] = &[
    Select,
    Select,
    Select,
    SelectOther,
    Verify,
    Verify,
    Verify,
    Verify,
    VerifyWrong,
    VerifyWrong,
    VerifyMisshapen,
    Ask,
    Logout,
    ToSign(0),
    ToSign(0),
    ToSign(1),
    ToSign(2),
    ToSign(2),
    ToDecipher(1),
    ToDecipher(1),
    ToDecipher(0),
    Sign,
    Sign,
    Sign,
    Sign,
    Decipher,
    Decipher,
    Decipher,
    ChangePin,
    ChangePinWrong,
    Unblock,
    UnblockWrong,
    SelectPrivate,
    SelectPublic,
    Read,
    Read,
    Random,
];

impl Model {
    fn other_pin(&self) -> &'static [u8] {
        if self.pin.value == PINS[0] { PINS[1] } else { PINS[0] }
    }

    fn holds(&mut self, holds: bool) {
        (self.pin_given, self.pin_holds) = (holds, holds);
    }

    fn forget(&mut self) {
        self.holds(false);
        self.environment = None;
    }

    fn observe_operation(&self, command: &Whole, answer: &Answer, valid: bool) -> Result<Option<String>, String> {
        let template = if command.header[2..] == [0x9E, 0x9A] { 0xB6 } else { 0xB8 };
        if answer.is_done() {
            if !self.pin_given {
                return Err("a key was used without the PIN".to_owned());
            }
            let (set, key) = self.environment.ok_or("a key was used, and none was set")?;
            let is_for_it = set == template && (key == 1) == (template == 0xB8);
            return if is_for_it {
                Ok(Some(format!("use {key:02X}")))
            } else {
                Err(format!("key {key:02X} did what it is not there for"))
            };
        }
        let fits = |(set, _): (u8, u8)| set == template;
        let must = valid && self.selected && self.pin_holds && self.environment.is_some_and(fits);
        // A cryptogram that anybody could write need not have a good padding.
        if must && template == 0xB6 { Err("no key was used, and one should be".to_owned()) } else { Ok(None) }
    }
}

impl Rules for Model {
    const ACTS: usize = COMMANDS.len();

    fn application() -> Box<dyn Application> {
        let entry = |name: &str, purpose| card::KeyEntry {
            label: name.to_owned(),
            key: CardKey::new(key(name)).unwrap(),
            purpose,
            certificate: vec![0x30; 8],
        };
        let setup = card::Setup {
            label: "access rules".to_owned(),
            manufacturer: "Waxseal".to_owned(),
            serial: vec![1],
            pin: Zeroizing::new(b"123456".to_vec()),
            puk: Zeroizing::new(b"12345678".to_vec()),
            keys: vec![
                entry("nina-1024", card::Purpose::Sign),
                entry("nina-1024-decipher", card::Purpose::Decipher),
                entry("nina-p256", card::Purpose::Sign),
            ],
            authorities: Vec::new(),
            data: vec![card::DataEntry {
                label: "private".to_owned(),
                application: "Waxseal".to_owned(),
                private: true,
                value: Zeroizing::new(PRIVATE.to_vec()),
            }],
            random: Box::new(SeededRandom::new("access rules")),
        };
        Box::new(card::Pkcs15::new(setup).unwrap())
    }

    fn command(&self, number: usize) -> Vec<u8> {
        let verify = |pin: &[u8]| short([0, 0x20, 0, 1], pin, None);
        let two =
            |instruction, first: &[u8], second: &[u8]| short([0, instruction, 0, 1], &[first, second].concat(), None);
        let set =
            |template, algorithm, key| short([0, 0x22, 0x41, template], &[0x80, 1, algorithm, 0x84, 1, key], None);
        match COMMANDS[number] {
            Select => Self::select(),
            SelectOther => short([0, 0xA4, 4, 0], &[0xA0, 0, 0, 3, 8], Some(0)),
            Verify => verify(&self.pin.value),
            VerifyWrong => verify(WRONG),
            VerifyMisshapen => verify(b"123"),
            Ask => Self::ask(),
            Logout => short([0, 0x20, 0xFF, 1], &[], None),
            ToSign(2) => set(0xB6, 0x21, 2),
            ToSign(key) => set(0xB6, 0x11, key),
            ToDecipher(key) => set(0xB8, 0x11, key),
            Sign => short([0, 0x2A, 0x9E, 0x9A], &[0x5A; 20], Some(0)),
            Decipher => short([0, 0x2A, 0x80, 0x86], &[&[0][..], CRYPTOGRAM.as_slice()].concat(), Some(0)),
            ChangePin => two(0x24, &self.pin.value, self.other_pin()),
            ChangePinWrong => two(0x24, WRONG, self.other_pin()),
            Unblock => two(0x2C, PUK, self.other_pin()),
            UnblockWrong => two(0x2C, WRONG, self.other_pin()),
            SelectPrivate => short([0, 0xA4, 8, 0x0C], &[0x50, 0x15, 0x35, 0x00], None),
            SelectPublic => short([0, 0xA4, 8, 0x0C], &[0x50, 0x15, 0x50, 0x31], None),
            Read => short([0, 0xB0, 0, 0], &[], Some(0)),
            Random => short([0, 0x84, 0, 0], &[], Some(8)),
        }
    }

    fn select() -> Vec<u8> {
        short([0, 0xA4, 4, 0], &AID, Some(0))
    }

    fn verify() -> Vec<u8> {
        short([0, 0x20, 0, 1], PINS[0], None)
    }

    fn ask() -> Vec<u8> {
        short([0, 0x20, 0, 1], &[], None)
    }

    fn observe(&mut self, command: &Whole, answer: &Answer, valid: bool, reached: &mut Reached) -> Result<(), String> {
        let mut reach = |name: String| *reached.entry(name).or_default() += 1;
        let Whole { header: [_, instruction, p1, p2], data } = command;
        if *instruction == 0xA4 && *p1 == 4 && *data == AID {
            if answer.is_done() {
                self.forget();
                self.selected = true;
            }
            return Ok(());
        }
        if !self.selected {
            return if answer.is_done() { Err("done, and nothing is selected".to_owned()) } else { Ok(()) };
        }
        if answer.data.windows(4).any(|window| PRIVATE.windows(4).any(|part| part == window)) {
            if !self.pin_given {
                return Err("private data was read without the PIN".to_owned());
            }
            reach("read after the PIN".to_owned());
        }
        match (*instruction, *p1, *p2) {
            (0x20, 0, 1) if data.is_empty() => match (answer.word, self.pin_given) {
                (0x9000, true) => {}
                (0x9000, false) => return Err("nobody gave the PIN, and it counts as verified".to_owned()),
                _ => self.pin.asked(answer, "PIN")?,
            },
            (0x20, 0, 1) => {
                let mut padded = data.clone();
                padded.resize(data.len().max(16), 0);
                let is_right = self.pin.entered(&padded, answer, "PIN")?;
                if is_right || answer.word & 0xFFF0 == 0x63C0 || answer.word == 0x6983 {
                    self.holds(is_right);
                } else {
                    self.pin_holds = false;
                }
                if self.pin.is_blocked() {
                    reach("blocked".to_owned());
                }
            }
            (0x20, 0xFF, 1) if answer.is_done() => self.holds(false),
            (0x24 | 0x2C, 0, 1) => {
                let (first, second) = data.split_at(data.len().min(16));
                let (secret, what, name) = match instruction {
                    0x24 => (&mut self.pin, "PIN", "change the PIN"),
                    _ => (&mut self.puk, "PUK", "unblock the PIN"),
                };
                if secret.entered(first, answer, what)? {
                    let mut new = second.to_vec();
                    new.resize(16, 0);
                    self.pin.set(&new);
                    reach(name.to_owned());
                }
                self.pin_holds = false;
            }
            (0x20 | 0x24 | 0x2C, ..) if answer.is_done() => return Err("reference data that is not there".to_owned()),
            (0x22, 0x41, template) if answer.is_done() => {
                let key = data.windows(3).find(|window| window[..2] == [0x84, 1]).map(|window| window[2]);
                self.environment = key.map(|key| (template, key));
            }
            (0x22, ..) => self.environment = None,
            (0x2A, ..) => self.observe_operation(command, answer, valid)?.into_iter().for_each(reach),
            _ => {}
        }
        Ok(())
    }

    fn interrupt(&mut self) {}

    fn reset(&mut self) {
        self.forget();
        self.selected = false;
    }
}

/// A key that is encrypted for the card.
static CRYPTOGRAM: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut random = SeededRandom::new("a key");
    waxseal_key::Arithmetic::default()
        .wrap_rsa_pkcs1(key("nina-1024-decipher").public_key(), &[0x5A; 16], &mut random)
        .unwrap()
});
