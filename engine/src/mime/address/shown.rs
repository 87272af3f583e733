//! Addresses in a text that is shown: what a person who sees a display name
//! takes for the address.

/// Every address that a text seems to hold.
///
/// `local@domain` with a dot in the domain. Characters that look like an at
/// sign count as one, and characters that are not seen are not there.
pub(super) fn addresses(text: &str) -> Vec<String> {
    let text: String = text.chars().filter(|c| !is_invisible(*c)).map(plain).collect();
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let before = text[..at].char_indices().rev().take_while(|(_, c)| is_local(*c)).last();
        let local = before.map_or("", |(start, _)| &text[start..at]).trim_start_matches(MARKS);
        let after = &text[at + 1..];
        let end = after.find(|c: char| !c.is_alphanumeric() && !"-.".contains(c)).unwrap_or(after.len());
        let domain = after[..end].trim_end_matches(['.', '-']);
        let has_dot = domain.split('.').count() > 1 && domain.split('.').all(|label| !label.is_empty());
        if !local.is_empty() && has_dot {
            found.push(format!("{local}@{domain}"));
        }
    }
    found
}

/// Marks that people put around an address.
const MARKS: [char; 4] = ['\'', '`', '.', '='];

/// Atext (RFC 5322 section 3.2.3) and the dot.
fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c)
}

/// Controls, and characters of no width: a text with them looks like one without.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        || c.is_control()
}

/// The fullwidth and the small at sign, and fullwidth and small dots, as they look.
const fn plain(c: char) -> char {
    match c {
        '\u{ff20}' | '\u{fe6b}' => '@',
        '\u{ff0e}' | '\u{fe52}' | '\u{3002}' => '.',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_an_address() {
        for text in [
            "ceo@corp.test",
            "The CEO (ceo@corp.test)",
            "'ceo@corp.test'",
            "<ceo@corp.test>,",
            "mailto:ceo@corp.test.",
            "ceo@corp.test\0@evil",
            "ceo\u{200b}@corp\u{2060}.test",
            "ceo\u{ff20}corp\u{ff0e}test",
        ] {
            assert_eq!(addresses(text), ["ceo@corp.test"], "{text:?}");
        }
        assert_eq!(addresses("a@b.test,c.d+e@f-g.test"), ["a@b.test", "c.d+e@f-g.test"]);
        assert_eq!(addresses("jürgen@bücher.test"), ["jürgen@bücher.test"]);
    }

    #[test]
    fn what_does_not() {
        for text in
            ["", "Alice Amber", "Anna @ Work", "@example.test", "alice@home", "a@.test", "a@b..test", "5 @ 3.50"]
        {
            assert_eq!(addresses(text), [""; 0], "{text:?}");
        }
    }
}
