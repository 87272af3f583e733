//! A clock for peers that cannot be told the time: [libfaketime], which stands
//! between a program and the calls that ask for it.
//!
//! Three ways, by who can say when it is:
//! - [`Faketime::at`]: one command, one time;
//! - [`Faketime::follow`] and [`set`]: a process that lives longer reads the
//!   time from a file, which is written before each request;
//! - [`Faketime::lend`]: a script of ours sets `FAKETIME` in its own environment.
//!
//! The clock stands still at the time that was set, so that a run repeats; what
//! counts durations (`CLOCK_MONOTONIC`) goes on, or timeouts would never come.
//!
//! [libfaketime]: https://github.com/wolfcw/libfaketime

use std::ffi::OsString;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::UtcOffset;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use waxseal_verdict::Clock;

use super::memory;

/// Where distributions put it: Debian by architecture, Fedora, Arch, built from source.
const PLACES: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
    "/usr/lib64/faketime",
    "/usr/lib/faketime",
    "/usr/local/lib/faketime",
];

/// The one that locks while it reads the time; it serves programs with one thread, too.
const FILE: &str = "libfaketimeMT.so.1";

/// libfaketime, found on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faketime {
    library: PathBuf,
}

impl Faketime {
    /// What to say where a peer needs it and it is not there.
    pub const ABSENT: &str = "libfaketime is not here (Debian: apt-get install libfaketime)";

    /// The library, if it is installed.
    #[must_use]
    pub fn find() -> Option<Self> {
        PLACES
            .iter()
            .map(|place| Path::new(place).join(FILE))
            .find(|file| file.is_file())
            .map(|library| Self { library })
    }

    /// The clock that a peer without a setting declares in `hello`.
    #[must_use]
    pub fn clock(found: Option<&Self>) -> Clock {
        if found.is_some() { Clock::Faketime } else { Clock::System }
    }

    /// Lets one command believe that it is `clock`, an RFC 3339 time.
    ///
    /// # Errors
    /// `clock` is no RFC 3339 time.
    pub fn at(&self, command: &mut Command, clock: &str) -> Result<(), String> {
        let time = stated(clock)?;
        self.preload(command);
        command.env("FAKETIME", time);
        Ok(())
    }

    /// Lets a process read the time from `file`, again at every call: see [`set`].
    /// While there is no such file it has the time of the machine.
    pub fn follow(&self, command: &mut Command, file: &Path) {
        self.preload(command);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_TIMESTAMP_FILE", file);
    }

    /// Lets a process set its own time: what its environment says in `FAKETIME`
    /// (`2025-06-15 12:00:00`, UTC) holds from then on, and the time of the
    /// machine as long as it says nothing.
    pub fn lend(&self, command: &mut Command) {
        self.preload(command);
        command.env("FAKETIME_NO_CACHE", "1").env_remove("FAKETIME_TIMESTAMP_FILE");
    }

    fn preload(&self, command: &mut Command) {
        let mut libraries = OsString::from(&self.library);
        if let Some(others) = std::env::var_os("LD_PRELOAD").filter(|others| !others.is_empty()) {
            libraries.push(":");
            libraries.push(others);
        }
        // The time is read in the zone of the process.
        command.env("LD_PRELOAD", libraries).env("TZ", "UTC").env_remove("FAKETIME");
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
    }
}

/// Says in the file of [`Faketime::follow`] what time it is; `None`: the
/// machine's own.
///
/// # Errors
/// `clock` is no RFC 3339 time, or the file cannot be written.
pub fn set(file: &Path, clock: Option<&str>) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", file.display());
    let Some(clock) = clock else {
        return match std::fs::remove_file(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(wrong(error)),
            _ => Ok(()),
        };
    };
    // Renamed into its place: another thread of the process may be reading it.
    let new = file.with_extension("new");
    std::fs::write(&new, stated(clock)? + "\n").map_err(wrong)?;
    std::fs::rename(&new, file).map_err(wrong)
}

/// A time as libfaketime reads it: the clock stands there.
fn stated(clock: &str) -> Result<String, String> {
    let time = OffsetDateTime::parse(clock, &Rfc3339)
        .map_err(|error| format!("clock {clock:?} is no RFC 3339 time: {error}"))?;
    time.to_offset(UtcOffset::UTC)
        .format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second]"))
        .map_err(|error| format!("clock {clock:?}: {error}"))
}

