//! Mail that is signed inside encrypted inside signed, LF-only and from a pipe:
//! the commands hold a bounded amount of memory, both ways.
//!
//! 64 MiB; `cargo xtask deep` sets `WAXSEAL_DEEP` for 1 GiB.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The most memory of one command, whatever the size of the mail.
const PEAK: u64 = 32 << 20;

fn start(arguments: &str, directory: &Path, input: Stdio, output: Stdio) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waxseal"));
    command.args(arguments.split_whitespace()).current_dir(directory).env("TMPDIR", directory);
    command.stdin(input).stdout(output).spawn().unwrap()
}

/// Waits for a command to succeed; the most memory that it had.
fn peak(mut child: Child) -> Option<u64> {
    let mut peak = None;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        peak = now.map(|kib| kib << 10).max(peak);
        match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success(), "{status}");
                return peak;
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

#[test]
fn a_mail_signed_encrypted_and_signed_from_a_pipe_takes_little_memory() {
    let deep = std::env::var_os("WAXSEAL_DEEP").is_some();
    let size: usize = if deep { 1 << 30 } else { 64 << 20 };
    // Beside the build, not where a small file system in memory may stand.
    let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let directory = place.path();
    let pki = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/pki");
    for name in ["alice.cert.pem", "alice.key.pem", "intermediate.cert.pem", "root.cert.pem"] {
        std::fs::copy(pki.join(name), directory.join(name)).unwrap();
    }
    let keys = "--key alice.key.pem --cert alice.cert.pem";
    let sign = format!("sign {keys} --extra-cert intermediate.cert.pem --ber 4096 -");
    let mut peaks = Vec::new();

    // The mail comes from a pipe, and each command writes into the next one.
    let mut first = start(&format!("{sign} --form opaque"), directory, Stdio::piped(), Stdio::piped());
    let mut mail = first.stdin.take().unwrap();
    let second = first.stdout.take().unwrap();
    let writer = std::thread::spawn(move || {
        let line = b"The quick brown fox jumps over the lazy dog, again and again.\n";
        let lines = line.repeat(1_000);
        mail.write_all(b"From: alice@example.test\nSubject: large\nContent-Type: text/plain\n\n").unwrap();
        for _ in 0..size / lines.len() {
            mail.write_all(&lines).unwrap();
        }
    });
    let mut middle = start("encrypt --to alice.cert.pem --ber 4096 -", directory, second.into(), Stdio::piped());
    let third = middle.stdout.take().unwrap();
    let whole = directory.join("whole.eml");
    let last = start(&sign, directory, third.into(), File::create(&whole).unwrap().into());
    let waiting = [first, middle, last].map(|child| std::thread::spawn(move || peak(child)));
    writer.join().unwrap();
    peaks.extend(waiting.map(|thread| thread.join().unwrap()));
    assert!(std::fs::metadata(&whole).unwrap().len() > size as u64);

    let open = format!("open {keys} --anchor root.cert.pem --json - --out content");
    let verdict = directory.join("verdict");
    let child = start(&open, directory, Stdio::piped(), File::create(&verdict).unwrap().into());
    let mut child = child;
    let mut pipe = child.stdin.take().unwrap();
    let feeding = std::thread::spawn(move || std::io::copy(&mut File::open(whole).unwrap(), &mut pipe).map(drop));
    peaks.push(peak(child));
    feeding.join().unwrap().unwrap();
    let verdict: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(verdict).unwrap()).unwrap();
    let kinds: Vec<_> = verdict["layers"].as_array().unwrap().iter().map(|layer| layer["kind"].as_str()).collect();
    assert_eq!(kinds, [Some("signed"), Some("encrypted"), Some("signed")]);
    // The content came out in canonical form: each line has one octet more.
    assert!(std::fs::metadata(directory.join("content")).unwrap().len() > size as u64);
    for (what, peak) in ["sign", "encrypt", "sign again", "open"].iter().zip(&peaks) {
        match peak {
            Some(peak) => {
                println!("{what}: {} KiB", peak >> 10);
                assert!(*peak < PEAK, "{what}: {} KiB", peak >> 10);
            }
            None => println!("{what}: not measured, there is no /proc"),
        }
    }
}
