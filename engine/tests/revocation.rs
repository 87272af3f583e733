//! Certificates that were revoked: CRLs of OpenSSL, beside a mail and in it,
//! and `openssl verify -crl_check` as second opinion.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use support::authority::{ANOTHER, Authority, Known, REVOKED};
use time::{Duration, OffsetDateTime};
use waxseal_engine::certificate::Crl;
use waxseal_verdict::{Aspect, Reason};

#[test]
fn a_certificate_on_the_list_is_revoked() {
    let Some(authority) = Authority::new() else { return };
    let others = authority.crl(ANOTHER, "01");
    assert!(authority.openssl_accepts());
    let listed = authority.crl(&[ANOTHER, REVOKED].concat(), "02");
    assert!(!authority.openssl_accepts());
    // After the lists: one that is dated a second later is none yet.
    let now = OffsetDateTime::now_utc();
    for required in [false, true] {
        let not_listed = std::slice::from_ref(&others);
        assert_eq!(authority.chain(Known::default(), Known::crls(not_listed), required, now), Aspect::Good);
        assert_eq!(authority.chain(Known::crls(not_listed), Known::default(), required, now), Aspect::Good);
        let listed = std::slice::from_ref(&listed);
        for (sent, given) in [(&[][..], listed), (listed, &[])] {
            let chain = authority.chain(Known::crls(sent), Known::crls(given), required, now);
            assert_eq!(chain.reason(), Some(Reason::Revoked), "{chain:?}");
            let Aspect::Bad(bad) = chain else { panic!("not bad") };
            assert_eq!(bad.detail, "CN=ann: was revoked on 2024-01-01: keyCompromise");
        }
    }
}

/// A newer list holds, in whatever order they come: a certificate that was on
/// hold may be good again (RFC 5280 section 5.3.1).
#[test]
fn a_newer_list_holds_in_place_of_an_older() {
    let Some(authority) = Authority::new() else { return };
    let old = authority.crl(REVOKED, "01");
    // OpenSSL dates a list by the second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let newest = authority.crl(ANOTHER, "02");
    let at = OffsetDateTime::now_utc();
    for given in [[old.clone(), newest.clone()], [newest, old]] {
        assert_eq!(authority.chain(Known::default(), Known::crls(&given), true, at), Aspect::Good);
    }
}

#[test]
fn what_no_list_tells_is_unknown_and_the_policy_decides() {
    let Some(authority) = Authority::new() else { return };
    let listed = authority.crl(REVOKED, "01");
    let empty = [authority.crl("", "02")];
    let now = OffsetDateTime::now_utc();
    let reason =
        |given: &[Crl], required, at| authority.chain(Known::default(), Known::crls(given), required, at).reason();
    assert_eq!(reason(&[], false, now), None);
    assert_eq!(reason(&[], true, now), Some(Reason::RevocationUnknown));
    // A list that was altered says nothing, whatever it says.
    let mut altered = listed.der().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    let altered = [Crl::parse(&altered).unwrap()];
    assert_eq!(reason(&altered, true, now), Some(Reason::CrlProblem));
    assert_eq!(reason(&altered, false, now), None);
    // Nobody knows what was revoked since a list that should have been replaced.
    assert_eq!(reason(&empty, true, now), None);
    assert_eq!(reason(&empty, true, now - Duration::days(1)), Some(Reason::NotYetValid));
    let next = empty[0].next_update().unwrap();
    assert!(next > now + Duration::days(29) && empty[0].number() == Some(&[2]));
}
