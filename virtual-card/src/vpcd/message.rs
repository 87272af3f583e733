//! The messages of vpcd: two octets of length, the highest first, and as many
//! octets. One octet alone is an order to the reader, anything longer an APDU.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use zeroize::Zeroizing;

use super::{Gone, Stop};

/// What vpcd wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Power off, power on, or the reset line: no answer is expected.
    Reset,
    /// The answer to reset is to be told. vpcd asks again and again: whether
    /// there is an answer tells it whether there is a card.
    Atr,
    /// A command APDU for the card.
    Command(Zeroizing<Vec<u8>>),
}

/// Reads the next order.
///
/// The stream has a timeout for reading: that is how often `stop` is looked at.
pub(super) fn read(stream: &mut TcpStream, stop: &Stop) -> Result<Order, Gone> {
    let mut length = [0; 2];
    fill(stream, &mut length, stop)?;
    acknowledge(stream)?;
    let mut octets = Zeroizing::new(vec![0; usize::from(u16::from_be_bytes(length))]);
    fill(stream, &mut octets, stop)?;
    match octets.as_slice() {
        [] => Err(Gone::Protocol("a message without an octet".to_owned())),
        [0..=2] => Ok(Order::Reset),
        [4] => Ok(Order::Atr),
        [other] => Err(Gone::Protocol(format!("an unknown order: {other}"))),
        _ => Ok(Order::Command(octets)),
    }
}

/// vpcd 3.3 sends the length by itself, and its system keeps the rest back until
/// the length was acknowledged. Ours would take 40 ms for that, in the hope of an
/// answer to send it with: 44 ms an APDU, and 0.2 ms so.
fn acknowledge(stream: &TcpStream) -> Result<(), Gone> {
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_quickack(stream, true).map_err(|error| gone(error.into()))?;
    Ok(())
}

/// Writes an answer in one piece.
pub(super) fn write(stream: &mut TcpStream, answer: &[u8]) -> Result<(), Gone> {
    // Data of 65536 octets and the status word: the only answers that the length cannot hold.
    let length = u16::try_from(answer.len())
        .map_err(|_| Gone::Protocol(format!("an answer of {} octets: vpcd takes 65535", answer.len())))?;
    let mut message = Zeroizing::new(Vec::with_capacity(2 + answer.len()));
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(answer);
    stream.write_all(&message).map_err(gone)
}

fn fill(stream: &mut TcpStream, octets: &mut [u8], stop: &Stop) -> Result<(), Gone> {
    let mut filled = 0;
    while filled < octets.len() {
        if stop.is_set() {
            return Err(Gone::Stopped);
        }
        match stream.read(&mut octets[filled..]) {
            Ok(0) => return Err(Gone::Closed),
            Ok(read) => filled += read,
            Err(error) if is_pause(&error) => {}
            Err(error) => return Err(gone(error)),
        }
    }
    Ok(())
}

/// Nothing came, but may come later.
pub(super) fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

fn gone(error: io::Error) -> Gone {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Gone::Closed,
        _ => Gone::Io(error.to_string()),
    }
}
