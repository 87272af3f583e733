//! The runner against shims that do everything wrong that a shim can do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::{HELLO, custom, script, sut, task, verdict};
use waxseal::plan::Plan;
use waxseal::runner::{Options, Run};
use waxseal::sut::Sut;
use waxseal::sut::child::ShimLimits;
use waxseal::task::Task;
use waxseal_verdict::{Aspect, Clock, Outcome, OutcomeRecord, Reason};

/// Short where a test waits for the end of it, long on a busy machine.
fn limits(seconds: u64) -> ShimLimits {
    ShimLimits { time: Duration::from_secs(seconds), answer_octets: 10_000, file_octets: 1000 }
}

fn run(tasks: &[Task], suts: &[Sut], jobs: usize, keep: Option<&Path>) -> Vec<OutcomeRecord> {
    run_within(60, tasks, suts, jobs, keep)
}

fn run_within(seconds: u64, tasks: &[Task], suts: &[Sut], jobs: usize, keep: Option<&Path>) -> Vec<OutcomeRecord> {
    let plan = Plan::new(tasks, suts);
    let options = Options { jobs, limits: limits(seconds), keep: keep.map(Path::to_owned), include_private: false };
    let mut records = Vec::new();
    Run { tasks, suts, plan: &plan, options: &options }
        .execute(|record| {
            records.push(record);
            Ok(())
        })
        .unwrap();
    records.sort_by(|a, b| (&a.case, &a.sut).cmp(&(&b.case, &b.sut)));
    records
}

fn admitted(script: &Path) -> Sut {
    let mut sut = sut(script);
    sut.admit(limits(60));
    assert!(sut.admission.is_ok(), "{:?}", sut.admission);
    sut
}

/// The one outcome of a good case on a shim that does this on `open`.
fn outcome_of(open: &str) -> (Outcome, String) {
    outcome_within(60, open)
}

fn outcome_within(seconds: u64, open: &str) -> (Outcome, String) {
    let dir = tempfile::tempdir().unwrap();
    let sut = admitted(&script(dir.path(), "shim", open));
    let records = run_within(seconds, &[task("a", Aspect::Good)], &[sut], 1, None);
    assert_eq!(records.len(), 1);
    (records[0].outcome, records[0].reason.clone().unwrap_or_default())
}

