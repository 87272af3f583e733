//! Mail between its writer and its reader: every letter of
//! `vectors/transport.toml` through every mangling, and through real servers.
//!
//! What arrives becomes an ordinary [`Task`], `transport/WAY/LETTER`, whose
//! expectation follows from that of the letter's case and from what the clauses
//! say of the way. How it arrived is an [`ArrivalRecord`] of its own, whoever
//! reads it.

pub mod arrival;
pub mod post;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use waxseal_engine::Limits;
use waxseal_engine::mime::has_header_field;
use waxseal_model::{Case, Corpus, Effect, Effects, Fate, Letter, Route, Selection, Transport};
use waxseal_verdict::{Arrival, ArrivalRecord, Deviation, Evidence, Expectation};

use crate::cases::Cases;
use crate::plan::Shard;
use crate::task::{CaseFiles, Task};
use post::{Delivery, Job};

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct Options {
    /// This program, to be started where the servers are; without it no route is gone.
    pub program: Option<PathBuf>,
    /// The SUTs that read what arrives; all if none are named.
    pub readers: Option<Arc<BTreeSet<String>>>,
    /// Which part of the letters is sent.
    pub shard: Shard,
    /// Which mails are sent, by `transport/WAY/LETTER`.
    pub meant: Selection,
}

impl Options {
    fn means(&self, way: &str, mail: &Sent) -> bool {
        self.meant.contains_id(&Transport::id(way, &mail.name))
    }
}

/// Every mail that can be sent, by its id, and the case that it is of; whether its bytes are here or not.
#[must_use]
pub fn ids(corpus: &Corpus) -> Vec<(String, &str)> {
    let recordings: Vec<&str> = sound(corpus).map(|case| case.id.as_str()).collect();
    let ids = corpus.transport().ids(&recordings);
    // The list of recordings ends here, the cases stay.
    let cases = ids.filter_map(|(id, case)| Some((id, corpus.case(case)?.id.as_str())));
    cases.collect()
}

/// The sound mails of the catalogue.
fn sound(corpus: &Corpus) -> impl Iterator<Item = &Case> {
    let cases = corpus.entries().filter_map(|entry| corpus.case(&entry.id));
    cases.filter(|case| !case.is_negative() && !case.expect.layers.is_empty())
}

/// One mail that went a way.
#[derive(Debug, Clone)]
pub struct Carried {
    /// How it arrived.
    pub arrival: ArrivalRecord,
    /// What arrived, as a case for readers; nothing if nothing came, or something that no clause foresees.
    pub task: Option<Task>,
}

/// Sends every letter every way; those of recordings only where their bytes are.
///
/// # Errors
/// A fault of the corpus: a letter cannot be made or changed.
pub fn carry(cases: &Cases<'_>, options: &Options) -> Result<Vec<Carried>, String> {
    let transport = cases.corpus.transport();
    let mut sent = letters(cases, options.shard)?;
    let mut carried = Vec::new();
    for mangling in &transport.mangling {
        for mail in sent.iter().filter(|mail| options.means(&mangling.name, mail)) {
            let arrived = waxseal_forge::mangle(&mail.octets, &mangling.does);
            let arrived = arrived.map_err(|error| format!("{} through {}: {error}", mail.name, mangling.name))?;
            let way = Way { name: &mangling.name, effects: &mangling.expect, options };
            let task = way.task(mail, &arrived).map(|task| Task { evidence: Evidence::Mutated, ..task });
            carried.push(Carried { arrival: way.arrival(mail, Some(&arrived)), task });
        }
    }
    if let Some(program) = &options.program {
        sent.extend(recordings(cases, options.shard)?);
        carried.extend(routes(cases, options, program, &sent));
    }
    Ok(carried)
}

/// A mail before it goes anywhere.
struct Sent {
    name: String,
    /// The letter whose effects it shares: itself, or the one that has what is special about a recording.
    stands_for: String,
    octets: Vec<u8>,
    task: Task,
    files: Arc<CaseFiles>,
    is_recording: bool,
}

fn letters(cases: &Cases<'_>, shard: Shard) -> Result<Vec<Sent>, String> {
    let mut sent = Vec::new();
    for Letter { name, case, .. } in cases.corpus.transport().letter.iter().filter(|one| shard.holds_id(&one.case)) {
        let case = cases.corpus.case(case).ok_or_else(|| format!("letter {name}: there is no case {case}"))?;
        let task = cases.task(case).map_err(|error| format!("letter {name}: {error}"))?;
        let files = task.files.clone().map_err(|why| format!("letter {name}: {why}"))?;
        sent.push(Sent {
            name: name.clone(),
            stands_for: name.clone(),
            octets: files.message.clone(),
            task,
            files,
            is_recording: false,
        });
    }
    Ok(sent)
}

