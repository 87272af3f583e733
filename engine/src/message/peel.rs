//! Peeling: from a MIME tree to its CMS objects, and from the content of each
//! to the tree inside it.

use std::io::{self, SeekFrom};

use waxseal_verdict::{Aspect, Deviation, Form, Kind, Layer, Notification, Reason, Signer};

use crate::ber::Reader;
use crate::check::Check;
use crate::cms::{CmsError, ContentInfo, Envelope, oid};
use crate::io::{Source, Spool, Workspace};
use crate::message::content;
use crate::message::context::Context;
use crate::message::headers::Payload;
use crate::message::object::{Announced, Object};
use crate::message::request::OpenError;
use crate::message::signed::{self, SignedContent, SignedObject};
use crate::message::{authenticated, enclosed, enveloped, notification, receipt, stamp};
use crate::mime::smime::{self, Micalg, Protected, Role, SmimeType};
use crate::mime::{self, MimeError, Part};
use crate::timestamp::TimeStampResp;

/// Peels a message, layer by layer.
pub(super) struct Peeler<'a> {
    context: &'a Context<'a>,
    workspace: &'a mut dyn Workspace,
    layers: Vec<Layer>,
    content: Option<Box<dyn Spool>>,
    depth: usize,
    /// Whether every layer so far is the whole content of the one before it.
    unbroken: bool,
    payload: Option<Payload>,
    notifications: Vec<Notification>,
    /// The layers around what is being peeled.
    around: Vec<usize>,
}

/// What peeling gave.
pub(super) struct Peeled {
    pub(super) layers: Vec<Layer>,
    /// The payload of the layers that follow each other unbroken from the
    /// outermost on.
    pub(super) payload: Option<Payload>,
    /// The innermost entity.
    pub(super) content: Option<Box<dyn Spool>>,
    pub(super) notifications: Vec<Notification>,
}

impl<'a> Peeler<'a> {
    pub(super) fn new(context: &'a Context<'a>, workspace: &'a mut dyn Workspace) -> Self {
        Self {
            context,
            workspace,
            layers: Vec::new(),
            content: None,
            depth: 0,
            unbroken: true,
            payload: None,
            notifications: Vec::new(),
            around: Vec::new(),
        }
    }

    pub(super) fn into_parts(self) -> Peeled {
        let Self { layers, payload, content, notifications, .. } = self;
        Peeled { layers, payload, content, notifications }
    }

    /// Peels one MIME tree; `prefix` is the path of what it is inside of.
    pub(super) fn peel_tree(&mut self, source: &mut dyn Source, root: &Part, prefix: &str) -> Result<(), OpenError> {
        self.read_notifications(source, root, prefix)?;
        for protected in smime::find(root) {
            if self.depth >= self.context.request.limits.layers {
                self.push_too_deep(format!("{prefix}{}/unknown", protected.smime.part.path));
                continue;
            }
            let index = self.layers.len();
            let unbroken = self.unbroken;
            self.unbroken &= std::ptr::eq(protected.smime.part, root);
            if self.unbroken {
                // What looked like the payload is a further layer.
                self.payload = None;
            }
            self.peel_protected(source, &protected, prefix)?;
            self.unbroken = unbroken;
            self.judge_coverage(index, &protected, prefix);
        }
        Ok(())
    }

    /// Reads the disposition notifications of a tree. Of one that is seen
    /// inside several layers the innermost counts, which comes last.
    fn read_notifications(&mut self, source: &mut dyn Source, root: &Part, prefix: &str) -> Result<(), OpenError> {
        let protecting = self.around.iter().rev().filter_map(|index| self.layers.get(*index));
        let layer = protecting.filter(|layer| layer.kind.protects()).map(|layer| layer.path.clone()).next();
        for part in root.walk() {
            let path = format!("{prefix}{}", part.path);
            let limits = self.context.request.limits;
            let read = |source: &mut dyn Source| notification::read(source, part, limits);
            let found = read(source).or_else(|error| mime_aspect(error).map(|_| None))?;
            let Some(found) = found else { continue };
            self.notifications.retain(|known| known.path != path);
            if self.notifications.len() < notification::MOST {
                self.notifications.push(Notification { path, layer: layer.clone(), ..found });
            }
        }
        Ok(())
    }

