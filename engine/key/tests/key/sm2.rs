//! SM2: the examples of GM/T 0003.5, and OpenSSL on the other side.

use std::io::Cursor;

use waxseal_key::{
    Arithmetic, Decryptor, KeyError, PrivateKey, ProviderChoice, PublicKeyAlgorithm, SM2_DEFAULT_ID, SM2_MAX_ID_LEN,
    SeededRandom, SignatureScheme, Signer, Sm2Form, describe_public_key,
};

use crate::{
    aws_lc, hex,
    known_answers::{tlv, unhex},
    openssl::{Folder, openssl},
    rustcrypto,
};

const SM2: &str = "2a811ccf5501822d";
const EC: &str = "2a8648ce3d0201";

/// The key of GM/T 0003.5-2012, appendices A and C.
fn example() -> PrivateKey {
    let number = unhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
    let private = tlv(0x30, &[tlv(2, &[1]), tlv(4, &number)].concat());
    let algorithm = tlv(0x30, &[tlv(6, &unhex(EC)), tlv(6, &unhex(SM2))].concat());
    PrivateKey::from_pkcs8_der(&tlv(0x30, &[tlv(2, &[0]), algorithm, tlv(4, &private)].concat())).unwrap()
}

const X: &str = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020";
const Y: &str = "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";

fn signature(r: &[u8], s: &[u8]) -> Vec<u8> {
    let number = |octets: &[u8]| {
        let digits: Vec<u8> = octets.iter().copied().skip_while(|octet| *octet == 0).collect();
        let pad = digits.first().is_none_or(|first| first & 0x80 != 0);
        tlv(2, &[&[0][..usize::from(pad)], &digits].concat())
    };
    tlv(0x30, &[number(r), number(s)].concat())
}

fn verifies(key: &PrivateKey, id: &[u8], message: &[u8], signature: &[u8]) -> Result<bool, KeyError> {
    rustcrypto().verify_sm2(Signer::public_key(key), id, &mut Cursor::new(message), signature)
}

#[test]
fn the_public_key_and_the_signature_of_the_standard() {
    let key = example();
    assert_eq!((key.algorithm(), key.bits()), (&PublicKeyAlgorithm::Sm2, 256));
    assert!(hex(Signer::public_key(&key)).ends_with(&format!("04{X}{Y}")));
    // GM/T 0003.5-2012 appendix A: `message digest` under the usual identifier.
    let theirs = signature(
        &unhex("f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"),
        &unhex("b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"),
    );
    assert_eq!(verifies(&key, SM2_DEFAULT_ID, b"message digest", &theirs), Ok(true));
    assert_eq!(verifies(&key, SM2_DEFAULT_ID, b"message digesu", &theirs), Ok(false));
    assert_eq!(verifies(&key, b"1234567812345679", b"message digest", &theirs), Ok(false));
    assert_eq!(verifies(&key, b"", b"message digest", &theirs), Ok(false));
    let by_scheme = |arithmetic: Arithmetic| {
        let message = &mut Cursor::new(b"message digest");
        arithmetic.verify_message(Signer::public_key(&key), SignatureScheme::Sm2, message, &theirs)
    };
    assert_eq!(by_scheme(rustcrypto()), Ok(true));
    assert_eq!(by_scheme(Arithmetic::new(ProviderChoice::Auto)), Ok(true));
    assert!(matches!(by_scheme(aws_lc()), Err(KeyError::NotByThisProvider { .. })));
    // e of the example, which Z is in already.
    let e = unhex("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640");
    assert_eq!(rustcrypto().verify_sm2_digest(Signer::public_key(&key), &e, &theirs), Ok(true));
}

#[test]
fn the_ciphertext_of_the_standard_in_every_form() {
    // GM/T 0003.5-2012 appendix C: `encryption standard`.
    let c1 = "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73e8\
              58f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0";
    let c3 = "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766";
    let c2 = "21886ca989ca9c7d58087307ca93092d651efa";
    let (x, y) = (&c1[2..66], &c1[66..]);
    let asn1 = tlv(
        0x30,
        &[tlv(2, &unhex(x)), tlv(2, &unhex(&format!("00{y}"))), tlv(4, &unhex(c3)), tlv(4, &unhex(c2))].concat(),
    );
    let key = example();
    for (form, octets) in [
        (Sm2Form::Asn1, asn1),
        (Sm2Form::C1C3C2, unhex(&format!("{c1}{c3}{c2}"))),
        (Sm2Form::C1C2C3, unhex(&format!("{c1}{c2}{c3}"))),
        (Sm2Form::BareC1C3C2, unhex(&format!("{x}{y}{c3}{c2}"))),
        (Sm2Form::BareC1C2C3, unhex(&format!("{x}{y}{c2}{c3}"))),
        (Sm2Form::CompressedC1C3C2, unhex(&format!("02{x}{c3}{c2}"))),
        (Sm2Form::CompressedC1C2C3, unhex(&format!("02{x}{c2}{c3}"))),
    ] {
        let (plain, found) = key.unwrap_sm2(&octets).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!((&**plain, found), (&b"encryption standard"[..], form));
        // Every bit that is changed is noticed.
        for at in 0..octets.len() {
            let mut changed = octets.clone();
            changed[at] ^= 0x10;
            let failed = Err(KeyError::DecryptionFailed("sm2-encryption".to_owned()));
            assert_eq!(key.unwrap_sm2(&changed), failed, "{form}: octet {at}");
        }
        assert!(key.unwrap_sm2(&octets[..octets.len() - 1]).is_err());
    }
}

