//! Time-stamps on signatures, and tokens by themselves (RFC 3161).
//!
//! *What a time-stamp proves.* The authority had the signature value at genTime.
//! So a certificate that has ended since may be judged at that time (RFC 3161
//! appendix B), if the policy trusts time-stamps; the authority's own path is
//! judged at that time too, and by policy at the time of reading besides.
//!
//! *Several time-stamps.* An unsigned attribute can be added, exchanged and
//! removed by anybody, and nothing in the message shows it. So every one is
//! reported; of those that are good the earliest counts, because a later one
//! takes nothing away from it; and a bad one is told even beside a good one.
//! That an original was exchanged for a later one shows only in its distance
//! from the signing time, or in a certificate that had ended by then. That one
//! was taken away shows to a policy that requires one.

use std::cell::RefCell;
use std::io::{Cursor, Read as _};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_key::DigestAlgorithm;
use waxseal_verdict::{Aspect, Layer, Reason, Signer, Timestamp};

use crate::certificate::{Certificate, Crl, OcspResponse, serial_text};
use crate::check::Check;
use crate::cms::{CmsError, SignerInfo, oid};
use crate::hex::hex;
use crate::io::Source;
use crate::message::context::{Context, Known};
use crate::message::request::{OpenError, OpenRequest};
use crate::message::signed::{SignedContent, SignedObject, hash};
use crate::message::signer::{self, Over, Subject};
use crate::timestamp::{Token, TstInfo};

/// The digest of what a token should cover, by the algorithm of the token.
/// `None` leaves the imprint unchecked.
pub type Covered<'a> = dyn FnMut(DigestAlgorithm) -> Option<Vec<u8>> + 'a;

/// What came of verifying a token.
#[derive(Debug, Clone)]
pub struct VerifiedToken {
    /// Everything that was found.
    pub stamp: Timestamp,
    /// Whether it is to be believed: the aspect `time`.
    pub time: Aspect,
    /// What it says, if it could be read.
    pub info: Option<TstInfo>,
}

/// Verifies a token by itself (RFC 3161 section 2.2): its form, its imprint,
/// the signature and the path of its authority. Whether it answers a request is
/// told by [`crate::timestamp::TimeStampReq::differences`].
#[must_use]
pub fn verify_token(token: &[u8], covered: &mut Covered<'_>, request: &OpenRequest<'_>) -> VerifiedToken {
    let context = Context::new(request, token.len() as u64, None);
    let known = given(request);
    match Token::parse(token, request.limits) {
        Ok(token) => {
            let judged = judge_token(&token, "token", covered, known, &context);
            VerifiedToken { stamp: judged.stamp, time: judged.time, info: Some(token.info().clone()) }
        }
        Err(error) => {
            let stamp = unread(&error);
            let time = aspect(&stamp, "token");
            VerifiedToken { stamp, time, info: None }
        }
    }
}

/// The time-stamps of one signature, drawn together.
#[derive(Default)]
pub(super) struct Stamps {
    list: Vec<Judged>,
    /// What they make of the signer's time.
    pub(super) time: Aspect,
    /// Whether there are more than are judged.
    pub(super) limit: Aspect,
}

/// One token.
struct Judged {
    stamp: Timestamp,
    info: Option<TstInfo>,
    time: Aspect,
    signer: Signer,
}

impl Stamps {
    /// Judges every time-stamp on a signature (RFC 3161 appendix A).
    pub(super) fn judge(info: &SignerInfo, known: Known<'_>, place: &str, context: &Context<'_>) -> Self {
        let mut stamps = Self::default();
        let attributes = info.unsigned_attributes.iter().flat_map(|attributes| &attributes.list);
        let found = attributes.filter(|attribute| attribute.oid == oid::ATTRIBUTE_TIME_STAMP_TOKEN);
        let limits = context.request.limits;
        for (index, octets) in found.flat_map(|attribute| &attribute.values).enumerate() {
            let place = format!("{place}.timeStampToken[{index}]");
            if !context.spend_timestamp() {
                let detail = format!("{place}: more than {} time-stamps in one message", limits.timestamps);
                stamps.limit = Aspect::bad(Reason::LimitExceeded, detail);
                break;
            }
            let arithmetic = context.request.arithmetic;
            let mut covered = |digest| arithmetic.digest(digest, &info.signature).ok();
            let judged = match Token::parse(octets, limits) {
                Ok(token) => judge_token(&token, &place, &mut covered, known, context),
                Err(error) => {
                    let stamp = unread(&error);
                    Judged { time: aspect(&stamp, &place), stamp, info: None, signer: Signer::default() }
                }
            };
            stamps.time = std::mem::take(&mut stamps.time).worst(judged.time.clone());
            stamps.list.push(judged);
        }
        stamps.judge_number(info, place, context);
        stamps
    }

