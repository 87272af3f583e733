//! The keys of the models, as the programs see them.

use waxseal_key::{Arithmetic, DigestAlgorithm, PublicKeyAlgorithm, SignatureScheme, describe_public_key};

use crate::desk::{Desk, certificate, owner};

/// The keys that a mail needs, and what OpenSC numbers them: PIV
/// Authentication, Digital Signature, Key Management.
pub(crate) const AUTHENTICATION: (&str, &str) = ("9A", "01");
pub(crate) const SIGNATURE: (&str, &str) = ("9C", "02");
pub(crate) const KEY_MANAGEMENT: (&str, &str) = ("9D", "03");

/// A key on a card.
pub(crate) struct Key {
    /// Its reference, in hexadecimal.
    pub(crate) slot: &'static str,
    /// Its number for PKCS #11.
    pub(crate) id: &'static str,
    /// The entity of the corpus that it belongs to.
    pub(crate) owner: String,
    /// The certificate, PEM.
    pub(crate) certificate: String,
    spki: Vec<u8>,
    pub(crate) algorithm: PublicKeyAlgorithm,
    /// Of the modulus or the curve.
    pub(crate) bits: u32,
}

impl Key {
    pub(crate) fn of(model: &str, (slot, id): (&'static str, &'static str)) -> Self {
        let owner = owner(model, slot);
        let certificate = certificate(&owner);
        let pem = std::fs::read(&certificate).unwrap();
        let spki = waxseal_engine::certificate::Certificate::from_file(&pem).unwrap()[0].spki().to_vec();
        let described = describe_public_key(&spki).unwrap();
        Self { slot, id, owner, certificate, spki, algorithm: described.algorithm, bits: described.bits }
    }

    pub(crate) fn is_rsa(&self) -> bool {
        self.algorithm == PublicKeyAlgorithm::Rsa
    }

    /// How the log names an operation with it: SP 800-78-4 table 6-2 has the
    /// numbers.
    pub(crate) fn operation(&self, purpose: &str) -> String {
        let algorithm = match (self.is_rsa(), self.bits) {
            (true, 1024) => "06",
            (true, 2048) => "07",
            (true, 3072) => "05",
            (false, 256) => "11",
            (false, 384) => "14",
            other => panic!("{other:?}"),
        };
        format!("{} {algorithm} {purpose} ok", self.slot)
    }

    /// The digest that a curve is signed with.
    pub(crate) fn digest(&self) -> (DigestAlgorithm, &'static str) {
        if !self.is_rsa() && self.bits == 384 {
            (DigestAlgorithm::Sha384, "SHA384")
        } else {
            (DigestAlgorithm::Sha256, "SHA256")
        }
    }

    /// Both `openssl` and the engine take the signature over the file `data`.
    #[track_caller]
    pub(crate) fn verify(&self, desk: &Desk, scheme: SignatureScheme, signature: &str) {
        let (digest, name) = self.digest();
        let public_key = desk.public_key(&self.owner);
        let mut arguments = vec!["dgst", "-verify", &public_key, "-signature", signature];
        let option = format!("-{}", name.to_lowercase());
        arguments.push(&option);
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
