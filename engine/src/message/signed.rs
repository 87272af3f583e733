//! Reading SignedData and judging what all its signers share (RFC 5652
//! section 5).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Read, SeekFrom};

use waxseal_key::{DigestAlgorithm, Hasher};
use waxseal_verdict::{Aspect, Deviation, Kind, Layer, Reason};

use crate::ber::{Cursor, Reader, Tag};
use crate::certificate::{Certificate, Crl, OcspResponse};
use crate::check::Check;
use crate::cms::{
    self, AlgorithmIdentifier, Attributes, Carried, CmsError, SignedDataHead, SignedDataTail, SignerIdentifier,
    SignerInfo, oid,
};
use crate::io::{Source, Spool, Workspace};
use crate::message::content;
use crate::message::context::{Context, Known};
use crate::message::correspondents::Announcing;
use crate::message::request::OpenError;
use crate::message::signer::{self, Judged, Over, Subject};
use crate::message::sm2;
use crate::overlap;

/// A SignedData as far as it could be read.
#[derive(Default)]
pub(super) struct SignedObject {
    /// The type that its ContentInfo said, dotted; empty where none did.
    content_type: String,
    pub(super) head: Option<SignedDataHead>,
    pub(super) tail: SignedDataTail,
    /// The content that was inside, waiting.
    pub(super) content: Option<Box<dyn Spool>>,
    /// Digests of that content, made while it was read.
    pub(super) content_digests: Digests,
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
        if head.content.stream.is_some() {
            let mut hashing = Hashing::new(&announced(head), context);
            let look = |block: &[u8]| hashing.update(block);
            let (spool, result) = content::spooled(&mut head.content, reader, "SignedData", workspace, context, look)?;
            self.content = Some(spool);
            self.content_digests = hashing.finish();
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

    /// The signers of content that stood beside it in the same object
    /// (signedAndEnvelopedData of GM/T 0010).
    pub(super) fn beside(
        digest_algorithms: Vec<AlgorithmIdentifier>,
        content_type: &str,
        tail: SignedDataTail,
    ) -> Self {
        let head = SignedDataHead::beside(digest_algorithms, content_type.to_owned());
        Self { content_type: oid::GMT_SIGNED_AND_ENVELOPED_DATA.to_owned(), head: Some(head), tail, ..Self::default() }
    }

    /// An object of which nothing could be read.
    pub(super) fn damaged(error: CmsError) -> Self {
        Self { error: Some(error), ..Self::default() }
    }

    /// The same object, of which the content type stood outside.
    pub(super) fn of_type(mut self, content_type: &str) -> Self {
        self.content_type = content_type.to_owned();
        if let Some(head) = &mut self.head {
            head.gmt = oid::is_gmt(content_type);
        }
        self
    }

    /// Whether this only carries certificates (RFC 8551 section 3.8).
    pub(super) fn is_certs_only(&self) -> bool {
        let carries = !self.tail.carried.certificates.is_empty() || self.tail.carried.crls > 0;
        self.error.is_none() && self.tail.signers.is_empty() && self.content.is_none() && carries
    }

    /// The digests that the signers used, as far as they are known.
    pub(super) fn digests(&self) -> Vec<DigestAlgorithm> {
        let hashed = self.tail.signers.iter().filter(|signer| !signer::signs_content(signer));
        let mut list: Vec<_> = hashed.filter_map(|signer| signer.digest.signers_digest()).collect();
        list.sort_unstable();
        list.dedup();
        list
    }
}

/// The digests of content, by algorithm; one pass for all of them.
pub(super) type Digests = BTreeMap<DigestAlgorithm, Vec<u8>>;

/// The digests that are announced before the content. Of a longer list than
/// anybody writes none is believed: each costs as much as reading the content.
fn announced(head: &SignedDataHead) -> Vec<DigestAlgorithm> {
    const MOST: usize = 2;
    let mut list: Vec<_> = head.digest_algorithms.iter().filter_map(AlgorithmIdentifier::signers_digest).collect();
    list.sort_unstable();
    list.dedup();
    if list.len() > MOST {
        list.clear();
    }
    list
}

/// Several digests of one content. Algorithms that no provider has are left out.
pub(super) struct Hashing(Vec<(DigestAlgorithm, Box<dyn Hasher>)>);

impl Hashing {
    pub(super) fn new(wanted: &[DigestAlgorithm], context: &Context<'_>) -> Self {
        let hasher = |algorithm: &DigestAlgorithm| context.request.arithmetic.hasher(*algorithm).ok();
        Self(wanted.iter().filter_map(|algorithm| Some((*algorithm, hasher(algorithm)?))).collect())
    }

