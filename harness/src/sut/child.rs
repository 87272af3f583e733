//! A shim as a child process: requests go in, answers come out, within limits.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions};

use super::ending::{self, Mark};
use super::scratch::Scratch;
use super::words::{shorten, within_limits};
use crate::shim::memory;
use crate::shim::protocol::{Answer, Request};

/// How a shim is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShimCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// What a shim may use for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShimLimits {
    /// Time until the answer.
    pub time: Duration,
    /// Octets of one answer line.
    pub answer_octets: usize,
    /// Octets of a file that the shim writes, and of all that it leaves in a case directory.
    pub file_octets: u64,
}

impl Default for ShimLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(30), answer_octets: 4 << 20, file_octets: 256 << 20 }
    }
}

/// Why there is no answer. The texts are stable: a gate file lists them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The shim cannot be started.
    #[error("cannot be started: {0}")]
    Start(String),
    /// It ended, or closed its output.
    #[error("{0}")]
    Crash(String),
    /// It did not answer in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    Hang(Duration),
    /// The line is no answer to the request.
    #[error("{0}")]
    Garbage(String),
    /// The answer is longer than allowed.
    #[error("an answer of more than {0} octets")]
    TooMuch(usize),
}

/// A running shim. It is told to end when dropped, and killed with everything
/// that it started.
#[derive(Debug)]
pub struct ShimProcess {
    child: Child,
    group: Pid,
    mark: Mark,
    /// What is written to its standard input; closed first when it is told to end.
    requests: Option<SyncSender<Vec<u8>>>,
    /// Whether it has answered everything so far.
    is_well: bool,
    answers: Receiver<FromShim>,
    stderr: Arc<Mutex<Tail>>,
    limits: ShimLimits,
    next: u64,
    /// Where its temporary files are, on disk and in memory: removed after it was killed, whatever it left.
    _scratch: (Scratch, Option<Scratch>),
}

impl ShimProcess {
    /// How their names begin: short, because the path of a socket has to fit into 107 octets.
    const SCRATCH: &str = "ws";

