//! Chains of three: one writes, the second decrypts and sends on under its own
//! signature, the third reads that.
//!
//! What the second one sends on is what its own reader gave it, octet for octet;
//! so a chain shows what gets lost on the way through a program, and not only
//! into it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use time::format_description::well_known::Rfc3339;
use waxseal_model::{Corpus, Scenario};
use waxseal_verdict::{Operation, Outcome, WrittenForm};

use super::letter::{self, People, files};
use super::produce::{MOST, Writer, expectation};
use super::{NotWritten, Options, Produced, reads, writes};
use crate::runner::RunError;
use crate::shim::protocol::{Answer, KeyFiles, OpenArguments, op};
use crate::shim::shipped::Shipped;
use crate::sut::Sut;
use crate::sut::left::{self, Unread};
use crate::sut::words::shorten;
use crate::task::{CaseFiles, Task};

/// How many SUTs are in it.
const PEERS: usize = 6;
/// What the first one writes, and what the second one sends on.
pub(super) const WRITTEN: &str = "encrypted.rsa.aes-128-cbc.small";
pub(super) const SENT_ON: &str = "clear.rsa.small";

/// The id of a mail that `first` wrote and `second` sent on.
fn id(first: &str, second: &str) -> String {
    format!("sent-on/{first}/{second}")
}

/// The SUTs that do everything a chain needs: the first six, each program once.
fn peers<'a>(suts: &'a [Sut], scenarios: &[Scenario<'_>; 2]) -> Vec<&'a Sut> {
    let [written, sent_on] = scenarios;
    let able = |sut: &&Sut| {
        let Ok(hello) = &sut.admission else { return false };
        let bytes = !hello.writes_forms.contains(&WrittenForm::SignedEncrypted);
        bytes
            && hello.operations.contains(&Operation::Open)
            && writes(hello, written).is_ok()
            && writes(hello, sent_on).is_ok()
            && scenarios.iter().all(|scenario| reads(hello, scenario))
    };
    let mut peers: Vec<&Sut> = Vec::new();
    for sut in suts.iter().filter(able) {
        // The engine with another arithmetic is the same program.
        let is_there = |other: &&Sut| Shipped::is_reference(&other.name);
        if !Shipped::is_reference(&sut.name) || !peers.iter().any(is_there) {
            peers.push(sut);
        }
    }
    peers.truncate(PEERS);
    peers
}

/// Lets each of the peers write, and each of them send on what each wrote;
/// `each` gets what came of it as soon as it is known.
pub(super) fn run(
    corpus: &Corpus,
    suts: &[Sut],
    options: &Options,
    base: &Path,
    mut each: impl FnMut(&Produced) -> Result<(), RunError>,
) -> Result<Vec<Produced>, RunError> {
    let all = corpus.matrix().scenarios();
    let find = |name: &str| all.iter().find(|scenario| scenario.name() == name).copied();
    let (Some(written), Some(sent_on)) = (find(WRITTEN), find(SENT_ON)) else { return Ok(Vec::new()) };
    let peers = peers(suts, &[written, sent_on]);
    let readers: Arc<BTreeSet<String>> = Arc::new(peers.iter().map(|sut| sut.name.clone()).collect());
    let mut produced = Vec::new();
    let mut mails = Vec::new();
    for sut in &peers {
        let Some(mut writer) = Writer::new(corpus, sut, options, base) else { continue };
        let dir = writer.dir(&format!("sent-on/{}", sut.name))?;
        mails.push((sut, writer.write_in(&dir, &written, &letter::entity(&written))?));
    }
    for sut in &peers {
        let Some(mut second) = Writer::new(corpus, sut, options, base) else { continue };
        for (first, mail) in &mails {
            let dir = second.dir(&format!("sent-on/{}/{}", first.name, sut.name))?;
            let start = Instant::now();
            let result = match mail {
                Ok(mail) => second.send_on(&dir, mail, &written, &sent_on)?,
                Err(why) => Err(NotWritten { outcome: why.outcome, why: format!("{} wrote nothing", first.name) }),
            };
            let id = id(&first.name, &sut.name);
            let task = result.as_ref().ok().map(|message| Task {
                id: id.clone(),
                algorithms: sent_on.algorithms().into_iter().map(str::to_owned).collect(),
                expectation: expectation(&sent_on),
                // What the first one protected.
                protects: Some(Arc::new(letter::entity(&written))),
                readers: Some(Arc::clone(&readers)),
                files: Ok(Arc::new(CaseFiles {
                    message: message.clone(),
                    anchors: People::of(corpus.pki(), &sent_on).anchors(),
                    ..CaseFiles::default()
                })),
                ..second.task_of(&sent_on)
            });
            let outcome = second.record(format!("write/{}", id.replace('/', ".")), result.err(), start.elapsed());
            let one = Produced { outcome, task };
            each(&one)?;
            produced.push(one);
        }
    }
    Ok(produced)
}

impl Writer<'_> {
    /// Opens a mail, and signs what came out.
    fn send_on(
        &mut self,
        dir: &Path,
        mail: &[u8],
        written: &Scenario<'_>,
        sent_on: &Scenario<'_>,
    ) -> Result<Result<Vec<u8>, NotWritten>, RunError> {
        let people = People::of(self.corpus.pki(), written);
        letter::put(dir, mail, &people).map_err(RunError::at("cannot write in", dir))?;
        let arguments = OpenArguments {
            dir: dir.to_string_lossy().into_owned(),
            message: files::MAIL.to_owned(),
            keys: vec![KeyFiles {
                key: files::RECIPIENT_KEY.to_owned(),
                certificate: Some(files::RECIPIENT.to_owned()),
            }],
            anchors: Some(files::ANCHORS.to_owned()),
            clock: self.now().format(&Rfc3339).ok(),
            out: "opened".to_owned(),
            ..OpenArguments::default()
        };
        let failed = |outcome, why: String| Ok(Err(NotWritten { outcome, why: shorten(&why) }));
        let opened = dir.join(&arguments.out);
        match self.answer(dir, 0, op::OPEN, &arguments) {
            Ok(Answer::Verdict(verdict, _)) => match verdict.first_bad() {
                None => {}
                Some((aspect, reason)) => {
                    return failed(Outcome::Fail, format!("could not open it: {aspect} {reason}"));
                }
            },
            Ok(Answer::Unsupported(why)) => return failed(Outcome::Unsupported, why),
            Ok(other) => return failed(Outcome::ShimError, format!("open was answered {other:?}")),
            Err(failure) => {
                self.end();
                return failed(crate::runner::outcome_of(&failure), failure.to_string());
            }
        }
        match left::read(&opened, MOST) {
            Ok(entity) => self.write_in(dir, sent_on, &entity),
            Err(Unread::Missing) => failed(Outcome::Fail, "opened it, and gave no content".to_owned()),
            Err(other) => failed(Outcome::ShimError, format!("opened it, and left {other} as its content")),
        }
    }
}
