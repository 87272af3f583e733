//! `--as`: mail in the shape of a client.

use std::fmt::Write as _;

use clap::Args;
use waxseal_engine::cms::write::ContentEncryption;
use waxseal_forge::{Encrypting, ReplicaError, Signing};
use waxseal_key::DigestAlgorithm;
use waxseal_model::{Replica, ReplicaForm, Shapes};
use waxseal_verdict::Form;

use crate::exit::Failed;

/// In whose shape a mail is written.
#[derive(Debug, Args)]
pub(super) struct ShapeOption {
    /// Write like this mail program: outlook-2024, thunderbird-128, apple-mail-2025, iphone-mail, …; help lists all of
    /// them. What the program writes in a form that nobody knows is not guessed
    #[arg(long = "as", value_name = "CLIENT", value_parser = shaped,
        conflicts_with_all = ["ber", "der", "dialect"])]
    shape: Option<Shaped>,
}

/// A replica by the name that was given.
#[derive(Debug, Clone)]
struct Shaped {
    name: String,
    replica: Box<Replica>,
}

fn shaped(text: &str) -> Result<Shaped, String> {
    let shapes = Shapes::embedded().map_err(|error| error.to_string())?;
    match shapes.replica(text) {
        Some((_, replica)) => Ok(Shaped { name: text.to_owned(), replica: Box::new(replica.clone()) }),
        None => Err(list(&shapes)),
    }
}

/// Every name, whose it is, and what is known of it.
fn list(shapes: &Shapes) -> String {
    let mut out = "there are:".to_owned();
    for (name, shape, replica) in shapes.replicas() {
        let forms = replica.forms().filter(|(_, form)| form.is_written());
        let forms: Vec<_> = forms.map(|(form, written)| format!("{form} {}", written.kind)).collect();
        let _ = write!(out, "\n  {name:16} {} {}: {}", shape.title, replica.versions, forms.join(", "));
    }
    out
}

impl ShapeOption {
    /// How the program signs: in the form that was asked for, or clear.
    pub(super) fn signing(
        &self,
        form: Option<Form>,
        inside: bool,
        digest: Option<DigestAlgorithm>,
    ) -> Result<Option<Signing>, Failed> {
        let Some(shaped) = &self.shape else { return Ok(None) };
        let form = match form {
            _ if inside => ReplicaForm::Inside,
            Some(Form::Opaque) => ReplicaForm::Opaque,
            // What signs opaque only does not write clear by accident.
            None if !shaped.replica.clear.is_written() => ReplicaForm::Opaque,
            _ => ReplicaForm::Clear,
        };
        Signing::new(&shaped.replica, form, digest).map(Some).map_err(|error| shaped.cannot(&error))
    }

    /// How the program encrypts.
    pub(super) fn encrypting(&self, cipher: Option<ContentEncryption>) -> Result<Option<Encrypting>, Failed> {
        let Some(shaped) = &self.shape else { return Ok(None) };
        Encrypting::new(&shaped.replica, cipher).map(Some).map_err(|error| shaped.cannot(&error))
    }
}

impl Shaped {
    fn cannot(&self, error: &ReplicaError) -> Failed {
        Failed::usage(format!("--as {}: {error}", self.name))
    }
}
