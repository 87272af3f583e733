//! Card models: what is on a card, as data in `models/NAME.toml`.
//!
//! A model says which kind of card it is and whose key lies in which place; the
//! keys themselves come from whoever builds the card, because this crate knows
//! no people.

mod pkcs15;
mod security;

use serde::Deserialize;
use waxseal_key::{PrivateKey, Random};
use zeroize::Zeroizing;

use crate::{
    StatusWord, VirtualCard,
    key::CardKey,
    piv::{ManagementKey, Piv, Slot, object, reference_data},
    pkcs15::Purpose,
};

/// The PIN of every model: all cards of the corpus are for tests.
pub const PIN: &str = "123456";

/// The PUK of every model.
pub const PUK: &str = "12345678";

/// The card management key of every PIV model, a Triple DES key: the one that
/// cards are delivered with.
pub const MANAGEMENT_KEY: [u8; 24] = [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8];

/// The files of the models, by name.
const FILES: &[(&str, &str)] = &[
    ("ecert-pkcs15", include_str!("../models/ecert-pkcs15.toml")),
    ("piv-1024-legacy", include_str!("../models/piv-1024-legacy.toml")),
    ("piv-full-history", include_str!("../models/piv-full-history.toml")),
    ("piv-p256", include_str!("../models/piv-p256.toml")),
    ("piv-rsa2048", include_str!("../models/piv-rsa2048.toml")),
    ("piv-sm2", include_str!("../models/piv-sm2.toml")),
];

/// What is on a card.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// A title in a few words.
    pub title: String,
    /// What it stands for, in a sentence.
    pub what: String,
    /// The application on it.
    pub application: Kind,
    /// The GUID of the card (RFC 4122), which no other model has.
    pub guid: String,
    /// The keys on it.
    pub keys: Vec<Place>,
    /// Whose certificates, without keys, are on it too; PKCS #15 only.
    #[serde(default)]
    pub authorities: Vec<String>,
    /// Data of applications; PKCS #15 only.
    #[serde(default)]
    pub data: Vec<Data>,
    /// Octets that its data objects may have together, where that is not the usual number.
    #[serde(default)]
    pub capacity: Option<usize>,
}

/// The application on a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// PIV (NIST SP 800-73-4).
    Piv,
    /// PKCS #15 (ISO/IEC 7816-15).
    Pkcs15,
}

/// A key on a card.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The key reference, in hexadecimal: `9C`; on PKCS #15 they count from `00`.
    pub slot: String,
    /// Whose key and certificate it is.
    pub of: String,
    /// Whether the certificate is compressed.
    #[serde(default)]
    pub compressed: bool,
    /// What the key is for; PKCS #15 only, where it must be said.
    #[serde(default)]
    pub purpose: Option<Purpose>,
    /// The name of key and certificate; PKCS #15 only.
    #[serde(default)]
    pub label: Option<String>,
}

/// Data of an application on a card.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Its name.
    pub label: String,
    /// The application.
    pub application: String,
    /// Whether it is read after the PIN only.
    pub private: bool,
    /// The data.
    pub text: String,
}

/// A key and its certificate, for a card that is made.
#[derive(Debug)]
pub struct Credential {
    /// The key.
    pub key: PrivateKey,
    /// DER of the certificate.
    pub certificate: Vec<u8>,
}

/// Who makes a card: knows the people whose keys lie on it, and signs for it.
pub trait Issuer {
    /// Key and certificate of somebody.
    ///
    /// # Errors
    /// There is nobody of that name, or they have none: why.
    fn credential(&mut self, name: &str) -> Result<Credential, String>;

    /// Signs content of a card: a SignedData (RFC 5652) with the content in it
    /// and no certificate; `None` where this issuer signs nothing.
    ///
    /// # Errors
    /// It cannot be signed: why.
    fn sign(&mut self, content_type: &str, content: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let _ = (content_type, content);
        Ok(None)
    }
}

impl<F: FnMut(&str) -> Result<Credential, String>> Issuer for F {
    fn credential(&mut self, name: &str) -> Result<Credential, String> {
        self(name)
    }
}

/// Why a card cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("card model: {0}")]
pub struct ModelError(String);

fn wrong(what: impl Into<String>) -> ModelError {
    ModelError(what.into())
}

