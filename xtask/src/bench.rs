//! `cargo xtask bench`: reading large mail, Waxseal against `openssl cms`.
//!
//! Both programs read the same two files, which openssl wrote, in turn in one
//! run: whatever else the machine does meets both.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::measure::{Measured, measure, median};
use crate::run::{cargo, output, program, root, visible};

const USAGE: &str = "usage: cargo xtask bench [--size MIB] [--repeat N]";

pub(crate) fn main(arguments: &[String]) -> Result<(), String> {
    let (mut size, mut repeat) = (100, 5);
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(USAGE.to_owned()) };
        let slot = match name.as_str() {
            "--size" => &mut size,
            "--repeat" => &mut repeat,
            _ => return Err(USAGE.to_owned()),
        };
        *slot = value.parse().ok().filter(|value| *value > 0).ok_or(USAGE)?;
    }
    print!("{}", table(size, repeat)?);
    Ok(())
}

/// Runs the comparison and returns it as a Markdown table.
pub(crate) fn table(mebibytes: usize, repeat: usize) -> Result<String, String> {
    visible(cargo().args(["build", "--quiet", "--release"]))?;
    let folder = tempfile::tempdir().map_err(|error| format!("no folder for the inputs: {error}"))?;
    let inputs = Inputs::make(folder.path(), mebibytes)?;
    let mut results: Vec<(&str, Vec<Measured>, Vec<Measured>)> =
        inputs.jobs().iter().map(|job| (job.what, Vec::new(), Vec::new())).collect();
    for round in 1..=repeat {
        for (job, (_, ours, theirs)) in inputs.jobs().iter_mut().zip(&mut results) {
            ours.push(measure(&mut job.waxseal)?);
            theirs.push(measure(&mut job.openssl)?);
        }
        eprintln!("round {round} of {repeat}");
    }
    let mut text = format!(
        "{mebibytes} MiB of content, median of {repeat} rounds, against {}\n\n\
         | reading | waxseal | openssl | time ratio | waxseal peak | openssl peak | peak ratio |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
        output(program("openssl").arg("version"))?.trim()
    );
    for (what, ours, theirs) in &results {
        text.push_str(&row(what, ours, theirs));
    }
    Ok(text)
}

fn row(what: &str, ours: &[Measured], theirs: &[Measured]) -> String {
    let time = |runs: &[Measured]| median(&runs.iter().map(|run| run.time).collect::<Vec<_>>()).unwrap_or_default();
    let peak = |runs: &[Measured]| median(&runs.iter().filter_map(|run| run.peak).collect::<Vec<_>>());
    let mebibytes =
        |bytes: Option<u64>| bytes.map_or("unknown".to_owned(), |bytes| format!("{:.1} MiB", bytes as f64 / 1048576.0));
    let ratio = match (peak(ours), peak(theirs)) {
        (Some(a), Some(b)) if b > 0 => format!("{:.2}", a as f64 / b as f64),
        _ => "unknown".to_owned(),
    };
    let (a, b): (Duration, Duration) = (time(ours), time(theirs));
    format!(
        "| {what} | {:.3} s | {:.3} s | {:.2} | {} | {} | {ratio} |\n",
        a.as_secs_f64(),
        b.as_secs_f64(),
        a.as_secs_f64() / b.as_secs_f64(),
        mebibytes(peak(ours)),
        mebibytes(peak(theirs)),
    )
}

/// The same reading by both programs.
struct Job {
    what: &'static str,
    waxseal: Command,
    openssl: Command,
}

/// A certificate and the two mails, as openssl made them.
struct Inputs {
    key: PathBuf,
    certificate: PathBuf,
    signed: PathBuf,
    encrypted: PathBuf,
}

impl Inputs {
    fn make(folder: &Path, mebibytes: usize) -> Result<Self, String> {
        let inputs = Self {
            key: folder.join("key.pem"),
            certificate: folder.join("cert.pem"),
            signed: folder.join("signed.eml"),
            encrypted: folder.join("encrypted.eml"),
        };
        let body = folder.join("body");
        write_body(&body, mebibytes << 20).map_err(|error| format!("{}: {error}", body.display()))?;
        let extensions = [
            "subjectAltName=email:alice@example.test",
            "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign",
            "extendedKeyUsage=emailProtection",
        ];
        let mut request = program("openssl");
        request.args(["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-sha256", "-days", "2", "-subj", "/CN=Alice"]);
        request.args(extensions.iter().flat_map(|extension| ["-addext", extension]));
        output(request.arg("-keyout").arg(&inputs.key).arg("-out").arg(&inputs.certificate))?;
        let headers = ["-from", "alice@example.test", "-to", "bob@example.test", "-subject", "bench"];
        let mut sign = program("openssl");
        sign.args(["cms", "-sign", "-md", "sha256", "-crlfeol"]).args(headers).arg("-in").arg(&body);
        sign.arg("-signer").arg(&inputs.certificate).arg("-inkey").arg(&inputs.key);
        output(sign.arg("-out").arg(&inputs.signed))?;
        let mut encrypt = program("openssl");
        encrypt.args(["cms", "-encrypt", "-stream", "-aes-256-cbc", "-crlfeol"]).args(headers).arg("-in").arg(&body);
        output(encrypt.arg("-out").arg(&inputs.encrypted).arg(&inputs.certificate))?;
        Ok(inputs)
    }

    fn jobs(&self) -> [Job; 2] {
        let waxseal = |mail: &Path| {
            let mut command = Command::new(root().join("target/release/waxseal"));
            command.arg("open").arg(mail).arg("--json");
            command
        };
        let openssl = |operation: &str, mail: &Path| {
            let mut command = program("openssl");
            command.args(["cms", operation, "-out", "/dev/null", "-in"]).arg(mail);
            command
        };
        let mut verify = Job {
            what: "clear-signed, RSA-2048, SHA-256",
            waxseal: waxseal(&self.signed),
            openssl: openssl("-verify", &self.signed),
        };
        verify.waxseal.arg("--anchor").arg(&self.certificate);
        verify.openssl.arg("-CAfile").arg(&self.certificate);
        let mut decrypt = Job {
            what: "encrypted, RSA-2048, AES-256-CBC",
            waxseal: waxseal(&self.encrypted),
            openssl: openssl("-decrypt", &self.encrypted),
        };
        decrypt.waxseal.arg("--key").arg(&self.key).arg("--cert").arg(&self.certificate);
        decrypt.openssl.arg("-inkey").arg(&self.key).arg("-recip").arg(&self.certificate);
        [verify, decrypt]
    }
}

/// A text entity of this many bytes, the same on every machine.
fn write_body(path: &Path, bytes: usize) -> std::io::Result<()> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(b"Content-Type: text/plain; charset=us-ascii\r\n\r\n")?;
    let mut state = 1_u64;
    let mut line = [0; 76];
    for _ in 0..bytes / (line.len() + 2) {
        for slot in &mut line {
            // Any generator will do, as long as the text does not compress to nothing (Knuth's MMIX constants).
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *slot = ALPHABET[(state >> 58) as usize];
        }
        file.write_all(&line)?;
        file.write_all(b"\r\n")?;
    }
    file.flush()
}
