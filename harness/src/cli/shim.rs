//! `waxseal shim`: the shims that are part of this program.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use serde::Serialize;
use waxseal_model::Corpus;
use waxseal_verdict::Hello;

use super::options::ProviderOption;
use super::output;
use crate::admission::{self, Report, Tally};
use crate::exit::{Exit, Failed, help};
use crate::runner::fresh_dir;
use crate::shim::engine::Engine;
use crate::shim::serve::{ServeError, Shim, serve};
use crate::shim::shipped::{SHIPPED, Shipped};
use crate::sut::Sut;
use crate::sut::child::ShimLimits;

/// Shims: implementations that answer JSON lines on standard input and output
///
/// The protocol is documented in harness/SHIM.md. A case directory that `run
/// --keep` left replays with `waxseal shim NAME < request.json`.
#[derive(Debug, Subcommand)]
#[command(after_help = peers())]
pub(super) enum Command {
    Serve(ServeArguments),
    Test(TestArguments),
    /// One of the shims that are part of this program, by its name
    #[command(external_subcommand)]
    Peer(Vec<String>),
}

/// Examine a shim: does it speak the protocol, and does it tell good mail from bad?
///
/// It is asked who it is, for an operation that does not exist, and to open ten
/// good and ten bad mails with keys that were drawn for the purpose, in random
/// order. If it lists check-certificate it has to tell good certificates from
/// bad ones, too; if it lists sign or encrypt it writes a mail, which the engine
/// has to find good. Exit code 1 means that it is not admitted. What looks wrong
/// in what it declares is a warning. With --keep the questions stay, each with
/// its request: `./my-shim < DIR/examination-my-shim/question-7/open.json` asks one again.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal shim test ./my-shim",
    "waxseal shim test ./my-shim --keep kept",
    "waxseal shim test openssl --json"
))]
pub(super) struct TestArguments {
    /// A shipped shim by name, or the path of one
    shim: String,
    /// Seconds that it has for one request
    #[arg(long, value_name = "S", default_value_t = 30)]
    timeout: u64,
    /// Keep the questions in DIR/examination-NAME; what an earlier examination left there is removed
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The reference engine as a shim
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal shim serve < request.json"))]
pub(super) struct ServeArguments {
    #[command(flatten)]
    provider: ProviderOption,
    /// Address space that it may use, in MiB
    #[arg(long, value_name = "MIB", default_value_t = MEMORY)]
    memory: u64,
}

/// Address space of the engine, MiB.
const MEMORY: u64 = 1024;

pub(super) fn run(command: &Command) -> Result<Exit, Failed> {
    match command {
        Command::Serve(arguments) => {
            limit_memory(arguments.memory)?;
            answer(&mut Engine { provider: arguments.provider.choice() })
        }
        Command::Test(arguments) => test(arguments),
        Command::Peer(words) => peer(words),
    }
}

/// The names and what they drive.
fn peers() -> String {
    let width = Shipped::names().into_iter().map(str::len).max().unwrap_or_default();
    let rows = SHIPPED.iter().map(|row| format!("  {:width$}  {}", row.name, row.what));
    let examples =
        help!("waxseal shim openssl < request.json", "waxseal shim serve --provider rustcrypto < request.json");
    format!("Shims that are part of this program:\n{}\n\n{examples}", rows.collect::<Vec<_>>().join("\n"))
}

/// What `--json` prints.
#[derive(Serialize)]
struct Examined<'a> {
    admitted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    hello: Option<&'a Hello>,
    /// Good mails that were accepted, of ten.
    accepted: usize,
    /// Bad mails that were refused, of ten.
    refused: usize,
    /// What it was asked to read.
    scenarios: &'a [String],
    /// What it declined, and why.
    declined: &'a [String],
    /// Of certificates, absent where none was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificates: Option<Tally>,
    /// What it wrote, and the engine read.
    written: &'a [String],
    /// What looks wrong in what it declares; it refuses nothing.
    warnings: &'a [String],
    /// What is wrong.
    wrong: &'a [String],
    /// Milliseconds for the answers to all twenty mails.
    ms: u128,
}

fn test(arguments: &TestArguments) -> Result<Exit, Failed> {
    let mut suts = Sut::choose(std::slice::from_ref(&arguments.shim), false).map_err(Failed::usage)?;
    let Some(sut) = suts.pop() else { return Err(Failed::usage("no shim was named")) };
    let corpus = Corpus::embedded().map_err(Failed::fault)?;
    let limits = ShimLimits { time: Duration::from_secs(arguments.timeout.max(1)), ..ShimLimits::default() };
    let keep = arguments.keep.as_ref().map(|dir| fresh_dir(&dir.join(format!("examination-{}", sut.name))));
    let keep = keep.transpose().map_err(Failed::usage)?;
    let examined = admission::examine_file(&corpus, &sut, limits, keep.as_deref()).map_err(Failed::fault)?;
    let (hello, report) = match examined {
        Ok((hello, report)) => (Some(hello), report),
        Err(why) => (None, Report { wrong: vec![why], ..Report::default() }),
    };
    let admitted = report.is_passed();
    let warnings = hello.as_ref().map(|hello| admission::warnings(hello, corpus.matrix())).unwrap_or_default();
    if arguments.json {
        output::print_json(&Examined {
            admitted,
            hello: hello.as_ref(),
            accepted: report.accepted,
            refused: report.refused,
            scenarios: &report.scenarios,
            declined: &report.declined,
            certificates: report.certificates,
            written: &report.written,
            warnings: &warnings,
            wrong: &report.wrong,
            ms: report.time.as_millis(),
        })?;
    } else {
        output::print(&output::harmless_lines(&told(&sut.name, hello.as_ref(), &report, &warnings)))?;
        if let Some(dir) = &keep {
            output::print(&format!("the questions are in {}\n", dir.display()))?;
        }
    }
    Ok(if admitted { Exit::Good } else { Exit::Bad })
}

