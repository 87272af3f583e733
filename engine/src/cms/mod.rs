//! Cryptographic Message Syntax (RFC 5652): reading as a stream of structure
//! facts, and writing.

mod algorithm;
mod attribute;
mod content_info;
mod enveloped_data;
mod error;
pub mod oid;
mod signed_data;
pub mod write;

pub use algorithm::AlgorithmIdentifier;
pub use attribute::{Attribute, Attributes};
pub use content_info::{ContentInfo, finish};
pub use enveloped_data::{EnvelopedDataHead, RecipientInfo};
pub use error::CmsError;
pub use signed_data::{SignedDataHead, SignedDataTail, SignerIdentifier, SignerInfo};
