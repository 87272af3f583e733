//! The program `openssl`: started, watched and listened to.

use std::cell::OnceCell;
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::faketime::Faketime;
use super::super::program::{Run, Trouble};
use super::native::Said;

/// The `openssl` on PATH.
#[derive(Debug, Default)]
pub(super) struct Program {
    /// Whether its legacy provider can be loaded; asked once.
    legacy: OnceCell<bool>,
}

impl Program {
    const NAME: &'static str = "openssl";

    /// The version as the program states it.
    pub(super) fn version(&self) -> Result<String, String> {
        let output = Command::new(Self::NAME)
            .arg("version")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("the program openssl cannot be started: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        // "OpenSSL 3.0.19 27 Jan 2026 (Library: …)"
        let mut words = text.split_whitespace();
        match (words.next(), words.next()) {
            (Some("OpenSSL"), Some(version)) if version.split('.').next().is_some_and(|major| major >= "3") => {
                Ok(version.to_owned())
            }
            _ => Err(format!("openssl states {:?}; OpenSSL 3 or later is needed", text.trim())),
        }
    }

    /// Whether the ciphers of old mail (RC2, DES, CAST) are there.
    pub(super) fn has_legacy(&self) -> bool {
        *self.legacy.get_or_init(|| {
            let list = Command::new(Self::NAME)
                .args(["list", "-providers", "-provider", "legacy"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            list.is_ok_and(|status| status.success())
        })
    }

    /// The options of a command that may need old ciphers.
    pub(super) fn providers(&self) -> &'static [&'static str] {
        if self.has_legacy() { &["-provider", "default", "-provider", "legacy"] } else { &[] }
    }

    /// Runs a command of openssl in a directory.
    pub(super) fn run(&self, dir: &Path, arguments: &[&str]) -> Result<Said, Trouble> {
        Self::heard(Run::new(Self::NAME, dir).args(arguments))
    }

    /// Runs a command of openssl at a given time: `cms` can be told none to sign at.
    pub(super) fn run_at(&self, dir: &Path, arguments: &[&str], clock: Option<&String>) -> Result<Said, Trouble> {
        let faketime = clock.and_then(|_| Faketime::find());
        Self::heard(Run::new(Self::NAME, dir).args(arguments).at(faketime.as_ref(), clock)?)
    }

    fn heard(run: Run) -> Result<Said, Trouble> {
        let ran = run.go()?;
        Ok(Said::new(ran.success, &ran.words))
    }
}
