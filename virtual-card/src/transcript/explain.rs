//! A session in words of NIST SP 800-73-4 and ISO/IEC 7816.

use serde::Serialize;

use super::{
    Transcript,
    follow::{Exchange, Outcome, Step},
    names,
    operations::{Watch, environment, piv_operation},
};
use crate::{Command, StatusWord, piv, pkcs15, tlv};

/// What a step of a session was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The line of the transcript, as a file of it counts them, the head being 1.
    pub line: usize,
    /// The name of the command.
    pub command: String,
    /// What it is about: the application, object, key or file, and what is to
    /// be done with it.
    pub about: String,
    /// How many command APDUs it took: more than one where it was chained.
    pub commands: usize,
    /// How many times GET RESPONSE asked for the rest of the response.
    pub get_responses: usize,
    /// The status word in hexadecimal; `null` where none came.
    pub status: Option<String>,
    /// What the status word says, or why there is none.
    pub meaning: String,
    /// Octets of response data.
    pub answer: usize,
}

/// Explains a session, whole command by whole command.
#[must_use]
pub fn explain(transcript: &Transcript) -> Vec<Explained> {
    let mut watch = Watch::default();
    let mut explained = Vec::new();
    for step in transcript.steps() {
        if let Step::Exchange(exchange) = &step {
            explained.push(exchange_in_words(exchange, &watch));
        }
        watch.step(&step);
    }
    explained
}

/// The explanation as lines of text.
#[must_use]
pub fn text(explained: &[Explained]) -> String {
    explained.iter().map(line_of_text).collect()
}

fn line_of_text(step: &Explained) -> String {
    let mut extent = Vec::new();
    if step.commands > 1 {
        extent.push(format!("{} chained commands", step.commands));
    }
    if step.answer > 0 {
        extent.push(plural(step.answer, "octet"));
    }
    if step.get_responses > 0 {
        extent.push(format!("{} GET RESPONSE", step.get_responses));
    }
    let about = if step.about.is_empty() { String::new() } else { format!(": {}", step.about) };
    let extent = if extent.is_empty() { String::new() } else { format!(" ({})", extent.join(", ")) };
    let status = step.status.as_deref().unwrap_or("----");
    format!("{:>4}  {}{about}\n      {status} {}{extent}\n", step.line, step.command, step.meaning)
}

fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn exchange_in_words(exchange: &Exchange, watch: &Watch) -> Explained {
    let (command, about) = match &exchange.command {
        Some(command) => (name(command), about(command, exchange, watch)),
        None => ("no command".to_owned(), format!("{} octets whose lengths do not fit", exchange.raw.len())),
    };
    let (status, meaning, answer) = match &exchange.outcome {
        Outcome::Answered { data, status, .. } => {
            (Some(status.to_string()), meaning(*status, exchange.command.as_ref()), data.len())
        }
        Outcome::Failed(failure) => (None, format!("no answer: {}", failure.word()), 0),
        Outcome::Unfinished => (None, "no answer: unfinished".to_owned(), 0),
    };
    let Exchange { line, commands, get_responses, .. } = *exchange;
    Explained { line, command, about, commands, get_responses, status, meaning, answer }
}

/// A status word that says another thing after some commands.
fn meaning(status: StatusWord, command: Option<&Command>) -> String {
    let asks_only = command.is_some_and(|command| command.instruction == 0x20 && command.data.is_empty());
    match (status.tries(), asks_only) {
        (Some(_), true) => status.meaning().replace("verification failed", "not verified"),
        _ => status.meaning(),
    }
}

fn name(command: &Command) -> String {
    match command.header() {
        [_, 0x2A, p1, p2] if (p1, p2) == pkcs15::COMPUTE_DIGITAL_SIGNATURE => "COMPUTE DIGITAL SIGNATURE".to_owned(),
        [_, 0x2A, p1, p2] if (p1, p2) == pkcs15::DECIPHER => "DECIPHER".to_owned(),
        [_, instruction, ..] => names::instruction(instruction),
    }
}

