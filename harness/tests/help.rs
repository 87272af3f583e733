//! The help of every command, as reviewed snapshots.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::process::Command;

#[test]
fn the_help_of_every_command() {
    for command in [
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
    ] {
        let mut arguments: Vec<_> = command.split_whitespace().collect();
        arguments.push("--help");
        let output = Command::new(env!("CARGO_BIN_EXE_waxseal")).args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let name = if command.is_empty() { "waxseal".to_owned() } else { command.replace(' ', "-") };
        insta::assert_snapshot!(format!("help-{name}"), String::from_utf8(output.stdout).unwrap());
    }
}
