//! The Thunderbird adapter, with the engine on the other side. Where Thunderbird
//! is not installed it says so and tests nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use waxseal::shim::engine::Engine;
use waxseal::shim::protocol::{Answer, EncryptArguments, KeyFiles, OpenArguments, Request, SignArguments};
use waxseal::shim::serve::Shim;
use waxseal::shim::thunderbird::Thunderbird;
use waxseal::sut::child::{Failure, ShimCommand, ShimLimits, ShimProcess};
use waxseal_verdict::{Aspect, AspectName, Clock, Form, Verdict};

/// The clock of the corpus PKI, and the Date of the mail.
const CLOCK: &str = "2025-06-15T12:00:00Z";

const MAIL: &str = "From: Alice Amber <alice@example.test>\r\nTo: Bob Birch <bob@example.test>\r\n\
    Subject: =?utf-8?q?T=C3=A9?= for two\r\nDate: Sun, 15 Jun 2025 12:00:00 +0000\r\nMessage-ID: <tea@example.test>\r\n\
    MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
    Hello Böb,  \r\nFrom four on.\r\n.\r\n";

/// Whether it can be tested here; if not, a line says so.
fn is_there() -> bool {
    let hello = Thunderbird::default().hello();
    if let Err(why) = &hello {
        waxseal_testing::not_installed(why);
    }
    hello.is_ok()
}

/// A directory with the mail and what stands around it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let pki = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/pki");
        for who in ["alice", "alice-ec", "bob", "bob-ec", "carol"] {
            for kind in ["cert.pem", "key.pem"] {
                std::fs::copy(pki.join(format!("{who}.{kind}")), place.path(&format!("{who}.{kind}"))).unwrap();
            }
        }
        for (file, names) in [
            ("anchors.pem", ["root", "root-ec"]),
            ("issuers.pem", ["intermediate", "intermediate-ec"]),
            ("others.pem", ["other-root"; 2]),
        ] {
            let read = |name: &str| std::fs::read_to_string(pki.join(format!("{name}.cert.pem"))).unwrap();
            place.write(file, names.map(read).concat());
        }
        place.write("mail", MAIL);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, octets: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), octets).unwrap();
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8(std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    fn dir(&self) -> String {
        self.0.path().to_str().unwrap().to_owned()
    }

    fn opening(&self, message: &str) -> OpenArguments {
        OpenArguments {
            dir: self.dir(),
            message: message.to_owned(),
            keys: vec![key("bob"), key("bob-ec")],
            anchors: Some("anchors.pem".to_owned()),
            clock: Some(CLOCK.to_owned()),
            out: "content".to_owned(),
            ..OpenArguments::default()
        }
    }

    fn signing(&self, who: &str, out: &str) -> SignArguments {
        SignArguments {
            dir: self.dir(),
            message: "mail".to_owned(),
            key: key(who),
            anchors: Some("anchors.pem".to_owned()),
            certificates: Some("issuers.pem".to_owned()),
            clock: Some(CLOCK.to_owned()),
            out: out.to_owned(),
            ..SignArguments::default()
        }
    }

    fn encrypting(&self, to: &str, out: &str) -> EncryptArguments {
        EncryptArguments {
            reading: OpenArguments {
                keys: Vec::new(),
                extra_certificates: Some("issuers.pem".to_owned()),
                out: out.to_owned(),
                ..self.opening("mail")
            },
            to: vec!["bob@example.test".to_owned()],
            recipients: vec![format!("{to}.cert.pem")],
            ..EncryptArguments::default()
        }
    }
}

fn key(who: &str) -> KeyFiles {
    KeyFiles { key: format!("{who}.key.pem"), certificate: Some(format!("{who}.cert.pem")) }
}

fn verdict(shim: &mut dyn Shim, arguments: &OpenArguments) -> Verdict {
    match shim.open(arguments) {
        Ok(Answer::Verdict(verdict, _)) => verdict,
        other => panic!("{}: {other:?}", arguments.message),
    }
}

fn wrote(answer: Result<Answer, impl std::fmt::Debug>) {
    assert!(matches!(answer, Ok(Answer::Wrote(_))), "{answer:?}");
}

/// The aspects that Thunderbird reports, good ones left out.
fn faults(verdict: &Verdict) -> Vec<String> {
    let names =
        [AspectName::Decryption, AspectName::Integrity, AspectName::Chain, AspectName::Identity, AspectName::Time];
    let layers = verdict.layers.iter().flat_map(|layer| names.map(|name| (name, layer.aspect(name))));
    layers
        .filter(|(_, value)| !matches!(value, Aspect::Good | Aspect::Absent))
        .map(|(name, value)| format!("{name} {value}"))
        .collect()
}

