//! A home of gpgsm for one request: its own keybox, trust list and agent, so that
//! nothing that one message brought is there when the next one is judged.
//!
//! The agent stays in the process group of this process: it ends with the request,
//! and with the group if the harness ends that.

use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use waxseal_engine::certificate::Certificate;
use waxseal_key::{Arithmetic, DigestAlgorithm, ProviderChoice};

use super::super::mail;
use super::super::peel::{get, put};
use super::super::program::{Run, Trouble};
use super::super::protocol::KeyFiles;
use super::super::writing::certificates;
use super::key;

/// Name of the home in the case directory.
const HOME: &str = "gpgsm-home";
/// The certificates that are brought in.
const KNOWN: &str = "gpgsm-known.pem";
/// How long the path of a socket may be. unix(7) has 107 octets before the end of
/// the string; the agent wants one of them left (`create_server_socket`, 2.2.40).
const SOCKET_PATH: usize = 106;
/// The longest name of a socket that the agent makes.
const SOCKET: &str = "S.gpg-agent.browser";
/// How long the agent may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// Revocation is asked of another program (dirmngr), which none of this starts.
const GPGSM_CONF: &str = "batch\nno-tty\nno-autostart\ndisable-dirmngr\ndisable-crl-checks\n";
const AGENT_CONF: &str = "disable-scdaemon\n";

/// A home with a running agent. The agent is ended when this is dropped.
#[derive(Debug)]
pub(super) struct Home {
    dir: PathBuf,
    path: PathBuf,
    /// A connection to the agent, on which it is told to end.
    agent: UnixStream,
    /// Where the home is, if the case directory is too deep for a socket.
    _elsewhere: Option<TempDir>,
}

impl Home {
    /// A new home, for a case directory.
    ///
    /// # Errors
    /// A file cannot be written, or the agent does not start.
    pub(super) fn new(dir: &Path) -> Result<Self, Trouble> {
        let absolute = dir.canonicalize().map_err(|error| format!("{}: {error}", dir.display()))?;
        let mut path = absolute.join(HOME);
        let mut elsewhere = None;
        if path.as_os_str().len() + 1 + SOCKET.len() > SOCKET_PATH {
            let made = tempfile::Builder::new().prefix("waxseal-gpgsm-").tempdir();
            let made = made.map_err(|error| format!("no temporary directory for gpgsm: {error}"))?;
            path = made.path().join("home");
            elsewhere = Some(made);
        }
        let wrong = |error: io::Error| Trouble::Shim(format!("{}: {error}", path.display()));
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(0o700);
        // What an earlier request of the same case left would help this one.
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(wrong(error)),
            _ => {}
        }
        builder.create(&path).and_then(|()| builder.create(path.join("private-keys-v1.d"))).map_err(wrong)?;
        for (name, text) in [("gpgsm.conf", GPGSM_CONF), ("gpg-agent.conf", AGENT_CONF), ("trustlist.txt", "")] {
            std::fs::write(path.join(name), text).map_err(wrong)?;
        }
        let agent = start_agent(&path)?;
        Ok(Self { dir: absolute, path, agent, _elsewhere: elsewhere })
    }

    /// A command of gpgsm in this home, at a time.
    ///
    /// # Errors
    /// The clock is no time.
    pub(super) fn gpgsm(&self, clock: Option<&String>) -> Result<Run, Trouble> {
        let mut run = Run::new("gpgsm", &self.dir).arguments_of_home(&self.path);
        if let Some(clock) = clock {
            run = run.args(["--faked-system-time", &faked(clock)?]);
        }
        Ok(run)
    }

    /// Trusts certificates: the agent reads the list when it is first asked.
    ///
    /// # Errors
    /// The list cannot be written.
    pub(super) fn trust(&self, anchors: &[Certificate]) -> Result<(), Trouble> {
        // `relax`: an anchor need not say of itself that it is a CA.
        let lines = anchors.iter().map(|anchor| Ok(format!("{} S relax\n", fingerprint(anchor)?)));
        let list: String = lines.collect::<Result<_, Trouble>>()?;
        let path = self.path.join("trustlist.txt");
        std::fs::write(&path, list).map_err(|error| Trouble::Shim(format!("{}: {error}", path.display())))
    }

    /// Brings certificates in. One that gpgsm does not read is left out: it then says so itself.
    ///
    /// # Errors
    /// gpgsm crashed, or cannot be started.
    pub(super) fn import(&self, known: &[Certificate]) -> Result<(), Trouble> {
        if known.is_empty() {
            return Ok(());
        }
        let pem: String = known.iter().map(Certificate::to_pem).collect();
        put(&self.dir, KNOWN, pem.as_bytes())?;
        self.gpgsm(None)?.args(["--import", KNOWN]).go().map(drop)
    }

    /// Brings private keys in, whose certificates are there.
    ///
    /// # Errors
    /// A file is missing or damaged, or gpgsm crashed.
    pub(super) fn add_keys(&self, keys: &[KeyFiles]) -> Result<(), Trouble> {
        for own in keys {
            let Some(certificate) = certificates(&self.dir, &own.certificate)?.into_iter().next() else { continue };
            let pem = get(&self.dir, &own.key)?;
            let pkcs8 = mail::from_pem(&pem).ok_or_else(|| format!("{}: no PEM", own.key))?;
            let Some(file) = key::agent_file(&pkcs8, &certificate) else { continue };
            let Some(grip) = self.keygrip(&certificate)? else { continue };
            let path = self.path.join("private-keys-v1.d").join(format!("{grip}.key"));
            std::fs::write(&path, file).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }

    /// What names the key of a certificate to the agent; `None` if gpgsm did not take the certificate.
    fn keygrip(&self, certificate: &Certificate) -> Result<Option<String>, Trouble> {
        let name = fingerprint(certificate)?;
        let ran = self.gpgsm(None)?.args(["--with-colons", "--with-keygrip", "--list-keys", &name]).go()?;
        // "grp:::::::::03E4…:"
        let grip = ran.out.lines().find_map(|line| line.strip_prefix("grp:"));
        Ok(grip.and_then(|fields| fields.split(':').find(|field| !field.is_empty())).map(str::to_owned))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // The connection ends when the agent does: then nothing of it is left to meet the next one.
        // Errors mean that it has ended before.
        let _ = self.agent.set_read_timeout(Some(PATIENCE));
        let told = self.agent.write_all(b"KILLAGENT\n");
        let _ = told.and_then(|()| io::copy(&mut self.agent, &mut io::sink()));
    }
}

