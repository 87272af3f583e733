//! The way out to pcscd: a card in a reader of vsmartcard's driver `vpcd`,
//! over TCP.
//!
//! vpcd listens and the card connects (port 35963 for the first reader, 35964
//! for the second), or, where its configuration names a host
//! (`DEVICENAME 127.0.0.1:0x8C7B`), the card listens and vpcd connects. Whoever
//! reaches the port is the reader, and what it sends holds PINs: only
//! [loopback](Loopback) addresses are taken.
//!
//! A closed connection is an empty reader to pcscd, which looks about every
//! 400 ms.

mod message;
mod slot;
#[cfg(test)]
mod tests;
mod way;

pub use slot::{Event, Gone, Slot, Stop};
pub use way::{Loopback, NotLoopback, Way};

/// The port of vpcd's first reader; the second has the next one.
pub const PORT: u16 = 35963;
