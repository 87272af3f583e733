//! Graphs of certificates that are made to keep a validator busy.

use waxseal_key::{Arithmetic, ProviderChoice};
use waxseal_verdict::{Aspect, Reason};

use super::made::*;
use crate::Limits;
use crate::ber::writer as w;
use crate::certificate::Certificate;
use crate::certificate::path::names::MAX_COMPARISONS;
use crate::certificate::path::{PathRequest, PathResult, PolicyInputs, Purpose, RevocationInputs, validate};

fn judge(leaf: &Made, candidates: &[Certificate], anchors: &[Made]) -> PathResult {
    validate(&PathRequest {
        leaf: &leaf.make(),
        candidates,
        anchors: &anchors.iter().map(Made::make).collect::<Vec<_>>(),
        at: NOW,
        policies: PolicyInputs::default(),
        revocation: RevocationInputs::default(),
        purpose: Purpose::Sign,
        arithmetic: &Arithmetic::new(ProviderChoice::Auto),
        limits: &Limits::default(),
    })
}

/// A recorded mail carries three certificates that issue each other.
#[test]
fn a_circle_of_three_ends() {
    let circle = [ca("a", 2, "b", 3), ca("b", 3, "c", 4), ca("c", 4, "a", 2)].map(|made| made.make());
    let result = judge(&leaf("person", 9, "a", 2), &circle, &[root("root", 1)]);
    assert_eq!(result.aspect.reason(), Some(Reason::NoPath));
    assert!(result.findings[0].detail.ends_with("in a circle"), "{:?}", result.findings);
    assert_eq!((result.work, result.path.len()), (3, 4));
}

#[test]
fn a_circle_with_a_way_out_is_left() {
    let circle = [ca("a", 2, "b", 3), ca("b", 3, "a", 2), ca("a", 2, "root", 1).serial(77)].map(|made| made.make());
    let result = judge(&leaf("person", 9, "a", 2), &circle, &[root("root", 1)]);
    assert_eq!(result.aspect, Aspect::Good);
    assert_eq!(result.path.len(), 3);
}

#[test]
fn a_thousand_cross_certificates_of_one_name() {
    let crowd: Vec<_> = (0..1000).map(|serial| ca("a", 2, "a", 2).serial(serial + 1000)).collect();
    let others: Vec<_> = (0..1000).map(|serial| ca("a", 3 + (serial % 200) as u8, "a", 2).serial(serial)).collect();
    let all: Vec<_> = crowd.iter().chain(&others).map(Made::make).collect();
    let result = judge(&leaf("person", 1, "a", 2), &all, &[root("root", 250)]);
    let Aspect::Bad(bad) = &result.aspect else { panic!("{:?}", result.aspect) };
    assert_eq!((bad.reason, bad.also.as_slice()), (Reason::LimitExceeded, &[Reason::Untrusted][..]));
    assert_eq!(result.work, Limits::default().path_work);
}

#[test]
fn a_path_that_is_too_long() {
    const NAMES: [&str; 20] =
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19"];
    let chain = |length: u8| -> Vec<_> {
        (1..length).map(|at| ca(NAMES[usize::from(at)], at, NAMES[usize::from(at) + 1], at + 1).make()).collect()
    };
    // A leaf, the chain, and the root make one path: 16 certificates are the limit.
    let person = leaf("person", 100, "1", 1);
    assert_eq!(judge(&person, &chain(15), &[root("15", 15)]).aspect, Aspect::Good);
    let result = judge(&person, &chain(16), &[root("16", 16)]);
    assert_eq!(result.aspect.reason(), Some(Reason::LimitExceeded));
    assert_eq!(result.path.len(), 16);
}

/// Ten thousand names under ten thousand constraints would be a hundred million comparisons.
#[test]
fn ten_thousand_names_under_ten_thousand_constraints() {
    let subtrees: Vec<_> =
        (0..10_000).map(|at| w::sequence([w::element(0x81, format!("host{at}.test").as_bytes())])).collect();
    let constraints = ("2.5.29.30", true, w::sequence([w::context(1, &subtrees.concat())]));
    let names: Vec<_> = (0..10_000).map(|at| w::element(0x81, format!("a{at}@example.test").as_bytes())).collect();
    let person = leaf("person", 3, "ca", 2).with(("2.5.29.17", false, w::sequence(names)));
    let authority = ca("ca", 2, "root", 1).with(constraints.clone()).make();
    let result = judge(&person, &[authority], &[root("root", 1)]);
    assert_eq!(result.aspect.reason(), Some(Reason::LimitExceeded));
    assert_eq!((result.comparisons, result.work), (MAX_COMPARISONS, 2));
    // Many authorities of one name share what one search may cost.
    let crowd: Vec<_> = (0..50).map(|serial| ca("ca", 2, "root", 1).serial(serial).with(constraints.clone())).collect();
    let result = judge(&person, &crowd.iter().map(Made::make).collect::<Vec<_>>(), &[root("root", 1)]);
    assert_eq!(result.aspect.reason(), Some(Reason::LimitExceeded));
    assert_eq!((result.comparisons, result.work), (MAX_COMPARISONS, 100));
}

