//! `waxseal record`: a mail that a person captured becomes a proposal for the catalogue.

mod ask;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Cursor};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::{OffsetDateTime, UtcOffset};
use waxseal_engine::Limits;
use waxseal_engine::fingerprint::fingerprint;
use waxseal_engine::message::OpenRequest;
use waxseal_engine::mime::parse;
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, ProviderChoice};
use waxseal_model::{
    Capture, CaptureForm, Client, Clients, Corpus, Description, Instant, Needs, Observed, Origin, Proposal,
};
use waxseal_verdict::{Aspect, AspectName, LayerExpectation, Verdict};

use super::open::refused;
use super::output;
use crate::capture::{self, CaptureError, Captured, Claimed, MOST_OCTETS, Private, PrivateKind, claimed, private_in};
use crate::exit::{Exit, Failed, help};
use crate::workspace::{self, TempWorkspace, read_up_to};
use ask::{Answers, Missing};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Import(Arguments),
}

/// Make a proposal for the catalogue of a mail that you captured
///
/// FILE is a mail (.eml), a message as Outlook saves it (.msg), winmail.dat, or
/// a mail with winmail.dat in it. What was signed or encrypted stays octet for
/// octet as it was. What a terminal is not there to be asked must be told by
/// options. Everything that tells of people and machines is listed, also what
/// stands in layers that nobody needs a key for; without --publish yes the mail
/// is not copied, and only facts are written: its hash, who wrote it, what was
/// observed. The file is a proposal: the catalogue refuses it until somebody has
/// said what must come out, and by which clause.
#[derive(Debug, Args)]
#[command(after_help = help!(
    "waxseal record import mail.msg",
    "waxseal record import winmail.dat --client Outlook --version 16.0.18025 --publish no --keep mail.eml",
    "waxseal record import mail.eml --publish yes -o vectors/catalogue",
))]
pub(super) struct Arguments {
    /// The captured mail
    file: PathBuf,
    /// The program that wrote it [default: what its header says]
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Its version, or `unknown` [default: what its header says]
    #[arg(long, value_name = "V")]
    version: Option<String>,
    /// The id of the entry, recorded/CLIENT/NAME [default: from client, version and hash]
    #[arg(long, value_name = "ID", value_parser = id)]
    id: Option<String>,
    /// When it was captured, as 2026-11-22 or RFC 3339 [default: now]
    #[arg(long, value_name = "DATE", value_parser = date)]
    captured: Option<Instant>,
    /// Whether the mail with all that is listed may be published
    #[arg(long, value_name = "yes|no")]
    publish: Option<Publish>,
    /// Write the mail to this file for yourself, in a directory that you give to --recordings
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// The directory to write CLIENT/NAME.toml to, and CLIENT/NAME.eml if it may be published
    #[arg(short = 'o', long = "out", value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Publish {
    /// It may, with everything in it
    Yes,
    /// It stays where it is
    No,
}

pub(super) fn run(command: &Command) -> Result<Exit, Failed> {
    let Command::Import(arguments) = command;
    arguments.import(&mut ask::Terminal)
}

fn id(text: &str) -> Result<String, String> {
    let is_word = |part: &str| {
        !part.is_empty() && part.bytes().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == b'-')
    };
    match text.split('/').collect::<Vec<_>>().as_slice() {
        ["recorded", client, name] if is_word(client) && is_word(name) => Ok(text.to_owned()),
        _ => Err("write it as recorded/CLIENT/NAME, in lower-case letters, digits and hyphens".to_owned()),
    }
}

fn date(text: &str) -> Result<Instant, String> {
    let full = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    full.parse()
}

/// A mail with everything that is known of it.
struct Looked {
    captured: Captured,
    sha256: String,
    described: Description,
    verdict: Verdict,
    clock: (Instant, &'static str),
    private: Vec<Private>,
}

/// Who wrote it, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    name: String,
    version: Option<String>,
    by: String,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    format: u32,
    id: &'a str,
    sha256: &'a str,
    octets: usize,
    capture: &'a Capture,
    client: &'a Client,
    #[serde(skip_serializing_if = "Option::is_none")]
    structure_of: Option<&'a str>,
    observed: &'a Observed,
    private: &'a [Private],
    published: bool,
    files: &'a [PathBuf],
}

