//! Whole commands and whole responses, with chains and GET RESPONSE joined.

use super::{Failure, Line, Octets, Transcript};
use crate::{Command, StatusWord};

/// A whole command and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The line of its first command APDU, as a file of the transcript counts
    /// them, the head being 1.
    pub line: usize,
    /// How many command APDUs made it: more than one where it was chained.
    pub commands: usize,
    /// How many GET RESPONSE asked for the rest of the response.
    pub get_responses: usize,
    /// The octets of the last command APDU.
    pub raw: Octets,
    /// The command, with the data of all commands of the chain; zeros where it
    /// is blanked. `None` where the octets are no command.
    pub command: Option<Command>,
    /// Whether something of the data is blanked.
    pub blanked: bool,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A response.
    Answered {
        /// The response data, of all responses; zeros where it is blanked.
        data: Vec<u8>,
        /// Whether something of it is blanked.
        blanked: bool,
        /// The last status word.
        status: StatusWord,
    },
    /// No response.
    Failed(Failure),
    /// A chain that was not ended, or the transcript ended.
    Unfinished,
}

impl Outcome {
    /// The status word, where there is one.
    #[must_use]
    pub fn status(&self) -> Option<StatusWord> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// One step of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Exchange(Exchange),
    /// The card lost what it knew of its user.
    Reset,
}

impl Transcript {
    /// The whole commands of the session, in order.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        let exchange = |step| if let Step::Exchange(exchange) = step { Some(exchange) } else { None };
        self.steps().into_iter().filter_map(exchange).collect()
    }

    pub(super) fn steps(&self) -> Vec<Step> {
        let mut follower = Follower::default();
        for (line, event) in self.events() {
            match event {
                Line::Command(octets) => follower.command(line, octets),
                Line::Response(octets) => follower.response(octets),
                Line::Failed(failure) => follower.fail(*failure),
                Line::Reset | Line::Reconnect => {
                    follower.give_up_chain();
                    follower.steps.push(Step::Reset);
                }
                Line::Atr(_) | Line::Begin | Line::End | Line::Note(_) => {}
            }
        }
        follower.give_up_chain();
        follower.steps
    }
}

#[derive(Default)]
struct Follower {
    steps: Vec<Step>,
    /// A chain whose last command has not come.
    chain: Option<Exchange>,
    /// Whether a response is for an exchange of which a part is already here.
    continues: bool,
}

impl Follower {
    fn command(&mut self, line: usize, octets: &Octets) {
        let command = Command::parse(&octets.or_zeros()).ok();
        self.continues = self.asks_for_more(command.as_ref());
        if self.continues {
            return;
        }
        let mut exchange = Exchange {
            line,
            commands: 1,
            get_responses: 0,
            raw: octets.clone(),
            blanked: octets.has_blanks(),
            command,
            outcome: Outcome::Unfinished,
        };
        match self.chain.take() {
            Some(chain) if continues(&chain, &exchange) => exchange = join(chain, exchange),
            other => self.steps.extend(other.map(Step::Exchange)),
        }
        if exchange.command.as_ref().is_some_and(Command::is_chained) {
            self.chain = Some(exchange);
        } else {
            self.steps.push(Step::Exchange(exchange));
        }
    }

    /// Whether this is GET RESPONSE, and the last response said that there is more.
    fn asks_for_more(&self, command: Option<&Command>) -> bool {
        let is_get_response = command.is_some_and(|command| command.header() == [0, 0xC0, 0, 0]);
        let Some(Step::Exchange(last)) = self.steps.last() else { return false };
        is_get_response
            && self.chain.is_none()
            && last.outcome.status().is_some_and(|word| word.octets_left().is_some())
    }

    fn response(&mut self, octets: &Octets) {
        let all = octets.or_zeros();
        let Some((data, status)) = all.split_last_chunk::<2>() else { return };
        let status = StatusWord(u16::from_be_bytes(*status));
        if let Some(chain) = self.chain.take() {
            // The middle of a chain; what is not done ends it.
            let outcome = Outcome::Answered { data: data.to_vec(), blanked: octets.has_blanks(), status };
            match status == StatusWord::SUCCESS {
                true => self.chain = Some(chain),
                false => self.steps.push(Step::Exchange(Exchange { outcome, ..chain })),
            }
            return;
        }
        let Some(Step::Exchange(exchange)) = self.steps.last_mut() else { return };
        let mut whole = data.to_vec();
        let mut blanked = octets.has_blanks();
        if let (true, Outcome::Answered { data, blanked: before, .. }) = (self.continues, &exchange.outcome) {
            whole.splice(0..0, data.iter().copied());
            blanked |= before;
            exchange.get_responses += 1;
        }
        exchange.outcome = Outcome::Answered { data: whole, blanked, status };
    }

    fn fail(&mut self, failure: Failure) {
        match (self.chain.take(), self.steps.last_mut()) {
            (Some(chain), _) => {
                self.steps.push(Step::Exchange(Exchange { outcome: Outcome::Failed(failure), ..chain }));
            }
            (None, Some(Step::Exchange(exchange))) => exchange.outcome = Outcome::Failed(failure),
            (None, _) => {}
        }
    }

    fn give_up_chain(&mut self) {
        self.steps.extend(self.chain.take().map(Step::Exchange));
        self.continues = false;
    }
}

/// Whether a command goes on with a chain.
fn continues(chain: &Exchange, next: &Exchange) -> bool {
    let header = |exchange: &Exchange| exchange.command.as_ref().map(Command::header);
    header(chain).is_some() && header(chain) == header(next)
}

/// A chain with its next command.
fn join(chain: Exchange, next: Exchange) -> Exchange {
    let (commands, blanked) = (chain.commands + 1, chain.blanked || next.blanked);
    let data = chain.command.map(|command| command.data).unwrap_or_default();
    let whole = |command: Command| Command { data: [data.as_slice(), &command.data].concat().into(), ..command };
    Exchange { line: chain.line, commands, blanked, command: next.command.map(whole), ..next }
}