    fn judge_number(&mut self, info: &SignerInfo, place: &str, context: &Context<'_>) {
        let policy = context.request.policy;
        if self.list.is_empty() && policy.time.require_timestamp && Check::TimestampPresent.on() {
            let emptied = info.unsigned_attributes.as_ref().is_some_and(|attributes| attributes.list.is_empty());
            let left = if emptied { "; an empty unsignedAttrs shows that something was taken out" } else { "" };
            let detail = format!("{place}: no time-stamp, and policy {} requires one{left}", policy.name);
            self.bad(Reason::TimestampMissing, detail);
        }
        if let Some(first) = self.first() {
            self.list[first].stamp.counts = true;
        }
    }

    /// The good one with the earliest time.
    fn first(&self) -> Option<usize> {
        let good = self.list.iter().enumerate().filter(|(_, judged)| judged.time.is_good());
        let times = good.filter_map(|(index, judged)| Some((judged.info.as_ref()?.latest(), index)));
        times.min().map(|(_, index)| index)
    }

    /// What the time-stamp says that counts.
    fn counting(&self) -> Option<&TstInfo> {
        self.list.iter().find(|judged| judged.stamp.counts)?.info.as_ref()
    }

    /// The latest time at which the signature can have been made, if a good
    /// time-stamp tells.
    pub(super) fn made_by(&self) -> Option<OffsetDateTime> {
        self.counting().map(TstInfo::latest)
    }

    /// Holds the time-stamp that counts against what the signer says, and
    /// against the validity of the signer's certificate.
    pub(super) fn compare(
        &mut self,
        signed: Option<OffsetDateTime>,
        certificate: Option<&Certificate>,
        context: &Context<'_>,
    ) {
        let Some((earliest, latest)) = self.counting().map(|info| (info.earliest(), info.latest())) else { return };
        if !Check::TimestampTime.on() {
            return;
        }
        let clocks = &context.request.policy.time;
        let apart = |from: OffsetDateTime, to: OffsetDateTime| (to - from).whole_seconds();
        if let Some(signed) = signed {
            if apart(latest, signed) > i64::from(clocks.future_seconds) {
                let detail = format!(
                    "stamped at {}, which is before it says to have been signed, {}",
                    show(latest),
                    show(signed)
                );
                self.bad(Reason::SigningTimeDiffers, detail);
            }
            let delay = apart(signed, earliest);
            if let Some(most) = clocks.stamp_delay_seconds.filter(|most| delay > i64::from(*most)) {
                let detail = format!(
                    "stamped at {}, {delay} seconds after it says to have been signed, {most} are allowed: an earlier \
                     time-stamp may have been exchanged for this one",
                    show(earliest)
                );
                self.bad(Reason::TimestampReplaced, detail);
            }
        }
        let Some(certificate) = certificate else { return };
        for (outside, bound, word) in [
            (latest < certificate.not_before(), certificate.not_before(), "before the certificate began"),
            (earliest > certificate.not_after(), certificate.not_after(), "after the certificate had ended"),
        ] {
            if outside {
                let detail = format!(
                    "stamped at {}, {word} at {}: this is not the time-stamp that the signature was made with (RFC \
                     3161 appendix B)",
                    show(earliest),
                    show(bound)
                );
                self.bad(Reason::TimestampReplaced, detail);
            }
        }
    }

    fn bad(&mut self, reason: Reason, detail: String) {
        self.time = std::mem::take(&mut self.time).worst(Aspect::bad(reason, detail));
    }

    /// Everything for the verdict, as found on this signer of a layer.
    pub(super) fn report(self, layer: &str, signer: usize, into: &RefCell<Vec<Timestamp>>) {
        let signer = u32::try_from(signer).ok();
        let told = self.list.into_iter().map(|judged| Timestamp { layer: layer.to_owned(), signer, ..judged.stamp });
        into.borrow_mut().extend(told);
    }
}

