//! How an object is written.

use serde::{Deserialize, Serialize};

use super::{Family, Sm2Shape, WriteError};
use crate::ber::writer::{self, SegmentPlan};
use crate::cms::Capability;

/// A writer's habits, as data.
///
/// Nothing here changes what an object means. Every combination is readable;
/// [`Order::AsGiven`] for attributes is the one that RFC 5652 section 5.3
/// forbids, and stands here because clients in use write so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Shape {
    /// Definite or indefinite lengths.
    pub encoding: Encoding,
    /// Sizes of the first content segments, each used once, before the regular
    /// ones of [`Encoding::Ber`].
    pub first_segments: Vec<usize>,
    /// Whether the last cipher block of encrypted content stands in a segment
    /// of its own, as in libraries that flush the cipher after the content.
    pub last_block_apart: bool,
    /// The signed attributes, in the order in which they are written when
    /// `attribute_order` is [`Order::AsGiven`]. An attribute for which the
    /// recipe has no value is left out. None at all means no signedAttrs.
    pub attributes: Vec<AttributeKind>,
    /// Order of the signed attributes, in the object and under the signature.
    pub attribute_order: Order,
    /// Order in every other SET OF: digestAlgorithms, certificates,
    /// signerInfos, recipientInfos.
    pub set_order: Order,
    /// What the SMIMECapabilities attribute says (RFC 8551 section 2.5.2).
    pub capabilities: Vec<Capability>,
    /// Parameters of digest algorithms; RFC 5754 section 2 wants them absent.
    pub digest_parameters: Parameters,
    /// How an RSA PKCS#1 v1.5 signature is named.
    pub rsa_signature: RsaSignature,
    /// How a signer's certificate is named.
    pub signer_id: IdentifierForm,
    /// How a recipient's certificate is named.
    pub recipient_id: IdentifierForm,
    /// Whether AuthEnvelopedData says its content type in an authenticated
    /// attribute where it need not: it has to where that is not data.
    pub authenticated_content_type: bool,
    /// Which content types and versions the object has.
    pub family: Family,
    /// How SM2, SM3 and SM4 are named and encoded.
    pub sm2: Sm2Shape,
    /// Whether the set of certificates has an indefinite length, where the
    /// content has one.
    pub indefinite_certificates: bool,
    /// Whether the signers' certificates stand in the object, before the
    /// others. Without it, the certificates are just those that are given.
    pub signer_certificates: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            encoding: Encoding::Der,
            first_segments: Vec::new(),
            last_block_apart: false,
            attributes: vec![
                AttributeKind::ContentType,
                AttributeKind::SigningTime,
                AttributeKind::MessageDigest,
                AttributeKind::Capabilities,
                AttributeKind::KeyPreference,
                AttributeKind::SigningCertificate,
                AttributeKind::AlgorithmProtection,
            ],
            attribute_order: Order::Der,
            set_order: Order::AsGiven,
            capabilities: Capability::defaults(),
            digest_parameters: Parameters::Absent,
            rsa_signature: RsaSignature::WithDigest,
            signer_id: IdentifierForm::IssuerAndSerial,
            recipient_id: IdentifierForm::IssuerAndSerial,
            authenticated_content_type: false,
            family: Family::Cms,
            sm2: Sm2Shape::default(),
            indefinite_certificates: false,
            signer_certificates: true,
        }
    }
}

impl Shape {
    /// The default shape with another encoding.
    #[must_use]
    pub fn encoded(encoding: Encoding) -> Self {
        Self { encoding, ..Self::default() }
    }

    /// How content is cut, where it is; `block` is the cipher's block length,
    /// or 0 for content that is not encrypted.
    pub(super) fn segments(&self, block: usize) -> Result<Option<SegmentPlan>, WriteError> {
        match self.encoding {
            Encoding::Der => Ok(None),
            Encoding::Ber { segment: 0 } => {
                Err(WriteError::Recipe("segments of 0 octets: give a segment size of 1 at least"))
            }
            Encoding::Ber { segment } => Ok(Some(SegmentPlan {
                first: self.first_segments.clone(),
                size: segment,
                apart: if self.last_block_apart { block } else { 0 },
            })),
        }
    }

