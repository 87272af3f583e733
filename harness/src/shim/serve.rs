//! The shim side of the protocol: reads requests, writes answers.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};

use waxseal_verdict::Hello;

use super::protocol::{Answer, AnswerLine, OpenArguments, Request, op};

/// An implementation that can be reached through the protocol.
pub trait Shim {
    /// What it is and what it can do; or why it is not there.
    ///
    /// # Errors
    /// Why the implementation cannot be used on this machine.
    fn hello(&mut self) -> Result<Hello, String>;

    /// Reads a message and judges it.
    fn open(&mut self, arguments: &OpenArguments) -> Answer;
}

/// Answers requests until the input ends.
///
/// # Errors
/// Standard input or output is closed or broken.
pub fn serve(shim: &mut dyn Shim, requests: impl BufRead, mut answers: impl Write) -> io::Result<()> {
    for line in requests.lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = answer(shim, &line);
        serde_json::to_writer(&mut answers, &answer)?;
        answers.write_all(b"\n")?;
        answers.flush()?;
    }
    Ok(())
}

fn answer(shim: &mut dyn Shim, line: &str) -> AnswerLine {
    let request: Request = match serde_json::from_str(line) {
        Ok(request) => request,
        Err(error) => return Answer::Error(format!("the request is not understood: {error}"), None).into_line(0),
    };
    let answer = match request.op.as_str() {
        op::HELLO => match shim.hello() {
            Ok(hello) => Answer::Hello(hello),
            Err(why) => Answer::Unsupported(why),
        },
        op::OPEN => match request.arguments::<OpenArguments>() {
            Ok(arguments) => shim.open(&arguments),
            Err(error) => Answer::Error(format!("open: {error}"), None),
        },
        other => Answer::Unsupported(format!("the operation {other} is not offered")),
    };
    answer.into_line(request.id)
}

/// A set of names, for a declaration.
pub(crate) fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