    pub(super) fn update(&mut self, octets: &[u8]) {
        for (_, hasher) in &mut self.0 {
            hasher.update(octets);
        }
    }

    pub(super) fn finish(self) -> Digests {
        self.0.into_iter().map(|(algorithm, hasher)| (algorithm, hasher.finish())).collect()
    }
}

/// Hashes content once for every algorithm that is wanted. Algorithms that no
/// provider has are left out.
pub(super) fn hash(
    content: &mut dyn Read,
    wanted: &[DigestAlgorithm],
    context: &Context<'_>,
) -> Result<Digests, OpenError> {
    let mut hashing = Hashing::new(wanted, context);
    overlap::each_block(
        |block| content::read(content, block),
        |block| {
            hashing.update(block);
            Ok(())
        },
    )??;
    Ok(hashing.finish())
}

/// What was signed: its digests, and itself for the signatures that are over
/// no digest. It is read from its start.
pub(super) struct SignedContent<'a> {
    pub(super) digests: Digests,
    pub(super) source: RefCell<Option<&'a mut dyn Source>>,
}

impl<'a> SignedContent<'a> {
    /// Hashes content for all signers of an object, in one pass.
    pub(super) fn new(
        source: &'a mut dyn Source,
        wanted: &[DigestAlgorithm],
        context: &Context<'_>,
    ) -> Result<Self, OpenError> {
        source.seek(SeekFrom::Start(0))?;
        let digests = hash(&mut Reading(source), wanted, context)?;
        Ok(Self { digests, source: RefCell::new(Some(source)) })
    }

    /// The same where some digests are known already; it is read only for others.
    pub(super) fn read_already(
        source: &'a mut dyn Source,
        mut known: Digests,
        wanted: &[DigestAlgorithm],
        context: &Context<'_>,
    ) -> Result<Self, OpenError> {
        if wanted.iter().all(|digest| known.contains_key(digest)) {
            known.retain(|digest, _| wanted.contains(digest));
            return Ok(Self { digests: known, source: RefCell::new(Some(source)) });
        }
        Self::new(source, wanted, context)
    }

    /// There is no content.
    pub(super) fn none() -> Self {
        Self { digests: Digests::new(), source: RefCell::new(None) }
    }

    /// Whether the content is the DER of signed attributes. Then a signature
    /// over these fits it, too, if it comes without any.
    fn is_like_attributes(&self) -> bool {
        /// Octets of a set of attributes that somebody signed in earnest.
        const MOST: u64 = 64 << 10;
        let mut source = self.source.borrow_mut();
        let Some(source) = source.as_mut() else { return false };
        let mut octets = Vec::new();
        let read = source.seek(SeekFrom::Start(0)).and_then(|_| Reading(*source).take(MOST).read_to_end(&mut octets));
        if read.is_err() {
            return false;
        }
        let mut cursor = Cursor::new(&octets, 0);
        let set = cursor.take().ok().flatten().filter(|set| set.tag == Tag::SET && set.constructed);
        let attributes = set.and_then(|set| Attributes::read(&set, "content").ok()).filter(|_| cursor.is_empty());
        attributes.is_some_and(|attributes| attributes.list.iter().any(|attribute| !attribute.values.is_empty()))
    }
}

/// Reads a source that is only borrowed as a trait object.
struct Reading<'a>(&'a mut dyn Source);

impl Read for Reading<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(out)
    }
}

