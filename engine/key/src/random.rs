//! Random numbers: of the machine, and seeded.

use std::convert::Infallible;

use getrandom::SysRng;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};

use crate::Random;

/// The random number generator of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// # Panics
    /// The operating system has no random numbers. There is no way to go on:
    /// a key made without them would be known to everyone.
    #[expect(clippy::panic, reason = "nothing may be encrypted without random numbers")]
    fn fill(&mut self, out: &mut [u8]) {
        if let Err(error) = SysRng.try_fill_bytes(out) {
            panic!("the operating system gives no random numbers: {error}");
        }
    }
}

/// A generator whose numbers follow from a label: ChaCha20, keyed with the
/// SHA-256 of the label.
///
/// For deterministic vectors and tests only: who knows the label knows the
/// numbers.
#[derive(Debug, Clone)]
pub struct SeededRandom(ChaCha20Rng);

impl SeededRandom {
    /// Starts the sequence of this label.
    pub fn new(label: &str) -> Self {
        Self(ChaCha20Rng::from_seed(Sha256::digest(label.as_bytes()).into()))
    }
}

impl Random for SeededRandom {
    fn fill(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }
}

/// The caller's random numbers, as the crates of RustCrypto take them.
pub(crate) struct Drawing<'a>(pub(crate) &'a mut dyn Random);

impl TryRng for Drawing<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut octets = [0; 4];
        self.0.fill(&mut octets);
        Ok(u32::from_le_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut octets = [0; 8];
        self.0.fill(&mut octets);
        Ok(u64::from_le_bytes(octets))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Drawing<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_gives_its_numbers_again_and_another_label_others() {
        let draw = |label: &str| {
            let mut out = [0; 40];
            SeededRandom::new(label).fill(&mut out);
            out
        };
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
    }

    #[test]
    fn the_seeded_sequence_is_pinned() {
        // Vectors that were published were drawn from this sequence: it must never change.
        let mut out = [0; 8];
        SeededRandom::new("waxseal").fill(&mut out);
        assert_eq!(out, [0xd1, 0xbd, 0xb6, 0x28, 0xb1, 0xec, 0x71, 0x2b], "as openssl enc -chacha20 gives them");
    }

    #[test]
    fn draws_in_pieces_equal_one_draw_of_whole_words() {
        let mut whole = [0; 64];
        SeededRandom::new("pieces").fill(&mut whole);
        let mut pieces = [0; 64];
        let mut random = SeededRandom::new("pieces");
        for piece in pieces.chunks_mut(4) {
            random.fill(piece);
        }
        assert_eq!(whole, pieces);
    }

    #[test]
    fn the_system_gives_numbers() {
        let mut first = [0; 32];
        let mut second = [0; 32];
        SystemRandom.fill(&mut first);
        SystemRandom.fill(&mut second);
        assert_ne!(first, second);
    }
}
