//! What can go wrong while writing.

use std::io;

use waxseal_key::KeyError;

use crate::ber::writer::{StreamError, ValueError};
use crate::certificate::Certificate;

/// Why an object could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The content could not be read.
    #[error("the content cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The output refused, or the content changed between two passes.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A value that has no encoding.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The key or the arithmetic refused.
    #[error("{operation} with the key of {subject}: {source}")]
    Key {
        /// What was done: `signing`, `wrapping the content key`.
        operation: &'static str,
        /// Subject of the certificate.
        subject: String,
        /// What the key said.
        source: KeyError,
    },
    /// The digest or cipher is not to be had.
    #[error(transparent)]
    Arithmetic(#[from] KeyError),
    /// The private key belongs to another certificate.
    #[error(
        "the certificate of {subject} is not that of the signing key: give the certificate that belongs to the key"
    )]
    KeyMismatch {
        /// Subject of the certificate.
        subject: String,
    },
    /// keyUsage forbids what is asked (RFC 8550 section 4.4.2).
    #[error("the certificate of {subject} may not be used for {purpose}: its keyUsage lacks {needed}")]
    KeyUsage {
        /// Subject of the certificate.
        subject: String,
        /// `signing` or `encryption`.
        purpose: &'static str,
        /// The bits of which one is needed.
        needed: &'static str,
    },
    /// A key of a kind that this operation does not know.
    #[error(
        "the certificate of {subject} has a key of the kind {kind}, which cannot be used for {purpose}: {expected}"
    )]
    KeyKind {
        /// Subject of the certificate.
        subject: String,
        /// What kind it is.
        kind: String,
        /// `signing` or `encryption`.
        purpose: &'static str,
        /// What would do.
        expected: &'static str,
    },
    /// The shape names certificates by subjectKeyIdentifier and one has none.
    #[error("the certificate of {subject} has no subjectKeyIdentifier: name it by issuer and serial number")]
    NoKeyIdentifier {
        /// Subject of the certificate.
        subject: String,
    },
    /// No recipient (RFC 5652 section 6.1).
    #[error("no recipient: encryption needs at least one certificate")]
    NoRecipient,
    /// A recipe or shape that no object can have.
    #[error("{0}")]
    Recipe(&'static str),
}

impl WriteError {
    /// What went wrong while a key was wrapped for the holder of a certificate.
    pub(super) fn wrapping(certificate: &Certificate) -> impl Fn(KeyError) -> Self + '_ {
        |source| Self::Key { operation: "wrapping the content key", subject: certificate.subject(), source }
    }
}
