//! Everything that Waxseal is built from: reasons, licences, origins.

use std::collections::{BTreeMap, BTreeSet};

use super::{State, spdx};
use crate::run::root;

/// Licences under which a package may be part of Waxseal.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

/// Every package that Cargo.lock names has a licence of the list.
pub(super) fn licences(state: &State) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    for package in state.metadata.foreign() {
        let name = format!("{} {}", package.name, package.version);
        match package.license.as_deref().map(|text| (text, spdx::satisfied(text, ALLOWED))) {
            Some((_, Some(true))) => {}
            Some((text, Some(false))) => problems.push(format!("{name}: licence {text} is not in the list")),
            Some((text, None)) => problems.push(format!("{name}: licence {text:?} cannot be read")),
            None => problems.push(format!("{name}: states no licence")),
        }
    }
    Ok(problems)
}

/// Every dependency of the workspace table has its reason beside it.
pub(super) fn reasons(_: &State) -> Result<Vec<String>, String> {
    Ok(without_reason(&manifest()?))
}

fn without_reason(manifest: &str) -> Vec<String> {
    table(manifest)
        .filter(|(_, value)| !value.contains("path = "))
        .filter(|(_, value)| value.split_once('#').is_none_or(|(_, reason)| reason.trim().is_empty()))
        .map(|(name, _)| format!("Cargo.toml: {name} has no reason beside it"))
        .collect()
}

/// Every foreign dependency of the workspace table is used by a crate, and
/// every crate takes its dependencies from the table.
pub(super) fn unused(state: &State) -> Result<Vec<String>, String> {
    let manifest = manifest()?;
    let known: BTreeMap<_, _> = table(&manifest).collect();
    let mut used = BTreeMap::new();
    for package in state.metadata.members() {
        for dependency in &package.dependencies {
            used.entry(dependency.name.as_str()).or_insert(package.name.as_str());
        }
    }
    let unused = known
        .iter()
        .filter(|(name, value)| !used.contains_key(*name) && !value.contains("path = "))
        .map(|(name, _)| format!("Cargo.toml: nothing uses {name}"));
    let unlisted = used
        .iter()
        .filter(|(name, _)| !known.contains_key(*name))
        .map(|(name, by)| format!("{by}: {name} does not come from [workspace.dependencies]"));
    Ok(unused.chain(unlisted).collect())
}

/// Every package comes from the one public registry or from this repository.
pub(super) fn origins(_: &State) -> Result<Vec<String>, String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).map_err(|error| format!("Cargo.lock: {error}"))?;
    let sources: BTreeSet<_> = lock.lines().filter(|line| line.starts_with("source = ")).collect();
    Ok(sources
        .into_iter()
        .filter(|line| !line.contains("registry+https://github.com/rust-lang/crates.io-index"))
        .map(|line| format!("Cargo.lock: {line}"))
        .collect())
}

fn manifest() -> Result<String, String> {
    std::fs::read_to_string(root().join("Cargo.toml")).map_err(|error| format!("Cargo.toml: {error}"))
}

/// Name and rest of the line of each entry of `[workspace.dependencies]`.
fn table(manifest: &str) -> impl Iterator<Item = (&str, &str)> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_reason_is_found() {
        let manifest = "[workspace.dependencies]\n# --- x\na = \"1\" # why\nb = { version = \"1\" }\nc = { path = \"c\" }\nd = \"1\" #\n[x]\ne = 1";
        assert_eq!(
            without_reason(manifest),
            ["Cargo.toml: b has no reason beside it", "Cargo.toml: d has no reason beside it"]
        );
    }
}
