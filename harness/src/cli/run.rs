//! `waxseal run`: every chosen case on every SUT, a record, a report, a gate.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_model::{Case, Corpus, Selection, Shapes};
use waxseal_reports::{CaseText, Known, Summary, html, read_run};
use waxseal_verdict::{Machine, OutcomeRecord, Record, RunRecord};

use super::list::select;
use super::options::{CorpusOptions, RecordingsOption};
use super::output::{self, Paint};
use super::progress::Progress;
use crate::admission::Exam;
use crate::cases::Cases;
use crate::exit::{Exit, Failed, help};
use crate::gate::{self, Deciding, Gate, View, is_failure};
use crate::matrix::{self, Extent, Produced, Writing, replica};
use crate::plan::{Plan, Shard};
use crate::runner::{Options, Run, RunFile};
use crate::shim::shipped::ENGINE;
use crate::sut::Sut;
use crate::sut::child::ShimLimits;
use crate::sut::ending;
use crate::task::Task;
use crate::transport::{self, Carried};
use crate::workspace;

/// Run cases on implementations, and write a record and a report
///
/// Without options: every case of the corpus on the reference engine and on
/// every peer found on this machine. Exit code 1 means that the engine failed a
/// case, that a SUT named with --sut failed one, or that --known does not match;
/// what is found about other peers is in the report and ends with 0.
///
/// `--case` takes every id that a record has: mails of the round-trip matrix, too,
/// as matrix/SCENARIO/WRITER or write/SCENARIO/WRITER, mails that one program had
/// from another and sent on, as sent-on/FIRST/SECOND, and mails on their way, as
/// transport/WAY/LETTER.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal run",
    "waxseal run --sut ./my-shim --write-known known.toml",
    "waxseal run --sut ./my-shim --known known.toml",
    "waxseal run --sut ./my-shim --with-peers",
    "waxseal run --case 'signed/clear/*' --sut openssl --keep kept",
    "waxseal run --case 'matrix/triple.*/openssl' --sut openssl --sut ./my-shim --keep kept",
    "waxseal run --shard 2/4 -o shard-2",
))]
pub(super) struct Arguments {
    /// A SUT: a shipped one by name (`waxseal shim --help` lists them), or the path of a shim
    #[arg(long, value_name = "NAME|PATH")]
    sut: Vec<String>,
    /// Beside what --sut names, every implementation found here: mail goes both ways between them, and only what is
    /// named decides the exit code
    #[arg(long, requires = "sut")]
    with_peers: bool,
    #[command(flatten)]
    corpus: CorpusOptions,
    #[command(flatten)]
    recordings: RecordingsOption,
    /// Workers at once [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Seconds that a SUT has for one request
    #[arg(long, value_name = "S", default_value = "30", value_parser = seconds)]
    timeout: Duration,
    /// Leave every case directory here, to look at it and repeat it by hand
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// A gate: the file of known failures, and of what passes; everything else than it lists fails
    #[arg(long, value_name = "FILE")]
    known: Option<PathBuf>,
    /// Write the gate that this run passes: its failures as known ones, and what passes and has to go on passing. What
    /// the file of --known lists stays where this run does not look at it, and so do its links
    #[arg(long, value_name = "FILE")]
    write_known: Option<PathBuf>,
    /// Only this part of the cases; the records of all parts can be concatenated
    #[arg(long, value_name = "I/N", default_value_t = Shard::default())]
    shard: Shard,
    /// The id of the run, the same for all shards [default: from the time]
    #[arg(long, value_name = "ID", env = "WAXSEAL_RUN_ID", hide_env_values = true)]
    run_id: Option<String>,
    /// How much of the round-trip matrix to run: every SUT that writes mail writes for every one that reads
    /// [default: pairwise, but none with --case]
    #[arg(long, value_name = "EXTENT")]
    matrix: Option<MatrixOption>,
    /// What to send through what happens to mail on its way, and who reads what arrives [default: routes, but none with
    /// --case]
    #[arg(long, value_name = "EXTENT")]
    transport: Option<TransportOption>,
    /// Let addresses, subjects and error texts of recorded mails stand in record and report
    #[arg(long)]
    include_private: bool,
    /// Where to write run.jsonl, report/index.html and report/summary.json
    #[arg(short = 'o', long = "out", value_name = "DIR", default_value = "target/waxseal")]
    out: PathBuf,
    /// Whether standard output is for something else.
    #[arg(skip)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MatrixOption {
    /// No round trips
    None,
    /// For every writer and reader, each value of each feature once
    Pairwise,
    /// Every scenario that a writer declares
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum TransportOption {
    /// Nothing
    None,
    /// What software is known to do to mail; the reference engine reads, and every SUT that --sut names
    Manglings,
    /// That, and real servers on loopback, where they are installed
    Routes,
    /// That, and every SUT reads
    Full,
}

/// What `waxseal transport` can be told.
#[derive(Debug, Args)]
pub(super) struct TransportArguments {
    /// A SUT that reads what arrives, beside the reference engine
    #[arg(long, value_name = "NAME|PATH")]
    sut: Vec<String>,
    #[command(flatten)]
    recordings: RecordingsOption,
    /// Only what software is known to do to mail, and no servers
    #[arg(long)]
    manglings: bool,
    /// Workers at once [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Leave every case directory here, to look at it and repeat it by hand
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Where to write run.jsonl and report/index.html
    #[arg(short = 'o', long = "out", value_name = "DIR", default_value = "target/waxseal/transport")]
    out: PathBuf,
}

impl From<TransportArguments> for Arguments {
    fn from(arguments: TransportArguments) -> Self {
        let mut sut = arguments.sut;
        // The reference says what a way does; the others, whether they say so, too.
        if !sut.iter().any(|name| name == ENGINE) {
            sut.insert(0, ENGINE.to_owned());
        }
        Self {
            sut,
            with_peers: false,
            corpus: CorpusOptions::default(),
            recordings: arguments.recordings,
            jobs: arguments.jobs,
            timeout: ShimLimits::default().time,
            keep: arguments.keep,
            known: None,
            write_known: None,
            shard: Shard::default(),
            run_id: None,
            matrix: Some(MatrixOption::None),
            transport: Some(if arguments.manglings { TransportOption::Manglings } else { TransportOption::Routes }),
            include_private: false,
            out: arguments.out,
            quiet: false,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| *seconds > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or("a number of seconds above 0".to_owned())
}

pub(super) fn run(arguments: Arguments) -> Result<Exit, Failed> {
    let corpus = arguments.corpus.load()?;
    let few = !arguments.corpus.case.is_empty();
    let globs: Vec<&String> = arguments.globs(|glob| !is_of_matrix(glob) && !is_of_transport(glob));
    let mut chosen = if few && globs.is_empty() { Vec::new() } else { select(corpus.cases(), &globs)? };
    // A letter says whether a reader reads it at all: without it nothing is worth that what became of it is refused.
    let letters = arguments.sent(&corpus)?;
    chosen.extend(corpus.cases().iter().filter(|case| letters.contains(case.id.as_str())));
    let ran = arguments.run(&corpus, &chosen, few)?;
    output::print(&ran.text)?;
    ran.exit
}

/// Whether a glob of `--case` means mails that SUTs write, and no cases.
fn is_of_matrix(glob: &str) -> bool {
    ["matrix/", "write/", "sent-on/"].iter().any(|area| glob.starts_with(area))
}

/// Whether it means mails that are sent on, `sent-on/FIRST/SECOND`, or `write/sent-on.FIRST.SECOND`.
fn is_of_chain(glob: &str) -> bool {
    glob.starts_with("sent-on/") || glob.starts_with("write/sent-on.")
}

/// Whether it means mails that are sent, `transport/WAY/LETTER`.
fn is_of_transport(glob: &str) -> bool {
    glob.starts_with("transport/")
}

/// What a run left.
pub(super) struct Ran {
    /// The record.
    pub(super) record: PathBuf,
    /// What is said of it, for people.
    pub(super) text: String,
    /// How the command ends.
    pub(super) exit: Result<Exit, Failed>,
}

/// Runs the letters of transport alone.
pub(super) fn run_transport(arguments: TransportArguments, corpus: &Corpus, quiet: bool) -> Result<Ran, Failed> {
    let letters = corpus.transport().letter.iter().filter_map(|letter| corpus.case(&letter.case));
    Arguments { quiet, ..arguments.into() }.run(corpus, &letters.collect::<Vec<_>>(), true)
}

impl Arguments {
    /// Runs these cases, and what goes with them; `few`: somebody wants their answers, and nothing beside them.
    fn run(&self, corpus: &Corpus, chosen: &[&Case], few: bool) -> Result<Ran, Failed> {
        let start = Instant::now();
        let gate = self.gate()?;
        let recordings = self.recordings.load()?;
        let cases = Cases { corpus, recordings: recordings.as_ref() };
        let mut tasks = cases.tasks(chosen).map_err(Failed::fault)?;
        tasks.retain(|task| self.shard.holds(task));
        let suts = self.suts(corpus, few)?;
        go_on()?;
        let shapes = Shapes::embedded().map_err(Failed::fault)?;
        let is_expected =
            |outcome: &OutcomeRecord| corpus.explains(outcome) || gate.as_ref().is_some_and(|gate| gate.lists(outcome));
        let (written, replicas) = self.write(corpus, &shapes, &suts, &is_expected)?;
        tasks.extend(matrix::tasks(&written));
        tasks.extend(replicas);
        go_on()?;
        let carried = self.carry(&cases, &suts)?;
        go_on()?;
        tasks.extend(carried.iter().filter_map(|one| one.task.clone()));
        let plan = Plan::new(&tasks, &suts);
        // Versions and reasons are the words of shims.
        self.say(&output::harmless_lines(&announce(corpus, &tasks, &suts, &plan, self.shard)))?;

        let options = self.options();
        let run = Run { tasks: &tasks, suts: &suts, plan: &plan, options: &options };
        let (record, outcomes) = self.record(corpus, &run, (&written, &carried), &is_expected, start)?;
        let report = self.report(&record, corpus, &shapes)?;
        let mut text = output::harmless_lines(&report.text);
        text.push_str(&explained(corpus, &outcomes));
        if let Some(gate) = &gate {
            let listed = outcomes.iter().filter(|outcome| gate.lists(outcome)).count();
            text.push_str(&format!("--known lists {listed} failures of this run\n"));
        }
        text.push_str(&format!("\nrecord  {}\nreport  {}\n", record.display(), report.page.display()));
        let exit = self.judge(gate, (corpus, &shapes), &suts, &outcomes);
        Ok(Ran { record, text, exit })
    }
}

/// Nothing more is begun by a program that a signal told to end.
fn go_on() -> Result<(), Failed> {
    match ending::is_told() {
        true => Err(Failed::usage("told to end; the record, if one was begun, has no end")),
        false => Ok(()),
    }
}

/// What a report left.
struct Report {
    text: String,
    page: PathBuf,
}

impl Arguments {
    /// Says something, unless standard output is for something else.
    fn say(&self, text: &str) -> Result<(), Failed> {
        if self.quiet { Ok(()) } else { output::print(text) }
    }

    fn progress(&self, total: usize) -> Option<Progress> {
        (!self.quiet).then(|| Progress::new(total, Paint::stdout()))
    }

    /// The globs of `--case` of a kind.
    fn globs(&self, is_of: impl Fn(&str) -> bool) -> Vec<&String> {
        self.corpus.case.iter().filter(|glob| is_of(glob)).collect()
    }

    /// The cases of the letters that `--case` sends; a glob that sends none is most likely a slip.
    fn sent<'c>(&self, corpus: &'c Corpus) -> Result<BTreeSet<&'c str>, Failed> {
        let ids = transport::ids(corpus);
        let mut cases = BTreeSet::new();
        for glob in self.globs(is_of_transport) {
            let selection = Selection::new(&[glob]).map_err(|error| Failed::usage(format!("--case: {error}")))?;
            let meant = ids.iter().filter(|(id, _)| selection.contains_id(id));
            let found: Vec<&str> = meant.map(|(_, case)| *case).collect();
            if found.is_empty() {
                return Err(Failed::usage(format!(
                    "--case {glob}: no mail is sent by this id; the table of `waxseal transport` has the ways and letters"
                )));
            }
            cases.extend(found);
        }
        Ok(cases)
    }

