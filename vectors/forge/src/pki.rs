//! Certificates of the PKI, from their description.
//!
//! rcgen encodes; the keys are the engine's and sign deterministically
//! (PKCS#1 v1.5; ECDSA and SM2 as RFC 6979 draws their number), so that the bytes are a function of
//! `pki.toml` and the committed keys.

mod extension;

use std::collections::BTreeMap;
use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm, SigningKey,
};
use waxseal_engine::ber::{self, Tag, writer};
use waxseal_key::{
    Arithmetic, DigestAlgorithm, KeyError, PrivateKey, ProviderChoice, PublicKeyAlgorithm, SignatureScheme, Signer,
};
use waxseal_model::{Entity, ExtendedUse, KeyUse, Pki};

use crate::hex;
use crate::tree::{Inside, Node};

/// emailAddress (PKCS#9), whose value is an IA5String (RFC 8550 section 3).
const EMAIL_ADDRESS: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 1];
/// subjectKeyIdentifier (RFC 5280 section 4.2.1.2).
const SUBJECT_KEY_IDENTIFIER: [u64; 4] = [2, 5, 29, 14];
/// extKeyUsage (RFC 5280 section 4.2.1.12).
const EXTENDED_KEY_USAGE: [u64; 4] = [2, 5, 29, 37];
/// id-pkix-ocsp-nocheck (RFC 6960 section 4.2.2.2.1).
const OCSP_NO_CHECK: [u64; 10] = [1, 3, 6, 1, 5, 5, 7, 48, 1, 5];
/// An extension of the arc that RFC 5612 set aside for examples.
const UNKNOWN_EXTENSION: [u64; 8] = [1, 3, 6, 1, 4, 1, 32_473, 1];

/// Why a certificate cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("pki/pki.toml: {entity}: {why}")]
pub struct PkiError {
    /// The entity.
    pub entity: String,
    /// What is wrong.
    pub why: String,
}

/// Every certificate of the PKI in PEM, by the name of its entity.
///
/// # Errors
/// A key is missing or damaged, or a description cannot be encoded.
pub fn certificates(pki: &Pki) -> Result<BTreeMap<String, String>, PkiError> {
    let mut made = BTreeMap::new();
    for entity in pki.entities() {
        let why = |why: String| PkiError { entity: entity.name.clone(), why };
        let pem = certificate(pki, entity).map_err(why)?;
        made.insert(entity.name.clone(), pem);
    }
    Ok(made)
}

pub(crate) fn certificate(pki: &Pki, entity: &Entity) -> Result<String, String> {
    let said = |error: rcgen::Error| error.to_string();
    let key = Key::of(pki, &entity.name)?;
    let issuer_name = entity.issuer.as_deref().unwrap_or(&entity.name);
    let signer = Key::of(pki, entity.signed_by.as_deref().unwrap_or(issuer_name))?;
    let signer = signer.with_id(entity.signature_id.as_deref())?;
    let issuer_key_id = Key::of(pki, entity.authority_key_of.as_deref().unwrap_or(issuer_name))?.identifier()?;
    let issuer = pki.entity(issuer_name).ok_or("its issuer is not described")?;
    let issuer_params = params(issuer, issuer_key_id)?;
    let mut own = params(entity, key.identifier()?)?;
    own.use_authority_key_identifier_extension = entity.issuer.is_some();
    let issuer = Issuer::from_params(&issuer_params, &signer);
    if key.algorithm.is_some() && signer.algorithm.is_some() && !entity.version_1 {
        let certificate = own.signed_by(&key, &issuer).map_err(said)?;
        // rcgen writes CRLF on some systems; the files hold LF on all.
        return Ok(certificate.pem().replace("\r\n", "\n"));
    }
    // rcgen knows few kinds of keys, and writes version 3 alone.
    let certificate = own.signed_by(&key, &issuer).map_err(said)?;
    let mut root = Node::read(certificate.der())?;
    if key.algorithm.is_none() {
        // TBSCertificate ::= SEQUENCE { version, serialNumber, signature, issuer, validity, subject,
        // subjectPublicKeyInfo, ... } (RFC 5280 section 4.1).
        *root.at_mut(&[0, 6])? = key.public_key_info(entity.sm2_key_oid)?;
    }
    if signer.algorithm.is_none() {
        for place in [&[0, 2][..], &[1]] {
            *root.at_mut(place)? = Node::read(&signer.algorithm_identifier()?)?;
        }
    }
    if entity.version_1 {
        let fields = root.at_mut(&[0])?.children_mut()?;
        fields.remove(0);
        fields.pop();
    }
    signed_again(root, &signer)
}

