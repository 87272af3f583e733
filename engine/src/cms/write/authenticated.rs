//! AuthenticatedData (RFC 5652 section 9).

use std::io::Write;

use waxseal_key::{Arithmetic, DigestAlgorithm, Random};
use zeroize::Zeroizing;

use super::attributes::{attribute, content_type_attribute};
use super::content::each_chunk;
use super::frame::{Frame, Holder, Lengths};
use super::identifier::{algorithm, algorithm_with};
use super::recipient::Wrapping;
use super::{Content, KeyManagement, Order, Recipient, Shape, Tamper, WriteError};
use crate::ber::writer::{self, element_len, tag};
use crate::cms::oid;

/// A recipe for an AuthenticatedData: a message authentication code whose key
/// is sent to the recipients, each of whom could have made it.
#[derive(Clone, Copy)]
pub struct AuthenticatedData<'a> {
    /// Who can check it, in this order.
    pub recipients: &'a [Recipient<'a>],
    /// How the key gets to them.
    pub key_management: &'a KeyManagement,
    /// The digest of the HMAC, and of the content where there are attributes.
    pub digest: DigestAlgorithm,
    /// eContentType, dotted; [`oid::DATA`] in mail.
    pub content_type: &'a str,
    /// How it is written; without attributes the code is over the content
    /// itself.
    pub shape: &'a Shape,
    /// What is wrong with it.
    pub tamper: &'a Tamper,
    /// Who computes.
    pub arithmetic: &'a Arithmetic,
}

impl AuthenticatedData<'_> {
    /// Draws a key and writes the object.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn write(
        &self,
        out: &mut dyn Write,
        content: &mut dyn Content,
        random: &mut dyn Random,
    ) -> Result<(), WriteError> {
        let Self { recipients, key_management, shape, tamper, arithmetic, .. } = *self;
        let wrapping = Wrapping::new(recipients, key_management, shape, tamper, arithmetic)?;
        let plan = self.shape.segments(0)?;
        // As long as the digest (RFC 2104 section 3), and a whole number of blocks of every key wrap.
        let mut key = Zeroizing::new(vec![0; self.digest.output_len().next_multiple_of(8)]);
        random.fill(&mut key);
        let with_attributes = !self.shape.attributes.is_empty() || self.content_type != oid::DATA;
        let frame = self.frame(wrapping.infos(&key, random)?.der, with_attributes)?;

        let content_len = match plan {
            None => Some(content.measure().map_err(WriteError::Read)?),
            Some(_) => None,
        };
        // What the attributes hold has a length that is known before.
        let nothing = vec![0; self.digest.output_len()];
        let attributes_len = if with_attributes { self.attributes(&nothing)?.len() } else { 0 };
        let mac_len = element_len(self.digest.output_len() as u64);
        let lengths = match plan {
            None => Lengths::Definite { content: content_len, tail: attributes_len as u64 + mac_len },
            plan => Lengths::Indefinite { content: plan },
        };
        frame.write(out, lengths, |put| {
            let mut running = match with_attributes {
                true => self.arithmetic.hasher(self.digest)?,
                false => self.arithmetic.mac(self.digest, &key)?,
            };
            each_chunk(content, |chunk, _| {
                running.update(chunk);
                Ok(put(chunk)?)
            })?;
            let value = running.finish();
            if !with_attributes {
                return Ok(writer::octet_string(&value));
            }
            // The code is over the SET OF, although [2] stands in the object (RFC 5652 section 9.2).
            let mut tail = self.attributes(self.tamper.message_digest.as_deref().unwrap_or(&value))?;
            let mut mac = self.arithmetic.mac(self.digest, &key)?;
            mac.update(&tail);
            if let Some(first) = tail.first_mut() {
                *first = tag::context(2);
            }
            tail.extend(writer::octet_string(&mac.finish()));
            Ok(tail)
        })
    }

    fn frame(&self, recipient_infos: Vec<u8>, with_attributes: bool) -> Result<Frame<'static>, WriteError> {
        let mac = self.digest.hmac_oid().ok_or(WriteError::Recipe("HMAC with this digest has no identifier"))?;
        // hMAC-SHA1 has no parameters (RFC 3370 section 3.1), the others have NULL (RFC 8018 appendix B.1).
        let null = if self.digest == DigestAlgorithm::Sha1 { Vec::new() } else { writer::null() };
        let mut head = writer::integer(self.tamper.version.unwrap_or(0));
        head.extend(recipient_infos);
        head.extend(algorithm_with(mac, &null)?);
        if with_attributes {
            let mut digest = algorithm(self.digest.oid(), self.shape.digest_parameters)?;
            if let Some(first) = digest.first_mut() {
                *first = tag::context(1);
            }
            head.extend(digest);
        }
        let info = writer::oid(self.content_type)?;
        Ok(Frame { object: oid::AUTHENTICATED_DATA, head, info, holder: Holder::EContent })
    }

    /// authAttrs as a SET OF: both attributes that have to be there.
    fn attributes(&self, digest: &[u8]) -> Result<Vec<u8>, WriteError> {
        let content_type = self.tamper.content_type_attribute.as_deref().unwrap_or(self.content_type);
        let mut attributes = vec![
            content_type_attribute(content_type)?,
            attribute(oid::ATTRIBUTE_MESSAGE_DIGEST, &writer::octet_string(digest))?,
        ];
        if self.shape.attribute_order == Order::Der {
            writer::sort(&mut attributes);
        }
        Ok(writer::constructed(tag::SET, attributes))
    }
}
