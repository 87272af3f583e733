//! The round-trip matrix: every SUT that writes mail writes scenarios, every SUT
//! that reads gets what was written.
//!
//! A written mail becomes an ordinary [`Task`](crate::task::Task), so that plan, runner, gate and
//! record treat it like any case: its id is `matrix/SCENARIO/WRITER`. That it
//! was written at all is an outcome of its own, `write/SCENARIO/WRITER`. What a
//! second SUT decrypted and sent on is `sent-on/FIRST/SECOND`. Mail in the shape
//! of a client that does not run here is `matrix/SCENARIO/replica-NAME`.

mod chain;
mod covering;
pub(crate) mod letter;
mod produce;
pub(crate) mod reference;
pub mod replica;
pub mod same;
pub(crate) mod steps;

use std::collections::BTreeSet;
use std::path::PathBuf;

use waxseal_model::{Corpus, Matrix, Scenario, Shapes};
use waxseal_verdict::{Hello, Operation, Outcome, WrittenForm};

use crate::shim::shipped::Shipped;
use crate::sut::Sut;
use crate::sut::child::ShimLimits;
pub use produce::Produced;

/// How much of the matrix is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// For every writer, as few scenarios as give each reader each value once.
    Pairwise,
    /// Every scenario that the writer declares.
    Full,
}

/// What is to be written.
#[derive(Debug, Clone)]
pub struct Writing<'a> {
    corpus: &'a Corpus,
    /// For each SUT, the scenarios that it writes.
    scenarios: Vec<Vec<Scenario<'a>>>,
    /// Whether chains of three are tried.
    chains: bool,
}

/// How writing is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Writers at once.
    pub jobs: usize,
    /// What a shim may use for one request.
    pub limits: ShimLimits,
    /// Where to leave the directories of the writers; `None`: they are removed.
    pub keep: Option<PathBuf>,
}

impl<'a> Writing<'a> {
    /// Chooses what each SUT writes: of the extent, the mails whose ids `is_meant` holds for.
    #[must_use]
    pub fn choose(
        corpus: &'a Corpus,
        suts: &[Sut],
        extent: Extent,
        chains: bool,
        is_meant: &dyn Fn(&str) -> bool,
    ) -> Self {
        let all = corpus.matrix().scenarios();
        let readers: Vec<&Hello> = suts.iter().filter_map(|sut| sut.admission.as_ref().ok()).collect();
        let scenarios = suts.iter().map(|sut| {
            let Ok(hello) = &sut.admission else { return Vec::new() };
            let can: Vec<Scenario<'a>> = all.iter().filter(|one| writes(hello, one).is_ok()).copied().collect();
            let chosen = match extent {
                Extent::Full => can,
                Extent::Pairwise => covering::cover(&can, &readers),
            };
            chosen.into_iter().filter(|scenario| is_meant(&task_id(scenario, &sut.name))).collect()
        });
        Self { corpus, scenarios: scenarios.collect(), chains }
    }

    /// How many mails will be written, and by how many writers.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let of_each = || self.scenarios.iter().map(Vec::len).filter(|count| *count > 0);
        (of_each().sum(), of_each().count())
    }

    /// Lets every SUT write; `each` gets what came of it as soon as it is known.
    ///
    /// # Errors
    /// A directory cannot be written, or `each` failed.
    pub fn produce(
        &self,
        suts: &[Sut],
        options: &Options,
        each: impl FnMut(&Produced) -> Result<(), crate::runner::RunError>,
    ) -> Result<Vec<Produced>, crate::runner::RunError> {
        produce::run(self, suts, options, each)
    }
}

/// The id of a written mail as a case.
#[must_use]
pub fn task_id(scenario: &Scenario<'_>, writer: &str) -> String {
    format!("matrix/{}/{writer}", scenario.name())
}

/// The id of its having been written.
#[must_use]
pub fn write_id(scenario: &Scenario<'_>, writer: &str) -> String {
    format!("write/{}/{writer}", scenario.name())
}

