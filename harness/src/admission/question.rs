//! One mail of an examination.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_key::{Random, SystemRandom};
use waxseal_model::{Pki, RecipientValue, Scenario};

use super::{ExamError, at};
use crate::matrix::letter::{self, People, files};
use crate::matrix::steps::{self, Step};
use crate::shim::engine::Engine;
use crate::shim::protocol::{Answer, KeyFiles, OpenArguments};
use crate::shim::serve::Shim;

/// A mail, and what has to be said of it.
pub(super) struct Question {
    pub(super) good: bool,
    /// The scenario, and what is wrong with it, for a person.
    pub(super) what: String,
    pub(super) arguments: OpenArguments,
    pub(super) layers: usize,
}

impl Question {
    /// Lets the engine write a mail; a bad one has another text than was signed,
    /// or is for somebody else.
    pub(super) fn write(
        pki: &Pki,
        scenario: &Scenario<'_>,
        good: bool,
        dir: &Path,
        now: OffsetDateTime,
    ) -> Result<Self, ExamError> {
        std::fs::create_dir_all(dir).map_err(at(dir))?;
        let dir = dir.canonicalize().map_err(at(dir))?;
        let secret = random_word();
        let elsewhere =
            scenario.recipient.map(|value| RecipientValue { entity: value.stranger.clone(), ..value.clone() });
        let signed = scenario.signature.is_some();
        // What is only encrypted is made bad by its reader.
        let written = match (&elsewhere, good || signed) {
            (Some(stranger), false) => Scenario { recipient: Some(stranger), ..*scenario },
            _ => *scenario,
        };
        let people = People::of(pki, &written);
        let entity = entity(&secret);
        let mail = letter::mail(&scenario.name(), entity.as_bytes(), &people, "admission", now);
        letter::put(&dir, &mail, &people).map_err(at(&dir))?;
        let clock = now.format(&Rfc3339).unwrap_or_default();
        let mut engine = Engine::default();
        let hello = engine.hello().map_err(ExamError::Writer)?;
        let mut name = files::MAIL.to_owned();
        for step in steps::steps(&hello, scenario, &dir, &people.to(), &clock) {
            name = step.out().to_owned();
            write_step(&mut engine, &step)?;
            if matches!(step, Step::Sign(_)) && !good {
                let path = dir.join(&name);
                let mail = std::fs::read(&path).map_err(at(&path))?;
                let changed = with_another_word(&mail, &secret).ok_or_else(|| ExamError::Writer(scenario.name()))?;
                std::fs::write(&path, changed).map_err(at(&path))?;
            }
        }
        // The reader is the one of the scenario, whoever it was written for.
        let reader = People::of(pki, scenario);
        letter::put(&dir, &mail, &reader).map_err(at(&dir))?;
        let key = KeyFiles { key: files::RECIPIENT_KEY.to_owned(), certificate: Some(files::RECIPIENT.to_owned()) };
        let wrong = match (good, signed) {
            (true, _) => "",
            (false, true) => ", another text than was signed",
            (false, false) => ", for somebody else",
        };
        Ok(Self {
            good,
            what: format!("{}{wrong}", scenario.name()),
            arguments: OpenArguments {
                dir: dir.to_string_lossy().into_owned(),
                message: name,
                keys: scenario.recipient.map(|_| key).into_iter().collect(),
                anchors: Some(files::ANCHORS.to_owned()),
                clock: Some(clock),
                policy: scenario.signature.and_then(|value| value.policy.clone()),
                out: "content".to_owned(),
                ..OpenArguments::default()
            },
            layers: scenario.layers().len(),
        })
    }
}

fn write_step(engine: &mut Engine, step: &Step) -> Result<(), ExamError> {
    let answer = match step {
        Step::Sign(arguments) => engine.sign(arguments),
        Step::Encrypt(arguments) => engine.encrypt(arguments),
    };
    match answer {
        Ok(Answer::Wrote(_)) => Ok(()),
        Ok(Answer::Error(error, _) | Answer::Unsupported(error)) => Err(ExamError::Writer(error)),
        other => Err(ExamError::Writer(format!("{other:?}"))),
    }
}

/// A text with a word in it.
pub(super) fn entity(word: &str) -> String {
    format!(
        "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\nThe word is {word}.\r\n"
    )
}

/// Sixteen letters.
pub(super) fn random_word() -> String {
    let mut octets = [0; 16];
    SystemRandom.fill(&mut octets);
    octets.iter().map(|octet| char::from(b'a' + octet % 26)).collect()
}

/// The same mail, a letter of the word exchanged for another one: where it
/// stands, or in the base64 of an opaque signature.
fn with_another_word(mail: &[u8], word: &str) -> Option<Vec<u8>> {
    let mut changed = mail.to_vec();
    if let Some(place) = find(mail, word.as_bytes()) {
        change(changed.get_mut(place)?);
        return Some(changed);
    }
    let body = find(mail, b"\r\n\r\n")? + 4;
    let text: Vec<u8> = mail.get(body..)?.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let mut object = STANDARD.decode(text).ok()?;
    let place = find(&object, word.as_bytes())?;
    change(object.get_mut(place)?);
    changed.truncate(body);
    for line in STANDARD.encode(object).as_bytes().chunks(64) {
        changed.extend_from_slice(line);
        changed.extend_from_slice(b"\r\n");
    }
    Some(changed)
}

const fn change(letter: &mut u8) {
    *letter = if *letter == b'z' { b'a' } else { *letter + 1 };
}

fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    octets.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::super::{Told, judge};
    use super::*;
    use waxseal_model::Corpus;

    #[test]
    fn a_bad_mail_differs_in_one_letter_of_what_was_signed() {
        let clear = b"Content-Type: text/plain\r\n\r\nThe word is abcz.\r\n";
        assert_eq!(with_another_word(clear, "abcz").unwrap(), b"Content-Type: text/plain\r\n\r\nThe word is bbcz.\r\n");
        let opaque = format!("X: y\r\n\r\n{}\r\n", STANDARD.encode("0123zoo789"));
        let changed = with_another_word(opaque.as_bytes(), "zoo").unwrap();
        let body = String::from_utf8(changed).unwrap().split_once("\r\n\r\n").unwrap().1.trim().to_owned();
        assert_eq!(STANDARD.decode(body).unwrap(), b"0123aoo789");
        assert_eq!(with_another_word(clear, "elsewhere"), None);
    }

    #[test]
    fn the_engine_tells_good_mail_from_bad() {
        let corpus = Corpus::embedded().unwrap();
        let hello = Engine::default().hello().unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let scenarios = corpus.matrix().scenarios();
        let now = corpus.matrix().clock.date_time();
        for (number, name) in [
            "clear.ecdsa.small",
            "opaque.ecdsa.small",
            "encrypted.ecdh.aes-256-gcm.small",
            "signed-encrypted.ecdsa.ecdh.aes-128-cbc.small",
            "opaque.sm2-gmssl.small",
            "encrypted.sm2.sm4-cbc.small",
        ]
        .iter()
        .enumerate()
        {
            let scenario = scenarios.iter().find(|scenario| scenario.name() == *name).unwrap();
            for good in [true, false] {
                let dir = scratch.path().join(format!("{number}-{good}"));
                let question = Question::write(corpus.pki(), scenario, good, &dir, now).unwrap();
                let Ok(Answer::Verdict(verdict, _)) = Engine::default().open(&question.arguments) else { panic!() };
                let told = judge(&verdict, &hello, question.layers);
                let expected = if good { told == Told::Good } else { matches!(told, Told::Bad(_)) };
                assert!(expected, "{name} {good}: {told}");
            }
        }
    }
}
