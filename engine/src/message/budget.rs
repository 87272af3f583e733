//! What one message may cost, whatever its parts and layers are.
//!
//! A bound for each layer would not do: a message can have thousands of parts,
//! and each of them layers.

use std::cell::Cell;

use crate::Limits;

/// What is left of the limits that hold for all of a message.
pub(super) struct Budget {
    key_attempts: Cell<usize>,
    password_work: Cell<u64>,
    expansion: Cell<u64>,
}

impl Budget {
    /// Everything that a message of so many octets may cost.
    pub(super) fn new(limits: &Limits, octets: u64) -> Self {
        let expansion = limits.expansion_free.saturating_add(octets.saturating_mul(limits.expansion));
        Self {
            key_attempts: Cell::new(limits.key_attempts),
            password_work: Cell::new(limits.password_work),
            expansion: Cell::new(expansion),
        }
    }

    /// Takes one attempt to open content with a key; `false` if none is left.
    pub(super) fn attempt(&self) -> bool {
        let left = self.key_attempts.get();
        self.key_attempts.set(left.saturating_sub(1));
        left > 0
    }

    /// Whether no attempt is left.
    pub(super) fn no_attempt_is_left(&self) -> bool {
        self.key_attempts.get() == 0
    }

    /// Takes rounds of key derivation; `false` if so many are not left.
    pub(super) fn derive(&self, rounds: u64) -> bool {
        let left = self.password_work.get().checked_sub(rounds);
        self.password_work.set(left.unwrap_or_default());
        left.is_some()
    }

    /// Takes octets that decompression made; `false` if so many are not left.
    pub(super) fn expand(&self, octets: u64) -> bool {
        let left = self.expansion.get().checked_sub(octets);
        self.expansion.set(left.unwrap_or_default());
        left.is_some()
    }
}
