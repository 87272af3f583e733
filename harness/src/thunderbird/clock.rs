//! The time of day that Thunderbird sees.
//!
//! It has no setting for it, and libfaketime cannot stand in: measured with
//! 0.9.10 under Thunderbird 153, the process stops before `main`. Its allocator
//! (mozjemalloc) asks for the time while it holds its lock, libfaketime looks for
//! the functions behind it at that moment, and the search for one that glibc no
//! longer has (`__ftime`) allocates. So there is a library of our own for this,
//! `clock.c`, of a few functions that allocate nothing. It is compiled when it is
//! first used and kept in the user's cache directory.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

const SOURCE: &str = include_str!("clock.c");

/// A clock that can be set, for one process.
#[derive(Debug)]
pub struct Clock {
    library: PathBuf,
    /// What is added to the time of the machine.
    offset: PathBuf,
}

impl Clock {
    /// A clock whose state lies in `folder`; it has the time of the machine.
    ///
    /// # Errors
    /// There is no C compiler (`cc`), or a file cannot be written.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let clock = Self { library: library()?, offset: folder.join("waxseal-clock") };
        clock.set(None)?;
        Ok(clock)
    }

    /// Whether there is such a clock on this machine; makes it ready.
    #[must_use]
    pub fn is_there() -> bool {
        library().is_ok()
    }

    /// Sets it; `None` is the time of the machine. It goes on from there.
    ///
    /// # Errors
    /// The file cannot be written, or the time is centuries from now.
    pub fn set(&self, at: Option<OffsetDateTime>) -> io::Result<()> {
        let add = at.map_or(0, |at| (at - OffsetDateTime::now_utc()).whole_nanoseconds());
        let add = i64::try_from(add).map_err(|_| io::Error::other("a time that is too far from now"))?;
        // Neither cut nor replaced: the process has this very file in its memory.
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&self.offset)?;
        file.write_all(&add.to_ne_bytes())
    }

    /// Lets a program have this clock.
    pub(super) fn lend(&self, command: &mut Command) {
        let mut libraries = OsString::from(&self.library);
        if let Some(others) = std::env::var_os("LD_PRELOAD").filter(|others| !others.is_empty()) {
            libraries.push(":");
            libraries.push(others);
        }
        command.env("LD_PRELOAD", libraries).env("WAXSEAL_CLOCK", &self.offset).env("TZ", "UTC");
    }
}

/// The compiled library.
fn library() -> io::Result<PathBuf> {
    let hash: String = Sha256::digest(SOURCE).iter().take(8).map(|octet| format!("{octet:02x}")).collect();
    let cache = cache()?;
    let library = cache.join(format!("clock-{hash}.so"));
    if library.is_file() {
        return Ok(library);
    }
    std::fs::create_dir_all(&cache)?;
    let work = tempfile::tempdir_in(&cache)?;
    let (source, made) = (work.path().join("clock.c"), work.path().join("clock.so"));
    std::fs::write(&source, SOURCE)?;
    let mut compile = Command::new("cc");
    compile.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&made).arg(&source).stdin(Stdio::null());
    let said = compile.output().map_err(|error| io::Error::new(error.kind(), format!("cc: {error}")))?;
    if !said.status.success() {
        let words = String::from_utf8_lossy(&said.stderr);
        return Err(io::Error::other(format!("cc says {:?}", words.lines().next().unwrap_or_default())));
    }
    // Another process may have been faster; its result is the same.
    std::fs::rename(&made, &library)?;
    Ok(library)
}

/// The user's cache directory, as the XDG Base Directory Specification has it.
fn cache() -> io::Result<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
    base.map(|base| base.join("waxseal"))
        .ok_or_else(|| io::Error::other("no place for a compiled library: neither XDG_CACHE_HOME nor HOME is set"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    /// `date` knows nothing of this module.
    #[test]
    fn a_program_believes_it() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::new(folder.path()).unwrap();
        let seconds = || {
            let mut date = Command::new("date");
            clock.lend(&mut date);
            let said = date.args(["-u", "+%s"]).output().unwrap();
            String::from_utf8(said.stdout).unwrap().trim().parse::<i64>().unwrap()
        };
        for at in [datetime!(2025-06-15 12:00 UTC), datetime!(2001-02-03 04:05:06 UTC), datetime!(2040-01-01 00:00 UTC)]
        {
            clock.set(Some(at)).unwrap();
            let late = seconds() - at.unix_timestamp();
            assert!((0..60).contains(&late), "{at}: {late} s late");
        }
        clock.set(None).unwrap();
        let now = OffsetDateTime::now_utc().unix_timestamp();
        assert!((now..now + 60).contains(&seconds()));
    }
    /// Waits for a condition that nobody signals, until 300 ms from now, as NSPR
    /// does it; prints how long that took by the steady clock, in milliseconds.
    const WAIT: &str = r#"
        #include <pthread.h>
        #include <stdio.h>
        #include <time.h>
        static struct timespec now(clockid_t clock) {
            struct timespec time;
            clock_gettime(clock, &time);
            return time;
        }
        int main(int count, char **arguments) {
            pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
            pthread_cond_t cond;
            pthread_condattr_t kind;
            clockid_t clock = count > 1 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
            pthread_condattr_init(&kind);
            pthread_condattr_setclock(&kind, clock);
            pthread_cond_init(&cond, &kind);
            struct timespec start = now(CLOCK_MONOTONIC), deadline = now(clock);
            deadline.tv_nsec += 300000000;
            deadline.tv_sec += deadline.tv_nsec / 1000000000;
            deadline.tv_nsec %= 1000000000;
            pthread_mutex_lock(&mutex);
            while (!pthread_cond_timedwait(&cond, &mutex, &deadline))
                ;
            struct timespec end = now(CLOCK_MONOTONIC);
            printf("%ld\n", (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000);
            return 0;
        }
    "#;

    #[test]
    fn who_waits_until_a_time_waits_as_long_as_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let (source, program) = (folder.path().join("wait.c"), folder.path().join("wait"));
        std::fs::write(&source, WAIT).unwrap();
        assert!(Command::new("cc").arg("-o").arg(&program).arg(&source).status().unwrap().success());
        let clock = Clock::new(folder.path()).unwrap();
        for at in [None, Some(datetime!(2001-02-03 04:05:06 UTC)), Some(datetime!(2055-01-01 00:00 UTC))] {
            clock.set(at).unwrap();
            for arguments in [&[][..], &["steady"][..]] {
                let mut wait = Command::new(&program);
                clock.lend(&mut wait);
                let said = wait.args(arguments).output().unwrap();
                let ms: u64 = String::from_utf8(said.stdout).unwrap().trim().parse().unwrap();
                assert!((300..20_000).contains(&ms), "{at:?} {arguments:?}: {ms} ms");
            }
        }
    }
}
