//! Which PINs were tried: every try counts, so none is made twice.

use waxseal_key::constant_time_eq;
use zeroize::Zeroizing;

use crate::piv::reference_data::LEN;

/// A PIN with its padding.
type Padded = Zeroizing<[u8; LEN]>;

/// How many refused PINs are remembered; a card blocks long before.
const REMEMBERED: usize = 16;

/// PINs that a card has refused, or that it was sent and has not answered.
#[derive(Default)]
pub(super) struct Tried {
    refused: Vec<Padded>,
    /// What was sent last, and how many tries there were before; until the answer comes.
    unanswered: Option<(Padded, Option<u8>)>,
}

impl Tried {
    /// What the card says of its counter now; `None`: the PIN is verified. A PIN
    /// whose answer was lost was wrong, if it took a try.
    pub(super) fn counter_is(&mut self, now: Option<u8>) {
        if let Some((pin, before)) = self.unanswered.take()
            && let (Some(before), Some(now)) = (before, now)
            && now < before
        {
            self.refuse(pin);
        }
    }

    /// Whether the card has refused this PIN.
    pub(super) fn is_refused(&self, pin: &[u8; LEN]) -> bool {
        self.refused.iter().any(|refused| constant_time_eq(&**refused, pin))
    }

    /// A PIN is sent now.
    pub(super) fn send(&mut self, pin: &Padded, tries_left: Option<u8>) {
        self.unanswered = Some((pin.clone(), tries_left));
    }

    /// The card has answered: the PIN is another one, is right, or something
    /// else is the matter.
    pub(super) fn answer(&mut self, is_right: Option<bool>) {
        let sent = self.unanswered.take();
        match (is_right, sent) {
            (Some(true), _) => self.refused.clear(),
            (Some(false), Some((pin, _))) => self.refuse(pin),
            _ => {}
        }
    }

    /// The card has another PIN from now on.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    fn refuse(&mut self, pin: Padded) {
        if self.refused.len() < REMEMBERED && !self.is_refused(&pin) {
            self.refused.push(pin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_without_an_answer_was_wrong_if_it_took_a_try() {
        let pin = || Zeroizing::new(*b"123456\xff\xff");
        let refused_after = |before, now| {
            let mut tried = Tried::default();
            tried.send(&pin(), before);
            tried.counter_is(now);
            tried.is_refused(&pin())
        };
        assert!(refused_after(Some(3), Some(2)));
        assert!(!refused_after(Some(3), Some(3)), "it never came to the card");
        assert!(!refused_after(Some(2), Some(3)), "it was right, and the card was reset");
        assert!(!refused_after(Some(3), None), "it was right");
        assert!(!refused_after(None, Some(3)), "it was verified before");
    }

    #[test]
    fn all_refused_pins_are_remembered_until_one_is_right() {
        let mut tried = Tried::default();
        for pin in [b"000000\xff\xff", b"111111\xff\xff"] {
            tried.send(&Zeroizing::new(*pin), Some(3));
            tried.answer(Some(false));
        }
        assert!(tried.is_refused(b"000000\xff\xff") && tried.is_refused(b"111111\xff\xff"));
        tried.send(&Zeroizing::new(*b"222222\xff\xff"), Some(1));
        tried.answer(None);
        assert!(!tried.is_refused(b"222222\xff\xff") && tried.is_refused(b"000000\xff\xff"));
        tried.send(&Zeroizing::new(*b"123456\xff\xff"), Some(1));
        tried.answer(Some(true));
        assert!(!tried.is_refused(b"000000\xff\xff"));
    }
}
