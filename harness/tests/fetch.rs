//! `--fetch`: certificates, CRLs and OCSP responses from servers of this test
//! on the loopback, made and signed by OpenSSL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

/// A directory with an authority, one below it, and a person, whose certificates
/// name places at a port.
struct World {
    directory: tempfile::TempDir,
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl World {
    fn new() -> Option<Self> {
        if !waxseal_testing::has_openssl() {
            return None;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let world = Self {
            directory: tempfile::tempdir().unwrap(),
            port: listener.local_addr().unwrap().port(),
            asked: Arc::default(),
        };
        world.certificates();
        let (folder, asked) = (world.directory.path().to_owned(), Arc::clone(&world.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let _ = serve(stream.unwrap(), &folder, &asked);
            }
        });
        Some(world)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn openssl(&self, arguments: &str) {
        openssl(self.directory.path(), arguments);
    }

    fn certificates(&self) {
        let at = format!("http://127.0.0.1:{}", self.port);
        let ca = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n";
        let root_list = format!("crlDistributionPoints=URI:{at}/root.crl\n");
        self.issue("root", None, ca);
        self.issue("mid", Some("root"), &format!("{ca}{root_list}"));
        let person = |places: &str| format!("keyUsage=digitalSignature\nauthorityInfoAccess={places}\n");
        let list = |name: &str| format!("crlDistributionPoints=URI:{at}/{name}\n");
        let issuer = format!("caIssuers;URI:{at}/mid.cer");
        self.issue("ann", Some("mid"), &(person(&format!("{issuer},OCSP;URI:{at}/ocsp")) + &list("mid.crl")));
        self.issue("bob", Some("mid"), &(person(&issuer) + &list("moved/mid.crl")));
        self.issue("eve", Some("mid"), &(person(&issuer) + &list("endless")));
        self.issue("gus", Some("mid"), &(person(&issuer) + &list("secure")));
        self.issue("sly", Some("mid"), &(person(&issuer) + &list("circle")));
        self.issue(
            "far",
            Some("mid"),
            &person("caIssuers;URI:https://127.0.0.1/mid.cer,caIssuers;URI:file:///etc/passwd"),
        );
        self.openssl("x509 -in mid.crt -outform DER -out mid.cer");
        std::fs::write(self.path("empty.txt"), "").unwrap();
        self.list("root", "");
        self.list("mid", "");
    }

    fn issue(&self, name: &str, issuer: Option<&str>, extensions: &str) {
        std::fs::write(self.path("extensions"), extensions).unwrap();
        self.openssl(&format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key"));
        self.openssl(&format!("req -new -key {name}.key -subj /CN={name} -out {name}.csr"));
        let serial = u32::from(name.as_bytes()[0]);
        let by = match issuer {
            None => format!("-signkey {name}.key"),
            Some(issuer) => format!("-CA {issuer}.crt -CAkey {issuer}.key"),
        };
        let rest = format!("-set_serial {serial} -days 20 -extfile extensions -out {name}.crt");
        self.openssl(&format!("x509 -req -in {name}.csr {by} {rest}"));
    }

    /// A list of an authority with these lines of OpenSSL's database.
    fn list(&self, authority: &str, index: &str) {
        let configuration = format!(
            "[ca]\ndefault_ca = here\n[here]\ndatabase = {authority}.txt\ncrlnumber = number\ndefault_md = sha256\n\
             default_crl_days = 5\ncertificate = {authority}.crt\nprivate_key = {authority}.key\n"
        );
        std::fs::write(self.path("ca.cnf"), configuration).unwrap();
        std::fs::write(self.path(&format!("{authority}.txt")), index).unwrap();
        std::fs::write(self.path("number"), "01\n").unwrap();
        self.openssl(&format!("ca -config ca.cnf -gencrl -out {authority}.pem"));
        self.openssl(&format!("crl -in {authority}.pem -outform DER -out {authority}.crl"));
    }

    /// `waxseal cert path` of a certificate, and what was asked meanwhile.
    fn judge(&self, name: &str, options: &[&str]) -> (i32, serde_json::Value, Vec<String>) {
        self.asked.lock().unwrap().clear();
        let output: Output = Command::new(env!("CARGO_BIN_EXE_waxseal"))
            .args(["cert", "path", &format!("{name}.crt"), "--anchor", "root.crt", "--json"])
            .args(options)
            .current_dir(self.directory.path())
            // Nobody stands between us and the loopback.
            .envs(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].map(|name| (name, "")))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
        (output.status.code().unwrap(), report, self.asked.lock().unwrap().clone())
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Answers one request.
fn serve(mut stream: TcpStream, folder: &Path, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    // A handshake of TLS: this server has none.
    if reader.fill_buf()?.first() == Some(&0x16) {
        return Ok(());
    }
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut length = 0;
    loop {
        let mut field = String::new();
        reader.read_line(&mut field)?;
        if field.trim().is_empty() {
            break;
        }
        if let Some(value) = field.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = line.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    asked.lock().unwrap().push(format!("{method} {path}"));
    let file = match path {
        "/ocsp" => {
            std::fs::write(folder.join("question"), body)?;
            let files = "-index mid.txt -CA mid.crt -rsigner mid.crt -rkey mid.key";
            openssl(folder, &format!("ocsp {files} -reqin question -respout answer -ndays 2"));
            folder.join("answer")
        }
        "/circle" => {
            return write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: /circle\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        "/secure" => {
            let port = stream.local_addr()?.port();
            let location = format!("Location: https://127.0.0.1:{port}/mid.crl");
            return write!(
                stream,
                "HTTP/1.1 302 Found\r\n{location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        "/moved/mid.crl" => {
            return write!(
                stream,
                "HTTP/1.1 301 Moved\r\nLocation: /mid.crl\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        "/endless" => {
            write!(stream, "HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                stream.write_all(&[0x30; 1 << 16])?;
            }
        }
        other => folder.join(other.trim_start_matches('/')),
    };
    match std::fs::read(file) {
        Ok(octets) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", octets.len())?;
            stream.write_all(&octets)
        }
        Err(_) => write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    }
}

/// A line of OpenSSL's database about ann or bob.
fn line(state: &str, name: &str) -> String {
    let when = if state == "R" { "240101000000Z,keyCompromise" } else { "" };
    format!("{state}\t491231235959Z\t{when}\t{:02X}\tunknown\t/CN={name}\n", name.as_bytes()[0])
}

#[test]
fn nothing_is_fetched_unless_it_is_asked_for() {
    let Some(world) = World::new() else { return };
    let (exit, report, asked) = world.judge("ann", &[]);
    assert_eq!((exit, report["chain"]["bad"].as_str(), asked.len()), (1, Some("no-path"), 0));
}

#[test]
fn issuer_answer_and_lists_are_fetched() {
    let Some(world) = World::new() else { return };
    std::fs::write(world.path("mid.txt"), line("V", "ann")).unwrap();
    let (exit, report, asked) = world.judge("ann", &["--fetch"]);
    assert_eq!((exit, report["chain"].as_str()), (0, Some("good")), "{report}");
    assert_eq!(asked, ["GET /mid.cer", "POST /ocsp", "GET /root.crl"]);
    let fetched = report["fetched"].as_array().unwrap();
    assert_eq!(fetched.len(), 3);
    assert!(fetched.iter().all(|fetched| fetched["octets"].as_u64().unwrap() > 100), "{report}");
    std::fs::write(world.path("mid.txt"), line("R", "ann")).unwrap();
    let (exit, report, _) = world.judge("ann", &["--fetch"]);
    assert_eq!((exit, report["chain"]["bad"].as_str()), (1, Some("revoked")), "{report}");
    // By a list, behind a redirection.
    world.list("mid", &line("R", "bob"));
    let (_, report, asked) = world.judge("bob", &["--fetch"]);
    assert_eq!(report["chain"]["bad"].as_str(), Some("revoked"), "{report}");
    assert!(asked.contains(&"GET /moved/mid.crl".to_owned()) && asked.contains(&"GET /mid.crl".to_owned()));
}

#[test]
fn what_was_fetched_is_kept() {
    let Some(world) = World::new() else { return };
    std::fs::write(world.path("mid.txt"), line("V", "ann")).unwrap();
    let options = ["--fetch", "--cache", "kept"];
    assert_eq!(world.judge("ann", &options).2.len(), 3);
    let (exit, _, asked) = world.judge("ann", &options);
    assert_eq!((exit, asked.len()), (0, 0));
    assert_eq!(std::fs::read_dir(world.path("kept")).unwrap().count(), 3);
}

/// Data without end, redirections in a circle, schemes that nobody asked for.
#[test]
fn a_server_that_does_not_end() {
    let Some(world) = World::new() else { return };
    let (_, report, _) = world.judge("eve", &["--fetch", "--limit", "fetched-octets=1000000"]);
    assert_eq!(report["chain"].as_str(), Some("good"), "{report}");
    let failed: Vec<_> = report["fetched"].as_array().unwrap().iter().filter(|one| one["failed"].is_string()).collect();
    assert_eq!(failed.len(), 1, "{report}");
    let (_, report, asked) = world.judge("sly", &["--fetch"]);
    assert!(asked.iter().filter(|asked| *asked == "GET /circle").count() < 6, "{asked:?}");
    assert_eq!(report["chain"].as_str(), Some("good"));
    // Nobody is trusted there, so nothing comes of it.
    let (exit, report, asked) = world.judge("gus", &["--fetch"]);
    assert_eq!((exit, report["chain"].as_str()), (0, Some("good")), "{report}");
    assert!(asked.contains(&"GET /secure".to_owned()) && !asked.contains(&"GET /mid.crl".to_owned()), "{asked:?}");
    let (_, report, asked) = world.judge("far", &["--fetch"]);
    assert!(asked.is_empty());
    assert!(report["fetched"][0]["failed"].as_str().unwrap().contains("only http and ldap"), "{report}");
}
