//! The documents: every command exists, every link leads somewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::State;
use crate::run::{output, program, root};

/// Every tracked document, with its text: a reader types what any of them shows.
fn documents(state: &State) -> Result<Vec<(String, String)>, String> {
    let documents = documents_among(&state.tracked);
    // An empty list would find no fault in anything.
    if documents.is_empty() {
        return Err("no document is tracked".to_owned());
    }
    let read = |document: String| {
        let text = std::fs::read_to_string(root().join(&document)).map_err(|error| format!("{document}: {error}"))?;
        Ok((document, text))
    };
    documents.into_iter().map(read).collect()
}

fn documents_among(tracked: &[PathBuf]) -> Vec<String> {
    let documents = tracked.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents.map(|path| path.to_string_lossy().into_owned()).collect()
}

/// Every `waxseal …` and `cargo xtask …` in a code block names a command that
/// exists, with options that its help lists.
pub(super) fn commands(state: &State) -> Result<Vec<String>, String> {
    let binary = root().join("target/release/waxseal");
    if !binary.is_file() {
        return Err("target/release/waxseal is not there: run `cargo build --release` first".to_owned());
    }
    let mut help: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut problems = Vec::new();
    for (document, text) in documents(state)? {
        for (number, line) in code_lines(&text) {
            for call in line.split('|').filter_map(Call::of_line) {
                let text = help.entry(call.command.clone()).or_insert_with(|| {
                    let mut command = program(&binary.to_string_lossy());
                    output(command.args(call.command.split_whitespace()).arg("--help")).ok()
                });
                let at = format!("{document}:{number}");
                match text {
                    None => problems.push(format!("{at}: there is no `waxseal {}`", call.command)),
                    Some(text) => problems.extend(
                        call.options
                            .iter()
                            .filter(|option| !has_option(text, option))
                            .map(|option| format!("{at}: `waxseal {}` has no {option}", call.command)),
                    ),
                }
            }
        }
        for (number, line) in code_lines(&text) {
            if let Some(rest) = line.strip_prefix("cargo xtask ") {
                let name = rest.split_whitespace().next().unwrap_or_default();
                if !crate::COMMANDS.iter().any(|command| command.name == name) {
                    problems.push(format!("{document}:{number}: there is no `cargo xtask {name}`"));
                }
            }
        }
    }
    Ok(problems)
}

/// Every relative link of a document leads to a file or folder.
pub(super) fn links(state: &State) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    for (document, text) in documents(state)? {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or_default();
            let folder = Path::new(&document).parent().unwrap_or(Path::new(""));
            if !path.is_empty() && !path.contains("://") && !root().join(folder).join(path).exists() {
                problems.push(format!("{document}: the link to {target} leads nowhere"));
            }
        }
    }
    Ok(problems)
}

/// Commands that have commands of their own.
const GROUPS: &[&str] = &["addressbook", "card", "cert", "policy", "record", "recordings", "shim", "timestamp"];

/// One call of `waxseal` as a document shows it.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    /// The command, such as `open`; empty for `waxseal` alone.
    command: String,
    options: Vec<String>,
}

impl Call {
    fn of_line(line: &str) -> Option<Self> {
        // Variables before the command, and remarks, are the shell's.
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<_> =
            line.split_whitespace().skip_while(|word| word.contains('=') && !word.starts_with('-')).collect();
        let rest = match words.as_slice() {
            ["waxseal", rest @ ..] | ["cargo", "run", "--release", "--", rest @ ..] => rest,
            ["cargo", "run", "--release"] => &[],
            _ => return None,
        };
        let is_group = rest.first().is_some_and(|word| GROUPS.contains(word));
        let command = rest.iter().take(if is_group { 2 } else { 1 }).take_while(|word| !word.starts_with('-'));
        let command = command.copied().collect::<Vec<_>>().join(" ");
        let options = rest.iter().filter(|word| word.starts_with('-') && word.len() > 1).map(|word| (*word).to_owned());
        Some(Self { command, options: options.collect() })
    }
}

fn has_option(help: &str, option: &str) -> bool {
    help.split(|c: char| c.is_whitespace() || ",[]=".contains(c)).any(|word| word == option)
}

/// The lines inside fenced blocks, and indented ones that are calls, with their numbers.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    text.lines().enumerate().filter_map(move |(number, line)| {
        if line.trim_start().starts_with("```") {
            inside = !inside;
            return None;
        }
        let indented = || line.starts_with("    ") && Call::of_line(line.trim()).is_some();
        (inside || indented()).then(|| (number + 1, line.trim().trim_start_matches("$ ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(command: &str, options: &[&str]) -> Option<Call> {
        Some(Call { command: command.to_owned(), options: options.iter().map(|option| (*option).to_owned()).collect() })
    }

    #[test]
    fn calls_are_read_from_lines() {
        assert_eq!(
            Call::of_line("waxseal open mail.eml --at 2026-01-01T00:00:00Z --json"),
            call("open", &["--at", "--json"])
        );
        assert_eq!(Call::of_line("X=1 cargo run --release -- run -o out "), call("run", &["-o"]));
        assert_eq!(Call::of_line("cargo run --release"), call("", &[]));
        assert_eq!(Call::of_line("waxseal cert path a.pem --crl b"), call("cert path", &["--crl"]));
        assert_eq!(Call::of_line("cat mail.eml"), None);
        assert_eq!(Call::of_line("waxseal open - # from standard input"), call("open", &[]));
    }

    #[test]
    fn every_document_is_looked_at() {
        let tracked = ["README.md", "docs/card.md", "docs/report.png", "harness/SHIM.md", "xtask/src/main.rs", "md"];
        let found = documents_among(&tracked.map(PathBuf::from));
        assert_eq!(found, ["README.md", "docs/card.md", "harness/SHIM.md"]);
    }

    #[test]
    fn lines_of_code_are_fenced_or_indented() {
        let text = "waxseal a\n\n    waxseal b\n    words\n```\n$ waxseal c\n```\nwaxseal d\n";
        assert_eq!(code_lines(text).collect::<Vec<_>>(), [(3, "waxseal b"), (6, "waxseal c")]);
    }

    #[test]
    fn options_are_found_in_help() {
        let help = "  -o, --output <DIR>  where\n      --case=<GLOB>";
        assert!(has_option(help, "-o") && has_option(help, "--output") && has_option(help, "--case"));
        assert!(!has_option(help, "--out"));
    }
}
