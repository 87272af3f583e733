//! `waxseal recordings`: the mails of the catalogue, from where they are published.

use std::io::{IsTerminal as _, stderr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use waxseal_model::{Case, Corpus, Entry, WantedFile};

use super::list::select;
use super::options::load_corpus;
use super::output;
use crate::exit::{Exit, Failed, help};
use crate::recordings::{Event, Outcome, PUBLIC_BASE, Server, State, fetch, states, url};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Fetch(FetchArguments),
    List(ListArguments),
    Check(CheckArguments),
}

/// Bring the mails of the catalogue into a directory
///
/// Each mail comes from the public repository that has it, as a raw file of a
/// commit, with the keys and certificates that were published with it. A file
/// gets its name only if its SHA-256 is the one of the catalogue; one that was
/// cut off is gone on with. What is there already is not asked for. No other
/// command fetches recordings, and the bytes are their authors': keep them to
/// yourself. What no repository has as a file is listed, and no fault.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal recordings fetch ~/recordings",
    "waxseal recordings fetch ~/recordings --only 'recorded/outlook/*' --only 'recorded/ios-mail/*'",
    "waxseal run --recordings ~/recordings --case 'recorded/outlook/*'",
))]
pub(super) struct FetchArguments {
    /// The directory; it is made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    chosen: Chosen,
    /// The server that shows files of public repositories as BASE/OWNER/NAME/COMMIT/PATH
    #[arg(long, value_name = "URL", default_value = PUBLIC_BASE)]
    base: String,
    /// Seconds that one answer may take
    #[arg(long, value_name = "S", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// List where the mails of the catalogue are published
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal recordings list", "waxseal recordings list --only 'recorded/rfc4134/*'"))]
pub(super) struct ListArguments {
    #[command(flatten)]
    chosen: Chosen,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Say which mails of the catalogue a directory has
///
/// Files may lie anywhere below it: they are known by their SHA-256. Keys and
/// certificates lie where the catalogue says. Exit code 1 means that a file is
/// another one than its name says.
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal recordings check ~/recordings"))]
pub(super) struct CheckArguments {
    /// The directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    chosen: Chosen,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Which recordings are meant.
#[derive(Debug, Args)]
struct Chosen {
    /// Only these recordings: a glob over ids, such as `recorded/outlook/*`
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Read the catalogue from a directory instead of the one inside this program
    #[arg(long, value_name = "DIR")]
    vectors: Option<PathBuf>,
}

pub(super) fn run(command: &Command) -> Result<Exit, Failed> {
    match command {
        Command::Fetch(arguments) => arguments.run(),
        Command::List(arguments) => arguments.run(),
        Command::Check(arguments) => arguments.run(),
    }
}

impl Chosen {
    fn corpus(&self) -> Result<Corpus, Failed> {
        load_corpus(self.vectors.as_deref())
    }

    fn entries<'a>(&self, corpus: &'a Corpus) -> Result<Vec<&'a Entry>, Failed> {
        let recorded: Vec<Case> = corpus.entries().map(Entry::case).collect();
        let chosen = select(&recorded, &self.only).map_err(|_| {
            let globs = self.only.join(" ");
            Failed::usage(format!("--only {globs}: no such recording; `waxseal recordings list` prints all"))
        })?;
        Ok(chosen.iter().filter_map(|case| corpus.entry(&case.id)).collect())
    }
}

/// What `--json` says of a file.
#[derive(Serialize)]
struct Row<'a> {
    file: &'a str,
    sha256: &'a str,
    entries: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    octets: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Listing<'a> {
    format: u32,
    files: Vec<Row<'a>>,
}

impl<'a> Row<'a> {
    fn of(file: &'a WantedFile<'_>, base: &str) -> Self {
        let url = file.source.ok().map(|source| url(base, source));
        let why = file.source.err().map(|why| why.to_string());
        Row { file: &file.file, sha256: file.sha256, entries: &file.entries, url, state: None, octets: None, why }
    }
}

fn print_listing(files: Vec<Row<'_>>) -> Result<(), Failed> {
    output::print_json(&Listing { format: 1, files })
}

