//! How the octets of a mail that arrived compare with those that were sent.

use std::collections::BTreeSet;

use waxseal_verdict::{Arrival, ContentMatch};

use crate::matrix::same;

/// Every difference; [`Arrival::Identical`] alone if there is none.
#[must_use]
pub fn compare(sent: &[u8], arrived: &[u8]) -> BTreeSet<Arrival> {
    if sent == arrived {
        return BTreeSet::from([Arrival::Identical]);
    }
    let mut found = BTreeSet::new();
    let (before, after) = (crlf(sent), crlf(arrived));
    if (before == sent) != (after == arrived) {
        found.insert(Arrival::LineEnds);
    }
    let (before, after) = (Halves::of(&before), Halves::of(&after));
    found.extend(fields(&before.fields, &after.fields));
    if before.body != after.body {
        // A mail that cannot be taken apart any more has lost what was in it.
        let changed = match same::compare(sent, arrived) {
            ContentMatch::Identical | ContentMatch::Equal => Arrival::BodyRewritten,
            _ => Arrival::ContentChanged,
        };
        found.insert(changed);
    }
    found
}

/// The mail with CRLF only.
pub(super) fn crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let mut last = 0;
    for octet in octets {
        if *octet == b'\n' && last != b'\r' {
            out.push(b'\r');
        }
        out.push(*octet);
        last = *octet;
    }
    out
}

/// The header above a mail, and what follows.
struct Halves<'a> {
    /// Each with its folds and its line end.
    fields: Vec<&'a [u8]>,
    body: &'a [u8],
}

impl<'a> Halves<'a> {
    fn of(mail: &'a [u8]) -> Self {
        let mut fields = Vec::new();
        let (mut start, mut at) = (0, 0);
        for line in mail.split_inclusive(|octet| *octet == b'\n') {
            let folded = matches!(line.first(), Some(b' ' | b'\t'));
            if !folded && at > start {
                fields.push(&mail[start..at]);
                start = at;
            }
            at += line.len();
            if line == b"\r\n" {
                return Self { fields, body: &mail[at..] };
            }
        }
        if at > start {
            fields.push(&mail[start..at]);
        }
        Self { fields, body: &[] }
    }
}

fn fields(before: &[&[u8]], after: &[&[u8]]) -> BTreeSet<Arrival> {
    let mut found = BTreeSet::new();
    let mut left: Vec<&[u8]> = after.to_vec();
    let mut others = Vec::new();
    for field in before {
        match left.iter().position(|other| other == field) {
            Some(at) => drop(left.remove(at)),
            None => others.push(*field),
        }
    }
    for field in others {
        let (name, value) = unfolded(field);
        // Whoever delivers a mail puts a new one in the place of an old one (RFC 5321 section 4.4).
        if name == "return-path" {
            continue;
        }
        let named = |other: &&[u8]| unfolded(other).0 == name;
        let same = |other: &&[u8]| unfolded(other) == (name.clone(), value.clone());
        let (at, how) = match (left.iter().position(same), left.iter().position(named)) {
            (Some(at), _) => (at, Arrival::FieldsFolded),
            (None, Some(at)) => (at, Arrival::FieldsChanged),
            (None, None) => {
                found.insert(Arrival::FieldsRemoved);
                continue;
            }
        };
        left.remove(at);
        found.insert(how);
    }
    if !left.is_empty() {
        found.insert(Arrival::FieldsAdded);
    }
    found
}

/// The name in lower case, and the value without folds.
fn unfolded(field: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(field);
    let (name, value) = text.split_once(':').unwrap_or((&text, ""));
    (name.trim().to_ascii_lowercase(), value.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From: a@b\r\nX: one;\r\n two\r\nContent-Transfer-Encoding: 7bit\r\n\r\nText \r\nend\r\n";

    fn check(arrived: &str, expected: &[Arrival]) {
        assert_eq!(compare(MAIL.as_bytes(), arrived.as_bytes()).into_iter().collect::<Vec<_>>(), expected, "{arrived}");
    }

    #[test]
    fn every_kind_of_difference() {
        use Arrival as A;
        check(MAIL, &[A::Identical]);
        check(&MAIL.replace("\r\n", "\n"), &[A::LineEnds]);
        check(&format!("Received: x\r\n{MAIL}"), &[A::FieldsAdded]);
        check(&MAIL.replace("one;\r\n two", "one; two"), &[A::FieldsFolded]);
        check(&MAIL.replace("a@b", "c@d"), &[A::FieldsChanged]);
        check(&MAIL.replace("X: one;\r\n two\r\n", ""), &[A::FieldsRemoved]);
        check(&MAIL.replace("Text ", "Text"), &[A::BodyRewritten]);
        let encoded = MAIL.replace("7bit", "base64").replace("Text \r\nend\r\n", "VGV4dCANCmVuZA0K\r\n");
        check(&encoded, &[A::FieldsChanged, A::BodyRewritten]);
        check(&MAIL.replace("end", "more"), &[A::ContentChanged]);
        check("", &[A::FieldsRemoved, A::ContentChanged]);
        let both = format!("Received: x\r\n{MAIL}").replace("\r\n", "\n").replace("end", "END");
        check(&both, &[A::LineEnds, A::FieldsAdded, A::ContentChanged]);
    }

    #[test]
    fn the_return_path_is_that_of_the_delivery() {
        let before = "Return-Path: <old@a>\r\nX: y\r\n\r\n";
        let after = before.replace("old", "new");
        assert_eq!(compare(before.as_bytes(), after.as_bytes()), BTreeSet::from([Arrival::FieldsAdded]));
    }

    #[test]
    fn line_ends_become_crlf() {
        assert_eq!(crlf(b"a\r\nb\nc\rd"), b"a\r\nb\r\nc\rd");
    }
}
