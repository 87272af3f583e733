//! A program that is driven: started in the directory of a case, listened to,
//! and its command line left there, so that a kept case repeats by hand.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use waxseal_verdict::shell_word;

use super::faketime::Faketime;
use super::protocol::Answer;
use super::serve::Crash;

/// Octets that a program may say on each of its outputs: gpgsm says 330 of each signer.
const MOST_WORDS: u64 = 1 << 20;

/// Why a program has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Something is wrong around it.
    Shim(String),
    /// The program itself crashed.
    Crash(String),
}

impl From<String> for Trouble {
    fn from(what: String) -> Self {
        Self::Shim(what)
    }
}

impl Trouble {
    /// The same as an answer; a crash has none.
    pub(crate) fn answer(result: Result<Answer, Self>) -> Result<Answer, Crash> {
        match result {
            Ok(answer) => Ok(answer),
            Err(Self::Shim(error)) => Ok(Answer::Error(error, None)),
            Err(Self::Crash(how)) => Err(Crash(how)),
        }
    }
}

/// What a program said: all of it, since who reads it concludes from what is absent, too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ran {
    /// Whether its exit code was 0.
    pub(crate) success: bool,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) words: String,
}

/// One command, before it runs.
#[derive(Debug)]
pub(crate) struct Run {
    program: OsString,
    command: Command,
    dir: PathBuf,
    /// A file of the directory in the place of standard input.
    input: Option<String>,
}

impl Run {
    /// A program, to be run in a directory, in the language C, without input.
    pub(crate) fn new(program: impl AsRef<OsStr>, dir: &Path) -> Self {
        let program = program.as_ref().to_owned();
        let mut command = Command::new(&program);
        command.current_dir(dir).env("LC_ALL", "C");
        Self { program, command, dir: dir.to_owned(), input: None }
    }

    /// Further arguments.
    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    /// A variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Reads standard input from a file of the directory.
    pub(crate) fn input(mut self, file: &str) -> Self {
        self.input = Some(file.to_owned());
        self
    }

    /// Lets it believe that it is this time, an RFC 3339 time; now if there is none.
    pub(crate) fn at(mut self, faketime: Option<&Faketime>, clock: Option<&String>) -> Result<Self, Trouble> {
        if let Some(clock) = clock {
            let faketime = faketime.ok_or_else(|| format!("clock {clock}: {}", Faketime::ABSENT))?;
            faketime.at(&mut self.command, clock)?;
        }
        Ok(self)
    }

