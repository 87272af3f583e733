//! `cargo xtask vectors`: the generated files of the corpus, made anew.
//!
//! The tests of the crates that generate them compare; with `WAXSEAL_UPDATE`
//! set the same tests write first. So there is one piece of code that knows
//! what belongs into a file, and this only calls it.

use crate::run::{cargo, visible};

/// What makes which files, in the order in which they need each other.
const MAKERS: &[(&str, &[&str])] = &[
    ("vectors/schema", &["--package", "waxseal-model", "--lib", "published_schemas"]),
    ("vectors/pki and vectors/vectors.lock", &["--package", "waxseal-forge", "--test", "committed", "locked_bytes"]),
    ("vectors/schema/shim-*.json", &["--package", "waxseal", "--lib", "published_schemas_of_the_protocol"]),
    ("docs/algorithms.md", &["--package", "waxseal", "--lib", "published_table_of_algorithms"]),
];

pub(crate) fn main(arguments: &[String]) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: cargo xtask vectors [--check]".to_owned()),
    };
    for (files, maker) in MAKERS {
        println!("{files}");
        let mut command = cargo();
        command.args(["test", "--quiet", "--release"]).args(*maker);
        if !check {
            command.env("WAXSEAL_UPDATE", "1");
        }
        visible(&mut command)?;
    }
    Ok(())
}
