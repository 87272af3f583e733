//! SignedData (RFC 5652 section 5), read in one pass: everything before the
//! content, the content as a stream, everything after it.

use std::io::Read;

use waxseal_verdict::Reason;

use crate::Limits;
use crate::ber::{Element, Form, Reader, Tag};
use crate::cms::algorithm::AlgorithmIdentifier;
use crate::cms::attribute::Attributes;
use crate::cms::carried::Carried;
use crate::cms::encapsulated::EncapsulatedContent;
use crate::cms::error::{CmsError, Within};
use crate::cms::identifier::SignerIdentifier;
use crate::cms::read::{Room, definite, must_be_set, must_end, must_hold_elements, next, one, read_version, version};

/// What stands before the content.
#[derive(Debug)]
pub struct SignedDataHead {
    /// CMSVersion.
    pub version: u64,
    /// The digests that the writer announced.
    pub digest_algorithms: Vec<AlgorithmIdentifier>,
    /// What is signed, if it is inside, and its type.
    pub content: EncapsulatedContent,
    /// Whether the object around it is of GM/T 0010: set by whoever read its
    /// type.
    pub gmt: bool,
    /// What may be held of that which follows the content.
    room: Room,
}

/// What stands after the content.
#[derive(Debug, Clone, Default)]
pub struct SignedDataTail {
    /// Certificates and revocation information.
    pub carried: Carried,
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

impl SignedDataHead {
    /// What would stand before content that came another way: out of a
    /// signedAndEnvelopedData of GM/T 0010. The version is that of the envelope,
    /// and judged there.
    pub(crate) fn beside(digest_algorithms: Vec<AlgorithmIdentifier>, content_type: String) -> Self {
        let content = EncapsulatedContent::outside(content_type);
        Self { version: 1, digest_algorithms, content, gmt: true, room: Room::new(&Limits::default()) }
    }

    /// Reads SignedData up to its content. The [`crate::cms::ContentInfo`] was read.
    ///
    /// # Errors
    /// It is malformed.
    pub fn read<R: Read>(reader: &mut Reader<R>, limits: &Limits) -> Result<Self, CmsError> {
        reader.enter(Tag::SEQUENCE, "SignedData (SEQUENCE)").within("SignedData")?;
        let mut room = Room::new(limits);
        let version = read_version(reader, limits, &mut room, "SignedData.version")?;
        let digest_algorithms = read_digest_algorithms(reader, limits, &mut room, "SignedData.digestAlgorithms")?;
        let content = EncapsulatedContent::read(reader, limits, &mut room, "SignedData")?;
        Ok(Self { version, digest_algorithms, content, gmt: false, room })
    }
}

/// Reads a SET OF digest algorithms.
pub(super) fn read_digest_algorithms<R: Read>(
    reader: &mut Reader<R>,
    limits: &Limits,
    room: &mut Room,
    context: &str,
) -> Result<Vec<AlgorithmIdentifier>, CmsError> {
    let set = reader.enter(Tag::SET, "digestAlgorithms (SET)").within(context)?;
    let octets = definite(reader, &set, limits, room, context)?;
    let mut algorithms = Vec::new();
    let mut cursor = one(&octets, set.offset, context)?.inside();
    while !cursor.is_empty() {
        let element = cursor.expect(Tag::SEQUENCE, "an AlgorithmIdentifier").within(context)?;
        algorithms.push(AlgorithmIdentifier::read(&element, context)?);
    }
    Ok(algorithms)
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
        head.content.finish(reader)?;
        self.read_signers(reader, limits, head.room, "SignedData")
    }

    /// Reads certificates, CRLs and signerInfos, up to the end of `owner`.
    pub(super) fn read_signers<R: Read>(
        &mut self,
        reader: &mut Reader<R>,
        limits: &Limits,
        mut room: Room,
        owner: &str,
    ) -> Result<(), CmsError> {
        let context = &format!("{owner}.signerInfos");
        let expected = "signerInfos (SET)";
        let mut header = next(reader, expected, context)?;
        if header.tag == Tag::context(0) {
            self.carried.read_certificates(reader, &header, limits, &mut room, &format!("{owner}.certificates"))?;
            header = next(reader, expected, context)?;
        }
        if header.tag == Tag::context(1) {
            self.carried.read_revocation(reader, &header, limits, &format!("{owner}.crls"))?;
            header = next(reader, expected, context)?;
        }
        must_be_set(reader, &header, expected, context)?;
        while let Some(signer) = reader.next_element().within(context)? {
            let context = format!("{context}[{}]", self.signers.len());
            if self.signers.len() >= limits.signers {
                let detail = format!("more than {} signers at offset {}", limits.signers, signer.offset);
                return Err(CmsError::new(Reason::LimitExceeded, context, detail));
            }
            let octets = definite(reader, &signer, limits, &mut room, &context)?;
            self.signers.push(SignerInfo::read(&one(&octets, signer.offset, &context)?, &context)?);
        }
        must_end(reader, owner)
    }
}

