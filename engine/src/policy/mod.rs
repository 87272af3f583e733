//! Policies: what is too weak, and which clocks agree, as data.
//!
//! A policy never changes whether a signature is right; it says whether the
//! reader should be warned. Strengths come from the algorithm table of
//! `waxseal-key`; a policy names the thresholds.

pub mod address_book;
mod era;
mod judge;
mod negotiate;
mod negotiation;

use serde::{Deserialize, Serialize};

pub use self::address_book::AddressBook;
pub use self::era::{ERA_RULES, EraRule, rule};
pub use self::negotiate::{Agreement, Ballot, Basis, Disagreement, Offer, Peer, Unusable, cipher_of, negotiate};
pub use self::negotiation::{Assume, Negotiation, Sm2Place};

pub(crate) use self::judge::strength_bits;
use crate::cms::write::ContentEncryption;

/// The number of the policy format read by this version.
pub const FORMAT: u32 = 1;

/// The policies that are built in: name and TOML.
const BUILT_IN: &[(&str, &str)] = &[
    ("default", include_str!("default.toml")),
    ("strict", include_str!("strict.toml")),
    ("archive", include_str!("archive.toml")),
    ("stamped", include_str!("stamped.toml")),
    ("gm", include_str!("gm.toml")),
];

/// What algorithms, keys, encodings and clocks have to satisfy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The format of this file, [`FORMAT`].
    pub format: u32,
    /// The policy's name.
    pub name: String,
    /// What it is for, in one line.
    pub summary: String,
    /// Whether algorithms that RFC 8551 appendix B keeps for old mail only are weak.
    pub refuse_historic: bool,
    /// Whether signed attributes have to be in DER (RFC 5652 section 5.4).
    pub strict_encoding: bool,
    /// Whether SM2 signatures over a digest without Z count, as GmSSL 3 and
    /// OpenSSL make them: signer and content are bound, but not as GM/T 0003.2
    /// section 5.5 says, and not the identifier.
    #[serde(default)]
    pub accept_sm2_without_z: bool,
    /// Whether CRLs have to tell of every certificate that it was not revoked.
    #[serde(default)]
    pub require_revocation: bool,
    /// Algorithms that are forbidden, by their names in the algorithm table.
    pub forbidden: Vec<String>,
    /// The least strengths.
    pub minimum: Minimum,
    /// How far clocks may differ.
    pub time: Clocks,
    /// What mail is encrypted with.
    pub negotiation: Negotiation,
}

/// The least strengths that pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minimum {
    /// Strength of a digest against collisions, in bits.
    pub digest_bits: u32,
    /// Strength of a content cipher, in bits.
    pub cipher_bits: u32,
    /// Length of an RSA modulus or of a DSA or Diffie-Hellman prime, in bits.
    pub rsa_bits: u32,
    /// Length of an elliptic curve's field, in bits.
    pub curve_bits: u32,
}

/// How far clocks may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    /// Between the Date field and signingTime, in seconds.
    pub date_difference_seconds: u32,
    /// How far signingTime may lie after the time of reading, in seconds.
    pub future_seconds: u32,
    /// Whether every signature has to carry a time-stamp.
    #[serde(default)]
    pub require_timestamp: bool,
    /// Whether a certificate that has ended is judged at the time of a good
    /// time-stamp (RFC 3161 appendix B).
    #[serde(default)]
    pub trust_timestamps: bool,
    /// Whether the path of a time-stamping authority has to be good now, too.
    #[serde(default)]
    pub authority_valid_now: bool,
    /// How long after signingTime a time-stamp may be, in seconds; without it,
    /// as long as may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp_delay_seconds: Option<u32>,
}

