//! VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER (NIST SP 800-73-4 part
//! 2 section 3.2).

use crate::{Command, Response, StatusWord, piv::Piv, secret::Secret};

/// Key reference of the PIV Card Application PIN.
pub const PIN: u8 = 0x80;
/// Key reference of the PIN Unblocking Key.
pub const PUK: u8 = 0x81;

/// Octets of a PIN with its padding, and of a PUK.
pub const LEN: usize = 8;

/// A PIN in its octets, padded with FF to eight (SP 800-73-4 part 2 section
/// 2.4.3); `None` where it does not have six to eight digits.
#[must_use]
pub fn padded(pin: &str) -> Option<[u8; LEN]> {
    let fits = (6..=LEN).contains(&pin.len()) && pin.bytes().all(|octet| octet.is_ascii_digit());
    let mut octets = [0xFF; LEN];
    octets.get_mut(..pin.len()).filter(|_| fits)?.copy_from_slice(pin.as_bytes());
    Some(octets)
}

/// Whether octets are a PIN with its padding.
fn is_pin(octets: &[u8]) -> bool {
    let digits = octets.iter().take_while(|octet| octet.is_ascii_digit()).count();
    octets.len() == LEN && digits >= 6 && octets[digits..].iter().all(|octet| *octet == 0xFF)
}

impl Piv {
    pub(super) fn verify(&mut self, command: &Command) -> Response {
        if command.p2 != PIN {
            return StatusWord::REFERENCE_NOT_FOUND.into();
        }
        match (command.p1, command.data.as_slice()) {
            (0xFF, []) => {
                self.status.forget_pin();
                StatusWord::SUCCESS.into()
            }
            (0x00, []) if self.status.pin_verified => StatusWord::SUCCESS.into(),
            (0x00, []) => self.pin.state().into(),
            // What is no PIN takes no try.
            (0x00, given) if !is_pin(given) => StatusWord::WRONG_DATA.into(),
            (0x00, given) => {
                let result = self.pin.compare(given);
                self.status.pin_verified = result.is_ok();
                self.status.pin_fresh = result.is_ok();
                answer(result)
            }
            _ => StatusWord::INCORRECT_P1_P2.into(),
        }
    }

    pub(super) fn change_reference_data(&mut self, command: &Command) -> Response {
        let is_pin_changed = match (command.p1, command.p2) {
            (0x00, PIN) => true,
            (0x00, PUK) => false,
            (0x00, _) => return StatusWord::REFERENCE_NOT_FOUND.into(),
            _ => return StatusWord::INCORRECT_P1_P2.into(),
        };
        let Some((old, new)) = halves(command) else { return StatusWord::WRONG_DATA.into() };
        if is_pin_changed && !(is_pin(old) && is_pin(new)) {
            return StatusWord::WRONG_DATA.into();
        }
        let result = change(if is_pin_changed { &mut self.pin } else { &mut self.puk }, old, new);
        if is_pin_changed {
            // Section 3.2.2: who changed the PIN has verified it.
            self.status.pin_verified = result.is_ok();
        }
        answer(result)
    }

    pub(super) fn reset_retry_counter(&mut self, command: &Command) -> Response {
        match (command.p1, command.p2) {
            (0x00, PIN) => {}
            (0x00, _) => return StatusWord::REFERENCE_NOT_FOUND.into(),
            _ => return StatusWord::INCORRECT_P1_P2.into(),
        }
        let Some((puk, new)) = halves(command) else { return StatusWord::WRONG_DATA.into() };
        if !is_pin(new) {
            return StatusWord::WRONG_DATA.into();
        }
        let result = self.puk.compare(puk);
        match result {
            // Section 3.2.3: the security status of the PIN stays as it is.
            Ok(()) => self.pin.set(new),
            Err(_) => self.status.forget_pin(),
        }
        answer(result)
    }
}

fn change(secret: &mut Secret, old: &[u8], new: &[u8]) -> Result<(), StatusWord> {
    secret.compare(old)?;
    secret.set(new);
    Ok(())
}

fn halves(command: &Command) -> Option<(&[u8], &[u8])> {
    command.data.split_at_checked(LEN).filter(|(_, second)| second.len() == LEN)
}

fn answer(result: Result<(), StatusWord>) -> Response {
    result.err().unwrap_or(StatusWord::SUCCESS).into()
}
