//! `cargo xtask test`: everything that must hold before a change lands.
//!
//! Every step runs, whatever failed before it; the last line counts the tests,
//! and a step that fails counts as one more failure.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::counts::{Counts, Lacking};
use crate::features;
use crate::metadata::{Metadata, Target};
use crate::peers::{self, Peer};
use crate::published;
use crate::run::{self, cargo, lines, root, visible};
use crate::tidy;

pub(crate) fn main(arguments: &[String]) -> Result<(), String> {
    let install = match arguments {
        [] => false,
        [flag] if flag == "--install" => true,
        _ => return Err("usage: cargo xtask test [--install]".to_owned()),
    };
    let mut steps = Steps {
        start: Instant::now(),
        counts: Counts::default(),
        failed: Vec::new(),
        minutes: Vec::new(),
        is_installed: install,
    };

    let mut present = Vec::new();
    steps.step("peers", || {
        present = peers::prepare(install)?;
        Ok(())
    });
    steps.step("published", || published::prepare(install));
    steps.step("shared", shared);
    steps.step("fmt", || visible(cargo().args(["fmt", "--all", "--check"])));
    // From here on everything is compiled with one set of features.
    let features = features::arguments();
    steps.step("clippy", || {
        let clippy = ["clippy", "--release", "--workspace", "--all-targets"];
        visible(cargo().args(clippy).args(features).args(["--", "-D", "warnings"]))
    });
    steps.step("doc", || {
        let doc = ["doc", "--release", "--no-deps", "--workspace"];
        visible(cargo().args(doc).args(features).env("RUSTDOCFLAGS", "-D warnings"))
    });
    let mut tests = cargo();
    tests.args(["test", "--release", "--workspace", "--no-fail-fast"]).args(features);
    let mut has_run = false;
    steps.step("run", || {
        main_job(&present, install, features)?;
        has_run = true;
        Ok(())
    });
    if has_run {
        // The tests look at this run and do not repeat it.
        tests.env("WAXSEAL_MAIN_JOB", root().join(RUN));
    }
    steps.tests("test", &mut tests);
    broken_readers(&mut steps);
    steps.step("tidy", || tidy::main(&[]));
    steps.finish()
}

struct Steps {
    start: Instant,
    counts: Counts,
    failed: Vec<String>,
    /// How long each step took.
    minutes: Vec<(String, f64)>,
    /// Whether every program was installed: then no test does without one.
    is_installed: bool,
}

impl Steps {
    fn step(&mut self, name: &str, work: impl FnOnce() -> Result<(), String>) {
        self.say(format_args!("{name} …"));
        let start = Instant::now();
        let result = work();
        let seconds = start.elapsed().as_secs_f64();
        self.minutes.push((name.to_owned(), seconds / 60.0));
        match result {
            Ok(()) => self.say(format_args!("{name} ok ({seconds:.1} s)")),
            Err(message) => {
                self.say(format_args!("{name} FAILED ({seconds:.1} s): {message}"));
                self.failed.push(name.to_owned());
            }
        }
    }

    /// A step that runs test programs: their tests are counted, and of their
    /// output everything is shown but the tests that passed. What they lacked is
    /// shown, too, and a test that lacked something is one that was skipped.
    fn tests(&mut self, name: &str, command: &mut Command) {
        let mut counts = Counts::default();
        let list = root().join(LACKING);
        command.env(waxseal_testing::NOT_TESTED, &list);
        if self.is_installed {
            command.env(waxseal_testing::INSTALLED, "1");
        }
        self.step(name, || {
            std::fs::write(&list, "").map_err(|error| format!("{}: {error}", list.display()))?;
            let passed = lines(command, |line| {
                counts.add_line(line);
                let dull = line.is_empty() || line.ends_with(" ok") || line.starts_with("running ");
                if !dull {
                    println!("    {line}");
                }
            })?;
            let text = std::fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
            let lacking = Lacking::of_list(&text);
            print!("{lacking}");
            counts.take_away(&lacking);
            match (passed, counts.failed) {
                (true, 0) => Ok(()),
                (_, 0) => Err("did not build, or a test program ended before its result".to_owned()),
                (_, failed) => Err(format!("{failed} tests failed")),
            }
        });
        // Failed tests are counted one by one, not as a failed step on top.
        if counts.failed > 0 {
            self.failed.pop();
        }
        self.counts.passed += counts.passed;
        self.counts.failed += counts.failed;
        self.counts.skipped += counts.skipped;
    }

    fn say(&self, what: std::fmt::Arguments<'_>) {
        println!("[{:6.1} s] {what}", self.start.elapsed().as_secs_f64());
    }

    fn finish(mut self) -> Result<(), String> {
        self.counts.failed += self.failed.len() as u64;
        let none = self.counts.passed + self.counts.failed == 0;
        if none {
            self.say(format_args!("no test ran"));
            self.counts.failed = 1;
        }
        for (name, minutes) in &self.minutes {
            println!("{minutes:6.1} min {name}");
        }
        println!("{:6.1} min in all", self.start.elapsed().as_secs_f64() / 60.0);
        if !self.failed.is_empty() {
            self.say(format_args!("failed steps: {}", self.failed.join(", ")));
        }
        println!("{}", self.counts);
        // The closing line stands alone: nothing is said after it.
        if self.counts.failed == 0 { Ok(()) } else { std::process::exit(1) }
    }
}

