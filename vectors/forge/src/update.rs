//! What the forge makes and the repository keeps: certificates and the lock file.

use std::path::Path;

use waxseal_model::{Corpus, CorpusError, Pki};

use crate::{CaseError, Lock, PkiError, certificates};

/// Why the made files cannot be made anew.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The corpus has faults.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// A certificate cannot be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// A recipe cannot be followed.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// A file cannot be written.
    #[error("{file} cannot be written: {source}")]
    Write {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Makes certificates and lock file of a directory laid out as `vectors/`
/// anew; the files that changed, relative to it.
///
/// # Errors
/// The corpus has faults beyond missing certificates, or a file cannot be written.
pub fn update(vectors: &Path) -> Result<Vec<String>, UpdateError> {
    let mut changed = Vec::new();
    for (name, pem) in certificates(&Pki::load(vectors)?)? {
        write(vectors, format!("pki/{name}.cert.pem"), &pem, &mut changed)?;
    }
    let corpus = Corpus::load(vectors)?;
    let lock = Lock::of(&corpus)?;
    write(vectors, "vectors.lock".to_owned(), &lock.write(), &mut changed)?;
    Ok(changed)
}

fn write(vectors: &Path, file: String, text: &str, changed: &mut Vec<String>) -> Result<(), UpdateError> {
    let path = vectors.join(&file);
    if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    std::fs::write(&path, text).map_err(|source| UpdateError::Write { file: file.clone(), source })?;
    changed.push(file);
    Ok(())
}
