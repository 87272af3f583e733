//! RecipientInfo (RFC 5652 section 6.2): one way to the content key for each
//! recipient.

mod agreement;
mod encapsulation;
mod management;
mod shared;
mod transport;

use waxseal_key::{Arithmetic, KeyWrap, PublicKeyAlgorithm, Random};

pub use management::{KeyManagement, PasswordDerivation};

use super::identifier::certificate_id;
use super::{Family, IdentifierForm, Order, Shape, Tamper, WriteError};
use crate::ber::writer::{self, tag};
use crate::certificate::{Certificate, KeyUsage};

/// Who can read what is written.
#[derive(Debug, Clone, Copy)]
pub enum Recipient<'a> {
    /// The holder of the key of a certificate. The kind of that key decides:
    /// key transport (RSA), key agreement (elliptic curves, X25519) or key
    /// encapsulation (ML-KEM).
    Certificate(&'a Certificate),
    /// Who has this key-encryption key (RFC 5652 section 6.2.3).
    Key {
        /// The name that both sides have for it: keyIdentifier.
        id: &'a [u8],
        /// The key, of 16, 24 or 32 octets.
        key: &'a [u8],
    },
    /// Who knows this password (RFC 5652 section 6.2.4).
    Password(&'a [u8]),
}

impl<'a> Recipient<'a> {
    /// The holders of the keys of these certificates.
    #[must_use]
    pub fn certificates(certificates: &'a [Certificate]) -> Vec<Self> {
        certificates.iter().map(Self::Certificate).collect()
    }
}

/// One way to one recipient, and what the version of the object follows from.
pub(super) struct Info {
    /// The RecipientInfo.
    der: Vec<u8>,
    /// Its version.
    version: u64,
    /// Whether it is a PasswordRecipientInfo or an OtherRecipientInfo.
    is_new_kind: bool,
}

/// What all recipients of one object share.
pub(super) struct Wrapping<'a> {
    pub(super) recipients: &'a [Recipient<'a>],
    pub(super) key_management: &'a KeyManagement,
    pub(super) shape: &'a Shape,
    pub(super) tamper: &'a Tamper,
    pub(super) arithmetic: &'a Arithmetic,
}

/// recipientInfos, and the version of an EnvelopedData that has them and
/// neither originatorInfo nor unprotectedAttrs (RFC 5652 section 6.1).
pub(super) struct RecipientInfos {
    pub(super) der: Vec<u8>,
    pub(super) enveloped_version: u64,
}

