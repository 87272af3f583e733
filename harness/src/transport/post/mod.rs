//! The post: real servers on loopback, and mail that goes through them.
//!
//! The servers run where there is no network but loopback ([`confine`]), with
//! their files in the `/run` of that place, and end with it. So this program
//! starts itself there ([`Job::run`]); what goes in and comes out is files of
//! one directory. Beyond the servers there is `curl`, which speaks SMTP, IMAP
//! and POP3 with and without TLS: a library would be needed for each of them.

mod client;
mod dovecot;
mod office;
mod postfix;
mod server;

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use waxseal_model::{Pki, Route, SubmitBy};

use crate::confine;
use crate::sut::ending::{self, Mark};
use crate::sut::scratch::Scratch;
use crate::sut::words::shorten;
pub use office::serve;

/// The host that the servers are, on their certificate too.
const HOST: &str = "mail.example.test";
/// How long everything may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Octets of a mail that came back, at most: a letter, and what servers write above it.
const MOST: u64 = 16 << 20;

/// What is to be carried.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// Octets that the SMTP server takes.
    pub size_limit: usize,
    /// The servers' key, PEM.
    pub key: String,
    /// Their certificate, PEM.
    pub certificate: String,
    /// What the client trusts, PEM.
    pub trusted: String,
    /// The routes.
    pub routes: Vec<Route>,
    /// The routes of each mail, by their numbers.
    pub mails: Vec<Vec<usize>>,
}

/// What became of one mail on one route.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delivery {
    /// The number of the route.
    pub route: usize,
    /// The number of the mail.
    pub mail: usize,
    /// What came of it.
    pub fate: Fate,
    /// Time on the way, milliseconds.
    pub ms: u64,
}

/// What came of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It arrived.
    Arrived,
    /// A server did not take it, in its own words.
    Refused(String),
    /// It was given to a server, or should have been, and did not arrive: why.
    Lost(String),
    /// The server does not run on this machine: why.
    NotAvailable(String),
}

/// A program that the post needs.
struct Needed {
    name: &'static str,
    version: &'static [&'static str],
    for_smtp_alone: bool,
}

const NEEDED: [Needed; 3] = [
    Needed { name: "curl", version: &["curl", "--version"], for_smtp_alone: false },
    Needed { name: "dovecot", version: &["dovecot", "--version"], for_smtp_alone: false },
    Needed { name: "postfix", version: &["postconf", "-h", "mail_version"], for_smtp_alone: true },
];

/// The programs of a route, with their versions; or which one is not here.
///
/// # Errors
/// Its name, and the Debian packages.
pub fn programs(by: SubmitBy) -> Result<String, String> {
    let needed = NEEDED.iter().filter(|one| by == SubmitBy::Smtp || !one.for_smtp_alone);
    let versions = needed.map(|one| {
        let (program, arguments) = one.version.split_first().ok_or("no command")?;
        let said = find(program).and_then(|path| Command::new(path).args(arguments).stdin(Stdio::null()).output().ok());
        let said = said.filter(|said| said.status.success()).ok_or_else(|| {
            format!("{} is not here (Debian: postfix dovecot-imapd dovecot-lmtpd dovecot-pop3d curl)", one.name)
        })?;
        let text = String::from_utf8_lossy(&said.stdout);
        let version = text.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
        Ok(format!("{} {}", one.name, version.unwrap_or_default()))
    });
    versions.collect::<Result<Vec<_>, String>>().map(|all| all.join(", "))
}

/// Where a program is; servers stand in directories that a person's PATH may leave out.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beside = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(beside).map(|dir| dir.join(name)).find(|file| file.is_file())
}

impl Job {
    /// A job for these routes, with the certificates of the corpus; `None` if the corpus has none.
    #[must_use]
    pub fn new(pki: &Pki, size_limit: usize, routes: Vec<Route>) -> Option<Self> {
        const SERVER: &str = "mail-server";
        let root = pki.entity(SERVER)?.issuer.as_deref()?;
        Some(Self {
            size_limit,
            key: pem(pki.key_pem(SERVER)?),
            certificate: pem(pki.certificate_pem(SERVER)?),
            trusted: pem(pki.certificate_pem(root)?),
            routes,
            mails: Vec::new(),
        })
    }