/// Judges a token as a layer: a message that is a token. `content` is what it
/// should cover.
pub(super) fn judge_layer(
    layer: &mut Layer,
    mut object: SignedObject,
    content: Option<&mut dyn Source>,
    context: &Context<'_>,
) -> Result<(), OpenError> {
    let place = layer.path.clone();
    let token = match read_object(&mut object, context)? {
        Ok(token) => token,
        Err(error) => {
            layer.structure = error.aspect();
            super::signed::unchecked(layer);
            layer.identity = Aspect::Absent;
            context.timestamps.borrow_mut().push(Timestamp { layer: place, ..unread(&error) });
            return Ok(());
        }
    };
    let digests = match (content, token.info().imprint.digest()) {
        (Some(content), Some(digest)) => {
            content.seek(std::io::SeekFrom::Start(0))?;
            Some(hash(&mut Reading(content), &[digest], context)?)
        }
        _ => None,
    };
    let mut covered = |digest| digests.as_ref()?.get(&digest).cloned();
    let known = given(context.request);
    let Judged { stamp, mut signer, .. } = judge_token(&token, &place, &mut covered, known, context);
    layer.structure = stamp.structure.clone();
    layer.integrity = stamp.integrity.clone();
    layer.chain = stamp.chain.clone();
    layer.policy = stamp.policy.clone();
    layer.time = match &stamp.imprint {
        Aspect::Bad(bad) => Aspect::bad(Reason::TimestampMismatch, bad.detail.clone()),
        other => other.clone(),
    };
    signer.time = layer.time.clone();
    signer.policy = layer.policy.clone();
    layer.signers.push(signer);
    context.timestamps.borrow_mut().push(Timestamp { layer: place, ..stamp });
    Ok(())
}

/// A source that is only borrowed as a trait object.
struct Reading<'a>(&'a mut dyn Source);

impl std::io::Read for Reading<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(out)
    }
}

/// The token that a SignedData is, of which the content waits in a spool.
fn read_object(object: &mut SignedObject, context: &Context<'_>) -> Result<Result<Token, CmsError>, OpenError> {
    if let Some(error) = object.error.take() {
        return Ok(Err(error));
    }
    let most = context.request.limits.element_octets as u64;
    let mut content = Vec::new();
    if let Some(spool) = &mut object.content {
        spool.seek(std::io::SeekFrom::Start(0))?;
        spool.take(most + 1).read_to_end(&mut content)?;
    }
    if content.len() as u64 > most {
        let detail = format!("a TSTInfo of more than {most} octets");
        return Ok(Err(CmsError::new(Reason::LimitExceeded, "TSTInfo", detail)));
    }
    let tail = std::mem::take(&mut object.tail);
    let missing = || CmsError::new(Reason::ContentMissing, "SignedData", "there is no token");
    Ok(object.head.take().ok_or_else(missing).and_then(|head| Token::of_parts(head, content, tail)))
}

/// What is known beside a token that stands alone.
const fn given<'a>(request: &OpenRequest<'a>) -> Known<'a> {
    Known { certificates: request.extra_certificates, crls: request.crls, responses: request.ocsp_responses }
}

/// A token that cannot be read.
fn unread(error: &CmsError) -> Timestamp {
    Timestamp { structure: error.aspect(), integrity: Aspect::Unchecked(None), ..Timestamp::default() }
}

fn judge_token(
    token: &Token,
    place: &str,
    covered: &mut Covered<'_>,
    known: Known<'_>,
    context: &Context<'_>,
) -> Judged {
    let info = token.info();
    if let Some(observer) = context.request.observer {
        observer.carried(place, &token.tail.carried);
    }
    let mut certificates: Vec<_> = token.certificates().iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    certificates.extend_from_slice(known.certificates);
    let mut crls: Vec<_> = token.tail.carried.held_crls.iter().filter_map(|der| Crl::parse(der).ok()).collect();
    crls.extend_from_slice(known.crls);
    let mut stamp = describe(info);
    let held = &token.tail.carried.held_responses;
    let mut responses: Vec<_> = held.iter().filter_map(|der| OcspResponse::parse(der).ok()).collect();
    responses.extend_from_slice(known.responses);
    let known = Known { certificates: &certificates, crls: &crls, responses: &responses };
    let (structure, signer) = judge_signer(token, place, known, context);
    stamp.structure = judge_form(token, context).worst(structure);
    stamp.imprint = judge_imprint(info, covered);
    stamp.integrity = signer.integrity.clone();
    stamp.chain = signer.chain.clone();
    let digest = context.request.policy.judge_digest(&info.imprint.algorithm.oid);
    stamp.policy = signer.policy.clone().worst(digest);
    if !signer.subject.is_empty() {
        stamp.authority = Some(signer.subject.clone());
    }
    Judged { time: aspect(&stamp, place), stamp, info: Some(info.clone()), signer }
}

