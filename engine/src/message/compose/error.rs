//! What can be wrong with the mail that is to be signed or encrypted.

use std::io;

use crate::mime::MimeError;

/// Why a mail could not be taken apart or put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComposeError {
    /// The mail could not be read.
    #[error("the mail cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The output refused.
    #[error("the output cannot be written: {0}")]
    Write(#[source] io::Error),
    /// There is nothing to read.
    #[error("the mail is empty: not even the empty line is there that ends a header")]
    Empty,
    /// A line of the header that is none (RFC 5322 section 2.2).
    #[error("line {line} is no header field: {why}")]
    Header {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A header that is longer than the limit.
    #[error("the header is longer than the limit of {limit} octets")]
    HeaderTooLong {
        /// `Limits::header_octets`.
        limit: usize,
    },
    /// A header field that was given and cannot be written.
    #[error("the header field `{name}` cannot be written: {why}")]
    Field {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A boundary that cannot be used (RFC 2046 section 5.1.1).
    #[error("the boundary `{boundary}` cannot be used: {why}")]
    Boundary {
        /// The boundary.
        boundary: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A MIME shape that gives no valid mail.
    #[error("the MIME shape cannot be used: {0}")]
    Shape(&'static str),
    /// A mail that could not be cut into parts.
    #[error("the mail cannot be read: {0}")]
    Mime(#[source] MimeError),
    /// A mail whose header cannot be protected.
    #[error("the header of the mail cannot be protected: {0}")]
    Protected(&'static str),
    /// A date that a mail cannot have.
    #[error("the date {0} cannot be written in a header")]
    Date(String),
}

impl ComposeError {
    /// Whether what was to be signed or encrypted is no mail: it begins with
    /// something that is neither a header field nor the end of a header.
    #[must_use]
    pub const fn is_no_mail(&self) -> bool {
        matches!(self, Self::Empty | Self::Header { line: 1, .. })
    }
}
