//! RSASSA-PSS and RSAES-OAEP: parameters, keys, and OpenSSL on the other side.

use waxseal_key::{
    Arithmetic, Decryptor, DigestAlgorithm, KeyError, OaepParameters, ProviderChoice, PssParameters,
    PublicKeyAlgorithm, SeededRandom, SignatureScheme, Signer, algorithm,
};

use crate::{
    hex, key,
    openssl::{Folder, key_file, openssl},
    rustcrypto,
};

const MESSAGE: &[u8] = b"Content-Type: text/plain\r\n\r\nHello\r\n";

/// DER of RSASSA-PSS-params, written by hand from RFC 4055 section 3.1.
const PSS: &[(&str, DigestAlgorithm, PssParameters)] = &[
    ("3000", DigestAlgorithm::Sha1, PssParameters { mgf: DigestAlgorithm::Sha1, salt_len: 20 }),
    (
        "3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120",
        DigestAlgorithm::Sha256,
        PssParameters { mgf: DigestAlgorithm::Sha256, salt_len: 32 },
    ),
    (
        "3018a00f300d06096086480165030402010500a205020300fffe",
        DigestAlgorithm::Sha256,
        PssParameters { mgf: DigestAlgorithm::Sha1, salt_len: 0xfffe },
    ),
    ("3005a203020100", DigestAlgorithm::Sha1, PssParameters { mgf: DigestAlgorithm::Sha1, salt_len: 0 }),
    (
        "300fa00d300b0609608648016503040208",
        DigestAlgorithm::Sha3_256,
        PssParameters { mgf: DigestAlgorithm::Sha1, salt_len: 20 },
    ),
];

#[test]
fn pss_parameters_are_read_and_written() {
    for (der, digest, parameters) in PSS {
        assert_eq!(PssParameters::from_der(Some(&unhex(der))), Ok((*digest, *parameters)), "{der}");
        assert_eq!(hex(&parameters.to_der(*digest)), *der);
    }
    // What other writers write: digests without NULL, and defaults spelled out.
    let read = |der: &str| PssParameters::from_der(Some(&unhex(der)));
    let sha1 = PssParameters { mgf: DigestAlgorithm::Sha1, salt_len: 20 };
    assert_eq!(
        read("3030a00d300b0609608648016503040201a11a301806092a864886f70d010108300b0609608648016503040201a203020120"),
        Ok((DigestAlgorithm::Sha256, PssParameters::usual(DigestAlgorithm::Sha256)))
    );
    assert_eq!(read("300aa203020114a303020101"), Ok((DigestAlgorithm::Sha1, sha1)));
    assert!(read("3005a303020102").unwrap_err().to_string().contains("trailer"));
    assert!(matches!(read("3005a2030201ff"), Err(KeyError::BadParameters { .. })), "a negative length");
    assert!(matches!(read("a000"), Err(KeyError::BadParameters { .. })));
    assert!(matches!(read("3007a00530030601 2a".replace(' ', "").as_str()), Err(KeyError::UnknownAlgorithm(_))));
    assert!(matches!(PssParameters::from_der(None), Err(KeyError::BadParameters { .. })));
    // RFC 8702 section 3.2 gives PSS with SHAKE256 an identifier of its own, and none inside these.
    assert!(matches!(read("300fa00d300b060960864801650304020c"), Err(KeyError::UnknownAlgorithm(_))));

    let oid = algorithm::by_name("rsassa-pss").unwrap().oid;
    let found = algorithm::signature_from_identifier(oid, Some(&unhex("3000")));
    assert_eq!(found, Ok(Some((SignatureScheme::RsaPss(sha1), Some(DigestAlgorithm::Sha1)))));
    assert_eq!(algorithm::signature_oid(SignatureScheme::RsaPss(sha1), DigestAlgorithm::Md5), oid);
    assert!(algorithm::signature_from_identifier(oid, None).is_err());
    assert_eq!(algorithm::signature_from_identifier("1.2.3", None), Ok(None));
}