impl SignerInfo {
    /// Reads a SignerInfo that stands alone, in definite lengths.
    pub(crate) fn parse(octets: &[u8], offset: u64, context: &str) -> Result<Self, CmsError> {
        Self::read(&one(octets, offset, context)?, context)
    }

    fn read(element: &Element<'_>, context: &str) -> Result<Self, CmsError> {
        if element.tag != Tag::SEQUENCE {
            let detail = format!("expected SignerInfo (SEQUENCE), found {} at offset {}", element.tag, element.offset);
            return Err(CmsError::new(Reason::BadBer, context, detail));
        }
        must_hold_elements(element, context)?;
        let mut fields = element.inside();
        let version = version(&fields.expect(Tag::INTEGER, "version").within(context)?, context)?;
        let id = SignerIdentifier::read(&mut fields, context)?;
        let digest = fields.expect(Tag::SEQUENCE, "digestAlgorithm").within(context)?;
        let digest = AlgorithmIdentifier::read(&digest, &format!("{context}.digestAlgorithm"))?;
        let signed_attributes = fields
            .take_if(Tag::context(0), Form::Constructed)
            .within(context)?
            .map(|set| Attributes::read(&set, &format!("{context}.signedAttrs")))
            .transpose()?;
        let signature_algorithm = fields.expect(Tag::SEQUENCE, "signatureAlgorithm").within(context)?;
        let signature_algorithm =
            AlgorithmIdentifier::read(&signature_algorithm, &format!("{context}.signatureAlgorithm"))?;
        let signature = fields.expect(Tag::OCTET_STRING, "signature (OCTET STRING)").within(context)?.content.to_vec();
        let unsigned_attributes = fields
            .take_if(Tag::context(1), Form::Constructed)
            .within(context)?
            .map(|set| Attributes::read(&set, &format!("{context}.unsignedAttrs")))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::writer as w;
    use crate::cms::oid;
    use crate::cms::testing::{Tree, check_fields};

    type Parts = (SignedDataHead, Vec<u8>, SignedDataTail);

    fn read(octets: &[u8]) -> Result<Parts, CmsError> {
        read_within(octets, &Limits::default())
    }

    fn read_within(octets: &[u8], limits: &Limits) -> Result<Parts, CmsError> {
        let mut reader = Reader::new(octets, limits);
        let mut head = SignedDataHead::read(&mut reader, limits)?;
        let (mut content, mut block) = (Vec::new(), [0; 7]);
        loop {
            match head.content.read_content(&mut reader, &mut block)? {
                0 => break,
                read => content.extend_from_slice(&block[..read]),
            }
        }
        let mut tail = SignedDataTail::default();
        tail.read(&mut reader, &head, limits)?;
        Ok((head, content, tail))
    }

    /// SignedData with every optional field.
    fn full() -> Tree {
        let algorithm = |dotted: &str| w::sequence([w::oid(dotted).unwrap()]);
        let attribute = w::sequence([w::oid("1.2.3").unwrap(), w::set_as_given([w::integer(7)])]);
        let signer = w::sequence([
            w::integer(1),
            w::sequence([w::sequence([b""]), w::integer(9)]),
            algorithm("1.2.4"),
            w::context(0, &attribute),
            algorithm("1.2.5"),
            w::octet_string(&[1, 2, 3]),
            w::context(1, &attribute),
        ]);
        Tree::parse(&w::sequence([
            w::integer(1),
            w::set_as_given([algorithm("1.2.4")]),
            w::sequence([w::oid(oid::DATA).unwrap(), w::context(0, &w::octet_string(b"hello world"))]),
            w::context(0, &w::sequence([w::integer(5)])),
            w::context(1, &w::sequence([w::integer(6)])),
            w::set_as_given([signer]),
        ]))
    }

    #[test]
    fn every_field_is_read() {
        let (head, content, tail) = read(&full().der()).unwrap();
        assert_eq!((head.version, head.digest_algorithms.len(), head.content.content_type.as_str()), (1, 1, oid::DATA));
        assert_eq!(content, b"hello world");
        assert_eq!((&tail.carried.certificates, tail.carried.crls), (&vec![vec![0x30, 3, 2, 1, 5]], 1));
        let [signer] = tail.signers.as_slice() else { panic!("{tail:?}") };
        assert_eq!(signer.id, SignerIdentifier::IssuerAndSerial { issuer: vec![0x30, 0].into(), serial: vec![9] });
        assert_eq!((signer.digest.oid.as_str(), signer.signature_algorithm.oid.as_str()), ("1.2.4", "1.2.5"));
        assert_eq!(signer.signature, [1, 2, 3]);
        assert_eq!(signer.offset, full().offset(&[5, 0]) as u64);
        let attributes = [&signer.signed_attributes, &signer.unsigned_attributes];
        assert!(attributes.iter().all(|list| list.as_ref().unwrap().list[0].oid == "1.2.3"));
    }

    #[test]
    fn what_is_optional_may_be_missing() {
        for path in [[3].as_slice(), &[4], &[5, 0], &[5, 0, 3], &[5, 0, 6], &[2, 1], &[1, 0]] {
            read(&full().without(path).der()).unwrap();
        }
    }

    #[test]
    fn damage_names_field_and_offset() {
        let signer = "SignedData.signerInfos[0]";
        let attributes = "SignedData.signerInfos[0].signedAttrs";
        check_fields(
            &full(),
            read,
            &[
                (&[0], "SignedData.version", "expected version (INTEGER)"),
                (&[1], "SignedData.digestAlgorithms", "expected digestAlgorithms (SET)"),
                (&[1, 0, 0], "SignedData.digestAlgorithms", "expected algorithm (OBJECT IDENTIFIER)"),
                (&[2], "SignedData.encapContentInfo", "expected encapContentInfo (SEQUENCE)"),
                (&[2, 0], "SignedData.encapContentInfo", "expected eContentType"),
                (&[2, 1, 0], "SignedData.encapContentInfo", "expected eContent (OCTET STRING)"),
                (&[5], "SignedData.signerInfos", "expected signerInfos (SET)"),
                (&[5, 0, 0], signer, "expected version"),
                (&[5, 0, 1, 0], signer, "expected issuer (Name)"),
                (&[5, 0, 1, 1], signer, "expected serialNumber"),
                (&[5, 0, 2], signer, "expected digestAlgorithm"),
                (&[5, 0, 2, 0], "SignedData.signerInfos[0].digestAlgorithm", "expected algorithm"),
                (&[5, 0, 3, 0, 0], attributes, "expected an attribute type"),
                (&[5, 0, 3, 0, 1], attributes, "expected attribute values"),
                (&[5, 0, 4], signer, "expected signatureAlgorithm"),
                (&[5, 0, 4, 0], "SignedData.signerInfos[0].signatureAlgorithm", "expected algorithm"),
                (&[5, 0, 5], signer, "expected signature (OCTET STRING)"),
                (&[5, 0, 6, 0, 0], "SignedData.signerInfos[0].unsignedAttrs", "expected an attribute type"),
            ],
            &[
                (&[1, 0], "SignedData.digestAlgorithms", "expected an AlgorithmIdentifier"),
                (&[2, 1], "SignedData.encapContentInfo", "expected the end of the element"),
                (&[3], "SignedData.signerInfos", "expected signerInfos (SET)"),
                (&[4], "SignedData.signerInfos", "expected signerInfos (SET)"),
                (&[5, 0], signer, "expected SignerInfo (SEQUENCE), found ENUMERATED"),
                (&[5, 0, 1], signer, "expected issuerAndSerialNumber or [0]"),
                (&[5, 0, 3], signer, "expected signatureAlgorithm"),
                (&[5, 0, 3, 0], attributes, "expected an attribute"),
                (&[5, 0, 6], signer, "octets after the last element"),
            ],
            &[
                (&[], "SignedData"),
                (&[2], "SignedData.encapContentInfo"),
                (&[2, 1], "SignedData.encapContentInfo"),
                (&[5, 0], signer),
                (&[5, 0, 1], signer),
                (&[5, 0, 3, 0], attributes),
            ],
        );
    }

    #[test]
    fn odd_values_are_refused() {
        let detail = |octets: &[u8]| read(octets).unwrap_err().to_string();
        assert!(detail(&[0x10, 0]).starts_with("SignedData: a primitive element where"));
        assert_eq!(detail(&[0x30, 3, 2, 1, 0xff]), "SignedData.version: a version that is no small number at offset 2");
        let primitive = detail(&[0x30, 5, 2, 1, 1, 0x11, 0]);
        assert!(primitive.starts_with("SignedData.digestAlgorithms: a primitive element where"), "{primitive}");
        let malformed = detail(&[0x30, 10, 2, 1, 1, 0x31, 0, 0x30, 3, 6, 1, 0x80]);
        assert_eq!(malformed, "SignedData.encapContentInfo: a malformed object identifier at offset 9");
        for (at, field) in [(3, "SignedData.certificates"), (4, "SignedData.crls"), (5, "SignedData.signerInfos")] {
            let mut octets = full().der();
            octets[full().offset(&[at])] &= !0x20;
            let text = detail(&octets);
            assert!(text.starts_with(&format!("{field}: a primitive element where")), "{text}");
        }
        // SignerInfo, its signedAttrs and unsignedAttrs.
        for path in [&[5, 0][..], &[5, 0, 3], &[5, 0, 6]] {
            let mut octets = full().der();
            octets[full().offset(path)] &= !0x20;
            let text = detail(&octets);
            assert!(text.starts_with("SignedData.signerInfos[0]: a primitive element where"), "{text}");
        }
        let constructed = detail(&[0x30, 5, 0x22, 3, 2, 1, 1]);
        assert!(constructed.starts_with("SignedData.version: a constructed element where"), "{constructed}");
    }

    #[test]
    fn limits_name_the_field() {
        let limits = Limits { signers: 0, ..Limits::default() };
        let error = read_within(&full().der(), &limits).unwrap_err();
        assert_eq!((error.reason, error.context.as_str()), (Reason::LimitExceeded, "SignedData.signerInfos[0]"));
        let limits = Limits { certificates: 0, ..Limits::default() };
        let error = read_within(&full().der(), &limits).unwrap_err();
        assert_eq!((error.reason, error.context.as_str()), (Reason::LimitExceeded, "SignedData.certificates"));
        let error = read_within(&full().without(&[3]).der(), &limits).unwrap_err();
        assert_eq!((error.reason, error.context.as_str()), (Reason::LimitExceeded, "SignedData.crls"));
    }

    #[test]
    fn the_octets_held_of_one_object_are_bounded() {
        let object = |certificates: usize, crl: usize| {
            let certificate = w::sequence([w::octet_string(&[0; 1000])]);
            w::sequence([
                w::integer(1),
                w::set_as_given([b""]),
                w::sequence([w::oid(oid::DATA).unwrap()]),
                w::context(0, &certificate.repeat(certificates)),
                w::context(1, &w::sequence([w::octet_string(&vec![0; crl])])),
                w::set_as_given([b""]),
            ])
        };
        let limits = Limits { element_octets: 5000, ..Limits::default() };
        // What is not held is not counted.
        let (_, _, tail) = read_within(&object(4, 9000), &limits).unwrap();
        assert_eq!((tail.carried.certificates.len(), tail.carried.crls), (4, 1));
        let error = read_within(&object(5, 1), &limits).unwrap_err();
        assert_eq!((error.reason, error.context.as_str()), (Reason::LimitExceeded, "SignedData.certificates"));
        assert!(error.detail.contains("octets held of one object"), "{error}");
        // The certificates leave no room for the signer.
        let limits = Limits { element_octets: 60, ..Limits::default() };
        let error = read_within(&full().der(), &limits).unwrap_err();
        assert_eq!((error.reason, error.context.as_str()), (Reason::LimitExceeded, "SignedData.signerInfos[0]"));
    }

    #[test]
    fn every_cut_is_a_truncation() {
        let octets = full().der();
        for cut in 0..octets.len() {
            let error = read(&octets[..cut]).unwrap_err();
            let due = if cut == 0 { Reason::BadBer } else { Reason::Truncated };
            assert_eq!(error.reason, due, "cut at {cut}: {error}");
        }
    }
}
