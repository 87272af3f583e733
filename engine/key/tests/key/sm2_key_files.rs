//! Keys of SM2 in the files that others write.

use waxseal_key::{
    Decryptor, KeyError, PasswordLimits, PrivateKey, PublicKeyAlgorithm, SeededRandom, Sm2Form, pkcs12, same_public_key,
};

use crate::{
    data, hex, key,
    known_answers::{self, tlv, unhex},
    openssl::{Folder, key_file, openssl},
    pem, rustcrypto,
};

const CURVE: &str = "1.2.156.10197.1.301";

/// `openssl pkcs8 -topk8 -v2 sm4-cbc`, the same with `-scrypt`, and `gmssl
/// sm2keygen` of GmSSL 3.1.1, which derives with HMAC-SM3.
#[test]
fn keys_under_sm4() {
    let own = key("sm2");
    // What `gmssl sm2keygen` wrote as the public key.
    let of_gmssl = "4e7bc1587f120cda2fa5c891e3cd4673005a81ff24160e1578169fb6a567b4a5\
                    0da71cd02d6f0dc6b8628a8d245a4b8a247f6a630d84efeacff08a5aaf287dd3";
    for (name, wanted) in [("sm2-sm4", None), ("sm2-sm4-scrypt", None), ("sm2-gmssl", Some(of_gmssl))] {
        let found = PrivateKey::from_pem(&pem(name), Some("secret")).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.algorithm(), &PublicKeyAlgorithm::Sm2, "{name}");
        match wanted {
            None => assert_eq!(found.public_key(), own.public_key(), "{name}"),
            Some(point) => assert!(hex(found.public_key()).ends_with(&format!("04{point}")), "{name}"),
        }
        assert_eq!(PrivateKey::from_pem(&pem(name), Some("wrong")).unwrap_err(), KeyError::WrongPassword, "{name}");
        // 65536 rounds, 2048, or what scrypt takes for 16384 times 8.
        let limits = PasswordLimits { iterations: 2000, ..PasswordLimits::default() };
        let error = PrivateKey::from_pem_within(&pem(name), Some("secret"), limits).unwrap_err().to_string();
        assert!(error.contains("2000 are left"), "{name}: {error}");
    }
}

/// `openssl pkcs12 -keypbe sm4-cbc -certpbe sm4-cbc -macalg sm3`.
#[test]
fn a_pkcs12_file_under_sm4_and_sm3() {
    let file = pkcs12::open(&data("sm2-sm4.p12"), "secret").unwrap();
    assert_eq!((file.keys.len(), file.certificates.len()), (1, 1));
    assert_eq!(file.keys[0].public_key(), key("sm2").public_key());
    assert_eq!(pkcs12::open(&data("sm2-sm4.p12"), "wrong").unwrap_err(), KeyError::WrongPassword);
}

/// The key and the SM2EnvelopedKey in the tests of gmsm (sm2_envelopedkey_test.go
/// at 0f3d7670), which names SM4-CBC there to be refused; what it names is
/// changed here to what it means.
#[test]
fn the_enveloped_key_of_gmsm() {
    let opener = known_answers::ec_key(CURVE, "5cbd96822bb1491ec835ae9c09d4d3825e30bd9955e3c7031fbbe0e72d6fddf6");
    let refused = unhex(
        "3081ef300c06082a811ccf55016802050030780220760c5d4eb80f7ec4bb12026586e4badcd41c293b416618575894d9278214aa6c\
         02203fea869801f94f1cf3839e9b666482703c86cef160af8a540daf9c6b9adff5b20420685f05616055daf4948e44d76c366b1674\
         5f7a487614c0542d16871baa34be8704104abfcab6cea65caf2c130b222ebe519903420004944a5887f6fad9808516755e81c62f41\
         566dab0f56ca55ad7909880acc051ce157694b11557eba725291166508868e6988c596a30472bef32e03a3dcef6866270321003ec6\
         b59fece00ca37336c12f6d529aa84be07597e315eda1b7b58b0bef2fead9",
    );
    assert!(PrivateKey::is_sm2_enveloped(&refused));
    let error = PrivateKey::from_sm2_enveloped(&refused, &opener).unwrap_err().to_string();
    assert!(error.contains("sm4-cbc (1.2.156.10197.1.104.2) in an SM2EnvelopedKey"), "{error}");
    let mut ecb = refused;
    ecb[14] = 1;
    let found = PrivateKey::from_sm2_enveloped(&ecb, &opener).unwrap();
    assert!(hex(found.public_key()).contains("944a5887f6fad9808516755e81c62f41566dab0f56ca55ad7909880acc051ce1"));
    // To its end it is guarded: what is encrypted by its public key, the rest by the key beside it.
    for at in 0..ecb.len() {
        let mut changed = ecb.clone();
        changed[at] ^= 0x21;
        if let Ok(other) = PrivateKey::from_sm2_enveloped(&changed, &opener) {
            assert!((15..17).contains(&at), "octet {at} is the parameters and nothing else");
            assert_eq!(other.public_key(), found.public_key());
        }
        assert!(PrivateKey::from_sm2_enveloped(&ecb[..at], &opener).is_err());
    }
    let stranger = key("sm2");
    let error = PrivateKey::from_sm2_enveloped(&ecb, &stranger).unwrap_err();
    assert_eq!(error, KeyError::DecryptionFailed("sm2-encryption".to_owned()));
    assert!(matches!(PrivateKey::from_sm2_enveloped(&ecb, &key("rsa2048")), Err(KeyError::Refused(_))));
}

