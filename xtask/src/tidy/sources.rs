//! Rust files: nothing unfinished, nothing forgotten.

use std::path::Path;

use super::State;
use crate::run::root;

/// Code that is not done, or tests that do not run. Written in two halves, so
/// that this file is not its own finding.
const UNFINISHED: &[&str] = &[concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[", "ignore")];

/// No unfinished code and no test that is switched off.
pub(super) fn unfinished(state: &State) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    for (path, text) in state.texts().filter(|(path, _)| is_rust(path)) {
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = UNFINISHED.iter().find(|word| line.contains(*word)) {
                problems.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    Ok(problems)
}

/// Every file below a `src/` is named by a `mod` of its parent: the compiler
/// never sees one that is not, nor do its tests run.
pub(super) fn orphans(state: &State) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    for path in state.tracked.iter().filter(|path| is_rust(path) && path.iter().any(|part| part == "src")) {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let folder = path.parent().unwrap_or(Path::new(""));
        let (name, folder) = match (stem, folder.file_name().and_then(|name| name.to_str())) {
            ("lib" | "main", Some("src")) | (_, Some("bin")) => continue,
            ("mod", Some(name)) => (name, folder.parent().unwrap_or(Path::new(""))),
            _ => (stem, folder),
        };
        let named =
            parents(folder).iter().filter_map(|parent| std::fs::read_to_string(root().join(parent)).ok()).any(|text| {
                text.lines().any(|line| {
                    let line = line
                        .trim()
                        .trim_start_matches("pub(crate) ")
                        .trim_start_matches("pub(super) ")
                        .trim_start_matches("pub ");
                    line.strip_prefix("mod ").is_some_and(|rest| rest.trim_end_matches([';', '{', ' ']) == name)
                })
            });
        if !named {
            problems.push(format!("{}: no module names it", path.display()));
        }
    }
    Ok(problems)
}

/// The files that can declare a module of this folder.
fn parents(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut parents = vec![folder.join("mod.rs"), folder.join("lib.rs"), folder.join("main.rs")];
    parents.push(folder.with_extension("rs"));
    parents
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}
