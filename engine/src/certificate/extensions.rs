//! Certificate extensions (RFC 5280 section 4.2), read once.
//!
//! A known extension that cannot be read, or that occurs twice, counts as one
//! that permits nothing: the certificate still parses, and path validation then
//! refuses what it would have had to permit.

use std::collections::HashSet;

use super::CertificateError;
use super::distribution_point::{DistributionPoint, PointName, read_points};
use super::field::{Fields as _, bits, object_identifier};
use super::general_name::{GeneralName, read_general_names};
use super::name::Name;
use super::name_constraints::NameConstraints;
use super::policies::{PolicyExtensions, is_policy_extension};
use crate::ber::{Cursor, identifier as tag};

/// Object identifiers of the extensions that the engine reads or knows.
pub(super) mod oid {
    pub(crate) const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
    pub(crate) const KEY_USAGE: &str = "2.5.29.15";
    pub(crate) const SUBJECT_ALT_NAME: &str = "2.5.29.17";
    pub(crate) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
    pub(crate) const NAME_CONSTRAINTS: &str = "2.5.29.30";
    pub(crate) const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";
    pub(crate) const CERTIFICATE_POLICIES: &str = "2.5.29.32";
    pub(crate) const POLICY_MAPPINGS: &str = "2.5.29.33";
    pub(crate) const CRL_NUMBER: &str = "2.5.29.20";
    pub(crate) const CRL_REASON: &str = "2.5.29.21";
    pub(crate) const DELTA_CRL_INDICATOR: &str = "2.5.29.27";
    pub(crate) const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";
    pub(crate) const CERTIFICATE_ISSUER: &str = "2.5.29.29";
    pub(crate) const FRESHEST_CRL: &str = "2.5.29.46";
    pub(crate) const AUTHORITY_INFORMATION_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
    pub(crate) const POLICY_CONSTRAINTS: &str = "2.5.29.36";
    pub(crate) const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";
    pub(crate) const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
    pub(crate) const INHIBIT_ANY_POLICY: &str = "2.5.29.54";
}

/// One extension as it stands in the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Object identifier in dotted form.
    pub oid: String,
    /// Whether a reader that does not know it must refuse the certificate.
    pub critical: bool,
    /// Content of extnValue: the DER of the extension's own type.
    pub value: Vec<u8>,
    /// Whether a known extension could not be read, or occurred twice.
    pub malformed: bool,
}

impl Extension {
    /// Reads the next extension of a list.
    pub(super) fn read(list: &mut Cursor<'_>) -> Result<Self, CertificateError> {
        let mut fields = list.field(tag::SEQUENCE, "extension")?.inside();
        let oid = object_identifier(&fields.field(tag::OID, "extension identifier")?)?;
        let critical = fields.optional(tag::BOOLEAN, "critical")?.is_some_and(|element| element.content != [0]);
        let value = fields.field(tag::OCTET_STRING, "extension value")?.content.to_vec();
        Ok(Self { oid, critical, value, malformed: false })
    }
}