/// Recordings and published examples stand beside the repository; CI always has them.
fn shared() -> Result<(), String> {
    for name in run::SHARED {
        match run::shared(name) {
            Some(folder) => println!("{name}: {}", folder.display()),
            None if std::env::var_os("CI").is_some() => {
                return Err(format!("CI is set, but ../shared/{name} is not there"));
            }
            None => println!("{name}: none beside the repository; their cases are not-available"),
        }
    }
    Ok(())
}

/// Readers that were broken on purpose: the unit tests of every crate that can
/// be broken, and the tests that ask for it.
fn broken_readers(steps: &mut Steps) {
    const FEATURE: &str = "broken-reader";
    let metadata = match Metadata::read() {
        Ok(metadata) => metadata,
        Err(message) => return steps.step(FEATURE, || Err(message)),
    };
    // One call for all of them: cargo then chooses features, and compiles, once.
    let mut arguments: Vec<String> = ["test", "--release", "--no-fail-fast", "--lib"].map(str::to_owned).to_vec();
    for package in metadata.members().filter(|package| package.features.contains_key(FEATURE)) {
        arguments.extend(["--package".to_owned(), package.name.clone()]);
        arguments.extend(["--features".to_owned(), format!("{}/{FEATURE}", package.name)]);
        let asks = |target: &&Target| target.required_features.iter().any(|name| name == FEATURE);
        for target in package.targets.iter().filter(asks) {
            arguments.extend(["--test".to_owned(), target.name.clone()]);
        }
    }
    steps.tests(FEATURE, cargo().args(arguments));
}

/// Where the tests of a step say what they lack.
const LACKING: &str = "target/not-tested";

/// Where the README's first command leaves its record and report.
const RUN: &str = "target/waxseal";

/// The README's first command, on everything that is here: it must end well,
/// and leave a whole run record and a report.
fn main_job(present: &[&Peer], install: bool, features: &[&str]) -> Result<(), String> {
    let folder = root().join(RUN);
    visible(cargo().args(["run", "--release"]).args(features))?;
    let report = folder.join("report/index.html");
    if !report.is_file() {
        return Err(format!("no report at {}", report.display()));
    }
    let admitted = admitted(&folder.join("run.jsonl"))?;
    for (name, told) in &admitted {
        println!("admitted {name}: {} good mails accepted, {} bad ones caught", told.accepted, told.caught);
    }
    let telling = admitted.values().filter(|told| told.accepted > 0 && told.caught > 0).count();
    if install && telling < IMPLEMENTATIONS {
        return Err(format!("{telling} implementations tell good mail from bad, and {IMPLEMENTATIONS} should"));
    }
    for peer in present.iter().filter(|peer| peer.is_sut && !admitted.contains_key(peer.name)) {
        let message = format!("peer {} is on this machine, but the run did not admit it", peer.name);
        if install {
            return Err(message);
        }
        println!("{message}");
    }
    Ok(())
}

/// How many implementations a machine with everything installed has to have at least.
const IMPLEMENTATIONS: usize = 12;

/// What a SUT did with the mails of a run, right in both.
#[derive(Debug, Default)]
struct Told {
    accepted: u64,
    caught: u64,
}

/// The SUTs that took part in a run; fails if its record is not whole.
fn admitted(record: &Path) -> Result<BTreeMap<String, Told>, String> {
    let wrong = |what: &str| format!("{}: {what}", record.display());
    let text = std::fs::read_to_string(record).map_err(|error| wrong(&error.to_string()))?;
    let kind = |line: Option<&str>| -> Option<serde_json::Value> { serde_json::from_str(line?).ok() };
    let head = kind(text.lines().next()).filter(|line| line["kind"] == "run").ok_or_else(|| wrong("no head"))?;
    kind(text.lines().last()).filter(|line| line["kind"] == "end").ok_or_else(|| wrong("no end: incomplete"))?;
    let suts = head["suts"].as_array().ok_or_else(|| wrong("the head names no SUTs"))?;
    let present = suts.iter().filter(|sut| sut["not_available"].is_null()).filter_map(|sut| sut["name"].as_str());
    let mut admitted: BTreeMap<String, Told> = present.map(|name| (name.to_owned(), Told::default())).collect();
    for outcome in text.lines().filter_map(|line| kind(Some(line))).filter(|line| line["kind"] == "outcome") {
        let Some(told) = outcome["sut"].as_str().and_then(|name| admitted.get_mut(name)) else { continue };
        // A mail that was written, and not read, has no aspects.
        let is_read = outcome["aspects"].as_array().is_some_and(|layers| !layers.is_empty());
        match outcome["reason_match"].as_str() {
            _ if outcome["outcome"] != "pass" || !is_read => {}
            // Only where something had to come out bad is there a reason to match.
            Some("none") | None => told.accepted += 1,
            Some(_) => told.caught += 1,
        }
    }
    Ok(admitted)
}
