//! Keys and certificates of the PKI, as the engine wants them.

use waxseal_engine::certificate::Certificate;
use waxseal_key::PrivateKey;
use waxseal_model::Pki;

use crate::ForgeError;

/// The private key of an entity.
pub(crate) fn key(pki: &Pki, name: &str) -> Result<PrivateKey, ForgeError> {
    let pem = pki.key_pem(name).ok_or_else(|| missing(name, "private key"))?;
    PrivateKey::from_pem(pem, None).map_err(|source| ForgeError::Key { holder: name.to_owned(), source })
}

/// The certificate of an entity.
pub(crate) fn certificate(pki: &Pki, name: &str) -> Result<Certificate, ForgeError> {
    let pem = certificate_pem(pki, name)?;
    let read = Certificate::from_file(pem.as_bytes());
    let mut found = read.map_err(|source| ForgeError::Certificate { holder: name.to_owned(), source })?;
    found.pop().ok_or_else(|| missing(name, "certificate"))
}

/// The certificate of an entity in PEM.
pub(crate) fn certificate_pem<'a>(pki: &'a Pki, name: &str) -> Result<&'a str, ForgeError> {
    pki.certificate_pem(name).ok_or_else(|| missing(name, "certificate"))
}

/// Several certificates in PEM, one after the other.
pub(crate) fn certificates_pem<S: AsRef<str>>(pki: &Pki, names: &[S]) -> Result<String, ForgeError> {
    names.iter().map(|name| certificate_pem(pki, name.as_ref())).collect()
}

/// The private key of an entity in PEM, PKCS#8 and nothing around it.
pub(crate) fn key_pem(pki: &Pki, name: &str) -> Result<String, ForgeError> {
    let pem = pki.key_pem(name).ok_or_else(|| missing(name, "private key"))?;
    let start = pem.find("-----BEGIN").ok_or_else(|| missing(name, "PEM block in its private key"))?;
    Ok(pem[start..].to_owned())
}

/// Name and address of an entity, for a header field; its name in the PKI
/// stands for a certificate without an address.
pub(crate) fn mailbox(pki: &Pki, name: &str) -> Result<String, ForgeError> {
    let entity = pki.entity(name).ok_or_else(|| missing(name, "description"))?;
    let person = name.split('-').next().unwrap_or(name);
    let made = format!("{person}@example.test");
    let address = entity.addresses.first().or(entity.subject_address.as_ref()).unwrap_or(&made);
    Ok(format!("{} <{address}>", entity.common_name))
}

fn missing(name: &str, what: &str) -> ForgeError {
    ForgeError::File { file: format!("pki/{name}"), what: format!("there is no {what}") }
}
