//! The shim side of the protocol: reads requests, writes answers.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Write};

use waxseal_verdict::Hello;

use super::protocol::{
    Answer, AnswerLine, CheckCertificateArguments, EncryptArguments, OpenArguments, Request, SignArguments, op,
};

/// An implementation that can be reached through the protocol.
pub trait Shim {
    /// What it is and what it can do; or why it is not there.
    ///
    /// # Errors
    /// Why the implementation cannot be used on this machine.
    fn hello(&mut self) -> Result<Hello, String>;

    /// Names of the settings that a request to write can have (`settings`).
    fn settings(&self) -> &'static [&'static str] {
        &[]
    }

    /// Reads a message and judges it.
    ///
    /// # Errors
    /// The implementation crashed. The shim then ends without an answer, so
    /// that the runner sees the crash.
    fn open(&mut self, arguments: &OpenArguments) -> Result<Answer, Crash>;

    /// Signs a mail.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    fn sign(&mut self, _: &SignArguments) -> Result<Answer, Crash> {
        Ok(not_offered(op::SIGN))
    }

    /// Encrypts a mail for correspondents.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    fn encrypt(&mut self, _: &EncryptArguments) -> Result<Answer, Crash> {
        Ok(not_offered(op::ENCRYPT))
    }

    /// Judges chain and identity of a certificate.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    fn check_certificate(&mut self, _: &CheckCertificateArguments) -> Result<Answer, Crash> {
        Ok(not_offered(op::CHECK_CERTIFICATE))
    }
}

fn not_offered(operation: &str) -> Answer {
    Answer::Unsupported(format!("the operation {operation} is not offered"))
}

fn knows(shim: &dyn Shim, settings: &BTreeMap<String, String>) -> bool {
    settings.keys().all(|name| shim.settings().contains(&name.as_str()))
}

fn no_setting(settings: &BTreeMap<String, String>) -> Answer {
    let names: Vec<&str> = settings.keys().map(String::as_str).collect();
    Answer::Unsupported(format!("not every setting is known: {}", names.join(", ")))
}

/// The implementation behind a shim crashed: how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash(pub String);

/// An implementation that is not on this machine, and why.
#[derive(Debug, Clone)]
pub struct Absent(pub String);

impl Shim for Absent {
    fn hello(&mut self) -> Result<Hello, String> {
        Err(self.0.clone())
    }

    fn open(&mut self, _: &OpenArguments) -> Result<Answer, Crash> {
        Ok(Answer::Unsupported(self.0.clone()))
    }
}

/// Why a shim stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Standard input or output is closed or broken.
    #[error("the pipe to the harness broke: {0}")]
    Pipe(#[from] io::Error),
    /// The implementation crashed.
    #[error("the implementation crashed: {0}")]
    Crash(String),
}

/// Answers requests until the input ends.
///
/// # Errors
/// The pipes broke, or the implementation crashed.
pub fn serve(shim: &mut dyn Shim, requests: impl BufRead, mut answers: impl Write) -> Result<(), ServeError> {
    for line in requests.lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = answer(shim, &line).map_err(|Crash(how)| ServeError::Crash(how))?;
        serde_json::to_writer(&mut answers, &answer).map_err(io::Error::from)?;
        answers.write_all(b"\n")?;
        answers.flush()?;
    }
    Ok(())
}

fn answer(shim: &mut dyn Shim, line: &str) -> Result<AnswerLine, Crash> {
    let request: Request = match serde_json::from_str(line) {
        Ok(request) => request,
        Err(error) => {
            return Ok(Answer::Error(format!("the request is not understood: {error}"), None).into_line(0));
        }
    };
    let answer = match request.op.as_str() {
        op::HELLO => match shim.hello() {
            Ok(hello) => Answer::Hello(hello),
            Err(why) => Answer::Unsupported(why),
        },
        op::OPEN => match request.arguments::<OpenArguments>() {
            Ok(arguments) => shim.open(&arguments)?,
            Err(error) => Answer::Error(format!("open: {error}"), None),
        },
        op::SIGN => match request.arguments() {
            Ok(SignArguments { settings, .. }) if !knows(shim, &settings) => no_setting(&settings),
            Ok(arguments) => shim.sign(&arguments)?,
            Err(error) => Answer::Error(format!("sign: {error}"), None),
        },
        op::ENCRYPT => match request.arguments() {
            Ok(EncryptArguments { settings, .. }) if !knows(shim, &settings) => no_setting(&settings),
            Ok(arguments) => shim.encrypt(&arguments)?,
            Err(error) => Answer::Error(format!("encrypt: {error}"), None),
        },
        op::CHECK_CERTIFICATE => match request.arguments() {
            Ok(arguments) => shim.check_certificate(&arguments)?,
            Err(error) => Answer::Error(format!("check-certificate: {error}"), None),
        },
        other => not_offered(other),
    };
    Ok(answer.into_line(request.id))
}

/// A set of names, for a declaration.
pub(crate) fn names(names: &str) -> BTreeSet<String> {
    names.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake;

    impl Shim for Fake {
        fn hello(&mut self) -> Result<Hello, String> {
            Err("not here".to_owned())
        }

        fn open(&mut self, arguments: &OpenArguments) -> Result<Answer, Crash> {
            if arguments.message == "crash" {
                Err(Crash("boom".to_owned()))
            } else {
                Ok(Answer::Error("x".to_owned(), None))
            }
        }
    }

    fn say(requests: &str) -> (String, Result<(), ServeError>) {
        let mut answers = Vec::new();
        let result = serve(&mut Fake, requests.as_bytes(), &mut answers);
        (String::from_utf8(answers).unwrap(), result)
    }

    #[test]
    fn every_request_gets_one_line() {
        let (answers, result) = say(concat!(
            "{\"id\":1,\"op\":\"hello\",\"protocol\":1}\n\n",
            "{\"id\":2,\"op\":\"juggle\"}\n",
            "{\"id\":3,\"op\":\"open\"}\n",
            "nonsense\n",
            "{\"id\":4,\"op\":\"open\",\"dir\":\".\",\"message\":\"m\",\"out\":\"o\"}\n",
            "{\"id\":5,\"op\":\"sign\",\"dir\":\".\",\"message\":\"m\",\"key\":{\"key\":\"k\"},\"out\":\"o\",",
            "\"settings\":{\"a\":\"b\"}}",
        ));
        assert!(result.is_ok());
        let lines: Vec<_> = answers.lines().collect();
        assert_eq!(lines[0], r#"{"id":1,"unsupported":"not here"}"#);
        assert_eq!(lines[1], r#"{"id":2,"unsupported":"the operation juggle is not offered"}"#);
        assert_eq!(lines[2], r#"{"id":3,"error":"open: missing field `dir`"}"#);
        assert!(lines[3].starts_with(r#"{"id":0,"error":"the request is not understood"#));
        assert_eq!(lines[4], r#"{"id":4,"error":"x"}"#);
        assert_eq!(lines[5], r#"{"id":5,"unsupported":"not every setting is known: a"}"#);
    }

    #[test]
    fn a_crash_ends_the_shim_without_an_answer() {
        let (answers, result) = say(r#"{"id":1,"op":"open","dir":".","message":"crash","out":"o"}"#);
        assert!(answers.is_empty() && matches!(result, Err(ServeError::Crash(_))), "{answers}");
    }
}
