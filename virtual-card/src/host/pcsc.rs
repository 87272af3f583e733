//! The reader that PC/SC knows: real ones, and vpcd's (feature `pcsc`).
//!
//! A transaction of the crate `pcsc` borrows its card, and pcsc-lite waits
//! without end for another program's transaction. So a thread has the card, and
//! the reader waits for the thread, as long as it wants to.

use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use pcsc::{Context, Disposition, Error, MAX_BUFFER_SIZE_EXTENDED, Protocols, Scope, ShareMode, State};
use zeroize::{Zeroize, Zeroizing};

use super::reader::{Reader, ReaderError};
use crate::Command;
use crate::piv::{MANAGEMENT_KEY, instruction as ins};

/// How long another program may keep the card for itself.
const TURN: Duration = Duration::from_secs(10);

/// How long a card may work: it draws an RSA key of 4096 bits.
const WORK: Duration = Duration::from_secs(120);

/// How long pcscd may take to see that a card is gone: it looks every 400 ms.
const NOTICE: Duration = Duration::from_millis(1500);

/// A reader, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The answer to reset of the card in it, if there is one.
    pub atr: Option<Vec<u8>>,
}

/// The readers that PC/SC knows now, in its order.
///
/// # Errors
/// [`ReaderError::Service`]: there is no PC/SC here.
pub fn list() -> Result<Vec<Listed>, ReaderError> {
    let said = |error: Error| describe(error, "");
    let context = Context::establish(Scope::User).map_err(said)?;
    let names = match context.list_readers_owned() {
        Err(Error::NoReadersAvailable) => return Ok(Vec::new()),
        names => names.map_err(said)?,
    };
    let mut states: Vec<_> = names.into_iter().map(|name| pcsc::ReaderState::new(name, State::UNAWARE)).collect();
    if !states.is_empty() {
        context.get_status_change(Duration::ZERO, &mut states).map_err(said)?;
    }
    let listed = |state: &pcsc::ReaderState| Listed {
        name: state.name().to_string_lossy().into_owned(),
        atr: state.event_state().contains(State::PRESENT).then(|| state.atr().to_vec()),
    };
    Ok(states.iter().map(listed).collect())
}

/// A card in a reader of PC/SC. Others may use it, too, between transactions.
///
/// It is reset when this is dropped after a PIN, a PUK or the card management key
/// was shown to it: what that opened is open for nobody else. Else it stays as it
/// is: another program may have shown its own.
#[derive(Debug)]
pub struct PcscReader {
    name: String,
    atr: Vec<u8>,
    worker: Option<Worker>,
    is_in_transaction: bool,
    turn: Duration,
}

impl PcscReader {
    /// Connects to the card in the reader with this name.
    ///
    /// # Errors
    /// There is no PC/SC, no such reader, no card in it, or another program has
    /// it for itself.
    pub fn connect(name: &str) -> Result<Self, ReaderError> {
        let name = name.to_owned();
        let mut reader = Self { name, atr: Vec::new(), worker: None, is_in_transaction: false, turn: TURN };
        reader.start()?;
        Ok(reader)
    }

    /// The same reader, which waits this long for another program's transaction
    /// to end; ten seconds are usual.
    #[must_use]
    pub const fn with_turn(mut self, turn: Duration) -> Self {
        self.turn = turn;
        self
    }

    fn start(&mut self) -> Result<(), ReaderError> {
        let worker = Worker::start(&self.name)?;
        // The first answer comes unasked: the answer to reset.
        self.atr = worker.answer(self.turn)?.to_vec();
        self.worker = Some(worker);
        self.is_in_transaction = false;
        Ok(())
    }

    fn ask(&mut self, order: Order, patience: Duration) -> Result<Zeroizing<Vec<u8>>, ReaderError> {
        if self.worker.is_none() {
            self.start()?;
        }
        let worker = self.worker.as_ref().ok_or(ReaderError::NoCard)?;
        worker.orders.send(order).map_err(|_| ended())?;
        let answer = worker.answer(patience);
        if answer == Err(ReaderError::Timeout) {
            // It is still waiting, and nobody waits for it any more. When its turn
            // comes it finds that, and lets go of the card.
            self.worker = None;
            self.is_in_transaction = false;
        }
        answer
    }

    fn leave(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.leave(self.turn);
        }
    }
}

impl Reader for PcscReader {
    fn name(&self) -> &str {
        &self.name
    }