/// A certificate whose fields were changed, in PEM.
fn signed_again(mut root: Node, signer: &Key) -> Result<String, String> {
    let value = signer.signature(&root.at(&[0])?.write()).map_err(|error| error.to_string())?;
    root.at_mut(&[2])?.inside = Inside::Octets([&[0], value.as_slice()].concat());
    let text = STANDARD.encode(root.write());
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    Ok(format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")))
}

fn params(entity: &Entity, key_id: Vec<u8>) -> Result<CertificateParams, String> {
    let mut params = CertificateParams::default();
    params.not_before = entity.not_before.date_time();
    params.not_after = entity.not_after.date_time();
    params.serial_number = Some(SerialNumber::from_slice(&serial(entity)?));
    params.distinguished_name = name(entity)?;
    for address in &entity.addresses {
        let ascii_local = address.rsplit_once('@').is_none_or(|(local, _)| local.is_ascii());
        params.subject_alt_names.push(if ascii_local {
            SanType::Rfc822Name(address.as_str().try_into().map_err(|_| format!("{address:?} is not ASCII"))?)
        } else {
            SanType::OtherName((extension::SMTP_UTF8_MAILBOX.to_vec(), address.as_str().into()))
        });
    }
    for name in &entity.other_names {
        params.subject_alt_names.push(other_name(name).ok_or_else(|| format!("{name:?} is no name known here"))?);
    }
    params.key_usages = entity.key_usage.iter().map(|usage| key_use(*usage)).collect::<Result<_, _>>()?;
    let purposes = entity.extended_key_usage.iter().map(|usage| extended_use(*usage));
    let purposes = purposes.collect::<Result<Vec<_>, _>>()?;
    if entity.critical_extended_key_usage {
        // rcgen writes the extension, and never as critical.
        params.custom_extensions.push(critical_extended_key_usage(&purposes)?);
    } else {
        params.extended_key_usages = purposes;
    }
    params.key_identifier_method = KeyIdMethod::PreSpecified(key_id.clone());
    if entity.authority {
        params.is_ca =
            IsCa::Ca(entity.path_length.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained));
    } else {
        // rcgen identifies the keys of authorities only; a signer may be named by its key too.
        let extension = CustomExtension::from_oid_content(&SUBJECT_KEY_IDENTIFIER, writer::octet_string(&key_id));
        params.custom_extensions.push(extension);
    }
    params.custom_extensions.extend(extension::of(entity)?);
    if entity.ocsp_no_check {
        params.custom_extensions.push(CustomExtension::from_oid_content(&OCSP_NO_CHECK, writer::null()));
    }
    if entity.unknown_critical_extension {
        let mut extension = CustomExtension::from_oid_content(&UNKNOWN_EXTENSION, writer::null());
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    }
    Ok(params)
}

/// A name of subjectAltName from `form:value`.
fn other_name(name: &str) -> Option<SanType> {
    let (form, value) = name.split_once(':')?;
    match form {
        "dns" => Some(SanType::DnsName(value.try_into().ok()?)),
        "uri" => Some(SanType::URI(value.try_into().ok()?)),
        "ip" => Some(SanType::IpAddress(value.parse().ok()?)),
        _ => None,
    }
}

