//! A command that a signal ends takes with it what it started.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::{HELLO, custom};

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process is there, and not only its number.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// The shim hangs in the first case, and so does what it started, in a session of its own.
#[test]
fn a_run_that_is_told_to_end_leaves_nothing() {
    for signal in [Signal::INT, Signal::TERM] {
        let dir = tempfile::tempdir().unwrap();
        let (pids, scratch) = (dir.path().join("pids"), dir.path().join("scratch"));
        std::fs::create_dir(&scratch).unwrap();
        let hang = format!("setsid sleep 600 & echo $$ $! >> {}; wait", pids.display());
        let hello = HELLO.replace(r#"["sha-256"]"#, r#"["sha-256","rsa-pkcs1-v1_5","rsa-pkcs1-v1_5-sha-256","rsa"]"#);
        let unknown = r#"echo '{"id":'$id',"unsupported":"no such operation"}'"#;
        let shim = custom(dir.path(), "shim", &format!("echo '{hello}'"), &hang, unknown);
        let mut run = Command::new(env!("CARGO_BIN_EXE_waxseal"))
            .args(["run", "--case", "signed/clear/rsa-sha256", "--timeout", "600", "--jobs", "1", "--sut"])
            .arg(&shim)
            .arg("-o")
            .arg(dir.path().join("out"))
            .env("TMPDIR", &scratch)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let text = || std::fs::read_to_string(&pids).unwrap_or_default();
        wait_for("the request", || text().ends_with('\n'));
        let left: Vec<String> = text().split_whitespace().map(str::to_owned).collect();
        assert!(left.len() == 2 && left.iter().all(|pid| runs(pid)), "{left:?}");
        kill_process(Pid::from_child(&run), signal).unwrap();
        let mut status = None;
        wait_for("the end of the run", || {
            status = run.try_wait().unwrap();
            status.is_some()
        });
        let output = run.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(status.unwrap().signal(), Some(signal.as_raw()), "{error}");
        assert!(error.contains("told to end"), "{error}");
        wait_for("the end of what it started", || left.iter().all(|pid| !runs(pid)));
        let files: Vec<_> = std::fs::read_dir(&scratch).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.is_empty(), "{files:?}");
    }
}
