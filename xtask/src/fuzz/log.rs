//! What a run of a target said, as a row of the log.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

const HEAD: &str = "# Fuzzing\n\n\
    Written by `cargo xtask fuzz`, one row for each run of a target. Edges are libFuzzer's `cov`: \
    branches of the program that the corpus reaches at the end of the run.\n\n\
    | date | commit | target | minutes | executions | edges | corpus | end |\n\
    |---|---|---|---:|---:|---:|---:|---|\n";

/// One run of one target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    target: String,
    commit: String,
    seconds: u64,
    pub(super) executions: u64,
    pub(super) edges: u64,
    /// Inputs of the corpus in memory.
    corpus: u64,
    crashed: bool,
}

impl Entry {
    /// Reads what libFuzzer wrote; nothing if it never started.
    pub(super) fn read(said: &str, target: &str, commit: &str) -> Option<Self> {
        // `#123  NEW  cov: 45 ft: 67 corp: 8/910b …`
        let pulse = said.lines().rev().find(|line| line.starts_with('#') && line.contains(" cov: "))?;
        let after = |word: &str| -> Option<u64> {
            let rest = pulse.split_once(word)?.1;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        let stat = |name: &str| -> Option<u64> {
            let line = said.lines().find(|line| line.starts_with("stat::") && line.contains(name))?;
            line.rsplit_once(' ')?.1.parse().ok()
        };
        let executions = stat("number_of_executed_units").or_else(|| after("#"))?;
        // `Done 123 runs in 601 second(s)`; a crash ends without it.
        let done = said.lines().find_map(|line| line.strip_prefix("Done ")?.split_once(" in "));
        let seconds = done.and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        Some(Self {
            target: target.to_owned(),
            commit: commit.to_owned(),
            executions,
            seconds: seconds
                .or_else(|| Some(executions / stat("average_exec_per_sec").filter(|rate| *rate > 0)?))
                .unwrap_or_default(),
            edges: after(" cov: ")?,
            corpus: after(" corp: ")?,
            crashed: done.is_none(),
        })
    }

    /// Appends the row.
    pub(super) fn append(&self, path: &Path) -> Result<(), String> {
        let new = !path.exists();
        let today = time::OffsetDateTime::now_utc().date();
        let row = format!(
            "| {today} | {} | {} | {:.1} | {} | {} | {} | {} |\n",
            self.commit,
            self.target,
            self.seconds as f64 / 60.0,
            self.executions,
            self.edges,
            self.corpus,
            if self.crashed { "crash" } else { "time" },
        );
        let written = OpenOptions::new().create(true).append(true).open(path).and_then(|mut file| {
            file.write_all(if new { HEAD.as_bytes() } else { b"" })?;
            file.write_all(row.as_bytes())
        });
        written.map_err(|error| format!("{}: {error}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "INFO: Running with entropic power schedule (0xFF, 100).\n\
        #2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 40Mb\n\
        #4096\tpulse  cov: 345 ft: 901 corp: 67/1234b lim: 4 exec/s: 2048 rss: 45Mb\n\
        #5000\tDONE   cov: 350 ft: 911 corp: 68/1250b lim: 4 exec/s: 80 rss: 45Mb\n\
        Done 5000 runs in 61 second(s)\n\
        stat::number_of_executed_units: 5000\n\
        stat::average_exec_per_sec:     81\n";

    #[test]
    fn a_run_is_read() {
        let entry = Entry::read(SAID, "ber", "0123456789").unwrap();
        assert_eq!((entry.executions, entry.edges, entry.corpus, entry.seconds), (5000, 350, 68, 61));
        assert!(!entry.crashed);
        assert_eq!(Entry::read("error: could not compile", "ber", "0"), None);
    }

    #[test]
    fn a_crash_is_read() {
        let said = SAID.replace("Done 5000 runs in 61 second(s)\n", "==1== ERROR: libFuzzer: deadly signal\n");
        let entry = Entry::read(&said, "ber", "0").unwrap();
        assert!(entry.crashed);
        assert_eq!(entry.seconds, 61);
    }
}