impl Run {
    fn arguments_of_home(self, home: &Path) -> Self {
        self.args(["--homedir".as_ref(), home.as_os_str()])
    }
}

/// Starts an agent. The command ends when the agent, a process that it forks,
/// listens on its socket; `--no-detach` leaves that in our process group.
fn start_agent(home: &Path) -> Result<UnixStream, Trouble> {
    let started = Command::new("gpg-agent")
        .arg("--homedir")
        .arg(home)
        .args(["--daemon", "--no-detach"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("gpg-agent cannot be started: {error} (Debian: apt-get install gpg-agent)"))?;
    if !started.success() {
        return Err(Trouble::Shim(format!("gpg-agent --homedir {} ended: {started}", home.display())));
    }
    let socket = home.join("S.gpg-agent");
    UnixStream::connect(&socket).map_err(|error| Trouble::Shim(format!("{}: {error}", socket.display())))
}

/// How gpgsm names a certificate: by the SHA-1 of it.
pub(super) fn fingerprint(certificate: &Certificate) -> Result<String, Trouble> {
    let hash = Arithmetic::new(ProviderChoice::Auto).digest(DigestAlgorithm::Sha1, certificate.der());
    let hash = hash.map_err(|error| format!("the fingerprint of a certificate: {error}"))?;
    Ok(hash.iter().map(|octet| format!("{octet:02X}")).collect())
}

/// A time as `--faked-system-time` takes it.
fn faked(clock: &str) -> Result<String, String> {
    use time::format_description::well_known::Rfc3339;
    use time::macros::format_description;
    let wrong = |error: &dyn std::fmt::Display| format!("clock {clock:?} is no RFC 3339 time: {error}");
    let at = time::OffsetDateTime::parse(clock, &Rfc3339).map_err(|error| wrong(&error))?;
    at.to_offset(time::UtcOffset::UTC)
        .format(format_description!("[year][month][day]T[hour][minute][second]"))
        .map_err(|error| wrong(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_utc() {
        assert_eq!(faked("2025-06-15T14:00:00+02:00").as_deref(), Ok("20250615T120000"));
        assert!(faked("noon").unwrap_err().contains("\"noon\" is no RFC 3339 time"));
    }
}
