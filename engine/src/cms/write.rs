//! Writing CMS objects: every content type of RFC 5652, AuthEnvelopedData (RFC
//! 5083) and CompressedData (RFC 3274).
//!
//! What is written is said by a recipe ([`SignedData`], [`EnvelopedData`], …);
//! how it is written, by a [`Shape`]: DER or segments, which attributes in which
//! order, which spelling of an algorithm. The default shape follows the
//! standards; the habits of a real client are another value of the same type.
//! What no standard allows is asked for with [`Tamper`] and nothing else.
//!
//! Content streams. BER is written in one pass; where a length stands before
//! the content, the content is read twice. After an error, what the output has
//! got is not an object.

mod attributes;
mod authenticated;
mod cipher;
mod compressed;
mod content;
mod digested;
mod edit;
mod enveloped;
mod error;
mod frame;
mod identifier;
mod recipient;
mod shape;
mod signature;
mod signed;
mod signed_and_enveloped;
mod sm2;
mod tamper;

pub use authenticated::AuthenticatedData;
pub use cipher::ContentEncryption;
pub use compressed::CompressedData;
pub use content::Content;
pub use digested::DigestedData;
pub use edit::{with_unsigned_attribute, without_certificates};
pub use enveloped::{EncryptedData, EnvelopedData};
pub use error::WriteError;
pub use recipient::{KeyManagement, PasswordDerivation, Recipient};
pub use shape::{AttributeKind, Encoding, IdentifierForm, Order, Parameters, RsaSignature, Shape};
pub use signature::ContentSigner;
pub use signed::{Digester, Digests, SignedData};
pub use signed_and_enveloped::SignedAndEnvelopedData;
pub(crate) use sm2::content_info_header;
pub use sm2::{CiphertextForm, Family, Sm2Digest, Sm2EncryptionName, Sm2Shape, Sm2SignatureName};
pub use tamper::Tamper;

/// Octets that are read, hashed, encrypted and written at once: a multiple of
/// every block length.
const CHUNK: usize = 64 << 10;