fn about(command: &Command, exchange: &Exchange, watch: &Watch) -> String {
    let Command { p1, p2, data, .. } = command;
    match command.instruction {
        0xA4 if *p1 == 4 => names::application(data).to_owned(),
        0xA4 if data.is_empty() => names::file(&[0x3F, 0x00]),
        0xA4 => names::file(data),
        0xB0 => format!("{} octets from {}", octets(command.expected), u16::from_be_bytes([*p1, *p2])),
        0x20 if *p1 == 0xFF => format!("forget {}", names::reference_data(*p2, watch.application)),
        0x20 if data.is_empty() => format!("is {} needed?", names::reference_data(*p2, watch.application)),
        0x20 | 0x24 | 0x2C => names::reference_data(*p2, watch.application),
        0xCB | 0xDB => data_object(command, exchange),
        0x47 => names::piv_key(*p2),
        0x87 => general_authenticate(command),
        0x22 => security_environment(command),
        0x2A => security_operation(command, watch),
        0x84 => format!("{} random octets", octets(command.expected)),
        _ => String::new(),
    }
}

fn octets(expected: Option<usize>) -> String {
    expected.map_or_else(|| "no".to_owned(), |expected| format!("up to {expected}"))
}

fn data_object(command: &Command, exchange: &Exchange) -> String {
    if exchange.blanked {
        return "a private key".to_owned();
    }
    let tag = tlv::find(&command.data, 0x5C).filter(|tag| (1..=3).contains(&tag.len()));
    match (tag, tlv::read(&command.data)) {
        (Some(tag), _) => names::data_object(tag.iter().fold(0, |tag, octet| tag << 8 | u32::from(*octet))),
        (None, Some((object, _))) => names::data_object(object.tag),
        (None, None) => "no data object".to_owned(),
    }
}

fn general_authenticate(command: &Command) -> String {
    let (algorithm, key) = (command.p1, names::piv_key(command.p2));
    if command.p2 == piv::MANAGEMENT_KEY {
        return format!("{key}, {}", management(&command.data));
    }
    let algorithm = names::piv_algorithm(algorithm);
    let what = match piv_operation(command.p2, &command.data) {
        Some(operation) => operation.name(),
        None => "a template without a challenge",
    };
    format!("{key}, {algorithm}, {what}")
}

/// Which step of an authentication with the card management key this is (SP
/// 800-73-4 part 2 section 3.2.4).
fn management(data: &[u8]) -> &'static str {
    let template = tlv::only(data, piv::TEMPLATE).unwrap_or_default();
    let part = |tag| tlv::find(template, tag);
    match (part(piv::WITNESS), part(piv::CHALLENGE), part(piv::RESPONSE)) {
        (Some([]), None, None) => "ask for a witness",
        (Some(_), Some(_), _) => "give the witness and a challenge back",
        (None, Some([]), _) => "ask for a challenge",
        (None, None, Some(_)) => "give the response back",
        _ => "no step of an authentication",
    }
}

fn security_environment(command: &Command) -> String {
    let purpose = match command.p2 {
        pkcs15::SIGNATURE_TEMPLATE => "to sign",
        pkcs15::CONFIDENTIALITY_TEMPLATE => "to decipher",
        0xA4 => "to authenticate",
        _ => "for something else",
    };
    match (command.p1, environment(command)) {
        (0x41, Some((algorithm, key))) => format!("{purpose}: key {key:02X}, {}", names::pkcs15_algorithm(algorithm)),
        (0x41, None) => format!("{purpose}: algorithm or key are missing"),
        (0xF3, _) => "forget it".to_owned(),
        _ => String::new(),
    }
}

fn security_operation(command: &Command, watch: &Watch) -> String {
    let len = plural(command.data.len(), "octet");
    match watch.environment {
        Some((algorithm, key)) => format!("key {key:02X}, {}, {len}", names::pkcs15_algorithm(algorithm)),
        None => format!("no key was set, {len}"),
    }
}
