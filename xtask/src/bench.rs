//! `cargo xtask bench`: the commands of Waxseal against `openssl cms`.
//!
//! Both programs do the same work on the same files, in turn in one run, each as
//! a whole process: whatever else the machine does meets both. For small messages
//! there are operations in one process, too.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::measure::{Measured, measure, median};
use crate::operations::Operations;
use crate::run::{cargo, output, program, root, visible};

const USAGE: &str = "usage: cargo xtask bench [--size MIB] [--repeat N] [--json]\n       cargo xtask bench sm2|card [--repeat N] [--json]";

/// How many times as often small mail is measured as large mail.
const SHORT: usize = 5;

/// The most memory that any command may take, octets.
const PEAK: u64 = 32 << 20;

pub(crate) fn main(arguments: &[String]) -> Result<(), String> {
    match arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        Some(("sm2", rest)) => return crate::sm2::main(rest),
        Some(("card", rest)) => return crate::card::main(rest),
        Some(("harness", rest)) => return crate::overhead::main(rest),
        _ => {}
    }
    let (mut size, mut repeat, mut json) = (100, 5, false);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let slot = match word.as_str() {
            "--json" => {
                json = true;
                continue;
            }
            "--size" => &mut size,
            "--repeat" => &mut repeat,
            _ => return Err(USAGE.to_owned()),
        };
        *slot = words.next().and_then(|value| value.parse().ok()).filter(|value| *value > 0).ok_or(USAGE)?;
    }
    let (rows, operations) = rows(size, repeat)?;
    if json {
        let values: Vec<_> = rows.iter().map(Row::json).chain(operations.json()).collect();
        println!("{}", serde_json::Value::Array(values));
    } else {
        print!("{}{}", markdown(&rows, repeat)?, operations.markdown());
    }
    Ok(())
}

/// Runs the comparison and returns it as a Markdown table.
pub(crate) fn table(mebibytes: usize, repeat: usize) -> Result<String, String> {
    let (rows, operations) = rows(mebibytes, repeat)?;
    Ok(markdown(&rows, repeat)? + &operations.markdown())
}

/// What is compared: an operation, its content, and what both programs took.
struct Row {
    what: &'static str,
    octets: usize,
    /// How many times as fast as the other one it is to be.
    goal: f64,
    ours: Vec<Measured>,
    theirs: Vec<Measured>,
}

impl Row {
    /// Median time and peak of some runs.
    fn of(runs: &[Measured]) -> (Duration, Option<u64>) {
        let time = median(&runs.iter().map(|run| run.time).collect::<Vec<_>>()).unwrap_or_default();
        (time, median(&runs.iter().filter_map(|run| run.peak).collect::<Vec<_>>()))
    }

    /// How many times as fast it is.
    fn times(&self) -> f64 {
        Self::of(&self.theirs).0.as_secs_f64() / Self::of(&self.ours).0.as_secs_f64()
    }

    /// What of the goals it does not reach.
    fn missed(&self) -> Vec<&'static str> {
        let slow = (self.times() < self.goal).then_some("time");
        let large = Self::of(&self.ours).1.is_some_and(|peak| peak > PEAK).then_some("memory");
        slow.into_iter().chain(large).collect()
    }

    fn json(&self) -> serde_json::Value {
        let ((time, peak), (their_time, their_peak)) = (Self::of(&self.ours), Self::of(&self.theirs));
        serde_json::json!({
            "what": self.what, "octets": self.octets, "times": self.times(), "goal": self.goal,
            "seconds": time.as_secs_f64(), "peak": peak,
            "other_seconds": their_time.as_secs_f64(), "other_peak": their_peak, "missed": self.missed(),
        })
    }
}

