//! Opening EnvelopedData (RFC 5652 section 6).

use std::io::{Read, SeekFrom};

use waxseal_key::{BlockMode, ContentCipher};
use waxseal_verdict::{Aspect, Deviation, Layer, Reason, Recipient};
use zeroize::Zeroizing;

use crate::ber::{Cursor, Reader, Tag};
use crate::check::Check;
use crate::cms::{self, AlgorithmIdentifier, CmsError, EnvelopedDataHead, RecipientInfo, oid};
use crate::io::{Spool, Workspace};
use crate::message::context::{Context, key_aspect};
use crate::message::request::OpenError;

/// Octets decrypted at once.
const BLOCK: usize = 64 << 10;

/// A key that may open the message: which recipient, which credential.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    recipient: usize,
    credential: usize,
}

/// What one reading of EnvelopedData gave.
pub(super) struct Attempt {
    /// The plaintext, if it came out right.
    pub(super) plaintext: Option<Box<dyn Spool>>,
    /// How many pairs of recipient and key there are to try.
    pub(super) candidates: usize,
}

/// Reads EnvelopedData to its end, decrypting it on the way with the pair of
/// recipient and key that has the number `attempt`. The ContentInfo was read.
///
/// The layer gets structure, decryption, policy, recipients and cipher. How
/// many pairs there are is known only then; the caller tries the next one.
pub(super) fn read<R: Read>(
    layer: &mut Layer,
    reader: &mut Reader<R>,
    attempt: usize,
    workspace: &mut dyn Workspace,
    context: &Context<'_>,
) -> Result<Attempt, OpenError> {
    layer.structure = Aspect::Good;
    layer.decryption = Aspect::Unchecked(None);
    layer.policy = Aspect::Unchecked(None);
    layer.recipients.clear();
    let mut head = match EnvelopedDataHead::read(reader, context.request.limits) {
        Ok(head) => head,
        Err(error) => {
            layer.structure = error.aspect();
            return Ok(Attempt { plaintext: None, candidates: 0 });
        }
    };
    layer.content_cipher = Some(head.cipher.name());
    layer.policy = context.request.policy.judge_cipher_oid(&head.cipher.oid, None);
    let candidates = candidates(&head, context);
    layer.recipients =
        head.recipients.iter().enumerate().map(|(index, info)| describe_recipient(info, index, &candidates)).collect();
    let mut opener = None;
    match Opener::new(&head, candidates.get(attempt).copied(), context) {
        Ok(ready) => opener = Some(ready),
        Err(Refusal::Structure(aspect)) => layer.structure = aspect,
        Err(Refusal::Decryption(aspect)) => layer.decryption = aspect,
    }
    let mut spool = workspace.spool()?;
    let mut block = Zeroizing::new(vec![0; BLOCK]);
    let mut total: u64 = 0;
    let damage = loop {
        let read = match head.read_content(reader, &mut block) {
            Ok(0) => match finish(layer, &head, reader) {
                Ok(()) => break None,
                Err(error) => break Some(error),
            },
            Ok(read) => read,
            Err(error) => break Some(error),
        };
        total += read as u64;
        if total > context.request.limits.content_octets {
            let detail = format!("content over {} octets", context.request.limits.content_octets);
            break Some(CmsError::new(Reason::LimitExceeded, "EnvelopedData.encryptedContentInfo", detail));
        }
        if let Some(opener) = &mut opener {
            opener.update(&block[..read], &mut *spool)?;
        }
    };
    if let Some(error) = damage
        && Check::Encoding.on()
    {
        layer.structure = error.aspect();
        return Ok(Attempt { plaintext: None, candidates: candidates.len() });
    }
    if head.content.is_none() && layer.structure.is_good() {
        let detail = "EnvelopedData.encryptedContentInfo holds no encryptedContent";
        layer.structure = Aspect::bad(Reason::ContentMissing, detail);
        return Ok(Attempt { plaintext: None, candidates: candidates.len() });
    }
    let Some(opener) = opener else { return Ok(Attempt { plaintext: None, candidates: candidates.len() }) };
    layer.decryption = opener.finish(&mut *spool)?;
    if !layer.decryption.is_good() {
        return Ok(Attempt { plaintext: None, candidates: candidates.len() });
    }
    if head.content_type != oid::DATA {
        let name = waxseal_key::algorithm::oid_name(&head.content_type).unwrap_or(&head.content_type);
        let detail = format!("EnvelopedData.encryptedContentInfo.contentType: {name} is not supported");
        layer.structure = Aspect::bad(Reason::UnsupportedContentType, detail);
        return Ok(Attempt { plaintext: None, candidates: candidates.len() });
    }
    spool.seek(SeekFrom::Start(0))?;
    Ok(Attempt { plaintext: Some(spool), candidates: candidates.len() })
}

