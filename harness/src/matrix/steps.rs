//! A scenario as requests: what a writer is asked, step by step.

use std::path::Path;

use waxseal_model::{MatrixStep, Scenario};
use waxseal_verdict::{Hello, WrittenForm};

use super::letter::files;
use crate::shim::protocol::{EncryptArguments, KeyFiles, OpenArguments, SignArguments};

/// One request.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Sign(Box<SignArguments>),
    Encrypt(Box<EncryptArguments>),
}

impl Step {
    /// The file that it writes.
    pub(crate) fn out(&self) -> &str {
        match self {
            Self::Sign(arguments) => &arguments.out,
            Self::Encrypt(arguments) => &arguments.reading.out,
        }
    }
}

/// Whether a writer signs and encrypts in one request.
fn in_one_go(hello: &Hello, scenario: &Scenario<'_>) -> bool {
    hello.writes_forms.contains(&WrittenForm::SignedEncrypted)
        && scenario.protection.steps == [MatrixStep::SignClear, MatrixStep::Encrypt]
}

/// Every request, each on what the one before it left; the files are those that
/// [`put`](super::letter::put) wrote.
pub(crate) fn steps(hello: &Hello, scenario: &Scenario<'_>, dir: &Path, to: &str, clock: &str) -> Vec<Step> {
    let dir = dir.to_string_lossy().into_owned();
    let one_go = in_one_go(hello, scenario);
    let signer = || KeyFiles { key: files::SIGNER_KEY.to_owned(), certificate: Some(files::SIGNER.to_owned()) };
    let mut message = files::MAIL.to_owned();
    let mut steps = Vec::new();
    for step in scenario.protection.steps.iter().skip(usize::from(one_go)) {
        let out = format!("step-{}.eml", steps.len() + 1);
        let step = match (step.form(), scenario.signature, scenario.recipient, scenario.cipher) {
            (Some(form), Some(signature), ..) => Step::Sign(Box::new(SignArguments {
                dir: dir.clone(),
                message,
                form: Some(form),
                digest: Some(signature.digest.clone()),
                scheme: Some(signature.scheme.clone()),
                dialect: signature.dialect,
                key: signer(),
                certificates: Some(files::ISSUERS.to_owned()),
                anchors: Some(files::ANCHORS.to_owned()),
                clock: Some(clock.to_owned()),
                out: out.clone(),
                ..SignArguments::default()
            })),
            (None, _, Some(recipient), Some(cipher)) => Step::Encrypt(Box::new(EncryptArguments {
                reading: OpenArguments {
                    dir: dir.clone(),
                    message,
                    anchors: Some(files::ANCHORS.to_owned()),
                    extra_certificates: Some(files::ISSUERS.to_owned()),
                    clock: Some(clock.to_owned()),
                    out: out.clone(),
                    ..OpenArguments::default()
                },
                to: vec![to.to_owned()],
                recipients: vec![files::RECIPIENT.to_owned()],
                cipher: Some(cipher.name.clone()),
                key_encryption: recipient.key_encryption.clone(),
                dialect: recipient.dialect,
                signer: one_go.then(signer),
                certificates: one_go.then(|| files::ISSUERS.to_owned()),
                ..EncryptArguments::default()
            })),
            // A scenario has what its steps need.
            _ => continue,
        };
        message = out;
        steps.push(step);
    }
    steps
}
