//! Time and peak memory of a program.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::run::line;

/// How often the peak is read. The kernel keeps the maximum (`VmHWM` in
/// `/proc/PID/status`, proc(5)), so only what a program takes in its last
/// moment can be missed.
const PERIOD: Duration = Duration::from_millis(1);

/// What one run of a program took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// From start to end.
    pub(crate) time: Duration,
    /// The largest resident set, bytes; unknown where there is no `/proc`.
    pub(crate) peak: Option<u64>,
}

/// Runs a command to its end and measures it; what it prints is dropped.
///
/// # Errors
/// If it cannot be started or does not succeed: a failure has no time worth
/// comparing.
pub(crate) fn measure(command: &mut Command) -> Result<Measured, String> {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", line(command)))?;
    let mut peak = None;
    loop {
        peak = high_water(child.id()).or(peak);
        match child.try_wait() {
            Ok(None) => std::thread::sleep(PERIOD),
            Ok(Some(status)) if status.success() => return Ok(Measured { time: start.elapsed(), peak }),
            Ok(Some(status)) => return Err(format!("{}: {status}", line(command))),
            Err(error) => return Err(format!("{}: {error}", line(command))),
        }
    }
}

fn high_water(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// The middle of some values; nothing of none.
pub(crate) fn median<T: Copy + Ord>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median::<u8>(&[]), None);
        assert_eq!(median(&[3]), Some(3));
        assert_eq!(median(&[9, 1, 5]), Some(5));
        assert_eq!(median(&[4, 1, 2, 3]), Some(2));
    }

    #[test]
    fn a_failure_is_no_measurement() {
        assert!(measure(&mut Command::new("false")).is_err());
        assert!(measure(&mut Command::new("no-such-program")).is_err());
    }
}
