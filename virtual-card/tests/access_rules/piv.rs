//! The access rules of PIV (NIST SP 800-73-4 part 1 tables 2 and 4b, part 2
//! section 3).

use std::sync::LazyLock;

use waxseal_card::{
    Application,
    key::CardKey,
    piv::{ManagementKey, Piv, Slot},
};
use waxseal_key::{Arithmetic, ContentCipher, SeededRandom};

use crate::{
    session::{Answer, Counted, Reached, Rules, Whole, short},
    support::key,
};

const AID: [u8; 9] = [0xA0, 0, 0, 3, 8, 0, 0, 0x10, 0];
const PINS: [&[u8; 8]; 2] = [b"123456\xFF\xFF", b"654321\xFF\xFF"];
const PUK: &[u8; 8] = b"12345678";
const MANAGEMENT_KEY: [u8; 24] = [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8];

/// The keys on the card: slot, whose, and the algorithm (SP 800-78-4 table 6-2).
const KEYS: [(u8, &str, u8); 6] = [
    (0x9A, "nina-p256-auth", 0x11),
    (0x9C, "nina-p256", 0x11),
    (0x9D, "nina-p256-agree", 0x11),
    (0x9E, "nina-door", 0x11),
    (0x82, "nina-decipher", 0x07),
    (0x83, "nina-1024-decipher", 0x06),
];

/// Printed Information: read after the PIN.
const PRINTED: [u8; 3] = [0x5F, 0xC1, 0x09];

/// What is known of the card from what went over the wire.
pub(crate) struct Model {
    selected: bool,
    /// The PIN was given since the card or the application forgot it.
    pin_given: bool,
    /// Nothing has happened since that could make the card forget it.
    pin_holds: bool,
    /// The command before was VERIFY, and it was right.
    fresh: bool,
    manager: bool,
    witness: Option<Vec<u8>>,
    challenge: Option<Vec<u8>>,
    pin: Counted,
    puk: Counted,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            selected: false,
            pin_given: false,
            pin_holds: false,
            fresh: false,
            manager: false,
            witness: None,
            challenge: None,
            pin: Counted::new(PINS[0], 3),
            puk: Counted::new(PUK, 3),
        }
    }
}

/// What the model sends. What is needed first is there several times.
#[derive(Clone, Copy)]
enum Kind {
    Select,
    SelectWhole,
    SelectOther,
    Verify,
    VerifyWrong,
    VerifyMisshapen,
    Ask,
    Use(usize),
    ChangePin,
    ChangePinWrong,
    Unblock,
    UnblockWrong,
    ReadPrinted,
    ReadDiscovery,
    Witness,
    Mutual,
    MutualWrong,
    Challenge,
    External,
    PutData,
    Generate,
}

use Kind::*;

const COMMANDS: &[Kind] = &[
    Select,
    Select,
    Select,
    Select,
    SelectWhole,
    SelectOther,
    Verify,
    Verify,
    Verify,
    Verify,
    Verify,
    VerifyWrong,
    VerifyWrong,
    VerifyMisshapen,
    Ask,
    Use(0),
    Use(1),
    Use(1),
    Use(1),
    Use(2),
    Use(3),
    Use(4),
    Use(5),
    ChangePin,
    ChangePinWrong,
    Unblock,
    UnblockWrong,
    ReadPrinted,
    ReadDiscovery,
    Witness,
    Mutual,
    MutualWrong,
    Challenge,
    External,
    PutData,
    PutData,
    Generate,
];

impl Model {
    fn other_pin(&self) -> &'static [u8] {
        if self.pin.value == PINS[0] { PINS[1] } else { PINS[0] }
    }

    fn holds(&mut self, holds: bool) {
        (self.pin_given, self.pin_holds) = (holds, holds);
    }

    fn forget(&mut self) {
        (self.pin_given, self.pin_holds, self.fresh, self.manager) = (false, false, false, false);
        (self.witness, self.challenge) = (None, None);
    }

    fn observe_key(
        &mut self,
        command: &Whole,
        answer: &Answer,
        fresh: bool,
        valid: bool,
    ) -> Result<Option<String>, String> {
        let reference = command.header[3];
        let needs_pin = reference != 0x9E;
        if answer.is_done() {
            if needs_pin && !self.pin_given {
                return Err(format!("key {reference:02X} was used without the PIN"));
            }
            if reference == 0x9C && !fresh {
                return Err("key 9C was used, and the PIN not verified immediately before".to_owned());
            }
            return Ok(Some(format!("use {reference:02X}")));
        }
        let must = self.selected && (!needs_pin || self.pin_holds) && (reference != 0x9C || fresh);
        if valid && must { Err(format!("key {reference:02X} was not used, and should be")) } else { Ok(None) }
    }

    /// The two ways to authenticate with the card management key (part 2 table 18 and annex A).
    fn observe_manager(&mut self, command: &Whole, answer: &Answer) -> Result<(), String> {
        let (witness, challenge) = (self.witness.take(), self.challenge.take());
        let given = part(&command.data, 0x80).filter(|given| !given.is_empty());
        let response = part(&command.data, 0x82).filter(|given| !given.is_empty());
        if !answer.is_done() {
            return Ok(());
        }
        if let Some(encrypted) = part(&answer.data, 0x80) {
            self.witness = Some(triple_des(&encrypted, false));
        } else if let Some(sent) = part(&answer.data, 0x81) {
            self.challenge = Some(sent);
        } else {
            let is_mutual = given.is_some() && given == witness;
            let is_external = response.is_some() && response == challenge.map(|challenge| triple_des(&challenge, true));
            if !is_mutual && !is_external {
                return Err("somebody was authenticated without the card management key".to_owned());
            }
            self.manager = true;
        }
        Ok(())
    }
}

