//! Certificates: read once, then judged: is there a path to an anchor, and is
//! the sender the one the certificate names?
//!
//! Everything after [`Certificate::parse`] works on a type that cannot be
//! malformed. The bytes that an issuer signed are cut out of the input as they
//! were received and never encoded again.

mod crl;
mod distribution_point;
mod extensions;
mod fetch;
mod field;
mod file;
mod general_name;
pub mod gm_profile;
pub mod identity;
mod inherited;
mod issued;
mod name;
mod name_constraints;
mod ocsp;
mod parsed;
pub mod path;
mod policies;

#[cfg(test)]
mod corpora;

pub use crl::{Crl, CrlAnswer, CrlEntry};
pub use distribution_point::{CrlScope, DistributionPoint, PointName, Reasons};
pub use extensions::{AuthorityKeyIdentifier, BasicConstraints, Extension, KeyUsage};
pub use fetch::{Fetched, Fetcher, Fetching, Wanted};
pub use general_name::GeneralName;
pub(crate) use general_name::read_general_names;
pub(crate) use inherited::complete_key;
pub use name::{EncodedName, Name};
pub use name_constraints::NameConstraints;
pub use ocsp::{
    CertificateStatus, MOST_NONCE, OcspRequest, OcspRequestError, OcspResponse, OcspStatus, Responder, SingleResponse,
};
pub use parsed::Certificate;
pub(crate) use parsed::hex_integer as serial_text;
pub use policies::PolicyExtensions;

/// Why bytes are no certificate, or a file holds none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The encoding breaks X.690 or RFC 5280.
    #[error("{what} at offset {offset} {why}")]
    Encoding {
        /// Where, in octets from the start of the certificate.
        offset: u64,
        /// Which field.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A PEM block that cannot be decoded.
    #[error("PEM block {label:?} starting at line {line}: {why}")]
    Pem {
        /// The word after BEGIN.
        label: String,
        /// Line of the BEGIN, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The file holds something, but no certificate.
    #[error("no certificate found: {found}; {advice}")]
    NotACertificate {
        /// What the file holds instead.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// The file holds something, but no CRL.
    #[error("no CRL found: the file is neither DER nor has it a PEM block \"X509 CRL\"; give one in DER or PEM")]
    NotACrl,
    /// The file holds something, but no OCSP response.
    #[error(
        "no OCSP response found: the file is neither DER nor has it one PEM block \"OCSP RESPONSE\"; give one in DER"
    )]
    NotAnOcspResponse,
}

impl CertificateError {
    /// An encoding error without computed text.
    pub(crate) fn encoding(offset: u64, what: &'static str, why: &str) -> Self {
        Self::Encoding { offset, what, why: why.to_owned() }
    }
}
