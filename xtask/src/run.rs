//! Starting other programs, and where they start.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// The folders beside the repository that the catalogue takes its bytes from.
pub(crate) const SHARED: &[&str] = &["recordings", "oracles"];

/// The folder of recordings that stands beside the repository, if it is there.
pub(crate) fn recordings() -> Option<PathBuf> {
    shared("recordings")
}

/// A folder of other people's bytes that stands beside the repository, if it is there.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let folder = root().parent()?.join("shared").join(name);
    folder.is_dir().then_some(folder)
}

/// The cargo that runs this.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).stdin(Stdio::null());
    let folders: Vec<_> = SHARED.iter().filter_map(|name| shared(name)).collect();
    if let (false, Ok(list)) = (folders.is_empty(), std::env::join_paths(folders)) {
        command.env("WAXSEAL_RECORDINGS", list);
    }
    command
}

/// Another program, started at the root.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// A command as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// Runs a command whose output the person sees.
pub(crate) fn visible(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{}: {error}", line(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", line(command))) }
}

/// Runs a command and returns what it wrote to standard output.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{}: {error}", line(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}: {}", line(command), output.status, said.trim()));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("{}: the output is not UTF-8", line(command)))
}

/// Runs a command, hands every line of its standard output to `each`, and
/// tells whether it succeeded.
pub(crate) fn lines(command: &mut Command, mut each: impl FnMut(&str)) -> Result<bool, String> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| format!("{}: {error}", line(command)))?;
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut bytes = Vec::new();
        // A test may print anything; what is not UTF-8 is shown as well as it goes.
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            each(String::from_utf8_lossy(&bytes).trim_end());
            bytes.clear();
        }
    }
    child.wait().map(|status| status.success()).map_err(|error| format!("{}: {error}", line(command)))
}

/// The files that git tracks, relative to the root.
pub(crate) fn tracked() -> Result<Vec<PathBuf>, String> {
    let list = output(program("git").args(["ls-files", "-z"]))?;
    // A file that was just deleted is still in the index.
    Ok(list.split_terminator('\0').map(PathBuf::from).filter(|path| root().join(path).is_file()).collect())
}
