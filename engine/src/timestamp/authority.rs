//! A time-stamping authority, as a function: for tests, for vectors, and for
//! whoever wants a local one.

use std::io::Cursor;

use time::OffsetDateTime;
use waxseal_key::{Arithmetic, DigestAlgorithm, Signer};

use super::{Accuracy, Failure, GenTime, TimeStampReq, TimeStampResp, TstInfo};
use crate::ber::writer;
use crate::certificate::Certificate;
use crate::cms::oid;
use crate::cms::write::{AttributeKind, ContentSigner, Order, Shape, SignedData, Tamper, WriteError};

/// A time-stamping authority. It reads no clock and counts no serial numbers:
/// the same request gets the same token, as far as the key signs
/// deterministically.
#[derive(Clone, Copy)]
pub struct Authority<'a> {
    /// Its key.
    pub signer: &'a dyn Signer,
    /// The certificate of that key.
    pub certificate: &'a Certificate,
    /// What is sent beside the certificate where certificates are asked for.
    pub chain: &'a [Certificate],
    /// The policies under which it works, dotted; the first without a wish.
    pub policies: &'a [String],
    /// Digests that it stamps.
    pub digests: &'a [DigestAlgorithm],
    /// The digest of its signature.
    pub digest: DigestAlgorithm,
    /// How far its clock may be off.
    pub accuracy: Option<Accuracy>,
    /// Whether its tokens are in the order of their times.
    pub ordering: bool,
    /// Whether tokens are compact: the authority names itself by nothing but
    /// the identifier of its certificate and the digest of it (RFC 5035 section
    /// 4 leaves issuer and serial number to the writer).
    pub compact: bool,
    /// What is wrong with its tokens.
    pub tamper: &'a Tamper,
    /// Who computes.
    pub arithmetic: &'a Arithmetic,
}

/// Why a request gets no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request is at fault.
    #[error("{0}: {1}")]
    Request(Failure, String),
    /// The authority is.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The digests that an authority stamps where nothing else is said: those of
/// 112 bits and more against collisions.
const USUAL: &[DigestAlgorithm] =
    &[DigestAlgorithm::Sha224, DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512];

impl<'a> Authority<'a> {
    /// An authority with SHA-256 that stamps the digests of SHA-2.
    #[must_use]
    pub fn new(
        signer: &'a dyn Signer,
        certificate: &'a Certificate,
        policies: &'a [String],
        tamper: &'a Tamper,
        arithmetic: &'a Arithmetic,
    ) -> Self {
        Self {
            signer,
            certificate,
            chain: &[],
            policies,
            digests: USUAL,
            digest: DigestAlgorithm::Sha256,
            accuracy: None,
            ordering: false,
            compact: false,
            tamper,
            arithmetic,
        }
    }

    /// Answers a request in DER, whatever octets it is, at a time and with a
    /// serial number that no other token of this authority has.
    #[must_use]
    pub fn reply(&self, request: &[u8], at: OffsetDateTime, serial: &[u8]) -> TimeStampResp {
        let refused = |failure, text| TimeStampResp::refused(failure, text);
        let request = match TimeStampReq::parse(request) {
            Ok(request) => request,
            Err(error) => return refused(Failure::BadDataFormat, error.to_string()),
        };
        match self.issue(&request, at, serial) {
            Ok(token) => TimeStampResp::granted(token),
            Err(Refusal::Request(failure, text)) => refused(failure, text),
            Err(Refusal::Write(error)) => refused(Failure::SystemFailure, error.to_string()),
        }
    }

    /// Makes the token for a request.
    ///
    /// # Errors
    /// The request asks for what this authority does not do (RFC 3161 section
    /// 2.4.1), or the key does not sign.
    pub fn issue(&self, request: &TimeStampReq, at: OffsetDateTime, serial: &[u8]) -> Result<Vec<u8>, Refusal> {
        let policy = Self::check(self.policies, self.digests, request)?;
        let info = TstInfo {
            policy,
            imprint: request.imprint.clone(),
            serial: serial_content(serial),
            gen_time: GenTime::new(at),
            accuracy: self.accuracy,
            ordering: self.ordering,
            nonce: request.nonce.clone(),
            authority: None,
            extensions: Vec::new(),
        };
        let content = info.to_der().map_err(WriteError::from)?;
        Ok(self.sign(&content, request.certificates)?)
    }