    fn gate(&self) -> Result<Option<Gate>, Failed> {
        if let Some(path) = &self.write_known {
            self.may_write(path)?;
        }
        let Some(path) = &self.known else { return Ok(None) };
        let text = std::fs::read_to_string(path).map_err(Failed::at(format!("--known {}", path.display())))?;
        Gate::parse(&text).map(Some).map_err(Failed::at(format!("--known {}", path.display())))
    }

    /// Whether a gate may be written to this file: minutes later would be late to say so.
    fn may_write(&self, path: &Path) -> Result<(), Failed> {
        let place = |path: &Path| path.canonicalize().ok();
        let wrong = |why: &str| Err(Failed::usage(format!("--write-known {}: {why}", path.display())));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return wrong("there is no such folder");
        }
        // Who wrote links into a list wants them back.
        if path.exists() && self.known.as_deref().and_then(place) != place(path) {
            return wrong("is there already; name it with --known, too, and its links stay, or remove it");
        }
        Ok(())
    }

    fn write_gate(&self, path: &Path, gate: &Gate) -> Result<(), Failed> {
        let text = gate.text().map_err(Failed::fault)?;
        output::replace_file(path, |out| out.write_all(text.as_bytes()).map_err(Failed::at(path.display())))?;
        let (failures, passes) = (gate.known.len(), gate.passing().count());
        output::print(&format!("gate    {}: {failures} known failures, {passes} passes\n", path.display()))
    }

