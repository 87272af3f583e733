//! `waxseal run` from end to end, and its gate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{custom, disputes, known, script, verdict};
use waxseal::shim::openssl::OpenSsl;
use waxseal::shim::serve::Shim as _;
use waxseal::shim::shipped::{SHIPPED, Shipped};
use waxseal_model::Corpus;
use waxseal_verdict::{Evidence, Line, Outcome, OutcomeRecord, Record};

/// A signed mail that every reader should accept, and one with a changed body.
const POSITIVE: &str = "signed/clear/rsa-sha256";
const NEGATIVE: &str = "integrity/clear/body-rsa";
/// A mail of the matrix that openssl writes, and everybody reads.
const ROUND_TRIP: &str = "matrix/clear.rsa.small/openssl";

/// Runs the command in a directory; exit code, standard output, standard error.
fn run(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_waxseal"))
        .arg("run")
        .args(arguments)
        .args(["-o", "out"])
        .current_dir(dir)
        .env_remove("WAXSEAL_RECORDINGS")
        .env_remove("WAXSEAL_RUN_ID")
        .output()
        .unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn lines(dir: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(dir.join("run.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn outcomes(dir: &Path) -> BTreeMap<(String, String), OutcomeRecord> {
    let outcome = |line: Line| match line.record {
        Record::Outcome(outcome) => Some(((outcome.case.clone(), outcome.sut.clone()), outcome)),
        _ => None,
    };
    lines(dir).into_iter().filter_map(outcome).collect()
}

/// Where the main job left its record and report: `cargo xtask test` has run it just before, and names the folder.
/// Whoever runs a test alone has as much of it done here as the test looks at, without matrix and transport.
fn main_job(dir: &Path, arguments: &[&str]) -> PathBuf {
    if let Some(folder) = std::env::var_os("WAXSEAL_MAIN_JOB") {
        return folder.into();
    }
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folders = ["recordings", "oracles"].map(|name| shared.join(name));
    let recordings = folders.iter().filter(|folder| folder.is_dir());
    let recordings = recordings.flat_map(|folder| ["--recordings", folder.to_str().unwrap()]);
    let fixed = ["--matrix", "none", "--transport", "none"];
    let (code, out, err) = run(dir, &arguments.iter().copied().chain(fixed).chain(recordings).collect::<Vec<_>>());
    // A named SUT that is wrong somewhere decides the code.
    assert!(code == 0 || (code == 1 && !arguments.is_empty()), "{out}{err}");
    dir.join("out")
}

#[test]
fn the_main_job_leaves_a_whole_record_and_a_report() {
    let dir = tempfile::tempdir().unwrap();
    let folder = main_job(dir.path(), &[]);
    let lines = lines(&folder);
    let corpus = Corpus::embedded().unwrap();
    let (Record::Run(head), Record::Plan(plan)) = (&lines[0].record, &lines[1].record) else {
        panic!("a record begins with its head and its plan");
    };
    assert_eq!(head.corpus, corpus.hash());
    assert!(lines.iter().all(|line| line.run == lines[0].run && line.shard == "1/1"));
    // Every planned pair once, and every case on every shipped SUT is among them.
    let count = lines.iter().filter(|line| matches!(line.record, Record::Outcome(_))).count();
    let every = outcomes(&folder);
    assert_eq!((count, plan.entries.len()), (every.len(), every.len()));
    assert!(matches!(lines.last().unwrap().record, Record::End { outcomes, .. } if outcomes == count as u64));
    let of_corpus = every.keys().filter(|(case, _)| corpus.case(case).is_some()).count();
    assert_eq!(of_corpus, corpus.cases().len() * SHIPPED.len());
    let outcomes = every;
    let unexplained = known::unexplained(&corpus, &outcomes);
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    for (case, sut) in known::hangs(&corpus, &outcomes) {
        let again = tempfile::tempdir().unwrap();
        let writer = case.rsplit('/').next().filter(|name| Shipped::named(name).is_some());
        let suts = [Some(sut.as_str()), writer].into_iter().flatten().flat_map(|name| ["--sut", name]);
        let (_, out, err) = run(again.path(), &["--case", &case].into_iter().chain(suts).collect::<Vec<_>>());
        let found = self::outcomes(&again.path().join("out")).remove(&(case.clone(), sut.clone()));
        let found = found.unwrap_or_else(|| panic!("{case} on {sut} cannot be asked again: {out}{err}"));
        assert_ne!(found.outcome, Outcome::Hang, "{case} on {sut} hangs, and peers.toml does not say why");
    }
    let unnoted = disputes::unnoted(&corpus, &outcomes);
    assert!(unnoted.is_empty(), "{}", unnoted.join("\n"));
    for ((case, sut), outcome) in outcomes {
        if known::speaks_of(&corpus, &sut) {
            continue;
        }
        if Shipped::is_reference(&sut) {
            let fine = [Outcome::Pass, Outcome::Unsupported, Outcome::NotAvailable].contains(&outcome.outcome);
            assert!(fine || corpus.explains(&outcome), "{case}: {} {:?}", outcome.outcome, outcome.reason);
        } else if ![Outcome::Pass, Outcome::Unsupported, Outcome::NotAvailable, Outcome::Hang]
            .contains(&outcome.outcome)
        {
            // Who is right, and why, stands in the case; of a peer, or a version of it, that
            // neither the cases nor the table speak of it is a finding.
            let of_this =
                |one: &&waxseal_model::Disagreement| one.implementation == sut && one.version == outcome.sut_version;
            let looked_at = corpus.cases().iter().flat_map(|case| &case.disagreements).any(|one| of_this(&one));
            let explained = known::is_said(&corpus, &case, &sut);
            assert!(explained || !looked_at, "{case} on {sut}: {} {:?}", outcome.outcome, outcome.reason);
        }
    }
    let page = std::fs::read_to_string(folder.join("report/index.html")).unwrap();
    assert!(page.contains(POSITIVE));
    let is_private = |case: &str| corpus.case(case).is_some_and(|case| case.private);
    for line in lines {
        let Record::Outcome(outcome) = line.record else { continue };
        if is_private(&outcome.case) {
            let text = serde_json::to_string(&outcome).unwrap();
            assert!(!text.contains('@') && !text.contains("detail"), "{text}");
        }
    }
}

/// What openssl gets wrong is known, each with its explanation; what is listed
/// and right now is out of date. Only for the version that the corpus names.
#[test]
fn openssl_disagrees_where_the_corpus_says_so() {
    let hello = match OpenSsl::default().hello() {
        Ok(hello) => hello,
        Err(why) => return waxseal_testing::not_installed(why),
    };
    let dir = tempfile::tempdir().unwrap();
    let mut outcomes = outcomes(&main_job(dir.path(), &["--sut", "openssl"]));
    let corpus = Corpus::embedded().unwrap();
    outcomes.retain(|(case, sut), _| sut == "openssl" && corpus.case(case).is_some());
    assert_eq!(outcomes.len(), corpus.cases().len());
    let disagreements = || corpus.cases().iter().flat_map(|case| &case.disagreements);
    let of_openssl = disagreements().filter(|one| one.implementation == "openssl");
    let known_versions: BTreeSet<&str> =
        of_openssl.flat_map(|one| std::iter::once(&one.version).chain(&one.also)).map(String::as_str).collect();
    let mut wrong = Vec::new();
    for ((id, _), outcome) in &outcomes {
        let case = corpus.case(id).unwrap();
        let listed = case.disagreements.iter().find(|one| one.implementation == "openssl");
        let reason = outcome.reason.as_deref().unwrap_or_default();
        let problem = match (outcome.outcome, listed) {
            (Outcome::Fail, None) => format!("{id}: no explanation in the corpus: {reason}"),
            (Outcome::Pass, Some(one)) => format!("{id}: passes, but the corpus says {:?}", one.says),
            (Outcome::Pass | Outcome::Fail | Outcome::Unsupported | Outcome::NotAvailable, _) => continue,
            (other, _) => format!("{id}: {other}: {reason}"),
        };
        // Another version's other answer is a finding of the run, not a fault of this build.
        match listed.is_none_or(|one| one.is_of(&hello.version)) && known_versions.contains(hello.version.as_str()) {
            true => wrong.push(problem),
            false => println!("openssl {}: {problem}", hello.version),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_named_sut_decides_the_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let good = format!("cp \"$dir/message\" \"$dir/content\"; echo '{}'", verdict("\"good\""));
    script(dir.path(), "shim", &good);
    script(dir.path(), "dead", "exit 1");
    custom(dir.path(), "yes", &format!("echo '{}'", support::HELLO), &good, &good);
    let arguments = ["--case", "mime/plain/unprotected", "--sut"];
    let with = |sut: &str| run(dir.path(), &[&arguments[..], &[sut]].concat());
    let (code, out, err) = with("./shim");
    // The fake sees a signed layer in an ordinary mail.
    assert_eq!(code, 1, "{out}{err}");
    assert!(err.contains("mime/plain/unprotected on shim: fail"), "{err}");
    let (code, _, err) = with("./yes");
    assert!(code == 1 && err.contains("yes takes no part: not admitted"), "{err}");
    let (code, _, _) = with("engine");
    assert_eq!(code, 0);
}

/// A shim of somebody gets the mails that peers write, and is the only one that decides.
#[test]
fn a_named_shim_meets_the_peers() {
    let dir = tempfile::tempdir().unwrap();
    let names = r#""rsa","rsa-pkcs1-v1_5","sha-256""#;
    let hello = support::HELLO.replace(r#""sha-256""#, names);
    let unknown = r#"echo '{"id":'$id',"unsupported":"no"}'"#;
    let open = format!("echo '{}'", verdict(r#"{"bad":"digest-mismatch"}"#));
    custom(dir.path(), "shim", &format!("echo '{hello}'"), &open, unknown);
    let arguments = ["--case", ROUND_TRIP, "--with-peers"];
    let (code, _, err) = run(dir.path(), &arguments);
    assert!(code == 2 && err.contains("--sut"), "{err}");
    let (code, out, err) = run(dir.path(), &[&arguments[..], &["--sut", "./shim"]].concat());
    let outcomes = outcomes(&dir.path().join("out"));
    let read = outcomes.get(&(ROUND_TRIP.to_owned(), "shim".to_owned())).unwrap_or_else(|| panic!("{out}{err}"));
    assert_eq!(read.outcome, Outcome::Fail);
    assert!(outcomes.contains_key(&(ROUND_TRIP.to_owned(), "engine".to_owned())), "{out}");
    assert!(code == 1 && err.contains(&format!("{ROUND_TRIP} on shim: fail")), "{err}");
    assert_eq!(err.lines().filter(|line| line.contains(" on ")).count(), 1, "only what is named decides: {err}");
}

#[test]
fn the_gate_compares_with_its_list() {
    let dir = tempfile::tempdir().unwrap();
    let algorithms = r#""rsa","rsa-pkcs1-v1_5","sha-256""#;
    let hello = support::HELLO.replace(r#""sha-256""#, algorithms);
    custom(
        dir.path(),
        "shim",
        &format!("echo '{hello}'"),
        &format!("echo '{}'", verdict(r#"{"bad":"digest-mismatch"}"#)),
        r#"echo '{"id":'$id',"unsupported":"no"}'"#,
    );
    let arguments = ["--case", POSITIVE, "--sut", "./shim"];
    let (code, _, err) = run(dir.path(), &arguments);
    assert_eq!(code, 1, "{err}");
    let outcome = outcomes(&dir.path().join("out")).into_values().next().unwrap();
    let reason = outcome.reason.unwrap();
    let gate = |case: &str, reason: &str| {
        let text = format!("[[known]]\ncase = '{case}'\nsut = 'shim'\noutcome = 'fail'\nreason = '{reason}'\n");
        std::fs::write(dir.path().join("known.toml"), text).unwrap();
        run(dir.path(), &[&arguments[..], &["--known", "known.toml"]].concat())
    };
    let (code, out, err) = gate(POSITIVE, &reason);
    assert_eq!(code, 0, "{out}{err}");
    let (code, _, err) = gate(POSITIVE, "something else");
    assert!(code == 1 && err.contains("the reason changed"), "{err}");
    let (code, _, err) = gate("no/such/case", &reason);
    assert!(code == 1 && err.contains("there is no such case") && err.contains("is not listed"), "{err}");
    // Another case of the corpus did not run: that is told, and no failure of its own.
    for other in [
        "mime/plain/unprotected",
        "sent-on/openssl/shim",
        "write/sent-on.shim.engine",
        ROUND_TRIP,
        "transport/line-feeds/clear-7bit",
        "transport/smtp-imap/recorded.outlook.exchange-2022",
    ] {
        let (_, out, err) = gate(other, &reason);
        assert!(out.contains(&format!("not looked at: {other} on shim: not part of this run")), "{out}");
        assert!(!err.contains(&format!("{other} on")), "{err}");
    }
    for slip in ["sent-on/opnssl/shim", "write/sent-on.shim.engin", "transport/smtp-imap/recorded.outlook.none"] {
        let (code, _, err) = gate(slip, &reason);
        assert!(code == 1 && err.contains(&format!("{slip} on shim: there is no such case")), "{err}");
    }
    std::fs::write(dir.path().join("known.toml"), "nonsense").unwrap();
    let (code, _, err) = run(dir.path(), &["--known", "known.toml"]);
    assert!(code == 2 && err.contains("known.toml"), "{err}");
}

/// Each shard looks at its part of the list, and says so of the rest.
#[test]
fn the_gate_of_a_sharded_run_fails_nothing_that_is_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let known = "[[known]]\ncase = 'CASE'\nsut = 'engine'\noutcome = 'fail'\nreason = 'x'\n";
    let write = |case: &str| std::fs::write(dir.path().join("known.toml"), known.replace("CASE", case)).unwrap();
    let shard = |shard: &str| {
        let arguments = ["--sut", "engine", "--case", POSITIVE, "--transport", "manglings", "--shard", shard];
        run(dir.path(), &[&arguments[..], &["--known", "known.toml"]].concat())
    };
    write("transport/smtp-imap/recorded.outlook.exchange-2022");
    for number in ["1/2", "2/2"] {
        let (code, out, err) = shard(number);
        assert!(code == 0 && out.contains("exchange-2022 on engine: not part of this run"), "{number}: {out}{err}");
    }
    // It passes: the shard that has it says so, and the other one that it has not.
    write("transport/line-feeds/clear-7bit");
    let (first, second) = (shard("1/2"), shard("2/2"));
    assert_eq!([first.0, second.0].iter().sum::<i32>(), 1, "{first:?} {second:?}");
    let (has, not) = if first.0 == 1 { (first, second) } else { (second, first) };
    assert!(has.2.contains("clear-7bit on engine: passes now") && not.1.contains("not part of this run"), "{has:?}");
}

/// All that a shim is known for is that it hangs: after five of these nobody knows anything of the rest.
#[test]
fn a_gate_does_not_pass_where_a_sut_was_asked_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let hello = support::HELLO.replace(r#""sha-256""#, r#""rsa","rsa-pkcs1-v1_5","sha-256""#);
    let unknown = r#"echo '{"id":'$id',"unsupported":"no"}'"#;
    custom(dir.path(), "shim", &format!("echo '{hello}'"), "exec sleep 60", unknown);
    let arguments = ["--case", "signed/clear/*", "--sut", "./shim", "--jobs", "1", "--timeout", "2"];
    // What is written down of such a run is not all that there is to know of it.
    let (code, out, err) = run(dir.path(), &[&arguments[..], &["--write-known", "known.toml"]].concat());
    assert!(code == 1 && out.contains("5 known failures, 0 passes"), "{out}{err}");
    let (code, out, err) = run(dir.path(), &[&arguments[..], &["--known", "known.toml"]].concat());
    let after = outcomes(&dir.path().join("out"));
    assert_eq!(after.values().filter(|outcome| outcome.outcome == Outcome::Hang).count(), 5, "{out}{err}");
    assert!(out.contains("--known lists 5 failures"), "{out}{err}");
    let not_asked = after.values().filter(|outcome| outcome.not_asked).count();
    assert_eq!(not_asked, after.values().filter(|outcome| outcome.outcome == Outcome::NotAvailable).count());
    let words = format!("{not_asked} cases on shim, ");
    assert!(not_asked > 1 && code == 1 && err.contains(&words) && err.contains("not asked any more"), "{out}{err}");
    assert_eq!(err.lines().filter(|line| line.contains(" on shim")).count(), 1, "{err}");
}

/// A vendor begins with what is wrong today, and hears of everything that becomes worse.
#[test]
fn a_gate_is_written_and_holds() {
    let dir = tempfile::tempdir().unwrap();
    // The engine, but for what is changed in its answers.
    let with = |change: &str| {
        let text = format!("#!/bin/sh\n'{}' shim serve | sed -u '{change}'\n", env!("CARGO_BIN_EXE_waxseal"));
        support::executable(&dir.path().join("shim"), &text);
    };
    let arguments = ["--case", NEGATIVE, "--sut", "./shim"];
    let known = |more: &[&str]| run(dir.path(), &[&arguments[..], more].concat());
    with(r#"s/"integrity":{[^}]*}*/"integrity":"good"/"#);
    let (code, out, err) = known(&["--write-known", "known.toml"]);
    assert!(code == 0 && out.contains("known.toml: 1 known failures, 1 passes"), "{out}{err}");
    let path = dir.path().join("known.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (code, out, err) = known(&["--known", "known.toml"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        !out.contains("fail ") && out.contains("--known lists 1 failures"),
        "what is known is not told again: {out}"
    );
    // What was added by hand is not overwritten by an oversight, and stays where the failure does.
    let (code, _, err) = known(&["--write-known", "known.toml"]);
    assert!(code == 2 && err.contains("name it with --known"), "{err}");
    let (code, _, err) = known(&["--write-known", "no/such/folder/known.toml"]);
    assert!(code == 2 && err.contains("no such folder"), "{err}");
    let linked = text.replace("outcome = \"fail\"\n", "outcome = \"fail\"\nlink = \"bug-1\"\n");
    assert_ne!(linked, text);
    std::fs::write(&path, &linked).unwrap();
    let (code, out, err) = known(&["--known", "known.toml", "--write-known", "known.toml"]);
    assert!(code == 0 && std::fs::read_to_string(&path).unwrap().contains("bug-1"), "{out}{err}");
    // It fails what it passed; and it says that it cannot read what it passed.
    with(r#"s/"integrity":"good"/"integrity":{"bad":"digest-mismatch"}/"#);
    let (code, _, err) = known(&["--known", "known.toml"]);
    assert!(code == 1 && err.contains(&format!("{POSITIVE} on shim: fail now, listed as passing")), "{err}");
    with(r#"s/"rsa-pkcs1-v1_5",//"#);
    let (code, _, err) = known(&["--known", "known.toml"]);
    let lost = format!("{POSITIVE} on shim: unsupported now, listed as passing: does not know");
    assert!(code == 1 && err.contains(&lost), "{err}");
}

/// What a peer gets wrong is in the report of a shim's run, and not in its gate.
#[test]
fn the_gate_of_a_named_shim_leaves_the_peers_out() {
    let Ok(openssl) = OpenSsl::default().hello() else {
        assert!(std::env::var_os("CI").is_none(), "openssl belongs to the machine of the tests");
        println!("not tested: openssl is not on this machine");
        return;
    };
    let corpus = Corpus::embedded().unwrap();
    let wrong = |one: &waxseal_model::Disagreement| one.implementation == "openssl" && one.is_of(&openssl.version);
    let ours = |case: &&waxseal_model::Case| matches!(case.evidence, Evidence::Generated | Evidence::Mutated);
    let case = corpus.cases().iter().filter(ours).find(|case| case.disagreements.iter().any(wrong));
    let Some(case) = case else {
        println!("not tested: the corpus knows nothing that openssl {} gets wrong", openssl.version);
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let hello = support::HELLO.replace(r#""sha-256""#, r#""rsa","rsa-pkcs1-v1_5","sha-256""#);
    let open = format!("echo '{}'", verdict(r#"{"bad":"digest-mismatch"}"#));
    custom(dir.path(), "shim", &format!("echo '{hello}'"), &open, r#"echo '{"id":'$id',"unsupported":"no"}'"#);
    let gated = |known: &str| {
        std::fs::write(dir.path().join("known.toml"), known).unwrap();
        let arguments = ["--case", &case.id, "--case", POSITIVE, "--sut", "./shim", "--with-peers"];
        run(dir.path(), &[&arguments[..], &["--known", "known.toml"]].concat())
    };
    let (code, out, err) = gated("");
    let outcomes = outcomes(&dir.path().join("out"));
    assert_eq!(outcomes[&(case.id.clone(), "openssl".to_owned())].outcome, Outcome::Fail, "{out}{err}");
    assert!(code == 1 && err.contains(&format!("{POSITIVE} on shim: fail is not listed")), "{out}{err}");
    // What the corpus explains is counted, and not told again for each case.
    let told = |case: &str, sut: &str| out.contains(&format!("fail {case} on {sut}: "));
    assert!(told(POSITIVE, "shim") && !told(&case.id, "openssl"), "{out}");
    assert!(out.contains("openssl: the corpus explains 1 of 1 failures"), "{out}");
    let listed = outcomes.values().filter(|outcome| outcome.sut == "shim" && outcome.outcome == Outcome::Fail);
    let listed = listed.map(|outcome| {
        let (case, reason) = (&outcome.case, outcome.reason.as_deref().unwrap());
        format!("[[known]]\ncase = '{case}'\nsut = 'shim'\noutcome = 'fail'\nreason = '{reason}'\n")
    });
    let (code, out, err) = gated(&listed.collect::<String>());
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn the_twin_of_a_negative_case_runs_along() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, err) = run(dir.path(), &["--case", "integrity/clear/body-rsa", "--sut", "engine"]);
    assert_eq!(code, 0, "{out}{err}");
    let corpus = Corpus::embedded().unwrap();
    let twin = corpus.case("integrity/clear/body-rsa").unwrap().twin.clone().unwrap();
    assert!(outcomes(&dir.path().join("out")).contains_key(&(twin, "engine".to_owned())));
}

/// Somebody sees a cell of the matrix, and wants that one again.
#[test]
fn one_cell_of_the_matrix_runs_again() {
    let dir = tempfile::tempdir().unwrap();
    let with = |arguments: &[&str]| run(dir.path(), &[&["--sut", "engine", "--case"], arguments].concat());
    let (code, out, err) = with(&["matrix/clear.rsa.*/engine", "--keep", "kept"]);
    assert_eq!(code, 0, "{out}{err}");
    let ids: BTreeSet<String> = outcomes(&dir.path().join("out")).into_keys().map(|(case, _)| case).collect();
    let corpus = Corpus::embedded().unwrap();
    let names = corpus.matrix().scenarios().into_iter().map(|scenario| scenario.name());
    let names: Vec<String> = names.filter(|name| name.starts_with("clear.rsa.")).collect();
    assert!(names.len() > 1);
    let expected = names.iter().flat_map(|name| ["matrix", "write"].map(|what| format!("{what}/{name}/engine")));
    assert_eq!(ids, expected.collect());
    assert!(dir.path().join("kept/matrix").join(&names[0]).join("engine/engine/message").is_file());
    // A replica needs no writer, and cases can stand beside.
    let (code, out, err) = with(&["matrix/*/replica-gmail", "--case", POSITIVE]);
    assert_eq!(code, 0, "{out}{err}");
    let ids: Vec<String> = outcomes(&dir.path().join("out")).into_keys().map(|(case, _)| case).collect();
    assert!(ids.len() > 1 && ids.contains(&POSITIVE.to_owned()), "{ids:?}");
    assert!(ids.iter().filter(|id| *id != POSITIVE).all(|id| id.ends_with("/replica-gmail")), "{ids:?}");
    // Who does not take part writes nothing.
    let (code, out, err) = with(&["matrix/clear.rsa.*/openssl"]);
    assert!(code == 2 && err.contains("name its writers with --sut"), "{code} {out}{err}");
}

#[test]
fn shards_have_every_case_once_and_concatenate() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = BTreeMap::new();
    let mut all = String::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let (code, out, err) = run(
            dir.path(),
            &["--sut", "engine", "--shard", shard, "--run-id", "one", "--matrix", "none", "--transport", "none"],
        );
        assert_eq!(code, 0, "{out}{err}");
        all += &std::fs::read_to_string(dir.path().join("out/run.jsonl")).unwrap();
        for (pair, outcome) in outcomes(&dir.path().join("out")) {
            assert!(seen.insert(pair, outcome.outcome).is_none());
        }
    }
    assert_eq!(seen.len(), Corpus::embedded().unwrap().cases().len());
    let run = waxseal_reports::read_run(all.as_bytes()).unwrap();
    assert!(run.missing().is_empty(), "{:?}", run.missing());
    assert_eq!(run.outcomes().len(), seen.len());
}

/// What is written and sent for a run is divided, too: every mail once, whoever reads it.
#[test]
fn shards_divide_matrix_and_transport() {
    let dir = tempfile::tempdir().unwrap();
    let read = |text: &str| waxseal_reports::read_run(text.as_bytes()).unwrap();
    let with = |shard: &[&str]| {
        let arguments = ["--sut", "engine", "--sut", "engine-rustcrypto", "--run-id", "one", "--case", POSITIVE];
        let sent = ["--case", "matrix/clear.rsa.*/engine*", "--transport", "manglings"];
        let (code, out, err) = run(dir.path(), &[&arguments[..], &sent, shard].concat());
        assert_eq!(code, 0, "{out}{err}");
        std::fs::read_to_string(dir.path().join("out/run.jsonl")).unwrap()
    };
    let parts = ["1/2", "2/2"].map(|shard| with(&["--shard", shard]));
    for part in &parts {
        let run = read(part);
        for area in ["matrix/", "write/", "transport/"] {
            assert!(run.outcomes().iter().any(|outcome| outcome.case.starts_with(area)), "{area}");
        }
    }
    // Read together, in either order, they are the whole run: a second outcome would have been an error.
    let (whole, together, turned) = (read(&with(&[])), read(&parts.concat()), read(&[&*parts[1], &*parts[0]].concat()));
    assert!(together.missing().is_empty(), "{:?}", together.missing());
    let outcomes = |run: &waxseal_reports::Run| -> Vec<_> {
        let of = |outcome: &OutcomeRecord| (outcome.case.clone(), outcome.sut.clone(), outcome.outcome);
        run.outcomes().iter().map(of).collect()
    };
    assert_eq!(outcomes(&together), outcomes(&whole));
    assert_eq!(outcomes(&together), outcomes(&turned));
    let arrived = |run: &waxseal_reports::Run| -> BTreeSet<String> {
        run.arrivals().iter().map(|arrival| arrival.case.clone()).collect()
    };
    assert_eq!(arrived(&together), arrived(&whole));
    assert_eq!(together.arrivals().len(), whole.arrivals().len());
    let planned = |run: &waxseal_reports::Run| -> BTreeSet<(String, String)> {
        run.planned().iter().map(|one| (one.case.clone(), one.sut.clone())).collect()
    };
    assert_eq!(planned(&together), planned(&whole));
}

/// Whatever id stands in a record, it can be asked for again.
#[test]
fn a_mail_that_was_written_or_sent_on_runs_again() {
    let dir = tempfile::tempdir().unwrap();
    let with = |case: &str, more: &[&str]| {
        let (code, out, err) = run(dir.path(), &[&["--sut", "engine", "--case", case], more].concat());
        let ids = || outcomes(&dir.path().join("out")).into_keys().map(|(case, _)| case).collect::<Vec<_>>();
        (code, if code == 0 { ids() } else { vec![format!("{out}{err}")] })
    };
    let mail = ["matrix/clear.rsa.small/engine", "write/clear.rsa.small/engine"];
    let chain = ["sent-on/engine/engine", "write/sent-on.engine.engine"];
    for ids in [mail, chain] {
        for id in ids {
            assert_eq!(with(id, &[]), (0, ids.map(str::to_owned).to_vec()), "{id}");
        }
    }
    for id in ["sent-on/engine/openssl", "write/sent-on.engine.openssl", "write/clear.rsa.small/openssl"] {
        let (code, said) = with(id, &[]);
        assert!(code == 2 && said[0].contains("name its writers with --sut"), "{id}: {said:?}");
    }
    let (code, said) = with(mail[0], &["--matrix", "none"]);
    assert!(code == 2 && said[0].contains("--matrix none leaves nothing"), "{said:?}");
}

/// Somebody sees a cell of the table of transport, and wants that one again.
#[test]
fn one_cell_of_transport_runs_again() {
    let dir = tempfile::tempdir().unwrap();
    let with = |arguments: &[&str]| run(dir.path(), &[&["--sut", "engine", "--case"], arguments].concat());
    let (code, out, err) = with(&["transport/line-feeds/clear-*", "--keep", "kept"]);
    assert_eq!(code, 0, "{out}{err}");
    let ids: BTreeSet<String> = outcomes(&dir.path().join("out")).into_keys().map(|(case, _)| case).collect();
    let corpus = Corpus::embedded().unwrap();
    let letters = || corpus.transport().letter.iter().filter(|letter| letter.name.starts_with("clear-"));
    assert!(letters().count() > 1);
    // The letters stand beside what became of them.
    let expected = letters().flat_map(|one| [format!("transport/line-feeds/{}", one.name), one.case.clone()]);
    assert_eq!(ids, expected.collect());
    assert!(dir.path().join("kept/transport/line-feeds/clear-7bit/engine/message").is_file());
    let (code, _, err) = with(&["transport/line-feeds/no-letter"]);
    assert!(code == 2 && err.contains("no mail is sent by this id"), "{code} {err}");
    let (code, _, err) = with(&["transport/smtp-imap/recorded.outlook.exchange-2022", "--transport", "manglings"]);
    assert!(code == 2 && err.contains("nothing was sent"), "{code} {err}");
}

#[test]
fn a_kept_case_repeats_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, err) = run(dir.path(), &["--case", POSITIVE, "--sut", "engine", "--keep", "kept"]);
    assert_eq!(code, 0, "{out}{err}");
    let case = dir.path().join("kept").join(POSITIVE).join("engine");
    let output = Command::new(env!("CARGO_BIN_EXE_waxseal"))
        .args(["shim", "serve"])
        .stdin(std::fs::File::open(case.join("request.json")).unwrap())
        .current_dir(&case)
        .output()
        .unwrap();
    let again: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let before: serde_json::Value = serde_json::from_slice(&std::fs::read(case.join("answer.json")).unwrap()).unwrap();
    assert_eq!(again, before);
    let readme = std::fs::read_to_string(case.join("README.md")).unwrap();
    let open = readme.lines().find_map(|line| line.trim().strip_prefix("waxseal open ")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_waxseal"))
        .arg("open")
        .args(open.split_whitespace())
        .current_dir(&case)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The example of the manual passes the examination; one that believes
/// everything does not.
#[test]
fn the_example_of_the_manual_is_admitted() {
    if !waxseal_testing::runs(&["python3", "--version"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shim.py");
    assert!(std::fs::read_to_string(&example).unwrap().lines().count() <= 60);
    let test = |shim: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_waxseal")).args(["shim", "test", shim]).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, out) = test(example.to_str().unwrap());
    assert!(code == 0 && out.contains("10 of 10 accepted") && out.contains("10 of 10 refused"), "{out}");
    assert!(!out.contains("warning"), "{out}");
    let hello = support::HELLO.replace(r#""sha-256""#, r#""sha-256","rsa-pkcs1-v1_5""#);
    let (hello, good) = (format!("echo '{hello}'"), format!("echo '{}'", verdict(r#""good""#)));
    let believer = custom(dir.path(), "believer", &hello, &good, r#"echo '{"id":'$id',"unsupported":"no"}'"#);
    let (code, out) = test(believer.to_str().unwrap());
    assert!(code == 1 && out.contains("10 of 10 accepted") && out.contains("0 of 10 refused"), "{out}");
    // One that looks at the name of the directory, and not into it: every second one was good once.
    let bad = verdict(r#"{"bad":"digest-mismatch"}"#);
    for digits in ["02468", "13579"] {
        let guess = format!("case \"$dir\" in *[{digits}]) {good};; *) echo '{bad}';; esac");
        let guesser = custom(dir.path(), "guesser", &hello, &guess, r#"echo '{"id":'$id',"unsupported":"no"}'"#);
        let (code, out) = test(guesser.to_str().unwrap());
        assert!(code == 1 && !out.contains("10 of 10"), "{out}");
    }
}

/// What a shim got wrong is told with its reason and its own words, and can be asked again.
#[test]
fn what_an_examination_asked_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let hello = support::HELLO.replace(r#""sha-256""#, r#""sha-256","rsa-pkcs1-v1_5""#);
    let bad = verdict(r#"{"bad":"digest-mismatch"}"#).replacen('{', r#"{"native":"no such digest","#, 1);
    let (hello, bad) = (format!("echo '{hello}'"), format!("echo '{bad}'"));
    let refuser = custom(dir.path(), "refuser", &hello, &bad, r#"echo '{"id":'$id',"unsupported":"no"}'"#);
    let output = Command::new(env!("CARGO_BIN_EXE_waxseal"))
        .args(["shim", "test", "./refuser", "--keep", "kept"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{out}");
    let first = out.lines().find(|line| line.starts_with("wrong")).unwrap();
    for words in ["a good mail (", "integrity of signed is bad: digest-mismatch", "in its own words: no such digest"] {
        assert!(first.contains(words), "{first}");
    }
    let number = first.split_once("question ").unwrap().1.split_once(',').unwrap().0;
    let question = dir.path().join("kept/examination-refuser").join(format!("question-{number}"));
    assert!(out.contains(question.parent().unwrap().to_str().unwrap()), "{out}");
    let again = Command::new(refuser).stdin(std::fs::File::open(question.join("open.json")).unwrap()).output().unwrap();
    assert!(String::from_utf8(again.stdout).unwrap().contains("digest-mismatch"));
}

/// The engine behind a script that changes what it is asked and what it answers:
/// each operation that a shim lists is looked at, and what it declares.
#[test]
fn what_a_shim_lists_it_has_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let test = |name: &str, asked: &str, answered: &str| {
        let (path, waxseal) = (dir.path().join(name), env!("CARGO_BIN_EXE_waxseal"));
        let script = format!("#!/bin/sh\nsed -u '{asked}' | {waxseal} shim engine | sed -u '{answered}'\n");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        let output = Command::new(waxseal).args(["shim", "test"]).arg(&path).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    // Nothing is changed.
    let (code, out) = test("honest", "", "");
    assert!(code == 0 && !out.contains("warning") && !out.contains("wrong"), "{out}");
    for line in [
        "certificates: 7 of 7 good ones accepted, 7 of 7 bad ones refused",
        "wrote      sign clear.",
        "wrote      encrypt encrypted.",
        "knows      3des-cbc, ",
        "clock      settable",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    // A name that nobody knows is a warning; what is meant by it is not asked.
    let (code, out) = test("spelling", "", r#"s/"sha-384"/"SHA384"/g"#);
    assert!(code == 0 && out.contains(r#"warning    algorithms of engine: "SHA384" is no name"#), "{out}");
    assert!(out.contains("; perhaps sha-384"), "{out}");
    // Every certificate is good, or none.
    for (name, judged, line) in [
        ("believer", r#"{"chain":"good","identity":"good"}}"#, "7 of 7 good ones accepted, 0 of 7 bad ones refused"),
        (
            "denier",
            r#"{"chain":{"bad":"untrusted"},"identity":"unchecked"}}"#,
            "0 of 7 good ones accepted, 7 of 7 bad ones refused",
        ),
    ] {
        let (code, out) = test(name, "", &format!(r#"s/^\({{"id":[0-9]*,"certificate":\){{.*/\1{judged}/"#));
        assert!(code == 1 && out.contains(line), "{out}");
    }
    // It declines whatever is bad.
    let declined = r#"s/^\({"id":[0-9]*,\)"certificate":{.*"bad".*/\1"unsupported":"not this one"}/"#;
    let (code, out) = test("evader", "", declined);
    assert!(code == 1 && out.contains("7 of 7 good ones accepted, 0 of 7 bad ones refused"), "{out}");
    // It writes another thing than it was asked for, or nothing.
    let (code, out) = test("opaque", r#"s/"form":"clear"/"form":"opaque"/"#, "");
    assert!(code == 1 && out.contains("it is another thing than clear was asked for"), "{out}");
    let (code, out) = test("elsewhere", r#"s/"out":"step-1.eml"/"out":"nowhere"/"#, "");
    assert!(code == 1 && out.contains("it says that it wrote, and there is no file"), "{out}");
}

/// What an earlier run left is not taken for what this one wrote, and a pipe is not read.
#[test]
fn what_was_not_written_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let (path, changes) = (dir.path().join("writer"), dir.path().join("changes"));
    let waxseal = env!("CARGO_BIN_EXE_waxseal");
    let script = format!("#!/bin/sh\nsed -u -f {} | {waxseal} shim engine\n", changes.display());
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    let corpus = Corpus::embedded().unwrap();
    let mut names = corpus.matrix().scenarios().into_iter().map(|scenario| scenario.name());
    let name = names.find(|name| name.starts_with("clear.rsa.")).unwrap();
    let wrote = |change: &str| {
        std::fs::write(&changes, change).unwrap();
        let case = format!("matrix/{name}/writer");
        let arguments = ["--sut", path.to_str().unwrap(), "--case", &case, "--keep", "kept"];
        let (_, out, err) = run(dir.path(), &arguments);
        let outcomes = outcomes(&dir.path().join("out"));
        let writing = outcomes.get(&(format!("write/{name}/writer"), "writer".to_owned()));
        let writing = writing.unwrap_or_else(|| panic!("{out}{err}"));
        (writing.outcome, writing.reason.clone().unwrap_or_default())
    };
    assert_eq!(wrote(""), (Outcome::Pass, String::new()));
    let nowhere = r#"s/"out":"step-1.eml"/"out":"nowhere"/"#;
    let none = (Outcome::ShimError, "it says that it wrote, and there is no file".to_owned());
    assert_eq!(wrote(nowhere), none);
    let pipe = r#"/"op":"sign"/{h;s/.*"dir":"\([^"]*\)".*/mkfifo "\1\/step-1.eml"/e
g;s/"out":"step-1.eml"/"out":"nowhere"/}"#;
    let not_read = (Outcome::ShimError, "it says that it wrote, and there is a pipe and not a file".to_owned());
    assert_eq!(wrote(pipe), not_read);
}

/// What a shim says of itself must not steer the terminal of whoever reads it.
#[test]
fn what_a_shim_says_is_harmless_to_a_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let hello = support::HELLO.replace(r#""version":"1.0""#, r#""version":"\u001b]0;owned\u0007""#);
    // A shell would print the character itself, which JSON does not have.
    let hello = format!("cat <<EOF\n{}\nEOF\n", hello.replace("'$id'", "$id"));
    let unknown = r#"echo '{"id":'$id',"unsupported":"no"}'"#;
    let shim = custom(dir.path(), "steers", &hello, &format!("echo '{}'", verdict("\"good\"")), unknown);
    let (_, out, err) = run(dir.path(), &["--case", POSITIVE, "--sut", shim.to_str().unwrap()]);
    assert!(out.contains("owned"), "{out}{err}");
    assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "{out}{err}");
}

/// What the check of disputes takes for one.
#[test]
fn a_dispute_is_good_against_bad() {
    let record = |outcome: &str, aspects: &str| -> OutcomeRecord {
        let line = format!(
            r#"{{"case":"recorded/a/b","sut":"s","sut_version":"1","outcome":"{outcome}","reason_match":"none",
            "aspects":{aspects},"evidence":"recorded","knowledge":"measured","ms":1}}"#
        );
        serde_json::from_str(&line).unwrap()
    };
    let signed = |integrity: &str, chain: &str| {
        format!(r#"[{{"kind":"signed","aspects":{{"integrity":{integrity},"chain":{chain}}}}}]"#)
    };
    let (good, bad, unchecked) = (r#""good""#, r#"{"bad":"untrusted"}"#, r#""unchecked""#);
    let reference = record("pass", &signed(good, bad));
    let with = |outcome: &str, aspects: &str| disputes::dispute(&reference, &record(outcome, aspects));
    assert_eq!(with("pass", &signed(good, bad)), None);
    assert_eq!(with("fail", &signed(unchecked, bad)), None);
    assert_eq!(with("unsupported", "[]"), None);
    assert_eq!(with("fail", &signed(good, good)).unwrap(), "layer 1 chain good for bad: untrusted");
    let mismatch = r#"{"bad":"digest-mismatch"}"#;
    assert_eq!(with("fail", &signed(mismatch, bad)).unwrap(), "layer 1 integrity bad: digest-mismatch for good");
    assert_eq!(with("fail", "[]").unwrap(), "[] for [signed]");
    assert_eq!(with("crash", "[]").unwrap(), "crash");
}
