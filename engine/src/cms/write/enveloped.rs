//! EnvelopedData (RFC 5652 section 6) with RSA PKCS#1 v1.5 key transport.

use std::io::Write;

use waxseal_key::{Arithmetic, BlockMode, ContentCipher, PublicKeyAlgorithm, Random};
use zeroize::Zeroizing;

use super::content::each_chunk;
use super::identifier::{algorithm, algorithm_with, certificate_id};
use super::{CHUNK, Content, IdentifierForm, Order, Parameters, Shape, Tamper, WriteError};
use crate::ber::writer::{self, Segments, Stream, StreamError, element_len, tag};
use crate::certificate::{Certificate, KeyUsage};
use crate::cms::oid;

/// A recipe for an EnvelopedData.
#[derive(Clone, Copy)]
pub struct EnvelopedData<'a> {
    /// Who can decrypt, in this order; the originator too, where a copy is kept
    /// (RFC 8551 section 3.3).
    pub recipients: &'a [Certificate],
    /// The content cipher.
    pub cipher: ContentCipher,
    /// contentType of what is encrypted, dotted; [`oid::DATA`] in mail.
    pub content_type: &'a str,
    /// How it is written.
    pub shape: &'a Shape,
    /// What is wrong with it.
    pub tamper: &'a Tamper,
    /// Who encrypts.
    pub arithmetic: &'a Arithmetic,
}

impl EnvelopedData<'_> {
    /// Draws a content key and an initialization vector, and writes the object.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn write(
        &self,
        out: &mut dyn Write,
        content: &mut dyn Content,
        random: &mut dyn Random,
    ) -> Result<(), WriteError> {
        if self.recipients.is_empty() {
            return Err(WriteError::NoRecipient);
        }
        for certificate in self.recipients {
            self.check_recipient(certificate)?;
        }
        let key = content_key(self.cipher, random);
        let mut iv = vec![0; self.cipher.iv_len()];
        random.fill(&mut iv);
        let mut head = writer::integer(self.tamper.version.unwrap_or_else(|| self.version()));
        head.extend(self.recipient_infos(&key, random)?);
        let mut info = writer::oid(self.content_type)?;
        info.extend(algorithm_with(self.cipher.oid(), &self.cipher.parameters_der(&iv)?)?);
        let encryption = Encryption {
            mode: self.arithmetic.cbc_encryptor(self.cipher, &key, &iv)?,
            block: self.cipher.block_len(),
            padding: self.tamper.padding.as_deref(),
        };
        match self.shape.encoding {
            super::Encoding::Der => write_definite(out, content, encryption, &head, &info),
            super::Encoding::Ber { segment: 0 } => {
                Err(WriteError::Recipe("segments of 0 octets: give a segment size of 1 at least"))
            }
            super::Encoding::Ber { .. } => self.write_indefinite(out, content, encryption, &head, &info),
        }
    }

    fn write_indefinite(
        &self,
        out: &mut dyn Write,
        content: &mut dyn Content,
        encryption: Encryption<'_>,
        head: &[u8],
        info: &[u8],
    ) -> Result<(), WriteError> {
        let Some(plan) = self.shape.segments(encryption.block) else {
            return Err(WriteError::Recipe("definite lengths have no segments"));
        };
        let mut stream = Stream::new(out);
        stream.start_indefinite(tag::SEQUENCE)?;
        stream.octets(&writer::oid(oid::ENVELOPED_DATA)?)?;
        stream.start_indefinite(tag::context(0))?;
        stream.start_indefinite(tag::SEQUENCE)?;
        stream.octets(head)?;
        stream.start_indefinite(tag::SEQUENCE)?;
        stream.octets(info)?;
        stream.start_indefinite(tag::context(0))?;
        let mut segments = Segments::new(&mut stream, &plan);
        encryption.run(content, |octets| segments.octets(octets))?;
        segments.finish()?;
        for _ in 0..5 {
            stream.end()?;
        }
        stream.finish()?;
        Ok(())
    }

    /// RSA keys only, and keyEncipherment where keyUsage stands (RFC 8550 section 4.4.2).
    fn check_recipient(&self, certificate: &Certificate) -> Result<(), WriteError> {
        let subject = || certificate.subject();
        match waxseal_key::describe_public_key(certificate.spki())?.algorithm {
            PublicKeyAlgorithm::Rsa => {}
            other => {
                return Err(WriteError::KeyKind {
                    subject: subject(),
                    kind: format!("{other:?}"),
                    purpose: "encryption",
                    expected: "an RSA key would do",
                });
            }
        }
        let forbidden = certificate.key_usage().is_some_and(|usage| !usage.any_of(KeyUsage::KEY_ENCIPHERMENT));
        if forbidden && !self.tamper.unfit_certificates {
            return Err(WriteError::KeyUsage { subject: subject(), purpose: "encryption", needed: "keyEncipherment" });
        }
        Ok(())
    }

    /// The version of RFC 5652 section 6.1 for key transport alone, without
    /// originatorInfo and unprotectedAttrs.
    const fn version(&self) -> u64 {
        self.recipient_version()
    }

    /// The version of RFC 5652 section 6.2.1.
    const fn recipient_version(&self) -> u64 {
        match self.shape.recipient_id {
            IdentifierForm::IssuerAndSerial => 0,
            IdentifierForm::SubjectKeyId => 2,
        }
    }

    fn recipient_infos(&self, key: &[u8], random: &mut dyn Random) -> Result<Vec<u8>, WriteError> {
        let mut infos = Vec::with_capacity(self.recipients.len());
        for certificate in self.recipients {
            let wrapped = self.arithmetic.wrap_rsa_pkcs1(certificate.spki(), key, random).map_err(|source| {
                WriteError::Key { operation: "wrapping the content key", subject: certificate.subject(), source }
            })?;
            infos.push(writer::sequence([
                writer::integer(self.tamper.info_version.unwrap_or_else(|| self.recipient_version())),
                certificate_id(certificate, self.shape.recipient_id)?,
                algorithm(oid::RSA_ENCRYPTION, Parameters::Null)?,
                writer::octet_string(&wrapped),
            ]));
        }
        Ok(match self.shape.set_order {
            Order::Der => writer::set_of(infos),
            Order::AsGiven => writer::set_as_given(infos),
        })
    }
}

