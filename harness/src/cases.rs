//! From the corpus to tasks: the bytes of every chosen case, or why they are
//! not on this machine.

use std::collections::BTreeSet;
use std::sync::Arc;

use waxseal_forge::{Forge, ForgeError};
use waxseal_model::{Case, Corpus, Recordings};

use crate::task::Task;

/// Where the bytes of cases come from.
#[derive(Debug, Clone, Copy)]
pub struct Cases<'a> {
    /// The corpus.
    pub corpus: &'a Corpus,
    /// The user's directory of recordings, if there is one.
    pub recordings: Option<&'a Recordings>,
}

/// Why a case has no bytes although its corpus is whole.
#[derive(Debug, thiserror::Error)]
#[error("case {case}: {source}")]
pub struct CaseError {
    /// The case.
    pub case: String,
    /// What went wrong.
    pub source: Box<ForgeError>,
}

impl Cases<'_> {
    /// The tasks of these cases, and of their valid twins: a rejection counts
    /// only where the twin was accepted.
    ///
    /// # Errors
    /// A case cannot be made from its recipe: a fault of the corpus.
    pub fn tasks(&self, chosen: &[&Case]) -> Result<Vec<Task>, CaseError> {
        let mut ids: BTreeSet<&str> = chosen.iter().map(|case| case.id.as_str()).collect();
        ids.extend(chosen.iter().filter_map(|case| case.twin.as_deref()));
        let cases = ids.into_iter().filter_map(|id| self.corpus.case(id));
        cases.map(|case| self.task(case)).collect()
    }

    /// One case as a task.
    ///
    /// # Errors
    /// As [`Cases::tasks`].
    pub fn task(&self, case: &Case) -> Result<Task, CaseError> {
        let forge = Forge::new(self.corpus);
        let forge = self.recordings.map_or(forge, |recordings| forge.with_recordings(recordings));
        let files = match forge.files(case) {
            Ok(files) => Ok(files),
            Err(ForgeError::NoRecordings) => {
                Err("recordings are elsewhere: give --recordings or WAXSEAL_RECORDINGS".to_owned())
            }
            // One reason for all that are absent, without the name of a directory.
            Err(error) if error.is_not_available() => Err("not in the directory of recordings".to_owned()),
            // A file that is another one is refused, and never passes for the recording.
            Err(ForgeError::Recording(error)) => Err(error.to_string()),
            Err(source) => return Err(CaseError { case: case.id.clone(), source: Box::new(source) }),
        };
        let mut expectation = case.expect.clone();
        // What went in must come out, where something comes out.
        if let (Ok(files), None, false) = (&files, &expectation.content_sha256, expectation.layers.is_empty()) {
            expectation.content_sha256.clone_from(&files.content_sha256);
        }
        Ok(Task {
            id: case.id.clone(),
            twin: case.twin.clone(),
            evidence: case.evidence,
            from: case.from.clone(),
            policy: case.policy.clone(),
            algorithms: case.needs.algorithms.clone(),
            kinds: case.needs.kinds.clone(),
            clock: case.clock.date_time(),
            fixed_clock: case.fixed_clock,
            learns: !case.earlier.is_empty(),
            require_revocation: case.require_revocation,
            private: case.private,
            expectation,
            accepted: case.accept.clone(),
            protects: None,
            readers: None,
            files: files.map(Arc::new),
        })
    }
}
