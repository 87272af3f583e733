//! The PC/SC daemon, with the readers of vsmartcard's vpcd.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::confine;

/// Where programs find it.
const SOCKET: &str = "/run/pcscd/pcscd.comm";

/// How long it may take to be there.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running pcscd. It ends when this is dropped.
#[derive(Debug)]
pub struct Pcscd(Child);

impl Pcscd {
    /// Starts it, and waits until programs can connect. What it says goes to
    /// `log`; the options can name another configuration (`--config`).
    ///
    /// # Errors
    /// It is not there, ended, or did not become ready; or this process is not
    /// [confined](confine): vpcd listens on all addresses, and whoever connects
    /// is a card to it.
    pub fn start(options: &[&str], log: &Path) -> io::Result<Self> {
        if !confine::is_confined()? {
            return Err(io::Error::other("pcscd is started only where there is no network but loopback"));
        }
        let out = File::create(log)?;
        let child = Command::new("pcscd")
            .args(["--foreground", "--info"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("pcscd: {error}")))?;
        let mut pcscd = Self(child);
        let end = Instant::now() + PATIENCE;
        while !Path::new(SOCKET).exists() {
            let ended = pcscd.0.try_wait()?;
            if ended.is_some() || Instant::now() > end {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                return Err(io::Error::other(format!("pcscd is not ready ({ended:?}): {said}")));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(pcscd)
    }
}

impl Drop for Pcscd {
    fn drop(&mut self) {
        // It has nothing to save.
        drop(self.0.kill());
        drop(self.0.wait());
        drop(std::fs::remove_file(SOCKET));
    }
}
