//! Names of certificates and of algorithms.

use der::Decode as _;

use super::{IdentifierForm, Parameters, WriteError};
use crate::ber::writer::{self, ValueError, tag};
use crate::certificate::Certificate;

/// IssuerAndSerialNumber (RFC 5652 section 10.2.4), octet for octet what the
/// certificate has: readers compare octets.
pub(super) fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    writer::sequence([certificate.issuer_der(), &writer::integer_octets(certificate.serial())])
}

/// SignerIdentifier or RecipientIdentifier (RFC 5652 sections 5.3 and 6.2.1):
/// both name the key identifier `[0]`.
pub(super) fn certificate_id(certificate: &Certificate, form: IdentifierForm) -> Result<Vec<u8>, WriteError> {
    match form {
        IdentifierForm::IssuerAndSerial => Ok(issuer_and_serial(certificate)),
        IdentifierForm::SubjectKeyId => certificate
            .ski()
            .map(|id| writer::element(tag::context_primitive(0), id))
            .ok_or_else(|| WriteError::NoKeyIdentifier { subject: certificate.subject() }),
    }
}

/// AlgorithmIdentifier without parameters of its own.
pub(super) fn algorithm(oid: &str, parameters: Parameters) -> Result<Vec<u8>, ValueError> {
    let null = match parameters {
        Parameters::Absent => Vec::new(),
        Parameters::Null => writer::null(),
    };
    algorithm_with(oid, &null)
}

/// AlgorithmIdentifier with parameters that are given encoded.
pub(super) fn algorithm_with(oid: &str, parameters: &[u8]) -> Result<Vec<u8>, ValueError> {
    Ok(writer::sequence([writer::oid(oid)?.as_slice(), parameters]))
}

/// Whether two SubjectPublicKeyInfo hold the same key. Parameters do not count:
/// some issuers leave out the NULL of an RSA key.
pub(super) fn same_key(one: &[u8], other: &[u8]) -> bool {
    let parse = |der| spki::SubjectPublicKeyInfoRef::from_der(der).ok();
    one == other
        || parse(one).zip(parse(other)).is_some_and(|(one, other)| {
            // A key of SM2 stands under either of two algorithms.
            let same_kind = one.algorithm.oid == other.algorithm.oid || is_sm2(&one) && is_sm2(&other);
            same_kind && one.subject_public_key == other.subject_public_key
        })
}

fn is_sm2(key: &spki::SubjectPublicKeyInfoRef<'_>) -> bool {
    use der::Encode as _;
    let described = key.to_der().ok().and_then(|der| waxseal_key::describe_public_key(&der).ok());
    described.is_some_and(|key| key.algorithm == waxseal_key::PublicKeyAlgorithm::Sm2)
}
