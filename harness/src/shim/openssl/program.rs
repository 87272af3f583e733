//! The program `openssl`: started, watched and listened to.

use std::cell::OnceCell;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::native::Said;

/// The `openssl` on PATH.
#[derive(Debug, Default)]
pub(super) struct Program {
    /// Whether its legacy provider can be loaded; asked once.
    legacy: OnceCell<bool>,
}

/// Why a command has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
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

impl Program {
    const NAME: &'static str = "openssl";
    /// Standard error is kept up to this many octets.
    const MOST_WORDS: u64 = 64 << 10;

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
    ///
    /// There is no time limit here: the runner ends this shim with all it started.
    pub(super) fn run(&self, dir: &Path, arguments: &[&str]) -> Result<Said, Trouble> {
        note(dir, arguments);
        let mut child = Command::new(Self::NAME)
            .args(arguments)
            .current_dir(dir)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Trouble::Shim(format!("the program openssl cannot be started: {error}")))?;
        let mut words = Vec::new();
        if let Some(mut stderr) = child.stderr.take() {
            let kept = (&mut stderr).take(Self::MOST_WORDS).read_to_end(&mut words);
            // The rest is read and dropped, so that the program can end.
            let _ = kept.and_then(|_| std::io::copy(&mut stderr, &mut std::io::sink()));
        }
        let status = child.wait().map_err(|error| Trouble::Shim(format!("openssl was lost: {error}")))?;
        if status.code().is_none() {
            return Err(Trouble::Crash(format!("openssl ended by {status}")));
        }
        Ok(Said::new(status.success(), &String::from_utf8_lossy(&words)))
    }
}

/// Leaves the command in the case directory, so that a kept one repeats by hand.
fn note(dir: &Path, arguments: &[&str]) {
    let line = format!("openssl {}\n", arguments.join(" "));
    let file = OpenOptions::new().create(true).append(true).open(dir.join("openssl-commands.sh"));
    // A directory that cannot be written to fails at the command itself.
    let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
}
