//! `waxseal recordings`: from a server of this test on the loopback, which has
//! the files as the public host has them, and from servers that do not behave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use waxseal::recordings::{Failure, MOST_OCTETS, Outcome, Server, fetch, url};
use waxseal_model::{Corpus, NotPublished, PublishedFile, WantedFile};

/// How a server treats a file. What is to happen `Once` happens at the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Good,
    /// It knows nothing of ranges.
    Whole,
    /// The connection ends after so many octets of the file.
    CutOnce(usize),
    CutAlways,
    BusyOnce,
    /// Nothing ever comes.
    Silent,
    /// It says that it will be large, or just does not end.
    Large,
    Endless,
    /// It answers to a range with another one.
    OtherRange,
    Moved,
}

/// A public host: files by path, and what was asked for.
struct Host {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Host {
    fn new(files: BTreeMap<String, (Vec<u8>, Manner)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, files) = (Arc::clone(&asked), Arc::new(files));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, files) = (Arc::clone(&log), Arc::clone(&files));
                std::thread::spawn(move || drop(serve(stream.unwrap(), &files, &log)));
            }
        });
        Self { port, asked }
    }

    fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What was asked for since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// Answers one request, and ends the connection.
fn serve(
    mut stream: TcpStream,
    files: &BTreeMap<String, (Vec<u8>, Manner)>,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut range = None;
    loop {
        let mut field = String::new();
        reader.read_line(&mut field)?;
        if field.trim().is_empty() {
            break;
        }
        if let Some(value) = field.to_ascii_lowercase().strip_prefix("range: bytes=") {
            range = value.trim().trim_end_matches('-').parse::<usize>().ok();
        }
    }
    let times = {
        let mut log = log.lock().unwrap();
        log.push(match range {
            None => path.clone(),
            Some(start) => format!("{path} from {start}"),
        });
        log.iter().filter(|asked| asked.split(' ').next() == Some(&path)).count()
    };
    let close = "Connection: close\r\n";
    let Some((octets, manner)) = files.get(&path) else {
        return write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n{close}\r\n");
    };
    let first = times == 1;
    match manner {
        Manner::BusyOnce if first => {
            return write!(stream, "HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 0\r\n{close}\r\n");
        }
        Manner::Silent => {
            std::thread::sleep(Duration::from_secs(20));
            return Ok(());
        }
        Manner::Large => return write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n{close}\r\n"),
        Manner::Endless => {
            write!(stream, "HTTP/1.1 200 OK\r\n{close}\r\n")?;
            loop {
                stream.write_all(&[0x30; 1 << 16])?;
            }
        }
        Manner::Moved if !path.ends_with("moved") => {
            return write!(stream, "HTTP/1.1 301 Moved\r\nLocation: {path}moved\r\nContent-Length: 0\r\n{close}\r\n");
        }
        _ => {}
    }
    let start = match (manner, range) {
        (Manner::Whole, _) | (_, None) => 0,
        (_, Some(start)) if start >= octets.len() => {
            return write!(stream, "HTTP/1.1 416 Range\r\nContent-Length: 0\r\n{close}\r\n");
        }
        (_, Some(start)) => start,
    };
    let rest = &octets[start..];
    if range.is_some() && *manner != Manner::Whole {
        let shown = if *manner == Manner::OtherRange { start + 1 } else { start };
        write!(stream, "HTTP/1.1 206 Part\r\nContent-Range: bytes {shown}-{}/{}\r\n", octets.len() - 1, octets.len())?;
    } else {
        write!(stream, "HTTP/1.1 200 OK\r\n")?;
    }
    write!(stream, "Content-Length: {}\r\n{close}\r\n", rest.len())?;
    let sent = match manner {
        Manner::CutOnce(octets) if first => &rest[..*octets],
        Manner::CutAlways => &rest[..rest.len().min(10)],
        _ => rest,
    };
    stream.write_all(sent)?;
    stream.shutdown(Shutdown::Both)
}

