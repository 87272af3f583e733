//! What is wrong with a corpus: every fault, with file and field.

/// One fault of the corpus.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, relative to the corpus, such as `cases/signed/clear/rsa.toml`.
    pub file: String,
    /// The field, such as `twin` or `expect.layers.1.aspects.chain`; empty for the whole file.
    pub field: String,
    /// What is wrong and what would be right.
    pub what: String,
}

impl Problem {
    pub(crate) fn new(file: &str, field: impl Into<String>, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), field: field.into(), what: what.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.field.is_empty() {
            write!(f, "{}: {}", self.file, self.what)
        } else {
            write!(f, "{}: {}: {}", self.file, self.field, self.what)
        }
    }
}

/// Why a corpus cannot be used: all its faults, not only the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the corpus has {} fault{}{}", .problems.len(), if .problems.len() == 1 { "" } else { "s" }, list(.problems))]
pub struct CorpusError {
    /// Every fault, in the order of the files.
    pub problems: Vec<Problem>,
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
