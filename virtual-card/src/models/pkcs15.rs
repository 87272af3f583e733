//! Models of PKCS #15 cards.

use waxseal_key::Random;
use zeroize::Zeroizing;

use super::{Credential, Data, Issuer, Model, ModelError, PIN, PUK, Place, wrong};
use crate::{
    key::CardKey,
    pkcs15::{AuthorityEntry, DataEntry, KeyEntry, Pkcs15, Setup},
};

impl Model {
    pub(super) fn pkcs15(&self, issuer: &mut dyn Issuer, random: Box<dyn Random + Send>) -> Result<Pkcs15, ModelError> {
        if self.capacity.is_some() {
            return Err(wrong("a PKCS #15 card has no capacity: nothing can be written to it"));
        }
        let mut resolve = |of: &str| issuer.credential(of).map_err(|error| wrong(format!("{of}: {error}")));
        let mut keys = Vec::new();
        for (index, Place { slot, of, compressed, purpose, label }) in self.keys.iter().enumerate() {
            if *slot != format!("{index:02X}") {
                return Err(wrong(format!("key reference {slot}: they count from 00, this one is {index:02X}")));
            }
            if *compressed {
                return Err(wrong(format!("{of}: certificates are compressed on PIV cards only")));
            }
            let purpose = purpose.ok_or_else(|| wrong(format!("{of}: no `purpose` says what the key is for")))?;
            let Credential { key, certificate } = resolve(of)?;
            let key = CardKey::new(key).map_err(|error| wrong(format!("{of}: {error}")))?;
            keys.push(KeyEntry { label: label.as_ref().unwrap_or(of).clone(), key, purpose, certificate });
        }
        let mut authorities = Vec::new();
        for of in &self.authorities {
            authorities.push(AuthorityEntry { label: of.clone(), certificate: resolve(of)?.certificate });
        }
        let data = |Data { label, application, private, text }: &Data| DataEntry {
            label: label.clone(),
            application: application.clone(),
            private: *private,
            value: Zeroizing::new(text.clone().into_bytes()),
        };
        let setup = Setup {
            label: self.title.clone(),
            manufacturer: "Waxseal".to_owned(),
            serial: self.guid()?.to_vec(),
            pin: Zeroizing::new(PIN.as_bytes().to_vec()),
            puk: Zeroizing::new(PUK.as_bytes().to_vec()),
            keys,
            authorities,
            data: self.data.iter().map(data).collect(),
            random,
        };
        Pkcs15::new(setup).map_err(|error| wrong(error.to_string()))
    }
}
