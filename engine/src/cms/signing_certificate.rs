//! The attributes that name the signer's certificate: signingCertificate (RFC
//! 2634 section 5.4) and signingCertificateV2 (RFC 5035 section 5.4.1).

use crate::ber::{Cursor, Element, Form, Tag};
use crate::certificate::EncodedName;
use crate::cms::algorithm::AlgorithmIdentifier;
use crate::cms::attribute::Attributes;
use crate::cms::error::{CmsError, Within};
use crate::cms::oid;
use crate::cms::read::object_identifier;

/// The certificates that one of the two attributes names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningCertificate {
    /// The first is that of the signer; the others lead to an anchor, and limit
    /// which may.
    pub certificates: Vec<CertificateId>,
    /// The certificate policies that the signer goes by, dotted.
    pub policies: Vec<String>,
}

/// ESSCertID or ESSCertIDv2: a certificate by the digest of its octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateId {
    /// Object identifier of the digest: SHA-1 in the first version, SHA-256 by
    /// default in the second.
    pub digest: String,
    /// The digest of the whole certificate.
    pub hash: Vec<u8>,
    /// Issuer and serial number, if they are there, too.
    pub issuer_serial: Option<IssuerSerial>,
}

/// Issuer and serial number of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerSerial {
    /// The issuer; `None` if the only GeneralName is no directoryName, or is
    /// not the only one, which RFC 5035 section 5.4.1.1 forbids.
    pub issuer: Option<EncodedName>,
    /// Content octets of the serial number.
    pub serial: Vec<u8>,
}

impl Attributes {
    /// The signingCertificate attribute (RFC 2634 section 5.4).
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn signing_certificate(&self) -> Result<Option<SigningCertificate>, CmsError> {
        const SHA_1: &str = "1.3.14.3.2.26";
        self.read_signing_certificate(oid::ATTRIBUTE_SIGNING_CERTIFICATE, |_, _| Ok(SHA_1.to_owned()))
    }

    /// The signingCertificateV2 attribute (RFC 5035 section 5.4.1).
    ///
    /// # Errors
    /// It is malformed, or not single.
    pub fn signing_certificate_v2(&self) -> Result<Option<SigningCertificate>, CmsError> {
        const SHA_256: &str = "2.16.840.1.101.3.4.2.1";
        self.read_signing_certificate(oid::ATTRIBUTE_SIGNING_CERTIFICATE_V2, |fields, place| {
            let algorithm = fields.take_if(Tag::SEQUENCE, Form::Constructed).within(place)?;
            algorithm.map_or_else(
                || Ok(SHA_256.to_owned()),
                |element| AlgorithmIdentifier::read(&element, place).map(|found| found.oid),
            )
        })
    }

