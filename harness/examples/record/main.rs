//! Lets a program write the mails of `vectors/recorded/script.toml`, and keeps
//! what it wrote, with its provenance. `cargo xtask record` builds and starts it.
//!
//! Nothing of a mail is changed. What it is said of it is found out anew: what a
//! reader must know is read off the mail, and programs other than the writer are
//! asked whether they accept it and what comes out.

mod card;
mod order;
mod witness;

use std::error::Error;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal::matrix::same;
use waxseal::shim::engine::Engine;
use waxseal::shim::protocol::{Answer, Request};
use waxseal::shim::serve::Shim;
use waxseal::sut::Sut;
use waxseal::sut::child::{ShimLimits, ShimProcess};
use waxseal_engine::cms::write::ContentEncryption;
use waxseal_model::{Corpus, Instant, NotRecorded, Provenance, Recorded, RecordedMail, ScriptedMail, folder_of};
use waxseal_verdict::{Clock, Deviation, Hello, Layer, Verdict};

use crate::order::Order;
use crate::witness::Witnesses;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "usage: record VECTORS WAXSEAL PROGRAM [MAIL]…";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, rest @ ..] = arguments.as_slice()
        && word == card::CONFINED
    {
        return card::confined(rest);
    }
    let [vectors, waxseal, program, only @ ..] = arguments.as_slice() else { return Err(USAGE.into()) };
    let vectors = PathBuf::from(vectors);
    let corpus = Corpus::load(&vectors)?;
    let recorder = Recorder::new(&corpus, Path::new(waxseal), program)?;
    recorder.run(&vectors.join("recorded"), only)
}

/// One program that writes, and what is asked of it.
struct Recorder<'a> {
    corpus: &'a Corpus,
    recorded: &'a Recorded,
    waxseal: &'a Path,
    sut: Sut,
    hello: Hello,
}

impl<'a> Recorder<'a> {
    fn new(corpus: &'a Corpus, waxseal: &'a Path, program: &str) -> Result<Self> {
        let mut sut = shipped(waxseal, program);
        sut.admit(ShimLimits::default());
        let hello = sut.admission.clone()?;
        Ok(Self { corpus, recorded: corpus.recorded(), waxseal, sut, hello })
    }

    /// Lets everything be written that was named, or else all; what was recorded
    /// before and is not asked for now stays, if the program is the same.
    fn run(&self, folder: &Path, only: &[String]) -> Result<()> {
        let name = folder_of(&self.hello.name, &self.hello.version);
        let own = folder.join(&name);
        std::fs::create_dir_all(&own)?;
        let clock = self.clock();
        let mut provenance = Provenance {
            format: 1,
            program: self.hello.name.clone(),
            version: self.hello.version.clone(),
            platform: platform(),
            recorded: OffsetDateTime::now_utc().date().to_string(),
            clock,
            mail: Vec::new(),
            not_written: Vec::new(),
        };
        let before = self.recorded.provenances().find(|(folder, _)| *folder == name).map(|(_, before)| before);
        let mut witnesses = Witnesses::new(self.waxseal, &self.hello.name);
        for mail in &self.recorded.script().mail {
            let is_asked = mail.only.is_empty() || mail.only.contains(&self.hello.name);
            if !is_asked {
                continue;
            }
            if !only.is_empty() && !only.contains(&mail.name) {
                let kept = before.into_iter().flat_map(|before| &before.mail).find(|kept| kept.name == mail.name);
                provenance.mail.extend(kept.cloned());
                let kept = before.into_iter().flat_map(|before| &before.not_written);
                provenance.not_written.extend(kept.filter(|kept| kept.name == mail.name).cloned());
                continue;
            }
            match self.record(mail, clock, &own, &mut witnesses)? {
                Ok(recorded) => {
                    let who: Vec<_> = recorded.witnesses.iter().map(|one| one.implementation.as_str()).collect();
                    let content = recorded.content.map_or("no content", |content| content.code());
                    eprintln!("{name}/{}: {content}; accepted by {}", mail.name, who.join(", "));
                    provenance.mail.push(recorded);
                }
                Err(why) => {
                    eprintln!("{name}/{}: not written: {why}", mail.name);
                    provenance.not_written.push(NotRecorded { name: mail.name.clone(), why });
                }
            }
        }
        std::fs::write(own.join("provenance.toml"), toml::to_string(&provenance)?)?;
        Ok(())
    }

    /// The moment that the program takes for now.
    fn clock(&self) -> Instant {
        match self.hello.clock {
            Clock::Settable | Clock::Faketime => self.recorded.script().clock,
            _ => Instant::now(),
        }
    }