    /// The SUTs, each asked who it is; all at once, because some take their time.
    fn suts(&self, corpus: &Corpus, few: bool) -> Result<Vec<Sut>, Failed> {
        let mut suts = Sut::choose(&self.sut, self.with_peers).map_err(Failed::usage)?;
        let limits = self.options().limits;
        std::thread::scope(|scope| {
            for sut in &mut suts {
                scope.spawn(move || sut.admit(limits));
            }
        });
        // Whoever asks for a few cases wants their answers; the examination is for a run of the whole corpus.
        if !few {
            let exam = Exam::new(corpus).map_err(Failed::fault)?;
            let results: Vec<_> = std::thread::scope(|scope| {
                let examine = |sut| scope.spawn(|| exam.examine(sut, limits));
                let examined: Vec<_> = suts.iter_mut().map(examine).collect();
                examined.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
            });
            for result in results {
                result.map_err(|_| Failed::fault("the examination of a shim panicked"))?.map_err(Failed::fault)?;
            }
        }
        Ok(suts)
    }

    fn options(&self) -> Options {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Options {
            jobs: self.jobs.map_or(cores, NonZeroUsize::get),
            limits: ShimLimits { time: self.timeout, ..ShimLimits::default() },
            keep: self.keep.clone(),
            include_private: self.include_private,
        }
    }