impl Arguments {
    fn import(&self, person: &mut dyn Answers) -> Result<Exit, Failed> {
        let now = instant(OffsetDateTime::now_utc())?;
        let looked = self.look(now)?;
        let guess = structure_of(&looked.described);
        if !self.json {
            output::print(&looked.text(guess.as_deref()))?;
        }
        let mut missing = Missing::default();
        let claim = claimed(&looked.described.fingerprint.claims);
        let known = self.known(claim.as_ref(), guess.as_deref(), person, &mut missing)?;
        let publish = match self.publish {
            Some(publish) => publish == Publish::Yes,
            None => person.agrees(&mut missing, &looked.private)?,
        };
        missing.refuse(&self.file)?;
        let proposal = self.proposal(&looked, known, guess, publish, now);
        let files = self.write(&looked.captured.mail, &proposal, publish)?;
        if self.json {
            output::print_json(&Report {
                format: 1,
                id: &proposal.id,
                sha256: &looked.sha256,
                octets: looked.captured.mail.len(),
                capture: &proposal.capture,
                client: &proposal.client,
                structure_of: proposal.observed.structure_of.as_deref(),
                observed: &proposal.observed,
                private: &looked.private,
                published: publish,
                files: &files,
            })?;
        } else {
            output::print(&self.told(&proposal, &files, publish))?;
        }
        Ok(Exit::Good)
    }

    /// Reads the file and looks at the mail in it.
    fn look(&self, now: Instant) -> Result<Looked, Failed> {
        let file = read_up_to(&self.file, MOST_OCTETS).map_err(|error| self.unread(&error))?;
        let captured = capture::read(file).map_err(|error| self.no_mail(&error))?;
        let limits = Limits::default();
        let clock = dated(&captured.mail, &limits).map_or((now, "when it was captured"), |date| (date, "Date"));
        // Without keys and anchors: what anybody sees of it.
        let policy = Policy::named("default").map_err(Failed::fault)?;
        let arithmetic = Arithmetic::new(ProviderChoice::Auto);
        let request = OpenRequest::new(clock.0.date_time(), &policy, &arithmetic, &limits);
        let mail = &captured.mail;
        let found = fingerprint(&mut Cursor::new(mail), &mut TempWorkspace, &request)
            .map_err(|error| refused(&self.file, &error))?;
        let (private, verdict) = private_in(mail, &request).map_err(|error| refused(&self.file, &error))?;
        if verdict.layers.is_empty() {
            let what = "nothing in it is signed or encrypted by S/MIME, so there is nothing to record";
            return Err(Failed::usage(format!("{}: {what}", self.file.display())));
        }
        let sha256: String = Sha256::digest(mail).iter().map(|octet| format!("{octet:02x}")).collect();
        let corpus = Corpus::embedded().map_err(Failed::fault)?;
        if let Some(entry) = corpus.entries().find(|entry| entry.sha256 == sha256) {
            return Err(Failed::usage(format!("{}: the catalogue has it, as {}", self.file.display(), entry.id)));
        }
        let described = Clients::embedded().map_err(Failed::fault)?.describe(found);
        Ok(Looked { captured, sha256, described, verdict, clock, private })
    }

    fn unread(&self, error: &io::Error) -> Failed {
        let what_to_do = match error.kind() {
            io::ErrorKind::FileTooLarge => {
                ", the most that a captured mail may have: save that mail by itself, not a mailbox"
            }
            _ => "",
        };
        Failed::usage(format!("{}: {error}{what_to_do}", self.file.display()))
    }

    fn no_mail(&self, error: &CaptureError) -> Failed {
        let exit = match error {
            CaptureError::NotAMessage => Exit::NotAMessage,
            CaptureError::Damaged { .. } | CaptureError::Mail(_) => Exit::Bad,
            _ => Exit::Usage,
        };
        Failed { exit, message: format!("{}: {error}", self.file.display()) }
    }

    /// Who wrote it: by the options, by its header, or as the person says. A guess is shown and never taken.
    fn known(
        &self,
        claim: Option<&Claimed>,
        guess: Option<&str>,
        person: &mut dyn Answers,
        missing: &mut Missing,
    ) -> Result<Known, Failed> {
        const STATED: &str = "stated by who captured it";
        let (name, by) = match (&self.client, claim) {
            (Some(name), _) => (Some(name.clone()), STATED.to_owned()),
            (None, Some(claim)) => (Some(claim.name.clone()), claim.field.clone()),
            (None, None) => {
                let guess = guess.map(|guess| format!(" (its structure is that of {guess}, which is a guess)"));
                let guess = guess.unwrap_or_default();
                let question = format!("Which program wrote it?{guess}");
                (person.answer(missing, &question, &format!("--client NAME{guess}"))?, STATED.to_owned())
            }
        };
        // The version of a header is that of the program which the header names.
        let of_header =
            claim.filter(|claim| name.as_ref() == Some(&claim.name)).and_then(|claim| claim.version.clone());
        let version = match (&self.version, of_header) {
            (Some(version), _) => Some(version.clone()),
            (None, Some(version)) => Some(version),
            (None, None) => person.answer(
                missing,
                "Which version? (`unknown` if nobody knows)",
                "--version V, or --version unknown",
            )?,
        };
        let version = version.filter(|version| version != "unknown");
        Ok(Known { name: name.unwrap_or_default(), version, by })
    }