/// What libfaketime leaves in shared memory where a process is killed, or becomes
/// another program: a file and a semaphore, which are named by the process. When
/// this is dropped, those are removed that came since it was made, are this user's,
/// and whose process is no more.
#[derive(Debug)]
pub struct Leftovers {
    place: PathBuf,
    since: SystemTime,
}

impl Leftovers {
    /// Looks at what comes from now on.
    #[must_use]
    pub fn watch() -> Self {
        // The clock of file systems lags behind by a tick.
        Self { place: PathBuf::from(memory::SHARED), since: SystemTime::now() - Duration::from_secs(1) }
    }

    /// Nothing that fails here is worth a word: another process may be at the same.
    fn remove(&self) {
        let user = rustix::process::geteuid().as_raw();
        let came = |metadata: &Metadata| metadata.modified().is_ok_and(|modified| modified >= self.since);
        for entry in std::fs::read_dir(&self.place).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(process) = name.to_str().and_then(process_of) else { continue };
            let is_ours = entry.metadata().is_ok_and(|metadata| metadata.uid() == user && came(&metadata));
            if is_ours && !Path::new("/proc").join(process).exists() {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The number of the process that made a file of shared memory, if libfaketime did.
fn process_of(name: &str) -> Option<&str> {
    let number = name.strip_prefix("faketime_shm_").or_else(|| name.strip_prefix("sem.faketime_sem_"))?;
    (!number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_left_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str| std::fs::write(dir.path().join(name), "x").unwrap();
        let mut ended = Command::new("true").spawn().unwrap();
        let (dead, alive) = (ended.id(), std::process::id());
        ended.wait().unwrap();
        put("faketime_shm_99999999");
        std::fs::File::options()
            .write(true)
            .open(dir.path().join("faketime_shm_99999999"))
            .unwrap()
            .set_modified(SystemTime::now() - Duration::from_secs(60))
            .unwrap();
        let leftovers = Leftovers { place: dir.path().to_path_buf(), ..Leftovers::watch() };
        for process in [dead, alive] {
            put(&format!("faketime_shm_{process}"));
            put(&format!("sem.faketime_sem_{process}"));
        }
        put(&format!("sem.other_{dead}"));
        put("faketime_shm_");
        drop(leftovers);
        let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: std::collections::BTreeSet<String> = names.map(|name| name.into_string().unwrap()).collect();
        let expected = [
            "faketime_shm_".to_owned(),
            "faketime_shm_99999999".to_owned(),
            format!("faketime_shm_{alive}"),
            format!("sem.faketime_sem_{alive}"),
            format!("sem.other_{dead}"),
        ];
        assert_eq!(left, expected.into());
    }

    #[test]
    fn a_time_is_said_in_utc() {
        assert_eq!(stated("2025-06-15T14:00:00+02:00").as_deref(), Ok("2025-06-15 12:00:00"));
        assert!(stated("yesterday").unwrap_err().contains("\"yesterday\" is no RFC 3339 time"));
    }

    /// What `date` and Perl say is what was set: neither knows of this module.
    #[test]
    fn programs_believe_it() {
        let Some(faketime) = Faketime::find() else {
            return waxseal_testing::not_installed(Faketime::ABSENT);
        };
        let said = |command: &mut Command| String::from_utf8(command.output().unwrap().stdout).unwrap();
        let date = || {
            let mut date = Command::new("date");
            date.args(["-u", "+%FT%TZ"]);
            date
        };
        let mut once = date();
        faketime.at(&mut once, "2025-06-15T14:00:00+02:00").unwrap();
        assert_eq!(said(&mut once), "2025-06-15T12:00:00Z\n");

        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("time");
        set(&file, Some("2031-01-02T03:04:05Z")).unwrap();
        let mut following = date();
        faketime.follow(&mut following, &file);
        assert_eq!(said(&mut following), "2031-01-02T03:04:05Z\n");
        set(&file, Some("2001-01-02T03:04:05Z")).unwrap();
        assert_eq!(said(&mut following), "2001-01-02T03:04:05Z\n");
        set(&file, None).unwrap();
        assert!(said(&mut following).as_str() > "2026", "the time of the machine");

        let mut own = Command::new("perl");
        own.args([
            "-e",
            r#"$ENV{FAKETIME} = "2025-06-15 12:00:00"; print time; delete $ENV{FAKETIME}; print " ", time"#,
        ]);
        faketime.lend(&mut own);
        let said = said(&mut own);
        let (set, machine) = said.split_once(' ').unwrap();
        assert_eq!(set, "1749988800");
        assert!(machine.parse::<i64>().unwrap() > 1_767_225_600, "{machine}");
    }
}
