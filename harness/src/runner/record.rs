//! The run record: `run.jsonl`, written line by line as outcomes come in.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use waxseal_verdict::{Line, Record};

use super::RunError;

/// The file of a run. Without its `end` line it is incomplete.
#[derive(Debug)]
pub struct RunFile {
    path: PathBuf,
    file: File,
    run: String,
    shard: String,
}

impl RunFile {
    /// Starts the record of a run; an earlier one of the same path is replaced.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path, run: String, shard: String) -> Result<Self, RunError> {
        let file = File::create(path).map_err(RunError::at("cannot write", path))?;
        Ok(Self { path: path.to_owned(), file, run, shard })
    }

    /// Writes one line, whole: a run that is killed leaves complete lines.
    ///
    /// # Errors
    /// The line cannot be written.
    pub fn write(&mut self, record: Record) -> Result<Line, RunError> {
        let line = Line { run: self.run.clone(), shard: self.shard.clone(), record };
        let at = || RunError::at("cannot write", &self.path);
        let mut text = serde_json::to_vec(&line).map_err(|error| at()(error.into()))?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(RunError::at("cannot write", &self.path))?;
        Ok(line)
    }
}
