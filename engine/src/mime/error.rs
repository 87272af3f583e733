//! Why a message could not be cut or decoded.

use std::io;

use waxseal_verdict::Reason;

/// Why a message could not be cut into entities, or an entity not decoded.
///
/// Every offset counts from the start of the source that was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MimeError {
    /// The source could not be read.
    #[error("the message could not be read at offset {offset}: {source}")]
    Read {
        /// Where.
        offset: u64,
        /// What the source said.
        source: io::Error,
    },
    /// A limit of [`crate::Limits`] was reached.
    #[error("more than {limit} {what} at offset {offset}; raise the limit if this message is honest")]
    LimitExceeded {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// Where it was reached.
        offset: u64,
    },
    /// base64 that cannot be undone (RFC 2045 section 6.8).
    #[error("bad base64 at offset {offset}: {why}")]
    BadBase64 {
        /// Where.
        offset: u64,
        /// What is wrong.
        why: &'static str,
    },
    /// A Content-Transfer-Encoding that nobody registered (RFC 2045 section 6.1).
    #[error(
        "unknown Content-Transfer-Encoding of the part at offset {offset}; it must be one of 7bit, 8bit, binary, quoted-printable, base64"
    )]
    UnknownEncoding {
        /// Where the part begins.
        offset: u64,
    },
}

impl MimeError {
    /// The reason a verdict gives; `None` where the fault is not in the message.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match self {
            Self::Read { .. } => None,
            Self::LimitExceeded { .. } => Some(Reason::LimitExceeded),
            Self::BadBase64 { .. } => Some(Reason::BadBase64),
            Self::UnknownEncoding { .. } => Some(Reason::MimeMalformed),
        }
    }

    /// Where in the source.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        match self {
            Self::Read { offset, .. }
            | Self::LimitExceeded { offset, .. }
            | Self::BadBase64 { offset, .. }
            | Self::UnknownEncoding { offset } => *offset,
        }
    }

    /// The MIME error inside what a decoder's [`io::Read`] returned.
    #[must_use]
    pub fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

impl From<MimeError> for io::Error {
    fn from(error: MimeError) -> Self {
        match error {
            MimeError::Read { source, .. } => source,
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}