/// The sound mails of the catalogue whose bytes are here, with CRLF, as they were sent.
fn recordings(cases: &Cases<'_>, shard: Shard) -> Result<Vec<Sent>, String> {
    let corpus = cases.corpus;
    if cases.recordings.is_none() {
        return Ok(Vec::new());
    }
    let mut sent = Vec::new();
    for case in sound(corpus).filter(|case| shard.holds_id(&case.id)) {
        let mut task = cases.task(case).map_err(|error| error.to_string())?;
        let Ok(files) = task.files.clone() else { continue };
        let mut octets = arrival::crlf(&files.message);
        if !octets.ends_with(b"\r\n") {
            octets.extend(b"\r\n");
        }
        // What an archive did to it is undone.
        for layer in std::iter::once(&mut task.expectation).chain(&mut task.accepted).flat_map(|one| &mut one.layers) {
            layer.deviations.retain(|deviation| *deviation != Deviation::LfLineEnds);
        }
        // Bare objects are no mail, and a `From ` line belongs to a mail store.
        if !is_mail(&octets) {
            continue;
        }
        sent.push(Sent {
            name: Transport::recorded(&case.id),
            stands_for: stands_for(corpus.transport(), cases, &octets)?,
            octets,
            task,
            files,
            is_recording: true,
        });
    }
    Ok(sent)
}

fn is_mail(octets: &[u8]) -> bool {
    !octets.starts_with(b"From ")
        && has_header_field(&mut std::io::Cursor::new(octets), &Limits::default()).unwrap_or(false)
}

/// The letter that is too large for a server, or has lines that are too long, if that is so.
fn stands_for(transport: &Transport, cases: &Cases<'_>, octets: &[u8]) -> Result<String, String> {
    let special = |octets: &[u8]| {
        let long = octets.split(|octet| *octet == b'\n').any(|line| line.trim_ascii_end().len() > LINE);
        (octets.len() > transport.size_limit, long)
    };
    let wanted = special(octets);
    if wanted != (false, false) {
        let letters = letters(cases, Shard::default())?;
        if let Some(letter) = letters.into_iter().find(|letter| {
            let has = special(&letter.octets);
            if wanted.0 { has.0 } else { has == wanted }
        }) {
            return Ok(letter.name);
        }
    }
    Ok(String::new())
}

/// Octets of a line without its end (RFC 5321 section 4.5.3.1.6).
const LINE: usize = 998;

/// Every mail on its routes.
fn routes(cases: &Cases<'_>, options: &Options, program: &std::path::Path, sent: &[Sent]) -> Vec<Carried> {
    let transport = cases.corpus.transport();
    let programs: Vec<Result<String, String>> =
        transport.route.iter().map(|route| post::programs(route.submit.by)).collect();
    // Only what can be gone is asked for.
    let goes = |mail: &Sent| {
        let routes = transport.route.iter().enumerate();
        let routes = routes.filter(|(_, route)| !mail.is_recording || route.recordings);
        let routes = routes.filter(|(_, route)| options.means(&route.name, mail));
        routes.map(|(number, _)| number).collect::<Vec<_>>()
    };
    let mails: Vec<(&[u8], Vec<usize>)> = sent
        .iter()
        .map(|mail| {
            let open = goes(mail).into_iter().filter(|number| programs[*number].is_ok()).collect();
            (mail.octets.as_slice(), open)
        })
        .collect();
    let job = Job::new(cases.corpus.pki(), transport.size_limit, transport.route.clone());
    let job = job.ok_or_else(|| "the corpus has no certificate for a mail server".to_owned());
    let deliveries = match mails.iter().any(|(_, routes)| !routes.is_empty()) {
        true => job.and_then(|job| job.run(program, &mails)),
        false => Ok(Vec::new()),
    };
    let mut carried = Vec::new();
    for (number, route) in transport.route.iter().enumerate() {
        for (mail_number, mail) in sent.iter().enumerate().filter(|(_, mail)| goes(mail).contains(&number)) {
            let found = deliveries
                .as_ref()
                .map(|all| all.iter().find(|(one, _)| one.route == number && one.mail == mail_number));
            let delivered = match (&programs[number], found) {
                (Err(why), _) => Err(why.clone()),
                (Ok(_), Err(why)) => Err(why.clone()),
                (Ok(_), Ok(None)) => Err("nothing is known of it".to_owned()),
                (Ok(through), Ok(Some((delivery, octets)))) => Ok((through.clone(), delivery, octets.as_deref())),
            };
            let way = Way { name: &route.name, effects: &route.expect, options };
            carried.push(way.carried(route, mail, delivered));
        }
    }
    carried
}

