//! What header protection means for the verdict.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_verdict::{
    Aspect, Deviation, HeaderField, HeaderProtection, HeaderScheme, HeaderState, Kind, Layer, Reason, Verdict,
};

use super::Payload;
use super::sets::{FieldSet, same_values};
use crate::certificate::identity::{self, Author};
use crate::check::Check;
use crate::message::context::Context;
use crate::mime::Headers;

/// Fields that a reader shows or acts upon. Where one stands outside only, the
/// verdict shows it as unprotected: a reader must not merge it in (RFC 9788
/// section 4.4.4).
const SHOWN: &[&str] = &[
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "date",
    "subject",
    "message-id",
    "in-reply-to",
    "references",
    "comments",
    "keywords",
    "followup-to",
    "mail-followup-to",
];

/// Fields that every station on the way adds its own of (RFC 5322 section 3.6.7
/// and its like); that they differ says nothing.
const TRACE: &[&str] = &["received", "return-path", "delivered-to", "authentication-results", "dkim-signature"];

/// What stands for a hidden Subject: that of RFC 9788 section 3.2.1, and what
/// programs wrote before it.
const HIDDEN_SUBJECTS: &[&str] = &["[...]", "...", "Encrypted Message"];

/// Field names in a detail; a header can have very many.
const NAMED: usize = 8;

/// Judges the header fields of a message: puts them on the verdict, says on the
/// innermost layer around the payload what outside contradicts them, and judges
/// author and Date of signed layers by the protected fields.
///
/// `outer` is the header section of the mail; `None` for a bare object.
pub(in crate::message) fn judge(
    verdict: &mut Verdict,
    payload: &Payload,
    outer: Option<&Headers>,
    context: &Context<'_>,
) {
    if !Check::HeaderProtection.on() {
        return;
    }
    let Some((scheme, path, headers)) = payload.protected(outer) else { return };
    let Some(envelope) = verdict.layers.get_mut(..payload.layers).filter(|layers| !layers.is_empty()) else { return };
    let encrypted =
        envelope.iter().any(|layer| matches!(layer.kind, Kind::Encrypted | Kind::AuthEnveloped | Kind::EncryptedData));
    let sets = Sets::new(scheme, encrypted, headers, outer);
    judge_author(envelope, headers, outer, context);
    judge_date(envelope, headers, context);
    let contradicted = sets.contradicted(bound_to(envelope, headers));
    if let Some(layer) = envelope.last_mut() {
        let should_hide = scheme == HeaderScheme::Cipher;
        if scheme != HeaderScheme::Rfc8551 && should_hide != encrypted {
            layer.deviate(Deviation::HpWrong);
        }
        if payload.repeats {
            layer.deviate(Deviation::RepeatedHeader);
        }
        if !contradicted.is_empty() && Check::Coverage.on() {
            let detail = format!("the outer header contradicts the protected {}", list(&contradicted));
            layer.coverage = std::mem::take(&mut layer.coverage).worst(Aspect::bad(Reason::OuterHeaderDiffers, detail));
        }
    }
    let signed = envelope.iter().any(is_signed);
    verdict.headers = sets.fields(signed);
    verdict.header_protection =
        Some(HeaderProtection { scheme, payload: path.to_owned(), legacy_display: payload.legacy_display() });
}

/// The sets of fields of one message (RFC 9788 section 4.2.1).
struct Sets {
    scheme: HeaderScheme,
    encrypted: bool,
    /// Inside the payload: the fields that count.
    protected: FieldSet,
    /// What the sender says to stand outside; empty but with `hp="cipher"`.
    hp_outer: FieldSet,
    /// What does stand outside.
    outer: Option<FieldSet>,
}

impl Sets {
    fn new(scheme: HeaderScheme, encrypted: bool, headers: &Headers, outer: Option<&Headers>) -> Self {
        let says = scheme == HeaderScheme::Cipher;
        Self {
            scheme,
            encrypted,
            protected: FieldSet::of(headers),
            hp_outer: if says { FieldSet::of_hp_outer(headers) } else { FieldSet::default() },
            outer: outer.map(FieldSet::of),
        }
    }

    /// Every field for the verdict.
    fn fields(&self, signed: bool) -> BTreeMap<String, HeaderField> {
        let outer = self.outer.as_ref();
        let shown = SHOWN.iter().copied().filter(|name| outer.is_some_and(|outer| !outer.values(name).is_empty()));
        let names: BTreeSet<&str> = self.protected.names().chain(self.hp_outer.names()).chain(shown).collect();
        let field = |name: &str| {
            let protected = self.protected.values(name);
            HeaderField {
                state: self.state(name, signed),
                protected: protected.to_vec(),
                outer: outer.map(|outer| outer.values(name)).filter(|outer| *outer != protected).map(<[_]>::to_vec),
                hp_outer: self.hp_outer.values(name).to_vec(),
            }
        };
        names.into_iter().map(|name| (name.to_owned(), field(name))).collect()
    }

    /// HeaderFieldProtection of RFC 9788 section 4.3.1; what is said to be
    /// hidden counts as hidden only inside encryption.
    fn state(&self, name: &str, signed: bool) -> HeaderState {
        let values = self.protected.values(name);
        let hidden = self.encrypted
            && match self.scheme {
                HeaderScheme::Cipher => !self.hp_outer.has_any(name, values),
                // Nobody says what was outside but the outside (RFC 9788 section 4.10.2).
                HeaderScheme::Rfc8551 => self.outer.as_ref().is_none_or(|outer| !outer.has_any(name, values)),
                _ => false,
            };
        match (values.is_empty(), signed, hidden) {
            (true, ..) | (_, false, false) => HeaderState::Unprotected,
            (_, true, false) => HeaderState::SignedOnly,
            (_, false, true) => HeaderState::EncryptedOnly,
            (_, true, true) => HeaderState::SignedAndEncrypted,
        }
    }