/// The engine writes, Thunderbird reads: it tells good from bad, each time by
/// itself and not by what came before.
#[test]
fn it_tells_good_from_bad() {
    if !is_there() {
        return;
    }
    let (place, mut engine, mut thunderbird) = (Place::new(), Engine::default(), Thunderbird::default());
    let can_be_asked = thunderbird.hello().unwrap().clock == Clock::Faketime;
    assert!(can_be_asked, "the clock of the tests needs a C compiler");
    wrote(engine.sign(&place.signing("alice", "signed")));
    wrote(engine.sign(&SignArguments { form: Some(Form::Opaque), ..place.signing("alice-ec", "opaque") }));
    wrote(engine.encrypt(&place.encrypting("bob", "encrypted")));
    wrote(engine.encrypt(&place.encrypting("bob-ec", "agreed")));
    place.write("tampered", place.read("signed").replace("four", "five"));
    place.write("forged", place.read("signed").replacen("alice@", "mallory@", 1));
    place.write("late", place.read("signed").replace("15 Jun 2025", "17 Jun 2025"));

    let stranger = OpenArguments { anchors: Some("others.pem".to_owned()), ..place.opening("signed") };
    let too_late = OpenArguments { clock: Some("2055-01-01T00:00:00Z".to_owned()), ..place.opening("signed") };
    let no_key = OpenArguments { keys: Vec::new(), ..place.opening("encrypted") };
    for _ in 0..2 {
        let mut faults_of = |arguments: &OpenArguments| {
            let _ = std::fs::remove_file(place.path("content"));
            faults(&verdict(&mut thunderbird, arguments))
        };
        for name in ["signed", "opaque", "encrypted", "agreed"] {
            assert_eq!(faults_of(&place.opening(name)), [""; 0], "{name}");
            let (_, content) = MAIL.split_once("MIME-Version: 1.0\r\n").unwrap();
            assert_eq!(place.read("content"), content, "{name}");
        }
        let first = |list: Vec<String>| list.into_iter().next().unwrap_or_default();
        assert!(first(faults_of(&place.opening("tampered"))).starts_with("integrity bad: digest-mismatch"));
        assert!(first(faults_of(&place.opening("forged"))).starts_with("identity bad: address-mismatch"));
        assert!(first(faults_of(&place.opening("late"))).starts_with("time bad: signing-time-differs"));
        for untrusted in [&stranger, &too_late] {
            let told = faults_of(untrusted);
            assert!(told.iter().any(|fault| fault.starts_with("chain bad: untrusted")), "{told:?}");
            assert!(told.iter().any(|fault| fault == "integrity unchecked: untrusted"), "{told:?}");
        }
        assert!(first(faults_of(&no_key)).starts_with("decryption bad: no-key"));
        assert!(!place.path("content").exists());
    }
}

/// Thunderbird writes, the engine and Thunderbird itself read.
#[test]
fn what_it_writes_is_read() {
    if !is_there() {
        return;
    }
    let (place, mut engine, mut thunderbird) = (Place::new(), Engine::default(), Thunderbird::default());
    let outer = ["Message-ID: <tea@example.test>\r\n", "\r\nTo: Bob Birch <bob@example.test>\r\n"];
    for who in ["alice", "alice-ec"] {
        wrote(thunderbird.sign(&place.signing(who, who)));
        assert!(outer.iter().all(|field| place.read(who).contains(field)), "{}", place.read(who));
    }
    for to in ["bob", "bob-ec"] {
        wrote(thunderbird.encrypt(&place.encrypting(to, to)));
    }
    let both = EncryptArguments {
        signer: Some(key("alice")),
        copy_for: Some("alice.cert.pem".to_owned()),
        ..place.encrypting("bob-ec", "both")
    };
    wrote(thunderbird.encrypt(&both));
    for (name, layers) in [("alice", 1), ("alice-ec", 1), ("bob", 1), ("bob-ec", 1), ("both", 2)] {
        for reader in [&mut engine as &mut dyn Shim, &mut thunderbird] {
            let verdict = verdict(reader, &place.opening(name));
            assert_eq!((verdict.layers.len(), faults(&verdict)), (layers, Vec::new()), "{name}: {verdict:?}");
            assert!(place.read("content").ends_with("\r\n\r\nHello Böb,  \r\nFrom four on.\r\n.\r\n"), "{name}");
        }
    }
}

