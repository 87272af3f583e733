//! DigestedData (RFC 5652 section 7).

use std::io::Write;

use waxseal_key::{Arithmetic, DigestAlgorithm};

use super::content::each_chunk;
use super::frame::{Frame, Holder, Lengths};
use super::identifier::algorithm;
use super::{Content, Shape, Tamper, WriteError};
use crate::ber::writer::{self, element_len};
use crate::cms::oid;

/// A recipe for a DigestedData: a digest beside its content, which protects
/// from accidents only.
#[derive(Clone, Copy)]
pub struct DigestedData<'a> {
    /// The digest.
    pub digest: DigestAlgorithm,
    /// eContentType, dotted; [`oid::DATA`] in mail.
    pub content_type: &'a str,
    /// How it is written.
    pub shape: &'a Shape,
    /// What is wrong with it.
    pub tamper: &'a Tamper,
    /// Who hashes.
    pub arithmetic: &'a Arithmetic,
}

impl DigestedData<'_> {
    /// Writes the object, hashing the content on its way.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn write(&self, out: &mut dyn Write, content: &mut dyn Content) -> Result<(), WriteError> {
        let plan = self.shape.segments(0)?;
        let version = if self.content_type == oid::DATA { 0 } else { 2 };
        let mut head = writer::integer(self.tamper.version.unwrap_or(version));
        head.extend(algorithm(self.digest.oid(), self.shape.digest_parameters)?);
        let info = writer::oid(self.content_type)?;
        let frame = Frame { object: oid::DIGESTED_DATA, head, info, holder: Holder::EContent };
        let given = self.tamper.message_digest.as_deref();
        let tail = element_len(given.map_or(self.digest.output_len(), <[u8]>::len) as u64);
        let lengths = match plan {
            None => Lengths::Definite { content: Some(content.measure().map_err(WriteError::Read)?), tail },
            plan => Lengths::Indefinite { content: plan },
        };
        frame.write(out, lengths, |put| {
            let mut hasher = self.arithmetic.hasher(self.digest)?;
            each_chunk(content, |chunk, _| {
                hasher.update(chunk);
                Ok(put(chunk)?)
            })?;
            let value = hasher.finish();
            Ok(writer::octet_string(given.unwrap_or(&value)))
        })
    }
}
