//! A session: what is sent, and what the rules are asked about.

use std::{collections::BTreeMap, fmt::Debug};

use proptest::{collection::vec, prelude::*};
use waxseal_card::{Application, Card, VirtualCard};

/// One thing that happens to the card.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// A command of the model, by its number.
    Valid(usize),
    /// The same in a chain, cut into pieces of this length.
    Chained(usize, usize),
    /// The same with octets exchanged.
    Damaged(usize, Vec<(prop::sample::Index, u8)>),
    /// Octets that nobody thought about.
    Invented(Vec<u8>),
    /// The power goes.
    Reset,
}

pub(crate) fn acts(commands: usize) -> impl Strategy<Value = Vec<Act>> {
    let damage = vec((any::<prop::sample::Index>(), any::<u8>()), 1..3);
    let act = prop_oneof![
        40 => (0..commands).prop_map(Act::Valid),
        6 => (0..commands, 1_usize..40).prop_map(|(command, len)| Act::Chained(command, len)),
        8 => (0..commands, damage).prop_map(|(command, damage)| Act::Damaged(command, damage)),
        2 => vec(any::<u8>(), 0..24).prop_map(Act::Invented),
        1 => Just(Act::Reset),
    ];
    vec(act, 1..60)
}

/// A whole command as a model sees it.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    pub(crate) header: [u8; 4],
    pub(crate) data: Vec<u8>,
}

/// The access rules of an application.
pub(crate) trait Rules: Default {
    /// How many commands it makes.
    const ACTS: usize;

    /// The application that must keep to them.
    fn application() -> Box<dyn Application>;

    /// The command with this number, as things stand.
    fn command(&self, number: usize) -> Vec<u8>;

    /// SELECT of the application.
    fn select() -> Vec<u8>;

    /// VERIFY with the PIN that the card is handed out with.
    fn verify() -> Vec<u8>;

    /// VERIFY without data.
    fn ask() -> Vec<u8>;

    /// Holds a response against the rules; `valid` where the command is as the
    /// model made it. What was reached is noted.
    fn observe(&mut self, command: &Whole, answer: &Answer, valid: bool, reached: &mut Reached) -> Result<(), String>;

    /// Something came that is none of the application's commands.
    fn interrupt(&mut self);

    /// The power went.
    fn reset(&mut self);
}

/// What was done, and how often.
pub(crate) type Reached = BTreeMap<String, u32>;

/// The response to a whole command, or to the last of its parts.
pub(crate) struct Answer {
    pub(crate) word: u16,
    pub(crate) data: Vec<u8>,
}

impl Answer {
    /// Whether the command was done.
    pub(crate) fn is_done(&self) -> bool {
        self.word == 0x9000
    }
}

pub(crate) struct Session<R> {
    card: VirtualCard,
    rules: R,
    chain: Option<([u8; 4], Vec<u8>)>,
    reached: Reached,
}

impl<R: Rules> Session<R> {
    pub(crate) fn new(card: VirtualCard) -> Self {
        Self { card, rules: R::default(), chain: None, reached: Reached::new() }
    }

    pub(crate) fn reached(&self) -> &Reached {
        &self.reached
    }

    pub(crate) fn act(&mut self, act: &Act) -> Result<(), String> {
        // What comes into the middle of a chain is not taken as it was meant.
        let valid = self.chain.is_none();
        match act {
            Act::Valid(number) => {
                let command = self.rules.command(*number);
                self.send(&command, valid)
            }
            Act::Chained(number, len) => {
                let command = self.rules.command(*number);
                pieces(&command, *len).iter().try_for_each(|piece| self.send(piece, valid))
            }
            Act::Damaged(number, damage) => {
                let mut command = self.rules.command(*number);
                for (index, octet) in damage {
                    let index = index.index(command.len());
                    command[index] = *octet;
                }
                self.send(&command, false)
            }
            Act::Invented(octets) => self.send(octets, false),
            Act::Reset => {
                self.card.reset().map_err(|lost| lost.to_string())?;
                self.chain = None;
                self.rules.reset();
                Ok(())
            }
        }
    }

    /// Whatever was done to it, the card can be selected and knows its counter.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        self.send(&R::select(), true)?;
        self.send(&R::ask(), true)?;
        let answer = self.card.transmit(&R::select()).map_err(|lost| lost.to_string())?;
        if answer.ends_with(&[0x90, 0x00]) { Ok(()) } else { Err(format!("SELECT is answered {answer:02X?}")) }
    }

    /// The whole answer: what it leaves over is asked for.
    fn transmit(&mut self, octets: &[u8]) -> Result<Answer, String> {
        let (mut data, mut command) = (Vec::new(), octets.to_vec());
        for _ in 0..1000 {
            let answer = self.card.transmit(&command).map_err(|lost| lost.to_string())?;
            let (part, word) = answer.split_last_chunk::<2>().ok_or("an answer without a status word")?;
            data.extend_from_slice(part);
            match *word {
                [0x61, left] => command = vec![0, 0xC0, 0, 0, left],
                word => return Ok(Answer { word: u16::from_be_bytes(word), data }),
            }
        }
        Err("the answer has no end".to_owned())
    }

    fn send(&mut self, octets: &[u8], valid: bool) -> Result<(), String> {
        let answer = self.transmit(octets)?;
        if !answer.is_done() && answer.word >> 8 != 0x62 && !answer.data.is_empty() {
            return Err(format!("data beside {:04X}", answer.word));
        }
        let Some(([class, instruction, p1, p2], data)) = parse(octets) else {
            self.chain = None;
            self.rules.interrupt();
            return Ok(());
        };
        let header = [class & !0x10, instruction, p1, p2];
        if header[0] != 0 {
            // Another channel, secure messaging, or a class of somebody's own.
            self.chain = None;
            self.rules.interrupt();
            return if answer.is_done() { Err(format!("class {class:02X} is accepted")) } else { Ok(()) };
        }
        if header == [0, 0xC0, 0, 0] && self.chain.is_none() {
            return Ok(());
        }
        let (mut whole, chained) = (data, class & 0x10 != 0);
        match self.chain.take() {
            Some((begun, before)) if begun == header => whole = [before, whole].concat(),
            Some(_) if instruction != 0xA4 => {
                self.rules.interrupt();
                return if answer.word == 0x6883 { Ok(()) } else { Err("a chain is broken, and goes on".to_owned()) };
            }
            _ => {}
        }
        if chained {
            if answer.is_done() {
                self.chain = Some((header, whole));
            }
            return Ok(());
        }
        let command = Whole { header, data: whole };
        self.rules
            .observe(&command, &answer, valid, &mut self.reached)
            .map_err(|why| format!("{why}: {command:02X?} is answered {:04X}", answer.word))
    }
}

