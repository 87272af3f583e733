//! What no writer may do, for vectors that a reader must refuse.

use waxseal_key::DigestAlgorithm;

use super::AttributeKind;

/// Wrong values in otherwise right objects.
///
/// Only what cannot be had by changing octets afterwards stands here: values
/// under a signature, and values under a cipher. The default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tamper {
    /// Neither does the certificate have to fit the key, nor its keyUsage the
    /// use that is made of it.
    pub unfit_certificates: bool,
    /// The mandatory signed attributes may be missing (RFC 5652 section 5.3).
    pub mandatory_attributes_missing: bool,
    /// The value of the messageDigest attribute.
    pub message_digest: Option<Vec<u8>>,
    /// The value of the contentType attribute, dotted.
    pub content_type_attribute: Option<String>,
    /// Attributes that occur a second time.
    pub repeated_attributes: Vec<AttributeKind>,
    /// Attributes that have their value twice.
    pub doubled_values: Vec<AttributeKind>,
    /// The digestAlgorithms of SignedData.
    pub digest_algorithms: Option<Vec<DigestAlgorithm>>,
    /// The version of SignedData or EnvelopedData.
    pub version: Option<u64>,
    /// The version of every SignerInfo or RecipientInfo.
    pub info_version: Option<u64>,
    /// A detached signature carries the content nevertheless.
    pub content_in_detached: bool,
    /// The octets after the content in place of the padding of RFC 5652
    /// section 6.3. They have to fill the last block.
    pub padding: Option<Vec<u8>>,
    /// A cipher that authenticates stands in EnvelopedData or EncryptedData,
    /// its tag after the content (RFC 5084 wants AuthEnvelopedData).
    pub authenticated_in_enveloped: bool,
}
