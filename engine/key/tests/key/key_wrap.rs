//! Keys under keys and under passwords.

use waxseal_key::{
    Arithmetic, ContentCipher, DigestAlgorithm, KeyError, KeyWrap, ProviderChoice, Random, SeededRandom,
};

use crate::{
    hex,
    known_answers::unhex,
    openssl::{Folder, openssl},
    rustcrypto,
};

#[test]
fn names_and_oids_are_in_the_table() {
    for wrap in KeyWrap::ALL {
        let row = waxseal_key::algorithm::by_oid(wrap.oid()).unwrap();
        assert_eq!((row.name, row.kind), (wrap.name(), waxseal_key::algorithm::Kind::KeyWrap));
        assert_eq!((KeyWrap::from_name(wrap.name()), KeyWrap::from_oid(wrap.oid())), (Some(wrap), Some(wrap)));
    }
}

#[test]
fn wrapped_keys_cross() {
    let Some(folder) = Folder::with_openssl("wrapped_keys") else { return };
    for (wrap, name) in [
        (KeyWrap::Aes128, "-id-aes128-wrap"),
        (KeyWrap::Aes192, "-id-aes192-wrap"),
        (KeyWrap::Aes256, "-id-aes256-wrap"),
        (KeyWrap::TripleDes, "-des3-wrap"),
    ] {
        let kek: Vec<u8> = (0..wrap.key_len()).map(|octet| octet as u8 * 7 + 1).collect();
        // The vector of RFC 3394; of Triple DES it is not looked at.
        let iv = "a6a6a6a6a6a6a6a6";
        for len in [16, 24, 32] {
            let key = vec![0x5b; len];
            let ours = rustcrypto().wrap_key(wrap, &kek, &key, &mut SeededRandom::new("iv")).unwrap();
            assert_eq!(ours.len(), len + wrap.overhead());
            let (plain, theirs, wrapped) = (folder.file("plain", &key), folder.path("theirs"), folder.file("x", &ours));
            let out = folder.path("out");
            openssl(&["enc", "-d", name, "-K", &hex(&kek), "-iv", iv, "-in", &wrapped, "-out", &out]);
            assert_eq!(std::fs::read(&out).unwrap(), key, "{wrap}: ours by openssl");
            openssl(&["enc", "-e", name, "-K", &hex(&kek), "-iv", iv, "-in", &plain, "-out", &theirs]);
            let theirs = std::fs::read(&theirs).unwrap();
            for choice in ProviderChoice::ALL {
                let arithmetic = Arithmetic::new(choice);
                match arithmetic.unwrap_key(wrap, &kek, &theirs) {
                    Err(KeyError::NotByThisProvider { .. }) => assert_eq!(choice, ProviderChoice::AwsLc),
                    found => assert_eq!(*found.unwrap(), key, "{wrap}: theirs by {choice}"),
                }
                for at in 0..theirs.len() {
                    let mut changed = theirs.clone();
                    changed[at] ^= 0x10;
                    match arithmetic.unwrap_key(wrap, &kek, &changed) {
                        Err(KeyError::NotByThisProvider { .. }) => assert_eq!(choice, ProviderChoice::AwsLc),
                        found => assert_eq!(found, Err(KeyError::DecryptionFailed(wrap.name().to_owned()))),
                    }
                }
            }
        }
    }
}

#[test]
fn lengths_that_do_not_fit_are_errors() {
    for wrap in KeyWrap::ALL {
        let kek = vec![1; wrap.key_len()];
        for len in [0, 8, 15, 17, 1024] {
            let wrapped = rustcrypto().wrap_key(wrap, &kek, &vec![0; len], &mut SeededRandom::new("x"));
            assert!(matches!(wrapped, Err(KeyError::BadParameters { .. })), "{wrap} {len}");
            let found = rustcrypto().unwrap_key(wrap, &kek, &vec![0; len]);
            assert!(matches!(found, Err(KeyError::BadParameters { .. })), "{wrap} {len}");
        }
        let found = rustcrypto().unwrap_key(wrap, &kek[1..], &[0; 40]);
        assert!(matches!(found, Err(KeyError::BadParameters { .. })), "{wrap}");
    }
}