fn critical_extended_key_usage(purposes: &[ExtendedKeyUsagePurpose]) -> Result<CustomExtension, String> {
    let dotted = |purpose: &ExtendedKeyUsagePurpose| match purpose {
        ExtendedKeyUsagePurpose::TimeStamping => Ok("1.3.6.1.5.5.7.3.8"),
        ExtendedKeyUsagePurpose::EmailProtection => Ok("1.3.6.1.5.5.7.3.4"),
        other => Err(format!("{other:?} is not known here as a critical one")),
    };
    let oid = |purpose| writer::oid(dotted(purpose)?).map_err(|error| error.to_string());
    let list = purposes.iter().map(oid).collect::<Result<Vec<_>, String>>()?;
    let mut extension = CustomExtension::from_oid_content(&EXTENDED_KEY_USAGE, writer::sequence(list));
    extension.set_criticality(true);
    Ok(extension)
}

fn serial(entity: &Entity) -> Result<Vec<u8>, String> {
    hex::octets(&entity.serial).ok_or_else(|| format!("the serial number {:?} is not hexadecimal", entity.serial))
}

fn name(entity: &Entity) -> Result<DistinguishedName, String> {
    let mut name = DistinguishedName::new();
    if let Some(organization) = &entity.organization {
        name.push(DnType::OrganizationName, organization.as_str());
    }
    name.push(DnType::CommonName, entity.common_name.as_str());
    if let Some(address) = &entity.subject_address {
        let value = address.as_str().try_into().map_err(|_| format!("{address:?} is not ASCII"))?;
        name.push(DnType::CustomDnType(EMAIL_ADDRESS.to_vec()), DnValue::Ia5String(value));
    }
    Ok(name)
}

fn key_use(usage: KeyUse) -> Result<KeyUsagePurpose, String> {
    Ok(match usage {
        KeyUse::DigitalSignature => KeyUsagePurpose::DigitalSignature,
        KeyUse::NonRepudiation => KeyUsagePurpose::ContentCommitment,
        KeyUse::KeyEncipherment => KeyUsagePurpose::KeyEncipherment,
        KeyUse::DataEncipherment => KeyUsagePurpose::DataEncipherment,
        KeyUse::KeyAgreement => KeyUsagePurpose::KeyAgreement,
        KeyUse::CertificateSign => KeyUsagePurpose::KeyCertSign,
        KeyUse::CrlSign => KeyUsagePurpose::CrlSign,
        other => return Err(format!("the key usage {other} is not known here")),
    })
}

fn extended_use(usage: ExtendedUse) -> Result<ExtendedKeyUsagePurpose, String> {
    Ok(match usage {
        ExtendedUse::EmailProtection => ExtendedKeyUsagePurpose::EmailProtection,
        ExtendedUse::ClientAuth => ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedUse::ServerAuth => ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedUse::TimeStamping => ExtendedKeyUsagePurpose::TimeStamping,
        ExtendedUse::OcspSigning => ExtendedKeyUsagePurpose::OcspSigning,
        ExtendedUse::Any => ExtendedKeyUsagePurpose::Any,
        other => return Err(format!("the extended key usage {other} is not known here")),
    })
}

/// A private key of the engine as rcgen wants to see it.
pub(crate) struct Key {
    private: PrivateKey,
    /// The content of subjectPublicKey.
    bits: Vec<u8>,
    /// What rcgen calls it, if it knows such keys.
    algorithm: Option<&'static SignatureAlgorithm>,
    digest: DigestAlgorithm,
}

impl Key {
    pub(crate) fn of(pki: &Pki, name: &str) -> Result<Self, String> {
        let pem = pki.key_pem(name).ok_or_else(|| format!("pki/{name}.key.pem is missing"))?;
        let private = PrivateKey::from_pem(pem, None).map_err(|error| format!("pki/{name}.key.pem: {error}"))?;
        let (algorithm, digest) = match private.algorithm() {
            PublicKeyAlgorithm::Rsa => (Some(&rcgen::PKCS_RSA_SHA256), DigestAlgorithm::Sha256),
            PublicKeyAlgorithm::P256 => (Some(&rcgen::PKCS_ECDSA_P256_SHA256), DigestAlgorithm::Sha256),
            PublicKeyAlgorithm::P384 => (Some(&rcgen::PKCS_ECDSA_P384_SHA384), DigestAlgorithm::Sha384),
            PublicKeyAlgorithm::Sm2 => (None, DigestAlgorithm::Sm3),
            _ => (None, DigestAlgorithm::Sha512),
        };
        let bits = subject_public_key(Signer::public_key(&private)).ok_or("its public key cannot be read")?;
        Ok(Self { private, bits, algorithm, digest })
    }

