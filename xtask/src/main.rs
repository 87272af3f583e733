//! `cargo xtask`: for people who work on Waxseal.
//!
//! *Invariant of this floor:* nothing that Waxseal does for its users stands
//! here; a clone without `xtask` builds, runs and reports the same.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking"))]

mod bench;
mod built;
mod callgrind;
mod card;
mod counts;
mod deep;
mod features;
mod fuzz;
mod measure;
mod metadata;
mod operations;
mod overhead;
mod peers;
mod published;
mod record;
mod run;
mod sm2;
mod test;
mod tidy;
mod vectors;

use std::process::ExitCode;

/// The subcommands: name, arguments, what it does, and what does it.
struct Command {
    name: &'static str,
    arguments: &'static str,
    what: &'static str,
    run: fn(&[String]) -> Result<(), String>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        arguments: "[--install]",
        what: "everything CI checks; --install first installs the programs that tests talk to (Debian, as root)",
        run: test::main,
    },
    Command {
        name: "tidy",
        arguments: "",
        what: "what the compiler cannot see: the repository checks itself",
        run: tidy::main,
    },
    Command {
        name: "vectors",
        arguments: "[--check]",
        what: "makes the generated files of the corpus anew; --check only compares",
        run: vectors::main,
    },
    Command {
        name: "record",
        arguments: "PROGRAM [MAIL]…",
        what: "lets a real program write the mails of vectors/recorded/script.toml, and keeps them with their provenance",
        run: record::main,
    },
    Command {
        name: "bench",
        arguments: "[--size MIB | sm2 | card | harness] [--repeat N] [--json]",
        what: "time and peak memory of every operation, against openssl in the same run; sm2: operations of SM2, SM3 and SM4, against openssl and GmSSL; card: what a smart card adds; harness: what the harness takes for a case",
        run: bench::main,
    },
    Command {
        name: "callgrind",
        arguments: "",
        what: "counts instructions: whether decrypting tells a refused padding from others",
        run: callgrind::main,
    },
    Command {
        name: "fuzz",
        arguments: "[--minutes N] [TARGET]…",
        what: "runs the fuzz targets, keeps a minimised corpus, and logs it in docs/results/fuzz.md",
        run: fuzz::main,
    },
    Command {
        name: "deep",
        arguments: "",
        what: "what takes long: bench and many more invented inputs; writes docs/results",
        run: deep::main,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        eprint!("{}", usage());
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprint!("no command {name:?}\n\n{}", usage());
        return ExitCode::from(2);
    };
    match (command.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let mut text = "cargo xtask COMMAND\n\n".to_owned();
    for Command { name, arguments, what, .. } in COMMANDS {
        text.push_str(&format!("  {:<34} {what}\n", format!("{name} {arguments}").trim_end()));
    }
    text
}
