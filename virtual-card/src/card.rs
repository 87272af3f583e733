//! A smart card: octets in, octets out.

use std::fmt;

use zeroize::Zeroizing;

use crate::{Application, Command, Response, StatusWord, apdu::CHAINING};

/// A smart card as a reader sees it.
pub trait Card: Send {
    /// The answer to reset (ISO/IEC 7816-3 section 8).
    fn atr(&self) -> Vec<u8>;

    /// The card was put in, or its power was switched off and on, or its reset
    /// line drawn: what stands in volatile memory is gone.
    ///
    /// # Errors
    /// There is no card (any more).
    fn reset(&mut self) -> Result<(), Lost>;

    /// One command APDU in, one response APDU out.
    ///
    /// # Errors
    /// No answer comes. What a card refuses is an answer.
    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Lost>;
}

/// Why no answer came from a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// It was taken out of the reader.
    #[error("the card was removed")]
    Removed,
    /// It was reset before it could answer.
    #[error("the card was reset")]
    Reset,
    /// It says nothing any more.
    #[error("the card does not answer")]
    Mute,
}

impl<C: Card + ?Sized> Card for Box<C> {
    fn atr(&self) -> Vec<u8> {
        (**self).atr()
    }

    fn reset(&mut self) -> Result<(), Lost> {
        (**self).reset()
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Lost> {
        (**self).transmit(command)
    }
}

/// A card in software, with applications on it.
///
/// It does what is the same for all of them: short and extended lengths,
/// command chaining (ISO/IEC 7816-4 section 5.4.1), GET RESPONSE, SELECT by
/// application identifier. It has the basic logical channel only, and no secure
/// messaging.
pub struct VirtualCard {
    applications: Vec<Box<dyn Application>>,
    selected: Option<usize>,
    chain: Option<Chain>,
    /// What was not yet asked for by GET RESPONSE.
    pending: Zeroizing<Vec<u8>>,
}

/// The commands of a chain that came so far.
struct Chain {
    header: [u8; 4],
    data: Zeroizing<Vec<u8>>,
}

/// Direct convention; T=0 and T=1 are offered. The historical octets (ISO/IEC
/// 7816-4 section 12.1.1) tell the card capabilities: applications are selected by
/// name, whole or cut off; commands are chained; lengths can be extended; there is
/// one logical channel. Without them the octets would be those of a card that
/// OpenSC knows, and takes to have no elliptic curves (`3B 80 80 01 01`, PIVKey).
const ATR: [u8; 10] = [0x3B, 0x85, 0x80, 0x01, 0x80, 0x73, 0xC0, 0x01, 0xC0, 0xF6];

/// Octets that all commands of a chain may hold together: as many as one
/// command of extended length.
const CHAIN_LIMIT: usize = 65535;

const SELECT: u8 = 0xA4;
const GET_RESPONSE: u8 = 0xC0;
const MANAGE_CHANNEL: u8 = 0x70;

impl VirtualCard {
    /// A card with these applications; none is selected.
    #[must_use]
    pub fn new(applications: Vec<Box<dyn Application>>) -> Self {
        Self { applications, selected: None, chain: None, pending: Zeroizing::default() }
    }

    fn answer(&mut self, octets: &[u8]) -> Response {
        let command = match Command::parse(octets).and_then(|command| accept_class(&command).map(|()| command)) {
            Ok(command) => command,
            Err(status) => {
                self.chain = None;
                self.pending = Zeroizing::default();
                return self.interrupted(status);
            }
        };
        if command.header() == [0, GET_RESPONSE, 0, 0] && self.chain.is_none() {
            return self.rest(command.expected);
        }
        self.pending = Zeroizing::default();
        let Some(command) = (match self.join(command) {
            Ok(joined) => joined,
            Err(status) => return self.interrupted(status),
        }) else {
            return StatusWord::SUCCESS.into();
        };
        let response = self.process(&command);
        if command.expected.is_none() && self.is_told_unasked(&command) {
            return response;
        }
        if response.data.is_empty() || response.status == StatusWord::END_OF_FILE {
            // What a file ends with is no more than was expected.
            return response;
        }
        if !response.status.is_success() {
            return Response::status(response.status);
        }
        self.pending = response.data;
        self.rest(command.expected)
    }

    /// A refusal that the selected application has no part in.
    fn interrupted(&mut self, status: StatusWord) -> Response {
        if let Some(application) = self.selected.and_then(|index| self.applications.get_mut(index)) {
            application.interrupt();
        }
        status.into()
    }