    /// Runs it to its end.
    ///
    /// There is no time limit here: the runner ends this shim with all it started.
    ///
    /// # Errors
    /// It cannot be started, it crashed, or it said more than can be kept.
    pub(crate) fn go(mut self) -> Result<Ran, Trouble> {
        self.note();
        let name = self.name();
        let file = |name: &str, file: io::Result<File>| {
            file.map(Stdio::from).map_err(|error| Trouble::Shim(format!("{name}: {error}")))
        };
        let stdin = match &self.input {
            Some(input) => file(input, File::open(self.dir.join(input)))?,
            None => Stdio::null(),
        };
        let spawned = self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| Trouble::Shim(format!("{name} cannot be started: {error}")))?;
        // Both are read at once: a program that waits for one of them to be read would never end.
        let out = child.stdout.take().map(|pipe| std::thread::Builder::new().spawn(move || listen(pipe)));
        let out = out.transpose().map_err(|error| {
            // Errors mean that it has ended.
            let _ = child.kill();
            let _ = child.wait();
            format!("nobody could listen to {name}: {error}")
        })?;
        let words = child.stderr.take().map_or_else(|| Ok(String::new()), listen);
        let gone = |_| Err(io::Error::other("the thread that listened is gone"));
        let out = out.map_or_else(|| Ok(String::new()), |out| out.join().unwrap_or_else(gone));
        let status = child.wait().map_err(|error| Trouble::Shim(format!("{name} was lost: {error}")))?;
        if status.code().is_none() {
            return Err(Trouble::Crash(format!("{name} ended by {status}")));
        }
        let heard = |what: &str, words: io::Result<String>| words.map_err(|error| format!("{what} of {name}: {error}"));
        let (out, words) = (heard("standard output", out)?, heard("standard error", words)?);
        Ok(Ran { success: status.success(), out, words })
    }

    fn name(&self) -> String {
        Path::new(&self.program).file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Leaves the command in the directory.
    fn note(&self) {
        let set = self.command.get_envs().filter_map(|(name, value)| Some((name.to_string_lossy(), value?)));
        let set = set.filter(|(name, _)| name != "LC_ALL");
        let mut words: Vec<_> =
            set.map(|(name, value)| format!("{name}={}", shell_word(&value.to_string_lossy()))).collect();
        let name = self.name();
        words.push(shell_word(&name));
        words.extend(self.command.get_args().map(|argument| shell_word(&argument.to_string_lossy())));
        words.extend(self.input.iter().map(|file| format!("< {}", shell_word(file))));
        let line = words.join(" ") + "\n";
        let file = OpenOptions::new().create(true).append(true).open(self.dir.join(format!("{name}-commands.sh")));
        // A directory that cannot be written to fails at the command itself.
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}

/// What stands on a pipe. What is beyond the limit is read and dropped, so that the program can end; nobody
/// can then say what it said.
fn listen(mut pipe: impl Read) -> io::Result<String> {
    let mut words = Vec::new();
    (&mut pipe).take(MOST_WORDS).read_to_end(&mut words)?;
    match io::copy(&mut pipe, &mut io::sink())? {
        0 => Ok(String::from_utf8_lossy(&words).into_owned()),
        _ => Err(io::Error::other(format!("more than {MOST_WORDS} octets; what was not kept may be what counts"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_heard_and_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("in"), "content").unwrap();
        let script = r#"cat; echo "$WORD" >&2; exit 3"#;
        let run = Run::new("/bin/sh", dir.path()).args(["-c", script]).env("WORD", "a b").input("in");
        let ran = run.go().unwrap();
        assert_eq!(ran, Ran { success: false, out: "content".to_owned(), words: "a b\n".to_owned() });
        let noted = std::fs::read_to_string(dir.path().join("sh-commands.sh")).unwrap();
        assert_eq!(noted, format!("WORD='a b' sh -c '{script}' < in\n"));
        // What was left behind does the same again.
        std::fs::rename(dir.path().join("sh-commands.sh"), dir.path().join("again.sh")).unwrap();
        let again = Run::new("sh", dir.path()).args(["again.sh"]).go().unwrap();
        assert_eq!(again, ran);
    }

    #[test]
    fn a_signal_is_a_crash() {
        let dir = tempfile::tempdir().unwrap();
        let crash = Run::new("sh", dir.path()).args(["-c", "kill -SEGV $$"]).go();
        assert!(matches!(&crash, Err(Trouble::Crash(how)) if how.contains("signal: 11")), "{crash:?}");
        let missing = Run::new("waxseal-no-such-program", dir.path()).go();
        assert!(matches!(&missing, Err(Trouble::Shim(why)) if why.contains("cannot be started")), "{missing:?}");
    }

    #[test]
    fn what_cannot_be_kept_is_said_and_does_not_stop_it() {
        let dir = tempfile::tempdir().unwrap();
        let say = |octets: u64, pipe: &str| {
            let script = format!("head -c {octets} /dev/zero | tr '\\0' x {pipe}; echo here {pipe}");
            Run::new("sh", dir.path()).args(["-c", &script]).go()
        };
        let most = MOST_WORDS - "here\n".len() as u64;
        let ran = say(most, "").unwrap();
        assert!(ran.out.ends_with("xhere\n") && ran.words.is_empty(), "{} octets", ran.out.len());
        for (pipe, which) in [("", "standard output of sh"), (">&2", "standard error of sh")] {
            let cut = say(most + 1, pipe);
            assert!(matches!(&cut, Err(Trouble::Shim(why)) if why.starts_with(which)), "{cut:?}");
        }
    }
}
