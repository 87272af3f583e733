//! Whole commands to a card and whole answers from it.

use zeroize::Zeroizing;

use super::{HostError, Reader};
use crate::{
    Command, Response,
    apdu::{CHAINING, SHORT_DATA, SHORT_EXPECTED},
    piv::instruction::{self as ins, GET_RESPONSE},
};

/// Octets that an answer in parts may have together: more than any card holds.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// Sends a command, in a chain of short ones where it is long, and asks for the
/// rest of the answer. Every card can do that; not every reader and card can do
/// extended lengths. `name` is what errors call it.
///
/// # Errors
/// No answer came, or it is damaged. What the card refuses is an answer.
pub(super) fn exchange(reader: &mut dyn Reader, command: &Command, name: &str) -> Result<Response, HostError> {
    let mut rest = command.data.as_slice();
    while rest.len() > SHORT_DATA {
        let (part, after) = rest.split_at(SHORT_DATA);
        let chained = Command::new(command.class | CHAINING, command.instruction, command.p1, command.p2);
        let response = send(reader, &chained.with_data(part), name)?;
        if !response.status.is_success() {
            return Ok(response);
        }
        rest = after;
    }
    let mut last = Command::new(command.class, command.instruction, command.p1, command.p2).with_data(rest);
    last.expected = command.expected.map(|_| SHORT_EXPECTED);
    let mut response = send(reader, &last, name)?;
    // A card that wants another Le says which, and the command is sent again (ISO/IEC 7816-4 section 5.6).
    // Never what holds a PIN: every try counts.
    let counts = matches!(command.instruction, ins::VERIFY | ins::CHANGE_REFERENCE_DATA | ins::RESET_RETRY_COUNTER);
    if response.status.0 >> 8 == 0x6C && !counts {
        last.expected = Some(usize::from(response.status.0 & 0xff).max(1));
        response = send(reader, &last, name)?;
    }
    while let Some(left) = response.status.octets_left() {
        let more = send(reader, &Command::new(0, GET_RESPONSE, 0, 0).expecting(left), name)?;
        if more.data.is_empty() && more.status.octets_left().is_some() {
            return Err(bad(name, "it says that there is more, and gives nothing"));
        }
        if response.data.len() + more.data.len() > ANSWER_LIMIT {
            return Err(bad(name, &format!("it has more than {ANSWER_LIMIT} octets")));
        }
        // Joined into a new vector: one that grows leaves copies of a secret behind.
        response.data = Zeroizing::new([response.data.as_slice(), &more.data].concat());
        response.status = more.status;
    }
    Ok(response)
}

fn send(reader: &mut dyn Reader, command: &Command, name: &str) -> Result<Response, HostError> {
    let octets = reader.transmit(&command.to_bytes())?;
    Response::parse(&octets).ok_or_else(|| bad(name, &format!("it has {} octets, and no status word", octets.len())))
}

pub(super) fn bad(name: &str, why: &str) -> HostError {
    HostError::BadAnswer { command: name.to_owned(), why: why.to_owned() }
}