    /// The same key, signing under this identifier of SM2.
    fn with_id(mut self, id: Option<&str>) -> Result<Self, String> {
        if let Some(id) = id {
            self.private = self.private.with_sm2_id(id.as_bytes()).map_err(|error| error.to_string())?;
        }
        Ok(self)
    }

    /// The SubjectPublicKeyInfo, of SM2 also with the curve in the place of the
    /// algorithm, as OpenSSL 3 writes it.
    fn public_key_info(&self, sm2_key_oid: bool) -> Result<Node, String> {
        let mut info = Node::read(Signer::public_key(&self.private))?;
        if sm2_key_oid {
            let curve = info.at(&[0, 1])?.clone();
            *info.at_mut(&[0, 0])? = curve;
        }
        Ok(info)
    }

    /// The key identifier of RFC 5280 section 4.2.1.2, method 1.
    fn identifier(&self) -> Result<Vec<u8>, String> {
        let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
        arithmetic.digest(DigestAlgorithm::Sha1, &self.bits).map_err(|error| error.to_string())
    }

    /// The AlgorithmIdentifier of its signatures, in DER.
    pub(crate) fn algorithm_identifier(&self) -> Result<Vec<u8>, String> {
        let (oid, parameters) = match (self.private.algorithm(), self.digest) {
            (PublicKeyAlgorithm::Rsa, DigestAlgorithm::Sha256) => ("1.2.840.113549.1.1.11", writer::null()),
            (PublicKeyAlgorithm::P256, DigestAlgorithm::Sha256) => ("1.2.840.10045.4.3.2", Vec::new()),
            (PublicKeyAlgorithm::P384, DigestAlgorithm::Sha384) => ("1.2.840.10045.4.3.3", Vec::new()),
            (PublicKeyAlgorithm::Sm2, DigestAlgorithm::Sm3) => ("1.2.156.10197.1.501", Vec::new()),
            (other, _) => return Err(format!("its key is of a kind that signs no list here: {other:?}")),
        };
        Ok(writer::sequence([writer::oid(oid).map_err(|error| error.to_string())?, parameters]))
    }

    pub(crate) fn signature(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let scheme = match self.private.algorithm() {
            PublicKeyAlgorithm::Rsa => SignatureScheme::RsaPkcs1,
            PublicKeyAlgorithm::Sm2 => {
                return self.private.sign_message(SignatureScheme::Sm2, &mut Cursor::new(message));
            }
            _ => SignatureScheme::Ecdsa,
        };
        let value = Arithmetic::new(ProviderChoice::RustCrypto).digest(self.digest, message)?;
        self.private.sign_digest(scheme, self.digest, &value)
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    /// What rcgen does not know is put in afterwards.
    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm.unwrap_or(&rcgen::PKCS_RSA_SHA256)
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.signature(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// The octets of subjectPublicKey in a SubjectPublicKeyInfo.
fn subject_public_key(spki: &[u8]) -> Option<Vec<u8>> {
    let mut fields = ber::Cursor::new(spki, 0).expect(Tag::SEQUENCE, "SubjectPublicKeyInfo").ok()?.inside();
    fields.expect(Tag::SEQUENCE, "algorithm").ok()?;
    let bits = fields.expect(Tag::BIT_STRING, "subjectPublicKey").ok()?;
    // The first octet counts unused bits: none.
    bits.content.split_first().map(|(_, octets)| octets.to_vec())
}

#[cfg(test)]
mod tests {
    use waxseal_model::Corpus;

    use super::*;

    #[test]
    fn committed_certificates_are_those_of_the_description() {
        let corpus = Corpus::embedded().unwrap();
        for (name, pem) in certificates(corpus.pki()).unwrap() {
            let committed = corpus.pki().certificate_pem(&name).unwrap();
            assert!(
                committed == pem,
                "pki/{name}.cert.pem is out of date: WAXSEAL_UPDATE=1 cargo test --release -p waxseal-forge"
            );
        }
    }
}