/// The result for a person.
fn told(name: &str, hello: Option<&Hello>, report: &Report, warnings: &[String]) -> String {
    let mut lines = Vec::new();
    if let Some(hello) = hello {
        lines.push(format!("{} {}", hello.name, hello.version));
        lines.extend(declared(hello));
        lines.push("unknown operation: refused, as it must be".to_owned());
        lines.extend(listed("asked", report.scenarios.iter().map(String::as_str)));
        lines.extend(report.declined.iter().map(|why| format!("declined   {why}")));
        let all = admission::MAILS;
        lines.push(format!("good mail  {} of {all} accepted", report.accepted));
        lines.push(format!("bad mail   {} of {all} refused", report.refused));
        lines.push(format!("time       {} ms for all", report.time.as_millis()));
        if let Some(Tally { good, accepted, bad, refused }) = report.certificates {
            lines.push(format!(
                "certificates: {accepted} of {good} good ones accepted, {refused} of {bad} bad ones refused"
            ));
        }
        lines.extend(report.written.iter().map(|what| format!("wrote      {what}: good, and what was given")));
    }
    lines.extend(warnings.iter().map(|warning| format!("warning    {warning}")));
    lines.extend(report.wrong.iter().map(|wrong| format!("wrong      {wrong}")));
    lines.push(format!("{name} is {}", if report.is_passed() { "admitted" } else { "not admitted" }));
    lines.join("\n") + "\n"
}

/// What it says of itself.
fn declared(hello: &Hello) -> Vec<String> {
    let lists = [
        listed("operations", hello.operations.iter().map(|one| one.code())),
        listed("reads", hello.forms.iter().map(|one| one.code())),
        listed("dialects", hello.dialects.iter().map(|one| one.code())),
        listed("knows", hello.algorithms.iter().map(String::as_str)),
        listed("reports", hello.aspects.iter().map(|one| one.code())),
        listed("writes", hello.writes_forms.iter().map(|one| one.code())),
        listed("writes SM2", hello.writes.iter().map(|one| one.code())),
        listed("with", hello.writes_algorithms.iter().map(String::as_str)),
        listed("clock", std::iter::once(hello.clock.code())),
    ];
    lists.into_iter().flatten().collect()
}

/// A list in lines of at most a hundred columns, its name before the first; none where it is empty.
fn listed<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut() {
            None => lines.push(format!("{what:10} {name}")),
            Some(line) if line.len() + name.len() < 98 => {
                line.push_str(", ");
                line.push_str(name);
            }
            Some(line) => {
                line.push(',');
                lines.push(format!("{:10} {name}", ""));
            }
        }
    }
    lines
}

fn peer(words: &[String]) -> Result<Exit, Failed> {
    let (name, help) = match words {
        [name] => (name, false),
        [name, flag] if flag == "--help" || flag == "-h" => (name, true),
        _ => return Err(Failed::usage(format!("waxseal shim takes one name, not {:?}", words.join(" ")))),
    };
    let Some(shipped) = Shipped::named(name) else {
        let names = Shipped::names().join(", ");
        return Err(Failed::usage(format!("there is no shim {name:?}; there are serve, {names}")));
    };
    if help {
        output::print(&format!(
            "{}\n\nIt answers JSON lines on standard input and output: see `waxseal shim --help`.\n\n{}",
            shipped.what,
            help!("waxseal shim NAME < request.json", "waxseal shim test NAME")
        ))?;
        return Ok(Exit::Good);
    }
    if Shipped::is_reference(name) {
        limit_memory(MEMORY)?;
    }
    answer(&mut *(shipped.start)())
}

fn answer(shim: &mut dyn Shim) -> Result<Exit, Failed> {
    match serve(shim, io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => Ok(Exit::Good),
        // The harness went away: nobody waits for an answer.
        Err(ServeError::Pipe(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Good),
        Err(error) => Err(Failed::fault(error)),
    }
}

/// What asks for more ends as a crash of this process, not as a machine that swaps.
fn limit_memory(mebibytes: u64) -> Result<(), Failed> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = mebibytes.saturating_mul(1 << 20);
    let current = getrlimit(Resource::As);
    let limit = current.maximum.map_or(wanted, |most| most.min(wanted));
    setrlimit(Resource::As, Rlimit { current: Some(limit), maximum: current.maximum })
        .map_err(|error| Failed::usage(format!("--memory {mebibytes}: {error}")))
}