fn markdown(rows: &[Row], repeat: usize) -> Result<String, String> {
    let mut text = format!(
        "Whole processes, median of {repeat} rounds, {SHORT} times as many for small mail, against {}. `times` is how many times as fast as openssl \
         Waxseal is.\n\n\
         | operation | content | waxseal | openssl | times | goal | waxseal peak | openssl peak | under goal |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---|\n",
        output(program("openssl").arg("version"))?.trim()
    );
    let mebibytes = |octets: Option<u64>| {
        octets.map_or("unknown".to_owned(), |octets| format!("{:.1} MiB", octets as f64 / 1048576.0))
    };
    for row in rows {
        let ((time, peak), (their_time, their_peak)) = (Row::of(&row.ours), Row::of(&row.theirs));
        let size = if row.octets < 1 << 20 {
            format!("{} KiB", row.octets >> 10)
        } else {
            format!("{} MiB", row.octets >> 20)
        };
        text.push_str(&format!(
            "| {} | {size} | {:.1} ms | {:.1} ms | {:.2} | {} | {} | {} | {} |\n",
            row.what,
            time.as_secs_f64() * 1e3,
            their_time.as_secs_f64() * 1e3,
            row.times(),
            row.goal,
            mebibytes(peak),
            mebibytes(their_peak),
            row.missed().join(", "),
        ));
    }
    Ok(text)
}

fn rows(mebibytes: usize, repeat: usize) -> Result<(Vec<Row>, Operations), String> {
    visible(cargo().args(["build", "--quiet", "--release"]))?;
    let folder = tempfile::tempdir().map_err(|error| format!("no folder for the inputs: {error}"))?;
    let mut rows = Vec::new();
    for octets in [10 << 10, 1 << 20, mebibytes << 20] {
        let inputs = Inputs::make(folder.path(), octets)?;
        let mut jobs = inputs.jobs();
        let mut own: Vec<_> = jobs
            .iter()
            .map(|job| {
                // Large mail is where reading twice, or holding all of it, shows.
                let goal = if octets < 16 << 20 { job.goal.min(1.0) } else { job.goal };
                Row { what: job.what, octets, goal, ours: Vec::new(), theirs: Vec::new() }
            })
            .collect();
        // A short run is soon disturbed, and soon repeated.
        let rounds = if octets < 16 << 20 { repeat * SHORT } else { repeat };
        for round in 1..=rounds {
            for (job, row) in jobs.iter_mut().zip(&mut own) {
                row.ours.push(measure(&mut job.waxseal)?);
                row.theirs.push(measure(&mut job.openssl)?);
            }
            eprintln!("{} KiB: round {round} of {rounds}", octets >> 10);
        }
        rows.extend(own);
    }
    let file = |name: &str| folder.path().join(name);
    let operations = Operations::measure(&file("key.pem"), &file("cert.pem"), repeat)?;
    Ok((rows, operations))
}

/// The same work by both programs.
struct Job {
    what: &'static str,
    /// How many times as fast as openssl it is to be on large mail.
    goal: f64,
    waxseal: Command,
    openssl: Command,
}

/// A certificate, a text, and the mails that openssl made of it.
struct Inputs {
    folder: PathBuf,
}

/// Header fields of every mail.
const HEADERS: &[&str] = &["-from", "alice@example.test", "-to", "bob@example.test", "-subject", "bench"];

