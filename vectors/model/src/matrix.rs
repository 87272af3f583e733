//! The round-trip matrix: who can read what whom wrote.
//!
//! A feature is one choice in how a mail is protected, a value one way to make
//! it, and a scenario one value of every feature that its protection needs.
//! Everything here is data of `vectors/matrix.toml`; who writes and who reads is
//! the harness's to know.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_verdict::{Dialect, Form, Kind};

use crate::code::codes;
use crate::{Instant, Pki, Problem};

/// The file of the matrix below `vectors/`.
pub(crate) const FILE: &str = "matrix.toml";

/// Every feature and its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// The format of the file, 1.
    pub format: u32,
    /// The moment at which is written and judged, unless a writer knows only now.
    pub clock: Instant,
    /// What is done to the mail.
    pub protection: Vec<Protection>,
    /// Who signs, and with what.
    pub signature: Vec<SignatureValue>,
    /// For whom is encrypted, and how the content key gets there.
    pub recipient: Vec<RecipientValue>,
    /// What the content is encrypted with.
    pub cipher: Vec<CipherValue>,
    /// What is protected.
    pub content: Vec<ContentValue>,
    /// Writers that were looked at.
    #[serde(default)]
    pub writer: Vec<KnownWriter>,
}

/// A writer in versions that were looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownWriter {
    /// Its name as a SUT.
    pub name: String,
    /// The versions, as it states them.
    pub versions: Vec<String>,
    /// What is wrong with mail that it writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finding: Vec<WriterFinding>,
}

/// Scenarios that come out wrong from a writer, and whose fault that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriterFinding {
    /// How the names of the scenarios begin.
    pub scenarios: Vec<String>,
    /// What is wrong, by which clause.
    pub why: String,
}

codes! {
    /// One choice in how a mail is protected.
    Feature {
        /// What is done to it.
        Protection = "protection",
        /// Who signs, and with what.
        Signature = "signature",
        /// For whom is encrypted, and how.
        Recipient = "recipient",
        /// What the content is encrypted with.
        Cipher = "cipher",
        /// What is protected.
        Content = "content",
    }
}

codes! {
    /// One step of protecting a mail.
    MatrixStep {
        /// Sign it, clear.
        SignClear = "sign-clear",
        /// Sign it, opaque.
        SignOpaque = "sign-opaque",
        /// Encrypt it.
        Encrypt = "encrypt",
    }
}

impl MatrixStep {
    /// The form of the signature, if it is one.
    #[must_use]
    pub const fn form(self) -> Option<Form> {
        match self {
            Self::SignClear => Some(Form::Clear),
            Self::SignOpaque => Some(Form::Opaque),
            Self::Encrypt => None,
        }
    }
}

/// What is done to the mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Protection {
    /// Name of the value.
    pub name: String,
    /// What it is, in a line.
    pub what: String,
    /// The steps, the innermost first.
    pub steps: Vec<MatrixStep>,
    /// Whether only mail in the shape of a client is like this: nobody else is asked to write it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_replicas: bool,
}

/// Who signs, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureValue {
    /// Name of the value.
    pub name: String,
    /// What it is, in a line.
    pub what: String,
    /// The entity that signs.
    pub signer: String,
    /// The digest, by its name in the algorithm table.
    pub digest: String,
    /// The signature scheme, by its name in the algorithm table.
    pub scheme: String,
    /// The dialect of SM2 messages; CMS if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// The policy to judge by, where it is not the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The protections that it goes with; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protections: Vec<String>,
    /// The recipients that it goes with, where there is encryption too; those of no list if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// Whether only mail in the shape of a client is like this: nobody else is asked to write it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_replicas: bool,
}

/// For whom is encrypted, and how the content key gets there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipientValue {
    /// Name of the value.
    pub name: String,
    /// What it is, in a line.
    pub what: String,
    /// The entity that can read it.
    pub entity: String,
    /// An entity with such a key that is somebody else: what is encrypted for it tells a reader from one that says
    /// yes to everything.
    pub stranger: String,
    /// How the content key is encrypted, where the key leaves it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_encryption: Option<String>,
    /// The dialect of SM2 messages; CMS if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// What a reader must know of it, by the names of the algorithm table.
    pub needs: BTreeSet<String>,
    /// What a writer must have said of it in `hello`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub writer_needs: BTreeSet<String>,
    /// The ciphers that it goes with.
    pub ciphers: Vec<String>,
}

/// What the content is encrypted with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CipherValue {
    /// Its name in the algorithm table; `rc2-cbc-40` for RC2 with so many bits.
    pub name: String,
    /// Why it is here, in a line.
    pub what: String,
}

impl CipherValue {
    /// Whether it authenticates, so that an AuthEnvelopedData comes of it.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        ["-gcm", "-ccm"].iter().any(|end| self.name.ends_with(end))
    }

    /// The name in the algorithm table, without the bits that vary.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        if self.name.starts_with("rc2-cbc") { "rc2-cbc" } else { &self.name }
    }
}

/// What is protected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentValue {
    /// Name of the value.
    pub name: String,
    /// What it is, in a line.
    pub what: String,
    /// The MIME entity: Content fields and body; line ends become CRLF.
    pub entity: String,
}