    /// Lets every SUT that can write what the matrix asks for; beside that the mails of replicas.
    fn write(
        &self,
        corpus: &Corpus,
        shapes: &Shapes,
        suts: &[Sut],
        is_expected: &dyn Fn(&OutcomeRecord) -> bool,
    ) -> Result<(Vec<Produced>, Vec<Task>), Failed> {
        let globs = self.globs(is_of_matrix);
        let asked = self.matrix.unwrap_or(match (self.corpus.case.is_empty(), globs.is_empty()) {
            (true, _) => MatrixOption::Pairwise,
            // Cases of the corpus alone, or one cell of the matrix.
            (false, true) => MatrixOption::None,
            (false, false) => MatrixOption::Full,
        });
        let extent = match asked {
            MatrixOption::None if !globs.is_empty() => {
                return Err(Failed::usage(format!("--case {}: --matrix none leaves nothing that writes it", globs[0])));
            }
            MatrixOption::None => return Ok(Default::default()),
            MatrixOption::Pairwise => Extent::Pairwise,
            MatrixOption::Full => Extent::Full,
        };
        let selection = Selection::new(&globs).map_err(|error| Failed::usage(format!("--case: {error}")))?;
        let or_written = |id: &str| id.strip_prefix("matrix/").map(|rest| format!("write/{rest}"));
        let is_meant = |id: &str| {
            self.shard.holds_id(id)
                && (selection.contains_id(id) || or_written(id).is_some_and(|id| selection.contains_id(&id)))
        };
        let chains = self.shard.is_first() && (globs.is_empty() || globs.iter().any(|glob| is_of_chain(glob)));
        let writing = Writing::choose(corpus, suts, extent, chains, &is_meant);
        let (mails, writers) = writing.counts();
        let replicas = replica::tasks(corpus, shapes, suts, extent, &is_meant).map_err(Failed::fault)?;
        let in_shapes = replicas.len();
        self.say(&format!("matrix: {mails} mails of {writers} writers, {in_shapes} in the shapes of clients\n"))?;
        let options = self.options();
        let options = matrix::Options { jobs: options.jobs, limits: options.limits, keep: options.keep };
        let progress = self.progress(mails);
        let written = writing.produce(suts, &options, |one| {
            progress.iter().for_each(|progress| progress.outcome(&one.outcome, is_expected(&one.outcome)));
            Ok(())
        });
        progress.iter().for_each(Progress::finish);
        let mut written = written.map_err(Failed::usage)?;
        // Who asks for one chain has them all made, because each first mail is written once.
        written.retain(|one| !is_of_chain(&one.outcome.case) || means_chain(&selection, suts, &one.outcome.case));
        if written.is_empty() && replicas.is_empty() && !globs.is_empty() && self.shard.is_whole() {
            return Err(Failed::usage(format!(
                "--case {}: nobody who takes part writes such a mail; name its writers with --sut, too, or a replica",
                globs[0]
            )));
        }
        Ok((written, replicas))
    }

