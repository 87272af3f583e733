//! Applications that are broken on purpose.

use waxseal_card::{Application, Command, Response, StatusWord};

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Keys are used without the PIN.
    NeedsNoPin,
    /// What was verified outlives a reset.
    KeepsPin,
    /// A PIN that was verified once serves for every signature.
    KeepsFreshness,
    /// Wrong entries do not take tries.
    NeverCounts,
    /// The PIN is taken when it is blocked.
    NeverBlocks,
    /// Every PUK unblocks the PIN.
    TakesAnyPuk,
    /// The management key was never asked for.
    NeedsNoManager,
}

/// An application with a fault.
pub(crate) struct Broken {
    inner: Box<dyn Application>,
    fault: Fault,
    /// VERIFY with the PIN as it is now.
    verify: Command,
    verified: bool,
}

impl Broken {
    pub(crate) fn new(inner: Box<dyn Application>, fault: Fault, verify: &[u8]) -> Self {
        Self { inner, fault, verify: Command::parse(verify).unwrap(), verified: false }
    }

    /// Enters the PIN, where the counter does not show it.
    fn enter_pin(&mut self) {
        let question = Command { data: Vec::new().into(), ..self.verify.clone() };
        if self.inner.process(&question).status == StatusWord::tries_left(3) {
            self.inner.process(&self.verify);
        }
    }

    /// What was done, and what became of the PIN.
    fn watch(&mut self, command: &Command, response: &Response) {
        let is_done = response.status.is_success();
        match command.instruction {
            0x20 if !command.data.is_empty() => self.verified |= is_done,
            0x24 | 0x2C if is_done && command.p2 == self.verify.p2 => {
                let new = command.data.get(self.verify.data.len()..).unwrap_or_default();
                self.verify.data = new.to_vec().into();
            }
            _ => {}
        }
        let forgets = matches!(command.instruction, 0x20 | 0x24 | 0x2C) && !is_done;
        self.verified &= !(forgets && self.fault == Fault::KeepsFreshness);
    }
}

fn uses_key(command: &Command) -> bool {
    command.instruction == 0x2A || (command.instruction == 0x87 && command.p2 != 0x9B)
}

fn is_entry(command: &Command) -> bool {
    command.instruction == 0x20 && !command.data.is_empty()
}

impl Application for Broken {
    fn aid(&self) -> &[u8] {
        self.inner.aid()
    }

    fn shortest_aid(&self) -> usize {
        self.inner.shortest_aid()
    }

    fn tells_unasked(&self) -> bool {
        self.inner.tells_unasked()
    }

    fn select(&mut self) -> Response {
        self.inner.select()
    }

    fn select_file(&mut self, name: &[u8], p2: u8) -> Option<Response> {
        self.inner.select_file(name, p2)
    }

    fn deselect(&mut self) {
        self.inner.deselect();
    }

    fn process(&mut self, command: &Command) -> Response {
        match self.fault {
            // 9C has a rule of its own.
            Fault::NeedsNoPin if uses_key(command) && command.p2 != 0x9C => self.enter_pin(),
            Fault::KeepsPin if uses_key(command) && command.p2 != 0x9C && self.verified => self.enter_pin(),
            Fault::KeepsFreshness if uses_key(command) && self.verified => drop(self.inner.process(&self.verify)),
            Fault::TakesAnyPuk if command.instruction == 0x2C => {
                let response = self.inner.process(command);
                return if response.status.tries().is_some() { StatusWord::SUCCESS.into() } else { response };
            }
            // Without its security status PUT DATA changes nothing here, but says so.
            Fault::NeedsNoManager if matches!(command.instruction, 0xDB | 0x47) => {
                let response = self.inner.process(command);
                let is_refused = response.status == StatusWord::SECURITY_STATUS_NOT_SATISFIED;
                return if is_refused { StatusWord::SUCCESS.into() } else { response };
            }
            _ => {}
        }
        let response = self.inner.process(command);
        self.watch(command, &response);
        match self.fault {
            Fault::NeverCounts if response.status.tries().is_some() && is_entry(command) => {
                StatusWord::tries_left(3).into()
            }
            Fault::NeverBlocks if response.status == StatusWord::AUTHENTICATION_METHOD_BLOCKED && is_entry(command) => {
                StatusWord::SUCCESS.into()
            }
            _ => response,
        }
    }

    fn interrupt(&mut self) {
        self.inner.interrupt();
    }

    fn reset(&mut self) {
        if self.fault == Fault::KeepsFreshness {
            self.verified = false;
        }
        self.inner.reset();
    }
}
