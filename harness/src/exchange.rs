//! Plays an exchange: every participant is the same SUT with other keys, and
//! with the mail that it got so far. Nothing is remembered between two requests
//! but what stands in files, so that each of them can be repeated by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_engine::Limits;
use waxseal_engine::mime::{self, Part};
use waxseal_model::{Exchange, ExchangeStep, LookStep, Participant, Pki, ReadStep, WriteStep, Written};
use waxseal_verdict::{Aspect, AspectName, Comparison, Hello, Reports, Verdict};

use crate::shim::protocol::{
    Answer, EarlierMail, EncryptArguments, KeyFiles, OpenArguments, PinEntry, Request, SignArguments, op,
};
use crate::sut::child::ShimProcess;
use crate::sut::left;

/// What came of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// What was done, in a line.
    pub what: String,
    /// What came of it, in a line.
    pub outcome: String,
    /// How that differs from what the exchange expects; empty if it does not.
    pub wrong: Vec<String>,
}

/// Why an exchange cannot be played: a fault of the corpus, of the machine or
/// of the shim.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {what}")]
pub struct ExchangeError {
    place: String,
    what: String,
}

impl ExchangeError {
    fn at<E: std::fmt::Display>(place: impl std::fmt::Display) -> impl FnOnce(E) -> Self {
        move |error| Self { place: place.to_string(), what: error.to_string() }
    }
}

/// An exchange on the stage.
pub struct Stage<'a> {
    exchange: &'a Exchange,
    pki: &'a Pki,
    shim: &'a mut ShimProcess,
    hello: &'a Hello,
    /// Where mails and keys are.
    dir: PathBuf,
    /// What every participant got or sent so far, and when.
    earlier: BTreeMap<String, Vec<EarlierMail>>,
}

impl<'a> Stage<'a> {
    /// Sets the stage: keys and certificates go into the directory, which must
    /// be there and empty.
    ///
    /// # Errors
    /// A file cannot be written, or an entity has no key or certificate.
    pub fn set(
        exchange: &'a Exchange,
        pki: &'a Pki,
        shim: &'a mut ShimProcess,
        hello: &'a Hello,
        dir: &Path,
    ) -> Result<Self, ExchangeError> {
        let dir = dir.canonicalize().map_err(ExchangeError::at(dir.display()))?;
        let stage = Self { exchange, pki, shim, hello, dir, earlier: BTreeMap::new() };
        let of_steps = exchange.steps.iter().flat_map(|step| match step {
            ExchangeStep::Write(step) => [step.signs_with.as_ref(), step.names.as_ref()],
            _ => [None, None],
        });
        let of_steps: Vec<_> = of_steps.flatten().collect();
        for participant in &exchange.participants {
            let keys = std::iter::once(&participant.signs_with).chain(&participant.reads_with);
            let keys = keys.chain(of_steps.iter().copied());
            for entity in keys.clone() {
                stage.put(&format!("{entity}.key.pem"), pki.key_pem(entity).map(str::as_bytes))?;
            }
            for entity in keys.chain(&participant.anchors) {
                stage.put(&format!("{entity}.cert.pem"), pki.certificate_pem(entity).map(str::as_bytes))?;
            }
            let anchors: String = participant.anchors.iter().filter_map(|name| pki.certificate_pem(name)).collect();
            stage.put(&anchors_of(participant), Some(anchors.as_bytes()))?;
            let issuers: BTreeSet<&str> = std::iter::once(&participant.signs_with)
                .chain(&participant.reads_with)
                .flat_map(|entity| pki.path_without_root(entity).into_iter().skip(1))
                .collect();
            let issuers: String = issuers.into_iter().filter_map(|name| pki.certificate_pem(name)).collect();
            stage.put(&issuers_of(participant), Some(issuers.as_bytes()))?;
        }
        Ok(stage)
    }