impl Model {
    /// The names of the models that come with the program, in alphabetical order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FILES.iter().map(|(name, _)| *name)
    }

    /// The model with this name.
    ///
    /// # Errors
    /// There is none; the error names those that there are.
    pub fn named(name: &str) -> Result<Self, ModelError> {
        match FILES.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::read(text),
            None => {
                let known = Self::names().collect::<Vec<_>>().join(", ");
                Err(wrong(format!("there is no model {name:?}; there are {known}")))
            }
        }
    }

    /// Reads a model from TOML.
    ///
    /// # Errors
    /// It is no TOML, or no model.
    pub fn read(text: &str) -> Result<Self, ModelError> {
        toml::from_str(text).map_err(|error| wrong(error.to_string()))
    }

    /// Makes the card, with the keys and certificates that `issuer` has for
    /// the names in the model. `random` draws what the card draws itself:
    /// challenges, and keys that it generates.
    ///
    /// # Errors
    /// The model names a place that the card does not have, a key is not there
    /// or of a kind that no card holds, or all of it is more than fits.
    pub fn build(&self, issuer: &mut dyn Issuer, random: Box<dyn Random + Send>) -> Result<VirtualCard, ModelError> {
        match self.application {
            Kind::Piv => Ok(VirtualCard::new(vec![Box::new(self.piv(issuer, random)?)])),
            Kind::Pkcs15 => Ok(VirtualCard::new(vec![Box::new(self.pkcs15(issuer, random)?)])),
        }
    }

    fn piv(&self, issuer: &mut dyn Issuer, random: Box<dyn Random + Send>) -> Result<Piv, ModelError> {
        let is_other = |place: &Place| place.purpose.is_some() || place.label.is_some();
        if !self.authorities.is_empty() || !self.data.is_empty() || self.keys.iter().any(is_other) {
            return Err(wrong("a PIV card has no authorities, data, purposes or labels"));
        }
        let mut piv = self.empty_piv(random)?;
        let mut retired = 0;
        for Place { slot: name, of, compressed, .. } in &self.keys {
            let slot = Slot::by_name(name).ok_or_else(|| wrong(format!("PIV has no slot {name}")))?;
            let Credential { key, certificate } =
                issuer.credential(of).map_err(|error| wrong(format!("{of}: {error}")))?;
            let key = CardKey::new(key).map_err(|error| wrong(format!("{of}: {error}")))?;
            piv.put_key(slot, key);
            let object = object::certificate(&certificate, *compressed).map_err(|error| wrong(error.to_string()))?;
            put(&mut piv, slot.certificate_tag(), &object)?;
            retired += u8::from(matches!(slot, Slot::Retired(_)));
        }
        if retired > 0 {
            put(&mut piv, object::KEY_HISTORY, &object::key_history(retired, 0))?;
        }
        if let Some(value) = security::object(&piv, issuer)? {
            put(&mut piv, object::SECURITY_OBJECT, &value)?;
        }
        Ok(piv)
    }

    fn empty_piv(&self, random: Box<dyn Random + Send>) -> Result<Piv, ModelError> {
        let pin = reference_data::padded(PIN).ok_or_else(|| wrong("its PIN is none"))?;
        let puk = PUK.as_bytes().try_into().map_err(|_| wrong("its PUK has not eight octets"))?;
        let management_key = ManagementKey::new(&MANAGEMENT_KEY).ok_or_else(|| wrong("its management key is none"))?;
        let mut piv = Piv::new(pin, puk, management_key, random);
        if let Some(octets) = self.capacity {
            piv.set_capacity(octets);
        }
        let guid = self.guid()?;
        let mut identifier = [0; 14];
        identifier.copy_from_slice(&guid[2..]);
        put(&mut piv, object::CHUID, &object::chuid(guid, b"20491231"))?;
        put(&mut piv, object::CAPABILITY_CONTAINER, &object::capability_container(identifier))?;
        Ok(piv)
    }

    fn guid(&self) -> Result<[u8; 16], ModelError> {
        let bad = || wrong(format!("{:?} is no GUID of 32 hexadecimal digits", self.guid));
        let digits: Vec<u32> =
            self.guid.chars().filter(|digit| *digit != '-').map_while(|digit| digit.to_digit(16)).collect();
        let octets: Vec<u8> = digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect();
        octets.try_into().map_err(|_| bad())
    }
}

fn put(piv: &mut Piv, tag: u32, value: &Zeroizing<Vec<u8>>) -> Result<(), ModelError> {
    piv.put_object(tag, value).map_err(|status: StatusWord| wrong(format!("object {tag:X}: {}", status.meaning())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_model_can_be_read_and_is_another_card() {
        let models: Vec<_> = Model::names().map(|name| Model::named(name).unwrap()).collect();
        let guids: BTreeSet<_> = models.iter().map(|model| model.guid().unwrap()).collect();
        assert_eq!(guids.len(), models.len());
        for model in &models {
            for place in model.keys.iter().filter(|_| model.application == Kind::Piv) {
                assert!(Slot::by_name(&place.slot).is_some(), "{}: {}", model.title, place.slot);
            }
        }
        assert!(Model::named("piv").unwrap_err().to_string().contains("piv-rsa2048"));
    }
}
