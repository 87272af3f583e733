//! `openssl verify`, as a mail program would ask it.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::Opinion;
use crate::asked::Asked;

/// The program, and a place for its files.
pub(crate) struct OpenSsl {
    folder: TempDir,
}

pub(crate) fn find() -> Option<OpenSsl> {
    waxseal_testing::has_openssl().then(|| OpenSsl { folder: tempfile::tempdir().unwrap() })
}

impl OpenSsl {
    pub(crate) fn ask(&self, asked: &Asked) -> Opinion {
        let put = |name: &str, pem: &str| fs::write(self.folder.path().join(name), pem).unwrap();
        put("leaf.pem", &asked.leaf);
        put("others.pem", &asked.others.concat());
        put("anchors.pem", &asked.anchors.concat());
        let mut command = Command::new("openssl");
        // Without -partial_chain only roots are anchors; without -policy_check critical
        // policyConstraints are passed over; and unless -policy names anyPolicy no policy is acceptable.
        command.args([
            "verify",
            "-partial_chain",
            "-policy_check",
            "-policy",
            "2.5.29.32.0",
            "-no-CAfile",
            "-no-CApath",
            "-no-CAstore",
        ]);
        command.args(["-attime", &asked.at.to_string(), "-purpose", "smimesign", "-trusted", "anchors.pem"]);
        if !asked.others.is_empty() {
            command.args(["-untrusted", "others.pem"]);
        }
        let output = command.arg("leaf.pem").current_dir(self.folder.path()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() || errors.contains("verification failed"), "{errors}");
        let first = errors.lines().find(|line| line.starts_with("error ")).unwrap_or_default();
        if output.status.success() { Ok(()) } else { Err(first.to_owned()) }
    }
}
