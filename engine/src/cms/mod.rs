//! Cryptographic Message Syntax (RFC 5652): reading as a stream of structure
//! facts, and writing.

mod algorithm;
mod algorithm_protection;
mod attribute;
mod attribute_certificate;
mod authenticated_data;
mod capability;
mod carried;
mod compressed_data;
mod content_info;
pub(crate) mod derivation;
mod digested_data;
mod encapsulated;
mod encrypted_content;
mod enveloped_data;
pub(crate) mod error;
mod ess;
mod identifier;
pub mod oid;
pub(crate) mod read;
mod recipient;
mod signed_data;
mod signing_certificate;
#[cfg(test)]
pub(crate) mod testing;
pub mod write;

pub use algorithm::AlgorithmIdentifier;
pub use algorithm_protection::AlgorithmProtection;
pub use attribute::{Attribute, Attributes};
pub use authenticated_data::{AuthenticatedDataHead, AuthenticatedDataTail};
pub use capability::{Capability, CapabilityError};
pub use carried::Carried;
pub use compressed_data::CompressedDataHead;
pub use content_info::{ContentInfo, finish};
pub use digested_data::DigestedDataHead;
pub use encapsulated::EncapsulatedContent;
pub use encrypted_content::EncryptedContent;
pub use enveloped_data::{Envelope, EnvelopedDataHead, EnvelopedDataTail};
pub use error::CmsError;
pub use ess::{SecureHeaders, SignedReceipt};
pub use identifier::SignerIdentifier;
pub use recipient::{AgreedKey, KeyAgreement, KeyEncapsulation, Originator, RecipientInfo};
pub use signed_data::{SignedDataHead, SignedDataTail, SignerInfo};
pub use signing_certificate::{CertificateId, IssuerSerial, SigningCertificate};
