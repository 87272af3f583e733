//! SignedData (RFC 5652 section 5).

use std::io::Write;

use time::OffsetDateTime;
use waxseal_key::{Arithmetic, DigestAlgorithm, Hasher, SignatureScheme};

use super::attributes::{Values, signed_attributes};
use super::content::{Message, each_chunk};
use super::frame::{Frame, Holder, Lengths};
use super::identifier::{algorithm, certificate_id, same_key};
use super::sm2::content_info_header;
use super::{Content, ContentSigner, Encoding, Family, IdentifierForm, Shape, Sm2Digest, Tamper, WriteError};
use crate::ber::Cursor;
use crate::ber::writer::{self, tag};
use crate::certificate::{Certificate, Crl, KeyUsage, OcspResponse};
use crate::cms::oid;

/// A recipe for a SignedData. Without signers it carries certificates only
/// (RFC 8551 section 3.8) and has to be detached.
#[derive(Clone, Copy)]
pub struct SignedData<'a> {
    /// Who signs.
    pub signers: &'a [ContentSigner<'a>],
    /// Certificates that stand in the object after those of the signers, in
    /// this order; one that is there already is not repeated.
    pub certificates: &'a [Certificate],
    /// The signingTime attribute; `None` for none.
    pub signing_time: Option<OffsetDateTime>,
    /// CRLs that stand in the object.
    pub crls: &'a [Crl],
    /// OCSP responses that are sent along (RFC 5940).
    pub ocsp_responses: &'a [OcspResponse],
    /// The certificate that both key preference attributes name.
    pub encryption_certificate: Option<&'a Certificate>,
    /// eContentType, dotted; [`oid::DATA`] in mail.
    pub content_type: &'a str,
    /// How it is written.
    pub shape: &'a Shape,
    /// What is wrong with it.
    pub tamper: &'a Tamper,
    /// Who hashes.
    pub arithmetic: &'a Arithmetic,
}

/// The same element with an indefinite length (X.690 section 8.1.3.6).
fn to_indefinite(element: &[u8]) -> Result<Vec<u8>, WriteError> {
    let element = Cursor::new(element, 0).take().ok().flatten();
    let element = element.ok_or(WriteError::Recipe("a set that cannot be read again"))?;
    let mut out = element.tag.identifier(true);
    out.push(0x80);
    out.extend_from_slice(element.content);
    out.extend_from_slice(&[0, 0]);
    Ok(out)
}