    /// Undoes chaining: the whole command, once its last part is here.
    fn join(&mut self, mut command: Command) -> Result<Option<Command>, StatusWord> {
        let (header, is_chained) = (command.header(), command.is_chained());
        if let Some(mut chain) = self.chain.take() {
            if chain.header == header {
                if chain.data.len() + command.data.len() > CHAIN_LIMIT {
                    return Err(StatusWord::WRONG_LENGTH);
                }
                chain.data = Zeroizing::new([chain.data.as_slice(), &command.data].concat());
                command.data = chain.data;
            } else if command.instruction != SELECT {
                // A host that gave the chain up selects; for all else the chain must be sent again.
                return Err(StatusWord::LAST_OF_CHAIN_EXPECTED);
            }
        }
        if is_chained {
            self.chain = Some(Chain { header, data: command.data });
            return Ok(None);
        }
        command.class = header[0];
        Ok(Some(command))
    }

    fn process(&mut self, command: &Command) -> Response {
        match (command.instruction, command.p1) {
            (SELECT, 4) => self.select(command),
            (GET_RESPONSE, _) => self.interrupted(StatusWord::INCORRECT_P1_P2),
            (MANAGE_CHANNEL, _) => self.interrupted(StatusWord::NO_LOGICAL_CHANNEL),
            _ => match self.selected.and_then(|index| self.applications.get_mut(index)) {
                Some(application) => application.process(command),
                None => StatusWord::INSTRUCTION_NOT_SUPPORTED.into(),
            },
        }
    }

    /// SELECT by application identifier, which may be cut off on the right
    /// (ISO/IEC 7816-4 section 11.1.1, SP 800-73-4 part 2 section 3.1.1).
    fn select(&mut self, command: &Command) -> Response {
        // The first or only occurrence, with FCI or without an answer; there is never a next one.
        let silent = match command.p2 {
            0x00 => false,
            0x0C => true,
            0x02 => return self.interrupted(StatusWord::NOT_FOUND),
            _ => return self.interrupted(StatusWord::INCORRECT_P1_P2),
        };
        let wanted = command.data.as_slice();
        let fits = |application: &dyn Application| {
            wanted.len() >= application.shortest_aid() && application.aid().starts_with(wanted)
        };
        let Some(index) = self.applications.iter().position(|application| fits(&**application)) else {
            return self.select_file(wanted, command.p2);
        };
        if let Some(other) = self.selected.filter(|other| *other != index) {
            self.applications[other].deselect();
        }
        self.selected = Some(index);
        let response = self.applications[index].select();
        if silent && response.status.is_success() { StatusWord::SUCCESS.into() } else { response }
    }

    /// Whether this was SELECT of an application that answers it without Le.
    fn is_told_unasked(&self, command: &Command) -> bool {
        let current = self.selected.and_then(|index| self.applications.get(index));
        (command.instruction, command.p1) == (SELECT, 4)
            && current.is_some_and(|application| application.tells_unasked())
    }

    /// SELECT by the name of a dedicated file of the current application.
    fn select_file(&mut self, name: &[u8], p2: u8) -> Response {
        let current = self.selected.and_then(|index| self.applications.get_mut(index));
        let found = current.and_then(|application| application.select_file(name, p2));
        found.unwrap_or_else(|| self.interrupted(StatusWord::NOT_FOUND))
    }

    /// As much of the response data as is expected, and how much is still there.
    fn rest(&mut self, expected: Option<usize>) -> Response {
        if self.pending.is_empty() {
            return StatusWord::CONDITIONS_NOT_SATISFIED.into();
        }
        // Without Le none is expected: what is there is told by the status word.
        let len = expected.unwrap_or(0).min(self.pending.len());
        let rest = Zeroizing::new(self.pending.split_off(len));
        let data = std::mem::replace(&mut self.pending, rest);
        let status = if self.pending.is_empty() { StatusWord::SUCCESS } else { StatusWord::more(self.pending.len()) };
        Response { data, status }
    }
}

/// The basic logical channel, without secure messaging (ISO/IEC 7816-4 section
/// 5.4.1); no proprietary class.
fn accept_class(command: &Command) -> Result<(), StatusWord> {
    let class = command.class & !CHAINING;
    match class {
        0 => Ok(()),
        0x01..=0x03 => Err(StatusWord::NO_LOGICAL_CHANNEL),
        0x04..=0x0F => Err(StatusWord::NO_SECURE_MESSAGING),
        0x40..=0x7F => Err(StatusWord::NO_LOGICAL_CHANNEL),
        _ => Err(StatusWord::CLASS_NOT_SUPPORTED),
    }
}

impl Card for VirtualCard {
    fn atr(&self) -> Vec<u8> {
        ATR.to_vec()
    }

