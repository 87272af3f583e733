//! Key encapsulation: ML-KEM (RFC 9629, RFC 9936).

use waxseal_key::{DigestAlgorithm, PublicKeyAlgorithm, Random};

use super::{Info, Wrapping, tagged};
use crate::ber::writer;
use crate::certificate::Certificate;
use crate::cms::derivation::{Derivation, ENCAPSULATIONS, kem_other_info};
use crate::cms::oid;
use crate::cms::write::WriteError;
use crate::cms::write::identifier::algorithm_with;

impl Wrapping<'_> {
    /// KEMRecipientInfo in an OtherRecipientInfo (RFC 9629 section 3).
    pub(super) fn encapsulation(
        &self,
        certificate: &Certificate,
        key: &[u8],
        random: &mut dyn Random,
    ) -> Result<Info, WriteError> {
        let failed = WriteError::wrapping(certificate);
        let kem = match waxseal_key::describe_public_key(certificate.spki())?.algorithm {
            PublicKeyAlgorithm::MlKem512 => "2.16.840.1.101.3.4.4.1",
            PublicKeyAlgorithm::MlKem768 => "2.16.840.1.101.3.4.4.2",
            _ => "2.16.840.1.101.3.4.4.3",
        };
        let wanted = Derivation::Hkdf(self.key_management.derivation.unwrap_or(DigestAlgorithm::Sha256));
        let derivation = ENCAPSULATIONS.iter().find(|row| row.1 == wanted).ok_or(WriteError::Recipe(
            "no key derivation of encapsulation has this digest: RFC 9936 section 2 has HKDF with SHA-256, SHA-384 \
             and SHA-512",
        ))?;
        let (wrap, wrap_der) = self.wrap(key)?;
        let kek_length = wrap.key_len() as u64;
        let ukm = self.ukm(random);
        let (ciphertext, secret) = self.arithmetic.encapsulate(certificate.spki(), random).map_err(&failed)?;
        let info = kem_other_info(&wrap_der, kek_length, ukm.as_deref());
        let under = derivation.1.derive(self.arithmetic, &secret, &info, wrap.key_len()).map_err(&failed)?;
        let wrapped = self.arithmetic.wrap_key(wrap, &under, key, random).map_err(&failed)?;

        let ukm = ukm.map(|ukm| writer::context(0, &writer::octet_string(&ukm))).unwrap_or_default();
        let value = writer::sequence([
            self.version(0),
            self.id(certificate)?.0,
            algorithm_with(kem, &[])?,
            writer::octet_string(&ciphertext),
            algorithm_with(derivation.0, &[])?,
            writer::integer(kek_length),
            ukm,
            wrap_der,
            writer::octet_string(&wrapped),
        ]);
        Ok(Info { der: tagged(4, &[&writer::oid(oid::KEM_RECIPIENT)?, &value]), version: 0, is_new_kind: true })
    }
}