/// Whether a SUT declares that it can write a scenario; if not, why.
///
/// # Errors
/// What it did not declare.
pub fn writes(hello: &Hello, scenario: &Scenario<'_>) -> Result<(), String> {
    if scenario.is_of_replicas() {
        return Err("only clients write this, and their replicas".to_owned());
    }
    let in_one_go = hello.writes_forms.contains(&WrittenForm::SignedEncrypted);
    let names: Vec<_> = scenario.protection.steps.iter().map(|step| step.code()).collect();
    let forms: Vec<WrittenForm> = match names.as_slice() {
        ["sign-clear", "encrypt"] if in_one_go => vec![WrittenForm::SignedEncrypted],
        [_] => scenario.protection.steps.iter().map(form_of).collect(),
        // A mail program protects what it composes, and not what is protected already.
        _ if in_one_go => return Err(format!("does not write {}", scenario.protection.name)),
        _ => scenario.protection.steps.iter().map(form_of).collect(),
    };
    for (operation, needed) in [
        (Operation::Sign, scenario.signature.is_some() && !(in_one_go && forms == [WrittenForm::SignedEncrypted])),
        (Operation::Encrypt, scenario.recipient.is_some()),
    ] {
        if needed && !hello.operations.contains(&operation) {
            return Err(format!("does not {operation}"));
        }
    }
    if let Some(form) = forms.iter().find(|form| !hello.writes_forms.contains(form)) {
        return Err(format!("does not write {form}"));
    }
    if let Some(name) = scenario.writer_algorithms().into_iter().find(|name| !hello.writes_algorithms.contains(*name)) {
        return Err(format!("cannot be told to write with {name}"));
    }
    let dialect = scenario.dialect();
    let sm2 = scenario.signature.is_some_and(|value| value.scheme == "sm2")
        || scenario.recipient.is_some_and(|value| value.writer_needs.contains("sm2"));
    if sm2 && !hello.writes.contains(&dialect) {
        return Err(format!("does not write the dialect {dialect}"));
    }
    Ok(())
}

fn form_of(step: &waxseal_model::MatrixStep) -> WrittenForm {
    match step.form() {
        Some(waxseal_verdict::Form::Opaque) => WrittenForm::Opaque,
        Some(_) => WrittenForm::Clear,
        None => WrittenForm::Encrypted,
    }
}

/// Whether a SUT declares that it can read a scenario.
pub(crate) fn reads(hello: &Hello, scenario: &Scenario<'_>) -> bool {
    hello.operations.contains(&Operation::Open)
        && scenario.layers().iter().all(|(kind, _)| hello.forms.contains(kind))
        && scenario.algorithms().into_iter().all(|name| hello.algorithms.contains(name))
        && hello.dialects.contains(&scenario.dialect())
}

/// Who wrote the mail of a case of the matrix; nobody, if it is another case.
#[must_use]
pub fn writers_of(case: &str) -> Vec<&str> {
    match case.split('/').collect::<Vec<_>>().as_slice() {
        ["matrix", _, writer] => vec![writer],
        ["sent-on", first, second] => vec![first, second],
        _ => Vec::new(),
    }
}

/// Who writes mail of the matrix, by name.
#[derive(Debug)]
pub struct Writers<'a> {
    /// Every SUT of which anybody knows.
    pub suts: BTreeSet<&'a str>,
    /// What has the replicas.
    pub shapes: &'a Shapes,
}

impl Writers<'_> {
    fn is_sut(&self, name: &str) -> bool {
        self.suts.contains(name)
    }

    fn is_replica(&self, name: &str) -> bool {
        let name = name.strip_prefix(replica::PREFIX);
        name.is_some_and(|name| self.shapes.replicas().any(|(known, ..)| known == name))
    }
}

