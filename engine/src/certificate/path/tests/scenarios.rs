//! Chains with one property each: what this validation says of them, and
//! whether `openssl verify` says the same.

use std::fs;
use std::path::Path;
use std::process::Command;

use waxseal_key::{Arithmetic, ProviderChoice};
use waxseal_verdict::Reason;
use waxseal_verdict::Reason as R;

use super::made::*;
use crate::Limits;
use crate::certificate::Certificate;
use crate::certificate::path::{PathRequest, PathResult, PolicyInputs, Purpose, RevocationInputs, validate};

/// What OpenSSL says of a scenario.
enum OpenSsl {
    Agrees,
    /// It says the contrary, and why that is so.
    Differs(&'static str),
}
use OpenSsl::{Agrees, Differs};

struct Scenario {
    name: &'static str,
    leaf: Made,
    candidates: Vec<Made>,
    anchors: Vec<Made>,
    purpose: Purpose,
    /// `None`: good.
    reason: Option<Reason>,
    openssl: OpenSsl,
}

/// The usual chain of root, issuing CA and person.
fn usual(name: &'static str, reason: impl Into<Option<Reason>>) -> Scenario {
    Scenario {
        name,
        leaf: leaf("person", 3, "ca", 2),
        candidates: vec![ca("ca", 2, "root", 1)],
        anchors: vec![root("root", 1)],
        purpose: Purpose::Sign,
        reason: reason.into(),
        openssl: Agrees,
    }
}

const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const ANY_PURPOSE: &str = "2.5.29.37.0";

fn scenarios() -> Vec<Scenario> {
    let usual_leaf = || leaf("person", 3, "ca", 2);
    let usual_ca = || ca("ca", 2, "root", 1);
    let damaged = |made: Made| Made { damaged: true, ..made };
    let future = |made: Made| Made { not_before: NOW + time::Duration::DAY, ..made };
    let version = |version: u8, made: Made| Made { version, extensions: Vec::new(), ..made };
    let with_leaf = |name, reason: Option<Reason>, leaf| Scenario { leaf, ..usual(name, reason) };
    let with_ca = |name, reason: Option<Reason>, ca| Scenario { candidates: vec![ca], ..usual(name, reason) };
    let with_root = |name, reason: Option<Reason>, root| Scenario { anchors: vec![root], ..usual(name, reason) };
    vec![
        usual("the usual chain", None),
        // --- who is trusted
        Scenario { candidates: vec![], ..usual("no issuer", R::NoPath) },
        Scenario {
            candidates: vec![usual_ca(), root("root", 1)],
            anchors: vec![root("other", 9)],
            ..usual("root in the mail, not among the anchors", R::Untrusted)
        },
        Scenario {
            anchors: vec![root("root", 9)],
            ..usual("an anchor of the same name with another key", R::BadSignature)
        },
        Scenario { candidates: vec![], anchors: vec![usual_ca()], ..usual("the intermediate is the anchor", None) },
        Scenario { anchors: vec![usual_leaf()], ..usual("the leaf is the anchor", None) },
        Scenario { leaf: root("self", 1), anchors: vec![root("self", 1)], ..usual("a root is no signer", R::KeyUsage) },
        Scenario {
            leaf: leaf("self", 5, "self", 5),
            anchors: vec![leaf("self", 5, "self", 5)],
            ..usual("a self-signed leaf that is the anchor", None)
        },
        Scenario { leaf: leaf("self", 5, "self", 5), ..usual("a self-signed leaf that is not", R::Untrusted) },
        Scenario {
            leaf: leaf("victim", 6, "person", 3),
            candidates: vec![],
            anchors: vec![usual_leaf()],
            ..usual("a person who is an anchor vouches for nobody else", R::NotACa)
        },
        // --- signatures
        with_leaf("leaf altered", Some(R::BadSignature), damaged(usual_leaf())),
        with_ca("intermediate altered", Some(R::BadSignature), damaged(usual_ca())),
        with_root("root altered", None, damaged(root("root", 1))),
        // --- validity
        with_leaf("leaf expired", Some(R::Expired), usual_leaf().expired()),
        with_ca("intermediate expired", Some(R::Expired), usual_ca().expired()),
        with_root("root expired", Some(R::Expired), root("root", 1).expired()),
        with_leaf("leaf of tomorrow", Some(R::NotYetValid), future(usual_leaf())),
        with_ca("intermediate of tomorrow", Some(R::NotYetValid), future(usual_ca())),
        Scenario {
            candidates: vec![usual_ca().expired(), usual_ca().serial(99)],
            ..usual("an expired and a valid certificate of the same issuer", None)
        },
        // --- several candidates
        Scenario {
            leaf: usual_leaf().with(authority_key(b"right")),
            candidates: vec![
                ca("ca", 7, "root", 1).with(subject_key(b"wrong")),
                usual_ca().with(subject_key(b"right")).serial(98),
            ],
            ..usual("two issuers of one name, told apart by key identifier", None)
        },
        Scenario {
            candidates: vec![ca("ca", 7, "root", 1), usual_ca().serial(97)],
            openssl: Differs("takes the first issuer by name and does not try the second"),
            ..usual("two issuers of one name, told apart by the signature", None)
        },
        Scenario {
            leaf: usual_leaf().with(authority_key(b"right")),
            candidates: vec![usual_ca().with(subject_key(b"reissued"))],
            openssl: Differs(
                "takes the key identifier as a condition; RFC 5280 section 4.2.1.2 does not require that, and 6.1 does not have it",
            ),
            ..usual("a key identifier that the issuer does not have", None)
        },
        Scenario {
            candidates: vec![ca("ca", 2, "gone", 8), usual_ca().serial(96)],
            openssl: Differs("does not go back from an issuer whose own issuer is missing"),
            ..usual("cross certificates, one leads nowhere", None)
        },
        // --- authorities
        with_ca("intermediate is no CA", Some(R::NotACa), usual_ca().with(basic_constraints(false, None))),
        with_ca("intermediate without extensions", Some(R::NotACa), version(3, usual_ca())),
        with_ca("intermediate of version 1", Some(R::NotACa), version(1, usual_ca())),
        with_root("root of version 1", None, version(1, root("root", 1))),
        with_root("root without basicConstraints, with keyCertSign", None, root("root", 1).without("2.5.29.19")),
        with_root("root without extensions", Some(R::NotACa), version(3, root("root", 1))),
        with_ca(
            "intermediate must not sign certificates",
            Some(R::KeyUsage),
            usual_ca().with(key_usage(DIGITAL_SIGNATURE)),
        ),
        with_ca("path length 0, nothing between", None, usual_ca().with(basic_constraints(true, Some(0)))),
        with_root(
            "root with path length 0",
            Some(R::PathLength),
            root("root", 1).with(basic_constraints(true, Some(0))),
        ),
        Scenario { leaf: leaf("person", 3, "someone", 2), ..usual("the issuer's key under another name", R::NoPath) },
        // --- what the key is for
        with_leaf(
            "signer with keyEncipherment only",
            Some(R::KeyUsage),
            usual_leaf().with(key_usage(KEY_ENCIPHERMENT)),
        ),
        with_leaf("signer with nonRepudiation only", None, usual_leaf().with(key_usage(0x40))),
        with_leaf("signer without keyUsage", None, usual_leaf().without("2.5.29.15")),
        with_leaf("signer without extendedKeyUsage", None, usual_leaf().without("2.5.29.37")),
        with_leaf(
            "signer for servers",
            Some(R::ExtendedKeyUsage),
            usual_leaf().with(extended_key_usage(&[SERVER_AUTH])),
        ),
        Scenario {
            openssl: Differs("does not take anyExtendedKeyUsage for mail; RFC 8550 section 4.4.4 does"),
            ..with_leaf("signer for any purpose", None, usual_leaf().with(extended_key_usage(&[ANY_PURPOSE])))
        },
        with_ca(
            "intermediate for servers",
            Some(R::ExtendedKeyUsage),
            usual_ca().with(extended_key_usage(&[SERVER_AUTH])),
        ),
        with_root(
            "root for servers",
            Some(R::ExtendedKeyUsage),
            root("root", 1).with(extended_key_usage(&[SERVER_AUTH])),
        ),
        Scenario { purpose: Purpose::Encrypt, ..usual("recipient", None) },
        Scenario {
            purpose: Purpose::Encrypt,
            ..with_leaf(
                "recipient with digitalSignature only",
                Some(R::KeyUsage),
                usual_leaf().with(key_usage(DIGITAL_SIGNATURE)),
            )
        },
        Scenario {
            purpose: Purpose::Encrypt,
            openssl: Differs("wants keyEncipherment; RFC 8551 section 2.3 agrees keys on elliptic curves too"),
            ..with_leaf("recipient with keyAgreement", None, usual_leaf().with(key_usage(KEY_AGREEMENT)))
        },
        Scenario {
            purpose: Purpose::Any,
            ..with_leaf("anything goes", None, usual_leaf().with(extended_key_usage(&[SERVER_AUTH])))
        },
        // --- extensions
        with_leaf(
            "unknown critical extension",
            Some(R::UnknownCriticalExtension),
            usual_leaf().with(("1.2.3.4", true, vec![5, 0])),
        ),
        with_leaf("unknown extension", None, usual_leaf().with(("1.2.3.4", false, vec![5, 0]))),
        Scenario {
            openssl: Differs("reads policyConstraints, and without -policy_check does nothing about them"),
            ..with_ca(
                "a policy is required",
                Some(R::PolicyConstraint),
                usual_ca().with(("2.5.29.36", true, vec![0x30, 3, 0x80, 1, 0])),
            )
        },
        with_ca("address permitted", None, usual_ca().with(mail_constraint(0, "example.test"))),
        with_ca("address not permitted", Some(R::NameConstraint), usual_ca().with(mail_constraint(0, "other.test"))),
        with_root(
            "address excluded by the root",
            Some(R::NameConstraint),
            root("root", 1).with(mail_constraint(1, "person@example.test")),
        ),
        with_leaf(
            "keyUsage that cannot be read",
            Some(R::UnknownCriticalExtension),
            usual_leaf().with(("2.5.29.15", true, vec![5, 0])),
        ),
        Scenario {
            leaf: leaf("person", 3, "", 2),
            candidates: vec![ca("", 2, "root", 1)],
            openssl: Differs("chains by an empty name; RFC 5280 section 4.1.2.4 wants issuers to have one"),
            ..usual("an issuer without a name", R::NoPath)
        },
    ]
}

fn judge(scenario: &Scenario) -> PathResult {
    let make = |all: &[Made]| all.iter().map(Made::make).collect::<Vec<_>>();
    validate(&PathRequest {
        leaf: &scenario.leaf.make(),
        candidates: &make(&scenario.candidates),
        anchors: &make(&scenario.anchors),
        at: NOW,
        policies: PolicyInputs::default(),
        revocation: RevocationInputs::default(),
        purpose: scenario.purpose,
        arithmetic: &Arithmetic::new(ProviderChoice::Auto),
        limits: &Limits::default(),
    })
}

#[test]
fn every_scenario_gets_its_reason() {
    for scenario in scenarios() {
        let result = judge(&scenario);
        assert_eq!(result.aspect.reason(), scenario.reason, "{}: {:?}", scenario.name, result.aspect);
        assert_eq!(result.aspect.is_good(), scenario.reason.is_none(), "{}: {:?}", scenario.name, result.aspect);
    }
}

/// RFC 5280 sections 6.1.3 and 6.1.4: what is asked of each certificate. The
/// anchor's signature and name are not (section 6.1.1 d).
#[test]
fn the_result_tells_every_check() {
    use crate::Check as C;
    let done = |result: &PathResult, position: usize| {
        let of = result.checks.iter().filter(|checked| checked.position == position).map(|checked| checked.check);
        of.collect::<std::collections::BTreeSet<_>>()
    };
    let each = [C::Validity, C::CriticalExtension, C::ExtendedKeyUsage, C::KeyUsage];
    let below = [C::CertificatePolicies, C::NameChaining, C::CertificateSignature];
    let above = [C::BasicConstraints, C::PathLength];
    let good = judge(&usual("usual", None));
    assert_eq!(done(&good, 0), each.iter().chain(&below).copied().collect());
    assert_eq!(done(&good, 1), each.iter().chain(&below).chain(&above).copied().collect());
    assert_eq!(done(&good, 2), each.iter().chain(&above).chain(&[C::Anchor]).copied().collect());
    // What is wrong with one certificate keeps no other from being looked at.
    let expired = scenarios().into_iter().find(|scenario| scenario.reason == Some(R::Expired)).unwrap();
    let expired = judge(&expired);
    assert_eq!((done(&expired, 0), done(&expired, 1)), (done(&good, 0), done(&good, 1)));
    assert!(good.checks.iter().all(|checked| checked.position < good.path.len()));
}

/// A corpus that cannot tell a broken validator from a right one proves
/// nothing: each check that is switched off lets a scenario through.
#[cfg(feature = "broken-reader")]
#[test]
fn every_check_is_missed_when_it_is_off() {
    use crate::Check;
    for check in [
        Check::CertificateSignature,
        Check::Validity,
        Check::NameChaining,
        Check::BasicConstraints,
        Check::PathLength,
        Check::NameConstraints,
        Check::KeyUsage,
        Check::ExtendedKeyUsage,
        Check::CriticalExtension,
        Check::Anchor,
    ] {
        let bad: Vec<_> = scenarios().into_iter().filter(|scenario| scenario.reason.is_some()).collect();
        Check::switch_off(Some(check));
        let let_through = bad.iter().filter(|scenario| judge(scenario).aspect.is_good()).count();
        Check::switch_off(None);
        assert!(let_through > 0, "{check:?} is off and no scenario notices");
        assert!(let_through < bad.len(), "{check:?} is off and everything passes");
    }
}

#[test]
fn openssl_verify_says_the_same() {
    if !waxseal_testing::has_openssl() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for scenario in scenarios() {
        let accepts = openssl_accepts(&scenario, folder.path());
        let same = accepts == scenario.reason.is_none();
        match scenario.openssl {
            Agrees => assert!(same, "{}: openssl accepts: {accepts}", scenario.name),
            Differs(why) => assert!(!same, "{}: openssl agrees, although it {why}", scenario.name),
        }
        compared += 1;
    }
    assert!(compared >= 50, "{compared}");
}

/// Whether `openssl verify` accepts.
fn openssl_accepts(scenario: &Scenario, folder: &Path) -> bool {
    use base64::Engine as _;
    let write = |file: &str, certificates: &[Certificate]| {
        let pem: String = certificates
            .iter()
            .map(|certificate| base64::prelude::BASE64_STANDARD.encode(certificate.der()))
            .map(|text| {
                let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
                format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
            })
            .collect();
        let path = folder.join(file);
        fs::write(&path, pem).unwrap();
        path
    };
    let make = |all: &[Made]| all.iter().map(Made::make).collect::<Vec<_>>();
    let mut command = Command::new("openssl");
    // Without -partial_chain only roots can be anchors.
    command.args(["verify", "-partial_chain", "-no-CAfile", "-no-CApath", "-no-CAstore"]);
    command.args(["-attime", &NOW.unix_timestamp().to_string()]);
    match scenario.purpose {
        Purpose::Sign => command.args(["-purpose", "smimesign"]),
        Purpose::Encrypt => command.args(["-purpose", "smimeencrypt"]),
        Purpose::TimeStamping => command.args(["-purpose", "timestampsign"]),
        Purpose::Any => command.args(["-purpose", "any"]),
    };
    command.arg("-trusted").arg(write("anchors.pem", &make(&scenario.anchors)));
    if !scenario.candidates.is_empty() {
        command.arg("-untrusted").arg(write("candidates.pem", &make(&scenario.candidates)));
    }
    let output = command.arg(write("leaf.pem", &[scenario.leaf.make()])).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || errors.contains("verification failed"), "{}: {errors}", scenario.name);
    output.status.success()
}