/// The bits of keyUsage (RFC 5280 section 4.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// digitalSignature: signatures other than those on certificates and CRLs.
    pub const DIGITAL_SIGNATURE: Self = Self(1 << 0);
    /// nonRepudiation, also called contentCommitment.
    pub const NON_REPUDIATION: Self = Self(1 << 1);
    /// keyEncipherment: RSA key transport.
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    /// dataEncipherment: encryption of data without an intermediate cipher.
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 3);
    /// keyAgreement: Diffie-Hellman, also on elliptic curves.
    pub const KEY_AGREEMENT: Self = Self(1 << 4);
    /// keyCertSign: signatures on certificates.
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    /// cRLSign: signatures on CRLs.
    pub const CRL_SIGN: Self = Self(1 << 6);
    /// encipherOnly: with keyAgreement.
    pub const ENCIPHER_ONLY: Self = Self(1 << 7);
    /// decipherOnly: with keyAgreement.
    pub const DECIPHER_ONLY: Self = Self(1 << 8);

    const NAMES: [(Self, &str); 9] = [
        (Self::DIGITAL_SIGNATURE, "digitalSignature"),
        (Self::NON_REPUDIATION, "nonRepudiation"),
        (Self::KEY_ENCIPHERMENT, "keyEncipherment"),
        (Self::DATA_ENCIPHERMENT, "dataEncipherment"),
        (Self::KEY_AGREEMENT, "keyAgreement"),
        (Self::KEY_CERT_SIGN, "keyCertSign"),
        (Self::CRL_SIGN, "cRLSign"),
        (Self::ENCIPHER_ONLY, "encipherOnly"),
        (Self::DECIPHER_ONLY, "decipherOnly"),
    ];

    /// Whether at least one of these bits is set.
    #[must_use]
    pub const fn any_of(self, bits: Self) -> bool {
        self.0 & bits.0 != 0
    }

    /// These bits and those.
    #[must_use]
    pub const fn with(self, bits: Self) -> Self {
        Self(self.0 | bits.0)
    }

    fn read(value: &[u8]) -> Result<Self, CertificateError> {
        let octets = bits(&Cursor::new(value, 0).field(tag::BIT_STRING, "keyUsage")?)?;
        let first = octets.first().map_or(0, |octet| u16::from(octet.reverse_bits()));
        let second = octets.get(1).map_or(0, |octet| u16::from(octet.reverse_bits()));
        Ok(Self(first | (second << 8)))
    }
}

/// The names of the bits, separated by commas.
impl std::fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = Self::NAMES.iter().filter(|(bit, _)| self.any_of(*bit)).map(|(_, name)| *name).collect();
        f.write_str(if names.is_empty() { "none" } else { "" })?;
        f.write_str(&names.join(", "))
    }
}

/// basicConstraints (RFC 5280 section 4.2.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the subject is a certification authority.
    pub ca: bool,
    /// How many intermediate certificates may follow.
    pub path_length: Option<u32>,
}

impl BasicConstraints {
    fn read(value: &[u8]) -> Result<Self, CertificateError> {
        let mut fields = Cursor::new(value, 0).field(tag::SEQUENCE, "basicConstraints")?.inside();
        let ca = fields.optional(tag::BOOLEAN, "cA")?.is_some_and(|element| element.content != [0]);
        let path_length = match fields.optional(tag::INTEGER, "pathLenConstraint")? {
            Some(element) => Some(small_unsigned(element.content).ok_or_else(|| {
                CertificateError::encoding(element.offset, "pathLenConstraint", "is negative or beyond all bounds")
            })?),
            None => None,
        };
        Ok(Self { ca, path_length })
    }
}

/// authorityKeyIdentifier (RFC 5280 section 4.2.1.1): a hint to the issuer.
#[derive(Debug, Clone, Default)]
pub struct AuthorityKeyIdentifier {
    /// The issuer's subjectKeyIdentifier.
    pub key_id: Option<Vec<u8>>,
    /// Name of the issuer's issuer.
    pub issuer: Option<Name>,
    /// Serial number of the issuer's certificate, content octets of the INTEGER.
    pub serial: Option<Vec<u8>>,
}

impl AuthorityKeyIdentifier {
    pub(super) fn read(value: &[u8]) -> Result<Self, CertificateError> {
        let mut fields = Cursor::new(value, 0).field(tag::SEQUENCE, "authorityKeyIdentifier")?.inside();
        let key_id =
            fields.optional(tag::context_primitive(0), "keyIdentifier")?.map(|element| element.content.to_vec());
        let issuer = match fields.optional(tag::context(1), "authorityCertIssuer")? {
            Some(element) => read_general_names(element.inside())?.into_iter().find_map(|name| match name {
                GeneralName::Directory(name) => Some(name),
                _ => None,
            }),
            None => None,
        };
        let serial = fields.optional(tag::context_primitive(2), "authorityCertSerialNumber")?;
        Ok(Self { key_id, issuer, serial: serial.map(|element| element.content.to_vec()) })
    }
}

