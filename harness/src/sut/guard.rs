//! The guard: a process that waits for this one to be gone.
//!
//! A signal that this process does not see (SIGKILL, also that of a machine which
//! has no memory left) leaves whatever it started and wrote: a shim that computes
//! for ever, and directories with keys. So this program starts itself once more,
//! as its own guard, which holds the other end of a pipe. When that ends it kills
//! everything that bears a mark of this process, and removes the directories that
//! it was told of. It has nothing to do where this process ends in order.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use super::ending::{VARIABLE, kill_all, own};
use super::scratch;

/// The command of this program that is the guard.
pub(crate) const COMMAND: &str = "guard";

/// How long is waited for a guard that was let go.
const FAREWELL: Duration = Duration::from_secs(2);

/// When it looks again after a process that was killed: what that had just begun
/// to start bears its mark a moment later.
const AGAIN: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(200)];

/// The program that guards.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// The guard of this process.
static GUARD: Mutex<Guard> = Mutex::new(Guard::NotYet);

enum Guard {
    NotYet,
    Here(Child),
    /// It could not be started, or was let go.
    Gone,
}

/// Names the program `waxseal`, by its absolute path, to stand guard over what
/// this process starts. The command itself does this; in another program that
/// uses this library there is no guard without it.
pub fn guarded_by(program: PathBuf) {
    // The first one stays.
    let _ = PROGRAM.set(program);
}

/// Starts the guard, if its program is known and it was not started before.
pub(super) fn start() {
    let mut guard = GUARD.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Guard::NotYet, Some(program)) = (&*guard, PROGRAM.get()) {
        *guard = spawn(program).map_or(Guard::Gone, Guard::Here);
    }
}

fn spawn(program: &Path) -> std::io::Result<Child> {
    Command::new(program)
        .arg(COMMAND)
        .arg(own())
        .stdin(Stdio::piped())
        // Who waits for the end of our output waits for us alone.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Where this process is a shim of another one.
        .env_remove(VARIABLE)
        .current_dir("/")
        // Keys of the terminal are not for it.
        .process_group(0)
        .spawn()
}

/// Something that the guard is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// A directory is there that is to be removed.
    Add,
    /// It is there no more.
    Done,
}

impl Word {
    const fn octet(self) -> u8 {
        match self {
            Self::Add => b'+',
            Self::Done => b'-',
        }
    }
}

/// This process ends in order.
const FAREWELL_WORD: &[u8] = b".\0";

/// Tells the guard of a directory.
pub(super) fn tell(word: Word, dir: &Path) {
    if word == Word::Add {
        start();
    }
    // A path has every octet but this one, and half a path would be another one.
    let line = [&[word.octet()], dir.as_os_str().as_bytes(), &[0]].concat();
    say(&line);
}

fn say(line: &[u8]) {
    let mut guard = GUARD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Guard::Here(child) = &mut *guard
        && let Some(pipe) = &mut child.stdin
    {
        // A guard that somebody killed is missed by nobody who ends in order.
        let _ = pipe.write_all(line);
    }
}

/// Lets the guard go: this process ends. It is waited for, so that nothing of us is left.
pub(super) fn dismiss() {
    say(FAREWELL_WORD);
    let guard = std::mem::replace(&mut *GUARD.lock().unwrap_or_else(PoisonError::into_inner), Guard::Gone);
    let Guard::Here(mut child) = guard else { return };
    drop(child.stdin.take());
    let end = Instant::now() + FAREWELL;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Stands guard over a process, whose marks begin so, until what it says ends.
pub(crate) fn stand(begin: &str, mut told: impl BufRead) {
    // Whoever tells everything here to end means the other one, which ends in order; this one sees that.
    let seen = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM, SIGQUIT] {
        let _ = signal_hook::flag::register(signal, Arc::clone(&seen));
    }
    let mut dirs = BTreeSet::new();
    let mut in_order = false;
    let mut line = Vec::new();
    // What has no end was cut off with the process that wrote it.
    while let Ok(1..) = told.read_until(0, &mut line)
        && line.pop() == Some(0)
    {
        match line.split_first() {
            Some((b'+', dir)) => _ = dirs.insert(path(dir)),
            Some((b'-', dir)) => _ = dirs.remove(&path(dir)),
            _ => in_order = true,
        }
        line.clear();
    }
    kill_all(begin);
    for pause in AGAIN.iter().filter(|_| !in_order) {
        std::thread::sleep(*pause);
        kill_all(begin);
    }
    dirs.iter().for_each(|dir| scratch::remove(dir));
}

fn path(octets: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(octets.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_done_is_removed_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let dir = |name: &str| {
            let dir = place.path().join(name);
            std::fs::create_dir_all(dir.join("inside")).unwrap();
            dir
        };
        let (left, done, half, other) = (dir("left\nover"), dir("done"), dir("half"), dir("other"));
        let line = |word: Word, dir: &Path| [&[word.octet()], dir.as_os_str().as_bytes(), &[0]].concat();
        let mut told = [line(Word::Add, &left), line(Word::Add, &done), line(Word::Done, &done)].concat();
        // The process was killed while it wrote.
        told.extend(b"+");
        told.extend(half.as_os_str().as_bytes());
        stand("no such mark.", told.as_slice());
        let there = [&left, &done, &half, &other].map(|dir| dir.exists());
        assert_eq!(there, [false, true, true, true]);
    }
}