#[test]
fn oaep_parameters_are_read_and_written() {
    let cases = [
        ("3000", OaepParameters::usual(DigestAlgorithm::Sha1)),
        (
            "302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500",
            OaepParameters::usual(DigestAlgorithm::Sha256),
        ),
        (
            "3014a212301006092a864886f70d0101090403010203",
            OaepParameters { label: vec![1, 2, 3], ..OaepParameters::usual(DigestAlgorithm::Sha1) },
        ),
    ];
    for (der, parameters) in cases {
        assert_eq!(OaepParameters::from_der(Some(&unhex(der))).unwrap(), parameters, "{der}");
        assert_eq!(hex(&parameters.to_der()), der);
    }
    assert!(OaepParameters::from_der(None).is_err());
    assert!(OaepParameters::from_der(Some(&unhex("300fa20d300b06092a864886f70d010109"))).is_err(), "no label");
}

#[test]
fn pss_signatures_cross() {
    let Some(folder) = Folder::with_openssl("pss_signatures_cross") else { return };
    let message = folder.file("message", MESSAGE);
    for name in ["rsa1024", "rsa2048", "rsa3072", "rsa-pss-free"] {
        let (key, private) = (key(name), key_file(name));
        let public = folder.path("public.pem");
        openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
        for (digest, mgf) in [
            (DigestAlgorithm::Sha1, DigestAlgorithm::Sha1),
            (DigestAlgorithm::Sha256, DigestAlgorithm::Sha256),
            (DigestAlgorithm::Sha256, DigestAlgorithm::Sha1),
            (DigestAlgorithm::Sha384, DigestAlgorithm::Sha384),
            (DigestAlgorithm::Sha3_256, DigestAlgorithm::Sha3_512),
        ] {
            let longest = key.bits() / 8 - digest.output_len() as u32 - 2;
            for salt_len in [0, 11, digest.output_len() as u32, longest] {
                let scheme = SignatureScheme::RsaPss(PssParameters { mgf, salt_len });
                let what = format!("{name} {digest} {mgf} {salt_len}");
                let value = rustcrypto().digest(digest, MESSAGE).unwrap();
                let (md, mask, salt) = (
                    format!("-{}", openssl_name(digest)),
                    format!("rsa_mgf1_md:{}", openssl_name(mgf)),
                    format!("rsa_pss_saltlen:{salt_len}"),
                );
                let options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", &mask, "-sigopt", &salt];

                let theirs = folder.path("theirs");
                openssl(&[&["dgst", &md][..], &options, &["-sign", &private, "-out", &theirs, &message]].concat());
                let theirs = std::fs::read(theirs).unwrap();
                for choice in ProviderChoice::ALL {
                    let arithmetic = Arithmetic::new(choice);
                    let verify = |scheme, signature: &[u8]| {
                        arithmetic.verify_digest(key.public_key(), scheme, digest, &value, signature)
                    };
                    match verify(scheme, &theirs) {
                        Err(KeyError::NotByThisProvider { .. }) => assert_eq!(choice, ProviderChoice::AwsLc),
                        good => assert_eq!(good, Ok(true), "{what}: theirs by {choice}"),
                    }
                    let mut changed = theirs.clone();
                    changed[40] ^= 1;
                    assert_ne!(verify(scheme, &changed), Ok(true), "{what}: changed, by {choice}");
                    let other = SignatureScheme::RsaPss(PssParameters { mgf, salt_len: salt_len ^ 1 });
                    assert_ne!(verify(other, &theirs), Ok(true), "{what}: another salt length, by {choice}");
                }
                let ours = key.sign_digest(scheme, digest, &value).unwrap();
                assert_eq!(key.sign_digest(scheme, digest, &value).unwrap(), ours, "the salt follows from the value");
                let ours = folder.file("ours", &ours);
                let arguments = ["-verify", &public, "-signature", &ours, &message];
                let output = openssl(&[&["dgst", &md][..], &options, &arguments].concat());
                assert!(output.contains("Verified OK"), "{what}: ours by openssl: {output}");
            }
            let too_long = SignatureScheme::RsaPss(PssParameters { mgf, salt_len: longest + 1 });
            let value = rustcrypto().digest(digest, MESSAGE).unwrap();
            assert!(matches!(key.sign_digest(too_long, digest, &value), Err(KeyError::BadParameters { .. })));
        }
    }
}