/// What it does not do is said, and nothing of it is done.
#[test]
fn what_it_cannot_do_is_unsupported() {
    if !is_there() {
        return;
    }
    let (place, mut thunderbird) = (Place::new(), Thunderbird::default());
    let unsupported = |answer: Result<Answer, _>| {
        let answer: Result<Answer, waxseal::shim::serve::Crash> = answer;
        assert!(matches!(answer, Ok(Answer::Unsupported(_))), "{answer:?}");
        assert!(!place.path("out").exists());
    };
    let signing = || place.signing("alice", "out");
    unsupported(thunderbird.sign(&SignArguments { form: Some(Form::Opaque), ..signing() }));
    unsupported(thunderbird.sign(&SignArguments { scheme: Some("rsassa-pss".to_owned()), ..signing() }));
    unsupported(thunderbird.sign(&SignArguments { digest: Some("sha-512".to_owned()), ..signing() }));
    let encrypting = || place.encrypting("bob", "out");
    unsupported(thunderbird.encrypt(&EncryptArguments { cipher: Some("aes-256-gcm".to_owned()), ..encrypting() }));
    let two = vec!["bob.cert.pem".to_owned(), "bob-ec.cert.pem".to_owned()];
    unsupported(thunderbird.encrypt(&EncryptArguments { recipients: two, ..encrypting() }));
    place.write("bare", b"0\x80");
    unsupported(thunderbird.open(&place.opening("bare")));
    // A dialog would wait for somebody; the next request is answered all the same.
    let untrusted = SignArguments { anchors: None, ..signing() };
    let answer = thunderbird.sign(&untrusted);
    assert!(
        matches!(&answer, Ok(Answer::Refused(refused)) if refused.detail.contains("not valid for this operation")),
        "{answer:?}"
    );
    let nobody = EncryptArguments {
        to: vec!["nobody@example.test".to_owned()],
        recipients: Vec::new(),
        copy_for: Some("alice.cert.pem".to_owned()),
        ..encrypting()
    };
    let answer = thunderbird.encrypt(&nobody);
    assert!(matches!(&answer, Ok(Answer::Refused(refused)) if refused.reason == "not-known"), "{answer:?}");
    wrote(thunderbird.sign(&signing()));
}

/// Processes that this one started and that run.
fn children(of: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = |number: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        let mut after_name = stat.rsplit_once(')')?.1.split_whitespace();
        let state = after_name.next()?;
        after_name.next()?.parse::<u32>().ok().filter(|_| state != "Z")
    };
    numbers.filter(|number| parent(*number) == Some(of)).collect()
}

fn process() -> ShimProcess {
    let program = env!("CARGO_BIN_EXE_waxseal").into();
    let command = ShimCommand { program, arguments: vec!["shim".to_owned(), "thunderbird".to_owned()] };
    ShimProcess::start(&command, ShimLimits { time: Duration::from_secs(60), ..ShimLimits::default() }).unwrap()
}

/// The number of the shim: other tests of this process have children, too.
fn shim_process() -> u32 {
    let is_shim = |number: &u32| {
        let words = std::fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
        words.windows(5).any(|word| word == b"\0shim")
    };
    let mut shims = children(std::process::id()).into_iter().filter(is_shim);
    let (Some(number), None) = (shims.next(), shims.next()) else { panic!("one shim was expected") };
    number
}

/// Profiles of shims that run, and of those that were killed: among the
/// temporary files, or in a directory there that a shim has for itself.
fn profiles(of: u32) -> Vec<PathBuf> {
    let list = |folder: PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let outer: Vec<_> = ["/dev/shm".into(), std::env::temp_dir()].into_iter().flat_map(list).collect();
    let inner: Vec<_> = outer.iter().cloned().flat_map(list).collect();
    let prefix = format!("waxseal-thunderbird-{of}-");
    let is_profile = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix));
    outer.into_iter().chain(inner).filter(is_profile).collect()
}

/// It starts nothing before it must, and leaves nothing behind.
#[test]
fn a_process_that_comes_and_goes() {
    if !is_there() {
        return;
    }
    let place = Place::new();
    wrote(Engine::default().sign(&place.signing("alice", "signed")));
    let mut shim = process();
    let number = shim_process();
    assert!(matches!(shim.ask(&Request::hello(1)), Ok(Answer::Hello(_))));
    assert!(matches!(shim.ask(&Request::unknown(2)), Ok(Answer::Unsupported(_))));
    assert_eq!((children(number), profiles(number).len()), (Vec::new(), 0));
    let open = |id| Request::open(id, &place.opening("signed")).unwrap();
    assert!(matches!(shim.ask(&open(3)), Ok(Answer::Verdict(..))));
    let [program] = children(number)[..] else { panic!("one Thunderbird was expected") };
    assert_eq!(profiles(number).len(), 1);
    drop(shim);
    let end = Instant::now() + Duration::from_secs(10);
    while Path::new(&format!("/proc/{program}/exe")).exists() {
        assert!(Instant::now() < end, "Thunderbird {program} runs on");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(profiles(number), [""; 0].map(PathBuf::from));

    // What libfaketime leaves of a program that was killed.
    let _leftovers = waxseal::shim::faketime::Leftovers::watch();
    // A crash of the program is one of the shim, and no answer.
    let mut shim = process();
    let number = shim_process();
    assert!(matches!(shim.ask(&open(1)), Ok(Answer::Verdict(..))));
    for program in children(number) {
        let killed = std::process::Command::new("kill").args(["-KILL", &program.to_string()]).status().unwrap();
        assert!(killed.success());
    }
    let answer = shim.ask(&open(2));
    assert!(matches!(answer, Err(Failure::Crash(_))), "{answer:?}");
}
