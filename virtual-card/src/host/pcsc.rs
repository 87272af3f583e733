//! The reader that PC/SC knows: real ones, and vpcd's (feature `pcsc`).
//!
//! A transaction of the crate `pcsc` borrows its card, and pcsc-lite waits
//! without end for another program's transaction. So a thread has the card, and
//! the reader waits for the thread, as long as it wants to.

use std::ffi::{CStr, CString};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use pcsc::{Context, Disposition, Error, MAX_BUFFER_SIZE_EXTENDED, Protocols, Scope, ShareMode, State};
use zeroize::{Zeroize, Zeroizing};

use super::reader::{Reader, ReaderError};

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
/// It is reset when this is dropped: a PIN that was verified holds for nobody
/// else.
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
            // comes it finds that, and leaves the card alone.
            self.worker = None;
            self.is_in_transaction = false;
        }
        answer
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
            self.atr = self.ask(Order::Reconnect, self.turn)?.to_vec();
            return Ok(());
        }
        self.start()
    }
}

impl Drop for PcscReader {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take()
            && worker.orders.send(Order::Close).is_ok()
        {
            // A panic of the thread was reported where it happened.
            drop(worker.thread.join());
        }
    }
}

/// What the thread is to do.
enum Order {
    Transmit(Zeroizing<Vec<u8>>),
    Begin,
    End,
    Reconnect,
    /// Disconnect, and reset the card.
    Close,
}

type Answer = Result<Zeroizing<Vec<u8>>, ReaderError>;

/// The thread that has the card.
#[derive(Debug)]
struct Worker {
    orders: Sender<Order>,
    answers: Receiver<Answer>,
    thread: JoinHandle<()>,
}

impl Worker {
    fn start(name: &str) -> Result<Self, ReaderError> {
        let (orders, to_do) = mpsc::channel();
        let (done, answers) = mpsc::channel();
        let name = CString::new(name).map_err(|_| ReaderError::NoReader(name.to_owned()))?;
        let thread = std::thread::Builder::new().name("pcsc".to_owned()).spawn(move || work(&name, &to_do, &done));
        let thread = thread.map_err(|error| ReaderError::Service(error.to_string()))?;
        Ok(Self { orders, answers, thread })
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
    let link = Link { context, name, answers };
    let mut is_heard = link.tell(atr(&card));
    let mut disposition = Disposition::LeaveCard;
    while is_heard {
        let Ok(order) = orders.recv() else { break };
        is_heard = match order {
            Order::Transmit(command) => link.tell(transmit(&card, &command)),
            Order::Begin => link.transaction(&mut card, orders),
            Order::End => link.tell(Ok(Zeroizing::default())),
            Order::Reconnect => {
                let again = card.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::LeaveCard);
                link.tell(again.and_then(|()| atr(&card)))
            }
            Order::Close => {
                disposition = Disposition::ResetCard;
                break;
            }
        };
    }
    // What cannot be disconnected is gone.
    if let Err((card, _)) = card.disconnect(disposition) {
        std::mem::forget(card);
    }
}

/// What the thread has beside the card.
struct Link<'a> {
    context: Context,
    name: &'a CStr,
    answers: &'a Sender<Answer>,
}

impl Link<'_> {
    /// A transaction, to its end. Whether somebody is still listening.
    fn transaction(&self, card: &mut pcsc::Card, orders: &Receiver<Order>) -> bool {
        let transaction = match card.transaction() {
            Ok(transaction) => transaction,
            Err(error) => return self.tell(Err(error)),
        };
        let mut is_heard = self.tell(Ok(Zeroizing::default()));
        while is_heard {
            // Nobody is there any more: the transaction ends with this function.
            let Ok(order) = orders.recv() else { return false };
            is_heard = match order {
                Order::Transmit(command) => self.tell(transmit(&transaction, &command)),
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
                Order::Close => {
                    // The PIN must not outlive the transaction.
                    drop(transaction.end(Disposition::ResetCard));
                    return false;
                }
            };
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
