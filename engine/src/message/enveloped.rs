//! Opening EnvelopedData (RFC 5652 section 6), AuthEnvelopedData (RFC 5083)
//! and EncryptedData (RFC 5652 section 8).

use std::io::{Read, SeekFrom};

use waxseal_verdict::{Aspect, Deviation, Dialect, Layer, Reason};

use crate::ber::Reader;
use crate::check::Check;
use crate::cms::{Attributes, CmsError, Envelope, EnvelopedDataHead, EnvelopedDataTail, RecipientInfo, oid};
use crate::io::{Spool, Workspace};
use crate::message::cipher::{Cipher, Known, Opener};
use crate::message::content::{self, each_block};
use crate::message::context::Context;
use crate::message::correspondents::Encrypted;
use crate::message::recipient::{Candidate, Recipients, Refusal};
use crate::message::request::OpenError;
use crate::message::signed::{self, SignedObject};
use crate::message::sm2;
use crate::policy::strength_bits;

/// What one reading of an envelope gave.
pub(super) struct Attempt {
    /// The plaintext and its type, if it came out right.
    pub(super) plaintext: Option<(Box<dyn Spool>, String)>,
    /// How many pairs of recipient and key there are to try.
    pub(super) candidates: usize,
    /// How many of the next ones are this pair, with another length of the
    /// content key. A refused RSA padding gives a key, too, so that a length
    /// that is not the right one may seem to open the message.
    pub(super) same_pair: usize,
    /// What the same pair must be tried with once more: it stood after the
    /// content, and is needed before it.
    pub(super) known: Option<Known>,
    /// Who signed the plaintext, where the same object says so.
    pub(super) signed: Option<Box<SignedObject>>,
}

