//! Cryptographic Message Syntax (RFC 5652): reading as a stream of structure
//! facts, and writing.

mod algorithm;
mod attribute;
mod content_info;
mod enveloped_data;
mod error;
mod identifier;
pub mod oid;
mod read;
mod signed_data;
#[cfg(test)]
mod testing;
pub mod write;

pub use algorithm::AlgorithmIdentifier;
pub use attribute::{Attribute, Attributes};
pub use content_info::{ContentInfo, finish};
pub use enveloped_data::{EnvelopedDataHead, RecipientInfo};
pub use error::CmsError;
pub use identifier::SignerIdentifier;
pub use signed_data::{SignedDataHead, SignedDataTail, SignerInfo};