/// Whether there can be a case of this id: that one of these writers writes a mail, and somebody reads it or sends it
/// on, whether they do so in this run or not.
#[must_use]
pub fn is_id(matrix: &Matrix, writers: &Writers<'_>, id: &str) -> bool {
    let scenario = |name: &str| matrix.scenarios().iter().any(|one| one.name() == name);
    match id.split('/').collect::<Vec<_>>().as_slice() {
        ["sent-on", first, second] => writers.is_sut(first) && writers.is_sut(second),
        ["write", sent_on] => of_chain(sent_on, &|name| writers.is_sut(name)).is_some(),
        ["matrix", name, writer] => scenario(name) && (writers.is_sut(writer) || writers.is_replica(writer)),
        // Of a replica nobody asks whether it wrote.
        ["write", name, writer] => scenario(name) && writers.is_sut(writer),
        _ => false,
    }
}

/// First and second of a chain, `sent-on.FIRST.SECOND`; names may have dots of their own.
fn of_chain<'n>(sent_on: &'n str, is_name: &dyn Fn(&str) -> bool) -> Option<(&'n str, &'n str)> {
    let rest = sent_on.strip_prefix("sent-on.")?;
    let names = rest.match_indices('.').filter_map(|(dot, _)| Some((rest.get(..dot)?, rest.get(dot + 1..)?)));
    names.into_iter().find(|(first, second)| is_name(first) && is_name(second))
}

/// Whether a failed reading is for the reader to answer for: every case of the
/// corpus, its own mail and that of the reference, and of other writers what
/// they are known to write well. Who sends on has read before.
#[must_use]
pub fn is_fault_of_reader(matrix: &Matrix, suts: &[Sut], case: &str) -> bool {
    let parts: Vec<&str> = case.split('/').collect();
    let version = |name: &str| suts.iter().find(|sut| sut.name == name)?.admission.as_ref().ok();
    let must = |name: &str, scenario: &str| {
        Shipped::is_reference(name)
            // The engine wrote it.
            || name.starts_with(replica::PREFIX)
            || version(name).is_some_and(|hello| matrix.must_be_readable(name, &hello.version, scenario))
    };
    match parts.as_slice() {
        ["matrix", scenario, writer] => must(writer, scenario),
        ["sent-on", first, second] => must(first, chain::WRITTEN) && must(second, chain::SENT_ON),
        ["write", sent_on] => of_chain(sent_on, &|name| suts.iter().any(|sut| sut.name == name))
            .is_none_or(|(first, second)| first == second || must(first, chain::WRITTEN)),
        _ => true,
    }
}

/// What the tasks of all written mails need: kept apart from how they came to be.
#[must_use]
pub fn tasks(produced: &[Produced]) -> Vec<crate::task::Task> {
    produced.iter().filter_map(|one| one.task.clone()).collect()
}

/// The outcome of a mail that could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotWritten {
    /// What came of it.
    pub outcome: Outcome,
    /// Why, in a line.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_who_wrote_and_whether_it_can_be() {
        let (corpus, shapes) = (Corpus::embedded().unwrap(), Shapes::embedded().unwrap());
        let scenario = corpus.matrix().scenarios()[0].name();
        let writers = Writers { suts: BTreeSet::from(["openssl", "my-shim"]), shapes: &shapes };
        let matrix = |id: &str| is_id(corpus.matrix(), &writers, id);
        for (id, writers) in [
            (format!("matrix/{scenario}/my-shim"), vec!["my-shim"]),
            (format!("write/{scenario}/my-shim"), vec![]),
            ("sent-on/openssl/my-shim".to_owned(), vec!["openssl", "my-shim"]),
            ("write/sent-on.openssl.my-shim".to_owned(), vec![]),
        ] {
            assert!(matrix(&id), "{id}");
            assert_eq!(writers_of(&id), writers, "{id}");
        }
        for id in [
            "matrix/no-such.scenario/openssl",
            "write/no-such/x",
            "sent-on/openssl",
            "sent-on/openssl/opnssl",
            "signed/clear/rsa-sha256",
        ] {
            assert!(!matrix(id), "{id}");
        }
    }
}
