//! Mail in the shape of a client: the settings of `shapes/*.toml` as the
//! engine's own, and which certificates go along in which order.

use serde::de::DeserializeOwned;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::{ContentEncryption, Shape};
use waxseal_engine::message::{EncryptRequest, MimeShape, SignRequest};
use waxseal_key::DigestAlgorithm;
use waxseal_model::{CertificateRole, FormShape, KnownBy, Replica, ReplicaForm, Table};
use waxseal_verdict::Form;

/// How a client signs.
#[derive(Debug, Clone)]
pub struct Signing {
    /// Clear or opaque.
    pub form: Form,
    /// The digest.
    pub digest: DigestAlgorithm,
    /// How the object is written. The signer's certificate is among
    /// [`Signing::certificates`], not before them.
    pub shape: Shape,
    /// How the mail around it is written.
    pub mime: MimeShape,
    /// Whether the signer's certificate is named as the one to encrypt for.
    pub key_preference: bool,
    roles: Vec<CertificateRole>,
}

/// How a client encrypts.
#[derive(Debug, Clone)]
pub struct Encrypting {
    /// The content cipher where nothing is known of a recipient.
    pub cipher: ContentEncryption,
    /// How the object is written.
    pub shape: Shape,
    /// How the mail around it is written.
    pub mime: MimeShape,
}

/// Why mail cannot be written in a shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// Nobody knows how the client writes this form.
    #[error("how it writes the {form} form is not known ({looked})")]
    Unknown {
        /// The form.
        form: ReplicaForm,
        /// Where it was looked for.
        looked: String,
    },
    /// The client does not write this form.
    #[error("it never writes the {form} form ({source_text})")]
    Never {
        /// The form.
        form: ReplicaForm,
        /// Who says so.
        source_text: String,
    },
    /// The shape is no shape of the engine: a fault of the data.
    #[error("its {form} form has settings that the engine does not have: {why}")]
    Settings {
        /// The form.
        form: ReplicaForm,
        /// What is wrong.
        why: String,
    },
}

impl Signing {
    /// How a client signs in this form; with a digest of the caller's choice,
    /// or with its own.
    ///
    /// # Errors
    /// Nobody knows, or it never does; see [`ReplicaError`].
    pub fn new(replica: &Replica, form: ReplicaForm, digest: Option<DigestAlgorithm>) -> Result<Self, ReplicaError> {
        let written = written(replica, form)?;
        let named = written.digest.as_deref().and_then(DigestAlgorithm::from_name);
        let digest = digest.or(named).ok_or_else(|| wrong(form, "no digest that is known"))?;
        let mut shape: Shape = settings(form, replica.cms(form, Some(digest.name())))?;
        shape.signer_certificates = false;
        let opaque = form == ReplicaForm::Opaque || written.opaque;
        Ok(Self {
            form: if opaque { Form::Opaque } else { Form::Clear },
            digest,
            shape,
            mime: settings(form, replica.mime(form))?,
            key_preference: written.key_preference,
            roles: written.certificates.clone(),
        })
    }

    /// Makes a request sign as the client does, with the key of this
    /// certificate. Which certificates go along is [`Self::certificates`];
    /// whoever names another certificate to encrypt for before this keeps it.
    pub fn apply<'a>(&self, request: &mut SignRequest<'a>, signer: &'a Certificate) {
        request.form = self.form;
        request.digest = self.digest;
        request.shape.clone_from(&self.shape);
        request.mime.clone_from(&self.mime);
        if self.key_preference && request.encryption_certificate.is_none() {
            request.encryption_certificate = Some(signer);
        }
    }

    /// What goes along of these certificates, in the client's order: the
    /// signer's own and those of the authorities above it, whatever order these
    /// were given in. Others that were given follow.
    #[must_use]
    pub fn certificates(&self, signer: &Certificate, given: &[Certificate]) -> Vec<Certificate> {
        let mut path: Vec<&Certificate> = Vec::new();
        let mut below = signer;
        let issued = |one: &Certificate, below: &Certificate, path: &[&Certificate]| {
            one.subject_name() == below.issuer_name() && one.der() != below.der() && !is_among(one, path)
        };
        while let Some(issuer) = given.iter().find(|one| issued(one, below, &path)) {
            path.push(issuer);
            below = issuer;
        }
        // Without those between the path does not lead to it, and it is sent nevertheless.
        let root = path.iter().copied().chain(given).find(|one| one.is_self_issued());
        let between: Vec<&Certificate> = path.iter().copied().filter(|one| !one.is_self_issued()).collect();
        let downwards = self.place(CertificateRole::Ca) < self.place(CertificateRole::Signer);
        let mut sent: Vec<Certificate> = Vec::new();
        for role in &self.roles {
            match role {
                CertificateRole::Signer => sent.push(signer.clone()),
                CertificateRole::Ca if downwards => sent.extend(between.iter().rev().copied().cloned()),
                CertificateRole::Ca => sent.extend(between.iter().copied().cloned()),
                CertificateRole::Root => sent.extend(root.cloned()),
                _ => {}
            }
        }
        let other = |one: &&Certificate| !one.is_self_issued() && !is_among(one, &path) && one.der() != signer.der();
        if !self.roles.is_empty() {
            sent.extend(given.iter().filter(other).cloned());
        }
        sent
    }

    fn place(&self, role: CertificateRole) -> usize {
        self.roles.iter().position(|known| *known == role).unwrap_or(usize::MAX)
    }
}

impl Encrypting {
    /// How a client encrypts; with a cipher of the caller's choice, or with
    /// what it takes where nothing is known of a recipient.
    ///
    /// # Errors
    /// Nobody knows; see [`ReplicaError`].
    pub fn new(replica: &Replica, cipher: Option<ContentEncryption>) -> Result<Self, ReplicaError> {
        let form = ReplicaForm::Encrypted;
        let named = written(replica, form)?.cipher.as_deref().and_then(|name| name.parse().ok());
        Ok(Self {
            cipher: cipher.or(named).ok_or_else(|| wrong(form, "no cipher that is known"))?,
            shape: settings(form, replica.cms(form, None))?,
            mime: settings(form, replica.mime(form))?,
        })
    }

    /// Makes a request encrypt as the client does.
    pub fn apply(&self, request: &mut EncryptRequest<'_>) {
        request.cipher = self.cipher;
        request.shape.clone_from(&self.shape);
        request.mime.clone_from(&self.mime);
    }
}

fn is_among(one: &Certificate, list: &[&Certificate]) -> bool {
    list.iter().any(|known| known.der() == one.der())
}

fn written(replica: &Replica, form: ReplicaForm) -> Result<&FormShape, ReplicaError> {
    let shape = replica.form(form);
    let said = || shape.source.join("; ");
    if shape.never {
        return Err(ReplicaError::Never { form, source_text: said() });
    }
    if shape.kind == KnownBy::Unknown {
        return Err(ReplicaError::Unknown { form, looked: said() });
    }
    Ok(shape)
}

fn settings<T: DeserializeOwned>(form: ReplicaForm, table: Table) -> Result<T, ReplicaError> {
    serde_json::from_value(table.into()).map_err(|error| wrong(form, error.to_string()))
}

fn wrong(form: ReplicaForm, why: impl Into<String>) -> ReplicaError {
    ReplicaError::Settings { form, why: why.into() }
}

#[cfg(test)]
mod tests;
