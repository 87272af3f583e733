//! A running Thunderbird.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use serde_json::{Value, json};

use super::marionette::{Marionette, MarionetteError};
use super::profile::Profile;

/// How long it may take to start; a second is usual.
const START: Duration = Duration::from_secs(60);

/// How long one of our scripts may take.
const SCRIPT: Duration = Duration::from_secs(90);

/// Where it writes the port of Marionette, in its profile.
const PORT: &str = "MarionetteActivePort";

/// What goes wrong with Thunderbird.
#[derive(Debug, thiserror::Error)]
pub enum ThunderbirdError {
    /// It does not start.
    #[error("thunderbird: {0}")]
    Start(#[from] io::Error),
    /// It does not do what it was told to.
    #[error("thunderbird: {0}")]
    Script(#[from] MarionetteError),
    /// It answered something else than our scripts do.
    #[error("thunderbird: an answer that was not expected: {0}")]
    Answer(#[from] serde_json::Error),
    /// It refused to send.
    #[error("thunderbird did not send: {0}")]
    NotSent(String),
}

/// Who writes, and where to.
#[derive(Debug, Clone)]
pub struct Account {
    /// The address of the author.
    pub address: String,
    /// The display name.
    pub name: String,
    /// The SHA-256 of the certificate to sign with.
    pub signing: [u8; 32],
    /// The SHA-256 of the certificate to be encrypted for.
    pub encryption: [u8; 32],
    /// The server that mail is sent to.
    pub server: SocketAddr,
}

/// A mail to be written.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The addresses of the recipients.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The body, plain text.
    pub body: String,
    /// Whether it is signed.
    pub sign: bool,
    /// Whether it is encrypted.
    pub encrypt: bool,
}

/// What Thunderbird shows of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Shown {
    /// The name in `nsICMSMessageErrors` of what it says of the signature;
    /// nothing where it saw none.
    pub signature: Option<String>,
    /// The same of the encryption.
    pub encryption: Option<String>,
    /// The subject of the signer's certificate.
    pub signer: Option<String>,
    /// The body as text.
    pub body: Option<String>,
}

/// A running Thunderbird. It is ended when this is dropped.
#[derive(Debug)]
pub struct Thunderbird {
    child: Child,
    marionette: Option<Marionette>,
}

impl Thunderbird {
    /// Starts it with a profile; what it prints goes to `log`.
    ///
    /// # Errors
    /// It is not installed, ends at once, or is not ready in time.
    pub fn start(profile: &Profile, log: &Path) -> Result<Self, ThunderbirdError> {
        let port = profile.folder().join(PORT);
        match std::fs::remove_file(&port) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let out = File::create(log)?;
        let child = Command::new("thunderbird")
            .args(["--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile"])
            .arg(profile.folder())
            // Whatever it keeps beside the profile stays in the profile.
            .env("HOME", profile.folder())
            .env_remove("DISPLAY")
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            // It starts others; they end with it.
            .process_group(0)
            .spawn()?;
        let mut thunderbird = Self { child, marionette: None };
        let address = thunderbird.wait(&port, log)?;
        thunderbird.marionette = Some(Marionette::connect(address, SCRIPT)?);
        Ok(thunderbird)
    }

    /// Waits for the port.
    fn wait(&mut self, port: &Path, log: &Path) -> io::Result<SocketAddr> {
        let end = Instant::now() + START;
        loop {
            let number = std::fs::read_to_string(port).ok().and_then(|text| text.trim().parse().ok());
            if let Some(number) = number {
                return Ok((Ipv4Addr::LOCALHOST, number).into());
            }
            let ended = self.child.try_wait()?;
            if ended.is_some() || Instant::now() > end {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                return Err(io::Error::other(format!("not ready ({ended:?}): {said}")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// From now on this is the answer when a PIN or a password is asked for.
    ///
    /// # Errors
    /// The script fails.
    pub fn answer_prompts(&mut self, pin: &str) -> Result<(), ThunderbirdError> {
        self.run(include_str!("prompts.js"), &[json!(pin)]).map(drop)
    }

    /// Which prompts and alerts there were since the last time.
    ///
    /// # Errors
    /// The script fails.
    pub fn prompts(&mut self) -> Result<Vec<String>, ThunderbirdError> {
        Ok(serde_json::from_value(self.run(include_str!("prompted.js"), &[])?)?)
    }

    /// Sets up the account that mails are written from.
    ///
    /// # Errors
    /// The script fails, for instance because there is no such certificate.
    pub fn set_account(&mut self, account: &Account) -> Result<(), ThunderbirdError> {
        // As `sha256Fingerprint` has it.
        let fingerprint = |hash: [u8; 32]| json!(hash.map(|octet| format!("{octet:02X}")).join(":"));
        let arguments = [
            json!(account.address),
            json!(account.name),
            fingerprint(account.signing),
            fingerprint(account.encryption),
            json!(account.server.ip().to_string()),
            json!(account.server.port()),
        ];
        self.run(include_str!("account.js"), &arguments).map(drop)
    }

    /// Writes a mail and sends it to the server of the account.
    ///
    /// # Errors
    /// It does not send, and says why.
    pub fn send(&mut self, draft: &Draft) -> Result<(), ThunderbirdError> {
        let arguments = [
            json!(draft.to.join(", ")),
            json!(draft.subject),
            json!(draft.body),
            json!(draft.sign),
            json!(draft.encrypt),
        ];
        let told = self.run(include_str!("send.js"), &arguments)?;
        if told["status"] == "0" { Ok(()) } else { Err(ThunderbirdError::NotSent(told.to_string())) }
    }

    /// Opens the file of a mail, as a person would, and says what is shown.
    ///
    /// # Errors
    /// The script fails.
    pub fn open(&mut self, mail: &Path) -> Result<Shown, ThunderbirdError> {
        let path = mail.canonicalize()?;
        Ok(serde_json::from_value(self.run(include_str!("open.js"), &[json!(path)])?)?)
    }

    /// Runs the body of an asynchronous function in it.
    ///
    /// # Errors
    /// The script fails.
    pub fn run(&mut self, body: &str, arguments: &[Value]) -> Result<Value, ThunderbirdError> {
        let marionette = self.marionette.as_mut().ok_or_else(|| io::Error::other("not connected"))?;
        Ok(marionette.run_async(body, arguments)?)
    }
}

impl Drop for Thunderbird {
    fn drop(&mut self) {
        // Whether it would end in order does not matter: nobody opens the profile again.
        let group = Pid::from_child(&self.child);
        let _ = kill_process_group(group, Signal::KILL);
        drop(self.child.wait());
    }
}
