//! `cargo xtask bench sm2`: the operations of SM2, and SM3 and SM4, in turn with
//! OpenSSL and GmSSL, each for a second of processor time.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::operations::middle;
use crate::run::{cargo, output, program, root, visible};

const USAGE: &str = "usage: cargo xtask bench sm2 [--repeat N] [--json]";

/// What is measured; the unit, and whether it is not to be below the others.
const ROWS: &[(&str, &str, bool)] = &[
    ("sign", "1/s", true),
    ("verify", "1/s", true),
    ("encrypt", "1/s", true),
    ("decrypt", "1/s", true),
    // The crates are portable code, the others have assembly.
    ("sm3", "MB/s", false),
    ("sm4-cbc encrypt", "MB/s", false),
    ("sm4-cbc decrypt", "MB/s", false),
];

/// Seconds of an operation in a round.
const SECONDS: &str = "1";

/// Numbers by operation, of every round.
type Rounds = BTreeMap<String, Vec<f64>>;

pub(crate) fn main(arguments: &[String]) -> Result<(), String> {
    let (mut repeat, mut json) = (5, false);
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
    let rows = rows(repeat)?;
    if json {
        println!("{}", serde_json::Value::Array(rows.iter().map(Row::json).collect()));
    } else {
        print!("{}", markdown(&rows, repeat));
    }
    Ok(())
}

struct Row {
    what: &'static str,
    unit: &'static str,
    waxseal: f64,
    openssl: Option<f64>,
    gmssl: Option<f64>,
    goal: bool,
}

impl Row {
    /// How many times as fast Waxseal is as another.
    fn times(&self, other: Option<f64>) -> Option<f64> {
        other.map(|other| self.waxseal / other)
    }

    /// Whether it is below one of the others, where it is not to be.
    fn is_missed(&self) -> bool {
        let below = |times: Option<f64>| times.is_some_and(|times| times < 1.0);
        self.goal && (below(self.times(self.openssl)) || below(self.times(self.gmssl)))
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "what": self.what, "unit": self.unit, "waxseal": self.waxseal, "openssl": self.openssl,
            "gmssl": self.gmssl, "times_openssl": self.times(self.openssl), "times_gmssl": self.times(self.gmssl),
            "missed": self.is_missed(),
        })
    }
}

fn rows(repeat: usize) -> Result<Vec<Row>, String> {
    let example = ["--package", "waxseal-engine", "--example", "sm2_speed"];
    visible(cargo().args(["build", "--quiet", "--release"]).args(example))?;
    let gmssl = gmssl()?;
    let (mut waxseal, mut openssl, mut theirs) = (Rounds::new(), Rounds::new(), Rounds::new());
    for round in 1..=repeat {
        let mut own = program("target/release/examples/sm2_speed");
        own.current_dir(root());
        add(&mut waxseal, &output(own.arg(SECONDS))?)?;
        add_openssl(&mut openssl)?;
        if let Some(gmssl) = &gmssl {
            add(&mut theirs, &output(program(&gmssl.to_string_lossy()).arg(SECONDS))?)?;
        }
        eprintln!("sm2: round {round} of {repeat}");
    }
    let of = |rounds: &Rounds, what: &str| rounds.get(what).map(|values| middle(values));
    let row = |(what, unit, goal): &(&'static str, &'static str, bool)| {
        let own = of(&waxseal, what).ok_or_else(|| format!("sm2_speed printed no {what}"))?;
        Ok(Row { what, unit, waxseal: own, openssl: of(&openssl, what), gmssl: of(&theirs, what), goal: *goal })
    };
    ROWS.iter().map(row).collect()
}

/// Lines of name and number.
fn add(rounds: &mut Rounds, text: &str) -> Result<(), String> {
    for line in text.lines() {
        let (name, number) = line.split_once('\t').ok_or_else(|| format!("not a measurement: {line:?}"))?;
        let number = number.parse().map_err(|_| format!("not a measurement: {line:?}"))?;
        rounds.entry(name.to_owned()).or_default().push(number);
    }
    Ok(())
}

/// What `openssl speed` has: SM2 signatures, SM3 and SM4; it encrypts nothing
/// with SM2.
fn add_openssl(rounds: &mut Rounds) -> Result<(), String> {
    let speed =
        |arguments: &[&str]| output(program("openssl").args(["speed", "-mr", "-seconds", SECONDS]).args(arguments));
    let mut push = |name: &str, number: f64| rounds.entry(name.to_owned()).or_default().push(number);
    let (sign, verify) = signatures(&speed(&["sm2"])?)?;
    push("sign", sign);
    push("verify", verify);
    push("sm3", throughput(&speed(&["-bytes", "16384", "-evp", "sm3"])?)?);
    push("sm4-cbc encrypt", throughput(&speed(&["-bytes", "16384", "-evp", "sm4-cbc"])?)?);
    push("sm4-cbc decrypt", throughput(&speed(&["-bytes", "16384", "-decrypt", "-evp", "sm4-cbc"])?)?);
    Ok(())
}

