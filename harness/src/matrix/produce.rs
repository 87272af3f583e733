//! Lets writers write: one process for each, its scenarios one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_engine::cms::write::ContentEncryption;
use waxseal_key::algorithm;
use waxseal_model::{Corpus, Scenario};
use waxseal_verdict::{
    Clock, Evidence, Expectation, Hello, Knowledge, LayerExpectation, Outcome, OutcomeRecord, Planned, ReasonMatch,
    Verdict,
};

use super::letter::{self, People, files};
use super::steps::{self, Step};
use super::{NotWritten, Options, Writing, chain, reference, task_id, write_id};
use crate::runner::{RunError, fresh_dir};
use crate::shim::protocol::{Answer, KeyFiles, OpenArguments, Request, op};
use crate::shim::shipped::Shipped;
use crate::sut::Sut;
use crate::sut::child::{Failure, ShimProcess};
use crate::sut::left::{self, Unread};
use crate::sut::scratch::Scratch;
use crate::sut::words::shorten;
use crate::task::{CaseFiles, Task};

/// Octets of a written mail at most: those of the matrix have some kilobytes.
pub(super) const MOST: u64 = 16 << 20;

/// What came of letting a SUT write a scenario.
#[derive(Debug, Clone)]
pub struct Produced {
    /// That it was written, or why not, as a line of the record.
    pub outcome: OutcomeRecord,
    /// The mail as a case for readers, if there is one.
    pub task: Option<Task>,
}

impl Produced {
    /// As the plan lists it.
    #[must_use]
    pub fn planned(&self) -> Planned {
        let OutcomeRecord { case, sut, .. } = &self.outcome;
        Planned { case: case.clone(), sut: sut.clone(), without_running: None, why: None }
    }
}

pub(super) fn run(
    writing: &Writing<'_>,
    suts: &[Sut],
    options: &Options,
    mut each: impl FnMut(&Produced) -> Result<(), RunError>,
) -> Result<Vec<Produced>, RunError> {
    // Without --keep everything is gone when this returns: the mails are in memory.
    let scratch =
        Scratch::new().map_err(RunError::at("no directory for writers can be made in", &std::env::temp_dir()))?;
    let base = options.keep.clone().unwrap_or_else(|| scratch.path().to_owned());
    let writers: Vec<usize> = (0..suts.len()).filter(|number| !writing.scenarios[*number].is_empty()).collect();
    let next = AtomicUsize::new(0);
    let mut all = BTreeMap::new();
    let mut written: Vec<Produced> = std::thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for _ in 0..options.jobs.clamp(1, writers.len().max(1)) {
            let (sender, next, writers, base) = (sender.clone(), &next, &writers, &base);
            scope.spawn(move || {
                while let Some(number) = writers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(mut writer) = Writer::new(writing.corpus, &suts[*number], options, base) else { continue };
                    for (order, scenario) in writing.scenarios[*number].iter().enumerate() {
                        if sender.send(writer.write(scenario).map(|produced| ((*number, order), produced))).is_err() {
                            return;
                        }
                    }
                }
            });
        }
        drop(sender);
        for result in results {
            let (place, produced) = result?;
            each(&produced)?;
            all.insert(place, produced);
        }
        // In the order of writers and scenarios, whoever was faster.
        Ok(std::mem::take(&mut all).into_values().collect())
    })?;
    if writing.chains {
        written.extend(chain::run(writing.corpus, suts, options, &base, each)?);
    }
    Ok(written)
}

/// One SUT that writes.
pub(super) struct Writer<'a> {
    pub(super) corpus: &'a Corpus,
    sut: &'a Sut,
    hello: &'a Hello,
    options: &'a Options,
    base: &'a Path,
    shim: Option<ShimProcess>,
}

impl<'a> Writer<'a> {
    /// A SUT that was admitted.
    pub(super) fn new(corpus: &'a Corpus, sut: &'a Sut, options: &'a Options, base: &'a Path) -> Option<Self> {
        let hello = sut.admission.as_ref().ok()?;
        Some(Self { corpus, sut, hello, options, base, shim: None })
    }

    fn write(&mut self, scenario: &Scenario<'_>) -> Result<Produced, RunError> {
        let dir = self.dir(&format!("write/{}/{}", scenario.name(), self.sut.name))?;
        let start = Instant::now();
        let result = self.write_in(&dir, scenario, &letter::entity(scenario))?;
        let elapsed = start.elapsed();
        let (task, fault) = match &result {
            Ok(message) => {
                let (task, fault) = self.task(scenario, &dir, message);
                (Some(task), fault)
            }
            Err(_) => (None, None),
        };
        let outcome = self.record(write_id(scenario, &self.sut.name), result.err(), elapsed);
        Ok(Produced { outcome: OutcomeRecord { native: fault, ..outcome }, task })
    }