#[test]
fn what_is_written_in_a_form_is_read_in_it() {
    let key = example();
    for form in Sm2Form::ALL {
        for len in [1, 16, 32, 33, 100] {
            let plain = vec![5; len];
            let random = &mut SeededRandom::new(form.name());
            let wrapped = rustcrypto().wrap_sm2(Signer::public_key(&key), &plain, form, random).unwrap();
            assert_eq!(key.unwrap_sm2(&wrapped).map(|(plain, form)| (plain.to_vec(), form)), Ok((plain, form)));
        }
    }
    let random = &mut SeededRandom::new("nothing");
    assert!(rustcrypto().wrap_sm2(Signer::public_key(&key), &[], Sm2Form::Asn1, random).is_err());
    let lacking = aws_lc().wrap_sm2(Signer::public_key(&key), &[1; 16], Sm2Form::Asn1, random);
    assert!(matches!(lacking, Err(KeyError::NotByThisProvider { .. })));
}

#[test]
fn signatures_that_are_none() {
    let key = example();
    let n = unhex("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123");
    let one = [1];
    for (r, s) in [(&[0][..], &one[..]), (&one, &[0]), (&n, &one), (&one, &n)] {
        assert_eq!(verifies(&key, SM2_DEFAULT_ID, b"x", &signature(r, s)), Ok(false), "{} {}", hex(r), hex(s));
    }
    // r + s = n.
    let mut rest = n.clone();
    rest[31] -= 1;
    assert_eq!(verifies(&key, SM2_DEFAULT_ID, b"x", &signature(&one, &rest)), Ok(false));
    let good = key.sign_message(SignatureScheme::Sm2, &mut Cursor::new(b"x")).unwrap();
    assert_eq!(verifies(&key, SM2_DEFAULT_ID, b"x", &good), Ok(true));
    for changed in [good[..good.len() - 1].to_vec(), [&good[..], &[0]].concat(), Vec::new(), vec![0; 64]] {
        assert_eq!(verifies(&key, SM2_DEFAULT_ID, b"x", &changed), Ok(false));
    }
}

#[test]
fn the_identifier_is_the_signers() {
    let long = vec![b'x'; SM2_MAX_ID_LEN];
    for id in [&b""[..], b"ALICE123@YAHOO.COM", &[0xff, 0, 0x80], &long] {
        let key = example().with_sm2_id(id).unwrap();
        let signed = key.sign_message(SignatureScheme::Sm2, &mut Cursor::new(b"text")).unwrap();
        assert_eq!(verifies(&key, id, b"text", &signed), Ok(true));
        assert_eq!(verifies(&key, SM2_DEFAULT_ID, b"text", &signed), Ok(false));
    }
    assert!(example().with_sm2_id(&[0; SM2_MAX_ID_LEN + 1]).is_err());
    assert!(verifies(&example(), &[0; SM2_MAX_ID_LEN + 1], b"text", &[]).is_err());
}

#[test]
fn points_that_are_none_and_other_kinds_of_key() {
    let key = example();
    let good = Signer::public_key(&key).to_vec();
    let mut off = good.clone();
    *off.last_mut().unwrap() ^= 1;
    let random = &mut SeededRandom::new("off");
    for (what, bad) in [("off the curve", off), ("infinity", spki(&[0])), ("too short", spki(&[4; 64]))] {
        let message = &mut Cursor::new(b"x");
        let refused = rustcrypto().verify_sm2(&bad, SM2_DEFAULT_ID, message, &[0x30, 0]);
        assert!(matches!(refused, Err(KeyError::BadPublicKey(_))), "{what}");
        let refused = rustcrypto().wrap_sm2(&bad, &[1; 16], Sm2Form::Asn1, random);
        assert!(matches!(refused, Err(KeyError::BadPublicKey(_))), "{what}");
    }
    let p256 = crate::key("p256");
    assert!(rustcrypto().verify_sm2(Signer::public_key(&p256), b"", &mut Cursor::new(b""), &[]).is_err());
    assert!(p256.unwrap_sm2(&[4; 128]).is_err());
    assert!(p256.sign_message(SignatureScheme::Sm2, &mut Cursor::new(b"")).is_err());
    assert!(p256.sign_sm2_digest(&[0; 32]).is_err());
    assert!(key.sign_digest(SignatureScheme::Ecdsa, waxseal_key::DigestAlgorithm::Sha256, &[0; 32]).is_err());
}

