//! `waxseal algorithms`: the algorithm table.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde::Serialize;
use waxseal_key::algorithm::{Era, Row, TABLE};

use super::output;
use crate::exit::{Exit, Failed, help};
use crate::shim::engine;

/// List every algorithm that has a name here: object identifier, strength,
/// what each version of S/MIME asks of it, and whether the engine reads it
///
/// It is the table that the engine itself uses. What the engine does not read
/// stands in it so that a message is described by the right name.
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
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failed> {
    let read = engine::algorithms();
    let lines: Vec<_> = TABLE.iter().map(|row| Line::of(row, &read)).collect();
    if arguments.json {
        output::print_json(&lines)?;
        return Ok(Exit::Good);
    }
    let wide = |field: fn(&Line) -> usize| lines.iter().map(field).max().unwrap_or(0);
    let (names, oids, kinds) =
        (wide(|line| line.name.len()), wide(|line| line.oid.len()), wide(|line| line.kinds[0].len()));
    let mut text = format!("  {:names$}  {:oids$}  {:kinds$}  bits", "name", "object identifier", "kind");
    text.extend(Era::ALL.iter().map(|era| format!("  {:8}", format!("S/MIME {}", era.name()))));
    text = text.trim_end().to_owned() + "\n";
    for line in &lines {
        let sign = if line.read { '+' } else { ' ' };
        let bits = line.strength_bits.map_or_else(String::new, |bits| bits.to_string());
        let mut row = format!("{sign} {:names$}  {:oids$}  {:kinds$}  {bits:>4}", line.name, line.oid, line.kinds[0]);
        row.extend(Era::ALL.iter().map(|era| format!("  {:10}", line.status.get(era.name()).unwrap_or(&""))));
        text.push_str(row.trim_end());
        text.push('\n');
    }
    let count = lines.iter().filter(|line| line.read).count();
    text.push_str(&format!("{} object identifiers; the engine reads {count} of them (+)\n", lines.len()));
    output::print(&text)?;
    Ok(Exit::Good)
}

impl Line {
    fn of(row: &Row, read: &BTreeSet<String>) -> Self {
        let status = Era::ALL.iter().map(|era| (era.name(), row.status_in(*era).name()));
        Self {
            name: row.name,
            oid: row.oid,
            kinds: std::iter::once(row.kind).chain(row.also.iter().copied()).map(|kind| kind.name()).collect(),
            strength_bits: Some(row.strength_bits).filter(|bits| *bits > 0),
            status: status.filter(|(_, status)| !status.is_empty()).collect(),
            read: read.contains(row.name),
        }
    }
}