impl SignedData<'_> {
    /// A hasher for every digest that the signers need.
    ///
    /// # Errors
    /// A digest that the arithmetic does not provide.
    pub fn digester(&self) -> Result<Digester, WriteError> {
        let mut hashers: Vec<(DigestAlgorithm, Box<dyn Hasher>)> = Vec::new();
        for signer in self.signers {
            if hashers.iter().all(|(digest, _)| *digest != signer.digest) {
                hashers.push((signer.digest, self.arithmetic.hasher(signer.digest)?));
            }
        }
        Ok(Digester { hashers, length: 0 })
    }

    /// Writes the object with the content in it.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn write(&self, out: &mut dyn Write, content: &mut dyn Content) -> Result<(), WriteError> {
        if self.signers.is_empty() {
            return Err(WriteError::Recipe(
                "a SignedData without signers carries no content (RFC 5652 section 5.2): write it detached",
            ));
        }
        self.check_signers()?;
        let mut digester = self.digester()?;
        let frame = self.frame()?;
        if let Some(plan) = self.shape.segments(0)? {
            // The content is hashed while it is written.
            return frame.write(out, Lengths::Indefinite { content: Some(plan) }, |put| {
                each_chunk(content, |chunk, _| {
                    digester.update(chunk);
                    Ok(put(chunk)?)
                })?;
                self.tail(&digester.finish(), content)
            });
        }
        // Everything but the content is made first.
        each_chunk(content, |chunk, _| {
            digester.update(chunk);
            Ok(())
        })?;
        let digests = digester.finish();
        let tail = self.tail(&digests, content)?;
        let lengths = Lengths::Definite { content: Some(digests.length), tail: tail.len() as u64 };
        frame.write(out, lengths, |put| {
            each_chunk(content, |chunk, _| Ok(put(chunk)?))?;
            Ok(tail)
        })
    }

    /// Writes the object without content, which was hashed elsewhere. Only a
    /// scheme that signs the message itself, without attributes, reads it again.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn write_detached(
        &self,
        out: &mut dyn Write,
        content: &mut dyn Content,
        digests: &Digests,
    ) -> Result<(), WriteError> {
        self.check_signers()?;
        let tail = self.tail(digests, content)?;
        let lengths = match self.shape.segments(0)? {
            Some(_) => Lengths::Indefinite { content: None },
            None => Lengths::Definite { content: None, tail: tail.len() as u64 },
        };
        self.frame()?.write(out, lengths, |_| Ok(tail))
    }

    fn frame(&self) -> Result<Frame<'_>, WriteError> {
        let family = self.shape.family;
        let info = writer::oid(family.content_type(self.content_type))?;
        Ok(Frame { object: family.content_type(oid::SIGNED_DATA), head: self.head()?, info, holder: Holder::EContent })
    }

    pub(super) fn check_signers(&self) -> Result<(), WriteError> {
        for signer in self.signers.iter().filter(|_| !self.tamper.unfit_certificates) {
            let certificate = signer.certificate;
            if !same_key(signer.signer.public_key(), certificate.spki()) {
                return Err(WriteError::KeyMismatch { subject: certificate.subject() });
            }
            let signing = KeyUsage::DIGITAL_SIGNATURE.with(KeyUsage::NON_REPUDIATION);
            if certificate.key_usage().is_some_and(|usage| !usage.any_of(signing)) {
                return Err(WriteError::KeyUsage {
                    subject: certificate.subject(),
                    purpose: "signing",
                    needed: "digitalSignature and nonRepudiation",
                });
            }
        }
        Ok(())
    }

    /// version and digestAlgorithms.
    fn head(&self) -> Result<Vec<u8>, WriteError> {
        let version = self.shape.family.version(self.version());
        let mut head = writer::integer(self.tamper.version.unwrap_or(version));
        head.extend(self.digest_algorithms()?);
        Ok(head)
    }

    /// The SET OF digestAlgorithms.
    pub(super) fn digest_algorithms(&self) -> Result<Vec<u8>, WriteError> {
        let mut used = Vec::new();
        let listed = self.signers.iter().map(|signer| signer.digest);
        for digest in self.tamper.digest_algorithms.clone().unwrap_or_else(|| listed.collect()) {
            if !used.contains(&digest) {
                used.push(digest);
            }
        }
        let algorithms = used
            .into_iter()
            .map(|digest| algorithm(digest.oid(), self.shape.digest_parameters))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(self.shape.set(tag::SET, algorithms))
    }

    /// The version of RFC 5652 section 5.1; attribute certificates, which would
    /// make it 3 or 4, are not written.
    fn version(&self) -> u64 {
        if !self.ocsp_responses.is_empty() {
            return 5;
        }
        let by_key_id = self.shape.signer_id == IdentifierForm::SubjectKeyId && !self.signers.is_empty();
        if by_key_id || self.content_type != oid::DATA { 3 } else { 1 }
    }

    /// certificates, crls and signerInfos.
    fn tail(&self, digests: &Digests, content: &mut dyn Content) -> Result<Vec<u8>, WriteError> {
        self.tail_beside(digests, content, true)
    }

    /// The same; `inside` says whether the content stands in an OCTET STRING,
    /// which GmSSL 3 signs too.
    pub(super) fn tail_beside(
        &self,
        digests: &Digests,
        content: &mut dyn Content,
        inside: bool,
    ) -> Result<Vec<u8>, WriteError> {
        let mut certificates: Vec<Vec<u8>> = Vec::new();
        let own = self.signers.iter().map(|signer| signer.certificate).filter(|_| self.shape.signer_certificates);
        for certificate in own.chain(self.certificates) {
            if !certificates.iter().any(|there| there == certificate.der()) {
                certificates.push(certificate.der().to_vec());
            }
        }
        let mut tail = Vec::new();
        if !certificates.is_empty() {
            let set = self.shape.set(tag::context(0), certificates);
            let indefinite = self.shape.indefinite_certificates && self.shape.encoding != Encoding::Der;
            tail.extend(if indefinite { to_indefinite(&set)? } else { set });
        }
        let mut revocation: Vec<_> = self.crls.iter().map(|crl| crl.der().to_vec()).collect();
        for response in self.ocsp_responses {
            let format = writer::oid(oid::OCSP_RESPONSE)?;
            revocation.push(writer::context(1, &[format.as_slice(), response.der()].concat()));
        }
        if !revocation.is_empty() {
            tail.extend(self.shape.set(tag::context(1), revocation));
        }
        let infos = self.signers.iter().map(|signer| self.signer_info(signer, digests, content, inside));
        tail.extend(self.shape.set(tag::SET, infos.collect::<Result<Vec<_>, _>>()?));
        Ok(tail)
    }

    /// SignerInfo (RFC 5652 section 5.3), with the signature made here.
    fn signer_info(
        &self,
        signer: &ContentSigner<'_>,
        digests: &Digests,
        content: &mut dyn Content,
        inside: bool,
    ) -> Result<Vec<u8>, WriteError> {
        let ContentSigner { certificate, digest, .. } = *signer;
        let digest_algorithm = algorithm(digest.oid(), self.shape.digest_parameters)?;
        let signature_algorithm = signer.signature_algorithm(self.shape)?;
        let values = Values {
            content_type: self.shape.family.content_type(self.content_type),
            digest: digests.of(digest)?,
            signing_time: self.signing_time,
            certificate,
            encryption_certificate: self.encryption_certificate,
            digest_algorithm: &digest_algorithm,
            signature_algorithm: &signature_algorithm,
        };
        let attributes = signed_attributes(&values, self.shape, self.tamper, self.arithmetic)?;
        let signature = self.signature(signer, attributes.as_deref(), digests, (content, inside))?;
        let version = self.shape.family.version(match self.shape.signer_id {
            IdentifierForm::IssuerAndSerial => 1,
            IdentifierForm::SubjectKeyId => 3,
        });
        let mut info = writer::integer(self.tamper.info_version.unwrap_or(version));
        info.extend(certificate_id(certificate, self.shape.signer_id)?);
        info.extend(digest_algorithm);
        if let Some(mut set) = attributes {
            if let Some(first) = set.first_mut() {
                *first = tag::context(0);
            }
            info.extend(set);
        }
        info.extend(signature_algorithm);
        info.extend(writer::octet_string(&signature));
        Ok(writer::element(tag::SEQUENCE, &info))
    }

    /// The signature value: over the SET OF attributes, although [0] stands in
    /// the object, else over the content (RFC 5652 section 5.4). Schemes that
    /// sign the message itself get one of the two as their message (RFC 8419
    /// section 3, RFC 9882 section 3).
    fn signature(
        &self,
        signer: &ContentSigner<'_>,
        attributes: Option<&[u8]>,
        digests: &Digests,
        (content, inside): (&mut dyn Content, bool),
    ) -> Result<Vec<u8>, WriteError> {
        let ContentSigner { signer: key, certificate, scheme, digest } = *signer;
        let without_z = match (scheme, self.shape.sm2.digest) {
            (SignatureScheme::Sm2, Sm2Digest::WithoutZ) => Some(match attributes {
                Some(set) => self.arithmetic.digest(digest, set)?,
                None => digests.of(digest)?.to_vec(),
            }),
            (SignatureScheme::Sm2, Sm2Digest::Gmssl3) => Some(self.gmssl3_digest(attributes, content, inside)?),
            _ => None,
        };
        let made = match (scheme.signs_message(), attributes) {
            _ if let Some(value) = &without_z => key.sign_sm2_digest(value),
            (true, Some(set)) => key.sign_message(scheme, &mut std::io::Cursor::new(set)),
            (true, None) => {
                let mut message = Message::new(content).map_err(WriteError::Read)?;
                key.sign_message(scheme, &mut message)
            }
            (false, Some(set)) => key.sign_digest(scheme, digest, &self.arithmetic.digest(digest, set)?),
            (false, None) => key.sign_digest(scheme, digest, digests.of(digest)?),
        };
        let subject = || certificate.subject();
        made.map_err(|source| WriteError::Key { operation: "signing", subject: subject(), source })
    }
}

