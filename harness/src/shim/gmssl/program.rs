//! The program `gmssl` and the small one beside it: found, started, listened to.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

/// Why a command has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Something is wrong around it.
    Shim(String),
    /// The program itself crashed.
    Crash(String),
}

impl From<String> for Trouble {
    fn from(what: String) -> Self {
        Self::Shim(what)
    }
}

impl Program {
    /// Standard error is kept up to this many octets.
    const MOST_WORDS: u64 = 64 << 10;

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
    ///
    /// There is no time limit here: the runner ends this shim with all it started.
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
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    note(dir, &name, arguments);
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Trouble::Shim(format!("{}: {error}", program.display())))?;
    let mut words = Vec::new();
    if let Some(mut stderr) = child.stderr.take() {
        let kept = (&mut stderr).take(Program::MOST_WORDS).read_to_end(&mut words);
        // The rest is read and dropped, so that the program can end.
        let _ = kept.and_then(|_| std::io::copy(&mut stderr, &mut std::io::sink()));
    }
    let status = child.wait().map_err(|error| Trouble::Shim(format!("{name} was lost: {error}")))?;
    if status.code().is_none() {
        return Err(Trouble::Crash(format!("{name} ended by {status}")));
    }
    Ok(Said::new(status.success(), &String::from_utf8_lossy(&words)))
}

/// Leaves the command in the case directory, so that a kept one repeats by hand.
fn note(dir: &Path, name: &str, arguments: &[&str]) {
    let line = format!("{name} {}\n", arguments.join(" "));
    let file = OpenOptions::new().create(true).append(true).open(dir.join("gmssl-commands.sh"));
    // A directory that cannot be written to fails at the command itself.
    let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
}
