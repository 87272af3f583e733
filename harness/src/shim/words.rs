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
    /// What else the same words are said of.
    pub(super) also: &'static [Reason],
}

/// A row.
pub(super) const fn row(words: &'static str, aspect: AspectName, reason: Reason) -> Row {
    Row { words, aspect, reason, also: &[] }
}

/// The row that a text is of. What is more telling stands first in a table.
pub(super) fn find<'a>(table: &'a [Row], text: &str) -> Option<&'a Row> {
    table.iter().find(|row| text.contains(row.words))
}

/// Asserts that every row names a reason that its aspect can have, and is not
/// hidden behind one before it.
#[cfg(test)]
pub(super) fn assert_fits(table: &[Row]) {
    for row in table {
        assert!(row.reason.aspects().contains(&row.aspect), "{} {}", row.words, row.reason);
        let first = find(table, row.words).map(|found| found.words);
        assert_eq!(first, Some(row.words), "no text ever gets to this row");
    }
}