    /// Plays every step; one that comes out wrong does not end it.
    ///
    /// # Errors
    /// It cannot be played.
    pub fn play(&mut self) -> Result<Vec<Played>, ExchangeError> {
        let exchange = self.exchange;
        let play = |step: &ExchangeStep| match step {
            ExchangeStep::Write(step) => self.write(step),
            ExchangeStep::Read(step) => self.read(step),
            ExchangeStep::Look(step) => self.look(step),
        };
        exchange.steps.iter().map(play).collect()
    }

    fn write(&mut self, step: &WriteStep) -> Result<Played, ExchangeError> {
        let writer = self.participant(&step.by)?;
        let to = step.to.iter().map(|name| self.participant(name).map(|one| self.address(one)));
        let to = to.collect::<Result<Vec<_>, _>>()?;
        let verb = match (step.sign, step.encrypt) {
            (true, true) => "signs and encrypts",
            (true, false) => "signs",
            (false, true) => "encrypts",
            (false, false) => "writes",
        };
        let played = |outcome: String, found: &Written| Played {
            what: format!("{} {verb} {} to {}", step.by, step.mail, step.to.join(" and ")),
            outcome,
            wrong: match step.expect == *found {
                true => Vec::new(),
                false => vec![format!("expected {:?}, found {found:?}", step.expect)],
            },
        };
        self.put(&step.mail, Some(self.letter(step, writer, &to).as_bytes()))?;
        if step.sign {
            let arguments = self.sign_arguments(step, writer)?;
            let answer = self.ask(op::SIGN, &arguments)?;
            let Answer::Wrote(_) = answer else { return Err(unexpected(op::SIGN, &answer)) };
            fs::rename(self.dir.join(OUT), self.dir.join(&step.mail)).map_err(ExchangeError::at(&step.mail))?;
        }
        if !step.encrypt {
            self.remember(&step.by, &step.mail, step.at.date_time());
            return Ok(played("sent".to_owned(), &Written::Plain));
        }
        let arguments = EncryptArguments {
            reading: self.reading(writer, &step.mail, step.at.date_time(), None),
            to,
            copy_for: writer.reads_with.first().map(|entity| format!("{entity}.cert.pem")),
            sends: writer.sends.clone(),
            ..EncryptArguments::default()
        };
        match self.ask(op::ENCRYPT, &arguments)? {
            Answer::Wrote(wrote) => {
                fs::rename(self.dir.join(OUT), self.dir.join(&step.mail)).map_err(ExchangeError::at(&step.mail))?;
                let holder = |serial: &String| self.pki.entities().iter().find(|one| one.serial == *serial);
                let certificates = wrote.recipients.iter();
                let certificates = certificates.map(|serial| holder(serial).map_or(serial, |one| &one.name).clone());
                let cipher = wrote.cipher.unwrap_or_default();
                let outcome = format!("sent in {}", wrote.why.unwrap_or_else(|| cipher.clone()));
                Ok(played(outcome, &Written::Encrypted { cipher, certificates: certificates.collect() }))
            }
            Answer::Refused(refused) => {
                let outcome = format!("refused ({}): {}", refused.reason, refused.detail);
                Ok(played(outcome, &Written::Refused(refused.reason)))
            }
            other => Err(unexpected(op::ENCRYPT, &other)),
        }
    }

    fn read(&mut self, step: &ReadStep) -> Result<Played, ExchangeError> {
        let reader = self.participant(&step.by)?;
        let arguments = self.reading(reader, &step.mail, step.at.date_time(), Some(step));
        let answer = self.ask(op::OPEN, &arguments)?;
        let Answer::Verdict(verdict, _) = answer else { return Err(unexpected(op::OPEN, &answer)) };
        let reports = Reports { deviations: self.hello.deviations, headers: self.hello.headers };
        let wrong = match step.expect.compare(&verdict, &self.hello.aspects, reports) {
            Comparison::Fail(mismatches, _) => mismatches
                .into_iter()
                .map(|it| format!("{}: expected {}, found {}", it.place, it.expected, it.observed))
                .collect(),
            _ => Vec::new(),
        };
        self.remember(&step.by, &step.mail, step.at.date_time());
        Ok(Played { what: format!("{} reads {}", step.by, step.mail), outcome: describe(&verdict), wrong })
    }

