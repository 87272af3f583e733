//! Opening AuthenticatedData (RFC 5652 section 9).

use std::io::{Read, SeekFrom};

use waxseal_key::{DigestAlgorithm, constant_time_eq};
use waxseal_verdict::{Aspect, Deviation, Layer, Reason};

use crate::ber::Reader;
use crate::check::Check;
use crate::cms::{AuthenticatedDataHead, AuthenticatedDataTail, CmsError, oid};
use crate::hex::hex;
use crate::io::{Spool, Workspace};
use crate::message::binding;
use crate::message::content;
use crate::message::context::Context;
use crate::message::enclosed::Content;
use crate::message::recipient::{Recipients, Refusal};
use crate::message::request::OpenError;
use crate::message::signed;
use crate::message::sm2;

const OWNER: &str = "AuthenticatedData";

/// Reads AuthenticatedData to its end, checks its MAC, and gives its content,
/// which everybody can read. The type was read.
pub(super) fn read<R: Read>(
    layer: &mut Layer,
    reader: &mut Reader<R>,
    workspace: &mut dyn Workspace,
    context: &Context<'_>,
) -> Result<Option<Content>, OpenError> {
    let limits = context.request.limits;
    layer.structure = Aspect::Good;
    for aspect in [&mut layer.decryption, &mut layer.integrity, &mut layer.policy] {
        *aspect = Aspect::Unchecked(None);
    }
    let mut head = match AuthenticatedDataHead::read(reader, limits) {
        Ok(head) => head,
        Err(error) => return Ok(damaged(layer, &error)),
    };
    if let Some(originator) = &head.originator {
        signed::show_carried(layer, originator, context);
    }
    let (mut spool, read) = content::spooled(&mut head.content, reader, OWNER, workspace, context, |_| ())?;
    let tail = match read.and_then(|()| head.finish(reader, limits)) {
        Ok(tail) => tail,
        Err(error) => return Ok(damaged(layer, &error)),
    };
    if let Err(error) = content::end(layer, reader) {
        return Ok(damaged(layer, &error));
    }
    if !head.version_fits() {
        layer.deviate(Deviation::VersionOdd);
    }
    layer.mac = Some(head.mac_algorithm.name());
    layer.policy = context.request.policy.judge_mac(&head.mac_algorithm.oid);
    if head.content.stream.is_none() {
        layer.structure = Aspect::bad(Reason::ContentMissing, format!("{OWNER} holds no eContent"));
        return Ok(None);
    }
    let mut judge = Judge { head: &head, tail: &tail, spool: &mut *spool, layer, context };
    judge.run()?;
    if let Some(unsupported) =
        content::unsupported(&format!("{OWNER}.encapContentInfo.eContentType"), &head.content.content_type)
    {
        layer.structure = std::mem::take(&mut layer.structure).worst(unsupported);
        return Ok(None);
    }
    spool.seek(SeekFrom::Start(0))?;
    Ok(Some((spool, head.content.content_type)))
}

fn damaged(layer: &mut Layer, error: &CmsError) -> Option<Content> {
    layer.structure = error.aspect();
    None
}

/// What is judged of one object that was read.
struct Judge<'a> {
    head: &'a AuthenticatedDataHead,
    tail: &'a AuthenticatedDataTail,
    spool: &'a mut dyn Spool,
    layer: &'a mut Layer,
    context: &'a Context<'a>,
}

