//! Judging one signer of SignedData (RFC 5652 sections 5.3, 5.4 and 5.6).

use std::fmt::Write as _;
use std::io::{Cursor, Seek as _, SeekFrom};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_key::{Content, DigestAlgorithm, SM2_DEFAULT_ID, SignatureScheme, algorithm};
use waxseal_verdict::{Aspect, Deviation, Reason, Signer};

use crate::certificate::identity::{self, Compared};
use crate::certificate::path::{self, PathRequest, PathResult, PolicyInputs, Purpose};
use crate::certificate::{Certificate, complete_key};
use crate::check::Check;
use crate::cms::{AlgorithmIdentifier, Attributes, CmsError, SignedDataHead, SignerIdentifier, SignerInfo, oid};
use crate::hex::hex;
use crate::message::binding;
use crate::message::context::{Context, Known, key_aspect};
use crate::message::countersignature;
use crate::message::receipt::Requested;
use crate::message::signed::SignedContent;
use crate::message::sm2;
use crate::message::stamp::Stamps;
use crate::message::statements::{self, Problem};

/// A signer, and what of the message its verdict depends on.
pub(super) struct Subject<'a, 'c> {
    pub(super) over: Over<'a>,
    pub(super) info: &'a SignerInfo,
    /// The path of its SignerInfo, for errors.
    pub(super) place: String,
    pub(super) content: &'a SignedContent<'c>,
    pub(super) known: Known<'a>,
    /// How many signatures this one is a countersignature on, over each other.
    pub(super) depth: usize,
    /// The layer and the number of the signer, for its time-stamps; those of
    /// countersignatures and tokens are not judged.
    pub(super) stamped: Option<(&'a str, usize)>,
}

/// What a signature is over.
#[derive(Clone, Copy)]
pub(super) enum Over<'a> {
    /// The content of SignedData.
    Content(&'a SignedDataHead),
    /// A TSTInfo, stamped at that time (RFC 3161 section 2.4.2).
    TimeStamp(&'a SignedDataHead, OffsetDateTime),
    /// The value of another signature, which has no content type and no
    /// digestAlgorithms (RFC 5652 section 11.4).
    Signature,
}

impl<'a> Over<'a> {
    /// What stands before the content in SignedData.
    const fn head(self) -> Option<&'a SignedDataHead> {
        match self {
            Self::Content(head) | Self::TimeStamp(head, _) => Some(head),
            Self::Signature => None,
        }
    }

    fn content_type(self) -> Option<&'a str> {
        self.head().map(|head| head.content.content_type.as_str())
    }
}

/// A signer that was judged.
pub(super) struct Judged {
    /// Its structure; a verdict has that aspect of the layer only.
    pub(super) structure: Aspect,
    pub(super) signer: Signer,
    /// Its certificate, if one fits.
    pub(super) certificate: Option<Certificate>,
}

/// Judges a signer.
pub(super) fn judge(subject: &Subject<'_, '_>, context: &Context<'_>) -> Judged {
    let mut judge = SignerJudge {
        over: subject.over,
        info: subject.info,
        content: subject.content,
        known: subject.known,
        context,
        place: subject.place.clone(),
        structure: Aspect::Good,
        signer: Signer::default(),
        certificate: None,
        signed: None,
        stamps: Stamps::default(),
    };
    if subject.stamped.is_some() {
        judge.stamps = Stamps::judge(subject.info, subject.known, &subject.place, context);
        judge.structure = std::mem::take(&mut judge.stamps.limit).worst(judge.structure);
    }
    judge.run();
    if let Some((layer, index)) = subject.stamped {
        judge.signer.time = std::mem::take(&mut judge.signer.time).worst(judge.stamps.time.clone());
        judge.stamps.report(layer, index, &context.timestamps);
        judge.stamps = Stamps::default();
    }
    judge.note_request();
    let (limits, countersignatures) =
        countersignature::judge(subject.info, subject.known, &subject.place, subject.depth, context);
    judge.signer.countersignatures = countersignatures;
    Judged { structure: judge.structure.worst(limits), signer: judge.signer, certificate: judge.certificate }
}

/// A signature value that fits, perhaps with a deviation, or why it does not.
type Verified = Result<Option<Deviation>, Misfit>;

/// Why a signature value does not fit.
struct Misfit {
    aspect: Aspect,
    /// What explains it.
    deviation: Option<Deviation>,
}

impl From<Aspect> for Misfit {
    fn from(aspect: Aspect) -> Self {
        Self { aspect, deviation: None }
    }
}

