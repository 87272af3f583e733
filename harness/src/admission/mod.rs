//! The examination that a shim has to pass before it takes part: mail that
//! nobody has seen before, half of it good and half of it bad, in an order that
//! nobody knows, must be told apart.
//!
//! A program that says yes to everything passes every positive case, and one
//! that says no to everything every negative one; neither passes this. The keys
//! are drawn for the examination, so that no answer can be known beforehand.
//!
//! A shim that judges certificates gets good and bad ones of these keys, too. In
//! `shim test` it is also looked at what it declares, and one that writes has to
//! write.

mod certificates;
mod declared;
mod question;
mod writing;

use std::path::Path;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use waxseal_forge::PkiError;
use waxseal_key::{Random, SystemRandom};
use waxseal_model::{Corpus, Pki, Scenario};
use waxseal_verdict::{Aspect, AspectName, Clock, Hello, Kind, Verdict};

use crate::matrix;
use crate::shim::protocol::{Answer, OpenArguments, Request, op};
use crate::sut::child::{ShimLimits, ShimProcess};
use crate::sut::left;
use crate::sut::scratch::Scratch;
use crate::sut::words::shorten;
use crate::sut::{Sut, hello_of};
use question::Question;

pub use certificates::Tally;
pub use declared::warnings;

/// Good mails, and as many bad ones.
pub const MAILS: usize = 10;

/// Keys that were drawn for an examination, and what is asked with them.
pub struct Exam<'a> {
    corpus: &'a Corpus,
    pki: Pki,
}

/// What came of an examination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Good mails that were accepted, of [`MAILS`].
    pub accepted: usize,
    /// Bad mails that were refused, of [`MAILS`].
    pub refused: usize,
    /// Which mails were asked, by the names of their scenarios.
    pub scenarios: Vec<String>,
    /// What it declined, and its reason; it was not asked.
    pub declined: Vec<String>,
    /// What came of certificates; `None` where none was asked about.
    pub certificates: Option<Tally>,
    /// What it wrote, and the engine read: the operation and the scenario.
    pub written: Vec<String>,
    /// What was not told apart, or not written, in a line each.
    pub wrong: Vec<String>,
    /// Time of the answers to all mails.
    pub time: Duration,
    /// Its process is there no more: nothing further can be asked.
    pub(crate) is_lost: bool,
}

impl Report {
    /// Whether everything was told apart, and written that it says it writes.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.accepted == MAILS && self.refused == MAILS && self.wrong.is_empty()
    }
}

/// Why an examination cannot be held: a fault of the corpus or the machine.
#[derive(Debug, thiserror::Error)]
pub enum ExamError {
    /// A key or certificate cannot be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// A file cannot be written.
    #[error("{0}")]
    File(String),
    /// The reference engine cannot write a mail.
    #[error("the engine cannot write the mail {0}")]
    Writer(String),
}

impl<'a> Exam<'a> {
    /// Draws the keys.
    ///
    /// # Errors
    /// A fault of the corpus.
    pub fn new(corpus: &'a Corpus) -> Result<Self, ExamError> {
        let matrix = corpus.matrix();
        let signers = matrix.signature.iter().map(|value| value.signer.as_str());
        let readers = matrix.recipient.iter().flat_map(|value| [value.entity.as_str(), value.stranger.as_str()]);
        let names: std::collections::BTreeSet<&str> = signers.chain(readers).chain([certificates::HOLDER]).collect();
        Ok(Self { corpus, pki: waxseal_forge::renew(corpus.pki(), names, &mut SystemRandom)? })
    }

    /// Admits a SUT that was admitted by what it says of itself, if it passes.
    ///
    /// # Errors
    /// The examination cannot be held.
    pub fn examine(&self, sut: &mut Sut, limits: ShimLimits) -> Result<(), ExamError> {
        let Ok(hello) = &sut.admission else { return Ok(()) };
        let report = match ShimProcess::start(&sut.command, limits) {
            Ok(mut shim) => self.hold(&mut shim, hello)?,
            Err(failure) => Report { wrong: vec![failure.to_string()], ..Report::default() },
        };
        if !report.is_passed() {
            let first = report.wrong.first().cloned().unwrap_or_default();
            // It stands in every entry of the plan.
            sut.admission = Err(shorten(&format!(
                "not admitted: of {MAILS} good mails it accepted {}, of {MAILS} bad ones it refused {}: {first}",
                report.accepted, report.refused
            )));
        }
        Ok(())
    }

    /// Asks a shim to read, and to judge certificates if it does.
    ///
    /// # Errors
    /// The examination cannot be held; what the shim does wrong is in the report.
    pub fn hold(&self, shim: &mut ShimProcess, hello: &Hello) -> Result<Report, ExamError> {
        self.hold_in(scratch()?.path(), shim, hello)
    }

