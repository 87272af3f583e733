//! A command that ends, however it does, takes with it what it started.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::{HELLO, custom};
use waxseal::confine;
use waxseal::transport::post::programs;
use waxseal_model::SubmitBy;

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

/// The guards of a process.
fn guards_of(process: Pid) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap());
    let mark = format!("{process}.");
    let is_one = |path: &Path| {
        let line = std::fs::read(path.join("cmdline")).unwrap_or_default();
        let mut words = line.split(|octet| *octet == 0).skip(1);
        words.next() == Some(b"guard") && words.next().is_some_and(|word| word.starts_with(mark.as_bytes()))
    };
    let guards = processes.filter(|entry| is_one(&entry.path()));
    guards.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn files_in(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// A run on one case of a shim that does this when it is asked.
struct Started {
    dir: tempfile::TempDir,
    run: Child,
    scratch: PathBuf,
}

impl Started {
    fn new(open: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let scratch = dir.path().join("scratch");
        std::fs::create_dir(&scratch).unwrap();
        let hello = HELLO.replace(r#"["sha-256"]"#, r#"["sha-256","rsa-pkcs1-v1_5","rsa-pkcs1-v1_5-sha-256","rsa"]"#);
        let unknown = r#"echo '{"id":'$id',"unsupported":"no such operation"}'"#;
        let shim = custom(dir.path(), "shim", &format!("echo '{hello}'"), open, unknown);
        let run = Command::new(env!("CARGO_BIN_EXE_waxseal"))
            .args(["run", "--case", "signed/clear/rsa-sha256", "--timeout", "600", "--jobs", "1", "--sut"])
            .arg(&shim)
            .arg("-o")
            .arg(dir.path().join("out"))
            .env("TMPDIR", &scratch)
            .env("SEEN", dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { dir, run, scratch }
    }

    fn id(&self) -> Pid {
        Pid::from_child(&self.run)
    }

    /// What the shim wrote into a file.
    fn seen(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }

    /// Waits for its end; how that was, and what it said of it.
    fn end(mut self) -> (ExitStatus, String, tempfile::TempDir) {
        let mut status = None;
        wait_for("the end of the run", || {
            status = self.run.try_wait().unwrap();
            status.is_some()
        });
        let output = self.run.wait_with_output().unwrap();
        (status.unwrap(), String::from_utf8(output.stderr).unwrap(), self.dir)
    }
}

/// The shim hangs in the first case, and so does what it started, in a session of its own;
/// and it has left files wherever it was told that it may.
#[test]
fn a_run_that_is_told_to_end_leaves_nothing() {
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let run = Started::new(
            "mkdir $TMPDIR/a; touch $TMPDIR/a/b ${WAXSEAL_SHM:-$TMPDIR}/c; echo ${WAXSEAL_SHM:-$TMPDIR} > $SEEN/memory; \
             setsid sleep 600 & echo $$ $! >> $SEEN/pids; wait",
        );
        wait_for("the request", || run.seen("pids").ends_with('\n'));
        let left: Vec<String> = run.seen("pids").split_whitespace().map(str::to_owned).collect();
        assert!(left.len() == 2 && left.iter().all(|pid| runs(pid)), "{left:?}");
        let memory = PathBuf::from(run.seen("memory").trim());
        assert!(memory.join("c").exists(), "{memory:?}");
        let (id, scratch) = (run.id(), run.scratch.clone());
        assert_eq!(guards_of(id).len(), 1);
        assert!(!files_in(&scratch).is_empty());
        kill_process(id, signal).unwrap();
        let (status, error, _dir) = run.end();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{error}");
        assert!(signal == Signal::KILL || error.contains("told to end"), "{error}");
        wait_for("the end of what it started", || left.iter().all(|pid| !runs(pid)));
        // Nobody is left who would do it later.
        wait_for("the end of its guard", || guards_of(id).is_empty());
        assert!(files_in(&scratch).is_empty() && !memory.exists(), "{:?} {memory:?}", files_in(&scratch));
    }
}

/// Whoever tells all processes here to end, as a terminal or a machine that is
/// switched off does, must not leave what the guard is for.
#[test]
fn a_guard_ends_after_the_one_that_it_guards() {
    let run = Started::new("echo $$ >> $SEEN/pids; touch $TMPDIR/a; exec sleep 600");
    wait_for("the request", || run.seen("pids").ends_with('\n'));
    let (id, scratch, shim) = (run.id(), run.scratch.clone(), run.seen("pids"));
    let guards = guards_of(id);
    let guard = Pid::from_raw(guards[0].parse().unwrap()).unwrap();
    for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
        kill_process(guard, signal).unwrap();
    }
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(guards_of(id), guards);
    kill_process(id, Signal::KILL).unwrap();
    let (_, _, _dir) = run.end();
    wait_for("the end of the guard", || guards_of(id).is_empty());
    assert!(!runs(shim.trim()) && files_in(&scratch).is_empty());
}

/// A run that nothing disturbs has nothing left when it has ended; and one whose guard was killed has neither.
#[test]
fn a_run_that_ends_takes_its_guard_with_it() {
    for disturbed in [false, true] {
        let answer = r#"echo '{"id":'$id',"unsupported":"no"}'"#;
        let wait = "touch $SEEN/asked $TMPDIR/a; while ! [ -e $SEEN/go ]; do sleep 0.05; done";
        let run = Started::new(&format!("{wait}; {answer}"));
        wait_for("the request", || run.dir.path().join("asked").exists());
        let (id, scratch) = (run.id(), run.scratch.clone());
        let guards = guards_of(id);
        assert_eq!(guards.len(), 1);
        if disturbed {
            kill_process(Pid::from_raw(guards[0].parse().unwrap()).unwrap(), Signal::KILL).unwrap();
        }
        std::fs::write(run.dir.path().join("go"), "").unwrap();
        let (status, error, _dir) = run.end();
        assert_eq!(status.code(), Some(0), "{error}");
        assert!(guards_of(id).is_empty() && files_in(&scratch).is_empty());
    }
}

/// The servers of the transport part have groups of their own, in a place of their own.
#[test]
fn servers_end_with_the_run() {
    let absent = confine::probe().map_err(|error| error.to_string()).and_then(|()| programs(SubmitBy::Smtp));
    if let Err(why) = absent {
        assert!(std::env::var_os("CI").is_none(), "{why}");
        println!("not tested: {why}");
        return;
    }
    for signal in [Signal::TERM, Signal::KILL] {
        let dir = tempfile::tempdir().unwrap();
        let mut run = Command::new(env!("CARGO_BIN_EXE_waxseal"))
            .args(["transport", "-o", "out"])
            .current_dir(dir.path())
            .env("TMPDIR", dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let id = Pid::from_child(&run);
        let place = |name: &str| {
            let mut dirs = files_in(dir.path()).into_iter();
            dirs.find_map(|dir| Some(dir.join(name)).filter(|path| path.exists()))
        };
        let mut servers = Vec::new();
        wait_for("the servers", || {
            servers = children_named(id, "unshare");
            servers = servers.iter().flat_map(|place| [vec![place.clone()], descendants(place)].concat()).collect();
            // The place, this program in it, and what that has started.
            place("job.json").is_some() && servers.len() > 2
        });
        // They would end when they have carried everything: now they have to be ended.
        for server in &servers {
            let _ = kill_process(Pid::from_raw(server.parse().unwrap()).unwrap(), Signal::STOP);
        }
        kill_process(id, signal).unwrap();
        wait_for("the end of the run", || run.try_wait().unwrap().is_some());
        wait_for("the end of the servers", || servers.iter().all(|pid| !runs(pid)));
        wait_for("the end of its guard", || guards_of(id).is_empty());
        assert!(place("job.json").is_none());
    }
}

/// The processes that a process started, and what they started.
fn descendants(of: &str) -> Vec<String> {
    let children = children(of);
    let further: Vec<String> = children.iter().flat_map(|child| descendants(child)).collect();
    [children, further].concat()
}

fn children(of: &str) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let children = threads.map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    children.flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn children_named(of: Pid, name: &str) -> Vec<String> {
    let is_called =
        |pid: &String| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name);
    children(&of.to_string()).into_iter().filter(is_called).collect()
}
