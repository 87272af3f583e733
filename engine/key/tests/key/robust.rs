//! Nothing that stands in a message or a file makes this crate panic.

use std::io::Cursor;

use proptest::prelude::*;
use waxseal_key::{
    AeadCipher, Arithmetic, ContentCipher, Decryptor, DigestAlgorithm, OaepParameters, PrivateKey, PssParameters,
    SeededRandom, SignatureScheme, Signer, describe_public_key, with_inherited_parameters,
};

use crate::{
    agreement::x25519_key,
    key,
    known_answers::{private_key_info, tlv},
};

/// One key of each kind.
fn keys() -> Vec<PrivateKey> {
    let seeded =
        |oid: &str, len| PrivateKey::from_pkcs8_der(&private_key_info(oid, &tlv(0x80, &vec![5; len]))).unwrap();
    let mut keys: Vec<PrivateKey> =
        ["rsa512", "rsa1024", "rsa-pss-sha256", "p256", "p384", "p521", "ed25519"].map(key).into();
    keys.push(x25519_key(&[7; 32]));
    keys.push(PrivateKey::from_pkcs8_der(&private_key_info("2b6571", &tlv(0x04, &[7; 57]))).unwrap());
    keys.extend(["608648016503040311", "608648016503040312"].map(|oid| seeded(oid, 32)));
    keys.extend(["608648016503040401", "608648016503040402"].map(|oid| seeded(oid, 64)));
    keys
}

/// One octet set, and the end cut off.
fn damage(octets: &[u8], at: usize, value: u8, keep: usize) -> Vec<u8> {
    let mut changed = octets.to_vec();
    changed[at % octets.len()] = value;
    changed.truncate(octets.len() - if keep.is_multiple_of(4) { keep % octets.len() } else { 0 });
    changed
}

fn use_public(spki: &[u8]) {
    let _ = describe_public_key(spki);
    let _ = with_inherited_parameters(spki, spki);
    for arithmetic in waxseal_key::ProviderChoice::ALL.map(Arithmetic::new) {
        let random = &mut SeededRandom::new("x");
        let _ = arithmetic.wrap_rsa_pkcs1(spki, &[1; 16], random);
        let _ = arithmetic.wrap_rsa_oaep(spki, &[1; 16], &OaepParameters::usual(DigestAlgorithm::Sha1), random);
        let _ = arithmetic.agree_ephemeral(spki, random);
        let _ = arithmetic.encapsulate(spki, random);
        for scheme in SignatureScheme::ALL {
            let _ = arithmetic.verify_digest(spki, scheme, DigestAlgorithm::Sha256, &[1; 32], &[2; 64]);
            let _ = arithmetic.verify_message(spki, scheme, &mut Cursor::new(b"x"), &[2; 64]);
        }
    }
}

fn use_private(key: &PrivateKey) {
    let value = [1; 32];
    for scheme in SignatureScheme::ALL {
        let _ = key.sign_digest(scheme, DigestAlgorithm::Sha256, &value);
        let _ = key.sign_message(scheme, &mut Cursor::new(b"x"));
    }
    let _ = key.unwrap_rsa_oaep(&[1; 128], &OaepParameters::usual(DigestAlgorithm::Sha1));
    let _ = key.decapsulate(&[1; 768]);
    let _ = key.agree(key.public_key());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn damaged_keys_are_used_or_refused(at in any::<usize>(), value in any::<u8>(), keep in any::<usize>()) {
        for key in keys() {
            // The front holds the structure, and is hit too seldom otherwise.
            for at in [at, at % 40] {
                use_public(&damage(key.public_key(), at, value, keep));
                if let Ok(key) = PrivateKey::from_pkcs8_der(&damage(&key.to_pkcs8_der(), at, value, keep)) {
                    use_private(&key);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn any_parameters_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
        let octets = [octets.clone(), tlv(0x30, &octets)];
        for octets in &octets {
            let _ = PssParameters::from_der(Some(octets));
            let _ = OaepParameters::from_der(Some(octets));
            for cipher in ContentCipher::ALL {
                let _ = ContentCipher::from_identifier(cipher.oid(), Some(octets));
            }
            for cipher in AeadCipher::ALL {
                let _ = cipher.read_parameters(Some(octets));
            }
            let _ = PrivateKey::from_pkcs8_der(octets);
            let _ = PrivateKey::from_sm2_enveloped(octets, &key("sm2"));
            let _ = describe_public_key(octets);
        }
    }
}