    /// An empty directory of its own for a mail.
    pub(super) fn dir(&self, name: &str) -> Result<PathBuf, RunError> {
        fresh_dir(&self.base.join(name))
    }

    /// The moment at which it writes: now, if nobody can tell it another one.
    pub(super) fn now(&self) -> OffsetDateTime {
        match self.hello.clock {
            Clock::Settable | Clock::Faketime => self.corpus.matrix().clock.date_time(),
            _ => OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or_else(|_| OffsetDateTime::now_utc()),
        }
    }

    /// Its process is of no use any more.
    pub(super) fn end(&mut self) {
        self.shim = None;
    }

    /// Lets it protect an entity as the scenario says.
    pub(super) fn write_in(
        &mut self,
        dir: &Path,
        scenario: &Scenario<'_>,
        entity: &[u8],
    ) -> Result<Result<Vec<u8>, NotWritten>, RunError> {
        let people = People::of(self.corpus.pki(), scenario);
        let at = self.now();
        let mail = letter::mail(&scenario.name(), entity, &people, &self.sut.name, at);
        letter::put(dir, &mail, &people).map_err(RunError::at("cannot write in", dir))?;
        Ok(self.steps(scenario, &people, dir, at))
    }

    /// Every step, each on what the one before it left.
    fn steps(
        &mut self,
        scenario: &Scenario<'_>,
        people: &People<'_>,
        dir: &Path,
        at: OffsetDateTime,
    ) -> Result<Vec<u8>, NotWritten> {
        let clock = at.format(&Rfc3339).unwrap_or_default();
        let mut mail = Vec::new();
        for (number, step) in (1..).zip(steps::steps(self.hello, scenario, dir, &people.to(), &clock)) {
            let out = dir.join(step.out());
            let foul = |error: std::io::Error| NotWritten {
                outcome: Outcome::ShimError,
                why: format!("where it is to write there is something that cannot be removed: {error}"),
            };
            left::clear(&out).map_err(foul)?;
            match step {
                Step::Sign(arguments) => self.ask(dir, number, op::SIGN, &arguments)?,
                Step::Encrypt(arguments) => self.ask(dir, number, op::ENCRYPT, &arguments)?,
            }
            mail = written(&out)?;
        }
        Ok(mail)
    }

    fn ask(
        &mut self,
        dir: &Path,
        number: usize,
        operation: &str,
        arguments: &impl serde::Serialize,
    ) -> Result<(), NotWritten> {
        let answer = self.answer(dir, number, operation, arguments);
        let (outcome, why) = match answer {
            Ok(Answer::Wrote(_)) => return Ok(()),
            Ok(Answer::Unsupported(why)) => (Outcome::Unsupported, why),
            Ok(Answer::Refused(refused)) => (Outcome::Fail, format!("{}: {}", refused.reason, refused.detail)),
            Ok(Answer::Error(error, native)) => {
                (Outcome::ShimError, native.map_or(error.clone(), |native| format!("{error} ({native})")))
            }
            Ok(_) => (Outcome::ShimError, format!("{operation} was answered with something else")),
            Err(failure) => {
                self.shim = None;
                (crate::runner::outcome_of(&failure), failure.to_string())
            }
        };
        Err(NotWritten { outcome, why: shorten(&why) })
    }

    pub(super) fn answer(
        &mut self,
        dir: &Path,
        number: usize,
        operation: &str,
        arguments: &impl serde::Serialize,
    ) -> Result<Answer, Failure> {
        let shim = match &mut self.shim {
            Some(shim) => shim,
            none => none.insert(ShimProcess::start(&self.sut.command, self.options.limits)?),
        };
        let garbage = |error: serde_json::Error| Failure::Garbage(format!("the request cannot be written: {error}"));
        let request = Request::new(shim.next_id(), operation, arguments).map_err(garbage)?;
        if self.options.keep.is_some() {
            // For a person who repeats it; a directory that cannot be written to fails below.
            let line = serde_json::to_string(&request).unwrap_or_default() + "\n";
            let _ = left::replace(&dir.join(format!("request-{number}.json")), line.as_bytes());
        }
        shim.ask(&request)
    }

