//! Signatures over messages themselves, and DSA.

use std::io::{Cursor, Read, Seek, SeekFrom};

use waxseal_key::{
    Arithmetic, DigestAlgorithm, KeyError, PrivateKey, ProviderChoice, SignatureScheme, Signer, describe_public_key,
    with_inherited_parameters,
};
use waxseal_testing::shared;

use crate::{
    aws_lc, hex, key,
    known_answers::{private_key_info, public_key_info, tlv, unhex},
    openssl::{Folder, key_file, openssl},
    rustcrypto,
};

/// RFC 8032 section 7.1: seed, public key, message, signature.
const RFC_8032: &[[&str; 4]] = &[
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
         d25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c\
         387b2eaeb4302aeeb00d291612bb0c00",
    ],
];

#[test]
fn ed25519_of_rfc_8032() {
    for [seed, public, message, signature] in RFC_8032 {
        let info = private_key_info("2b6570", &tlv(0x04, &unhex(seed)));
        for choice in ProviderChoice::ALL {
            let key = PrivateKey::from_pkcs8_der(&info).unwrap().with_arithmetic(Arithmetic::new(choice));
            assert_eq!(hex(key.public_key()), hex(&public_key_info("2b6570", &unhex(public))));
            let scheme = key.signature_scheme().unwrap();
            let found = key.sign_message(scheme, &mut Cursor::new(unhex(message))).unwrap();
            assert_eq!(hex(&found), *signature, "{choice}");
            let verify = |message: &[u8]| {
                Arithmetic::new(choice).verify_message(key.public_key(), scheme, &mut Cursor::new(message), &found)
            };
            assert_eq!((verify(&unhex(message)), verify(b"other")), (Ok(true), Ok(false)), "{choice}");
        }
    }
}

#[test]
fn ed448_crosses() {
    let Some(folder) = Folder::with_openssl("ed448_crosses") else { return };
    let private = folder.path("private.pem");
    openssl(&["genpkey", "-algorithm", "ED448", "-out", &private]);
    let read = || PrivateKey::from_pem(&std::fs::read_to_string(&private).unwrap(), None).unwrap();
    let (ours, public) = (read(), folder.path("public.der"));
    openssl(&["pkey", "-in", &private, "-pubout", "-outform", "DER", "-out", &public]);
    assert_eq!(hex(ours.public_key()), hex(&std::fs::read(public).unwrap()));
    assert_eq!((ours.signature_scheme(), ours.bits()), (Some(SignatureScheme::Ed448), 448));
    for len in [1, 300_000] {
        let octets: Vec<u8> = (0..len).map(|at: u32| at as u8).collect();
        let (message, theirs) = (folder.file("message", &octets), folder.path("theirs"));
        openssl(&["pkeyutl", "-sign", "-rawin", "-inkey", &private, "-in", &message, "-out", &theirs]);
        let theirs = std::fs::read(theirs).unwrap();
        let sign = |key: PrivateKey| key.sign_message(SignatureScheme::Ed448, &mut Cursor::new(&octets));
        assert_eq!(sign(read()).unwrap(), theirs, "{len}");
        assert!(matches!(sign(read().with_arithmetic(aws_lc())), Err(KeyError::NotByThisProvider { .. })));
        let verify = |octets: &[u8]| {
            let message = &mut Cursor::new(octets);
            Arithmetic::default().verify_message(ours.public_key(), SignatureScheme::Ed448, message, &theirs)
        };
        assert_eq!((verify(&octets), verify(b"other")), (Ok(true), Ok(false)), "{len}");
    }
}

#[test]
fn ed25519_crosses() {
    let Some(folder) = Folder::with_openssl("ed25519_crosses") else { return };
    let (ours, private) = (key("ed25519"), key_file("ed25519"));
    let public = folder.path("public.pem");
    openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
    for len in [1, 300_000] {
        let octets: Vec<u8> = (0..len).map(|at: u32| at as u8).collect();
        let (message, theirs) = (folder.file("message", &octets), folder.path("theirs"));
        openssl(&["pkeyutl", "-sign", "-rawin", "-inkey", &private, "-in", &message, "-out", &theirs]);
        let theirs = std::fs::read(theirs).unwrap();
        let mut file = std::fs::File::open(&message).unwrap();
        assert_eq!(ours.sign_message(SignatureScheme::Ed25519, &mut file).unwrap(), theirs, "{len}");
        file.rewind().unwrap();
        let verified =
            Arithmetic::default().verify_message(ours.public_key(), SignatureScheme::Ed25519, &mut file, &theirs);
        assert_eq!(verified, Ok(true), "{len}");
        let one_piece =
            aws_lc().verify_message(ours.public_key(), SignatureScheme::Ed25519, &mut Cursor::new(&octets), &theirs);
        assert_eq!(one_piece.is_err(), len > 65536, "aws-lc takes short messages only: {one_piece:?}");
    }
}

