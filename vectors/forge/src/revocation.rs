//! CRLs and OCSP responses, from their description.
//!
//! The engine only reads them: nobody who reads mail issues any. They are
//! written here, and OpenSSL and Bouncy Castle say in the tests of the harness
//! whether they are what they should be.

use waxseal_engine::ber::writer as w;
use waxseal_engine::ber::writer::ValueError;
use waxseal_engine::certificate::Certificate;
use waxseal_key::{Arithmetic, DigestAlgorithm, ProviderChoice};
use waxseal_model::{CrlDescription, CrlScope, OcspAnswer, OcspDescription, Pki};

use crate::pki::Key;
use crate::{ForgeError, credentials};

/// A CRL in DER, by its name in `pki/revocation.toml`.
pub(crate) fn crl(pki: &Pki, name: &str) -> Result<Vec<u8>, ForgeError> {
    let description = pki.crl(name).ok_or_else(|| wrong(name, "there is no CRL of this name"))?;
    let tbs = tbs_cert_list(pki, description)?;
    let signer = description.signed_by.as_deref().unwrap_or(&description.issuer);
    signed(pki, name, signer, &tbs, &[])
}

/// An OCSP response in DER, by its name in `pki/revocation.toml`.
pub(crate) fn ocsp(pki: &Pki, name: &str) -> Result<Vec<u8>, ForgeError> {
    let description = pki.ocsp(name).ok_or_else(|| wrong(name, "there is no OCSP response of this name"))?;
    if description.says == OcspAnswer::TryLater {
        return Ok(w::sequence([w::element(w::tag::ENUMERATED, &[3])]));
    }
    let said = |error: ValueError| wrong(name, error);
    let data = response_data(pki, description)?;
    let sent = description.certificates.iter();
    let sent = sent.map(|name| Ok(credentials::certificate(pki, name)?.der().to_vec()));
    let sent = sent.collect::<Result<Vec<_>, ForgeError>>()?;
    let sent = if sent.is_empty() { Vec::new() } else { w::context(0, &w::sequence(sent)) };
    let basic = signed(pki, name, &description.by, &data, &sent)?;
    let kind = w::oid("1.3.6.1.5.5.7.48.1.1").map_err(said)?;
    let bytes = w::context(0, &w::sequence([kind, w::octet_string(&basic)]));
    Ok(w::sequence([w::element(w::tag::ENUMERATED, &[0]), bytes]))
}

/// TBSCertList (RFC 5280 section 5.1).
fn tbs_cert_list(pki: &Pki, crl: &CrlDescription) -> Result<Vec<u8>, ForgeError> {
    let said = |error: ValueError| wrong(&crl.name, error);
    let issuer = credentials::certificate(pki, &crl.issuer)?;
    let signer = crl.signed_by.as_deref().unwrap_or(&crl.issuer);
    let mut fields = Vec::new();
    if !crl.first_version {
        fields.push(w::integer(1));
    }
    fields.push(key(pki, &crl.name, signer)?.algorithm_identifier().map_err(|why| wrong(&crl.name, why))?);
    fields.push(issuer.subject_der().to_vec());
    fields.push(w::time(crl.this_update.date_time()).map_err(said)?);
    if let Some(next) = crl.next_update {
        fields.push(w::time(next.date_time()).map_err(said)?);
    }
    let mut entries = Vec::new();
    for revoked in &crl.revoked {
        let certificate = credentials::certificate(pki, &revoked.of)?;
        let mut entry = vec![w::integer_octets(certificate.serial()), w::time(revoked.at.date_time()).map_err(said)?];
        if let Some(reason) = revoked.reason.filter(|_| !crl.first_version) {
            let reason = w::element(w::tag::ENUMERATED, &[reason.number()]);
            entry.push(w::sequence([extension("2.5.29.21", false, &reason).map_err(said)?]));
        }
        entries.push(w::sequence(entry));
    }
    // revokedCertificates is absent where nobody is on the list.
    if !entries.is_empty() {
        fields.push(w::sequence(entries));
    }
    if !crl.first_version {
        fields.push(w::context(0, &w::sequence(crl_extensions(&issuer, crl).map_err(said)?)));
    }
    Ok(w::sequence(fields))
}

