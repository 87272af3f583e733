//! What a command started ends with it: whatever a shim started, and however the
//! command ends.
//!
//! A process group is not enough: a program that makes a session of its own
//! (`setsid(2)`) is in it no more. So every shim gets a mark in its environment,
//! which what it starts inherits, and who has the mark is found in `/proc`. What
//! ends this process without asking it is the business of [`guard`].

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Once, OnceLock};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use waxseal_key::{Random, SystemRandom};

use super::guard;

/// The variable of the mark.
pub(super) const VARIABLE: &str = "WAXSEAL_STARTED_BY";

/// How often the processes are looked through: one may start another while they are.
const ROUNDS: usize = 5;

/// How long a command that was told to end may take to put its things away.
const FAREWELL: Duration = Duration::from_secs(10);

/// The signal that told this process to end; 0: none.
static TOLD: AtomicI32 = AtomicI32::new(0);

/// The mark of one command and of all that it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark(String);

impl Mark {
    /// A mark that no other command has.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(format!("{}{}", own(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Marks what a command starts.
    pub(crate) fn put(&self, command: &mut Command) {
        command.env(VARIABLE, &self.0);
    }

    /// Kills everything that has this mark.
    pub(crate) fn kill(&self) {
        kill(|mark| mark == self.0.as_bytes());
    }
}

/// How the marks of this process begin, and those of no other: numbers of
/// processes come again.
pub(super) fn own() -> &'static str {
    static OWN: OnceLock<String> = OnceLock::new();
    OWN.get_or_init(|| {
        let mut octets = [0; 8];
        SystemRandom.fill(&mut octets);
        format!("{}.{:016x}.", std::process::id(), u64::from_be_bytes(octets))
    })
}

/// Whether all marks that begin so are those of one process: as [`own`] makes them.
pub(crate) fn is_of_one_process(begin: &str) -> bool {
    let is_hex = |octet: u8| octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet);
    match begin.split('.').collect::<Vec<_>>().as_slice() {
        [process, word, ""] => {
            process.parse::<u32>().is_ok_and(|process| process > 0) && word.len() == 16 && word.bytes().all(is_hex)
        }
        _ => false,
    }
}

/// Kills everything whose mark begins so.
pub(super) fn kill_all(begin: &str) {
    kill(|mark| mark.starts_with(begin.as_bytes()));
}

/// Kills what has such a mark. Without `/proc` there is nothing to be found.
fn kill(is_meant: impl Fn(&[u8]) -> bool) {
    for _ in 0..ROUNDS {
        let mut found = false;
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let number = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            let Some(process) = number.filter(|process| *process != rustix::process::getpid()) else { continue };
            // Held before it is looked at, so that the number cannot become another one's between.
            let Ok(held) = pidfd_open(process, PidfdFlags::empty()) else { continue };
            if mark_of(&entry.path()).is_some_and(|mark| is_meant(&mark)) {
                found |= pidfd_send_signal(&held, Signal::KILL).is_ok();
            }
        }
        if !found {
            return;
        }
        // A process that was killed keeps its environment until it is gone.
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The mark in the environment of a process; one of another user is not to be read.
fn mark_of(process: &Path) -> Option<Vec<u8>> {
    let environment = std::fs::read(process.join("environ")).ok()?;
    let mut variables = environment.split(|octet| *octet == 0);
    variables.find_map(|variable| variable.strip_prefix(VARIABLE.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec))
}

/// Sees to it that a signal which ends this process also ends what its shims
/// started: they have groups of their own, which a terminal does not reach. The
/// shims then count as crashed, the command puts its things away, and ends by the
/// signal in [`finish`]; if that takes too long, or nobody calls it, it ends then.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        guard::start();
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
        std::thread::spawn(move || {
            let Some(signal) = signals.forever().next() else { return };
            TOLD.store(signal, Ordering::SeqCst);
            kill_all(own());
            // Once more, or in the end, without waiting for anybody.
            let handle = signals.handle();
            std::thread::spawn(move || {
                std::thread::sleep(FAREWELL);
                handle.close();
            });
            signals.forever().next();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        });
    });
}

/// Whether a signal told this process to end.
pub(crate) fn is_told() -> bool {
    TOLD.load(Ordering::SeqCst) != 0
}

/// Lets the guard go, and ends this process by the signal that told it to, if one did.
pub(crate) fn finish() {
    guard::dismiss();
    let signal = TOLD.load(Ordering::SeqCst);
    if signal != 0 {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_that_begin_so_are_those_of_one_process() {
        assert!(is_of_one_process(own()) && is_of_one_process("7.0123456789abcdef."));
        for other in
            ["", ".", "7.", "7.0123456789abcdef", ".0123456789abcdef.", "7.0123.", "7.0123456789abcdef.1", "7.."]
        {
            assert!(!is_of_one_process(other), "{other}");
        }
        let of_a_command = Mark::new().0;
        assert!(of_a_command.starts_with(own()) && !is_of_one_process(&of_a_command));
    }
}
