//! The lock file: the hash of every message that a recipe makes.

use std::collections::BTreeMap;

use waxseal_model::{Corpus, Input};

use crate::files::sha256;
use crate::{CaseError, Forge};

/// Hashes of every generated message: `vectors/vectors.lock`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock {
    /// One entry for each case with a recipe, by id.
    pub cases: BTreeMap<String, LockedCase>,
}

/// The hashes of one case, lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedCase {
    /// SHA-256 of the message.
    pub message: String,
    /// SHA-256 of the entity that a reader must put out; only of positive cases.
    pub content: Option<String>,
}

impl Lock {
    /// Makes every message of a corpus.
    ///
    /// # Errors
    /// The first case whose recipe cannot be followed, and why.
    pub fn of(corpus: &Corpus) -> Result<Self, CaseError> {
        let forge = Forge::new(corpus);
        let mut cases = BTreeMap::new();
        for case in corpus.cases().iter().filter(|case| matches!(case.input, Input::Recipe(_))) {
            let files = forge.files(case).map_err(|source| CaseError::new(case, source))?;
            for (number, (mail, _)) in (1..).zip(&files.earlier) {
                let locked = LockedCase { message: sha256(mail), content: None };
                cases.insert(format!("{}/earlier-{number}", case.id), locked);
            }
            let locked = LockedCase { message: sha256(&files.message), content: files.content_sha256 };
            cases.insert(case.id.clone(), locked);
        }
        Ok(Self { cases })
    }

    /// The file: id, hash of the message, hash of the content or `-`.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = "# sha256 of every generated message, and of the content that must come out of it.\n\
                        # Made by the forge; a difference means that a recipe no longer makes the same bytes.\n"
            .to_owned();
        for (id, case) in &self.cases {
            text.push_str(&format!("{id} {} {}\n", case.message, case.content.as_deref().unwrap_or("-")));
        }
        text
    }
}