#[test]
fn moduli_of_every_length_modulo_eight() {
    // The encoded message is one bit shorter than the modulus, so that one octet may be missing.
    let Some(folder) = Folder::with_openssl("moduli") else { return };
    let message = folder.file("message", MESSAGE);
    let value = rustcrypto().digest(DigestAlgorithm::Sha256, MESSAGE).unwrap();
    for bits in 1024..=1033 {
        let (private, public) = (folder.path("private.pem"), folder.path("public.pem"));
        let option = format!("rsa_keygen_bits:{bits}");
        openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", &option, "-out", &private]);
        openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
        let key = waxseal_key::PrivateKey::from_pem(&std::fs::read_to_string(&private).unwrap(), None).unwrap();
        let scheme = SignatureScheme::RsaPss(PssParameters::usual(DigestAlgorithm::Sha256));
        let signature = key.sign_digest(scheme, DigestAlgorithm::Sha256, &value).unwrap();
        let verify = rustcrypto().verify_digest(key.public_key(), scheme, DigestAlgorithm::Sha256, &value, &signature);
        assert_eq!(verify, Ok(true), "{bits}");
        let ours = folder.file("ours", &signature);
        let options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"];
        let arguments = ["-verify", &public, "-signature", &ours, &message];
        let output = openssl(&[&["dgst", "-sha256"][..], &options, &arguments].concat());
        assert!(output.contains("Verified OK"), "{bits}: {output}");
        let parameters = OaepParameters::usual(DigestAlgorithm::Sha1);
        let wrapped =
            rustcrypto().wrap_rsa_oaep(key.public_key(), &[9; 16], &parameters, &mut SeededRandom::new("x")).unwrap();
        assert_eq!(*key.unwrap_rsa_oaep(&wrapped, &parameters).unwrap(), [9; 16], "{bits}");
    }
}