/// Reads to the end of the object, and notes what deviates there.
fn finish<R: Read>(layer: &mut Layer, head: &EnvelopedDataHead, reader: &mut Reader<R>) -> Result<(), CmsError> {
    let unprotected_attributes = head.finish(reader)?;
    if !head.version_fits(unprotected_attributes) {
        layer.deviate(Deviation::VersionOdd);
    }
    if cms::finish(reader, "ContentInfo")? {
        layer.deviate(Deviation::TrailingBytes);
    }
    Ok(())
}

/// Why a content could not even be tried.
enum Refusal {
    Structure(Aspect),
    Decryption(Aspect),
}

fn candidates(head: &EnvelopedDataHead, context: &Context<'_>) -> Vec<Candidate> {
    let mut list = Vec::new();
    for (recipient, info) in head.recipients.iter().enumerate() {
        let RecipientInfo::KeyTransport { id, .. } = info else { continue };
        for (credential, holder) in context.request.credentials.iter().enumerate() {
            let key = holder.decryptor.public_key();
            let by_certificate = holder
                .certificate
                .iter()
                .chain(context.request.extra_certificates.iter().filter(|certificate| certificate.spki() == key))
                .any(|certificate| context.is_named(certificate, id));
            let by_key = matches!(id, cms::SignerIdentifier::SubjectKeyIdentifier(key_id)
                if context.key_identifier(key).as_deref() == Some(key_id.as_slice()));
            if by_certificate || by_key || !Check::RecipientMatch.on() {
                list.push(Candidate { recipient, credential });
            }
        }
    }
    list
}

fn describe_recipient(info: &RecipientInfo, index: usize, candidates: &[Candidate]) -> Recipient {
    let matched = candidates.iter().any(|candidate| candidate.recipient == index);
    match info {
        RecipientInfo::KeyTransport { id, algorithm, .. } => Recipient {
            kind: "ktri".to_owned(),
            id: id.to_string(),
            algorithm: key_management_name(algorithm),
            matched,
        },
        RecipientInfo::Other { kind, names, algorithm } => Recipient {
            kind: (*kind).to_owned(),
            id: names.join("; "),
            algorithm: algorithm.as_ref().map(AlgorithmIdentifier::name).unwrap_or_default(),
            matched,
        },
    }
}

fn key_management_name(algorithm: &AlgorithmIdentifier) -> String {
    if algorithm.oid == oid::RSA_ENCRYPTION { "rsa-pkcs1-v1_5".to_owned() } else { algorithm.name() }
}

/// Decrypts content as it comes, and holds the last block back until the end,
/// because only there the padding is.
struct Opener {
    mode: Box<dyn BlockMode>,
    block_len: usize,
    held: Zeroizing<Vec<u8>>,
    total: u64,
}

impl Opener {
    fn new(head: &EnvelopedDataHead, candidate: Option<Candidate>, context: &Context<'_>) -> Result<Self, Refusal> {
        let structure = |reason, detail: String| Refusal::Structure(Aspect::bad(reason, detail));
        let place = "EnvelopedData.encryptedContentInfo.contentEncryptionAlgorithm";
        let cipher = ContentCipher::from_oid(&head.cipher.oid).ok_or_else(|| {
            structure(Reason::UnsupportedAlgorithm, format!("{place}: {} is not supported", head.cipher.name()))
        })?;
        let iv = initialization_vector(&head.cipher, cipher).ok_or_else(|| {
            structure(Reason::BadParameters, format!("{place}: the parameters are no IV of {} octets", cipher.iv_len()))
        })?;
        let Some(candidate) = candidate else {
            return Err(no_candidate(head));
        };
        let RecipientInfo::KeyTransport { algorithm, encrypted_key, .. } = &head.recipients[candidate.recipient] else {
            return Err(no_candidate(head));
        };
        if algorithm.oid != oid::RSA_ENCRYPTION {
            let place = format!("EnvelopedData.recipientInfos[{}].keyEncryptionAlgorithm", candidate.recipient);
            let name = algorithm.name();
            return Err(structure(Reason::UnsupportedAlgorithm, format!("{place}: {name} is not supported")));
        }
        let holder = &context.request.credentials[candidate.credential];
        let key = holder
            .decryptor
            .unwrap_rsa_pkcs1(encrypted_key, cipher.key_len())
            .map_err(|error| Refusal::Decryption(key_aspect(&error, Reason::WrongKey)))?;
        let mode = context
            .request
            .arithmetic
            .cbc_decryptor(cipher, &key, &iv)
            .map_err(|error| Refusal::Decryption(key_aspect(&error, Reason::WrongKey)))?;
        Ok(Self { mode, block_len: cipher.block_len(), held: Zeroizing::new(Vec::new()), total: 0 })
    }

