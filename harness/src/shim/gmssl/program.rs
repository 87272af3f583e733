//! The program `gmssl` and the small one beside it: found, started, listened to.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::program::{Run, Trouble};
use super::native::Said;

/// Names the directory of the two programs, in the place of `target/peers/gmssl/bin`.
const VARIABLE: &str = "WAXSEAL_GMSSL";

/// GmSSL reads private keys that are encrypted, and no others. Theirs are test
/// keys, and the file is in the directory of the case.
pub(super) const PASSWORD: &str = "waxseal";

/// Where the two programs are.
#[derive(Debug)]
pub(super) struct Program {
    gmssl: PathBuf,
    helper: PathBuf,
}

impl Program {
    pub(super) fn find() -> Result<Self, String> {
        place().map(|dir| Self { gmssl: dir.join("gmssl"), helper: dir.join("gmssl-helper") })
    }

    /// The version as the program states it.
    pub(super) fn version(&self) -> Result<String, String> {
        let output = Command::new(&self.gmssl).arg("version").stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{}: {error}", self.gmssl.display()))?;
        // "GmSSL 3.1.1"
        let text = String::from_utf8_lossy(&output.stdout);
        match text.trim().strip_prefix("GmSSL ") {
            Some(version) if version.starts_with("3.") => Ok(version.to_owned()),
            _ => Err(format!("gmssl states {:?}; GmSSL 3 is needed", text.trim())),
        }
    }

    /// Runs a command of `gmssl` in a directory.
    pub(super) fn gmssl(&self, dir: &Path, arguments: &[&str]) -> Result<Said, Trouble> {
        run(&self.gmssl, dir, arguments)
    }

    /// Makes of a PKCS#8 file one that GmSSL reads; `None` if it holds no SM2 key.
    pub(super) fn key(&self, dir: &Path, name: &str) -> Result<Option<String>, Trouble> {
        let out = format!("gmssl-{name}");
        let said = run(&self.helper, dir, &["key", name, PASSWORD, &out])?;
        Ok(said.success.then_some(out))
    }
}

/// The directory of the two programs: the one that the environment names, or where
/// `cargo xtask test --install` puts them, beside this program's own build.
///
/// # Errors
/// They are in neither.
pub fn place() -> Result<PathBuf, String> {
    let own = std::env::current_exe().ok();
    // target/release/waxseal, and target/release/deps/test-0123
    let beside = own.iter().flat_map(|own| own.ancestors().skip(1).take(4)).map(|dir| dir.join("peers/gmssl/bin"));
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let mut places = named.map_or_else(|| beside.collect(), |named| vec![named]).into_iter();
    places.find(|dir| dir.join("gmssl").is_file() && dir.join("gmssl-helper").is_file()).ok_or_else(|| {
        format!(
            "gmssl is not here: neither {VARIABLE} nor target/peers/gmssl/bin (cargo xtask test --install builds it)"
        )
    })
}

fn run(program: &Path, dir: &Path, arguments: &[&str]) -> Result<Said, Trouble> {
    let ran = Run::new(program, dir).args(arguments).go()?;
    Ok(Said::new(ran.success, &ran.words))
}