    /// The names of the fields that say outside what neither the protected
    /// field nor HP-Outer says; From first.
    ///
    /// A From whose address the sender himself changed outside counts too, but
    /// where a signature is `bound` to the protected one (RFC 9788 section 4.4).
    fn contradicted(&self, bound: bool) -> Vec<&str> {
        let Some(outer) = &self.outer else { return Vec::new() };
        let is_contradicted = |name: &&str| {
            let found = outer.values(name);
            let (protected, said) = (self.protected.values(name), self.hp_outer.values(name));
            if found.is_empty() || TRACE.contains(name) {
                return false;
            }
            let expected = if said.is_empty() { protected } else { said };
            if !expected.is_empty() && !same_values(name, found, expected) && !self.hides_subject(name, found) {
                return true;
            }
            *name == "from" && !bound && !protected.is_empty() && addresses(found) != addresses(protected)
        };
        let names: BTreeSet<&str> = self.protected.names().chain(self.hp_outer.names()).collect();
        let mut list: Vec<&str> = names.into_iter().filter(is_contradicted).collect();
        list.sort_by_key(|name| *name != "from");
        list.into_iter().map(|name| self.protected.spelling(name).or(outer.spelling(name)).unwrap_or(name)).collect()
    }

    /// Whether this is the Subject of an encrypted RFC 8551 wrapping, hidden:
    /// there is no HP-Outer that could say so.
    fn hides_subject(&self, name: &str, found: &[String]) -> bool {
        self.scheme == HeaderScheme::Rfc8551
            && self.encrypted
            && name == "subject"
            && matches!(found, [one] if HIDDEN_SUBJECTS.contains(&one.as_str()))
    }
}

/// A layer with a signature that holds. Whose it is, chain and identity say.
fn is_signed(layer: &Layer) -> bool {
    layer.kind == Kind::Signed && layer.signers.iter().any(|signer| signer.integrity.is_good())
}

/// The addresses of From values, in lower case.
fn addresses(values: &[String]) -> BTreeSet<String> {
    let parse = |value: &String| Headers::parse(format!("From: {value}\r\n").as_bytes(), usize::MAX);
    let headers = values.iter().filter_map(|value| parse(value).ok());
    headers.flat_map(|headers| headers.from_addresses()).map(|address| address.to_lowercase()).collect()
}

/// Whether a signature is valid and bound to the protected From: its
/// certificate names that address (RFC 9788 section 4.4.1).
fn bound_to(envelope: &[Layer], headers: &Headers) -> bool {
    let author = Author::of(headers);
    envelope.iter().filter(|layer| layer.kind == Kind::Signed).flat_map(|layer| &layer.signers).any(|signer| {
        signer.integrity.is_good()
            && !signer.chain.is_bad()
            && identity::compare(&author, &signer.email).address.is_some()
    })
}

/// Judges the identity of every signer whose signature holds by the protected
/// From and Sender, unless the caller expects somebody.
fn judge_author(envelope: &mut [Layer], headers: &Headers, outer: Option<&Headers>, context: &Context<'_>) {
    if context.request.from.is_some() || headers.get("from").is_none() {
        return;
    }
    let author = Author::of(headers);
    let differs = outer.is_some_and(|outer| {
        let list = |headers: &Headers| headers.all("from").map(|field| field.value().into_owned()).collect::<Vec<_>>();
        addresses(&list(outer)) != addresses(&list(headers))
    });
    for layer in envelope.iter_mut().filter(|layer| layer.kind == Kind::Signed) {
        // A signer without a certificate has no issuer, and no identity.
        for signer in layer.signers.iter_mut().filter(|one| one.integrity.is_good() && !one.issuer.is_empty()) {
            let compared = identity::compare(&author, &signer.email);
            signer.matched_address = compared.address;
            signer.identity = compared.aspect;
            if let Aspect::Bad(bad) = &mut signer.identity
                && differs
            {
                bad.detail.push_str("; From is the protected one, the outer From has another address");
            }
        }
        let identities = layer.signers.iter().map(|signer| signer.identity.clone());
        layer.identity = identities.fold(Aspect::Absent, Aspect::worst);
    }
}

/// Judges every signing time by the protected Date.
fn judge_date(envelope: &mut [Layer], headers: &Headers, context: &Context<'_>) {
    let (policy, at) = (context.request.policy, context.request.at);
    let Some(date) = headers.date().filter(|date| Some(*date) != context.date) else { return };
    for layer in envelope.iter_mut().filter(|layer| layer.kind == Kind::Signed) {
        for signer in &mut layer.signers {
            let time = signer.signing_time.as_deref().and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok());
            // What else was said of the time stays.
            if time.is_some() && signer.time == policy.judge_time(context.date, time, at) {
                signer.time = policy.judge_time(Some(date), time, at);
            }
        }
        let times = layer.signers.iter().map(|signer| signer.time.clone());
        layer.time = times.fold(Aspect::Absent, Aspect::worst);
    }
}

/// Names for a person; of very many the first few.
fn list(names: &[&str]) -> String {
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