impl Judge<'_> {
    fn run(&mut self) -> Result<(), OpenError> {
        let mac = DigestAlgorithm::from_hmac_oid(&self.head.mac_algorithm.oid);
        let key_lens = mac.map(key_lens).unwrap_or_default();
        let recipients = Recipients { infos: &self.head.recipients, owner: OWNER, key_lens };
        let candidates = recipients.candidates(self.context);
        self.layer.recipients = recipients.describe(&candidates);
        for deviation in sm2::transport_names(&self.head.recipients, false) {
            self.layer.deviate(deviation);
        }
        let bound = self.judge_attributes()?;
        let Some(mac) = mac else {
            let name = self.head.mac_algorithm.name();
            let detail = format!("{OWNER}.macAlgorithm: {name} is not supported");
            self.structure_bad(Reason::UnsupportedAlgorithm, detail);
            return Ok(());
        };
        let mut refused = None;
        let mut tried = 0;
        for candidate in &candidates {
            if !self.context.budget.attempt() {
                let detail = format!("{OWNER}.recipientInfos: more pairs of recipient and key than may be tried");
                self.structure_bad(Reason::LimitExceeded, detail);
                return Ok(());
            }
            let mut found = Vec::new();
            let key = match recipients.content_key(*candidate, self.context, &mut found) {
                Ok(key) => {
                    found.into_iter().for_each(|deviation| self.layer.deviate(deviation));
                    key
                }
                Err(refusal) => {
                    refused = refused.or(Some(refusal));
                    continue;
                }
            };
            tried += 1;
            match self.fits(mac, &key)? {
                Some(true) => {
                    self.layer.decryption = Aspect::Good;
                    self.layer.integrity = bound;
                    return Ok(());
                }
                Some(false) => {}
                None => {
                    let detail = format!("{OWNER}.macAlgorithm: {} is not done here", self.head.mac_algorithm.name());
                    self.structure_bad(Reason::UnsupportedAlgorithm, detail);
                    return Ok(());
                }
            }
        }
        if tried > 0 {
            self.layer.decryption = Aspect::Good;
            let detail = format!("{OWNER}.mac does not fit key and content: it was altered, or the key is another one");
            self.layer.integrity = bound.worst(Aspect::bad(Reason::TagMismatch, detail));
        } else {
            match refused.unwrap_or_else(|| recipients.none(self.context)) {
                Refusal::Structure(aspect) => {
                    self.layer.structure = std::mem::take(&mut self.layer.structure).worst(aspect);
                }
                Refusal::Decryption(aspect) => self.layer.decryption = aspect,
            }
        }
        Ok(())
    }

    /// Whether the MAC with this key is the one that stands there; `None` if
    /// nobody computes it. It is over the DER of the attributes if there are
    /// some (RFC 5652 section 9.2), or else over the content.
    fn fits(&mut self, digest: DigestAlgorithm, key: &[u8]) -> Result<Option<bool>, OpenError> {
        let Ok(mut mac) = self.context.request.arithmetic.mac(digest, key) else { return Ok(None) };
        match &self.tail.authenticated_attributes {
            Some(attributes) => mac.update(&attributes.der()),
            None => {
                self.spool.seek(SeekFrom::Start(0))?;
                let mut block = vec![0; 64 << 10];
                loop {
                    match self.spool.read(&mut block) {
                        Ok(0) => break,
                        Ok(read) => mac.update(&block[..read]),
                        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
        Ok(Some(constant_time_eq(&mac.finish(), &self.tail.mac) || !Check::MessageAuthenticationCode.on()))
    }

    /// Judges what the authenticated attributes say of content and algorithms;
    /// that they are authentic only the MAC tells.
    fn judge_attributes(&mut self) -> Result<Aspect, OpenError> {
        let head = self.head;
        let tail = self.tail;
        let unauthenticated = tail.unauthenticated_attributes.iter().flat_map(|attributes| &attributes.list);
        let misplaced =
            unauthenticated.map(|attribute| &attribute.oid).find(|oid| oid::SIGNED_ONLY.contains(&oid.as_str()));
        if let Some(oid) = misplaced.filter(|_| Check::AttributeMultiplicity.on()) {
            let name = waxseal_key::algorithm::oid_name(oid).unwrap_or(oid);
            let detail = format!("{OWNER}: {name} must not be among the unauthAttrs (RFC 5652 section 9.1)");
            self.structure_bad(Reason::MisplacedAttribute, detail);
        }
        let Some(attributes) = &tail.authenticated_attributes else {
            if head.content.content_type != oid::DATA && Check::MandatoryAttributes.on() {
                let detail = format!(
                    "{OWNER}: no authAttrs although the content is {} (RFC 5652 section 9.1)",
                    head.content.content_type
                );
                self.structure_bad(Reason::MissingAttribute, detail);
            }
            return Ok(Aspect::Good);
        };
        let Some(algorithm) = &head.digest_algorithm else {
            let detail = format!("{OWNER}: authAttrs without digestAlgorithm (RFC 5652 section 9.1)");
            self.structure_bad(Reason::MissingAttribute, detail);
            return Ok(Aspect::Unchecked(None));
        };
        let Some(digest) = algorithm.digest() else {
            let detail = format!("{OWNER}.digestAlgorithm: {} is not supported", algorithm.name());
            self.structure_bad(Reason::UnsupportedAlgorithm, detail);
            return Ok(Aspect::Unchecked(None));
        };
        let Some(found) = signed::hash(self.spool, &[digest], self.context)?.remove(&digest) else {
            return Ok(Aspect::Unchecked(None));
        };
        let mut aspect = Aspect::Good;
        match attributes.message_digest() {
            Ok(Some(stated)) if stated == found || !Check::MessageDigest.on() => {}
            Ok(Some(stated)) => {
                let detail = format!(
                    "{OWNER}: the content's {} is {}, the messageDigest attribute says {}",
                    digest.name(),
                    hex(&found),
                    hex(&stated[..stated.len().min(64)])
                );
                aspect = Aspect::bad(Reason::DigestMismatch, detail);
            }
            found => self.missing("messageDigest", found.map(|_| ())),
        }
        match attributes.content_type() {
            Ok(Some(stated)) if stated == head.content.content_type || !Check::ContentTypeAttribute.on() => {}
            Ok(Some(stated)) => {
                let detail = format!(
                    "{OWNER}: the contentType attribute says {stated}, eContentType is {}",
                    head.content.content_type
                );
                aspect = aspect.worst(Aspect::bad(Reason::ContentTypeMismatch, detail));
            }
            found => self.missing("contentType", found.map(|_| ())),
        }
        if let Err(error) = attributes.algorithm_protection() {
            self.missing("CMSAlgorithmProtection", Err(error));
        }
        Ok(aspect.worst(binding::mac_algorithms(algorithm, &head.mac_algorithm, attributes, OWNER)))
    }

    /// A mandatory attribute that is not there, or one that cannot be read.
    fn missing(&mut self, name: &str, found: Result<(), CmsError>) {
        match found {
            Ok(()) if Check::MandatoryAttributes.on() => {
                let detail = format!("{OWNER}: authAttrs hold no {name} (RFC 5652 section 9.1)");
                self.structure_bad(Reason::MissingAttribute, detail);
            }
            Ok(()) => {}
            Err(error) => self.structure_bad(error.reason, error.to_string()),
        }
    }

    fn structure_bad(&mut self, reason: Reason, detail: String) {
        self.layer.structure = std::mem::take(&mut self.layer.structure).worst(Aspect::bad(reason, detail));
    }
}

/// Octets that a key for HMAC may have where the writer does not say: those of
/// the digest (RFC 2104 section 3), then what others write.
fn key_lens(digest: DigestAlgorithm) -> Vec<usize> {
    let mut lens = vec![digest.output_len()];
    for len in [16, 20, 24, 32, 64, 128] {
        if !lens.contains(&len) {
            lens.push(len);
        }
    }
    lens
}