/// `+F7:`: the number of the row, bits, curve, signatures and verifications a
/// second.
fn signatures(text: &str) -> Result<(f64, f64), String> {
    let row = text.lines().find_map(|line| line.strip_prefix("+F7:"));
    let mut numbers = row.into_iter().flat_map(|row| row.split(':').skip(3)).filter_map(|number| number.parse().ok());
    let found = numbers.next().zip(numbers.next());
    found.ok_or_else(|| format!("openssl speed printed no row of SM2: {text}"))
}

/// `+F:`: the number of the row, the algorithm, octets a second for each size.
fn throughput(text: &str) -> Result<f64, String> {
    let row = text.lines().find_map(|line| line.strip_prefix("+F:"));
    let last = row.and_then(|row| row.rsplit(':').next()?.parse::<f64>().ok());
    last.map(|octets| octets / 1e6).ok_or_else(|| format!("openssl speed printed no throughput: {text}"))
}

/// GmSSL's library with a program around it; nothing where it was not built.
fn gmssl() -> Result<Option<PathBuf>, String> {
    let place = root().join("target/peers/gmssl");
    let (library, include) = (place.join("build/bin/libgmssl.a"), include(&place));
    let Some(include) = include.filter(|_| library.is_file()) else {
        eprintln!("GmSSL is not there: `cargo xtask test --install` builds it");
        return Ok(None);
    };
    let built = place.join("bin/gmssl-speed");
    let code = root().join("xtask/src/sm2/gmssl_speed.c");
    let mut compile = program("cc");
    visible(compile.args(["-O2", "-I"]).arg(include).arg("-o").arg(&built).arg(code).arg(library))?;
    Ok(Some(built))
}

/// The headers, in the source of whichever version was built.
fn include(place: &std::path::Path) -> Option<PathBuf> {
    let mut folders: Vec<_> = vec![place.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.join("include/gmssl/sm2.h").is_file() {
            return Some(folder.join("include"));
        }
        let inside = std::fs::read_dir(&folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
        folders.extend(inside.filter(|path| path.is_dir() && path.file_name().is_some_and(|name| name != "build")));
    }
    None
}

fn markdown(rows: &[Row], repeat: usize) -> String {
    let mut text = format!(
        "SM2, SM3 and SM4 in one thread, for each second of processor time, median of {repeat} rounds in turn; blocks \
         of 16384 octets, MB are 10^6 octets. `times` is how many times as fast as the other one Waxseal is. \
         `openssl speed` encrypts nothing with SM2.\n\n\
         | operation | unit | waxseal | openssl | times | gmssl | times | below |\n|---|---|---:|---:|---:|---:|---:|---|\n"
    );
    let shown = |value: Option<f64>, digits: usize| value.map_or_else(String::new, |value| format!("{value:.digits$}"));
    for row in rows {
        text.push_str(&format!(
            "| {} | {} | {:.0} | {} | {} | {} | {} | {} |\n",
            row.what,
            row.unit,
            row.waxseal,
            shown(row.openssl, 0),
            shown(row.times(row.openssl), 2),
            shown(row.gmssl, 0),
            shown(row.times(row.gmssl), 2),
            if row.is_missed() { "yes" } else { "" },
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_openssl_speed() {
        let sm2 = "+DTSM2:256:sign:1\n+F7:0:256:CurveSM2:3575.700000:3529.400000\n";
        assert_eq!(signatures(sm2), Ok((3575.7, 3529.4)));
        assert_eq!(throughput("+H:16384\n+F:28:SM4-CBC:114141870.08\n"), Ok(114.141_870_08));
        assert!(signatures("nothing").is_err() && throughput("nothing").is_err());
    }

    #[test]
    fn what_is_below_the_others() {
        let row = |waxseal, openssl, gmssl, goal| Row { what: "sign", unit: "1/s", waxseal, openssl, gmssl, goal };
        assert!(!row(2.0, Some(1.0), None, true).is_missed());
        assert!(row(2.0, Some(1.0), Some(3.0), true).is_missed());
        assert!(!row(2.0, Some(3.0), Some(3.0), false).is_missed());
    }
}