impl ListArguments {
    fn run(&self) -> Result<Exit, Failed> {
        let corpus = self.chosen.corpus()?;
        let entries = self.chosen.entries(&corpus)?;
        if self.json {
            let wanted = corpus.wanted_files(entries);
            print_listing(wanted.iter().map(|file| Row::of(file, PUBLIC_BASE)).collect())?;
            return Ok(Exit::Good);
        }
        let wide = entries.iter().map(|entry| entry.id.len()).max().unwrap_or(0);
        let mut text = String::new();
        let mut published = 0;
        for entry in &entries {
            let source = match entry.origin.published() {
                Ok(file) => {
                    published += 1;
                    format!("+ {:wide$}  {} {} {}", entry.id, file.repository, short(file.commit), file.path)
                }
                Err(why) => format!("- {:wide$}  {why}", entry.id),
            };
            text.push_str(&format!("{source} ({})\n", entry.origin.licence));
        }
        text.push_str(&format!("{} recordings, {published} of them files of public repositories (+)\n", entries.len()));
        output::print(&text)?;
        Ok(Exit::Good)
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

impl CheckArguments {
    fn run(&self) -> Result<Exit, Failed> {
        let corpus = self.chosen.corpus()?;
        let entries = self.chosen.entries(&corpus)?;
        let wanted = corpus.wanted_files(entries.iter().copied());
        let states = states(&self.directory, &wanted)?;
        let refused = states.iter().filter(|state| matches!(state, State::Refused(_))).count();
        if self.json {
            let rows = wanted.iter().zip(&states).map(|(file, state)| {
                let (name, why) = match state {
                    State::Here => ("here", None),
                    State::Absent => ("absent", file.source.err().map(|why| why.to_string())),
                    State::Refused(why) => ("refused", Some(why.clone())),
                };
                Row { state: Some(name), why, ..Row::of(file, PUBLIC_BASE) }
            });
            print_listing(rows.collect())?;
        } else {
            output::print(&self.text(&entries, &wanted, &states))?;
        }
        Ok(if refused == 0 { Exit::Good } else { Exit::Bad })
    }

    /// The recordings that can be run, those that cannot and why.
    fn text(&self, entries: &[&Entry], wanted: &[WantedFile<'_>], states: &[State]) -> String {
        let mut text = String::new();
        let mut whole = 0;
        for entry in entries {
            let lacks: Vec<_> = wanted
                .iter()
                .zip(states)
                .filter(|(file, state)| file.entries.contains(&entry.id.as_str()) && **state != State::Here)
                .collect();
            whole += usize::from(lacks.is_empty());
            let sign = if lacks.is_empty() { '+' } else { '-' };
            text.push_str(&format!("{sign} {}\n", entry.id));
            for (file, state) in lacks {
                let why = match (state, &file.source) {
                    (State::Refused(why), _) => why.clone(),
                    (_, Ok(_)) => "absent".to_owned(),
                    (_, Err(why)) => format!("absent; {why}"),
                };
                text.push_str(&format!("    {}: {why}\n", file.file));
            }
        }
        let all = entries.len();
        text.push_str(&format!("{}: {whole} of {all} recordings can be run (+)\n", self.directory.display()));
        text
    }
}

impl FetchArguments {
    fn run(&self) -> Result<Exit, Failed> {
        let corpus = self.chosen.corpus()?;
        let entries = self.chosen.entries(&corpus)?;
        let wanted = corpus.wanted_files(entries);
        let server = Server::new(&self.base, Duration::from_secs(self.timeout))?;
        let progress = Progress::new(wanted.len(), self.json);
        let outcomes = fetch(&self.directory, &wanted, &server, |event| progress.event(&event))?;
        progress.finish();
        let failed =
            outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Failed(_) | Outcome::NotAsked)).count();
        if self.json {
            let rows = wanted.iter().zip(&outcomes).map(|(file, outcome)| {
                let (state, octets, why) = told(outcome);
                Row { state: Some(state), octets, why, ..Row::of(file, &self.base) }
            });
            print_listing(rows.collect())?;
        } else {
            output::print(&summary(&self.directory, &outcomes))?;
        }
        if failed == 0 {
            return Ok(Exit::Good);
        }
        Err(Failed::bad(format!("{failed} of {} files did not come", wanted.len())))
    }
}

/// An outcome: its word, octets, and why.
fn told(outcome: &Outcome) -> (&'static str, Option<u64>, Option<String>) {
    match outcome {
        Outcome::Here => ("here", None, None),
        Outcome::Fetched(octets) => ("fetched", Some(*octets), None),
        Outcome::NotPublished(why) => ("not-published", None, Some(why.clone())),
        Outcome::Failed(why) => ("failed", None, Some(why.to_string())),
        Outcome::NotAsked => ("not-asked", None, Some("the server could not be reached".to_owned())),
    }
}

fn summary(directory: &Path, outcomes: &[Outcome]) -> String {
    let count = |state: &str| outcomes.iter().filter(|outcome| told(outcome).0 == state).count();
    let (fetched, here, absent) = (count("fetched"), count("here"), count("not-published"));
    let mut text = format!("{}: {fetched} files fetched, {here} were there\n", directory.display());
    if absent > 0 {
        text.push_str(&format!(
            "{absent} are no files of a public repository; `waxseal recordings list` says how they are had\n"
        ));
    }
    text.push_str(&format!("to run them: waxseal run --recordings {} --case 'recorded/**'\n", directory.display()));
    text
}

/// How it goes on: a bar on a terminal, a line a file elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl Progress {
    fn new(files: usize, quiet: bool) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(files as u64);
            match ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Self { bar, quiet }
    }

    fn event(&self, event: &Event<'_>) -> Result<(), Failed> {
        match event {
            Event::Octets(file, have, all) => {
                if let Some(bar) = &self.bar {
                    let of = all.map(|all| format!("/{}", all >> 10)).unwrap_or_default();
                    bar.set_message(format!("{} {}{of} KiB", file.file, have >> 10));
                }
                Ok(())
            }
            Event::Done(file, outcome) => {
                let line = match told(outcome) {
                    ("fetched", octets, _) => Some(format!("fetched {} ({} octets)\n", file.file, octets.unwrap_or(0))),
                    ("failed", _, Some(why)) => Some(format!("failed  {}: {}\n", file.file, output::harmless(&why))),
                    _ => None,
                };
                let print = || match &line {
                    Some(line) if !self.quiet => output::print(line),
                    _ => Ok(()),
                };
                match &self.bar {
                    None => print(),
                    Some(bar) => {
                        bar.inc(1);
                        bar.suspend(print)
                    }
                }
            }
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
