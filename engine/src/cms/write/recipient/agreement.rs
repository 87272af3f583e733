//! Key agreement: ECDH with a key made for this message (RFC 5753 section
//! 3.1.1), X25519 (RFC 8418).

use waxseal_key::{DigestAlgorithm, PublicKeyAlgorithm, Random};

use super::{Info, Wrapping, tagged};
use crate::ber::writer::{self, tag};
use crate::ber::{Cursor, Tag};
use crate::certificate::Certificate;
use crate::cms::derivation::{AGREEMENTS, Derivation, shared_info};
use crate::cms::write::identifier::{algorithm_with, issuer_and_serial};
use crate::cms::write::{IdentifierForm, WriteError};

impl Wrapping<'_> {
    /// KeyAgreeRecipientInfo with one recipient (RFC 5652 section 6.2.2).
    pub(super) fn agreement(
        &self,
        certificate: &Certificate,
        key: &[u8],
        random: &mut dyn Random,
    ) -> Result<Info, WriteError> {
        let failed = WriteError::wrapping(certificate);
        let (oid, derivation) = self.scheme(certificate)?;
        let (wrap, wrap_der) = self.wrap(key)?;
        let (ephemeral, secret) = self.arithmetic.agree_ephemeral(certificate.spki(), random).map_err(&failed)?;
        let ukm = self.ukm(random);
        let info = shared_info(&wrap_der, ukm.as_deref(), wrap.key_len());
        let under = derivation.derive(self.arithmetic, &secret, &info, wrap.key_len()).map_err(&failed)?;
        let wrapped = self.arithmetic.wrap_key(wrap, &under, key, random).map_err(&failed)?;

        let originator = writer::context(0, &originator_key(&ephemeral)?);
        let ukm = ukm.map(|ukm| writer::context(1, &writer::octet_string(&ukm))).unwrap_or_default();
        let recipient = writer::sequence([self.key_agree_id(certificate)?, writer::octet_string(&wrapped)]);
        let fields = [self.version(3), originator, ukm, algorithm_with(oid, &wrap_der)?, writer::sequence([recipient])];
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        Ok(Info { der: tagged(1, &fields), version: 3, is_new_kind: false })
    }

    /// The scheme for the kind of key (RFC 5753 section 7.1.4, RFC 8418 section 2.3).
    fn scheme(&self, certificate: &Certificate) -> Result<(&'static str, Derivation), WriteError> {
        let algorithm = waxseal_key::describe_public_key(certificate.spki())?.algorithm;
        let digest = self.key_management.derivation.unwrap_or(match algorithm {
            PublicKeyAlgorithm::P384 => DigestAlgorithm::Sha384,
            PublicKeyAlgorithm::P521 => DigestAlgorithm::Sha512,
            _ => DigestAlgorithm::Sha256,
        });
        let derivation = match algorithm {
            PublicKeyAlgorithm::X25519 => Derivation::Hkdf(digest),
            _ => Derivation::X963(digest),
        };
        let form = self.key_management.form();
        let is_it = |row: &&(&str, _, Derivation)| row.2 == derivation && row.1 == form;
        AGREEMENTS.iter().find(is_it).map(|row| (row.0, row.2)).ok_or(WriteError::Recipe(
            "no agreement scheme has this key derivation: RFC 5753 section 7.1 has SHA-1, SHA-224, SHA-256, SHA-384 \
             and SHA-512, RFC 8418 for X25519 the last three, without cofactor",
        ))
    }

    /// KeyAgreeRecipientIdentifier: rKeyId holds the key identifier inside.
    fn key_agree_id(&self, certificate: &Certificate) -> Result<Vec<u8>, WriteError> {
        match self.shape.recipient_id {
            IdentifierForm::IssuerAndSerial => Ok(issuer_and_serial(certificate)),
            IdentifierForm::SubjectKeyId => {
                let missing = || WriteError::NoKeyIdentifier { subject: certificate.subject() };
                Ok(tagged(0, &[&writer::octet_string(certificate.ski().ok_or_else(missing)?)]))
            }
        }
    }
}

/// OriginatorPublicKey of a SubjectPublicKeyInfo: the parameters of a curve are
/// those of the recipient's key, and left out (RFC 5753 section 3.1.1).
fn originator_key(spki: &[u8]) -> Result<Vec<u8>, WriteError> {
    let damaged = WriteError::Recipe("the key that was made for the message is no SubjectPublicKeyInfo");
    let read = || {
        let mut fields = Cursor::new(spki, 0).take().ok()??.inside();
        let algorithm = fields.take().ok()??;
        let oid = algorithm.inside().take().ok()?.filter(|oid| oid.tag == Tag::OBJECT_IDENTIFIER)?;
        let key = fields.take().ok()??;
        Some(writer::constructed(tag::context(1), [writer::sequence([oid.whole]).as_slice(), key.whole]))
    };
    read().ok_or(damaged)
}
