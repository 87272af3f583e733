//! Where the PIN of a card comes from on the command line.

use std::io::IsTerminal as _;

use waxseal_card::host::{Pin, PinRequest, PinSource};
use zeroize::Zeroizing;

/// The PIN that was given with the command.
pub struct Entered(pub Zeroizing<String>);

impl PinSource for Entered {
    fn pin(&mut self, _: &PinRequest<'_>) -> Option<Pin> {
        Some(self.0.clone())
    }
}

impl std::fmt::Debug for Entered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entered(…)")
    }
}

/// A question on the terminal; nothing is shown of what is typed. Where there
/// is no terminal, there is no PIN.
#[derive(Debug, Clone, Copy, Default)]
pub struct Prompt;

impl PinSource for Prompt {
    fn pin(&mut self, request: &PinRequest<'_>) -> Option<Pin> {
        // The question goes to the terminal itself, wherever output is sent.
        if !std::io::stderr().is_terminal() && !std::io::stdin().is_terminal() {
            return None;
        }
        let left = match request.tries_left {
            Some(1) => ", ONE try left before it is blocked".to_owned(),
            Some(tries) => format!(", {tries} tries left"),
            None => String::new(),
        };
        let question = format!("PIN of the card in {} for {}{left}: ", request.reader, request.purpose);
        rpassword::prompt_password(question).ok().filter(|pin| !pin.is_empty()).map(Zeroizing::new)
    }
}