/// All extensions of a certificate, the known ones decoded.
#[derive(Debug, Clone, Default)]
pub(super) struct Extensions {
    pub(super) all: Vec<Extension>,
    pub(super) subject_key_identifier: Option<Vec<u8>>,
    pub(super) authority_key_identifier: Option<AuthorityKeyIdentifier>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) extended_key_usage: Option<Vec<String>>,
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) subject_alt_name: Vec<GeneralName>,
    pub(super) name_constraints: Option<NameConstraints>,
    pub(super) policies: PolicyExtensions,
    pub(super) crl_distribution_points: Vec<DistributionPoint>,
    pub(super) freshest_crl: Vec<DistributionPoint>,
    /// Access methods, dotted, with their places.
    pub(super) authority_information: Vec<(String, GeneralName)>,
}

impl Extensions {
    /// Reads the content of the Extensions SEQUENCE.
    pub(super) fn read(mut list: Cursor<'_>) -> Result<Self, CertificateError> {
        let mut extensions = Self::default();
        let mut seen = HashSet::new();
        while !list.is_empty() {
            let mut extension = Extension::read(&mut list)?;
            extension.malformed = !seen.insert(extension.oid.clone());
            extensions.take(extension);
        }
        Ok(extensions)
    }

    /// Decodes one extension, unless it is the second of its kind, and files it.
    fn take(&mut self, mut extension: Extension) {
        if extension.malformed || self.decode(&extension).is_err() {
            self.permit_nothing(&extension.oid);
            extension.malformed = true;
        }
        self.all.push(extension);
    }

    fn decode(&mut self, extension: &Extension) -> Result<(), CertificateError> {
        let value = extension.value.as_slice();
        match extension.oid.as_str() {
            oid::SUBJECT_KEY_IDENTIFIER => {
                let element = Cursor::new(value, 0).field(tag::OCTET_STRING, "subjectKeyIdentifier")?;
                self.subject_key_identifier = Some(element.content.to_vec());
            }
            oid::AUTHORITY_KEY_IDENTIFIER => {
                self.authority_key_identifier = Some(AuthorityKeyIdentifier::read(value)?);
            }
            oid::KEY_USAGE => self.key_usage = Some(KeyUsage::read(value)?),
            oid::EXTENDED_KEY_USAGE => self.extended_key_usage = Some(purposes(value)?),
            oid::BASIC_CONSTRAINTS => self.basic_constraints = Some(BasicConstraints::read(value)?),
            oid::SUBJECT_ALT_NAME => {
                let names = Cursor::new(value, 0).field(tag::SEQUENCE, "subjectAltName")?;
                self.subject_alt_name = read_general_names(names.inside())?;
            }
            oid::NAME_CONSTRAINTS => self.name_constraints = Some(NameConstraints::read(value)?),
            oid::CRL_DISTRIBUTION_POINTS => self.crl_distribution_points = read_points(value)?,
            oid::FRESHEST_CRL => self.freshest_crl = read_points(value)?,
            oid::AUTHORITY_INFORMATION_ACCESS => self.authority_information = access(value)?,
            other => self.policies.take(other, value)?,
        }
        Ok(())
    }

    /// What a known extension says that cannot be read.
    fn permit_nothing(&mut self, oid: &str) {
        match oid {
            oid::SUBJECT_KEY_IDENTIFIER => self.subject_key_identifier = None,
            oid::AUTHORITY_KEY_IDENTIFIER => self.authority_key_identifier = None,
            oid::KEY_USAGE => self.key_usage = Some(KeyUsage::default()),
            oid::EXTENDED_KEY_USAGE => self.extended_key_usage = Some(Vec::new()),
            oid::BASIC_CONSTRAINTS => {
                self.basic_constraints = Some(BasicConstraints { ca: false, path_length: Some(0) });
            }
            oid::SUBJECT_ALT_NAME => self.subject_alt_name = Vec::new(),
            oid::NAME_CONSTRAINTS => self.name_constraints = Some(NameConstraints::permit_nothing()),
            // A place that nobody can find.
            oid::CRL_DISTRIBUTION_POINTS => {
                let nowhere = Some(PointName::Full(Vec::new()));
                self.crl_distribution_points = vec![DistributionPoint { name: nowhere, ..Default::default() }];
            }
            oid::FRESHEST_CRL => self.freshest_crl = Vec::new(),
            oid::AUTHORITY_INFORMATION_ACCESS => self.authority_information = Vec::new(),
            other => self.policies.unreadable |= is_policy_extension(other),
        }
    }
}

