//! Bouncy Castle on every case: what it accepts and refuses is what the cases
//! say of it. In a run it is the SUT `bouncycastle`.
//!
//! With `WAXSEAL_UPDATE` set the cases that it answers as expected are made to
//! name it as a witness. A failure is never written: somebody must look into it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use support::witness;
use waxseal_model::Corpus;

const NAME: &str = "bouncycastle";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let corpus = Corpus::embedded().unwrap();
    let Some((sut, hello)) = witness::admitted(NAME, env!("CARGO_BIN_EXE_waxseal")) else { return ExitCode::SUCCESS };
    let mut trials = vec![
        Trial::test("every algorithm that it declares has a row in the table", move || witness::names(&hello)),
        Trial::test("without Java it is not available, and says why", absent),
        Trial::test("without a directory to keep it in it says so", homeless),
    ];
    if !arguments.list {
        trials.extend(witness::trials(&corpus, sut));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What `waxseal shim bouncycastle` answers to hello with these variables, and no others.
fn hello_with(variables: &[(&str, &Path)]) -> String {
    use std::io::Write as _;
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_waxseal"))
        .args(["shim", NAME])
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"{\"id\":1,\"op\":\"hello\",\"protocol\":1}\n").unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

fn absent() -> Result<(), Failed> {
    let empty = tempfile::tempdir().unwrap();
    let answer = hello_with(&[("PATH", empty.path()), ("XDG_CACHE_HOME", empty.path())]);
    let right = answer.starts_with("{\"id\":1,\"unsupported\":") && answer.contains("javac cannot be started");
    if right { Ok(()) } else { Err(answer.into()) }
}

fn homeless() -> Result<(), Failed> {
    let answer = hello_with(&[("PATH", Path::new("/usr/bin"))]);
    if answer.contains("neither XDG_CACHE_HOME nor HOME is set") { Ok(()) } else { Err(answer.into()) }
}