    fn peel_protected(
        &mut self,
        source: &mut dyn Source,
        protected: &Protected<'_>,
        prefix: &str,
    ) -> Result<(), OpenError> {
        let part = protected.smime.part;
        let path = format!("{prefix}{}", part.path);
        let announced = match &protected.smime.role {
            Role::Signed { content, signature, micalg, .. } => {
                // The place of a layer is that of its CMS object.
                let place = format!("{prefix}{}/signed-data", signature.path);
                let mut layer = Layer::new(place, Kind::Signed);
                layer.form = Some(Form::Clear);
                layer.deviations.clone_from(&protected.smime.deviations);
                return self.peel_clear(source, layer, content, signature, micalg, prefix);
            }
            Role::Broken { why } => {
                let mut layer = Layer::new(format!("{path}/signed-data"), Kind::Signed);
                layer.form = Some(Form::Clear);
                layer.deviations.clone_from(&protected.smime.deviations);
                let detail = format!("part {path} at offset {}: {why} (RFC 1847 section 2.1)", part.header.start);
                layer.structure = Aspect::bad(Reason::MimeMalformed, detail);
                signed::unchecked(&mut layer);
                self.layers.push(layer);
                return Ok(());
            }
            Role::Pkcs7Mime { smime_type } => Announced::Mime(smime_type.clone()),
            Role::CertsOnly => Announced::Mime(Some(SmimeType::CertsOnly)),
            Role::DetachedSignature => Announced::Signature,
        };
        let object = Object::part(path, part, announced, protected.smime.deviations.clone());
        self.peel_object(source, &object, None)
    }

    /// A multipart/signed: content and signature are parts of the tree.
    fn peel_clear(
        &mut self,
        source: &mut dyn Source,
        mut layer: Layer,
        content: &Part,
        signature: &Part,
        micalg: &[Micalg],
        prefix: &str,
    ) -> Result<(), OpenError> {
        let object = self.read_detached(source, signature, &mut layer)?;
        let mut canonical = mime::canonical(source, content.entity(), content.line_ends);
        let signed = SignedContent::new(&mut canonical, &object.digests(), self.context)?;
        signed::judge(&mut layer, &object, &signed, self.context);
        if object.content.is_some() && Check::DetachedWithoutContent.on() {
            let detail = format!(
                "part {prefix}{}: the detached signature carries content of its own (RFC 8551 section 3.5.3.1)",
                signature.path
            );
            let bad = Aspect::bad(Reason::DetachedWithContent, detail);
            layer.structure = std::mem::take(&mut layer.structure).worst(bad);
        }
        let declared = |signer: &Signer| micalg.iter().any(|micalg| micalg.digest == Some(signer.digest.as_str()));
        if !layer.signers.iter().all(declared) {
            layer.deviate(Deviation::MicalgWrong);
        }
        self.layers.push(layer);
        let before = self.layers.len();
        self.around.push(before - 1);
        self.depth += 1;
        self.peel_inside(source, content, prefix)?;
        self.depth -= 1;
        self.around.pop();
        if self.layers.len() == before && self.context.request.keep_content && self.content.is_none() {
            let mut spool = self.workspace.spool()?;
            io::copy(&mut mime::canonical(source, content.entity(), content.line_ends), &mut spool)?;
            spool.seek(SeekFrom::Start(0))?;
            self.content = Some(spool);
        }
        Ok(())
    }

    fn read_detached(
        &mut self,
        source: &mut dyn Source,
        signature: &Part,
        layer: &mut Layer,
    ) -> Result<SignedObject, OpenError> {
        let body = match mime::decode_body(source, signature) {
            Ok(body) => body,
            Err(error) => {
                let aspect = mime_aspect(error)?;
                let detail = aspect.reason().unwrap_or(Reason::MimeMalformed);
                return Ok(SignedObject::damaged(CmsError::new(detail, "signature part", aspect.to_string())));
            }
        };
        let mut reader = Reader::new(body, self.context.request.limits);
        let object = match ContentInfo::begin(&mut reader) {
            Ok(info) if oid::standard(&info.content_type) == oid::SIGNED_DATA => {
                let object = SignedObject::read(&mut reader, self.workspace, self.context)?;
                object.of_type(&info.content_type)
            }
            Ok(info) => {
                let detail = format!("a signature of content type {} instead of SignedData", info.content_type);
                SignedObject::damaged(CmsError::new(Reason::TypeMismatch, "ContentInfo", detail))
            }
            Err(error) => SignedObject::damaged(error),
        };
        for deviation in reader.input().deviations() {
            layer.deviate(deviation);
        }
        Ok(object)
    }

