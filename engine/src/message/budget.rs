//! What one message may cost, whatever its parts and layers are.
//!
//! A bound for each layer would not do: a message can have thousands of parts,
//! and each of them layers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::Limits;

/// What is left of the limits that hold for all of a message, whichever thread
/// works on it.
pub(super) struct Budget {
    key_attempts: AtomicU64,
    password_work: AtomicU64,
    expansion: AtomicU64,
}

impl Budget {
    /// Everything that a message of so many octets may cost.
    pub(super) fn new(limits: &Limits, octets: u64) -> Self {
        let expansion = limits.expansion_free.saturating_add(octets.saturating_mul(limits.expansion));
        Self {
            key_attempts: AtomicU64::new(limits.key_attempts as u64),
            password_work: AtomicU64::new(limits.password_work),
            expansion: AtomicU64::new(expansion),
        }
    }

    /// Takes one attempt to open content with a key; `false` if none is left.
    pub(super) fn attempt(&self) -> bool {
        take(&self.key_attempts, 1)
    }

    /// Whether no attempt is left.
    pub(super) fn no_attempt_is_left(&self) -> bool {
        self.key_attempts.load(Relaxed) == 0
    }

    /// Takes rounds of key derivation; `false` if so many are not left.
    pub(super) fn derive(&self, rounds: u64) -> bool {
        take(&self.password_work, rounds)
    }

    /// Takes octets that decompression made; `false` if so many are not left.
    pub(super) fn expand(&self, octets: u64) -> bool {
        take(&self.expansion, octets)
    }
}

/// Takes so much; nothing is left where there was less.
fn take(left: &AtomicU64, wanted: u64) -> bool {
    left.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(wanted))).is_ok_and(|left| left >= wanted)
}
