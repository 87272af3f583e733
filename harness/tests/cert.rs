//! `waxseal cert` as a certification authority meets it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, arguments: &[String]) -> Output {
    let command = ["cert"].into_iter().chain(arguments.iter().map(String::as_str));
    Command::new(env!("CARGO_BIN_EXE_waxseal")).args(command).current_dir(folder).output().unwrap()
}

/// Runs a command line of `cert path` in the folder of the corpus' certificates.
fn path(code: i32, line: &str) -> String {
    cert(code, &format!("path {line}"))
}

/// The same of any of the commands.
fn cert(code: i32, line: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/pki");
    let arguments: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
    let output = run(&folder, &arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(output.status.code(), Some(code), "waxseal cert {line}\n{text}");
    text
}

const AT: &str = "--at 2025-06-15T12:00:00Z";

#[test]
fn a_path_is_shown_with_what_is_wrong_with_it() {
    let alice = format!("alice.cert.pem --anchor root.cert.pem --extra intermediate.cert.pem {AT}");
    let text = path(0, &format!("{alice} --purpose email-protection --policy default --email alice@example.test"));
    assert!(text.starts_with("chain    good\nidentity good\npolicy   good\n  0  CN=Alice"), "{text}");
    assert_eq!(text.lines().count(), 6, "{text}");
    let json: serde_json::Value = serde_json::from_str(&path(0, &format!("{alice} --json"))).unwrap();
    assert_eq!((&json["chain"], json["path"].as_array().unwrap().len()), (&"good".into(), 3));
    let checks = |position: usize| json["path"][position]["checks"].as_array().unwrap().clone();
    assert!(
        checks(0).contains(&"certificate-signature".into()) && !checks(2).contains(&"certificate-signature".into())
    );
    assert!(checks(2).contains(&"anchor".into()) && !checks(0).contains(&"anchor".into()));

    let text = path(1, &format!("{alice} --email bob@example.test"));
    assert!(text.contains("identity bad: address-mismatch"), "{text}");
    let text = path(1, &format!("{alice} --explicit-policy"));
    assert!(text.contains("policy-constraint: "), "{text}");
    let text = path(1, &format!("dan-expired.cert.pem --anchor root.cert.pem --extra intermediate.cert.pem {AT}"));
    assert!(text.contains("chain    bad: expired"), "{text}");
    let kim = format!("kim-client-auth.cert.pem --anchor root-ec.cert.pem --extra intermediate-ec.cert.pem {AT}");
    path(0, &kim);
    let text = path(1, &format!("{kim} --purpose email-protection"));
    assert!(text.contains("extended-key-usage"), "{text}");
    // Without an anchor nothing is bad, only unchecked.
    let text = path(0, &format!("alice.cert.pem {AT}"));
    assert!(text.starts_with("chain    unchecked: no-anchor"), "{text}");
}

#[test]
fn wrong_use_is_2() {
    for (line, words) in [
        ("", "<LEAF>"),
        ("nothing", "nothing: No such file"),
        ("alice.key.pem", "give the certificate of this key"),
        ("alice.cert.pem --crl root.cert.pem", "root.cert.pem: no CRL found"),
        ("alice.cert.pem --policy-oid any", "2.5.29.32.0"),
        ("alice.cert.pem --at now", "2025-06-15T12:00:00Z"),
    ] {
        let text = path(2, line);
        assert!(text.contains(words), "{line}: {text}");
    }
}

#[test]
fn sm2_certificates_against_their_profile() {
    let alice = "profile alice-sm2.cert.pem alice-sm2-encrypt.cert.pem --issuer intermediate-sm2.cert.pem --pair";
    let text = cert(0, alice);
    assert!(text.starts_with("gmt0015-2023: rules that nobody has held against the text"), "{text}");
    assert!(text.contains("both together: 5 of 5 rules kept"), "{text}");
    assert!(text.contains("serial 5003, signature: ") && text.contains("serial 5004, encryption: "), "{text}");
    let json: serde_json::Value = serde_json::from_str(&cert(0, &format!("{alice} --json"))).unwrap();
    assert_eq!((&json["profile"], &json["confirmed"]), (&"gmt0015-2023".into(), &false.into()));
    assert_eq!(json["pair"].as_array().unwrap().len(), 5);
    let rule = |json: &serde_json::Value, id: &str| {
        let rules = json["certificates"][0]["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["id"] == id).unwrap_or_else(|| panic!("no rule {id}")).clone()
    };
    let id = rule(&json, "signature-id");
    assert_eq!((&id["outcome"], &id["level"], &id["confirmed"]), (&"kept".into(), &"must".into(), &false.into()));

    let oid = "profile alice-sm2-oid.cert.pem --issuer intermediate-sm2.cert.pem";
    cert(0, oid);
    let text = cert(1, &format!("{oid} --profile gmt0015-2012"));
    assert!(text.contains("broken key-algorithm (must;") && text.contains("sm2 (1.2.156.10197.1.301)"), "{text}");
    let text = cert(1, "profile alice-sm2-empty-id.cert.pem --issuer intermediate-sm2.cert.pem");
    assert!(text.contains("signed under an empty identifier"), "{text}");
    let text = cert(0, "profile alice-sm2.cert.pem");
    assert!(text.contains("not checked signature-id") && text.contains("differs basic-constraints (seen;"), "{text}");
    let text = cert(1, "profile alice-sm2.cert.pem --role encryption");
    assert!(text.contains("broken key-usage-purpose"), "{text}");
    let text = cert(1, "profile alice-sm2.cert.pem bob-sm2-encrypt.cert.pem --pair");
    assert!(text.contains("broken pair-subject (should; inferred"), "{text}");
    for (line, words) in [
        ("profile", "<FILE>"),
        ("profile alice-sm2.cert.pem --pair", "--pair wants two certificates, and 1 were given"),
        ("profile alice-sm2.cert.pem --profile gmt0015", "gmt0015-2012"),
    ] {
        let text = cert(2, line);
        assert!(text.contains(words), "{line}: {text}");
    }
    // Chains of SM2, and chains that mix it with RSA (openssl and Bouncy Castle verify the same).
    let sm2 = format!("--anchor root-sm2.cert.pem --extra intermediate-sm2.cert.pem {AT} --purpose email-protection");
    for (leaf, code, words) in [
        ("alice-sm2", 0, "chain    good"),
        ("alice-sm2-encrypt", 0, "chain    good"),
        ("bob-sm2-oid", 0, "chain    good"),
        ("alice-rsa-below-sm2", 0, "chain    good"),
        ("alice-sm2-forged", 1, "chain    bad: bad-signature"),
        ("alice-sm2-empty-id", 1, "chain    bad: bad-signature"),
        ("alice-sm2-unknown", 1, "chain    bad: no-path"),
    ] {
        let text = path(code, &format!("{leaf}.cert.pem {sm2}"));
        assert!(text.starts_with(words), "{leaf}: {text}");
    }
    let rsa = format!("--anchor root.cert.pem --extra intermediate.cert.pem {AT}");
    path(0, &format!("alice-sm2-below-rsa.cert.pem {rsa}"));
    let text = path(0, &format!("alice-sm2.cert.pem {sm2} --provider aws-lc"));
    assert!(text.starts_with("chain    unchecked: unsupported-algorithm"), "{text}");
}

#[derive(serde::Deserialize)]
struct Case {
    number: String,
    title: String,
    certs: Vec<String>,
    crls: Vec<String>,
    should_validate: bool,
    initial_policy_set: String,
    initial_explicit_policy: bool,
    initial_policy_mapping_inhibit: bool,
    initial_inhibit_any_policy: bool,
    time: String,
}

impl Case {
    fn arguments(&self) -> Vec<String> {
        let (leaf, above) = self.certs.split_last().unwrap();
        let (anchor, between) = above.split_first().unwrap_or((leaf, &[]));
        let mut arguments = vec![format!("certs/{leaf}.crt"), format!("--anchor=certs/{anchor}.crt")];
        arguments.extend(between.iter().map(|name| format!("--extra=certs/{name}.crt")));
        arguments.extend(self.crls.iter().map(|name| format!("--crl=crls/{name}.crl")));
        arguments.push(format!("--at={}", self.time));
        let policies = self.initial_policy_set.split(',').filter_map(|name| name.strip_prefix("NIST-test-policy-"));
        arguments.extend(policies.map(|number| format!("--policy-oid=2.16.840.1.101.3.2.1.48.{number}")));
        let flags = [
            (self.initial_explicit_policy, "--explicit-policy"),
            (self.initial_policy_mapping_inhibit, "--inhibit-policy-mapping"),
            (self.initial_inhibit_any_policy, "--inhibit-any-policy"),
        ];
        arguments.extend(flags.iter().filter(|(set, _)| *set).map(|(_, flag)| (*flag).to_owned()));
        arguments
    }
}

/// All of NIST PKITS, as a person would type it.
#[test]
fn pkits() {
    let Some(folder) = waxseal_testing::shared("oracles/pkits") else { return };
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(folder.join("pkits_expected.json")).unwrap()).unwrap();
    for case in &cases {
        let output = run(&folder, &[vec!["path".to_owned()], case.arguments()].concat());
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let due = if case.should_validate { 0 } else { 1 };
        assert_eq!(output.status.code(), Some(due), "{} {}: {text}", case.number, case.title);
    }
    assert_eq!(cases.len(), 249);
}
