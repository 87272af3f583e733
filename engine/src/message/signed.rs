//! Judging SignedData (RFC 5652 sections 5.4 and 5.6).

use std::collections::BTreeMap;
use std::io::{Read, SeekFrom};

use waxseal_key::{DigestAlgorithm, Hasher, KeyError, SignatureScheme, algorithm};
use waxseal_verdict::{Aspect, Deviation, Kind, Layer, Reason, Signer};

use crate::ber::Reader;
use crate::certificate::path::{self, PathRequest, Purpose};
use crate::certificate::{self, Certificate, identity};
use crate::check::Check;
use crate::cms::{self, CmsError, SignedDataHead, SignedDataTail, SignerIdentifier, SignerInfo, oid};
use crate::hex::hex;
use crate::io::{Spool, Workspace};
use crate::message::peel::Context;
use crate::message::request::OpenError;

/// A SignedData as far as it could be read.
#[derive(Default)]
pub(super) struct SignedObject {
    pub(super) head: Option<SignedDataHead>,
    pub(super) tail: SignedDataTail,
    /// The content that was inside, waiting.
    pub(super) content: Option<Box<dyn Spool>>,
    /// Where reading ended, if it did not end well.
    pub(super) error: Option<CmsError>,
    pub(super) trailing: bool,
}

impl SignedObject {
    /// Reads SignedData to its end, or to where it is damaged. The ContentInfo was read.
    pub(super) fn read<R: Read>(
        reader: &mut Reader<R>,
        workspace: &mut dyn Workspace,
        context: &Context<'_>,
    ) -> Result<Self, OpenError> {
        let mut object = Self::default();
        object.error = object.read_parts(reader, workspace, context)?.err();
        Ok(object)
    }

