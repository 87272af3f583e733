//! NIST PKITS: all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_key::{Arithmetic, ProviderChoice};
use waxseal_verdict::Reason;

use crate::Limits;
use crate::certificate::path::{
    ANY_POLICY, PathRequest, PathResult, PolicyInputs, Purpose, RevocationInputs, validate,
};
use crate::certificate::{Certificate, Crl};

/// The arc of NIST-test-policy-1 and those after it.
const TEST_POLICIES: &str = "2.16.840.1.101.3.2.1.48";

#[derive(serde::Deserialize)]
struct Case {
    number: String,
    title: String,
    certs: Vec<String>,
    crls: Vec<String>,
    should_validate: bool,
    initial_policy_set: String,
    /// Empty for none.
    user_constrained_policy_set: String,
    initial_explicit_policy: bool,
    initial_policy_mapping_inhibit: bool,
    initial_inhibit_any_policy: bool,
    time: String,
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
    crls: BTreeMap<String, Crl>,
}

impl Pkits {
    fn load() -> Option<Self> {
        let folder = waxseal_testing::shared("oracles/pkits")?;
        let cases: Vec<Case> = serde_json::from_slice(&fs::read(folder.join("pkits_expected.json")).unwrap()).unwrap();
        let certificates = files(&folder.join("certs"), Certificate::parse);
        let crls = files(&folder.join("crls"), Crl::parse);
        Some(Self { cases, certificates, crls })
    }

    fn judge(&self, case: &Case, candidates: &[Certificate]) -> PathResult {
        let of = |name: &String| self.certificates.get(name).unwrap_or_else(|| panic!("{name} is missing")).clone();
        let limits = Limits::default();
        let crls: Vec<_> = case.crls.iter().map(|name| self.crls[name].clone()).collect();
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
            revocation: RevocationInputs::required(&crls),
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

/// Every file of a folder, by its name.
fn files<T, E: std::fmt::Debug>(folder: &Path, parse: impl Fn(&[u8]) -> Result<T, E>) -> BTreeMap<String, T> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths.map(|path| (name(&path), parse(&fs::read(&path).unwrap()).unwrap())).collect()
}

#[test]
fn every_case() {
    let Some(pkits) = Pkits::load() else { return };
    for case in &pkits.cases {
        let result = pkits.judge(case, &pkits.candidates(case));
        let (number, aspect) = (case.number.as_str(), &result.aspect);
        let right = aspect.is_good() == case.should_validate && aspect.is_bad() != case.should_validate;
        assert!(right, "{number} {}: {aspect:?}", case.title);
        if case.should_validate {
            assert_eq!(result.policies, policies(&case.user_constrained_policy_set), "{number} {}", case.title);
        }
    }
    assert_eq!(pkits.cases.len(), 249);
}

/// Each invalid case is refused for the reason that its title names.
#[test]
fn reasons_are_those_of_the_titles() {
    let Some(pkits) = Pkits::load() else { return };
    for (word, reason) in [
        ("CA Signature Test", Reason::BadSignature),
        ("EE Signature Test", Reason::BadSignature),
        ("DSA Signature Test", Reason::BadSignature),
        ("notBefore", Reason::NotYetValid),
        ("notAfter", Reason::Expired),
        ("Name Chaining", Reason::NoPath),
        ("basicConstraints", Reason::NotACa),
        ("cA False", Reason::NotACa),
        ("pathLenConstraint", Reason::PathLength),
        ("keyCertSign False", Reason::KeyUsage),
        ("nameConstraints", Reason::NameConstraint),
        ("Revoked", Reason::Revoked),
        ("Missing CRL", Reason::RevocationUnknown),
        ("Bad CRL Signature", Reason::CrlProblem),
        ("Bad CRL Issuer Name", Reason::RevocationUnknown),
        ("Wrong CRL", Reason::RevocationUnknown),
        ("Unknown CRL Extension", Reason::CrlProblem),
        ("Old CRL nextUpdate", Reason::CrlProblem),
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
