//! Shims that misbehave, as shell scripts, and tasks to give them.

#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod card_cases;
pub(crate) mod disputes;
pub(crate) mod engine;
pub(crate) mod known;
pub(crate) mod witness;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use waxseal::sut::Sut;
use waxseal::sut::child::ShimCommand;
use waxseal::task::{CaseFiles, Task};
use waxseal_verdict::{Aspect, AspectName, Evidence, Expectation, Kind, LayerExpectation};

/// What a shim that can do everything says of itself.
pub(crate) const HELLO: &str = r#"{"id":'$id',"protocol":1,"hello":{"name":"fake","version":"1.0","operations":["open"],"algorithms":["sha-256"],"forms":["signed"],"aspects":["structure","integrity"],"clock":"settable"}}"#;

/// A verdict with this value of integrity.
pub(crate) fn verdict(integrity: &str) -> String {
    format!(
        r#"{{"id":'$id',"verdict":{{"format":1,"overall":"valid","provider":"fake","dialect":"cms","layers":[{{"path":"1/signed-data","kind":"signed","structure":"good","integrity":{integrity}}}]}}}}"#
    )
}

/// A shell script that answers hello, refuses the unknown, and does `open` for
/// the rest; `$line` is the request, `$id` its number.
pub(crate) fn script(dir: &Path, name: &str, open: &str) -> PathBuf {
    custom(dir, name, &format!("echo '{HELLO}'"), open, r#"echo '{"id":'$id',"unsupported":"no such operation"}'"#)
}

/// A shell script with its own answer to each of the three.
pub(crate) fn custom(dir: &Path, name: &str, hello: &str, open: &str, unknown: &str) -> PathBuf {
    let path = dir.join(name);
    let text = format!(
        "#!/bin/sh\nwhile read -r line; do\n\
         id=$(printf '%s' \"$line\" | sed 's/^{{\"id\":\\([0-9]*\\).*/\\1/')\n\
         dir=$(printf '%s' \"$line\" | sed 's/.*\"dir\":\"\\([^\"]*\\)\".*/\\1/')\n\
         case \"$line\" in\n\
         *'\"op\":\"hello\"'*) {hello};;\n*'\"op\":\"open\"'*) {open};;\n*) {unknown};;\nesac\ndone\n"
    );
    executable(&path, &text);
    path
}

/// A file that can be started.
pub(crate) fn executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A SUT that is such a script.
pub(crate) fn sut(script: &Path) -> Sut {
    let name = script.file_name().unwrap().to_string_lossy().into_owned();
    let arguments = vec![script.to_str().unwrap().to_owned()];
    Sut::new(name, ShimCommand { program: "/bin/sh".into(), arguments }, true)
}

/// A signed message with this value of integrity expected.
pub(crate) fn task(id: &str, integrity: Aspect) -> Task {
    let layer = LayerExpectation {
        kind: Kind::Signed,
        form: None,
        dialect: None,
        aspects: BTreeMap::from([(AspectName::Integrity, integrity)]),
        beside: BTreeMap::new(),
        deviations: Vec::new(),
    };
    Task {
        id: id.to_owned(),
        twin: None,
        evidence: Evidence::Generated,
        from: None,
        policy: None,
        algorithms: BTreeSet::new(),
        kinds: BTreeSet::from([Kind::Signed]),
        clock: time::OffsetDateTime::UNIX_EPOCH,
        fixed_clock: false,
        learns: false,
        require_revocation: false,
        private: false,
        expectation: Expectation { layers: vec![layer], ..Expectation::default() },
        accepted: Vec::new(),
        protects: None,
        readers: None,
        files: Ok(Arc::new(CaseFiles {
            message: b"From: a@example.test\r\n\r\nhi\r\n".to_vec(),
            ..CaseFiles::default()
        })),
    }
}
