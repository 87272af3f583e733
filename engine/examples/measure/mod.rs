//! Measuring in one process, as `openssl speed` does.

use std::time::{Duration, Instant};

/// How often something is done in a second of processor time, as `openssl
/// speed` counts: what else the machine does is left out.
pub(crate) fn per_second(time: Duration, mut run: impl FnMut()) -> f64 {
    run();
    let (start, before, mut times) = (Instant::now(), processor_time(), 0_u32);
    while start.elapsed() < time {
        run();
        times += 1;
    }
    let taken = match (before, processor_time()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => start.elapsed(),
    };
    f64::from(times) / taken.as_secs_f64()
}

/// What this thread has computed (proc(5)), where there is a `/proc`.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
