//! What a message says of its sender's certificates and capabilities, held
//! against the address book, and handed to whoever keeps one.

use time::OffsetDateTime;
use waxseal_verdict::{Aspect, Layer, Overall, Signer, Verdict};

use crate::certificate::path::{self, PathRequest, PolicyInputs, Purpose};
use crate::certificate::{Certificate, Crl, OcspResponse};
use crate::cms::{Capability, SignerIdentifier, SignerInfo};
use crate::message::context::{Context, Known};
use crate::policy::AddressBook;
use crate::policy::address_book::{Introduction, Named};

/// A signature, as far as it concerns the address book.
pub(super) struct Announcing {
    /// The path of its layer.
    layer: String,
    /// Its place among the signers of that layer.
    signer: usize,
    certificate: Certificate,
    capabilities: Option<Vec<Capability>>,
    signed_at: Option<OffsetDateTime>,
    /// The certificate to encrypt for, as the key preference names it.
    preference: Option<SignerIdentifier>,
    /// Certificates and CRLs that stand beside it.
    certificates: Vec<Certificate>,
    crls: Vec<Crl>,
    responses: Vec<OcspResponse>,
}

/// A content that was encrypted for somebody whose key was given.
pub(super) struct Encrypted {
    /// The path of its layer.
    pub(super) layer: String,
    /// The addresses of the certificate of that key.
    pub(super) reader: Vec<String>,
    /// The content cipher, and its strength in bits.
    pub(super) cipher: (String, u32),
}

impl Announcing {
    /// What a signer that was judged says of itself. Attributes that are not
    /// signed say nothing.
    pub(super) fn of(
        layer: &str,
        signer: usize,
        certificate: &Certificate,
        info: &SignerInfo,
        known: Known<'_>,
    ) -> Self {
        let attributes = info.signed_attributes.as_ref();
        let capabilities = attributes.and_then(|attributes| attributes.capabilities().ok().flatten());
        Self {
            layer: layer.to_owned(),
            signer,
            certificate: certificate.clone(),
            capabilities: capabilities.map(|list| list.into_iter().map(Capability::from).collect()),
            signed_at: attributes.and_then(|attributes| Some(attributes.signing_time().ok()??.0)),
            preference: attributes.and_then(|attributes| attributes.encryption_key().ok()?),
            certificates: known.certificates.to_vec(),
            crls: known.crls.to_vec(),
            responses: known.responses.to_vec(),
        }
    }

    fn known(&self) -> Known<'_> {
        Known { certificates: &self.certificates, crls: &self.crls, responses: &self.responses }
    }
}

/// Judges the message against the address book, and says what can be learned.
pub(super) fn judge(verdict: &mut Verdict, book: &AddressBook, context: &Context<'_>) -> Vec<Introduction> {
    let mut introductions = Vec::new();
    for announcing in context.announcing.borrow().iter() {
        let Some(layer) = verdict.layers.iter_mut().find(|layer| layer.path == announcing.layer) else { continue };
        introductions.extend(judge_signer(layer, announcing, book, context));
    }
    let sender = context.author.as_ref().map(|author| author.claimed()).unwrap_or_default();
    for encrypted in context.encrypted.borrow().iter() {
        let Some(layer) = verdict.layers.iter_mut().find(|layer| layer.path == encrypted.layer) else { continue };
        let reader: Vec<_> = encrypted.reader.iter().map(String::as_str).collect();
        let (name, strength) = &encrypted.cipher;
        let judged = book.judge_cipher(context.request.policy, &sender, &reader, (name, *strength));
        layer.policy = std::mem::take(&mut layer.policy).worst(judged);
    }
    verdict.overall = Overall::of(&verdict.layers);
    introductions
}

fn judge_signer(
    layer: &mut Layer,
    announcing: &Announcing,
    book: &AddressBook,
    context: &Context<'_>,
) -> Option<Introduction> {
    let (structure, coverage) = (layer.structure.is_good(), layer.coverage.is_good());
    let signer = layer.signers.get_mut(announcing.signer)?;
    if !is_somebody(signer) {
        return None;
    }
    let faultless = structure && coverage && signer.policy.is_good() && !signer.time.is_bad();
    let addresses = announcing.certificate.emails();
    let judged = addresses.iter().map(|address| {
        let capabilities = announcing.capabilities.as_deref();
        book.judge_announcement(context.request.policy, address, capabilities, announcing.signed_at)
    });
    let downgrade = judged.fold(Aspect::Good, Aspect::worst);
    signer.policy = std::mem::take(&mut signer.policy).worst(downgrade.clone());
    layer.policy = std::mem::take(&mut layer.policy).worst(downgrade.clone());
    faultless.then(|| Introduction {
        encryption: encryption_certificate(announcing, context),
        signer: announcing.certificate.clone(),
        capabilities: announcing.capabilities.clone(),
        signed_at: announcing.signed_at,
        downgrade,
        addresses,
    })
}

/// Whether a signature is that of the one who sends.
fn is_somebody(signer: &Signer) -> bool {
    signer.integrity.is_good() && signer.chain.is_good() && signer.identity.is_good()
}

/// The certificate to encrypt for (RFC 8551 section 2.5.3.1). A preference that
/// cannot be followed is not replaced by a guess.
fn encryption_certificate(announcing: &Announcing, context: &Context<'_>) -> Option<(Certificate, Named)> {
    /// Certificates with the signer's subject that are tried.
    const MOST: usize = 8;
    let all = announcing.certificates.iter();
    let (list, how): (Vec<_>, _) = match &announcing.preference {
        Some(id) => (all.filter(|one| context.is_named(one, id)).collect(), Named::ByPreference),
        None => {
            let own = std::iter::once(&announcing.certificate);
            let same = |one: &&Certificate| one.subject_name() == announcing.certificate.subject_name();
            (own.chain(all.filter(same)).collect(), Named::BySubject)
        }
    };
    let found = list
        .into_iter()
        .take(MOST)
        .find(|one| is_same_holder(one, announcing) && may_encrypt(one, announcing, context))?;
    let how = if how == Named::BySubject && *found == announcing.certificate { Named::AsSigner } else { how };
    Some((found.clone(), how))
}

/// Whether a certificate is of the signer: by an address, or, if it has none, by
/// the subject.
fn is_same_holder(certificate: &Certificate, announcing: &Announcing) -> bool {
    use crate::certificate::identity::comparable;
    let addresses = certificate.emails();
    let of_signer: Vec<_> = announcing.certificate.emails().iter().filter_map(|address| comparable(address)).collect();
    match addresses.is_empty() {
        true => certificate.subject_name() == announcing.certificate.subject_name(),
        false => {
            addresses.iter().any(|address| comparable(address).is_some_and(|address| of_signer.contains(&address)))
        }
    }
}

fn may_encrypt(certificate: &Certificate, announcing: &Announcing, context: &Context<'_>) -> bool {
    let request = context.request;
    let result = path::validate(&PathRequest {
        leaf: certificate,
        candidates: announcing.known().certificates,
        anchors: request.anchors,
        at: request.at,
        policies: PolicyInputs::default(),
        revocation: context.revocation(announcing.known()),
        purpose: Purpose::Encrypt,
        arithmetic: request.arithmetic,
        limits: request.limits,
    });
    result.aspect.is_good()
}