/// One value of every feature that its protection needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario<'a> {
    /// What is done.
    pub protection: &'a Protection,
    /// Who signs; none where nobody does.
    pub signature: Option<&'a SignatureValue>,
    /// For whom is encrypted; none where nothing is.
    pub recipient: Option<&'a RecipientValue>,
    /// With what is encrypted.
    pub cipher: Option<&'a CipherValue>,
    /// What is protected.
    pub content: &'a ContentValue,
}

impl<'a> Scenario<'a> {
    /// Its values, one for each feature it has.
    #[must_use]
    pub fn values(&self) -> Vec<(Feature, &'a str)> {
        let optional = [
            (Feature::Signature, self.signature.map(|value| value.name.as_str())),
            (Feature::Recipient, self.recipient.map(|value| value.name.as_str())),
            (Feature::Cipher, self.cipher.map(|value| value.name.as_str())),
        ];
        let optional = optional.into_iter().filter_map(|(feature, name)| Some((feature, name?)));
        std::iter::once((Feature::Protection, self.protection.name.as_str()))
            .chain(optional)
            .chain([(Feature::Content, self.content.name.as_str())])
            .collect()
    }

    /// The name, made of those of its values: `clear.rsa.small`.
    #[must_use]
    pub fn name(&self) -> String {
        self.values().iter().map(|(_, name)| *name).collect::<Vec<_>>().join(".")
    }

    /// The kinds of its layers, outermost first, and the form of those that are signed.
    #[must_use]
    pub fn layers(&self) -> Vec<(Kind, Option<Form>)> {
        let encrypted = match self.cipher {
            Some(cipher) if cipher.is_authenticated() => Kind::AuthEnveloped,
            _ => Kind::Encrypted,
        };
        let layer = |step: &MatrixStep| match step.form() {
            Some(form) => (Kind::Signed, Some(form)),
            None => (encrypted, None),
        };
        self.protection.steps.iter().rev().map(layer).collect()
    }

    /// What a writer must be able to be told, as `hello` names it.
    #[must_use]
    pub fn writer_algorithms(&self) -> BTreeSet<&str> {
        let signature = self.signature.into_iter().flat_map(|value| [value.digest.as_str(), value.scheme.as_str()]);
        let recipient = self.recipient.into_iter().flat_map(|value| value.writer_needs.iter().map(String::as_str));
        signature.chain(recipient).chain(self.cipher.map(|cipher| cipher.name.as_str())).collect()
    }

    /// What a reader must know, by the names of the algorithm table.
    #[must_use]
    pub fn algorithms(&self) -> BTreeSet<&str> {
        let signature = self.signature.into_iter().flat_map(|value| [value.digest.as_str(), value.scheme.as_str()]);
        let recipient = self.recipient.into_iter().flat_map(|value| value.needs.iter().map(String::as_str));
        signature.chain(recipient).chain(self.cipher.map(CipherValue::algorithm)).collect()
    }

    /// Whether only mail in the shape of a client is like this.
    #[must_use]
    pub fn is_of_replicas(&self) -> bool {
        self.protection.of_replicas || self.signature.is_some_and(|value| value.of_replicas)
    }

    /// The dialect of the message.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        let signature = self.signature.and_then(|value| value.dialect);
        signature.or_else(|| self.recipient.and_then(|value| value.dialect)).unwrap_or(Dialect::Cms)
    }
}

impl Matrix {
    /// Whether the reference engine must be able to read a scenario that this
    /// version of a writer wrote: it was looked at, and nothing was found.
    #[must_use]
    pub fn must_be_readable(&self, writer: &str, version: &str, scenario: &str) -> bool {
        let known = self.writer.iter().find(|known| known.name == writer);
        known.is_some_and(|known| known.versions.iter().any(|one| one == version))
            && self.finding(writer, scenario).is_none()
    }

    /// What the writer of a mail of the matrix (`matrix/SCENARIO/WRITER`) does wrong, whoever reads it.
    #[must_use]
    pub fn finding_of(&self, mail: &str) -> Option<&WriterFinding> {
        let (scenario, writer) = mail.strip_prefix("matrix/")?.split_once('/')?;
        self.finding(writer, scenario)
    }

    /// What is wrong with this scenario from this writer, if something was found.
    fn finding(&self, writer: &str, scenario: &str) -> Option<&WriterFinding> {
        let known = self.writer.iter().find(|known| known.name == writer)?;
        let is_meant = |finding: &&WriterFinding| finding.scenarios.iter().any(|prefix| scenario.starts_with(prefix));
        known.finding.iter().find(is_meant)
    }