    /// Carries mails: of each its octets, which have CRLF, and the numbers of the
    /// routes it goes. `program` is this program, `waxseal`.
    ///
    /// # Errors
    /// Why nothing could be carried at all.
    pub fn run(mut self, program: &Path, mails: &[(&[u8], Vec<usize>)]) -> Result<Vec<Delivered>, String> {
        confine::probe().map_err(|error| error.to_string())?;
        let dir = Scratch::new().map_err(|error| error.to_string())?;
        let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        for (number, (octets, _)) in mails.iter().enumerate() {
            let path = mail(dir.path(), number);
            fs::write(&path, octets).map_err(|error| failed(&path, error))?;
        }
        self.mails = mails.iter().map(|(_, routes)| routes.clone()).collect();
        let path = dir.path().join(JOB);
        let text = serde_json::to_vec(&self).map_err(|error| error.to_string())?;
        private(&path, &text).map_err(|error| failed(&path, error))?;
        Confined::start(program, dir.path())?.wait()?;
        let path = dir.path().join(DELIVERIES);
        let text = fs::read(&path).map_err(|error| failed(&path, error))?;
        let deliveries: Vec<Delivery> = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        let with_octets = |delivery: Delivery| {
            if delivery.fate != Fate::Arrived {
                return Ok((delivery, None));
            }
            let path = arrived(dir.path(), delivery.route, delivery.mail);
            let octets = read_at_most(&path, MOST).map_err(|error| failed(&path, error))?;
            Ok((delivery, Some(octets)))
        };
        deliveries.into_iter().map(with_octets).collect()
    }
}

/// What became of a mail, and its octets if it arrived.
pub type Delivered = (Delivery, Option<Vec<u8>>);

/// Why nothing was carried by a program that a signal told to end.
const TOLD: &str = "this program was told to end";

/// The name of the job in its directory, and of what came of it.
const JOB: &str = "job.json";
const DELIVERIES: &str = "deliveries.json";

fn mail(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("mail-{number}"))
}

fn arrived(dir: &Path, route: usize, mail: usize) -> PathBuf {
    dir.join(format!("arrived-{route}-{mail}"))
}

/// A file of the corpus without the line of words above it.
fn pem(text: &str) -> String {
    text.find("-----BEGIN").map_or(text, |start| &text[start..]).to_owned()
}

/// A file for this user alone: a key is in it.
fn private(path: &Path, octets: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(octets)
}

fn read_at_most(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let read = fs::File::open(path)?.take(most + 1).read_to_end(&mut octets)?;
    if read as u64 > most { Err(std::io::Error::other(format!("more than {most} octets"))) } else { Ok(octets) }
}

/// This program in a place of its own. When it is dropped, or this process is told
/// to end, everything in the place is killed.
struct Confined {
    child: std::process::Child,
    mark: Mark,
    log: PathBuf,
}

impl Confined {
    fn start(program: &Path, dir: &Path) -> Result<Self, String> {
        if ending::is_told() {
            return Err(TOLD.to_owned());
        }
        // A signal from the terminal does not reach its group.
        ending::watch();
        let mark = Mark::new();
        let log = dir.join("log");
        let file = fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = confine::command(program);
        mark.put(&mut command);
        let child = command
            .arg("carry")
            .arg(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .process_group(0)
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        Ok(Self { child, mark, log })
    }

    fn wait(mut self) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait() {
                // However it ended: what was carried is wanted no more.
                _ if ending::is_told() => return Err(TOLD.to_owned()),
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("the servers' place ended with {status}: {}", self.said())),
                Ok(None) if Instant::now() > end => {
                    return Err(format!("not everything was carried within {} s: {}", PATIENCE.as_secs(), self.said()));
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    fn said(&self) -> String {
        let text = read_at_most(&self.log, 1 << 16).unwrap_or_default();
        shorten(&String::from_utf8_lossy(&text))
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        // The place ends with this process: `confine::command`.
        drop(self.child.kill());
        self.mark.kill();
        drop(self.child.wait());
    }
}
