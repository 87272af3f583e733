//! SM3 and SM4 in everything that is built of them.

use waxseal_key::{AeadCipher, AeadSetup, ContentCipher, DigestAlgorithm, KeyError, KeyWrap, SeededRandom};
use waxseal_key::{SignatureScheme, Signer, algorithm};

use crate::{
    aws_lc, hex, key,
    known_answers::unhex,
    openssl::{Folder, openssl},
    rustcrypto,
};

/// GB/T 32905 appendix A.2: sixteen times `abcd`.
#[test]
fn a_digest_of_a_whole_block() {
    let value = rustcrypto().digest(DigestAlgorithm::Sm3, &b"abcd".repeat(16)).unwrap();
    assert_eq!(hex(&value), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
}

/// GB/T 32907 appendix A.2: a block encrypted a million times. In CBC mode every
/// block of zeros encrypts the ciphertext before it once more.
#[test]
fn a_million_encryptions() {
    let block = unhex(KEY);
    let mut mode = rustcrypto().cbc_encryptor(ContentCipher::Sm4Cbc, &block, &[0; 16]).unwrap();
    let mut octets = vec![0; 16 * 1_000_000];
    octets[..16].copy_from_slice(&block);
    mode.process(&mut octets);
    assert_eq!(hex(&octets[octets.len() - 16..]), "595298c7c6fd271f0402f804c33d3f66");
}

const KEY: &str = "0123456789abcdeffedcba9876543210";

/// RFC 8998 appendix A.1 and A.2: one content in both modes.
#[test]
fn authenticated_ciphers() {
    let plain = unhex(
        "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd\
         eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
    );
    let (key, nonce) = (unhex(KEY), unhex("00001234567800000000abcd"));
    let additional = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    for (cipher, wanted, tag) in [
        (
            AeadCipher::Sm4Gcm,
            "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
             d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d",
            "83de3541e4c2b58177e065a9bf7b62ec",
        ),
        (
            AeadCipher::Sm4Ccm,
            "48af93501fa62adbcd414cce6034d895dda1bf8f132f042098661572e7483094\
             fd12e518ce062c98acee28d95df4416bed31a2f04476c18bb40c84a74b97dc5b",
            "16842d4fa186f56ab33256971fa110f4",
        ),
    ] {
        let content_len = Some(plain.len() as u64);
        let setup = AeadSetup { cipher, key: &key, nonce: &nonce, additional: &additional, tag_len: 16, content_len };
        let mut octets = plain.clone();
        let mut sealer = rustcrypto().aead_sealer(&setup).unwrap();
        octets.chunks_mut(33).for_each(|piece| sealer.process(piece).unwrap());
        assert_eq!((hex(&octets).as_str(), hex(&sealer.finish().unwrap()).as_str()), (wanted, tag), "{cipher}");
        let mut opener = rustcrypto().aead_opener(&setup).unwrap();
        opener.process(&mut octets).unwrap();
        assert_eq!(opener.finish(&unhex(tag)), Ok(()));
        assert!(octets == plain, "{cipher}");
    }
}

/// What Bouncy Castle 1.72 makes of these keys: `RFC3394WrapEngine` over `SM4Engine`.
#[test]
fn wrapped_keys() {
    let whole = "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f";
    for (len, wanted) in [
        (16, "2f92140188bb01970a726046b111c5fa427ced34d73dcab8"),
        (24, "5a825ad1efecd64d5f44dd8dbd9676a5195b0cb135cf50477fe5ce65f2d73e16"),
        (32, "375a6f7f6da43bce006903d7f727f731afca0a87289bade961b42204e02cc9988673a861aaa56d5e"),
    ] {
        let (kek, key) = (unhex(KEY), unhex(&whole[..2 * len]));
        let wrapped = rustcrypto().wrap_key(KeyWrap::Sm4, &kek, &key, &mut SeededRandom::new("unused")).unwrap();
        assert_eq!(hex(&wrapped), wanted);
        assert_eq!(*rustcrypto().unwrap_key(KeyWrap::Sm4, &kek, &wrapped).unwrap(), key);
        let mut changed = wrapped;
        changed[len] ^= 1;
        let refused = Err(KeyError::DecryptionFailed("sm4-wrap".to_owned()));
        assert_eq!(rustcrypto().unwrap_key(KeyWrap::Sm4, &kek, &changed), refused);
    }
}

#[test]
fn macs_and_derived_keys_of_openssl() {
    let Some(folder) = Folder::with_openssl("sm3_macs") else { return };
    let message = folder.file("message", b"abc");
    for key in ["", "30313233", &"5a".repeat(65)] {
        let mut mac = rustcrypto().mac(DigestAlgorithm::Sm3, &unhex(key)).unwrap();
        mac.update(b"abc");
        let option = format!("hexkey:{key}");
        let theirs = openssl(&["mac", "-digest", "SM3", "-macopt", &option, "-in", &message, "HMAC"]);
        assert_eq!(hex(&mac.finish()), theirs.trim().to_ascii_lowercase(), "key {key}");
    }
    for (len, iterations) in [(16, "2"), (50, "1000")] {
        let ours = rustcrypto().pbkdf2(DigestAlgorithm::Sm3, b"password", b"salt", iterations.parse().unwrap(), len);
        let (keylen, rounds) = (len.to_string(), format!("iter:{iterations}"));
        let theirs = openssl(&[
            "kdf",
            "-keylen",
            &keylen,
            "-kdfopt",
            "digest:SM3",
            "-kdfopt",
            "pass:password",
            "-kdfopt",
            "salt:salt",
            "-kdfopt",
            &rounds,
            "PBKDF2",
        ]);
        assert_eq!(hex(&ours.unwrap()), theirs.trim().replace(':', "").to_ascii_lowercase());
    }
}

/// OpenSSL takes the bare RSA operation off, and gives back the DigestInfo.
#[test]
fn rsa_with_sm3() {
    let scheme = SignatureScheme::RsaPkcs1;
    assert_eq!(algorithm::signature_oid(scheme, DigestAlgorithm::Sm3), "1.2.156.10197.1.504");
    let rsa = key("rsa2048");
    let value = rustcrypto().digest(DigestAlgorithm::Sm3, b"abc").unwrap();
    let signature = rsa.sign_digest(scheme, DigestAlgorithm::Sm3, &value).unwrap();
    let good = waxseal_key::Arithmetic::default().verify_digest(
        rsa.public_key(),
        scheme,
        DigestAlgorithm::Sm3,
        &value,
        &signature,
    );
    assert_eq!(good, Ok(true));
    let by_aws_lc = aws_lc().verify_digest(rsa.public_key(), scheme, DigestAlgorithm::Sm3, &value, &signature);
    assert!(matches!(by_aws_lc, Err(KeyError::NotByThisProvider { .. })));

    let Some(folder) = Folder::with_openssl("rsa_with_sm3") else { return };
    let (ours, public, out) = (folder.file("ours", &signature), folder.path("public.der"), folder.path("out"));
    std::fs::write(&public, rsa.public_key()).unwrap();
    openssl(&["pkeyutl", "-verifyrecover", "-pubin", "-keyform", "DER", "-inkey", &public, "-in", &ours, "-out", &out]);
    // DigestInfo (RFC 8017 section 9.2) with id-sm3 and NULL.
    let info = format!("3030300c06082a811ccf5501831105000420{}", hex(&value));
    assert_eq!(hex(&std::fs::read(out).unwrap()), info);
}