/// One certificate that maps a policy to ten thousand others, and ten thousand to one.
#[test]
fn ten_thousand_policy_mappings() {
    const MANY: usize = 10_000;
    let policy = |number: usize| w::oid(&format!("1.3.6.1.4.1.99999.{number}")).unwrap();
    let policies = |numbers: std::ops::Range<usize>| {
        ("2.5.29.32", false, w::sequence(numbers.map(|number| w::sequence([policy(number)]))))
    };
    let demand = ("2.5.29.36", true, w::sequence([w::element(0x80, &[0])]));
    let mappings = |pairs: &mut dyn Iterator<Item = (usize, usize)>| {
        ("2.5.29.33", true, w::sequence(pairs.map(|(from, to)| w::sequence([policy(from), policy(to)]))))
    };
    let spread = mappings(&mut (1..=MANY).map(|to| (0, to)));
    let gather = mappings(&mut (1..=MANY).map(|from| (from, 0)));
    let first = ca("first", 2, "root", 1).with(policies(0..1)).with(spread).with(demand);
    let second = ca("second", 3, "first", 2).with(policies(1..MANY + 1)).with(gather);
    let candidates = [first.make(), second.make()];
    let person = |number: usize| leaf("person", 9, "second", 3).with(policies(number..number + 1));
    let result = judge(&person(0), &candidates, &[root("root", 1)]);
    assert_eq!(result.aspect, Aspect::Good);
    // Policy 0 to anyPolicy, ten thousand to policy 0, and one to ten thousand.
    assert_eq!((result.policies.len(), result.policy_links), (1, 2 * MANY + 1));
    assert_eq!(judge(&person(1), &candidates, &[root("root", 1)]).aspect.reason(), Some(Reason::PolicyConstraint));
}

/// A tree of policies, as RFC 5280 has it, would have 40 times as many nodes at
/// each depth as at the one above it: 40 to the power of 14. That this ends is
/// what the test shows; RFC 9618 says how.
#[test]
fn policies_that_map_to_each_other() {
    const NAMES: [&str; 15] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14"];
    let policy = |number: usize| w::oid(&format!("1.3.6.1.4.1.99999.{number}")).unwrap();
    let policies = ("2.5.29.32", false, w::sequence((0..40).map(|number| w::sequence([policy(number)]))));
    let pairs = (0..40).flat_map(|from| (0..40).map(move |to| (from, to)));
    let mappings = ("2.5.29.33", true, w::sequence(pairs.map(|(from, to)| w::sequence([policy(from), policy(to)]))));
    let demand = ("2.5.29.36", true, w::sequence([w::element(0x80, &[0])]));
    let chain: Vec<_> = (1_u8..15)
        .map(|at| {
            let made = ca(NAMES[usize::from(at) - 1], at, NAMES[usize::from(at)], at + 1);
            made.with(policies.clone()).with(mappings.clone()).with(demand.clone()).make()
        })
        .collect();
    let person =
        |number| leaf("person", 100, "0", 1).with(("2.5.29.32", false, w::sequence([w::sequence([policy(number)])])));
    let result = judge(&person(7), &chain, &[root("14", 15)]);
    assert_eq!(result.aspect, Aspect::Good);
    // Each of the anchor's 40 policies leads to the one at the end.
    assert_eq!((result.path.len(), result.policies.len()), (16, 40));
    let other = judge(&person(40), &chain, &[root("14", 15)]);
    assert_eq!(other.aspect.reason(), Some(Reason::PolicyConstraint));
}

#[test]
fn all_reasons_are_listed_the_leaf_first() {
    let person = leaf("person", 3, "ca", 2).expired().with(key_usage(KEY_ENCIPHERMENT));
    let issuer = ca("ca", 2, "root", 1).expired().with(basic_constraints(false, None));
    let Aspect::Bad(bad) = judge(&person, &[issuer.make()], &[root("root", 1)]).aspect else { panic!("it passes") };
    assert_eq!(bad.reason, Reason::Expired);
    assert_eq!(bad.also, [Reason::KeyUsage, Reason::NotACa]);
    assert_eq!(bad.detail, "CN=person: was valid until 2025-05-31T00:00:00Z, judged at 2025-06-01T00:00:00Z");
}

#[test]
fn without_anchors_nothing_is_decided() {
    let result = judge(&leaf("person", 3, "ca", 2).expired(), &[], &[]);
    assert_eq!(result.aspect, Aspect::unchecked(Reason::NoAnchor));
    assert_eq!(result.findings.iter().map(|finding| finding.reason).collect::<Vec<_>>(), [Reason::Expired]);
}

#[test]
fn the_last_second_counts() {
    let person = leaf("person", 3, "root", 1);
    for (offset, good) in [(0, true), (999, true), (1000, false)] {
        let aspect = validate(&PathRequest {
            leaf: &person.make(),
            candidates: &[],
            anchors: &[root("root", 1).make()],
            at: person.not_after + time::Duration::milliseconds(offset),
            policies: PolicyInputs::default(),
            revocation: RevocationInputs::default(),
            purpose: Purpose::Sign,
            arithmetic: &Arithmetic::new(ProviderChoice::Auto),
            limits: &Limits::default(),
        })
        .aspect;
        assert_eq!(aspect.is_good(), good, "{offset} ms: {aspect:?}");
    }
}