    /// Starts a shim in a process group of its own.
    ///
    /// # Errors
    /// [`Failure::Start`].
    pub fn start(command: &ShimCommand, limits: ShimLimits) -> Result<Self, Failure> {
        let mut tries = 10;
        loop {
            match Self::spawn(command, limits) {
                // A script that was just written may still be open for writing
                // in a process that another thread is about to start.
                Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries > 0 => {
                    tries -= 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
                result => {
                    return result.map_err(|error| Failure::Start(describe_start(&command.program, &error)));
                }
            }
        }
    }

    fn spawn(command: &ShimCommand, limits: ShimLimits) -> io::Result<Self> {
        if ending::is_told() {
            return Err(io::Error::other("this program was told to end"));
        }
        ending::watch();
        let mark = Mark::new();
        let mut start = Command::new(&command.program);
        start.args(&command.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        mark.put(&mut start);
        let scratch = Scratch::within(&std::env::temp_dir(), Self::SCRATCH)
            .map_err(|error| io::Error::other(format!("no directory for its temporary files: {error}")))?;
        start.env("TMPDIR", scratch.path());
        // Not every machine has files in memory: then it gets none.
        let in_memory = Scratch::within(Path::new(memory::SHARED), Self::SCRATCH).ok();
        match &in_memory {
            Some(in_memory) => start.env(memory::VARIABLE, in_memory.path()),
            None => start.env_remove(memory::VARIABLE),
        };
        // A group of its own: what the shim starts ends with it.
        let mut child = start.process_group(0).spawn()?;
        let group = Pid::from_child(&child);
        // Above what an outcome says is too much, so that this stops only what would fill a disk. What the shim
        // starts has the limit, too; one that has already ended has no use for it.
        let octets = Some(limits.file_octets.saturating_mul(2).saturating_add(1 << 20));
        let _ = rustix::process::prlimit(Some(group), Resource::Fsize, Rlimit { current: octets, maximum: octets });
        let missing = || io::Error::other("a pipe is missing");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr_pipe = child.stderr.take().ok_or_else(missing)?;
        // One line may wait; a shim that talks without being asked blocks on its pipe.
        let (sender, answers) = mpsc::sync_channel(1);
        std::thread::spawn(move || read_lines(stdout, limits.answer_octets, &sender));
        let stderr = Arc::new(Mutex::new(Tail::default()));
        let tail = Arc::clone(&stderr);
        std::thread::spawn(move || drain(stderr_pipe, &tail));
        // A shim that does not read keeps a long request waiting, and nobody else.
        let (requests, lines) = mpsc::sync_channel(1);
        std::thread::spawn(move || write_lines(stdin, &lines));
        let requests = Some(requests);
        Ok(Self {
            child,
            group,
            mark,
            requests,
            is_well: true,
            answers,
            stderr,
            limits,
            next: 1,
            _scratch: (scratch, in_memory),
        })
    }

    /// The number that the next request must carry.
    #[must_use]
    pub const fn next_id(&self) -> u64 {
        self.next
    }

    /// Sends a request and waits for its answer.
    ///
    /// After a failure the process is of no use any more: drop it.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn ask(&mut self, request: &Request) -> Result<Answer, Failure> {
        self.next = request.id + 1;
        let mut line = serde_json::to_vec(request).map_err(|error| Failure::Garbage(error.to_string()))?;
        line.push(b'\n');
        let answer = self.exchange(line, request.id);
        self.is_well = answer.is_ok();
        answer
    }

    fn exchange(&mut self, line: Vec<u8>, id: u64) -> Result<Answer, Failure> {
        // One may wait: each is answered before the next.
        if self.requests.as_ref().is_none_or(|requests| requests.try_send(line).is_err()) {
            return Err(self.crash());
        }
        match self.answers.recv_timeout(self.limits.time) {
            Ok(FromShim::Line(line)) => {
                let answer = Answer::parse(&line, id).and_then(within_limits);
                answer.map_err(|why| Failure::Garbage(shorten(&why)))
            }
            Ok(FromShim::TooLong) => Err(Failure::TooMuch(self.limits.answer_octets)),
            Ok(FromShim::End) | Err(RecvTimeoutError::Disconnected) => Err(self.crash()),
            Err(RecvTimeoutError::Timeout) => Err(Failure::Hang(self.limits.time)),
        }
    }

    /// The last lines that the shim wrote to standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).text()
    }

    /// How the shim ended.
    fn crash(&self) -> Failure {
        let deadline = Instant::now() + Duration::from_secs(1);
        loop {
            // NOWAIT leaves the process to be reaped after its group was killed:
            // until then its number cannot be given to another process.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            match rustix::process::waitid(WaitId::Pid(self.group), options) {
                Ok(Some(status)) => {
                    let how = match (status.exit_status(), status.terminating_signal()) {
                        (Some(code), _) => format!("ended with exit code {code} before it answered"),
                        (None, Some(signal)) => format!("killed by signal {signal} before it answered"),
                        (None, None) => "ended before it answered".to_owned(),
                    };
                    return Failure::Crash(how);
                }
                Ok(None) | Err(rustix::io::Errno::INTR) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                _ => return Failure::Crash("closed its output before it answered".to_owned()),
            }
        }
    }
}

impl ShimProcess {
    /// How long a shim may take to put its things away: a program that it drives
    /// has a profile, or an agent.
    const FAREWELL: Duration = Duration::from_millis(500);

    /// Lets a shim that is well end by itself.
    fn dismiss(&mut self) {
        drop(self.requests.take());
        let deadline = Instant::now() + Self::FAREWELL;
        while self.is_well && Instant::now() < deadline {
            // As in `crash`: it is reaped after its group was killed.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            match rustix::process::waitid(WaitId::Pid(self.group), options) {
                Ok(None) | Err(rustix::io::Errno::INTR) => std::thread::sleep(Duration::from_millis(2)),
                _ => return,
            }
        }
    }
}

impl Drop for ShimProcess {
    fn drop(&mut self) {
        self.dismiss();
        // Before it is reaped, so that the number is still its own. Errors mean
        // that nothing of the group is left.
        let _ = rustix::process::kill_process_group(self.group, Signal::KILL);
        self.mark.kill();
        let _ = self.child.wait();
    }
}

