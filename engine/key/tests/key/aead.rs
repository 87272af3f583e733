//! Authenticated ciphers in pieces.

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use proptest::prelude::*;
use waxseal_key::{AeadCipher, AeadSetup, KeyError};

use crate::{aws_lc, rustcrypto};

fn setup(cipher: AeadCipher, key: &[u8; 32], len: u64) -> AeadSetup<'_> {
    AeadSetup {
        cipher,
        key: &key[..cipher.key_len()],
        nonce: &key[..12],
        additional: b"authenticated attributes",
        tag_len: 16,
        content_len: Some(len),
    }
}

/// The same in one piece by aws-lc, which does no CCM.
fn in_one_piece(setup: &AeadSetup<'_>, octets: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let algorithm = match setup.cipher {
        AeadCipher::Aes128Gcm => &aead::AES_128_GCM,
        AeadCipher::Aes192Gcm => &aead::AES_192_GCM,
        AeadCipher::Aes256Gcm => &aead::AES_256_GCM,
        AeadCipher::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
        _ => return None,
    };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, setup.key).unwrap());
    let mut octets = octets.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(setup.nonce).unwrap();
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(setup.additional), &mut octets).unwrap();
    Some((octets, tag.as_ref().to_vec()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pieces_are_like_one_piece(len in 0_usize..40_000, cut in 1_usize..5000, key in any::<[u8; 32]>()) {
        let plain: Vec<u8> = (0..len).map(|at| (at * 7 + at / 256) as u8).collect();
        for cipher in AeadCipher::ALL {
            let setup = setup(cipher, &key, len as u64);
            let seal = |cut: usize| {
                let mut octets = plain.clone();
                let mut sealer = rustcrypto().aead_sealer(&setup).unwrap();
                octets.chunks_mut(cut).for_each(|piece| sealer.process(piece).unwrap());
                (octets, sealer.finish().unwrap())
            };
            let (mut octets, mut tag) = seal(cut);
            prop_assert!(seal(len.max(1)) == (octets.clone(), tag.clone()), "{}", cipher);
            if let Some(theirs) = in_one_piece(&setup, &plain) {
                prop_assert!(theirs == (octets.clone(), tag.clone()), "{}", cipher);
            }
            let open = |octets: &mut [u8], tag: &[u8]| {
                let mut opener = rustcrypto().aead_opener(&setup).unwrap();
                octets.chunks_mut(cut + 1).for_each(|piece| opener.process(piece).unwrap());
                opener.finish(tag)
            };
            let refused = Err(KeyError::DecryptionFailed(cipher.name().to_owned()));
            if len > 0 {
                let mut changed = octets.clone();
                changed[len / 2] ^= 1;
                prop_assert_eq!(open(&mut changed, &tag), refused.clone());
            }
            prop_assert_eq!(open(&mut octets, &tag), Ok(()));
            prop_assert!(octets == plain, "{}", cipher);
            let mut sealed = seal(cut).0;
            prop_assert_eq!(open(&mut sealed.clone(), &tag[..15]), refused.clone());
            tag[7] ^= 0x80;
            prop_assert_eq!(open(&mut sealed, &tag), refused);
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let key = [7; 32];
    for cipher in AeadCipher::ALL {
        let good = setup(cipher, &key, 10);
        let refuses = |setup: &AeadSetup<'_>, what: &str| {
            let error = rustcrypto().aead_sealer(setup).err().unwrap_or_else(|| panic!("{cipher}: {what}"));
            assert!(matches!(error, KeyError::BadParameters { .. }), "{cipher} {what}: {error}");
        };
        refuses(&AeadSetup { key: &key[..7], ..good }, "a short key");
        refuses(&AeadSetup { nonce: &[], ..good }, "no nonce");
        refuses(&AeadSetup { tag_len: 3, ..good }, "a short tag");
        refuses(&AeadSetup { tag_len: 17, ..good }, "a long tag");
        assert!(matches!(aws_lc().aead_sealer(&good).err(), Some(KeyError::NotByThisProvider { .. })));
        if cipher.needs_content_len() {
            refuses(&AeadSetup { content_len: None, ..good }, "a content of unknown length");
            refuses(&AeadSetup { content_len: Some(1 << 16), nonce: &key[..13], ..good }, "a content to count");
            for (len, octets) in [(1 << 24, 11), (1 << 32, 7), ((1 << 24) - 1, 12), (u64::MAX, 7)] {
                assert_eq!(cipher.nonce_len(len), octets);
                let setup = AeadSetup { content_len: Some(len), nonce: &key[..octets], ..good };
                assert!(rustcrypto().aead_sealer(&setup).is_ok(), "{cipher} {len}");
            }
            let start = || rustcrypto().aead_sealer(&good).unwrap();
            assert!(start().process(&mut [0; 11]).unwrap_err().to_string().contains("longer"));
            assert!(start().finish().unwrap_err().to_string().contains("shorter"));
        } else {
            assert!(rustcrypto().aead_sealer(&AeadSetup { content_len: None, ..good }).is_ok());
        }
    }
}

#[test]
fn rc2_with_bits_that_it_cannot_have_is_an_error() {
    for effective_bits in [0, 1025] {
        let cipher = waxseal_key::ContentCipher::Rc2Cbc { effective_bits };
        let refused = rustcrypto().cbc_encryptor(cipher, &[1; 16], &[0; 8]).err();
        assert!(matches!(refused, Some(KeyError::BadParameters { .. })));
    }
}