    /// One CMS object that carries its content, or a bare detached signature.
    pub(super) fn peel_object(
        &mut self,
        source: &mut dyn Source,
        object: &Object<'_>,
        detached: Option<&mut dyn Source>,
    ) -> Result<(), OpenError> {
        let body = match object.body(source) {
            Ok(body) => body,
            Err(error) => return self.push_unread(object, mime_aspect(error)?),
        };
        let mut reader = Reader::new(body, self.context.request.limits);
        let content_type = match object.begin(&mut reader) {
            Ok(content_type) => content_type,
            Err(error) => return self.push_unread(object, error.aspect()),
        };
        match oid::standard(&content_type) {
            oid::SIGNED_DATA => {
                let signed = SignedObject::read(&mut reader, self.workspace, self.context)?.of_type(&content_type);
                let deviations = reader.input().deviations();
                drop(reader);
                self.peel_signed(object, signed, &deviations, detached)
            }
            oid::ENVELOPED_DATA => {
                drop(reader);
                self.peel_enveloped(source, object, Envelope::Enveloped)
            }
            oid::AUTH_ENVELOPED_DATA => {
                drop(reader);
                self.peel_enveloped(source, object, Envelope::AuthEnveloped)
            }
            oid::ENCRYPTED_DATA => {
                drop(reader);
                self.peel_enveloped(source, object, Envelope::Encrypted)
            }
            oid::GMT_SIGNED_AND_ENVELOPED_DATA => {
                drop(reader);
                self.peel_enveloped(source, object, Envelope::SignedAndEnveloped)
            }
            oid::COMPRESSED_DATA => {
                let mut layer = object.layer(Kind::Compressed, "compressed-data");
                if object.announced.contradicts(&SmimeType::CompressedData) {
                    layer.deviate(Deviation::SmimeTypeWrong);
                }
                let content = enclosed::compressed(&mut layer, &mut reader, self.workspace, self.context)?;
                self.peel_enclosed(layer, &reader.input().deviations(), content)
            }
            oid::DATA => {
                let mut layer = object.layer(Kind::Data, "data");
                let content = enclosed::data(&mut layer, &mut reader, self.workspace, self.context)?;
                self.peel_enclosed(layer, &reader.input().deviations(), content)
            }
            oid::DIGESTED_DATA => {
                let mut layer = object.layer(Kind::Digested, "digested-data");
                let content = enclosed::digested(&mut layer, &mut reader, self.workspace, self.context)?;
                self.peel_enclosed(layer, &reader.input().deviations(), content)
            }
            oid::AUTHENTICATED_DATA => {
                let mut layer = object.layer(Kind::Authenticated, "authenticated-data");
                let content = authenticated::read(&mut layer, &mut reader, self.workspace, self.context)?;
                layer.covered = vec![layer.path.clone()];
                self.peel_enclosed(layer, &reader.input().deviations(), content)
            }
            other => {
                let mut layer = object.layer(Kind::Unknown, "unknown");
                let name = waxseal_key::algorithm::oid_name(other).unwrap_or(other);
                let detail = format!("ContentInfo.contentType: {name} is not supported");
                layer.structure = Aspect::bad(Reason::UnsupportedContentType, detail);
                self.layers.push(layer);
                Ok(())
            }
        }
    }

    /// The answer of a time-stamping authority: the token in it, or that there
    /// is none.
    pub(super) fn peel_response(
        &mut self,
        response: &TimeStampResp,
        content: Option<&mut dyn Source>,
    ) -> Result<(), OpenError> {
        if let Some(token) = &response.token {
            return self.peel_object(&mut io::Cursor::new(token.as_slice()), &Object::bare(), content);
        }
        let mut layer = Layer::new("time-stamp-response", Kind::Timestamp);
        layer.structure = Aspect::bad(Reason::ContentMissing, format!("there is no token: {}", response.refusal()));
        self.layers.push(layer);
        Ok(())
    }

    /// A layer of which not even the kind is known.
    pub(super) fn push_broken(&mut self, place: String, structure: Aspect) {
        let mut layer = Layer::new(place, Kind::Unknown);
        layer.structure = structure;
        self.layers.push(layer);
    }

