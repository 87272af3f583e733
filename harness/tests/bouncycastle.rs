//! Bouncy Castle on every case: what it accepts and refuses is what the cases
//! say of it. The program `waxseal` runs it as its third SUT.
//!
//! With `WAXSEAL_UPDATE` set the cases that it answers as expected are made to
//! name it as a witness. A failure is never written: somebody must look into it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use support::engine::recordings;
use waxseal::cases::Cases;
use waxseal::plan::Plan;
use waxseal::runner::{Options, Run};
use waxseal::shim::engine;
use waxseal::sut::Sut;
use waxseal::sut::child::{ShimCommand, ShimLimits};
use waxseal_key::algorithm;
use waxseal_model::{Case, Corpus};
use waxseal_verdict::{Hello, Outcome, OutcomeRecord};

const NAME: &str = "bouncycastle";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let corpus = Corpus::embedded().unwrap();
    let mut sut = waxseal();
    sut.admit(ShimLimits::default());
    let hello = match &sut.admission {
        Ok(hello) => hello.clone(),
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "Bouncy Castle belongs to the machine of the tests: {why}");
            eprintln!("not tested: {why}");
            return ExitCode::SUCCESS;
        }
    };
    let mut trials = vec![
        Trial::test("every algorithm that it declares has a row in the table", move || names(&hello)),
        Trial::test("without Java it is not available, and says why", absent),
        Trial::test("without a directory to keep it in it says so", homeless),
    ];
    if !arguments.list {
        let recordings = recordings();
        let cases = Cases { corpus: &corpus, recordings: recordings.as_ref() };
        for record in outcomes(&cases, sut) {
            let case = corpus.case(&record.case).unwrap().clone();
            let absent = record.outcome == Outcome::NotAvailable;
            trials.push(Trial::test(record.case.clone(), move || examine(&case, &record)).with_ignored_flag(absent));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The shim as the program starts it.
fn waxseal() -> Sut {
    let arguments = vec!["shim".to_owned(), NAME.to_owned()];
    Sut::new(NAME.to_owned(), ShimCommand { program: env!("CARGO_BIN_EXE_waxseal").into(), arguments }, false)
}

/// The outcome of every case.
fn outcomes(cases: &Cases<'_>, sut: Sut) -> Vec<OutcomeRecord> {
    let all: Vec<_> = cases.corpus.cases().iter().collect();
    let (tasks, suts) = (cases.tasks(&all).unwrap(), [sut]);
    let plan = Plan::new(&tasks, &suts);
    let options = Options { jobs: 1, limits: ShimLimits::default(), keep: None, include_private: false };
    let mut records = Vec::new();
    Run { tasks: &tasks, suts: &suts, plan: &plan, options: &options }
        .execute(|record| {
            records.push(record);
            Ok(())
        })
        .unwrap();
    records
}

/// Holds an outcome against what the case says of Bouncy Castle.
fn examine(case: &Case, record: &OutcomeRecord) -> Result<(), Failed> {
    let witness = case.witnesses.iter().any(|witness| witness.implementation == NAME);
    let disagrees = case.disagreements.iter().any(|disagreement| disagreement.implementation == NAME);
    let reason = record.reason.as_deref().unwrap_or_default();
    match (record.outcome, witness, disagrees) {
        (Outcome::Pass, true, false) | (Outcome::Fail, false, true) | (Outcome::Unsupported, false, false) => Ok(()),
        (Outcome::Pass, false, false) if std::env::var_os("WAXSEAL_UPDATE").is_some() => {
            add_witness(&case.id, &record.sut_version);
            Ok(())
        }
        (Outcome::Pass, false, false) => {
            Err("it answers as expected, and is not named as a witness (WAXSEAL_UPDATE=1 names it)".into())
        }
        (Outcome::Fail, false, false) => Err(format!("{reason}: and no disagreement says why").into()),
        (outcome, ..) => Err(format!("{outcome}: {reason}: what the case says of it is out of date").into()),
    }
}

/// Writes a witness into the file of a case, before what follows in every file.
fn add_witness(id: &str, version: &str) {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let file = match id.strip_prefix("recorded/") {
        Some(recording) => vectors.join("catalogue").join(recording),
        None => vectors.join("cases").join(id),
    };
    let file = PathBuf::from(format!("{}.toml", file.display()));
    let text = std::fs::read_to_string(&file).unwrap();
    let at = ["\n[[disagreements]]\n", "\n[needs]\n"].iter().find_map(|table| text.find(table)).unwrap() + 1;
    let witness = format!("[[witnesses]]\nimplementation = \"{NAME}\"\nversion = \"{version}\"\n\n");
    std::fs::write(file, [&text[..at], &witness, &text[at..]].concat()).unwrap();
}

fn names(hello: &Hello) -> Result<(), Failed> {
    let table: BTreeSet<_> =
        algorithm::TABLE.iter().map(|row| row.name.to_owned()).chain(engine::algorithms()).collect();
    let unknown: Vec<_> = hello.algorithms.difference(&table).collect();
    if unknown.is_empty() { Ok(()) } else { Err(format!("not in the table: {unknown:?}").into()) }
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
