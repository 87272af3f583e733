//! What an object carries beside its content: certificates and information
//! about revocation (RFC 5652 sections 10.2.1 to 10.2.3).

use std::io::Read;

use waxseal_verdict::Reason;

use crate::Limits;
use crate::ber::{Header, Reader, Tag};
use crate::cms::error::{CmsError, Within};
use crate::cms::oid;
use crate::cms::read::{Room, must_be_constructed, one, read_oid};

/// CertificateSet and RevocationInfoChoices of one object.
#[derive(Debug, Clone, Default)]
pub struct Carried {
    /// The X.509 certificates as they stand, in the order received.
    pub certificates: Vec<Vec<u8>>,
    /// The attribute certificates as they stand, under the tag of their version.
    pub attribute_certificates: Vec<Vec<u8>>,
    /// Tags of all members of the certificates set that are no X.509
    /// certificates (RFC 5652 section 10.2.2).
    pub other_certificates: Vec<Tag>,
    /// How many CRLs there are.
    pub crls: usize,
    /// Those of them that there was room for, as they stand.
    pub held_crls: Vec<Vec<u8>>,
    /// Types of the other revocation information, dotted.
    pub other_revocation: Vec<String>,
    /// Those of it that are OCSP responses and that there was room for, as they stand.
    pub held_responses: Vec<Vec<u8>>,
}

impl Carried {
    /// Reads a CertificateSet; `context` names the field.
    pub(super) fn read_certificates<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        set: &Header,
        limits: &Limits,
        room: &mut Room,
        context: &str,
    ) -> Result<(), CmsError> {
        const ATTRIBUTE_CERTIFICATES: [Tag; 2] = [Tag::context(1), Tag::context(2)];
        must_be_constructed(reader, set, context)?;
        while let Some(header) = reader.next_element().within(context)? {
            if self.certificates.len() + self.other_certificates.len() >= limits.certificates {
                let detail = format!("more than {} certificates at offset {}", limits.certificates, header.offset);
                return Err(CmsError::new(Reason::LimitExceeded, context, detail));
            }
            if header.tag == Tag::SEQUENCE {
                self.certificates.push(room.raw(reader, &header, context)?);
                continue;
            }
            self.other_certificates.push(header.tag);
            if ATTRIBUTE_CERTIFICATES.contains(&header.tag) && room.fits(&header) {
                self.attribute_certificates.push(room.raw(reader, &header, context)?);
            } else {
                reader.skip(&header).within(context)?;
            }
        }
        Ok(())
    }

    /// Reads RevocationInfoChoices; `context` names the field. CRLs are large:
    /// they, and OCSP responses, are held where there is room, and counted where
    /// not.
    pub(super) fn read_revocation<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        set: &Header,
        limits: &Limits,
        context: &str,
    ) -> Result<(), CmsError> {
        must_be_constructed(reader, set, context)?;
        let mut room = Room::new(limits);
        while let Some(header) = reader.next_element().within(context)? {
            if self.crls + self.other_revocation.len() >= limits.certificates {
                let detail = format!("more than {} CRLs at offset {}", limits.certificates, header.offset);
                return Err(CmsError::new(Reason::LimitExceeded, context, detail));
            }
            if header.tag == Tag::context(1) && header.constructed {
                let format = read_oid(reader, "otherRevInfoFormat", limits, &mut room, context)?;
                let is_response = format == oid::OCSP_RESPONSE;
                self.other_revocation.push(format);
                while let Some(inner) = reader.next_element().within(context)? {
                    if is_response && room.fits(&inner) {
                        self.held_responses.push(room.raw(reader, &inner, context)?);
                    } else {
                        reader.skip(&inner).within(context)?;
                    }
                }
                continue;
            }
            self.crls += 1;
            if room.fits(&header) {
                self.held_crls.push(room.raw(reader, &header, context)?);
            } else {
                reader.skip(&header).within(context)?;
            }
        }
        Ok(())
    }

    /// Reads OriginatorInfo (RFC 5652 section 6.1), whose tag is implicit.
    pub(super) fn read_originator<R: Read>(
        reader: &mut Reader<R>,
        info: &Header,
        limits: &Limits,
        room: &mut Room,
        context: &str,
    ) -> Result<Self, CmsError> {
        must_be_constructed(reader, info, context)?;
        let mut carried = Self::default();
        while let Some(header) = reader.next_element().within(context)? {
            if header.tag == Tag::context(0) {
                carried.read_certificates(reader, &header, limits, room, context)?;
            } else if header.tag == Tag::context(1) {
                carried.read_revocation(reader, &header, limits, context)?;
            } else {
                reader.skip(&header).within(context)?;
            }
        }
        Ok(carried)
    }

    /// What the attribute certificates say, for a verdict.
    pub(crate) fn describe_attribute_certificates(&self) -> Vec<waxseal_verdict::AttributeCertificate> {
        let describe = |octets: &Vec<u8>| {
            one(octets, 0, "attribute certificate").ok().as_ref().map(super::attribute_certificate::describe)
        };
        self.attribute_certificates.iter().filter_map(describe).collect()
    }
}