impl Rules for Model {
    const ACTS: usize = COMMANDS.len();

    fn application() -> Box<dyn Application> {
        let management_key = ManagementKey::new(&MANAGEMENT_KEY).unwrap();
        let mut piv = Piv::new(*PINS[0], *PUK, management_key, Box::new(SeededRandom::new("access rules")));
        for (slot, name, _) in KEYS {
            piv.put_key(Slot::by_reference(slot).unwrap(), CardKey::new(key(name)).unwrap());
        }
        piv.put_object(0x5FC109, b"Nina Nutmeg").unwrap();
        Box::new(piv)
    }

    fn command(&self, number: usize) -> Vec<u8> {
        let verify = |pin: &[u8]| short([0, 0x20, 0, 0x80], pin, None);
        let two = |instruction, first: &[u8], second: &[u8]| {
            short([0, instruction, 0, 0x80], &[first, second].concat(), None)
        };
        let manage =
            |content: &[u8]| short([0, 0x87, 0x03, 0x9B], &[&[0x7C, content.len() as u8], content].concat(), Some(0));
        let get = |list: &[u8]| short([0, 0xCB, 0x3F, 0xFF], list, Some(0));
        let wrong = b"000000\xFF\xFF";
        match COMMANDS[number] {
            Select => short([0, 0xA4, 4, 0], &AID, Some(0)),
            SelectWhole => short([0, 0xA4, 4, 0], &[&AID[..], &[1, 0]].concat(), Some(0)),
            SelectOther => short([0, 0xA4, 4, 0], &[0xA0, 0, 0, 0, 0x63], Some(0)),
            Verify => verify(&self.pin.value),
            VerifyWrong => verify(wrong),
            VerifyMisshapen => verify(b"1234"),
            Ask => Self::ask(),
            Use(index) => use_key(index),
            ChangePin => two(0x24, &self.pin.value, self.other_pin()),
            ChangePinWrong => two(0x24, wrong, self.other_pin()),
            Unblock => two(0x2C, PUK, self.other_pin()),
            UnblockWrong => two(0x2C, b"00000000", self.other_pin()),
            ReadPrinted => get(&[&[0x5C, 3], &PRINTED[..]].concat()),
            ReadDiscovery => get(&[0x5C, 1, 0x7E]),
            Witness => manage(&[0x80, 0]),
            Mutual | MutualWrong => {
                let mut witness = self.witness.clone().unwrap_or(vec![7; 8]);
                witness[0] ^= u8::from(matches!(COMMANDS[number], MutualWrong));
                manage(&[&[0x80, 8], witness.as_slice(), &[0x81, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x82, 0]].concat())
            }
            Challenge => manage(&[0x81, 0]),
            External => {
                let response = triple_des(self.challenge.as_deref().unwrap_or(&[7; 8]), true);
                manage(&[&[0x82, 8], response.as_slice()].concat())
            }
            PutData => short([0, 0xDB, 0x3F, 0xFF], &[&[0x5C, 3], &PRINTED[..], &[0x53, 2, 0x4E, 0x4E]].concat(), None),
            Generate => short([0, 0x47, 0, 0x9A], &[0xAC, 3, 0x80, 1, 0x11], Some(0)),
        }
    }

    fn select() -> Vec<u8> {
        short([0, 0xA4, 4, 0], &AID, Some(0))
    }

    fn verify() -> Vec<u8> {
        short([0, 0x20, 0, 0x80], PINS[0], None)
    }

    fn ask() -> Vec<u8> {
        short([0, 0x20, 0, 0x80], &[], None)
    }

