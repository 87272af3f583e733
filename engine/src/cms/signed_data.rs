//! SignedData (RFC 5652 section 5), read in one pass: everything before the
//! content, the content as a stream, everything after it.

use std::io::Read;

use waxseal_verdict::Reason;

use crate::Limits;
use crate::ber::{Cursor, Element, Event, Header, OctetStream, Reader, Tag, to_definite};
use crate::cms::algorithm::{AlgorithmIdentifier, read_oid};
use crate::cms::attribute::Attributes;
use crate::cms::content_info::surplus;
use crate::cms::error::{CmsError, Within};

/// What stands before the content.
#[derive(Debug)]
pub struct SignedDataHead {
    /// CMSVersion.
    pub version: u64,
    /// The digests that the writer announced.
    pub digest_algorithms: Vec<AlgorithmIdentifier>,
    /// eContentType, dotted.
    pub content_type: String,
    /// The content's stream, if the content is inside.
    pub content: Option<OctetStream>,
}

/// What stands after the content.
#[derive(Debug, Clone, Default)]
pub struct SignedDataTail {
    /// The X.509 certificates as they stand, in the order received.
    pub certificates: Vec<Vec<u8>>,
    /// Tags of the other members of the certificates set (RFC 5652 section 10.2.2).
    pub other_certificates: Vec<Tag>,
    /// The CRLs as they stand.
    pub crls: Vec<Vec<u8>>,
    /// The signers.
    pub signers: Vec<SignerInfo>,
}

/// One signer (RFC 5652 section 5.3).
#[derive(Debug, Clone)]
pub struct SignerInfo {
    /// CMSVersion.
    pub version: u64,
    /// Whose signature it is.
    pub id: SignerIdentifier,
    /// The digest of the content.
    pub digest: AlgorithmIdentifier,
    /// The signed attributes, if there are any.
    pub signed_attributes: Option<Attributes>,
    /// The signature algorithm.
    pub signature_algorithm: AlgorithmIdentifier,
    /// The signature value.
    pub signature: Vec<u8>,
    /// The unsigned attributes, if there are any.
    pub unsigned_attributes: Option<Attributes>,
    /// Offset in the object.
    pub offset: u64,
}

/// How a certificate is named (RFC 5652 section 5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerIdentifier {
    /// By issuer and serial number.
    IssuerAndSerial {
        /// DER of the issuer's Name.
        issuer: Vec<u8>,
        /// Content octets of the serial number.
        serial: Vec<u8>,
    },
    /// By subject key identifier.
    SubjectKeyIdentifier(Vec<u8>),
}

impl SignedDataHead {
    /// Reads SignedData up to its content. The [`crate::cms::ContentInfo`] was read.
    ///
    /// # Errors
    /// It is malformed.
    pub fn read<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<Self, CmsError> {
        reader.enter(Tag::SEQUENCE, "SignedData (SEQUENCE)").within("SignedData")?;
        let version = read_version(reader, "SignedData.version")?;
        let context = "SignedData.digestAlgorithms";
        let set = reader.expect(Tag::SET, "digestAlgorithms (SET)").within(context)?;
        let octets = definite(reader, &set, limits, context)?;
        let mut digest_algorithms = Vec::new();
        let mut cursor = inside(&octets, set.offset, context)?;
        while !cursor.is_empty() {
            let element = cursor.expect(Tag::SEQUENCE, "an AlgorithmIdentifier").within(context)?;
            digest_algorithms.push(AlgorithmIdentifier::read(&element, context)?);
        }
        let context = "SignedData.encapContentInfo";
        let info = reader.enter(Tag::SEQUENCE, "encapContentInfo (SEQUENCE)").within(context)?;
        let header = reader.expect(Tag::OBJECT_IDENTIFIER, "eContentType").within(context)?;
        let octets = definite(reader, &header, limits, context)?;
        let content_type = read_oid(&one(&octets, header.offset, context)?, context)?;
        let content = match reader.next_event().within(context)? {
            Some(Event::Begin(header)) if header.tag == Tag::context(0) && header.constructed => {
                // PKCS#7 content of any type (RFC 5652 section 5.2.1) is not an
                // OCTET STRING; no mail client writes it.
                let string = reader.expect(Tag::OCTET_STRING, "eContent (OCTET STRING)").within(context)?;
                Some(OctetStream::new(string))
            }
            Some(Event::Begin(header)) => return Err(surplus(reader, &header, context)),
            Some(Event::End { .. }) | None => None,
        };
        debug_assert!(reader.depth() >= info.depth, "the reader never leaves encapContentInfo twice");
        Ok(Self { version, digest_algorithms, content_type, content })
    }

