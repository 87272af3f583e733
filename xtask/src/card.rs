//! `cargo xtask bench card`: what a smart card adds to a signature, in process
//! and through pcscd.

use std::collections::BTreeMap;

use crate::features;
use crate::run::{cargo, output, program, root, visible};

const USAGE: &str = "usage: cargo xtask bench card [--repeat N] [--json]";

/// Milliseconds that a signature through pcscd may take beside the signature
/// itself and pcscd's own time.
const GOAL: f64 = 5.0;

pub(crate) fn main(arguments: &[String]) -> Result<(), String> {
    let (mut repeat, mut json) = (200, false);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--json" => json = true,
            "--repeat" => {
                repeat = words.next().and_then(|value| value.parse().ok()).filter(|value| *value > 0).ok_or(USAGE)?;
            }
            _ => return Err(USAGE.to_owned()),
        }
    }
    let measured = Measured::run(repeat)?;
    if json {
        println!("{}", measured.json());
    } else {
        print!("{}", measured.markdown(repeat));
    }
    Ok(())
}

/// Microseconds, by what was measured.
struct Measured(BTreeMap<String, f64>);

impl Measured {
    fn run(repeat: u32) -> Result<Self, String> {
        let example = ["--package", "waxseal", "--example", "card_speed"];
        visible(cargo().args(["build", "--quiet", "--release"]).args(example).args(features::arguments()))?;
        let mut speed = program("target/release/examples/card_speed");
        speed.current_dir(root());
        Self::read(&output(speed.arg(repeat.to_string()))?)
    }

    fn read(text: &str) -> Result<Self, String> {
        let number = |line: &str| {
            let (name, number) = line.split_once('\t')?;
            Some((name.to_owned(), number.parse().ok()?))
        };
        let lines = text.lines().map(|line| number(line).ok_or_else(|| format!("not a measurement: {line:?}")));
        lines.collect::<Result<_, _>>().map(Self)
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Milliseconds of a signature beside the one in software and the APDUs and
    /// the transaction, which pcscd takes for itself.
    fn added(&self) -> Option<f64> {
        let own = self.get("APDU through pcscd")? * self.get("commands of a signature")?;
        let rest = self.get("signature in software")? + own + self.get("transaction through pcscd")?;
        Some((self.get("signature through pcscd")? - rest) / 1e3)
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "microseconds": self.0, "added_milliseconds": self.added(), "goal": GOAL,
            "missed": self.added().is_some_and(|added| added >= GOAL),
        })
    }

    fn markdown(&self, repeat: u32) -> String {
        let mut text = format!(
            "RSA 2048 in slot 9C, PIN before every signature; medians of {repeat} rounds in turn.\n\n\
             | measured | µs | 1/s |\n|---|---:|---:|\n"
        );
        let times = self.0.iter().filter(|(name, _)| *name != "commands of a signature");
        for (name, time) in times {
            text.push_str(&format!("| {name} | {time:.2} | {:.0} |\n", 1e6 / time));
        }
        let commands = self.get("commands of a signature").unwrap_or_default();
        text.push_str(&format!("\nA signature is {commands:.0} commands and one transaction. "));
        text.push_str(&match self.added() {
            None => "pcscd was not measured: libpcsclite is not here.\n".to_owned(),
            Some(added) => format!(
                "Through pcscd it takes {added:.2} ms more than in software and than pcscd's own time for as many APDUs \
                 without an operation; the goal is under {GOAL} ms{}.\n",
                if added < GOAL { "" } else { ", and is missed" }
            ),
        });
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_card_adds() {
        let text = "commands of a signature\t4\nsignature in software\t2000\nAPDU through pcscd\t100\n\
                    transaction through pcscd\t50\nsignature through pcscd\t3450\n";
        let measured = Measured::read(text).unwrap();
        assert_eq!(measured.added(), Some(1.0));
        assert!(measured.markdown(1).contains("takes 1.00 ms more") && !measured.markdown(1).contains("missed"));
        assert!(Measured::read("commands of a signature\t4\n").unwrap().added().is_none());
        assert!(Measured::read("nothing").is_err());
    }
}
