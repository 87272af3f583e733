//! One file from its source: into `NAME.part`, resumed where it was cut off,
//! and under its name once its hash is the one of the catalogue.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use ureq::http::Response;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, RETRY_AFTER};
use ureq::{Agent, Body, Timeout};
use waxseal_model::PublishedFile;

use crate::exit::Failed;
use crate::fetch::tls;

/// Octets of the largest file that is taken; the largest of the catalogue has a hundredth of it.
pub const MOST_OCTETS: u64 = 32 << 20;
/// Requests for one file, each of which goes on where the one before was cut off.
const ATTEMPTS: u32 = 4;
/// How long a connection may take to be there.
const CONNECTING: Duration = Duration::from_secs(15);
/// The longest pause that a server can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Redirections that are followed.
const REDIRECTS: u32 = 3;

/// A server that shows the files of repositories.
#[derive(Debug)]
pub struct Server {
    agent: Agent,
    base: String,
    /// Whether it ever answered.
    answered: Cell<bool>,
}

/// Why a file did not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The server has no such file, or does not give it.
    #[error("{url}: HTTP {status}{}", if *.status == 404 { ": the source has this file no more" } else { "" })]
    Status {
        /// What was asked for.
        url: String,
        /// What it said.
        status: u16,
    },
    /// It is another file.
    #[error("{url}: refused, its sha256 is {found} and not {wanted}: the source has another file there")]
    Differs {
        /// What was asked for.
        url: String,
        /// The hash that came.
        found: String,
        /// The hash of the catalogue.
        wanted: String,
    },
    /// It is larger than any file of the catalogue.
    #[error("{url}: refused, it has more than {most} octets")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// How many are taken.
        most: u64,
    },
    /// It was cut off too often.
    #[error("{url}: {why}; {kept} octets are kept, the same command goes on from there")]
    CutOff {
        /// What was asked for.
        url: String,
        /// What happened last.
        why: String,
        /// Octets that are there.
        kept: u64,
    },
    /// Nobody answers.
    #[error("{0}; is there a way to this server, or does --base name another?")]
    Unreachable(String),
    /// Another file has its name in the directory.
    #[error("{0}; move that file away")]
    Occupied(String),
    /// The directory cannot be written.
    #[error("{0}")]
    Stored(String),
}

/// How one request ended that was not in vain for good.
enum Attempt {
    /// All of the file is there.
    Whole,
    /// It was cut off, or is to be asked for again after a while.
    Again(String, Option<Duration>),
}

impl Server {
    /// A server at a base address, each of whose answers may take so long.
    ///
    /// # Errors
    /// The address is none of http or https, or this system trusts no authority.
    pub fn new(base: &str, patience: Duration) -> Result<Self, Failed> {
        let base = base.trim_end_matches('/');
        let secure = base.starts_with("https://");
        if !secure && !base.starts_with("http://") {
            return Err(Failed::usage(format!(
                "--base {base}: an address of http or https, such as {}",
                super::PUBLIC_BASE
            )));
        }
        let config = Agent::config_builder()
            .timeout_global(Some(patience))
            .timeout_connect(Some(CONNECTING.min(patience)))
            .max_redirects(REDIRECTS)
            .http_status_as_error(false)
            // Who begins with https is not led to http.
            .https_only(secure)
            .user_agent(concat!("waxseal/", env!("CARGO_PKG_VERSION")));
        let config =
            if secure { config.tls_config(tls::trusting_the_system().map_err(Failed::usage)?) } else { config };
        Ok(Self { agent: config.build().into(), base: base.to_owned(), answered: Cell::new(false) })
    }

    /// Brings a file under its name, and says how many octets it has. `shown`
    /// is told how many are there, and how many it will be.
    ///
    /// # Errors
    /// It did not come; nothing has its name.
    pub fn bring(
        &self,
        file: PublishedFile<'_>,
        sha256: &str,
        path: &Path,
        mut shown: impl FnMut(u64, Option<u64>),
    ) -> Result<u64, Failure> {
        let url = url(&self.base, file);
        let part = Part::of(path);
        // All of it may be there from an earlier time, but for its name.
        if part.octets()? > 0 && part.hash()? == sha256 {
            return part.name(path);
        }
        let (mut why, mut pause) = (String::new(), None);
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                let usual = Duration::from_millis(200) * (1 << attempt);
                std::thread::sleep(pause.take().unwrap_or(usual).min(LONGEST_PAUSE));
            }
            let before = part.octets()?;
            match self.ask(&url, &part, before, &mut shown)? {
                Attempt::Again(reason, wait) => (why, pause) = (reason, wait),
                Attempt::Whole => {
                    let found = part.hash()?;
                    if found == sha256 {
                        return part.name(path);
                    }
                    part.remove()?;
                    if before == 0 {
                        return Err(Failure::Differs { url, found, wanted: sha256.to_owned() });
                    }
                    // What was kept from an earlier time may have been damaged.
                    "what was kept of it does not fit".clone_into(&mut why);
                }
            }
        }
        if self.answered.get() {
            Err(Failure::CutOff { url, why, kept: part.octets()? })
        } else {
            Err(Failure::Unreachable(format!("{url}: {why}")))
        }
    }

    /// One request: what is there stays, and what comes is put behind it.
    fn ask(
        &self,
        url: &str,
        part: &Part,
        before: u64,
        shown: &mut impl FnMut(u64, Option<u64>),
    ) -> Result<Attempt, Failure> {
        let request = self.agent.get(url);
        let request = if before > 0 { request.header("Range", format!("bytes={before}-")) } else { request };
        let response = match request.call() {
            Ok(response) => response,
            Err(error) if is_unreachable(&error) => return Err(Failure::Unreachable(format!("{url}: {error}"))),
            Err(error) => return Ok(Attempt::Again(error.to_string(), None)),
        };
        self.answered.set(true);
        let status = response.status().as_u16();
        let start = match status {
            200 => 0,
            206 if range_start(&response) == Some(before) => before,
            // It does not go on where we are, or has nothing there: all of it then.
            206 | 416 if before > 0 => {
                part.remove()?;
                return Ok(Attempt::Again(format!("HTTP {status} instead of the rest"), Some(Duration::ZERO)));
            }
            429 | 500..=599 => {
                let wait = number(&response, &RETRY_AFTER).map(Duration::from_secs);
                return Ok(Attempt::Again(format!("HTTP {status}"), wait));
            }
            _ => return Err(Failure::Status { url: url.to_owned(), status }),
        };
        let all = number(&response, &CONTENT_LENGTH).map(|rest| start.saturating_add(rest));
        let too_large = || Failure::TooLarge { url: url.to_owned(), most: MOST_OCTETS };
        if all.is_some_and(|all| all > MOST_OCTETS) {
            part.remove()?;
            return Err(too_large());
        }
        let mut to = part.open(start > 0)?;
        let mut from = response.into_body().into_reader();
        let mut have = start;
        let mut block = vec![0; 1 << 16];
        loop {
            shown(have, all);
            let read = match from.read(&mut block) {
                Ok(0) if all.is_some_and(|all| have < all) => {
                    return Ok(Attempt::Again("the connection ended before the file did".to_owned(), None));
                }
                Ok(0) => return Ok(Attempt::Whole),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Attempt::Again(error.to_string(), None)),
            };
            have += read as u64;
            if have > MOST_OCTETS {
                drop(to);
                part.remove()?;
                return Err(too_large());
            }
            to.write_all(&block[..read]).map_err(part.failed())?;
        }
    }
}