    fn update(&mut self, octets: &[u8], out: &mut dyn Spool) -> Result<(), OpenError> {
        self.total += octets.len() as u64;
        self.held.extend_from_slice(octets);
        // Everything but the last whole block; a rest of a block waits too.
        let ready = self.held.len().saturating_sub(1) / self.block_len * self.block_len;
        if ready > 0 {
            self.mode.process(&mut self.held[..ready]);
            out.write_all(&self.held[..ready])?;
            let left = self.held.len() - ready;
            self.held.copy_within(ready.., 0);
            self.held.truncate(left);
        }
        Ok(())
    }

    /// Takes the padding off (RFC 5652 section 6.3).
    fn finish(mut self, out: &mut dyn Spool) -> Result<Aspect, OpenError> {
        let place = "EnvelopedData.encryptedContentInfo.encryptedContent";
        if self.held.len() != self.block_len {
            let detail = format!("{place}: {} octets are no whole number of blocks", self.total);
            return Ok(Aspect::bad(Reason::BadPadding, detail));
        }
        self.mode.process(&mut self.held);
        let padding = usize::from(self.held[self.block_len - 1]);
        // Every octet is looked at, so that the time tells nothing of the place.
        let mut wrong = usize::from(padding == 0 || padding > self.block_len);
        for (index, octet) in self.held.iter().enumerate() {
            let inside = usize::from(index + padding >= self.block_len);
            wrong |= inside & usize::from(usize::from(*octet) != padding);
        }
        if wrong != 0 && Check::ContentPadding.on() {
            let detail = format!("{place}: the padding is wrong: a wrong key, or altered content");
            return Ok(Aspect::bad(Reason::BadPadding, detail));
        }
        let keep = self.block_len.saturating_sub(padding);
        out.write_all(&self.held[..keep])?;
        Ok(Aspect::Good)
    }
}

fn no_candidate(head: &EnvelopedDataHead) -> Refusal {
    if head.recipients.is_empty() {
        return Refusal::Decryption(Aspect::bad(
            Reason::NoRecipient,
            "EnvelopedData.recipientInfos is empty: nobody can read this",
        ));
    }
    let other = head.recipients.iter().enumerate().find_map(|(index, info)| match info {
        RecipientInfo::Other { kind, .. } => Some((index, *kind)),
        RecipientInfo::KeyTransport { .. } => None,
    });
    match other {
        Some((index, kind))
            if !head.recipients.iter().any(|info| matches!(info, RecipientInfo::KeyTransport { .. })) =>
        {
            let detail = format!("EnvelopedData.recipientInfos[{index}]: recipients of kind {kind} are not supported");
            Refusal::Structure(Aspect::bad(Reason::UnsupportedAlgorithm, detail))
        }
        _ => Refusal::Decryption(Aspect::bad(
            Reason::NoKey,
            format!("none of the keys given belongs to one of the {} recipients", head.recipients.len()),
        )),
    }
}

fn initialization_vector(algorithm: &AlgorithmIdentifier, cipher: ContentCipher) -> Option<Vec<u8>> {
    let parameters = algorithm.parameters.as_deref()?;
    let element = Cursor::new(parameters, 0).take().ok().flatten()?;
    (element.tag == Tag::OCTET_STRING && element.content.len() == cipher.iv_len()).then(|| element.content.to_vec())
}
