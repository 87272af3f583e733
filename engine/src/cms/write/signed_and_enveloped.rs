//! signedAndEnvelopedData of GM/T 0010: the content encrypted, and signatures on
//! it beside.
//!
//! The structure is that of PKCS #7 (RFC 2315 section 11.1), but signatures are
//! not encrypted once more, as none of those who write it do.

use std::io::Write;

use waxseal_key::{Random, SignatureScheme};

use super::content::each_chunk;
use super::enveloped::Sealing;
use super::recipient::Wrapping;
use super::{Content, EnvelopedData, Family, SignedData, WriteError};
use crate::ber::writer;
use crate::cms::oid;

/// A recipe for a signedAndEnvelopedData.
///
/// Shape and arithmetic are those of the envelope.
#[derive(Clone, Copy)]
pub struct SignedAndEnvelopedData<'a> {
    /// Who signs, and what is sent along.
    pub signed: SignedData<'a>,
    /// Who can read it.
    pub enveloped: EnvelopedData<'a>,
}

impl SignedAndEnvelopedData<'_> {
    /// Signs the content, draws a content key, and writes the object. The
    /// content is read three times.
    ///
    /// # Errors
    /// See [`WriteError`]; in CMS there is no such object.
    pub fn write(
        &self,
        out: &mut dyn Write,
        content: &mut dyn Content,
        random: &mut dyn Random,
    ) -> Result<(), WriteError> {
        let Self { signed, enveloped } = *self;
        let EnvelopedData { recipients, key_management, shape, tamper, arithmetic, cipher, content_type } = enveloped;
        if shape.family != Family::Gmt || cipher.is_authenticated() {
            return Err(WriteError::Recipe(
                "signedAndEnvelopedData is a content type of GM/T 0010 only, with a cipher in CBC mode; \
                 in CMS sign first and encrypt the signed mail",
            ));
        }
        if signed.signers.iter().any(|signer| signer.scheme != SignatureScheme::Sm2) {
            return Err(WriteError::Recipe("signedAndEnvelopedData of GM/T 0010 is signed with keys of SM2"));
        }
        signed.check_signers()?;
        let mut digester = signed.digester()?;
        each_chunk(content, |chunk, _| {
            digester.update(chunk);
            Ok(())
        })?;
        let after = signed.tail_beside(&digester.finish(), content, false)?;
        let wrapping = Wrapping::new(recipients, key_management, shape, tamper, arithmetic)?;
        let key = cipher.draw_key(random);
        let object = oid::GMT_SIGNED_AND_ENVELOPED_DATA;
        let sealing = Sealing { object, cipher, content_type, shape, tamper, arithmetic };
        let mut started = sealing.start(&key, content, random)?;
        started.after = after;
        let infos = wrapping.infos(&key, random)?;
        let mut head = writer::integer(tamper.version.unwrap_or(infos.enveloped_version));
        head.extend(infos.der);
        head.extend(signed.digest_algorithms()?);
        sealing.write(out, content, head, started)
    }
}
