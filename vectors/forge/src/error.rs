//! Why a case cannot be made.

use waxseal_engine::certificate::CertificateError;
use waxseal_engine::message::{SignError, WrapError};
use waxseal_key::KeyError;
use waxseal_model::{Case, RecordingsError};

/// Why the files of a case cannot be made. The corpus that is committed has
/// none of these but [`ForgeError::Recording`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForgeError {
    /// Signing failed.
    #[error("step {step}: {source}")]
    Sign {
        /// The number of the step, from 1.
        step: usize,
        /// What the engine said.
        source: SignError,
    },
    /// Encrypting failed.
    #[error("step {step}: {source}")]
    Wrap {
        /// The number of the step, from 1.
        step: usize,
        /// What the engine said.
        source: WrapError,
    },
    /// A step asks for what cannot be done with the message as it stands.
    #[error("step {step}: {what}")]
    Step {
        /// The number of the step, from 1.
        step: usize,
        /// What, and what would help.
        what: String,
    },
    /// A key of the PKI, or of a recording, cannot be used.
    #[error("key of {holder}: {source}")]
    Key {
        /// The entity or file.
        holder: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A certificate cannot be used.
    #[error("certificate of {holder}: {source}")]
    Certificate {
        /// The entity or file.
        holder: String,
        /// What is wrong with it.
        source: CertificateError,
    },
    /// A file of the PKI or of the recordings is not what it should be.
    #[error("{file}: {what}")]
    File {
        /// The entity or file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// A recording cannot be had.
    #[error(transparent)]
    Recording(#[from] RecordingsError),
    /// The case is a recording, and no directory of recordings was given.
    #[error(
        "the bytes of this recording are not part of Waxseal: give their directory with --recordings or WAXSEAL_RECORDINGS"
    )]
    NoRecordings,
}

impl ForgeError {
    /// Whether the bytes are merely not on this machine (outcome `not-available`).
    #[must_use]
    pub const fn is_not_available(&self) -> bool {
        match self {
            Self::NoRecordings => true,
            Self::Recording(error) => error.is_absent(),
            _ => false,
        }
    }
}

/// Why one case of a corpus cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("{case}: {source}")]
pub struct CaseError {
    /// Id of the case.
    pub case: String,
    /// Why.
    pub source: Box<ForgeError>,
}

impl CaseError {
    pub(crate) fn new(case: &Case, source: ForgeError) -> Self {
        Self { case: case.id.clone(), source: Box::new(source) }
    }
}
