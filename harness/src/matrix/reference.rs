//! What the reference engine says of a mail that somebody else wrote, asked in
//! this process. A fault of the engine must not end the run: a panic and a
//! computation without an end are answers, too.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::shim::engine::Engine;
use crate::shim::protocol::{Answer, OpenArguments};
use crate::shim::serve::{Crash, Shim};
use crate::sut::left;

/// How long it may take over one mail, which has at most some megabytes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets the engine read a mail of a directory that a shim wrote in.
///
/// # Errors
/// The fault of the engine or the machine; what is wrong with the mail is in the answer.
pub(crate) fn open(arguments: &OpenArguments) -> Result<Answer, String> {
    let out = Path::new(&arguments.dir).join(&arguments.out);
    left::clear(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let arguments = arguments.clone();
    let answer = within(PATIENCE, move || Engine::default().open(&arguments))?;
    answer.map_err(|Crash(how)| format!("the engine crashed: {how}"))
}

/// Does something on a thread of its own. One that takes too long is left
/// behind: there is no way to end it but with the process.
fn within<T: Send + 'static>(time: Duration, work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let (sender, result) = mpsc::sync_channel(1);
    let work = move || {
        // Nobody listens any more if it took too long.
        let _ = sender.send(work());
    };
    let started = std::thread::Builder::new().name("reference".to_owned()).spawn(work);
    started.map_err(|error| format!("the engine cannot be asked: {error}"))?;
    result.recv_timeout(time).map_err(|error| match error {
        RecvTimeoutError::Disconnected => "the engine panicked; please report it with the mail".to_owned(),
        RecvTimeoutError::Timeout => {
            format!("the engine had no answer within {} s; please report it with the mail", time.as_secs_f64())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_an_answer() {
        let second = Duration::from_secs(1);
        assert_eq!(within(60 * second, || 7), Ok(7));
        let panicked = within(60 * second, || panic!("in a test"));
        assert_eq!(panicked, Err::<u8, _>("the engine panicked; please report it with the mail".to_owned()));
        let (keep, never) = mpsc::channel::<()>();
        let waits = within(second / 10, move || never.recv().is_ok());
        assert!(waits.unwrap_err().starts_with("the engine had no answer within 0.1 s"));
        drop(keep);
    }

    /// What a shim left where the engine writes to: a pipe would be waited for.
    #[test]
    fn the_engine_writes_into_no_pipe() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mail"), "Content-Type: text/plain\r\n\r\nx\r\n").unwrap();
        assert!(std::process::Command::new("mkfifo").arg(dir.path().join("out")).status().unwrap().success());
        let arguments = OpenArguments {
            dir: dir.path().to_str().unwrap().to_owned(),
            message: "mail".to_owned(),
            out: "out".to_owned(),
            ..OpenArguments::default()
        };
        assert!(matches!(open(&arguments), Ok(Answer::Verdict(..))));
    }
}