    /// Sends what transport asks for.
    fn carry(&self, cases: &Cases<'_>, suts: &[Sut]) -> Result<Vec<Carried>, Failed> {
        let globs = self.globs(is_of_transport);
        let extent = match self.transport {
            None if !self.corpus.case.is_empty() && globs.is_empty() => TransportOption::None,
            given => given.unwrap_or(TransportOption::Routes),
        };
        if extent == TransportOption::None && globs.is_empty() {
            return Ok(Vec::new());
        }
        let meant = Selection::new(&globs).map_err(|error| Failed::usage(format!("--case: {error}")))?;
        let readers = suts.iter().filter(|sut| sut.named || sut.name == ENGINE).map(|sut| sut.name.clone());
        let options = transport::Options {
            program: match extent >= TransportOption::Routes {
                true => Some(std::env::current_exe().map_err(Failed::fault)?),
                false => None,
            },
            readers: (extent < TransportOption::Full).then(|| Arc::new(readers.collect())),
            shard: self.shard,
            meant,
        };
        let carried = match extent {
            TransportOption::None => Vec::new(),
            _ => transport::carry(cases, &options).map_err(Failed::fault)?,
        };
        if carried.is_empty() && !globs.is_empty() && self.shard.is_whole() {
            return Err(Failed::usage(
                "--case transport/WAY/LETTER: nothing was sent; mails of the catalogue need --recordings, and routes \
                 --transport routes",
            ));
        }
        let arrived = carried.iter().filter(|one| !one.arrival.arrived.is_empty()).count();
        let absent = carried.iter().filter(|one| one.arrival.not_available.is_some()).count();
        self.say(&format!("transport: {arrived} mails arrived, {absent} could not be sent here\n"))?;
        Ok(carried)
    }

