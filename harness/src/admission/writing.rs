//! What a shim that says it writes is asked to write: one mail for each
//! operation, with keys that were drawn for it, which the engine must find good,
//! and in which must stand what was given.

use std::path::Path;

use time::format_description::well_known::Rfc3339;
use waxseal_model::Scenario;
use waxseal_verdict::{AspectName, Clock, ContentMatch, Hello, Verdict};

use super::declared::{self, WRITES};
use super::{Exam, ExamError, Report, Told, asked, at, judge, question};
use crate::matrix::letter::{self, People, files};
use crate::matrix::steps::{self, Step};
use crate::matrix::{reference, same};
use crate::shim::engine::Engine;
use crate::shim::protocol::{Answer, KeyFiles, OpenArguments, op};
use crate::shim::serve::Shim;
use crate::sut::child::ShimProcess;
use crate::sut::left;

/// Octets of a written mail at most: it is a few lines.
const MOST: u64 = 1 << 20;
/// What it wrote, under a name that it was not told.
const WRITTEN: &str = "written.eml";

/// Lets it do each operation that it lists once.
pub(super) fn ask(
    exam: &Exam<'_>,
    shim: &mut ShimProcess,
    hello: &Hello,
    scratch: &Path,
    report: &mut Report,
) -> Result<(), ExamError> {
    for row in WRITES.iter().filter(|row| hello.operations.contains(&row.operation)) {
        let scenarios = declared::scenarios(hello, row, exam.corpus.matrix());
        let mut declined = 0;
        for scenario in &scenarios {
            let what = format!("{} {}", row.operation, scenario.name());
            let dir = scratch.join(what.replace(' ', "-"));
            match write(exam, shim, hello, scenario, &dir)? {
                Told::Good => report.written.push(what),
                // `hello` cannot say everything that a program does not write.
                Told::Declined(why) => {
                    report.declined.push(format!("{what}: {why}"));
                    declined += 1;
                    continue;
                }
                told => {
                    report.is_lost = matches!(told, Told::Lost(_));
                    report.wrong.push(format!("{what}: {told}"));
                }
            }
            break;
        }
        if declined > 0 && declined == scenarios.len() {
            report.wrong.push(format!("it declined every mail that it says it can {}", row.operation));
        }
        if report.is_lost {
            break;
        }
    }
    Ok(())
}

/// One mail.
fn write(
    exam: &Exam<'_>,
    shim: &mut ShimProcess,
    hello: &Hello,
    scenario: &Scenario<'_>,
    dir: &Path,
) -> Result<Told, ExamError> {
    std::fs::create_dir_all(dir).map_err(at(dir))?;
    let dir = dir.canonicalize().map_err(at(dir))?;
    let now = exam.now(hello);
    let clock = now.format(&Rfc3339).unwrap_or_default();
    let people = People::of(&exam.pki, scenario);
    let entity = question::entity(&question::random_word());
    let mail = letter::mail(&scenario.name(), entity.as_bytes(), &people, "admission", now);
    letter::put(&dir, &mail, &people).map_err(at(&dir))?;
    let mut name = files::MAIL.to_owned();
    for step in steps::steps(hello, scenario, &dir, &people.to(), &clock) {
        step.out().clone_into(&mut name);
        left::clear(&dir.join(&name)).map_err(at(&dir))?;
        let answer = match &step {
            Step::Sign(arguments) => asked(shim, op::SIGN, &arguments.dir, arguments)?,
            Step::Encrypt(arguments) => asked(shim, op::ENCRYPT, &arguments.reading.dir, arguments)?,
        };
        match answer {
            Ok(Answer::Wrote(_)) => {}
            Ok(Answer::Refused(refused)) => {
                return Ok(Told::Unclear(format!("it refused: {} ({})", refused.reason, refused.detail)));
            }
            Ok(_) => return Ok(Told::Unclear("it was answered with something else than wrote".to_owned())),
            Err(told) => return Ok(told),
        }
    }
    let written = match left::read(&dir.join(&name), MOST) {
        Ok(mail) if mail.is_empty() => {
            return Ok(Told::Unclear("it says that it wrote, and the file is empty".to_owned()));
        }
        Ok(mail) => mail,
        Err(other) => return Ok(Told::Unclear(format!("it says that it wrote, and there is {other}"))),
    };
    let written_at = dir.join(WRITTEN);
    left::replace(&written_at, &written).map_err(at(&written_at))?;
    let key = KeyFiles { key: files::RECIPIENT_KEY.to_owned(), certificate: Some(files::RECIPIENT.to_owned()) };
    let arguments = OpenArguments {
        dir: dir.to_string_lossy().into_owned(),
        message: WRITTEN.to_owned(),
        keys: scenario.recipient.map(|_| key).into_iter().collect(),
        anchors: Some(files::ANCHORS.to_owned()),
        // That a writer sends them along is a SHOULD (RFC 8551 section 2.3), and the matrix shows it.
        extra_certificates: Some(files::ISSUERS.to_owned()),
        // What wrote at its own time is read at that time.
        clock: (hello.clock != Clock::System).then_some(clock),
        policy: scenario.signature.and_then(|value| value.policy.clone()),
        out: "content".to_owned(),
        ..OpenArguments::default()
    };
    let mut reader = Engine::default().hello().map_err(ExamError::Writer)?;
    // As in the matrix: whether it is strong enough is another question.
    reader.aspects.remove(&AspectName::Policy);
    let verdict = match reference::open(&arguments) {
        Ok(Answer::Verdict(verdict, _)) => verdict,
        Err(fault) => return Ok(Told::Unclear(fault)),
        Ok(Answer::Error(error, _)) => return Ok(Told::Unclear(format!("the engine cannot read it: {error}"))),
        Ok(other) => return Ok(Told::Unclear(format!("the engine cannot read it: {other:?}"))),
    };
    if let Some(why) = wrong(&verdict, &reader, scenario) {
        return Ok(Told::Unclear(why));
    }
    let content = left::read(&dir.join(&arguments.out), MOST).unwrap_or_default();
    Ok(match same::compare(entity.as_bytes(), &content) {
        ContentMatch::Differs => Told::Unclear("what comes out of it is not what went in".to_owned()),
        _ => Told::Good,
    })
}

/// What the engine finds wrong with a written mail.
fn wrong(verdict: &Verdict, reader: &Hello, scenario: &Scenario<'_>) -> Option<String> {
    let layers = scenario.layers();
    for layer in &verdict.layers {
        if let Some(name) = reader.aspects.iter().find(|name| layer.aspect(**name).is_bad()) {
            return Some(format!("the engine finds it bad: {name} of {} is {}", layer.kind, layer.aspect(*name)));
        }
    }
    match judge(verdict, reader, layers.len()) {
        Told::Good => {}
        told => return Some(format!("the engine does not find it good: {told}")),
    }
    let is_asked = |((kind, form), layer): (&(_, Option<_>), &waxseal_verdict::Layer)| {
        *kind == layer.kind && (form.is_none() || *form == layer.form)
    };
    let all = layers.iter().zip(&verdict.layers).all(is_asked);
    (!all).then(|| format!("it is another thing than {} was asked for", scenario.protection.name))
}
