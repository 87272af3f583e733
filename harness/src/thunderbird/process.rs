//! A running Thunderbird.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clock::Clock;
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
    /// It has no certificate for an address that it could encrypt for.
    #[error("thunderbird knows no valid certificate of {0}")]
    Unknown(String),
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
    /// Further recipients.
    pub cc: Vec<String>,
    /// The Message-ID, with its brackets; empty: one of its own.
    pub message_id: String,
    /// The Message-IDs of the mails that this one answers.
    pub references: String,
    /// The media type of the body; empty: `text/plain`.
    pub media_type: String,
    /// Files that are sent along.
    pub attachments: Vec<Attachment>,
    /// `signFormat` of its S/MIME; empty: its habit.
    pub sign_format: String,
    /// The certificates to encrypt for, by address; for an address that is not
    /// named here it looks for one.
    pub certificates: Vec<(String, [u8; 32])>,
}

/// A file that is sent along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// Where it is.
    pub path: PathBuf,
    /// What it is called.
    pub name: String,
    /// Its media type.
    pub media_type: String,
}

/// What the database holds.
#[derive(Debug, Clone, Default)]
pub struct Holdings {
    /// PKCS #12 files with a key and its certificate each.
    pub keys: Vec<PathBuf>,
    /// Their password.
    pub password: String,
    /// Certificates that are trusted for mail: DER.
    pub anchors: Vec<Vec<u8>>,
    /// Certificates that are worth what their issuers are: DER.
    pub others: Vec<Vec<u8>>,
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
    /// What the window was told while the mail was read, in this order.
    pub told: Vec<Told>,
}

/// One thing that the window of a mail was told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Told {
    /// Of what.
    pub what: What,
    /// How many mails lie around the part; nothing is shown of more than one.
    pub level: i32,
    /// The number of the part.
    pub part: String,
    /// The status, as in [`Shown::signature`].
    pub status: Option<String>,
}

/// What [`Told`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// The status of a signature.
    Signed,
    /// The status of an encryption.
    Encrypted,
    /// What is said of the part is not to be shown.
    Ignored,
    /// What was said of signatures no longer holds.
    Unsigned,
}

/// A running Thunderbird. It is ended when this is dropped.
#[derive(Debug)]
pub struct Thunderbird {
    child: Child,
    /// Whether what it starts is in a process group of its own.
    is_apart: bool,
    marionette: Option<Marionette>,
}

impl Thunderbird {
    /// Starts it with a profile, in a process group of its own; what it prints
    /// goes to `log`.
    ///
    /// # Errors
    /// It is not installed, ends at once, or is not ready in time.
    pub fn start(profile: &Profile, log: &Path) -> Result<Self, ThunderbirdError> {
        Self::start_in(profile, log, None, true)
    }

    /// Starts it in the process group of this process, with which it then ends,
    /// and with another clock if there is one.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_beside(profile: &Profile, log: &Path, clock: Option<&Clock>) -> Result<Self, ThunderbirdError> {
        Self::start_in(profile, log, clock, false)
    }

    fn start_in(
        profile: &Profile,
        log: &Path,
        clock: Option<&Clock>,
        is_apart: bool,
    ) -> Result<Self, ThunderbirdError> {
        let port = profile.folder().join(PORT);
        match std::fs::remove_file(&port) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let out = File::create(log)?;
        let mut command = Command::new("thunderbird");
        command
            .args(["--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile"])
            .arg(profile.folder())
            // Whatever it keeps beside the profile stays in the profile.
            .env("HOME", profile.folder())
            .env_remove("DISPLAY")
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out);
        if is_apart {
            // It starts others; they end with it.
            command.process_group(0);
        }
        if let Some(clock) = clock {
            clock.lend(&mut command);
        }
        let mut thunderbird = Self { child: command.spawn()?, is_apart, marionette: None };
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
        let arguments = [
            json!(account.address),
            json!(account.name),
            json!(fingerprint(account.signing)),
            json!(fingerprint(account.encryption)),
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
        let certificates = draft.certificates.iter().map(|(address, hash)| json!([address, fingerprint(*hash)]));
        let arguments = [json!({
            "to": draft.to.join(", "),
            "cc": draft.cc.join(", "),
            "subject": draft.subject,
            "messageId": draft.message_id,
            "references": draft.references,
            "body": draft.body,
            "mediaType": if draft.media_type.is_empty() { "text/plain" } else { &draft.media_type },
            "attachments": draft.attachments,
            "sign": draft.sign,
            "encrypt": draft.encrypt,
            "signFormat": draft.sign_format,
            "certificates": certificates.collect::<Vec<_>>(),
        })];
        let told = self.run(include_str!("send.js"), &arguments)?;
        match told["unknown"].as_str() {
            Some(address) => Err(ThunderbirdError::Unknown(address.to_owned())),
            None if told["status"] == "0" => Ok(()),
            None => Err(ThunderbirdError::NotSent(told.to_string())),
        }
    }

    /// Opens the file of a mail, as a person would, and says what is shown.
    ///
    /// # Errors
    /// The script fails.
    pub fn open(&mut self, mail: &Path) -> Result<Shown, ThunderbirdError> {
        let path = mail.canonicalize()?;
        Ok(serde_json::from_value(self.run(include_str!("open.js"), &[json!(path)])?)?)
    }

    /// Puts keys and certificates into its database, in the place of those that
    /// were there, and lets it trust nobody but `anchors`. Returns what it did not
    /// take, in its words.
    ///
    /// # Errors
    /// The script fails.
    pub fn know(&mut self, holdings: &Holdings) -> Result<Vec<String>, ThunderbirdError> {
        let encoded = |list: &[Vec<u8>]| list.iter().map(|der| STANDARD.encode(der)).collect::<Vec<_>>();
        let arguments = [
            json!(holdings.keys),
            json!(holdings.password),
            json!(encoded(&holdings.anchors)),
            json!(encoded(&holdings.others)),
        ];
        Ok(serde_json::from_value(self.run(include_str!("database.js"), &arguments)?)?)
    }

    /// The content of a CMS object, as its own decoder takes it out.
    ///
    /// # Errors
    /// The script fails: the object cannot be decoded.
    pub fn content(&mut self, object: &[u8]) -> Result<Vec<u8>, ThunderbirdError> {
        let told = self.run(include_str!("content.js"), &[json!(STANDARD.encode(object))])?;
        let content = STANDARD.decode(told.as_str().unwrap_or_default());
        Ok(content.map_err(|error| io::Error::other(format!("content.js: {error}")))?)
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

/// As `sha256Fingerprint` has it.
fn fingerprint(hash: [u8; 32]) -> String {
    hash.map(|octet| format!("{octet:02X}")).join(":")
}

impl Drop for Thunderbird {
    fn drop(&mut self) {
        // Whether it would end in order does not matter: nobody opens the profile again.
        let pid = Pid::from_child(&self.child);
        // Its own children notice that it is gone, and end.
        let _ = if self.is_apart { kill_process_group(pid, Signal::KILL) } else { kill_process(pid, Signal::KILL) };
        drop(self.child.wait());
    }
}