/// A point under id-ecPublicKey.
fn spki(point: &[u8]) -> Vec<u8> {
    let algorithm = tlv(0x30, &[tlv(6, &unhex(EC)), tlv(6, &unhex(SM2))].concat());
    tlv(0x30, &[algorithm, tlv(3, &[&[0], point].concat())].concat())
}

#[test]
fn a_key_whose_algorithm_is_named_by_the_curve() {
    let point = unhex(&format!("04{X}{Y}"));
    let signed = example().sign_message(SignatureScheme::Sm2, &mut Cursor::new(b"x")).unwrap();
    for parameters in [vec![], vec![5, 0], tlv(6, &unhex(SM2))] {
        let algorithm = tlv(0x30, &[tlv(6, &unhex(SM2)), parameters].concat());
        let spki = tlv(0x30, &[algorithm, tlv(3, &[&[0], &point[..]].concat())].concat());
        let info = describe_public_key(&spki).unwrap();
        assert_eq!((info.algorithm, info.bits), (PublicKeyAlgorithm::Sm2, 256));
        assert_eq!(rustcrypto().verify_sm2(&spki, SM2_DEFAULT_ID, &mut Cursor::new(b"x"), &signed), Ok(true));
    }
}

#[test]
fn openssl_signs_and_encrypts_the_same() {
    let Some(folder) = Folder::with_openssl("sm2") else { return };
    let private = folder.path("private.pem");
    openssl(&["genpkey", "-algorithm", "SM2", "-out", &private]);
    let public = folder.path("public.pem");
    openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
    let read = || PrivateKey::from_pem(&std::fs::read_to_string(&private).unwrap(), None).unwrap();
    let message = folder.file("message", b"signed by one, verified by the other");
    let octets = std::fs::read(&message).unwrap();
    for id in ["1234567812345678", "someone@example.com"] {
        let option = format!("distid:{id}");
        let theirs = folder.path("theirs");
        openssl(&["dgst", "-sm3", "-sign", &private, "-sigopt", &option, "-out", &theirs, &message]);
        let key = read().with_sm2_id(id.as_bytes()).unwrap();
        assert_eq!(verifies(&key, id.as_bytes(), &octets, &std::fs::read(&theirs).unwrap()), Ok(true), "{id}");
        let ours = key.sign_message(SignatureScheme::Sm2, &mut Cursor::new(&octets)).unwrap();
        let ours = folder.file("ours", &ours);
        let said = openssl(&["dgst", "-sm3", "-verify", &public, "-sigopt", &option, "-signature", &ours, &message]);
        assert!(said.contains("Verified OK"), "{id}: {said}");
    }
    // Without an identifier OpenSSL's is empty.
    let theirs = folder.path("theirs");
    openssl(&["dgst", "-sm3", "-sign", &private, "-out", &theirs, &message]);
    let theirs = std::fs::read(&theirs).unwrap();
    assert_eq!(verifies(&read(), b"", &octets, &theirs), Ok(true));
    assert_eq!(verifies(&read(), SM2_DEFAULT_ID, &octets, &theirs), Ok(false));

    let content_key = folder.file("key", &[9; 16]);
    let (theirs, back) = (folder.path("wrapped"), folder.path("back"));
    openssl(&["pkeyutl", "-encrypt", "-inkey", &private, "-in", &content_key, "-out", &theirs]);
    let (plain, form) = read().unwrap_sm2(&std::fs::read(theirs).unwrap()).unwrap();
    assert_eq!((plain.to_vec(), form), (vec![9; 16], Sm2Form::Asn1));
    for seed in 0..8 {
        let random = &mut SeededRandom::new(&format!("sm2 {seed}"));
        let ours = rustcrypto().wrap_sm2(Signer::public_key(&read()), &[7; 32], Sm2Form::Asn1, random).unwrap();
        let ours = folder.file("ours", &ours);
        openssl(&["pkeyutl", "-decrypt", "-inkey", &private, "-in", &ours, "-out", &back]);
        assert_eq!(std::fs::read(&back).unwrap(), [7; 32]);
    }
}

#[test]
fn agreement_on_the_curve() {
    let key = example();
    for choice in [ProviderChoice::Auto, ProviderChoice::RustCrypto] {
        let arithmetic = Arithmetic::new(choice);
        let random = &mut SeededRandom::new("agreement");
        let (spki, secret) = arithmetic.agree_ephemeral(Signer::public_key(&key), random).unwrap();
        assert_eq!(key.agree(&spki).unwrap(), secret);
        assert_eq!(secret.len(), 32);
    }
    let lacking = aws_lc().agree_ephemeral(Signer::public_key(&key), &mut SeededRandom::new("agreement"));
    assert!(matches!(lacking, Err(KeyError::NotByThisProvider { .. })));
}
