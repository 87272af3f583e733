//! A private key on a card, as the engine takes it.

use std::cell::RefCell;

use waxseal_key::{
    Arithmetic, Content, Decryptor, DigestAlgorithm, HeldRsa, KeyError, OaepParameters, ProviderChoice, Random as _,
    SM2_DEFAULT_ID, SM2_MAX_ID_LEN, SignatureScheme, Signer, Sm2Form, SystemRandom, agreement_point,
};
use zeroize::Zeroizing;

use super::{HostError, Identity, PivClient};
use crate::{
    StatusWord,
    key::KeyKind,
    piv::{self, Slot},
    tlv,
};

/// A private key on a PIV card.
#[derive(Debug)]
pub struct PivKey {
    client: PivClient,
    slot: Slot,
    kind: KeyKind,
    spki: Vec<u8>,
    sm2_id: Vec<u8>,
    /// From which the key follows that stands in for a refused one.
    rejection: Zeroizing<[u8; 32]>,
    /// Why the card last did not do what it was asked for, in full.
    last_error: RefCell<Option<HostError>>,
}

impl PivKey {
    pub(super) fn new(client: PivClient, identity: &Identity) -> Result<Self, HostError> {
        let Identity { slot, certificate, kind, problem } = identity;
        let unusable = |why: &str| HostError::NoKey(format!("slot {}: {why}", slot.name()));
        if let Some(problem) = problem {
            return Err(unusable(problem));
        }
        let spki = tlv::spki_of_certificate(certificate).ok_or_else(|| unusable("its certificate is damaged"))?;
        let kind = kind.ok_or_else(|| unusable("no PIV card has a key of the kind in its certificate"))?;
        let mut rejection = Zeroizing::new([0; 32]);
        SystemRandom.fill(&mut *rejection);
        let spki = spki.to_vec();
        let (slot, sm2_id, last_error) = (*slot, SM2_DEFAULT_ID.to_vec(), RefCell::new(None));
        Ok(Self { client, slot, kind, spki, sm2_id, rejection, last_error })
    }

    /// The same key; one of SM2 signs under this identifier.
    ///
    /// # Errors
    /// The identifier is longer than [`SM2_MAX_ID_LEN`].
    pub fn with_sm2_id(mut self, id: &[u8]) -> Result<Self, HostError> {
        if id.len() > SM2_MAX_ID_LEN {
            return Err(HostError::NoKey(format!("an SM2 identifier has at most {SM2_MAX_ID_LEN} octets")));
        }
        self.sm2_id = id.to_vec();
        Ok(self)
    }

    /// Where it lies.
    #[must_use]
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Why the card last did not do what it was asked for, where that was
    /// something between program and card.
    pub fn take_error(&self) -> Option<HostError> {
        self.last_error.take()
    }

    /// The template that the card answers a part of a template with.
    fn template(&self, tag: u32, value: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.client.authenticate(self.slot, self.kind, tag, value).map_err(|error| {
            *self.last_error.borrow_mut() = Some(error.clone());
            error.into()
        })
    }

    /// The response in it.
    fn ask(&self, tag: u32, value: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        response(&self.template(tag, value)?)
    }

    /// Runs something with the bare RSA operation of the card.
    fn with_rsa<T>(&self, work: impl FnOnce(&mut HeldRsa<'_>) -> Result<T, KeyError>) -> Result<T, KeyError> {
        let mut operation = |octets: &[u8]| self.ask(piv::CHALLENGE, octets);
        work(&mut HeldRsa::new(&self.spki, &mut operation)?)
    }

    fn is_rsa(&self, algorithm: &str) -> Result<(), KeyError> {
        if matches!(self.kind, KeyKind::Rsa(_)) { Ok(()) } else { Err(self.does_not_fit(algorithm)) }
    }

    fn does_not_fit(&self, algorithm: &str) -> KeyError {
        KeyError::BadParameters {
            algorithm: algorithm.to_owned(),
            why: format!("the key in slot {} is {}", self.slot.name(), self.kind),
        }
    }

    fn verified(&self, signature: Vec<u8>, result: Result<bool, KeyError>) -> Result<Vec<u8>, KeyError> {
        if result? {
            return Ok(signature);
        }
        Err(KeyError::Refused(format!("the card gave a signature of {} that does not verify", self.slot.name())))
    }

    fn arithmetic() -> Arithmetic {
        Arithmetic::new(ProviderChoice::RustCrypto)
    }
}

fn response(template: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let response = tlv::find(template, piv::RESPONSE).map(|response| Zeroizing::new(response.to_vec()));
    response.ok_or_else(|| KeyError::Refused("the answer of the card has no response (tag 82)".to_owned()))
}

impl Signer for PivKey {
    fn public_key(&self) -> &[u8] {
        &self.spki
    }

