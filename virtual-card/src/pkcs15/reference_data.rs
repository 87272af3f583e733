//! PIN and PUK: VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (ISO/IEC
//! 7816-4 sections 11.5.6, 11.5.7 and 11.5.10).

use zeroize::Zeroizing;

use super::{
    Pkcs15,
    setup::{REFERENCE_DATA_LEN, padded},
};
use crate::{Command, Response, StatusWord};

/// Reference of the PIN.
pub const PIN: u8 = 1;

/// Reference of the PUK, which is compared by RESET RETRY COUNTER only.
pub const PUK: u8 = 2;

const LENGTHS: std::ops::RangeInclusive<usize> = 4..=REFERENCE_DATA_LEN;

impl Pkcs15 {
    /// Compares the PIN. Without data it is asked whether that is needed, and
    /// with P1 `FF` it is forgotten.
    pub(super) fn verify(&mut self, command: &Command) -> Result<Response, StatusWord> {
        match (command.p1, command.p2, command.data.len()) {
            (0xFF, PIN, 0) => {
                self.status.user = false;
                Ok(StatusWord::SUCCESS.into())
            }
            (0x00, PIN, 0) if self.status.user => Ok(StatusWord::SUCCESS.into()),
            (0x00, PIN, 0) => Err(self.pin.state()),
            (0x00, PIN, len) if LENGTHS.contains(&len) => {
                self.status.user = false;
                self.pin.compare(&padded(&command.data))?;
                self.status.user = true;
                Ok(StatusWord::SUCCESS.into())
            }
            (0x00 | 0xFF, PIN, _) => Err(StatusWord::WRONG_LENGTH),
            (0x00 | 0xFF, ..) => Err(StatusWord::REFERENCE_NOT_FOUND),
            _ => Err(StatusWord::INCORRECT_P1_P2),
        }
    }

    /// The old PIN and the new one, both padded. Then the new one has to be
    /// verified.
    pub(super) fn change_reference_data(&mut self, command: &Command) -> Result<Response, StatusWord> {
        let (old, new) = two(command)?;
        self.status.user = false;
        self.pin.compare(&old)?;
        self.pin.set(&checked(new)?);
        Ok(StatusWord::SUCCESS.into())
    }

    /// The PUK and a new PIN, the first of them padded.
    pub(super) fn reset_retry_counter(&mut self, command: &Command) -> Result<Response, StatusWord> {
        let (puk, new) = two(command)?;
        self.status.user = false;
        self.puk.compare(&puk)?;
        self.pin.set(&checked(new)?);
        Ok(StatusWord::SUCCESS.into())
    }
}

type Value = Zeroizing<Vec<u8>>;

fn two(command: &Command) -> Result<(Value, Value), StatusWord> {
    match (command.p1, command.p2) {
        (0, PIN) => {}
        (0, _) => return Err(StatusWord::REFERENCE_NOT_FOUND),
        _ => return Err(StatusWord::INCORRECT_P1_P2),
    }
    let (first, second) = command.data.split_at_checked(REFERENCE_DATA_LEN).ok_or(StatusWord::WRONG_LENGTH)?;
    if !LENGTHS.contains(&second.len()) {
        return Err(StatusWord::WRONG_LENGTH);
    }
    Ok((Zeroizing::new(first.to_vec()), padded(second)))
}

/// A new PIN must have four characters before its padding; else it could never
/// be entered again.
fn checked(new: Value) -> Result<Value, StatusWord> {
    let len = new.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    if LENGTHS.contains(&len) { Ok(new) } else { Err(StatusWord::WRONG_DATA) }
}
