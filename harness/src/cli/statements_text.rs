//! What a signer says in attributes, for a person.

use waxseal_verdict::{SecurityLabel, Statements};

use super::output::harmless;

/// One line for each thing that is said.
pub(super) fn lines(said: &Statements) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(label) = &said.security_label {
        lines.push(format!("security label {}", label_text(label)));
    }
    for label in &said.equivalent_labels {
        lines.push(format!("equivalent label {}", label_text(label)));
    }
    if let Some(request) = &said.receipt_request {
        let whom = match request.from.as_str() {
            "list" => people(&request.from_list),
            other => other.to_owned(),
        };
        lines.push(format!("asks for receipts of {} to {}", harmless(&whom), harmless(&people(&request.to))));
    }
    for expansion in &said.expansion_history {
        let receipts = expansion.receipts.as_deref().map(|word| format!(", receipts {word}")).unwrap_or_default();
        lines.push(harmless(&format!("went through list {} at {}{receipts}", expansion.list, expansion.time)));
    }
    if let Some(hints) = &said.content_hints {
        let description = hints.description.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
        lines.push(harmless(&format!("content is of type {}{description}", hints.content_type)));
    }
    if let Some(reference) = &said.content_reference {
        lines.push(harmless(&format!("belongs to content {}", reference.identifier)));
    }
    if let Some(key) = &said.encryption_key {
        lines.push(harmless(&format!("answers are to be encrypted for {key}")));
    }
    for field in &said.header_fields {
        lines.push(harmless(&format!("signed header field {}: {} ({})", field.name, field.value, field.status)));
    }
    lines
}

fn label_text(label: &SecurityLabel) -> String {
    /// RFC 2634 section 3.2.
    const CLASSES: [&str; 6] = ["unmarked", "unclassified", "restricted", "confidential", "secret", "top secret"];
    let class = label.classification.map(|number| {
        let known = usize::try_from(number).ok().and_then(|number| CLASSES.get(number));
        known.map_or_else(|| format!("class {number}"), ToString::to_string)
    });
    let categories = label.categories.iter().map(|category| category.value.clone());
    let words: Vec<_> = class.into_iter().chain(label.privacy_mark.clone()).chain(categories).collect();
    harmless(&format!("of policy {}: {}", label.policy, words.join(", ")))
}

fn people(list: &[Vec<String>]) -> String {
    list.iter().map(|names| names.join(" or ")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_verdict::{Expansion, ReceiptRequest};

    #[test]
    fn each_thing_has_its_line() {
        let said = Statements {
            security_label: Some(SecurityLabel {
                policy: "1.2.3".to_owned(),
                classification: Some(4),
                privacy_mark: Some("eyes \u{1b}only".to_owned()),
                ..SecurityLabel::default()
            }),
            receipt_request: Some(ReceiptRequest {
                from: "all".to_owned(),
                to: vec![vec!["ann@example.test".to_owned()]],
                ..ReceiptRequest::default()
            }),
            expansion_history: vec![Expansion {
                list: "ski=01".to_owned(),
                time: "2025-06-15T12:00:00Z".to_owned(),
                receipts: Some("none".to_owned()),
                ..Expansion::default()
            }],
            ..Statements::default()
        };
        let expected = [
            "security label of policy 1.2.3: secret, eyes \\u{1b}only",
            "asks for receipts of all to ann@example.test",
            "went through list ski=01 at 2025-06-15T12:00:00Z, receipts none",
        ];
        assert_eq!(lines(&said), expected);
        assert!(lines(&Statements::default()).is_empty());
    }
}