    /// Reads the next octets of the content; 0 at its end.
    ///
    /// # Errors
    /// The encoding is malformed.
    pub fn read_content<R: Read>(&mut self, reader: &mut Reader<R>, out: &mut [u8]) -> Result<usize, CmsError> {
        match &mut self.content {
            Some(stream) => stream.read(reader, out).within("SignedData.encapContentInfo.eContent"),
            None => Ok(0),
        }
    }
}

impl SignedDataTail {
    /// Reads what follows the content, up to the end of SignedData.
    ///
    /// # Errors
    /// It is malformed. What was read before is in `self`.
    pub fn read<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        head: &SignedDataHead,
        limits: &Limits,
    ) -> Result<(), CmsError> {
        if head.content.is_some() {
            // The ends of [0] and of encapContentInfo.
            for _ in 0..2 {
                if let Some(header) = reader.next_element().within("SignedData.encapContentInfo")? {
                    return Err(surplus(reader, &header, "SignedData.encapContentInfo"));
                }
            }
        }
        let mut header = next(reader, "SignedData")?;
        if header.tag == Tag::context(0) {
            self.read_certificates(reader, &header, limits)?;
            header = next(reader, "SignedData")?;
        }
        if header.tag == Tag::context(1) {
            self.read_crls(reader, &header, limits)?;
            header = next(reader, "SignedData")?;
        }
        if header.tag != Tag::SET || !header.constructed {
            return Err(surplus(reader, &header, "SignedData.signerInfos"));
        }
        while let Some(signer) = reader.next_element().within("SignedData.signerInfos")? {
            let context = format!("SignedData.signerInfos[{}]", self.signers.len());
            if self.signers.len() >= limits.signers {
                let detail = format!("more than {} signers at offset {}", limits.signers, signer.offset);
                return Err(CmsError::new(Reason::LimitExceeded, context, detail));
            }
            let octets = definite(reader, &signer, limits, &context)?;
            self.signers.push(SignerInfo::read(&one(&octets, signer.offset, &context)?, &context)?);
        }
        Ok(())
    }

    fn read_certificates<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        set: &Header,
        limits: &Limits,
    ) -> Result<(), CmsError> {
        let context = "SignedData.certificates";
        if !set.constructed {
            return Err(surplus(reader, set, context));
        }
        while let Some(header) = reader.next_element().within(context)? {
            if self.certificates.len() + self.other_certificates.len() >= limits.certificates {
                let detail = format!("more than {} certificates at offset {}", limits.certificates, header.offset);
                return Err(CmsError::new(Reason::LimitExceeded, context, detail));
            }
            let raw = reader.raw(&header, limits.element_octets).within(context)?;
            if header.tag == Tag::SEQUENCE {
                self.certificates.push(raw);
            } else {
                self.other_certificates.push(header.tag);
            }
        }
        Ok(())
    }

    fn read_crls<R: Read>(&mut self, reader: &mut Reader<R>, set: &Header, limits: &Limits) -> Result<(), CmsError> {
        let context = "SignedData.crls";
        if !set.constructed {
            return Err(surplus(reader, set, context));
        }
        while let Some(header) = reader.next_element().within(context)? {
            if self.crls.len() >= limits.certificates {
                let detail = format!("more than {} CRLs at offset {}", limits.certificates, header.offset);
                return Err(CmsError::new(Reason::LimitExceeded, context, detail));
            }
            self.crls.push(reader.raw(&header, limits.element_octets).within(context)?);
        }
        Ok(())
    }
}

impl SignerInfo {
    fn read(element: &Element<'_>, context: &str) -> Result<Self, CmsError> {
        if element.tag != Tag::SEQUENCE {
            let detail = format!("expected SignerInfo (SEQUENCE), found {} at offset {}", element.tag, element.offset);
            return Err(CmsError::new(Reason::BadBer, context, detail));
        }
        let mut fields = element.inside();
        let version = integer(&fields.expect(Tag::INTEGER, "version").within(context)?, context)?;
        let id = SignerIdentifier::read(&mut fields, context)?;
        let digest = fields.expect(Tag::SEQUENCE, "digestAlgorithm").within(context)?;
        let digest = AlgorithmIdentifier::read(&digest, context)?;
        let signed_attributes = fields
            .take_if(Tag::context(0))
            .within(context)?
            .map(|set| Attributes::read(&set, "SignerInfo.signedAttrs"))
            .transpose()?;
        let signature_algorithm = fields.expect(Tag::SEQUENCE, "signatureAlgorithm").within(context)?;
        let signature_algorithm = AlgorithmIdentifier::read(&signature_algorithm, context)?;
        let signature = fields.expect(Tag::OCTET_STRING, "signature (OCTET STRING)").within(context)?.content.to_vec();
        let unsigned_attributes = fields
            .take_if(Tag::context(1))
            .within(context)?
            .map(|set| Attributes::read(&set, "SignerInfo.unsignedAttrs"))
            .transpose()?;
        fields.end().within(context)?;
        Ok(Self {
            version,
            id,
            digest,
            signed_attributes,
            signature_algorithm,
            signature,
            unsigned_attributes,
            offset: element.offset,
        })
    }
}

