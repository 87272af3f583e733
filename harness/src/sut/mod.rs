//! The implementations under test: what each one is called, how its shim is
//! started, and its admission.

pub mod child;
pub(crate) mod ending;
pub(crate) mod guard;
pub(crate) mod left;
pub(crate) mod scratch;
pub(crate) mod words;

use std::path::PathBuf;

use waxseal_verdict::{Hello, Operation, SutRecord};

use crate::matrix::replica;
use crate::shim::protocol::{Answer, Request};
use crate::shim::shipped::{SHIPPED, Shipped};
use child::{Failure, ShimCommand, ShimLimits, ShimProcess};
pub use guard::guarded_by;
use words::shorten;

/// An implementation under test.
#[derive(Debug, Clone)]
pub struct Sut {
    /// Its name in the run: that of a shipped shim, or the file name of a user's.
    pub name: String,
    /// How its shim is started.
    pub command: ShimCommand,
    /// Whether the user named it: then its failures decide the exit code.
    pub named: bool,
    /// What its shim said of itself, or why it takes no part.
    pub admission: Result<Hello, String>,
}

/// Why a name given by the user is no SUT.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SutError {
    /// Neither a shipped shim nor a file.
    #[error("{0}: no shim of this name ({names}) and no such file", names = Shipped::names().join(", "))]
    Unknown(String),
    /// This program's own file cannot be found, so its shims cannot be started.
    #[error("the shims that are part of this program cannot be started: {0}")]
    OwnProgram(String),
}

impl Sut {
    /// The SUTs that the user named; with nothing named, or `with_peers`, every shipped one, too.
    ///
    /// They are not yet admitted: see [`Sut::admit`].
    ///
    /// # Errors
    /// A name that is neither a shipped shim nor a file.
    pub fn choose(wanted: &[String], with_peers: bool) -> Result<Vec<Self>, SutError> {
        let mut suts: Vec<Self> = Vec::new();
        for name in wanted {
            let sut = match Shipped::named(name) {
                Some(shipped) => Self::shipped(shipped, true)?,
                None => Self::from_file(name)?,
            };
            if suts.iter().all(|other| other.command != sut.command) {
                suts.push(sut);
            }
        }
        tell_apart(&mut suts);
        for shipped in SHIPPED.iter().filter(|_| wanted.is_empty() || with_peers) {
            if suts.iter().all(|sut| sut.name != shipped.name) {
                suts.push(Self::shipped(shipped, false)?);
            }
        }
        Ok(suts)
    }

    fn shipped(shipped: &Shipped, named: bool) -> Result<Self, SutError> {
        let program = std::env::current_exe().map_err(|error| SutError::OwnProgram(error.to_string()))?;
        let arguments = vec!["shim".to_owned(), shipped.name.to_owned()];
        Ok(Self::new(shipped.name.to_owned(), ShimCommand { program, arguments }, named))
    }

    fn from_file(path: &str) -> Result<Self, SutError> {
        // Absolute, because a name without a slash would be sought on PATH.
        let program = PathBuf::from(path).canonicalize().map_err(|_| SutError::Unknown(path.to_owned()))?;
        let name = program.file_stem().map_or_else(|| path.to_owned(), |stem| stem.to_string_lossy().into_owned());
        Ok(Self::new(name, ShimCommand { program, arguments: Vec::new() }, true))
    }

    /// A SUT that was not yet admitted.
    #[must_use]
    pub fn new(name: String, command: ShimCommand, named: bool) -> Self {
        Self { name, command, named, admission: Err("not yet asked".to_owned()) }
    }

    /// Starts the shim once and lets it take part if it says who it is and
    /// refuses an operation that does not exist.
    pub fn admit(&mut self, limits: ShimLimits) {
        self.admission = match ShimProcess::start(&self.command, limits) {
            Ok(mut shim) => hello_of(&mut shim),
            Err(failure) => Err(shorten(&failure.to_string())),
        };
    }

    /// What the run record says of this SUT.
    #[must_use]
    pub fn record(&self) -> SutRecord {
        SutRecord {
            name: self.name.clone(),
            version: self.admission.as_ref().ok().map(|hello| hello.version.clone()),
            named: self.named,
            reference: Some(Shipped::is_reference(&self.name)),
            not_available: self.admission.as_ref().err().cloned(),
            writes: self.admission.as_ref().map(|hello| hello.writes.clone()).unwrap_or_default(),
        }
    }
}

