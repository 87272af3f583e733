//! NIST PKITS: the sections that need no CRLs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_key::{Arithmetic, ProviderChoice};
use waxseal_verdict::{Aspect, Reason};

use crate::Limits;
use crate::certificate::path::{ANY_POLICY, PathRequest, PathResult, PolicyInputs, Purpose, validate};
use crate::certificate::{Certificate, corpora};

/// Sections that are not run: CRLs with distribution points, and delta CRLs.
const SECTIONS_OF_CRLS: [&str; 2] = ["4.14", "4.15"];

/// The arc of NIST-test-policy-1 and those after it.
const TEST_POLICIES: &str = "2.16.840.1.101.3.2.1.48";

/// Invalid only because of a CRL that this validation does not read, so that
/// the path itself is good.
const NEED_CRL: [&str; 20] = [
    "4.4.1", "4.4.2", "4.4.3", "4.4.4", "4.4.5", "4.4.6", "4.4.8", "4.4.9", "4.4.10", "4.4.11", "4.4.12", "4.4.15",
    "4.4.18", "4.4.20", "4.4.21", "4.5.2", "4.5.5", "4.5.7", "4.7.4", "4.7.5",
];

#[derive(serde::Deserialize)]
struct Case {
    number: String,
    title: String,
    certs: Vec<String>,
    should_validate: bool,
    initial_policy_set: String,
    /// Empty for none.
    user_constrained_policy_set: String,
    initial_explicit_policy: bool,
    initial_policy_mapping_inhibit: bool,
    initial_inhibit_any_policy: bool,
    time: String,
}

impl Case {
    fn section(&self) -> String {
        self.number.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
    }
}

/// Policies as PKITS names them, separated by commas.
fn policies(names: &str) -> BTreeSet<String> {
    let oid = |name: &str| match name.strip_prefix("NIST-test-policy-") {
        Some(number) => format!("{TEST_POLICIES}.{number}"),
        None => {
            assert_eq!(name, "anyPolicy");
            ANY_POLICY.to_owned()
        }
    };
    names.split(',').filter(|name| !name.is_empty()).map(oid).collect()
}

struct Pkits {
    cases: Vec<Case>,
    certificates: BTreeMap<String, Certificate>,
}

impl Pkits {
    fn load() -> Option<Self> {
        let folder = corpora::shared("oracles/pkits")?;
        let mut cases: Vec<Case> =
            serde_json::from_slice(&fs::read(folder.join("pkits_expected.json")).unwrap()).unwrap();
        cases.retain(|case| !SECTIONS_OF_CRLS.contains(&case.section().as_str()));
        let mut certificates = BTreeMap::new();
        for entry in fs::read_dir(folder.join("certs")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            certificates.insert(name, Certificate::parse(&fs::read(&path).unwrap()).unwrap());
        }
        Some(Self { cases, certificates })
    }

    fn judge(&self, case: &Case, candidates: &[Certificate]) -> PathResult {
        let of = |name: &String| self.certificates.get(name).unwrap_or_else(|| panic!("{name} is missing")).clone();
        let limits = Limits::default();
        let acceptable: Vec<_> = policies(&case.initial_policy_set).into_iter().collect();
        validate(&PathRequest {
            leaf: &of(case.certs.last().unwrap()),
            candidates,
            anchors: &[of(&case.certs[0])],
            at: OffsetDateTime::parse(&case.time, &Rfc3339).unwrap(),
            policies: PolicyInputs {
                acceptable: &acceptable,
                explicit: case.initial_explicit_policy,
                inhibit_mapping: case.initial_policy_mapping_inhibit,
                inhibit_any: case.initial_inhibit_any_policy,
            },
            purpose: Purpose::Sign,
            arithmetic: &Arithmetic::new(ProviderChoice::Auto),
            limits: &limits,
        })
    }

    /// The certificates of a case in any order, the anchor and the leaf too, as
    /// mail carries them.
    fn candidates(&self, case: &Case) -> Vec<Certificate> {
        case.certs.iter().rev().map(|name| self.certificates[name].clone()).collect()
    }
}

#[test]
fn every_case_without_crl() {
    let Some(pkits) = Pkits::load() else { return };
    let mut counted = [0; 2];
    for case in &pkits.cases {
        let result = pkits.judge(case, &pkits.candidates(case));
        let aspect = result.aspect;
        let number = case.number.as_str();
        let (group, right) = if NEED_CRL.contains(&number) {
            (1, aspect == Aspect::Good)
        } else {
            (0, aspect.is_good() == case.should_validate && aspect.is_bad() != case.should_validate)
        };
        assert!(right, "{number} {}: {aspect:?}", case.title);
        if group == 0 && case.should_validate {
            assert_eq!(result.policies, policies(&case.user_constrained_policy_set), "{number} {}", case.title);
        }
        counted[group] += 1;
    }
    assert_eq!(counted, [184, NEED_CRL.len()]);
}

/// Each invalid case is refused for the reason that its title names.
#[test]
fn reasons_are_those_of_the_titles() {
    let Some(pkits) = Pkits::load() else { return };
    for (word, reason) in [
        ("Signature Test", Reason::BadSignature),
        ("notBefore", Reason::NotYetValid),
        ("notAfter", Reason::Expired),
        ("Name Chaining", Reason::NoPath),
        ("basicConstraints", Reason::NotACa),
        ("cA False", Reason::NotACa),
        ("pathLenConstraint", Reason::PathLength),
        ("keyCertSign False", Reason::KeyUsage),
        ("nameConstraints", Reason::NameConstraint),
        ("Different Policies", Reason::PolicyConstraint),
        ("equireExplicitPolicy", Reason::PolicyConstraint),
        ("Policy Mapping", Reason::PolicyConstraint),
        ("Mapping From anyPolicy", Reason::PolicyConstraint),
        ("inhibitPolicyMapping", Reason::PolicyConstraint),
        ("inhibitAnyPolicy", Reason::PolicyConstraint),
        ("Unknown Critical Certificate", Reason::UnknownCriticalExtension),
    ] {
        let mut found = 0;
        for case in pkits.cases.iter().filter(|case| !case.should_validate && case.title.contains(word)) {
            if NEED_CRL.contains(&case.number.as_str()) {
                continue;
            }
            let result = pkits.judge(case, &pkits.candidates(case));
            assert_eq!(result.aspect.reason(), Some(reason), "{} {}: {:?}", case.number, case.title, result.aspect);
            found += 1;
        }
        assert!(found > 0, "no case says {word}");
    }
}

/// All 405 certificates as candidates: the search finds the same answer, and
/// with little work.
#[test]
fn many_candidates_change_nothing() {
    let Some(pkits) = Pkits::load() else { return };
    let everything: Vec<_> = pkits.certificates.values().cloned().collect();
    for case in &pkits.cases {
        let few = pkits.judge(case, &pkits.candidates(case));
        let many = pkits.judge(case, &everything);
        assert_eq!(few.aspect.is_good(), many.aspect.is_good(), "{} {}: {:?}", case.number, case.title, many.aspect);
        assert!(many.work <= 20, "{} {}: {} signatures", case.number, case.title, many.work);
    }
}