impl SignedData<'_> {
    /// The digest that GmSSL 3 signs: of the whole ContentInfo of the content,
    /// of which all but the content is made here.
    fn gmssl3_digest(
        &self,
        attributes: Option<&[u8]>,
        content: &mut dyn Content,
        inside: bool,
    ) -> Result<Vec<u8>, WriteError> {
        if attributes.is_some() || self.content_type != oid::DATA || self.shape.family != Family::Gmt {
            return Err(WriteError::Recipe(
                "GmSSL 3 signs data of GM/T 0010, without attributes: leave the attributes out, family = \"gmt\"",
            ));
        }
        let len = content.measure().map_err(WriteError::Read)?;
        let mut hasher = self.arithmetic.hasher(DigestAlgorithm::Sm3)?;
        hasher.update(&content_info_header(len, inside));
        each_chunk(content, |chunk, _| {
            hasher.update(chunk);
            Ok(())
        })?;
        Ok(hasher.finish())
    }
}

/// Hashes content with every digest that the signers of a recipe need.
pub struct Digester {
    hashers: Vec<(DigestAlgorithm, Box<dyn Hasher>)>,
    length: u64,
}

impl std::fmt::Debug for Digester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Digester").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Digester {
    /// Takes the next octets of the content.
    pub fn update(&mut self, octets: &[u8]) {
        self.length += octets.len() as u64;
        for (_, hasher) in &mut self.hashers {
            hasher.update(octets);
        }
    }

    /// The digests of what came.
    #[must_use]
    pub fn finish(self) -> Digests {
        let values = self.hashers.into_iter().map(|(digest, hasher)| (digest, hasher.finish())).collect();
        Digests { values, length: self.length }
    }
}

/// Digests of one content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    values: Vec<(DigestAlgorithm, Vec<u8>)>,
    length: u64,
}

impl Digests {
    /// Octets that were hashed.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    fn of(&self, digest: DigestAlgorithm) -> Result<&[u8], WriteError> {
        let found = self.values.iter().find(|(algorithm, _)| *algorithm == digest);
        found.map(|(_, value)| value.as_slice()).ok_or(WriteError::Recipe(
            "the content was not hashed with a signer's digest: hash it with the digester of the same recipe",
        ))
    }
}
