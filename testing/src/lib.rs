//! What tests need beside Waxseal (programs, other people's files), and the one
//! rule for where it is not there.
//!
//! A test that returns early has passed, and what it prints is shown to nobody.
//! So it says here what it lacks. Where that has to be there, this panics: on
//! the machines of CI everything has to be, and after `cargo xtask test
//! --install` every program. Elsewhere it is a line on standard error and in
//! the file that `cargo xtask test` names, which shows it and counts the test
//! as skipped.
//!
//! *Invariant of this floor:* it knows nothing of Waxseal, and nothing but
//! tests and `xtask` uses it.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable that names the file to which a line is added for every test
/// that lacks something: the test program, the test and what it lacks, with
/// tabs between them.
pub const NOT_TESTED: &str = "WAXSEAL_NOT_TESTED";

/// The variable that says, if it is set, that all programs were installed.
pub const INSTALLED: &str = "WAXSEAL_INSTALLED";

/// The variable that says, if it is set, that this is a machine of CI.
pub const CI: &str = "CI";

/// A program, or what comes with one, is not on this machine: what depends on
/// it is not tested.
///
/// # Panics
/// On a machine of CI, and after `cargo xtask test --install`.
#[track_caller]
pub fn not_installed(what: impl Display) {
    lacking(&[CI, INSTALLED], &what);
}

/// Something that no installer brings is not on this machine, such as other
/// people's recordings: what depends on it is not tested.
///
/// # Panics
/// On a machine of CI.
#[track_caller]
pub fn not_here(what: impl Display) {
    lacking(&[CI], &what);
}

/// Whether a command of words runs and succeeds; else it is [`not_installed`].
///
/// # Panics
/// Where that does.
#[track_caller]
#[must_use]
pub fn runs(words: &[&str]) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    let runs = Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success());
    if !runs {
        not_installed(format_args!("`{}` does not run", words.join(" ")));
    }
    runs
}

/// Whether openssl runs; else it is [`not_installed`].
///
/// # Panics
/// Where that does.
#[track_caller]
#[must_use]
pub fn has_openssl() -> bool {
    runs(&["openssl", "version"])
}

/// A folder or file of other people's bytes, in `shared` beside the repository;
/// else it is [`not_here`].
///
/// # Panics
/// Where that does.
#[track_caller]
#[must_use]
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = beside(name);
    if path.exists() {
        return Some(path);
    }
    not_here(format_args!("../shared/{name} is not there"));
    None
}

/// The folders of recordings and of published examples: those that
/// `WAXSEAL_RECORDINGS` names, or those beside the repository; else they are
/// [`not_here`].
///
/// # Panics
/// Where that does.
#[track_caller]
#[must_use]
pub fn recordings() -> Option<Vec<PathBuf>> {
    let named = std::env::var_os("WAXSEAL_RECORDINGS").filter(|list| !list.is_empty());
    let folders: Vec<PathBuf> = match named {
        Some(list) => std::env::split_paths(&list).collect(),
        None => ["recordings", "oracles"].map(beside).into(),
    };
    if let Some(missing) = folders.iter().find(|folder| !folder.is_dir()) {
        not_here(format_args!(
            "{} is not there (WAXSEAL_RECORDINGS names the folders of recordings)",
            missing.display()
        ));
        return None;
    }
    Some(folders)
}

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(name)
}

#[track_caller]
fn lacking(demanding: &[&str], what: &dyn Display) {
    let is_set = |name: &&&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    decide(demanding.iter().find(is_set).copied(), std::env::var_os(NOT_TESTED), what);
}

/// Panics where somebody demands that nothing is lacking; else tells it.
#[track_caller]
#[expect(clippy::panic, reason = "it is called by tests alone, and they fail by panicking")]
fn decide(demanded_by: Option<&str>, list: Option<OsString>, what: &dyn Display) {
    if let Some(variable) = demanded_by {
        panic!("{variable} is set, but {what}");
    }
    eprintln!("not tested: {what}");
    let Some(list) = list else { return };
    // One write of one line: tests run at the same time.
    let line = format!("{}\t{}\t{what}\n", program(), std::thread::current().name().unwrap_or("main"));
    let file = std::fs::OpenOptions::new().append(true).create(true).open(&list);
    if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
        panic!("{NOT_TESTED}: {}: {error}", list.display());
    }
}

/// The name of this test program, without the hash that cargo adds.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.rsplit_once('-').map_or(name.clone(), |(name, _)| name.to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "CI is set, but `x` does not run")]
    fn what_is_demanded_has_to_be_there() {
        decide(Some(CI), None, &"`x` does not run");
    }

    #[test]
    fn what_is_lacking_is_written_down_with_the_test_that_lacks_it() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list");
        for what in ["one", "another"] {
            decide(None, Some(list.clone().into()), &what);
        }
        // The runner names the thread, unless it has only one.
        let test = std::thread::current().name().unwrap().to_owned();
        let line = |what: &str| format!("waxseal_testing\t{test}\t{what}\n");
        assert_eq!(std::fs::read_to_string(list).unwrap(), line("one") + &line("another"));
    }

    #[test]
    #[should_panic(expected = "WAXSEAL_NOT_TESTED: ")]
    fn a_list_that_cannot_be_written_is_no_silence() {
        let folder = tempfile::tempdir().unwrap();
        decide(None, Some(folder.path().into()), &"x");
    }
}
