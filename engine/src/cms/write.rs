//! Writing CMS objects: SignedData and EnvelopedData (RFC 5652 sections 5 and 6).
//!
//! What is written is said by a recipe ([`SignedData`], [`EnvelopedData`]); how
//! it is written, by a [`Shape`]: DER or segments, which attributes in which
//! order, which spelling of an algorithm. The default shape follows the
//! standards; the habits of a real client are another value of the same type.
//! What no standard allows is asked for with [`Tamper`] and nothing else.
//!
//! Content streams. BER is written in one pass; where a length stands before
//! the content, the content is read twice. After an error, what the output has
//! got is not an object.

mod attributes;
mod capability;
mod content;
mod enveloped;
mod error;
mod identifier;
mod shape;
mod signed;
mod tamper;

pub use capability::{Capability, CapabilityError};
pub use content::Content;
pub use enveloped::EnvelopedData;
pub use error::WriteError;
pub use shape::{AttributeKind, Encoding, IdentifierForm, Order, Parameters, RsaSignature, Shape};
pub use signed::{ContentSigner, Digester, Digests, SignedData};
pub use tamper::Tamper;

/// Octets that are read, hashed, encrypted and written at once: a multiple of
/// every block length.
const CHUNK: usize = 64 << 10;
