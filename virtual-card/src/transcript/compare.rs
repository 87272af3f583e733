//! Where two sessions differ.

use std::fmt;

use super::{Line, Transcript};

/// The number of the first line after the head.
pub(super) const FIRST: usize = 2;

/// Where a session departs from a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The line of the transcript, as a file of it counts them, the head being 1.
    pub line: usize,
    /// What stands there; `None` where the transcript has ended.
    pub expected: Option<Line>,
    /// What happened; `None` where the session has ended.
    pub found: Option<Line>,
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the transcript: ", self.line)?;
        match (&self.expected, &self.found) {
            (Some(expected), Some(found)) => write!(f, "expected `{expected}`, found `{found}`"),
            (Some(expected), None) => write!(f, "expected `{expected}`, and the session has ended"),
            (None, Some(found)) => write!(f, "it has ended, found `{found}`"),
            (None, None) => f.write_str("both have ended"),
        }
    }
}

impl Transcript {
    /// Where this session departs from another one, if it does. Notes do not
    /// count, and a blanked octet is like every other.
    #[must_use]
    pub fn departure_from(&self, other: &Self) -> Option<Departure> {
        let (mut found, mut expected) = (self.events(), other.events());
        loop {
            let (found, expected) = (found.next(), expected.next());
            let line = match (&found, &expected) {
                (None, None) => return None,
                (Some((_, found)), Some((_, expected))) if found.fits(expected) => continue,
                (_, Some((line, _))) => *line,
                (_, None) => other.lines.len() + FIRST,
            };
            let event = |event: Option<(usize, &Line)>| event.map(|(_, line)| line.clone());
            return Some(Departure { line, expected: event(expected), found: event(found) });
        }
    }

    /// The lines that are no notes, with their numbers.
    pub(super) fn events(&self) -> impl Iterator<Item = (usize, &Line)> {
        (FIRST..).zip(&self.lines).filter(|(_, line)| !matches!(line, Line::Note(_)))
    }
}

impl Line {
    /// Whether both can be the same event.
    pub(super) fn fits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Command(left), Self::Command(right)) | (Self::Response(left), Self::Response(right)) => {
                left.fits(right)
            }
            _ => self == other,
        }
    }
}