    fn observe(&mut self, command: &Whole, answer: &Answer, valid: bool, reached: &mut Reached) -> Result<(), String> {
        let fresh = std::mem::take(&mut self.fresh);
        let mut reach = |name: String| *reached.entry(name).or_default() += 1;
        let Whole { header: [_, instruction, p1, p2], data } = command;
        if *instruction == 0xA4 && *p1 == 4 {
            // Selected again, the application keeps its security status.
            self.selected |= answer.is_done();
            return Ok(());
        }
        if !self.selected {
            return if answer.is_done() { Err("done, and nothing is selected".to_owned()) } else { Ok(()) };
        }
        match (*instruction, *p1, *p2) {
            (0x20, 0, 0x80) if data.is_empty() => match (answer.word, self.pin_given) {
                (0x9000, true) => {}
                (0x9000, false) => return Err("nobody gave the PIN, and it counts as verified".to_owned()),
                _ => self.pin.asked(answer, "PIN")?,
            },
            (0x20, 0, 0x80) => {
                let is_right = self.pin.entered(data, answer, "PIN")?;
                if is_right || answer.word & 0xFFF0 == 0x63C0 || answer.word == 0x6983 {
                    self.holds(is_right);
                } else {
                    self.pin_holds = false;
                }
                self.fresh = is_right;
                if self.pin.is_blocked() {
                    reach("blocked".to_owned());
                }
            }
            (0x24, 0, 0x80) => {
                let (old, new) = data.split_at(data.len().min(8));
                if self.pin.entered(old, answer, "PIN")? {
                    self.pin.set(new);
                    self.pin_given = true;
                    reach("change the PIN".to_owned());
                }
                self.pin_holds = false;
            }
            (0x2C, 0, 0x80) => {
                let (puk, new) = data.split_at(data.len().min(8));
                if self.puk.entered(puk, answer, "PUK")? {
                    self.pin.set(new);
                    reach("unblock the PIN".to_owned());
                }
                self.pin_holds = false;
            }
            (0x24, 0, 0x81) => {
                let (old, new) = data.split_at(data.len().min(8));
                if self.puk.entered(old, answer, "PUK")? {
                    self.puk.set(new);
                }
            }
            (0x20, 0xFF, 0x80) if answer.is_done() => self.holds(false),
            (0x20 | 0x24 | 0x2C, ..) if answer.is_done() => return Err("reference data that is not there".to_owned()),
            (0x87, _, 0x9B) => self.observe_manager(command, answer)?,
            (0x87, ..) => self.observe_key(command, answer, fresh, valid)?.into_iter().for_each(reach),
            (0xDB | 0x47, ..) if answer.is_done() => {
                if !self.manager {
                    return Err("the card was changed without the card management key".to_owned());
                }
                reach(if *instruction == 0xDB { "put data" } else { "generate" }.to_owned());
            }
            (0xCB, ..) if answer.is_done() && part(data, 0x5C).as_deref() == Some(&PRINTED) => {
                if !self.pin_given {
                    return Err("private data was read without the PIN".to_owned());
                }
                reach("read after the PIN".to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn interrupt(&mut self) {
        self.fresh = false;
    }

    fn reset(&mut self) {
        self.forget();
        self.selected = false;
    }
}

/// A point of the other side.
static POINT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let spki = key("nina-p256").public_key().to_vec();
    spki[spki.len() - 65..].to_vec()
});

/// GENERAL AUTHENTICATE with a key of the card: ECDSA, ECDH or RSA.
fn use_key(index: usize) -> Vec<u8> {
    let (slot, _, algorithm) = KEYS[index];
    let (tag, content) = match (slot, algorithm) {
        (0x9D, _) => (0x85, POINT.clone()),
        (_, 0x11) => (0x81, vec![0x5A; 32]),
        (_, 0x07) => (0x81, [vec![0; 255], vec![2]].concat()),
        _ => (0x81, [vec![0; 127], vec![2]].concat()),
    };
    let element = |tag: u8, content: &[u8]| match content.len() {
        len @ 0..=127 => [&[tag, len as u8], content].concat(),
        len @ 128..=255 => [&[tag, 0x81, len as u8], content].concat(),
        len => [&[tag, 0x82, (len >> 8) as u8, len as u8], content].concat(),
    };
    let template = element(0x7C, &[&[0x82, 0], element(tag, &content).as_slice()].concat());
    short([0, 0x87, algorithm, slot], &template, Some(0))
}

/// The value of an element with this tag, in the octets or in the template that
/// they are.
fn part(octets: &[u8], tag: u8) -> Option<Vec<u8>> {
    let mut rest = match octets {
        [0x7C, len, rest @ ..] if *len < 0x80 => rest,
        [0x7C, 0x81, _, rest @ ..] | [0x7C, 0x82, _, _, rest @ ..] => rest,
        other => other,
    };
    while let [found, len, after @ ..] = rest {
        let (value, after) = after.split_at_checked(usize::from(*len))?;
        if *found == tag {
            return Some(value.to_vec());
        }
        rest = after;
    }
    None
}

/// One block of Triple DES.
fn triple_des(block: &[u8], encrypts: bool) -> Vec<u8> {
    let (arithmetic, mut out) = (Arithmetic::default(), block.to_vec());
    let cipher = ContentCipher::TripleDesCbc;
    let mut mode = if encrypts {
        arithmetic.cbc_encryptor(cipher, &MANAGEMENT_KEY, &[0; 8])
    } else {
        arithmetic.cbc_decryptor(cipher, &MANAGEMENT_KEY, &[0; 8])
    }
    .unwrap();
    mode.process(&mut out);
    out
}
