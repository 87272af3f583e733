//! A place without a network, for programs that listen on all addresses.
//!
//! A confined program has a loopback interface and no other, an empty `/run`,
//! and process ids of its own: whatever it starts ends when it does.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Makes the place, and becomes the program.
const ENTER: &str = r#"mount -t tmpfs tmpfs /run && ip link set lo up && exec "$@""#;

/// A command that runs a program confined, as process 1 of its place (signals
/// that it does not catch do not end it). When the process that this command
/// starts is killed, everything in the place is.
#[must_use]
pub fn command(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    // Who is not root becomes it inside, where the machine allows that.
    command.args((!rustix::process::geteuid().is_root()).then_some("--map-root-user"));
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    command.args(["sh", "-c", ENTER, "sh"]).arg(program);
    command
}

/// Whether this machine can confine a program; if not, why.
///
/// # Errors
/// What `unshare`, `mount` or `ip` says.
pub fn probe() -> io::Result<()> {
    let said = command(Path::new("true")).stdin(Stdio::null()).output();
    let said = said.map_err(|error| io::Error::new(error.kind(), format!("unshare: {error}")))?;
    if said.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&said.stderr).trim().replace('\n', "; ");
    Err(io::Error::other(format!("a program cannot be confined here: {why}")))
}

/// Whether this process has no network interface but loopback.
///
/// # Errors
/// The interfaces cannot be listed.
pub fn is_confined() -> io::Result<bool> {
    // Two lines of titles, then one interface a line (proc(5)).
    let interfaces = std::fs::read_to_string("/proc/net/dev")?;
    Ok(interfaces.lines().skip(2).all(|line| line.trim_start().starts_with("lo:")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where it can be done: the place has one interface and one process, and what
    /// it leaves behind ends with it.
    #[test]
    fn a_confined_program() {
        if let Err(why) = probe() {
            return waxseal_testing::not_here(why);
        }
        let script =
            "sleep 1000 & ls /run; echo $$; tail -n +3 /proc/net/dev | cut -d: -f1; set -- /proc/[0-9]*; echo $#";
        let said = command(Path::new("sh")).args(["-c", script]).output().unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        // Itself and sleep.
        assert_eq!(text.split_whitespace().collect::<Vec<_>>(), ["1", "lo", "2"], "{text}");
    }
}
