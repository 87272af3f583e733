//! ML-KEM: the example of RFC 9936 with every value between, and its keys in
//! three forms.

use std::path::Path;

use waxseal_key::{
    Arithmetic, Decryptor, DigestAlgorithm, KeyError, KeyWrap, PrivateKey, ProviderChoice, PublicKeyAlgorithm,
    SeededRandom,
};
use waxseal_testing::shared;

use crate::{
    aws_lc, hex, key,
    known_answers::{private_key_info, tlv, unhex},
    rustcrypto,
};

fn read_hex(folder: &Path, name: &str) -> Vec<u8> {
    unhex(&std::fs::read_to_string(folder.join(name)).unwrap().split_whitespace().collect::<String>())
}

fn read_key(folder: &Path, form: &str) -> PrivateKey {
    let text = std::fs::read_to_string(folder.join(format!("ML-KEM-512-{form}.priv"))).unwrap();
    PrivateKey::from_pem(&text, None).unwrap()
}

#[test]
fn the_example_of_rfc_9936() {
    let Some(folder) = shared("oracles/ml-kem") else { return };
    let (ciphertext, secret) = (read_hex(&folder, "ciphertext.txt"), read_hex(&folder, "shared_secret.txt"));
    for form in ["seed", "expanded", "both"] {
        for choice in ProviderChoice::ALL {
            let arithmetic = Arithmetic::new(choice);
            let key = read_key(&folder, form).with_arithmetic(arithmetic);
            assert_eq!((key.algorithm(), key.signature_scheme()), (&PublicKeyAlgorithm::MlKem512, None));
            let found = key.decapsulate(&ciphertext).unwrap();
            assert_eq!(hex(&found), hex(&secret), "{form} by {choice}");
            let info = read_hex(&folder, "ori_info.txt");
            let kek = arithmetic.hkdf(DigestAlgorithm::Sha256, None, &found, &info, 16).unwrap();
            assert_eq!(*kek, read_hex(&folder, "kek.txt"), "{form} by {choice}");
            let wrapped = read_hex(&folder, "encrypted_cek.txt");
            let cek = arithmetic.unwrap_key(KeyWrap::Aes128, &kek, &wrapped).unwrap();
            assert_eq!(*cek, read_hex(&folder, "cek.txt"), "{form} by {choice}");
        }
    }
    let public = std::fs::read_to_string(folder.join("ML-KEM-512.pub")).unwrap();
    let (_, public) = der::Document::from_pem(&public).unwrap();
    assert_eq!(hex(read_key(&folder, "seed").public_key()), hex(public.as_bytes()));
}

#[test]
fn what_is_encapsulated_comes_back() {
    for (oid, name) in [
        ("608648016503040401", "ml-kem-512"),
        ("608648016503040402", "ml-kem-768"),
        ("608648016503040403", "ml-kem-1024"),
    ] {
        let info = private_key_info(oid, &tlv(0x80, &[9; 64]));
        let key = PrivateKey::from_pkcs8_der(&info).unwrap();
        assert_eq!((key.algorithm().name(), &*key.to_pkcs8_der()), (name, &info));
        let encapsulate =
            |arithmetic: Arithmetic| arithmetic.encapsulate(key.public_key(), &mut SeededRandom::new("encapsulation"));
        assert!(matches!(encapsulate(aws_lc()), Err(KeyError::NotByThisProvider { .. })));
        let (ciphertext, secret) = encapsulate(rustcrypto()).unwrap();
        assert_eq!(secret.len(), 32);
        let mut changed = ciphertext.clone();
        changed[5] ^= 1;
        let mut rejected = Vec::new();
        for choice in ProviderChoice::ALL {
            let key = PrivateKey::from_pkcs8_der(&info).unwrap().with_arithmetic(Arithmetic::new(choice));
            assert_eq!(key.decapsulate(&ciphertext).unwrap(), secret, "{name} by {choice}");
            rejected.push(key.decapsulate(&changed).unwrap());
            assert!(matches!(key.decapsulate(&ciphertext[1..]), Err(KeyError::BadParameters { .. })));
        }
        assert!(rejected[0] != secret && rejected[0] == rejected[1] && rejected[1] == rejected[2]);
    }
}

#[test]
fn keys_of_another_kind_are_refused() {
    let p256 = key("p256");
    assert!(matches!(p256.decapsulate(&[0; 768]), Err(KeyError::BadParameters { .. })));
    let found = rustcrypto().encapsulate(p256.public_key(), &mut SeededRandom::new("x"));
    assert!(matches!(found, Err(KeyError::BadPublicKey(_))));
    let read = |inner: &[u8]| PrivateKey::from_pkcs8_der(&private_key_info("608648016503040401", inner));
    for wrong in [tlv(0x80, &[5; 63]), tlv(0x04, &[0; 100]), tlv(0x04, &[0xff; 1632]), tlv(0x30, &[]), Vec::new()] {
        assert!(matches!(read(&wrong), Err(KeyError::NotAKey(_))));
    }
    let both = [tlv(0x04, &[5; 64]), tlv(0x04, &[0; 1632])].concat();
    assert!(matches!(read(&tlv(0x30, &both)), Err(KeyError::NotAKey(_))), "they differ");
}