    fn proposal(&self, looked: &Looked, known: Known, guess: Option<String>, publish: bool, now: Instant) -> Proposal {
        let id = self.id.clone().unwrap_or_else(|| id_of(&known, looked));
        let layers = &looked.verdict.layers;
        let mut needs = Needs { kinds: layers.iter().map(|layer| layer.kind).collect(), ..Needs::default() };
        for layer in layers {
            let of_signers = layer.signers.iter().flat_map(|signer| [&signer.digest, &signer.signature]);
            let of_recipients = layer.recipients.iter().map(|recipient| &recipient.algorithm);
            let names = of_signers.chain(of_recipients).chain(&layer.content_cipher);
            needs.algorithms.extend(names.filter(|name| !name.is_empty()).cloned());
        }
        let path = format!("{}.eml", id.trim_start_matches("recorded/"));
        let (extract, licence) = if publish {
            ("captured by a person, who lets it be published", "given for publication")
        } else {
            ("captured by a person, who keeps it", "not published")
        };
        let kinds: Vec<_> = layers.iter().map(|layer| layer.kind.code()).collect();
        Proposal {
            title: format!("Captured mail of {}: {}", known.name, kinds.join(", ")),
            sha256: looked.sha256.clone(),
            clock: looked.clock.0,
            clock_from: looked.clock.1.to_owned(),
            private: !publish,
            origin: Origin {
                repository: "captured by hand".to_owned(),
                path,
                commit: None,
                extract: Some(extract.to_owned()),
                licence: licence.to_owned(),
            },
            capture: Capture {
                date: self.captured.unwrap_or(now),
                form: looked.captured.form,
                remade: looked.captured.remade.clone(),
            },
            client: Client { name: known.name, version: known.version, known_by: known.by },
            needs,
            observed: Observed {
                by: concat!("the engine of waxseal ", env!("CARGO_PKG_VERSION"), ", without keys and anchors")
                    .to_owned(),
                structure_of: guess,
                overall: looked.verdict.overall,
                layers: layers.iter().map(observed).collect(),
            },
            id,
        }
    }

    /// Writes what may be written. Nothing that is there is replaced.
    fn write(&self, mail: &[u8], proposal: &Proposal, publish: bool) -> Result<Vec<PathBuf>, Failed> {
        let text = proposal.text().map_err(Failed::fault)?;
        let entry = self.out.join(format!("{}.toml", proposal.id.trim_start_matches("recorded/")));
        let elsewhere = "give another --id or -o";
        let mut files = vec![(entry, text.as_bytes(), elsewhere)];
        if publish {
            files.push((self.out.join(&proposal.origin.path), mail, elsewhere));
        }
        if let Some(keep) = &self.keep {
            files.push((keep.clone(), mail, "give another --keep"));
        }
        if let Some((taken, _, what_to_do)) = files.iter().find(|(path, ..)| path.exists()) {
            return Err(Failed::usage(format!("{}: is there already; {what_to_do}", taken.display())));
        }
        for (path, octets, _) in &files {
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                workspace::directory(parent).map_err(Failed::at(parent.display()))?;
            }
            output::replace_file(path, |out| out.write_all(octets).map_err(Failed::at(path.display())))?;
        }
        Ok(files.into_iter().map(|(path, ..)| path).collect())
    }

    fn told(&self, proposal: &Proposal, files: &[PathBuf], publish: bool) -> String {
        let mut text = format!("\nproposal {}\n", proposal.id);
        for file in files {
            let _ = writeln!(text, "  {}", file.display());
        }
        if !publish && self.keep.is_none() && proposal.capture.form != CaptureForm::Mail {
            let _ = writeln!(
                text,
                "  the mail of {} is stored nowhere: --keep FILE does it, for --recordings",
                self.file.display()
            );
        }
        text.push_str("  not reviewed: the file says what is to be done\n");
        text
    }
}

