//! The keys of the models, as the programs see them.

use waxseal_card::models::{Kind, Model};
use waxseal_card::pkcs15::Purpose;
use waxseal_engine::certificate::Certificate;
use waxseal_key::{
    Arithmetic, DigestAlgorithm, PssParameters, PublicKeyAlgorithm, SignatureScheme, describe_public_key,
};

use crate::desk::{Desk, certificate};

/// What OpenSC calls the keys of PIV, and what it numbers them.
const PIV: &[(&str, &str, &str)] =
    &[("9A", "01", "PIV AUTH key"), ("9C", "02", "SIGN key"), ("9D", "03", "KEY MAN key")];

/// A key on a card that mail needs.
pub(crate) struct Key {
    /// Its reference, in hexadecimal.
    pub(crate) slot: String,
    /// Its number for PKCS #11.
    pub(crate) id: String,
    /// Its name there.
    pub(crate) label: String,
    /// The entity of the corpus that it belongs to.
    pub(crate) owner: String,
    /// The file of the certificate, PEM.
    pub(crate) certificate: String,
    pub(crate) der: Vec<u8>,
    pub(crate) algorithm: PublicKeyAlgorithm,
    /// Of the modulus or the curve.
    pub(crate) bits: u32,
    is_piv: bool,
    decrypts: bool,
    spki: Vec<u8>,
}

impl Key {
    /// The keys of a model: those that sign first, the one that decrypts last.
    pub(crate) fn all(model: &str) -> Vec<Self> {
        let model = Model::named(model).unwrap();
        let is_piv = model.application == Kind::Piv;
        let mut keys = Vec::new();
        for (number, place) in model.keys.iter().enumerate() {
            let (id, label, decrypts) = if is_piv {
                // Old keys and that of the door have no part in this.
                let Some((slot, id, label)) = PIV.iter().find(|(slot, ..)| *slot == place.slot) else { continue };
                ((*id).to_owned(), (*label).to_owned(), *slot == "9D")
            } else {
                let label = place.label.clone().unwrap();
                (format!("{:02}", number + 1), label, place.purpose == Some(Purpose::Decipher))
            };
            let certificate = certificate(&place.of);
            let parsed = Certificate::from_file(&std::fs::read(&certificate).unwrap()).unwrap().remove(0);
            let described = describe_public_key(parsed.spki()).unwrap();
            keys.push(Self {
                slot: place.slot.clone(),
                id,
                label,
                owner: place.of.clone(),
                certificate,
                der: parsed.der().to_vec(),
                algorithm: described.algorithm,
                bits: described.bits,
                is_piv,
                decrypts,
                spki: parsed.spki().to_vec(),
            });
        }
        keys.sort_by_key(|key| key.decrypts);
        keys
    }

    pub(crate) fn signing(model: &str) -> Vec<Self> {
        Self::all(model).into_iter().filter(|key| !key.decrypts).collect()
    }

    pub(crate) fn decrypting(model: &str) -> Self {
        Self::all(model).pop().unwrap()
    }

    /// The key for the signatures of a person.
    pub(crate) fn of_the_person(model: &str) -> Self {
        let is_it = |key: &Self| !key.is_piv || key.needs_pin_always();
        Self::signing(model).into_iter().find(is_it).unwrap()
    }

    pub(crate) fn is_rsa(&self) -> bool {
        self.algorithm == PublicKeyAlgorithm::Rsa
    }

    /// Whether every signature needs the PIN (SP 800-73-4 part 1 section 3.2.3).
    pub(crate) fn needs_pin_always(&self) -> bool {
        self.is_piv && self.slot == "9C"
    }

    /// How the log names an operation with it.
    pub(crate) fn operation(&self, what: &str) -> String {
        format!("{} {} {what}", if self.is_piv { "slot" } else { "key" }, self.slot)
    }

    /// How the log names what it does with a message for it.
    pub(crate) fn opening(&self) -> String {
        self.operation(if self.is_rsa() { "decrypt" } else { "agree" })
    }

    /// The mechanisms of PKCS #11 that OpenSC has for it; isoApplet has neither
    /// PSS nor, in version 0.23, another digest for ECDSA.
    pub(crate) fn mechanisms(&self) -> Vec<(&'static str, SignatureScheme, DigestAlgorithm)> {
        use DigestAlgorithm::{Sha1, Sha256, Sha384};
        let pss = SignatureScheme::RsaPss(PssParameters::usual(Sha256));
        match (self.is_rsa(), self.is_piv, self.bits) {
            (true, true, _) => {
                vec![("SHA256-RSA-PKCS", SignatureScheme::RsaPkcs1, Sha256), ("SHA256-RSA-PKCS-PSS", pss, Sha256)]
            }
            (true, false, _) => vec![("SHA256-RSA-PKCS", SignatureScheme::RsaPkcs1, Sha256)],
            (false, true, 384) => vec![("ECDSA-SHA384", SignatureScheme::Ecdsa, Sha384)],
            (false, true, _) => vec![("ECDSA-SHA256", SignatureScheme::Ecdsa, Sha256)],
            (false, false, _) => vec![("ECDSA-SHA1", SignatureScheme::Ecdsa, Sha1)],
        }
    }

    /// Both `openssl` and the engine take the signature over the file `data`.
    #[track_caller]
    pub(crate) fn verify(&self, desk: &Desk, scheme: SignatureScheme, digest: DigestAlgorithm, signature: &str) {
        let public_key = desk.public_key(&self.owner);
        let option = match digest {
            DigestAlgorithm::Sha1 => "-sha1",
            DigestAlgorithm::Sha384 => "-sha384",
            _ => "-sha256",
        };
        let mut arguments = vec!["dgst", option, "-verify", &public_key, "-signature", signature];
        if matches!(scheme, SignatureScheme::RsaPss(_)) {
            arguments.extend(["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]);
        }
        arguments.push("data");
        assert_eq!(desk.run("openssl", &arguments).good(), "Verified OK\n");
        let engine = Arithmetic::default();
        let value = engine.digest(digest, &desk.read("data")).unwrap();
        let is_good = engine.verify_digest(&self.spki, scheme, digest, &value, &desk.read(signature));
        assert_eq!(is_good, Ok(true));
    }
}
