//! From recipientInfos and the keys at hand to a content key (RFC 5652 section
//! 6.2).

use waxseal_key::{Decryptor, KeyError, OaepParameters, PublicKeyAlgorithm, algorithm, same_public_key};
use waxseal_verdict::{Aspect, Deviation, Reason, Recipient};
use zeroize::Zeroizing;

mod agreement;
mod encapsulation;
mod shared;

use crate::certificate::Certificate;
use crate::check::Check;
use crate::cms::{AlgorithmIdentifier, Envelope, RecipientInfo, SignerIdentifier, oid};
use crate::message::cipher::Cipher;
use crate::message::context::{Context, key_aspect};

/// Why a content could not even be tried.
pub(super) enum Refusal {
    Structure(Aspect),
    Decryption(Aspect),
}

impl Refusal {
    /// An algorithm that is not done here.
    pub(super) fn unsupported(place: &str, name: &str) -> Self {
        Self::Structure(Aspect::bad(Reason::UnsupportedAlgorithm, format!("{place}: {name} is not supported")))
    }

    /// Parameters that do not fit their algorithm.
    pub(super) fn bad_parameters(place: &str, why: impl std::fmt::Display) -> Self {
        Self::Structure(Aspect::bad(Reason::BadParameters, format!("{place}: {why}")))
    }

    /// What an operation with a key said.
    pub(super) fn key(error: &KeyError, place: &str) -> Self {
        match error {
            KeyError::BadParameters { .. } => Self::bad_parameters(place, error),
            error => Self::Decryption(key_aspect(error, Reason::WrongKey)),
        }
    }
}

/// A key that may open the message: which recipient, which key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    recipient: usize,
    /// Which of its keys, where a recipient has several (key agreement).
    key: usize,
    /// Octets of the content key that is tried.
    key_len: usize,
    holder: Holder,
}

impl Candidate {
    /// Whether the other one is the same pair, with another length of the
    /// content key.
    pub(super) fn is_pair_of(&self, other: &Self) -> bool {
        (self.recipient, self.key, self.holder) == (other.recipient, other.key, other.holder)
    }

    /// The certificate of the key, if it is a private one.
    pub(super) fn reader<'a>(&self, context: &'a Context<'_>) -> Option<&'a Certificate> {
        let Holder::Credential(index) = self.holder else { return None };
        let request = context.request;
        let credential = &request.credentials[index];
        let key = credential.decryptor.public_key();
        let same_key =
            || request.extra_certificates.iter().find(|certificate| same_public_key(certificate.spki(), key));
        credential.certificate.as_ref().or_else(same_key)
    }
}

/// Where the key comes from, by its place in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// A private key.
    Credential(usize),
    /// A key that both sides have.
    Key(usize),
    /// A password.
    Password(usize),
}

/// Recipients of a message, and the path of the structure that names them.
pub(super) struct Recipients<'a> {
    pub(super) infos: &'a [RecipientInfo],
    pub(super) owner: &'static str,
    /// Octets that a content key may have, likely lengths first.
    pub(super) key_lens: Vec<usize>,
}

/// Lengths that are tried one after the other, where the holder of a key takes
/// one at a time.
const MOST_LENGTHS: usize = 3;

