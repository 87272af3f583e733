//! `waxseal algorithms`: the algorithm table.

mod asked;
#[cfg(test)]
mod published;

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde::Serialize;
use waxseal_key::ProviderChoice;
use waxseal_key::algorithm::{Era, Row, TABLE};

use self::asked::Asked;
use super::output;
use crate::exit::{Exit, Failed, help};
use crate::shim::engine;

/// List every algorithm that has a name here: object identifier, strength,
/// what each version of S/MIME asks of it, whether the engine reads it, and
/// which provider of arithmetic does it
///
/// It is the table that the engine itself uses. What the engine does not read
/// stands in it so that a message is described by the right name. The providers
/// are asked: each algorithm is tried once, as reading a message needs it, with
/// keys of 2048 bits and SHA-256 where nothing else is said.
#[derive(Debug, Args)]
#[command(after_help = help!("waxseal algorithms", "waxseal algorithms --json"))]
pub(super) struct Arguments {
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// One object identifier, as `--json` lists it.
#[derive(Serialize)]
struct Line {
    name: &'static str,
    oid: &'static str,
    /// First what it is first of all.
    kinds: Vec<&'static str>,
    /// Absent where it depends on something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    strength_bits: Option<u16>,
    /// By version of S/MIME; versions that do not name it are left out.
    status: BTreeMap<&'static str, &'static str>,
    /// Whether the engine reads messages with it.
    read: bool,
    /// The providers that do it; absent where nothing is computed by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    providers: Option<Vec<&'static str>>,
}

/// The providers that are asked.
const PROVIDERS: [ProviderChoice; 2] = [ProviderChoice::RustCrypto, ProviderChoice::AwsLc];

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let lines = lines();
    if arguments.json {
        output::print_json(&lines)?;
        return Ok(Exit::Good);
    }
    let wide = |field: fn(&Line) -> usize| lines.iter().map(field).max().unwrap_or(0);
    let (names, oids, kinds) =
        (wide(|line| line.name.len()), wide(|line| line.oid.len()), wide(|line| line.kinds[0].len()));
    let mut text = format!("  {:names$}  {:oids$}  {:kinds$}  bits", "name", "object identifier", "kind");
    text.extend(Era::ALL.iter().map(|era| format!("  {:10}", heading(*era))));
    text.push_str("  providers\n");
    for line in &lines {
        let sign = if line.read { '+' } else { ' ' };
        let bits = line.strength_bits.map_or_else(String::new, |bits| bits.to_string());
        let mut row = format!("{sign} {:names$}  {:oids$}  {:kinds$}  {bits:>4}", line.name, line.oid, line.kinds[0]);
        row.extend(Era::ALL.iter().map(|era| format!("  {:10}", line.status.get(era.name()).unwrap_or(&""))));
        row.push_str(&format!("  {}", line.providers.as_deref().unwrap_or_default().join(" ")));
        text.push_str(row.trim_end());
        text.push('\n');
    }
    let count = lines.iter().filter(|line| line.read).count();
    text.push_str(&format!("{} object identifiers; the engine reads {count} of them (+)\n", lines.len()));
    output::print(&text)?;
    Ok(Exit::Good)
}

/// What stands over the column of an era.
fn heading(era: Era) -> String {
    if era == Era::GmT { "GM/T".to_owned() } else { format!("S/MIME {}", era.name()) }
}

/// Every row of the table.
fn lines() -> Vec<Line> {
    let (read, asked) = (engine::algorithms(), Asked::new());
    TABLE.iter().map(|row| Line::of(row, &read, &asked)).collect()
}

impl Line {
    fn of(row: &Row, read: &BTreeSet<String>, asked: &Asked) -> Self {
        let read = read.contains(row.name);
        let does = |provider: ProviderChoice| asked.does(row, provider).map(|does| (does, provider.name()));
        let providers: Option<Vec<_>> = PROVIDERS.map(does).into_iter().collect();
        let providers = providers.filter(|_| read);
        let status = Era::ALL.iter().map(|era| (era.name(), row.status_in(*era).name()));
        Self {
            name: row.name,
            oid: row.oid,
            kinds: std::iter::once(row.kind).chain(row.also.iter().copied()).map(|kind| kind.name()).collect(),
            strength_bits: Some(row.strength_bits).filter(|bits| *bits > 0),
            status: status.filter(|(_, status)| !status.is_empty()).collect(),
            read,
            providers: providers.map(|all| all.into_iter().filter(|(does, _)| *does).map(|(_, name)| name).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_does_whatever_is_read_and_the_second_witness_what_is_known_of_it() {
        let mut asked = 0;
        for line in lines() {
            let Some(providers) = &line.providers else {
                // Compression is no arithmetic.
                assert!(!line.read || ["zlib", "rsa-kem"].contains(&line.name), "{} was asked of nobody", line.name);
                continue;
            };
            asked += 1;
            assert!(providers.contains(&"rustcrypto"), "{}: {providers:?}", line.name);
            // What its documentation says that it has, and has not.
            for (name, has) in [("sha-256", true), ("md5", false), ("aes-128-ccm", false), ("3des-cbc", false)] {
                assert!(line.name != name || providers.contains(&"aws-lc") == has, "{}: {providers:?}", line.name);
            }
        }
        assert!(asked > 80, "only {asked} were asked");
    }
}
