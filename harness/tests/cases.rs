//! Every case of the corpus as a test by its name: the engine in process, with
//! each provider of arithmetic, against the expectation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use support::engine::{open, recordings, wrong};
use waxseal::cases::Cases;
use waxseal::plan::Plan;
use waxseal::shim::engine::Engine;
use waxseal::shim::serve::Shim as _;
use waxseal::sut::Sut;
use waxseal::sut::child::ShimCommand;
use waxseal::task::Task;
use waxseal_key::ProviderChoice;
use waxseal_model::Corpus;
use waxseal_verdict::{AspectName, Comparison, Mismatch, Outcome, Verdict};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let corpus = Corpus::embedded().unwrap();
    let recordings = recordings();
    let cases = Cases { corpus: &corpus, recordings: recordings.as_ref() };
    let all: Vec<_> = corpus.cases().iter().collect();
    let tasks = cases.tasks(&all).unwrap();
    let plan = Plan::new(&tasks, &[engine()]);
    let mut trials = Vec::new();
    for entry in plan.entries {
        let task = tasks[entry.task].clone();
        match entry.settled {
            Some((Outcome::NotAvailable, _)) => {
                trials.push(Trial::test(task.id, || Ok(())).with_ignored_flag(true));
            }
            // The engine says itself that it cannot do this: then it must not call it valid.
            Some(_) => trials.push(Trial::test(task.id.clone(), move || undeclared(&task))),
            None => trials.extend(ProviderChoice::ALL.map(|provider| {
                let task = task.clone();
                Trial::test(format!("{} ({provider})", task.id), move || judge(&task, provider))
            })),
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The engine as the plan sees it; it is not started.
fn engine() -> Sut {
    let command = ShimCommand { program: "waxseal".into(), arguments: Vec::new() };
    let mut sut = Sut::new("engine".to_owned(), command, false);
    sut.admission = Engine::default().hello();
    sut
}

fn judge(task: &Task, provider: ProviderChoice) -> Result<(), libtest_mimic::Failed> {
    let files = task.files.as_ref().unwrap();
    let (verdict, content) = open(task, files, provider);
    let mut right = std::iter::once(&task.expectation).chain(&task.accepted);
    let wrong = |expectation| wrong(expectation, &verdict, content.as_deref());
    let first = wrong(right.next().unwrap());
    match first {
        Some(_) if provider == ProviderChoice::AwsLc && left_out(task, &verdict) => Ok(()),
        Some(first) if right.all(|expectation| wrong(expectation).is_some()) => Err(first.into()),
        _ => Ok(()),
    }
}

/// Whether what differs is only what aws-lc does not do (RSA below 2048 bits,
/// SHA-224, triple DES, SM2). What it does judge must be right.
fn left_out(task: &Task, verdict: &Verdict) -> bool {
    let all = AspectName::ALL.iter().copied().collect();
    match task.expectation.compare(verdict, &all, waxseal_verdict::Reports::ALL) {
        Comparison::Fail(mismatches, _) => {
            let unchecked = |mismatch: &Mismatch| {
                mismatch.observed.starts_with("unchecked") || mismatch.observed == "bad: unsupported-algorithm"
            };
            // What was not decrypted hides the layers inside it, and how its key was encrypted.
            let hidden = |mismatch: &Mismatch| {
                ["layers", "deviations", "dialect"].iter().any(|what| mismatch.place.ends_with(what))
            };
            mismatches.iter().any(unchecked) && mismatches.iter().all(|one| unchecked(one) || hidden(one))
        }
        _ => false,
    }
}

fn undeclared(task: &Task) -> Result<(), libtest_mimic::Failed> {
    let (verdict, _) = open(task, task.files.as_ref().unwrap(), ProviderChoice::Auto);
    if verdict.overall == waxseal_verdict::Overall::Valid {
        return Err("valid, although the engine declares that it cannot judge this".into());
    }
    Ok(())
}