impl Recipients<'_> {
    /// Every pair of recipient and key that belong together.
    /// RSA PKCS#1 v1.5 must be told the length of the content key; where the
    /// holder of the key takes one at a time, each length is a try of its own.
    pub(super) fn candidates(&self, context: &Context<'_>) -> Vec<Candidate> {
        let usual = self.key_lens.first().copied().unwrap_or_default();
        let mut list = Vec::new();
        for (recipient, info) in self.infos.iter().enumerate() {
            let mut push = |key: usize, holder: Holder| list.push(Candidate { recipient, key, key_len: usual, holder });
            match info {
                RecipientInfo::KeyTransport { id, algorithm, .. } => {
                    for index in named_credentials(id, context) {
                        let several = context.request.credentials[index].decryptor.takes_several_lengths();
                        let one_by_one = algorithm.oid == oid::RSA_ENCRYPTION && !several;
                        let lens = if one_by_one { self.key_lens.as_slice() } else { &[usual] };
                        for key_len in lens.iter().copied().take(MOST_LENGTHS) {
                            list.push(Candidate { recipient, key: 0, key_len, holder: Holder::Credential(index) });
                        }
                    }
                }
                RecipientInfo::KeyAgreement(info) => {
                    for (key, agreed) in info.recipients.iter().enumerate() {
                        let holders = named_credentials(&agreed.id, context);
                        holders.for_each(|index| push(key, Holder::Credential(index)));
                    }
                }
                RecipientInfo::KeyEncryptionKey { id, .. } => {
                    let keys = context.request.secrets.keys.iter().enumerate();
                    let named = keys.filter(|(_, key)| key.id == *id || !Check::RecipientMatch.on());
                    named.for_each(|(index, _)| push(0, Holder::Key(index)));
                }
                RecipientInfo::Password { .. } => {
                    (0..context.request.secrets.passwords.len()).for_each(|index| push(0, Holder::Password(index)));
                }
                RecipientInfo::KeyEncapsulation(info) => {
                    named_credentials(&info.id, context).for_each(|index| push(0, Holder::Credential(index)));
                }
                RecipientInfo::Other { .. } => {}
            }
        }
        list
    }

    /// The keys that both sides have, for content without recipients: those of
    /// the right length.
    pub(super) fn shared_keys(cipher: &Cipher, context: &Context<'_>) -> Vec<Candidate> {
        let keys = context.request.secrets.keys.iter().enumerate();
        let fitting = keys.filter(|(_, key)| cipher.takes_key_len(key.key.len()));
        fitting.map(|(index, _)| Candidate { recipient: 0, key: 0, key_len: 0, holder: Holder::Key(index) }).collect()
    }

    /// The content key that a candidate leads to. What is odd about how it
    /// was encrypted is put into `deviations`.
    pub(super) fn content_key(
        &self,
        candidate: Candidate,
        context: &Context<'_>,
        deviations: &mut Vec<Deviation>,
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let place = format!("{}.recipientInfos[{}].keyEncryptionAlgorithm", self.owner, candidate.recipient);
        let Some(info) = self.infos.get(candidate.recipient) else {
            return match candidate.holder {
                Holder::Key(index) => Ok(context.request.secrets.keys[index].key.clone()),
                Holder::Credential(_) | Holder::Password(_) => Err(self.none(context)),
            };
        };
        match (info, candidate.holder) {
            (RecipientInfo::KeyTransport { algorithm, encrypted_key, .. }, Holder::Credential(index)) => {
                let decryptor = context.request.credentials[index].decryptor;
                check_kind(algorithm, decryptor, &place)?;
                match algorithm.oid.as_str() {
                    oid::RSA_ENCRYPTION if decryptor.takes_several_lengths() && !self.key_lens.is_empty() => {
                        decryptor.unwrap_rsa_pkcs1_any(encrypted_key, &self.key_lens)
                    }
                    oid::RSA_ENCRYPTION => decryptor.unwrap_rsa_pkcs1(encrypted_key, candidate.key_len),
                    oid::RSAES_OAEP => {
                        let parameters = OaepParameters::from_der(algorithm.parameters.as_deref())
                            .map_err(|error| Refusal::bad_parameters(&place, error))?;
                        decryptor.unwrap_rsa_oaep(encrypted_key, &parameters)
                    }
                    sm2 if oid::SM2_TRANSPORT.contains(&sm2) => {
                        decryptor.unwrap_sm2(encrypted_key).map(|(key, form)| {
                            deviations.extend(crate::message::sm2::ciphertext(form));
                            key
                        })
                    }
                    _ => return Err(Refusal::unsupported(&place, &algorithm.name())),
                }
                .map_err(|error| Refusal::key(&error, &place))
            }
            (RecipientInfo::KeyAgreement(info), Holder::Credential(index)) => {
                let agreed = info.recipients.get(candidate.key).ok_or_else(|| self.none(context))?;
                agreement::content_key(info, agreed, context.request.credentials[index].decryptor, &place, context)
            }
            (RecipientInfo::KeyEncapsulation(info), Holder::Credential(index)) => {
                encapsulation::content_key(info, context.request.credentials[index].decryptor, &place, context)
            }
            (RecipientInfo::KeyEncryptionKey { algorithm, encrypted_key, .. }, Holder::Key(index)) => {
                shared::under_key(algorithm, &context.request.secrets.keys[index].key, encrypted_key, &place, context)
            }
            (RecipientInfo::Password { derivation, algorithm, encrypted_key, .. }, Holder::Password(index)) => {
                let password = &context.request.secrets.passwords[index];
                shared::under_password(derivation.as_ref(), algorithm, password, encrypted_key, &place, context)
            }
            _ => Err(Refusal::unsupported(&place, &key_management_name(info))),
        }
    }

    /// Why there is no candidate.
    pub(super) fn none(&self, context: &Context<'_>) -> Refusal {
        if self.infos.is_empty() && self.owner == Envelope::Encrypted.name() {
            let detail = "EncryptedData names no recipients, and no key of the right length was given";
            return Refusal::Decryption(Aspect::bad(Reason::NoKey, detail));
        }
        if self.infos.is_empty() {
            let detail = format!("{}.recipientInfos is empty: nobody can read this", self.owner);
            return Refusal::Decryption(Aspect::bad(Reason::NoRecipient, detail));
        }
        let readable = |info: &RecipientInfo| !matches!(info, RecipientInfo::Other { .. });
        match self.infos.iter().position(|info| !readable(info)) {
            Some(index) if !self.infos.iter().any(readable) => {
                let place = format!("{}.recipientInfos[{index}]", self.owner);
                Refusal::unsupported(&place, &format!("a recipient of kind {}", self.infos[index].kind()))
            }
            _ => {
                let count = self.infos.len();
                let given = &context.request.credentials;
                let alone = given.iter().filter(|given| given.certificate.is_none()).count();
                let secrets = context.request.secrets;
                let detail = if given.is_empty() && secrets.keys.is_empty() && secrets.passwords.is_empty() {
                    format!("no key was given for any of the {count} recipients")
                } else if alone > 0 {
                    // A recipient is named by what stands in a certificate (RFC 5652 section 6.2.1).
                    format!(
                        "none of the keys given is known to belong to one of the {count} recipients; \
                         {alone} of them came without a certificate, by which a recipient is found"
                    )
                } else {
                    format!("none of the keys given belongs to one of the {count} recipients")
                };
                Refusal::Decryption(Aspect::bad(Reason::NoKey, detail))
            }
        }
    }

    /// The recipients as a verdict shows them.
    pub(super) fn describe(&self, candidates: &[Candidate]) -> Vec<Recipient> {
        let describe = |(index, info): (usize, &RecipientInfo)| Recipient {
            kind: info.kind().to_owned(),
            id: info.to_string(),
            algorithm: key_management_name(info),
            matched: candidates.iter().any(|candidate| candidate.recipient == index),
        };
        self.infos.iter().enumerate().map(describe).collect()
    }
}