    pub(super) fn record(&self, case: String, failed: Option<NotWritten>, elapsed: Duration) -> OutcomeRecord {
        let (outcome, reason) = failed.map_or((Outcome::Pass, None), |failed| (failed.outcome, Some(failed.why)));
        OutcomeRecord {
            case,
            sut: self.sut.name.clone(),
            sut_version: self.hello.version.clone(),
            outcome,
            not_asked: false,
            reason,
            reason_match: ReasonMatch::None,
            aspects: Vec::new(),
            mismatches: Vec::new(),
            native: None,
            content: None,
            evidence: self.evidence(),
            knowledge: Knowledge::Measured,
            ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn evidence(&self) -> Evidence {
        if Shipped::is_reference(&self.sut.name) { Evidence::Generated } else { Evidence::Recorded }
    }

    /// The mail as a case, and what kept the engine from describing it, if anything did.
    fn task(&self, scenario: &Scenario<'_>, dir: &Path, message: &[u8]) -> (Task, Option<String>) {
        let people = People::of(self.corpus.pki(), scenario);
        let written = dir.join("written.eml");
        let mut task = self.task_of(scenario);
        let described = left::replace(&written, message)
            .map_err(|error| format!("{}: {error}", written.display()))
            .and_then(|()| described(dir, &written, people.recipient().is_some()));
        let fault = match described {
            Ok(algorithms) => {
                task.algorithms.extend(algorithms);
                None
            }
            // The scenario stands; whoever reads the mail shows what it is.
            Err(fault) => Some(shorten(&format!("its algorithms are not known: {fault}"))),
        };
        task.files = Ok(Arc::new(CaseFiles {
            message: message.to_vec(),
            keys: people.recipient().into_iter().collect(),
            anchors: people.anchors(),
            ..CaseFiles::default()
        }));
        (task, fault)
    }

    /// What a scenario says of a mail of this writer.
    pub(super) fn task_of(&self, scenario: &Scenario<'_>) -> Task {
        task_of(scenario, &self.sut.name, self.evidence(), self.now())
    }
}

/// What it left where it says that it wrote.
fn written(path: &Path) -> Result<Vec<u8>, NotWritten> {
    let why = match left::read(path, MOST) {
        Ok(mail) if mail.is_empty() => "it says that it wrote, and the file is empty".to_owned(),
        Ok(mail) => return Ok(mail),
        Err(Unread::TooLarge(most)) => format!("a mail of more than {most} octets"),
        Err(other) => format!("it says that it wrote, and there is {other}"),
    };
    Err(NotWritten { outcome: Outcome::ShimError, why })
}

/// What a scenario says of a mail, whoever wrote it; the files are still to come.
pub(super) fn task_of(scenario: &Scenario<'_>, writer: &str, evidence: Evidence, clock: OffsetDateTime) -> Task {
    Task {
        id: task_id(scenario, writer),
        twin: None,
        evidence,
        from: None,
        policy: scenario.signature.and_then(|value| value.policy.clone()),
        algorithms: scenario.algorithms().into_iter().map(str::to_owned).collect(),
        kinds: scenario.layers().into_iter().map(|(kind, _)| kind).collect(),
        require_revocation: false,
        clock,
        // The certificates are valid then and now, and the mail bears its own date.
        fixed_clock: false,
        learns: false,
        private: false,
        expectation: expectation(scenario),
        accepted: Vec::new(),
        protects: Some(Arc::new(letter::entity(scenario))),
        readers: None,
        files: Err("nobody wrote it".to_owned()),
    }
}

/// What must come out: a valid mail of this form. What is good enough (policy)
/// is not asked, because weak ciphers are among the scenarios.
pub(super) fn expectation(scenario: &Scenario<'_>) -> Expectation {
    let layer = |(kind, form)| LayerExpectation::good(kind, form, scenario.dialect());
    Expectation { layers: scenario.layers().into_iter().map(layer).collect(), ..Expectation::default() }
}

/// The algorithms of a mail as it was written: of what a scenario leaves open, a
/// reader must know what the writer chose.
///
/// # Errors
/// A fault of the engine.
fn described(dir: &Path, message: &Path, encrypted: bool) -> Result<BTreeSet<String>, String> {
    let keys = match encrypted {
        true => vec![KeyFiles { key: files::RECIPIENT_KEY.to_owned(), certificate: Some(files::RECIPIENT.to_owned()) }],
        false => Vec::new(),
    };
    let arguments = OpenArguments {
        dir: dir.to_string_lossy().into_owned(),
        message: message.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        keys,
        out: "described".to_owned(),
        ..OpenArguments::default()
    };
    Ok(match reference::open(&arguments)? {
        Answer::Verdict(verdict, _) => names(&verdict),
        // What the engine cannot read, it cannot describe; the scenario stands.
        _ => BTreeSet::new(),
    })
}

fn names(verdict: &Verdict) -> BTreeSet<String> {
    let of_layer = |layer: &waxseal_verdict::Layer| {
        let signers = layer.signers.iter().flat_map(|signer| [signer.digest.clone(), signer.signature.clone()]);
        let recipients = layer.recipients.iter().map(|recipient| recipient.algorithm.clone());
        let cipher = layer.content_cipher.iter().map(|spelling| match spelling.parse::<ContentEncryption>() {
            Ok(cipher) => cipher.name().to_owned(),
            Err(_) => spelling.clone(),
        });
        signers.chain(recipients).chain(cipher).collect::<Vec<_>>()
    };
    let all = verdict.layers.iter().flat_map(of_layer);
    all.filter(|name| algorithm::by_name(name).is_some()).collect()
}
