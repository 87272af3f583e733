//! `cargo xtask bench harness`: what the harness itself takes for a case.

use crate::run::{cargo, output, program, root, visible};

const USAGE: &str = "usage: cargo xtask bench harness [--cases N] [--json]";

/// Milliseconds that the harness may take for a case beside the SUT.
const GOAL: f64 = 1.0;

pub(crate) fn main(arguments: &[String]) -> Result<(), String> {
    let (mut cases, mut json) = (2000, false);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--json" => json = true,
            "--cases" => {
                cases = words.next().and_then(|value| value.parse().ok()).filter(|value| *value > 0).ok_or(USAGE)?;
            }
            _ => return Err(USAGE.to_owned()),
        }
    }
    let example = ["--package", "waxseal", "--example", "overhead"];
    visible(cargo().args(["build", "--quiet", "--release"]).args(example).args(crate::features::arguments()))?;
    let mut measured = Vec::new();
    for workers in [1, 2] {
        let mut overhead = program("target/release/examples/overhead");
        overhead.current_dir(root()).args([cases.to_string(), workers.to_string()]);
        measured.push((workers, Overhead::read(&output(&mut overhead)?)?));
    }
    if json {
        let rows = measured.iter().map(|(workers, one)| {
            serde_json::json!({
                "workers": workers, "case_microseconds": one.case, "bare_microseconds": one.bare,
                "overhead_milliseconds": one.milliseconds(), "goal": GOAL, "missed": one.milliseconds() >= GOAL,
            })
        });
        println!("{}", serde_json::Value::Array(rows.collect()));
    } else {
        print!("{}", markdown(cases, &measured));
    }
    Ok(())
}

/// Microseconds of a worker.
#[derive(Debug, PartialEq)]
struct Overhead {
    case: f64,
    bare: f64,
}

impl Overhead {
    fn read(text: &str) -> Result<Self, String> {
        let find = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'));
            line.and_then(|number| number.parse().ok()).ok_or_else(|| format!("no measurement of {name:?}"))
        };
        Ok(Self { case: find("case through the harness")?, bare: find("bare line to the shim and back")? })
    }

    fn milliseconds(&self) -> f64 {
        (self.case - self.bare) / 1e3
    }
}

fn markdown(cases: u32, measured: &[(u32, Overhead)]) -> String {
    let mut text = format!(
        "{cases} cases on a shim that does nothing: directory, files, request, answer, comparison, record.\n\n\
         | workers | a case, µs of a worker | a bare line to the shim and back, µs | times | harness, ms | goal, ms |\n\
         |---:|---:|---:|---:|---:|---|\n"
    );
    for (workers, one) in measured {
        let missed = if one.milliseconds() < GOAL { "" } else { ", missed" };
        text.push_str(&format!(
            "| {workers} | {:.0} | {:.0} | {:.1} | {:.3} | under {GOAL}{missed} |\n",
            one.case,
            one.bare,
            one.case / one.bare,
            one.milliseconds()
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bare_exchange_is_not_the_harness() {
        let one = Overhead::read("case through the harness\t350.0\nbare line to the shim and back\t50.0\n").unwrap();
        assert!((one.milliseconds() - 0.3).abs() < 1e-9);
        assert!(!markdown(1, &[(1, one)]).contains("missed"));
        assert!(markdown(1, &[(1, Overhead { case: 1100.0, bare: 50.0 })]).contains("missed"));
        assert!(Overhead::read("case through the harness\tmuch\n").is_err());
    }
}
