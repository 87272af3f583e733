//! The PKI of the corpus: who there is, described as data in `pki/pki.toml`.
//!
//! Keys (`pki/NAME.key.pem`) and certificates (`pki/NAME.cert.pem`) are
//! committed beside it. They are test material: the private keys are public.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::code::codes;
use crate::corpus::read_one;
use crate::files::Files;
use crate::revocation::RevocationFile;
use crate::{CorpusError, CrlDescription, Instant, OcspDescription, Problem};

/// Every person and authority of the corpus, with keys and certificates.
#[derive(Debug, Clone, Default)]
pub struct Pki {
    pub(crate) entities: Vec<Entity>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) revocation: RevocationFile,
}

impl Pki {
    /// The PKI below a directory laid out as `vectors/`, certificates or not:
    /// for making them. Whoever uses a PKI takes the one of a checked corpus.
    ///
    /// # Errors
    /// `pki/` cannot be read, or `pki/pki.toml` cannot be understood.
    pub fn load(dir: &Path) -> Result<Self, CorpusError> {
        let files = Files::read_folder(dir, "pki").map_err(|problems| CorpusError { problems })?;
        let mut problems = Vec::new();
        let pki = Self::from_files(&files, &mut problems);
        if problems.is_empty() { Ok(pki) } else { Err(CorpusError { problems }) }
    }

    pub(crate) fn from_files(files: &Files, problems: &mut Vec<Problem>) -> Self {
        let description = read_one::<PkiFile>(files, "pki/pki.toml", problems);
        let revocation = read_one::<RevocationFile>(files, "pki/revocation.toml", problems);
        let pem = files.below("pki", ".pem");
        Self {
            entities: description.map_or_else(Vec::new, |file| file.entity),
            revocation: revocation.unwrap_or_default(),
            files: pem.map(|(path, text)| (path.trim_start_matches("pki/").to_owned(), text.to_owned())).collect(),
        }
    }

    /// All entities, in the order of the file: an issuer stands before what it issued.
    #[must_use]
    pub fn entities(&self) -> &[Entity] {
        &self.entities
    }

    /// An entity by its name.
    #[must_use]
    pub fn entity(&self, name: &str) -> Option<&Entity> {
        self.entities.iter().find(|entity| entity.name == name)
    }

    /// A CRL by its name.
    #[must_use]
    pub fn crl(&self, name: &str) -> Option<&CrlDescription> {
        self.revocation.crl.iter().find(|crl| crl.name == name)
    }

    /// An OCSP response by its name.
    #[must_use]
    pub fn ocsp(&self, name: &str) -> Option<&OcspDescription> {
        self.revocation.ocsp.iter().find(|response| response.name == name)
    }

    /// The private key of an entity, PKCS#8 PEM.
    #[must_use]
    pub fn key_pem(&self, name: &str) -> Option<&str> {
        let holder = self.entity(name)?.key_of.as_deref().unwrap_or(name);
        self.files.get(&format!("{holder}.key.pem")).map(String::as_str)
    }

    /// The certificate of an entity, PEM.
    #[must_use]
    pub fn certificate_pem(&self, name: &str) -> Option<&str> {
        self.files.get(&format!("{name}.cert.pem")).map(String::as_str)
    }

    /// The same people, one of them with another key (PKCS#8 in PEM) and another
    /// serial number (hexadecimal), and so without a certificate.
    #[must_use]
    pub fn renewed(mut self, name: &str, key_pem: String, serial: String) -> Self {
        if let Some(entity) = self.entities.iter_mut().find(|entity| entity.name == name) {
            entity.key_of = None;
            entity.serial = serial;
            self.files.insert(format!("{name}.key.pem"), key_pem);
            self.files.remove(&format!("{name}.cert.pem"));
        }
        self
    }

    /// The same people, one of them with this certificate (PEM).
    #[must_use]
    pub fn with_certificate(mut self, name: &str, pem: String) -> Self {
        self.files.insert(format!("{name}.cert.pem"), pem);
        self
    }

    /// The names from an entity's own certificate up to, and without, the self-signed end.
    #[must_use]
    pub fn path_without_root(&self, name: &str) -> Vec<&str> {
        let mut path = Vec::new();
        let mut next = self.entity(name);
        while let Some(entity) = next {
            let Some(issuer) = entity.issuer.as_deref() else { break };
            path.push(entity.name.as_str());
            // Issuers stand before what they issued, so that this cannot turn in a circle.
            next = self.entity(issuer);
        }
        path
    }
}

