//! What is wrong with an encoding, and where.

use std::io;

use crate::ber::tag::Tag;

/// What is wrong with an encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BerErrorKind {
    /// The input ends inside an element.
    Truncated,
    /// X.690 does not allow it.
    Malformed(&'static str),
    /// Another element was expected here.
    Unexpected {
        /// What was expected.
        expected: &'static str,
        /// The tag found; `None` at the end of the surrounding element.
        found: Option<Tag>,
    },
    /// A limit was reached.
    Limit(&'static str),
    /// The input could not be read; what its reader said.
    Input {
        /// The kind of the reader's error; `InvalidData` is a damaged transfer encoding.
        kind: io::ErrorKind,
        /// Its text.
        message: String,
    },
}

/// An error of the encoding, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BerError {
    /// What is wrong.
    pub kind: BerErrorKind,
    /// Offset in the input, in octets.
    pub offset: u64,
    /// The elements around the place, outermost first, as `tag[index]`.
    pub path: String,
}

impl std::fmt::Display for BerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            BerErrorKind::Truncated => f.write_str("the input ends inside an element")?,
            BerErrorKind::Malformed(what) => f.write_str(what)?,
            BerErrorKind::Unexpected { expected, found: Some(tag) } => write!(f, "expected {expected}, found {tag}")?,
            BerErrorKind::Unexpected { expected, found: None } => {
                write!(f, "expected {expected}, found the end of the element")?;
            }
            BerErrorKind::Limit(what) => write!(f, "limit exceeded: {what}")?,
            BerErrorKind::Input { message, .. } => return f.write_str(message),
        }
        write!(f, " at offset {}", self.offset)?;
        if !self.path.is_empty() {
            write!(f, " in {}", self.path)?;
        }
        Ok(())
    }
}

impl std::error::Error for BerError {}