fn write_lines(mut stdin: ChildStdin, lines: &Receiver<Vec<u8>>) {
    // A shim that reads no more is found by its output, which ends, or comes too late.
    while let Ok(line) = lines.recv()
        && stdin.write_all(&line).and_then(|()| stdin.flush()).is_ok()
    {}
}

/// What comes from a shim's standard output.
#[derive(Debug)]
enum FromShim {
    Line(Vec<u8>),
    TooLong,
    End,
}

fn read_lines(stdout: impl Read, limit: usize, to: &SyncSender<FromShim>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        let bounded = (&mut stdout).take(limit as u64 + 1).read_until(b'\n', &mut line);
        let message = match bounded {
            Ok(0) | Err(_) => FromShim::End,
            Ok(_) if line.last() == Some(&b'\n') => FromShim::Line(line),
            Ok(_) if line.len() > limit => FromShim::TooLong,
            // The last line has no end: what was read is all there is.
            Ok(_) => FromShim::Line(line),
        };
        let last = !matches!(message, FromShim::Line(_));
        if to.send(message).is_err() || last {
            return;
        }
    }
}

/// The end of what was written to standard error.
#[derive(Debug, Default)]
struct Tail(Vec<u8>);

impl Tail {
    const OCTETS: usize = 4096;

    fn push(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
        let excess = self.0.len().saturating_sub(Self::OCTETS);
        self.0.drain(..excess);
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).trim().to_owned()
    }
}

fn drain(mut pipe: impl Read, tail: &Mutex<Tail>) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = pipe.read(&mut buffer) {
        tail.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..read]);
    }
}

fn describe_start(program: &Path, error: &io::Error) -> String {
    let name = program.display();
    match error.kind() {
        // Of what runs a program that is missing, the system says no more than of a missing program.
        io::ErrorKind::NotFound if program.exists() => match interpreter(program) {
            Some(interpreter) => format!(
                "{name} is to be run by {interpreter:?}, as its first line says, and that does not exist: install it, \
                 or change the line (\\r at its end comes from another system)"
            ),
            None => format!("{name} is there, and what loads it is not: was it built for this system?"),
        },
        io::ErrorKind::NotFound => format!("{name} does not exist"),
        io::ErrorKind::PermissionDenied if program.is_dir() => {
            format!("{name} is a directory: name the program in it that is the shim")
        }
        io::ErrorKind::PermissionDenied => format!("{name} may not be executed (is it marked executable?)"),
        _ if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
            format!("{name} is no program of this machine: the first line of a script has to be #! and what runs it")
        }
        _ => format!("{name}: {error}"),
    }
}

/// What a script is run by, as its first line says (execve(2)).
fn interpreter(script: &Path) -> Option<String> {
    let mut line = Vec::new();
    std::fs::File::open(script).ok()?.take(256).read_to_end(&mut line).ok()?;
    let line = line.strip_prefix(b"#!")?.split(|octet| *octet == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    line.trim_start_matches([' ', '\t']).split([' ', '\t']).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn why_a_shim_cannot_be_started_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &[u8], mode: u32| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        for (program, expected) in [
            (dir.path().join("nowhere"), "nowhere does not exist"),
            (file("plain", b"#!/bin/sh\n", 0o600), "may not be executed (is it marked executable?)"),
            (dir.path().to_owned(), "is a directory: name the program in it"),
            (
                file("script", b"#! /nowhere/python3 -u\n", 0o700),
                "is to be run by \"/nowhere/python3\", as its first line says",
            ),
            (file("lines", b"#!/bin/sh\r\n", 0o700), "is to be run by \"/bin/sh\\r\", as its first line says"),
            (file("text", b"import sys\n", 0o700), "the first line of a script has to be #!"),
        ] {
            let command = ShimCommand { program, arguments: Vec::new() };
            let Err(Failure::Start(why)) = ShimProcess::start(&command, ShimLimits::default()) else {
                panic!("{command:?} started");
            };
            assert!(why.contains(expected), "{expected}: {why}");
        }
    }
}
