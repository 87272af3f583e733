//! What a fact can be, with `*` for anything.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text in which `*` stands for any text, also for none; `(absent)` for a
/// fact that is not there. Everything else stands for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Pattern(String);

const ABSENT: &str = "(absent)";

impl Pattern {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for a fact that is not there.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.0 == ABSENT
    }

    /// Whether it fits a fact, or the lack of it.
    #[must_use]
    pub fn fits(&self, fact: Option<&str>) -> bool {
        match fact {
            None => self.is_absent(),
            Some(text) => !self.is_absent() && fits(&self.0, text),
        }
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        let check = |pattern: &str, text: Option<&str>| Pattern(pattern.to_owned()).fits(text);
        for (pattern, text) in
            [("a", "a"), ("a*", "a"), ("*", ""), ("a*c", "abc"), ("a*b*c", "axxbyc"), ("*b*b", "bb"), ("", "")]
        {
            assert!(check(pattern, Some(text)), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*", "ba"), ("a*c", "ab"), ("*b*b", "b"), ("a*a", "a"), ("", "a")] {
            assert!(!check(pattern, Some(text)), "{pattern} {text}");
        }
        assert!(check("(absent)", None));
        assert!(!check("*", None));
        assert!(!check("(absent)", Some("(absent)")));
    }
}