    /// What is wrong with a request, or the policy under which it is done.
    fn check(policies: &[String], digests: &[DigestAlgorithm], request: &TimeStampReq) -> Result<String, Refusal> {
        let refuse = |failure, why: String| Err(Refusal::Request(failure, why));
        if request.version != 1 {
            return refuse(Failure::BadRequest, format!("version {} is not known", request.version));
        }
        let name = request.imprint.algorithm.name();
        if !request.imprint.digest().is_some_and(|digest| digests.contains(&digest)) {
            return refuse(Failure::BadAlg, format!("imprints with {name} are not stamped"));
        }
        if !request.imprint.fits() {
            let why = format!("a hash of {} octets is none of {name}", request.imprint.hash.len());
            return refuse(Failure::BadDataFormat, why);
        }
        if let Some((extension, _)) = request.extensions.first() {
            return refuse(Failure::UnacceptedExtension, format!("extension {extension} is not known"));
        }
        let wanted = request.policy.as_ref().or(policies.first());
        match wanted.filter(|policy| policies.contains(policy)) {
            Some(policy) => Ok(policy.clone()),
            None => {
                let why = format!("policy {} is none of this authority", wanted.map_or("", String::as_str));
                refuse(Failure::UnacceptedPolicy, why)
            }
        }
    }

    /// Signs content as a TSTInfo, whatever it is.
    ///
    /// # Errors
    /// The key does not sign.
    pub fn sign(&self, content: &[u8], certificates: bool) -> Result<Vec<u8>, WriteError> {
        let naming = match self.compact {
            true => AttributeKind::SigningCertificateHash,
            false => AttributeKind::SigningCertificate,
        };
        let shape = Shape {
            attributes: vec![AttributeKind::ContentType, AttributeKind::MessageDigest, naming],
            attribute_order: Order::Der,
            set_order: Order::Der,
            signer_certificates: certificates,
            ..Shape::default()
        };
        let signers = [ContentSigner::new(self.signer, self.certificate, self.digest, None)?];
        let recipe = SignedData {
            signers: &signers,
            certificates: if certificates { self.chain } else { &[] },
            signing_time: None,
            crls: &[],
            ocsp_responses: &[],
            encryption_certificate: None,
            content_type: oid::TST_INFO,
            shape: &shape,
            tamper: self.tamper,
            arithmetic: self.arithmetic,
        };
        let mut token = Vec::new();
        recipe.write(&mut token, &mut Cursor::new(content))?;
        Ok(token)
    }
}

impl std::fmt::Debug for Authority<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("certificate", &self.certificate.subject()).finish_non_exhaustive()
    }
}

/// Content octets of a number that is not negative.
fn serial_content(serial: &[u8]) -> Vec<u8> {
    let number = writer::unsigned(serial);
    crate::ber::Cursor::new(&number, 0)
        .take()
        .ok()
        .flatten()
        .map(|element| element.content.to_vec())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::MessageImprint;

    /// What a request with one change is answered, by an authority that never
    /// gets to sign.
    fn refusal(change: impl FnOnce(&mut TimeStampReq)) -> Option<Failure> {
        let imprint = MessageImprint::new(DigestAlgorithm::Sha256, vec![7; 32]);
        let mut request = TimeStampReq::new(imprint);
        change(&mut request);
        let policies = ["1.2.3".to_owned()];
        match Authority::check(&policies, USUAL, &request) {
            Ok(_) => None,
            Err(Refusal::Request(failure, _)) => Some(failure),
            Err(Refusal::Write(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn refusals_are_those_of_rfc_3161() {
        assert_eq!(refusal(|_| ()), None);
        assert_eq!(refusal(|request| request.policy = Some("1.2.3".to_owned())), None);
        assert_eq!(refusal(|request| request.policy = Some("1.2.4".to_owned())), Some(Failure::UnacceptedPolicy));
        assert_eq!(refusal(|request| request.version = 2), Some(Failure::BadRequest));
        let md5 = |request: &mut TimeStampReq| request.imprint = MessageImprint::new(DigestAlgorithm::Md5, vec![7; 16]);
        assert_eq!(refusal(md5), Some(Failure::BadAlg));
        assert_eq!(refusal(|request| request.imprint.algorithm.oid = "1.2.3".to_owned()), Some(Failure::BadAlg));
        assert_eq!(refusal(|request| request.imprint.hash.truncate(20)), Some(Failure::BadDataFormat));
        let extended = |request: &mut TimeStampReq| request.extensions.push(("1.2.3".to_owned(), false));
        assert_eq!(refusal(extended), Some(Failure::UnacceptedExtension));
    }
}