    /// A layer of which nothing could be read; nothing tells its kind but the
    /// media type.
    fn push_unread(&mut self, object: &Object<'_>, structure: Aspect) -> Result<(), OpenError> {
        let (kind, word) = object.announced.kind();
        let mut layer = object.layer(kind, word);
        layer.structure = structure;
        match kind {
            Kind::Encrypted => layer.decryption = Aspect::Unchecked(None),
            _ => signed::unchecked(&mut layer),
        }
        self.layers.push(layer);
        Ok(())
    }

    fn peel_signed(
        &mut self,
        object: &Object<'_>,
        mut signed: SignedObject,
        deviations: &[Deviation],
        detached: Option<&mut dyn Source>,
    ) -> Result<(), OpenError> {
        if signed.head.as_ref().is_some_and(|head| head.content.content_type == oid::TST_INFO) {
            let mut layer = object.layer(Kind::Timestamp, "signed-data");
            deviations.iter().for_each(|deviation| layer.deviate(*deviation));
            layer.covered = vec![layer.path.clone()];
            stamp::judge_layer(&mut layer, signed, detached, self.context)?;
            self.layers.push(layer);
            return Ok(());
        }
        // A signature was promised: then an object without signers lacks one.
        let promised = detached.is_some()
            || object.announced == Announced::Signature
            || object.announced.contradicts(&SmimeType::CertsOnly);
        let certs_only = signed.is_certs_only() && !promised;
        let mut layer = object.layer(if certs_only { Kind::CertsOnly } else { Kind::Signed }, "signed-data");
        for deviation in deviations {
            layer.deviate(*deviation);
        }
        if !certs_only {
            layer.form = Some(if detached.is_some() { Form::Clear } else { Form::Opaque });
            layer.covered = vec![layer.path.clone()];
        }
        let is_receipt = signed.head.as_ref().is_some_and(|head| head.content.content_type == oid::RECEIPT);
        let found = match (certs_only, is_receipt) {
            (true, _) => SmimeType::CertsOnly,
            (_, true) => SmimeType::SignedReceipt,
            _ => SmimeType::SignedData,
        };
        if object.announced.contradicts(&found) {
            layer.deviate(Deviation::SmimeTypeWrong);
        }
        let missing = signed.content.is_none() && detached.is_none();
        let mut inside = signed.content.take();
        let known = std::mem::take(&mut signed.content_digests);
        let content = match (inside.as_mut(), detached) {
            (Some(content), detached) => {
                if detached.is_some() && Check::DetachedWithoutContent.on() {
                    let detail = "content was given, but the signature carries content of its own";
                    layer.structure = Aspect::bad(Reason::DetachedWithContent, detail);
                }
                SignedContent::read_already(content, known, &signed.digests(), self.context)?
            }
            (None, Some(content)) => SignedContent::new(content, &signed.digests(), self.context)?,
            (None, None) => SignedContent::none(),
        };
        let before = std::mem::take(&mut layer.structure);
        signed::judge(&mut layer, &signed, &content, self.context);
        drop(content);
        if let Some(content) = inside.as_mut() {
            content.seek(SeekFrom::Start(0))?;
        }
        layer.structure = std::mem::take(&mut layer.structure).worst(before);
        if missing && !certs_only && layer.structure.is_good() {
            let detail = "SignedData holds no eContent, and there is no part beside it that it could sign";
            layer.structure = Aspect::bad(Reason::ContentMissing, detail);
        }
        if is_receipt && let Some(content) = inside.as_mut() {
            receipt::judge(&mut layer, &mut **content, self.context)?;
        }
        let content_type = signed.head.map(|head| head.content.content_type).unwrap_or_default();
        self.layers.push(layer);
        match inside {
            Some(content) if content::unsupported("", &content_type).is_none() => {
                self.peel_content(content, &content_type)
            }
            _ => Ok(()),
        }
    }

    /// A layer that protects nothing, and what it held.
    fn peel_enclosed(
        &mut self,
        mut layer: Layer,
        deviations: &[Deviation],
        content: Option<enclosed::Content>,
    ) -> Result<(), OpenError> {
        for deviation in deviations {
            layer.deviate(*deviation);
        }
        self.layers.push(layer);
        match content {
            Some((content, content_type)) => self.peel_content(content, &content_type),
            None => Ok(()),
        }
    }

