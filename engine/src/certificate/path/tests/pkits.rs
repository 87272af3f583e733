//! NIST PKITS: the sections that need neither CRLs nor policies nor DSA.

use std::collections::BTreeMap;
use std::fs;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use waxseal_key::{Arithmetic, ProviderChoice};
use waxseal_verdict::{Aspect, Reason};

use crate::Limits;
use crate::certificate::path::{PathRequest, PathResult, Purpose, validate};
use crate::certificate::{Certificate, corpora};

/// Sections that are run: signatures, validity, names, serial numbers,
/// self-issued, basicConstraints, keyUsage, name constraints, private extensions.
const SECTIONS: [&str; 9] = ["4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.13", "4.16"];

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
    time: String,
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
        cases.retain(|case| SECTIONS.contains(&case.number.rsplit_once('.').unwrap().0));
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
        validate(&PathRequest {
            leaf: &of(case.certs.last().unwrap()),
            candidates,
            anchors: &[of(&case.certs[0])],
            at: OffsetDateTime::parse(&case.time, &Rfc3339).unwrap(),
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
fn every_case_without_crl_and_policy() {
    let Some(pkits) = Pkits::load() else { return };
    let mut counted = [0; 2];
    for case in &pkits.cases {
        let aspect = pkits.judge(case, &pkits.candidates(case)).aspect;
        let number = case.number.as_str();
        let (group, right) = if NEED_CRL.contains(&number) {
            (1, aspect == Aspect::Good)
        } else {
            (0, aspect.is_good() == case.should_validate && aspect.is_bad() != case.should_validate)
        };
        assert!(right, "{number} {}: {aspect:?}", case.title);
        counted[group] += 1;
    }
    assert_eq!(counted, [96, NEED_CRL.len()]);
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
