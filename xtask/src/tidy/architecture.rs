//! The arrows of ARCHITECTURE.md against the manifests.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use crate::metadata::{Dependency, Package};
use crate::run::root;

/// What must never be in a program that users get: only tests depend on it, and
/// the crate that runs them.
const OF_TESTS: (&str, &str) = ("waxseal-testing", "xtask");

/// Every crate uses only what its row of the table names, every row names only
/// rows above it (so that no arrow runs up), every crate has a row, and what is
/// for tests is a dependency of tests.
pub(super) fn arrows(state: &State) -> Result<Vec<String>, String> {
    let text =
        std::fs::read_to_string(root().join("ARCHITECTURE.md")).map_err(|error| format!("ARCHITECTURE.md: {error}"))?;
    let real = state.metadata.members().map(|package| {
        let house = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
        (package.name.clone(), house.map(|dependency| dependency.name.clone()).collect())
    });
    let mut problems = compare(&table(&text), &real.collect())?;
    problems.extend(state.metadata.members().filter_map(beside_the_tests));
    Ok(problems)
}

/// What a crate has of the tests' own beside its tests.
fn beside_the_tests(package: &Package) -> Option<String> {
    let (of_tests, runner) = OF_TESTS;
    let wrong = |one: &Dependency| one.name == of_tests && !one.is_of_tests();
    (package.name != runner && package.dependencies.iter().any(wrong))
        .then(|| format!("{} uses {of_tests} beside its tests: it belongs under [dev-dependencies]", package.name))
}

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn compare(table: &[(String, BTreeSet<String>)], real: &Arrows) -> Result<Vec<String>, String> {
    if table.is_empty() {
        return Err("ARCHITECTURE.md: no table that starts with | crate | uses |".to_owned());
    }
    let mut problems = Vec::new();
    let mut below = BTreeSet::new();
    for (name, uses) in table {
        for up in uses.difference(&below) {
            problems
                .push(format!("ARCHITECTURE.md: {name} uses {up}, which is no row above it: an arrow that runs up"));
        }
        below.insert(name.clone());
    }
    for (name, uses) in real {
        let Some((_, allowed)) = table.iter().find(|(row, _)| row == name) else {
            problems.push(format!("ARCHITECTURE.md: no row for the crate {name}"));
            continue;
        };
        for used in uses.difference(allowed) {
            problems.push(format!("{name} uses {used}: ARCHITECTURE.md draws no such arrow"));
        }
    }
    for (name, _) in table.iter().filter(|(name, _)| !real.contains_key(name)) {
        problems.push(format!("ARCHITECTURE.md: {name} is no crate of the workspace"));
    }
    Ok(problems)
}

/// The rows under `| crate | uses |`: name and the crates it uses, both as `code`.
fn table(text: &str) -> Vec<(String, BTreeSet<String>)> {
    text.lines()
        .skip_while(|line| !line.starts_with("| crate | uses |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| {
            let mut cells = line.split('|').skip(1).map(coded);
            Some((cells.next()?.into_iter().next()?, cells.next()?.into_iter().collect()))
        })
        .collect()
}

/// Every word between backticks.
fn coded(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "x\n| crate | uses | knows not |\n|---|---|---|\n| `a` |  | files |\n| `b` | `a` | |\n\ny";

    fn real(arrows: &[(&str, &[&str])]) -> Arrows {
        arrows
            .iter()
            .map(|(name, uses)| ((*name).to_owned(), uses.iter().map(|name| (*name).to_owned()).collect()))
            .collect()
    }

    #[test]
    fn arrows_that_are_drawn_are_allowed() {
        assert_eq!(compare(&table(TABLE), &real(&[("a", &[]), ("b", &["a"])])), Ok(Vec::new()));
    }

    #[test]
    fn what_is_for_tests_is_found_outside_of_them() {
        let package = |name: &str, kind: Option<&str>| -> Package {
            let uses = serde_json::json!([{ "name": "waxseal-testing", "path": "/testing", "kind": kind }]);
            let package = serde_json::json!({
                "id": name, "name": name, "version": "1", "dependencies": uses, "targets": [], "features": {},
            });
            serde_json::from_value(package).unwrap()
        };
        let problem = beside_the_tests(&package("a", None)).unwrap();
        assert_eq!(problem, "a uses waxseal-testing beside its tests: it belongs under [dev-dependencies]");
        assert!(beside_the_tests(&package("a", Some("build"))).is_some());
        assert_eq!(beside_the_tests(&package("a", Some("dev"))), None);
        assert_eq!(beside_the_tests(&package("xtask", None)), None);
    }

    #[test]
    fn an_arrow_that_runs_up_is_found_in_manifest_and_table() {
        let problems = compare(&table(TABLE), &real(&[("a", &["b"]), ("b", &[])])).unwrap();
        assert_eq!(problems, ["a uses b: ARCHITECTURE.md draws no such arrow"]);
        let up = TABLE.replace("| `a` |  |", "| `a` | `b` |");
        let problems = compare(&table(&up), &real(&[("a", &["b"]), ("b", &[])])).unwrap();
        assert_eq!(problems, ["ARCHITECTURE.md: a uses b, which is no row above it: an arrow that runs up"]);
    }
}