    fn peel_enveloped(
        &mut self,
        source: &mut dyn Source,
        object: &Object<'_>,
        envelope: Envelope,
    ) -> Result<(), OpenError> {
        let (kind, word, announced) = match envelope {
            Envelope::Enveloped => (Kind::Encrypted, "enveloped-data", SmimeType::EnvelopedData),
            Envelope::AuthEnveloped => (Kind::AuthEnveloped, "authenveloped-data", SmimeType::AuthEnvelopedData),
            // S/MIME has no type for it.
            Envelope::Encrypted => (Kind::EncryptedData, "encrypted-data", SmimeType::Other(String::new())),
            Envelope::SignedAndEnveloped => {
                (Kind::Encrypted, "signed-and-enveloped-data", SmimeType::Other(String::new()))
            }
        };
        let mut layer = object.layer(kind, word);
        if object.announced.contradicts(&announced) {
            layer.deviate(Deviation::SmimeTypeWrong);
        }
        let plaintext = self.decrypt(source, object, envelope, &mut layer)?;
        layer.covered = vec![layer.path.clone()];
        let path = layer.path.clone();
        self.layers.push(layer);
        let Some(((mut content, content_type), signed)) = plaintext else { return Ok(()) };
        if let Some(signed) = signed {
            // The signers are a layer of their own: what they vouch for is inside the envelope.
            let mut layer = Layer::new(format!("{path}/signed-data"), Kind::Signed);
            layer.form = Some(Form::Opaque);
            layer.covered = vec![layer.path.clone()];
            let known = SignedContent::new(&mut content, &signed.digests(), self.context)?;
            signed::judge(&mut layer, &signed, &known, self.context);
            drop(known);
            self.layers.push(layer);
            content.seek(SeekFrom::Start(0))?;
        }
        self.peel_content(content, &content_type)
    }

    /// Tries every pair of recipient and key. Two that open the message to
    /// different contents are ambiguous: one of them may be garbage whose
    /// padding happens to fit.
    fn decrypt(
        &mut self,
        source: &mut dyn Source,
        object: &Object<'_>,
        envelope: Envelope,
        layer: &mut Layer,
    ) -> Result<Option<Decrypted>, OpenError> {
        let mut opened: Option<Decrypted> = None;
        let mut first: Option<Layer> = None;
        let mut tried = 0;
        let mut known = None;
        loop {
            let mut attempt = layer.clone();
            let mut reader = Reader::new(object.body(source)?, self.context.request.limits);
            // Read before with success; only a source that changes can fail here.
            let content_type = match object.begin(&mut reader) {
                Ok(content_type) => content_type,
                Err(error) => {
                    layer.structure = error.aspect();
                    return Ok(None);
                }
            };
            let which = (tried, known.as_ref());
            let what = (envelope, content_type.as_str());
            let result = enveloped::read(&mut attempt, &mut reader, what, which, self.workspace, self.context)?;
            if result.known.is_some() {
                known = result.known;
                continue;
            }
            known = None;
            for deviation in reader.input().deviations() {
                attempt.deviate(deviation);
            }
            tried += 1 + result.same_pair;
            if let Some((mut plaintext, content_type)) = result.plaintext {
                match &mut opened {
                    None => {
                        opened = Some(((plaintext, content_type), result.signed));
                        // What an earlier pair could not do no longer counts.
                        first = Some(attempt);
                    }
                    Some(((known, _), _)) => {
                        if !content::is_same(&mut **known, &mut *plaintext)? {
                            attempt.decryption = Aspect::bad(
                                Reason::AmbiguousRecipient,
                                "two of the keys open the message, to different contents",
                            );
                            *layer = attempt;
                            return Ok(None);
                        }
                    }
                }
            } else if first.is_none() {
                first = Some(attempt);
            }
            if tried >= result.candidates {
                break;
            }
            if self.context.budget.no_attempt_is_left() {
                if let Some(first) = first.as_mut().filter(|_| opened.is_none()) {
                    first.structure = enveloped::too_many_attempts(self.context);
                }
                break;
            }
        }
        if let Some(first) = first {
            *layer = first;
        }
        Ok(opened)
    }