/// A mangling or a route.
struct Way<'a> {
    name: &'a str,
    effects: &'a Effects,
    options: &'a Options,
}

impl Way<'_> {
    /// What came of a mail on a route.
    fn carried(
        &self,
        route: &Route,
        mail: &Sent,
        delivered: Result<(String, &Delivery, Option<&[u8]>), String>,
    ) -> Carried {
        let absent = |why| Carried {
            arrival: ArrivalRecord { not_available: Some(why), ..self.arrival(mail, None) },
            task: None,
        };
        let (through, delivery, octets) = match delivered {
            Ok(delivered) => delivered,
            Err(why) => return absent(why),
        };
        let mut arrival = ArrivalRecord { through: Some(through), ms: delivery.ms, ..self.arrival(mail, octets) };
        let may_be_refused = self.effects(mail).any(|effect| effect.is(Fate::Refused));
        match &delivery.fate {
            post::Fate::NotAvailable(why) => return absent(why.clone()),
            // What a server says of somebody's mail may quote it.
            post::Fate::Lost(_) if mail.task.private => arrival.finding = Some("lost".to_owned()),
            post::Fate::Lost(why) => arrival.finding = Some(format!("lost: {why}")),
            post::Fate::Refused(why) => {
                let code = why.split_whitespace().next().unwrap_or_default();
                arrival.refused = Some(if mail.task.private { code.to_owned() } else { why.clone() });
                arrival.finding = (!may_be_refused).then(|| "refused, although it should be taken".to_owned());
            }
            post::Fate::Arrived => arrival.finding = self.unforeseen(route, mail, &arrival.arrived),
        }
        let task = octets.filter(|_| arrival.finding.is_none()).and_then(|octets| self.task(mail, octets));
        Carried { arrival, task }
    }

    /// What of an arrival no clause foresees.
    fn unforeseen(&self, route: &Route, mail: &Sent, arrived: &[Arrival]) -> Option<String> {
        if self.effects(mail).all(|effect| effect.is(Fate::Refused)) {
            return Some("taken, although it should be refused".to_owned());
        }
        let damaged = self.effects(mail).any(|effect| matches!(effect, Effect::Damaged(_)));
        let foreseen = |found: &&Arrival| {
            **found == Arrival::Identical
                || route.may.contains(*found)
                || damaged && matches!(found, Arrival::BodyRewritten | Arrival::ContentChanged)
        };
        let found: Vec<&str> = arrived.iter().filter(|found| !foreseen(found)).map(|found| found.code()).collect();
        (!found.is_empty()).then(|| format!("changed, although it should not be: {}", found.join(", ")))
    }

    fn effects(&self, mail: &Sent) -> impl Iterator<Item = &Effect> {
        self.effects.of(&mail.stands_for)
    }

    fn id(&self, mail: &Sent) -> String {
        Transport::id(self.name, &mail.name)
    }

    fn arrival(&self, mail: &Sent, arrived: Option<&[u8]>) -> ArrivalRecord {
        let arrived = arrived.map(|octets| arrival::compare(&mail.octets, octets));
        ArrivalRecord {
            case: self.id(mail),
            through: None,
            arrived: arrived.unwrap_or_default().into_iter().collect(),
            refused: None,
            not_available: None,
            finding: None,
            ms: 0,
        }
    }

    /// What arrived, as a case.
    fn task(&self, mail: &Sent, octets: &[u8]) -> Option<Task> {
        let before = || std::iter::once(&mail.task.expectation).chain(&mail.task.accepted);
        let mut answers: Vec<Expectation> =
            self.effects(mail).flat_map(|effect| before().flat_map(|before| effect.expectations(before))).collect();
        if answers.is_empty() {
            return None;
        }
        let expectation = answers.remove(0);
        Some(Task {
            id: self.id(mail),
            twin: expectation.is_negative().then(|| mail.task.id.clone()),
            expectation,
            accepted: answers,
            readers: self.options.readers.clone(),
            files: Ok(Arc::new(CaseFiles { message: octets.to_vec(), ..(*mail.files).clone() })),
            ..mail.task.clone()
        })
    }
}