    fn atr(&self) -> Vec<u8> {
        self.atr.clone()
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, ReaderError> {
        self.ask(Order::Transmit(Zeroizing::new(command.to_vec())), WORK)
    }

    fn begin(&mut self) -> Result<(), ReaderError> {
        if self.is_in_transaction {
            return Ok(());
        }
        match self.ask(Order::Begin, self.turn) {
            // What takes long is the other program.
            Err(ReaderError::Timeout) => return Err(ReaderError::Busy),
            begun => begun?,
        };
        self.is_in_transaction = true;
        Ok(())
    }

    fn end(&mut self) -> Result<(), ReaderError> {
        if !std::mem::take(&mut self.is_in_transaction) {
            return Ok(());
        }
        self.ask(Order::End, self.turn).map(drop)
    }

    fn reconnect(&mut self) -> Result<(), ReaderError> {
        self.is_in_transaction = false;
        if self.worker.is_some() {
            match self.ask(Order::Reconnect, self.turn) {
                Ok(atr) => {
                    self.atr = atr.to_vec();
                    return Ok(());
                }
                // What is missing is the card, not the connection. And who has waited
                // in vain does not wait a second time.
                Err(error @ (ReaderError::NoCard | ReaderError::Removed | ReaderError::Timeout)) => return Err(error),
                // pcscd was started again, or the reader was away with its card:
                // neither handle nor context is good for anything any more.
                Err(_) => self.leave(),
            }
        }
        self.start()
    }
}

impl Drop for PcscReader {
    fn drop(&mut self) {
        self.leave();
    }
}

/// What the thread is to do.
enum Order {
    Transmit(Zeroizing<Vec<u8>>),
    Begin,
    End,
    Reconnect,
    /// Disconnect.
    Close,
}

type Answer = Result<Zeroizing<Vec<u8>>, ReaderError>;

/// The thread that has the card.
#[derive(Debug)]
struct Worker {
    orders: Sender<Order>,
    answers: Receiver<Answer>,
}

impl Worker {
    fn start(name: &str) -> Result<Self, ReaderError> {
        let (orders, to_do) = mpsc::channel();
        let (done, answers) = mpsc::channel();
        let name = CString::new(name).map_err(|_| ReaderError::NoReader(name.to_owned()))?;
        let thread = std::thread::Builder::new().name("pcsc".to_owned()).spawn(move || work(&name, &to_do, &done));
        thread.map_err(|error| ReaderError::Service(error.to_string()))?;
        Ok(Self { orders, answers })
    }

    /// Lets go of the card, and waits until that is done; not longer than this,
    /// because pcscd disconnects nobody in another program's transaction.
    fn leave(self, patience: Duration) {
        if self.orders.send(Order::Close).is_ok() {
            // The thread says nothing more: its end is what comes.
            while self.answers.recv_timeout(patience).is_ok() {}
        }
    }

    fn answer(&self, patience: Duration) -> Answer {
        match self.answers.recv_timeout(patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(ReaderError::Timeout),
            Err(RecvTimeoutError::Disconnected) => Err(ended()),
        }
    }
}

fn ended() -> ReaderError {
    ReaderError::Service("the thread of the reader has ended".to_owned())
}

/// The life of the thread.
fn work(name: &CStr, orders: &Receiver<Order>, answers: &Sender<Answer>) {
    let connected = Context::establish(Scope::User).and_then(|context| {
        let card = context.connect(name, ShareMode::Shared, Protocols::ANY)?;
        Ok((context, card))
    });
    let (context, mut card) = match connected {
        Ok(connected) => connected,
        Err(error) => {
            drop(answers.send(Err(describe(error, &name.to_string_lossy()))));
            return;
        }
    };
    let link = Link { context, name, answers, has_shown_secret: Cell::new(false) };
    let mut is_heard = link.tell(atr(&card));
    while is_heard {
        let Ok(order) = orders.recv() else { break };
        is_heard = match order {
            Order::Transmit(command) => link.transmit(&card, &command),
            Order::Begin => link.transaction(&mut card, orders),
            Order::End => link.tell(Ok(Zeroizing::default())),
            Order::Reconnect => {
                let again = card.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::LeaveCard);
                link.tell(again.and_then(|()| atr(&card)))
            }
            Order::Close => break,
        };
    }
    // What cannot be disconnected is gone.
    if let Err((card, _)) = card.disconnect(link.disposition()) {
        std::mem::forget(card);
    }
}

/// What the thread has beside the card.
struct Link<'a> {
    context: Context,
    name: &'a CStr,
    answers: &'a Sender<Answer>,
    /// The card may have opened something for it.
    has_shown_secret: Cell<bool>,
}

