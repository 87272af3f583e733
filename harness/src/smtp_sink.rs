//! A mail server that keeps what it is given (RFC 5321), on loopback: where a
//! mail program sends what it wrote.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a client may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Octets of a line; RFC 5321 section 4.5.3.1.6 has 1000, and mail programs more.
const LINE: u64 = 1 << 20;

/// Octets of a mail.
const MAIL: usize = 256 << 20;

/// One mail as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The reverse path.
    pub from: String,
    /// The forward paths.
    pub to: Vec<String>,
    /// The octets, without the dots of transparency.
    pub octets: Vec<u8>,
}

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub struct SmtpSink {
    address: SocketAddr,
    mails: Receiver<Mail>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl SmtpSink {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// No port can be listened on.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (sender, mails) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("smtp".to_owned()).spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let sender = sender.clone();
                // A client that ends in the middle has sent nothing.
                std::thread::spawn(move || drop(Session::new(stream, sender).and_then(|mut session| session.run())));
            }
        })?;
        Ok(Self { address, mails, stop, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next mail, if one comes in time.
    #[must_use]
    pub fn next(&self, patience: Duration) -> Option<Mail> {
        self.mails.recv_timeout(patience).ok()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        drop(TcpStream::connect_timeout(&self.address, Duration::from_secs(1)));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// One client.
struct Session {
    input: BufReader<TcpStream>,
    output: TcpStream,
    mails: Sender<Mail>,
}

impl Session {
    fn new(stream: TcpStream, mails: Sender<Mail>) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { input: BufReader::new(stream.try_clone()?), output: stream, mails })
    }

    fn run(&mut self) -> io::Result<()> {
        self.say("220 sink.example.test ESMTP")?;
        let (mut from, mut to) = (String::new(), Vec::new());
        loop {
            let line = self.line()?;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.say("250-sink.example.test\r\n250 8BITMIME")?,
                "HELO" | "NOOP" => self.say("250 OK")?,
                "RSET" => {
                    to.clear();
                    self.say("250 OK")?;
                }
                "MAIL" => {
                    (from, to) = (path(rest), Vec::new());
                    self.say("250 OK")?;
                }
                "RCPT" => {
                    to.push(path(rest));
                    self.say("250 OK")?;
                }
                "DATA" if to.is_empty() => self.say("503 no recipient")?,
                "DATA" => {
                    self.say("354 go on")?;
                    let octets = self.data()?;
                    // Nobody waits for it any more: the sink is gone.
                    drop(self.mails.send(Mail { from: from.clone(), to: std::mem::take(&mut to), octets }));
                    self.say("250 OK")?;
                }
                "QUIT" => return self.say("221 bye"),
                _ => self.say("502 not here")?,
            }
        }
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        self.output.write_all(format!("{line}\r\n").as_bytes())
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.input).take(LINE).read_until(b'\n', &mut line)?;
        if line.ends_with(b"\n") { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// The lines until a dot by itself (RFC 5321 section 4.5.2).
    fn data(&mut self) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        loop {
            let line = self.line()?;
            if line == b".\r\n" {
                return Ok(octets);
            }
            octets.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if octets.len() > MAIL {
                return Err(io::Error::other("a mail that is too large"));
            }
        }
    }
}

/// The path of `FROM:<a@b> SIZE=1`.
fn path(argument: &str) -> String {
    let inner = argument.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(|| argument.to_owned(), |(path, _)| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client's side of RFC 5321 appendix D.1, with a line that begins with a dot.
    #[test]
    fn a_mail_arrives() {
        let sink = SmtpSink::start().unwrap();
        let mut stream = TcpStream::connect(sink.address()).unwrap();
        stream
            .write_all(
                b"EHLO bar.com\r\nMAIL FROM:<Smith@bar.com> SIZE=20\r\nRCPT TO:<Jones@foo.com>\r\n\
                  RCPT TO:<Brown@foo.com>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\nend\r\n.\r\nQUIT\r\n",
            )
            .unwrap();
        let mail = sink.next(Duration::from_secs(10)).unwrap();
        assert_eq!((mail.from.as_str(), mail.to.join(" ").as_str()), ("Smith@bar.com", "Jones@foo.com Brown@foo.com"));
        assert_eq!(mail.octets, b"Subject: x\r\n\r\n.dot\r\nend\r\n");
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        let codes: Vec<_> = said.lines().map(|line| &line[..3]).collect();
        assert_eq!(codes, ["220", "250", "250", "250", "250", "250", "354", "250", "221"]);
    }

    #[test]
    fn a_mail_that_is_cut_off_does_not_arrive() {
        let sink = SmtpSink::start().unwrap();
        let mut stream = TcpStream::connect(sink.address()).unwrap();
        stream.write_all(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\nhalf").unwrap();
        drop(stream);
        assert_eq!(sink.next(Duration::from_millis(500)), None);
    }
}