    /// What a mail program without S/MIME shows: text parts, and attachments by
    /// their names.
    fn look(&self, step: &LookStep) -> Result<Played, ExchangeError> {
        let mail = left::read(&self.dir.join(&step.mail), MOST).map_err(ExchangeError::at(&step.mail))?;
        let root = mime::parse(&mut Cursor::new(&mail), &Limits::default()).map_err(ExchangeError::at(&step.mail))?;
        let leaves: Vec<&Part> = root.walk().filter(|part| part.is_leaf()).collect();
        let (attached, shown): (Vec<&Part>, Vec<&Part>) =
            leaves.into_iter().partition(|part| part.disposition.is_some());
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        let text = |part: &Part| {
            let octets = mail.get(place(part.body.start)..place(part.body.end)).unwrap_or_default();
            String::from_utf8_lossy(octets).into_owned()
        };
        let is_text = |part: &&Part| part.content_type.media_type == "text/plain";
        let readable = shown.into_iter().filter(is_text).any(|part| text(part).contains(&text_of(&step.mail)));
        let attachments: Vec<_> = attached.iter().map(|part| part.file_name().unwrap_or_default()).collect();
        let wrong = match readable == step.readable && attachments == step.attachments {
            true => Vec::new(),
            false => vec![format!("expected readable {} and {:?}", step.readable, step.attachments)],
        };
        let word = if readable { "readable" } else { "not readable" };
        let outcome = format!("the text is {word}; attached: {}", attachments.join(", "));
        Ok(Played { what: format!("somebody without S/MIME looks at {}", step.mail), outcome, wrong })
    }

    fn participant(&self, name: &str) -> Result<&'a Participant, ExchangeError> {
        let nobody = || ExchangeError { place: self.exchange.id.clone(), what: format!("{name} takes no part") };
        self.exchange.participant(name).ok_or_else(nobody)
    }

    fn address(&self, participant: &Participant) -> String {
        let entity = self.pki.entity(&participant.signs_with);
        entity.and_then(|entity| entity.addresses.first().cloned()).unwrap_or_default()
    }

    /// The mail before anything protects it.
    fn letter(&self, step: &WriteStep, writer: &Participant, to: &[String]) -> String {
        let id = format!("{}.{}", self.exchange.id, step.mail).replace('/', ".");
        format!(
            "From: {}\r\nTo: {}\r\nDate: {}\r\nSubject: {}\r\nMessage-ID: <{id}@exchanges.example.test>\r\n\
             Content-Type: text/plain; charset=us-ascii\r\n\r\n{}\r\n",
            self.address(writer),
            to.join(", "),
            step.at.header(),
            self.exchange.title,
            text_of(&step.mail)
        )
    }

    fn sign_arguments(&self, step: &WriteStep, writer: &Participant) -> Result<SignArguments, ExchangeError> {
        let signs_with = step.signs_with.as_ref().unwrap_or(&writer.signs_with);
        let named = step.names.as_ref().or(writer.reads_with.first()).filter(|entity| *entity != signs_with);
        Ok(SignArguments {
            dir: self.dir.to_string_lossy().into_owned(),
            message: step.mail.clone(),
            key: key_files(signs_with),
            certificates: Some(issuers_of(writer)),
            encryption_certificate: named.map(|entity| format!("{entity}.cert.pem")),
            announces: step.announces.clone().or_else(|| writer.announces.clone()),
            clock: Some(show(step.at.date_time())?),
            out: OUT.to_owned(),
            ..SignArguments::default()
        })
    }

    /// What a participant reads a mail with.
    fn reading(&self, reader: &Participant, mail: &str, at: OffsetDateTime, step: Option<&ReadStep>) -> OpenArguments {
        let pin = reader.pin.as_ref().map(|own| PinEntry {
            pin: own.clone(),
            entered: step.and_then(|step| step.pin.as_ref()).unwrap_or(own).clone(),
            card: step.and_then(|step| step.card),
        });
        OpenArguments {
            dir: self.dir.to_string_lossy().into_owned(),
            message: mail.to_owned(),
            keys: reader.reads_with.iter().map(|entity| key_files(entity)).collect(),
            anchors: Some(anchors_of(reader)),
            earlier: self.earlier.get(&reader.name).cloned().unwrap_or_default(),
            clock: show(at).ok(),
            policy: Some(reader.policy.clone()),
            pin,
            out: OUT.to_owned(),
            ..OpenArguments::default()
        }
    }

    /// From now on a participant knows this mail.
    fn remember(&mut self, name: &str, mail: &str, at: OffsetDateTime) {
        let known = self.earlier.entry(name.to_owned()).or_default();
        known.extend(show(at).ok().map(|clock| EarlierMail { message: mail.to_owned(), clock }));
    }

    fn put(&self, name: &str, octets: Option<&[u8]>) -> Result<(), ExchangeError> {
        let octets =
            octets.ok_or_else(|| ExchangeError { place: name.to_owned(), what: "is not in the PKI".to_owned() })?;
        // The shim may have left anything there.
        left::replace(&self.dir.join(name), octets).map_err(ExchangeError::at(name))
    }

    fn ask(&mut self, operation: &str, arguments: &impl serde::Serialize) -> Result<Answer, ExchangeError> {
        // What an earlier answer left is not this one's.
        left::clear(&self.dir.join(OUT)).map_err(ExchangeError::at(OUT))?;
        let request = Request::new(self.shim.next_id(), operation, arguments).map_err(ExchangeError::at(operation))?;
        self.shim.ask(&request).map_err(ExchangeError::at(operation))
    }
}