/// The second example of RFC 3211 section 3.
#[test]
fn the_password_wrap_of_rfc_3211() {
    struct Given(&'static [u8]);
    impl Random for Given {
        fn fill(&mut self, out: &mut [u8]) {
            out.copy_from_slice(self.0);
        }
    }
    let password = b"All n-entities must communicate with other n-entities via n-1 entiteeheehees";
    let salt = unhex("1234567878563412");
    let key = unhex("8c637d887223a2f965b566eb014b0fa5d52300a3f7ea40fffc577203c71baf3b");
    let iv = unhex("baf1ca7931213c4e");
    let wrapped = "c03c514abdb9e2c5aac038572b5e24553876b377aafb82eca5a9d73f8ab143d9ec74e6cad7db260c".to_owned();
    for choice in [ProviderChoice::RustCrypto, ProviderChoice::Auto] {
        let arithmetic = Arithmetic::new(choice);
        let kek = arithmetic.pbkdf2(DigestAlgorithm::Sha1, password, &salt, 500, 24).unwrap();
        assert_eq!(hex(&kek), "6a8970bf68c92caea84a8df28510858607126380cc47ab2d");
        let cipher = ContentCipher::TripleDesCbc;
        assert_eq!(*arithmetic.password_unwrap(cipher, &kek, &iv, &unhex(&wrapped)).unwrap(), key);
        let random = &mut Given(&[0xfa, 0x06, 0x0a, 0x45]);
        assert_eq!(hex(&arithmetic.password_wrap(cipher, &kek, &iv, &key, random).unwrap()), wrapped);
    }
}

#[test]
fn passwords_wrap_keys_of_every_length() {
    let counter = ContentCipher::Sm4Ctr;
    let random = &mut SeededRandom::new("padding");
    let refused = rustcrypto().password_wrap(counter, &[3; 16], &[4; 16], &[9; 16], random).unwrap_err().to_string();
    assert_eq!(refused, "bad parameters of password-wrap: sm4-ctr has no chain of blocks");
    assert!(rustcrypto().password_unwrap(counter, &[3; 16], &[4; 16], &[9; 32]).is_err());
    for cipher in ContentCipher::ALL.into_iter().filter(|cipher| cipher.is_padded()) {
        let (kek, iv) = (vec![3; cipher.key_len()], vec![4; cipher.iv_len()]);
        for len in [3, 4, 5, 12, 13, 16, 24, 32, 255] {
            let key = vec![9; len];
            let random = &mut SeededRandom::new("padding");
            let wrapped = rustcrypto().password_wrap(cipher, &kek, &iv, &key, random).unwrap();
            assert!(wrapped.len() >= 2 * cipher.block_len());
            assert_eq!(*rustcrypto().password_unwrap(cipher, &kek, &iv, &wrapped).unwrap(), key, "{cipher} {len}");
            let other = vec![5; cipher.key_len()];
            let found = rustcrypto().password_unwrap(cipher, &other, &iv, &wrapped);
            assert_eq!(found, Err(KeyError::DecryptionFailed("password-wrap".to_owned())), "{cipher} {len}");
        }
        let unwrap = |len| rustcrypto().password_unwrap(cipher, &kek, &iv, &vec![0; len]);
        for len in [0, cipher.block_len(), 2 * cipher.block_len() + 1, 4096] {
            assert!(matches!(unwrap(len), Err(KeyError::BadParameters { .. })), "{cipher} {len}");
        }
        for len in [0, 2, 256] {
            let wrapped =
                rustcrypto().password_wrap(cipher, &kek, &iv, &vec![0; len], &mut SeededRandom::new("padding"));
            assert!(matches!(wrapped, Err(KeyError::BadParameters { .. })), "{cipher} {len}");
        }
    }
}