fn write_definite(
    out: &mut dyn Write,
    content: &mut dyn Content,
    encryption: Encryption<'_>,
    head: &[u8],
    info: &[u8],
) -> Result<(), WriteError> {
    let plain_len = content.measure().map_err(WriteError::Read)?;
    let cipher_len = encryption.cipher_len(plain_len);
    // Lengths from the inside out; every `…_len` is that of the contents of an element.
    let info_len = info.len() as u64 + element_len(cipher_len);
    let enveloped_len = head.len() as u64 + element_len(info_len);
    let outer_oid = writer::oid(oid::ENVELOPED_DATA)?;

    let mut stream = Stream::new(out);
    stream.start(tag::SEQUENCE, outer_oid.len() as u64 + element_len(element_len(enveloped_len)))?;
    stream.octets(&outer_oid)?;
    stream.start(tag::context(0), element_len(enveloped_len))?;
    stream.start(tag::SEQUENCE, enveloped_len)?;
    stream.octets(head)?;
    stream.start(tag::SEQUENCE, info_len)?;
    stream.octets(info)?;
    // encryptedContent is [0] IMPLICIT OCTET STRING.
    stream.start(tag::context_primitive(0), cipher_len)?;
    encryption.run(content, |octets| stream.octets(octets))?;
    for _ in 0..5 {
        stream.end()?;
    }
    stream.finish()?;
    Ok(())
}

/// A cipher, and what comes after the content.
struct Encryption<'a> {
    mode: Box<dyn BlockMode>,
    block: usize,
    padding: Option<&'a [u8]>,
}

impl Encryption<'_> {
    fn pad_len(&self, plain_len: u64) -> u64 {
        self.padding.map_or_else(|| self.block as u64 - plain_len % self.block as u64, |octets| octets.len() as u64)
    }

    fn cipher_len(&self, plain_len: u64) -> u64 {
        plain_len + self.pad_len(plain_len)
    }

    /// Encrypts all content, padded as RFC 5652 section 6.3 says.
    fn run(
        mut self,
        content: &mut dyn Content,
        mut put: impl FnMut(&[u8]) -> Result<(), StreamError>,
    ) -> Result<(), WriteError> {
        each_chunk(content, |chunk, last| {
            if last {
                // The chunks before were whole blocks, so this one's length decides.
                match self.padding {
                    Some(octets) => chunk.extend_from_slice(octets),
                    None => {
                        let count = self.pad_len(chunk.len() as u64);
                        chunk.resize(chunk.len() + count as usize, count as u8);
                    }
                }
                if chunk.len() % self.block != 0 {
                    return Err(WriteError::Recipe("a tampered padding has to fill the last block"));
                }
            }
            self.mode.process(chunk);
            Ok(put(chunk)?)
        })
    }
}

const _: () = assert!(CHUNK.is_multiple_of(64), "chunks are whole blocks of every cipher");

/// A key from the random numbers; with odd parity where the cipher has parity
/// (FIPS 46-3).
fn content_key(cipher: ContentCipher, random: &mut dyn Random) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(vec![0; cipher.key_len()]);
    random.fill(&mut key);
    if cipher == ContentCipher::TripleDesCbc {
        for octet in key.iter_mut() {
            *octet = (*octet & 0xfe) | u8::from((*octet & 0xfe).count_ones() % 2 == 0);
        }
    }
    key
}