#[test]
fn a_message_is_taken_from_where_it_stands() {
    let key = key("ed25519");
    let mut message = Cursor::new(b"passed over, signed".to_vec());
    message.set_position(13);
    let signature = key.sign_message(SignatureScheme::Ed25519, &mut message).unwrap();
    let whole = &mut Cursor::new(b"signed".to_vec());
    let verified = rustcrypto().verify_message(key.public_key(), SignatureScheme::Ed25519, whole, &signature);
    assert_eq!(verified, Ok(true));
}

/// A message that is another one each time it is read.
struct Changing(Cursor<Vec<u8>>);

impl Read for Changing {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(out)
    }
}

impl Seek for Changing {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        if matches!(to, SeekFrom::Start(_)) {
            self.0.get_mut()[0] += 1;
        }
        self.0.seek(to)
    }
}

#[test]
fn a_message_that_changes_is_not_signed() {
    let changing = || Changing(Cursor::new(vec![0; 100_000]));
    let mut message = changing();
    let error = key("ed25519").sign_message(SignatureScheme::Ed25519, &mut message).unwrap_err();
    assert!(matches!(error, KeyError::Unreadable(_)), "{error}");
    let ed448 = PrivateKey::from_pkcs8_der(&private_key_info("2b6571", &tlv(0x04, &[7; 57]))).unwrap();
    let error = ed448.sign_message(SignatureScheme::Ed448, &mut changing()).unwrap_err();
    assert!(matches!(error, KeyError::Unreadable(_)), "{error}");
}

#[test]
fn points_that_everyone_can_sign_for_are_refused() {
    // The neutral element, in its own encoding and in another one; a point of order four.
    let mut again = [0xff; 32];
    (again[0], again[31]) = (0xee, 0x7f);
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut neutral_448 = [0; 57];
    neutral_448[0] = 1;
    // The same with a bit that no encoding has, and a point of order four.
    let mut again_448 = neutral_448;
    again_448[56] = 1;
    for point in [neutral_448, again_448, [0; 57], [0xff; 57]] {
        let spki = public_key_info("2b6571", &point);
        let message = &mut Cursor::new(b"x");
        let found = rustcrypto().verify_message(&spki, SignatureScheme::Ed448, message, &[0; 114]);
        assert!(matches!(found, Err(KeyError::BadPublicKey(_))), "{}", hex(&point));
    }
    for point in [neutral, again, [0; 32], [0xff; 32]] {
        for choice in ProviderChoice::ALL {
            let spki = public_key_info("2b6570", &point);
            let found = Arithmetic::new(choice).verify_message(
                &spki,
                SignatureScheme::Ed25519,
                &mut Cursor::new(b"x"),
                &[0; 64],
            );
            assert!(matches!(found, Err(KeyError::BadPublicKey(_))), "{choice}: {}", hex(&point));
        }
    }
}

#[test]
fn digests_and_messages_are_told_apart() {
    let (rsa, ed25519) = (key("rsa2048"), key("ed25519"));
    let message = &mut Cursor::new(b"x");
    let scheme = SignatureScheme::RsaPkcs1;
    assert!(matches!(rsa.sign_message(scheme, message), Err(KeyError::UnknownAlgorithm(_))));
    let found = rustcrypto().verify_message(rsa.public_key(), scheme, message, &[]);
    assert!(matches!(found, Err(KeyError::UnknownAlgorithm(_))));
    let (scheme, digest) = (SignatureScheme::Ed25519, DigestAlgorithm::Sha512);
    assert!(matches!(ed25519.sign_digest(scheme, digest, &[0; 64]), Err(KeyError::UnknownAlgorithm(_))));
    let found = rustcrypto().verify_digest(ed25519.public_key(), scheme, digest, &[0; 64], &[]);
    assert!(matches!(found, Err(KeyError::UnknownAlgorithm(_))));
    assert!(matches!(rsa.sign_message(scheme, message), Err(KeyError::BadParameters { .. })));
    assert!(matches!(
        rustcrypto().verify_message(rsa.public_key(), scheme, message, &[0; 64]),
        Err(KeyError::BadPublicKey(_))
    ));
}

