//! Key transport: RSA (RFC 3370 section 4.2.1, RFC 3560), and SM2 (GM/T 0009,
//! GM/T 0010).

use waxseal_key::{DigestAlgorithm, OaepParameters, PublicKeyAlgorithm, Random};

use super::{Info, Wrapping};
use crate::ber::writer;
use crate::certificate::Certificate;
use crate::cms::oid;
use crate::cms::write::WriteError;
use crate::cms::write::identifier::{algorithm, algorithm_with};

impl Wrapping<'_> {
    /// KeyTransRecipientInfo (RFC 5652 section 6.2.1).
    pub(super) fn transport(
        &self,
        certificate: &Certificate,
        key: &[u8],
        random: &mut dyn Random,
    ) -> Result<Info, WriteError> {
        let spki = certificate.spki();
        let kind = waxseal_key::describe_public_key(spki)?.algorithm;
        let sm2 = &self.shape.sm2;
        let bound = kind == PublicKeyAlgorithm::RsaOaep;
        let usual = || bound.then(|| OaepParameters::usual(DigestAlgorithm::Sha256));
        let oaep = self.key_management.oaep.clone().or_else(usual);
        let (wrapped, algorithm) = match &oaep {
            _ if kind == PublicKeyAlgorithm::Sm2 => (
                self.arithmetic.wrap_sm2(spki, key, sm2.ciphertext.0, random),
                algorithm(sm2.encryption.oid(), sm2.encryption_parameters)?,
            ),
            None => (
                self.arithmetic.wrap_rsa_pkcs1(spki, key, random),
                algorithm_with(oid::RSA_ENCRYPTION, &writer::null())?,
            ),
            Some(parameters) => (
                self.arithmetic.wrap_rsa_oaep(spki, key, parameters, random),
                algorithm_with(oid::RSAES_OAEP, &parameters.to_der())?,
            ),
        };
        let wrapped = wrapped.map_err(WriteError::wrapping(certificate))?;
        let (id, by_key_id) = self.id(certificate)?;
        let version = if by_key_id { 2 } else { self.shape.family.version(0) };
        let fields = [self.version(version), id, algorithm, writer::octet_string(&wrapped)];
        Ok(Info { der: writer::sequence(fields), version, is_new_kind: false })
    }
}
