//! Walks a plan: workers on all cores, each with one process for each SUT.

mod case_dir;
mod judge;
mod record;

use std::collections::{HashMap, hash_map};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use waxseal_verdict::{Hello, Outcome, OutcomeRecord};

use crate::plan::{Entry, Plan};
use crate::shim::protocol::{Answer, Request};
use crate::sut::Sut;
use crate::sut::child::{Failure, ShimLimits, ShimProcess};
use crate::sut::ending;
use crate::sut::scratch::Scratch;
use crate::task::{CaseFiles, Task};
use case_dir::CaseDir;
pub(crate) use case_dir::fresh_dir;
pub(crate) use judge::outcome_of;
use judge::{Content, Judged};
pub use record::RunFile;

/// A run that is about to start.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The cases.
    pub tasks: &'a [Task],
    /// The implementations, admitted or not.
    pub suts: &'a [Sut],
    /// Which case goes to which of them.
    pub plan: &'a Plan,
    /// How.
    pub options: &'a Options,
}

/// How a run is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Workers at once.
    pub jobs: usize,
    /// What a shim may use for one request.
    pub limits: ShimLimits,
    /// Where to leave the case directories; `None`: they are removed.
    pub keep: Option<PathBuf>,
    /// Whether addresses and names of recorded mails may stand in the record.
    pub include_private: bool,
}

/// Why a run had to stop. What a SUT does wrong is never among these.
#[derive(Debug, thiserror::Error)]
#[error("{what} {}: {source}", path.display())]
pub struct RunError {
    /// What was tried.
    pub what: &'static str,
    /// On which file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

impl RunError {
    /// Names what was tried on which path.
    pub(crate) fn at(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { what, path, source }
    }
}

impl Run<'_> {
    /// Runs the plan; `each` gets every outcome as soon as it is known.
    ///
    /// A negative case counts only where its valid twin was accepted, so the
    /// cases that are someone's twin, and all that have none, go first.
    ///
    /// # Errors
    /// A case directory cannot be written, or `each` failed.
    pub fn execute(&self, mut each: impl FnMut(OutcomeRecord) -> Result<(), RunError>) -> Result<(), RunError> {
        let numbers: HashMap<&str, usize> =
            self.tasks.iter().enumerate().map(|(number, task)| (task.id.as_str(), number)).collect();
        let twin_of = |entry: &Entry| self.tasks[entry.task].twin.as_deref().and_then(|id| numbers.get(id).copied());
        let mut known: HashMap<(usize, usize), Outcome> = HashMap::new();
        for entry in &self.plan.entries {
            if let Some((outcome, why)) = &entry.settled {
                known.insert((entry.task, entry.sut), *outcome);
                let judged = Judged::settled(*outcome, why.clone());
                each(judged.record(&self.tasks[entry.task], &self.suts[entry.sut], Duration::ZERO))?;
            }
        }
        let to_run = || self.plan.entries.iter().filter(|entry| entry.settled.is_none());
        let phases = [
            to_run().filter(|entry| twin_of(entry).is_none()).collect::<Vec<_>>(),
            to_run().filter(|entry| twin_of(entry).is_some()).collect::<Vec<_>>(),
        ];
        let workers = self.options.jobs.clamp(1, phases.iter().map(Vec::len).max().unwrap_or(1).max(1));
        let shared = Shared {
            run: self,
            phases: &phases,
            next: [AtomicUsize::new(0), AtomicUsize::new(0)],
            between: Barrier::new(workers),
            known: Mutex::new(known),
            twin_of: &twin_of,
            hangs: self.suts.iter().map(|_| AtomicUsize::new(0)).collect(),
            stop: AtomicBool::new(false),
        };
        std::thread::scope(|scope| {
            let (sender, results) = mpsc::channel();
            for _ in 0..workers {
                let (sender, shared) = (sender.clone(), &shared);
                scope.spawn(move || shared.work(&sender));
            }
            drop(sender);
            let mut first_error = None;
            for result in results {
                if let Err(error) = result.and_then(&mut each) {
                    // The others finish the request they are at.
                    shared.stop.store(true, Ordering::Relaxed);
                    first_error.get_or_insert(error);
                }
            }
            first_error.map_or(Ok(()), Err)
        })
    }
}

/// What the workers share.
struct Shared<'a> {
    run: &'a Run<'a>,
    phases: &'a [Vec<&'a Entry>; 2],
    next: [AtomicUsize; 2],
    between: Barrier,
    known: Mutex<HashMap<(usize, usize), Outcome>>,
    twin_of: &'a (dyn Fn(&Entry) -> Option<usize> + Sync),
    /// For each SUT, how many requests in a row had no answer in time.
    hangs: Vec<AtomicUsize>,
    stop: AtomicBool,
}

/// After so many requests in a row that a SUT did not answer in time it is asked no more.
const HANGS: usize = 5;