/// The key purposes of extendedKeyUsage (RFC 5280 section 4.2.1.12).
fn purposes(value: &[u8]) -> Result<Vec<String>, CertificateError> {
    let mut list = Cursor::new(value, 0).field(tag::SEQUENCE, "extendedKeyUsage")?.inside();
    let mut purposes = Vec::new();
    while !list.is_empty() {
        purposes.push(object_identifier(&list.field(tag::OID, "key purpose")?)?);
    }
    Ok(purposes)
}

/// The methods and places of authorityInfoAccess (RFC 5280 section 4.2.2.1).
fn access(value: &[u8]) -> Result<Vec<(String, GeneralName)>, CertificateError> {
    let mut list = Cursor::new(value, 0).field(tag::SEQUENCE, "authorityInfoAccess")?.inside();
    let mut found = Vec::new();
    while !list.is_empty() {
        let mut fields = list.field(tag::SEQUENCE, "access description")?.inside();
        let method = object_identifier(&fields.field(tag::OID, "access method")?)?;
        found.push((method, GeneralName::read(&fields.any("access location")?)?));
    }
    Ok(found)
}

/// A non-negative INTEGER that fits 32 bits; larger ones are held at the most.
pub(super) fn small_unsigned(content: &[u8]) -> Option<u32> {
    if content.first().is_none_or(|octet| octet & 0x80 != 0) {
        return None;
    }
    Some(content.iter().fold(0_u32, |value, octet| {
        value.checked_mul(256).and_then(|value| value.checked_add(u32::from(*octet))).unwrap_or(u32::MAX)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_usage_bits_count_from_the_left() {
        let usage = KeyUsage::read(&[3, 2, 1, 0x86]).unwrap();
        assert_eq!(usage.to_string(), "digitalSignature, keyCertSign, cRLSign");
        assert!(usage.any_of(KeyUsage::CRL_SIGN.with(KeyUsage::NON_REPUDIATION)));
        assert!(KeyUsage::read(&[3, 3, 7, 0, 0x80]).unwrap().any_of(KeyUsage::DECIPHER_ONLY));
        assert_eq!(KeyUsage::default().to_string(), "none");
    }

    #[test]
    fn basic_constraints() {
        let read = |bytes: &[u8]| BasicConstraints::read(bytes).ok().map(|found| (found.ca, found.path_length));
        assert_eq!(read(&[0x30, 0]), Some((false, None)));
        assert_eq!(read(&[0x30, 6, 1, 1, 0xff, 2, 1, 3]), Some((true, Some(3))));
        assert_eq!(read(&[0x30, 6, 1, 1, 0xff, 2, 1, 0x83]), None);
        assert_eq!(small_unsigned(&[0x7f; 9]), Some(u32::MAX));
    }

    #[test]
    fn twice_or_broken_permits_nothing() {
        let usage =
            Extension { oid: oid::KEY_USAGE.into(), critical: true, value: vec![3, 2, 7, 0x80], malformed: false };
        let mut extensions = Extensions::default();
        extensions.take(usage.clone());
        assert!(extensions.key_usage.unwrap().any_of(KeyUsage::DIGITAL_SIGNATURE));
        extensions.take(Extension { malformed: true, ..usage.clone() });
        assert_eq!(extensions.key_usage, Some(KeyUsage::default()));
        assert_eq!(extensions.all.iter().map(|found| found.malformed).collect::<Vec<_>>(), [false, true]);

        let mut extensions = Extensions::default();
        extensions.take(Extension { value: vec![4, 0], ..usage });
        assert_eq!(extensions.key_usage, Some(KeyUsage::default()));
    }
}
