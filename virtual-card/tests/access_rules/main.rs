//! Who may use a key: random sessions with a card, against a model of the
//! access rules.
//!
//! The models stand in [`piv`] and [`pkcs15`] and know the standards, not the
//! card: they see the octets that go in and come out, and hold what comes out
//! against what NIST SP 800-73-4 and ISO/IEC 7816 allow. Commands are valid,
//! damaged, chained or invented; the card is reset and selected in between.
//!
//! A model that lets everything pass would be content with every card; so the
//! sessions must reach each key with the PIN, and cards that are broken on
//! purpose must be caught.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod broken;
mod piv;
mod pkcs15;
mod session;
#[path = "../support/mod.rs"]
mod support;

use std::{cell::RefCell, collections::BTreeMap};

use broken::{Broken, Fault};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use session::{Act, Rules, Session};
use waxseal_card::{Application, VirtualCard};

/// Private-key operations and management operations that were done, by name.
type Counts = BTreeMap<String, u32>;

/// Random sessions until one departs from the rules, or all have passed: what
/// was reached.
fn run<R: Rules>(cases: u32, fault: Option<Fault>) -> Result<Counts, String> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let counts = RefCell::new(Counts::new());
    let outcome = TestRunner::new(config).run(&session::acts(R::ACTS), |acts| {
        let application: Box<dyn Application> = match fault {
            None => R::application(),
            Some(fault) => Box::new(Broken::new(R::application(), fault, &R::verify())),
        };
        let mut session = Session::<R>::new(VirtualCard::new(vec![application]));
        acts.iter().try_for_each(|act| session.act(act)).map_err(TestCaseError::fail)?;
        session.end().map_err(TestCaseError::fail)?;
        for (name, count) in session.reached() {
            *counts.borrow_mut().entry(name.clone()).or_default() += count;
        }
        Ok(())
    });
    match outcome {
        Ok(()) => Ok(counts.into_inner()),
        Err(TestError::Fail(why, acts)) => Err(format!("{why}\n{}", describe(&acts))),
        Err(error) => panic!("{error}"),
    }
}

fn describe(acts: &[Act]) -> String {
    acts.iter().map(|act| format!("  {act:02X?}\n")).collect()
}

fn hold<R: Rules>(names: &[&str]) {
    let counts = run::<R>(3_000, None).unwrap_or_else(|error| panic!("{error}"));
    for name in names {
        let count = counts.get(*name).copied().unwrap_or(0);
        assert!(count >= 20, "{name} was reached {count} times: {counts:?}");
    }
}

#[test]
fn the_rules_of_piv_hold() {
    hold::<piv::Model>(&[
        "use 9A",
        "use 9C",
        "use 9D",
        "use 9E",
        "use 82",
        "use 83",
        "put data",
        "generate",
        "change the PIN",
        "unblock the PIN",
        "blocked",
        "read after the PIN",
    ]);
}

#[test]
fn the_rules_of_pkcs_15_hold() {
    hold::<pkcs15::Model>(&[
        "use 00",
        "use 01",
        "use 02",
        "change the PIN",
        "unblock the PIN",
        "blocked",
        "read after the PIN",
    ]);
}

/// Each broken card is caught, and for the right reason.
#[test]
fn broken_cards_are_caught() {
    check::<piv::Model>(&[
        (Fault::NeedsNoPin, &["without the PIN", "nobody gave the PIN"]),
        (Fault::KeepsPin, &["without the PIN", "nobody gave the PIN"]),
        (Fault::KeepsFreshness, &["not verified immediately before"]),
        (Fault::NeverCounts, &["tries of the PIN"]),
        (Fault::NeverBlocks, &["the PIN is blocked, and was taken"]),
        (Fault::TakesAnyPuk, &["wrong PUK was taken"]),
        (Fault::NeedsNoManager, &["without the card management key"]),
    ]);
    check::<pkcs15::Model>(&[
        (Fault::NeedsNoPin, &["without the PIN", "nobody gave the PIN"]),
        (Fault::KeepsPin, &["without the PIN", "nobody gave the PIN"]),
        (Fault::NeverCounts, &["tries of the PIN"]),
        (Fault::NeverBlocks, &["the PIN is blocked, and was taken"]),
        (Fault::TakesAnyPuk, &["wrong PUK was taken"]),
    ]);
}

fn check<R: Rules>(faults: &[(Fault, &[&str])]) {
    for (fault, reasons) in faults {
        let error = run::<R>(10_000, Some(*fault)).expect_err(&format!("{fault:?} is not caught"));
        assert!(reasons.iter().any(|reason| error.contains(reason)), "{fault:?}: {error}");
    }
}