fn sha256(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// One file of this content on a server with this manner, and what became of it
/// in a directory that has `kept` of it; what was asked for, from where.
fn bring(kept: Option<&[u8]>, manner: Manner, patience: Duration) -> (Outcome, Vec<String>, tempfile::TempDir) {
    let content: Vec<u8> = (0..3000_u32).flat_map(u32::to_be_bytes).collect();
    let source = PublishedFile { repository: "owner/name", commit: COMMIT, path: "a folder/mail (1).eml" };
    let hash = sha256(&content);
    let path = url("", source);
    let files = [path.clone(), format!("{path}moved")].map(|path| (path, (content.clone(), manner)));
    let host = Host::new(BTreeMap::from(files));
    let dir = tempfile::tempdir().unwrap();
    if let Some(kept) = kept {
        std::fs::create_dir(dir.path().join("outlook")).unwrap();
        std::fs::write(dir.path().join("outlook/mail.eml.part"), kept).unwrap();
    }
    let wanted =
        [WantedFile { file: "outlook/mail.eml".to_owned(), sha256: &hash, source: Ok(source), entries: vec!["x"] }];
    let server = Server::new(&host.base(), patience).unwrap();
    let mut outcomes = fetch(dir.path(), &wanted, &server, |_| Ok(())).unwrap();
    let outcome = outcomes.remove(0);
    let file = dir.path().join("outlook/mail.eml");
    match &outcome {
        Outcome::Fetched(octets) => {
            assert_eq!((*octets, std::fs::read(&file).unwrap() == content), (12000, true));
            assert!(!dir.path().join("outlook/mail.eml.part").exists());
        }
        _ => assert!(!file.exists(), "{outcome:?} has the name of the mail"),
    }
    let asked = host.asked().iter().map(|asked| asked.replace(&path, "")).collect();
    (outcome, asked, dir)
}

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn a_file_that_was_cut_off_is_gone_on_with() {
    let content: Vec<u8> = (0..3000_u32).flat_map(u32::to_be_bytes).collect();
    let fetched = |kept: Option<&[u8]>, manner| {
        let (outcome, asked, _dir) = bring(kept, manner, PATIENCE);
        assert!(matches!(outcome, Outcome::Fetched(_)), "{manner:?}: {outcome:?}");
        asked
    };
    assert_eq!(fetched(None, Manner::Good), [""]);
    assert_eq!(fetched(None, Manner::CutOnce(5000)), ["", " from 5000"]);
    assert_eq!(fetched(None, Manner::CutOnce(0)), ["", ""]);
    assert_eq!(fetched(None, Manner::BusyOnce), ["", ""]);
    assert_eq!(fetched(None, Manner::Moved), ["", "moved"]);
    // From an earlier call.
    assert_eq!(fetched(Some(&content[..7000]), Manner::Good), [" from 7000"]);
    assert_eq!(fetched(Some(&content[..7000]), Manner::Whole), [" from 7000"]);
    // All of it was there but its name; a server that has no more; one that goes on elsewhere; other octets than ours.
    assert_eq!(fetched(Some(&content), Manner::Good), [""; 0]);
    assert_eq!(fetched(Some(&[0; 12000]), Manner::Good), [" from 12000", ""]);
    assert_eq!(fetched(Some(&content[..7000]), Manner::OtherRange), [" from 7000", ""]);
    assert_eq!(fetched(Some(&[0; 100]), Manner::Good), [" from 100", ""]);
}

#[test]
fn a_source_that_does_not_behave_leaves_no_file() {
    let failed = |manner, patience| match bring(None, manner, patience) {
        (Outcome::Failed(failure), asked, dir) => (failure, asked.len(), dir),
        other => panic!("{manner:?}: {other:?}"),
    };
    let (failure, asked, dir) = failed(Manner::CutAlways, PATIENCE);
    assert!(matches!(&failure, Failure::CutOff { kept: 40, .. }), "{failure}");
    assert_eq!((asked, dir.path().join("outlook/mail.eml.part").metadata().unwrap().len()), (4, 40));
    for manner in [Manner::Large, Manner::Endless] {
        let (failure, asked, dir) = failed(manner, PATIENCE);
        assert!(matches!(&failure, Failure::TooLarge { most: MOST_OCTETS, .. }), "{failure}");
        assert_eq!((asked, std::fs::read_dir(dir.path().join("outlook")).unwrap().count()), (1, 0));
    }
    let start = Instant::now();
    let (failure, ..) = failed(Manner::Silent, Duration::from_millis(200));
    assert!(matches!(&failure, Failure::Unreachable(_)), "{failure}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn another_file_is_refused_and_a_missing_one_is_said() {
    let content = b"From: a@example.test\r\n\r\nother".to_vec();
    let host = Host::new(BTreeMap::from([(format!("/a/b/{COMMIT}/x.eml"), (content, Manner::Good))]));
    let source = |path| Ok(PublishedFile { repository: "a/b", commit: COMMIT, path });
    let hash = sha256(b"what the catalogue has");
    let file = |name: &str, source| WantedFile { file: name.to_owned(), sha256: &hash, source, entries: vec!["x"] };
    let wanted = [
        file("x.eml", source("x.eml")),
        file("y.eml", source("y.eml")),
        file("z.eml", source("z.eml")),
        file("w.eml", Err(NotPublished::NoSource)),
    ];
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("z.eml"), "something of the user").unwrap();
    let server = Server::new(&host.base(), PATIENCE).unwrap();
    let outcomes = fetch(dir.path(), &wanted, &server, |_| Ok(())).unwrap();
    assert!(matches!(&outcomes[0], Outcome::Failed(Failure::Differs { wanted, .. }) if *wanted == hash));
    assert!(matches!(&outcomes[1], Outcome::Failed(Failure::Status { status: 404, .. })));
    assert!(matches!(&outcomes[2], Outcome::Failed(Failure::Occupied(_))));
    assert!(matches!(&outcomes[3], Outcome::NotPublished(_)));
    assert_eq!(host.asked().len(), 2);
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["z.eml"]);
    assert_eq!(std::fs::read_to_string(dir.path().join("z.eml")).unwrap(), "something of the user");
    // Nobody there: one question, not one a file.
    let nobody = Server::new("http://127.0.0.1:9", PATIENCE).unwrap();
    let outcomes = fetch(dir.path(), &wanted, &nobody, |_| Ok(())).unwrap();
    assert!(matches!(&outcomes[0], Outcome::Failed(Failure::Unreachable(_))), "{outcomes:?}");
    assert!(matches!(&outcomes[1], Outcome::NotAsked), "{outcomes:?}");
}