    /// One mail, or why it was not written.
    fn record(
        &self,
        mail: &ScriptedMail,
        clock: Instant,
        own: &Path,
        witnesses: &mut Witnesses<'_>,
    ) -> Result<std::result::Result<RecordedMail, String>> {
        let scratch = tempfile::tempdir()?;
        let letter = self.recorded.script().letter(mail).ok_or("a mail without a letter")?;
        let order = Order::new(self.corpus.pki(), mail, letter, clock.date_time(), scratch.path())?;
        let file = own.join(format!("{}.eml", mail.name));
        let octets = match &mail.card {
            Some(model) => card::write(&order, model)?,
            None => match self.write(&order)? {
                Ok(octets) => octets,
                Err(why) => {
                    // What an earlier version wrote is not what this one writes.
                    drop(std::fs::remove_file(&file));
                    return Ok(Err(why));
                }
            },
        };
        if std::str::from_utf8(&octets).is_err() {
            return Ok(Err("what it wrote is not UTF-8 text, and is not kept".to_owned()));
        }
        std::fs::write(&file, &octets)?;
        std::fs::write(order.path("written.eml"), &octets)?;
        let asked = order.opening("written.eml");
        let Ok(Answer::Verdict(verdict, _)) = Engine::default().open(&asked) else {
            return Err(format!("{}: the engine cannot read it", mail.name).into());
        };
        let mut recorded = RecordedMail {
            name: mail.name.clone(),
            asked_sha256: self.recorded.script().asked_sha256(mail),
            sha256: hex(&octets),
            content_sha256: None,
            content: None,
            algorithms: verdict.layers.iter().flat_map(algorithms).collect(),
            deviations: deviations(&verdict),
            witnesses: Vec::new(),
        };
        let found = witnesses.ask(&order, &asked, &recorded.algorithms)?;
        recorded.content_sha256 = found.content.as_deref().map(hex);
        recorded.content = found.content.map(|content| same::compare(letter.entity().as_bytes(), &content));
        recorded.witnesses = found.witnesses;
        Ok(Ok(recorded))
    }

    /// Asks the shim, step by step.
    fn write(&self, order: &Order<'_>) -> Result<std::result::Result<Vec<u8>, String>> {
        let mut shim = ShimProcess::start(&self.sut.command, ShimLimits::default())?;
        let copies = self.recorded.script().copies.contains(&self.hello.name);
        let steps = match order.steps(&self.hello, copies) {
            Ok(steps) => steps,
            Err(why) => return Ok(Err(why)),
        };
        let mut out = String::new();
        for (operation, arguments, name) in steps {
            let request = Request { id: shim.next_id(), op: operation.to_owned(), arguments };
            match shim.ask(&request) {
                Ok(Answer::Wrote(_)) => out = name,
                Ok(Answer::Unsupported(why)) => return Ok(Err(why)),
                Ok(Answer::Refused(refused)) => return Ok(Err(format!("{}: {}", refused.reason, refused.detail))),
                Ok(Answer::Error(error, native)) => {
                    return Ok(Err(native.map_or(error.clone(), |native| format!("{error} ({native})"))));
                }
                Ok(_) => return Err("an answer to something else".into()),
                Err(failure) => return Ok(Err(failure.to_string())),
            }
        }
        Ok(Ok(std::fs::read(order.path(&out))?))
    }
}

/// The shim of a program that is part of Waxseal.
fn shipped(waxseal: &Path, name: &str) -> Sut {
    let arguments = vec!["shim".to_owned(), name.to_owned()];
    let command = waxseal::sut::child::ShimCommand { program: waxseal.to_owned(), arguments };
    Sut::new(name.to_owned(), command, true)
}

/// What a reader of a layer must know, by the names of the algorithm table.
fn algorithms(layer: &Layer) -> Vec<String> {
    let signers = layer.signers.iter().flat_map(|signer| [signer.digest.clone(), signer.signature.clone()]);
    let recipients = layer.recipients.iter().flat_map(|recipient| match recipient.kind.as_str() {
        "kari" => vec!["ec".to_owned(), recipient.algorithm.clone()],
        // The table has one name for the operation with the key, and another for a signature.
        "ktri" if recipient.algorithm == "rsa-pkcs1-v1_5" => vec!["rsa".to_owned()],
        // GmSSL 3 names SM2 encryption so (docs/sm2.md).
        "ktri" if recipient.algorithm == "sm2-key-exchange" => vec!["sm2-encryption".to_owned()],
        _ => vec![recipient.algorithm.clone()],
    });
    let cipher = layer.content_cipher.iter().map(|spelling| match spelling.parse::<ContentEncryption>() {
        Ok(cipher) => cipher.name().to_owned(),
        Err(_) => spelling.clone(),
    });
    signers.chain(recipients).chain(cipher).collect()
}

/// What departs from the standards, layer by layer; nothing if nothing does.
fn deviations(verdict: &Verdict) -> Vec<Vec<Deviation>> {
    let of_layer = |layer: &Layer| {
        let signers = layer.signers.iter().flat_map(|signer| &signer.deviations);
        let mut all: Vec<Deviation> = layer.deviations.iter().chain(signers).copied().collect();
        all.sort();
        all.dedup();
        all
    };
    let all: Vec<_> = verdict.layers.iter().map(of_layer).collect();
    if all.iter().all(Vec::is_empty) { Vec::new() } else { all }
}

fn hex(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The system, as it names itself.
fn platform() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or(std::env::consts::OS);
    format!("{}, {}", name.trim_matches('"'), std::env::consts::ARCH)
}

/// As requests have it.
fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
