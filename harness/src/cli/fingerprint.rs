//! `waxseal fingerprint`: the structure of a mail, and which program writes like that.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use time::OffsetDateTime;
use waxseal_engine::Limits;
use waxseal_engine::fingerprint::fingerprint;
use waxseal_engine::io::Source;
use waxseal_engine::message::{OpenError, OpenRequest, Secrets};
use waxseal_engine::policy::Policy;
use waxseal_key::Arithmetic;
use waxseal_model::{Candidate, Clients, Description, LayerGuess};
use waxseal_verdict::{Fingerprint, LayerFingerprint};

use super::open::{message_of_mbox, refused, source};
use super::options::{KeyOptions, LimitOptions, ProviderOption};
use super::output;
use crate::exit::{Exit, Failed, help};
use crate::keys::{KeyRing, Secret, load_secrets};
use crate::workspace::TempWorkspace;

/// Describe the structure of a mail, and name the program that writes like that
///
/// FILE is a mail, an mbox (see --index), or bare CMS in DER, BER or PEM; `-`
/// is standard input. What the mail says of its program is shown and counts
/// nothing. Where the traits are not enough, or fit several programs, the
/// answer is `unknown`. Layers inside an encrypted one are seen with its key.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal fingerprint mail.eml",
    "waxseal fingerprint mail.eml --json",
    "waxseal fingerprint mail.eml --p12 me.p12:env:PASSWORD   and what is inside",
))]
pub(super) struct Arguments {
    /// The message
    file: PathBuf,
    #[command(flatten)]
    keys: KeyOptions,
    /// A password that may open the message; SECRET can be env:NAME or file:PATH
    #[arg(long, value_name = "SECRET")]
    password: Vec<Secret>,
    /// Read the table of clients from a directory instead of the one inside this program
    #[arg(long, value_name = "DIR")]
    vectors: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    provider: ProviderOption,
    /// Which message of an mbox, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    index: Option<u32>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let clients = match &arguments.vectors {
        None => Clients::embedded().map_err(Failed::fault)?,
        Some(dir) => Clients::load(dir).map_err(Failed::at(dir.display()))?,
    };
    let arithmetic = arguments.provider.arithmetic();
    let reading = Reading {
        keys: arguments.keys.load(arithmetic)?,
        secrets: load_secrets(&arguments.password, &[])?,
        arithmetic,
        limits: arguments.limits.limits(),
    };
    let mut input = source(&arguments.file, &reading.limits)?;
    let found = match arguments.index {
        None => reading.fingerprint(&mut *input)?,
        Some(index) => reading.fingerprint(&mut message_of_mbox(&mut *input, &arguments.file, index)?)?,
    };
    let found = found.map_err(|error| refused(&arguments.file, &error))?;
    let description = clients.describe(found);
    if arguments.json {
        output::print_json(&description)?;
    } else {
        output::print(&text(&description))?;
    }
    Ok(Exit::Good)
}

/// What a message is read with.
#[derive(Debug)]
struct Reading {
    keys: KeyRing,
    secrets: Secrets,
    arithmetic: Arithmetic,
    limits: Limits,
}

impl Reading {
    fn fingerprint(&self, input: &mut dyn Source) -> Result<Result<Fingerprint, OpenError>, Failed> {
        // Nothing of a verdict is asked: no policy and no time changes a structure.
        let policy = Policy::named("default").map_err(Failed::fault)?;
        let credentials = self.keys.credentials();
        let request = OpenRequest {
            credentials: &credentials,
            secrets: &self.secrets,
            extra_certificates: self.keys.certificates(),
            ..OpenRequest::new(OffsetDateTime::now_utc(), &policy, &self.arithmetic, &self.limits)
        };
        Ok(fingerprint(input, &mut TempWorkspace, &request))
    }
}

/// Everything for a person.
fn text(description: &Description) -> String {
    let Description { fingerprint, guess, .. } = description;
    let mut out = match (&guess.title, &guess.unknown) {
        (Some(title), _) if guess.versions.is_empty() => format!("{title}\n"),
        (Some(title), _) => format!("{title}, {}\n", guess.versions.join(" or ")),
        (None, why) => format!("unknown: {}\n", why.as_deref().unwrap_or("nothing tells")),
    };
    for claim in &fingerprint.claims {
        let value = output::harmless(&claim.value);
        let _ = writeln!(out, "  {}: {value} (counts nothing)", output::harmless(&claim.field));
    }
    for (layer, guess) in fingerprint.layers.iter().zip(&guess.layers) {
        layer_text(&mut out, layer, guess);
    }
    out
}

fn layer_text(out: &mut String, layer: &LayerFingerprint, guess: &LayerGuess) {
    let _ = writeln!(out, "\n{}", output::harmless(&layer.path));
    if let Some(error) = &layer.error {
        let _ = writeln!(out, "  damaged: {}", output::harmless(error));
    }
    if let Some(why) = &guess.unknown {
        let _ = writeln!(out, "  unknown: {why}");
    }
    for candidate in &guess.candidates {
        candidate_text(out, candidate, Some(&candidate.client) == guess.client.as_ref());
    }
    out.push_str("  structure:\n");
    for (name, fact) in &layer.facts {
        let _ = writeln!(out, "    {name:22} {}", output::harmless(&fact.text()));
    }
}

/// A candidate, and what decided if it is the one.
fn candidate_text(out: &mut String, candidate: &Candidate, named: bool) {
    let Candidate { title, points, of, .. } = candidate;
    let _ = writeln!(out, "  {title}: {points} of {of} points");
    if named {
        for seen in &candidate.met {
            let found = output::harmless(seen.found.as_deref().unwrap_or("(absent)"));
            let _ = writeln!(out, "    {} for {}: {found}", seen.weight, seen.fact);
        }
    }
    for seen in candidate.missed.iter().filter(|_| named) {
        let found = output::harmless(seen.found.as_deref().unwrap_or("(absent)"));
        let _ = writeln!(out, "    {} against, {}: {found}", seen.weight, seen.fact);
    }
}

#[cfg(test)]
mod tests;
