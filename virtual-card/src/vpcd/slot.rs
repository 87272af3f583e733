//! A slot of vpcd with a card in it: a thread that serves the card until it is
//! pulled out.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::message::{self, Order};
use super::{Loopback, Way};
use crate::card::{Card, Lost};

/// How often a thread that waits looks whether it is to stop.
const PERIOD: Duration = Duration::from_millis(50);

/// How long after the end of a connection the next one is tried.
const DELAY: Duration = Duration::from_millis(200);

/// How long a card that was removed stays out at least: pcscd, which looks every
/// 400 ms, must see it.
const ABSENCE: Duration = Duration::from_millis(1200);

/// How long vpcd may leave an answer unread.
const PATIENCE: Duration = Duration::from_secs(10);

/// Says to several threads that it is time to stop.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From now on.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is time.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl From<Arc<AtomicBool>> for Stop {
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Gone {
    /// vpcd closed it, as pcscd does when it ends.
    #[error("vpcd closed the connection")]
    Closed,
    /// [`Lost::Removed`]: the slot is empty until the card lets itself be reset.
    #[error("the card was removed")]
    Removed,
    /// [`Lost::Reset`]: a new connection follows.
    #[error("the card was reset")]
    Reset,
    /// [`Lost::Mute`]: vpcd would wait for ever.
    #[error("the card did not answer")]
    Mute,
    /// What vpcd sent is no message, or what the card answered fits in none.
    #[error("{0}")]
    Protocol(String),
    /// The network of this machine.
    #[error("{0}")]
    Io(String),
    /// The slot was told to stop.
    #[error("stopped")]
    Stopped,
}

impl From<Lost> for Gone {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Removed => Self::Removed,
            Lost::Reset => Self::Reset,
            Lost::Mute => Self::Mute,
        }
    }
}

/// What happens in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// vpcd was not there; said once, and tried again.
    Waiting,
    /// vpcd can connect.
    Listening,
    /// vpcd has the card.
    Connected,
    /// It has it no more.
    Disconnected(Gone),
}

/// A card that stands in a slot. It is pulled out when this is dropped.
pub struct Slot {
    address: Option<SocketAddr>,
    stop: Stop,
    thread: Option<JoinHandle<Box<dyn Card>>>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Slot {
    /// Puts a card in. What happens then is told to `on`, in the slot's thread.
    ///
    /// # Errors
    /// The address cannot be listened on. That vpcd is not there is none: it is
    /// waited for.
    pub fn insert(card: Box<dyn Card>, way: Way, on: impl FnMut(Event) + Send + 'static) -> io::Result<Self> {
        let stop = Stop::default();
        let (door, mut card) = (Door::open(way)?, card);
        let address = match &door {
            Door::Connect(_) => None,
            Door::Listen(listener) => Some(listener.local_addr()?),
        };
        let mut served = Served { door, stop: stop.clone(), on: Box::new(on) };
        let thread = std::thread::Builder::new().name("vpcd".to_owned()).spawn(move || {
            served.run(&mut *card);
            card
        })?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens, if it does: with the port that port 0 became.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Pulls the card out; `None` if its thread panicked.
    #[must_use]
    pub fn remove(mut self) -> Option<Box<dyn Card>> {
        self.stop.set();
        self.thread.take()?.join().ok()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.stop.set();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported where it happened.
            drop(thread.join());
        }
    }
}

/// Where connections come from.
enum Door {
    Connect(Loopback),
    Listen(TcpListener),
}

impl Door {
    fn open(way: Way) -> io::Result<Self> {
        Ok(match way {
            Way::Connect(to) => Self::Connect(to),
            Way::Listen(at) => {
                let listener = TcpListener::bind(at.address())?;
                listener.set_nonblocking(true)?;
                Self::Listen(listener)
            }
        })
    }

    /// A connection; nothing if there is none yet.
    fn next(&self) -> io::Result<Option<TcpStream>> {
        let stream = match self {
            Self::Connect(to) => match TcpStream::connect_timeout(&to.address(), PATIENCE) {
                Ok(stream) => stream,
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(None),
                Err(error) => return Err(error),
            },
            Self::Listen(listener) => match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if message::is_pause(&error) => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        stream.set_nonblocking(false)?;
        // An answer does not wait for the acknowledgement of the one before it.
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PERIOD))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Some(stream))
    }

    /// How long to wait until it is asked again.
    const fn pause(&self) -> Duration {
        match self {
            Self::Connect(_) => DELAY,
            Self::Listen(_) => PERIOD,
        }
    }
}

/// What the thread of a slot has beside the card.
struct Served {
    door: Door,
    stop: Stop,
    on: Box<dyn FnMut(Event) + Send>,
}

impl Served {
    fn run(&mut self, card: &mut dyn Card) {
        if matches!(self.door, Door::Listen(_)) {
            (self.on)(Event::Listening);
        }
        let mut is_told = false;
        while !self.stop.is_set() {
            match self.door.next() {
                Ok(Some(mut stream)) => {
                    (self.on)(Event::Connected);
                    let gone = self.serve(card, &mut stream);
                    drop(stream);
                    is_told = false;
                    (self.on)(Event::Disconnected(gone.clone()));
                    if gone == Gone::Removed {
                        self.stay_empty(card);
                    }
                }
                Ok(None) if is_told || matches!(self.door, Door::Listen(_)) => {}
                Ok(None) => {
                    (self.on)(Event::Waiting);
                    is_told = true;
                }
                Err(error) => (self.on)(Event::Disconnected(Gone::Io(error.to_string()))),
            }
            self.pause(self.door.pause());
        }
    }

    /// One connection, to its end.
    fn serve(&self, card: &mut dyn Card, stream: &mut TcpStream) -> Gone {
        // The power was off while nobody was connected.
        let mut result = card.reset().map_err(Gone::from);
        while result.is_ok() {
            result = message::read(stream, &self.stop).and_then(|order| match order {
                Order::Reset => Ok(card.reset()?),
                Order::Atr => message::write(stream, &card.atr()),
                Order::Command(command) => message::write(stream, &card.transmit(&command)?),
            });
        }
        result.err().unwrap_or(Gone::Stopped)
    }

    /// The card is gone, until it lets itself be reset. A vpcd that connects finds
    /// the connection closed: one that is refused takes pcscd down with it, see
    /// [`Way::Listen`].
    fn stay_empty(&self, card: &mut dyn Card) {
        while !self.stop.is_set() {
            let end = Instant::now() + ABSENCE;
            while !self.stop.is_set() && Instant::now() < end {
                if matches!(self.door, Door::Listen(_)) {
                    drop(self.door.next());
                }
                self.pause(PERIOD);
            }
            if card.reset().is_ok() {
                return;
            }
        }
    }

    fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        while !self.stop.is_set() && Instant::now() < end {
            std::thread::sleep(PERIOD.min(time));
        }
    }
}
