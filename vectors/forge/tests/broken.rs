//! The corpus against readers that are broken on purpose: each check of the
//! engine is switched off, one at a time, and some case must notice.
//!
//! A corpus that cannot tell a broken reader from a right one proves nothing.
//! Runs only with the feature `broken-reader`, which no release has.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use support::for_each_case;
use waxseal_engine::Check;
use waxseal_verdict::{AspectName, Comparison, Reports};

/// The cases that a reader fails, with one check switched off.
fn failing(off: Option<Check>) -> BTreeSet<String> {
    let all: BTreeSet<_> = AspectName::ALL.iter().copied().collect();
    let mut failing = BTreeSet::new();
    Check::switch_off(off);
    for_each_case(|case, _, opened| {
        let passes = case
            .right_answers()
            .any(|expected| matches!(expected.compare(&opened.verdict, &all, Reports::ALL), Comparison::Pass(_)));
        if !passes && !case.private {
            failing.insert(case.id.clone());
        }
    });
    Check::switch_off(None);
    failing
}

#[test]
fn every_broken_reader_is_noticed() {
    assert_eq!(failing(None), BTreeSet::new(), "the whole reader fails no case");
    let noticed: BTreeMap<String, usize> =
        Check::ALL.iter().map(|check| (format!("{check:?}"), failing(Some(*check)).len())).collect();
    let unnoticed: Vec<_> = noticed.iter().filter(|(_, count)| **count == 0).map(|(check, _)| check).collect();
    println!("cases that notice each missing check: {noticed:#?}");
    assert!(unnoticed.is_empty(), "no case notices that these checks are missing: {unnoticed:?}");
}
