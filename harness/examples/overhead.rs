//! What the harness itself takes for a case: the runner with a shim that does
//! nothing, beside the bare exchange of a line with the same process. Prints
//! names and microseconds; `cargo xtask bench harness` reads them.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use waxseal::cases::Cases;
use waxseal::plan::Plan;
use waxseal::runner::{Options, Run};
use waxseal::sut::Sut;
use waxseal::sut::child::{ShimCommand, ShimLimits};
use waxseal::task::Task;
use waxseal_model::Corpus;

/// A plain positive case.
const CASE: &str = "signed/clear/rsa-sha256";
/// The argument that makes this program the shim.
const SHIM: &str = "null-shim";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [word] if word == SHIM => null_shim(),
        [cases, workers] => measure(cases.parse()?, workers.parse()?),
        _ => Err("usage: overhead CASES WORKERS".into()),
    }
}

/// Calls every mail good without looking at it.
fn null_shim() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let request: serde_json::Value = serde_json::from_str(&line?)?;
        let mut answer = match request["op"].as_str() {
            Some("hello") => serde_json::json!({ "protocol": 1, "hello": {
                "name": SHIM, "version": "1", "operations": ["open"], "forms": ["signed"], "clock": "settable",
                "algorithms": ["rsa-pkcs1-v1_5", "sha-256"], "aspects": ["structure", "integrity"] } }),
            Some("open") => serde_json::json!({ "verdict": {
                "format": 1, "overall": "valid", "provider": SHIM, "dialect": "cms", "layers": [
                    { "path": "1", "kind": "signed", "structure": "good", "integrity": "good" }] } }),
            _ => serde_json::json!({ "unsupported": "nothing else" }),
        };
        answer["id"] = request["id"].clone();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn measure(cases: u32, workers: usize) -> Result<(), Box<dyn Error>> {
    let corpus = Corpus::embedded()?;
    let case = corpus.case(CASE).ok_or(CASE)?;
    let mut task = Cases { corpus: &corpus, recordings: None }.task(case)?;
    // The null shim writes no content.
    task.expectation.content_sha256 = None;
    let tasks: Vec<Task> = (0..cases).map(|number| Task { id: format!("{CASE}-{number}"), ..task.clone() }).collect();
    let command = ShimCommand { program: std::env::current_exe()?, arguments: vec![SHIM.to_owned()] };
    let mut sut = Sut::new(SHIM.to_owned(), command, true);
    sut.admit(ShimLimits::default());
    sut.admission.clone()?;
    let suts = [sut];
    let plan = Plan::new(&tasks, &suts);
    let options = Options { jobs: workers, limits: ShimLimits::default(), keep: None, include_private: false };
    let mut passed = 0_u32;
    let start = Instant::now();
    Run { tasks: &tasks, suts: &suts, plan: &plan, options: &options }.execute(|outcome| {
        passed += u32::from(outcome.outcome == waxseal_verdict::Outcome::Pass);
        Ok(())
    })?;
    let whole = start.elapsed().as_secs_f64();
    if passed != cases {
        return Err(format!("{passed} of {cases} cases passed: the harness was not measured").into());
    }
    let bare = bare(cases)?;
    println!("case through the harness\t{:.3}", whole * 1e6 / f64::from(cases) * workers as f64);
    println!("bare line to the shim and back\t{:.3}", bare * 1e6 / f64::from(cases));
    Ok(())
}

/// The same process asked as often, with nothing around it. Seconds.
fn bare(times: u32) -> Result<f64, Box<dyn Error>> {
    let mut child =
        Command::new(std::env::current_exe()?).arg(SHIM).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("a pipe is missing".into());
    };
    let mut lines = BufReader::new(stdout).lines();
    let start = Instant::now();
    for number in 0..times {
        writeln!(stdin, "{{\"id\":{number},\"op\":\"open\",\"dir\":\".\",\"message\":\"m\",\"out\":\"o\"}}")?;
        stdin.flush()?;
        lines.next().ok_or("the shim ended")??;
    }
    let time = start.elapsed().as_secs_f64();
    drop(stdin);
    child.wait()?;
    Ok(time)
}
