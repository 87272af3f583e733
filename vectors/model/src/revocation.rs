//! CRLs and OCSP responses of the corpus, described as data in
//! `pki/revocation.toml`. The forge makes them; nothing of them is committed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Instant;
use crate::code::codes;

/// A certificate revocation list (RFC 5280 section 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrlDescription {
    /// Name in cases.
    pub name: String,
    /// What it is for, in a sentence.
    pub what: String,
    /// The entity whose name it bears, and whose key signs it.
    pub issuer: String,
    /// Signed with the key of this entity instead: a forged list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Version 1 of X.509: no number, and nothing about the issuer's key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_version: bool,
    /// When it was issued.
    pub this_update: Instant,
    /// By when the next one is issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_update: Option<Instant>,
    /// cRLNumber, unless it is of version 1.
    #[serde(default = "one")]
    pub number: u32,
    /// BaseCRLNumber: what is revoked since the list with this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<u32>,
    /// The URI in freshestCRL, where delta lists are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshest: Option<String>,
    /// Only about certificates of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<CrlScope>,
    /// The URI in issuingDistributionPoint, where the list is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Who is on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<RevokedEntity>,
}

const fn one() -> u32 {
    1
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokedEntity {
    /// The entity.
    pub of: String,
    /// When it was revoked.
    pub at: Instant,
    /// Why; nothing is said if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RevocationReason>,
}

codes! {
    /// What a list is about (RFC 5280 section 5.2.5).
    CrlScope {
        /// onlyContainsUserCerts.
        Users = "users",
        /// onlyContainsCACerts.
        Authorities = "authorities",
        /// onlyContainsAttributeCerts.
        Attributes = "attributes",
    }
}

codes! {
    /// Why a certificate was revoked (RFC 5280 section 5.3.1).
    RevocationReason {
        /// keyCompromise.
        KeyCompromise = "key-compromise",
        /// superseded.
        Superseded = "superseded",
        /// certificateHold.
        Hold = "hold",
        /// removeFromCRL: in a delta list, no longer.
        Removed = "removed",
    }
}

impl RevocationReason {
    /// The number of reasonCode.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::KeyCompromise => 1,
            Self::Superseded => 4,
            Self::Hold => 6,
            Self::Removed => 8,
        }
    }
}

/// An OCSP response (RFC 6960 section 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OcspDescription {
    /// Name in cases.
    pub name: String,
    /// What it is for, in a sentence.
    pub what: String,
    /// The entity that answers, with its own key.
    pub by: String,
    /// Named by its key instead of its name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_key: bool,
    /// Certificates that are sent along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<String>,
    /// The entity that it is about.
    pub about: String,
    /// As if this entity had issued its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_by: Option<String>,
    /// Digest of the CertID, by the name of the algorithm table.
    #[serde(default = "sha_1")]
    pub digest: String,
    /// What it says.
    pub says: OcspAnswer,
    /// When it was revoked; only of `revoked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Instant>,
    /// When this was known.
    pub this_update: Instant,
    /// By when there is newer information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_update: Option<Instant>,
}

fn sha_1() -> String {
    "sha-1".to_owned()
}

codes! {
    /// What an OCSP response says.
    OcspAnswer {
        /// The certificate was not revoked.
        Good = "good",
        /// It was.
        Revoked = "revoked",
        /// The responder does not know it.
        Unknown = "unknown",
        /// No answer: tryLater.
        TryLater = "try-later",
    }
}

/// The written form of `pki/revocation.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevocationFile {
    #[serde(default)]
    pub(crate) crl: Vec<CrlDescription>,
    #[serde(default)]
    pub(crate) ocsp: Vec<OcspDescription>,
}
