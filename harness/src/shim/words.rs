//! A row of a shim's table: words of its program, and what they stand for.

use waxseal_verdict::{AspectName, Reason};

/// Words, and what they stand for.
pub(super) struct Row {
    /// What stands in a sentence of the program.
    pub(super) words: &'static str,
    /// What the sentence is about.
    pub(super) aspect: AspectName,
    /// What is wrong with it.
    pub(super) reason: Reason,
}

/// A row.
pub(super) const fn row(words: &'static str, aspect: AspectName, reason: Reason) -> Row {
    Row { words, aspect, reason }
}

/// Asserts that every row names a reason that its aspect can have.
#[cfg(test)]
pub(super) fn assert_fits(table: &[Row]) {
    for row in table {
        assert!(row.reason.aspects().contains(&row.aspect), "{} {}", row.words, row.reason);
    }
}