/// The signature of the authority over the TSTInfo, and its path.
fn judge_signer(token: &Token, place: &str, known: Known<'_>, context: &Context<'_>) -> (Aspect, Signer) {
    let Some(info) = token.tail.signers.first() else { return (Aspect::Absent, Signer::default()) };
    let mut octets = Cursor::new(token.content.as_slice());
    let digest = info.digest.digest();
    let Ok(content) = SignedContent::new(&mut octets, digest.as_slice(), context) else {
        return (Aspect::Unchecked(None), Signer::default());
    };
    let over = Over::TimeStamp(&token.head, token.info().gen_time.at);
    let place = format!("{place}.signerInfos[0]");
    let subject = Subject { over, info, place, content: &content, known, depth: 0, stamped: None };
    let signer::Judged { structure, signer, .. } = signer::judge(&subject, context);
    (structure, signer)
}

/// What RFC 3161 demands of a token beside SignedData and TSTInfo.
fn judge_form(token: &Token, context: &Context<'_>) -> Aspect {
    let info = token.info();
    let mut aspect = Aspect::Good;
    if !info.gen_time.as_profiled {
        let detail =
            "TSTInfo.genTime is not in the form of RFC 3161 section 2.4.2: seconds, Z, and no zeros after them";
        aspect = aspect.worst(Aspect::bad(Reason::BadDer, detail));
    }
    if let Some((extension, _)) = info.extensions.iter().find(|(_, critical)| *critical) {
        let detail = format!("TSTInfo.extensions: critical extension {extension} is not known");
        aspect = aspect.worst(Aspect::bad(Reason::BadParameters, detail));
    }
    let attributes = token.tail.signers.first().and_then(|info| info.signed_attributes.as_ref());
    let names = attributes.is_some_and(|attributes| {
        let has = |oid| attributes.list.iter().any(|attribute| attribute.oid == oid);
        has(oid::ATTRIBUTE_SIGNING_CERTIFICATE) || has(oid::ATTRIBUTE_SIGNING_CERTIFICATE_V2)
    });
    if !names && Check::TimestampAuthority.on() {
        let detail = "no signed attribute names the certificate of the authority (RFC 3161 section 2.4.2, RFC 5816)";
        aspect = aspect.worst(Aspect::bad(Reason::MissingAttribute, detail));
    }
    let at = context.request.at + time::Duration::seconds(context.request.policy.time.future_seconds.into());
    if info.earliest() > at && Check::TimestampTime.on() {
        let detail = format!("stamped at {}, read at {}", show(info.gen_time.at), show(context.request.at));
        aspect = aspect.worst(Aspect::bad(Reason::BadParameters, detail));
    }
    aspect
}

fn judge_imprint(info: &TstInfo, covered: &mut Covered<'_>) -> Aspect {
    let name = info.imprint.algorithm.name();
    let Some(digest) = info.imprint.digest() else { return Aspect::unchecked(Reason::UnsupportedAlgorithm) };
    match covered(digest) {
        None => Aspect::Unchecked(None),
        Some(hash) if hash == info.imprint.hash || !Check::TimestampImprint.on() => Aspect::Good,
        Some(hash) => {
            let detail = format!(
                "the {name} of what it should cover is {}, the token is for {}",
                hex(&hash),
                hex(&info.imprint.hash)
            );
            Aspect::bad(Reason::DigestMismatch, detail)
        }
    }
}

/// Whether a token on a signature is to be believed: the aspect `time`.
fn aspect(stamp: &Timestamp, place: &str) -> Aspect {
    if let Aspect::Bad(bad) = &stamp.imprint {
        return Aspect::bad(Reason::TimestampMismatch, format!("{place}: {}", bad.detail));
    }
    let own = [&stamp.structure, &stamp.integrity, &stamp.chain, &stamp.policy];
    match own.into_iter().chain([&stamp.imprint]).fold(Aspect::Good, |worst, one| worst.worst(one.clone())) {
        Aspect::Bad(_) if !Check::TimestampAuthority.on() => Aspect::Good,
        Aspect::Bad(bad) => Aspect::bad(Reason::TimestampUntrusted, format!("{place}: {}: {}", bad.reason, bad.detail)),
        other => other,
    }
}

/// What a token says of itself.
fn describe(info: &TstInfo) -> Timestamp {
    Timestamp {
        time: info.gen_time.at.format(&Rfc3339).ok(),
        authority: info.authority_name(),
        digest: Some(info.imprint.algorithm.name()),
        imprint_hash: Some(hex(&info.imprint.hash)),
        serial: Some(serial_text(&info.serial[..info.serial.len().min(MOST_SHOWN)])),
        authority_policy: Some(info.policy.clone()),
        accuracy_micros: info
            .accuracy
            .and_then(|accuracy| u64::try_from(accuracy.duration().whole_microseconds()).ok()),
        ordering: info.ordering,
        ..Timestamp::default()
    }
}

/// Octets of a number that a verdict shows.
const MOST_SHOWN: usize = 64;

fn show(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}
