//! `cargo xtask fuzz`: runs the fuzz targets, keeps a minimised corpus, and logs
//! what was done in docs/results/fuzz.md.
//!
//! A target starts from the project's own bytes only: its committed corpus, and
//! seeds made from the vectors. Mails of others may be private, and so may what
//! a fuzzer makes of them.

mod log;
mod seeds;
mod sessions;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{output, program, root, visible};
use log::Entry;

const USAGE: &str = "usage: cargo xtask fuzz [--minutes N] [TARGET]…";

/// What an input may take before it counts as a crash: seconds, and MiB.
const LIMITS: &[&str] = &["-timeout=10", "-rss_limit_mb=1536", "-malloc_limit_mb=256", "-max_len=65536"];

/// Octets of the committed corpus, all targets together.
const CORPUS: u64 = 2 << 20;

pub(crate) fn main(arguments: &[String]) -> Result<(), String> {
    let (mut minutes, mut chosen) = (10, Vec::new());
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--minutes" => minutes = words.next().and_then(|text| text.parse().ok()).ok_or(USAGE)?,
            flag if flag.starts_with('-') => return Err(USAGE.to_owned()),
            target => chosen.push(target.to_owned()),
        }
    }
    let targets = targets()?;
    if let Some(unknown) = chosen.iter().find(|name| !targets.contains(name)) {
        return Err(format!("no fuzz target {unknown:?}; there are {}", targets.join(", ")));
    }
    let tool = Tool::build()?;
    // Of its own: two of these may run side by side.
    let folder = tempfile::tempdir().map_err(|error| format!("no folder for the seeds: {error}"))?;
    let seeds = folder.path().join("seeds");
    seeds::make(&seeds)?;
    let mut crashed = Vec::new();
    for target in targets.iter().filter(|name| chosen.is_empty() || chosen.contains(name)) {
        let whole = tool.fuzz(target, minutes, &seeds.join(target))?;
        tool.minimise(target, &seeds.join(target), CORPUS / targets.len() as u64)?;
        if !whole {
            crashed.push(target.as_str());
        }
    }
    if crashed.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "inputs that crash are in fuzz/artifacts ({}). Repeat one with\n  \
             cargo +nightly fuzz run --target-dir target/fuzz TARGET FILE\n\
             mend what it shows, and put the file into fuzz/mended/TARGET",
            crashed.join(", ")
        ))
    }
}

/// The names of the targets: one file each.
fn targets() -> Result<Vec<String>, String> {
    let folder = root().join("fuzz/fuzz_targets");
    let mut names: Vec<_> = files(&folder)?
        .iter()
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// The files of a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(failed(folder))?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed(folder))).collect()
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}

/// The targets, built; what changes in the sources while they run is not seen.
struct Tool {
    programs: PathBuf,
    commit: String,
}

impl Tool {
    fn build() -> Result<Self, String> {
        output(program("rustup").args(["run", "nightly", "rustc", "--version"])).map_err(|error| {
            format!("fuzzing needs a nightly compiler: rustup toolchain install nightly --profile minimal\n({error})")
        })?;
        let path = root().join("target/peers/bin/cargo-fuzz");
        if !path.is_file() {
            println!("installing cargo-fuzz into target/peers");
            visible(program("cargo").args(["install", "cargo-fuzz", "--locked", "--root", "target/peers"]))?;
        }
        // One set of versions: that of the workspace.
        let lock = root().join("fuzz/Cargo.lock");
        fs::copy(root().join("Cargo.lock"), &lock).map_err(failed(&lock))?;
        let commit = output(program("git").args(["rev-parse", "--short=10", "HEAD"]))?.trim().to_owned();
        let mut build = program("rustup");
        build.args(["run", "nightly"]).arg(&path).args(["fuzz", "build", "--fuzz-dir", "fuzz"]);
        visible(build.args(["--target-dir", "target/fuzz"]))?;
        let compiler = output(program("rustup").args(["run", "nightly", "rustc", "-vV"]))?;
        let host = compiler.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        Ok(Self { programs: root().join("target/fuzz").join(host).join("release"), commit })
    }

    /// The program of a target, to be run with arguments of libFuzzer.
    fn run(&self, target: &str) -> Command {
        program(&self.programs.join(target).to_string_lossy())
    }

    /// Fuzzes one target, and logs it; whether it came to its end without a crash.
    fn fuzz(&self, target: &str, minutes: u64, seeds: &Path) -> Result<bool, String> {
        let found = root().join("target/fuzz/found").join(target);
        let kept = root().join("fuzz/corpus").join(target);
        let crashes = root().join("fuzz/artifacts").join(target);
        for folder in [&found, &kept, &crashes] {
            fs::create_dir_all(folder).map_err(failed(folder))?;
        }
        println!("{target}: {minutes} minutes");
        let said = root().join("target/fuzz").join(format!("{target}.log"));
        let file = File::create(&said).map_err(failed(&said))?;
        let mut command = self.run(target);
        command.arg(&found).arg(&kept).arg(seeds).args(LIMITS).arg(format!("-artifact_prefix={}/", crashes.display()));
        command.args([format!("-max_total_time={}", minutes * 60), "-print_final_stats=1".to_owned()]);
        let status = command.stderr(file).status().map_err(failed(&self.programs))?;
        let text = String::from_utf8_lossy(&fs::read(&said).map_err(failed(&said))?).into_owned();
        let entry = Entry::read(&text, target, &self.commit)
            .ok_or_else(|| format!("{target} did not run; see {}", said.display()))?;
        entry.append(&root().join("docs/results/fuzz.md"))?;
        println!("{target}: {} executions, {} edges", entry.executions, entry.edges);
        if !status.success() {
            println!("{target}: CRASHED; see {}", said.display());
        }
        Ok(status.success())
    }

    /// Puts the smallest set of inputs that reaches the same edges into
    /// `fuzz/corpus`, as far as `octets` go: the smallest inputs come first.
    fn minimise(&self, target: &str, seeds: &Path, octets: u64) -> Result<(), String> {
        let kept = root().join("fuzz/corpus").join(target);
        let merged = root().join("target/fuzz/merged").join(target);
        if merged.exists() {
            fs::remove_dir_all(&merged).map_err(failed(&merged))?;
        }
        fs::create_dir_all(&merged).map_err(failed(&merged))?;
        let mut command = self.run(target);
        command.arg(&merged).arg(&kept).arg(root().join("target/fuzz/found").join(target)).arg(seeds);
        // Edges, not how often each was passed: a fifth of the files, and no reader less.
        command.args(LIMITS).args(["-merge=1", "-use_counters=0"]);
        visible(command.stderr(Stdio::null()))?;
        let mut inputs: Vec<(u64, PathBuf)> = files(&merged)?
            .into_iter()
            .map(|path| Ok((fs::metadata(&path).map_err(failed(&path))?.len(), path.clone())))
            .collect::<Result<_, String>>()?;
        inputs.sort();
        let mut left = octets;
        fs::remove_dir_all(&kept).map_err(failed(&kept))?;
        fs::create_dir_all(&kept).map_err(failed(&kept))?;
        let (mut count, all) = (0, inputs.len());
        for (size, path) in inputs {
            let Some(rest) = left.checked_sub(size) else { break };
            left = rest;
            count += 1;
            let octets = fs::read(&path).map_err(failed(&path))?;
            let name = kept.join(path.file_name().unwrap_or_default());
            File::create(&name).and_then(|mut file| file.write_all(&octets)).map_err(failed(&name))?;
        }
        println!("{target}: {count} of {all} inputs in {} KiB of corpus", (octets - left) >> 10);
        Ok(())
    }
}
