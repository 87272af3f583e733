//! A peer on every case: what it accepts and refuses is what the cases say of it.
//!
//! With `WAXSEAL_UPDATE` set the cases that it answers as expected are made to
//! name it as a witness. A failure is never written: somebody must look into it.

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use waxseal::cases::Cases;
use waxseal::plan::Plan;
use waxseal::runner::{Options, Run};
use waxseal::sut::Sut;
use waxseal::sut::child::{ShimCommand, ShimLimits};
use waxseal_model::{Case, Corpus};
use waxseal_verdict::{Hello, Outcome, OutcomeRecord};

use super::engine::recordings;

/// A shipped shim as the program starts it, if what it drives is on this machine.
pub(crate) fn admitted(name: &str, program: &str) -> Option<(Sut, Hello)> {
    let arguments = vec!["shim".to_owned(), name.to_owned()];
    let mut sut = Sut::new(name.to_owned(), ShimCommand { program: program.into(), arguments }, false);
    sut.admit(ShimLimits::default());
    match &sut.admission {
        Ok(hello) => {
            let hello = hello.clone();
            Some((sut, hello))
        }
        Err(why) => {
            waxseal_testing::not_installed(format_args!("{name}: {why}"));
            None
        }
    }
}

/// One trial for each case.
pub(crate) fn trials(corpus: &Corpus, sut: Sut) -> Vec<Trial> {
    let recordings = recordings();
    let cases = Cases { corpus, recordings: recordings.as_ref() };
    let trial = |record: OutcomeRecord| {
        let case = corpus.case(&record.case).unwrap().clone();
        let absent = record.outcome == Outcome::NotAvailable;
        let noted = corpus.peers().notes(&case.id).any(|note| note.sut == record.sut && note.fails);
        Trial::test(record.case.clone(), move || examine(&case, noted, &record)).with_ignored_flag(absent)
    };
    outcomes(&cases, sut).into_iter().map(trial).collect()
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

/// Holds an outcome against what the case says of the peer; `noted`: the table of
/// peers says that it fails.
fn examine(case: &Case, noted: bool, record: &OutcomeRecord) -> Result<(), Failed> {
    let name = &record.sut;
    let witness = case.witnesses.iter().any(|witness| witness.implementation == *name);
    let disagrees = noted || case.disagreements.iter().any(|disagreement| disagreement.implementation == *name);
    let reason = record.reason.as_deref().unwrap_or_default();
    match (record.outcome, witness, disagrees) {
        // Nobody is a witness of what they wrote themselves.
        (Outcome::Pass, false, false) if case.id.starts_with(&format!("recorded/{name}-")) => Ok(()),
        (Outcome::Pass, true, false) | (Outcome::Fail, false, true) | (Outcome::Unsupported, false, false) => Ok(()),
        (Outcome::Pass, false, false) if std::env::var_os("WAXSEAL_UPDATE").is_some() => {
            add_witness(&case.id, name, &record.sut_version);
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
fn add_witness(id: &str, name: &str, version: &str) {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let file = match id.strip_prefix("recorded/") {
        Some(recording) => vectors.join("catalogue").join(recording),
        None => vectors.join("cases").join(id),
    };
    let file = PathBuf::from(format!("{}.toml", file.display()));
    let text = std::fs::read_to_string(&file).unwrap();
    let at = ["\n[[disagreements]]\n", "\n[needs]\n"].iter().find_map(|table| text.find(table)).unwrap() + 1;
    let witness = format!("[[witnesses]]\nimplementation = \"{name}\"\nversion = \"{version}\"\n\n");
    std::fs::write(file, [&text[..at], &witness, &text[at..]].concat()).unwrap();
}

/// Every algorithm that it declares has a row in the table, and what it writes fits that.
pub(crate) fn names(hello: &Hello) -> Result<(), Failed> {
    let corpus = Corpus::embedded()?;
    let warnings = waxseal::admission::warnings(hello, corpus.matrix());
    if warnings.is_empty() { Ok(()) } else { Err(warnings.join("; ").into()) }
}