/// What is written is opened by OpenSSL piece by piece, and what is put
/// together of its pieces is read.
#[test]
fn enveloped_keys_cross() {
    let Some(folder) = Folder::with_openssl("enveloped_keys") else { return };
    let number = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
    let (signing, encrypting) = (key("sm2"), known_answers::ec_key(CURVE, number));
    let ours = encrypting.to_sm2_enveloped(signing.public_key(), &mut SeededRandom::new("enveloped")).unwrap();
    let again = PrivateKey::from_sm2_enveloped(&ours, &signing).unwrap();
    assert_eq!(again.public_key(), encrypting.public_key());
    assert!(key("p256").to_sm2_enveloped(signing.public_key(), &mut SeededRandom::new("x")).is_err());
    assert!(encrypting.to_sm2_enveloped(key("p256").public_key(), &mut SeededRandom::new("x")).is_err());

    // SEQUENCE { SEQUENCE { OID, NULL } of 14 octets, SM2Cipher, BIT STRING of 68, BIT STRING of 35 }.
    let header = ours.len() - 3 - usize::from(ours[2]) + 3;
    let cipher = &ours[header + 14..ours.len() - 68 - 35];
    let (encrypted, out) = (folder.file("encrypted", cipher), folder.path("key"));
    let decrypt = ["pkeyutl", "-decrypt", "-inkey", &key_file("sm2"), "-in", &encrypted, "-out", &out];
    openssl(&decrypt);
    let sm4_key = hex(&std::fs::read(&out).unwrap());
    let (private, plain) = (folder.file("private", &ours[ours.len() - 32..]), folder.path("number"));
    openssl(&["enc", "-d", "-sm4-ecb", "-nopad", "-K", &sm4_key, "-in", &private, "-out", &plain]);
    assert_eq!(hex(&std::fs::read(&plain).unwrap()), number);

    let public = folder.path("public.pem");
    openssl(&["pkey", "-in", &key_file("sm2"), "-pubout", "-out", &public]);
    let (sm4_key, number) = (folder.file("sm4", &[0x5a; 16]), folder.file("plain", &unhex(number)));
    openssl(&["pkeyutl", "-encrypt", "-pubin", "-inkey", &public, "-in", &sm4_key, "-out", &encrypted]);
    let bits = |octets: &[u8]| tlv(3, &[&[0], octets].concat());
    let point = &encrypting.public_key()[encrypting.public_key().len() - 65..];
    for (oid, options) in [
        ("2a811ccf55016801", &["-nopad"][..]),
        // The bare identifier, and a padding.
        ("2a811ccf550168", &[]),
    ] {
        let arguments = ["enc", "-e", "-sm4-ecb", "-K", &"5a".repeat(16), "-in", &number, "-out", &private];
        openssl(&[&arguments[..], options].concat());
        let fields = [
            tlv(0x30, &tlv(6, &unhex(oid))),
            std::fs::read(&encrypted).unwrap(),
            bits(point),
            bits(&std::fs::read(&private).unwrap()),
        ];
        let theirs = PrivateKey::from_sm2_enveloped(&tlv(0x30, &fields.concat()), &signing).unwrap();
        assert_eq!(theirs.public_key(), encrypting.public_key(), "{oid}");
    }
}

#[test]
fn a_public_key_under_two_identifiers_is_the_same() {
    let own = key("sm2");
    let spki = own.public_key();
    let point = &spki[spki.len() - 66..];
    let curve = tlv(6, &unhex("2a811ccf5501822d"));
    let under_itself = tlv(0x30, &[tlv(0x30, &[&curve[..], &curve].concat()), tlv(3, point)].concat());
    assert!(same_public_key(spki, &under_itself) && same_public_key(&under_itself, spki));
    assert!(same_public_key(&under_itself, &under_itself));
    let wrapped = rustcrypto().wrap_sm2(&under_itself, &[7; 16], Sm2Form::Asn1, &mut SeededRandom::new("x")).unwrap();
    assert_eq!(*own.unwrap_sm2(&wrapped).unwrap().0, [7; 16]);
    let other = known_answers::ec_key(CURVE, "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
    assert!(!same_public_key(other.public_key(), &under_itself));
    // The same octets as a point of another curve are another key.
    let as_p256 = tlv(
        0x30,
        &[tlv(0x30, &[tlv(6, &unhex("2a8648ce3d0201")), tlv(6, &unhex("2a8648ce3d030107"))].concat()), tlv(3, point)]
            .concat(),
    );
    assert!(!same_public_key(&as_p256, spki) && !same_public_key(b"", spki));
}
