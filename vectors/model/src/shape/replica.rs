//! How the forge writes mail in the shape of a client.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use waxseal_verdict::FactName;

use super::{KnownBy, RECORDED};
use crate::code::codes;

/// Settings of the engine's shapes, by the engine's names; whoever writes with
/// them knows these.
pub type Table = serde_json::Map<String, serde_json::Value>;

/// The mail of some versions of a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replica {
    /// Which versions write like this.
    pub versions: String,
    /// What all its forms have in CMS.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub cms: Table,
    /// What all its forms have in MIME.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub mime: Table,
    /// A signed mail with the content beside the signature.
    pub clear: FormShape,
    /// A signed mail with the content inside.
    pub opaque: FormShape,
    /// An encrypted mail.
    pub encrypted: FormShape,
    /// The signed entity inside an encrypted mail.
    pub inside: FormShape,
}

/// How one form is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormShape {
    /// How it is known.
    pub kind: KnownBy,
    /// Ids of recordings, or the place that says it; where it is unknown, where it was looked for.
    pub source: Vec<String>,
    /// The client does not write this form.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub never: bool,
    /// The recording whose structure the replica has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<String>,
    /// Facts that what carried the recording has changed: they are as other mails of the client show them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relayed: Vec<FactName>,
    /// Of the signed entity inside an encrypted mail: whether it is opaque.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opaque: bool,
    /// The digest, by the name of the algorithm table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The content cipher where nothing is known of a recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// Which certificates are sent, in order; a role without a certificate is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateRole>,
    /// Whether the signer's own certificate is named as the one to encrypt for, where no other is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub key_preference: bool,
    /// Settings in CMS.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub cms: Table,
    /// Settings in MIME.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub mime: Table,
    /// What is otherwise with another digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with_digest: BTreeMap<String, Overrides>,
}

/// Settings that take the place of others.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// Settings in CMS.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub cms: Table,
}

codes! {
    /// The place of a certificate in a path.
    CertificateRole {
        /// The signer's.
        Signer = "signer",
        /// Those of the authorities between: upwards after the signer's, downwards before it.
        Ca = "ca",
        /// The self-issued one.
        Root = "root",
    }
}

codes! {
    /// The forms of a replica.
    ReplicaForm {
        /// Signed, the content beside.
        Clear = "clear",
        /// Signed, the content inside.
        Opaque = "opaque",
        /// Encrypted.
        Encrypted = "encrypted",
        /// Signed, to be encrypted next.
        Inside = "inside",
    }
}

impl Replica {
    /// How it writes a form.
    #[must_use]
    pub const fn form(&self, form: ReplicaForm) -> &FormShape {
        match form {
            ReplicaForm::Clear => &self.clear,
            ReplicaForm::Opaque => &self.opaque,
            ReplicaForm::Encrypted => &self.encrypted,
            ReplicaForm::Inside => &self.inside,
        }
    }

    /// Every form.
    pub fn forms(&self) -> impl Iterator<Item = (ReplicaForm, &FormShape)> {
        ReplicaForm::ALL.iter().map(|form| (*form, self.form(*form)))
    }

    /// The settings in CMS of a form, with a digest.
    #[must_use]
    pub fn cms(&self, form: ReplicaForm, digest: Option<&str>) -> Table {
        let shape = self.form(form);
        let with_digest = digest.and_then(|digest| shape.with_digest.get(digest)).map(|overrides| &overrides.cms);
        merged([Some(&self.cms), Some(&shape.cms), with_digest])
    }

    /// The settings in MIME of a form.
    #[must_use]
    pub fn mime(&self, form: ReplicaForm) -> Table {
        merged([Some(&self.mime), Some(&self.form(form).mime), None])
    }

    pub(super) fn check(&self, field: &str, report: &mut dyn FnMut(&str, &str)) {
        if self.versions.trim().is_empty() {
            report(&format!("{field}.versions"), "is empty");
        }
        for (form, shape) in self.forms() {
            shape.check(form, &format!("{field}.{form}"), report);
        }
    }
}

impl FormShape {
    /// Whether the forge can write it.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.kind != KnownBy::Unknown && !self.never
    }

    fn check(&self, form: ReplicaForm, field: &str, report: &mut dyn FnMut(&str, &str)) {
        if self.source.is_empty() || self.source.iter().any(|source| source.trim().is_empty()) {
            report(&format!("{field}.source"), "is empty: who says so?");
        }
        if !self.is_written() {
            let said = self.recording.is_some() || self.digest.is_some() || self.cipher.is_some();
            if said || !self.cms.is_empty() || !self.mime.is_empty() {
                report(field, "says how something is written that is unknown, or never written");
            }
            return;
        }
        if self.recording.is_some() != (self.kind == KnownBy::Captured) {
            report(&format!("{field}.recording"), "stands where the kind is captured, and only there");
        }
        if self.recording.as_ref().is_some_and(|id| !id.starts_with(RECORDED)) {
            report(&format!("{field}.recording"), "is no id of a recording");
        }
        let encrypts = form == ReplicaForm::Encrypted;
        if self.cipher.is_some() != encrypts {
            report(&format!("{field}.cipher"), "belongs to the encrypted form, and is needed there");
        }
        if self.digest.is_some() == encrypts {
            report(&format!("{field}.digest"), "belongs to the signed forms, and is needed there");
        }
        if self.opaque && form != ReplicaForm::Inside {
            report(&format!("{field}.opaque"), "belongs to the form inside");
        }
    }
}

/// Settings, each in its last version.
fn merged<const N: usize>(tables: [Option<&Table>; N]) -> Table {
    let mut all = Table::new();
    for table in tables.into_iter().flatten() {
        all.extend(table.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    all
}
