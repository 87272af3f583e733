//! A card that answers from a transcript.

use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::{Departure, Line, Octets, Transcript, compare::FIRST};
use crate::{Card, Lost};

/// A card that answers as a transcript says, as long as the host does what it
/// did then. Where the host departs from it, the card falls silent, and the
/// [`Replay`] says where that was.
///
/// Secrets stand in no transcript: what was blanked in a response is answered
/// with zeros, and what was blanked in a command is not looked at.
#[derive(Debug)]
pub struct ReplayedCard {
    transcript: Transcript,
    /// Index of the next line.
    next: usize,
    replay: Replay,
}

/// How a replay goes.
#[derive(Debug, Clone, Default)]
pub struct Replay(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    departure: Option<Departure>,
    left: usize,
}

impl Replay {
    /// Where the host departed from the transcript, if it did.
    #[must_use]
    pub fn departure(&self) -> Option<Departure> {
        self.state(|state| state.departure.clone())
    }

    /// How many events of the transcript have not happened yet.
    #[must_use]
    pub fn left(&self) -> usize {
        self.state(|state| state.left)
    }

    fn state<T>(&self, then: impl FnOnce(&mut State) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ReplayedCard {
    /// The card of a transcript, and what tells how it goes.
    #[must_use]
    pub fn new(transcript: Transcript) -> (Self, Replay) {
        let replay = Replay::default();
        let mut card = Self { transcript, next: 0, replay: replay.clone() };
        card.count();
        (card, replay)
    }

    /// Goes on past the event, if it is the next one.
    fn expect(&mut self, found: Line) -> Result<(), Lost> {
        self.pass(|line| matches!(line, Line::Note(_) | Line::Atr(_)) || is_of_reader(line));
        let expected = self.transcript.lines.get(self.next);
        if expected.is_some_and(|expected| expected.fits(&found)) {
            self.next += 1;
            self.count();
            return Ok(());
        }
        let departure = Departure { line: self.next + FIRST, expected: expected.cloned(), found: Some(found) };
        self.replay.state(|state| state.departure.get_or_insert(departure).line);
        Err(Lost::Mute)
    }

    fn pass(&mut self, passed: impl Fn(&Line) -> bool) {
        while self.transcript.lines.get(self.next).is_some_and(&passed) {
            self.next += 1;
        }
    }

    fn count(&mut self) {
        let left = self.transcript.lines[self.next..].iter().filter(|line| !matches!(line, Line::Note(_))).count();
        self.replay.state(|state| state.left = left);
    }

    fn has_departed(&self) -> bool {
        self.replay.state(|state| state.departure.is_some())
    }
}

/// What a reader does, and a card does not see.
fn is_of_reader(line: &Line) -> bool {
    matches!(line, Line::Begin | Line::End)
}

impl Card for ReplayedCard {
    fn atr(&self) -> Vec<u8> {
        let atr = |line: &Line| if let Line::Atr(octets) = line { Some(octets.clone()) } else { None };
        self.transcript.lines.iter().find_map(atr).unwrap_or_default()
    }

    fn reset(&mut self) -> Result<(), Lost> {
        if self.has_departed() {
            return Err(Lost::Mute);
        }
        // A reader's new connection resets the card.
        self.pass(|line| matches!(line, Line::Note(_) | Line::Atr(_)) || is_of_reader(line));
        let reset = match self.transcript.lines.get(self.next) {
            Some(Line::Reconnect) => Line::Reconnect,
            _ => Line::Reset,
        };
        self.expect(reset)?;
        match self.transcript.lines.get(self.next) {
            Some(Line::Failed(failure)) => {
                let lost = failure.lost();
                self.next += 1;
                self.count();
                Err(lost)
            }
            _ => Ok(()),
        }
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Lost> {
        if self.has_departed() {
            return Err(Lost::Mute);
        }
        self.expect(Line::Command(Octets::new(command)))?;
        self.pass(|line| matches!(line, Line::Note(_)));
        let answer = match self.transcript.lines.get(self.next) {
            Some(Line::Response(octets)) => Ok(Zeroizing::new(octets.or_zeros())),
            Some(Line::Failed(failure)) => Err(failure.lost()),
            _ => return Err(Lost::Mute),
        };
        self.next += 1;
        self.count();
        answer
    }
}