    /// Every scenario, in the order of the file.
    #[must_use]
    pub fn scenarios(&self) -> Vec<Scenario<'_>> {
        let mut scenarios = Vec::new();
        for protection in &self.protection {
            for signature in self.signatures(protection) {
                for (recipient, cipher) in self.encryptions(protection, signature) {
                    for content in &self.content {
                        scenarios.push(Scenario { protection, signature, recipient, cipher, content });
                    }
                }
            }
        }
        scenarios
    }

    fn signatures(&self, protection: &Protection) -> Vec<Option<&SignatureValue>> {
        if protection.steps.iter().all(|step| step.form().is_none()) {
            return vec![None];
        }
        let goes =
            |value: &&SignatureValue| value.protections.is_empty() || value.protections.contains(&protection.name);
        self.signature.iter().filter(goes).map(Some).collect()
    }

    fn encryptions(
        &self,
        protection: &Protection,
        signature: Option<&SignatureValue>,
    ) -> Vec<(Option<&RecipientValue>, Option<&CipherValue>)> {
        if !protection.steps.contains(&MatrixStep::Encrypt) {
            return vec![(None, None)];
        }
        let claimed = |name: &String| self.signature.iter().any(|value| value.recipients.contains(name));
        let goes = |value: &&RecipientValue| match signature {
            None => true,
            Some(signature) if signature.recipients.is_empty() => !claimed(&value.name),
            Some(signature) => signature.recipients.contains(&value.name),
        };
        let pairs = self.recipient.iter().filter(goes).flat_map(|recipient| {
            let ciphers = self.cipher.iter().filter(|cipher| recipient.ciphers.contains(&cipher.name));
            ciphers.map(move |cipher| (Some(recipient), Some(cipher)))
        });
        pairs.collect()
    }

    /// Adds every fault to `problems`.
    pub(crate) fn check(&self, pki: &Pki, problems: &mut Vec<Problem>) {
        let mut report = |field: &str, what: String| problems.push(Problem::new(FILE, field, what));
        if self.format != 1 {
            report("format", format!("{} is not known, expected 1", self.format));
        }
        let mut seen = BTreeSet::new();
        let names = [
            (Feature::Protection, self.protection.iter().map(|value| &value.name).collect::<Vec<_>>()),
            (Feature::Signature, self.signature.iter().map(|value| &value.name).collect()),
            (Feature::Recipient, self.recipient.iter().map(|value| &value.name).collect()),
            (Feature::Cipher, self.cipher.iter().map(|value| &value.name).collect()),
            (Feature::Content, self.content.iter().map(|value| &value.name).collect()),
        ];
        for (feature, names) in names {
            for name in names {
                let plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
                if name.is_empty() || !name.bytes().all(plain) {
                    report(feature.code(), format!("{name:?} is not of lower-case letters, digits and hyphens"));
                }
                if !seen.insert((feature, name)) {
                    report(feature.code(), format!("{name:?} is there twice"));
                }
            }
        }
        let known = |feature, name: &String| seen.contains(&(feature, name));
        let entities = self.signature.iter().map(|value| ("signer", &value.signer));
        let recipients =
            self.recipient.iter().flat_map(|value| [("entity", &value.entity), ("stranger", &value.stranger)]);
        for (field, entity) in entities.chain(recipients) {
            if pki.key_pem(entity).is_none() || pki.certificate_pem(entity).is_none() {
                report(field, format!("{entity:?} is nobody with key and certificate"));
            }
        }
        let links = self.signature.iter().flat_map(|value| {
            let protections = value.protections.iter().map(|name| ("protections", Feature::Protection, name));
            protections.chain(value.recipients.iter().map(|name| ("recipients", Feature::Recipient, name)))
        });
        let links = links.chain(
            self.recipient.iter().flat_map(|value| value.ciphers.iter().map(|name| ("ciphers", Feature::Cipher, name))),
        );
        for (field, feature, name) in links {
            if !known(feature, name) {
                report(field, format!("there is no {feature} {name:?}"));
            }
        }
        if let Some(content) = self.content.iter().find(|content| !content.entity.contains("\n\n")) {
            report("entity", format!("{:?} has no empty line between header and body", content.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Corpus;

    #[test]
    fn every_value_is_in_a_scenario() {
        let corpus = Corpus::embedded().unwrap();
        let matrix = corpus.matrix();
        let scenarios = matrix.scenarios();
        let seen: BTreeSet<(Feature, &str)> = scenarios.iter().flat_map(Scenario::values).collect();
        let values = matrix.protection.len()
            + matrix.signature.len()
            + matrix.recipient.len()
            + matrix.cipher.len()
            + matrix.content.len();
        assert_eq!(seen.len(), values);
        let names: BTreeSet<String> = scenarios.iter().map(Scenario::name).collect();
        assert_eq!(names.len(), scenarios.len());
    }

    #[test]
    fn layers_stand_outermost_first() {
        let corpus = Corpus::embedded().unwrap();
        let scenarios = corpus.matrix().scenarios();
        let find = |name: &str| scenarios.iter().find(|scenario| scenario.name() == name).unwrap().layers();
        assert_eq!(
            find("triple.rsa.rsa.aes-256-gcm.small"),
            [(Kind::Signed, Some(Form::Clear)), (Kind::AuthEnveloped, None), (Kind::Signed, Some(Form::Clear))]
        );
        assert_eq!(find("opaque.sm2-gmssl.small"), [(Kind::Signed, Some(Form::Opaque))]);
        assert!(!scenarios.iter().any(|scenario| scenario.name().contains("rsa.sm2")));
    }
}
