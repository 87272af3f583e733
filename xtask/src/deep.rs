//! `cargo xtask deep`: what takes long, outside CI, with a dated result file
//! that names the commit. Figures in the README cite such a file.

use crate::counts::Counts;
use crate::peers::PEERS;
use crate::run::{cargo, lines, output, program, root};
use crate::{bench, callgrind};

/// Inputs that each property test invents; in CI it is proptest's default, 256.
const INVENTED: &str = "2048";

/// Which packages are tested, and with how many invented inputs: the properties
/// of keys make a signature for each, and keep their own numbers.
const TESTS: &[(&[&str], Option<&str>)] =
    &[(&["--workspace", "--exclude", "waxseal-key"], Some(INVENTED)), (&["--package", "waxseal-key"], None)];

pub(crate) fn main(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask deep".to_owned());
    }
    let commit = output(program("git").args(["rev-parse", "HEAD"]))?;
    let changed = !output(program("git").args(["status", "--porcelain", "--untracked-files=no"]))?.is_empty();
    let compiler = output(program("rustc").arg("--version"))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let today = time::OffsetDateTime::now_utc().date();

    let table = bench::table(100, 9)?;
    let (counts_of_padding, equal) = callgrind::table(5)?;
    let mut counts = Counts::default();
    let mut passed = true;
    for (packages, invented) in TESTS {
        let mut command = cargo();
        command.args(["test", "--release", "--no-fail-fast"]).args(*packages);
        // Mail of 1 GiB, and an object over 4 GiB.
        command.env("WAXSEAL_DEEP", "1");
        if let Some(invented) = invented {
            command.env("PROPTEST_CASES", invented);
        }
        passed &= lines(&mut command, |line| {
            counts.add_line(line);
            if line.ends_with("FAILED") {
                println!("{line}");
            }
        })?;
    }

    let mut text = format!("# Deep run of {today}\n\n");
    text.push_str(&format!("- commit: {}{}\n", commit.trim(), if changed { ", with uncommitted changes" } else { "" }));
    text.push_str(&format!("- machine: {}-{}, {cores} cores\n", std::env::consts::OS, std::env::consts::ARCH));
    text.push_str(&format!("- compiler: {}\n", compiler.trim()));
    for peer in PEERS {
        text.push_str(&format!("- {}: {}\n", peer.name, peer.version().unwrap_or_else(|| "not here".to_owned())));
    }
    text.push_str(&format!("\n## Speed and memory\n\n{table}"));
    text.push_str(&format!("\n## RSA PKCS#1 v1.5: what a refused padding costs\n\n{counts_of_padding}"));
    text.push_str(&format!("\n## Tests, {INVENTED} inputs for each property outside waxseal-key\n\n{counts}\n"));

    let path = root().join(format!("docs/results/{today}-deep.md"));
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, &text));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{text}\nwritten to {}", path.display());
    match (passed, equal) {
        (true, true) => Ok(()),
        (false, _) => Err("deep: tests failed".to_owned()),
        (_, false) => Err("deep: a refused padding can be told from the others".to_owned()),
    }
}