    /// Peels what the last layer held.
    fn peel_content(&mut self, mut content: Box<dyn Spool>, content_type: &str) -> Result<(), OpenError> {
        let layer = self.layers.len() - 1;
        let place = self.layers[layer].path.clone();
        if let Some(observer) = self.context.request.observer {
            observer.content(&place, content_type, &mut content)?;
            content.seek(SeekFrom::Start(0))?;
        }
        self.around.push(layer);
        self.depth += 1;
        if oid::standard(content_type) == oid::DATA {
            self.peel_entity(&mut content, &format!("{place}/"), layer)?;
        } else if self.depth >= self.context.request.limits.layers {
            self.push_too_deep(format!("{place}/unknown"));
        } else {
            self.peel_object(&mut content, &Object::inside(place, content_type.to_owned()), None)?;
        }
        self.depth -= 1;
        self.around.pop();
        if self.layers.len() == layer + 1 && self.content.is_none() {
            content.seek(SeekFrom::Start(0))?;
            self.content = Some(content);
        }
        Ok(())
    }

    /// Peels the entity that a layer protects.
    fn peel_inside(&mut self, source: &mut dyn Source, entity: &Part, prefix: &str) -> Result<(), OpenError> {
        let root = whole_message(entity);
        let unbroken = self.unbroken;
        if unbroken {
            self.payload = Some(Payload::new(entity, prefix, self.layers.len()));
        }
        // A layer of the message inside is not one of the message around it.
        self.unbroken &= std::ptr::eq(root, entity);
        self.peel_tree(source, root, prefix)?;
        self.unbroken = unbroken;
        Ok(())
    }

    /// The MIME entity that a layer held; what has no header field is content
    /// without a layer in it.
    fn peel_entity(&mut self, content: &mut Box<dyn Spool>, prefix: &str, layer: usize) -> Result<(), OpenError> {
        if !mime::has_header_field(content, self.context.request.limits)? {
            return Ok(());
        }
        match mime::parse(content, self.context.request.limits) {
            Ok(root) => {
                if root.content_type.present && self.layers[layer].kind.protects() {
                    self.layers[layer].covered = leaves(&root, prefix);
                }
                self.peel_inside(content, &root, prefix)
            }
            Err(error) => {
                self.push_broken(format!("{prefix}unknown"), mime_aspect(error)?);
                Ok(())
            }
        }
    }

    fn push_too_deep(&mut self, place: String) {
        let detail = format!("more than {} layers inside each other", self.context.request.limits.layers);
        self.push_broken(place, Aspect::bad(Reason::LimitExceeded, detail));
    }

    /// What is shown beside a layer, and not covered by it (RFC 8551 section
    /// 6: each piece is an origin of its own).
    fn judge_coverage(&mut self, index: usize, protected: &Protected<'_>, prefix: &str) {
        let Some(layer) = self.layers.get_mut(index) else { return };
        let prefixed = |paths: &[String]| paths.iter().map(|path| format!("{prefix}{path}")).collect::<Vec<_>>();
        layer.uncovered = prefixed(&protected.uncovered);
        if !layer.kind.protects() {
            // What is shown beside such a layer is bare.
            if layer.uncovered.is_empty() {
                return;
            }
        } else if layer.covered.is_empty() {
            layer.covered = prefixed(&protected.covered);
        }
        layer.coverage = if layer.uncovered.is_empty() || !Check::Coverage.on() {
            Aspect::Good
        } else if layer.kind == Kind::Encrypted {
            Aspect::bad(Reason::EncryptedBesidePlain, format!("not encrypted: {}", layer.uncovered.join(", ")))
        } else {
            Aspect::bad(Reason::UnsignedContentShown, format!("not signed: {}", layer.uncovered.join(", ")))
        };
    }
}

/// Content that was decrypted, and who signed it, where the same object says so.
type Decrypted = (enclosed::Content, Option<Box<SignedObject>>);

/// A whole message inside a layer (RFC 8551 section 3.1) is that layer's
/// content, not an attachment with a verdict of its own.
fn whole_message(part: &Part) -> &Part {
    part.content_type.is_message().then(|| part.children.first()).flatten().unwrap_or(part)
}

/// The paths of the parts without parts of a tree.
fn leaves(part: &Part, prefix: &str) -> Vec<String> {
    part.walk().filter(|part| part.is_leaf()).map(|part| format!("{prefix}{}", part.path)).collect()
}

/// A body that cannot be decoded is a verdict; one that cannot be read is not.
fn mime_aspect(error: MimeError) -> Result<Aspect, OpenError> {
    match error.reason() {
        Some(reason) => Ok(Aspect::bad(reason, error.to_string())),
        None => Err(error.into()),
    }
}
