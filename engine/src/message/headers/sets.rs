//! The sets of header fields that RFC 9788 section 4.2 compares, and when two
//! values are the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::mime::Headers;

/// Values by field name in lower case, in the order of the message.
#[derive(Debug, Clone, Default)]
pub(super) struct FieldSet {
    fields: BTreeMap<String, Values>,
}

#[derive(Debug, Clone)]
struct Values {
    /// As the message spells the name.
    name: String,
    values: Vec<String>,
}

impl FieldSet {
    /// The non-structural fields of a header section (RFC 9787 section 1.1.1:
    /// all but MIME-Version and Content-…), without HP-Outer.
    pub(super) fn of(headers: &Headers) -> Self {
        let mut set = Self::default();
        for field in headers.fields().filter(|field| !is_structural(field.name()) && !field.is("hp-outer")) {
            let key = field.name().to_ascii_lowercase();
            let entry =
                set.fields.entry(key).or_insert_with(|| Values { name: field.name().to_owned(), values: Vec::new() });
            entry.values.push(one_line(&field.value()));
        }
        set
    }

    /// The fields that HP-Outer says to stand outside: each of its values is a
    /// whole field (RFC 9788 section 2.2).
    pub(super) fn of_hp_outer(headers: &Headers) -> Self {
        let mut section = Vec::new();
        let values = headers.all("hp-outer").map(|field| field.raw_value().trim_ascii_start());
        // An empty line would end the section.
        for value in values.filter(|value| !value.is_empty()) {
            section.extend_from_slice(value);
            section.extend_from_slice(b"\r\n");
        }
        // Not longer than the section that it was taken from.
        Headers::parse(&section, usize::MAX).map(|headers| Self::of(&headers)).unwrap_or_default()
    }

    /// Every name, in lower case.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// The values of one name.
    pub(super) fn values(&self, name: &str) -> &[String] {
        self.fields.get(name).map(|field| field.values.as_slice()).unwrap_or_default()
    }

    /// The name as the message spells it.
    pub(super) fn spelling(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(|field| field.name.as_str())
    }

    /// Whether any of these values stands here under this name.
    pub(super) fn has_any(&self, name: &str, values: &[String]) -> bool {
        let known: BTreeSet<&str> = self.values(name).iter().map(String::as_str).collect();
        values.iter().any(|value| known.contains(value.as_str()))
    }
}

/// Whether a field describes the MIME part and not the message.
fn is_structural(name: &str) -> bool {
    name.eq_ignore_ascii_case("mime-version")
        || name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("content-"))
}

/// Without what refolding changes on the way.
fn one_line(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether two lists of values say the same: the same text, the same instant,
/// or the same addresses under the same names. Gateways decode, encode and
/// quote anew.
pub(super) fn same_values(name: &str, one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(name, one, other))
}

fn same_value(name: &str, one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let parse = |value: &str| Headers::parse(format!("{name}: {value}\r\n").as_bytes(), usize::MAX);
    let (Ok(one), Ok(other)) = (parse(one), parse(other)) else { return false };
    let (Some(first), Some(second)) = (one.get(name), other.get(name)) else { return false };
    match name {
        "date" => one.date().is_some() && one.date() == other.date(),
        "from" | "sender" | "reply-to" | "to" | "cc" | "bcc" => {
            let bare = |text: String| one_line(&text.replace('"', ""));
            bare(first.decoded()) == bare(second.decoded()) && first.mailboxes() == second.mailboxes()
        }
        _ => one_line(&first.decoded()) == one_line(&second.decoded()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(name: &str, one: &str, other: &str) -> bool {
        let list = |value: &str| vec![value.to_owned()];
        same_values(name, &list(one), &list(other))
    }

    #[test]
    fn what_gateways_rewrite_is_the_same() {
        assert!(same("subject", "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"));
        assert!(same("date", "Sat, 20 Feb 2021 10:12:02 -0500", "20 Feb 2021 15:12:02 +0000"));
        assert!(same("from", "\"Alice\" <alice@example.test>", "Alice <alice@example.test>"));
        assert!(!same("from", "Alice <alice@example.test>", "alice@example.test"));
        assert!(!same("to", "Boss, bob@example.test", "bob@example.test"));
        assert!(!same("date", "yesterday", "today"));
        assert!(!same("subject", "Pay 10", "Pay 100"));
    }

    #[test]
    fn hp_outer_holds_whole_fields() {
        let section =
            b"HP-Outer: Subject: [...]\r\nhp-outer:\r\n Message-ID: <a@b>\r\nHP-Outer: no field\r\nHP-Outer: \r\n\
            HP-Outer: To: a@b,\r\n c@d\r\nHP-Outer: Content-Type: x/y\r\nSubject: real\r\n";
        let set = FieldSet::of_hp_outer(&Headers::parse(section, 1 << 10).unwrap());
        assert_eq!(set.names().collect::<Vec<_>>(), ["message-id", "subject", "to"]);
        assert_eq!(set.values("to"), ["a@b, c@d"]);
        assert_eq!(set.spelling("message-id"), Some("Message-ID"));
        assert!(set.has_any("subject", &["[...]".to_owned()]) && !set.has_any("subject", &["real".to_owned()]));
    }
}