/// The verdict on one signer while it is made.
struct SignerJudge<'a, 'c> {
    over: Over<'a>,
    info: &'a SignerInfo,
    content: &'a SignedContent<'c>,
    known: Known<'a>,
    context: &'a Context<'a>,
    place: String,
    structure: Aspect,
    signer: Signer,
    certificate: Option<Certificate>,
    /// When it says to have been made.
    signed: Option<OffsetDateTime>,
    stamps: Stamps,
}

impl<'a> SignerJudge<'a, '_> {
    fn run(&mut self) {
        let info = self.info;
        self.signer.digest = info.digest.name();
        self.signer.signature = signature_name(&info.signature_algorithm.oid);
        if let Some(head) = self.over.head() {
            let same = |listed: &AlgorithmIdentifier| {
                listed.oid == info.digest.oid
                    || info.digest.signers_digest().is_some_and(|digest| listed.signers_digest() == Some(digest))
            };
            if !head.digest_algorithms.iter().any(same) {
                self.deviate(Deviation::DigestNotListed);
            }
            if head.digest_algorithms.iter().any(sm2::is_signature_for_digest) {
                self.deviate(Deviation::Sm3OidAlias);
            }
        }
        if sm2::is_signature_for_digest(&info.digest) {
            self.deviate(Deviation::Sm3OidAlias);
        }
        self.check_placement();
        self.read_attributes();
        let Some((digest, scheme)) = self.algorithms() else {
            self.signer.integrity = Aspect::Unchecked(None);
            let named: Vec<_> = self.named().into_iter().cloned().collect();
            self.judge_certificate(&named);
            return;
        };
        // A countersignature is of no family: it has no content type.
        if let Some(head) = self.over.head().filter(|_| scheme == SignatureScheme::Sm2) {
            sm2::naming(info, head.gmt).into_iter().for_each(|deviation| self.deviate(deviation));
        }
        // No document says whether SM3 has NULL; software does either.
        if info.digest.has_null() && digest > DigestAlgorithm::Sha1 && digest != DigestAlgorithm::Sm3 {
            self.deviate(Deviation::DigestParametersNull);
        }
        if !digest_suits(scheme, &info.digest.oid) {
            self.deviate(Deviation::DigestUnsuited);
        }
        self.signer.content_digest = self.content.digests.get(&digest).map(|value| hex(value));
        let fitting = self.judge_integrity(digest, scheme);
        let path = self.judge_certificate(&fitting);
        self.judge_policy(digest, scheme, &path);
    }

    /// Keeps what is needed to recognise a receipt that this signature asks
    /// for; of one that is not good nobody may act on it (RFC 2634 section 2.3).
    fn note_request(&self) {
        let (Some(request), Some(attributes)) = (&self.signer.statements.receipt_request, &self.info.signed_attributes)
        else {
            return;
        };
        let digest = self.info.digest.signers_digest();
        let (Some(digest), Over::Content(head), true) = (digest, self.over, self.signer.integrity.is_good()) else {
            return;
        };
        let not_der = self.signer.deviations.contains(&Deviation::AttributesNotDer);
        let octets = if not_der { attributes.as_received() } else { attributes.der() };
        let Ok(attributes_digest) = self.context.request.arithmetic.digest(digest, &octets) else { return };
        self.context.requested.borrow_mut().push(Requested {
            content_type: head.content.content_type.clone(),
            identifier: request.identifier.clone(),
            signature: self.info.signature.clone(),
            attributes_digest,
        });
    }

    /// What vouches for the content, or for the signer, must be signed; what is
    /// added to a signature must not (RFC 5652 section 11, RFC 8551 section 2.5).
    fn check_placement(&mut self) {
        let misplaced = |attributes: &Option<Attributes>, kinds: &[&str]| {
            let list = attributes.iter().flat_map(|attributes| &attributes.list);
            list.map(|attribute| attribute.oid.clone()).find(|oid| kinds.contains(&oid.as_str()))
        };
        let info = self.info;
        let found = [
            ("unsignedAttrs", misplaced(&info.unsigned_attributes, oid::SIGNED_ONLY)),
            ("signedAttrs", misplaced(&info.signed_attributes, oid::UNSIGNED_ONLY)),
        ];
        for (set, oid) in found.into_iter().filter_map(|(set, oid)| Some((set, oid?))) {
            if Check::AttributeMultiplicity.on() {
                let name = algorithm::oid_name(&oid).unwrap_or(&oid);
                let detail = format!("{}: {name} must not be among the {set} (RFC 5652 section 11)", self.place);
                self.structure_bad(Reason::MisplacedAttribute, detail);
            }
        }
    }

    /// Reads the attributes that the verdict shows, and checks that those of
    /// RFC 5652 section 5.3 are there.
    fn read_attributes(&mut self) {
        let Some(attributes) = &self.info.signed_attributes else {
            let typed = self.over.content_type().filter(|content_type| oid::standard(content_type) != oid::DATA);
            if let Some(content_type) = typed.filter(|_| Check::MandatoryAttributes.on()) {
                let detail = format!(
                    "{}: no signedAttrs although the content is {content_type} (RFC 5652 section 5.3)",
                    self.place
                );
                self.structure_bad(Reason::MissingAttribute, detail);
            }
            return;
        };
        self.signer.attributes = attributes.list.iter().map(|attribute| attribute.oid.clone()).collect();
        let content_type = attributes.content_type().map(|value| value.is_some());
        if self.over.content_type().is_none() && content_type == Ok(true) {
            self.deviate(Deviation::AttributeOutOfPlace);
        }
        let mandatory = [
            ("contentType", if self.over.content_type().is_some() { content_type } else { Ok(true) }),
            ("messageDigest", attributes.message_digest().map(|value| value.is_some())),
        ];
        for (name, found) in mandatory {
            match found {
                Ok(true) => {}
                Ok(false) if Check::MandatoryAttributes.on() => {
                    let detail = format!("{}: signedAttrs hold no {name} (RFC 5652 section 5.3)", self.place);
                    self.structure_bad(Reason::MissingAttribute, detail);
                }
                Ok(false) => {}
                Err(error) => self.attribute_error(&error),
            }
        }
        match attributes.signing_time() {
            Ok(Some((time, deviation))) => {
                self.signer.signing_time = time.format(&Rfc3339).ok();
                if let Some(deviation) = deviation {
                    self.deviate(deviation);
                }
                let request = self.context.request;
                self.signed = Some(time);
                self.signer.time = match self.over {
                    Over::Content(_) => request.policy.judge_time(self.context.date, Some(time), request.at),
                    // The time of a token is genTime.
                    Over::TimeStamp(..) => Aspect::Absent,
                    // Whoever countersigns does so later than the author sends.
                    Over::Signature => request.policy.judge_time(None, Some(time), request.at),
                };
            }
            Ok(None) => {}
            Err(error) => self.attribute_error(&error),
        }
        match attributes.capabilities() {
            Ok(Some(list)) if list.iter().any(capability_is_odd) => self.deviate(Deviation::CapabilityParametersOdd),
            Ok(_) => {}
            Err(error) if error.reason == Reason::DuplicateAttribute => self.attribute_error(&error),
            // What cannot be understood is passed over (RFC 8551 section 2.5.2).
            Err(_) => self.deviate(Deviation::CapabilityParametersOdd),
        }
        if let Err(error) = attributes.algorithm_protection() {
            self.attribute_error(&error);
        }
        match binding::named_certificates(attributes) {
            Ok(ids) => {
                for id in ids.iter().filter(|id| DigestAlgorithm::from_oid(&id.digest).is_none()) {
                    let name = algorithm::oid_name(&id.digest).unwrap_or(&id.digest);
                    let detail = format!("{}: {name} in signingCertificateV2 is not supported", self.place);
                    self.structure_bad(Reason::UnsupportedAlgorithm, detail);
                }
            }
            Err(error) => self.attribute_error(&error),
        }
        let (said, problems) = statements::read(attributes);
        self.signer.statements = said;
        for problem in problems {
            match problem {
                Problem::Structure(error) => self.attribute_error(&error),
                Problem::Passed(deviation) => self.deviate(deviation),
            }
        }
    }

    fn attribute_error(&mut self, error: &CmsError) {
        if error.reason != Reason::DuplicateAttribute || Check::AttributeMultiplicity.on() {
            self.structure_bad(error.reason, format!("{}: {error}", self.place));
        }
    }

    /// The signer's digest and signature scheme, if both are known.
    fn algorithms(&mut self) -> Option<(DigestAlgorithm, SignatureScheme)> {
        let info = self.info;
        let digest = info.digest.signers_digest();
        let identifier = &info.signature_algorithm;
        let signature = algorithm::signature_from_identifier(&identifier.oid, identifier.parameters.as_deref());
        let signature = signature.unwrap_or_else(|error| {
            self.structure_bad(Reason::BadParameters, format!("{}.signatureAlgorithm: {error}", self.place));
            None
        });
        // Without attributes nothing is hashed with it, and it is to be ignored (RFC 9882 section 3.3).
        let unused = signs_content(info) && !matches!(signature, Some((SignatureScheme::Sm2, _)));
        let digest = digest.or_else(|| unused.then_some(DigestAlgorithm::Sha512));
        if digest.is_none() {
            let detail = format!("{}.digestAlgorithm: {} is not supported", self.place, info.digest.name());
            self.structure_bad(Reason::UnsupportedAlgorithm, detail);
        }
        if signature.is_none() && !self.structure.is_bad() {
            let name = info.signature_algorithm.name();
            let detail = format!("{}.signatureAlgorithm: {name} is not supported", self.place);
            self.structure_bad(Reason::UnsupportedAlgorithm, detail);
        }
        let (digest, (scheme, named)) = (digest?, signature?);
        let named = named.or((scheme == SignatureScheme::Sm2).then_some(DigestAlgorithm::Sm3));
        if let Some(named) = named
            && named != digest
        {
            let detail = format!(
                "{}: signatureAlgorithm names {} and digestAlgorithm {} (RFC 8933 section 3)",
                self.place,
                named.name(),
                digest.name()
            );
            self.signer.integrity = Aspect::bad(Reason::AlgorithmMismatch, detail);
        }
        Some((digest, scheme))
    }

    /// Certificates that the signer identifier names; several may share a key identifier.
    fn named(&self) -> Vec<&'a Certificate> {
        let mut list: Vec<&'a Certificate> = Vec::new();
        for certificate in
            self.known.certificates.iter().filter(|certificate| self.context.is_named(certificate, &self.info.id))
        {
            if !list.iter().any(|known| known.der() == certificate.der()) {
                list.push(certificate);
            }
        }
        list
    }

    /// Checks digest, attributes and signature value; the certificates whose
    /// key fits, or all that were named.
    fn judge_integrity(&mut self, digest: DigestAlgorithm, scheme: SignatureScheme) -> Vec<Certificate> {
        let mut integrity = std::mem::replace(&mut self.signer.integrity, Aspect::Good);
        if !integrity.is_bad() {
            integrity = Aspect::Good;
        }
        let content_digest = self.content.digests.get(&digest).map(Vec::as_slice);
        let there =
            if signs_content(self.info) { self.content.source.borrow().is_some() } else { content_digest.is_some() };
        if !there {
            self.signer.integrity = Aspect::Unchecked(None);
            return self.named().into_iter().cloned().collect();
        }
        let content_digest = content_digest.unwrap_or_default();
        if let Some(attributes) = &self.info.signed_attributes {
            match attributes.message_digest() {
                Ok(Some(stated)) if stated != content_digest && Check::MessageDigest.on() => {
                    let detail = format!(
                        "{}: the content's {} is {}, the messageDigest attribute says {}",
                        self.place,
                        digest.name(),
                        hex(content_digest),
                        hex(&stated[..stated.len().min(64)])
                    );
                    integrity = integrity.worst(Aspect::bad(Reason::DigestMismatch, detail));
                }
                Ok(None) if Check::MandatoryAttributes.on() => {
                    let detail = format!("{}: no messageDigest attribute binds the content", self.place);
                    integrity = integrity.worst(Aspect::bad(Reason::DigestMismatch, detail));
                }
                Err(error) if Check::AttributeMultiplicity.on() => {
                    let detail = format!("{}: no messageDigest attribute that could be read: {error}", self.place);
                    integrity = integrity.worst(Aspect::bad(Reason::DigestMismatch, detail));
                }
                _ => {}
            }
            match (attributes.content_type(), self.over.content_type()) {
                (Ok(Some(stated)), Some(due)) if stated != due && Check::ContentTypeAttribute.on() => {
                    let detail =
                        format!("{}: the contentType attribute says {stated}, eContentType is {due}", self.place);
                    integrity = integrity.worst(Aspect::bad(Reason::ContentTypeMismatch, detail));
                }
                _ => {}
            }
            integrity = integrity.worst(binding::algorithms(self.info, attributes, &self.place));
        }
        let named: Vec<Certificate> = self.named().into_iter().cloned().collect();
        if named.is_empty() {
            let detail =
                format!("{}: no certificate in the message or among the extra ones is {}", self.place, self.info.id);
            self.signer.integrity = integrity.worst(Aspect::bad(Reason::SignerCertificateNotFound, detail));
            return Vec::new();
        }
        // Several certificates may carry the same key; it is tried once.
        let mut results: Vec<(&[u8], Verified)> = Vec::new();
        let mut fitting = Vec::new();
        for certificate in &named {
            let key = certificate.spki();
            let known = results.iter().position(|(tried, _)| *tried == key);
            let index = known.unwrap_or_else(|| {
                results.push((key, self.verify(certificate, digest, scheme, content_digest)));
                results.len() - 1
            });
            if results[index].1.is_ok() {
                fitting.push(certificate.clone());
            }
        }
        let fits = results.iter().find_map(|(_, result)| result.as_ref().ok().copied());
        if let Some(deviation) = fits {
            if let Some(deviation) = deviation {
                self.deviate(deviation);
            }
            if let Some(attributes) = &self.info.signed_attributes {
                let (chosen, bound) = binding::choose(fitting, attributes, &self.place, self.context);
                self.signer.integrity = integrity.worst(bound);
                return chosen;
            }
            self.signer.integrity = integrity;
            return fitting;
        }
        let last = results.pop().and_then(|(_, result)| result.err());
        if let Some(deviation) = last.as_ref().and_then(|misfit| misfit.deviation) {
            self.deviate(deviation);
        }
        let last = last.map_or(Aspect::Unchecked(None), |misfit| misfit.aspect);
        match last {
            Aspect::Unchecked(Some(Reason::LimitExceeded)) => {
                let detail = format!("{}: too many signature values to check in one message", self.place);
                self.structure_bad(Reason::LimitExceeded, detail);
            }
            Aspect::Unchecked(_) => {
                let detail = format!("{}: {} is not done here", self.place, self.signer.signature);
                self.structure_bad(Reason::UnsupportedAlgorithm, detail);
            }
            _ => {}
        }
        self.signer.integrity = integrity.worst(last);
        named
    }

    /// Checks the signature value with one certificate's key: over the DER
    /// encoding of the signed attributes, and if that fails over the
    /// attributes as received.
    fn verify(
        &self,
        certificate: &Certificate,
        digest: DigestAlgorithm,
        scheme: SignatureScheme,
        content_digest: &[u8],
    ) -> Verified {
        if !Check::SignatureValue.on() {
            return Ok(None);
        }
        let key = complete_key(certificate, self.known.certificates.iter().chain(self.context.request.anchors));
        let Some(attributes) = &self.info.signed_attributes else {
            let fits = if scheme.signs_message() {
                self.verify_content(&key, scheme)?
            } else {
                self.verify_value(&key, scheme, digest, content_digest)?
            };
            // Without attributes an altered content and a wrong key look the same.
            return if fits {
                Ok(None)
            } else {
                self.misfit(&key, scheme, None, format!("this content and {}", certificate.subject()))
            };
        };
        let der = attributes.der();
        if self.verify_octets(&key, scheme, digest, &der)? {
            return Ok(None);
        }
        let received = attributes.as_received();
        if received != der && self.verify_octets(&key, scheme, digest, &received)? {
            return Ok(Some(Deviation::AttributesNotDer));
        }
        self.misfit(&key, scheme, Some(&der), format!("these signed attributes and {}", certificate.subject()))
    }

    /// A signature value that does not fit; of SM2, whether it would fit
    /// without Z, or under no identifier.
    fn misfit(&self, key: &[u8], scheme: SignatureScheme, attributes: Option<&[u8]>, what: String) -> Verified {
        let mut detail = format!("{}: the signature fits not {what}", self.place);
        let mut deviation = None;
        if scheme == SignatureScheme::Sm2 && self.context.spend_explanation() {
            // What explains a mismatch does not take its place, whatever happens to it.
            deviation = self.without_z(key, attributes).unwrap_or(None);
            let accepts = self.context.request.policy.accept_sm2_without_z;
            match deviation {
                Some(_) if attributes.is_none() && self.is_like_signed(key) => {
                    deviation = None;
                    detail.push_str("; it was made over something else, of which the content is a part");
                }
                Some(deviation) if accepts => return Ok(Some(deviation)),
                Some(deviation) => {
                    let _ = write!(
                        detail,
                        "; it is over a digest without Z ({deviation}), which the policy does not accept"
                    );
                }
                None if self.fits_without_identifier(key, attributes).unwrap_or(false) => {
                    detail.push_str("; it fits with an empty identifier of the signer (GM/T 0003.2 section 5.5)");
                }
                None => {}
            }
        }
        Err(Misfit { aspect: Aspect::bad(Reason::SignatureMismatch, detail), deviation })
    }

    /// Whether an SM2 signature is over a digest that Z is not in.
    fn without_z(&self, key: &[u8], attributes: Option<&[u8]>) -> Result<Option<Deviation>, Aspect> {
        let arithmetic = self.context.request.arithmetic;
        let said = |error| key_aspect(&error, Reason::BadPublicKey);
        let digests = match attributes {
            Some(octets) => {
                let value = arithmetic.digest(DigestAlgorithm::Sm3, octets).map_err(said)?;
                vec![(Deviation::Sm2WithoutZ, value)]
            }
            None => {
                let mut source = self.content.source.borrow_mut();
                let source = source.as_mut().ok_or(Aspect::Unchecked(None))?;
                let gmt = self.over.head().is_some_and(|head| head.gmt);
                sm2::digests_without_z(*source, arithmetic, gmt).map_err(|_| Aspect::Unchecked(None))?
            }
        };
        for (deviation, value) in digests {
            self.spend()?;
            if arithmetic.verify_sm2_digest(key, &value, &self.info.signature).map_err(said)? {
                return Ok(Some(deviation));
            }
        }
        Ok(None)
    }

    /// Whether the content is made of what an ordinary signature is over.
    fn is_like_signed(&self, key: &[u8]) -> bool {
        let arithmetic = self.context.request.arithmetic;
        let ids = [self.context.request.sm2_id, SM2_DEFAULT_ID, b""];
        let zs: Vec<_> = ids.iter().filter_map(|id| arithmetic.sm2_z(key, id).ok()).collect();
        let mut source = self.content.source.borrow_mut();
        // What cannot be looked at is not accepted.
        source.as_mut().is_none_or(|source| sm2::is_like_signed(*source, &zs).unwrap_or(true))
    }

    /// Whether an SM2 signature is one under no identifier, as OpenSSL makes it
    /// where none is given.
    fn fits_without_identifier(&self, key: &[u8], attributes: Option<&[u8]>) -> Result<bool, Aspect> {
        match attributes {
            Some(octets) => {
                self.spend()?;
                self.verify_sm2(key, b"", &mut Cursor::new(octets))
            }
            None => self.over_content_again(|source| self.verify_sm2(key, b"", source)),
        }
    }

    fn verify_sm2(&self, key: &[u8], id: &[u8], message: &mut dyn Content) -> Result<bool, Aspect> {
        let verified = self.context.request.arithmetic.verify_sm2(key, id, message, &self.info.signature);
        verified.map_err(|error| key_aspect(&error, Reason::BadPublicKey))
    }

    /// Verifies the signature value over octets, by way of their digest where
    /// the scheme signs that.
    fn verify_octets(
        &self,
        key: &[u8],
        scheme: SignatureScheme,
        digest: DigestAlgorithm,
        octets: &[u8],
    ) -> Result<bool, Aspect> {
        let arithmetic = self.context.request.arithmetic;
        let said = |error| key_aspect(&error, Reason::BadPublicKey);
        if !scheme.signs_message() {
            let value = arithmetic.digest(digest, octets).map_err(said)?;
            return self.verify_value(key, scheme, digest, &value);
        }
        self.spend()?;
        self.verify_message(key, scheme, &mut Cursor::new(octets))
    }

    /// Verifies the signature value over a message; SM2 under the identifier of
    /// the request.
    fn verify_message(&self, key: &[u8], scheme: SignatureScheme, message: &mut dyn Content) -> Result<bool, Aspect> {
        if scheme == SignatureScheme::Sm2 {
            return self.verify_sm2(key, self.context.request.sm2_id, message);
        }
        let verified = self.context.request.arithmetic.verify_message(key, scheme, message, &self.info.signature);
        verified.map_err(|error| key_aspect(&error, Reason::BadPublicKey))
    }

    /// Verifies the signature value over the content itself, which is read
    /// again for it.
    fn verify_content(&self, key: &[u8], scheme: SignatureScheme) -> Result<bool, Aspect> {
        self.over_content(|source| self.verify_message(key, scheme, source))
    }

    /// Checks a signature value over the content from its start.
    fn over_content(&self, verify: impl FnOnce(&mut dyn Content) -> Result<bool, Aspect>) -> Result<bool, Aspect> {
        if !self.context.spend_reading() {
            return Err(Aspect::unchecked(Reason::LimitExceeded));
        }
        self.over_content_again(verify)
    }

    /// The same where the reading is paid for.
    fn over_content_again(
        &self,
        verify: impl FnOnce(&mut dyn Content) -> Result<bool, Aspect>,
    ) -> Result<bool, Aspect> {
        self.spend()?;
        let mut source = self.content.source.borrow_mut();
        let source = source.as_mut().ok_or(Aspect::Unchecked(None))?;
        source.seek(SeekFrom::Start(0)).map_err(|_| Aspect::Unchecked(None))?;
        verify(source)
    }

    fn verify_value(
        &self,
        key: &[u8],
        scheme: SignatureScheme,
        digest: DigestAlgorithm,
        value: &[u8],
    ) -> Result<bool, Aspect> {
        self.spend()?;
        self.context
            .request
            .arithmetic
            .verify_digest(key, scheme, digest, value, &self.info.signature)
            .map_err(|error| key_aspect(&error, Reason::BadPublicKey))
    }

    /// One check of a signature value, if one is left.
    fn spend(&self) -> Result<(), Aspect> {
        if self.context.spend() { Ok(()) } else { Err(Aspect::unchecked(Reason::LimitExceeded)) }
    }

    /// Algorithms and keys of the signature and of every certificate that
    /// leads to the anchor; a chain is as strong as its weakest link.
    fn judge_policy(&mut self, digest: DigestAlgorithm, scheme: SignatureScheme, path: &[Certificate]) {
        let policy = self.context.request.policy;
        let Some(leaf) = path.first() else {
            self.signer.policy = Aspect::Unchecked(None);
            return;
        };
        let own = policy.judge_signature(digest, scheme, leaf.spki());
        self.signer.policy = own.worst(policy.judge_encoding(&self.signer.deviations)).worst(policy.judge_path(path));
    }

    /// Chain and identity of the signer's certificate. Of several with the same
    /// key the one with the best chain counts, then with the best identity:
    /// anybody can add one to the message. The path, if it is good, or the
    /// certificate alone.
    fn judge_certificate(&mut self, fitting: &[Certificate]) -> Vec<Certificate> {
        let mut best: Option<Best> = None;
        for certificate in fitting.iter().take(MOST_CERTIFICATES) {
            let (result, at) = self.validate(certificate);
            let unmatched = |aspect| Compared { aspect, address: None };
            let identity = match (&self.context.author, self.over) {
                // Whoever countersigns, or stamps, is not the author.
                (_, Over::Signature | Over::TimeStamp(..)) => unmatched(Aspect::Absent),
                (Some(author), _) => identity::compare(author, &certificate.emails()),
                (None, _) => unmatched(Aspect::Unchecked(None)),
            };
            let rank = 3 * badness(&result.aspect) + badness(&identity.aspect);
            if best.as_ref().is_none_or(|known| rank < known.rank) {
                let path = if result.aspect.is_good() { result.path } else { vec![certificate.clone()] };
                best = Some(Best { rank, chain: result.aspect, identity, path, at });
            }
        }
        let Some(Best { chain, identity, path, at, .. }) = best else {
            self.signer.chain = Aspect::Unchecked(None);
            self.signer.identity = Aspect::Unchecked(None);
            if let SignerIdentifier::IssuerAndSerial { serial, .. } = &self.info.id {
                self.signer.serial = hex(serial);
            }
            return Vec::new();
        };
        if let Some(certificate) = path.first() {
            self.signer.email = certificate.emails();
            self.signer.subject = certificate.subject();
            self.signer.issuer = certificate.issuer();
            self.signer.serial = certificate.serial_hex();
            self.certificate = Some(certificate.clone());
        }
        self.stamps.compare(self.signed, path.first(), self.context);
        if let Some(certificate) = path.first().filter(|_| !matches!(self.over, Over::TimeStamp(..))) {
            let within = self.context.request.policy.judge_signing_validity(self.signed, certificate);
            self.signer.time = std::mem::take(&mut self.signer.time).worst(within);
        }
        self.signer.chain = chain;
        self.signer.chain_at = at.and_then(|at| at.format(&Rfc3339).ok());
        self.signer.identity = identity.aspect;
        self.signer.matched_address = identity.address;
        path
    }

    /// The path of a certificate, and the time at which it was judged where
    /// that is not the time of reading.
    ///
    /// A certificate that has ended is judged at the time of a good time-stamp
    /// (RFC 3161 appendix B), if the policy trusts time-stamps. That of an
    /// authority has to be good when it stamps, and by policy also now.
    fn validate(&self, certificate: &Certificate) -> (PathResult, Option<OffsetDateTime>) {
        let request = self.context.request;
        let clocks = &request.policy.time;
        if let Over::TimeStamp(_, at) = self.over {
            let then = self.path(certificate, at);
            let also_now = clocks.authority_valid_now && then.aspect.is_good();
            return (if also_now { self.path(certificate, request.at) } else { then }, None);
        }
        let now = self.path(certificate, request.at);
        let ended = matches!(&now.aspect, Aspect::Bad(bad) if bad.also.is_empty()
            && matches!(bad.reason, Reason::Expired | Reason::Revoked));
        if let Some(at) = self.stamps.made_by().filter(|_| ended && clocks.trust_timestamps) {
            let then = self.path(certificate, at);
            if then.aspect.is_good() {
                return (then, Some(at));
            }
        }
        (now, None)
    }

    fn path(&self, certificate: &Certificate, at: OffsetDateTime) -> PathResult {
        let request = self.context.request;
        let revocation = self.context.revocation(self.known);
        let asked = PathRequest {
            leaf: certificate,
            candidates: self.known.certificates,
            anchors: request.anchors,
            at,
            policies: PolicyInputs::default(),
            revocation: if at == request.at { revocation } else { revocation.as_known_at(request.at) },
            purpose: match self.over {
                Over::TimeStamp(..) => Purpose::TimeStamping,
                _ => Purpose::Sign,
            },
            arithmetic: request.arithmetic,
            limits: request.limits,
        };
        match &self.context.fetching {
            Some(fetching) => path::fetch_and_validate(&asked, fetching),
            None => path::validate(&asked),
        }
    }

    fn structure_bad(&mut self, reason: Reason, detail: String) {
        self.structure = std::mem::take(&mut self.structure).worst(Aspect::bad(reason, detail));
    }

    fn deviate(&mut self, deviation: Deviation) {
        if !self.signer.deviations.contains(&deviation) {
            self.signer.deviations.push(deviation);
        }
    }
}