/// A person or authority of the corpus, and the certificate it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// Name in cases and in file names, such as `alice`.
    pub name: String,
    /// What it is for, in a sentence.
    pub what: String,
    /// Common name of the subject.
    pub common_name: String,
    /// Organisation of the subject and country, where it has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Addresses in subjectAltName: rfc822Name, or SmtpUTF8Mailbox if the local part is not ASCII (RFC 8550 section 4.4.3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// An emailAddress attribute in the subject name, the old place of an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_address: Option<String>,
    /// Other names in subjectAltName: `dns:`, `uri:` or `ip:`, and the name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_names: Vec<String>,
    /// Kind of the key.
    pub key: KeyType,
    /// Uses the key of this entity instead of its own (a renewed or second certificate).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_of: Option<String>,
    /// The issuing entity; a self-signed certificate without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Serial number, hexadecimal; positive, at most 20 octets (RFC 5280 section 4.1.2.2).
    pub serial: String,
    /// First moment of validity.
    pub not_before: Instant,
    /// Last moment of validity.
    pub not_after: Instant,
    /// Whether basicConstraints says cA.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub authority: bool,
    /// pathLenConstraint, for authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_length: Option<u8>,
    /// keyUsage; the extension is absent if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_usage: Vec<KeyUse>,
    /// extKeyUsage; the extension is absent if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended_key_usage: Vec<ExtendedUse>,
    /// extKeyUsage is critical.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub critical_extended_key_usage: bool,
    /// Signed with the key of this entity, though `issuer` is named: a forged certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// The authority key identifier names the key of this entity, though another one signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_key_of: Option<String>,
    /// nameConstraints (RFC 5280 section 4.2.1.10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_constraints: Option<NameConstraints>,
    /// certificatePolicies, dotted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// policyMappings: the issuer's policy and the one of the subject that it equals, dotted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_mappings: Vec<[String; 2]>,
    /// requireExplicitPolicy: after so many further certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_explicit_policy: Option<u8>,
    /// inhibitPolicyMapping: after so many further certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inhibit_policy_mapping: Option<u8>,
    /// A certificate of version 1, which has no extensions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub version_1: bool,
    /// Carries a critical extension that nobody knows (RFC 5280 section 4.2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown_critical_extension: bool,
    /// A key of SM2 that names the curve in the place of the algorithm too, as OpenSSL 3 and some hardware write it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sm2_key_oid: bool,
    /// The identifier under which an issuer with a key of SM2 signs it, where that is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_id: Option<String>,
    /// Carries id-pkix-ocsp-nocheck: nobody need ask whether it was revoked (RFC 6960 section 4.2.2.2.1).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ocsp_no_check: bool,
}

/// The subtrees of nameConstraints: `email:`, `dns:`, `uri:`, `ip:` with mask
/// bits or `directory:` with an organisation, and the base.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameConstraints {
    /// Names must be in one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permitted: Vec<String>,
    /// Names must not be in any of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<String>,
}

codes! {
    /// Kind of a key.
    KeyType {
        /// RSA, 1024 bits: too short since 2013, and still in old mail.
        Rsa1024 = "rsa-1024",
        /// RSA, 2048 bits.
        Rsa2048 = "rsa-2048",
        /// RSA, 3072 bits.
        Rsa3072 = "rsa-3072",
        /// RSA, 4096 bits.
        Rsa4096 = "rsa-4096",
        /// NIST P-256.
        P256 = "p-256",
        /// NIST P-384.
        P384 = "p-384",
        /// NIST P-521.
        P521 = "p-521",
        /// RSA, 2048 bits, for RSASSA-PSS only (RFC 4055 section 1.2).
        RsaPss = "rsassa-pss",
        /// Ed25519 (RFC 8410).
        Ed25519 = "ed25519",
        /// Ed448 (RFC 8410).
        Ed448 = "ed448",
        /// X25519 (RFC 8410): agrees, and signs nothing.
        X25519 = "x25519",
        /// ML-DSA-44 (RFC 9881).
        MlDsa44 = "ml-dsa-44",
        /// ML-DSA-65 (RFC 9881).
        MlDsa65 = "ml-dsa-65",
        /// ML-DSA-87 (RFC 9881).
        MlDsa87 = "ml-dsa-87",
        /// ML-KEM-512 (RFC 9935): encapsulates, and signs nothing.
        MlKem512 = "ml-kem-512",
        /// ML-KEM-768 (RFC 9935).
        MlKem768 = "ml-kem-768",
        /// ML-KEM-1024 (RFC 9935).
        MlKem1024 = "ml-kem-1024",
        /// SM2 (GM/T 0009): signs, agrees and decrypts.
        Sm2 = "sm2",
    }
}

impl KeyType {
    /// What a SUT must know to use this key, in the words of the algorithm
    /// table, beside the scheme that it is used with.
    #[must_use]
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::Rsa1024 | Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => "rsa",
            Self::RsaPss => "rsassa-pss",
            other => other.code(),
        }
    }

    /// The signature scheme of this key, in the words of the algorithm table;
    /// `None` if it signs nothing.
    #[must_use]
    pub fn scheme(self) -> Option<&'static str> {
        match self {
            Self::Rsa1024 | Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => Some("rsa-pkcs1-v1_5"),
            Self::P256 | Self::P384 | Self::P521 => Some("ecdsa"),
            Self::X25519 | Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => None,
            other => Some(other.code()),
        }
    }
}

codes! {
    /// A bit of keyUsage (RFC 5280 section 4.2.1.3).
    KeyUse {
        /// digitalSignature.
        DigitalSignature = "digital-signature",
        /// nonRepudiation, also called contentCommitment.
        NonRepudiation = "non-repudiation",
        /// keyEncipherment.
        KeyEncipherment = "key-encipherment",
        /// dataEncipherment.
        DataEncipherment = "data-encipherment",
        /// keyAgreement.
        KeyAgreement = "key-agreement",
        /// keyCertSign.
        CertificateSign = "certificate-sign",
        /// cRLSign.
        CrlSign = "crl-sign",
    }
}

codes! {
    /// A purpose in extKeyUsage (RFC 5280 section 4.2.1.12).
    ExtendedUse {
        /// id-kp-emailProtection.
        EmailProtection = "email-protection",
        /// id-kp-clientAuth.
        ClientAuth = "client-auth",
        /// id-kp-serverAuth.
        ServerAuth = "server-auth",
        /// id-kp-timeStamping.
        TimeStamping = "time-stamping",
        /// id-kp-OCSPSigning.
        OcspSigning = "ocsp-signing",
        /// anyExtendedKeyUsage.
        Any = "any",
    }
}

/// The written form of `pki/pki.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PkiFile {
    entity: Vec<Entity>,
}