impl Shared<'_> {
    fn work(&self, results: &mpsc::Sender<Result<OutcomeRecord, RunError>>) {
        let mut worker = Worker { run: self.run, shims: HashMap::new(), scratch: None, requests: 0 };
        for (phase, next) in self.phases.iter().zip(&self.next) {
            let done = catch_unwind(AssertUnwindSafe(|| self.walk(phase, next, &mut worker, results)));
            if done.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            // Whatever happened: the others wait here for everybody.
            self.between.wait();
            if let Err(panic) = done {
                resume_unwind(panic);
            }
        }
    }

    fn walk(
        &self,
        phase: &[&Entry],
        next: &AtomicUsize,
        worker: &mut Worker<'_>,
        results: &mpsc::Sender<Result<OutcomeRecord, RunError>>,
    ) {
        while let Some(entry) = phase.get(next.fetch_add(1, Ordering::Relaxed)) {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let result = self.outcome(entry, worker);
            // What was killed because this program ends is nobody's crash.
            if ending::is_told() || results.send(result).is_err() {
                return;
            }
        }
    }

    fn outcome(&self, entry: &Entry, worker: &mut Worker<'_>) -> Result<OutcomeRecord, RunError> {
        let (mut judged, elapsed) = match self.hangs[entry.sut].load(Ordering::Relaxed) {
            HANGS.. => (Judged::not_asked(self.not_asked()), Duration::ZERO),
            _ => worker.request(entry)?,
        };
        match judged.outcome {
            Outcome::Hang => _ = self.hangs[entry.sut].fetch_add(1, Ordering::Relaxed),
            Outcome::NotAvailable => {}
            _ => self.hangs[entry.sut].store(0, Ordering::Relaxed),
        }
        self.weigh_twin(entry, &mut judged);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((entry.task, entry.sut), judged.outcome);
        Ok(judged.record(&self.run.tasks[entry.task], &self.run.suts[entry.sut], elapsed))
    }

    fn not_asked(&self) -> String {
        let seconds = self.run.options.limits.time.as_secs_f64();
        format!("not asked any more: {HANGS} requests in a row had no answer within {seconds} s")
    }

    /// A reader that refuses everything passes every negative case. So a
    /// rejection has the outcome of the valid twin, unless that passed.
    fn weigh_twin(&self, entry: &Entry, judged: &mut Judged) {
        let Some(twin) = (self.twin_of)(entry) else { return };
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = known.get(&(twin, entry.sut)).copied();
        if let Some(outcome) = outcome.filter(|outcome| *outcome != Outcome::Pass)
            && judged.outcome == Outcome::Pass
        {
            judged.outcome = outcome;
            judged.reason =
                Some(format!("the rejection proves nothing: the valid twin {} is {outcome}", self.run.tasks[twin].id));
        }
    }
}

/// One worker and its processes.
struct Worker<'a> {
    run: &'a Run<'a>,
    shims: HashMap<usize, ShimProcess>,
    scratch: Option<Scratch>,
    requests: u64,
}

impl Worker<'_> {
    fn request(&mut self, entry: &Entry) -> Result<(Judged, Duration), RunError> {
        let (task, sut) = (&self.run.tasks[entry.task], &self.run.suts[entry.sut]);
        let (Ok(files), Ok(hello)) = (&task.files, &sut.admission) else {
            // The plan settles these; a plan from elsewhere may not have.
            let why = "neither files nor shim are there".to_owned();
            return Ok((Judged::settled(Outcome::NotAvailable, why), Duration::ZERO));
        };
        let dir = self.case_dir(task, sut, files)?;
        let start = Instant::now();
        let answer = self.ask(entry.sut, sut, &dir);
        let elapsed = start.elapsed();
        let stderr = self.shims.get(&entry.sut).map(ShimProcess::stderr).unwrap_or_default();
        if answer.is_err() {
            self.shims.remove(&entry.sut);
        }
        let judged = self.judge(task, hello, &dir, &answer, &stderr);
        if self.run.options.keep.is_some() {
            dir.keep_answer(&answer, &judged, &stderr)?;
        }
        dir.clean();
        Ok((judged, elapsed))
    }

    fn judge(
        &self,
        task: &Task,
        hello: &Hello,
        dir: &CaseDir,
        answer: &Result<Answer, Failure>,
        stderr: &str,
    ) -> Judged {
        let limit = self.run.options.limits.file_octets;
        let content = dir.content(limit, task.protects.is_some());
        if !matches!(content, Content::Unusable(_)) && dir.left() > limit {
            let what = format!("more than {limit} octets left in the directory of the case");
            return Judged::settled(Outcome::ShimError, what);
        }
        let judged = Judged::new(task, hello, answer.as_ref(), &content, stderr);
        let private = task.private && !self.run.options.include_private;
        if private { judged.without_private() } else { judged }
    }

    fn case_dir(&mut self, task: &Task, sut: &Sut, files: &CaseFiles) -> Result<CaseDir, RunError> {
        self.requests += 1;
        if let Some(keep) = &self.run.options.keep {
            let path = keep.join(&task.id).join(&sut.name);
            return CaseDir::write(path, true, task, sut, files);
        }
        let scratch = match self.scratch.take() {
            Some(scratch) => scratch,
            None => Scratch::new()
                .map_err(RunError::at("no directory for the cases can be made in", &std::env::temp_dir()))?,
        };
        let path = scratch.path().join(self.requests.to_string());
        self.scratch = Some(scratch);
        CaseDir::write(path, false, task, sut, files)
    }

    fn ask(&mut self, number: usize, sut: &Sut, dir: &CaseDir) -> Result<Answer, Failure> {
        let shim = match self.shims.entry(number) {
            hash_map::Entry::Occupied(shim) => shim.into_mut(),
            hash_map::Entry::Vacant(place) => place.insert(ShimProcess::start(&sut.command, self.run.options.limits)?),
        };
        let request = Request::open(shim.next_id(), dir.arguments())
            .map_err(|error| Failure::Garbage(format!("the request cannot be written: {error}")))?;
        shim.ask(&request)
    }
}
