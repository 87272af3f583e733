//! `cargo xtask tidy`: what the compiler cannot see.
//!
//! What needs the corpus read (ids, twins, requirements, schemas, lock file) is
//! checked by the tests of `waxseal-model` and `waxseal-forge`.

mod architecture;
mod dependencies;
mod files;
mod readme;
mod sources;
mod spdx;

use crate::metadata::Metadata;
use crate::run;

/// One check: its name, and what it finds wrong.
type Check = (&'static str, fn(&State) -> Result<Vec<String>, String>);

const CHECKS: &[Check] = &[
    ("arrows between crates", architecture::arrows),
    ("reasons of dependencies", dependencies::reasons),
    ("unused dependencies", dependencies::unused),
    ("licences", dependencies::licences),
    ("where packages come from", dependencies::origins),
    ("unfinished or ignored code", sources::unfinished),
    ("files no module names", sources::orphans),
    ("paths and hosts of this machine", files::machine),
    ("large files", files::large),
    ("recordings of others", files::recordings_of_others),
    ("commands in documents", readme::commands),
    ("links in documents", readme::links),
];

/// What every check looks at, read once.
struct State {
    metadata: Metadata,
    tracked: Vec<std::path::PathBuf>,
}

impl State {
    fn read() -> Result<Self, String> {
        Ok(Self { metadata: Metadata::read()?, tracked: run::tracked()? })
    }

    /// The tracked files that are text, with their text.
    fn texts(&self) -> impl Iterator<Item = (&std::path::Path, String)> {
        self.tracked
            .iter()
            .filter_map(|path| Some((path.as_path(), std::fs::read_to_string(run::root().join(path)).ok()?)))
    }
}

pub(crate) fn main(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask tidy".to_owned());
    }
    let state = State::read()?;
    let mut found = 0;
    for (name, check) in CHECKS {
        let problems = check(&state).unwrap_or_else(|message| vec![message]);
        println!("tidy: {name}: {}", if problems.is_empty() { "ok" } else { "FAILED" });
        for problem in &problems {
            println!("    {problem}");
        }
        found += problems.len();
    }
    if found == 0 { Ok(()) } else { Err(format!("tidy: {found} problems")) }
}
