//! Edits of octets, put in all at once.

use std::ops::Range;

/// Ranges, and what stands there afterwards.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, Vec<u8>)>);

impl Edits {
    /// Puts something in the place of a range; before it, if that is empty.
    pub(super) fn put(&mut self, range: Range<usize>, octets: impl Into<Vec<u8>>) {
        self.0.push((range, octets.into()));
    }

    /// The octets after the edits. Of two that overlap the first one holds.
    pub(super) fn apply(mut self, octets: &[u8]) -> Vec<u8> {
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = Vec::with_capacity(octets.len());
        let mut done = 0;
        for (range, put) in self.0 {
            let Some(kept) = octets.get(done..range.start) else { continue };
            out.extend(kept);
            out.extend(put);
            done = range.end.max(range.start);
        }
        out.extend(octets.get(done..).unwrap_or_default());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_go_where_they_belong() {
        let mut edits = Edits::default();
        edits.put(4..5, *b"E");
        edits.put(0..0, *b">");
        edits.put(2..4, *b"");
        // Overlaps the one before it.
        edits.put(3..5, *b"?");
        assert_eq!(edits.apply(b"abcdef"), b">abEf");
        assert_eq!(Edits::default().apply(b"abc"), b"abc");
    }
}
