//! The help of every command, as reviewed snapshots.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::process::Command;

use waxseal_model::{Corpus, Selection};

/// The globs of cases that the help shows, in examples and in words.
fn globs(help: &str) -> Vec<&str> {
    let words: Vec<&str> = help.split_whitespace().collect();
    let after = words.windows(2).filter(|two| two[0] == "--case").map(|two| two[1].trim_matches('\''));
    let shown = words.windows(3).filter(|three| three[..2] == ["waxseal", "show"]).map(|three| three[2]);
    let such_as = words.windows(3).filter(|three| three[..2] == ["such", "as"]).map(|three| three[2]);
    let such_as = such_as.filter_map(|word| word.strip_prefix('`')?.strip_suffix('`'));
    after.chain(shown).chain(such_as).filter(|glob| glob.contains('/')).collect()
}

/// Every command that a help shows, and some that none shows.
const COMMANDS: &[&str] = &[
    "",
    "open",
    "sign",
    "encrypt",
    "compress",
    "authenticate",
    "digest",
    "certificates",
    "inspect",
    "fingerprint",
    "run",
    "exchange",
    "transport",
    "list",
    "algorithms",
    "show",
    "record",
    "record import",
    "recordings",
    "recordings fetch",
    "recordings list",
    "recordings check",
    "cert",
    "cert path",
    "cert profile",
    "addressbook",
    "addressbook show",
    "addressbook choose",
    "addressbook forget",
    "policy",
    "policy show",
    "timestamp",
    "timestamp query",
    "timestamp reply",
    "timestamp verify",
    "timestamp attach",
    "timestamp show",
    "timestamp compact",
    "card",
    "card list",
    "card show",
    "card pin",
    "card serve",
    "card explain",
    "shim",
    "shim serve",
    "shim test",
    "shim openssl",
];

fn help(command: &str) -> String {
    let mut arguments: Vec<_> = command.split_whitespace().collect();
    arguments.push("--help");
    let output = Command::new(env!("CARGO_BIN_EXE_waxseal")).args(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{command}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_help_of_every_command() {
    let corpus = Corpus::embedded().unwrap();
    let mut tried = 0;
    for command in COMMANDS {
        let name = if command.is_empty() { "waxseal".to_owned() } else { command.replace(' ', "-") };
        let help = help(command);
        // Whoever copies an example gets an answer. Mail of the matrix and of transport is made in a run.
        for glob in
            globs(&help).into_iter().filter(|glob| !glob.starts_with("matrix/") && !glob.starts_with("transport/"))
        {
            assert!(Selection::new(&[glob]).unwrap().unmatched(corpus.cases()).is_empty(), "{command}: {glob}");
            tried += 1;
        }
        insta::assert_snapshot!(format!("help-{name}"), help);
    }
    assert!(tried > 5, "{tried} globs");
}

/// A command that is new has a snapshot of its help, too.
#[test]
fn the_list_of_commands_is_whole() {
    let mut waiting = vec![String::new()];
    let mut found = 0;
    while let Some(command) = waiting.pop() {
        assert!(COMMANDS.contains(&command.as_str()), "COMMANDS has no {command:?}");
        let help = help(&command);
        let below = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        for name in below.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next()) {
            if name != "help" {
                waiting.push(format!("{command} {name}").trim_start().to_owned());
                found += 1;
            }
        }
    }
    assert!(found >= 40, "{found}");
}