impl SignerIdentifier {
    fn read(fields: &mut Cursor<'_>, context: &str) -> Result<Self, CmsError> {
        if let Some(key_id) = fields.take_if(Tag::context(0)).within(context)? {
            return Ok(Self::SubjectKeyIdentifier(implicit_octets(&key_id, context)?));
        }
        let element = fields.expect(Tag::SEQUENCE, "issuerAndSerialNumber or [0]").within(context)?;
        Self::issuer_and_serial(&element, context)
    }

    /// Reads IssuerAndSerialNumber (RFC 5652 section 10.2.4).
    pub(crate) fn issuer_and_serial(element: &Element<'_>, context: &str) -> Result<Self, CmsError> {
        let mut inside = element.inside();
        let issuer = inside.expect(Tag::SEQUENCE, "issuer (Name)").within(context)?.whole.to_vec();
        let serial = inside.expect(Tag::INTEGER, "serialNumber").within(context)?.content.to_vec();
        inside.end().within(context)?;
        Ok(Self::IssuerAndSerial { issuer, serial })
    }
}

/// The octets of an implicitly tagged OCTET STRING; its segments, if it came in segments.
pub(crate) fn implicit_octets(element: &Element<'_>, context: &str) -> Result<Vec<u8>, CmsError> {
    if !element.constructed {
        return Ok(element.content.to_vec());
    }
    let mut octets = Vec::new();
    let mut inside = element.inside();
    while !inside.is_empty() {
        octets.extend_from_slice(inside.expect(Tag::OCTET_STRING, "a segment (OCTET STRING)").within(context)?.content);
    }
    Ok(octets)
}

/// Reads the small INTEGER that is a version.
pub(crate) fn read_version<R: Read>(reader: &mut Reader<R>, context: &str) -> Result<u64, CmsError> {
    let header = reader.expect(Tag::INTEGER, "version (INTEGER)").within(context)?;
    let octets = definite(reader, &header, &Limits::default(), context)?;
    integer(&one(&octets, header.offset, context)?, context)
}

fn integer(element: &Element<'_>, context: &str) -> Result<u64, CmsError> {
    let value = match element.content {
        [] => None,
        [first, ..] if first & 0x80 != 0 => None,
        content => {
            content.iter().try_fold(0_u64, |value, octet| value.checked_mul(256)?.checked_add(u64::from(*octet)))
        }
    };
    value.ok_or_else(|| {
        let detail = format!("a version that is no small number at offset {}", element.offset);
        CmsError::new(Reason::BadBer, context, detail)
    })
}

/// The element that `header` began, in definite lengths.
pub(crate) fn definite<R: Read>(
    reader: &mut Reader<R>,
    header: &Header,
    limits: &Limits,
    context: &str,
) -> Result<Vec<u8>, CmsError> {
    let raw = reader.raw(header, limits.element_octets).within(context)?;
    to_definite(&raw, header.offset, limits).within(context)
}

/// The single element of `octets`.
pub(crate) fn one<'a>(octets: &'a [u8], offset: u64, context: &str) -> Result<Element<'a>, CmsError> {
    Cursor::new(octets, offset)
        .take()
        .within(context)?
        .ok_or_else(|| CmsError::new(Reason::BadBer, context, format!("nothing at offset {offset}")))
}

fn inside<'a>(octets: &'a [u8], offset: u64, context: &str) -> Result<Cursor<'a>, CmsError> {
    Ok(one(octets, offset, context)?.inside())
}

fn next<R: Read>(reader: &mut Reader<R>, context: &str) -> Result<Header, CmsError> {
    let missing = crate::ber::BerErrorKind::Unexpected { expected: "signerInfos (SET)", found: None };
    match reader.next_element().within(context)? {
        Some(header) => Ok(header),
        None => Err(CmsError::ber(context, &reader.error(missing))),
    }
}