/// Judges every signer and puts the result on the layer.
pub(super) fn judge(layer: &mut Layer, object: &SignedObject, content: &SignedContent<'_>, context: &Context<'_>) {
    if let Some(error) = object.error.as_ref().filter(|_| Check::Encoding.on()) {
        layer.structure = error.aspect();
    } else {
        layer.structure = Aspect::Good;
    }
    if object.trailing {
        layer.deviate(Deviation::TrailingBytes);
    }
    show_carried(layer, &object.tail.carried, context);
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
    let content_type = &head.content.content_type;
    if content_type != oid::RECEIPT
        && let Some(unsupported) = content::unsupported("SignedData.encapContentInfo.eContentType", content_type)
    {
        layer.structure = std::mem::take(&mut layer.structure).worst(unsupported);
    }
    let inside: Vec<_> =
        object.tail.carried.certificates.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    for deviation in version_deviation(head, &object.tail).into_iter().chain(order_deviations(&inside)) {
        layer.deviate(deviation);
    }
    let mut candidates = inside;
    candidates.extend_from_slice(context.request.extra_certificates);
    let bare = object.tail.signers.iter().any(|signer| signer.signed_attributes.is_none());
    if bare && content.is_like_attributes() {
        layer.deviate(Deviation::ContentLikeAttributes);
    }
    let carried = &object.tail.carried;
    let mut crls: Vec<_> = carried.held_crls.iter().filter_map(|der| Crl::parse(der).ok()).collect();
    crls.extend_from_slice(context.request.crls);
    let mut responses: Vec<_> = carried.held_responses.iter().filter_map(|der| OcspResponse::parse(der).ok()).collect();
    responses.extend_from_slice(context.request.ocsp_responses);
    let known = Known { certificates: &candidates, crls: &crls, responses: &responses };
    let path = layer.path.clone();
    for (index, info) in object.tail.signers.iter().enumerate() {
        let place = format!("SignedData.signerInfos[{index}]");
        let stamped = Some((path.as_str(), index));
        let subject = Subject { over: Over::Content(head), info, place, content, known, depth: 0, stamped };
        let Judged { structure, signer, certificate } = signer::judge(&subject, context);
        if let Some(certificate) = certificate.filter(|_| context.request.address_book.is_some()) {
            let announcing = Announcing::of(&layer.path, index, &certificate, info, known);
            context.announcing.borrow_mut().push(announcing);
        }
        for (aspect, found) in [
            (&mut layer.structure, structure),
            (&mut layer.integrity, signer.integrity.clone()),
            (&mut layer.chain, signer.chain.clone()),
            (&mut layer.identity, signer.identity.clone()),
            (&mut layer.policy, signer.policy.clone()),
            (&mut layer.time, signer.time.clone()),
        ] {
            *aspect = std::mem::take(aspect).worst(found);
        }
        for deviation in &signer.deviations {
            layer.deviate(*deviation);
        }
        layer.signers.push(signer);
    }
    let outer = if object.content_type.is_empty() { content_type } else { &object.content_type };
    sm2::mark(layer, outer, Some(content_type), None);
}

/// Shows what an object carries that nothing judges yet.
pub(super) fn show_carried(layer: &mut Layer, carried: &Carried, context: &Context<'_>) {
    if let Some(observer) = context.request.observer {
        observer.carried(&layer.path, carried);
    }
    layer.attribute_certificates = carried.describe_attribute_certificates();
    layer.crls = u32::try_from(carried.crls).unwrap_or(u32::MAX);
    layer.revocation.clone_from(&carried.other_revocation);
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
    if head.gmt {
        // GM/T 0010 knows nothing but version 1, and signers by issuer and serial number.
        let fits =
            |signer: &SignerInfo| signer.version == 1 && matches!(signer.id, SignerIdentifier::IssuerAndSerial { .. });
        return (head.version != 1 || !tail.signers.iter().all(fits)).then_some(Deviation::VersionOdd);
    }
    let v3_signer = tail.signers.iter().any(|signer| signer.version == 3);
    let has = |number: u32| tail.carried.other_certificates.iter().any(|tag| tag.number == number);
    let due = if has(3) || !tail.carried.other_revocation.is_empty() {
        5
    } else if has(2) {
        4
    } else if has(1) || v3_signer || head.content.content_type != oid::DATA {
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
