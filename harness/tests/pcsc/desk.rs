//! A desk: pcscd, its readers with our cards, and a folder for files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use waxseal::pcscd::Pcscd;
use waxseal_card::Card;
use waxseal_card::faults::{FaultyCard, Script};
use waxseal_card::vpcd::{self, Loopback, Slot, Way};
use waxseal_model::Corpus;

use crate::keys::Key;
use crate::recorder::Log;

/// How long pcscd may take to see a card.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) const PIN: &str = waxseal_card::models::PIN;

pub(crate) struct Desk {
    // Cards are pulled out before pcscd ends.
    slots: Vec<Slot>,
    pcscd: Option<Pcscd>,
    /// What was asked of the cards.
    pub(crate) log: Log,
    folder: TempDir,
}

/// What a program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) is_good: bool,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// The output of a program that did well.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert!(self.is_good, "{}\n{}", self.text(), self.err);
        self.text()
    }

    /// What a program said that did not do well.
    #[track_caller]
    pub(crate) fn bad(self) -> String {
        assert!(!self.is_good, "{}\n{}", self.text(), self.err);
        self.err
    }
}

impl Desk {
    /// A desk with this card.
    pub(crate) fn with(model: &str) -> Self {
        let mut desk = Self::empty(&[]);
        desk.insert_model(model);
        desk
    }

    /// A desk with this card, to which this happens when the private key is used.
    pub(crate) fn with_fault(model: &str, fault: &str, key: &Key) -> Self {
        let mut desk = Self::empty(&[]);
        let mut script = Script::named(fault).unwrap();
        script.faults.retain(|fault| fault.at.command.as_deref() == Some("general-authenticate"));
        // With other keys the same command draws random numbers, as NSS wants them.
        script.faults[0].at.p2 = u8::from_str_radix(&key.slot, 16).ok();
        desk.insert(Box::new(FaultyCard::new(card(model), script)));
        desk
    }

    /// A desk with empty readers.
    pub(crate) fn empty(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = Self { slots: Vec::new(), pcscd: None, log: Log::default(), folder };
        desk.start_pcscd(options);
        desk
    }

    fn start_pcscd(&mut self, options: &[&str]) {
        self.pcscd = Some(Pcscd::start(options, &self.path("pcscd.log")).unwrap());
    }

    /// Ends pcscd and starts it again, and waits until it has seen the cards.
    pub(crate) fn restart_pcscd(&mut self) {
        // There is one socket: the first has to be gone.
        drop(self.pcscd.take());
        self.start_pcscd(&[]);
        self.wait_for_cards(self.slots.len());
    }

    pub(crate) fn insert_model(&mut self, name: &str) {
        self.insert(card(name));
    }

    /// Puts a card into the next reader, and waits until pcscd has seen it.
    pub(crate) fn insert(&mut self, card: Box<dyn Card>) {
        let port = vpcd::PORT + u16::try_from(self.slots.len()).unwrap();
        let way = Way::Connect(Loopback::try_from(std::net::SocketAddr::from(([127, 0, 0, 1], port))).unwrap());
        self.slots.push(Slot::insert(self.log.of(card), way, |_| {}).unwrap());
        self.wait_for_cards(self.slots.len());
    }

    /// Pulls the last card out, and waits until pcscd has seen that.
    pub(crate) fn remove(&mut self) {
        drop(self.slots.pop());
        self.wait_for_cards(self.slots.len());
    }

    pub(crate) fn wait_for_cards(&self, count: usize) {
        let end = Instant::now() + PATIENCE;
        loop {
            let readers = self.run("opensc-tool", &["--list-readers"]).text();
            let cards = readers.lines().filter(|line| line.contains(" Yes ")).count();
            if cards == count {
                return;
            }
            assert!(Instant::now() < end, "{cards} cards instead of {count}: {readers}{}", self.pcscd_said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn pcscd_said(&self) -> String {
        std::fs::read_to_string(self.path("pcscd.log")).unwrap_or_default()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, octets: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), octets).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Runs a program in the folder of the desk.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Said {
        self.run_with(program, arguments, b"")
    }

    pub(crate) fn run_with(&self, program: &str, arguments: &[&str], input: &[u8]) -> Said {
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        // A program that does not read its input has closed it.
        let _ = child.stdin.take().unwrap().write_all(input);
        let said = child.wait_with_output().unwrap();
        Said {
            is_good: said.status.success(),
            out: said.stdout,
            err: format!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&said.stderr)),
        }
    }

    pub(crate) fn waxseal(&self, arguments: &[&str]) -> Said {
        self.run(env!("CARGO_BIN_EXE_waxseal"), arguments)
    }

    /// The public key of a certificate of the corpus, as a file of the desk.
    pub(crate) fn public_key(&self, entity: &str) -> String {
        let name = format!("{entity}.pub");
        let text = self.run("openssl", &["x509", "-in", &certificate(entity), "-noout", "-pubkey"]).good();
        self.write(&name, text);
        name
    }
}

/// A new card of a model.
pub(crate) fn card(model: &str) -> Box<dyn Card> {
    waxseal::card::virtual_card(&Corpus::embedded().unwrap(), model).unwrap()
}

/// The certificate of an entity of the corpus.
pub(crate) fn certificate(entity: &str) -> String {
    pki(&format!("{entity}.cert.pem"))
}

/// A file of the corpus's PKI.
pub(crate) fn pki(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/pki").join(name);
    path.to_str().unwrap().to_owned()
}
