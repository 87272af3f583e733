//! What stays readable outside: the Header Confidentiality Policies of RFC 9788
//! section 3.2.

use std::str::FromStr;

use time::UtcOffset;
use time::format_description::well_known::Rfc2822;

use crate::mime::Headers;

/// What a sender hides of the header fields outside encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HeaderPolicy {
    /// `hcp_baseline`: Subject is replaced, Keywords and Comments go.
    #[default]
    Baseline,
    /// `hcp_shy`: as baseline; From, To and Cc lose their display names, and
    /// Date its time zone.
    Shy,
    /// `hcp_no_confidentiality`: nothing is hidden.
    NoConfidentiality,
}

impl HeaderPolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Shy, Self::NoConfidentiality];

    /// The name, short: `baseline`, `shy`, `none`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Shy => "shy",
            Self::NoConfidentiality => "none",
        }
    }

    /// The field of this name and value as it stands outside.
    pub(super) fn apply(self, name: &str, value: &str) -> Outside {
        match (self, name.to_ascii_lowercase().as_str()) {
            (Self::NoConfidentiality, _) => Outside::Kept,
            (_, "subject") => Outside::Replaced("[...]".to_owned()),
            (_, "keywords" | "comments") => Outside::Removed,
            (Self::Shy, name @ ("from" | "to" | "cc")) => {
                addresses(name, value).map_or(Outside::Kept, Outside::Replaced)
            }
            (Self::Shy, "date") => utc(value).map_or(Outside::Kept, Outside::Replaced),
            _ => Outside::Kept,
        }
    }
}

impl FromStr for HeaderPolicy {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|policy| policy.name() == name).ok_or_else(|| format!("one of {} is known", names()))
    }
}

/// What becomes of a field outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outside {
    Kept,
    Replaced(String),
    Removed,
}

/// The addresses of a list of mailboxes, without display names; `None` where
/// the value is something else, such as a group.
fn addresses(name: &str, value: &str) -> Option<String> {
    let headers = Headers::parse(format!("{name}: {value}\r\n").as_bytes(), usize::MAX).ok()?;
    let field = headers.get(name)?;
    let is_group = value.contains(':') && value.contains(';');
    let is_list = !is_group && !field.has_entry_without_address();
    let list: Vec<_> = field.mailboxes().into_iter().map(|mailbox| mailbox.address).collect();
    // The separator folds, so that no line grows with the list.
    (is_list && !list.is_empty()).then(|| list.join(",\r\n "))
}

/// The same instant in UTC.
fn utc(value: &str) -> Option<String> {
    let headers = Headers::parse(format!("Date: {value}\r\n").as_bytes(), usize::MAX).ok()?;
    headers.date()?.to_offset(UtcOffset::UTC).format(&Rfc2822).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_hides_what_its_definition_says() {
        use HeaderPolicy::{Baseline, NoConfidentiality, Shy};
        let replaced = |value: &str| Outside::Replaced(value.to_owned());
        for (policy, name, value, expected) in [
            (Baseline, "SUBJECT", "real", replaced("[...]")),
            (Baseline, "Keywords", "a, b", Outside::Removed),
            (Baseline, "comments", "a", Outside::Removed),
            (Baseline, "From", "Ann <ann@example.test>", Outside::Kept),
            (Shy, "Subject", "real", replaced("[...]")),
            (Shy, "From", "Ann <ann@example.test>", replaced("ann@example.test")),
            (Shy, "To", "\"B, C\" <b@example.test>, d@example.test", replaced("b@example.test,\r\n d@example.test")),
            (Shy, "Cc", "All: a@example.test;", Outside::Kept),
            (Shy, "Cc", "The boss, a@example.test", Outside::Kept),
            (Shy, "Reply-To", "Ann <ann@example.test>", Outside::Kept),
            (Shy, "Date", "Sat, 20 Feb 2021 10:12:02 -0500", replaced("Sat, 20 Feb 2021 15:12:02 +0000")),
            (Shy, "Date", "soon", Outside::Kept),
            (NoConfidentiality, "Subject", "real", Outside::Kept),
        ] {
            assert_eq!(policy.apply(name, value), expected, "{policy:?} {name}");
        }
        for policy in HeaderPolicy::ALL {
            assert_eq!(policy.name().parse(), Ok(policy));
        }
        assert!("bold".parse::<HeaderPolicy>().is_err());
    }
}
