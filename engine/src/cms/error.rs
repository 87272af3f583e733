//! Why a CMS object could not be read.

use waxseal_verdict::{Aspect, Reason};

use crate::ber::{BerError, BerErrorKind};

/// A structure that cannot be read further, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{context}: {detail}")]
pub struct CmsError {
    /// The reason, of the aspect structure.
    pub reason: Reason,
    /// The field of RFC 5652 that was being read, such as `SignedData.signerInfos[1]`.
    pub context: String,
    /// What is wrong, with the offset.
    pub detail: String,
}

impl CmsError {
    /// An error with its reason.
    pub fn new(reason: Reason, context: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { reason, context: context.into(), detail: detail.into() }
    }

    /// An error of the encoding while a field was being read.
    pub fn ber(context: impl Into<String>, error: &BerError) -> Self {
        let reason = match &error.kind {
            BerErrorKind::Truncated => Reason::Truncated,
            BerErrorKind::Limit(_) => Reason::LimitExceeded,
            BerErrorKind::Input { kind: std::io::ErrorKind::InvalidData, .. } => Reason::BadBase64,
            _ => Reason::BadBer,
        };
        Self::new(reason, context, error.to_string())
    }

    /// The aspect structure that this error makes.
    #[must_use]
    pub fn aspect(&self) -> Aspect {
        Aspect::bad(self.reason, self.to_string())
    }
}

/// Names the field in which an error of the encoding happened.
pub(crate) trait Within<T> {
    fn within(self, context: &str) -> Result<T, CmsError>;
}

impl<T> Within<T> for Result<T, BerError> {
    fn within(self, context: &str) -> Result<T, CmsError> {
        self.map_err(|error| CmsError::ber(context, &error))
    }
}
