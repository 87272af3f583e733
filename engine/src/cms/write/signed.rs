//! SignedData (RFC 5652 section 5).

use std::io::Write;

use time::OffsetDateTime;
use waxseal_key::algorithm::signature_oid;
use waxseal_key::{Arithmetic, DigestAlgorithm, Hasher, PublicKeyAlgorithm, SignatureScheme, Signer};

use super::attributes::{Values, signed_attributes};
use super::content::each_chunk;
use super::identifier::{algorithm, certificate_id, same_key};
use super::{Content, IdentifierForm, Order, Parameters, RsaSignature, Shape, Tamper, WriteError};
use crate::ber::writer::{self, Segments, Stream, element_len, tag};
use crate::certificate::{Certificate, KeyUsage};
use crate::cms::oid;

/// One signature to be made.
#[derive(Clone, Copy)]
pub struct ContentSigner<'a> {
    /// The key, in software or on a card.
    pub signer: &'a dyn Signer,
    /// The certificate of that key.
    pub certificate: &'a Certificate,
    /// The digest, of the content and of the signed attributes alike (RFC 8933).
    pub digest: DigestAlgorithm,
}

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
        if self.shape.segments(0).is_some() {
            return self.write_indefinite(out, Some(content), None);
        }
        let mut digester = self.digester()?;
        each_chunk(content, |chunk, _| {
            digester.update(chunk);
            Ok(())
        })?;
        let digests = digester.finish();
        self.write_definite(out, Some((content, digests.length)), &digests)
    }

    /// Writes the object without content, which was hashed elsewhere.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn write_detached(&self, out: &mut dyn Write, digests: &Digests) -> Result<(), WriteError> {
        self.check_signers()?;
        match self.shape.segments(0) {
            Some(_) => self.write_indefinite(out, None, Some(digests)),
            None => self.write_definite(out, None, digests),
        }
    }

    fn check_signers(&self) -> Result<(), WriteError> {
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

    /// Definite lengths: everything but the content is made first.
    fn write_definite(
        &self,
        out: &mut dyn Write,
        content: Option<(&mut dyn Content, u64)>,
        digests: &Digests,
    ) -> Result<(), WriteError> {
        let head = self.head()?;
        let tail = self.tail(digests)?;
        let oid = writer::oid(self.content_type)?;
        // Lengths from the inside out; every `…_len` is that of the contents of an element.
        let octets_len = content.as_ref().map(|(_, length)| *length);
        let info_len = oid.len() as u64 + octets_len.map_or(0, |length| element_len(element_len(length)));
        let signed_len = head.len() as u64 + element_len(info_len) + tail.len() as u64;
        let outer_oid = writer::oid(oid::SIGNED_DATA)?;

        let mut stream = Stream::new(out);
        stream.start(tag::SEQUENCE, outer_oid.len() as u64 + element_len(element_len(signed_len)))?;
        stream.octets(&outer_oid)?;
        stream.start(tag::context(0), element_len(signed_len))?;
        stream.start(tag::SEQUENCE, signed_len)?;
        stream.octets(&head)?;
        stream.start(tag::SEQUENCE, info_len)?;
        stream.octets(&oid)?;
        if let Some((content, length)) = content {
            stream.start(tag::context(0), element_len(length))?;
            stream.start(tag::OCTET_STRING, length)?;
            each_chunk(content, |chunk, _| Ok(stream.octets(chunk)?))?;
            stream.end()?;
            stream.end()?;
        }
        stream.end()?;
        stream.octets(&tail)?;
        stream.end()?;
        stream.end()?;
        stream.end()?;
        stream.finish()?;
        Ok(())
    }

    /// Indefinite lengths: the content is hashed while it is written, unless
    /// its digests are there already.
    fn write_indefinite(
        &self,
        out: &mut dyn Write,
        content: Option<&mut dyn Content>,
        digests: Option<&Digests>,
    ) -> Result<(), WriteError> {
        let Some(plan) = self.shape.segments(0).filter(|plan| plan.size > 0) else {
            return Err(WriteError::Recipe("segments of 0 octets: give a segment size of 1 at least"));
        };
        let mut stream = Stream::new(out);
        stream.start_indefinite(tag::SEQUENCE)?;
        stream.octets(&writer::oid(oid::SIGNED_DATA)?)?;
        stream.start_indefinite(tag::context(0))?;
        stream.start_indefinite(tag::SEQUENCE)?;
        stream.octets(&self.head()?)?;
        stream.start_indefinite(tag::SEQUENCE)?;
        stream.octets(&writer::oid(self.content_type)?)?;
        let mut digester = self.digester()?;
        if let Some(content) = content {
            stream.start_indefinite(tag::context(0))?;
            stream.start_indefinite(tag::OCTET_STRING)?;
            let mut segments = Segments::new(&mut stream, &plan);
            each_chunk(content, |chunk, _| {
                digester.update(chunk);
                Ok(segments.octets(chunk)?)
            })?;
            segments.finish()?;
            stream.end()?;
            stream.end()?;
        }
        stream.end()?;
        let hashed = digester.finish();
        stream.octets(&self.tail(digests.unwrap_or(&hashed))?)?;
        stream.end()?;
        stream.end()?;
        stream.end()?;
        stream.finish()?;
        Ok(())
    }

    /// version and digestAlgorithms.
    fn head(&self) -> Result<Vec<u8>, WriteError> {
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
        let mut head = writer::integer(self.tamper.version.unwrap_or_else(|| self.version()));
        head.extend(self.set(tag::SET, algorithms));
        Ok(head)
    }

    /// The version of RFC 5652 section 5.1; certificates and CRLs of other
    /// types, which would make it 4 or 5, are not written.
    fn version(&self) -> u64 {
        let by_key_id = self.shape.signer_id == IdentifierForm::SubjectKeyId && !self.signers.is_empty();
        if by_key_id || self.content_type != oid::DATA { 3 } else { 1 }
    }

    /// certificates and signerInfos.
    fn tail(&self, digests: &Digests) -> Result<Vec<u8>, WriteError> {
        let mut certificates: Vec<Vec<u8>> = Vec::new();
        let own = self.signers.iter().map(|signer| signer.certificate).filter(|_| self.shape.signer_certificates);
        for certificate in own.chain(self.certificates) {
            if !certificates.iter().any(|there| there == certificate.der()) {
                certificates.push(certificate.der().to_vec());
            }
        }
        let mut tail = Vec::new();
        if !certificates.is_empty() {
            tail.extend(self.set(tag::context(0), certificates));
        }
        let infos =
            self.signers.iter().map(|signer| self.signer_info(signer, digests)).collect::<Result<Vec<_>, _>>()?;
        tail.extend(self.set(tag::SET, infos));
        Ok(tail)
    }

    fn set(&self, tag: u8, mut elements: Vec<Vec<u8>>) -> Vec<u8> {
        if self.shape.set_order == Order::Der {
            writer::sort(&mut elements);
        }
        writer::constructed(tag, elements)
    }

    /// SignerInfo (RFC 5652 section 5.3), with the signature made here.
    fn signer_info(&self, signer: &ContentSigner<'_>, digests: &Digests) -> Result<Vec<u8>, WriteError> {
        let ContentSigner { certificate, digest, .. } = *signer;
        let failed = |source| WriteError::Key { operation: "signing", subject: certificate.subject(), source };
        let content_digest = digests.of(digest)?;
        let scheme = scheme(signer)?;
        let digest_algorithm = algorithm(digest.oid(), self.shape.digest_parameters)?;
        let signature_algorithm = self.signature_algorithm(scheme, digest)?;
        let values = Values {
            content_type: self.content_type,
            digest: content_digest,
            signing_time: self.signing_time,
            certificate,
            encryption_certificate: self.encryption_certificate,
            digest_algorithm: &digest_algorithm,
            signature_algorithm: &signature_algorithm,
        };
        let attributes = signed_attributes(&values, self.shape, self.tamper, self.arithmetic)?;
        // The signature is over the SET OF, although [0] stands in the object (RFC 5652 section 5.4).
        let signed_digest = match &attributes {
            Some(set) => self.arithmetic.digest(digest, set)?,
            None => content_digest.to_vec(),
        };
        let signature = signer.signer.sign_digest(scheme, digest, &signed_digest).map_err(failed)?;

        let version = match self.shape.signer_id {
            IdentifierForm::IssuerAndSerial => 1,
            IdentifierForm::SubjectKeyId => 3,
        };
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

    /// signatureAlgorithm: NULL with RSA, nothing with ECDSA (RFC 5754 section 3).
    fn signature_algorithm(&self, scheme: SignatureScheme, digest: DigestAlgorithm) -> Result<Vec<u8>, WriteError> {
        let (oid, parameters) = match scheme {
            SignatureScheme::RsaPkcs1 if self.shape.rsa_signature == RsaSignature::RsaEncryption => {
                (oid::RSA_ENCRYPTION, Parameters::Null)
            }
            SignatureScheme::RsaPkcs1 => (signature_oid(scheme, digest), Parameters::Null),
            _ => (signature_oid(scheme, digest), Parameters::Absent),
        };
        if scheme == SignatureScheme::Ecdsa && digest == DigestAlgorithm::Md5 {
            return Err(WriteError::Recipe("ECDSA with MD5 has no identifier: sign with SHA-256 or better"));
        }
        Ok(algorithm(oid, parameters)?)
    }
}

/// The scheme that fits the key; that of the signer, not of the certificate,
/// which a tampered recipe may have exchanged.
fn scheme(signer: &ContentSigner<'_>) -> Result<SignatureScheme, WriteError> {
    let wrong = |kind: String| WriteError::KeyKind {
        subject: signer.certificate.subject(),
        kind,
        purpose: "signing",
        expected: "RSA, P-256, P-384 or P-521 would do",
    };
    match waxseal_key::describe_public_key(signer.signer.public_key())?.algorithm {
        PublicKeyAlgorithm::Rsa => Ok(SignatureScheme::RsaPkcs1),
        PublicKeyAlgorithm::P256 | PublicKeyAlgorithm::P384 | PublicKeyAlgorithm::P521 => Ok(SignatureScheme::Ecdsa),
        PublicKeyAlgorithm::Other(oid) => Err(wrong(oid)),
        _ => Err(wrong("unknown".to_owned())),
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
    fn of(&self, digest: DigestAlgorithm) -> Result<&[u8], WriteError> {
        let found = self.values.iter().find(|(algorithm, _)| *algorithm == digest);
        found.map(|(_, value)| value.as_slice()).ok_or(WriteError::Recipe(
            "the content was not hashed with a signer's digest: hash it with the digester of the same recipe",
        ))
    }
}