#[test]
fn ml_dsa_keys_in_their_three_forms() {
    for (scheme, oid, expanded_len) in [
        (SignatureScheme::MlDsa44, "608648016503040311", 2560),
        (SignatureScheme::MlDsa65, "608648016503040312", 4032),
        (SignatureScheme::MlDsa87, "608648016503040313", 4896),
    ] {
        let read = |inner: &[u8]| PrivateKey::from_pkcs8_der(&private_key_info(oid, inner));
        let seed = [5; 32];
        let of_seed = read(&tlv(0x80, &seed)).unwrap();
        assert_eq!((of_seed.algorithm().name(), of_seed.signature_scheme()), (scheme.name(), Some(scheme)));
        let message = b"a message of more than one piece".repeat(5000);
        let signature = of_seed.sign_message(scheme, &mut Cursor::new(&message)).unwrap();
        for message in [&message[..], b"short"] {
            let signature = of_seed.sign_message(scheme, &mut Cursor::new(message)).unwrap();
            for choice in ProviderChoice::ALL {
                let verify = |signature: &[u8]| {
                    let message = &mut Cursor::new(message);
                    Arithmetic::new(choice).verify_message(of_seed.public_key(), scheme, message, signature)
                };
                match verify(&signature) {
                    Err(KeyError::NotByThisProvider { .. }) => assert!(message.len() > 65536, "{choice}"),
                    good => assert_eq!(good, Ok(true), "{scheme} by {choice}"),
                }
                let mut changed = signature.clone();
                changed[100] ^= 1;
                assert_ne!(verify(&changed), Ok(true), "{scheme} by {choice}");
                assert_ne!(verify(&signature[1..]), Ok(true), "{scheme} by {choice}");
            }
        }
        let refused = of_seed.with_arithmetic(aws_lc()).sign_message(scheme, &mut Cursor::new(b"x"));
        assert!(matches!(refused, Err(KeyError::NotByThisProvider { .. })), "it draws random numbers");
        let _ = signature;
        for wrong in [tlv(0x80, &[5; 31]), tlv(0x04, &[0; 100]), tlv(0x04, &vec![0xff; expanded_len]), Vec::new()] {
            assert!(matches!(read(&wrong), Err(KeyError::NotAKey(_))), "{scheme}");
        }
        let both = [tlv(0x04, &seed), tlv(0x04, &vec![0; expanded_len])].concat();
        assert!(matches!(read(&tlv(0x30, &both)), Err(KeyError::NotAKey(_))), "they differ");
    }
}

#[test]
fn the_root_of_rfc_9935_signed_its_example() {
    let Some(folder) = shared("oracles/ml-kem") else { return };
    let root = std::fs::read_to_string(folder.join("mldsa65RootCA.priv")).unwrap();
    let root = PrivateKey::from_pem(&root, None).unwrap();
    assert_eq!(root.signature_scheme(), Some(SignatureScheme::MlDsa65));
    let text = std::fs::read_to_string(folder.join("ML-KEM-512.pem")).unwrap();
    let (_, certificate) = der::Document::from_pem(&text).unwrap();
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }
    let parts = split(&split(certificate.as_bytes())[0].1);
    let verified = |message: &[u8]| {
        let message = &mut Cursor::new(message);
        rustcrypto().verify_message(root.public_key(), SignatureScheme::MlDsa65, message, &parts[2].1[1..])
    };
    assert_eq!(verified(&parts[0].0), Ok(true));
    assert_eq!(verified(&parts[1].0), Ok(false));
}

/// The elements of some DER: each whole, and its content.
fn split(mut der: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    while !der.is_empty() {
        let (header, len) = match der[1] {
            0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
            0x81 => (3, usize::from(der[2])),
            len => (2, usize::from(len)),
        };
        found.push((der[..header + len].to_vec(), der[header..header + len].to_vec()));
        der = &der[header + len..];
    }
    found
}