    fn sign_digest(&self, scheme: SignatureScheme, digest: DigestAlgorithm, value: &[u8]) -> Result<Vec<u8>, KeyError> {
        match (scheme, self.kind) {
            (SignatureScheme::RsaPkcs1 | SignatureScheme::RsaPss(_), KeyKind::Rsa(_)) => {
                self.with_rsa(|rsa| rsa.sign(scheme, digest, value, &mut SystemRandom))
            }
            (SignatureScheme::Ecdsa, KeyKind::P256 | KeyKind::P384) => {
                // SP 800-73-4 part 2 section 3.2.4: as many octets as the curve has (FIPS 186-5 section 6.4.1).
                let len = self.kind.octets();
                let mut hash = vec![0; len.saturating_sub(value.len())];
                hash.extend(&value[..value.len().min(len)]);
                let signature = self.ask(piv::CHALLENGE, &hash)?;
                let verified = Self::arithmetic().verify_digest(&self.spki, scheme, digest, value, &signature);
                self.verified(signature.to_vec(), verified)
            }
            _ => Err(self.does_not_fit(scheme.name())),
        }
    }

    fn sign_message(&self, scheme: SignatureScheme, message: &mut dyn Content) -> Result<Vec<u8>, KeyError> {
        if (scheme, self.kind) != (SignatureScheme::Sm2, KeyKind::Sm2) {
            return Err(self.does_not_fit(scheme.name()));
        }
        // GM/T 0003.2 section 6.1: Z stands before the message, and the card signs the hash of both.
        let arithmetic = Self::arithmetic();
        let mut hasher = arithmetic.hasher(DigestAlgorithm::Sm3)?;
        hasher.update(&arithmetic.sm2_z(&self.spki, &self.sm2_id)?);
        let mut piece = vec![0; 64 * 1024];
        loop {
            match message.read(&mut piece) {
                Ok(0) => break,
                Ok(len) => hasher.update(&piece[..len]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(KeyError::Unreadable(error.to_string())),
            }
        }
        self.sign_sm2_digest(&hasher.finish())
    }

    fn sign_sm2_digest(&self, value: &[u8]) -> Result<Vec<u8>, KeyError> {
        if self.kind != KeyKind::Sm2 {
            return Err(self.does_not_fit("sm2 over a digest"));
        }
        let signature = self.ask(piv::CHALLENGE, value)?;
        let verified = Self::arithmetic().verify_sm2_digest(&self.spki, value, &signature);
        self.verified(signature.to_vec(), verified)
    }
}

impl Decryptor for PivKey {
    fn public_key(&self) -> &[u8] {
        &self.spki
    }

    fn unwrap_rsa_pkcs1(&self, encrypted_key: &[u8], key_len: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.unwrap_rsa_pkcs1_any(encrypted_key, &[key_len])
    }

    fn takes_several_lengths(&self) -> bool {
        true
    }

    fn unwrap_rsa_pkcs1_any(&self, encrypted_key: &[u8], key_lens: &[usize]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.is_rsa("rsa-pkcs1-v1_5")?;
        self.with_rsa(|rsa| rsa.unwrap_pkcs1(encrypted_key, key_lens, &self.rejection))
    }

    fn unwrap_rsa_oaep(
        &self,
        encrypted_key: &[u8],
        parameters: &OaepParameters,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.is_rsa("rsaes-oaep")?;
        self.with_rsa(|rsa| rsa.unwrap_oaep(encrypted_key, parameters))
    }

    fn unwrap_sm2(&self, encrypted_key: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Sm2Form), KeyError> {
        if self.kind != KeyKind::Sm2 {
            return Err(self.does_not_fit("sm2-encryption"));
        }
        // What is no ciphertext for this key, the card calls wrong data: it does not say more, and need not.
        let template =
            self.template(piv::CHALLENGE, encrypted_key).map_err(|error| match self.last_error.borrow().as_ref() {
                Some(HostError::Refused { status: StatusWord::WRONG_DATA, .. }) => {
                    KeyError::DecryptionFailed("sm2-encryption".to_owned())
                }
                _ => error,
            })?;
        // Only who has the key can tell the forms apart, so the card says which it was.
        let form = tlv::find(&template, piv::SM2_FORM).and_then(|form| form.first());
        let form = form.and_then(|form| Sm2Form::ALL.get(usize::from(*form)).copied());
        Ok((response(&template)?, form.unwrap_or(Sm2Form::Asn1)))
    }

    fn agree(&self, peer_spki: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        if matches!(self.kind, KeyKind::Rsa(_)) {
            return Err(self.does_not_fit("key agreement"));
        }
        self.ask(piv::EXPONENTIATION, &agreement_point(&self.spki, peer_spki)?)
    }
}
