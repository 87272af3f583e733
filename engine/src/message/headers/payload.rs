//! The Cryptographic Payload: what is inside the outermost unbroken sequence of
//! layers (RFC 9787 section 4).

use waxseal_verdict::HeaderScheme;

use crate::mime::{ContentType, Headers, Part, smime};

/// The payload of a message as far as it tells of header protection.
#[derive(Debug, Clone)]
pub(in crate::message) struct Payload {
    /// Its place.
    pub(super) path: String,
    /// Its own header fields.
    pub(super) headers: Headers,
    /// Whether something that may stand once stands twice: hp, or Content-Type.
    pub(super) repeats: bool,
    /// How many layers are around it.
    pub(in crate::message) layers: usize,
    /// What its hp parameter says, if it has one that is known.
    hp: Option<HeaderScheme>,
    /// The message that it is, if it is one that may be an RFC 8551 wrapping.
    wrapped: Option<Wrapped>,
    /// Main body parts with a legacy display element.
    legacy_display: Vec<String>,
}

/// The message inside a `message/rfc822` payload.
#[derive(Debug, Clone)]
struct Wrapped {
    path: String,
    headers: Headers,
    /// The `forwarded` parameter of the wrapping.
    forwarded: Option<String>,
}

impl Payload {
    /// The payload that this entity is; `prefix` is the path of what it is
    /// inside of, `layers` the number of layers around it.
    pub(in crate::message) fn new(entity: &Part, prefix: &str, layers: usize) -> Self {
        let values = hp_values(&entity.content_type);
        let known: Vec<_> = values.iter().filter_map(|value| scheme_of(value)).collect();
        // Readers differ in which of two they take: the one that promises less counts.
        let hp = known.iter().copied().min();
        let inside = entity.children.first().filter(|_| entity.content_type.is_message());
        let wrapped = inside
            .filter(|message| values.is_empty() && hp_values(&message.content_type).is_empty())
            .filter(|message| !is_layer(message))
            .map(|message| Wrapped {
                path: format!("{prefix}{}", message.path),
                headers: message.headers.clone(),
                forwarded: entity.content_type.get("forwarded").map(str::to_ascii_lowercase),
            });
        // Elsewhere, and without hp, the parameter means nothing.
        let bodies = if hp.is_some() { main_bodies(entity) } else { Vec::new() };
        let has_element = |part: &&Part| part.content_type.get("hp-legacy-display") == Some("1");
        let legacy_display =
            bodies.into_iter().filter(has_element).map(|part| format!("{prefix}{}", part.path)).collect();
        Self {
            path: format!("{prefix}{}", entity.path),
            headers: entity.headers.clone(),
            repeats: values.len() > 1 || (hp.is_some() && entity.headers.all("content-type").count() > 1),
            layers,
            hp,
            wrapped,
            legacy_display,
        }
    }

    /// The scheme by which header fields are protected, the place of the part
    /// that holds them, and these; `None` where none are protected.
    ///
    /// A `message/rfc822` payload without hp is the wrapping of RFC 8551
    /// section 3.1 under the conditions of RFC 9788 section 4.10.1: the message
    /// in it has neither hp nor a layer of its own. That is the structure of a
    /// signed forward as well, and what somebody else once wrote must not
    /// become the header of the mail that carries it. So it counts as forwarded
    /// if the `forwarded` parameter of the early drafts says so; or, without
    /// that parameter, if it has another author and another Message-ID than the
    /// mail. A sender's own wrapping has the same of both. Whoever alters both
    /// outside to hide a wrapping becomes the author of the mail, and is judged
    /// as such by the signer's certificate.
    pub(super) fn protected(&self, outer: Option<&Headers>) -> Option<(HeaderScheme, &str, &Headers)> {
        if let Some(hp) = self.hp {
            return Some((hp, &self.path, &self.headers));
        }
        let wrapped = self.wrapped.as_ref()?;
        let is_own = match wrapped.forwarded.as_deref() {
            Some("no") => true,
            Some("yes") => false,
            _ => outer.is_some_and(|outer| same_mail(outer, &wrapped.headers)),
        };
        is_own.then_some((HeaderScheme::Rfc8551, &wrapped.path, &wrapped.headers))
    }

    /// Main body parts with a legacy display element (RFC 9788 section 4.5).
    pub(super) fn legacy_display(&self) -> Vec<String> {
        self.legacy_display.clone()
    }
}

/// Whether two headers seem to be of one mail: the same authors or the same
/// Message-ID.
fn same_mail(outer: &Headers, inner: &Headers) -> bool {
    let authors = |headers: &Headers| {
        let mut list: Vec<_> = headers.from_addresses().iter().map(|address| address.to_lowercase()).collect();
        list.sort_unstable();
        list
    };
    let id = |headers: &Headers| headers.get("message-id").map(|field| field.value().into_owned());
    authors(outer) == authors(inner) || (id(outer).is_some() && id(outer) == id(inner))
}

/// The values of all hp parameters.
fn hp_values(content_type: &ContentType) -> Vec<&str> {
    content_type.params.iter().filter(|(name, _)| name == "hp").map(|(_, value)| value.as_str()).collect()
}

fn scheme_of(hp: &str) -> Option<HeaderScheme> {
    [HeaderScheme::Clear, HeaderScheme::Cipher].into_iter().find(|scheme| hp.eq_ignore_ascii_case(scheme.code()))
}

fn is_layer(part: &Part) -> bool {
    smime::find(part).first().is_some_and(|protected| std::ptr::eq(protected.smime.part, part))
}

/// The main body parts: texts that are the entity, an alternative of it, or the
/// first part of it (RFC 9787 section 7.1).
pub(in crate::message) fn main_bodies(part: &Part) -> Vec<&Part> {
    let is_attached = part.disposition.as_ref().is_some_and(|disposition| disposition.kind == "attachment");
    match part.content_type.media_type.as_str() {
        _ if is_attached => Vec::new(),
        "text/plain" | "text/html" => vec![part],
        "multipart/alternative" => part.children.iter().flat_map(main_bodies).collect(),
        "multipart/mixed" | "multipart/related" => part.children.first().map(main_bodies).unwrap_or_default(),
        _ => Vec::new(),
    }
}