/// A command cut into the pieces of a chain.
fn pieces(command: &[u8], len: usize) -> Vec<Vec<u8>> {
    let Some(([class, instruction, p1, p2], data)) = parse(command) else { return vec![command.to_vec()] };
    if data.is_empty() {
        return vec![command.to_vec()];
    }
    let count = data.len().div_ceil(len);
    let piece = |(index, part): (usize, &[u8])| {
        let is_last = index + 1 == count;
        let class = if is_last { class } else { class | 0x10 };
        let mut out = [&[class, instruction, p1, p2, part.len() as u8], part].concat();
        out.extend(is_last.then_some(0));
        out
    };
    data.chunks(len).enumerate().map(piece).collect()
}

/// Header and data of a command APDU (ISO/IEC 7816-3 section 12.1).
fn parse(octets: &[u8]) -> Option<([u8; 4], Vec<u8>)> {
    let (header, body) = octets.split_first_chunk::<4>()?;
    let (len, start, le) = match body {
        [] | [_] | [0, _, _] => return Some((*header, Vec::new())),
        [0, _] => return None,
        [0, high, low, ..] => (usize::from(u16::from_be_bytes([*high, *low])), 3, 2),
        [len, ..] => (usize::from(*len), 1, 1),
    };
    let fits = len > 0 && (body.len() == start + len || body.len() == start + len + le);
    fits.then(|| (*header, body[start..start + len].to_vec()))
}

/// A command of short lengths.
pub(crate) fn short(header: [u8; 4], data: &[u8], le: Option<u8>) -> Vec<u8> {
    let mut out = header.to_vec();
    if data.len() > 255 {
        out.push(0);
        out.extend((data.len() as u16).to_be_bytes());
        out.extend_from_slice(data);
        out.extend(le.into_iter().flat_map(|le| [0, le]));
        return out;
    }
    if !data.is_empty() {
        out.push(data.len() as u8);
        out.extend_from_slice(data);
    }
    out.extend(le);
    out
}

/// A secret with its counter, as every standard has it.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) value: Vec<u8>,
    tries: u8,
    left: u8,
    /// The right value was entered in a command that was refused for something
    /// else: nothing says whether the tries are back.
    may_be_full: bool,
}

impl Counted {
    pub(crate) fn new(value: &[u8], tries: u8) -> Self {
        Self { value: value.to_vec(), tries, left: tries, may_be_full: false }
    }

    pub(crate) fn set(&mut self, value: &[u8]) {
        (self.value, self.left, self.may_be_full) = (value.to_vec(), self.tries, false);
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.left == 0
    }

    /// Holds the answer to an entry against the counter: whether it was right.
    pub(crate) fn entered(&mut self, given: &[u8], answer: &Answer, what: &str) -> Result<bool, String> {
        let is_right = given == self.value;
        match answer.word {
            0x9000 if self.is_blocked() => Err(format!("the {what} is blocked, and was taken")),
            0x9000 if !is_right => Err(format!("a wrong {what} was taken")),
            0x9000 => {
                (self.left, self.may_be_full) = (self.tries, false);
                Ok(true)
            }
            word if word & 0xFFF0 == 0x63C0 && is_right => Err(format!("the right {what} was refused")),
            word if word & 0xFFF0 == 0x63C0 => {
                let left = self.left.checked_sub(1).ok_or(format!("the {what} is blocked, and tries are counted"))?;
                let answered = (word & 0x0F) as u8;
                let is_known = answered == left || (self.may_be_full && answered == self.tries - 1);
                (self.left, self.may_be_full) = (answered, false);
                if is_known { Ok(false) } else { Err(format!("the tries of the {what} were {}", left + 1)) }
            }
            0x6983 if self.is_blocked() => Ok(false),
            0x6983 => Err(format!("the {what} has {} tries, and counts as blocked", self.left)),
            // What is wrong in its form costs no try: that is seen when the counter is asked for.
            _ => {
                self.may_be_full |= is_right && !self.is_blocked();
                Ok(false)
            }
        }
    }

    /// Holds the answer to a question for the counter against it.
    pub(crate) fn asked(&mut self, answer: &Answer, what: &str) -> Result<(), String> {
        let word = |left: u8| if left == 0 { 0x6983 } else { 0x63C0 | u16::from(left) };
        if answer.word == word(self.left) || (self.may_be_full && answer.word == word(self.tries)) {
            Ok(())
        } else {
            Err(format!("the tries of the {what} are {}", self.left))
        }
    }
}
