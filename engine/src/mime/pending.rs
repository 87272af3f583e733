//! Octets that were made and not yet given out.

/// A buffer that is filled as a whole and given out in pieces.
#[derive(Debug, Default)]
pub(super) struct Pending {
    octets: Vec<u8>,
    /// What is still to be given out is `octets[at..]`.
    at: usize,
}

impl Pending {
    /// Whether everything was given out.
    pub(super) const fn is_empty(&self) -> bool {
        self.at == self.octets.len()
    }

    /// What is still to be given out.
    pub(super) fn left(&self) -> &[u8] {
        &self.octets[self.at..]
    }

    /// Counts octets as given out; more than there are is all of them.
    pub(super) fn consume(&mut self, octets: usize) {
        self.at = self.at.saturating_add(octets).min(self.octets.len());
    }

    /// The emptied buffer, to be filled again.
    pub(super) fn refill(&mut self) -> &mut Vec<u8> {
        self.octets.clear();
        self.at = 0;
        &mut self.octets
    }
}
