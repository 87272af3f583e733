//! From the corpus to tasks: the bytes of every chosen case, or why they are
//! not on this machine.

use std::collections::BTreeSet;
use std::sync::Arc;

use waxseal_model::{Case, Corpus, Entry, Input, PinnedFile, Recordings, RecordingsError};

use crate::task::{CaseFiles, KeyPem, Task};

/// Where the bytes of cases come from.
#[derive(Debug, Clone, Copy)]
pub struct Cases<'a> {
    /// The corpus.
    pub corpus: &'a Corpus,
    /// The user's directory of recordings, if there is one.
    pub recordings: Option<&'a Recordings>,
}

/// Why a case has no bytes although its corpus is whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("case {case}: {why}")]
pub struct CaseError {
    /// The case.
    pub case: String,
    /// What went wrong.
    pub why: String,
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
        Ok(Task {
            id: case.id.clone(),
            twin: case.twin.clone(),
            evidence: case.evidence,
            algorithms: case.needs.algorithms.clone(),
            kinds: case.needs.kinds.clone(),
            clock: case.clock.date_time(),
            fixed_clock: case.fixed_clock,
            private: case.private,
            expectation: case.expect.clone(),
            accepted: case.accept.clone(),
            files: self.files(case)?.map(Arc::new),
        })
    }

    fn files(&self, case: &Case) -> Result<Result<CaseFiles, String>, CaseError> {
        match &case.input {
            Input::Recording { .. } => {
                let Some(entry) = self.corpus.entry(&case.id) else {
                    return Err(CaseError { case: case.id.clone(), why: "is not in the catalogue".to_owned() });
                };
                let Some(recordings) = self.recordings else {
                    return Ok(Err("recordings are elsewhere: give --recordings or WAXSEAL_RECORDINGS".to_owned()));
                };
                Ok(recorded(entry, recordings).map_err(|error| match error {
                    // One reason for all of them, without the name of a directory.
                    RecordingsError::Absent { .. } => "not in the directory of recordings".to_owned(),
                    other => other.to_string(),
                }))
            }
            Input::Recipe(_) => Ok(Err("this version does not make messages from recipes".to_owned())),
        }
    }
}

/// The files of a recording.
fn recorded(entry: &Entry, recordings: &Recordings) -> Result<CaseFiles, RecordingsError> {
    let message = recordings.by_hash(&entry.sha256)?;
    let text = |file: &PinnedFile| recordings.pinned(file).map(|octets| pem(&octets));
    let mut keys = Vec::new();
    for pair in &entry.keys {
        keys.push(KeyPem { key: text(&pair.key)?, certificate: Some(text(&pair.certificate)?) });
    }
    let join = |files: &[PinnedFile]| files.iter().map(text).collect::<Result<String, _>>();
    Ok(CaseFiles {
        message,
        content: entry.detached_content.as_ref().map(|content| content.clone().into_bytes()),
        keys,
        anchors: join(&entry.anchors)?,
        extra_certificates: join(&entry.extra_certificates)?,
        from: None,
        policy: None,
    })
}

/// A file of the protocol is PEM; what a directory holds may be DER.
fn pem(octets: &[u8]) -> String {
    use base64::Engine as _;
    if octets.windows(11).any(|window| window == b"-----BEGIN ") {
        let mut text = String::from_utf8_lossy(octets).into_owned();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        return text;
    }
    let base64 = base64::engine::general_purpose::STANDARD.encode(octets);
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
