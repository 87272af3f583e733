//! A recorded mail belongs to somebody: a report names it by id and hash.

use waxseal_verdict::{Evidence, OutcomeRecord};

use crate::round_trip::is_round_trip;

/// Stands in the place of a text that is not shown.
pub(crate) const WITHHELD: &str = "withheld: a recorded mail (--include-private shows it)";

/// Decides what of an outcome may be printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Privacy {
    pub(crate) include: bool,
}

impl Privacy {
    /// Whether everything that is known of this outcome may be printed.
    pub(crate) fn shows(self, outcome: &OutcomeRecord) -> bool {
        // A mail of the matrix was written for the run by test identities, and belongs to nobody.
        self.include || is_round_trip(&outcome.case) || !matches!(outcome.evidence, Evidence::Recorded)
    }

    /// The one line that says why; without addresses if the mail is private.
    pub(crate) fn reason(self, outcome: &OutcomeRecord) -> Option<String> {
        let reason = outcome.reason.as_deref()?;
        Some(if self.shows(outcome) { reason.to_owned() } else { without_addresses(reason) })
    }

    /// The SUT's own words: they may quote a name, a subject, a file.
    pub(crate) fn native(self, outcome: &OutcomeRecord) -> Option<&str> {
        let native = outcome.native.as_deref()?;
        Some(if self.shows(outcome) { native } else { WITHHELD })
    }
}

/// Every word with an `@` in it, replaced.
fn without_addresses(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            let bare = word.trim_end();
            if bare.contains('@') { format!("‹address›{}", &word[bare.len()..]) } else { word.to_owned() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_replaced_whatever_stands_around_them() {
        assert_eq!(
            without_addresses("identity: From <a@b.test>, not\t'c@d.test'"),
            "identity: From ‹address› not\t‹address›"
        );
    }
}
