//! Recipients that share a secret with the sender: a key, or a password.

use waxseal_key::{DigestAlgorithm, KeyWrap, Random};

use super::{Info, Wrapping, tagged};
use crate::ber::writer::{self, tag};
use crate::cms::oid;
use crate::cms::write::WriteError;
use crate::cms::write::identifier::algorithm_with;

impl Wrapping<'_> {
    /// KEKRecipientInfo (RFC 5652 section 6.2.3).
    pub(super) fn under_key(
        &self,
        id: &[u8],
        under: &[u8],
        key: &[u8],
        random: &mut dyn Random,
    ) -> Result<Info, WriteError> {
        let fitting = |wrap: &KeyWrap| wrap.key_len() == under.len();
        let wrap = self
            .key_management
            .wrap
            .or_else(|| [KeyWrap::Aes128, KeyWrap::Aes192, KeyWrap::Aes256].into_iter().find(fitting));
        let wrap = wrap.ok_or(WriteError::Recipe("a key-encryption key of AES has 16, 24 or 32 octets"))?;
        let null = if wrap == KeyWrap::TripleDes { writer::null() } else { Vec::new() };
        let wrapped = self.arithmetic.wrap_key(wrap, under, key, random)?;
        let fields = [
            self.version(4),
            writer::sequence([writer::octet_string(id)]),
            algorithm_with(wrap.oid(), &null)?,
            writer::octet_string(&wrapped),
        ];
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        Ok(Info { der: tagged(2, &fields), version: 4, is_new_kind: false })
    }

    /// PasswordRecipientInfo (RFC 5652 section 6.2.4, RFC 3211).
    pub(super) fn under_password(
        &self,
        password: &[u8],
        key: &[u8],
        random: &mut dyn Random,
    ) -> Result<Info, WriteError> {
        let derivation = self.key_management.password;
        let mut salt = vec![0; derivation.salt_len];
        random.fill(&mut salt);
        let mut iv = vec![0; derivation.cipher.iv_len()];
        random.fill(&mut iv);
        let under = self.arithmetic.pbkdf2(
            derivation.prf,
            password,
            &salt,
            derivation.iterations,
            derivation.cipher.key_len(),
        )?;
        let wrapped = self.arithmetic.password_wrap(derivation.cipher, &under, &iv, key, random)?;

        // HMAC with SHA-1 is the default, which DER leaves out (RFC 8018 appendix A.2).
        let prf = match derivation.prf {
            DigestAlgorithm::Sha1 => Vec::new(),
            prf => {
                let oid = prf.hmac_oid().ok_or(WriteError::Recipe("PBKDF2 has no HMAC with this digest"))?;
                algorithm_with(oid, &writer::null())?
            }
        };
        let parameters =
            writer::sequence([writer::octet_string(&salt), writer::integer(u64::from(derivation.iterations)), prf]);
        let pbkdf2 = [writer::oid(oid::PBKDF2)?, parameters];
        let cipher = algorithm_with(derivation.cipher.oid(), &derivation.cipher.parameters_der(&iv)?)?;
        let fields = [
            self.version(0),
            writer::constructed(tag::context(0), pbkdf2),
            algorithm_with(oid::PASSWORD_WRAP, &cipher)?,
            writer::octet_string(&wrapped),
        ];
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        Ok(Info { der: tagged(3, &fields), version: 0, is_new_kind: true })
    }
}