    /// Runs the plan and keeps its record.
    fn record(
        &self,
        corpus: &Corpus,
        run: &Run<'_>,
        (written, carried): (&[Produced], &[Carried]),
        is_expected: &dyn Fn(&OutcomeRecord) -> bool,
        start: Instant,
    ) -> Result<(PathBuf, Vec<OutcomeRecord>), Failed> {
        let Run { tasks, suts, plan, options } = *run;
        workspace::directory(&self.out).map_err(Failed::at(self.out.display()))?;
        let path = self.out.join("run.jsonl");
        let started = OffsetDateTime::now_utc().replace_nanosecond(0).map_err(Failed::fault)?;
        let id = self.run_id.clone().unwrap_or_else(|| run_id(started));
        let mut file = RunFile::create(&path, id, self.shard.to_string()).map_err(Failed::usage)?;
        let head = RunRecord {
            format: 1,
            waxseal: env!("CARGO_PKG_VERSION").to_owned(),
            corpus: corpus.hash().to_owned(),
            started: started.format(&Rfc3339).map_err(Failed::fault)?,
            suts: suts.iter().map(Sut::record).collect(),
            machine: Machine {
                platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
                workers: u32::try_from(options.jobs).unwrap_or(u32::MAX),
            },
        };
        file.write(Record::Run(head)).map_err(Failed::usage)?;
        let mut planned = plan.record(tasks, suts);
        planned.entries.extend(written.iter().map(Produced::planned));
        file.write(Record::Plan(planned)).map_err(Failed::usage)?;
        for one in carried {
            file.write(Record::Arrival(one.arrival.clone())).map_err(Failed::usage)?;
        }
        let progress = self.progress(plan.entries.len());
        let mut outcomes = Vec::with_capacity(plan.entries.len() + written.len());
        for one in written {
            file.write(Record::Outcome(one.outcome.clone())).map_err(Failed::usage)?;
            outcomes.push(one.outcome.clone());
        }
        run.execute(|outcome| {
            file.write(Record::Outcome(outcome.clone()))?;
            progress.iter().for_each(|progress| progress.outcome(&outcome, is_expected(&outcome)));
            outcomes.push(outcome);
            Ok(())
        })
        .map_err(Failed::usage)?;
        progress.iter().for_each(Progress::finish);
        go_on()?;
        let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        file.write(Record::End { outcomes: outcomes.len() as u64, ms }).map_err(Failed::usage)?;
        Ok((path, outcomes))
    }

    /// Draws the report from the record, as anybody else could.
    fn report(&self, record: &Path, corpus: &Corpus, shapes: &Shapes) -> Result<Report, Failed> {
        let file = std::fs::File::open(record).map_err(Failed::at(record.display()))?;
        let run = read_run(std::io::BufReader::new(file)).map_err(Failed::at(record.display()))?;
        let present = run.cases();
        let texts: Vec<_> = corpus
            .cases()
            .iter()
            .filter(|case| present.contains(case.id.as_str()))
            .map(|case| CaseText::of(case, corpus))
            .collect();
        let known = Known::of(corpus, shapes);
        let options =
            html::Options { include_private: self.include_private, transport: Some(corpus.transport().clone()) };
        let page = html::render(&run, &texts, &known, &options);
        let folder = self.out.join("report");
        workspace::directory(&folder).map_err(Failed::at(folder.display()))?;
        let path = folder.join("index.html");
        output::replace_file(&path, |out| out.write_all(page.as_bytes()).map_err(Failed::at(path.display())))?;
        let summary = Summary::of(&run, &texts, &known);
        let numbers = folder.join("summary.json");
        output::replace_file(&numbers, |out| {
            out.write_all(summary.json().as_bytes()).map_err(Failed::at(numbers.display()))
        })?;
        let mut text = summary.text();
        if !summary.unwitnessed.is_empty() {
            // Nobody but the engine has accepted these: they are its word alone.
            text.push_str(&format!("unwitnessed positives: {}\n", summary.unwitnessed.len()));
        }
        Ok(Report { text, page: path })
    }

