//! Smart cards with keys of the PKI on them.

use waxseal_card::VirtualCard;
use waxseal_card::models::{Credential, Model};
use waxseal_key::{Random, SeededRandom};
use waxseal_model::Pki;

use crate::{ForgeError, credentials};

/// Makes the card of a model, whose keys and certificates are those of the
/// entities that the model names. What the card draws itself follows from its
/// name: it is the same card on every machine.
///
/// # Errors
/// The PKI has no such key or certificate, or the model does not fit a card.
pub fn card(pki: &Pki, model: &Model) -> Result<VirtualCard, ForgeError> {
    let random: Box<dyn Random + Send> = Box::new(SeededRandom::new(&format!("the card {}", model.guid)));
    let mut credential = |name: &str| {
        let key = credentials::key(pki, name).map_err(|error| error.to_string())?;
        let certificate = credentials::certificate(pki, name).map_err(|error| error.to_string())?;
        Ok(Credential { key, certificate: certificate.der().to_vec() })
    };
    model
        .build(&mut credential, random)
        .map_err(|error| ForgeError::File { file: model.title.clone(), what: error.to_string() })
}