#[test]
fn dsa_certificates_of_rfc_4134() {
    let Some(folder) = shared("oracles/rfc4134") else { return };
    let certificate = |name: &str| {
        let octets = std::fs::read(folder.join(name)).unwrap();
        let parts = split(&split(&octets)[0].1);
        let fields = split(&parts[0].1);
        // [0] version stands first: serial, algorithm, issuer, validity, subject, key.
        (parts[0].0.clone(), fields[6].0.clone(), parts[2].1[1..].to_vec())
    };
    let (root_tbs, root, root_signature) = certificate("CarlDSSSelf.cer");
    let verify = |spki: &[u8], tbs: &[u8], signature: &[u8]| {
        let value = rustcrypto().digest(DigestAlgorithm::Sha1, tbs).unwrap();
        for choice in [ProviderChoice::Auto, ProviderChoice::RustCrypto] {
            let arithmetic = Arithmetic::new(choice);
            let verify = |value: &[u8]| {
                arithmetic.verify_digest(spki, SignatureScheme::Dsa, DigestAlgorithm::Sha1, value, signature)
            };
            assert_eq!((verify(&value), verify(&[7; 20])), (Ok(true), Ok(false)));
        }
    };
    verify(&root, &root_tbs, &root_signature);
    let (alice_tbs, alice, alice_signature) = certificate("AliceDSSSignByCarlNoInherit.cer");
    verify(&root, &alice_tbs, &alice_signature);
    assert_eq!(describe_public_key(&alice).unwrap().bits, 1024);
    assert_eq!(with_inherited_parameters(&alice, &root).unwrap(), alice, "it has its own");

    let (diane_tbs, diane, diane_signature) = certificate("DianeDSSSignByCarlInherit.cer");
    verify(&root, &diane_tbs, &diane_signature);
    assert_eq!(describe_public_key(&diane).unwrap().bits, 0, "it has none of its own");
    let found =
        rustcrypto().verify_digest(&diane, SignatureScheme::Dsa, DigestAlgorithm::Sha1, &[0; 20], &diane_signature);
    assert!(matches!(&found, Err(KeyError::BadPublicKey(why)) if why.contains("issuer")), "{found:?}");
    let whole = with_inherited_parameters(&diane, &root).unwrap();
    assert_eq!(describe_public_key(&whole).unwrap().bits, 1024);
    assert!(with_inherited_parameters(&diane, &diane).is_err());
    assert!(with_inherited_parameters(&diane, key("rsa1024").public_key()).is_err());
}

#[test]
fn dsa_signatures_of_openssl() {
    let Some(folder) = Folder::with_openssl("dsa") else { return };
    let message = folder.file("message", b"message");
    for (p, q) in [("1024", "160"), ("2048", "224"), ("2048", "256")] {
        let (parameters, private) = (folder.path("parameters.pem"), folder.path("private.pem"));
        let (p_bits, q_bits) = (format!("dsa_paramgen_bits:{p}"), format!("dsa_paramgen_q_bits:{q}"));
        let options = ["-pkeyopt", &p_bits, "-pkeyopt", &q_bits, "-out", &parameters];
        openssl(&[&["genpkey", "-genparam", "-algorithm", "DSA"][..], &options].concat());
        openssl(&["genpkey", "-paramfile", &parameters, "-out", &private]);
        let (public, theirs) = (folder.path("public.der"), folder.path("theirs"));
        openssl(&["pkey", "-in", &private, "-pubout", "-outform", "DER", "-out", &public]);
        let spki = std::fs::read(public).unwrap();
        assert_eq!(describe_public_key(&spki).unwrap().bits.to_string(), p);
        for digest in [DigestAlgorithm::Sha1, DigestAlgorithm::Sha224, DigestAlgorithm::Sha256] {
            let option = format!("-{}", digest.name().replace('-', ""));
            openssl(&["dgst", &option, "-sign", &private, "-out", &theirs, &message]);
            let value = rustcrypto().digest(digest, b"message").unwrap();
            let theirs = std::fs::read(&theirs).unwrap();
            let verify = |value: &[u8]| rustcrypto().verify_digest(&spki, SignatureScheme::Dsa, digest, value, &theirs);
            assert_eq!(verify(&value), Ok(true), "{p} {q} {digest}");
            assert_eq!(verify(&vec![1; value.len()]), Ok(false), "{p} {q} {digest}");
        }
    }
}