/// Directories of recordings and of published examples beside this repository.
fn shared() -> Option<Vec<PathBuf>> {
    ["recordings", "oracles"].into_iter().map(waxseal_testing::shared).collect()
}

/// Everything that the catalogue says is published, as the public host has it.
fn public_host(corpus: &Corpus, folders: &[PathBuf]) -> Host {
    let mut by_hash = BTreeMap::new();
    for folder in folders {
        for file in walk(folder) {
            let octets = std::fs::read(file).unwrap();
            by_hash.insert(sha256(&octets), octets);
        }
    }
    let wanted = corpus.wanted_files(corpus.entries());
    let files = wanted.iter().filter_map(|file| {
        let octets = by_hash.get(file.sha256).unwrap_or_else(|| panic!("{} is not there", file.file));
        Some((url("", file.source.ok()?), (octets.clone(), Manner::Good)))
    });
    Host::new(files.collect())
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

fn waxseal(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_waxseal"))
        .args(arguments)
        .env_remove("WAXSEAL_RECORDINGS")
        // Nobody stands between us and the loopback.
        .envs(
            ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].map(|name| (name, "")),
        )
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// One command, and a newcomer has real mail of Outlook and of an iPhone that runs.
#[test]
fn the_catalogue_comes_in_one_command() {
    let Some(folders) = shared() else { return };
    let corpus = Corpus::embedded().unwrap();
    let host = public_host(&corpus, &folders);
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("recordings");
    let place = folder.to_str().unwrap();
    let base = host.base();
    let published = corpus.wanted_files(corpus.entries()).iter().filter(|file| file.source.is_ok()).count();

    let output = waxseal(&["recordings", "fetch", place, "--base", &base]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains(&format!("{published} files fetched, 0 were there")), "{}", text(&output));
    assert!(text(&output).contains("fetched ios-mail/ipad-2020.eml ("), "{}", text(&output));
    assert_eq!(host.asked().len(), published);

    let output = waxseal(&["recordings", "fetch", place, "--base", &base, "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = said["files"].as_array().unwrap();
    assert_eq!(files.iter().filter(|file| file["state"] == "here").count(), published);
    assert_eq!((output.status.code(), host.asked().len()), (Some(0), 0), "what is there is not asked for");

    let record = dir.path().join("out");
    let arguments = [
        "run",
        "--sut",
        "engine",
        "--recordings",
        place,
        "--case",
        "recorded/outlook/*",
        "--case",
        "recorded/ios-mail/*",
    ];
    let output = waxseal(&[&arguments[..], &["-o", record.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let lines = std::fs::read_to_string(record.join("run.jsonl")).unwrap();
    let outcomes: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["kind"] == "outcome")
        .collect();
    assert!(outcomes.len() >= 17 && outcomes.iter().all(|one| one["outcome"] == "pass"), "{outcomes:?}");

    let output = waxseal(&["recordings", "check", place, "--only", "recorded/outlook/*"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).contains("16 of 16 recordings can be run"), "{}", text(&output));
    std::fs::write(folder.join("outlook/exchange-2019.eml"), "changed").unwrap();
    let output = waxseal(&["recordings", "check", place]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("- recorded/outlook/exchange-2019"), "{}", text(&output));
    let output = waxseal(&["recordings", "fetch", place, "--base", &base]);
    assert_eq!((output.status.code(), host.asked().len()), (Some(1), 0));
    assert!(text(&output).contains("move that file away"), "{}", text(&output));
}

#[test]
fn what_is_asked_for_is_what_was_chosen() {
    let Some(folders) = shared() else { return };
    let corpus = Corpus::embedded().unwrap();
    let host = public_host(&corpus, &folders);
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    let base = host.base();
    let only = |glob: &str| waxseal(&["recordings", "fetch", place, "--base", &base, "--only", glob]);
    assert_eq!(only("recorded/outlook/outlook16-signed").status.code(), Some(0));
    // The mail, and the authority that issued its certificate.
    assert_eq!(host.asked().len(), 2);
    assert!(dir.path().join("outlook/outlook16-signed.eml").exists());
    assert!(dir.path().join("keys/hiraoka/ca_smime.crt").exists());
    let output = only("recorded/rfc4134/*");
    assert_eq!((output.status.code(), host.asked().len()), (Some(0), 0), "{}", text(&output));
    assert!(text(&output).contains("are no files of a public repository"), "{}", text(&output));
    assert_eq!(only("recorded/nobody/*").status.code(), Some(2));
    let output = waxseal(&["recordings", "fetch", place, "--base", "gopher://x"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let output = waxseal(&["recordings", "fetch", place, "--base", "http://127.0.0.1:9"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let output = waxseal(&["recordings", "list", "--only", "recorded/outlook/*"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).contains("16 recordings, 16 of them files"), "{}", text(&output));
    assert!(host.asked().is_empty());
}

/// The default is https; openssl is the server.
#[test]
fn https_trusts_whom_the_system_trusts() {
    if !waxseal_testing::has_openssl() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let openssl = |arguments: &str| {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.crt -subj /CN=ca -days 3"));
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=server"));
    std::fs::write(dir.path().join("extensions"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    let by = "-CA ca.crt -CAkey ca.key -set_serial 2 -days 3 -extfile extensions";
    openssl(&format!("x509 -req -in server.csr {by} -out server.crt"));
    let corpus = Corpus::embedded().unwrap();
    let entry = corpus.entry("recorded/ios-mail/ipad-2020").unwrap();
    let served = dir.path().join(url("", entry.origin.published().unwrap()).trim_start_matches('/'));
    std::fs::create_dir_all(served.parent().unwrap()).unwrap();
    std::fs::write(&served, "another file").unwrap();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new("openssl")
        .args(["s_server", "-WWW", "-cert", "server.crt", "-key", "server.key", "-accept"])
        .arg(format!("127.0.0.1:{port}"))
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..100 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let ask = |authority: &Path| {
        let base = format!("https://127.0.0.1:{port}");
        let output = Command::new(env!("CARGO_BIN_EXE_waxseal"))
            .args(["recordings", "fetch", "kept", "--only", "recorded/ios-mail/ipad-2020", "--base", &base])
            .env("SSL_CERT_FILE", authority)
            .env_remove("SSL_CERT_DIR")
            .envs(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].map(|name| (name, "")))
            .current_dir(dir.path())
            .output()
            .unwrap();
        (output.status.code(), text(&output))
    };
    let trusted = ask(&dir.path().join("ca.crt"));
    // Any authority but the one.
    openssl(&format!("req -x509 {key} -keyout other.key -out other.crt -subj /CN=other -days 3"));
    let untrusted = ask(&dir.path().join("other.crt"));
    std::fs::write(dir.path().join("none.crt"), "").unwrap();
    let nobody = ask(&dir.path().join("none.crt"));
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(trusted.0 == Some(1) && trusted.1.contains("refused, its sha256 is"), "{trusted:?}");
    assert!(untrusted.0 == Some(1) && untrusted.1.contains("UnknownIssuer"), "{untrusted:?}");
    assert!(nobody.0 == Some(2) && nobody.1.contains("SSL_CERT_FILE"), "{nobody:?}");
}
