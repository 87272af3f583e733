//! The structure that a writer's program leaves in a message and its user
//! cannot change: spelling and order in MIME, encoding, order and choice in CMS.
//!
//! Nothing is judged here and nobody is named: these are facts, by the names of
//! [`FactName`]. Who writes like this is data, and not the engine's business.

mod boundary;
mod mime;
mod object;

use std::cell::RefCell;
use std::io::{self, SeekFrom};

use waxseal_verdict::{
    Aspect, Claim, Deviation, FactName, Fingerprint, Form, Kind, Layer, LayerFingerprint, Reason, Signer, Verdict,
};

use crate::Limits;
use crate::cms::oid;
use crate::inspect::inspect_object;
use crate::io::{Source, Workspace};
use crate::message::{InputKind, Observer, OpenError, OpenRequest, open};
use crate::mime::smime::{self, Protected, Role};
use crate::mime::{Body, MimeError, Part, TransferEncoding, decode_body, has_header_field, parse};

/// Reads the structure of a message: a mail, or a bare CMS object in DER, BER
/// or PEM. Layers inside an encrypted one are seen if the request has the key.
///
/// # Errors
/// The input is no message, or cannot be read; see [`open`]. Damage in a layer
/// is no error: what stands before it is shown.
pub fn fingerprint(
    input: &mut dyn Source,
    workspace: &mut dyn Workspace,
    request: &OpenRequest<'_>,
) -> Result<Fingerprint, OpenError> {
    let limits = request.limits;
    let reading = Reading { limits, layers: RefCell::default() };
    let mut claims = Vec::new();
    match InputKind::of(input, limits)? {
        InputKind::Mail => {
            let root = parse(input, limits)?;
            claims = claims_of(&root);
            reading.tree(input, &root, "")?;
        }
        InputKind::Cms => reading.bare(Body::new(input, 0..u64::MAX, TransferEncoding::Binary)?),
        InputKind::Pem(range) => reading.bare(Body::new(input, range, TransferEncoding::Base64)?),
        // What an authority answers is not mail.
        InputKind::TimeStampResponse(_) | InputKind::Neither => return Err(OpenError::NotAMessage),
    }
    let request = OpenRequest { observer: Some(&reading), ..request.clone() };
    let verdict = open(input, None, workspace, &request)?.verdict;
    let mut layers = reading.layers.into_inner();
    let place = |path: &str| verdict.layers.iter().position(|layer| layer.path == path).unwrap_or(usize::MAX);
    layers.sort_by_key(|layer| place(&layer.path));
    for layer in &mut layers {
        add_verdict(layer, &verdict);
    }
    Ok(Fingerprint::new(claims, layers))
}

/// Header fields in which programs name themselves.
const CLAIMS: [&str; 3] = ["x-mailer", "user-agent", "x-mimeole"];

fn claims_of(root: &Part) -> Vec<Claim> {
    let fields = root.headers.fields().filter(|field| CLAIMS.iter().any(|name| field.is(name)));
    fields.map(|field| Claim { field: field.name().to_owned(), value: field.value().into_owned() }).collect()
}

/// What only opening a message shows.
fn add_verdict(layer: &mut LayerFingerprint, verdict: &Verdict) {
    let around = |other: &Layer| layer.path.strip_prefix(&other.path).is_some_and(|rest| rest.starts_with('/'));
    let hides = |kind| matches!(kind, Kind::Encrypted | Kind::AuthEnveloped | Kind::EncryptedData);
    layer.inside_encryption = verdict.layers.iter().any(|other| hides(other.kind) && around(other));
    let judged = verdict.layers.iter().find(|judged| judged.path == layer.path);
    let signer = judged.and_then(|judged| judged.signers.first());
    if layer.text(FactName::AttributesSorted).as_deref() == Some("no")
        && let Some(word) = signer.and_then(over)
    {
        layer.word(FactName::AttributesSigned, word);
    }
}

/// What the signature is over, of attributes that are not in the order of DER.
fn over(signer: &Signer) -> Option<&'static str> {
    if signer.deviations.contains(&Deviation::AttributesNotDer) {
        return Some("as-received");
    }
    // A content that was altered on its way says nothing of the attributes.
    let fits = match &signer.integrity {
        Aspect::Good => true,
        Aspect::Bad(bad) => bad.reason == Reason::DigestMismatch && bad.also.is_empty(),
        _ => false,
    };
    fits.then_some("sorted")
}

/// Collects layers, from the message itself and from what comes out of them.
#[derive(Debug)]
struct Reading<'a> {
    limits: &'a Limits,
    layers: RefCell<Vec<LayerFingerprint>>,
}

impl Observer for Reading<'_> {
    fn content(&self, layer: &str, content_type: &str, content: &mut dyn Source) -> io::Result<()> {
        if oid::standard(content_type) != oid::DATA || !has_header_field(content, self.limits).map_err(failed)? {
            return Ok(());
        }
        match parse(content, self.limits) {
            Ok(root) => self.tree(content, whole_message(&root), &format!("{layer}/")).map_err(failed),
            Err(error @ MimeError::Read { .. }) => Err(failed(error)),
            // What cannot be cut into parts has no structure to show.
            Err(_) => Ok(()),
        }
    }
}

impl Reading<'_> {
    /// The layers of a tree, and those in what is signed clear.
    fn tree(&self, source: &mut dyn Source, root: &Part, prefix: &str) -> Result<(), MimeError> {
        for protected in smime::find(root) {
            if self.layers.borrow().len() >= self.limits.layers {
                return Ok(());
            }
            self.protected(source, &protected, prefix)?;
            if let Role::Signed { content, .. } = &protected.smime.role {
                self.tree(source, whole_message(content), prefix)?;
            }
        }
        Ok(())
    }

    fn protected(&self, source: &mut dyn Source, protected: &Protected<'_>, prefix: &str) -> Result<(), MimeError> {
        source.seek(SeekFrom::Start(0)).map_err(|source| MimeError::Read { offset: 0, source })?;
        let part = protected.smime.part;
        let mut layer = LayerFingerprint::new(format!("{prefix}{}/unknown", part.path), Kind::Unknown, None);
        if let Some(holder) = protected.smime.object() {
            layer.path = format!("{prefix}{}/unknown", holder.path);
            match decode_body(source, holder) {
                Ok(body) => object::read(&mut layer, &inspect_object(body, self.limits)),
                Err(error) => layer.error = Some(error.to_string()),
            }
            mime::object_part(&mut layer, source, holder)?;
        }
        mime::protected_part(&mut layer, source, part)?;
        if let Role::Signed { content, signature, .. } = &protected.smime.role {
            layer.form = Some(Form::Clear);
            mime::signed_parts(&mut layer, content, signature);
        }
        self.layers.borrow_mut().push(layer);
        Ok(())
    }

    /// An object without MIME around it.
    fn bare(&self, body: Body<'_>) {
        let mut layer = LayerFingerprint::new("unknown".to_owned(), Kind::Unknown, None);
        object::read(&mut layer, &inspect_object(body, self.limits));
        self.layers.borrow_mut().push(layer);
    }
}

/// The message in a `message/rfc822` that is the whole content of a layer.
fn whole_message(part: &Part) -> &Part {
    part.content_type.is_message().then(|| part.children.first()).flatten().unwrap_or(part)
}

fn failed(error: MimeError) -> io::Error {
    match error {
        MimeError::Read { source, .. } => source,
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