/// Why a policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No policy of this name is built in.
    #[error("no policy {0:?} is built in; there are {names}, or give a TOML file", names = Policy::names().join(", "))]
    UnknownName(String),
    /// The TOML does not describe a policy.
    #[error("not a policy: {0}")]
    Malformed(String),
    /// A format that this version does not know.
    #[error("policy format {0}; this version reads {FORMAT}")]
    Format(u32),
    /// A forbidden algorithm that the table does not know.
    #[error("forbidden algorithm {0:?} is not in the algorithm table; waxseal names algorithms like aes-128-cbc")]
    UnknownAlgorithm(String),
    /// A cipher to encrypt with that nobody here can write.
    #[error("negotiation.ciphers: {0:?} cannot be written; there are {names}, and rc2-cbc-40 with other bits", names = ContentEncryption::names().join(", "))]
    UnknownCipher(String),
}

impl Policy {
    /// The names of the built-in policies.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        BUILT_IN.iter().map(|(name, _)| *name).collect()
    }

    /// The TOML of a built-in policy, with its remarks: what to start from for
    /// another.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn text(name: &str) -> Result<&'static str, PolicyError> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| *text).ok_or_else(|| PolicyError::UnknownName(name.to_owned()))
    }

    /// A built-in policy.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn named(name: &str) -> Result<Self, PolicyError> {
        Self::from_toml(Self::text(name)?)
    }

    /// A policy from TOML.
    ///
    /// # Errors
    /// The text is not TOML, lacks a field, or names what is not known.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text).map_err(|error| PolicyError::Malformed(error.to_string()))?;
        if policy.format != FORMAT {
            return Err(PolicyError::Format(policy.format));
        }
        let unknown = policy.forbidden.iter().find(|name| waxseal_key::algorithm::by_name(name).is_none());
        match (unknown, policy.negotiation.unknown_cipher()) {
            (Some(name), _) => Err(PolicyError::UnknownAlgorithm(name.clone())),
            (None, Some(name)) => Err(PolicyError::UnknownCipher(name.clone())),
            (None, None) => Ok(policy),
        }
    }

    /// The policy as TOML, without remarks.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // Numbers, words and lists: nothing in a policy has no TOML.
        toml::to_string(self).unwrap_or_default()
    }

    /// A built-in policy by its name, or one from TOML text.
    ///
    /// # Errors
    /// See [`Policy::named`] and [`Policy::from_toml`].
    pub fn load(name_or_toml: &str) -> Result<Self, PolicyError> {
        if name_or_toml.contains('=') { Self::from_toml(name_or_toml) } else { Self::named(name_or_toml.trim()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_policies_load_under_their_names() {
        assert_eq!(Policy::names(), ["default", "strict", "archive", "stamped", "gm"]);
        for name in Policy::names() {
            let policy = Policy::load(name).unwrap();
            assert_eq!(policy.name, name);
            assert_eq!(policy.strict_encoding, name == "strict");
            assert_eq!(Policy::load(&policy.to_toml()).unwrap(), policy);
            assert_eq!(Policy::load(Policy::text(name).unwrap()).unwrap(), policy);
        }
    }

    #[test]
    fn stamped_is_the_default_and_one_thing_more() {
        let mut policy = Policy::named("stamped").unwrap();
        assert!(policy.time.require_timestamp);
        let default = Policy::named("default").unwrap();
        policy.time.require_timestamp = false;
        (policy.name, policy.summary) = (default.name.clone(), default.summary.clone());
        assert_eq!(policy, default);
    }

    #[test]
    fn errors_say_what_to_do() {
        let error = |text: &str| Policy::load(text).unwrap_err().to_string();
        assert_eq!(
            error("lenient"),
            r#"no policy "lenient" is built in; there are default, strict, archive, stamped, gm, or give a TOML file"#
        );
        assert!(error("format = 1").contains("missing field"), "{}", error("format = 1"));
        let text = BUILT_IN[0].1;
        assert_eq!(error(&text.replace("format = 1", "format = 2")), "policy format 2; this version reads 1");
        assert!(error(&text.replace("forbidden = []", "forbidden = [\"md6\"]")).contains("\"md6\" is not in"));
        assert!(error(&format!("{text}\nx = 1")).contains("unknown field"));
    }
}