#[test]
fn keys_for_pss_only() {
    let scheme = |digest| SignatureScheme::RsaPss(PssParameters::usual(digest));
    let value = [7; 32];
    let (free, bound) = (key("rsa-pss-free"), key("rsa-pss-sha256"));
    for key in [&free, &bound] {
        assert_eq!(*key.algorithm(), PublicKeyAlgorithm::RsaPss);
        let described = waxseal_key::describe_public_key(key.public_key()).unwrap();
        assert_eq!((described.algorithm, described.bits), (PublicKeyAlgorithm::RsaPss, 2048));
        assert_eq!(key.signature_scheme().unwrap(), scheme(DigestAlgorithm::Sha256));
        let again = waxseal_key::PrivateKey::from_pkcs8_der(&key.to_pkcs8_der()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        let signature = key.sign_digest(scheme(DigestAlgorithm::Sha256), DigestAlgorithm::Sha256, &value).unwrap();
        for choice in ProviderChoice::ALL {
            let verify = |scheme| {
                let digest = DigestAlgorithm::Sha256;
                Arithmetic::new(choice).verify_digest(key.public_key(), scheme, digest, &value, &signature)
            };
            assert_eq!(verify(scheme(DigestAlgorithm::Sha256)), Ok(true), "{choice}");
            assert!(matches!(verify(SignatureScheme::RsaPkcs1), Err(KeyError::BadPublicKey(_))), "{choice}");
        }
        assert!(key.sign_digest(SignatureScheme::RsaPkcs1, DigestAlgorithm::Sha256, &value).is_err());
        assert!(key.unwrap_rsa_pkcs1(&[1; 256], 16).is_err());
        assert!(key.unwrap_rsa_oaep(&[1; 256], &OaepParameters::usual(DigestAlgorithm::Sha1)).is_err());
    }
    assert_eq!((free.only_digest(), bound.only_digest()), (None, Some(DigestAlgorithm::Sha256)));
    let sha3 = scheme(DigestAlgorithm::Sha3_256);
    assert!(free.sign_digest(sha3, DigestAlgorithm::Sha3_256, &value).is_ok());
    assert!(bound.sign_digest(sha3, DigestAlgorithm::Sha3_256, &value).is_err());
    let short =
        SignatureScheme::RsaPss(PssParameters { salt_len: 31, ..PssParameters::usual(DigestAlgorithm::Sha256) });
    assert!(bound.sign_digest(short, DigestAlgorithm::Sha256, &value).is_err());
    let verified = rustcrypto().verify_digest(bound.public_key(), short, DigestAlgorithm::Sha256, &value, &[1; 256]);
    assert!(matches!(verified, Err(KeyError::BadParameters { .. })));
}

#[test]
fn oaep_crosses() {
    let Some(folder) = Folder::with_openssl("oaep_crosses") else { return };
    let content_key = [7_u8; 24];
    for name in ["rsa1024", "rsa2048"] {
        let (key, private) = (key(name), key_file(name));
        for (digest, mgf, label) in [
            (DigestAlgorithm::Sha1, DigestAlgorithm::Sha1, &[][..]),
            (DigestAlgorithm::Sha256, DigestAlgorithm::Sha256, &[]),
            (DigestAlgorithm::Sha256, DigestAlgorithm::Sha1, b"label"),
            (DigestAlgorithm::Sha384, DigestAlgorithm::Sha512, b"x"),
            (DigestAlgorithm::Sha3_256, DigestAlgorithm::Sha256, &[]),
        ] {
            let parameters = OaepParameters { digest, mgf, label: label.to_vec() };
            let what = format!("{name} {parameters:?}");
            let mut options = vec!["-pkeyopt".to_owned(), "rsa_padding_mode:oaep".to_owned()];
            options.extend(["-pkeyopt".to_owned(), format!("rsa_oaep_md:{}", openssl_name(digest))]);
            options.extend(["-pkeyopt".to_owned(), format!("rsa_mgf1_md:{}", openssl_name(mgf))]);
            if !label.is_empty() {
                options.extend(["-pkeyopt".to_owned(), format!("rsa_oaep_label:{}", hex(label))]);
            }
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            let (plain, theirs) = (folder.file("plain", &content_key), folder.path("theirs"));
            let arguments = ["pkeyutl", "-encrypt", "-inkey", &private, "-in", &plain, "-out", &theirs];
            openssl(&[&arguments[..], &options].concat());
            let theirs = std::fs::read(theirs).unwrap();
            for choice in ProviderChoice::ALL {
                let key = self::key(name).with_arithmetic(Arithmetic::new(choice));
                match key.unwrap_rsa_oaep(&theirs, &parameters) {
                    Err(KeyError::NotByThisProvider { .. }) => assert_eq!(choice, ProviderChoice::AwsLc),
                    found => assert_eq!(*found.unwrap(), content_key, "{what}: theirs by {choice}"),
                }
                let other = OaepParameters { label: b"other".to_vec(), ..parameters.clone() };
                match key.unwrap_rsa_oaep(&theirs, &other) {
                    Err(KeyError::NotByThisProvider { .. }) => assert_eq!(choice, ProviderChoice::AwsLc),
                    found => assert_eq!(found, Err(KeyError::DecryptionFailed("rsaes-oaep".to_owned()))),
                }
            }
            let random = &mut SeededRandom::new("cross");
            let wrapped = rustcrypto().wrap_rsa_oaep(key.public_key(), &content_key, &parameters, random).unwrap();
            let (ours, out) = (folder.file("ours", &wrapped), folder.path("out"));
            let arguments = ["pkeyutl", "-decrypt", "-inkey", &private, "-in", &ours, "-out", &out];
            openssl(&[&arguments[..], &options].concat());
            assert_eq!(std::fs::read(out).unwrap(), content_key, "{what}: ours");
        }
    }
}

#[test]
fn what_oaep_cannot_take_is_an_error() {
    let parameters = OaepParameters::usual(DigestAlgorithm::Sha512);
    let wrap = |name: &str, len: usize| {
        rustcrypto().wrap_rsa_oaep(key(name).public_key(), &vec![0; len], &parameters, &mut SeededRandom::new("x"))
    };
    assert!(wrap("rsa2048", 126).is_ok());
    assert!(wrap("rsa2048", 127).unwrap_err().to_string().contains("too long"));
    assert!(wrap("rsa1024", 0).unwrap_err().to_string().contains("too short"));
    assert!(matches!(wrap("p256", 1), Err(KeyError::BadPublicKey(_))));
    assert!(key("rsa1024").unwrap_rsa_oaep(&[1; 128], &parameters).unwrap_err().to_string().contains("too short"));
    assert!(key("p256").unwrap_rsa_oaep(&[1; 128], &parameters).is_err());
    let wrapped = wrap("rsa2048", 0).unwrap();
    assert_eq!(key("rsa2048").unwrap_rsa_oaep(&wrapped, &parameters).unwrap().len(), 0, "an empty key");
}

fn openssl_name(digest: DigestAlgorithm) -> String {
    match digest.name() {
        name if name.starts_with("sha3") => name.to_owned(),
        name => name.replace('-', ""),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    crate::known_answers::unhex(text)
}

/// RFC 8702 defines SHAKE256 in signatures, and in no DigestInfo, HMAC or MGF1.
#[test]
fn shake256_goes_with_no_scheme_that_signs_digests() {
    use DigestAlgorithm::{Sha256, Shake256};
    let unknown = |error: KeyError| assert!(matches!(error, KeyError::UnknownAlgorithm(_)), "{error:?}");
    for choice in ProviderChoice::ALL {
        let own = Arithmetic::new(choice);
        let [rsa, p256] = ["rsa2048", "p256"].map(|name| key(name).with_arithmetic(own));
        let (value, short) = ([1; 64], [1; 32]);
        let masked = SignatureScheme::RsaPss(PssParameters { mgf: Shake256, salt_len: 32 });
        for (key, scheme, digest, value) in [
            (&rsa, SignatureScheme::RsaPkcs1, Shake256, &value[..]),
            (&rsa, SignatureScheme::RsaPss(PssParameters::usual(Sha256)), Shake256, &value),
            (&rsa, masked, Sha256, &short),
            (&p256, SignatureScheme::Ecdsa, Shake256, &value),
        ] {
            unknown(key.sign_digest(scheme, digest, value).unwrap_err());
            unknown(own.verify_digest(Signer::public_key(key), scheme, digest, value, &[1; 256]).unwrap_err());
        }
        for parameters in
            [OaepParameters::usual(Shake256), OaepParameters { mgf: Shake256, ..OaepParameters::usual(Sha256) }]
        {
            let random = &mut SeededRandom::new("x");
            unknown(own.wrap_rsa_oaep(Signer::public_key(&rsa), &[1; 16], &parameters, random).unwrap_err());
            unknown(rsa.unwrap_rsa_oaep(&[1; 256], &parameters).unwrap_err());
        }
        assert!(matches!(own.mac(Shake256, b"key"), Err(KeyError::NotByThisProvider { .. })));
    }
}
