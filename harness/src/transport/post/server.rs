//! A server as a child process.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long one may take to be there.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is quoted of its log.
const WORDS: usize = 600;

/// A running server. It is killed when this is dropped; what it started ends
/// with the place that it runs in.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    logs: Vec<PathBuf>,
}

impl Server {
    /// Starts it; what it says on its outputs goes to the first of the logs.
    pub(super) fn start(mut command: Command, logs: Vec<PathBuf>) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let failed = |error: std::io::Error| format!("{name}: {error}");
        if let Some(log) = logs.first() {
            let out = File::create(log).map_err(failed)?;
            command.stdout(out.try_clone().map_err(failed)?).stderr(out);
        }
        let child = command.stdin(Stdio::null()).spawn().map_err(failed)?;
        Ok(Self { child, logs })
    }

    /// Waits until it listens on all these ports.
    pub(super) fn wait_for(&mut self, ports: &[u16]) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        for port in ports {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
            while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
                let ended = self.child.try_wait().map_err(|error| error.to_string())?;
                if let Some(status) = ended {
                    return Err(format!("it ended with {status}: {}", self.said()));
                }
                if Instant::now() > end {
                    return Err(format!("it does not listen on port {port}: {}", self.said()));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(())
    }

    /// The end of what it said.
    pub(super) fn said(&self) -> String {
        let texts = self.logs.iter().map(|log| tail(log));
        texts.collect::<Vec<_>>().join(" ").trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It keeps nothing that anybody needs.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn tail(log: &Path) -> String {
    let octets = fs::read(log).unwrap_or_default();
    let start = octets.len().saturating_sub(WORDS);
    String::from_utf8_lossy(&octets[start..]).trim().replace('\n', "; ")
}
