//! Files in memory, for programs that wait until each of their changes is written.

use std::ffi::OsString;
use std::path::PathBuf;

/// The variable by which the harness gives a shim a directory in memory of its
/// own, which it removes when the shim has ended; absent where there is none.
pub(crate) const VARIABLE: &str = "WAXSEAL_SHM";

/// Where Linux has files in memory, also those of shm_open(3) and sem_open(3).
pub(crate) const SHARED: &str = "/dev/shm";

/// Where this shim may have files in memory; it need not be there.
pub(crate) fn folder() -> PathBuf {
    folder_of(std::env::var_os(VARIABLE))
}

fn folder_of(given: Option<OsString>) -> PathBuf {
    given.filter(|given| !given.is_empty()).unwrap_or_else(|| SHARED.into()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_harness_gives_comes_first() {
        assert_eq!(folder_of(Some("/dev/shm/ws1".into())), PathBuf::from("/dev/shm/ws1"));
        assert_eq!(folder_of(Some(OsString::new())), PathBuf::from(SHARED));
        assert_eq!(folder_of(None), PathBuf::from(SHARED));
    }
}
