//! Octets, some of which are blanked.

use std::fmt;

/// Octets, some of which are blanked because they are secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Octets(Vec<Option<u8>>);

/// What stands for a blanked octet.
pub(super) const BLANK: &str = "**";

impl Octets {
    /// Octets none of which is blanked.
    #[must_use]
    pub fn new(octets: &[u8]) -> Self {
        Self(octets.iter().copied().map(Some).collect())
    }

    /// The same with those in the range blanked.
    #[must_use]
    pub fn blanked(mut self, range: std::ops::Range<usize>) -> Self {
        let end = range.end.min(self.0.len());
        self.0[range.start.min(end)..end].fill(None);
        self
    }

    /// Zeros where octets are blanked.
    #[must_use]
    pub fn or_zeros(&self) -> Vec<u8> {
        self.0.iter().map(|octet| octet.unwrap_or(0)).collect()
    }

    /// Whether an octet is blanked.
    #[must_use]
    pub fn has_blanks(&self) -> bool {
        self.0.contains(&None)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both can be the same octets: as many, and the same where neither
    /// is blanked.
    #[must_use]
    pub fn fits(&self, other: &Self) -> bool {
        let fits = |(left, right): (&Option<u8>, &Option<u8>)| left.is_none() || right.is_none() || left == right;
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(fits)
    }

    /// Reads hexadecimal digits and `**`, with spaces anywhere between octets.
    pub(super) fn read(text: &str) -> Option<Self> {
        let signs: Vec<char> = text.chars().filter(|sign| !sign.is_whitespace()).collect();
        let (pairs, rest) = signs.as_chunks::<2>();
        let octet = |pair: &[char; 2]| match pair {
            ['*', '*'] => Some(None),
            [high, low] => Some(Some((high.to_digit(16)? << 4 | low.to_digit(16)?) as u8)),
        };
        pairs.iter().map(octet).collect::<Option<Vec<_>>>().filter(|_| rest.is_empty()).map(Self)
    }

    /// With a space after so many octets, and after so many more.
    pub(super) fn grouped(&self, groups: &[usize]) -> String {
        let mut ends: Vec<usize> = Vec::new();
        for group in groups {
            ends.push(ends.last().unwrap_or(&0) + group);
        }
        let mut out = String::new();
        for (index, octet) in self.0.iter().enumerate() {
            if index > 0 && ends.contains(&index) {
                out.push(' ');
            }
            match octet {
                Some(octet) => out.push_str(&format!("{octet:02X}")),
                None => out.push_str(BLANK),
            }
        }
        out
    }
}

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.grouped(&[]))
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Octets({self})")
    }
}
