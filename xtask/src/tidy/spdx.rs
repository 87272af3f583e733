//! Licence expressions (SPDX 2.3 annex D), as far as packages use them.

/// Whether a licence expression can be satisfied with the allowed licences
/// alone; nothing if it cannot be read.
pub(super) fn satisfied(expression: &str, allowed: &[&str]) -> Option<bool> {
    // An old way to write OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    let value = reader.any()?;
    reader.words.is_empty().then_some(value)
}

struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [&'a str],
}

impl Reader<'_> {
    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn any(&mut self) -> Option<bool> {
        let mut value = self.all()?;
        while self.take("OR") {
            value |= self.all()?;
        }
        Some(value)
    }

    fn all(&mut self) -> Option<bool> {
        let mut value = self.one()?;
        while self.take("AND") {
            value &= self.one()?;
        }
        Some(value)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let value = self.any()?;
            return self.take(")").then_some(value);
        }
        let (name, rest) = self.words.split_first()?;
        if matches!(*name, "OR" | "AND" | "WITH" | ")") {
            return None;
        }
        self.words = rest;
        if !self.take("WITH") {
            return Some(self.allowed.contains(name));
        }
        let (exception, rest) = self.words.split_first()?;
        self.words = rest;
        Some(self.allowed.contains(&format!("{name} WITH {exception}").as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_weighed() {
        let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"];
        for (expression, expected) in [
            ("MIT", Some(true)),
            ("GPL-3.0-only", Some(false)),
            ("GPL-3.0-only OR MIT", Some(true)),
            ("Apache-2.0/MIT", Some(true)),
            ("MIT AND GPL-3.0-only", Some(false)),
            ("MIT AND (GPL-3.0-only OR ISC)", Some(true)),
            ("GPL-3.0-only OR MIT AND GPL-2.0-only", Some(false)),
            ("Apache-2.0 WITH LLVM-exception OR Apache-2.0", Some(true)),
            ("(MIT", None),
            ("MIT ISC", None),
            ("", None),
        ] {
            assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
        }
    }
}