/// Where a file lies as long as it is not whole.
pub(super) fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// A file that is not whole yet.
struct Part {
    path: PathBuf,
}

impl Part {
    fn of(path: &Path) -> Self {
        Self { path: part_of(path) }
    }

    /// Octets that are there; more than any file has are none.
    fn octets(&self) -> Result<u64, Failure> {
        match fs::metadata(&self.path) {
            Ok(data) if data.len() <= MOST_OCTETS => Ok(data.len()),
            Ok(_) => self.remove().map(|()| 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(self.failed()(error)),
        }
    }

    fn open(&self, append: bool) -> Result<File, Failure> {
        let mut options = OpenOptions::new();
        let options = if append { options.append(true) } else { options.write(true).truncate(true) };
        options.create(true).open(&self.path).map_err(self.failed())
    }

    fn hash(&self) -> Result<String, Failure> {
        let mut hasher = Sha256::new();
        let mut file = File::open(&self.path).map_err(self.failed())?;
        let mut block = vec![0; 1 << 16];
        loop {
            match file.read(&mut block) {
                Ok(0) => break,
                Ok(read) => hasher.update(&block[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed()(error)),
            }
        }
        Ok(hasher.finalize().iter().map(|octet| format!("{octet:02x}")).collect())
    }

    fn remove(&self) -> Result<(), Failure> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed()(error)),
            _ => Ok(()),
        }
    }

    /// Gives it its name, unless something has it by now.
    fn name(&self, path: &Path) -> Result<u64, Failure> {
        let octets = self.octets()?;
        // A link to a name that is taken fails, where renaming would replace what is there.
        fs::hard_link(&self.path, path)
            .or_else(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Err(error),
                _ => fs::rename(&self.path, path),
            })
            .map_err(|error| Failure::Stored(format!("{}: {error}", path.display())))?;
        self.remove()?;
        Ok(octets)
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Failure + '_ {
        |error| Failure::Stored(format!("{}: {error}", self.path.display()))
    }
}

/// Whether nobody was there to be asked, so that asking again does not help.
fn is_unreachable(error: &ureq::Error) -> bool {
    use io::ErrorKind as Kind;
    match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::BadUri(_)
        | ureq::Error::Http(_)
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::RequireHttpsOnly(_)
        | ureq::Error::Rustls(_)
        | ureq::Error::Tls(_)
        | ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => true,
        // rustls says so of a certificate that it does not trust.
        ureq::Error::Io(error) => {
            matches!(
                error.kind(),
                Kind::ConnectionRefused | Kind::HostUnreachable | Kind::InvalidData | Kind::NetworkUnreachable
            )
        }
        _ => false,
    }
}

/// Where the octets of a 206 begin (RFC 9110 section 14.4).
fn range_start(response: &Response<Body>) -> Option<u64> {
    let value = response.headers().get(&CONTENT_RANGE)?.to_str().ok()?;
    value.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

fn number(response: &Response<Body>, field: &HeaderName) -> Option<u64> {
    response.headers().get(field)?.to_str().ok()?.trim().parse().ok()
}

/// Where a file is, on a server with this base address.
#[must_use]
pub fn url(base: &str, file: PublishedFile<'_>) -> String {
    let base = base.trim_end_matches('/');
    format!("{base}/{}/{}/{}", encoded(file.repository), file.commit, encoded(file.path))
}

/// A path for a URI (RFC 3986 section 3.3).
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for octet in path.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~/".contains(&octet) {
            text.push(char::from(octet));
        } else {
            text.push_str(&format!("%{octet:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_octet_that_means_something_else() {
        let file = PublishedFile { repository: "a/b", commit: "c", path: "d e/(f) & #?%.eml" };
        assert_eq!(url("http://127.0.0.1:1/", file), "http://127.0.0.1:1/a/b/c/d%20e/%28f%29%20%26%20%23%3F%25.eml");
        assert!(Server::new("ftp://a", Duration::from_secs(1)).is_err());
    }
}
