//! `waxseal exchange`: a correspondence, step by step.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use waxseal_model::Exchange;

use super::options::CorpusOptions;
use super::output::{self, Paint, harmless};
use crate::exchange::{Played, Stage};
use crate::exit::{Exit, Failed, help};
use crate::runner::fresh_dir;
use crate::shim::shipped::ENGINE;
use crate::sut::Sut;
use crate::sut::child::{ShimLimits, ShimProcess};
use crate::sut::scratch::Scratch;

/// Play exchanges: mail programs that learn of each other from signed mail, and
/// come to encrypt
///
/// Every participant is the same implementation with other keys. What each of
/// them may send, and must say of what it gets, is asserted at every step.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal exchange",
    "waxseal exchange tunnel/citizens --keep mails",
    "waxseal exchange --sut ./my-shim --json",
))]
pub(super) struct Arguments {
    /// The ids of exchanges [default: all]
    id: Vec<String>,
    /// A shipped shim, or the program of another
    #[arg(long, value_name = "NAME|PATH", default_value = ENGINE)]
    sut: String,
    #[command(flatten)]
    corpus: CorpusOptions,
    /// Keep the mails and keys of every exchange in a directory of its own
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One exchange, as `--json` prints it.
#[derive(Serialize)]
struct Shown<'a> {
    exchange: &'a str,
    sut: &'a str,
    steps: Vec<ShownStep>,
}

#[derive(Serialize)]
struct ShownStep {
    what: String,
    outcome: String,
    /// Empty where everything came out as expected.
    wrong: Vec<String>,
}

/// How long one request may take.
const TIME: Duration = Duration::from_secs(30);

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let corpus = arguments.corpus.load()?;
    let chosen = match arguments.id.as_slice() {
        [] => corpus.exchanges().iter().collect(),
        ids => ids.iter().map(|id| find(corpus.exchanges(), id)).collect::<Result<Vec<_>, _>>()?,
    };
    let limits = ShimLimits { time: TIME, ..ShimLimits::default() };
    let mut suts = Sut::choose(std::slice::from_ref(&arguments.sut), false).map_err(Failed::usage)?;
    let sut = suts.first_mut().ok_or_else(|| Failed::usage("there is no such SUT"))?;
    sut.admit(limits);
    let hello = sut.admission.as_ref().map_err(|why| Failed::usage(format!("{}: {why}", sut.name)))?;
    let paint = Paint::stdout();
    let mut all = Vec::new();
    for exchange in chosen {
        let place = Place::new(arguments.keep.as_ref(), &exchange.id)?;
        let mut shim = ShimProcess::start(&sut.command, limits).map_err(Failed::bad)?;
        let mut stage = Stage::set(exchange, corpus.pki(), &mut shim, hello, place.path()).map_err(Failed::fault)?;
        let steps = stage.play().map_err(|error| Failed::bad(format!("{} on {}: {error}", exchange.id, sut.name)))?;
        if !arguments.json {
            output::print(&text(exchange, &steps, paint))?;
        }
        let steps = steps.into_iter().map(|Played { what, outcome, wrong }| ShownStep { what, outcome, wrong });
        all.push(Shown { exchange: &exchange.id, sut: &sut.name, steps: steps.collect() });
    }
    if arguments.json {
        output::print_json(&all)?;
    }
    let wrong = all.iter().flat_map(|shown| &shown.steps).any(|step| !step.wrong.is_empty());
    Ok(if wrong { Exit::Bad } else { Exit::Good })
}

fn find<'a>(all: &'a [Exchange], id: &str) -> Result<&'a Exchange, Failed> {
    all.iter().find(|exchange| exchange.id == id).ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|exchange| exchange.id.as_str()).collect();
        Failed::usage(format!("there is no exchange {id}; there are {}", known.join(", ")))
    })
}

fn text(exchange: &Exchange, steps: &[Played], paint: Paint) -> String {
    let mut text = format!("{}  {}\n", paint.bold(&exchange.id), exchange.title);
    for (number, Played { what, outcome, wrong }) in (1..).zip(steps) {
        text += &harmless(&format!("{number:>3}. {what}: {outcome}"));
        text.push('\n');
        for wrong in wrong {
            text += &harmless(&format!("     WRONG: {wrong}"));
            text.push('\n');
        }
    }
    text
}

/// Where an exchange is played.
enum Place {
    Kept(PathBuf),
    Temporary(Scratch),
}

impl Place {
    fn new(keep: Option<&PathBuf>, id: &str) -> Result<Self, Failed> {
        match keep {
            Some(dir) => fresh_dir(&dir.join(id)).map(Self::Kept).map_err(Failed::usage),
            None => Scratch::new().map(Self::Temporary).map_err(Failed::fault),
        }
    }

    fn path(&self) -> &std::path::Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Temporary(dir) => dir.path(),
        }
    }
}