/// The credentials whose certificate, or whose key, an identifier names.
fn named_credentials<'a>(id: &'a SignerIdentifier, context: &'a Context<'_>) -> impl Iterator<Item = usize> + 'a {
    let request = context.request;
    let is_named = move |credential: &crate::message::Credential<'_>| {
        let key = credential.decryptor.public_key();
        let by_certificate = credential
            .certificate
            .iter()
            .chain(request.extra_certificates.iter().filter(|certificate| same_public_key(certificate.spki(), key)))
            .any(|certificate| context.is_named(certificate, id));
        let by_key = matches!(id, SignerIdentifier::SubjectKeyIdentifier(key_id)
            if context.key_identifier(key).as_deref() == Some(key_id.as_slice()));
        by_certificate || by_key || !Check::RecipientMatch.on()
    };
    request.credentials.iter().enumerate().filter(move |(_, credential)| is_named(credential)).map(|(index, _)| index)
}

/// Refuses a key of another kind than the algorithm of the key transport works
/// with, as one that does not open the message.
fn check_kind(algorithm: &AlgorithmIdentifier, decryptor: &dyn Decryptor, place: &str) -> Result<(), Refusal> {
    use PublicKeyAlgorithm as P;
    let Ok(key) = waxseal_key::describe_public_key(decryptor.public_key()) else { return Ok(()) };
    let fits = match algorithm.oid.as_str() {
        oid::RSA_ENCRYPTION | oid::RSAES_OAEP => matches!(key.algorithm, P::Rsa | P::RsaOaep | P::RsaPss),
        sm2 if oid::SM2_TRANSPORT.contains(&sm2) => key.algorithm == P::Sm2,
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let detail = format!(
        "{place}: {} does not go with the recipient's key, which is of the kind {}",
        algorithm.name(),
        key.algorithm
    );
    Err(Refusal::Decryption(Aspect::bad(Reason::WrongKey, detail)))
}

/// The key management algorithm by its name in the algorithm table.
fn key_management_name(info: &RecipientInfo) -> String {
    let algorithm = match info {
        RecipientInfo::KeyTransport { algorithm, .. } if algorithm.oid == oid::RSA_ENCRYPTION => {
            return "rsa-pkcs1-v1_5".to_owned();
        }
        RecipientInfo::KeyTransport { algorithm, .. }
        | RecipientInfo::KeyEncryptionKey { algorithm, .. }
        | RecipientInfo::Password { algorithm, .. } => algorithm,
        RecipientInfo::KeyAgreement(info) => &info.algorithm,
        RecipientInfo::KeyEncapsulation(info) => &info.kem,
        RecipientInfo::Other { oid } => {
            return algorithm::by_oid(oid).map_or_else(|| oid.clone(), |row| row.name.to_owned());
        }
    };
    AlgorithmIdentifier::name(algorithm)
}