    /// The elements of a SET OF in their order, under this tag.
    pub(super) fn set(&self, tag: u8, mut elements: Vec<Vec<u8>>) -> Vec<u8> {
        if self.set_order == Order::Der {
            writer::sort(&mut elements);
        }
        writer::constructed(tag, elements)
    }
}

/// The form of the lengths around the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Definite lengths throughout, content in one piece. The content is read
    /// twice. (To be DER in every point, an object also needs
    /// [`Order::Der`] in its sets.)
    Der,
    /// Indefinite lengths around the content, which is cut into segments. The
    /// content is read once.
    Ber {
        /// Octets of one segment, 1 at least.
        segment: usize,
    },
}

/// One kind of signed attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AttributeKind {
    /// contentType (RFC 5652 section 11.1).
    ContentType,
    /// messageDigest (RFC 5652 section 11.2).
    MessageDigest,
    /// signingTime (RFC 5652 section 11.3), where the recipe has one.
    SigningTime,
    /// SMIMECapabilities (RFC 8551 section 2.5.2), unless the list is empty.
    Capabilities,
    /// SMIMEEncryptionKeyPreference (RFC 8551 section 2.5.3), where the recipe
    /// has an encryption certificate.
    KeyPreference,
    /// The older 1.3.6.1.4.1.311.16.4 of the same meaning.
    MicrosoftKeyPreference,
    /// signingCertificateV2 (RFC 5035 section 3).
    SigningCertificate,
    /// The same with the digest alone, which RFC 5035 section 4 leaves to the
    /// writer: for tokens that are to be small.
    SigningCertificateHash,
    /// CMSAlgorithmProtection (RFC 6211 section 2).
    AlgorithmProtection,
}

/// The order of the elements of a SET OF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Sorted as DER demands (X.690 section 11.6).
    Der,
    /// As given.
    AsGiven,
}

/// The parameters of an AlgorithmIdentifier that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parameters {
    /// Left out.
    #[default]
    Absent,
    /// An explicit NULL.
    Null,
}

/// The signatureAlgorithm of an RSA PKCS#1 v1.5 signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RsaSignature {
    /// sha256WithRSAEncryption and its like (RFC 5754 section 3.2).
    WithDigest,
    /// rsaEncryption (RFC 3370 section 3.2).
    RsaEncryption,
}

/// How a certificate is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentifierForm {
    /// issuerAndSerialNumber (RFC 5652 section 10.2.4).
    IssuerAndSerial,
    /// subjectKeyIdentifier: that of the certificate's extension.
    SubjectKeyId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_data() {
        let text = "encoding.ber.segment = 8192\nlast-block-apart = true\nattribute-order = \"as-given\"\n\
                    attributes = [\"content-type\", \"message-digest\", \"microsoft-key-preference\"]\n\
                    capabilities = [\"aes-256-cbc\", \"1.2.840.113549.3.2:128\"]\nsigner-id = \"subject-key-id\"\n";
        let shape: Shape = toml::from_str(text).unwrap();
        assert_eq!(shape.encoding, Encoding::Ber { segment: 8192 });
        assert_eq!(shape.attributes.len(), 3);
        assert_eq!(shape.segments(16).unwrap(), Some(SegmentPlan { first: vec![], size: 8192, apart: 16 }));
        assert_eq!(toml::from_str::<Shape>(&toml::to_string(&shape).unwrap()).unwrap(), shape);
        assert_eq!(toml::from_str::<Shape>("").unwrap(), Shape::default());
        assert_eq!(toml::from_str::<Shape>("encoding = \"der\"").unwrap(), Shape::default());
        assert!(toml::from_str::<Shape>("capabilities = [\"no-such\"]").is_err());
    }
}
