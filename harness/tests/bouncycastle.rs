//! Bouncy Castle on every case: what it accepts and refuses is what the cases
//! say of it. In a run it is the SUT `bouncycastle`.
//!
//! With `WAXSEAL_UPDATE` set the cases that it answers as expected are made to
//! name it as a witness. A failure is never written: somebody must look into it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use support::witness;
use waxseal::shim::protocol::{Answer, OpenArguments, Request};
use waxseal::sut::child::{ShimCommand, ShimLimits, ShimProcess};
use waxseal_model::Corpus;
use waxseal_verdict::Aspect;

const NAME: &str = "bouncycastle";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let corpus = Corpus::embedded().unwrap();
    let Some((sut, hello)) = witness::admitted(NAME, env!("CARGO_BIN_EXE_waxseal")) else { return ExitCode::SUCCESS };
    let mut trials = vec![
        Trial::test("every algorithm that it declares has a row in the table", move || witness::names(&hello)),
        Trial::test("without Java it is not available, and says why", absent),
        Trial::test("without a directory to keep it in it says so", homeless),
        Trial::test("what it did not come to is not good", interrupted),
    ];
    if !arguments.list {
        trials.extend(witness::trials(&corpus, sut));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What `waxseal shim bouncycastle` answers to hello with these variables, and no others.
fn hello_with(variables: &[(&str, &Path)]) -> String {
    use std::io::Write as _;
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_waxseal"))
        .args(["shim", NAME])
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"{\"id\":1,\"op\":\"hello\",\"protocol\":1}\n").unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

fn absent() -> Result<(), Failed> {
    let empty = tempfile::tempdir().unwrap();
    let answer = hello_with(&[("PATH", empty.path()), ("XDG_CACHE_HOME", empty.path())]);
    let right = answer.starts_with("{\"id\":1,\"unsupported\":") && answer.contains("javac cannot be started");
    if right { Ok(()) } else { Err(answer.into()) }
}

fn homeless() -> Result<(), Failed> {
    let answer = hello_with(&[("PATH", Path::new("/usr/bin"))]);
    if answer.contains("neither XDG_CACHE_HOME nor HOME is set") { Ok(()) } else { Err(answer.into()) }
}

/// A certificate whose identifier of the key is no OCTET STRING ends the search for the signer's in a
/// RuntimeException: nobody has looked at the signature then.
fn interrupted() -> Result<(), Failed> {
    let dir = tempfile::tempdir().unwrap();
    let pki = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/pki");
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("text"), "Content-Type: text/plain\r\n\r\nThe gate opens at nine.\r\n").unwrap();
    let mut openssl = std::process::Command::new("openssl");
    openssl.args(["cms", "-sign", "-keyid", "-nocerts", "-crlfeol", "-in", &path("text"), "-out", &path("mail")]);
    let files = ["alice.cert.pem", "alice.key.pem"].map(|name| pki.join(name).to_str().unwrap().to_owned());
    let ran = openssl.args(["-signer", &files[0], "-inkey", &files[1]]).output().unwrap();
    if !ran.status.success() {
        return Err(format!("openssl: {}", String::from_utf8_lossy(&ran.stderr)).into());
    }
    let alice = std::fs::read_to_string(pki.join("alice.cert.pem")).unwrap();
    std::fs::write(path("whole"), &alice).unwrap();
    std::fs::write(path("broken"), format!("{}{alice}", broken(&alice))).unwrap();
    for (extra, integrity) in [("whole", Aspect::Good), ("broken", Aspect::Unchecked(None))] {
        let arguments = OpenArguments {
            dir: path(""),
            message: "mail".to_owned(),
            extra_certificates: Some(extra.to_owned()),
            anchors: Some("whole".to_owned()),
            clock: Some("2025-06-15T12:00:00Z".to_owned()),
            out: "out".to_owned(),
            ..OpenArguments::default()
        };
        let command = ShimCommand {
            program: env!("CARGO_BIN_EXE_waxseal").into(),
            arguments: vec!["shim".to_owned(), NAME.to_owned()],
        };
        let mut shim = ShimProcess::start(&command, ShimLimits::default()).unwrap();
        let answer = shim.ask(&Request::open(shim.next_id(), &arguments).unwrap());
        let Ok(Answer::Verdict(verdict, _)) = answer else { return Err(format!("{extra}: {answer:?}").into()) };
        let layer = &verdict.layers[0];
        if (&layer.integrity, layer.structure.is_bad()) != (&integrity, integrity != Aspect::Good)
            || layer.chain.is_good() != (integrity == Aspect::Good)
        {
            return Err(format!("{extra}: {layer:?}").into());
        }
    }
    Ok(())
}

/// A certificate with a UTF8String for an OCTET STRING in the extension subjectKeyIdentifier.
fn broken(pem: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let mut der = STANDARD.decode(lines).unwrap();
    let oid = [0x06, 0x03, 0x55, 0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14];
    let at = der.windows(oid.len()).position(|window| window == oid).unwrap();
    der[at + 7] = 0x0c;
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}