    /// What the outcomes mean for whoever started the run.
    fn judge(
        &self,
        gate: Option<Gate>,
        (corpus, shapes): (&Corpus, &Shapes),
        suts: &[Sut],
        outcomes: &[OutcomeRecord],
    ) -> Result<Exit, Failed> {
        let named = Deciding::named(corpus.matrix(), suts);
        let mut wrong: Vec<String> = named.absent().collect();
        // Who names nobody asks of everybody; peers that only take part beside what is named decide nothing.
        let deciding = if self.with_peers { named } else { Deciding::everybody(corpus.matrix(), suts) };
        let decides = |outcome: &OutcomeRecord| deciding.holds(outcome);
        let before = gate.clone().unwrap_or_default();
        let exists = |id: &str| gate::is_id(corpus, shapes, suts, &before, id);
        let written = match &self.write_known {
            Some(path) => {
                let written = Gate::of(outcomes, &before, &decides, &exists);
                self.write_gate(path, &written)?;
                Some(written)
            }
            None => None,
        };
        if let Some(gate) = gate.or(written) {
            let is_all = self.shard.is_whole() && self.corpus.case.is_empty();
            let is_here = |name: &str| suts.iter().any(|sut| sut.name == name && sut.admission.is_ok());
            let view = View { decides: &decides, exists: &exists, is_whole: &|sut| is_all && is_here(sut) };
            let judgement = gate.judge(outcomes, &view);
            for unseen in &judgement.unseen {
                output::print(&format!("not looked at: {unseen}\n"))?;
            }
            wrong.extend(judgement.mismatches);
        } else {
            wrong.extend(named.failures(outcomes));
        }
        if wrong.is_empty() {
            return Ok(Exit::Good);
        }
        let word = if self.known.is_some() || self.write_known.is_some() { "gate" } else { "run" };
        Err(Failed::bad(format!("the {word} failed\n  {}", wrong.join("\n  "))))
    }
}

/// Whether a chain is meant, by the id of its writing or by that of the mail.
fn means_chain(selection: &Selection, suts: &[Sut], writing: &str) -> bool {
    let names = || suts.iter().map(|sut| sut.name.as_str());
    let mut chains = names().flat_map(|first| names().map(move |second| (first, second)));
    // Names may have dots of their own.
    let ends = chains.find(|(first, second)| writing == format!("write/sent-on.{first}.{second}"));
    selection.contains_id(writing)
        || ends.is_some_and(|(first, second)| selection.contains_id(&format!("sent-on/{first}/{second}")))
}

/// What will run, what will not, and why.
fn announce(corpus: &Corpus, tasks: &[Task], suts: &[Sut], plan: &Plan, shard: Shard) -> String {
    let hash = corpus.hash().get(..12).unwrap_or_default();
    let part = if shard.is_whole() { String::new() } else { format!(", shard {shard}") };
    let mut text = format!("waxseal {}, corpus {hash}, {} cases{part}\n", env!("CARGO_PKG_VERSION"), tasks.len());
    for (number, sut) in suts.iter().enumerate() {
        match &sut.admission {
            Ok(hello) => {
                let (running, settled) = plan.counts(number);
                text.push_str(&format!("{} {}: {running} to run\n", sut.name, hello.version));
                for ((outcome, why), count) in settled {
                    text.push_str(&format!("  {count:>4} {outcome}: {why}\n"));
                }
            }
            Err(why) => text.push_str(&format!("{}: takes no part: {why}\n", sut.name)),
        }
    }
    text
}

/// How many failures of each SUT the corpus explains, and which it does not.
fn explained(corpus: &Corpus, outcomes: &[OutcomeRecord]) -> String {
    let mut failures: BTreeMap<&str, (usize, Vec<&str>)> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| is_failure(outcome.outcome)) {
        let (count, open) = failures.entry(&outcome.sut).or_default();
        *count += 1;
        if !corpus.explains(outcome) {
            open.push(&outcome.case);
        }
    }
    let line = |(sut, (count, open)): (&str, (usize, Vec<&str>))| {
        let explained = count - open.len();
        let mut text = format!(
            "{sut}: the corpus explains {explained} of {count} failures; the report and `waxseal show CASE` say why\n"
        );
        for case in open.iter().take(OPEN) {
            text.push_str(&format!("  not explained: {case}\n"));
        }
        if open.len() > OPEN {
            text.push_str(&format!("  not explained: {} more\n", open.len() - OPEN));
        }
        (explained > 0).then_some(text)
    };
    failures.into_iter().filter_map(line).collect()
}

/// How many failures that the corpus does not explain are named for one SUT.
const OPEN: usize = 10;

fn run_id(started: OffsetDateTime) -> String {
    let (year, month, day) = started.to_calendar_date();
    let (hour, minute, second) = started.to_hms();
    let process = std::process::id();
    format!("{year}{:02}{day:02}T{hour:02}{minute:02}{second:02}Z-{process}", u8::from(month))
}
