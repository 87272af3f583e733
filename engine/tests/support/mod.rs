//! Keys and certificates made by OpenSSL, and OpenSSL as the judge of what the
//! engine writes.

#![allow(dead_code, unreachable_pub, reason = "every test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

pub mod authority;
pub mod large;
pub mod limited;

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use time::macros::datetime;
use waxseal_engine::Limits;
use waxseal_engine::certificate::Certificate;
use waxseal_engine::io::MemoryWorkspace;
use waxseal_engine::message::{Credential, OpenError, OpenRequest, Opened, Secrets, open};
use waxseal_engine::policy::Policy;
use waxseal_key::{Arithmetic, PrivateKey, ProviderChoice};

/// A person with a key and a self-signed certificate.
pub struct Person {
    pub key: PrivateKey,
    pub certificate: Certificate,
    pub key_file: PathBuf,
    pub certificate_file: PathBuf,
}

/// A directory in which OpenSSL works.
pub struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    /// `None` without OpenSSL, where it need not be.
    pub fn new() -> Option<Self> {
        waxseal_testing::has_openssl().then(|| Self { directory: tempfile::tempdir().unwrap() })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, octets).unwrap();
        path
    }

    /// Runs OpenSSL in the directory; its output, or a panic with what it said.
    pub fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.try_run(arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {}: {text}", arguments.join(" "));
        output.stdout
    }

    pub fn try_run(&self, arguments: &[&str]) -> Output {
        Command::new("openssl").args(arguments).current_dir(self.directory.path()).output().unwrap()
    }

    /// A person whose key is made by `openssl genpkey` with these arguments.
    pub fn person(&self, name: &str, key: &[&str], key_usage: &str) -> Person {
        let (key_file, certificate_file) = (format!("{name}.key"), format!("{name}.crt"));
        self.run(&[&["genpkey", "-out", &key_file], key].concat());
        let subject = format!("/CN={name}/O=Waxseal tests");
        let mail = format!("subjectAltName=email:{name}@example.test");
        let mut arguments = vec!["req", "-x509", "-key", &key_file, "-out", &certificate_file, "-days", "30"];
        arguments.extend(["-subj", &subject, "-addext", &mail]);
        let usage = format!("keyUsage=critical,{key_usage}");
        if !key_usage.is_empty() {
            arguments.extend(["-addext", &usage]);
        }
        self.run(&arguments);
        let pem = std::fs::read(self.path(&certificate_file)).unwrap();
        let certificate = Certificate::from_file(&pem).unwrap().remove(0);
        let key_pem = std::fs::read_to_string(self.path(&key_file)).unwrap();
        Person {
            key: PrivateKey::from_pem(&key_pem, None).unwrap(),
            certificate,
            key_file: self.path(&key_file),
            certificate_file: self.path(&certificate_file),
        }
    }
}

/// Arguments of `openssl genpkey`.
pub const RSA: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
pub const P256: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
pub const P384: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
pub const P521: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"];

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Opens what a test holds in memory, in 2024, without anchors.
pub fn judge(
    octets: Vec<u8>,
    credentials: &[Credential<'_>],
    extra_certificates: &[Certificate],
) -> Result<Opened, OpenError> {
    judge_by(octets, credentials, extra_certificates, &Secrets::default())
}

/// The same with passwords and keys that both sides have.
pub fn judge_with(octets: Vec<u8>, secrets: &Secrets) -> Result<Opened, OpenError> {
    judge_by(octets, &[], &[], secrets)
}

/// The same of a detached signature with its content, and without keys.
pub fn judge_detached(octets: Vec<u8>, content: &[u8]) -> Result<Opened, OpenError> {
    let policy = Policy::named("default").unwrap();
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let limits = Limits::default();
    let request = OpenRequest::new(datetime!(2024-06-01 0:00 UTC), &policy, &arithmetic, &limits);
    open(&mut Cursor::new(octets), Some(&mut Cursor::new(content)), &mut MemoryWorkspace, &request)
}

/// The same with all of these.
pub fn judge_by(
    octets: Vec<u8>,
    credentials: &[Credential<'_>],
    extra_certificates: &[Certificate],
    secrets: &Secrets,
) -> Result<Opened, OpenError> {
    let policy = Policy::named("default").unwrap();
    let arithmetic = Arithmetic::new(ProviderChoice::RustCrypto);
    let limits = Limits::default();
    let request = OpenRequest {
        credentials,
        secrets,
        extra_certificates,
        keep_content: true,
        ..OpenRequest::new(datetime!(2024-06-01 0:00 UTC), &policy, &arithmetic, &limits)
    };
    open(&mut Cursor::new(octets), None, &mut MemoryWorkspace, &request)
}