    fn hold_in(&self, dir: &Path, shim: &mut ShimProcess, hello: &Hello) -> Result<Report, ExamError> {
        let mut report = Report::default();
        self.mails(shim, hello, dir, &mut report)?;
        if !report.is_lost {
            certificates::ask(self, shim, hello, dir, &mut report)?;
        }
        Ok(report)
    }

    /// The moment at which a shim reads and writes: now, if nobody can tell it another one.
    fn now(&self, hello: &Hello) -> OffsetDateTime {
        match hello.clock {
            Clock::Settable | Clock::Faketime => self.corpus.matrix().clock.date_time(),
            _ => OffsetDateTime::now_utc(),
        }
    }

    /// Good mails and bad ones.
    fn mails(
        &self,
        shim: &mut ShimProcess,
        hello: &Hello,
        scratch: &Path,
        report: &mut Report,
    ) -> Result<(), ExamError> {
        let scenarios = self.scenarios(hello);
        if scenarios.is_empty() {
            let why = "there is no mail that it says it can read: hello has to declare forms, algorithms and dialects";
            report.wrong.push(why.to_owned());
            return Ok(());
        }
        let at = self.now(hello);
        // What it declines in words is not asked: `hello` cannot say everything that a program does not read.
        let mut asked = Vec::new();
        for (number, scenario) in scenarios.iter().enumerate() {
            let dir = scratch.join(format!("first-{number}"));
            let question = Question::write(&self.pki, scenario, true, &dir, at)?;
            match told(shim, hello, &question.arguments, question.layers)?.0 {
                Told::Declined(why) => report.declined.push(format!("{}: {why}", scenario.name())),
                Told::Lost(why) => {
                    report.wrong.push(format!("a good mail ({}): {why}", question.what));
                    report.is_lost = true;
                    return Ok(());
                }
                _ => asked.push(*scenario),
            }
        }
        report.scenarios = asked.iter().map(Scenario::name).collect();
        let scenarios = asked;
        if scenarios.is_empty() {
            report.wrong.push("it declined every mail that it says it can read".to_owned());
            return Ok(());
        }
        // Two of a kind, a good one and a bad one.
        let kinds = (0..MAILS).map(|number| &scenarios[number % scenarios.len()]);
        let mut order: Vec<_> = kinds.flat_map(|scenario| [(scenario, true), (scenario, false)]).collect();
        shuffle(&mut order);
        // Only now they get directories: the number of one says when it is asked, and nothing else.
        let questions = order.into_iter().enumerate().map(|(number, (scenario, good))| {
            Question::write(&self.pki, scenario, good, &scratch.join(format!("question-{number}")), at)
        });
        let questions = questions.collect::<Result<Vec<_>, _>>()?;
        for (number, question) in questions.iter().enumerate() {
            let start = Instant::now();
            let (told, native) = told(shim, hello, &question.arguments, question.layers)?;
            report.time += start.elapsed();
            match (question.good, told) {
                (true, Told::Good) => report.accepted += 1,
                (false, Told::Bad(_)) => report.refused += 1,
                (good, told) => {
                    let kind = if good { "good" } else { "bad" };
                    report.is_lost = matches!(told, Told::Lost(_));
                    let words = native.map(|words| format!("; in its own words: {}", shorten(&words)));
                    let words = words.unwrap_or_default();
                    report.wrong.push(format!("question {number}, a {kind} mail ({}): {told}{words}", question.what));
                    if report.is_lost {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// The plainest scenario of each protection that the shim reads and that can
    /// be made bad.
    fn scenarios(&self, hello: &Hello) -> Vec<Scenario<'a>> {
        let all = self.corpus.matrix().scenarios();
        let asked = ["clear", "opaque", "encrypted", "signed-encrypted"];
        let first = |protection: &&str| {
            all.iter().find(|one| one.protection.name == **protection && matrix::reads(hello, one)).copied()
        };
        asked.iter().filter_map(first).collect()
    }
}

/// Where the files of an examination are.
fn scratch() -> Result<Scratch, ExamError> {
    Scratch::new().map_err(|error| ExamError::File(format!("no directory for an examination: {error}")))
}

/// What a shim said of a mail or a certificate.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Good,
    /// With what it found: the first of it.
    Bad(String),
    /// It says that it cannot read this mail.
    Declined(String),
    /// Neither.
    Unclear(String),
    /// It is not there any more.
    Lost(String),
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Good => f.write_str("it was accepted"),
            Self::Bad(why) => write!(f, "it was refused: {why}"),
            Self::Declined(why) => write!(f, "it was answered unsupported: {why}"),
            Self::Unclear(what) | Self::Lost(what) => f.write_str(what),
        }
    }
}

/// What it said, and the implementation's own words beside it.
fn told(
    shim: &mut ShimProcess,
    hello: &Hello,
    arguments: &OpenArguments,
    layers: usize,
) -> Result<(Told, Option<String>), ExamError> {
    Ok(match asked(shim, op::OPEN, &arguments.dir, arguments)? {
        Ok(Answer::Verdict(verdict, native)) => (judge(&verdict, hello, layers), native),
        Ok(_) => (Told::Unclear("it was answered with something else than a verdict".to_owned()), None),
        Err(told) => (told, None),
    })
}

/// The answer to a request, unless it is none that answers any question. The
/// request stays beside the files that it names, so that it can be repeated.
fn asked(
    shim: &mut ShimProcess,
    operation: &str,
    dir: &str,
    arguments: &impl serde::Serialize,
) -> Result<Result<Answer, Told>, ExamError> {
    let request = Request::new(shim.next_id(), operation, arguments)
        .map_err(|error| ExamError::File(format!("the request cannot be written: {error}")))?;
    let path = Path::new(dir).join(format!("{operation}.json"));
    let line = serde_json::to_string(&request).map_err(|error| at(&path)(error.into()))? + "\n";
    left::replace(&path, line.as_bytes()).map_err(at(&path))?;
    Ok(match shim.ask(&request) {
        Ok(Answer::Unsupported(why)) => Err(Told::Declined(why)),
        Ok(Answer::Error(error, native)) => {
            let words = format!("{error} {}", native.unwrap_or_default());
            Err(Told::Unclear(format!("it was answered with an error: {}", shorten(&words))))
        }
        Ok(answer) => Ok(answer),
        Err(failure) => Err(Told::Lost(failure.to_string())),
    })
}

/// Good is what has all its layers, nothing bad, and a good word on what was
/// declared of each.
fn judge(verdict: &Verdict, hello: &Hello, layers: usize) -> Told {
    let declared = |layer: &waxseal_verdict::Layer| -> Vec<(AspectName, Aspect)> {
        hello.aspects.iter().map(|name| (*name, layer.aspect(*name).clone())).collect()
    };
    for layer in &verdict.layers {
        if let Some((name, aspect)) = declared(layer).into_iter().find(|(_, aspect)| aspect.is_bad()) {
            return Told::Bad(format!("{name} of {} is {aspect}", layer.kind));
        }
    }
    if verdict.layers.len() != layers {
        return Told::Unclear(format!("{} of {layers} layers were seen", verdict.layers.len()));
    }
    for layer in &verdict.layers {
        let decides = if layer.kind == Kind::Signed { AspectName::Integrity } else { AspectName::Decryption };
        if hello.aspects.contains(&decides) && !layer.aspect(decides).is_good() {
            return Told::Unclear(format!("{decides} of {} is {}", layer.kind, layer.aspect(decides)));
        }
    }
    Told::Good
}

/// Fisher and Yates.
fn shuffle<T>(list: &mut [T]) {
    for last in (1..list.len()).rev() {
        let mut octets = [0; 8];
        SystemRandom.fill(&mut octets);
        // The list is short: the remainder favours nobody that matters.
        let other = usize::try_from(u64::from_le_bytes(octets) % (last as u64 + 1)).unwrap_or(last);
        list.swap(last, other);
    }
}

/// Starts a shim and asks it who it is, then examines it, and lets it write
/// what it says it writes. In `keep`, an empty directory, stays what it was
/// asked: a directory for each question, in which is each request.
///
/// # Errors
/// The examination cannot be held.
pub fn examine_file(
    corpus: &Corpus,
    sut: &Sut,
    limits: ShimLimits,
    keep: Option<&Path>,
) -> Result<Result<(Hello, Report), String>, ExamError> {
    let mut shim = match ShimProcess::start(&sut.command, limits) {
        Ok(shim) => shim,
        Err(failure) => return Ok(Err(failure.to_string())),
    };
    let hello = match hello_of(&mut shim) {
        Ok(hello) => hello,
        Err(why) => return Ok(Err(why)),
    };
    let exam = Exam::new(corpus)?;
    let scratch = scratch()?;
    let dir = keep.unwrap_or_else(|| scratch.path());
    let mut report = exam.hold_in(dir, &mut shim, &hello)?;
    if !report.is_lost {
        writing::ask(&exam, &mut shim, &hello, dir, &mut report)?;
    }
    Ok(Ok((hello, report)))
}

/// Where a file is, for an error.
fn at(path: &Path) -> impl FnOnce(std::io::Error) -> ExamError {
    let path = path.display().to_string();
    move |error| ExamError::File(format!("{path}: {error}"))
}
