//! A verdict for a person.

use std::fmt::Write as _;

use waxseal_verdict::{Aspect, AspectName, HeaderField, Layer, Signer, Verdict};

use super::output::{Paint, harmless};
use super::{stamp_text, statements_text};

/// The verdict as indented text, layers outermost first.
pub(super) fn write(verdict: &Verdict, paint: Paint) -> String {
    let mut out = paint.bold(verdict.overall.code());
    if verdict.layers.is_empty() {
        out.push_str(": an ordinary mail, neither signed nor encrypted");
    }
    out.push('\n');
    for (depth, layer) in verdict.layers.iter().enumerate() {
        Text { out: &mut out, paint, indent: "  ".repeat(depth) }.layer(layer);
    }
    for notification in &verdict.notifications {
        let layer = notification.layer.as_deref().unwrap_or("nothing");
        let what = [&notification.action, &notification.sending, &notification.disposition].map(|word| harmless(word));
        let of = harmless(notification.original_message_id.as_deref().unwrap_or("a message without Message-ID"));
        let who = harmless(&notification.final_recipient);
        let head = paint.bold("notification");
        let place = harmless(&notification.path);
        let _ =
            writeln!(out, "{head} of {who} on {of}: {}  ({place}, protected by {})", what.join(", "), harmless(layer));
    }
    for stamp in &verdict.timestamps {
        let signer = stamp.signer.map(|signer| format!("on signer {} of ", signer + 1)).unwrap_or_default();
        let counts = if stamp.counts { ", counts" } else { "" };
        let _ = writeln!(out, "{} {signer}{}{counts}", paint.bold("time-stamp"), harmless(&stamp.layer));
        stamp_text::write(&mut out, stamp, paint);
    }
    if let Some(protection) = &verdict.header_protection {
        let head = paint.bold("header fields");
        let _ = writeln!(out, "{head}, {}  ({})", protection.scheme, harmless(&protection.payload));
        for (name, field) in &verdict.headers {
            let _ = writeln!(out, "  {}", header_field(name, field));
        }
    }
    out
}

/// One line: the values that count, how they are protected, and what stands outside.
fn header_field(name: &str, field: &HeaderField) -> String {
    let values = |values: &[String]| harmless(&values.join(" | "));
    let shown = field.outer.as_deref().map(|outer| match outer {
        [] => "; not outside".to_owned(),
        outer => format!("; outside: {}", values(outer)),
    });
    format!("{} {}: {}{}", field.state, harmless(name), values(&field.protected), shown.unwrap_or_default())
}

struct Text<'a> {
    out: &'a mut String,
    paint: Paint,
    indent: String,
}