/// Two shims of the same file name, or one that is called like a shipped one,
/// get a number behind their names; one that is called like a replica gets a
/// word before its name, so that its mail does not pass for the engine's.
fn tell_apart(suts: &mut [Sut]) {
    let own = std::env::current_exe().ok();
    let mut taken: Vec<String> = Shipped::names().into_iter().map(str::to_owned).collect();
    for sut in suts.iter_mut().filter(|sut| Some(&sut.command.program) != own.as_ref()) {
        let name = match sut.name.starts_with(replica::PREFIX) {
            true => format!("shim-{}", sut.name),
            false => sut.name.clone(),
        };
        sut.name.clone_from(&name);
        let mut number = 2;
        while taken.contains(&sut.name) {
            sut.name = format!("{name}-{number}");
            number += 1;
        }
        taken.push(sut.name.clone());
    }
}

/// Asks for `hello` and for an operation that no shim has. Why it is not admitted
/// is a line: it stands in every entry of a plan.
pub(crate) fn hello_of(shim: &mut ShimProcess) -> Result<Hello, String> {
    asked_for_hello(shim).map_err(|why| shorten(&why))
}

fn asked_for_hello(shim: &mut ShimProcess) -> Result<Hello, String> {
    let hello = match shim.ask(&Request::hello(shim.next_id())) {
        Ok(Answer::Hello(hello)) => hello,
        Ok(Answer::Unsupported(why)) => return Err(why),
        Ok(other) => return Err(format!("not admitted: hello was answered {}", short(&other))),
        Err(failure) => return Err(format!("not admitted: hello: {}", with_stderr(&failure, shim))),
    };
    if !hello.operations.contains(&Operation::Open) {
        return Err("not admitted: it does not offer the operation open".to_owned());
    }
    match shim.ask(&Request::unknown(shim.next_id())) {
        Ok(Answer::Unsupported(_)) => Ok(hello),
        Ok(other) => Err(format!(
            "not admitted: an operation that does not exist was answered {} instead of unsupported",
            short(&other)
        )),
        Err(failure) => Err(format!("not admitted: an operation that does not exist: {}", with_stderr(&failure, shim))),
    }
}

fn short(answer: &Answer) -> String {
    match answer {
        Answer::Hello(_) => "hello".to_owned(),
        Answer::Verdict(..) => "with a verdict".to_owned(),
        Answer::Wrote(_) => "wrote".to_owned(),
        Answer::Refused(_) => "refused".to_owned(),
        Answer::Certificate(_) => "with a judged certificate".to_owned(),
        Answer::Unsupported(_) => "unsupported".to_owned(),
        Answer::Error(error, _) => format!("with the error {error:?}"),
    }
}

fn with_stderr(failure: &Failure, shim: &ShimProcess) -> String {
    match shim.stderr().lines().last() {
        Some(line) => format!("{failure} ({line})"),
        None => failure.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No shim of a user is taken for the reference, for a replica, or for another shim.
    #[test]
    fn names_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let paths =
            ["a/engine", "b/engine", "engine-rustcrypto", "engine-2x", "replica-gmail", "c/replica-gmail", "mine"];
        let paths = paths.map(|name| dir.path().join(name));
        for path in &paths {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let wanted = paths.map(|path| path.to_str().unwrap().to_owned());
        let wanted: Vec<String> = std::iter::once("engine".to_owned()).chain(wanted).collect();
        let suts = Sut::choose(&wanted, false).unwrap();
        let names: Vec<&str> = suts.iter().map(|sut| sut.name.as_str()).collect();
        let expected = [
            "engine",
            "engine-2",
            "engine-3",
            "engine-rustcrypto-2",
            "engine-2x",
            "shim-replica-gmail",
            "shim-replica-gmail-2",
            "mine",
        ];
        assert_eq!(names, expected);
        let reference: Vec<String> =
            suts.iter().map(Sut::record).filter(SutRecord::is_reference).map(|record| record.name).collect();
        assert_eq!(reference, ["engine"]);
    }
}