/// What was found of the best of several certificates.
struct Best {
    rank: u8,
    chain: Aspect,
    identity: Compared,
    path: Vec<Certificate>,
    /// The time at which the path was judged, where it is not that of reading.
    at: Option<OffsetDateTime>,
}

/// Certificates with the signer's key whose chains are compared.
const MOST_CERTIFICATES: usize = 8;

/// How a chain or an identity ranks; chain outweighs identity.
const fn badness(aspect: &Aspect) -> u8 {
    match aspect {
        Aspect::Good | Aspect::Absent => 0,
        Aspect::Unchecked(_) => 2,
        Aspect::Bad(_) => 4,
    }
}

/// Whether the signature is over the content itself, and over no digest of it:
/// without attributes EdDSA (RFC 8419 section 3) and ML-DSA (RFC 9882 section
/// 3.3) are.
pub(super) fn signs_content(info: &SignerInfo) -> bool {
    info.signed_attributes.is_none()
        && algorithm::signature_from_oid(&info.signature_algorithm.oid)
            .is_some_and(|(scheme, _)| scheme.signs_message())
}

/// Whether the digest is one that its RFC gives a signature algorithm.
fn digest_suits(scheme: SignatureScheme, digest: &str) -> bool {
    const SHA_512: &str = "2.16.840.1.101.3.4.2.3";
    const SHA3_512: &str = "2.16.840.1.101.3.4.2.10";
    const SHAKE_128: &str = "2.16.840.1.101.3.4.2.11";
    const SHAKE_256: &str = "2.16.840.1.101.3.4.2.12";
    const SHAKE_256_LEN: &str = "2.16.840.1.101.3.4.2.18";
    const STRONG: &[&str] = &[SHA_512, SHA3_512, SHAKE_256];
    // SHA-384 and SHA3-384; then SHA-256, SHA3-256 and SHAKE128.
    const MIDDLE: &[&str] = &["2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.9"];
    const SHORT: &[&str] = &["2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.8", SHAKE_128];
    match scheme {
        SignatureScheme::Ed25519 => digest == SHA_512,
        SignatureScheme::Ed448 => [SHAKE_256, SHAKE_256_LEN].contains(&digest),
        SignatureScheme::MlDsa44 => [STRONG, MIDDLE, SHORT].iter().any(|list| list.contains(&digest)),
        SignatureScheme::MlDsa65 => [STRONG, MIDDLE].iter().any(|list| list.contains(&digest)),
        SignatureScheme::MlDsa87 => STRONG.contains(&digest),
        _ => true,
    }
}

fn signature_name(oid: &str) -> String {
    match algorithm::signature_from_oid(oid) {
        Some((scheme, _)) => scheme.name().to_owned(),
        None => algorithm::by_oid(oid).map_or_else(|| oid.to_owned(), |row| row.name.to_owned()),
    }
}

/// RC2's parameters are effective key bits (RFC 8551 section 2.5.2 and RFC
/// 2311); every other capability listed there has none.
fn capability_is_odd(capability: &AlgorithmIdentifier) -> bool {
    const RC2_CBC: &str = "1.2.840.113549.3.2";
    match (&capability.parameters, capability.oid.as_str()) {
        (Some(parameters), RC2_CBC) => !matches!(parameters.as_slice(), [2, 1, 40 | 64] | [2, 2, 0, 128]),
        (Some(parameters), _) => parameters == &[5, 0],
        (None, oid) => oid == RC2_CBC,
    }
}
