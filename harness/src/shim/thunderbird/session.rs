//! One Thunderbird for one shim: started when it is first needed, ended with it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_engine::certificate::Certificate;
use waxseal_key::{PrivateKey, SystemRandom, pkcs12};

use super::Trouble;
use crate::keys::load_certificates;
use crate::shim::memory;
use crate::shim::protocol::KeyFiles;
use crate::smtp_sink::SmtpSink;
use crate::thunderbird::clock::Clock;
use crate::thunderbird::process::{Holdings, Thunderbird};
use crate::thunderbird::profile::Profile;

/// How the folders begin; the number of the process follows.
const PREFIX: &str = "waxseal-thunderbird-";

/// Vouches for a file of the moment; whoever could read it could read the key.
const PASSWORD: &str = "waxseal";

/// A running Thunderbird, with its profile.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) thunderbird: Thunderbird,
    clock: Option<Clock>,
    /// Where it sends mail to, if it did.
    sink: Option<SmtpSink>,
    /// How many requests it was made ready for.
    requests: u32,
    // After the program that writes to it.
    folder: TempDir,
}

/// Whom Thunderbird is to trust and know for one request; files of `dir`.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    pub(super) dir: &'a str,
    pub(super) keys: &'a [KeyFiles],
    pub(super) anchors: &'a [String],
    pub(super) others: &'a [String],
}

impl Session {
    pub(super) fn start() -> Result<Self, Trouble> {
        // A profile is a dozen databases, and every certificate that comes and goes would wait for the disk.
        let base = Some(memory::folder()).filter(|folder| is_writable(folder)).unwrap_or_else(std::env::temp_dir);
        sweep(&base);
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir_in(&base).map_err(Trouble::at("the profile"))?;
        let profile = Profile::create(folder.path()).map_err(Trouble::at("the profile"))?;
        let clock =
            if Clock::is_there() { Some(Clock::new(folder.path()).map_err(Trouble::at("the clock"))?) } else { None };
        let log = folder.path().join("thunderbird.log");
        let mut thunderbird = Thunderbird::start_beside(&profile, &log, clock.as_ref())?;
        // A person would be asked about a missing certificate, and everything would wait.
        thunderbird.answer_prompts("")?;
        Ok(Self { thunderbird, clock, sink: None, requests: 0, folder })
    }

    /// Sets the clock, RFC 3339; `None`: the time of the machine.
    pub(super) fn set_clock(&self, at: Option<&str>) -> Result<(), Trouble> {
        let time = |text: &str| {
            OffsetDateTime::parse(text, &Rfc3339)
                .map_err(|error| Trouble::Shim(format!("clock {text:?} is no RFC 3339 time: {error}")))
        };
        match (&self.clock, at) {
            (Some(clock), at) => clock.set(at.map(time).transpose()?).map_err(Trouble::at("the clock")),
            (None, None) => Ok(()),
            (None, Some(_)) => Err(Trouble::Unsupported(NO_CLOCK.to_owned())),
        }
    }

    /// Gives it the keys and certificates of one request, and takes away those of
    /// the one before.
    pub(super) fn know(&mut self, known: &Known<'_>) -> Result<(), Trouble> {
        self.requests += 1;
        let dir = Path::new(known.dir);
        let certificates = |names: &[String]| -> Result<Vec<Vec<u8>>, Trouble> {
            let paths: Vec<_> = names.iter().map(|name| dir.join(name)).collect();
            let loaded = load_certificates(&paths).map_err(|failed| Trouble::Shim(failed.message))?;
            Ok(loaded.iter().map(|certificate| certificate.der().to_vec()).collect())
        };
        let mut holdings = Holdings {
            password: PASSWORD.to_owned(),
            anchors: certificates(known.anchors)?,
            others: certificates(known.others)?,
            keys: Vec::new(),
        };
        // Removed as soon as they were read.
        let files = tempfile::tempdir_in(self.folder.path()).map_err(Trouble::at("the keys"))?;
        for (number, key) in known.keys.iter().enumerate() {
            let file = files.path().join(format!("{number}.p12"));
            hand_over(dir, key, &file)?;
            holdings.keys.push(file);
        }
        match self.thunderbird.know(&holdings)?.as_slice() {
            [] => Ok(()),
            refused => Err(Trouble::Unsupported(format!(
                "Thunderbird does not take a key or certificate: {}",
                refused.join(", ")
            ))),
        }
    }

    /// Whether it has seen keys of one request only.
    pub(super) const fn is_fresh(&self) -> bool {
        self.requests <= 1
    }

    /// The server that its mail goes to.
    pub(super) fn server(&mut self) -> Result<SocketAddr, Trouble> {
        if self.sink.is_none() {
            self.sink = Some(SmtpSink::start().map_err(Trouble::at("the mail server"))?);
        }
        self.sink.as_ref().map(SmtpSink::address).ok_or_else(|| Trouble::Shim("no mail server".to_owned()))
    }

    /// The next mail that it sent.
    pub(super) fn arrived(&self, patience: Duration) -> Option<Vec<u8>> {
        self.sink.as_ref()?.next(patience).map(|mail| mail.octets)
    }

    /// The first certificate of a file of `dir`.
    pub(super) fn certificate(dir: &str, name: &str) -> Result<Certificate, Trouble> {
        let path = Path::new(dir).join(name);
        let loaded = load_certificates(std::slice::from_ref(&path)).map_err(|failed| Trouble::Shim(failed.message))?;
        loaded.into_iter().next().ok_or_else(|| Trouble::Shim(format!("{name}: no certificate in it")))
    }
}

/// What to say where the clock cannot be set.
const NO_CLOCK: &str = "the clock of Thunderbird can be set only where there is a C compiler (cc)";

/// Writes a key and its certificate as the file that Thunderbird imports.
fn hand_over(dir: &Path, key: &KeyFiles, to: &Path) -> Result<(), Trouble> {
    let Some(certificate) = &key.certificate else {
        return Err(Trouble::Unsupported(format!("Thunderbird takes no key without its certificate: {}", key.key)));
    };
    let certificate = Session::certificate(&dir.to_string_lossy(), certificate)?;
    let wrong = |error: &dyn std::fmt::Display| Trouble::Shim(format!("{}: {error}", key.key));
    let text = std::fs::read_to_string(dir.join(&key.key)).map_err(|error| wrong(&error))?;
    let private = PrivateKey::from_pem(&text, None).map_err(|error| wrong(&error))?;
    let random = &mut SystemRandom;
    let file = pkcs12::hand_over(&private.to_pkcs8_der(), certificate.der(), "waxseal", PASSWORD, random);
    std::fs::write(to, file.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))
}

fn is_writable(folder: &Path) -> bool {
    tempfile::tempfile_in(folder).is_ok()
}

/// Removes the profiles of shims that were killed: the runner ends them all so.
fn sweep(base: &Path) {
    let Ok(entries) = std::fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok());
        let is_gone = |pid: Pid| test_kill_process(pid).is_err_and(|error| error == rustix::io::Errno::SRCH);
        if number.and_then(Pid::from_raw).is_some_and(is_gone) {
            // Another shim may be doing the same.
            let _: io::Result<()> = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_shim_left_is_removed() {
        let base = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let [gone, own, other] =
            [format!("{PREFIX}{}-x", child.id()), format!("{PREFIX}{}-x", std::process::id()), "other".into()]
                .map(|name| base.path().join(name));
        for folder in [&gone, &own, &other] {
            std::fs::create_dir(folder).unwrap();
        }
        sweep(base.path());
        assert_eq!([gone.exists(), own.exists(), other.exists()], [false, true, true]);
    }
}
