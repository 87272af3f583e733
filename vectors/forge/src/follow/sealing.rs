//! The steps that put the entity into an object without signing it.

use std::io::Cursor;

use waxseal_engine::certificate::Certificate;
use waxseal_engine::cms::write::{ContentEncryption, KeyManagement, PasswordDerivation, Recipient, Shape, Tamper};
use waxseal_engine::message::{self, EncloseRequest, Enclosure, EncryptRequest};
use waxseal_key::{ContentCipher, DigestAlgorithm, KeyWrap, OaepParameters, SeededRandom, Signer};
use waxseal_model::{
    AuthenticateStep, CompressStep, DigestStep, EncryptStep, EncryptWithKeyStep, Hp, Identifier,
    KeyManagement as Described, SharedKey, Spelling,
};

use super::{Way, encoded, hide, identifier, sm2};
use crate::spelling::{Object, shape};
use crate::{ForgeError, credentials};

impl Way<'_> {
    pub(super) fn encrypt(&mut self, step: &EncryptStep) -> Result<Vec<u8>, ForgeError> {
        let certificates =
            step.to.iter().map(|name| credentials::certificate(self.pki, name)).collect::<Result<Vec<_>, _>>()?;
        let keys = step.keys.iter().map(|key| self.shared_key(key)).collect::<Result<Vec<_>, _>>()?;
        let mut recipients = Recipient::certificates(&certificates);
        recipients.extend(keys.iter().map(|(id, key)| Recipient::Key { id, key }));
        recipients.extend(step.passwords.iter().map(|password| Recipient::Password(password.as_bytes())));
        let mut request = EncryptRequest::new(&recipients, &self.arithmetic);
        request.key_management = self.key_management(&step.key_management)?;
        request.cipher = self.cipher(&step.cipher)?;
        if let (ContentEncryption::Aead { tag_len, .. }, Some(octets)) = (&mut request.cipher, step.tag_octets) {
            *tag_len = usize::from(octets);
        }
        let usual = sm2::begin(encoded(step.segment), &step.sm2);
        request.shape = Shape {
            recipient_id: match step.identifier {
                // What a dialect has of its own is what is usual in it.
                Identifier::IssuerAndSerial if step.sm2.dialect.is_some() => usual.recipient_id,
                given => identifier(given),
            },
            authenticated_content_type: step.authenticated_attributes,
            ..usual
        };
        sm2::apply(&mut request.shape, &step.sm2).map_err(|what| self.cannot(what))?;
        let signer_keys = self.signer_keys(&step.signed_by, &step.sm2)?;
        let own = step.signed_by.iter().map(|name| credentials::certificate(self.pki, name));
        let own = own.collect::<Result<Vec<_>, _>>()?;
        let signers: Vec<(&dyn Signer, &Certificate)> = signer_keys.iter().map(|key| &**key).zip(&own).collect();
        let mut issuers = Vec::new();
        for name in step.signed_by.iter().flat_map(|signer| self.pki.path_without_root(signer).into_iter().skip(1)) {
            issuers.push(credentials::certificate(self.pki, name)?);
        }
        request.signers = &signers;
        request.certificates = &issuers;
        let object = if request.cipher.is_authenticated() && !step.tag_in_content {
            Object::AuthEnveloped
        } else {
            Object::Enveloped
        };
        request.mime = shape(&step.mime, object);
        if step.protect_headers.as_ref().is_some_and(|protect| protect.hp != Hp::Cipher) {
            return Err(self.cannot("what is encrypted has hp=\"cipher\" (RFC 9788 section 2.1.1)"));
        }
        request.protect_headers = step.protect_headers.as_ref().map(hide);
        request.tamper =
            Tamper { unfit_certificates: true, authenticated_in_enveloped: step.tag_in_content, ..Tamper::default() };
        let mut random = self.random();
        let mut out = Vec::new();
        message::encrypt(&mut Cursor::new(&self.message), &mut out, &request, &mut random)
            .map_err(|source| ForgeError::Wrap { step: self.step, source })?;
        self.last_signature = None;
        self.lines(out, step.mime.base64_line)
    }

    pub(super) fn compress(&mut self, step: &CompressStep) -> Result<Vec<u8>, ForgeError> {
        self.enclose(Enclosure::Compressed { level: 6 }, encoded(step.segment), &step.mime)
    }

    pub(super) fn digest(&mut self, step: &DigestStep) -> Result<Vec<u8>, ForgeError> {
        let digest = self.digest_algorithm(&step.digest)?;
        self.enclose(Enclosure::Digested { digest }, encoded(step.segment), &step.mime)
    }

    pub(super) fn encrypt_with_key(&mut self, step: &EncryptWithKeyStep) -> Result<Vec<u8>, ForgeError> {
        let (key, cipher) = (self.octets(&step.key)?, self.cipher(&step.cipher)?);
        let mut shape = sm2::begin(encoded(step.segment), &step.sm2);
        sm2::apply(&mut shape, &step.sm2).map_err(|what| self.cannot(what))?;
        self.enclose(Enclosure::Encrypted { key: &key, cipher }, shape, &step.mime)
    }

    pub(super) fn authenticate(&mut self, step: &AuthenticateStep) -> Result<Vec<u8>, ForgeError> {
        let certificates =
            step.to.iter().map(|name| credentials::certificate(self.pki, name)).collect::<Result<Vec<_>, _>>()?;
        let recipients = Recipient::certificates(&certificates);
        let key_management = self.key_management(&step.key_management)?;
        let digest = self.digest_algorithm(&step.digest)?;
        let mut shape = encoded(step.segment);
        if step.no_attributes {
            shape.attributes.clear();
        }
        let into = Enclosure::Authenticated { recipients: &recipients, key_management: &key_management, digest };
        self.enclose(into, shape, &step.mime)
    }

    fn enclose(&mut self, into: Enclosure<'_>, written: Shape, mime: &Spelling) -> Result<Vec<u8>, ForgeError> {
        let object = match into {
            Enclosure::Compressed { .. } => Object::Compressed,
            _ => Object::Other,
        };
        let mut request = EncloseRequest::new(into, &self.arithmetic);
        request.shape = written;
        request.mime = shape(mime, object);
        request.tamper.unfit_certificates = true;
        let mut random = self.random();
        let mut out = Vec::new();
        message::enclose(&mut Cursor::new(&self.message), &mut out, &request, &mut random)
            .map_err(|source| ForgeError::Wrap { step: self.step, source })?;
        self.last_signature = None;
        self.lines(out, mime.base64_line)
    }

    /// Random numbers that follow from case and step.
    fn random(&self) -> SeededRandom {
        SeededRandom::new(&format!("{} step {}", self.id, self.step))
    }

    fn key_management(&self, described: &Described) -> Result<KeyManagement, ForgeError> {
        let digest = |name: &Option<String>| name.as_deref().map(|name| self.digest_algorithm(name)).transpose();
        let oaep = match &described.oaep {
            None => None,
            Some(oaep) => {
                let label = oaep.label.clone().into_bytes();
                let of_label = digest(&oaep.digest)?.unwrap_or(DigestAlgorithm::Sha256);
                let mgf = digest(&oaep.mgf)?.unwrap_or(of_label);
                Some(OaepParameters { digest: of_label, mgf, label })
            }
        };
        let wrap = described
            .wrap
            .as_deref()
            .map(|name| KeyWrap::from_name(name).ok_or_else(|| self.cannot(format!("{name:?} is no key wrap"))));
        let usual = PasswordDerivation::default();
        let cipher = described.password_cipher.as_deref().map(|name| {
            ContentCipher::from_name(name).ok_or_else(|| self.cannot(format!("{name:?} is no cipher in CBC mode")))
        });
        Ok(KeyManagement {
            oaep,
            derivation: digest(&described.derivation)?,
            cofactor: described.cofactor,
            sm2_agreement: described.sm2_agreement,
            wrap: wrap.transpose()?,
            ukm_len: described.ukm.map_or(0, usize::from),
            password: PasswordDerivation {
                prf: digest(&described.prf)?.unwrap_or(usual.prf),
                // A case is read many times.
                iterations: described.iterations.unwrap_or(10_000),
                cipher: cipher.transpose()?.unwrap_or(usual.cipher),
                ..usual
            },
        })
    }

    fn cipher(&self, name: &str) -> Result<ContentEncryption, ForgeError> {
        name.parse().map_err(|what| self.cannot(format!("{name:?} is no content cipher: {what}")))
    }

    pub(super) fn digest_algorithm(&self, name: &str) -> Result<DigestAlgorithm, ForgeError> {
        DigestAlgorithm::from_name(name).ok_or_else(|| self.cannot(format!("{name:?} is no digest algorithm")))
    }

    fn shared_key(&self, key: &SharedKey) -> Result<(Vec<u8>, Vec<u8>), ForgeError> {
        Ok((self.octets(&key.id)?, self.octets(&key.key)?))
    }

    fn octets(&self, hex: &str) -> Result<Vec<u8>, ForgeError> {
        crate::hex::octets(hex).ok_or_else(|| self.cannot(format!("{hex:?} is not hexadecimal")))
    }
}
