//! A card to which a script happens.

use std::{thread, time::Duration};

use zeroize::Zeroizing;

use super::{Script, What};
use crate::{
    Card, Command, Lost,
    piv::{self, instruction as ins, reference_data},
};

/// A card to which a script happens.
#[derive(Debug)]
pub struct FaultyCard<C> {
    card: C,
    script: Script,
    /// How many commands fitted each fault so far.
    seen: Vec<u32>,
    /// How often the reader may still ask for a card that was taken out; `None`
    /// where it is in the reader, 0 where it never comes back.
    out: Option<u32>,
}

/// The longest that a late answer takes, so that a script cannot hold a run.
const LATEST: Duration = Duration::from_secs(10);

impl<C: Card> FaultyCard<C> {
    /// Plays a script on a card.
    #[must_use]
    pub fn new(card: C, script: Script) -> Self {
        let seen = vec![0; script.faults.len()];
        Self { card, script, seen, out: None }
    }

    /// The card that all of it happens to.
    pub fn card_mut(&mut self) -> &mut C {
        &mut self.card
    }

    /// What happens at this command.
    fn fault(&mut self, command: &Command) -> Option<What> {
        let mut found = None;
        for (fault, seen) in self.script.faults.iter().zip(&mut self.seen) {
            if fault.at.fits(command) {
                *seen += 1;
                let since_first = seen.checked_sub(fault.nth);
                if found.is_none() && since_first.is_some_and(|since| since < fault.times) {
                    found = Some(fault.what.clone());
                }
            }
        }
        found
    }

    fn happen(&mut self, what: What, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Lost> {
        match what {
            What::Remove { back } => {
                self.out = Some(back);
                Err(Lost::Removed)
            }
            What::Reset => {
                self.card.reset()?;
                Err(Lost::Reset)
            }
            What::LosePower => {
                self.card.reset()?;
                self.card.transmit(command)
            }
            What::Status(word) => Ok(Zeroizing::new(word.to_be_bytes().to_vec())),
            What::Late(milliseconds) => {
                let answer = self.card.transmit(command);
                thread::sleep(Duration::from_millis(milliseconds).min(LATEST));
                answer
            }
            What::Mute => Err(Lost::Mute),
            What::Truncate(octets) => {
                let mut answer = self.card.transmit(command)?;
                answer.truncate(octets);
                Ok(answer)
            }
            What::FlipBit => {
                let mut answer = self.card.transmit(command)?;
                if let Some(last) = answer.len().checked_sub(3).and_then(|last| answer.get_mut(last)) {
                    *last ^= 1;
                }
                Ok(answer)
            }
            What::BlockPin => {
                self.block_pin()?;
                self.card.transmit(command)
            }
            What::OtherProgram => {
                self.card.reset()?;
                // What it selects is none of ours: nothing is selected, or an application without keys.
                let select = Command::new(0, ins::SELECT, 4, 0).with_data([0xF0, 0, 0, 0, 1]);
                self.card.transmit(&select.to_bytes())?;
                self.card.transmit(command)
            }
        }
    }

    /// Enters wrong PINs until there is no try left.
    fn block_pin(&mut self) -> Result<(), Lost> {
        let select = Command::new(0, ins::SELECT, 4, 0).with_data(&piv::AID[..9]);
        self.card.transmit(&select.to_bytes())?;
        for _ in 0..16 {
            let verify = Command::new(0, ins::VERIFY, 0, reference_data::PIN).with_data(b"99999999");
            self.card.transmit(&verify.to_bytes())?;
        }
        Ok(())
    }
}

impl<C: Card> Card for FaultyCard<C> {
    fn atr(&self) -> Vec<u8> {
        self.card.atr()
    }

    fn reset(&mut self) -> Result<(), Lost> {
        match self.out {
            Some(1) | None => {
                self.out = None;
                self.card.reset()
            }
            Some(0) => Err(Lost::Removed),
            Some(tries) => {
                self.out = Some(tries - 1);
                Err(Lost::Removed)
            }
        }
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Lost> {
        if self.out.is_some() {
            return Err(Lost::Removed);
        }
        let fault = Command::parse(command).ok().and_then(|command| self.fault(&command));
        match fault {
            Some(what) => self.happen(what, command),
            None => self.card.transmit(command),
        }
    }
}