impl Link<'_> {
    /// What becomes of the card when this connection ends.
    fn disposition(&self) -> Disposition {
        if self.has_shown_secret.get() { Disposition::ResetCard } else { Disposition::LeaveCard }
    }

    /// Transmits a command. Whether somebody is still listening.
    fn transmit(&self, card: &pcsc::Card, command: &[u8]) -> bool {
        // Before: an answer that gets lost closes nothing.
        if shows_secret(command) {
            self.has_shown_secret.set(true);
        }
        self.tell(transmit(card, command))
    }

    /// A transaction, to its end. Whether somebody is still listening.
    fn transaction(&self, card: &mut pcsc::Card, orders: &Receiver<Order>) -> bool {
        let transaction = match card.transaction() {
            Ok(transaction) => transaction,
            Err(error) => return self.tell(Err(error)),
        };
        let mut is_heard = self.tell(Ok(Zeroizing::default()));
        while is_heard {
            let Ok(order) = orders.recv() else { break };
            is_heard = match order {
                Order::Transmit(command) => self.transmit(&transaction, &command),
                Order::Begin => self.tell(Ok(Zeroizing::default())),
                Order::End => {
                    let ended = transaction.end(Disposition::LeaveCard).map_err(|(_, error)| error);
                    return self.tell(ended.map(|()| Zeroizing::default()));
                }
                Order::Reconnect => {
                    drop(transaction);
                    let again = card.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::LeaveCard);
                    return self.tell(again.and_then(|()| atr(card)));
                }
                Order::Close => break,
            };
        }
        // Nobody is there any more. The reset comes with the end of the transaction:
        // after it another program could find the card still open.
        if transaction.end(self.disposition()).is_ok() {
            self.has_shown_secret.set(false);
        }
        false
    }

    fn tell(&self, answer: Result<Zeroizing<Vec<u8>>, Error>) -> bool {
        self.answers.send(answer.map_err(|error| self.explain(error))).is_ok()
    }

    /// A card that is pulled out in the middle of a command is, at first, one that
    /// did not answer.
    fn explain(&self, error: Error) -> ReaderError {
        let name = self.name.to_string_lossy();
        if !matches!(error, Error::NotTransacted | Error::CommError) {
            return describe(error, &name);
        }
        let mut state = [pcsc::ReaderState::new(self.name, State::PRESENT)];
        let seen = self.context.get_status_change(NOTICE, &mut state);
        match seen {
            Ok(()) if state[0].event_state().contains(State::EMPTY) => ReaderError::Removed,
            _ => describe(error, &name),
        }
    }
}

fn atr(card: &pcsc::Card) -> Result<Zeroizing<Vec<u8>>, Error> {
    Ok(Zeroizing::new(card.status2_owned()?.atr().to_vec()))
}

/// Whether a card may open something after this command: a PIN, a PUK or the card
/// management key is in it, or the proof that one has that key.
fn shows_secret(command: &[u8]) -> bool {
    let Ok(command) = Command::parse(command) else { return true };
    match command.instruction {
        // Without data it asks how many tries are left.
        ins::VERIFY => !command.data.is_empty(),
        ins::CHANGE_REFERENCE_DATA | ins::RESET_RETRY_COUNTER => true,
        ins::GENERAL_AUTHENTICATE => command.p2 == MANAGEMENT_KEY,
        _ => false,
    }
}

fn transmit(card: &pcsc::Card, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut buffer = [0; MAX_BUFFER_SIZE_EXTENDED];
    let answer = card.transmit(command, &mut buffer).map(|answer| Zeroizing::new(answer.to_vec()));
    match answer {
        // vpcd takes the end of a connection for an answer without octets.
        Ok(answer) if answer.is_empty() => Err(Error::NotTransacted),
        Ok(answer) => {
            buffer[..answer.len()].zeroize();
            Ok(answer)
        }
        Err(error) => Err(error),
    }
}

fn describe(error: Error, name: &str) -> ReaderError {
    match error {
        Error::UnknownReader | Error::ReaderUnavailable | Error::NoReadersAvailable => {
            ReaderError::NoReader(name.to_owned())
        }
        Error::NoSmartcard | Error::UnpoweredCard => ReaderError::NoCard,
        Error::RemovedCard => ReaderError::Removed,
        Error::ResetCard => ReaderError::Reset,
        Error::SharingViolation | Error::ServerTooBusy => ReaderError::Busy,
        Error::Timeout | Error::WaitedTooLong | Error::UnresponsiveCard => ReaderError::Timeout,
        Error::NoService | Error::ServiceStopped => {
            ReaderError::Service("there is no PC/SC service: is pcscd running?".to_owned())
        }
        other => ReaderError::Service(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::shows_secret;

    /// The commands of SP 800-73-4 part 2 section 3.2.
    #[test]
    fn commands_that_open_something() {
        let opening: &[&[u8]] = &[
            &[0, 0x20, 0, 0x80, 8, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0xFF, 0xFF],
            &[0x10, 0x20, 0, 0x80, 1, 0x31],
            &[0, 0x20, 0, 0x80, 0, 0, 1, 0x31],
            &[0, 0x24, 0, 0x80, 1, 0x31],
            &[0, 0x2C, 0, 0x80, 1, 0x31],
            &[0, 0x87, 3, 0x9B, 4, 0x7C, 2, 0x80, 0, 0],
            // Cut off: whatever it is, a card may read more out of it.
            &[0, 0x20, 0, 0x80, 8, 0x31],
        ];
        for command in opening {
            assert!(shows_secret(command), "{command:02X?}");
        }
        let others: &[&[u8]] = &[
            &[0, 0x20, 0, 0x80],
            &[0, 0x20, 0, 0x80, 0],
            &[0, 0x20, 0xFF, 0x80],
            &[0, 0x87, 7, 0x9A, 4, 0x7C, 2, 0x81, 0, 0],
            &[0, 0xCB, 0x3F, 0xFF, 3, 0x5C, 1, 0x7E, 0],
            &[0, 0xA4, 4, 0, 1, 0xA0, 0],
        ];
        for command in others {
            assert!(!shows_secret(command), "{command:02X?}");
        }
    }
}