fn crl_extensions(issuer: &Certificate, crl: &CrlDescription) -> Result<Vec<Vec<u8>>, ValueError> {
    let mut extensions = Vec::new();
    if let Some(key) = issuer.ski() {
        let identifier = w::sequence([w::element(w::tag::context_primitive(0), key)]);
        extensions.push(extension("2.5.29.35", false, &identifier)?);
    }
    extensions.push(extension("2.5.29.20", false, &w::integer(u64::from(crl.number)))?);
    if let Some(base) = crl.base {
        extensions.push(extension("2.5.29.27", true, &w::integer(u64::from(base)))?);
    }
    if crl.only.is_some() || crl.place.is_some() {
        let mut scope: Vec<Vec<u8>> = crl.place.iter().map(|uri| place(uri)).collect();
        if let Some(only) = crl.only {
            let number = match only {
                CrlScope::Users => 1,
                CrlScope::Authorities => 2,
                _ => 5,
            };
            scope.push(w::element(w::tag::context_primitive(number), &[0xff]));
        }
        extensions.push(extension("2.5.29.28", true, &w::sequence(scope))?);
    }
    if let Some(uri) = &crl.freshest {
        extensions.push(extension("2.5.29.46", false, &w::sequence([w::sequence([place(uri)])]))?);
    }
    Ok(extensions)
}

/// DistributionPointName with one URI.
fn place(uri: &str) -> Vec<u8> {
    w::context(0, &w::context(0, &w::element(w::tag::context_primitive(6), uri.as_bytes())))
}

/// ResponseData (RFC 6960 section 4.2.1).
fn response_data(pki: &Pki, ocsp: &OcspDescription) -> Result<Vec<u8>, ForgeError> {
    let said = |error: ValueError| wrong(&ocsp.name, error);
    let responder = credentials::certificate(pki, &ocsp.by)?;
    let responder = if ocsp.by_key {
        let hash = hash(&ocsp.name, DigestAlgorithm::Sha1, responder.key_bits().unwrap_or_default())?;
        w::context(2, &w::octet_string(&hash))
    } else {
        w::context(1, responder.subject_der())
    };
    let certificate = credentials::certificate(pki, &ocsp.about)?;
    let entity = pki.entity(&ocsp.about).and_then(|entity| entity.issuer.as_deref());
    let issuer = ocsp.issued_by.as_deref().or(entity).unwrap_or(&ocsp.about);
    let issuer = credentials::certificate(pki, issuer)?;
    let digest = DigestAlgorithm::from_name(&ocsp.digest).ok_or_else(|| wrong(&ocsp.name, "its digest is unknown"))?;
    let id = w::sequence([
        w::sequence([w::oid(digest.oid()).map_err(said)?, w::null()]),
        w::octet_string(&hash(&ocsp.name, digest, issuer.subject_der())?),
        w::octet_string(&hash(&ocsp.name, digest, issuer.key_bits().unwrap_or_default())?),
        w::integer_octets(certificate.serial()),
    ]);
    let this_update = w::generalized_time(ocsp.this_update.date_time()).map_err(said)?;
    let status = match (ocsp.says, ocsp.revoked_at) {
        (OcspAnswer::Revoked, Some(at)) => w::context(1, &w::generalized_time(at.date_time()).map_err(said)?),
        (OcspAnswer::Revoked, None) => return Err(wrong(&ocsp.name, "says revoked, and not when")),
        (OcspAnswer::Unknown, _) => w::element(w::tag::context_primitive(2), &[]),
        _ => w::element(w::tag::context_primitive(0), &[]),
    };
    let mut single = vec![id, status, this_update.clone()];
    if let Some(next) = ocsp.next_update {
        single.push(w::context(0, &w::generalized_time(next.date_time()).map_err(said)?));
    }
    Ok(w::sequence([responder, this_update, w::sequence([w::sequence(single)])]))
}

/// What is signed, the algorithm, the signature, and what follows it.
fn signed(pki: &Pki, name: &str, signer: &str, tbs: &[u8], after: &[u8]) -> Result<Vec<u8>, ForgeError> {
    let key = key(pki, name, signer)?;
    let algorithm = key.algorithm_identifier().map_err(|why| wrong(name, why))?;
    let value = key.signature(tbs).map_err(|why| wrong(name, why))?;
    Ok(w::sequence([tbs, algorithm.as_slice(), w::bit_string(&value).as_slice(), after]))
}

fn key(pki: &Pki, name: &str, of: &str) -> Result<Key, ForgeError> {
    Key::of(pki, of).map_err(|why| wrong(name, why))
}

fn extension(oid: &str, critical: bool, value: &[u8]) -> Result<Vec<u8>, ValueError> {
    let critical = if critical { w::boolean(true) } else { Vec::new() };
    Ok(w::sequence([w::oid(oid)?, critical, w::octet_string(value)]))
}

fn hash(name: &str, digest: DigestAlgorithm, octets: &[u8]) -> Result<Vec<u8>, ForgeError> {
    Arithmetic::new(ProviderChoice::RustCrypto).digest(digest, octets).map_err(|why| wrong(name, why))
}

fn wrong(name: &str, what: impl std::fmt::Display) -> ForgeError {
    ForgeError::File { file: format!("pki/revocation.toml: {name}"), what: what.to_string() }
}