#[test]
fn a_right_answer_passes_and_a_wrong_one_fails() {
    assert_eq!(outcome_of(&format!("echo '{}'", verdict("\"good\""))), (Outcome::Pass, String::new()));
    let (outcome, reason) = outcome_of(&format!("echo '{}'", verdict(r#"{"bad":"digest-mismatch"}"#)));
    assert_eq!((outcome, reason.as_str()), (Outcome::Fail, "layer 1 integrity: bad: digest-mismatch, expected good"));
}

#[test]
fn what_a_shim_does_wrong_is_an_outcome() {
    for (open, outcome, reason) in [
        ("exit 3", Outcome::Crash, "ended with exit code 3 before it answered"),
        ("kill -ABRT $$", Outcome::Crash, "killed by signal 6 before it answered"),
        ("sleep 60", Outcome::Hang, "no answer within 2 s"),
        ("echo garbage", Outcome::ShimError, "the answer is no JSON: expected value at line 1 column 1"),
        (r#"echo '{"id":999,"unsupported":"x"}'"#, Outcome::ShimError, "an answer to request 999, expected one to 1"),
        (r#"echo '{"id":'$id',"error":"no disk"}'"#, Outcome::ShimError, "no disk"),
        (r#"echo '{"id":'$id',"unsupported":"no PSS"}'"#, Outcome::Unsupported, "no PSS"),
        ("yes | tr -d '\\n'", Outcome::ShimError, "an answer of more than 10000 octets"),
        ("yes garbage", Outcome::ShimError, "the answer is no JSON: expected value at line 1 column 1"),
    ] {
        let seconds = if outcome == Outcome::Hang { 2 } else { 60 };
        assert_eq!(outcome_within(seconds, open), (outcome, reason.to_owned()), "{open}");
    }
    let many = format!("for i in 1 2 3; do yes | head -c 900 > \"$dir/$i\"; done; echo '{}'", verdict("\"good\""));
    let left = "more than 1000 octets left in the directory of the case";
    assert_eq!(outcome_of(&many), (Outcome::ShimError, left.to_owned()));
    let large = format!("yes | head -c 2000 > \"$dir/content\"; echo '{}'", verdict("\"good\""));
    assert_eq!(outcome_of(&large), (Outcome::ShimError, "content of more than 1000 octets".to_owned()));
    // Nobody ever writes to the pipe, and the device never ends: neither is read.
    for (leave, kind) in [("mkfifo", "pipe"), ("ln -s /dev/zero", "link"), ("mkdir", "directory")] {
        let other = format!("{leave} \"$dir/content\"; echo '{}'", verdict("\"good\""));
        assert_eq!(outcome_of(&other), (Outcome::ShimError, format!("content: a {kind} and not a file")));
    }
    // Where its answer is to be kept it has put a pipe.
    let dir = tempfile::tempdir().unwrap();
    let open = format!("mkfifo \"$dir/answer.json\"; echo '{}'", verdict("\"good\""));
    let sut = admitted(&script(dir.path(), "shim", &open));
    let records = run(&[task("a", Aspect::Good)], &[sut], 1, Some(&dir.path().join("kept")));
    assert_eq!(records[0].outcome, Outcome::Pass);
}

/// What a shim says stands in every line of a record.
#[test]
fn what_a_shim_says_has_a_limit() {
    let long = "word ".repeat(1000);
    let (outcome, reason) = outcome_of(&format!(r#"echo '{{"id":'$id',"unsupported":"{long}"}}'"#));
    assert_eq!((outcome, reason.chars().count()), (Outcome::Unsupported, 501));
    let layer = r#"{"path":"1/signed-data","kind":"signed","structure":"good","integrity":"good"}"#;
    let layers = vec![layer; 40].join(",");
    let many = verdict("\"good\"").replace(layer, &layers);
    let (outcome, reason) = outcome_of(&format!("echo '{many}'"));
    assert_eq!((outcome, reason.as_str()), (Outcome::ShimError, "a verdict of 40 layers, at most 32 are taken"));
    let dir = tempfile::tempdir().unwrap();
    let hello = HELLO.replace("1.0", &long);
    let sut = admitted(&custom(
        dir.path(),
        "shim",
        &format!("echo '{hello}'"),
        "exit 1",
        r#"echo '{"id":'$id',"unsupported":"no"}'"#,
    ));
    assert_eq!(sut.record().version.unwrap().chars().count(), 101);
}

#[test]
fn the_run_goes_on_after_a_crash_with_a_new_process() {
    let dir = tempfile::tempdir().unwrap();
    let open = format!(
        "if [ -e {0}/died ]; then echo '{1}'; else touch {0}/died; exit 1; fi",
        dir.path().display(),
        verdict("\"good\"")
    );
    let sut = admitted(&script(dir.path(), "shim", &open));
    let records = run(&[task("a", Aspect::Good), task("b", Aspect::Good)], &[sut], 1, None);
    let outcomes: Vec<_> = records.iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes, [Outcome::Crash, Outcome::Pass]);
}

/// A file that no limit lets become larger than twice of what is too much, and a mebibyte.
#[test]
fn a_shim_fills_no_disk() {
    let (outcome, _) = outcome_of("yes > \"$dir/content\"; wc -c < \"$dir/content\" >&2; exit 9");
    assert_eq!(outcome, Outcome::Crash);
    let dir = tempfile::tempdir().unwrap();
    let size = dir.path().join("size");
    let open = format!("yes > {0}/large; wc -c < {0}/large > {1}; echo x", dir.path().display(), size.display());
    let sut = admitted(&script(dir.path(), "shim", &open));
    run(&[task("a", Aspect::Good)], &[sut], 1, None);
    let octets: u64 = std::fs::read_to_string(size).unwrap().trim().parse().unwrap();
    assert_eq!(octets, 2000 + (1 << 20));
}

/// A pipe holds 64 KiB: the shim is given more, and does not read.
#[test]
fn a_shim_that_does_not_read_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = script(dir.path(), "shim", "true");
    let sut = admitted(&path);
    std::fs::write(path, "exec sleep 60\n").unwrap();
    let (mut first, mut second) = (task("a", Aspect::Good), task("b", Aspect::Good));
    for task in [&mut first, &mut second] {
        task.from = Some("x".repeat(1 << 20));
    }
    let start = Instant::now();
    let records = run_within(2, &[first, second], &[sut], 1, None);
    assert!(records.len() == 2 && records.iter().all(|record| record.outcome == Outcome::Hang), "{records:?}");
    assert!(start.elapsed() < Duration::from_secs(40));
}

#[test]
fn a_shim_that_hangs_again_and_again_is_asked_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let asked = dir.path().join("asked");
    let open = format!("echo x >> {}; exec sleep 60", asked.display());
    let sut = admitted(&script(dir.path(), "shim", &open));
    let tasks: Vec<Task> = (0..12).map(|number| task(&format!("{number:02}"), Aspect::Good)).collect();
    let records = run_within(1, &tasks, &[sut], 2, None);
    let hangs = records.iter().filter(|record| record.outcome == Outcome::Hang).count();
    // Two workers: one may be asking while the other finds out.
    assert!((5..=6).contains(&hangs), "{hangs}");
    assert_eq!(std::fs::read_to_string(asked).unwrap().lines().count(), hangs);
    let others: Vec<_> = records.iter().filter(|record| record.outcome != Outcome::Hang).collect();
    assert_eq!(others.len(), 12 - hangs);
    for record in others {
        assert_eq!(record.outcome, Outcome::NotAvailable);
        let why = "not asked any more: 5 requests in a row had no answer within 1 s";
        assert_eq!(record.reason.as_deref(), Some(why));
    }
}

#[test]
fn nothing_that_a_shim_started_is_left_running() {
    for start in ["sleep 60 &", "setsid sleep 60 &", "setsid sh -c 'sleep 60; true' &"] {
        what_a_shim_started_ends(start);
    }
}

fn what_a_shim_started_ends(start: &str) {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let sut = admitted(&script(dir.path(), "shim", &format!("{start} echo $! > {}; wait", pid.display())));
    let start = Instant::now();
    let records = run_within(2, &[task("a", Aspect::Good)], &[sut], 1, None);
    assert_eq!(records[0].outcome, Outcome::Hang);
    assert!(start.elapsed() < Duration::from_secs(20));
    let pid: i32 = std::fs::read_to_string(pid).unwrap().trim().parse().unwrap();
    let gone = || rustix::process::test_kill_process(rustix::process::Pid::from_raw(pid).unwrap()).is_err();
    let zombie = || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    assert!(
        (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            gone() || zombie()
        }),
        "{pid} is alive"
    );
}

#[test]
fn only_a_shim_that_says_who_it_is_and_refuses_the_unknown_is_admitted() {
    let dir = tempfile::tempdir().unwrap();
    let unsupported = r#"echo '{"id":'$id',"unsupported":"no"}'"#;
    let hello = format!("echo '{}'", HELLO);
    let good = format!("echo '{}'", verdict("\"good\""));
    for (name, hello, unknown, words) in [
        ("agrees", hello.as_str(), good.as_str(), "does not exist was answered with a verdict instead of unsupported"),
        ("mute", "exit 0", unsupported, "hello: ended with exit code 0"),
        ("hangs", "sleep 60", unsupported, "hello: no answer within 2 s"),
        ("silly", "echo hi", unsupported, "hello: the answer is no JSON"),
        (
            "absent",
            r#"echo '{"id":'$id',"unsupported":"openssl is not on PATH"}'"#,
            unsupported,
            "openssl is not on PATH",
        ),
        ("dies", hello.as_str(), "exit 9", "exit code 9"),
        (
            "future",
            r#"echo '{"id":'$id',"protocol":2,"hello":{"name":"x","version":"1","operations":[],"algorithms":[],"forms":[],"aspects":[],"clock":"system"}}'"#,
            unsupported,
            "protocol 2",
        ),
        (
            "idle",
            r#"echo '{"id":'$id',"protocol":1,"hello":{"name":"x","version":"1","operations":[],"algorithms":[],"forms":[],"aspects":[],"clock":"system"}}'"#,
            unsupported,
            "does not offer the operation open",
        ),
    ] {
        let mut sut = sut(&custom(dir.path(), name, hello, &good, unknown));
        sut.admit(limits(if name == "hangs" { 2 } else { 60 }));
        let why = sut.admission.clone().unwrap_err();
        assert!(why.contains(words), "{name}: {why}");
        let records = run(&[task("a", Aspect::Good)], &[sut], 1, None);
        assert_eq!((records[0].outcome, records[0].reason.as_deref()), (Outcome::NotAvailable, Some(why.as_str())));
    }
    let mut missing = sut(Path::new("/x"));
    missing.command.program = dir.path().join("nothing");
    missing.admit(limits(60));
    assert!(missing.admission.unwrap_err().ends_with("nothing does not exist"));
}

#[test]
fn what_is_not_declared_is_unsupported_and_never_asked() {
    let dir = tempfile::tempdir().unwrap();
    let sut = admitted(&script(dir.path(), "shim", "exit 1"));
    let mut algorithm = task("algorithm", Aspect::Good);
    algorithm.algorithms.insert("sm3".to_owned());
    let mut kind = task("kind", Aspect::Good);
    kind.kinds.insert(waxseal_verdict::Kind::Encrypted);
    let mut aspect = task("aspect", Aspect::Good);
    aspect.expectation.layers[0].aspects =
        [(waxseal_verdict::AspectName::Identity, Aspect::bad(Reason::AddressMismatch, ""))].into();
    let mut clock = task("clock", Aspect::Good);
    clock.fixed_clock = true;
    let mut absent = task("absent", Aspect::Good);
    absent.files = Err("not in the directory".to_owned());
    let mut without_clock = sut.clone();
    without_clock.admission.as_mut().unwrap().clock = Clock::System;
    let check = |task: Task, sut: &Sut, outcome, reason: &str| {
        let records = run(&[task], std::slice::from_ref(sut), 1, None);
        assert_eq!((records[0].outcome, records[0].reason.as_deref()), (outcome, Some(reason)));
    };
    check(algorithm, &sut, Outcome::Unsupported, "does not know sm3");
    check(kind, &sut, Outcome::Unsupported, "does not read encrypted");
    check(aspect, &sut, Outcome::Unsupported, "does not report identity");
    check(clock, &without_clock, Outcome::Unsupported, "its clock cannot be set");
    check(absent, &sut, Outcome::NotAvailable, "not in the directory");
}

#[test]
fn a_rejection_counts_only_where_the_twin_was_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let refuses =
        admitted(&script(dir.path(), "refuses", &format!("echo '{}'", verdict(r#"{"bad":"digest-mismatch"}"#))));
    // The directory of the negative holds a message with the word `bad`.
    let tells = format!(
        "if grep -q bad \"$dir/message\"; then echo '{}'; else echo '{}'; fi",
        verdict(r#"{"bad":"digest-mismatch"}"#),
        verdict("\"good\"")
    );
    let tells = admitted(&script(dir.path(), "tells", &tells));
    let mut negative = task("a-negative", Aspect::bad(Reason::DigestMismatch, ""));
    negative.twin = Some("b-twin".to_owned());
    negative.files =
        Ok(std::sync::Arc::new(waxseal::task::CaseFiles { message: b"bad".to_vec(), ..Default::default() }));
    let tasks = [negative, task("b-twin", Aspect::Good)];
    let records = run(&tasks, &[refuses, tells], 4, None);
    let seen: Vec<_> = records.iter().map(|r| (r.case.as_str(), r.sut.as_str(), r.outcome)).collect();
    assert_eq!(
        seen,
        [
            ("a-negative", "refuses", Outcome::Fail),
            ("a-negative", "tells", Outcome::Pass),
            ("b-twin", "refuses", Outcome::Fail),
            ("b-twin", "tells", Outcome::Pass),
        ]
    );
    assert_eq!(records[0].reason.as_deref(), Some("the rejection proves nothing: the valid twin b-twin is fail"));
}

#[test]
fn every_pair_has_exactly_one_outcome_whatever_the_number_of_workers() {
    let dir = tempfile::tempdir().unwrap();
    let suts = ["x", "y"].map(|name| admitted(&script(dir.path(), name, &format!("echo '{}'", verdict("\"good\"")))));
    let tasks: Vec<_> = (0..20).map(|number| task(&format!("{number:02}"), Aspect::Good)).collect();
    for jobs in [1, 3, 64] {
        let records = run(&tasks, &suts, jobs, None);
        assert_eq!(records.len(), 40);
        assert!(records.iter().all(|record| record.outcome == Outcome::Pass));
    }
}

#[test]
fn a_kept_directory_has_everything() {
    let dir = tempfile::tempdir().unwrap();
    let keep = dir.path().join("kept");
    let open = format!("cp \"$dir/message\" \"$dir/content\"; echo '{}'", verdict("\"good\""));
    let sut = admitted(&script(dir.path(), "shim", &open));
    for _again in 0..2 {
        run(&[task("area/topic/name", Aspect::Good)], std::slice::from_ref(&sut), 1, Some(&keep));
        let case = keep.join("area/topic/name/shim");
        let mut names: Vec<_> =
            std::fs::read_dir(&case).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(
            names,
            ["README.md", "answer.json", "content", "expected.json", "message", "outcome.txt", "request.json"]
        );
        let request = std::fs::read_to_string(case.join("request.json")).unwrap();
        assert_eq!(
            request,
            concat!(
                r#"{"id":1,"op":"open","dir":".","message":"message","clock":"1970-01-01T00:00:00Z","out":"content"}"#,
                "\n"
            )
        );
        assert_eq!(
            std::fs::read_to_string(case.join("outcome.txt")).unwrap(),
            "pass: everything came out as expected\n"
        );
        assert!(std::fs::read_to_string(case.join("answer.json")).unwrap().contains("\"id\": 1"));
    }
}