/// Reads an envelope to its end, decrypting it on the way with the pair of
/// recipient and key that has the number `attempt`. The content type was read.
///
/// The layer gets structure, decryption, policy, recipients and cipher. How
/// many pairs there are is known only then; the caller tries the next one.
pub(super) fn read<R: Read>(
    layer: &mut Layer,
    reader: &mut Reader<R>,
    (envelope, content_type): (Envelope, &str),
    (attempt, known): (usize, Option<&Known>),
    workspace: &mut dyn Workspace,
    context: &Context<'_>,
) -> Result<Attempt, OpenError> {
    let limits = context.request.limits;
    layer.structure = Aspect::Good;
    layer.decryption = Aspect::Unchecked(None);
    layer.policy = Aspect::Unchecked(None);
    if envelope == Envelope::AuthEnveloped {
        layer.integrity = Aspect::Unchecked(None);
    }
    layer.recipients.clear();
    let mut head = match EnvelopedDataHead::read(reader, limits, envelope) {
        Ok(head) => head,
        Err(error) => {
            layer.structure = error.aspect();
            return Ok(Attempt { plaintext: None, candidates: 0, same_pair: 0, known: None, signed: None });
        }
    };
    if let Some(originator) = &head.originator {
        signed::show_carried(layer, originator, context);
    }
    let owner = envelope.name();
    let cipher = Cipher::of(&head.content.cipher, envelope);
    let key_lens = cipher.as_ref().map(Cipher::key_lens).unwrap_or_default();
    let recipients = Recipients { infos: &head.recipients, owner, key_lens };
    let candidates = match (envelope, &cipher) {
        (Envelope::Encrypted, Ok(cipher)) => Recipients::shared_keys(cipher, context),
        _ => recipients.candidates(context),
    };
    layer.recipients = recipients.describe(&candidates);
    let candidates_len = candidates.len();
    let none = || Attempt { plaintext: None, candidates: candidates_len, same_pair: 0, known: None, signed: None };
    let key_bits = cipher.as_ref().ok().and_then(Cipher::key_bits);
    let authenticated = cipher.as_ref().is_ok_and(Cipher::is_authenticated);
    if authenticated && envelope != Envelope::AuthEnveloped {
        layer.deviate(Deviation::GcmInEnveloped);
    }
    if cipher.as_ref().is_ok_and(|cipher| !cipher.parameters_fit(&head.content.cipher)) {
        layer.deviate(Deviation::CipherParametersOdd);
    }
    // Without the length of its content CCM cannot even begin.
    let postponed = known.is_none() && cipher.as_ref().is_ok_and(Cipher::needs_content_len) && !candidates.is_empty();
    layer.content_cipher = Some(head.content.cipher.name());
    layer.policy = context.request.policy.judge_cipher_oid(&head.content.cipher.oid, key_bits);
    let nothing = Known::default();
    let mut opener = None;
    let gmt = oid::is_gmt(content_type);
    for deviation in naming(&head, gmt) {
        layer.deviate(deviation);
    }
    let mut found = Vec::new();
    let candidate = candidates.get(attempt).copied();
    if let Some(certificate) = candidate.and_then(|candidate| candidate.reader(context)) {
        let strength = strength_bits(&head.content.cipher.oid, key_bits);
        context.encrypted.borrow_mut().push(Encrypted {
            layer: layer.path.clone(),
            reader: certificate.emails(),
            cipher: (head.content.cipher.name(), strength),
        });
    }
    match cipher
        .and_then(|cipher| opener_of(&recipients, candidate, (&cipher, known.unwrap_or(&nothing)), context, &mut found))
    {
        Ok(_) if postponed => {}
        Ok(ready) => opener = Some(ready),
        Err(_) if postponed => {}
        Err(Refusal::Structure(aspect)) => layer.structure = aspect,
        Err(Refusal::Decryption(aspect)) => layer.decryption = aspect,
    }
    found.into_iter().for_each(|deviation| layer.deviate(deviation));
    let mut spool = workspace.spool()?;
    let mut content_len: u64 = 0;
    let place = format!("{owner}.encryptedContentInfo");
    let read = each_block(
        |block| head.content.read_content(reader, block),
        limits.content_octets,
        &place,
        |block| {
            content_len += block.len() as u64;
            match &mut opener {
                Some(opener) => opener.update(block, &mut spool),
                None => Ok(()),
            }
        },
    )?;
    let tail = match read.and_then(|()| finish(layer, &head, reader, limits, content_type)) {
        Ok(tail) => tail,
        Err(error) if Check::Encoding.on() => {
            layer.structure = error.aspect();
            return Ok(none());
        }
        Err(_) => EnvelopedDataTail::default(),
    };
    let stated = match envelope {
        Envelope::AuthEnveloped => stated_type(&head.content.content_type, &tail),
        _ => Ok(None),
    };
    let stated = match stated {
        Ok(stated) => stated,
        Err(fault) => {
            layer.structure = fault;
            return Ok(none());
        }
    };
    let additional = tail.authenticated_attributes.as_ref().map(Attributes::der).unwrap_or_default();
    if known.is_none() && (postponed || opener.is_some() && !additional.is_empty()) {
        let known = Some(Known { additional, content_len: Some(content_len) });
        return Ok(Attempt { known, ..none() });
    }
    if head.content.stream.is_none() && layer.structure.is_good() {
        let detail = format!("{place} holds no encryptedContent");
        layer.structure = Aspect::bad(Reason::ContentMissing, detail);
        return Ok(none());
    }
    let Some(opener) = opener else { return Ok(none()) };
    layer.decryption = opener.finish(&tail.mac, &mut spool)?;
    if authenticated {
        // The tag vouches for the content, as whoever has the key left it.
        layer.integrity = layer.decryption.clone();
    }
    if !layer.decryption.is_good() {
        return Ok(none());
    }
    let content_type = head.content.content_type;
    if let Some(stated) = stated.filter(|stated| *stated != content_type && Check::ContentTypeAttribute.on()) {
        let detail = format!("{owner}: the contentType attribute says {stated}, {place} has {content_type}");
        layer.integrity = Aspect::bad(Reason::ContentTypeMismatch, detail);
        return Ok(none());
    }
    if let Some(unsupported) = content::unsupported(&format!("{place}.contentType"), &content_type) {
        layer.structure = unsupported;
        return Ok(none());
    }
    spool.seek(SeekFrom::Start(0))?;
    let signed = (envelope == Envelope::SignedAndEnveloped)
        .then(|| Box::new(SignedObject::beside(head.digest_algorithms, &content_type, tail.signed)));
    let following = candidates.iter().skip(attempt + 1);
    let same_pair = candidate.map_or(0, |candidate| following.take_while(|next| candidate.is_pair_of(next)).count());
    Ok(Attempt { plaintext: Some((spool, content_type)), same_pair, signed, ..none() })
}

