//! The table of algorithms as the documents of the repository show it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use waxseal_key::algorithm::Era;
use waxseal_key::{DigestAlgorithm, ProviderChoice};

use super::{Line, PROVIDERS, lines};

/// What stands around the generated part of the README.
const MARKS: (&str, &str) = ("<!-- made by `cargo xtask vectors` -->\n", "<!-- end -->");

/// The table as a document of the repository.
fn table(lines: &[Line]) -> String {
    let mut text = "# Algorithms\n\n\
        Made by `cargo xtask vectors` from the table that the engine uses; `waxseal algorithms` prints the same. \
        *Reads*: the engine reads messages with it. The provider columns are what each provider did when it was \
        asked, as reading a message needs it.\n\n\
        | name | object identifier | kind | S/MIME 2 | 3 | 3.1 | 3.2 | 4.0 | GM/T | reads | RustCrypto | aws-lc |\n\
        |---|---|---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for line in lines {
        let status = Era::ALL.map(|era| line.status.get(era.name()).copied().unwrap_or_default()).join(" | ");
        let does = |provider: ProviderChoice| match &line.providers {
            Some(names) if names.contains(&provider.name()) => "yes",
            Some(_) => "no",
            None => "",
        };
        let [first, second] = PROVIDERS.map(does);
        let read = if line.read { "yes" } else { "" };
        let (name, oid, kind) = (line.name, line.oid, line.kinds[0]);
        text.push_str(&format!("| {name} | {oid} | {kind} | {status} | {read} | {first} | {second} |\n"));
    }
    text
}

/// What is read, a row for each kind of algorithm.
fn summary(lines: &[Line]) -> String {
    let mut text = "| kind | what the engine reads |\n|---|---|\n".to_owned();
    let mut kinds: Vec<&str> = Vec::new();
    for line in lines.iter().filter(|line| line.read) {
        if !kinds.contains(&line.kinds[0]) {
            kinds.push(line.kinds[0]);
        }
    }
    for kind in kinds {
        let names = lines.iter().filter(|line| line.read && line.kinds[0] == kind).map(|line| line.name);
        text.push_str(&format!("| {kind} | {} |\n", grouped(names)));
    }
    text
}

/// Names in their order; those that differ by a digest only become one.
fn grouped<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut order: Vec<String> = Vec::new();
    let mut digests: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in names {
        let digest = DigestAlgorithm::ALL.map(DigestAlgorithm::name).into_iter();
        let digest = digest.filter(|digest| name.contains(&format!("-{digest}"))).max_by_key(|digest| digest.len());
        let pattern = digest.map_or_else(|| name.to_owned(), |digest| name.replacen(digest, "…", 1));
        if !order.contains(&pattern) {
            order.push(pattern.clone());
        }
        let all = digests.entry(pattern).or_default();
        all.extend(digest.filter(|digest| !all.contains(digest)));
    }
    let shown = order.iter().map(|pattern| match digests[pattern].as_slice() {
        [] => pattern.clone(),
        [one] => pattern.replacen('…', one, 1),
        all => format!("{pattern} ({})", all.join(", ")),
    });
    shown.collect::<Vec<_>>().join("; ")
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// Compares a document with what it should be. `WAXSEAL_UPDATE=1` writes it anew.
fn check(name: &str, due: impl FnOnce(&str) -> String) {
    let published = std::fs::read_to_string(file(name)).unwrap_or_default();
    let due = due(&published);
    if std::env::var_os("WAXSEAL_UPDATE").is_some() && published != due {
        std::fs::write(file(name), &due).unwrap();
        return;
    }
    let differing: Vec<_> = due.lines().filter(|line| !published.lines().any(|old| old == *line)).collect();
    assert!(published == due, "{name} is out of date (`cargo xtask vectors`): {differing:#?}");
}

#[test]
fn published_table_of_algorithms_is_up_to_date() {
    let lines = lines();
    check("docs/algorithms.md", |_| table(&lines));
    check("README.md", |readme| {
        let (before, rest) = readme.split_once(MARKS.0).expect("the README has the first mark");
        let (_, after) = rest.split_once(MARKS.1).expect("the README has the second mark");
        [before, MARKS.0, &summary(&lines), MARKS.1, after].concat()
    });
}

#[test]
fn names_that_differ_by_a_digest_only_become_one() {
    let names = ["ed25519", "ecdsa-sha-1", "ecdsa-sha-512", "ecdsa-sha3-224", "x-sha-1-kdf"];
    assert_eq!(grouped(names.into_iter()), "ed25519; ecdsa-… (sha-1, sha-512, sha3-224); x-sha-1-kdf");
}
