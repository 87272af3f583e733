//! Small messages in one process, in turn with `openssl speed`: what the engine
//! costs beside the operation with the RSA key.

use std::collections::BTreeMap;
use std::path::Path;

use crate::run::{cargo, output, program, root, visible};

/// How many times as fast as the bare operation a message is to be.
const GOAL: f64 = 0.9;

/// What one operation with a key needs of a second.
const SECONDS: &str = "1";

/// Messages a second of processor time, of every round.
pub(crate) struct Operations {
    /// By operation and provider, in their order.
    messages: BTreeMap<(String, String), Vec<f64>>,
    /// The operation with a private RSA key of 2048 bits alone.
    bare: Vec<f64>,
}

impl Operations {
    /// Measures with a key and a certificate in these files.
    pub(crate) fn measure(key: &Path, certificate: &Path, repeat: usize) -> Result<Self, String> {
        let package = ["--package", "waxseal-engine", "--example", "small_messages"];
        visible(cargo().args(["build", "--quiet", "--release"]).args(package))?;
        let mut found = Self { messages: BTreeMap::new(), bare: Vec::new() };
        for round in 1..=repeat {
            let mut speed = program("openssl");
            found
                .bare
                .push(private_operations(&output(speed.args(["speed", "-mr", "-seconds", SECONDS, "rsa2048"]))?)?);
            let mut example = program("target/release/examples/small_messages");
            example.current_dir(root());
            for line in output(example.arg(key).arg(certificate).arg(SECONDS))?.lines() {
                let [what, provider, count] = line.split('\t').collect::<Vec<_>>()[..] else {
                    return Err(format!("small_messages printed {line:?}"));
                };
                let count = count.parse().map_err(|_| format!("small_messages printed {line:?}"))?;
                found.messages.entry((what.to_owned(), provider.to_owned())).or_default().push(count);
            }
            eprintln!("small messages: round {round} of {repeat}");
        }
        Ok(found)
    }

    /// What there is of every operation and provider.
    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.messages.iter().map(|((what, provider), counts)| {
            let ratios: Vec<_> = counts.iter().zip(&self.bare).map(|(own, bare)| own / bare).collect();
            let (per_second, bare) = (middle(counts), middle(&self.bare));
            Row { what, provider, per_second, bare, times: middle(&ratios) }
        })
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "\nSmall messages in one process, for each second of processor time, median of {} rounds in turn with \
             `openssl speed rsa2048`, whose operation with the private key every message needs once.\n\n\
             | operation | provider | messages | openssl, bare RSA | times | goal | under goal |\n\
             |---|---|---:|---:|---:|---:|---|\n",
            self.bare.len()
        );
        for row in self.rows() {
            let Row { what, provider, per_second, bare, times } = row;
            let missed = if times < GOAL { "time" } else { "" };
            text.push_str(&format!(
                "| {what} | {provider} | {per_second:.0} | {bare:.0} | {times:.2} | {GOAL} | {missed} |\n"
            ));
        }
        text
    }

    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let value = |row: Row<'_>| {
            serde_json::json!({
                "what": format!("small {}, {}", row.what, row.provider), "per_second": row.per_second,
                "bare_rsa_per_second": row.bare, "times": row.times, "goal": GOAL,
                "missed": if row.times < GOAL { vec!["time"] } else { Vec::new() },
            })
        };
        self.rows().map(value).collect()
    }
}

struct Row<'a> {
    what: &'a str,
    provider: &'a str,
    per_second: f64,
    bare: f64,
    times: f64,
}

/// `+F2:` and the number of the row, its bits, and the operations a second with
/// the private key and the public one.
fn private_operations(text: &str) -> Result<f64, String> {
    let found = text.lines().find_map(|line| line.strip_prefix("+F2:")?.split(':').nth(2)?.parse().ok());
    found.ok_or_else(|| format!("openssl speed printed no row of RSA: {text}"))
}

/// The middle of some numbers; 0 of none.
pub(crate) fn middle(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_of_openssl_speed() {
        let text = "version: 3.0.19\n+DTP:2048:private:rsa:1\n+F2:2:2048:3441.414141:65121.212121\n";
        assert_eq!(private_operations(text), Ok(3441.414141));
        assert!(private_operations("nothing").is_err());
    }

    #[test]
    fn the_middle() {
        assert_eq!((middle(&[]), middle(&[2.0, 9.0, 1.0]), middle(&[4.0, 1.0])), (0.0, 2.0, 1.0));
    }
}
