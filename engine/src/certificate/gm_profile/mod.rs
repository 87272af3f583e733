//! What the Chinese standards ask of certificates with keys of SM2 (GM/T 0015,
//! GB/T 20518), as a table of rules.
//!
//! The texts of these standards were not at hand: every rule says what it was
//! taken from, and whether somebody has held it against the text. That a
//! certificate keeps them all therefore proves nothing about the standard, and
//! what breaks one deserves a look.

mod rules;
#[cfg(test)]
mod tests;

use serde::Serialize;
use waxseal_key::Arithmetic;

pub use self::rules::RULES;
use super::{Certificate, KeyUsage};

/// Which standard, and which edition of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edition {
    /// GM/T 0015-2012, withdrawn, and the one that most certificates follow.
    Gmt2012,
    /// GM/T 0015-2023, in force since June 2024.
    Gmt2023,
    /// GB/T 20518-2018, in force since January 2019.
    Gbt2018,
}

impl Edition {
    /// Every edition, in the order of [`Rule::editions`].
    pub const ALL: [Self; 3] = [Self::Gmt2012, Self::Gmt2023, Self::Gbt2018];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gmt2012 => "gmt0015-2012",
            Self::Gmt2023 => "gmt0015-2023",
            Self::Gbt2018 => "gbt20518-2018",
        }
    }

    /// The edition with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|edition| edition.name() == name)
    }
}

/// What a certificate is for: these standards give everybody two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It certifies others.
    Authority,
    /// Its key signs.
    Signature,
    /// Something is encrypted for its key.
    Encryption,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Authority, Self::Signature, Self::Encryption];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Signature => "signature",
            Self::Encryption => "encryption",
        }
    }

    /// What the certificate itself says; `None` if it says nothing or both.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Option<Self> {
        if certificate.basic_constraints().is_some_and(|constraints| constraints.ca) {
            return Some(Self::Authority);
        }
        let usage = certificate.key_usage()?;
        match (usage.any_of(SIGNING), usage.any_of(ENCRYPTING)) {
            (true, false) => Some(Self::Signature),
            (false, true) => Some(Self::Encryption),
            _ => None,
        }
    }
}

const SIGNING: KeyUsage = KeyUsage::DIGITAL_SIGNATURE.with(KeyUsage::NON_REPUDIATION);
const ENCRYPTING: KeyUsage = KeyUsage::KEY_ENCIPHERMENT.with(KeyUsage::DATA_ENCIPHERMENT).with(KeyUsage::KEY_AGREEMENT);

/// How much a rule weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// What its source takes to be demanded.
    Must,
    /// What follows from the sense of the standards, or what a reader insists on.
    Should,
    /// What was seen in certificates, and may be no rule at all.
    Seen,
}

/// One rule.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Rule {
    /// A stable word for it.
    pub id: &'static str,
    /// What it asks.
    pub asks: &'static str,
    /// How much it weighs.
    pub level: Level,
    /// Where it was taken from.
    pub basis: &'static str,
    /// Whether it was held against the text of the standard.
    pub confirmed: bool,
    /// The editions that it belongs to.
    #[serde(skip)]
    pub editions: &'static [Edition],
    #[serde(skip)]
    check: Check,
}

#[derive(Debug, Clone, Copy)]
enum Check {
    /// Asked of each certificate.
    One(fn(&Subject<'_>) -> Outcome),
    /// Asked of the two certificates of one holder: signature, encryption.
    Pair(fn(&Certificate, &Certificate) -> Outcome),
}

/// A certificate that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// What it is meant for; `None`: what it says itself.
    pub role: Option<Role>,
    /// Who issued it, where that is known.
    pub issuer: Option<&'a Certificate>,
    /// The edition that is asked for.
    pub edition: Edition,
    /// Verifies signatures.
    pub arithmetic: &'a Arithmetic,
}

impl Subject<'_> {
    fn role(&self) -> Option<Role> {
        self.role.or_else(|| Role::of(self.certificate))
    }

    fn is_authority(&self) -> bool {
        self.role() == Some(Role::Authority)
    }
}

/// What became of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "kebab-case")]
pub enum Outcome {
    /// The certificate does as it asks.
    Kept,
    /// It does not: what stands there.
    Broken(String),
    /// It could not be asked: what is missing.
    NotChecked(&'static str),
    /// It asks nothing of such a certificate.
    NotApplicable,
}

/// A rule, and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// The rule.
    #[serde(flatten)]
    pub rule: &'static Rule,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Answer {
    /// Whether a rule is broken that is more than an observation.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        matches!(self.outcome, Outcome::Broken(_)) && self.rule.level != Level::Seen
    }
}

/// Asks every rule of the edition that is about one certificate.
#[must_use]
pub fn check(subject: &Subject<'_>) -> Vec<Answer> {
    let rules = RULES.iter().filter(|rule| rule.editions.contains(&subject.edition));
    let asked = rules.filter_map(|rule| match rule.check {
        Check::One(check) => Some(Answer { rule, outcome: check(subject) }),
        Check::Pair(_) => None,
    });
    asked.collect()
}

/// Asks every rule of the edition that is about the two certificates of one
/// holder: the one for signatures, then the one for encryption.
#[must_use]
pub fn check_pair(signature: &Certificate, encryption: &Certificate, edition: Edition) -> Vec<Answer> {
    let rules = RULES.iter().filter(|rule| rule.editions.contains(&edition));
    let asked = rules.filter_map(|rule| match rule.check {
        Check::Pair(check) => Some(Answer { rule, outcome: check(signature, encryption) }),
        Check::One(_) => None,
    });
    asked.collect()
}