impl Inputs {
    fn make(folder: &Path, octets: usize) -> Result<Self, String> {
        let inputs = Self { folder: folder.to_owned() };
        let body = inputs.path("body");
        write_body(&body, octets).map_err(|error| format!("{}: {error}", body.display()))?;
        if !inputs.path("key.pem").is_file() {
            let extensions = [
                "subjectAltName=email:alice@example.test",
                "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign",
                "extendedKeyUsage=emailProtection",
            ];
            let mut request = program("openssl");
            request.args(["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-sha256", "-days", "2"]);
            request.args(["-subj", "/CN=Alice"]);
            request.args(extensions.iter().flat_map(|extension| ["-addext", extension]));
            output(request.arg("-keyout").arg(inputs.path("key.pem")).arg("-out").arg(inputs.path("cert.pem")))?;
        }
        output(inputs.openssl_sign().args(["-nodetach", "-stream"]).arg("-out").arg(inputs.path("opaque.eml")))?;
        output(inputs.openssl_sign().arg("-out").arg(inputs.path("clear.eml")))?;
        for cipher in ["aes-128-cbc", "aes-256-gcm"] {
            let path = inputs.path(&format!("{cipher}.eml"));
            output(&mut inputs.openssl_encrypt(cipher, &path))?;
        }
        Ok(inputs)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn openssl_sign(&self) -> Command {
        let mut sign = program("openssl");
        sign.args(["cms", "-sign", "-md", "sha256", "-crlfeol"]).args(HEADERS).arg("-in").arg(self.path("body"));
        sign.arg("-signer").arg(self.path("cert.pem")).arg("-inkey").arg(self.path("key.pem"));
        sign
    }

    fn openssl_encrypt(&self, cipher: &str, out: &Path) -> Command {
        let mut encrypt = program("openssl");
        encrypt.args(["cms", "-encrypt", "-stream", "-crlfeol"]).arg(format!("-{cipher}")).args(HEADERS);
        encrypt.arg("-in").arg(self.path("body")).arg("-out").arg(out).arg(self.path("cert.pem"));
        encrypt
    }

    fn waxseal(&self, command: &str) -> Command {
        let mut waxseal = Command::new(root().join("target/release/waxseal"));
        waxseal.arg(command);
        waxseal
    }

    fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for (what, form) in [("sign clear", "clear"), ("sign opaque", "opaque")] {
            let mut waxseal = self.waxseal("sign");
            waxseal.arg(self.path("body")).args(["--from", "alice@example.test", "--form", form]);
            // openssl streams the opaque form in BER; so does this.
            waxseal.args((form == "opaque").then_some(["--ber", "4096"]).into_iter().flatten());
            waxseal.arg("--key").arg(self.path("key.pem")).arg("--cert").arg(self.path("cert.pem"));
            waxseal.arg("--out").arg(self.path("ours"));
            let mut openssl = self.openssl_sign();
            openssl.args((form == "opaque").then_some(["-nodetach", "-stream"]).into_iter().flatten());
            openssl.arg("-out").arg(self.path("theirs"));
            jobs.push(Job { what, goal: 1.0, waxseal, openssl });
        }
        for (what, mail) in [("verify clear", "clear.eml"), ("verify opaque", "opaque.eml")] {
            let mut waxseal = self.waxseal("open");
            waxseal.arg(self.path(mail)).arg("--json").arg("--anchor").arg(self.path("cert.pem"));
            let mut openssl = program("openssl");
            openssl.args(["cms", "-verify", "-out", "/dev/null", "-in"]).arg(self.path(mail));
            openssl.arg("-CAfile").arg(self.path("cert.pem"));
            jobs.push(Job { what, goal: 3.0, waxseal, openssl });
        }
        for (encrypting, decrypting, cipher) in [
            ("encrypt AES-128-CBC", "decrypt AES-128-CBC", "aes-128-cbc"),
            ("encrypt AES-256-GCM", "decrypt AES-256-GCM", "aes-256-gcm"),
        ] {
            let mut waxseal = self.waxseal("encrypt");
            waxseal
                .arg(self.path("body"))
                .args(["--cipher", cipher, "--ber", "4096", "--to"])
                .arg(self.path("cert.pem"));
            waxseal.arg("--out").arg(self.path("ours"));
            let openssl = self.openssl_encrypt(cipher, &self.path("theirs"));
            jobs.push(Job { what: encrypting, goal: 1.0, waxseal, openssl });
            let mail = self.path(&format!("{cipher}.eml"));
            let mut waxseal = self.waxseal("open");
            waxseal
                .arg(&mail)
                .arg("--json")
                .arg("--key")
                .arg(self.path("key.pem"))
                .arg("--cert")
                .arg(self.path("cert.pem"));
            let mut openssl = program("openssl");
            openssl.args(["cms", "-decrypt", "-out", "/dev/null", "-in"]).arg(&mail);
            openssl.arg("-inkey").arg(self.path("key.pem")).arg("-recip").arg(self.path("cert.pem"));
            jobs.push(Job { what: decrypting, goal: 3.0, waxseal, openssl });
        }
        let mut waxseal = self.waxseal("open");
        waxseal.arg(self.path("clear.eml")).arg("--json").arg("--anchor").arg(self.path("cert.pem"));
        let mut openssl = program("openssl");
        openssl.args(["dgst", "-sha256"]).arg(self.path("clear.eml"));
        jobs.push(Job { what: "verify clear, against openssl dgst", goal: 0.5, waxseal, openssl });
        jobs
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
