//! What was asked of a card: its secrets and its private keys.

use std::sync::{Arc, Mutex, PoisonError};

use waxseal_card::{Card, Lost};
use zeroize::Zeroizing;

/// Lines such as `PIN 9000` and `9C 07 challenge ok`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// The lines since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A card with a log.
pub(crate) struct Recorder {
    card: Box<dyn Card>,
    log: Log,
    /// The data of the commands of a chain.
    chain: Vec<u8>,
}

impl Recorder {
    pub(crate) fn new(card: Box<dyn Card>, log: Log) -> Self {
        Self { card, log, chain: Vec::new() }
    }

    fn note(&mut self, command: &[u8], answer: &[u8]) {
        let [class, instruction, p1, p2, rest @ ..] = command else { return };
        // Le does not matter here: every value that is looked at stands at the beginning.
        self.chain.extend_from_slice(rest.get(1..).unwrap_or_default());
        if class & 0x10 != 0 {
            return;
        }
        let data = std::mem::take(&mut self.chain);
        let status = answer.last_chunk::<2>().copied().map_or(0, u16::from_be_bytes);
        // More data is waiting: it was done.
        let outcome = if status >> 8 == 0x61 { "ok".to_owned() } else { format!("{status:04X}") };
        let outcome = if outcome == "9000" { "ok" } else { &outcome };
        match (instruction, p1) {
            (0x20, 0) if rest.len() > 1 => self.log.push(format!("PIN {outcome}")),
            (0x24, _) => self.log.push(format!("change {outcome}")),
            (0x2C, _) => self.log.push(format!("unblock {outcome}")),
            (0x87, _) => self.log.push(format!("{p2:02X} {p1:02X} {} {outcome}", purpose(&data))),
            (0x2A, 0x9E) => self.log.push(format!("sign {outcome}")),
            (0x2A, 0x80) => self.log.push(format!("decipher {outcome}")),
            _ => {}
        }
    }
}

/// What a dynamic authentication template (SP 800-73-4 part 2 table 7) holds
/// besides the place for the answer.
fn purpose(template: &[u8]) -> &'static str {
    // 7C, its length, 82 00, then the value; or the value first.
    let at = match template.get(1) {
        Some(0x82) => 4,
        Some(0x81) => 3,
        _ => 2,
    };
    let inner = template.get(at..).unwrap_or_default();
    match inner.strip_prefix(&[0x82, 0x00]).unwrap_or(inner).first() {
        Some(0x80) => "witness",
        Some(0x81) => "challenge",
        Some(0x85) => "exponentiation",
        _ => "other",
    }
}

impl Card for Recorder {
    fn atr(&self) -> Vec<u8> {
        self.card.atr()
    }

    fn reset(&mut self) -> Result<(), Lost> {
        self.chain.clear();
        self.card.reset()
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Lost> {
        let answer = self.card.transmit(command)?;
        self.note(command, &answer);
        Ok(answer)
    }
}