/// The type that an authenticated attribute gives authenticated content: only
/// id-data may go without (RFC 5083 section 2.1).
fn stated_type(content_type: &str, tail: &EnvelopedDataTail) -> Result<Option<String>, Aspect> {
    let stated = tail.authenticated_attributes.as_ref().map(Attributes::content_type).transpose();
    match stated.map_err(|error| error.aspect())?.flatten() {
        None if content_type != oid::DATA && Check::MandatoryAttributes.on() => {
            let owner = Envelope::AuthEnveloped.name();
            let detail = format!("{owner}: no authenticated attribute says that the content is {content_type}");
            Err(Aspect::bad(Reason::MissingAttribute, detail))
        }
        stated => Ok(stated),
    }
}

/// What decrypts the content, by way of this candidate.
fn opener_of(
    recipients: &Recipients<'_>,
    candidate: Option<Candidate>,
    (cipher, known): (&Cipher, &Known),
    context: &Context<'_>,
    deviations: &mut Vec<Deviation>,
) -> Result<Opener, Refusal> {
    let candidate = candidate.ok_or_else(|| recipients.none(context))?;
    if !context.budget.attempt() {
        return Err(Refusal::Structure(too_many_attempts(context)));
    }
    let key = recipients.content_key(candidate, context, deviations)?;
    if !cipher.takes_key_len(key.len()) {
        let detail = format!("the content cipher takes no key of {} octets, as this one has", key.len());
        return Err(Refusal::Decryption(Aspect::bad(Reason::WrongKey, detail)));
    }
    cipher.opener(&key, known, context)
}

/// Some pairs of recipient and key were not tried.
pub(super) fn too_many_attempts(context: &Context<'_>) -> Aspect {
    let most = context.request.limits.key_attempts;
    Aspect::bad(Reason::LimitExceeded, format!("more than {most} pairs of recipient and key in the message"))
}

/// Where algorithms are named otherwise than the family of the message does.
fn naming(head: &EnvelopedDataHead, gmt: bool) -> Vec<Deviation> {
    let mut found = Vec::new();
    if head.content.cipher.oid == oid::SM4 {
        found.push(Deviation::Sm4OidShort);
    }
    found.extend(sm2::transport_names(&head.recipients, gmt));
    found
}

/// Whose habits the versions and recipients of an object of GM/T 0010 show.
fn habits(head: &EnvelopedDataHead) -> Option<Dialect> {
    let by_key_exchange = |info: &RecipientInfo| matches!(info, RecipientInfo::KeyTransport { algorithm, .. } if algorithm.oid == oid::SM2_KEY_EXCHANGE);
    if head.cfca_version_fits() {
        Some(Dialect::Cfca)
    } else {
        let gmssl = !head.recipients.is_empty() && head.recipients.iter().all(by_key_exchange);
        gmssl.then_some(Dialect::Gmssl3Digest)
    }
}

/// Reads to the end of the object, and notes what deviates there.
fn finish<R: Read>(
    layer: &mut Layer,
    head: &EnvelopedDataHead,
    reader: &mut Reader<R>,
    limits: &crate::Limits,
    content_type: &str,
) -> Result<EnvelopedDataTail, CmsError> {
    let tail = head.finish(reader, limits)?;
    let fits = match oid::is_gmt(content_type) {
        true if head.envelope == Envelope::Encrypted => head.version == 1,
        true => head.cfca_version_fits() || head.gmt_version_fits(),
        false => head.version_fits(&tail),
    };
    if !fits {
        layer.deviate(Deviation::VersionOdd);
    }
    sm2::mark(layer, content_type, Some(&head.content.content_type), habits(head));
    content::end(layer, reader)?;
    Ok(tail)
}