impl Text<'_> {
    fn layer(&mut self, layer: &Layer) {
        let form = layer.form.map(|form| format!(", {form}")).unwrap_or_default();
        let dialect = layer.dialect.map(|dialect| format!(", {dialect}")).unwrap_or_default();
        let cipher = layer
            .content_cipher
            .as_deref()
            .or(layer.mac.as_deref())
            .map(|cipher| format!(", {}", harmless(cipher)))
            .unwrap_or_default();
        let head = format!("{}{form}{dialect}{cipher}", layer.kind);
        let head = self.paint.bold(&head);
        self.line(0, &format!("{head}  ({})", harmless(&layer.path)));
        self.aspects(1, layer);
        if let Some(receipt) = &layer.receipt {
            let head = format!("receipt for content {} of type ", harmless(&receipt.identifier));
            self.line(1, &(head + &harmless(&receipt.content_type)));
        }
        for certificate in &layer.attribute_certificates {
            let (holder, issuer) = (harmless(&certificate.holder), harmless(&certificate.issuer));
            let serial = harmless(&certificate.serial);
            self.line(1, &format!("attribute certificate of {holder}, issued by {issuer}, serial {serial}"));
        }
        if layer.crls > 0 || !layer.revocation.is_empty() {
            let other = layer.revocation.len();
            self.line(1, &format!("carries {} CRLs and {other} other objects about revocation", layer.crls));
        }
        for recipient in &layer.recipients {
            let matched = if recipient.matched { "  <- a key that was given" } else { "" };
            let (kind, id) = (harmless(&recipient.kind), harmless(&recipient.id));
            self.line(1, &format!("recipient {kind} {id}, {}{matched}", harmless(&recipient.algorithm)));
        }
        for signer in &layer.signers {
            self.signer(signer, layer.signers.len() > 1);
        }
        if !layer.uncovered.is_empty() {
            let parts = |parts: &[String]| harmless(&parts.join(", "));
            let covered = parts(&layer.covered);
            self.line(1, &format!("covers part {covered}; shown beside it: part {}", parts(&layer.uncovered)));
        }
        if !layer.deviations.is_empty() {
            let names: Vec<_> = layer.deviations.iter().map(|deviation| deviation.code()).collect();
            self.line(1, &format!("accepted against the standard: {}", names.join(", ")));
        }
    }

    /// What applies in one line, then each bad aspect's detail.
    fn aspects(&mut self, depth: usize, layer: &Layer) {
        let values: Vec<_> = AspectName::ALL.iter().map(|name| (name.code(), layer.aspect(*name))).collect();
        self.values(depth, &values);
    }

    fn values(&mut self, depth: usize, values: &[(&str, &Aspect)]) {
        let applies = values.iter().filter(|(_, aspect)| **aspect != Aspect::Absent);
        let words: Vec<_> = applies.map(|(name, aspect)| format!("{name} {}", self.paint.aspect(aspect))).collect();
        if !words.is_empty() {
            self.line(depth, &words.join(", "));
        }
        for (name, aspect) in values {
            if let Aspect::Bad(bad) = aspect {
                let also = bad.also.iter().map(|reason| format!("; also {reason}")).collect::<String>();
                if !bad.detail.is_empty() || !also.is_empty() {
                    self.line(depth + 1, &format!("{name}: {}{also}", harmless(&bad.detail)));
                }
            }
        }
    }

    fn signer(&mut self, signer: &Signer, one_of_several: bool) {
        let who = match (signer.email.is_empty(), signer.subject.is_empty()) {
            (false, _) => signer.email.join(", "),
            (true, false) => signer.subject.clone(),
            (true, true) => "unknown".to_owned(),
        };
        let when = signer.signing_time.as_deref().map(|time| format!(", {}", harmless(time))).unwrap_or_default();
        let algorithms = format!("{}, {}", harmless(&signer.digest), harmless(&signer.signature));
        self.line(1, &format!("signer {} ({algorithms}{when})", harmless(&who)));
        if !signer.subject.is_empty() {
            self.line(2, &format!("certificate of {}", harmless(&signer.subject)));
        }
        if let Some(address) = &signer.matched_address {
            self.line(2, &format!("{} is the author", harmless(address)));
        }
        if !signer.issuer.is_empty() {
            self.line(2, &format!("issued by {}, serial {}", harmless(&signer.issuer), harmless(&signer.serial)));
        }
        if let Some(at) = &signer.chain_at {
            self.line(2, &format!("judged at the time of its time-stamp, {}", harmless(at)));
        }
        statements_text::lines(&signer.statements).iter().for_each(|line| self.line(2, line));
        if one_of_several {
            let values = [
                ("integrity", &signer.integrity),
                ("chain", &signer.chain),
                ("identity", &signer.identity),
                ("policy", &signer.policy),
                ("time", &signer.time),
            ];
            self.values(2, &values);
        }
        self.countersignatures(signer, 2);
        if !signer.deviations.is_empty() {
            let names: Vec<_> = signer.deviations.iter().map(|deviation| deviation.code()).collect();
            self.line(2, &format!("accepted against the standard: {}", names.join(", ")));
        }
    }

    /// Signatures over a signature, and those over them.
    fn countersignatures(&mut self, signer: &Signer, depth: usize) {
        for counter in &signer.countersignatures {
            let who = if counter.subject.is_empty() { "unknown" } else { &counter.subject };
            self.line(depth, &format!("countersigned by {}", harmless(who)));
            self.values(depth + 1, &[("integrity", &counter.integrity), ("chain", &counter.chain)]);
            self.countersignatures(counter, depth + 1);
        }
    }

    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.out, "{}{}{text}", self.indent, "  ".repeat(depth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_verdict::{Deviation, Form, HeaderProtection, HeaderScheme, HeaderState, Kind, Reason, Recipient};

    #[test]
    fn a_verdict_reads_from_outside_in() {
        let mut outer = Layer::new("1/enveloped-data", Kind::Encrypted);
        outer.structure = Aspect::Good;
        outer.decryption = Aspect::Good;
        outer.content_cipher = Some("aes-256-cbc".to_owned());
        outer.recipients = vec![Recipient {
            kind: "ktri".to_owned(),
            id: "issuer=CN=CA, serial=01".to_owned(),
            algorithm: "rsa-pkcs1-v1_5".to_owned(),
            matched: true,
        }];
        let mut inner = Layer::new("1/enveloped-data/1/signed-data", Kind::Signed);
        inner.form = Some(Form::Clear);
        inner.structure = Aspect::Good;
        inner.integrity = Aspect::Good;
        inner.chain = Aspect::unchecked(Reason::NoAnchor);
        inner.identity = Aspect::bad(Reason::AddressMismatch, "From is \u{1b}mallory");
        inner.deviations = vec![Deviation::LfLineEnds];
        inner.covered = vec!["1.1".to_owned()];
        inner.uncovered = vec!["2".to_owned()];
        inner.signers = vec![Signer {
            email: vec!["alice@example.test".to_owned()],
            subject: "CN=Alice".to_owned(),
            issuer: "CN=CA".to_owned(),
            serial: "01".to_owned(),
            digest: "sha-256".to_owned(),
            signature: "rsa-pkcs1-v1_5".to_owned(),
            signing_time: Some("2025-06-15T12:00:00Z".to_owned()),
            ..Signer::default()
        }];
        let text = write(&Verdict::new("auto", vec![outer, inner]), Paint::plain());
        insta::assert_snapshot!(text);
        assert!(!text.contains('\u{1b}'));
        insta::assert_snapshot!(write(&Verdict::new("auto", Vec::new()), Paint::plain()));
    }

    #[test]
    fn protected_header_fields_follow_the_layers() {
        let mut verdict = Verdict::new("auto", vec![Layer::new("1/signed-data", Kind::Signed)]);
        verdict.header_protection = Some(HeaderProtection {
            scheme: HeaderScheme::Cipher,
            payload: "1/signed-data/1".to_owned(),
            legacy_display: Vec::new(),
        });
        let field = |state, protected: &[&str], outer: Option<&[&str]>| HeaderField {
            state,
            protected: protected.iter().map(ToString::to_string).collect(),
            outer: outer.map(|outer| outer.iter().map(ToString::to_string).collect()),
            hp_outer: Vec::new(),
        };
        let hidden = HeaderState::SignedAndEncrypted;
        for (name, field) in [
            ("keywords", field(hidden, &["a", "b"], Some(&[]))),
            ("reply-to", field(HeaderState::Unprotected, &[], Some(&["\u{1b}mallory"]))),
            ("subject", field(hidden, &["Invoice"], Some(&["[...]"]))),
            ("to", field(HeaderState::SignedOnly, &["bob@example.test"], None)),
        ] {
            verdict.headers.insert(name.to_owned(), field);
        }
        let text = write(&verdict, Paint::plain());
        let lines: Vec<_> = text.lines().skip_while(|line| !line.starts_with("header")).collect();
        let expected = [
            "header fields, cipher  (1/signed-data/1)",
            "  signed-and-encrypted keywords: a | b; not outside",
            "  unprotected reply-to: ; outside: \\u{1b}mallory",
            "  signed-and-encrypted subject: Invoice; outside: [...]",
            "  signed-only to: bob@example.test",
        ];
        assert_eq!(lines, expected);
    }
}
