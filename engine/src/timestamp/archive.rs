//! Certificates of authorities, kept once for all their compact tokens.
//!
//! A token names the certificate of its authority by digest (ESSCertIDv2), so
//! that an archive needs no other address. The file is PEM with a line of that
//! digest before each certificate, which every program that reads PEM passes
//! over: `openssl ts -verify -untrusted` takes an archive as it is.

use std::fmt::Write as _;

use waxseal_key::{Arithmetic, DigestAlgorithm, KeyError};
use waxseal_verdict::Reason;

use super::Token;
use crate::Limits;
use crate::certificate::{Certificate, CertificateError};
use crate::cms::write::without_certificates;
use crate::cms::{CertificateId, CmsError};
use crate::hex::hex;

/// Certificates by their SHA-256, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct ChainArchive {
    certificates: Vec<Certificate>,
}

impl ChainArchive {
    /// Reads an archive, or any file of certificates. What is empty is one
    /// without certificates.
    ///
    /// # Errors
    /// A certificate is damaged.
    pub fn parse(octets: &[u8]) -> Result<Self, CertificateError> {
        let mut archive = Self::default();
        if !octets.trim_ascii().is_empty() {
            Certificate::from_file(octets)?.into_iter().for_each(|certificate| archive.add(certificate));
        }
        Ok(archive)
    }

    /// Adds a certificate, unless it is there.
    pub fn add(&mut self, certificate: Certificate) {
        if !self.certificates.iter().any(|known| known.der() == certificate.der()) {
            self.certificates.push(certificate);
        }
    }

    /// Takes the certificates out of a token and keeps them: what is left is
    /// compact, and as good as it was for whoever has this archive.
    ///
    /// # Errors
    /// It is no token, or a certificate in it is damaged.
    pub fn compact(&mut self, token: &[u8], limits: &Limits) -> Result<Vec<u8>, CmsError> {
        for certificate in Token::parse(token, limits)?.certificates() {
            let parsed = Certificate::parse(certificate);
            self.add(
                parsed.map_err(|error| CmsError::new(Reason::BadBer, "SignedData.certificates", error.to_string()))?,
            );
        }
        without_certificates(token)
    }

    /// Every certificate.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The certificate that an ESSCertID means, by whatever digest.
    #[must_use]
    pub fn find(&self, id: &CertificateId, arithmetic: &Arithmetic) -> Option<&Certificate> {
        let digest = DigestAlgorithm::from_oid(&id.digest)?;
        let is_meant =
            |certificate: &&Certificate| arithmetic.digest(digest, certificate.der()).is_ok_and(|hash| hash == id.hash);
        self.certificates.iter().find(is_meant)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// The arithmetic does not provide SHA-256.
    pub fn to_pem(&self, arithmetic: &Arithmetic) -> Result<String, KeyError> {
        let mut text = String::new();
        for certificate in &self.certificates {
            let hash = hex(&arithmetic.digest(DigestAlgorithm::Sha256, certificate.der())?);
            let _ = write!(text, "sha-256 {hash}\n{}", certificate.to_pem());
        }
        Ok(text)
    }
}