impl<'a> Wrapping<'a> {
    /// Looks whether every recipient can be one, before anything is written.
    pub(super) fn new(
        recipients: &'a [Recipient<'a>],
        key_management: &'a KeyManagement,
        shape: &'a Shape,
        tamper: &'a Tamper,
        arithmetic: &'a Arithmetic,
    ) -> Result<Self, WriteError> {
        let wrapping = Self { recipients, key_management, shape, tamper, arithmetic };
        wrapping.check()?;
        Ok(wrapping)
    }

    fn check(&self) -> Result<(), WriteError> {
        if self.recipients.is_empty() {
            return Err(WriteError::NoRecipient);
        }
        let certificates = self.recipients.iter().filter_map(|recipient| match recipient {
            Recipient::Certificate(certificate) => Some(*certificate),
            _ => None,
        });
        for certificate in certificates {
            let (_, usage, needed) = self.way(certificate)?;
            let forbidden = certificate.key_usage().is_some_and(|bits| !bits.any_of(usage));
            if forbidden && !self.tamper.unfit_certificates {
                let subject = certificate.subject();
                return Err(WriteError::KeyUsage { subject, purpose: "encryption", needed });
            }
        }
        Ok(())
    }

    /// Wraps the key for every recipient.
    pub(super) fn infos(&self, key: &[u8], random: &mut dyn Random) -> Result<RecipientInfos, WriteError> {
        let infos = self.recipients.iter().map(|recipient| self.info(recipient, key, random));
        let infos = infos.collect::<Result<Vec<_>, _>>()?;
        let foreign = |recipient: &Recipient<'_>| !matches!(recipient, Recipient::Certificate(_));
        let agreement = self.key_management.sm2_agreement;
        if self.shape.family == Family::Gmt && (agreement || self.recipients.iter().any(foreign)) {
            return Err(WriteError::Recipe(
                "GM/T 0010 knows recipients with keys that are encrypted to a certificate, and no others",
            ));
        }
        let enveloped_version = match &infos {
            // GM/T 0010 has 1; CFCA's kit, with recipients by key identifier, 2.
            infos if self.shape.family == Family::Gmt => infos.iter().map(|info| info.version).max().unwrap_or(1),
            infos if infos.iter().any(|info| info.is_new_kind) => 3,
            infos if infos.iter().all(|info| info.version == 0) => 0,
            _ => 2,
        };
        let infos: Vec<_> = infos.into_iter().map(|info| info.der).collect();
        let der = match self.shape.set_order {
            Order::Der => writer::set_of(infos),
            Order::AsGiven => writer::set_as_given(infos),
        };
        Ok(RecipientInfos { der, enveloped_version })
    }

    fn info(&self, recipient: &Recipient<'_>, key: &[u8], random: &mut dyn Random) -> Result<Info, WriteError> {
        match recipient {
            Recipient::Certificate(certificate) => match self.way(certificate)?.0 {
                Way::Transport => self.transport(certificate, key, random),
                Way::Agreement => self.agreement(certificate, key, random),
                Way::Encapsulation => self.encapsulation(certificate, key, random),
            },
            Recipient::Key { id, key: under } => self.under_key(id, under, key, random),
            Recipient::Password(password) => self.under_password(password, key, random),
        }
    }

    /// The version, as it follows from the structure or from a tampering.
    fn version(&self, right: u64) -> Vec<u8> {
        writer::integer(self.tamper.info_version.unwrap_or(right))
    }

    /// The key wrap for a content key, with its AlgorithmIdentifier.
    fn wrap(&self, key: &[u8]) -> Result<(KeyWrap, Vec<u8>), WriteError> {
        let wrap = self.key_management.wrap.unwrap_or(match key.len() {
            ..=16 => KeyWrap::Aes128,
            17..=24 => KeyWrap::Aes192,
            _ => KeyWrap::Aes256,
        });
        // RFC 3370 section 4.3.1 wants NULL of Triple DES; all others have nothing (RFC 3565 section 2.3.2).
        let null = if wrap == KeyWrap::TripleDes { writer::null() } else { Vec::new() };
        Ok((wrap, writer::sequence([writer::oid(wrap.oid())?, null])))
    }

    /// Material that makes a derived key differ from that of another message
    /// of the same two keys, where some is wanted.
    fn ukm(&self, random: &mut dyn Random) -> Option<Vec<u8>> {
        let mut ukm = vec![0; self.key_management.ukm_len];
        random.fill(&mut ukm);
        Some(ukm).filter(|ukm| !ukm.is_empty())
    }

    /// What the kind of the key of a certificate allows, and the bit of keyUsage
    /// that goes with it (RFC 8550 section 4.4.2, RFC 5480 section 3, RFC 9935
    /// section 5). SM2 keys do both transport and agreement.
    fn way(&self, certificate: &Certificate) -> Result<(Way, KeyUsage, &'static str), WriteError> {
        use PublicKeyAlgorithm as P;
        let algorithm = waxseal_key::describe_public_key(certificate.spki())?.algorithm;
        Ok(match algorithm {
            P::Rsa | P::RsaOaep => (Way::Transport, KeyUsage::KEY_ENCIPHERMENT, "keyEncipherment"),
            P::Sm2 if !self.key_management.sm2_agreement => {
                (Way::Transport, KeyUsage::KEY_ENCIPHERMENT, "keyEncipherment")
            }
            P::P256 | P::P384 | P::P521 | P::Sm2 | P::X25519 => {
                (Way::Agreement, KeyUsage::KEY_AGREEMENT, "keyAgreement")
            }
            P::MlKem512 | P::MlKem768 | P::MlKem1024 => {
                (Way::Encapsulation, KeyUsage::KEY_ENCIPHERMENT, "keyEncipherment")
            }
            other => {
                return Err(WriteError::KeyKind {
                    subject: certificate.subject(),
                    kind: other.to_string(),
                    purpose: "encryption",
                    expected: "a key of RSA, P-256, P-384, P-521, X25519, ML-KEM or SM2 would do",
                });
            }
        })
    }

    /// The identifier of a certificate, and whether it is the newer form.
    fn id(&self, certificate: &Certificate) -> Result<(Vec<u8>, bool), WriteError> {
        let form = self.shape.recipient_id;
        Ok((certificate_id(certificate, form)?, form == IdentifierForm::SubjectKeyId))
    }
}

/// How a key gets to the holder of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// KeyTransRecipientInfo (RFC 5652 section 6.2.1).
    Transport,
    /// KeyAgreeRecipientInfo (RFC 5652 section 6.2.2).
    Agreement,
    /// KEMRecipientInfo (RFC 9629).
    Encapsulation,
}

/// The fields of a RecipientInfo whose SEQUENCE is tagged implicitly.
fn tagged(number: u8, fields: &[&[u8]]) -> Vec<u8> {
    writer::constructed(tag::context(number), fields)
}