    fn read_signing_certificate(
        &self,
        oid: &str,
        digest: impl Fn(&mut Cursor<'_>, &str) -> Result<String, CmsError>,
    ) -> Result<Option<SigningCertificate>, CmsError> {
        let Some(value) = self.single(oid)? else { return Ok(None) };
        let place = &self.place(oid);
        let mut outer = Cursor::new(value.whole, value.offset);
        let mut fields = outer.expect(Tag::SEQUENCE, "SigningCertificate (SEQUENCE)").within(place)?.inside();
        let mut list = fields.expect(Tag::SEQUENCE, "certs (SEQUENCE)").within(place)?.inside();
        let mut certificates = Vec::new();
        while !list.is_empty() {
            let mut id = list.expect(Tag::SEQUENCE, "ESSCertID (SEQUENCE)").within(place)?.inside();
            let digest = digest(&mut id, place)?;
            let hash = id.expect(Tag::OCTET_STRING, "certHash (OCTET STRING)").within(place)?.content.to_vec();
            let issuer_serial = id.take_if(Tag::SEQUENCE, Form::Constructed).within(place)?;
            let issuer_serial = issuer_serial.map(|element| IssuerSerial::read(&element, place)).transpose()?;
            id.end().within(place)?;
            certificates.push(CertificateId { digest, hash, issuer_serial });
        }
        let policies = fields.take_if(Tag::SEQUENCE, Form::Constructed).within(place)?;
        let policies = policies.map(|element| read_policies(&element, place)).transpose()?.unwrap_or_default();
        fields.end().within(place)?;
        Ok(Some(SigningCertificate { certificates, policies }))
    }
}

impl IssuerSerial {
    fn read(element: &Element<'_>, place: &str) -> Result<Self, CmsError> {
        let mut fields = element.inside();
        let mut names = fields.expect(Tag::SEQUENCE, "issuer (GeneralNames)").within(place)?.inside();
        let mut issuer = None;
        if let Some(name) = names.take_if(Tag::context(4), Form::Constructed).within(place)? {
            let directory_name = name.inside().expect(Tag::SEQUENCE, "directoryName (Name)").within(place)?;
            issuer = Some(directory_name.whole.to_vec().into());
        }
        if !names.is_empty() {
            issuer = None;
        }
        let serial = fields.expect(Tag::INTEGER, "serialNumber").within(place)?.content.to_vec();
        fields.end().within(place)?;
        Ok(Self { issuer, serial })
    }
}

/// The object identifiers of PolicyInformation; the qualifiers are passed over.
fn read_policies(element: &Element<'_>, place: &str) -> Result<Vec<String>, CmsError> {
    let mut policies = Vec::new();
    let mut list = element.inside();
    while !list.is_empty() {
        let mut policy = list.expect(Tag::SEQUENCE, "PolicyInformation (SEQUENCE)").within(place)?.inside();
        let oid = policy.expect(Tag::OBJECT_IDENTIFIER, "policyIdentifier").within(place)?;
        policies.push(object_identifier(&oid, place)?);
    }
    Ok(policies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::writer as w;
    use crate::cms::testing::{Tree, check_fields};

    fn attributes(oid: &str, value: &[u8]) -> Attributes {
        let attribute = w::sequence([w::oid(oid).unwrap(), w::set_as_given([value])]);
        let set = w::context(0, &attribute);
        Attributes::read(&Cursor::new(&set, 0).take().unwrap().unwrap(), "signedAttrs").unwrap()
    }

    /// RFC 5035 section 5.4.1, with every optional field.
    fn full() -> Tree {
        let algorithm = w::sequence([w::oid("2.16.840.1.101.3.4.2.3").unwrap()]);
        let issuer = w::sequence([w::context(4, &w::sequence([b""]))]);
        let id = w::sequence([algorithm, w::octet_string(&[1, 2]), w::sequence([issuer, w::integer(9)])]);
        let plain = w::sequence([w::octet_string(&[3])]);
        let policy = w::sequence([w::oid("1.2.3").unwrap(), w::sequence([b""])]);
        Tree::parse(&w::sequence([w::sequence([id, plain]), w::sequence([policy])]))
    }

    fn read(value: &[u8]) -> Result<SigningCertificate, CmsError> {
        let attributes = attributes(oid::ATTRIBUTE_SIGNING_CERTIFICATE_V2, value);
        attributes.signing_certificate_v2().map(Option::unwrap)
    }

    #[test]
    fn every_field_is_read_and_defaults_are_filled_in() {
        let found = read(&full().der()).unwrap();
        let [first, second] = found.certificates.as_slice() else { panic!("{found:?}") };
        assert_eq!((first.digest.as_str(), first.hash.as_slice()), ("2.16.840.1.101.3.4.2.3", [1, 2].as_slice()));
        let issuer = Some(vec![0x30, 0].into());
        assert_eq!(first.issuer_serial, Some(IssuerSerial { issuer, serial: vec![9] }));
        assert_eq!((second.digest.as_str(), &second.issuer_serial), ("2.16.840.1.101.3.4.2.1", &None));
        assert_eq!(found.policies, ["1.2.3"]);
        assert!(read(&full().without(&[1]).der()).unwrap().policies.is_empty());
        // The first version has no algorithm: where one is due, there is the hash.
        let value = full().without(&[0, 0, 0]).der();
        let found = attributes(oid::ATTRIBUTE_SIGNING_CERTIFICATE, &value).signing_certificate().unwrap().unwrap();
        assert!(!found.certificates.is_empty() && found.certificates.iter().all(|id| id.digest == "1.3.14.3.2.26"));
        assert!(attributes(oid::ATTRIBUTE_SIGNING_CERTIFICATE, &full().der()).signing_certificate().is_err());
    }

    #[test]
    fn an_issuer_that_is_no_single_directory_name_is_none() {
        let with = |names: &[u8]| {
            let issuer_serial = w::sequence([w::sequence([names]), w::integer(9)]);
            let id = w::sequence([w::octet_string(&[1]), issuer_serial]);
            let found = read(&w::sequence([w::sequence([id])])).unwrap();
            found.certificates[0].issuer_serial.clone().unwrap().issuer
        };
        let directory_name = w::context(4, &w::sequence([b""]));
        assert!(with(&directory_name).is_some());
        assert!(with(&[]).is_none() && with(&directory_name.repeat(2)).is_none());
        assert!(with(&w::element(0x81, b"a@b")).is_none());
    }

    #[test]
    fn damage_names_the_attribute() {
        // Offsets are told from the attribute's own; the value stands alone here.
        let value = |octets: &[u8]| -> Result<SigningCertificate, CmsError> {
            let mut found = attributes(oid::ATTRIBUTE_SIGNING_CERTIFICATE_V2, &full().der());
            found.list[0].values[0] = octets.to_vec();
            found.list[0].offset = 0;
            found.signing_certificate_v2().map(Option::unwrap)
        };
        let place = "signedAttrs.signingCertificateV2";
        check_fields(
            &full(),
            value,
            &[(&[0, 0, 1], place, "expected certHash")],
            &[
                (&[0], place, "expected certs"),
                (&[0, 0], place, "expected ESSCertID"),
                (&[0, 0, 2], place, "octets after the last element"),
                (&[0, 0, 2, 0], place, "expected issuer"),
                (&[0, 0, 2, 1], place, "expected serialNumber"),
                (&[1], place, "octets after the last element"),
                (&[1, 0, 0], place, "expected policyIdentifier"),
            ],
            &[(&[], place), (&[0, 1], place), (&[0, 0, 2], place)],
        );
    }
}
