//! Tests that each run in a process of their own, in a place without a network:
//! vpcd listens on all addresses, and nothing may be left running, even by a test
//! that panics.

use std::io::Read;
use std::panic::AssertUnwindSafe;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use waxseal::confine;

use crate::components::Component;

/// Names the test to a process that was started for it.
const TEST: &str = "WAXSEAL_CONFINED_TEST";

/// How long a test may take.
const TIME: Duration = Duration::from_secs(180);

/// A test, and what must be on this machine for it.
pub(crate) struct Job {
    name: String,
    needs: Vec<Component>,
    run: Box<dyn Fn()>,
}

impl Job {
    pub(crate) fn new(name: impl Into<String>, needs: &[Component], run: impl Fn() + 'static) -> Self {
        Self { name: name.into(), needs: needs.to_vec(), run: Box::new(run) }
    }
}

/// Runs the tests that can run here; what they lack is said once in a line each.
pub(crate) fn main(jobs: Vec<Job>) -> ExitCode {
    if let Ok(name) = std::env::var(TEST) {
        return alone(&jobs, &name);
    }
    let arguments = Arguments::from_args();
    let mut missing = Vec::new();
    let mut trials = Vec::new();
    for job in jobs {
        let lacking: Vec<_> = job.needs.iter().filter_map(|need| Some((*need, need.examine().err()?))).collect();
        if lacking.is_empty() {
            let name = job.name;
            trials.push(Trial::test(name.clone(), move || confined(&name)));
        }
        missing.extend(lacking);
    }
    missing.sort();
    missing.dedup();
    for (component, why) in &missing {
        waxseal_testing::not_installed(format_args!("{component:?}: {why}"));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The process of one test.
fn alone(jobs: &[Job], name: &str) -> ExitCode {
    // Whoever started it holds the other end of the pipe: when it is gone, so are we.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(3);
    });
    let Some(job) = jobs.iter().find(|job| job.name == name) else { return ExitCode::from(4) };
    // The panic has said what failed; here it ends the process with everything in it.
    match std::panic::catch_unwind(AssertUnwindSafe(&job.run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Starts the process of one test, and waits for its end.
fn confined(name: &str) -> Result<(), Failed> {
    let output = tempfile::tempfile()?;
    let mut child = confine::command(&std::env::current_exe()?)
        .env(TEST, name)
        .stdin(Stdio::piped())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .spawn()?;
    let end = Instant::now() + TIME;
    let status = loop {
        match child.try_wait()? {
            Some(status) => break Some(status),
            None if Instant::now() > end => break None,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    if status.is_none() {
        // With it everything in its place ends.
        child.kill()?;
        child.wait()?;
    }
    if status.is_some_and(|status| status.success()) {
        return Ok(());
    }
    let mut text = String::new();
    std::io::Seek::rewind(&mut &output)?;
    (&output).read_to_string(&mut text)?;
    Err(match status {
        Some(status) => format!("{status}\n{text}").into(),
        None => format!("not done within {} s\n{text}", TIME.as_secs()).into(),
    })
}
