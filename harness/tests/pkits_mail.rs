//! The 224 signed mails of NIST PKITS through `waxseal open`.
//!
//! The mails, the trust anchor and the CRLs are those of the PyPI package
//! `cryptography-vectors`; `cargo xtask test --install` fetches it. What must
//! come out is PKITS' own answer, by the title of each test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use waxseal_engine::policy::Policy;
use waxseal_verdict::{Aspect, AspectName, Layer, Reason, Verdict};

/// After the last signing time, within the validity of what is valid.
const AT: &str = "2012-01-01T00:00:00Z";

/// Tests whose mail is good although PKITS refuses the path, and why.
const GOOD_ALL_THE_SAME: &[(&str, &str)] = &[(
    "4.10.3",
    "the test accepts NIST-test-policy-1 alone; `open` asks for no policy, and the path is valid for another",
)];

/// Tests whose mails are signed with what the policy calls weak.
const WEAK: &[(&str, &str)] = &[
    ("4.1.4", "DSA with 1024 bits and SHA-1"),
    ("4.1.5", "DSA with 1024 bits and SHA-1"),
    ("4.1.6", "DSA with 1024 bits and SHA-1"),
];

/// A test of PKITS.
#[derive(serde::Deserialize)]
struct Test {
    number: String,
    title: String,
    crls: Vec<String>,
    should_validate: bool,
    initial_policy_set: String,
    initial_explicit_policy: bool,
    initial_policy_mapping_inhibit: bool,
    initial_inhibit_any_policy: bool,
}

impl Test {
    /// Whether the test asks for no more about policies than `open` does.
    fn asks_for_no_policy(&self) -> bool {
        self.initial_policy_set == "anyPolicy"
            && !self.initial_explicit_policy
            && !self.initial_policy_mapping_inhibit
            && !self.initial_inhibit_any_policy
    }

    /// The title without the number of a part, as the names of the mails spell it.
    fn name(&self) -> String {
        let title = self.title.split("Subpart").next().unwrap();
        title.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
    }
}

/// Mails whose signing time lies outside of the validity of the signer's
/// certificate, which PKITS made for these tests: nobody could sign then.
const SIGNED_OUTSIDE_VALIDITY: &[(&str, &str)] = &[
    ("4.2.2", "the certificate is valid from 2047 on"),
    ("4.2.6", "the certificate was valid until 2011"),
    ("4.2.7", "the certificate was valid until 1999"),
];

/// The tests by name; of those with parts the one that `open` comes nearest to.
fn tests(oracle: &Path) -> BTreeMap<String, Test> {
    let all: Vec<Test> = serde_json::from_slice(&fs::read(oracle).unwrap()).unwrap();
    assert_eq!(all.len(), 249);
    let mut tests: BTreeMap<String, Test> = BTreeMap::new();
    for test in all {
        let name = test.name();
        if tests.get(&name).is_none_or(|known| !known.asks_for_no_policy() && test.asks_for_no_policy()) {
            tests.insert(name, test);
        }
    }
    tests
}

/// The mails and the answers, if both are here; loud if not.
fn folders() -> Option<(PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mails = root.join("target/published/cryptography_vectors/x509/PKITS_data");
    if !mails.exists() {
        let what = "cryptography-vectors (cargo xtask test --install): the 224 mails of PKITS are not read";
        waxseal_testing::not_installed(what);
        return None;
    }
    Some((mails, waxseal_testing::shared("oracles/pkits/pkits_expected.json")?))
}

#[test]
fn every_mail_is_judged_as_pkits_says() {
    let Some((folder, oracle)) = folders() else { return };
    let tests = tests(&oracle);
    // PKITS wants of every certificate to be known as not revoked (4.4.1).
    let policy = tempfile::NamedTempFile::new().unwrap();
    let strict = Policy { require_revocation: true, ..Policy::named("default").unwrap() };
    fs::write(policy.path(), strict.to_toml()).unwrap();
    let mut mails: Vec<_> = fs::read_dir(folder.join("smime")).unwrap().map(|entry| entry.unwrap().path()).collect();
    mails.sort();
    let (mut explained, mut addresses, mut wrong) = (BTreeSet::new(), 0, Vec::new());
    for mail in &mails {
        let name = mail.file_stem().unwrap().to_str().unwrap().to_lowercase();
        let test = &tests[name.strip_prefix("signed").unwrap()];
        let verdict = open(&folder, mail, test, policy.path());
        let [layer] = verdict.layers.as_slice() else { panic!("{name}: {} layers", verdict.layers.len()) };
        let mut check = |right: bool, aspect: AspectName| {
            if !right {
                wrong.push(format!("{} {}: {aspect}: {}", test.number, test.title, layer.aspect(aspect)));
            }
        };
        for aspect in [AspectName::Structure, AspectName::Integrity, AspectName::Coverage] {
            check(layer.aspect(aspect).is_good(), aspect);
        }
        let outside = SIGNED_OUTSIDE_VALIDITY.iter().any(|(number, _)| *number == test.number);
        check(layer.time.is_bad() == outside && layer.time.is_bad() != layer.time.is_good(), AspectName::Time);
        check(right_chain(test, layer, &mut explained), AspectName::Chain);
        let weak = WEAK.iter().any(|(number, _)| *number == test.number);
        check(layer.policy.is_bad() == weak && layer.policy.is_bad() != layer.policy.is_good(), AspectName::Policy);
        // From is the address of a certificate that has one.
        addresses += usize::from(layer.identity.is_good());
        check(identity(layer), AspectName::Identity);
    }
    assert!(wrong.is_empty(), "{} of {} mails:\n{}", wrong.len(), mails.len(), wrong.join("\n"));
    assert_eq!((mails.len(), tests.len(), addresses), (224, 224, 11));
    assert_eq!(explained.len(), GOOD_ALL_THE_SAME.len(), "explanations are out of date: {explained:?}");
}

/// What `waxseal open` says.
fn open(folder: &Path, mail: &Path, test: &Test, policy: &Path) -> Verdict {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waxseal"));
    command.arg("open").arg(mail).args(["--at", AT, "--json", "--policy"]).arg(policy);
    command.arg("--anchor").arg(folder.join("certs/TrustAnchorRootCertificate.crt"));
    for crl in &test.crls {
        command.arg("--crl").arg(folder.join(format!("crls/{crl}.crl")));
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let verdict: Verdict = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}: {said}", test.title));
    assert_eq!(output.status.code(), Some(i32::from(verdict.has_bad())), "{}: {said}", test.title);
    verdict
}

fn right_chain(test: &Test, layer: &Layer, explained: &mut BTreeSet<String>) -> bool {
    if layer.chain.is_good() == test.should_validate && layer.chain.is_bad() != test.should_validate {
        return true;
    }
    let known = GOOD_ALL_THE_SAME.iter().any(|(number, _)| *number == test.number);
    if known && layer.chain.is_good() {
        explained.insert(test.number.clone());
    }
    known && layer.chain.is_good()
}

fn identity(layer: &Layer) -> bool {
    match &layer.identity {
        Aspect::Good => layer.signers[0].matched_address.is_some(),
        other => *other == Aspect::unchecked(Reason::NoAddress) && layer.signers[0].email.is_empty(),
    }
}
