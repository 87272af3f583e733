//! `cargo xtask record`: real programs write the mails of
//! `vectors/recorded/script.toml`; what they wrote is kept with its provenance.

use crate::run::{cargo, program, root, visible};

const USAGE: &str = "usage: cargo xtask record PROGRAM [MAIL]…\n\
    PROGRAM is a SUT that writes, such as thunderbird or openssl; without MAIL, everything of the script that it can";

pub(crate) fn main(arguments: &[String]) -> Result<(), String> {
    let [name, mails @ ..] = arguments else { return Err(USAGE.to_owned()) };
    if name.starts_with('-') {
        return Err(USAGE.to_owned());
    }
    // The first mail that is ever recorded has to be compiled in afterwards, too.
    let build = ["build", "--quiet", "--release", "--package", "waxseal", "--bin", "waxseal", "--example", "record"];
    visible(cargo().args(build).args(crate::features::arguments()))?;
    let vectors = root().join("vectors");
    let waxseal = root().join("target/release/waxseal");
    visible(program("target/release/examples/record").arg(vectors).arg(waxseal).arg(name).args(mails))
}
