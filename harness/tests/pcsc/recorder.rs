//! What was asked of the cards on a desk: their secrets and their private keys.

use std::cell::Cell;

use waxseal_card::Card;
use waxseal_card::transcript::{RecordedCard, Tape};

/// VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER (ISO/IEC 7816-4).
const SECRETS: &[(u8, &str)] = &[(0x20, "PIN"), (0x24, "change"), (0x2C, "unblock")];

/// Lines such as `PIN 9000` and `slot 9C sign`.
#[derive(Default)]
pub(crate) struct Log {
    tape: Tape,
    /// The line of the transcript up to which it was looked at.
    seen: Cell<usize>,
}

impl Log {
    /// The same card, with what it does in this log.
    pub(crate) fn of(&self, card: Box<dyn Card>) -> Box<dyn Card> {
        Box::new(RecordedCard::new(card, self.tape.clone()))
    }

    /// What was done since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        let transcript = self.tape.transcript();
        let mut lines = Vec::new();
        for exchange in transcript.exchanges() {
            let Some(command) = exchange.command.as_ref() else { continue };
            let name = SECRETS.iter().find(|(instruction, _)| *instruction == command.instruction);
            // VERIFY without data asks how many tries are left.
            if let Some((_, name)) = name.filter(|_| !command.data.is_empty()) {
                let status = exchange.outcome.status().map_or(0, |status| status.0);
                lines.push((exchange.line, format!("{name} {status:04X}")));
            }
        }
        let operations = transcript.key_operations().into_iter();
        lines.extend(operations.map(|done| (done.line, format!("{} {}", done.key, done.operation.name()))));
        lines.sort();
        let seen = self.seen.replace(lines.last().map_or(0, |(line, _)| *line));
        lines.into_iter().filter(|(line, _)| *line > seen).map(|(_, text)| text).collect()
    }
}
