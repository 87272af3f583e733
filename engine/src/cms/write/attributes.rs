//! Signed attributes.

use time::OffsetDateTime;
use waxseal_key::{Arithmetic, DigestAlgorithm};

use super::identifier::issuer_and_serial;
use super::{AttributeKind, Order, Shape, Tamper, WriteError};
use crate::ber::writer::{self, tag};
use crate::certificate::Certificate;
use crate::cms::oid;

/// What one signer's attributes say.
pub(super) struct Values<'a> {
    pub(super) content_type: &'a str,
    pub(super) digest: &'a [u8],
    pub(super) signing_time: Option<OffsetDateTime>,
    pub(super) certificate: &'a Certificate,
    pub(super) encryption_certificate: Option<&'a Certificate>,
    /// AlgorithmIdentifier of the digest, as SignerInfo has it.
    pub(super) digest_algorithm: &'a [u8],
    /// AlgorithmIdentifier of the signature, as SignerInfo has it.
    pub(super) signature_algorithm: &'a [u8],
}

/// The SET OF Attribute that is signed; `None` where the shape has none.
pub(super) fn signed_attributes(
    values: &Values<'_>,
    shape: &Shape,
    tamper: &Tamper,
    arithmetic: &Arithmetic,
) -> Result<Option<Vec<u8>>, WriteError> {
    let mandatory = [AttributeKind::ContentType, AttributeKind::MessageDigest];
    if shape.attributes.is_empty() && oid::standard(values.content_type) == oid::DATA {
        return Ok(None);
    }
    if !tamper.mandatory_attributes_missing && mandatory.iter().any(|kind| !shape.attributes.contains(kind)) {
        return Err(WriteError::Recipe(
            "signed attributes need contentType and messageDigest (RFC 5652 section 5.3): \
             list both in the shape, or no attribute at all with content of type data",
        ));
    }
    let mut attributes = Vec::new();
    for kind in &shape.attributes {
        let Some(value) = value(*kind, values, shape, tamper, arithmetic)? else { continue };
        let count = if tamper.doubled_values.contains(kind) { 2 } else { 1 };
        let values = writer::set_as_given(std::iter::repeat_n(&value, count));
        let attribute = writer::sequence([writer::oid(attribute_oid(*kind))?, values]);
        if tamper.repeated_attributes.contains(kind) {
            attributes.push(attribute.clone());
        }
        attributes.push(attribute);
    }
    if shape.attribute_order == Order::Der {
        writer::sort(&mut attributes);
    }
    Ok(Some(writer::constructed(tag::SET, attributes)))
}

/// An attribute with one value.
pub(super) fn attribute(oid: &str, value: &[u8]) -> Result<Vec<u8>, WriteError> {
    Ok(writer::sequence([writer::oid(oid)?, writer::set_as_given([value])]))
}

/// The contentType attribute (RFC 5652 section 11.1).
pub(super) fn content_type_attribute(content_type: &str) -> Result<Vec<u8>, WriteError> {
    attribute(oid::ATTRIBUTE_CONTENT_TYPE, &writer::oid(content_type)?)
}

const fn attribute_oid(kind: AttributeKind) -> &'static str {
    match kind {
        AttributeKind::ContentType => oid::ATTRIBUTE_CONTENT_TYPE,
        AttributeKind::MessageDigest => oid::ATTRIBUTE_MESSAGE_DIGEST,
        AttributeKind::SigningTime => oid::ATTRIBUTE_SIGNING_TIME,
        AttributeKind::Capabilities => oid::ATTRIBUTE_SMIME_CAPABILITIES,
        AttributeKind::KeyPreference => oid::ATTRIBUTE_ENCRYPTION_KEY_PREFERENCE,
        AttributeKind::MicrosoftKeyPreference => oid::ATTRIBUTE_MICROSOFT_KEY_PREFERENCE,
        AttributeKind::SigningCertificate | AttributeKind::SigningCertificateHash => {
            oid::ATTRIBUTE_SIGNING_CERTIFICATE_V2
        }
        AttributeKind::AlgorithmProtection => "1.2.840.113549.1.9.52",
    }
}

/// The one value of an attribute, or `None` where there is nothing to say.
fn value(
    kind: AttributeKind,
    values: &Values<'_>,
    shape: &Shape,
    tamper: &Tamper,
    arithmetic: &Arithmetic,
) -> Result<Option<Vec<u8>>, WriteError> {
    Ok(match kind {
        AttributeKind::ContentType => {
            Some(writer::oid(tamper.content_type_attribute.as_deref().unwrap_or(values.content_type))?)
        }
        AttributeKind::MessageDigest => {
            Some(writer::octet_string(tamper.message_digest.as_deref().unwrap_or(values.digest)))
        }
        AttributeKind::SigningTime => values.signing_time.map(writer::time).transpose()?,
        AttributeKind::Capabilities if shape.capabilities.is_empty() => None,
        AttributeKind::Capabilities => {
            let entries =
                shape.capabilities.iter().map(crate::cms::Capability::encode).collect::<Result<Vec<_>, _>>()?;
            Some(writer::sequence(entries))
        }
        // The CHOICE is tagged implicitly: the fields stand in the [0] without a SEQUENCE.
        AttributeKind::KeyPreference => values.encryption_certificate.map(|certificate| {
            writer::constructed(
                tag::context(0),
                [certificate.issuer_der(), &writer::integer_octets(certificate.serial())],
            )
        }),
        AttributeKind::MicrosoftKeyPreference => values.encryption_certificate.map(issuer_and_serial),
        AttributeKind::SigningCertificate => Some(signing_certificate(values.certificate, true, arithmetic)?),
        AttributeKind::SigningCertificateHash => Some(signing_certificate(values.certificate, false, arithmetic)?),
        AttributeKind::AlgorithmProtection => {
            // signatureAlgorithm is [1] IMPLICIT: the tag of the same element, exchanged.
            let mut signature = values.signature_algorithm.to_vec();
            if let Some(first) = signature.first_mut() {
                *first = tag::context(1);
            }
            Some(writer::sequence([values.digest_algorithm, &signature]))
        }
    })
}

/// SigningCertificateV2 that names one certificate by SHA-256, which is the
/// default hash and therefore not written, and by issuer and serial number, as
/// RFC 5035 section 3 wants of the first one; or without these.
fn signing_certificate(
    certificate: &Certificate,
    by_name: bool,
    arithmetic: &Arithmetic,
) -> Result<Vec<u8>, WriteError> {
    let mut id = vec![writer::octet_string(&arithmetic.digest(DigestAlgorithm::Sha256, certificate.der())?)];
    if by_name {
        let directory_name = writer::context(4, certificate.issuer_der());
        let serial = writer::integer_octets(certificate.serial());
        id.push(writer::sequence([writer::sequence([directory_name]), serial]));
    }
    Ok(writer::sequence([writer::sequence([writer::sequence(id)])]))
}
