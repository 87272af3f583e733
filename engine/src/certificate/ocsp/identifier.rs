//! CertID: which certificate is meant (RFC 6960 section 4.1.1).

use std::collections::BTreeMap;

use waxseal_key::{Arithmetic, DigestAlgorithm, KeyError};

use crate::ber::{Cursor, identifier as tag, writer};
use crate::certificate::field::{Fields as _, object_identifier};
use crate::certificate::parsed::trim_integer;
use crate::certificate::{Certificate, CertificateError};

/// A CertID as it stands in an answer.
pub(super) struct CertId<'a> {
    digest: String,
    issuer_name: &'a [u8],
    issuer_key: &'a [u8],
    serial: &'a [u8],
}

impl<'a> CertId<'a> {
    pub(super) fn read(fields: &mut Cursor<'a>) -> Result<Self, CertificateError> {
        let mut fields = fields.field(tag::SEQUENCE, "certID")?.inside();
        let algorithm = fields.field(tag::SEQUENCE, "hashAlgorithm")?;
        Ok(Self {
            digest: object_identifier(&algorithm.inside().field(tag::OID, "hashAlgorithm")?)?,
            issuer_name: fields.field(tag::OCTET_STRING, "issuerNameHash")?.content,
            issuer_key: fields.field(tag::OCTET_STRING, "issuerKeyHash")?.content,
            serial: fields.field(tag::INTEGER, "serialNumber")?.content,
        })
    }
}

/// A certificate that is asked about. The hashes of its issuer are computed
/// once for each algorithm, and only if the serial number fits.
pub(super) struct Asked<'a> {
    certificate: &'a Certificate,
    issuer: &'a Certificate,
    arithmetic: &'a Arithmetic,
    hashes: BTreeMap<DigestAlgorithm, Option<Hashes>>,
}

/// Hashes of the issuer's name and key.
struct Hashes {
    name: Vec<u8>,
    key: Vec<u8>,
}

impl Hashes {
    /// The name is the one in the certificate: that of the issuer may be
    /// encoded otherwise.
    fn of(
        certificate: &Certificate,
        issuer: &Certificate,
        digest: DigestAlgorithm,
        arithmetic: &Arithmetic,
    ) -> Result<Self, KeyError> {
        let key = issuer.key_bits().unwrap_or_default();
        Ok(Self { name: arithmetic.digest(digest, certificate.issuer_der())?, key: arithmetic.digest(digest, key)? })
    }
}

impl<'a> Asked<'a> {
    pub(super) const fn new(certificate: &'a Certificate, issuer: &'a Certificate, arithmetic: &'a Arithmetic) -> Self {
        Self { certificate, issuer, arithmetic, hashes: BTreeMap::new() }
    }

    /// Whether this certificate is meant.
    pub(super) fn is_meant(&mut self, id: &CertId<'_>) -> bool {
        if trim_integer(id.serial) != trim_integer(self.certificate.serial()) {
            return false;
        }
        let Some(digest) = DigestAlgorithm::from_oid(&id.digest) else { return false };
        let hashes = self
            .hashes
            .entry(digest)
            .or_insert_with(|| Hashes::of(self.certificate, self.issuer, digest, self.arithmetic).ok());
        hashes.as_ref().is_some_and(|hashes| hashes.name == id.issuer_name && hashes.key == id.issuer_key)
    }
}

/// Writes the CertID of a certificate.
pub(super) fn write(
    certificate: &Certificate,
    issuer: &Certificate,
    digest: DigestAlgorithm,
    arithmetic: &Arithmetic,
) -> Result<Vec<u8>, KeyError> {
    let hashes = Hashes::of(certificate, issuer, digest, arithmetic)?;
    let algorithm = writer::oid(digest.oid()).map_err(|_| KeyError::UnknownAlgorithm(digest.oid().to_owned()))?;
    Ok(writer::sequence([
        // Some responders take nothing without the NULL, all take it with one.
        writer::sequence([algorithm, writer::null()]),
        writer::octet_string(&hashes.name),
        writer::octet_string(&hashes.key),
        writer::integer_octets(certificate.serial()),
    ]))
}