    fn reset(&mut self) -> Result<(), Lost> {
        (self.selected, self.chain) = (None, None);
        self.pending = Zeroizing::default();
        self.applications.iter_mut().for_each(|application| application.reset());
        Ok(())
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Lost> {
        Ok(self.answer(command).to_bytes())
    }
}

impl fmt::Debug for VirtualCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualCard").field("selected", &self.selected).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers every command with its data field; INS 99 is refused.
    struct Echo(&'static [u8], usize);

    impl Application for Echo {
        fn aid(&self) -> &[u8] {
            self.0
        }

        fn shortest_aid(&self) -> usize {
            3
        }

        fn select(&mut self) -> Response {
            Response::ok(self.0)
        }

        fn deselect(&mut self) {}

        fn process(&mut self, command: &Command) -> Response {
            self.1 += 1;
            match command.instruction {
                0x99 => StatusWord::WRONG_DATA.into(),
                _ => Response::ok(command.data.to_vec()),
            }
        }

        fn reset(&mut self) {}
    }

    fn card() -> VirtualCard {
        let mut card = VirtualCard::new(vec![Box::new(Echo(&[1, 2, 3, 4], 0)), Box::new(Echo(&[1, 2, 9, 9], 0))]);
        check(&mut card, "00A40400030102 03", "6104");
        card
    }

    fn octets(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn check(card: &mut VirtualCard, command: &str, response: &str) {
        let found = card.transmit(&octets(command)).unwrap();
        assert_eq!(*found, octets(response), "{command}: {found:02x?}");
    }

    #[test]
    fn a_truncated_identifier_selects_and_one_that_is_too_short_does_not() {
        let mut card = card();
        check(&mut card, "00A4040004 01020909 00", "01020909 9000");
        check(&mut card, "00A4040002 0102 00", "6A82");
        check(&mut card, "00A404000501020304 05", "6A82");
        check(&mut card, "00A4040C0401020304", "9000");
        check(&mut card, "00A4040204 01020304 00", "6A82");
        check(&mut card, "00A4040004 01020304", "6104");
        check(&mut card, "00C0000002", "0102 6102");
        check(&mut card, "00C0000000", "0304 9000");
        check(&mut card, "00C0000000", "6985");
    }

    #[test]
    fn what_one_answer_cannot_hold_is_asked_for_again() {
        let mut card = card();
        let mut command = octets("00EE0000 00 012C");
        command.extend([7; 300]);
        command.extend([0, 5]);
        assert_eq!(*card.transmit(&command).unwrap(), octets("0707070707 6100"));
        assert_eq!(card.transmit(&octets("00C0000000")).unwrap()[256..], octets("6127"));
        assert_eq!(card.transmit(&octets("00C0000000")).unwrap().len(), 39 + 2);
        check(&mut card, "00C0000000", "6985");
    }

    #[test]
    fn a_chain_is_one_command() {
        let mut card = card();
        check(&mut card, "10EE0102 02 0102", "9000");
        check(&mut card, "10EE0102 02 0304", "9000");
        check(&mut card, "00EE0102 01 05 00", "0102030405 9000");
    }

    #[test]
    fn another_command_ends_a_chain() {
        let mut card = card();
        check(&mut card, "10EE0102 02 0102", "9000");
        check(&mut card, "00EE0103 02 0102 00", "6883");
        check(&mut card, "00EE0103 02 0102 00", "0102 9000");
        check(&mut card, "10EE0102 02 0102", "9000");
        check(&mut card, "00A4040004 01020304 00", "01020304 9000");
        check(&mut card, "00EE0102 01 05 00", "05 9000");
        check(&mut card, "10EE0102 02 0102", "9000");
        card.reset().unwrap();
        check(&mut card, "00A4040004 01020304 00", "01020304 9000");
        check(&mut card, "00EE0102 01 05 00", "05 9000");
    }

    #[test]
    fn a_chain_has_a_limit() {
        let mut card = card();
        let mut part = octets("10EE0102 00 F000");
        part.extend(vec![1; 0xF000]);
        assert_eq!(*card.transmit(&part).unwrap(), octets("9000"));
        assert_eq!(*card.transmit(&part).unwrap(), octets("6700"));
        check(&mut card, "00EE0102 01 05 00", "05 9000");
    }

    #[test]
    fn channels_secure_messaging_and_other_classes_are_refused() {
        let mut card = card();
        for (class, word) in [
            ("01", "6881"),
            ("03", "6881"),
            ("04", "6882"),
            ("0C", "6882"),
            ("41", "6881"),
            ("80", "6E00"),
            ("FF", "6E00"),
        ] {
            check(&mut card, &format!("{class}EE0000 01 05 00"), word);
        }
        check(&mut card, "0070000001", "6881");
        check(&mut card, "00EE0000 01 05 00", "05 9000");
    }

    #[test]
    fn a_refusal_has_no_data_and_nothing_to_ask_for() {
        let mut card = card();
        check(&mut card, "00990000 01 05 00", "6A80");
        check(&mut card, "00C0000000", "6985");
    }

    #[test]
    fn nothing_is_selected_after_a_reset() {
        let mut card = card();
        card.reset().unwrap();
        check(&mut card, "00EE0000 01 05 00", "6D00");
    }
}