    fn read_parts<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        workspace: &mut dyn Workspace,
        context: &Context<'_>,
    ) -> Result<Result<(), CmsError>, OpenError> {
        let limits = context.request.limits;
        let head = match SignedDataHead::read(reader, limits) {
            Ok(head) => self.head.insert(head),
            Err(error) => return Ok(Err(error)),
        };
        if head.content.is_some() {
            let mut spool = workspace.spool()?;
            let result = copy_content(reader, head, &mut *spool, limits.content_octets)?;
            spool.seek(SeekFrom::Start(0))?;
            self.content = Some(spool);
            if let Err(error) = result {
                return Ok(Err(error));
            }
        }
        if let Err(error) = self.tail.read(reader, head, limits) {
            return Ok(Err(error));
        }
        match cms::finish(reader, "ContentInfo") {
            Ok(trailing) => {
                self.trailing = trailing;
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// An object of which nothing could be read.
    pub(super) fn damaged(error: CmsError) -> Self {
        Self { error: Some(error), ..Self::default() }
    }

    /// Whether this only carries certificates (RFC 8551 section 3.8).
    pub(super) fn is_certs_only(&self) -> bool {
        self.error.is_none() && self.tail.signers.is_empty() && self.content.is_none()
    }

    /// The digests that the signers used, as far as they are known.
    pub(super) fn digests(&self) -> Vec<DigestAlgorithm> {
        let mut list: Vec<_> =
            self.tail.signers.iter().filter_map(|signer| DigestAlgorithm::from_oid(&signer.digest.oid)).collect();
        list.sort_unstable();
        list.dedup();
        list
    }
}

fn copy_content<R: Read>(
    reader: &mut Reader<R>,
    head: &mut SignedDataHead,
    out: &mut dyn Spool,
    limit: u64,
) -> Result<Result<(), CmsError>, OpenError> {
    let mut block = vec![0; 64 << 10];
    let mut total: u64 = 0;
    loop {
        let read = match head.read_content(reader, &mut block) {
            Ok(0) => return Ok(Ok(())),
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        };
        total += read as u64;
        if total > limit {
            let detail = format!("content over {limit} octets at offset {}", reader.offset());
            return Ok(Err(CmsError::new(Reason::LimitExceeded, "SignedData.encapContentInfo", detail)));
        }
        out.write_all(&block[..read])?;
    }
}

/// The digests of content, by algorithm; one pass for all of them.
pub(super) type Digests = BTreeMap<DigestAlgorithm, Vec<u8>>;

/// Hashes content once for every algorithm that is wanted. Algorithms that no
/// provider has are left out.
pub(super) fn hash(
    content: &mut dyn Read,
    wanted: &[DigestAlgorithm],
    context: &Context<'_>,
) -> Result<Digests, OpenError> {
    let mut hashers: Vec<(DigestAlgorithm, Box<dyn Hasher>)> = wanted
        .iter()
        .filter_map(|algorithm| Some((*algorithm, context.request.arithmetic.hasher(*algorithm).ok()?)))
        .collect();
    let mut block = vec![0; 64 << 10];
    loop {
        let read = match content.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        for (_, hasher) in &mut hashers {
            hasher.update(&block[..read]);
        }
    }
    Ok(hashers.into_iter().map(|(algorithm, hasher)| (algorithm, hasher.finish())).collect())
}

/// Judges every signer and puts the result on the layer.
pub(super) fn judge(layer: &mut Layer, object: &SignedObject, digests: &Digests, context: &Context<'_>) {
    if let Some(error) = object.error.as_ref().filter(|_| Check::Encoding.on()) {
        layer.structure = error.aspect();
    } else {
        layer.structure = Aspect::Good;
    }
    if object.trailing {
        layer.deviate(Deviation::TrailingBytes);
    }
    let Some(head) = &object.head else {
        return unchecked(layer);
    };
    if object.tail.signers.is_empty() {
        if object.error.is_none() && layer.kind != Kind::CertsOnly && Check::SignerPresent.on() {
            let none = Aspect::bad(Reason::NoSigners, "SignedData.signerInfos is empty: nobody signed this content");
            layer.structure = std::mem::take(&mut layer.structure).worst(none);
        }
        if layer.kind != Kind::CertsOnly {
            unchecked(layer);
        }
        return;
    }
    let inside: Vec<_> = object.tail.certificates.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    for deviation in version_deviation(head, &object.tail).into_iter().chain(order_deviations(&inside)) {
        layer.deviate(deviation);
    }
    let mut candidates = inside;
    candidates.extend_from_slice(context.request.extra_certificates);
    for (index, info) in object.tail.signers.iter().enumerate() {
        let mut judge = SignerJudge {
            head,
            info,
            digests,
            candidates: &candidates,
            context,
            place: format!("SignedData.signerInfos[{index}]"),
            structure: Aspect::Good,
            signer: Signer::default(),
        };
        judge.run();
        let SignerJudge { structure, signer, .. } = judge;
        layer.structure = std::mem::take(&mut layer.structure).worst(structure);
        layer.integrity = std::mem::take(&mut layer.integrity).worst(signer.integrity.clone());
        layer.chain = std::mem::take(&mut layer.chain).worst(signer.chain.clone());
        layer.identity = std::mem::take(&mut layer.identity).worst(signer.identity.clone());
        layer.policy = std::mem::take(&mut layer.policy).worst(signer.policy.clone());
        layer.time = std::mem::take(&mut layer.time).worst(signer.time.clone());
        for deviation in &signer.deviations {
            layer.deviate(*deviation);
        }
        layer.signers.push(signer);
    }
}

/// Nothing can be said of a signature that could not be read.
pub(super) fn unchecked(layer: &mut Layer) {
    for aspect in [&mut layer.integrity, &mut layer.chain, &mut layer.identity, &mut layer.policy] {
        *aspect = Aspect::Unchecked(None);
    }
}

/// SignedData.version and each SignerInfo.version follow from what is inside
/// (RFC 5652 sections 5.1 and 5.3).
fn version_deviation(head: &SignedDataHead, tail: &SignedDataTail) -> Option<Deviation> {
    let v3_signer = tail.signers.iter().any(|signer| signer.version == 3);
    let has = |number: u32| tail.other_certificates.iter().any(|tag| tag.number == number);
    let due = if has(3) {
        5
    } else if has(2) {
        4
    } else if has(1) || v3_signer || head.content_type != oid::DATA {
        3
    } else {
        1
    };
    let signers_fit = tail.signers.iter().all(|signer| match signer.id {
        SignerIdentifier::IssuerAndSerial { .. } => signer.version == 1,
        SignerIdentifier::SubjectKeyIdentifier(_) => signer.version == 3,
    });
    (head.version != due || !signers_fit).then_some(Deviation::VersionOdd)
}

fn order_deviations(certificates: &[Certificate]) -> Vec<Deviation> {
    let mut list = Vec::new();
    if certificates.iter().any(Certificate::is_self_issued) && certificates.len() > 1 {
        list.push(Deviation::RootIncluded);
    }
    let ordered = certificates.windows(2).all(|pair| pair[0].issuer_name() == pair[1].subject_name());
    if !ordered {
        list.push(Deviation::ChainUnordered);
    }
    list
}

/// Judges one signer.
struct SignerJudge<'a> {
    head: &'a SignedDataHead,
    info: &'a SignerInfo,
    digests: &'a Digests,
    candidates: &'a [Certificate],
    context: &'a Context<'a>,
    place: String,
    structure: Aspect,
    signer: Signer,
}

impl<'a> SignerJudge<'a> {
    fn run(&mut self) {
        let info = self.info;
        self.signer.digest = info.digest.name();
        self.signer.signature = signature_name(&info.signature_algorithm.oid);
        if !self.head.digest_algorithms.iter().any(|listed| listed.oid == info.digest.oid) {
            self.deviate(Deviation::DigestNotListed);
        }
        self.read_attributes();
        let Some((digest, scheme)) = self.algorithms() else {
            self.signer.integrity = Aspect::Unchecked(None);
            let named = self.named().first().copied();
            self.judge_certificate(named);
            return;
        };
        if info.digest.has_null() && digest > DigestAlgorithm::Sha1 {
            self.deviate(Deviation::DigestParametersNull);
        }
        self.signer.content_digest = self.digests.get(&digest).map(|value| hex(value));
        let certificate = self.judge_integrity(digest, scheme);
        if let Some(certificate) = &certificate {
            self.judge_policy(digest, scheme, certificate);
        } else {
            self.signer.policy = Aspect::Unchecked(None);
        }
        self.judge_certificate(certificate.as_ref());
    }

    /// Reads the attributes that the verdict shows, and checks that those of
    /// RFC 5652 section 5.3 are there.
    fn read_attributes(&mut self) {
        let Some(attributes) = &self.info.signed_attributes else {
            if self.head.content_type != oid::DATA && Check::MandatoryAttributes.on() {
                let detail = format!(
                    "{}: no signedAttrs although the content is {} (RFC 5652 section 5.3)",
                    self.place, self.head.content_type
                );
                self.structure_bad(Reason::MissingAttribute, detail);
            }
            return;
        };
        self.signer.attributes = attributes.list.iter().map(|attribute| attribute.oid.clone()).collect();
        let mandatory = [
            ("contentType", attributes.content_type().map(|value| value.is_some())),
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
                self.signer.signing_time = time.format(&time::format_description::well_known::Rfc3339).ok();
                if let Some(deviation) = deviation {
                    self.deviate(deviation);
                }
                let request = self.context.request;
                self.signer.time = request.policy.judge_time(self.context.date, Some(time), request.at);
            }
            Ok(None) => {}
            Err(error) => self.attribute_error(&error),
        }
        match attributes.capabilities() {
            Ok(Some(list)) if list.iter().any(capability_is_odd) => self.deviate(Deviation::CapabilityParametersOdd),
            Ok(_) => {}
            Err(error) => self.attribute_error(&error),
        }
        for preference in [oid::ATTRIBUTE_ENCRYPTION_KEY_PREFERENCE, oid::ATTRIBUTE_MICROSOFT_KEY_PREFERENCE] {
            if let Err(error) = attributes.single(preference) {
                self.attribute_error(&error);
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
        let digest = DigestAlgorithm::from_oid(&info.digest.oid);
        let signature = algorithm::signature_from_oid(&info.signature_algorithm.oid);
        if digest.is_none() {
            let detail = format!("{}.digestAlgorithm: {} is not supported", self.place, info.digest.name());
            self.structure_bad(Reason::UnsupportedAlgorithm, detail);
        }
        if signature.is_none() {
            let name = info.signature_algorithm.name();
            let detail = format!("{}.signatureAlgorithm: {name} is not supported", self.place);
            self.structure_bad(Reason::UnsupportedAlgorithm, detail);
        }
        let (digest, (scheme, named)) = (digest?, signature?);
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
            self.candidates.iter().filter(|certificate| is_named(certificate, &self.info.id, self.context))
        {
            if !list.iter().any(|known| known.der() == certificate.der()) {
                list.push(certificate);
            }
        }
        list
    }

    /// Checks digest, attributes and signature value; the certificate whose
    /// key fits, or the first that was named.
    fn judge_integrity(&mut self, digest: DigestAlgorithm, scheme: SignatureScheme) -> Option<Certificate> {
        let mut integrity = std::mem::replace(&mut self.signer.integrity, Aspect::Good);
        if !integrity.is_bad() {
            integrity = Aspect::Good;
        }
        let Some(content_digest) = self.digests.get(&digest) else {
            self.signer.integrity = Aspect::Unchecked(None);
            return self.named().first().map(|certificate| (*certificate).clone());
        };
        if let Some(attributes) = &self.info.signed_attributes {
            match attributes.message_digest() {
                Ok(Some(stated)) if stated != *content_digest && Check::MessageDigest.on() => {
                    let detail = format!(
                        "{}: the content's {} is {}, the messageDigest attribute says {}",
                        self.place,
                        digest.name(),
                        hex(content_digest),
                        hex(&stated)
                    );
                    integrity = integrity.worst(Aspect::bad(Reason::DigestMismatch, detail));
                }
                _ => {}
            }
            match attributes.content_type() {
                Ok(Some(stated)) if stated != self.head.content_type && Check::ContentTypeAttribute.on() => {
                    let detail = format!(
                        "{}: the contentType attribute says {stated}, eContentType is {}",
                        self.place, self.head.content_type
                    );
                    integrity = integrity.worst(Aspect::bad(Reason::ContentTypeMismatch, detail));
                }
                _ => {}
            }
        }
        let named: Vec<Certificate> = self.named().into_iter().cloned().collect();
        if named.is_empty() {
            let detail = format!(
                "{}: no certificate in the message or among the extra ones is {}",
                self.place,
                describe(&self.info.id)
            );
            self.signer.integrity = integrity.worst(Aspect::bad(Reason::SignerCertificateNotFound, detail));
            return None;
        }
        let mut last = Aspect::Good;
        for certificate in &named {
            match self.verify(certificate, digest, scheme, content_digest) {
                Ok(None) => {
                    self.signer.integrity = integrity;
                    return Some(certificate.clone());
                }
                Ok(Some(deviation)) => {
                    self.deviate(deviation);
                    self.signer.integrity = integrity;
                    return Some(certificate.clone());
                }
                Err(aspect) => last = aspect,
            }
        }
        if let Aspect::Unchecked(_) = last {
            let detail = format!("{}: {} is not done here", self.place, self.signer.signature);
            self.structure_bad(Reason::UnsupportedAlgorithm, detail);
        }
        self.signer.integrity = integrity.worst(last);
        named.into_iter().next()
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
    ) -> Result<Option<Deviation>, Aspect> {
        if !Check::SignatureValue.on() {
            return Ok(None);
        }
        let Some(attributes) = &self.info.signed_attributes else {
            // Without attributes an altered content and a wrong key look the same.
            return if self.verify_value(certificate, digest, scheme, content_digest)? {
                Ok(None)
            } else {
                Err(Aspect::bad(
                    Reason::SignatureMismatch,
                    format!("{}: the signature fits not this content and {}", self.place, certificate.subject()),
                ))
            };
        };
        let der = attributes.der();
        let hashed =
            |octets: &[u8]| self.context.request.arithmetic.digest(digest, octets).map_err(|error| key_error(&error));
        if self.verify_value(certificate, digest, scheme, &hashed(&der)?)? {
            return Ok(None);
        }
        let received = attributes.as_received();
        if received != der && self.verify_value(certificate, digest, scheme, &hashed(&received)?)? {
            return Ok(Some(Deviation::AttributesNotDer));
        }
        Err(Aspect::bad(
            Reason::SignatureMismatch,
            format!("{}: the signature fits not these signed attributes and {}", self.place, certificate.subject()),
        ))
    }

    fn verify_value(
        &self,
        certificate: &Certificate,
        digest: DigestAlgorithm,
        scheme: SignatureScheme,
        value: &[u8],
    ) -> Result<bool, Aspect> {
        self.context
            .request
            .arithmetic
            .verify_digest(certificate.spki(), scheme, digest, value, &self.info.signature)
            .map_err(|error| key_error(&error))
    }

    fn judge_policy(&mut self, digest: DigestAlgorithm, scheme: SignatureScheme, certificate: &Certificate) {
        let policy = self.context.request.policy;
        self.signer.policy = policy
            .judge_signature(digest, scheme, certificate.spki())
            .worst(policy.judge_encoding(&self.signer.deviations));
    }

    /// Chain and identity of the signer's certificate.
    fn judge_certificate(&mut self, certificate: Option<&Certificate>) {
        let Some(certificate) = certificate else {
            self.signer.chain = Aspect::Unchecked(None);
            self.signer.identity = Aspect::Unchecked(None);
            if let SignerIdentifier::IssuerAndSerial { serial, .. } = &self.info.id {
                self.signer.serial = hex(serial);
            }
            return;
        };
        self.signer.email = certificate.emails();
        self.signer.subject = certificate.subject();
        self.signer.issuer = certificate.issuer();
        self.signer.serial = certificate.serial_hex();
        let request = self.context.request;
        self.signer.chain = path::validate(&PathRequest {
            leaf: certificate,
            candidates: self.candidates,
            anchors: request.anchors,
            at: request.at,
            purpose: Purpose::Sign,
            arithmetic: request.arithmetic,
            limits: request.limits,
        })
        .aspect;
        self.signer.identity = match &self.context.author {
            Some(author) => identity::check(author, certificate),
            None => Aspect::Unchecked(None),
        };
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

/// Whether an identifier names a certificate.
pub(super) fn is_named(certificate: &Certificate, id: &SignerIdentifier, context: &Context<'_>) -> bool {
    match id {
        SignerIdentifier::IssuerAndSerial { issuer, serial } => certificate.is_named_by(issuer, serial),
        SignerIdentifier::SubjectKeyIdentifier(key_id) => match certificate.ski() {
            Some(ski) => ski == key_id.as_slice(),
            None => context.key_identifier(certificate.spki()).as_deref() == Some(key_id.as_slice()),
        },
    }
}

/// An identifier for a person.
pub(super) fn describe(id: &SignerIdentifier) -> String {
    match id {
        SignerIdentifier::IssuerAndSerial { issuer, serial } => {
            let issuer = certificate::Name::parse(issuer).map_or_else(|_| hex(issuer), |name| name.to_string());
            format!("issuer={issuer}, serial={}", hex(serial))
        }
        SignerIdentifier::SubjectKeyIdentifier(key_id) => format!("ski={}", hex(key_id)),
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
fn capability_is_odd(capability: &cms::AlgorithmIdentifier) -> bool {
    const RC2_CBC: &str = "1.2.840.113549.3.2";
    match (&capability.parameters, capability.oid.as_str()) {
        (Some(parameters), RC2_CBC) => !matches!(parameters.as_slice(), [2, 1, 40 | 64] | [2, 2, 0, 128]),
        (Some(parameters), _) => parameters == &[5, 0],
        (None, oid) => oid == RC2_CBC,
    }
}

fn key_error(error: &KeyError) -> Aspect {
    match error {
        KeyError::NotByThisProvider { .. } | KeyError::UnknownAlgorithm(_) => Aspect::Unchecked(None),
        error => Aspect::bad(Reason::BadPublicKey, error.to_string()),
    }
}