/// Name of the file that the shim writes.
const OUT: &str = "out";

/// Octets of a mail at most: those of an exchange have some kilobytes.
const MOST: u64 = 16 << 20;

fn anchors_of(participant: &Participant) -> String {
    format!("{}.anchors.pem", participant.name)
}

fn issuers_of(participant: &Participant) -> String {
    format!("{}.issuers.pem", participant.name)
}

fn key_files(entity: &str) -> KeyFiles {
    KeyFiles { key: format!("{entity}.key.pem"), certificate: Some(format!("{entity}.cert.pem")) }
}

fn text_of(mail: &str) -> String {
    format!("This is the letter {mail}.")
}

fn show(at: OffsetDateTime) -> Result<String, ExchangeError> {
    at.format(&Rfc3339).map_err(ExchangeError::at("clock"))
}

fn unexpected(operation: &str, answer: &Answer) -> ExchangeError {
    let what = match answer {
        Answer::Unsupported(why) => format!("not offered: {why}"),
        Answer::Error(error, _) => error.clone(),
        other => format!("an answer that does not fit: {other:?}"),
    };
    ExchangeError { place: operation.to_owned(), what }
}

/// The verdict in a line.
fn describe(verdict: &Verdict) -> String {
    let layers = verdict.layers.iter().map(|layer| {
        let bad = AspectName::ALL.iter().filter_map(|name| match layer.aspect(*name) {
            Aspect::Bad(bad) => Some(format!("{name} {}", bad.reason)),
            _ => None,
        });
        let bad = bad.collect::<Vec<_>>().join(", ");
        let cipher = layer.content_cipher.as_deref().map(|cipher| format!(" ({cipher})")).unwrap_or_default();
        format!("{}{cipher}: {}", layer.kind, if bad.is_empty() { "nothing bad" } else { &bad })
    });
    format!("{}; {}", verdict.overall, layers.collect::<Vec<_>>().join("; "))
}
