//! What signed attributes bind a signature to, beside its content: the
//! signer's certificate and the algorithms.

use waxseal_key::{DigestAlgorithm, algorithm};
use waxseal_verdict::{Aspect, Reason};

use crate::certificate::Certificate;
use crate::check::Check;
use crate::cms::{AlgorithmIdentifier, AlgorithmProtection, Attributes, CertificateId, CmsError, SignerInfo};
use crate::message::context::Context;

/// The first certificate that each of the two signing certificate attributes
/// names; it is the signer's (RFC 5035 section 5.4). An attribute that names
/// none at all is an error, because it binds nothing.
pub(super) fn named_certificates(attributes: &Attributes) -> Result<Vec<CertificateId>, CmsError> {
    let mut list = Vec::new();
    for found in [attributes.signing_certificate()?, attributes.signing_certificate_v2()?].into_iter().flatten() {
        let first = found.certificates.into_iter().next().ok_or_else(|| {
            CmsError::new(Reason::BadBer, "signedAttrs", "a signing certificate attribute names no certificate")
        })?;
        list.push(first);
    }
    Ok(list)
}

/// Of the certificates whose key verified the signature those that the signed
/// attributes name; anybody could have put another one for the same key into
/// the message. If none of them is named, the aspect is bad, and all stay.
pub(super) fn choose(
    fitting: Vec<Certificate>,
    attributes: &Attributes,
    place: &str,
    context: &Context<'_>,
) -> (Vec<Certificate>, Aspect) {
    // What is malformed was told of the structure.
    let Ok(ids) = named_certificates(attributes) else { return (fitting, Aspect::Good) };
    if ids.is_empty() || !Check::SigningCertificate.on() {
        return (fitting, Aspect::Good);
    }
    if ids.iter().any(|id| DigestAlgorithm::from_oid(&id.digest).is_none()) {
        return (fitting, Aspect::Unchecked(None));
    }
    let is_named = |certificate: &&Certificate| ids.iter().all(|id| names(id, certificate, context));
    let named: Vec<_> = fitting.iter().filter(is_named).cloned().collect();
    if !named.is_empty() {
        return (named, Aspect::Good);
    }
    let subject = fitting.first().map(Certificate::subject).unwrap_or_default();
    let detail = format!(
        "{place}: the signature fits a certificate of {subject}, but the signing certificate attribute names \
         another one (RFC 5035 section 5.4)"
    );
    (fitting, Aspect::bad(Reason::SigningCertificateMismatch, detail))
}

/// Whether digest, issuer and serial number are those of a certificate.
fn names(id: &CertificateId, certificate: &Certificate, context: &Context<'_>) -> bool {
    let arithmetic = context.request.arithmetic;
    let hash =
        DigestAlgorithm::from_oid(&id.digest).and_then(|digest| arithmetic.digest(digest, certificate.der()).ok());
    let by_name = id
        .issuer_serial
        .as_ref()
        .is_none_or(|named| named.issuer.as_ref().is_some_and(|issuer| certificate.is_named(issuer, &named.serial)));
    hash.as_ref() == Some(&id.hash) && by_name
}

/// Whether CMSAlgorithmProtection repeats what stands in SignerInfo (RFC 6211
/// section 3); good without the attribute.
pub(super) fn algorithms(info: &SignerInfo, attributes: &Attributes, place: &str) -> Aspect {
    // What is malformed was told of the structure.
    let Ok(Some(found)) = attributes.algorithm_protection() else { return Aspect::Good };
    let AlgorithmProtection { digest, signature, .. } = &found;
    let differs = if !same(digest, &info.digest) {
        format!("the digest {}, digestAlgorithm is {}", digest.name(), info.digest.name())
    } else if let Some(signature) = signature {
        if same(signature, &info.signature_algorithm) {
            return Aspect::Good;
        }
        format!("the signature {}, signatureAlgorithm is {}", signature.name(), info.signature_algorithm.name())
    } else {
        "no signature algorithm".to_owned()
    };
    if !Check::AlgorithmProtection.on() {
        return Aspect::Good;
    }
    let detail = format!("{place}: CMSAlgorithmProtection names {differs} (RFC 6211 section 3)");
    Aspect::bad(Reason::AlgorithmMismatch, detail)
}

/// The same for AuthenticatedData, which has a MAC in the place of the signature.
pub(super) fn mac_algorithms(
    digest: &AlgorithmIdentifier,
    mac: &AlgorithmIdentifier,
    attributes: &Attributes,
    place: &str,
) -> Aspect {
    let Ok(Some(found)) = attributes.algorithm_protection() else { return Aspect::Good };
    let fits = same(&found.digest, digest) && found.mac.as_ref().is_some_and(|named| same(named, mac));
    if fits || !Check::AlgorithmProtection.on() {
        return Aspect::Good;
    }
    let named = found.mac.map_or_else(|| "no MAC".to_owned(), |named| named.name());
    let detail = format!(
        "{place}: CMSAlgorithmProtection names {} and {named}, the algorithms are {} and {} (RFC 6211 section 3)",
        found.digest.name(),
        digest.name(),
        mac.name()
    );
    Aspect::bad(Reason::AlgorithmMismatch, detail)
}

/// Whether two identifiers say the same: absent parameters and NULL do, and so
/// do those of RSASSA-PSS with a default left out or written.
pub(super) fn same(one: &AlgorithmIdentifier, other: &AlgorithmIdentifier) -> bool {
    const NULL: &[u8] = &[5, 0];
    if one.oid != other.oid {
        return false;
    }
    let said = |algorithm: &AlgorithmIdentifier| algorithm.parameters.clone().filter(|octets| octets != NULL);
    let meaning = |found: &AlgorithmIdentifier| {
        algorithm::signature_from_identifier(&found.oid, found.parameters.as_deref()).ok().flatten()
    };
    const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
    said(one) == said(other) || one.oid == RSASSA_PSS && meaning(one).is_some() && meaning(one) == meaning(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_differ_by_what_they_mean() {
        let algorithm = |oid: &str, parameters: Option<&[u8]>| AlgorithmIdentifier {
            oid: oid.to_owned(),
            parameters: parameters.map(<[u8]>::to_vec),
        };
        assert!(same(&algorithm("1.2.3", None), &algorithm("1.2.3", Some(&[5, 0]))));
        assert!(!same(&algorithm("1.2.3", None), &algorithm("1.2.4", None)));
        assert!(!same(&algorithm("1.2.3", None), &algorithm("1.2.3", Some(&[2, 1, 1]))));
        // RFC 4055 section 3.1: every field of RSASSA-PSS-params has a default; a salt of 20 octets is one.
        let pss = |parameters: &[u8]| algorithm("1.2.840.113549.1.1.10", Some(parameters));
        assert!(same(&pss(&[0x30, 0]), &pss(&[0x30, 5, 0xa2, 3, 2, 1, 20])));
        assert!(!same(&pss(&[0x30, 0]), &pss(&[0x30, 5, 0xa2, 3, 2, 1, 21])));
    }
}