fn id_of(known: &Known, looked: &Looked) -> String {
    let slug = |text: &str| {
        let words = text.split(|one: char| !one.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
    };
    let client = Some(slug(&known.name)).filter(|slug| !slug.is_empty()).unwrap_or_else(|| "unknown".to_owned());
    let version = known.version.as_deref().map(slug).filter(|slug| !slug.is_empty());
    let version = version.map(|version| format!("{version}-")).unwrap_or_default();
    format!("recorded/{client}/{version}{}", &looked.sha256[..8])
}

/// A layer as it was seen: every aspect that applies.
fn observed(layer: &waxseal_verdict::Layer) -> LayerExpectation {
    let aspects: BTreeMap<AspectName, Aspect> = AspectName::ALL
        .iter()
        .map(|name| (*name, layer.aspect(*name)))
        .filter(|(_, aspect)| !matches!(aspect, Aspect::Absent))
        .map(|(name, aspect)| (name, without_detail(aspect)))
        .collect();
    LayerExpectation {
        kind: layer.kind,
        form: layer.form,
        dialect: layer.dialect,
        aspects,
        beside: BTreeMap::new(),
        deviations: layer.deviations.clone(),
    }
}

/// The detail of a bad aspect can quote the mail.
fn without_detail(aspect: &Aspect) -> Aspect {
    match aspect {
        Aspect::Bad(bad) => Aspect::Bad(waxseal_verdict::Bad { detail: String::new(), ..bad.clone() }),
        other => other.clone(),
    }
}

fn structure_of(described: &Description) -> Option<String> {
    let title = described.guess.title.clone()?;
    let versions = described.guess.versions.join(" or ");
    Some(if versions.is_empty() { title } else { format!("{title}, {versions}") })
}

/// The Date of a mail.
fn dated(mail: &[u8], limits: &Limits) -> Option<Instant> {
    let root = parse(&mut Cursor::new(mail), limits).ok()?;
    let value = root.headers.get("date")?.value().into_owned();
    // A comment with the name of the zone may stand behind it.
    let value = value.split('(').next().unwrap_or_default().trim().to_owned();
    instant(OffsetDateTime::parse(&value, &Rfc2822).ok()?).ok()
}

fn instant(time: OffsetDateTime) -> Result<Instant, Failed> {
    let whole = time.to_offset(UtcOffset::UTC).replace_nanosecond(0).map_err(Failed::fault)?;
    whole.format(&Rfc3339).map_err(Failed::fault)?.parse().map_err(Failed::fault)
}

impl Looked {
    /// What the person is to know before anything is written.
    fn text(&self, guess: Option<&str>) -> String {
        let mut text = String::new();
        let Captured { mail, form, remade } = &self.captured;
        let _ = writeln!(text, "mail      {} octets, captured as {form}, sha256 {}", mail.len(), self.sha256);
        for line in remade {
            let _ = writeln!(text, "  {line}");
        }
        for claim in &self.described.fingerprint.claims {
            let _ = writeln!(text, "{}: {}", output::harmless(&claim.field), output::harmless(&claim.value));
        }
        let _ = writeln!(text, "structure {}", guess.map_or("of nobody who is known", |guess| guess));
        for layer in &self.verdict.layers {
            let form = layer.form.map(|form| format!(" {form}")).unwrap_or_default();
            let _ = write!(text, "layer     {}{form}:", layer.kind);
            for (name, aspect) in observed(layer).aspects {
                let _ = write!(text, " {name} {aspect}");
            }
            text.push('\n');
        }
        text.push_str(&private_text(&self.private));
        text
    }
}

fn private_text(private: &[Private]) -> String {
    let mut text = "what it tells of people and machines\n".to_owned();
    let mut last: Option<(PrivateKind, &str)> = None;
    for one in private.iter().filter(|one| !one.harmless) {
        if last != Some((one.kind, &one.place)) {
            let word = serde_json::to_value(one.kind).ok();
            let word = word.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
            let _ = writeln!(text, "  {word} in {}", output::harmless(&one.place));
            last = Some((one.kind, &one.place));
        }
        let _ = writeln!(text, "    {}", output::harmless(&one.value));
    }
    let harmless = private.iter().filter(|one| one.harmless).count();
    if harmless > 0 {
        let _ = writeln!(text, "  {harmless} of domains and networks that nobody has");
    }
    text
}

#[cfg(test)]
mod tests;
